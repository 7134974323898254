/* SPDX-License-Identifier: Apache-2.0 */
/* uc_firewall.c - the firewall's rules and limits in an /uc/export document, into a snapshot. */
#include "node/uc_load_private.h"
#include "node/uc_model_build.h"

#include <string.h>

static const struct {
	const char *name;
	uint32_t least, most;
} limits[UC_FIREWALL_LIMIT_COUNT] = {
#define ROW(name, least, most) { #name, least, most },
	UC_FIREWALL_LIMITS(ROW)
#undef ROW
};

const char *uc_firewall_limit_name(enum uc_firewall_limit limit)
{
	return limits[limit].name;
}

static int load_rule(struct uc_place *pl, const json_t *object, void *item, size_t i)
{
	static const char *const actions[] = { "deny", "allow" };
	struct uc_firewall_rule *rule = item;
	int action = 0;
	int r = uc_load_text(pl, object, "pattern", 90, NULL, &rule->text);

	if (r == 0)
		r = uc_load_choice(pl, object, "action", actions, 2, -1, &action);
	if (r < 0)
		return r;
	rule->allow = action == 1;
	if (uc_ip_pattern_read(slice_str(rule->text), &rule->pattern) < 0)
		return uc_load_bad(pl, "pattern", "is no pattern of addresses");
	return 0;
}

static int load_limits(struct uc_place *pl, const json_t *said, struct uc_firewall *fw)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < UC_FIREWALL_LIMIT_COUNT; i++) {
		const json_t *value = json_object_get(said, limits[i].name);
		uint32_t number = 0;

		fw->limit[i] = -1;
		if (!value || json_is_null(value))
			continue;
		r = uc_load_u32(pl, said, limits[i].name, limits[i].least, limits[i].most,
				limits[i].least, &number);
		fw->limit[i] = number;
	}
	return r;
}

int uc_firewall_load(struct uc_place *pl, const json_t *document)
{
	struct uc_firewall *fw = &pl->m->routing.firewall;
	const json_t *said = json_object_get(json_object_get(document, "settings"), "firewall");
	int r = uc_load_rows(pl, document, "firewall_rules", UC_FIREWALL_RULES_MAX,
			     sizeof(*fw->rules), load_rule, &fw->rules, &fw->rule_count);

	if (r < 0)
		return r;
	uc_load_in(pl, "settings/firewall");
	if (said && !json_is_object(said) && !json_is_null(said))
		return uc_load_bad(pl, "", "must be an object");
	r = load_limits(pl, said, fw);
	if (r == 0)
		uc_load_in(pl, "");
	return r;
}
