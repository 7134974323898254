/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c - see reply.h. */
#include "base/json_field.h"
#include "http/reply.h"
#include "http/server_private.h"

#include <stdio.h>

static int no_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "no memory for the answer");
}

void reply_done(struct http_reply *reply)
{
	for (size_t i = 0; i < reply->header_count; i++) {
		free(reply->header[i].name);
		free(reply->header[i].value);
	}
	free(reply->owned_type);
	free(reply->body);
	if (reply->stream)
		sse_release(reply->stream);
	(void)tunnel_free(reply->tunnel);
	(void)batch_free(reply->batch);
	memset(reply, 0, sizeof(*reply));
}

static void set_body(struct http_reply *reply, char *body, size_t len, const char *type)
{
	free(reply->body);
	reply->body = body;
	reply->body_len = len;
	reply->content_type = type;
}

int reply_json(struct http_reply *reply, unsigned status, json_t *json, struct error *err)
{
	char *text = json ? json_text(json) : NULL;

	json_decref(json);
	if (!text)
		return no_memory(err);
	reply->status = status;
	set_body(reply, text, strlen(text), "application/json");
	return 0;
}

void reply_json_text(struct http_reply *reply, unsigned status, char *text, size_t len)
{
	reply->status = status;
	set_body(reply, text, len, "application/json");
}

int reply_header(struct http_reply *reply, const char *name, const char *value, struct error *err)
{
	size_t n = reply->header_count;

	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 127)
			return error_set(err, -EINVAL, "a control byte in header %s", name);
	}
	if (n == REPLY_HEADER_MAX)
		return error_set(err, -ENOMEM, "too many headers");
	reply->header[n].name = strdup(name);
	reply->header[n].value = strdup(value);
	reply->header_count++;
	if (!reply->header[n].name || !reply->header[n].value)
		return no_memory(err);
	return 0;
}

/* base + id, whatever id holds: unreserved characters as they are (RFC 3986 section 2.3). */
static int location(struct http_reply *reply, const char *base, const char *id, struct error *err)
{
	AUTO_BUF b = { 0 };

	buf_init(&b, 4096);
	buf_add_str(&b, base);
	for (const char *p = id; *p; p++) {
		if (ascii_is_alnum((unsigned char)*p) || strchr("-._~", *p))
			buf_add_char(&b, *p);
		else
			buf_printf(&b, "%%%02X", (unsigned)(unsigned char)*p);
	}
	if (!buf_ok(&b) || !b.data)
		return no_memory(err);
	return reply_header(reply, "Location", b.data, err);
}

int reply_created(struct http_reply *reply, const char *base, const char *id, json_t *json,
		  struct error *err)
{
	int r = reply_json(reply, 201, json, err);

	return r < 0 ? r : location(reply, base, id, err);
}

int reply_task(struct http_reply *reply, const char *id, json_t *json, struct error *err)
{
	int r = reply_json(reply, 202, json, err);

	return r < 0 ? r : location(reply, "/api/v1/tasks/", id, err);
}

int reply_list(struct http_reply *reply, json_t *items, const char *next_cursor, struct error *err)
{
	json_t *cursor = next_cursor ? json_string(next_cursor) : json_null();

	return reply_json(reply, 200,
			  json_pack("{s:o, s:o}", "items", items, "next_cursor", cursor), err);
}

int reply_empty(struct http_reply *reply, unsigned status, struct error *err)
{
	(void)err;
	reply->status = status;
	set_body(reply, NULL, 0, NULL);
	return 0;
}

int reply_text(struct http_reply *reply, unsigned status, const char *content_type,
	       const char *text, size_t len, struct error *err)
{
	char *copy = malloc(len + 1);
	char *type = strdup(content_type);

	if (!copy || !type) {
		free(copy);
		free(type);
		return no_memory(err);
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	free(reply->owned_type);
	reply->owned_type = type;
	reply->status = status;
	set_body(reply, copy, len, type);
	return 0;
}

void http_etag(char buf[HTTP_ETAG_SIZE], const char *id, long long version)
{
	uint64_t hash = slice_fnv1a(SLICE_FNV1A, slice_str(id)); /* the same after a restart */

	(void)snprintf(buf, HTTP_ETAG_SIZE, "\"%016llx-%llx\"", (unsigned long long)hash,
		       (unsigned long long)version);
}

int reply_etag(struct http_reply *reply, const char *etag, struct error *err)
{
	return reply_header(reply, "ETag", etag, err);
}

int reply_stream(struct http_reply *reply, struct http_stream_source *source, struct error *err)
{
	(void)err;
	reply->status = 200;
	set_body(reply, NULL, 0, "text/event-stream");
	reply->stream = source;
	return 0;
}
