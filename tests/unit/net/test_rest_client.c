/* SPDX-License-Identifier: Apache-2.0 */
/* test_rest_client.c - requests as they are sent, answers, streams, limits and faults, over a unix socket. */
#include "base/error.h"
#include "net/rest_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Answers one request with fixed bytes and keeps what was asked. */
struct peer {
	char dir[32];
	char path[64];
	int fd;
	pthread_t thread;
	const char *answer;
	size_t answer_len;
	const char *until; /* the end of the request */
	char asked[2048];
	struct rest_client *client;
};

static void *serve(void *user)
{
	struct peer *peer = user;
	int fd = accept(peer->fd, NULL, NULL);
	size_t len = 0;

	while (len < sizeof(peer->asked) - 1 && !strstr(peer->asked, peer->until)) {
		ssize_t n = read(fd, peer->asked + len, sizeof(peer->asked) - 1 - len);

		if (n <= 0)
			break;
		len += (size_t)n;
		peer->asked[len] = '\0';
	}
	if (peer->answer_len > 0) {
		(void)!send(fd, peer->answer, peer->answer_len, MSG_NOSIGNAL);
	} else {
		char byte;

		(void)!read(fd, &byte, 1); /* silent until the client gives up */
	}
	close(fd);
	return NULL;
}

static void peer_start_bytes(struct peer *peer, const char *until, const char *answer, size_t len)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	struct rest_client_config config = { .bearer = "s3cret", .timeout_ms = 300 };

	*peer = (struct peer){
		.dir = "/tmp/aura-unit-XXXXXX", .answer = answer, .answer_len = len, .until = until
	};
	assert_non_null(mkdtemp(peer->dir));
	(void)snprintf(peer->path, sizeof(peer->path), "%s/s", peer->dir);
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", peer->path);
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(peer->fd, 1), 0);
	config.unix_socket = peer->path;
	assert_int_equal(rest_client_new(&config, &peer->client, NULL), 0);
	assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void peer_start(struct peer *peer, const char *until, const char *answer)
{
	peer_start_bytes(peer, until, answer, strlen(answer));
}

static void peer_stop(struct peer *peer)
{
	peer->client = rest_client_free(peer->client);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
	unlink(peer->path);
	rmdir(peer->dir);
}

static void what_is_asked_and_what_is_answered(void **state)
{
	struct rest_client_request request = {
		.method = "PUT",
		.path = "/api/v1/vms/a%20b?x=../y",
		.content_type = "application/json",
		.body = SLICE("{\"a\":1}"),
		.if_match = "\"7\"",
	};
	struct rest_client_answer answer;
	struct peer peer;

	peer_start(
		&peer, "{\"a\":1}",
		"HTTP/1.1 412 Precondition Failed\r\ncontent-type:  application/problem+json \r\n"
		"ETag: \"8\"\r\nLOCATION: /api/v1/vms/b\r\nContent-Length: 2\r\n\r\n{}");
	assert_int_equal(rest_client_send(peer.client, &request, &answer, NULL), 0);
	assert_int_equal(answer.status, 412);
	assert_string_equal(answer.body, "{}");
	assert_int_equal(answer.len, 2);
	assert_string_equal(answer.content_type, "application/problem+json");
	assert_string_equal(answer.etag, "\"8\"");
	assert_string_equal(answer.location, "/api/v1/vms/b");
	rest_client_answer_done(&answer);
	assert_null(answer.body);
	peer_stop(&peer);

	assert_ptr_equal(strstr(peer.asked, "PUT /api/v1/vms/a%20b?x=../y HTTP/1.1\r\n"),
			 peer.asked);
	assert_non_null(strstr(peer.asked, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(peer.asked, "\r\nIf-Match: \"7\"\r\n"));
	assert_non_null(strstr(peer.asked, "\r\nAuthorization: Bearer s3cret\r\n"));
	assert_non_null(strstr(peer.asked, "\r\nContent-Length: 7\r\n"));
	assert_null(strstr(peer.asked, "Expect"));
}

static void no_body_is_an_empty_one_and_redirects_are_not_followed(void **state)
{
	static const char *const methods[] = { "GET", "DELETE" };
	struct rest_client_request request = { .path = "/" };
	struct rest_client_answer answer;
	struct peer peer;

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		request.method = methods[i];
		peer_start(&peer, "\r\n\r\n",
			   "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n"
			   "Content-Length: 0\r\n\r\n");
		assert_int_equal(rest_client_send(peer.client, &request, &answer, NULL), 0);
		assert_int_equal(answer.status, 302);
		assert_string_equal(answer.body, "");
		assert_string_equal(answer.content_type, "");
		assert_int_equal(strncmp(peer.asked, methods[i], strlen(methods[i])), 0);
		rest_client_answer_done(&answer);
		peer_stop(&peer);
	}
}

static void faults_have_their_error(void **state)
{
	static const struct {
		const char *answer;
		int error;
	} cases[] = {
		{ "", -ETIMEDOUT },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", -EPROTO },
		{ "SSH-2.0-OpenSSH\r\n", -EPROTO },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", -EPROTO },
	};
	struct rest_client_request request = { .method = "GET", .path = "/" };
	struct rest_client_answer answer;
	struct error err;
	struct peer peer;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		err = (struct error){ 0 };
		peer_start(&peer, "\r\n\r\n", cases[i].answer);
		assert_int_equal(rest_client_send(peer.client, &request, &answer, &err),
				 cases[i].error);
		assert_null(answer.body);
		assert_non_null(strstr(err.detail, peer.path));
		assert_null(strstr(err.detail, "s3cret"));
		peer_stop(&peer);
	}
}

static void nobody_there_and_bad_settings(void **state)
{
	struct rest_client_request request = { .method = "GET", .path = "/" };
	struct rest_client_config config = { .unix_socket = "/nonexistent/socket" };
	struct rest_client_answer answer;
	struct rest_client *client = NULL;

	assert_int_equal(rest_client_new(&config, &client, NULL), 0);
	assert_int_equal(rest_client_send(client, &request, &answer, NULL), -ECONNREFUSED);
	assert_null(answer.body);
	client = rest_client_free(client);

	config.bearer = "a\r\nX-Evil: 1";
	assert_int_equal(rest_client_new(&config, &client, NULL), -EINVAL);
	config = (struct rest_client_config){ 0 };
	assert_int_equal(rest_client_new(&config, &client, NULL), -EINVAL);
	assert_null(client);
	assert_null(rest_client_free(NULL));

	/* only http and https: no file is read */
	config.url = "file:///etc/hostname";
	assert_int_equal(rest_client_new(&config, &client, NULL), 0);
	request.path = "";
	assert_int_equal(rest_client_send(client, &request, &answer, NULL), -EPROTO);
	assert_null(answer.body);
	rest_client_free(client);
}

struct heard {
	char text[256];
	int lines, stop_after;
};

static int hear(void *user, struct slice line)
{
	struct heard *h = user;
	size_t len = strlen(h->text);

	(void)snprintf(h->text + len, sizeof(h->text) - len, "[%.*s]", SLICE_ARG(line));
	return ++h->lines == h->stop_after ? 7 : 0;
}

#define STREAM                                                                                     \
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"                               \
	"id: 5\r\ndata: a\n\n: ping\r\n\r\nlast"

static void a_stream_comes_line_by_line(void **state)
{
	struct heard all = { 0 }, some = { .stop_after = 2 };
	struct peer peer;
	int status = 0;

	peer_start(&peer, "\r\n\r\n", STREAM);
	assert_int_equal(rest_client_stream(peer.client, "/events", "4", hear, &all, &status, NULL),
			 0);
	peer_stop(&peer);
	assert_int_equal(status, 200);
	assert_string_equal(all.text, "[id: 5][data: a][][: ping][][last]");
	assert_non_null(strstr(peer.asked, "\r\nLast-Event-ID: 4\r\n"));
	assert_non_null(strstr(peer.asked, "\r\nAccept: text/event-stream\r\n"));

	/* until the listener has had enough */
	peer_start(&peer, "\r\n\r\n", STREAM);
	assert_int_equal(rest_client_stream(peer.client, "/events", NULL, hear, &some, &status,
					    NULL),
			 7);
	peer_stop(&peer);
	assert_string_equal(some.text, "[id: 5][data: a]");
	assert_null(strstr(peer.asked, "Last-Event-ID"));
}

static void a_line_without_end_is_cut_off(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	size_t len = (1U << 20) + 4096;
	char *bytes = malloc(len);
	struct heard h = { 0 };
	struct peer peer;
	int status;

	assert_non_null(bytes);
	memset(bytes, 'x', len);
	memcpy(bytes, head, sizeof(head) - 1);
	peer_start_bytes(&peer, "\r\n\r\n", bytes, len);
	assert_int_equal(rest_client_stream(peer.client, "/events", NULL, hear, &h, &status, NULL),
			 -EFBIG);
	assert_int_equal(h.lines, 0);
	peer_stop(&peer);
	free(bytes);
}

static void escaping(void **state)
{
	char out[32];

	assert_int_equal(rest_client_escape("aZ09-._~", out, sizeof(out)), 0);
	assert_string_equal(out, "aZ09-._~");
	assert_int_equal(rest_client_escape("a/ \xc3\xa9?", out, sizeof(out)), 0);
	assert_string_equal(out, "a%2F%20%C3%A9%3F");
	assert_int_equal(rest_client_escape("", out, 1), 0);
	assert_string_equal(out, "");
	assert_int_equal(rest_client_escape("", out, 0), -ENOBUFS);
	assert_int_equal(rest_client_escape("////", out, 13), 0);
	assert_string_equal(out, "%2F%2F%2F%2F");
	assert_int_equal(rest_client_escape("////", out, 12), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_and_what_is_answered),
		cmocka_unit_test(no_body_is_an_empty_one_and_redirects_are_not_followed),
		cmocka_unit_test(faults_have_their_error),
		cmocka_unit_test(nobody_there_and_bad_settings),
		cmocka_unit_test(a_stream_comes_line_by_line),
		cmocka_unit_test(a_line_without_end_is_cut_off),
		cmocka_unit_test(escaping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
