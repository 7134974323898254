/* SPDX-License-Identifier: Apache-2.0 */
/* vms.c - /templates and /vms: what can be deployed, and the virtual machines. */
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"
#include "control/api/vm_plans.h"
#include "control/task/task.h"
#include "control/vm/vm_log.h"
#include "control/vm/vm_manager.h"

#include <stdio.h>

enum { LOG_LINES = 200, LOG_LINES_MAX = 5000 };

struct vm_spec {
	char *template;
	char *name;
	char *address;
	uint32_t cpus, memory_mib;
};

const struct json_field vm_spec_fields[] = {
	JSON_STRING(struct vm_spec, template, .required = true, .min = 1, .max = 63),
	JSON_STRING(struct vm_spec, name, .min = 1, .max = 63),
	JSON_STRING(struct vm_spec, address, .min = 7, .max = 15),
	JSON_U32(struct vm_spec, cpus, .min = 1, .max = 64),
	JSON_U32(struct vm_spec, memory_mib, .min = 96, .max = 1048576),
	JSON_END,
};

const struct json_field vm_patch_fields[] = {
	JSON_U32(struct vm_spec, cpus, .min = 1, .max = 64),
	JSON_U32(struct vm_spec, memory_mib, .min = 96, .max = 1048576),
	JSON_END,
};

static int manager(struct api *api, struct error *err)
{
	return api->config.vms ? 0 : api_unavailable("the hypervisor is", err);
}

int templates_list(struct api *api, const struct http_request *req, struct http_reply *reply,
		   struct error *err)
{
	AUTO_LISTING query = { 0 };
	int r = http_listing_read(req, &template_listing, &query, err);

	if (r == 0)
		r = manager(api, err);
	if (r < 0)
		return r;
	return api_reply_whole(&query, vm_manager_templates(api->config.vms), reply, err);
}

int templates_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		  struct error *err)
{
	AUTO(json) json_t *all = NULL;
	json_t *one;
	size_t i;
	int r = manager(api, err);

	if (r < 0)
		return r;
	all = vm_manager_templates(api->config.vms);
	json_array_foreach(all, i, one)
	{
		const char *name = json_string_value(json_object_get(one, "name"));

		if (name && strcmp(name, req->param[0]) == 0)
			return reply_json(reply, 200, json_incref(one), err);
	}
	return error_set(err, -ENOENT, "there is no template '%s'", req->param[0]);
}

int vms_list(struct api *api, const struct http_request *req, struct http_reply *reply,
	     struct error *err)
{
	AUTO_LISTING query = { 0 };
	int r = http_listing_read(req, &vm_listing, &query, err);

	if (r == 0)
		r = manager(api, err);
	if (r < 0)
		return r;
	return api_reply_whole(&query, vm_manager_list(api->config.vms), reply, err);
}

/* The ETag follows what people change, not what the guest does. */
static void vm_etag(const json_t *vm, char etag[HTTP_ETAG_SIZE])
{
	AUTO(json) json_t *part = json_object();
	static const char *const members[] = { "id",	     "name",	"cpus",
					       "memory_mib", "pending", "desired_state",
					       "addresses",  "root" };

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		(void)json_object_set(part, members[i], json_object_get(vm, members[i]));
	api_etag(part, etag);
}

static int reply_vm(json_t *vm, struct http_reply *reply, struct error *err)
{
	char etag[HTTP_ETAG_SIZE];

	vm_etag(vm, etag);
	(void)reply_etag(reply, etag, err);
	return reply_json(reply, 200, vm, err);
}

int vms_get(struct api *api, const struct http_request *req, struct http_reply *reply,
	    struct error *err)
{
	json_t *vm = NULL;
	int r = manager(api, err);

	if (r == 0)
		r = vm_manager_get(api->config.vms, req->param[0], &vm, err);
	return r < 0 ? r : reply_vm(vm, reply, err);
}

/* The work is queued: say so with the task. */
static int reply_queued(struct api *api, struct change *change, const char *task_id,
			struct http_reply *reply, struct error *err)
{
	json_t *task = NULL;
	int r = change_commit(change, err);

	if (r == 0)
		r = task_get(api->config.tasks, task_id, &task, err);
	return r < 0 ? r : reply_task(reply, task_id, task, err);
}

/* A template that is not there is a fault of the body. */
static int no_template(const struct vm_spec *spec, struct error *err)
{
	return error_field(err, -EINVAL, "/template", "there is no template '%s'", spec->template);
}

static int create(struct api *api, const struct http_request *req, const struct vm_spec *spec,
		  struct http_reply *reply, struct error *err)
{
	AUTO(change) struct change *change = NULL;
	char task_id[VM_TASK_ID_SIZE], target[80];
	struct vm_deploy deploy = { .template_name = spec->template,
				    .name = spec->name,
				    .address = spec->address,
				    .cpus = spec->cpus,
				    .memory_mib = spec->memory_mib };
	int r;

	if (api_dry_run(req)) {
		r = vm_plan_deploy(api, &deploy, reply, err);
		return r == -ENOENT ? no_template(spec, err) : r;
	}
	r = api_change(api, req, &change, err);
	if (r < 0)
		return r;
	(void)snprintf(target, sizeof(target), "vms/%s", spec->name ? spec->name : spec->template);
	change_target(change, target);
	r = vm_manager_deploy(api->config.vms, &deploy, api_actor(req)->name, task_id, err);
	if (r == -ENOENT)
		r = no_template(spec, err);
	return r < 0 ? r : reply_queued(api, change, task_id, reply, err);
}

int vms_create(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	struct vm_spec spec = { 0 };
	int r = json_read(req->json, vm_spec_fields, &spec, err);

	if (r == 0)
		r = manager(api, err);
	if (r == 0)
		r = create(api, req, &spec, reply, err);
	json_release(vm_spec_fields, &spec);
	return r;
}

int vms_patch(struct api *api, const struct http_request *req, struct http_reply *reply,
	      struct error *err)
{
	static const char *const read_only[] = {
		"id",	   "name",	  "template",  "kind",	     "state",	   "desired_state",
		"ready",   "accelerator", "addresses", "restarts",   "root",	   "disks",
		"pending", "started_at",  "ready_at",  "created_at", "updated_at", "reason",
		"mac",	   "guest",	  NULL
	};
	AUTO(json) json_t *vm = NULL;
	AUTO(json) json_t *writable = NULL;
	AUTO(change) struct change *change = NULL;
	struct vm_spec spec = { 0 };
	struct vm_change wish;
	json_t *now = NULL;
	char etag[HTTP_ETAG_SIZE];
	int r = manager(api, err);

	if (r == 0)
		r = vm_manager_get(api->config.vms, req->param[0], &vm, err);
	if (r < 0)
		return r;
	vm_etag(vm, etag);
	r = http_if_match(req, etag, true, err);
	if (r == 0)
		r = api_patch_writable(req->json, vm, read_only, &writable, err);
	if (r == 0)
		r = json_read(writable, vm_patch_fields, &spec, err);
	wish = (struct vm_change){ .cpus = spec.cpus, .memory_mib = spec.memory_mib, .was = vm };
	if (r == 0 && api_dry_run(req))
		return vm_plan_change(api, req->param[0], &wish, reply, err);
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = vm_manager_change(api->config.vms, req->param[0], &wish, &now, err);
	if (r == 0)
		r = change_commit(change, err);
	if (r < 0) {
		json_decref(now);
		return r;
	}
	return reply_vm(now, reply, err);
}

int vms_delete(struct api *api, const struct http_request *req, struct http_reply *reply,
	       struct error *err)
{
	AUTO(json) json_t *vm = NULL;
	AUTO(change) struct change *change = NULL;
	char etag[HTTP_ETAG_SIZE];
	bool purge;
	int r = http_query_bool(req, "purge", false, &purge, err);

	if (r == 0)
		r = manager(api, err);
	if (r == 0)
		r = vm_manager_get(api->config.vms, req->param[0], &vm, err);
	if (r < 0)
		return r;
	vm_etag(vm, etag);
	r = http_if_match(req, etag, false, err);
	if (r == 0 && api_dry_run(req))
		return vm_plan_delete(api, req->param[0], purge, reply, err);
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = vm_manager_delete(api->config.vms, req->param[0], purge, err);
	if (r == 0)
		r = change_commit(change, err);
	return r < 0 ? r : reply_empty(reply, 204, err);
}

int vms_act(struct api *api, const struct http_request *req, struct http_reply *reply,
	    struct error *err)
{
	AUTO(change) struct change *change = NULL;
	char task_id[VM_TASK_ID_SIZE];
	enum vm_action action;
	int r = vm_action_parse(req->param[1], &action);

	if (r < 0)
		return error_set(err, -ENOENT, "there is no action '%s'", req->param[1]);
	r = manager(api, err);
	if (r == 0 && api_dry_run(req))
		return vm_plan_act(api, req->param[0], action, reply, err);
	if (r == 0)
		r = api_change(api, req, &change, err);
	if (r == 0)
		r = vm_manager_act(api->config.vms, req->param[0], action, api_actor(req)->name,
				   task_id, err);
	return r < 0 ? r : reply_queued(api, change, task_id, reply, err);
}

/* A console says anything: what is no printable ASCII or UTF-8 becomes '?'. */
static json_t *line_json(struct slice line)
{
	char text[2048];
	size_t n = line.len < sizeof(text) ? line.len : sizeof(text);
	json_t *json = json_stringn(line.p, n);

	if (json)
		return json;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)line.p[i];

		text[i] = (char)((c >= ' ' && c < 127) || c == '\t' ? c : '?');
	}
	return json_stringn(text, n);
}

static json_t *last_lines(struct slice log, uint32_t want)
{
	json_t *lines = json_array();
	const char *from = log.p + log.len;
	uint32_t seen = 0;

	/* Back to the start of the want-th line from the end. */
	while (from > log.p) {
		if (from[-1] == '\n' && from != log.p + log.len && ++seen == want)
			break;
		from--;
	}
	log = slice_make(from, (size_t)(log.p + log.len - from));
	while (log.len > 0) {
		struct slice line = slice_take_until(&log, '\n', NULL);

		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		(void)json_array_append_new(lines, line_json(line));
	}
	return lines;
}

int vms_log(struct api *api, const struct http_request *req, struct http_reply *reply,
	    struct error *err)
{
	static const char *const known[] = { "lines", NULL };
	AUTO(str) char *log = NULL;
	size_t len = 0;
	uint32_t lines;
	int r = http_query_only(req, known, err);

	if (r == 0)
		r = http_query_u32(req, "lines", 1, LOG_LINES_MAX, LOG_LINES, &lines, err);
	if (r == 0)
		r = manager(api, err);
	if (r == 0)
		r = vm_log_tail(api->config.vms, req->param[0], VM_LOG_READ_MAX, &log, &len, err);
	if (r < 0)
		return r;
	return reply_json(reply, 200,
			  json_pack("{s:o}", "lines",
				    last_lines(slice_make(log ? log : "", log ? len : 0), lines)),
			  err);
}
