/* SPDX-License-Identifier: Apache-2.0 */
/* reply.h - what a handler answers: status, header fields and one body; a handler that fails
 * returns a negative errno instead and the dispatcher makes the problem document. */
#pragma once
#include <stddef.h>

struct error;
struct http_reply;
struct http_stream_source;
struct json_t;

/* Each function returns 0, or -ENOMEM (err filled). A later body replaces an earlier one. */

/* status with a JSON body. Takes over json, also on failure; NULL is -ENOMEM, so that the result
 * of json_pack() may be passed straight in. */
int reply_json(struct http_reply *reply, unsigned status, struct json_t *json, struct error *err);
/* The same with a body that is text already, and is taken over. */
void reply_json_text(struct http_reply *reply, unsigned status, char *text, size_t len);
/* 201 with Location: base + id (id percent-encoded). Takes over json. */
int reply_created(struct http_reply *reply, const char *base, const char *id, struct json_t *json,
		  struct error *err);
/* 202 with Location: /api/v1/tasks/ID and {"id","state"...}: json is the task. Takes over json. */
int reply_task(struct http_reply *reply, const char *id, struct json_t *json, struct error *err);
/* 200 with {"items":[...],"next_cursor":...}. Takes over items; next_cursor NULL at the end. */
int reply_list(struct http_reply *reply, struct json_t *items, const char *next_cursor,
	       struct error *err);
/* A status without a body, such as 204. */
int reply_empty(struct http_reply *reply, unsigned status, struct error *err);
/* Any text; copies it. */
int reply_text(struct http_reply *reply, unsigned status, const char *content_type,
	       const char *text, size_t len, struct error *err);

/* Add a header field; copies both. Control bytes in value are -EINVAL. */
int reply_header(struct http_reply *reply, const char *name, const char *value, struct error *err);
/* ETag made of a version; buf gets the quoted form that http_if_match() compares. */
enum { HTTP_ETAG_SIZE = 48 };
void http_etag(char buf[HTTP_ETAG_SIZE], const char *id, long long version);
int reply_etag(struct http_reply *reply, const char *etag, struct error *err);

/* Answer with an event stream (200 text/event-stream); sse.h makes the source. */
int reply_stream(struct http_reply *reply, struct http_stream_source *source, struct error *err);
