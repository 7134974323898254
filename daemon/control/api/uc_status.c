/* SPDX-License-Identifier: Apache-2.0 */
/* uc_status.c - see uc_status.h. */
#include "control/api/uc_status.h"
#include "control/uc/uc.h"

#include <string.h>

static json_t *status_of(const json_t *known, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)known, i, one)
	{
		const char *its = json_string_value(json_object_get(one, "name"));

		if (its && strcmp(its, name) == 0) {
			json_t *status = json_copy(one);

			(void)json_object_del(status, "name");
			(void)json_object_del(status, "type");
			return status;
		}
	}
	return json_null();
}

void uc_status_add(struct uc *uc, json_t *entities)
{
	AUTO(json) json_t *known = NULL;
	struct error ignored = { 0 };
	json_t *entity;
	size_t i;

	if (json_array_size(entities) == 0)
		return;
	(void)uc_entities_live(uc, &known, &ignored);
	json_array_foreach(entities, i, entity)
	{
		const char *name = json_string_value(json_object_get(entity, "name"));

		(void)json_object_set_new(entity, "status", status_of(known, name ? name : ""));
	}
}

void uc_status_add_one(struct uc *uc, json_t *entity)
{
	AUTO(json) json_t *alone = json_pack("[O]", entity);

	uc_status_add(uc, alone);
}
