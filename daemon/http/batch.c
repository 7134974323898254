/* SPDX-License-Identifier: Apache-2.0 */
/* batch.c - see batch.h. All but the handlers runs on the server's thread. */
#include "http/batch.h"

#include "base/job.h"
#include "base/json_field.h"
#include "base/log.h"
#include "http/reply.h"
#include "http/server_private.h"

#include <stdio.h>

/* One GET, an exchange without a connection of its own. */
struct part {
	struct batch *batch;
	struct exchange x;
	bool answered;
};

struct batch {
	struct exchange *parent; /* NULL once it has its answer: parts may still be under way */
	struct http_server *server;
	struct timer deadline;
	size_t refs; /* the parent's and one of each part that is under way */
	size_t open;
	char *arena; /* of the header fields: a late part outlives the connection's */
	struct http_pair header[HTTP_HEADER_MAX];
	size_t count;
	struct part part[];
};

int reply_batch(struct http_reply *reply, const char *const *targets, size_t count,
		struct error *err)
{
	struct batch *batch;
	bool ok = true;

	if (count == 0 || count > HTTP_BATCH_MAX)
		return error_field(err, -EINVAL, "get", "must be there 1 to %d times",
				   HTTP_BATCH_MAX);
	batch = calloc(1, sizeof(*batch) + count * sizeof(batch->part[0]));
	if (!batch)
		return error_set(err, -ENOMEM, "no memory for the answer");
	batch->count = count;
	for (size_t i = 0; i < count; i++) {
		batch->part[i].batch = batch;
		batch->part[i].x.target = strdup(targets[i]);
		ok = ok && batch->part[i].x.target;
	}
	(void)batch_free(reply->batch);
	reply->batch = batch;
	reply->status = 200;
	return ok ? 0 : error_set(err, -ENOMEM, "no memory for the answer");
}

struct batch *batch_free(struct batch *batch)
{
	if (!batch)
		return NULL;
	for (size_t i = 0; i < batch->count; i++) {
		struct exchange *x = &batch->part[i].x;

		reply_done(&x->reply);
		buf_done(&x->body);
		free(x->arena);
		free(x->target);
	}
	free(batch->arena);
	free(batch);
	return NULL;
}

static void unref(struct batch *batch)
{
	if (--batch->refs == 0)
		(void)batch_free(batch);
}

static int copy_headers(struct batch *batch, const struct http_request *req)
{
	size_t size = 1;
	char *to;

	for (size_t i = 0; i < req->header_count; i++)
		size += strlen(req->header[i].name) + strlen(req->header[i].value) + 2;
	to = batch->arena = malloc(size);
	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < req->header_count; i++) {
		batch->header[i].name = to;
		to = stpcpy(to, req->header[i].name) + 1;
		batch->header[i].value = to;
		to = stpcpy(to, req->header[i].value) + 1;
	}
	return 0;
}

/* What an answer holds that can stand in another one. */
static bool is_json_route(const struct http_route *route)
{
	static const char *const others[] = { "none",	"text",		"html",
					      "binary", "event_stream", "websocket" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strcmp(route->answer, others[i]) == 0)
			return false;
	}
	return true;
}

static int read_part(struct part *part, const struct exchange *parent)
{
	struct exchange *x = &part->x;
	int r;

	x->server = parent->server;
	memcpy(x->id, parent->id, sizeof(x->id));
	x->peer = parent->peer;
	x->req = (struct http_request){ .id = x->id,
					.peer = &x->peer,
					.header = part->batch->header,
					.header_count = parent->req.header_count };
	r = http_target_check(slice_str(x->target));
	if (r < 0)
		return error_set(&x->err, r, "the URL is malformed");
	r = exchange_read_target(x, "GET");
	if (r == -ENOENT)
		return error_set(&x->err, r, "there is nothing at %s", x->req.path);
	if (r < 0)
		return r;
	if (!is_json_route(x->req.route))
		return error_field(&x->err, -EINVAL, "get", "%s cannot be part of a batch",
				   x->req.path);
	return 0;
}

static void add_part(struct buf *out, const struct part *part, bool first)
{
	const struct http_reply *reply = &part->x.reply;
	size_t room = out->len < HTTP_BATCH_BYTES ? HTTP_BATCH_BYTES - out->len : 0;
	bool there = part->answered && reply->body_len <= room;
	const char *etag = NULL;

	for (size_t i = 0; i < reply->header_count; i++) {
		if (strcmp(reply->header[i].name, "ETag") == 0)
			etag = reply->header[i].value;
	}
	buf_printf(out, "%s{\"status\":%u,\"etag\":", first ? "" : ",", there ? reply->status : 0);
	if (there && etag) {
		AUTO(json) json_t *text = json_string(etag);
		AUTO(str) char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;

		buf_add_str(out, quoted ? quoted : "null");
	} else {
		buf_add_str(out, "null");
	}
	buf_add_str(out, ",\"body\":");
	if (there && reply->body)
		buf_add(out, reply->body, reply->body_len);
	else
		buf_add_str(out, "null");
	buf_add_char(out, '}');
}

static void finish(struct batch *batch)
{
	struct exchange *x = batch->parent;
	struct buf out;

	batch->parent = NULL;
	loop_timer_stop(batch->server->io, &batch->deadline);
	buf_init(&out, HTTP_BATCH_BYTES + HTTP_BATCH_MAX * 512);
	buf_add_str(&out, "{\"answers\":[");
	for (size_t i = 0; i < batch->count; i++)
		add_part(&out, &batch->part[i], i == 0);
	buf_add_str(&out, "]}");
	if (buf_ok(&out)) {
		x->reply.status = 200;
		x->reply.content_type = "application/json";
		x->reply.body_len = out.len;
		x->reply.body = buf_take_str(&out);
	}
	buf_done(&out);
	if (!x->reply.body) {
		(void)error_set(&x->err, -ENOMEM, "no memory for the answer");
		exchange_problem(x, -ENOMEM);
	}
	exchange_compress(x);
	exchange_complete(x);
	unref(batch);
}

static void too_late(struct timer *timer)
{
	finish(CONTAINER_OF(timer, struct batch, deadline));
}

static void part_done(void *user)
{
	struct part *part = user;
	struct batch *batch = part->batch;
	struct http_server *server = batch->server;
	struct exchange *x = &part->x;

	if (x->reply.stream || x->reply.tunnel || x->reply.batch) {
		(void)error_field(&x->err, -EINVAL, "get", "%s cannot be part of a batch",
				  x->req.path);
		exchange_problem(x, -EINVAL);
	}
	part->answered = true;
	batch->open--;
	if (batch->parent && batch->open == 0)
		finish(batch);
	unref(batch);
	atomic_fetch_sub(&server->running, 1);
	server_maybe_stopped(server);
}

/* On a worker, or on the caller's loop. */
static void run_part(void *user)
{
	struct part *part = user;

	exchange_run_handler(&part->x);
	if (loop_post(part->x.server->io, part_done, part) < 0)
		log_error("http.answer_lost", F("request_id", (const char *)part->x.id));
}

static void start_part(struct batch *batch, struct part *part)
{
	int r = read_part(part, batch->parent);

	if (r == 0) {
		atomic_fetch_add(&batch->server->running, 1);
		r = exchange_submit(batch->server, run_part, part);
		if (r < 0) {
			atomic_fetch_sub(&batch->server->running, 1);
			r = error_set(&part->x.err, -EAGAIN, "too many requests wait");
		}
	}
	if (r < 0) {
		exchange_problem(&part->x, r);
		part->answered = true;
		return;
	}
	batch->refs++;
	batch->open++;
}

int batch_start(struct exchange *x)
{
	struct batch *batch = TAKE(x->reply.batch);

	batch->parent = x;
	batch->server = x->server;
	batch->refs = 1;
	if (copy_headers(batch, &x->req) < 0) {
		(void)batch_free(batch);
		return error_set(&x->err, -ENOMEM, "no memory for the answer");
	}
	for (size_t i = 0; i < batch->count; i++)
		start_part(batch, &batch->part[i]);
	if (batch->open == 0)
		finish(batch);
	else
		loop_timer_start(x->server->io, &batch->deadline, HTTP_BATCH_WAIT_MS, too_late);
	return 0;
}
