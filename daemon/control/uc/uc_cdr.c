/* SPDX-License-Identifier: Apache-2.0 */
/* uc_cdr.c - call records as smgr keeps them: the list, one record, and counts by time. */
#include "control/uc/uc.h"
#include "control/uc/uc_private.h"

#include "base/clock.h"
#include "store/listing_sql.h"
#include "store/store.h"

/* clang-format off */
#define CDR_JSON \
	"json_build_object('gsid', c.gsid, 'caller', c.caller, 'callee', c.callee," \
	" 'started_at', " UC_TIME("c.started_at") ", 'answered_at', " UC_TIME("c.answered_at") "," \
	" 'ended_at', " UC_TIME("c.ended_at") ", 'duration_s', c.duration_s, 'result', c.result," \
	" 'sip_status', c.sip_status, 'halves', coalesce((SELECT json_agg(" \
	"  (jsonb_build_object('half', h.half) || h.doc) ORDER BY h.half)" \
	"  FROM call_half h WHERE h.gsid = c.gsid), '[]'))"
/* clang-format on */

static const char *const result_words[] = { "answered",	 "busy",   "no_answer",
					    "cancelled", "failed", NULL };

const struct listing uc_cdr_listing = {
	.sort = "-started_at",
	.fields =
		(const struct listing_field[]){
			{ .name = "started_at",
			  .kind = LISTING_TIME,
			  .use = LISTING_SORT | LISTING_RANGE,
			  .column = "c.started_at",
			  .help = "When the call began" },
			{ .name = "gsid",
			  .use = LISTING_KEY | LISTING_FILTER | LISTING_SEARCH,
			  .column = "c.gsid",
			  .help = "Global session id" },
			{ .name = "caller",
			  .use = LISTING_FILTER | LISTING_SEARCH,
			  .column = "c.caller",
			  .help = "Who called" },
			{ .name = "callee",
			  .use = LISTING_FILTER | LISTING_SEARCH,
			  .column = "c.callee",
			  .help = "Who was called" },
			{ .name = "handle", .use = LISTING_OTHER, .help = "Caller or callee" },
			{ .name = "result",
			  .kind = LISTING_WORD,
			  .use = LISTING_FILTER,
			  .words = result_words,
			  .column = "c.result",
			  .help = "How it ended" },
			{ .name = NULL } },
};

int uc_cdr_list(struct uc *uc, const char *handle, const struct listing_query *query,
		struct listing_page *ret, struct error *err)
{
	const struct store_listing source = {
		.item = CDR_JSON,
		.from = "call_record c",
		.where = handle ? "(c.caller = $1 OR c.callee = $1)" : NULL,
		.param = { handle },
		.param_count = handle ? 1 : 0,
	};

	return store_listing(uc->db, &source, query, ret, err);
}

int uc_cdr_find(struct uc *uc, const char *gsid, json_t **ret, struct error *err)
{
	static const char sql[] = "SELECT " CDR_JSON " FROM call_record c WHERE c.gsid = $1";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r = store_query(uc->db, sql, (const char *[]){ gsid }, 1, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) == 0)
		return error_set(err, -ENOENT, "no ended call has the id '%s'", gsid);
	*ret = store_rows_json(rows, 0, 0);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int uc_cdr_summary(struct uc *uc, int64_t from_ms, int64_t to_ms, uint32_t step_s, json_t **ret,
		   struct error *err)
{
	/* one pass over the index on started_at; buckets without calls come from the series */
	static const char sql[] =
		"WITH span AS (SELECT $1::timestamptz AS a, $2::timestamptz AS b,"
		"  make_interval(secs => $3::integer) AS step),"
		" counted AS (SELECT floor(extract(epoch FROM c.started_at - s.a) / $3::integer)"
		"   AS n, count(*) AS attempts, count(*) FILTER (WHERE c.result = 'answered') AS answered,"
		"  count(*) FILTER (WHERE c.result = 'failed') AS failed,"
		"  count(*) FILTER (WHERE c.result = 'busy') AS busy,"
		"  count(*) FILTER (WHERE c.result = 'no_answer') AS no_answer,"
		"  count(*) FILTER (WHERE c.result = 'cancelled') AS cancelled,"
		"  sum(c.duration_s) AS talk_s FROM call_record c, span s"
		"  WHERE c.started_at >= s.a AND c.started_at < s.b GROUP BY 1)"
		" SELECT coalesce(json_agg(json_build_object('at', " UC_TIME(
			"(s.a + g.n * s.step)") ","
						"  'attempts', coalesce(k.attempts, 0), 'answered', coalesce(k.answered, 0),"
						"  'failed', coalesce(k.failed, 0), 'busy', coalesce(k.busy, 0),"
						"  'no_answer', coalesce(k.no_answer, 0), 'cancelled', coalesce(k.cancelled, 0),"
						"  'talk_s', coalesce(k.talk_s, 0)) ORDER BY g.n), '[]')"
						" FROM span s CROSS JOIN LATERAL generate_series(0,"
						"  ceil(extract(epoch FROM s.b - s.a) / $3::integer)::integer - 1) AS g(n)"
						" LEFT JOIN counted k ON k.n = g.n";
	AUTO(store_rows) struct store_rows *rows = NULL;
	char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
	int r;

	clock_format(from_ms, from);
	clock_format(to_ms, to);
	r = store_query(uc->db, sql, (const char *[]){ from, to, store_num(step_s) }, 3, &rows,
			err);
	if (r < 0)
		return r;
	*ret = json_pack("{s:s, s:s, s:I, s:o}", "from", from, "to", to, "step_s",
			 (json_int_t)step_s, "buckets", store_rows_json(rows, 0, 0));
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}
