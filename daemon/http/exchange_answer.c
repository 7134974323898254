/* SPDX-License-Identifier: Apache-2.0 */
/* exchange_answer.c - an answer as libmicrohttpd takes it, with the headers that all answers have. */
#include "base/json_field.h"
#include "base/log.h"
#include "http/reply.h"
#include "http/server_private.h"
#include "http/sse.h"

#include <stdio.h>

#define STREAM_BLOCK 4096
#define GZIP_FROM 1024

static char nothing[1];

static void allow_header(struct exchange *x)
{
	AUTO_BUF b = { 0 };

	for (int m = 0; m < HTTP_METHOD_COUNT; m++) {
		if (!(x->allow & 1U << m))
			continue;
		if (b.len > 0)
			buf_add_str(&b, ", ");
		buf_add_str(&b, http_method_name((enum http_method)m));
	}
	if (b.data)
		(void)reply_header(&x->reply, "Allow", b.data, NULL);
}

/* Turn (r, x->err) into the reply: the only place where an error becomes HTTP. */
void exchange_problem(struct exchange *x, int r)
{
	const struct http_problem *problem = http_problem_of(r, &x->err);
	char seconds[16];
	json_t *json;

	if (problem->status == 500)
		log_failure(LOG_LEVEL_ERROR, "http.internal", r, &x->err);
	if (problem->status == 500)
		log_error("http.internal_request", F("request_id", (const char *)x->id),
			  F("path", x->req.path ? x->req.path : ""));
	reply_done(&x->reply);
	json = http_problem_json(problem, &x->err, x->id);
	if (reply_json(&x->reply, problem->status, json, NULL) < 0)
		(void)reply_empty(&x->reply, problem->status, NULL);
	else
		x->reply.content_type = "application/problem+json";
	if (problem->status == 401)
		(void)reply_header(&x->reply, "WWW-Authenticate", "Bearer realm=\"aurabox\"", NULL);
	if (problem->status == 405)
		allow_header(x);
	if (x->err.retry_after_s || problem->status == 429 || problem->status == 503) {
		(void)snprintf(seconds, sizeof(seconds), "%u",
			       x->err.retry_after_s ? x->err.retry_after_s : 1);
		(void)reply_header(&x->reply, "Retry-After", seconds, NULL);
	}
	if (!x->err.code_name[0])
		(void)snprintf(x->err.code_name, sizeof(x->err.code_name), "%s", problem->code);
}

/* JSON alone: it is large, and no secret stands in it beside what a stranger may choose. */
void exchange_compress(struct exchange *x)
{
	struct http_reply *reply = &x->reply;
	char *small = NULL;
	size_t len = 0;

	if (!x->server->config.gzip || !reply->content_type || reply->body_len < GZIP_FROM ||
	    strcmp(reply->content_type, "application/json") != 0)
		return;
	(void)reply_header(reply, "Vary", "Accept-Encoding", NULL);
	if (!http_accepts(http_header(&x->req, "Accept-Encoding"), "gzip") ||
	    x->server->config.gzip(reply->body, reply->body_len, &small, &len) < 0)
		return;
	if (reply_header(reply, "Content-Encoding", "gzip", NULL) < 0) {
		free(small);
		return;
	}
	free(reply->body);
	reply->body = small;
	reply->body_len = len;
}

static void add(struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		log_warning("http.header_lost", F("name", name));
}

static struct MHD_Response *file_response(struct exchange *x, unsigned *status)
{
	struct http_static *files = x->server->config.files;

	if (!files || !http_method_safe(x->req.method) || strncmp(x->req.path, "/api/", 5) == 0)
		return NULL;
	return static_response(files, slice_str(x->req.path),
			       http_header(&x->req, "Accept-Encoding"),
			       http_header(&x->req, "If-None-Match"), status);
}

static struct MHD_Response *body_response(struct exchange *x)
{
	struct http_reply *reply = &x->reply;
	struct MHD_Response *response;

	if (reply->stream) {
		struct http_stream_source *source = TAKE(reply->stream);

		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
							     sse_read, source, sse_release);
		if (!response)
			sse_release(source);
		return response;
	}
	response = MHD_create_response_from_buffer(reply->body_len,
						   reply->body ? reply->body : nothing,
						   reply->body ? MHD_RESPMEM_MUST_FREE
							       : MHD_RESPMEM_PERSISTENT);
	if (response)
		reply->body = NULL;
	return response;
}

static void common_headers(struct exchange *x, struct MHD_Response *response)
{
	add(response, "X-Content-Type-Options", "nosniff");
	add(response, "Strict-Transport-Security", "max-age=31536000");
	add(response, "Cross-Origin-Resource-Policy", "same-origin");
	add(response, "X-Request-Id", x->id);
	if (x->close)
		add(response, "Connection", "close");
}

static enum MHD_Result send_file(struct exchange *x, struct MHD_Response *file, unsigned status)
{
	x->state = EXCHANGE_SENT;
	atomic_fetch_add(&x->server->answers[status / 100 % 6], 1);
	return MHD_queue_response(x->mhd, status, file);
}

enum MHD_Result exchange_answer(struct exchange *x)
{
	struct MHD_Response *response;
	unsigned status = x->reply.status;
	bool stream = x->reply.stream != NULL;
	enum MHD_Result queued;

	if (x->reply.tunnel && x->connection->stream &&
	    tunnel_start(x->connection, x->reply.tunnel) == 0) {
		x->reply.tunnel = NULL;
		x->state = EXCHANGE_SENT;
		atomic_fetch_add(&x->server->answers[1], 1);
		return MHD_NO; /* lets go of the pair; the client's stream is the tunnel's */
	}
	if (x->reply.tunnel) {
		(void)error_set(&x->err, -EAGAIN, "the other side cannot be reached");
		exchange_problem(x, -EAGAIN);
		status = x->reply.status;
	}
	if (status == 0) {
		response = file_response(x, &status);
		if (response)
			return send_file(x, response, status);
		(void)error_set(&x->err, -ENOENT, "there is nothing at %s", x->req.path);
		exchange_problem(x, -ENOENT);
		status = x->reply.status;
	}
	response = body_response(x);
	if (!response)
		return MHD_NO;
	if (x->reply.content_type)
		add(response, "Content-Type", x->reply.content_type);
	add(response, "Cache-Control", stream ? "no-cache" : "no-store");
	for (size_t i = 0; i < x->reply.header_count; i++)
		add(response, x->reply.header[i].name, x->reply.header[i].value);
	common_headers(x, response);
	x->state = EXCHANGE_SENT;
	atomic_fetch_add(&x->server->answers[status / 100 % 6], 1);
	queued = MHD_queue_response(x->mhd, status, response);
	MHD_destroy_response(response);
	return queued;
}
