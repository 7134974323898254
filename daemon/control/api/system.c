/* SPDX-License-Identifier: Apache-2.0 */
/* system.c - /healthz and /metrics: how the appliance as a whole does. */
#include "base/buf.h"
#include "control/api/api_private.h"
#include "control/setup/appliance.h"
#include "control/task/alarm.h"
#include "control/task/task.h"
#include "control/uc/uc_pages.h"
#include "control/vm/vm_manager.h"
#include "http/server.h"
#include "store/store.h"

/* Who has not logged in learns which part is not well, and nothing of addresses, files and servers. */
static void hide_details(json_t *components)
{
	const char *name;
	json_t *part;

	json_object_foreach(components, name, part)
	{
		const char *detail = json_string_value(json_object_get(part, "detail"));

		if (detail && *detail)
			(void)json_object_set_new(part, "detail", json_string("log in to see why"));
	}
}

int health_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	const char *status;
	json_t *components = appliance_components(api->config.appliance, &status);

	if (!actor_may(api_actor(req), "appliance:read"))
		hide_details(components);
	return reply_json(reply, strcmp(status, "failed") == 0 ? 503 : 200,
			  json_pack("{s:s, s:o}", "status", status, "components", components), err);
}

static void metric(struct buf *out, const char *name, const char *kind, const char *help,
		   unsigned long long value)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, kind, name,
		   value);
}

static void http_metrics(struct api *api, struct buf *out)
{
	struct http_stats stats;

	http_server_stats(api->server, &stats);
	metric(out, "aurabox_http_requests_total", "counter", "HTTP requests received.",
	       stats.requests);
	buf_add_str(out, "# HELP aurabox_http_answers_total HTTP answers by class.\n"
			 "# TYPE aurabox_http_answers_total counter\n");
	for (int i = 1; i < 6; i++)
		buf_printf(out, "aurabox_http_answers_total{class=\"%dxx\"} %llu\n", i,
			   (unsigned long long)stats.answers[i]);
	metric(out, "aurabox_http_connections", "gauge", "Open HTTP connections.", stats.open);
	metric(out, "aurabox_http_streams", "gauge", "Open event streams.", stats.streams);
}

static void uc_metrics(struct api *api, struct buf *out)
{
	struct uc_pages_stats pages;

	if (!api->config.uc)
		return;
	uc_pages_stats(uc_pages_of(api->config.uc), &pages);
	metric(out, "aurabox_uc_pages_kept_total", "counter",
	       "Lists of the administration that were still true and not read again.", pages.kept);
	metric(out, "aurabox_uc_pages_read_total", "counter",
	       "Lists of the administration that were read from smgr.", pages.read);
	metric(out, "aurabox_uc_state_looks_total", "counter",
	       "Looks whether kept lists are still true.", pages.looked);
	metric(out, "aurabox_uc_pages", "gauge", "Lists that are kept.", pages.entries);
	metric(out, "aurabox_uc_pages_bytes", "gauge", "Memory of lists that are kept.",
	       pages.bytes);
}

static void vm_metrics(struct api *api, struct buf *out)
{
	AUTO(json) json_t *vms = api->config.vms ? vm_manager_list(api->config.vms) : NULL;
	json_t *vm;
	size_t i;

	if (!vms)
		return;
	buf_add_str(out, "# HELP aurabox_vm_ready Is the virtual machine ready?\n"
			 "# TYPE aurabox_vm_ready gauge\n");
	json_array_foreach(vms, i, vm) buf_printf(out, "aurabox_vm_ready{vm=\"%s\"} %d\n",
						  json_string_value(json_object_get(vm, "name")),
						  json_is_true(json_object_get(vm, "ready")));
	buf_add_str(out, "# HELP aurabox_vm_restarts_total Restarts after crashes.\n"
			 "# TYPE aurabox_vm_restarts_total counter\n");
	json_array_foreach(vms, i, vm)
		buf_printf(out, "aurabox_vm_restarts_total{vm=\"%s\"} %lld\n",
			   json_string_value(json_object_get(vm, "name")),
			   (long long)json_integer_value(json_object_get(vm, "restarts")));
}

int metrics_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		struct error *err)
{
	AUTO_BUF out = { 0 };
	struct store_stats db;
	uint32_t queued, running, alarms[3];

	(void)req;
	http_metrics(api, &out);
	store_stats(api->config.store, &db);
	metric(&out, "aurabox_db_connections", "gauge", "Open database connections.", db.open);
	metric(&out, "aurabox_db_queries_total", "counter", "Database statements.", db.queries);
	metric(&out, "aurabox_db_failures_total", "counter", "Failed database statements.",
	       db.failures);
	tasks_counts(api->config.tasks, &queued, &running);
	metric(&out, "aurabox_tasks_queued", "gauge", "Tasks that wait.", queued);
	metric(&out, "aurabox_tasks_running", "gauge", "Tasks that run.", running);
	alarms_counts(api->config.alarms, alarms);
	buf_printf(
		&out,
		"# HELP aurabox_alarms Active alarms.\n# TYPE aurabox_alarms gauge\n"
		"aurabox_alarms{severity=\"warning\"} %u\naurabox_alarms{severity=\"major\"} %u\n"
		"aurabox_alarms{severity=\"critical\"} %u\n",
		alarms[0], alarms[1], alarms[2]);
	uc_metrics(api, &out);
	vm_metrics(api, &out);
	if (!buf_ok(&out))
		return error_set(err, -ENOMEM, "no memory for metrics");
	return reply_text(reply, 200, "text/plain; version=0.0.4", out.data, out.len, err);
}
