/* SPDX-License-Identifier: Apache-2.0 */
/* trace_export.c - /uc/trace/export.{pcapng,txt,html}: messages as a file. */
#include "base/buf.h"
#include "control/api/api_private.h"
#include "control/api/trace_query.h"
#include "control/uc/uc.h"
#include "control/uc/uc_ladder.h"
#include "control/uc/uc_trace_export.h"

#include <stdio.h>

#define FILE_MAX (96U << 20)

/* What a file is made of. */
struct export
{
	struct uc_trace trace;
	json_t *entities;
	json_t *once; /* each message once, named */
	const char *gsid;
};

static void export_done(struct export *e)
{
	uc_trace_done(&e->trace);
	json_decref(e->entities);
	json_decref(e->once);
}
#define AUTO_EXPORT __attribute__((cleanup(export_done))) struct export

static int export_read(struct api *api, const struct http_request *req, struct export *e,
		       struct error *err)
{
	AUTO_LISTING query = { 0 };
	struct uc_trace_filter filter = { 0 };
	int r = http_listing_read(req, &trace_export_listing, &query, err);

	if (r == 0)
		r = trace_filter_read(req, &query, &filter, err);
	if (r == 0)
		r = http_query_u32(req, "limit", 1, UC_TRACE_MAX, UC_TRACE_MAX, &filter.limit, err);
	if (r == 0)
		r = api_uc_there(api, err);
	if (r == 0)
		r = uc_trace_read(api->config.uc, &filter, &e->trace, err);
	if (r < 0)
		return r;
	e->gsid = filter.gsid ? filter.gsid : "";
	e->entities = uc_trace_entities(api->config.uc);
	r = uc_ladder_fold(e->trace.items, e->entities, &e->once);
	return r < 0 ? error_set(err, r, "no memory for the trace") : 0;
}

static int answer(struct http_reply *reply, int r, const struct buf *file, const char *ending,
		  const char *type, struct error *err)
{
	char name[64];

	if (r < 0)
		return error_set(err, -ENOMEM, "no memory for the file");
	(void)snprintf(name, sizeof(name), "attachment; filename=\"trace.%s\"", ending);
	r = reply_text(reply, 200, type, file->data ? file->data : "", file->len, err);
	return r < 0 ? r : reply_header(reply, "Content-Disposition", name, err);
}

int uc_trace_pcapng_get(struct api *api, const struct http_request *req, struct http_reply *reply,
			struct error *err)
{
	AUTO_BUF file = { .limit = FILE_MAX };
	AUTO_EXPORT e = { 0 };
	int r = export_read(api, req, &e, err);

	if (r < 0)
		return r;
	r = uc_trace_pcapng(e.once, &file);
	return answer(reply, r, &file, "pcapng", "application/octet-stream", err);
}

int uc_trace_text_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		      struct error *err)
{
	AUTO_BUF file = { .limit = FILE_MAX };
	AUTO_EXPORT e = { 0 };
	int r = export_read(api, req, &e, err);

	if (r < 0)
		return r;
	r = uc_trace_text(e.once, e.trace.more, &file);
	return answer(reply, r, &file, "txt", "text/plain; charset=utf-8", err);
}

int uc_trace_html_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		      struct error *err)
{
	AUTO_BUF file = { .limit = FILE_MAX };
	AUTO_EXPORT e = { 0 };
	AUTO(json) json_t *ladder = NULL;
	int r = export_read(api, req, &e, err);

	if (r < 0)
		return r;
	r = uc_ladder(e.gsid, e.trace.items, e.entities, &ladder);
	if (r == 0) {
		(void)json_object_set_new(ladder, "truncated", json_boolean(e.trace.more));
		r = uc_trace_html(e.once, ladder, &file);
	}
	return answer(reply, r, &file, "html", "text/html; charset=utf-8", err);
}
