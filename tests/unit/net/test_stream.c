/* SPDX-License-Identifier: Apache-2.0 */
/* Streams over socket pairs, plain and with TLS: framing left to the owner, bounds, deadlines. */
#include "helper_net.h"

#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"

struct end {
	struct stream *stream;
	unsigned int opened, closed, drained, calls;
	int reason;
	size_t bytes, unit; /* unit: consume in multiples of this */
	char last[64];
};

static void on_open(void *user, struct stream *s)
{
	struct end *e = user;

	(void)s;
	e->opened++;
}

static ssize_t on_data(void *user, struct stream *s, struct slice bytes)
{
	struct end *e = user;
	size_t take = e->unit ? bytes.len / e->unit * e->unit : bytes.len;

	(void)s;
	e->calls++;
	e->bytes += take;
	if (take > 0)
		(void)slice_copy(slice_sub(bytes, 0, take < 60 ? take : 60), e->last,
				 sizeof(e->last));
	return (ssize_t)take;
}

static void on_drained(void *user, struct stream *s)
{
	struct end *e = user;

	(void)s;
	e->drained++;
}

static void on_closed(void *user, struct stream *s, int reason)
{
	struct end *e = user;

	(void)s;
	e->closed++;
	e->reason = reason;
	e->stream = NULL;
}

static const struct stream_handlers handlers = {
	.open = on_open, .data = on_data, .drained = on_drained, .closed = on_closed
};

static void adopt(struct loop *loop, int fd, struct tls_context *tls, bool server, const char *name,
		  const struct stream_limits *limits, struct end *e)
{
	assert_int_equal(stream_adopt(loop, fd, NULL, tls, server, name, limits, &handlers, e,
				      &e->stream),
			 0);
}

static void make_pair(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
}

static void what_is_left_is_shown_again(void **state)
{
	struct end e = { .unit = 4 };
	struct loop *loop = test_loop();
	int fd[2];

	(void)state;
	make_pair(fd);
	adopt(loop, fd[0], NULL, true, NULL, NULL, &e);
	assert_int_equal(write(fd[1], "abcdef", 6), 6);
	turn_until(loop, &e.calls, 1);
	assert_int_equal(e.bytes, 4);
	assert_int_equal(write(fd[1], "gh", 2), 2);
	turn_until(loop, &e.calls, 2);
	assert_int_equal(e.bytes, 8);
	assert_string_equal(e.last, "efgh");
	(void)close(fd[1]);
	turn_until(loop, &e.closed, 1);
	assert_int_equal(e.reason, 0);
	loop_free(loop);
}

static void a_receiver_that_takes_nothing_is_cut(void **state)
{
	const struct stream_limits limits = { .receive_max = 1000 };
	struct end e = { .unit = 100000 };
	struct loop *loop = test_loop();
	char bytes[2000];
	int fd[2];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	make_pair(fd);
	adopt(loop, fd[0], NULL, true, NULL, &limits, &e);
	assert_int_equal(write(fd[1], bytes, sizeof(bytes)), sizeof(bytes));
	turn_until(loop, &e.closed, 1);
	assert_int_equal(e.reason, -EMSGSIZE);
	(void)close(fd[1]);
	loop_free(loop);
}

static void the_send_queue_is_bounded_and_drains(void **state)
{
	const struct stream_limits limits = { .send_max = 50000 };
	struct end e = { 0 };
	struct loop *loop = test_loop();
	static char bytes[20000], sink[70000];
	size_t written = 0, got = 0;
	int fd[2];

	(void)state;
	make_pair(fd);
	adopt(loop, fd[0], NULL, true, NULL, &limits, &e);
	turn_until(loop, &e.opened, 1);
	while (stream_write(e.stream, slice_make(bytes, sizeof(bytes))) == 0)
		written += sizeof(bytes);
	assert_true(written > 50000 && stream_queued(e.stream) <= 50000);
	assert_int_equal(stream_write(e.stream, slice_make(bytes, sizeof(bytes))), -EAGAIN);
	while (got < written) {
		ssize_t n = read(fd[1], sink, sizeof(sink));

		got += n > 0 ? (size_t)n : 0;
		(void)loop_turn(loop, 1);
	}
	turn_until(loop, &e.drained, 1);
	assert_int_equal(got, written);
	stream_close(e.stream, true);
	turn_until(loop, &e.closed, 1);
	assert_int_equal(e.reason, -ECANCELED);
	(void)close(fd[1]);
	loop_free(loop);
}

static void idle_and_stuck_peers_are_cut(void **state)
{
	const struct stream_limits idle = { .idle_timeout_ms = 20 };
	const struct stream_limits stuck = { .write_timeout_ms = 20, .send_max = 1 << 20 };
	struct end a = { 0 }, b = { 0 };
	struct loop *loop = test_loop();
	static char bytes[900000];
	int fd[2], other[2];

	(void)state;
	make_pair(fd);
	make_pair(other);
	adopt(loop, fd[0], NULL, true, NULL, &idle, &a);
	adopt(loop, other[0], NULL, true, NULL, &stuck, &b);
	turn_until(loop, &b.opened, 1);
	assert_int_equal(stream_write(b.stream, slice_make(bytes, sizeof(bytes))), 0);
	turn_until(loop, &a.closed, 1);
	turn_until(loop, &b.closed, 1);
	assert_int_equal(a.reason, -ETIMEDOUT);
	assert_int_equal(b.reason, -ETIMEDOUT);
	(void)close(fd[1]);
	(void)close(other[1]);
	loop_free(loop);
}

static void a_paused_stream_reads_nothing(void **state)
{
	struct end e = { 0 };
	struct loop *loop = test_loop();
	int fd[2];

	(void)state;
	make_pair(fd);
	adopt(loop, fd[0], NULL, true, NULL, NULL, &e);
	turn_until(loop, &e.opened, 1);
	stream_pause(e.stream, true);
	assert_int_equal(write(fd[1], "abc", 3), 3);
	(void)loop_turn(loop, 10);
	assert_int_equal(e.bytes, 0);
	stream_pause(e.stream, false);
	turn_until(loop, &e.calls, 1);
	assert_int_equal(e.bytes, 3);
	stream_close(e.stream, false);
	turn_until(loop, &e.closed, 1);
	(void)close(fd[1]);
	loop_free(loop);
}

static void tls_is_a_stream_like_any_other(void **state)
{
	struct test_pki pki;
	struct tls_context *server, *client;
	struct end s = { 0 }, c = { 0 };
	struct loop *loop = test_loop();
	static char bytes[150000];
	int fd[2];

	(void)state;
	test_pki_init(&pki);
	server = test_context(&pki, "server", true, TLS_VERIFY_REQUIRED, NULL);
	client = test_context(&pki, "client", false, TLS_VERIFY_REQUIRED, NULL);
	make_pair(fd);
	adopt(loop, fd[0], server, true, NULL, NULL, &s);
	adopt(loop, fd[1], client, false, "127.0.0.1", NULL, &c);
	assert_int_equal(stream_write(c.stream, SLICE("early")), 0); /* before the handshake */
	turn_until(loop, &s.calls, 1);
	assert_string_equal(s.last, "early");
	assert_string_equal(stream_peer_name(s.stream), "client");
	assert_true(stream_peer_has_san(c.stream, "server.test"));
	s.calls = 0;
	s.bytes = 0;
	assert_int_equal(stream_write(c.stream, slice_make(bytes, sizeof(bytes))), 0);
	while (s.bytes < sizeof(bytes))
		assert_true(loop_turn(loop, 1000) >= 0);
	assert_int_equal(s.bytes, sizeof(bytes));
	stream_close(c.stream, true);
	turn_until(loop, &s.closed, 1);
	turn_until(loop, &c.closed, 1);
	assert_int_equal(s.reason, 0);
	tls_context_unref(server);
	tls_context_unref(client);
	test_pki_done(&pki);
	loop_free(loop);
}

static void a_failed_handshake_closes_without_opening(void **state)
{
	const struct stream_limits limits = { .handshake_timeout_ms = 20 };
	struct test_pki pki;
	struct tls_context *server;
	struct end garbage = { 0 }, silent = { 0 };
	struct loop *loop = test_loop();
	int fd[2], other[2];

	(void)state;
	test_pki_init(&pki);
	server = test_context(&pki, "server", true, TLS_VERIFY_REQUIRED, NULL);
	make_pair(fd);
	make_pair(other);
	adopt(loop, fd[0], server, true, NULL, NULL, &garbage);
	adopt(loop, other[0], server, true, NULL, &limits, &silent);
	assert_int_equal(write(fd[1], "OPTIONS sip:a SIP/2.0\r\n\r\n", 25), 25);
	turn_until(loop, &garbage.closed, 1);
	turn_until(loop, &silent.closed, 1);
	assert_int_equal(garbage.reason, -EPROTO);
	assert_int_equal(silent.reason, -ETIMEDOUT);
	assert_int_equal(garbage.opened + silent.opened, 0);
	(void)close(fd[1]);
	(void)close(other[1]);
	tls_context_unref(server);
	test_pki_done(&pki);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_is_shown_again),
		cmocka_unit_test(a_receiver_that_takes_nothing_is_cut),
		cmocka_unit_test(the_send_queue_is_bounded_and_drains),
		cmocka_unit_test(idle_and_stuck_peers_are_cut),
		cmocka_unit_test(a_paused_stream_reads_nothing),
		cmocka_unit_test(tls_is_a_stream_like_any_other),
		cmocka_unit_test(a_failed_handshake_closes_without_opening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
