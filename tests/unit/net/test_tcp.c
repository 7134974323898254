/* SPDX-License-Identifier: Apache-2.0 */
/* Listening and connecting over loopback, with the limits of a listener. */
#include "helper_net.h"

#include <sys/stat.h>
#include <unistd.h>

#include "net/stream.h"
#include "net/tcp.h"

struct end {
	unsigned int opened, closed, accepted;
	int reason;
	size_t bytes;
	struct stream *stream;
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

	(void)s;
	e->bytes += bytes.len;
	return (ssize_t)bytes.len;
}

static void on_closed(void *user, struct stream *s, int reason)
{
	struct end *e = user;

	(void)s;
	e->closed++;
	e->reason = reason;
}

static const struct stream_handlers handlers = { .open = on_open,
						 .data = on_data,
						 .closed = on_closed };

static int accept_one(void *user, struct stream *stream)
{
	struct end *e = user;

	e->accepted++;
	e->stream = stream;
	stream_set_user(stream, &handlers, e);
	return 0;
}

static int accept_none(void *user, struct stream *stream)
{
	struct end *e = user;

	(void)stream;
	e->accepted++;
	return -EACCES;
}

static void both_ends_see_each_other(void **state)
{
	struct loop *loop = test_loop();
	struct addr any = loopback();
	struct tcp_listener_config config = { .local = &any };
	struct tcp_listener *listener;
	struct end server = { 0 }, client = { 0 };
	struct stream *stream;

	(void)state;
	assert_int_equal(tcp_listener_new(loop, &config, accept_one, &server, &listener, NULL), 0);
	assert_int_equal(tcp_connect(loop, tcp_listener_local(listener), &any, NULL, NULL, NULL,
				     &handlers, &client, &stream),
			 0);
	turn_until(loop, &client.opened, 1);
	turn_until(loop, &server.opened, 1);
	assert_true(addr_equal(stream_peer(server.stream), stream_local(stream)));
	listener = tcp_listener_free(listener); /* the accepted stream lives on */
	assert_int_equal(stream_write(stream, SLICE("hello")), 0);
	stream_close(stream, true);
	turn_until(loop, &server.closed, 1);
	turn_until(loop, &client.closed, 1);
	assert_int_equal(server.bytes, 5);
	assert_int_equal(server.reason, 0);
	loop_free(loop);
}

static void dial(struct loop *loop, const struct tcp_listener *listener, struct end *e)
{
	assert_int_equal(tcp_connect(loop, tcp_listener_local(listener), NULL, NULL, NULL, NULL,
				     &handlers, e, &e->stream),
			 0);
}

static void connections_are_counted(void **state)
{
	struct loop *loop = test_loop();
	struct addr any = loopback();
	struct tcp_listener_config config = { .local = &any, .connections_per_address = 2 };
	struct tcp_listener *listener;
	struct end server = { 0 }, client[4] = { 0 };

	(void)state;
	assert_int_equal(tcp_listener_new(loop, &config, accept_one, &server, &listener, NULL), 0);
	for (int i = 0; i < 3; i++)
		dial(loop, listener, &client[i]);
	turn_until(loop, &client[2].closed, 1);
	assert_int_equal(server.accepted, 2);
	assert_int_equal(tcp_listener_stats(listener)->refused_address, 1);
	/* One leaves, one may come. */
	stream_close(client[0].stream, false);
	turn_until(loop, &server.closed, 1);
	dial(loop, listener, &client[3]);
	turn_until(loop, &server.accepted, 3);
	tcp_listener_free(listener);
	stream_close(client[1].stream, false);
	stream_close(client[3].stream, false);
	turn_until(loop, &server.closed, 3);
	turn_until(loop, &client[1].closed, 1);
	turn_until(loop, &client[3].closed, 1);
	loop_free(loop);
}

static void refused_connections_are_told(void **state)
{
	struct loop *loop = test_loop();
	struct addr any = loopback(), gone;
	struct tcp_listener_config config = { .local = &any };
	struct tcp_listener *listener;
	struct end server = { 0 }, client = { 0 }, nobody = { 0 };
	struct stream *stream;
	int r;

	(void)state;
	assert_int_equal(tcp_listener_new(loop, &config, accept_none, &server, &listener, NULL), 0);
	assert_int_equal(tcp_connect(loop, tcp_listener_local(listener), NULL, NULL, NULL, NULL,
				     &handlers, &client, &stream),
			 0);
	turn_until(loop, &client.closed, 1);
	assert_int_equal(server.accepted, 1);
	gone = *tcp_listener_local(listener);
	tcp_listener_free(listener);
	r = tcp_connect(loop, &gone, NULL, NULL, NULL, NULL, &handlers, &nobody, &stream);
	if (r == 0) {
		turn_until(loop, &nobody.closed, 1);
		r = nobody.reason;
	}
	assert_int_equal(r, -ECONNREFUSED);
	assert_int_equal(nobody.opened, 0);
	loop_free(loop);
}

static void a_unix_socket_replaces_a_stale_one_only(void **state)
{
	char dir[] = "/tmp/aura-test-XXXXXX", path[64];
	struct stat st;
	int fd, again;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	fd = tcp_unix_listen(path, 0660, NULL);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(tcp_unix_listen(path, 0660, NULL), -EADDRINUSE);
	(void)close(fd);
	again = tcp_unix_listen(path, 0600, NULL);
	assert_true(again >= 0);
	(void)close(again);
	(void)unlink(path);
	(void)rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_see_each_other),
		cmocka_unit_test(connections_are_counted),
		cmocka_unit_test(refused_connections_are_told),
		cmocka_unit_test(a_unix_socket_replaces_a_stale_one_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
