/* SPDX-License-Identifier: Apache-2.0 */
/* WebSockets over a socket pair: the examples of RFC 6455, handshakes that are refused, frames that end it. */
#include "helper_net.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"
#include "net/websocket.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define FIELDS "Host: box\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define SIP "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: other, sip\r\n"
#define HELLO "GET /sip?a HTTP/1.1\r\n" FIELDS KEY SIP "Origin: https://box\r\n\r\n"

struct end {
	struct loop *loop;
	struct websocket *ws;
	int fd; /* the client's */
	unsigned int asked, messages, closed, refusal;
	int refuse; /* what message() returns */
	char last[64], path[32];
	char got[512]; /* what came to the client */
	size_t got_len;
};

static unsigned on_asked(void *user, const struct websocket_request *request)
{
	struct end *e = user;

	e->asked++;
	(void)slice_copy(request->path, e->path, sizeof(e->path));
	return slice_eq_str(request->origin, "https://box") ? e->refusal : 403;
}

static int on_message(void *user, struct slice message)
{
	struct end *e = user;

	e->messages++;
	(void)slice_copy(message, e->last, sizeof(e->last));
	return e->refuse;
}

static void on_closed(void *user, int reason)
{
	struct end *e = user;

	(void)reason;
	e->closed++;
	e->ws = NULL;
}

static const struct websocket_handlers handlers = { .asked = on_asked,
						    .message = on_message,
						    .closed = on_closed };

static const struct stream_handlers nobody = { 0 };

static void begin(struct end *e, uint32_t ping_ms)
{
	const struct websocket_config config = { .protocol = "sip",
						 .message_max = 100,
						 .ping_ms = ping_ms };
	struct stream *stream;
	int fd[2];

	*e = (struct end){ .loop = test_loop() };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	e->fd = fd[1];
	assert_int_equal(stream_adopt(e->loop, fd[0], NULL, NULL, true, NULL, NULL, &nobody, NULL,
				      &stream),
			 0);
	assert_int_equal(websocket_accept(e->loop, stream, &config, &handlers, e, &e->ws), 0);
}

static void finish(struct end *e)
{
	(void)close(e->fd);
	if (e->ws)
		turn_until(e->loop, &e->closed, 1);
	for (int i = 0; i < 4; i++)
		(void)loop_turn(e->loop,
				10); /* the stream of an orphan tells nobody when it ends */
	loop_free(e->loop);
}

/* Bytes of the client; then what comes back, until the loop has nothing more to do. */
static void say(struct end *e, const void *bytes, size_t len)
{
	ssize_t n;

	if (len > 0)
		assert_int_equal(write(e->fd, bytes, len), (ssize_t)len);
	for (int i = 0; i < 4; i++)
		(void)loop_turn(e->loop, 0);
	e->got_len = 0;
	memset(e->got, 0, sizeof(e->got));
	while ((n = read(e->fd, e->got + e->got_len, sizeof(e->got) - 1 - e->got_len)) > 0)
		e->got_len += (size_t)n;
}

#define SAY(e, text) say(e, text, sizeof(text) - 1)
#define GOT(e, bytes)                                                                              \
	do {                                                                                       \
		assert_int_equal((e)->got_len, sizeof(bytes) - 1);                                 \
		assert_memory_equal((e)->got, bytes, sizeof(bytes) - 1);                           \
	} while (0)

/* RFC 6455 section 5.7: "Hello" as a masked text frame, and as a ping. */
#define MASKED "\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
#define TEXT_HELLO "\x81\x85" MASKED
#define PING_HELLO "\x89\x85" MASKED

static void the_examples_of_the_rfc(void **state)
{
	struct end e;

	(void)state;
	begin(&e, 0);
	SAY(&e, HELLO);
	assert_non_null(strstr(e.got, "HTTP/1.1 101 "));
	/* section 1.3 */
	assert_non_null(strstr(e.got, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
	assert_non_null(strstr(e.got, "Sec-WebSocket-Protocol: sip\r\n"));
	assert_string_equal(e.path, "/sip?a");
	SAY(&e, TEXT_HELLO);
	assert_int_equal(e.messages, 1);
	assert_string_equal(e.last, "Hello");
	SAY(&e, PING_HELLO);
	GOT(&e, "\x8a\x05Hello");
	assert_int_equal(websocket_send(e.ws, SLICE("Hello")), 0);
	SAY(&e, "");
	GOT(&e, "\x81\x05Hello");
	assert_int_equal(websocket_send(e.ws, SLICE("\xffz")), 0);
	SAY(&e, "");
	GOT(&e, "\x82\x02\xffz");
	finish(&e);
	assert_int_equal(e.closed, 1);
}

static void pieces_become_messages(void **state)
{
	static const char all[] =
		HELLO "\x01\x83\0\0\0\0Hel" PING_HELLO "\x80\x82\0\0\0\0lo" TEXT_HELLO;
	struct end e;

	(void)state;
	begin(&e, 0);
	for (size_t i = 0; i < sizeof(all) - 1; i++)
		say(&e, all + i, 1);
	assert_int_equal(e.messages, 2);
	assert_string_equal(e.last, "Hello");
	finish(&e);
	begin(&e, 0);
	SAY(&e, all);
	assert_int_equal(e.messages, 2);
	finish(&e);
}

static void refused(const char *request, const char *status, unsigned refusal)
{
	struct end e;

	begin(&e, 0);
	e.refusal = refusal;
	say(&e, request, strlen(request));
	assert_int_equal(strncmp(e.got, "HTTP/1.1 ", 9), 0);
	assert_int_equal(strncmp(e.got + 9, status, 3), 0);
	turn_until(e.loop, &e.closed, 1);
	assert_int_equal(e.messages, 0);
	finish(&e);
}

static void handshakes_are_refused(void **state)
{
	static const struct {
		const char *request, *status;
	} bad[] = {
		{ "POST /sip HTTP/1.1\r\n" FIELDS KEY SIP "\r\n", "400" },
		{ "GET /sip HTTP/1.0\r\n" FIELDS KEY SIP "\r\n", "400" },
		{ "GET sip HTTP/1.1\r\n" FIELDS KEY SIP "\r\n", "400" },
		{ "GET /sip HTTP/1.1\r\n" FIELDS KEY SIP "no colon\r\n\r\n", "400" },
		{ "GET /sip HTTP/1.1\r\n" FIELDS KEY SIP KEY "\r\n", "400" },
		{ "GET /sip HTTP/1.1\r\n" FIELDS SIP "Sec-WebSocket-Key: c2hvcnQ=\r\n\r\n", "400" },
		{ "GET /sip HTTP/1.1\r\n" FIELDS KEY
		  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n",
		  "400" },
		{ "GET /sip HTTP/1.1\r\n" FIELDS KEY
		  "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
		  "426" },
		{ "GET /sip HTTP/1.1\r\nHost: box\r\nConnection: Upgrade\r\n" KEY SIP "\r\n",
		  "426" },
		{ "GET /sip HTTP/1.1\r\n" FIELDS KEY SIP "Origin: https://evil\r\n\r\n", "403" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refused(bad[i].request, bad[i].status, 0);
	refused(HELLO, "403", 403);
}

static void a_header_has_an_end(void **state)
{
	static const char filler[] =
		"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
	struct end e;

	(void)state;
	begin(&e, 0);
	SAY(&e, "GET /sip HTTP/1.1\r\n");
	for (size_t sent = 0; sent < WEBSOCKET_HEADER_MAX && !e.closed && e.got_len == 0;
	     sent += sizeof(filler) - 1)
		SAY(&e, filler);
	assert_int_equal(strncmp(e.got, "HTTP/1.1 400", 12), 0);
	turn_until(e.loop, &e.closed, 1);
	finish(&e);
}

static void open_then(const char *frame, size_t len, int refuse, const char *close_frame)
{
	struct end e;

	begin(&e, 0);
	SAY(&e, HELLO);
	e.refuse = refuse;
	say(&e, frame, len);
	assert_int_equal(e.got_len >= 4, 1);
	assert_memory_equal(e.got, close_frame, 4);
	turn_until(e.loop, &e.closed, 1);
	finish(&e);
}

static void frames_that_end_it(void **state)
{
	(void)state;
	/* not masked: section 5.1 */
	open_then("\x81\x05Hello", 7, 0, "\x88\x02\x03\xea");
	/* longer than may be: 1009 */
	open_then("\x81\xfe\x01\x00\0\0\0\0z", 9, 0, "\x88\x02\x03\xf1");
	/* text that is no UTF-8: 1007 */
	open_then("\x81\x81\0\0\0\0\xff", 7, 0, "\x88\x02\x03\xef");
	/* the owner does not like it: 1002 */
	open_then(TEXT_HELLO, sizeof(TEXT_HELLO) - 1, -EBADMSG, "\x88\x02\x03\xea");
	/* the peer says goodbye and hears it back */
	open_then("\x88\x82\0\0\0\0\x03\xe8", 8, 0, "\x88\x02\x03\xe8");
}

static void silence_is_asked_and_then_ended(void **state)
{
	struct end e;

	(void)state;
	begin(&e, 20);
	SAY(&e, HELLO);
	turn_until(e.loop, &e.closed, 1);
	SAY(&e, "");
	GOT(&e, "\x89\x00");
	finish(&e);
}

static void an_orphan_calls_nobody(void **state)
{
	struct end e;

	(void)state;
	begin(&e, 0);
	SAY(&e, HELLO);
	e.ws = websocket_orphan(e.ws);
	assert_null(e.ws);
	assert_null(websocket_orphan(NULL));
	for (int i = 0; i < 4; i++)
		(void)loop_turn(e.loop, 0);
	finish(&e);
	assert_int_equal(e.closed + e.messages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc),
		cmocka_unit_test(pieces_become_messages),
		cmocka_unit_test(handshakes_are_refused),
		cmocka_unit_test(a_header_has_an_end),
		cmocka_unit_test(frames_that_end_it),
		cmocka_unit_test(silence_is_asked_and_then_ended),
		cmocka_unit_test(an_orphan_calls_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
