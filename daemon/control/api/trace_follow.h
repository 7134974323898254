/* SPDX-License-Identifier: Apache-2.0 */
/* trace_follow.h - the trace as it grows: event streams of GET /uc/trace?follow. */
#pragma once

struct error;
struct http_server;
struct http_stream_source;
struct job_pool;
struct loop;
struct sse_hub;
struct trace_follow; /* opaque, see trace_follow.c */
struct uc;
struct uc_trace_filter;

enum { TRACE_FOLLOWERS_MAX = 16 };

struct trace_follow_config {
	struct loop *loop;
	struct job_pool *workers; /* one job at a time asks the nodes there, four times a second */
	struct uc *uc;
	struct http_server *server;
};

/* On the loop's thread, both. Borrows what config names. Errors: -ENOMEM, as sse_hub_new(). */
int trace_follow_new(const struct trace_follow_config *config, struct trace_follow **ret,
		     struct error *err);
/* Ends all streams and waits for the job; before http_server_stop(). NULL is fine. */
struct trace_follow *trace_follow_stop(struct trace_follow *follow);
/* After http_server_stop(): requests under way may have used it until then. NULL is fine. */
struct trace_follow *trace_follow_free(struct trace_follow *follow);

/* Follow what matches from filter->from_us on (0: from now). Any thread. Events `trace.message` with an
 * item of the list as data, `trace.gap` {node} where a node's ring was too short, `reset` for a
 * reader that is too slow. An event's id is about its message's time in microseconds.
 * Errors: -EUSERS enough follow already, -ENOMEM. */
int trace_follow_add(struct trace_follow *follow, const char *owner,
		     const struct uc_trace_filter *filter, struct http_stream_source **ret,
		     struct error *err);
/* The streams, to end those of owners who may not listen any more. */
struct sse_hub *trace_follow_hub(struct trace_follow *follow);
