/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - aura-cm as node/ runs it: start, stop, metrics, live view. */
#include "cm/server.h"

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "cm/b2bua.h"
#include "cm/cm_options.h"
#include "cm/offhook.h"
#include "cm/side.h"
#include "node/node.h"
#include "node/node_sip.h"
#include "stack/sip/sip_stack.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIVE_CALLS_SHOWN 500
/* What a call with both halves costs while its transactions are alive (measured: 28 KiB a half). */
#define CALL_MEMORY (56U * 1024)
#define CALLS_LEAST 100
#define CALLS_MOST 200000

/* clang-format off */
static const struct metric_def metrics[CM_METRICS] = {
	[CM_INVITES_ORIG]     = { METRIC_COUNTER, "aura_cm_invites_total", "phase=\"imsorig\"",
				  "INVITEs taken, by half." },
	[CM_INVITES_TERM]     = { METRIC_COUNTER, "aura_cm_invites_total", "phase=\"imsterm\"",
				  "INVITEs taken, by half." },
	[CM_HALVES_ANSWERED]  = { METRIC_COUNTER, "aura_cm_halves_total", "result=\"answered\"",
				  "Halves that are over, by result." },
	[CM_HALVES_BUSY]      = { METRIC_COUNTER, "aura_cm_halves_total", "result=\"busy\"",
				  "Halves that are over, by result." },
	[CM_HALVES_NO_ANSWER] = { METRIC_COUNTER, "aura_cm_halves_total", "result=\"no_answer\"",
				  "Halves that are over, by result." },
	[CM_HALVES_CANCELLED] = { METRIC_COUNTER, "aura_cm_halves_total", "result=\"cancelled\"",
				  "Halves that are over, by result." },
	[CM_HALVES_FAILED]    = { METRIC_COUNTER, "aura_cm_halves_total", "result=\"failed\"",
				  "Halves that are over, by result." },
	[CM_UNTRUSTED]        = { METRIC_COUNTER, "aura_cm_untrusted_total", NULL,
				  "Requests refused because they came over no trusted link." },
	[CM_RECORDS_LOST]     = { METRIC_COUNTER, "aura_cm_records_lost_total", NULL,
				  "Call records that could not be journalled." },
	[CM_RESERVED]         = { METRIC_COUNTER, "aura_cm_reservations_total", NULL,
				  "Lines that phones have reserved by going off-hook." },
	[CM_PUBLISHED]        = { METRIC_COUNTER, "aura_cm_publications_total", "result=\"ok\"",
				  "Dialog states of stations given to sm." },
	[CM_PUBLISH_FAILED]   = { METRIC_COUNTER, "aura_cm_publications_total", "result=\"failed\"",
				  "Dialog states of stations given to sm." },
	[CM_TRANSFERRED]      = { METRIC_COUNTER, "aura_cm_transfers_total", "result=\"joined\"",
				  "Transfers that cm has carried out, by result." },
	[CM_TRANSFER_FAILED]  = { METRIC_COUNTER, "aura_cm_transfers_total", "result=\"failed\"",
				  "Transfers that cm has carried out, by result." },
	[CM_REDIRECTED]       = { METRIC_COUNTER, "aura_cm_redirects_total", NULL,
				  "Calls that cm has sent on to somebody else." },
	[CM_CALLS]            = { METRIC_GAUGE, "aura_cm_calls", NULL,
				  "Calls that are known, those just ended included." },
};
/* clang-format on */

static void on_request(void *user, const struct sip_incoming *in)
{
	intake_request(user, in);
}

static void on_trace(void *user, const struct sip_traced *traced)
{
	const struct cm *cm = user;

	node_sip_trace(cm->node, traced);
}

static void cm_stop(void *server)
{
	struct cm *cm = server;
	struct b2bua_half *b;

	if (!cm)
		return;
	LIST_FOREACH (b, &cm->halves, struct b2bua_half, link)
		b2bua_abandon(b);
	LIST_FOREACH (b, &cm->halves, struct b2bua_half, link) {
		list_remove(&b->link);
		list_append(&cm->dead, &b->link);
	}
	b2bua_reap(cm);
	offhook_end_all(cm);
	line_table_done(&cm->lines);
	loop_timer_stop(cm->loop, &cm->reaper);
	sip_stack_free(cm->stack);
	side_free_all(cm);
	call_table_done(&cm->calls);
	appearance_table_done(&cm->appearances);
	free(cm);
}

/* More calls than memory holds would end all of them at once: refuse the next one instead. */
static size_t call_limit(const struct cm_options *options)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
	size_t limit;

	if (options->max_calls > 0)
		return options->max_calls;
	if (pages <= 0 || size <= 0)
		return CALLS_LEAST;
	limit = (size_t)pages * (size_t)size / 2 / CALL_MEMORY;
	if (limit < CALLS_LEAST)
		return CALLS_LEAST;
	return limit > CALLS_MOST ? CALLS_MOST : limit;
}

static int cm_start(struct node *node, void **ret, struct error *err)
{
	static const struct sip_stack_handlers handlers = {
		.request = on_request,
		.trace = on_trace,
	};
	static const struct slice supported[] = { { "100rel", 6 },
						  { "timer", 5 },
						  { "replaces", 8 } };
	struct sip_stack_config config = {
		.supported = supported,
		.supported_count = ARRAY_SIZE(supported),
		.loop = node_loop(node),
		.product = "Aurabox-cm/" AURA_VERSION,
	};
	struct cm *cm = calloc(1, sizeof(*cm));
	int r;

	if (!cm)
		return error_set(err, -ENOMEM, "out of memory");
	cm->node = node;
	cm->loop = node_loop(node);
	cm->options = node_config(node);
	cm->metrics = node_metrics(node);
	list_init(&cm->halves);
	list_init(&cm->dead);
	list_init(&cm->sides);
	map_init(&cm->offhooks);
	line_table_init(&cm->lines);
	appearance_table_init(&cm->appearances);
	call_table_init(&cm->calls, call_limit(cm->options));

	r = sip_stack_new(&config, &handlers, cm, &cm->stack, err);
	if (r == 0)
		r = node_sip_listen(node, cm->stack, err);
	if (r < 0) {
		cm_stop(cm);
		return r;
	}
	*ret = cm;
	return 0;
}

static int calls_get(void *server, const json_t *query, json_t **ret, struct error *err)
{
	const struct cm *cm = server;

	const char *since = json_string_value(json_object_get(query, "since"));
	char version[24];

	(void)snprintf(version, sizeof(version), "%" PRIx64,
		       call_table_version(&cm->calls, LIVE_CALLS_SHOWN));
	if (since && strcmp(since, version) == 0)
		*ret = json_pack("{s:b,s:s}", "unchanged", 1, "version", version);
	else
		*ret = call_table_json(&cm->calls, LIVE_CALLS_SHOWN);
	if (*ret && call_live_count(&cm->calls) > LIVE_CALLS_SHOWN)
		(void)json_object_set_new(*ret, "more", json_true());
	if (*ret)
		(void)json_object_set_new(*ret, "version", json_string(version));
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static const struct node_route routes[] = {
	{ .path = "/v1/calls", .get = calls_get },
};

const struct node_server cm_server = {
	.program = "aura-cm",
	.name = "cm",
	.port = 5070,
	.summary = "communication manager: stations, dial plan and call records",
	.options = cm_options,
	.options_size = sizeof(struct cm_options),
	.metrics = metrics,
	.metric_count = CM_METRICS,
	.routes = routes,
	.route_count = ARRAY_SIZE(routes),
	.start = cm_start,
	.stop = cm_stop,
};
