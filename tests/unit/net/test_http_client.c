/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_client.c - answers, limits and faults of the HTTP client, over a unix socket. */
#include "base/error.h"
#include "net/http_client.h"

#include <pthread.h>
#include <stdio.h>
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
	char base[80];
	int fd;
	pthread_t thread;
	const char *answer;
	char asked[1024];
};

static void *serve(void *user)
{
	struct peer *peer = user;
	int fd = accept(peer->fd, NULL, NULL);
	ssize_t n = read(fd, peer->asked, sizeof(peer->asked) - 1);

	peer->asked[n > 0 ? n : 0] = '\0';
	if (*peer->answer) {
		(void)!write(fd, peer->answer, strlen(peer->answer));
	} else {
		char byte;

		(void)!read(fd, &byte, 1); /* silent until the client gives up */
	}
	close(fd);
	return NULL;
}

static void peer_start_with(struct peer *peer, const char *answer, void *(*program)(void *))
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	*peer = (struct peer){ .dir = "/tmp/aura-unit-XXXXXX", .answer = answer };
	assert_non_null(mkdtemp(peer->dir));
	snprintf(peer->path, sizeof(peer->path), "%s/s", peer->dir);
	snprintf(peer->base, sizeof(peer->base), "unix:%s", peer->path);
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", peer->path);
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer->fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(peer->fd, 1), 0);
	assert_int_equal(pthread_create(&peer->thread, NULL, program, peer), 0);
}

static void peer_start(struct peer *peer, const char *answer)
{
	peer_start_with(peer, answer, serve);
}

static void peer_stop(struct peer *peer)
{
	pthread_join(peer->thread, NULL);
	close(peer->fd);
	unlink(peer->path);
	rmdir(peer->dir);
}

static int get(const struct http_client_request *request, struct http_client_answer *answer,
	       struct error *err)
{
	AUTO(http_client) struct http_client *client = NULL;

	assert_int_equal(http_client_new(&(struct http_client_config){ 0 }, &client), 0);
	return http_client_send(client, request, answer, err);
}

static void an_answer_of_any_status_is_an_answer(void **state)
{
	struct http_client_answer answer = { 0 };
	struct peer peer;

	peer_start(&peer, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}");
	assert_int_equal(get(&(struct http_client_request){ .base = peer.base,
							    .path = "/v1/calls?a=b" },
			     &answer, NULL),
			 0);
	peer_stop(&peer);
	assert_int_equal(answer.status, 404);
	assert_string_equal(answer.body, "{}");
	assert_int_equal(strncmp(peer.asked, "GET /v1/calls?a=b HTTP/1.1\r\n", 28), 0);
	http_client_answer_done(&answer);
}

static void no_body_is_an_empty_one_and_redirects_are_not_followed(void **state)
{
	struct http_client_answer answer = { 0 };
	struct peer peer;

	peer_start(&peer, "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n"
			  "Content-Length: 0\r\n\r\n");
	assert_int_equal(get(&(struct http_client_request){ .base = peer.base, .path = "/" },
			     &answer, NULL),
			 0);
	peer_stop(&peer);
	assert_int_equal(answer.status, 302);
	assert_string_equal(answer.body, "");
	http_client_answer_done(&answer);
}

static void a_large_body_is_cut_off(void **state)
{
	struct http_client_answer answer = { 0 };
	struct error err = { 0 };
	struct peer peer;

	peer_start(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
	assert_int_equal(get(&(struct http_client_request){ .base = peer.base,
							    .path = "/",
							    .body_limit = 9 },
			     &answer, &err),
			 -EFBIG);
	peer_stop(&peer);
	assert_null(answer.body);
}

static void silence_ends_at_the_deadline(void **state)
{
	struct http_client_answer answer = { 0 };
	struct error err = { 0 };
	struct peer peer;

	peer_start(&peer, "");
	assert_int_equal(get(&(struct http_client_request){ .base = peer.base,
							    .path = "/",
							    .timeout_ms = 50 },
			     &answer, &err),
			 -ETIMEDOUT);
	peer_stop(&peer);
}

static void wrong_targets_are_refused(void **state)
{
	static const struct http_client_request bad[] = {
		{ .base = "http://127.0.0.1", .path = "/" },
		{ .base = "file:///etc", .path = "/passwd" },
		{ .base = "unix:/x", .path = "health" },
		{ .base = "", .path = "/" },
	};
	AUTO(http_client) struct http_client *client = NULL;
	struct http_client_answer answer = { 0 };

	assert_int_equal(http_client_new(&(struct http_client_config){ .ca_file = "/ca" }, &client),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(http_client_send(client, &bad[i], &answer, NULL), -EINVAL);
	/* nothing to verify it against */
	assert_int_equal(get(&(struct http_client_request){ .base = "https://127.0.0.1",
							    .path = "/" },
			     &answer, NULL),
			 -EINVAL);
	assert_int_equal(get(&(struct http_client_request){ .base = "unix:/nonexistent/s",
							    .path = "/" },
			     &answer, NULL),
			 -ECONNREFUSED);
}

/* Two requests on the first connection, which then closes; the third comes on a second one. */
static void *serve_three(void *user)
{
	static const char yes[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	struct peer *peer = user;
	char bytes[1024];

	for (int link = 0; link < 2; link++) {
		int fd = accept(peer->fd, NULL, NULL);

		for (int i = 0; i < 2 - link && read(fd, bytes, sizeof(bytes)) > 0; i++) {
			peer->asked[strlen(peer->asked)] = (char)('1' + link);
			(void)!write(fd, yes, sizeof(yes) - 1);
		}
		close(fd);
	}
	return NULL;
}

static void a_connection_is_kept_for_the_next_request(void **state)
{
	AUTO(http_client) struct http_client *client = NULL;
	struct peer peer;

	peer_start_with(&peer, "", serve_three);
	assert_int_equal(http_client_new(&(struct http_client_config){ 0 }, &client), 0);
	for (int i = 0; i < 3; i++) {
		struct http_client_answer answer = { 0 };

		assert_int_equal(http_client_send(client,
						  &(struct http_client_request){
							  .base = peer.base,
							  .path = "/",
							  .json = i == 1 ? "{}" : NULL },
						  &answer, NULL),
				 0);
		assert_int_equal(answer.status, 200);
		http_client_answer_done(&answer);
	}
	peer_stop(&peer);
	assert_string_equal(peer.asked, "112");
}

/* More addresses than are kept: the one that waited longest gives way. */
static void only_so_many_connections_are_kept(void **state)
{
	AUTO(http_client) struct http_client *client = NULL;
	struct peer peers[12];

	assert_int_equal(http_client_new(&(struct http_client_config){ 0 }, &client), 0);
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		struct http_client_answer answer = { 0 };

		peer_start(&peers[i], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
		assert_int_equal(http_client_send(client,
						  &(struct http_client_request){
							  .base = peers[i].base, .path = "/" },
						  &answer, NULL),
				 0);
		http_client_answer_done(&answer);
		peer_stop(&peers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_of_any_status_is_an_answer),
		cmocka_unit_test(no_body_is_an_empty_one_and_redirects_are_not_followed),
		cmocka_unit_test(a_large_body_is_cut_off),
		cmocka_unit_test(silence_ends_at_the_deadline),
		cmocka_unit_test(wrong_targets_are_refused),
		cmocka_unit_test(a_connection_is_kept_for_the_next_request),
		cmocka_unit_test(only_so_many_connections_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
