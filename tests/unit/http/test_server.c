/* SPDX-License-Identifier: Apache-2.0 */
/* test_server.c - http/server over a unix socket: framing, limits, deadlines, streams, stopping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/job.h"
#include "base/json_field.h"
#include "base/loop.h"
#include "http/batch.h"
#include "http/reply.h"
#include "http/server.h"
#include "http/sse.h"

struct fixture {
	struct loop *loop;
	struct job_pool *pool;
	struct http_server *server;
	struct sse_hub *hub;
	char path[108];
	char dir[64];
};

struct note {
	char *name;
	uint32_t count;
};

static const struct json_field note_fields[] = {
	JSON_STRING(struct note, name, .required = true, .min = 1, .max = 20),
	JSON_U32(struct note, count, .min = 1, .max = 10),
	JSON_END,
};

static int note_get(struct fixture *f, const struct http_request *req, struct http_reply *reply,
		    struct error *err)
{
	(void)f;
	return reply_json(reply, 200,
			  json_pack("{s:s, s:s}", "name", req->param[0], "q",
				    http_query(req, "q") ? http_query(req, "q") : ""),
			  err);
}

static int note_post(struct fixture *f, const struct http_request *req, struct http_reply *reply,
		     struct error *err)
{
	struct note note = { 0 };
	int r = json_read(req->json, note_fields, &note, err);

	(void)f;
	if (r == 0)
		r = reply_created(reply, "/notes/", note.name,
				  json_pack("{s:s}", "name", note.name), err);
	json_release(note_fields, &note);
	return r;
}

static int note_stream(struct fixture *f, const struct http_request *req, struct http_reply *reply,
		       struct error *err)
{
	static const char *const topics[] = { "vms", NULL };
	const char *last = http_header(req, "Last-Event-ID");
	struct sse_subscription sub = { .owner = "me", .topics = topics };
	struct http_stream_source *source = NULL;
	int r;

	sub.after = last ? strtoull(last, NULL, 10) : 100;
	r = sse_subscribe(f->hub, &sub, &source, err);
	return r < 0 ? r : reply_stream(reply, source, err);
}

/* As many milliseconds as the name says. */
static int note_slow(struct fixture *f, const struct http_request *req, struct http_reply *reply,
		     struct error *err)
{
	struct timespec nap = { .tv_nsec = strtol(req->param[0], NULL, 10) * 1000000L };
	int r = reply_etag(reply, "\"slow\"", err);

	(void)f;
	(void)nanosleep(&nap, NULL);
	return r < 0 ? r : reply_json(reply, 200, json_pack("{s:s}", "slow", req->param[0]), err);
}

static int note_batch(struct fixture *f, const struct http_request *req, struct http_reply *reply,
		      struct error *err)
{
	const char *targets[HTTP_QUERY_MAX];

	(void)f;
	for (size_t i = 0; i < req->query_count; i++)
		targets[i] = req->query[i].value;
	return reply_batch(reply, targets, req->query_count, err);
}

static int header_get(struct fixture *f, const struct http_request *req, struct http_reply *reply,
		      struct error *err)
{
	(void)f;
	return reply_json(reply, 200, json_pack("{s:s?}", "cookie", http_header(req, "Cookie")),
			  err);
}

static int text_get(struct fixture *f, const struct http_request *req, struct http_reply *reply,
		    struct error *err)
{
	(void)f;
	(void)req;
	return reply_text(reply, 200, "text/plain", "x", 1, err);
}

#define HTTP_CONTEXT struct fixture
#define ROUTES(ROUTE)                                                                              \
	ROUTE(GET, "/notes/{name}", HTTP_PUBLIC, note_get, none, any, "One")                       \
	ROUTE(POST, "/notes", HTTP_PUBLIC, note_post, note, any, "New")                            \
	ROUTE(GET, "/slow/{ms}", HTTP_PUBLIC, note_slow, none, any, "Late")                        \
	ROUTE(GET, "/header", HTTP_PUBLIC, header_get, none, any, "Who")                           \
	ROUTE(GET, "/text", HTTP_PUBLIC, text_get, none, text, "No JSON")                          \
	ROUTE(GET, "/batch", HTTP_PUBLIC, note_batch, none, any, "Several")                        \
	ROUTE(GET, "/stream", HTTP_PUBLIC, note_stream, none, any, "Live")
ROUTES(HTTP_ROUTE_THUNK)
static const struct http_route routes[] = { ROUTES(HTTP_ROUTE_ROW) };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct http_config config = {
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.context = f,
		.limits = { .header_timeout = 300, .body_timeout = 400, .body_bytes = 1000 },
	};

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/aura-http-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/api.sock", f->dir);
	assert_int_equal(loop_new(NULL, &f->loop), 0);
	assert_int_equal(job_pool_new(f->loop, 2, 64, &f->pool), 0);
	config.loop = f->loop;
	config.workers = f->pool;
	assert_int_equal(http_server_new(&config, &f->server, NULL), 0);
	assert_int_equal(sse_hub_new(f->server, 100, &f->hub, NULL), 0);
	assert_int_equal(http_server_listen_unix(f->server, f->path, 0600, (gid_t)-1, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->hub = sse_hub_free(f->hub);
	f->server = http_server_stop(f->server, 200);
	(void)job_pool_free(f->pool);
	(void)loop_free(f->loop);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static int dial(struct fixture *f)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(to.sun_path, f->path, strlen(f->path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Read until `until` is seen, the peer closes, or ms pass. Returns -1 when closed. */
static int hear(int fd, char *buf, size_t size, const char *until, int ms)
{
	size_t n = strlen(buf);

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (until && strstr(buf, until))
			return (int)n;
		if (poll(&p, 1, ms) <= 0)
			return (int)n;
		got = recv(fd, buf + n, size - 1 - n, 0);
		if (got <= 0)
			return -1;
		n += (size_t)got;
		buf[n] = '\0';
	}
}

/* One request on a connection of its own; the status. */
static int ask(struct fixture *f, const char *text, char *buf, size_t size)
{
	int fd = dial(f), status = 0;

	buf[0] = '\0';
	say(fd, text);
	(void)hear(fd, buf, size, "\r\n\r\n", 2000);
	(void)hear(fd, buf, size, NULL, 30);
	(void)sscanf(buf, "HTTP/1.1 %d", &status);
	(void)close(fd);
	return status;
}

static void answers_json(void **state)
{
	char buf[4096];

	assert_int_equal(ask(*state, "GET /notes/a%20b?q=x+y%26 HTTP/1.1\r\nHost: h\r\n\r\n", buf,
			     sizeof(buf)),
			 200);
	assert_non_null(strstr(buf, "{\"name\":\"a b\",\"q\":\"x y&\"}"));
	assert_non_null(strstr(buf, "nosniff"));
	assert_non_null(strstr(buf, "Strict-Transport-Security"));
}

static void refuses_what_could_mean_two_things(void **state)
{
	static const struct {
		int status;
		const char *text;
	} table[] = {
		{ 400, "GET /notes/a%00b HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET /notes/a%2fb HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET /notes/%2e%2e/x HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET /notes/../x HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET /notes/a%01 HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 400, "GET /notes/a HTTP/1.1\r\n\r\n" },
		{ 400, "GET /notes/a HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r\n" },
		{ 400, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: "
		       "chunked\r\n\r\n0\r\n\r\n" },
		{ 400, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: "
		       "4\r\n\r\nabc" },
		{ 413, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n" },
		{ 415, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}" },
		{ 400, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Type: "
		       "application/json\r\nContent-Length: 0\r\n\r\n" },
		{ 422, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Type: "
		       "application/json\r\nContent-Length: 2\r\n\r\n{}" },
		{ 422, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Type: "
		       "application/json\r\nContent-Length: 2\r\n\r\n[]" },
		{ 201, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Type: "
		       "application/json\r\nContent-Length: 12\r\n\r\n{\"name\":\"n\"}" },
		{ 404, "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 405, "DELETE /notes HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 405, "BREW /notes HTTP/1.1\r\nHost: h\r\n\r\n" },
		{ 200, "HEAD /notes/a HTTP/1.1\r\nHost: h\r\n\r\n" },
	};
	char buf[4096];

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int status = ask(*state, table[i].text, buf, sizeof(buf));

		if (status != table[i].status)
			print_message("%s -> %s\n", table[i].text, buf);
		assert_int_equal(status, table[i].status);
	}
}

/* The answers of a batch as JSON; the caller owns it. */
static json_t *batch(struct fixture *f, const char *query)
{
	char text[4096], buf[16384];
	const char *body;
	json_t *json;

	(void)snprintf(text, sizeof(text),
		       "GET /batch?%s HTTP/1.1\r\nHost: h\r\nCookie: a=b\r\n\r\n", query);
	assert_int_equal(ask(f, text, buf, sizeof(buf)), 200);
	body = strstr(buf, "\r\n\r\n");
	assert_non_null(body);
	json = json_loads(body, 0, NULL);
	assert_non_null(json);
	return json;
}

static json_t *answer_of(const json_t *json, size_t i, int status)
{
	json_t *one = json_array_get(json_object_get(json, "answers"), i);

	assert_int_equal(json_integer_value(json_object_get(one, "status")), status);
	return one;
}

static const char *text_in(const json_t *answer, const char *member)
{
	return json_string_value(json_object_get(json_object_get(answer, "body"), member));
}

static void batch_answers_each_as_if_alone(void **state)
{
	AUTO(json)
	json_t *json =
		batch(*state, "get=/notes/a%3Fq%3Dx%2526y&get=/slow/1&get=/header&get=/nothing");

	assert_int_equal(json_array_size(json_object_get(json, "answers")), 4);
	assert_string_equal(text_in(answer_of(json, 0, 200), "q"), "x&y");
	assert_string_equal(json_string_value(json_object_get(answer_of(json, 1, 200), "etag")),
			    "\"slow\"");
	assert_string_equal(text_in(answer_of(json, 2, 200), "cookie"), "a=b");
	assert_string_equal(text_in(answer_of(json, 3, 404), "code"), "not_found");
}

static void batch_refuses_what_is_no_json_answer(void **state)
{
	AUTO(json)
	json_t *json = batch(
		*state,
		"get=/text&get=/stream&get=/batch%3Fget%3D/header&get=/notes&get=/a/../b&get=x"
		"&get=/notes/%2500&get=");
	static const int status[] = { 422, 422, 422, 405, 400, 400, 400, 400 };
	char buf[4096];

	for (size_t i = 0; i < ARRAY_SIZE(status); i++)
		(void)answer_of(json, i, status[i]);
	assert_int_equal(ask(*state, "GET /batch HTTP/1.1\r\nHost: h\r\n\r\n", buf, sizeof(buf)),
			 422);
	assert_int_equal(
		ask(*state,
		    "GET /batch?get=/header&get=/header&get=/header&get=/header&get=/header"
		    "&get=/header&get=/header&get=/header&get=/header&get=/header"
		    "&get=/header&get=/header&get=/header&get=/header&get=/header"
		    "&get=/header&get=/header HTTP/1.1\r\nHost: h\r\n\r\n",
		    buf, sizeof(buf)),
		422);
}

static void batch_leaves_out_who_is_late(void **state)
{
	uint64_t from = clock_now(clock_system());
	AUTO(json) json_t *json = batch(*state, "get=/slow/900&get=/header&get=/slow/2");
	uint64_t took = clock_now(clock_system()) - from;

	assert_true(took >= HTTP_BATCH_WAIT_MS && took < 880);
	assert_true(json_is_null(json_object_get(answer_of(json, 0, 0), "body")));
	(void)answer_of(json, 1, 200);
	(void)answer_of(json, 2, 200);
	/* the server is stopped while the late one is still with its handler */
}

static void batch_outlives_its_client(void **state)
{
	char buf[4096];
	int fd = dial(*state);

	say(fd, "GET /batch?get=/slow/300&get=/slow/200 HTTP/1.1\r\nHost: h\r\n\r\n");
	(void)close(fd);
	assert_int_equal(ask(*state, "GET /header HTTP/1.1\r\nHost: h\r\n\r\n", buf, sizeof(buf)),
			 200);
}

static void bad_framing_closes(void **state)
{
	char buf[4096] = "";
	int fd = dial(*state);

	say(fd, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0\r\n\r\nGET /notes/smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(hear(fd, buf, sizeof(buf), "smuggled", 4000), -1);
	assert_null(strstr(buf, "smuggled\""));
	(void)close(fd);
}

static void chunked_over_the_limit_is_413(void **state)
{
	char text[4096], buf[4096];
	int n = snprintf(text, sizeof(text),
			 "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n%x\r\n",
			 2000);

	memset(text + n, ' ', 2000);
	(void)snprintf(text + n + 2000, sizeof(text) - (size_t)n - 2000, "\r\n0\r\n\r\n");
	assert_int_equal(ask(*state, text, buf, sizeof(buf)), 413);
}

static void keeps_the_connection(void **state)
{
	char buf[8192];
	int fd = dial(*state);

	for (int i = 0; i < 20; i++) {
		buf[0] = '\0';
		say(fd, "GET /notes/again HTTP/1.1\r\nHost: h\r\n\r\n");
		assert_true(hear(fd, buf, sizeof(buf), "again", 2000) > 0);
	}
	(void)close(fd);
}

static void slow_header_is_cut(void **state)
{
	char buf[4096] = "";
	int fd = dial(*state);
	uint64_t from = clock_now(clock_system());

	say(fd, "GET /notes/a HTTP/1.1\r\nHost: h\r\n");
	while (hear(fd, buf, sizeof(buf), NULL, 50) >= 0) {
		if (send(fd, "X: y\r\n", 6, MSG_NOSIGNAL) < 0)
			break;
		assert_true(clock_now(clock_system()) - from < 3000);
	}
	assert_true(clock_now(clock_system()) - from >= 250);
	(void)close(fd);
}

static void slow_body_is_cut(void **state)
{
	char buf[4096] = "";
	int fd = dial(*state);
	uint64_t from = clock_now(clock_system());

	say(fd, "POST /notes HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n");
	while (hear(fd, buf, sizeof(buf), NULL, 50) >= 0) {
		if (send(fd, " ", 1, MSG_NOSIGNAL) < 0)
			break;
		assert_true(clock_now(clock_system()) - from < 3000);
	}
	(void)close(fd);
}

static void publish(struct fixture *f, uint64_t id, const char *topic)
{
	struct sse_event event = { .id = id, .topic = topic, .type = "vm.changed", .data = "{}" };

	assert_int_equal(sse_publish(f->hub, &event), 0);
}

static void streams_and_resumes(void **state)
{
	struct fixture *f = *state;
	char buf[8192] = "";
	int fd = dial(f);

	publish(f, 101, "vms");
	say(fd, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(hear(fd, buf, sizeof(buf), "id: 101", 2000) > 0);
	publish(f, 102, "tasks");
	publish(f, 103, "vms");
	assert_true(hear(fd, buf, sizeof(buf), "id: 103\n", 2000) > 0);
	assert_null(strstr(buf, "id: 102"));
	(void)close(fd);

	buf[0] = '\0';
	fd = dial(f);
	say(fd, "GET /stream HTTP/1.1\r\nHost: h\r\nLast-Event-ID: 101\r\n\r\n");
	assert_true(hear(fd, buf, sizeof(buf), "id: 103\n", 2000) > 0);
	assert_null(strstr(buf, "id: 101\n"));
	(void)close(fd);

	/* Too old for the ring. */
	buf[0] = '\0';
	fd = dial(f);
	say(fd, "GET /stream HTTP/1.1\r\nHost: h\r\nLast-Event-ID: 7\r\n\r\n");
	assert_true(hear(fd, buf, sizeof(buf), "event: reset", 2000) > 0);
	(void)close(fd);
}

static void closes_an_owners_streams(void **state)
{
	struct fixture *f = *state;
	char buf[4096] = "", owners[4][SSE_OWNER_SIZE];
	int fd = dial(f);

	say(fd, "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(hear(fd, buf, sizeof(buf), "retry:", 2000) > 0);
	assert_int_equal(sse_owners(f->hub, owners, 4), 1);
	sse_close_owner(f->hub, "me");
	assert_true(hear(fd, buf, sizeof(buf), "0\r\n\r\n", 2000) > 0);
	(void)close(fd);
}

/* libmicrohttpd aborts the process when it is stopped with suspended connections. */
static void stops_with_open_streams(void **state)
{
	struct fixture *f = *state;
	char buf[4096];
	int fd[3];

	for (int i = 0; i < 3; i++) {
		buf[0] = '\0';
		fd[i] = dial(f);
		say(fd[i], "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n");
		assert_true(hear(fd[i], buf, sizeof(buf), "retry:", 2000) > 0);
	}
	f->hub = sse_hub_free(f->hub);
	f->server = http_server_stop(f->server, 500);
	for (int i = 0; i < 3; i++)
		(void)close(fd[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_json, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_could_mean_two_things, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bad_framing_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(chunked_over_the_limit_is_413, setup, teardown),
		cmocka_unit_test_setup_teardown(batch_answers_each_as_if_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(batch_refuses_what_is_no_json_answer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(batch_leaves_out_who_is_late, setup, teardown),
		cmocka_unit_test_setup_teardown(batch_outlives_its_client, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_header_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_body_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(streams_and_resumes, setup, teardown),
		cmocka_unit_test_setup_teardown(closes_an_owners_streams, setup, teardown),
		cmocka_unit_test_setup_teardown(stops_with_open_streams, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
