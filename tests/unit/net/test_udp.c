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

/* What arrives, one behind the other. */
struct heard {
	char text[4096];
	size_t len;
	unsigned int count;
};

static void hear(void *user, struct slice data, const struct addr *from)
{
	struct heard *h = user;

	(void)from;
	assert_true(h->len + data.len + 1 < sizeof(h->text));
	memcpy(h->text + h->len, data.p, data.len);
	h->len += data.len;
	h->text[h->len++] = '|';
	h->count++;
}

static const struct udp_handlers hearers = { .receive = hear };

static void say(struct udp *from, struct udp *to, const char *text, char *expected)
{
	assert_int_equal(udp_send(from, udp_local(to), slice_str(text)), 0);
	strcat(strcat(expected, text), "|");
}

/* Runs of one length and receiver leave at once, and arrive as what they were. */
static void runs_arrive_as_datagrams(void **state)
{
	static const int lengths[] = { 9, 9, 9, 9, 9, 4, 9, 9, 9, 9, 9, 12, 12, 12, 12, 12, 3, 3 };
	struct heard b = { 0 }, c = { 0 };
	struct udp *from, *to_b, *to_c;
	char to_be_b[4096] = "", to_be_c[4096] = "";
	struct addr any = loopback();
	struct loop *loop = test_loop();

	(void)state;
	assert_int_equal(udp_new(loop, &any, &hearers, &b, &from, NULL), 0);
	assert_int_equal(udp_new(loop, &any, &hearers, &b, &to_b, NULL), 0);
	assert_int_equal(udp_new(loop, &any, &hearers, &c, &to_c, NULL), 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "%0*zu", lengths[i], i);
		say(from, to_b, text, to_be_b);
		if (i == 13) /* in the midst of a run */
			say(from, to_c, "yours", to_be_c);
	}
	for (int i = 0; i < 6; i++)
		say(from, to_c, "mine", to_be_c);
	udp_flush(from);
	assert_int_equal(udp_stats(from)->sent, 25);
	turn_until(loop, &b.count, 18);
	turn_until(loop, &c.count, 7);
	assert_string_equal(b.text, to_be_b);
	assert_string_equal(c.text, to_be_c);
	udp_free(from);
	udp_free(to_b);
	udp_free(to_c);
	loop_free(loop);
}

/* A run that the kernel refuses (as one without checksums is) goes one by one. */
static void a_refused_run_goes_singly(void **state)
{
	struct heard b = { 0 };
	struct udp *from, *to;
	char expected[4096] = "";
	struct addr any = loopback();
	struct loop *loop = test_loop();
	int one = 1, fd = -1;

	(void)state;
	assert_int_equal(udp_new(loop, &any, &hearers, &b, &from, NULL), 0);
	assert_int_equal(udp_new(loop, &any, &hearers, &b, &to, NULL), 0);
	for (int i = 0; i < 64 && fd < 0; i++) {
		struct sockaddr_in at = { 0 };
		socklen_t len = sizeof(at);

		if (getsockname(i, (struct sockaddr *)&at, &len) == 0 &&
		    ntohs(at.sin_port) == addr_port(udp_local(from)))
			fd = i;
	}
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)), 0);
	for (int i = 0; i < 20; i++)
		say(from, to, i < 10 ? "first" : "then", expected);
	udp_flush(from);
	assert_int_equal(udp_stats(from)->sent, 20);
	assert_int_equal(udp_stats(from)->send_errors, 0);
	turn_until(loop, &b.count, 20);
	assert_string_equal(b.text, expected);
	udp_free(from);
	udp_free(to);
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
		cmocka_unit_test(runs_arrive_as_datagrams),
		cmocka_unit_test(a_refused_run_goes_singly),
		cmocka_unit_test(a_handler_may_free_its_socket),
		cmocka_unit_test(bounds_and_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
