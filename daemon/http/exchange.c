/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c - one request: checked before anything is believed, its body gathered, handed to its
 * handler while the connection is suspended, answered. */
#include "base/job.h"
#include "base/json_field.h"
#include "base/log.h"
#include "base/random.h"
#include "http/server_private.h"

#include <strings.h>

#define METHOD_UNKNOWN HTTP_METHOD_COUNT

/* A request line is there. The raw target is kept: libmicrohttpd's own copy ends at a %00. */
void *exchange_begin(void *server, const char *target, struct MHD_Connection *mhd)
{
	struct http_server *s = server;
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->server = s;
	x->mhd = mhd;
	x->target = strdup(target);
	random_token(x->id, sizeof(x->id) - 1);
	buf_init(&x->body, s->config.limits.body_bytes);
	x->req.id = x->id;
	x->req.peer = &x->peer;
	atomic_fetch_add(&s->requests, 1);
	if (!x->target) {
		free(x);
		return NULL;
	}
	return x;
}

static enum http_method method_parse(const char *text)
{
	for (int m = 0; m < HTTP_METHOD_COUNT; m++) {
		if (strcmp(http_method_name((enum http_method)m), text) == 0)
			return (enum http_method)m;
	}
	return METHOD_UNKNOWN;
}

/* Refused for how it is framed: the connection cannot be trusted any more. */
static int refuse(struct exchange *x, int r, const char *why)
{
	x->close = true;
	return error_set(&x->err, r, "%s", why);
}

static enum MHD_Result take_header(void *user, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct exchange *x = user;

	(void)kind;
	if (x->req.header_count == HTTP_HEADER_MAX)
		return MHD_NO;
	x->header[x->req.header_count++] =
		(struct http_pair){ .name = name, .value = value ? value : "" };
	return MHD_YES;
}

static size_t count_headers(const struct exchange *x, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < x->req.header_count; i++)
		n += strcasecmp(x->header[i].name, name) == 0;
	return n;
}

/* What libmicrohttpd lets pass: both framings, two lengths, no Host (RFC 9112 sections 3.2, 6). */
static int check_framing(struct exchange *x)
{
	size_t lengths, encodings;
	const char *length, *encoding;
	uint64_t n;

	if (MHD_get_connection_values(x->mhd, MHD_HEADER_KIND, NULL, NULL) > HTTP_HEADER_MAX)
		return refuse(x, -EPROTO, "too many header fields");
	(void)MHD_get_connection_values(x->mhd, MHD_HEADER_KIND, take_header, x);
	x->req.header = x->header;
	if (count_headers(x, "Host") != 1)
		return refuse(x, -EPROTO, "exactly one Host header is needed");
	lengths = count_headers(x, "Content-Length");
	encodings = count_headers(x, "Transfer-Encoding");
	if (lengths + encodings > 1)
		return refuse(x, -EPROTO, "the length of the body is given twice");
	encoding = http_header(&x->req, "Transfer-Encoding");
	if (encoding && strcasecmp(encoding, "chunked") != 0)
		return refuse(x, -EPROTO, "only chunked transfer encoding is taken");
	length = http_header(&x->req, "Content-Length");
	if (length && slice_to_u64(slice_str(length), &n) < 0)
		return refuse(x, -EPROTO, "Content-Length is no number");
	if (length && n > x->server->config.limits.body_bytes) {
		x->close = true;
		return error_set(&x->err, -EFBIG, "the body may have at most %u bytes",
				 x->server->config.limits.body_bytes);
	}
	if (http_target_check(slice_str(x->target)) < 0)
		return refuse(x, -EPROTO, "the URL is malformed");
	return 0;
}

/* Decode into the arena; NULL with -EPROTO when it cannot be. */
static int decode(struct slice in, bool plus, char **cursor, char *end, const char **ret)
{
	int n = http_decode(in, plus, *cursor, (size_t)(end - *cursor));

	if (n < 0)
		return n;
	*ret = *cursor;
	*cursor += n + 1;
	return 0;
}

static int read_query(struct exchange *x, struct slice query, char **cursor, char *end)
{
	while (query.len > 0) {
		struct slice value = slice_take_until(&query, '&', NULL);
		struct slice name = slice_take_until(&value, '=', NULL);
		struct http_pair *pair = &x->query[x->req.query_count];

		if (name.len == 0)
			continue;
		if (x->req.query_count == HTTP_QUERY_MAX)
			return error_set(&x->err, -EPROTO, "too many query parameters");
		if (decode(name, true, cursor, end, &pair->name) < 0 ||
		    decode(value, true, cursor, end, &pair->value) < 0)
			return error_set(&x->err, -EPROTO, "the query is malformed");
		x->req.query_count++;
	}
	x->req.query = x->query;
	return 0;
}

/* Split the target, find the route, decode what belongs to it. */
int exchange_read_target(struct exchange *x, const char *method)
{
	struct slice query = slice_str(x->target), path, param[HTTP_PARAM_MAX] = { 0 };
	size_t size = strlen(x->target) + 2 * HTTP_QUERY_MAX + HTTP_PARAM_MAX + 16;
	char *cursor, *end;
	int r;

	path = slice_take_until(&query, '?', NULL);
	x->req.method = method_parse(method);
	x->arena = calloc(2, size);
	if (!x->arena)
		return error_set(&x->err, -ENOMEM, "no memory");
	cursor = x->arena;
	end = cursor + 2 * size;
	memcpy(cursor, path.p, path.len);
	x->req.path = cursor;
	cursor += path.len + 1;
	r = http_router_match(x->server->router, x->req.method, path, &x->req.route, param,
			      &x->allow);
	if (r == -EOPNOTSUPP)
		return error_set(&x->err, r, "%s is not for %s", method, x->req.path);
	if (r < 0)
		return x->server->config.files && x->req.method != METHOD_UNKNOWN
			       ? r
			       : error_set(&x->err, r, "there is nothing at %s", x->req.path);
	for (size_t i = 0; i < HTTP_PARAM_MAX && param[i].p; i++) {
		if (decode(param[i], false, &cursor, end, &x->req.param[i]) < 0)
			return error_set(&x->err, -EPROTO, "the path is malformed");
	}
	return read_query(x, query, &cursor, end);
}

static int check_type(struct exchange *x)
{
	const char *type = http_header(&x->req, "Content-Type");
	struct slice name;

	if (!x->req.route || x->req.route->body_name == NULL || !x->req.route->body)
		return 0;
	name = slice_str(type ? type : "");
	name = slice_trim(slice_take_until(&name, ';', NULL));
	if (slice_eq_str_nocase(name, "application/json"))
		return 0;
	if (x->req.method == HTTP_PATCH &&
	    slice_eq_str_nocase(name, "application/merge-patch+json"))
		return 0;
	return error_set(&x->err, -EMEDIUMTYPE, "'%s' is not taken here", type ? type : "");
}

/* First call of libmicrohttpd: the header is complete. */
static enum MHD_Result begin(struct exchange *x, const char *method)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	int r;

	x->connection = info ? info->socket_context : NULL;
	if (!x->connection)
		return MHD_NO;
	x->connection->exchange = x;
	x->peer = x->connection->peer;
	connection_phase(x->connection, PHASE_BODY);
	x->state = EXCHANGE_BODY;
	x->req.method = method_parse(method);
	r = check_framing(x);
	if (r < 0) {
		/* At once: what follows in the connection is not to be read. */
		exchange_problem(x, r);
		return exchange_answer(x);
	}
	r = exchange_read_target(x, method);
	if (r == 0)
		r = check_type(x);
	x->early = r;
	return MHD_YES;
}

static enum MHD_Result upload_part(struct exchange *x, const char *bytes, size_t *len)
{
	buf_add(&x->body, bytes, *len);
	x->drained += *len;
	*len = 0;
	if (buf_ok(&x->body))
		return MHD_YES;
	/* Chunked and too long: read on to the hard limit, so that the 413 is seen. */
	if (x->early != -EFBIG)
		x->early = error_set(&x->err, -EFBIG, "the body may have at most %u bytes",
				     x->server->config.limits.body_bytes);
	x->close = true;
	return x->drained > EXCHANGE_DRAIN ? MHD_NO : MHD_YES;
}

/* Route's body to x->req.json; without a body table only nothing or {} is taken. */
static int read_body(struct exchange *x, json_t **json)
{
	const struct http_route *route = x->req.route;
	int r;

	x->req.body = buf_slice(&x->body);
	if (!route->body && x->req.body.len == 0)
		return 0;
	if (http_method_safe(x->req.method))
		return error_set(&x->err, -EPROTO, "a GET has no body");
	r = json_parse(x->req.body, json, &x->err);
	if (r < 0)
		return r;
	if (!json_is_object(*json))
		return error_field(&x->err, -EINVAL, "", "must be an object");
	if (!route->body && json_object_size(*json) > 0)
		return error_field(&x->err, -EINVAL, "", "no body is expected here");
	x->req.json = *json;
	return 0;
}

void exchange_complete(struct exchange *x)
{
	atomic_fetch_sub(&x->server->running, 1);
	x->state = EXCHANGE_DONE;
	if (x->reply.stream)
		sse_attach(x->reply.stream, x->mhd, &x->live);
	if (!x->connection->stream)
		exchange_client_gone(x);
	MHD_resume_connection(x->mhd);
	server_pump_soon(x->server);
}

static void complete(void *user)
{
	struct exchange *x = user;

	if (x->reply.batch) {
		if (batch_start(x) == 0)
			return;
		exchange_problem(x, -ENOMEM);
	}
	exchange_complete(x);
}

void exchange_run_handler(struct exchange *x)
{
	const struct http_config *config = &x->server->config;
	const struct http_route *route = x->req.route;
	AUTO(json) json_t *json = NULL;
	int r = 0;

	if (config->hooks.authorize)
		r = config->hooks.authorize(config->context, &x->req, &x->err);
	if (r == 0)
		r = read_body(x, &json);
	if (r == 0)
		r = route->handler(config->context, &x->req, &x->reply, &x->err);
	if (r >= 0 && x->reply.status == 0)
		r = error_set(&x->err, -EIO, "the handler of %s gave no answer", route->path);
	if (r < 0)
		exchange_problem(x, r);
	if (config->hooks.done)
		config->hooks.done(config->context, &x->req, x->reply.status,
				   r < 0 ? &x->err : NULL);
	x->req.json = NULL;
}

/* On a worker, or on the caller's loop. */
static void run(void *user)
{
	struct exchange *x = user;

	exchange_run_handler(x);
	exchange_compress(x);
	if (loop_post(x->server->io, complete, x) < 0)
		log_error("http.answer_lost", F("request_id", (const char *)x->id));
}

int exchange_submit(struct http_server *server, void (*run_it)(void *user), void *user)
{
	const struct http_config *config = &server->config;

	if (config->run == HTTP_RUN_LOOP)
		return loop_post(config->loop, run_it, user);
	return job_submit(config->workers, run_it, NULL, user);
}

static enum MHD_Result dispatch(struct exchange *x)
{
	int r;

	connection_phase(x->connection, PHASE_REPLY);
	if (x->early == -ENOENT && x->err.code == 0)
		return exchange_answer(x); /* a file, perhaps */
	if (x->early < 0) {
		exchange_problem(x, x->early);
		return exchange_answer(x);
	}
	x->state = EXCHANGE_RUNNING;
	MHD_suspend_connection(x->mhd);
	atomic_fetch_add(&x->server->running, 1);
	r = exchange_submit(x->server, run, x);
	if (r == 0)
		return MHD_YES;
	(void)error_set(&x->err, -EAGAIN, "too many requests wait");
	x->err.retry_after_s = 1;
	exchange_problem(x, -EAGAIN);
	complete(x);
	return MHD_YES;
}

enum MHD_Result exchange_handle(void *server, struct MHD_Connection *mhd, const char *url,
				const char *method, const char *version, const char *upload,
				size_t *upload_size, void **slot)
{
	struct exchange *x = *slot;

	(void)server;
	(void)mhd;
	(void)url;
	(void)version;
	if (!x)
		return MHD_NO;
	switch (x->state) {
	case EXCHANGE_NEW:
		return begin(x, method);
	case EXCHANGE_BODY:
		if (*upload_size > 0)
			return upload_part(x, upload, upload_size);
		return dispatch(x);
	case EXCHANGE_DONE:
		return exchange_answer(x);
	case EXCHANGE_RUNNING:
	case EXCHANGE_SENT:
		return MHD_YES;
	}
	return MHD_NO;
}

void exchange_client_gone(struct exchange *x)
{
	if (x->live)
		sse_end(x->live);
}

void exchange_completed(void *server, struct MHD_Connection *mhd, void **slot,
			enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *slot;

	(void)server;
	(void)mhd;
	(void)code;
	if (!x)
		return;
	*slot = NULL;
	if (x->connection && x->connection->exchange == x) {
		x->connection->exchange = NULL;
		if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK && !x->close)
			connection_phase(x->connection, PHASE_IDLE);
	}
	if (x->live)
		sse_detach(x->live);
	reply_done(&x->reply);
	buf_done(&x->body);
	free(x->arena);
	free(x->target);
	free(x);
}
