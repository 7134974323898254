/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams over loopback, in batches. */
#include "helper_net.h"

#include "net/udp.h"

struct side {
	struct udp *udp;
	unsigned int received;
	size_t bytes;
	struct addr from;
	bool echo, close;
};

static void receive(void *user, struct slice data, const struct addr *from)
{
	struct side *s = user;

	s->received++;
	s->bytes += data.len;
	s->from = *from;
	if (s->echo)
		assert_int_equal(udp_send(s->udp, from, data), 0);
	if (s->close)
		s->udp = udp_free(s->udp);
}

static const struct udp_handlers handlers = { .receive = receive };

static void a_burst_arrives_and_is_answered(void **state)
{
	struct side a = { 0 }, b = { .echo = true };
	struct addr any = loopback();
	struct loop *loop = test_loop();

	(void)state;
	assert_int_equal(udp_new(loop, &any, &handlers, &a, &a.udp, NULL), 0);
	assert_int_equal(udp_new(loop, &any, &handlers, &b, &b.udp, NULL), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(udp_send(a.udp, udp_local(b.udp), SLICE("0123456789")), 0);
	turn_until(loop, &a.received, 100);
	assert_int_equal(b.received, 100);
	assert_int_equal(a.bytes, 1000);
	assert_true(addr_equal(&a.from, udp_local(b.udp)));
	assert_int_equal(udp_stats(b.udp)->sent, 100);
	udp_free(a.udp);
	udp_free(b.udp);
	loop_free(loop);
}

static void a_handler_may_free_its_socket(void **state)
{
	struct side a = { 0 }, b = { .close = true };
	struct addr any = loopback();
	struct loop *loop = test_loop();

	(void)state;
	assert_int_equal(udp_new(loop, &any, &handlers, &a, &a.udp, NULL), 0);
	assert_int_equal(udp_new(loop, &any, &handlers, &b, &b.udp, NULL), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(udp_send(a.udp, udp_local(b.udp), SLICE("x")), 0);
	udp_flush(a.udp);
	turn_until(loop, &b.received, 1);
	assert_int_equal(b.received, 1);
	assert_null(b.udp);
	udp_free(a.udp);
	loop_free(loop);
}

static void bounds_and_errors(void **state)
{
	static char large[UDP_DATAGRAM_MAX + 1];
	struct side a = { 0 };
	struct udp *second;
	struct addr any = loopback(), nowhere;
	struct loop *loop = test_loop();

	(void)state;
	assert_int_equal(udp_new(loop, &any, &handlers, &a, &a.udp, NULL), 0);
	assert_int_equal(udp_new(loop, udp_local(a.udp), &handlers, &a, &second, NULL),
			 -EADDRINUSE);
	assert_int_equal(udp_send(a.udp, udp_local(a.udp), slice_make(large, sizeof(large))),
			 -EMSGSIZE);
	assert_int_equal(addr_parse(SLICE("192.0.2.77:1"), 0, &nowhere), 0);
	assert_int_equal(udp_new(loop, &nowhere, &handlers, &a, &second, NULL), -EADDRNOTAVAIL);
	udp_free(a.udp);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_arrives_and_is_answered),
		cmocka_unit_test(a_handler_may_free_its_socket),
		cmocka_unit_test(bounds_and_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
