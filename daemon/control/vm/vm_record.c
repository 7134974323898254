/* SPDX-License-Identifier: Apache-2.0 */
/* vm_record.c - VMs at rest: box.db is the truth of this box, PostgreSQL the copy that others read. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/task/event.h"
#include "control/vm/vm_internal.h"
#include "store/local_db.h"
#include "store/store.h"

#define RETRY_MS 1000

const char VM_BOX_MIGRATION[] = "CREATE TABLE vm ("
				" id TEXT NOT NULL PRIMARY KEY,"
				" name TEXT NOT NULL UNIQUE,"
				" document TEXT NOT NULL"
				") STRICT;";

static const char *const phase_names[] = { "deploying", "defined", "deleting", "purging", NULL };

static json_t *record_json(const struct vm *vm)
{
	return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:s,s:b,s:b,s:I,s:I,s:I,s:I,s:s,s:s}",
			 "template", vm->template_name, "mac", vm->mac, "address", vm->address,
			 "cpus", (json_int_t)vm->cpus, "memory_mib", (json_int_t)vm->memory_mib,
			 "run_cpus", (json_int_t)vm->run_cpus, "run_memory_mib",
			 (json_int_t)vm->run_memory_mib, "phase", phase_names[vm->phase],
			 "disk_was_there", (int)vm->disk_was_there, "desired_running",
			 (int)vm->desired_running, "created_at", (json_int_t)vm->created_at,
			 "updated_at", (json_int_t)vm->updated_at, "started_at",
			 (json_int_t)vm->started_at, "restarts", (json_int_t)vm->restarts,
			 "root_version", vm->root_version, "root_sha256", vm->root_sha256);
}

int vm_record_save(struct vm *vm, struct error *err)
{
	static const char sql[] = "INSERT INTO vm (id, name, document) VALUES (?1, ?2, ?3) "
				  "ON CONFLICT (id) DO UPDATE SET document = excluded.document";
	AUTO(json) json_t *o = record_json(vm);
	AUTO(str) char *text = o ? json_text(o) : NULL;
	int r;

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	r = local_db_exec(vm->m->config.box, sql, (const char *[]){ vm->id, vm->name, text }, 3,
			  err);
	return r < 0 ? r : 0;
}

void vm_record_drop(struct vm *vm)
{
	struct error err = { 0 };
	int r = local_db_exec(vm->m->config.box, "DELETE FROM vm WHERE id = ?1",
			      (const char *[]){ vm->id }, 1, &err);

	if (r < 0)
		log_failure(LOG_LEVEL_ERROR, "vm.record_drop", r, &err);
}

static void text_into(const json_t *o, const char *member, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(o, member));

	(void)snprintf(out, size, "%s", s ? s : "");
}

static int64_t int_of(const json_t *o, const char *member)
{
	return json_integer_value(json_object_get(o, member));
}

static void record_read(struct vm *vm, const json_t *o)
{
	char phase[16];

	text_into(o, "template", vm->template_name, sizeof(vm->template_name));
	text_into(o, "mac", vm->mac, sizeof(vm->mac));
	text_into(o, "address", vm->address, sizeof(vm->address));
	text_into(o, "root_version", vm->root_version, sizeof(vm->root_version));
	text_into(o, "root_sha256", vm->root_sha256, sizeof(vm->root_sha256));
	text_into(o, "phase", phase, sizeof(phase));
	vm->phase = VM_PHASE_DEFINED;
	for (size_t i = 0; phase_names[i]; i++)
		if (strcmp(phase, phase_names[i]) == 0)
			vm->phase = (enum vm_phase)i;
	vm->cpus = (uint32_t)int_of(o, "cpus");
	vm->memory_mib = (uint32_t)int_of(o, "memory_mib");
	vm->run_cpus = (uint32_t)int_of(o, "run_cpus");
	vm->run_memory_mib = (uint32_t)int_of(o, "run_memory_mib");
	vm->disk_was_there = json_is_true(json_object_get(o, "disk_was_there"));
	vm->desired_running = json_is_true(json_object_get(o, "desired_running"));
	vm->created_at = int_of(o, "created_at");
	vm->updated_at = int_of(o, "updated_at");
	vm->started_at = int_of(o, "started_at");
	vm->restarts = (uint32_t)int_of(o, "restarts");
	fsm_init(&vm->fsm, &vm_cycle, vm->phase == VM_PHASE_DEPLOYING ? VM_DEPLOYING : VM_STOPPED);
	vm->dirty = true;
}

int vm_record_load(struct vm_manager *m, struct error *err)
{
	struct store_rows *rows = NULL;
	int r = local_db_query(m->config.box, "SELECT id, name, document FROM vm ORDER BY name",
			       NULL, 0, &rows, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < store_rows_count(rows) && m->count < VM_COUNT_MAX; i++) {
		AUTO(json) json_t *o = store_rows_json(rows, i, 2);
		struct vm *vm;

		if (!json_is_object(o)) {
			log_error("vm.record_damaged", F("vm", store_rows_text(rows, i, 1)));
			continue;
		}
		vm = vm_new(m);
		if (!vm) {
			(void)store_rows_free(rows);
			return error_set(err, -ENOMEM, "out of memory");
		}
		(void)snprintf(vm->id, sizeof(vm->id), "%s", store_rows_text(rows, i, 0));
		(void)snprintf(vm->name, sizeof(vm->name), "%s", store_rows_text(rows, i, 1));
		record_read(vm, o);
		if (vm_catalogue_find(m->catalogue, vm->template_name, &vm->t, NULL) < 0)
			log_error("vm.template_missing", F("vm", vm->name),
				  F("template", vm->template_name));
	}
	(void)store_rows_free(rows);
	return 0;
}

/* ---- the copy in PostgreSQL ---- */

struct publication {
	char id[VM_UUID_SIZE];
	char name[VM_NAME_MAX + 1];
	char template_name[VM_NAME_MAX + 1];
	json_t *view;
};

static int write_row(struct store_tx *tx, void *user, struct error *err)
{
	static const char sql[] =
		"INSERT INTO vm (id, name, template, document, updated_at)"
		" VALUES ($1, $2, $3, $4, now())"
		" ON CONFLICT (id) DO UPDATE SET document = excluded.document, updated_at = now()";
	struct publication *p = user;
	AUTO(str) char *text = json_text(p->view);
	int r;

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	/* an earlier VM of that name may have been deleted while the database was away */
	r = store_tx_exec(tx, "DELETE FROM vm WHERE name = $1 AND id <> $2",
			  (const char *[]){ p->name, p->id }, 2, err);
	if (r >= 0)
		r = store_tx_exec(tx, sql,
				  (const char *[]){ p->id, p->name, p->template_name, text }, 4,
				  err);
	if (r < 0)
		return r;
	return event_add(tx, "vms", "vm.changed", p->id, json_incref(p->view), err);
}

/* VMs that went while the database was away. */
static int drop_stale_rows(struct vm_manager *m, struct error *err)
{
	AUTO(json) json_t *ids = json_array();
	AUTO(str) char *text = NULL;
	struct vm *vm;

	vm_lock(m);
	LIST_FOREACH (vm, &m->vms, struct vm, link)
		(void)json_array_append_new(ids, json_string(vm->id));
	vm_unlock(m);
	text = json_text(ids);
	if (!text)
		return -ENOMEM;
	return store_exec(
		m->config.store,
		"DELETE FROM vm WHERE NOT (to_jsonb($1::text::json) @> to_jsonb(id::text))",
		(const char *[]){ text }, 1, err);
}

static bool next_dirty(struct vm_manager *m, struct publication *p)
{
	struct vm *vm;

	LIST_FOREACH (vm, &m->vms, struct vm, link) {
		if (!vm->dirty)
			continue;
		vm->dirty = false;
		memcpy(p->id, vm->id, sizeof(p->id));
		memcpy(p->name, vm->name, sizeof(p->name));
		memcpy(p->template_name, vm->template_name, sizeof(p->template_name));
		p->view = vm_to_json(vm);
		return true;
	}
	return false;
}

void vm_publish(struct vm_manager *m)
{
	struct publication p;
	struct error err = { 0 };
	bool found;
	int r;

	if (vm_now(m) < m->next_publish_ms)
		return;
	if (!m->mirror_checked)
		m->mirror_checked = drop_stale_rows(m, &err) >= 0;
	for (;;) {
		struct vm *vm;

		vm_lock(m);
		found = next_dirty(m, &p);
		vm_unlock(m);
		if (!found)
			return;
		r = store_tx_run(m->config.store, false, write_row, &p, &err);
		json_decref(p.view);
		if (r >= 0)
			continue;
		m->next_publish_ms = vm_now(m) + RETRY_MS;
		vm_lock(m);
		vm = vm_find(m, p.id);
		if (vm)
			vm->dirty = true;
		vm_unlock(m);
		if (r != -EAGAIN)
			log_failure(LOG_LEVEL_WARNING, "vm.publish", r, &err);
		return;
	}
}

void vm_publish_deleted(struct vm_manager *m, const char *id, const char *name)
{
	struct error err = { 0 };
	int r;

	r = store_exec(m->config.store, "DELETE FROM vm WHERE id = $1", (const char *[]){ id }, 1,
		       &err);
	if (r >= 0)
		r = event_publish(m->config.events, "vms", "vm.deleted", id,
				  json_pack("{s:s,s:s}", "id", id, "name", name), &err);
	if (r < 0) {
		/* the row goes when the database is back */
		m->mirror_checked = false;
		log_failure(LOG_LEVEL_WARNING, "vm.publish", r, &err);
	}
}
