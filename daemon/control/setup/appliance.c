/* SPDX-License-Identifier: Apache-2.0 */
/* appliance.c - see appliance.h. */
#include "control/setup/appliance.h"

#include <stdio.h>

#include "base/clock.h"
#include "control/auth/audit.h"
#include "control/uc/uc.h"
#include "control/vm/vm_manager.h"
#include "store/store.h"

struct appliance {
	struct appliance_config config;
	char *host_name;
	json_t *network;
};

int appliance_new(const struct appliance_config *config, struct appliance **ret, struct error *err)
{
	struct appliance *a = calloc(1, sizeof(*a));

	if (!a)
		return error_set(err, -ENOMEM, "no memory for the appliance");
	a->config = *config;
	a->host_name = strdup(config->host_name ? config->host_name : "aurabox");
	if (config->network_text)
		a->network = json_loads(config->network_text, 0, NULL);
	if (!a->host_name || (config->network_text && !a->network)) {
		(void)appliance_free(a);
		return error_set(err, -ENOMEM, "no memory for the appliance");
	}
	*ret = a;
	return 0;
}

struct appliance *appliance_free(struct appliance *a)
{
	if (!a)
		return NULL;
	json_decref(a->network);
	free(a->host_name);
	free(a);
	return NULL;
}

/* Control characters are U+0000..1F and U+007F..9F, the latter in UTF-8 as C2 80..9F. */
int appliance_name_check(const char *name, struct error *err)
{
	const unsigned char *p = (const unsigned char *)name;

	for (; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f))
			return error_set(err, -EINVAL, "must not hold control characters");
	return 0;
}

int appliance_read(struct appliance *a, struct appliance_row *ret, struct error *err)
{
	static const char sql[] = "SELECT name, time_zone, (setup_finished_at IS NOT NULL)::int, "
				  "version FROM appliance";
	AUTO(store_rows) struct store_rows *rows = NULL;
	const char *name, *zone;
	int r = store_query(a->config.store, sql, NULL, 0, &rows, err);

	if (r < 0)
		return r;
	if (store_rows_count(rows) != 1)
		return error_set(err, -EIO, "the table appliance has no row");
	name = store_rows_text(rows, 0, 0);
	zone = store_rows_text(rows, 0, 1);
	*ret = (struct appliance_row){ .name_given = name != NULL,
				       .zone_given = zone != NULL,
				       .finished = store_rows_i64(rows, 0, 2, 0) != 0,
				       .version = store_rows_i64(rows, 0, 3, 0) };
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name ? name : a->host_name);
	if (zone)
		(void)snprintf(ret->time_zone, sizeof(ret->time_zone), "%s", zone);
	else
		zone_of_host(ret->time_zone);
	return 0;
}

/* One part's state; a failed database fails the whole, anything else only degrades it. */
static void component(json_t *components, const char *name, int r, const char *bad,
		      const struct error *err, const char **status)
{
	const char *state = r < 0 ? bad : "ok";

	(void)json_object_set_new(components, name,
				  json_pack("{s:s, s:s}", "status", state, "detail",
					    r < 0 ? error_text(err, r) : ""));
	if (r < 0 && strcmp(*status, "failed") != 0)
		*status = bad;
}

json_t *appliance_components(struct appliance *a, const char **status)
{
	json_t *components = json_object();
	struct error err = { 0 };
	int r = store_ping(a->config.store, &err);

	*status = "ok";
	component(components, "database", r, "failed", &err, status);
	error_clear(&err);
	r = a->config.vms ? vm_manager_health(a->config.vms, &err)
			  : error_set(&err, -EAGAIN, "no virtual machines are managed");
	component(components, "vms", r, "degraded", &err, status);
	error_clear(&err);
	r = a->config.uc ? uc_ping(a->config.uc, &err)
			 : error_set(&err, -EAGAIN, "System Manager (smgr) is not there");
	component(components, "uc", r, "degraded", &err, status);
	return components;
}

int appliance_json(struct appliance *a, const struct appliance_row *row, json_t **ret,
		   struct error *err)
{
	AUTO(json) json_t *summary = NULL;
	AUTO(json) json_t *appliance = NULL;
	char started[CLOCK_RFC3339_SIZE];
	const char *status;

	summary = a->config.vms ? vm_manager_summary(a->config.vms) : json_object();
	appliance = json_pack("{s:s, s:s, s:b, s:s, s:O?, s:o, s:s}", "name", row->name,
			      "time_zone", row->time_zone, "setup_finished", (int)row->finished,
			      "version", AURA_VERSION, "network", a->network, "components",
			      appliance_components(a, &status), "started_at",
			      clock_format(a->config.started_ms, started));
	if (!appliance || json_object_update(appliance, summary) < 0)
		return error_set(err, -ENOMEM, "no memory for the appliance");
	*ret = TAKE(appliance);
	return 0;
}

int appliance_next(struct appliance *a, const struct appliance_change *what,
		   struct appliance_row *row, json_t **ret, struct error *err)
{
	row->version++;
	row->finished |= what->finish;
	row->name_given |= what->name != NULL;
	row->zone_given |= what->time_zone != NULL;
	if (what->name)
		(void)snprintf(row->name, sizeof(row->name), "%s", what->name);
	if (what->time_zone)
		(void)snprintf(row->time_zone, sizeof(row->time_zone), "%s", what->time_zone);
	return appliance_json(a, row, ret, err);
}

int appliance_write(struct change *change, const struct appliance_change *what, int64_t version,
		    const json_t *resource, struct error *err)
{
	static const char sql[] =
		"UPDATE appliance SET name = coalesce($1, name), time_zone = coalesce($2, time_zone), "
		"setup_finished_at = CASE WHEN $3::boolean THEN coalesce(setup_finished_at, now()) "
		"ELSE setup_finished_at END, version = version + 1, updated_at = now() "
		"WHERE version = $4::bigint";
	int r = store_tx_exec(change_tx(change), sql,
			      (const char *[]){ what->name, what->time_zone,
						what->finish ? "t" : "f", store_num(version) },
			      4, err);

	if (r == 0)
		return error_set(err, -ESTALE, "the appliance has changed since it was read");
	if (r < 0)
		return r;
	return change_event(change, "appliance", "appliance.changed", "appliance",
			    json_deep_copy(resource), err);
}
