/* SPDX-License-Identifier: Apache-2.0 */
/* actor.c - see actor.h. */
#include "control/auth/actor.h"
#include "base/error.h"
#include "base/slice.h"

#include "base/json_field.h"

#define IN(role) (1U << (role))
#define ALL_READERS (IN(ROLE_ADMIN) | IN(ROLE_AUDITOR))
#define VM_PEOPLE (IN(ROLE_ADMIN) | IN(ROLE_OPERATOR))
#define UC_PEOPLE (IN(ROLE_ADMIN) | IN(ROLE_TELEPHONY))
#define STAFF (IN(ROLE_ADMIN) | IN(ROLE_OPERATOR) | IN(ROLE_TELEPHONY) | IN(ROLE_AUDITOR))
#define OWNERS (IN(ROLE_ADMIN) | IN(ROLE_OPERATOR) | IN(ROLE_TELEPHONY) | IN(ROLE_USER))

/* clang-format off */
static const struct { const char *name; unsigned roles; } table[] = {
	{ "appliance:read",  STAFF },
	{ "appliance:write", IN(ROLE_ADMIN) },
	{ "templates:read",  VM_PEOPLE | ALL_READERS },
	{ "vms:read",        VM_PEOPLE | ALL_READERS },
	{ "vms:write",       VM_PEOPLE },
	{ "vms:act",         VM_PEOPLE },
	{ "tasks:read",      STAFF },
	{ "tasks:act",       VM_PEOPLE },
	{ "alarms:read",     STAFF },
	{ "alarms:act",      VM_PEOPLE | UC_PEOPLE },
	{ "events:read",     STAFF },
	{ "admins:read",     ALL_READERS },
	{ "admins:write",    IN(ROLE_ADMIN) },
	{ "tokens:read",     OWNERS | ALL_READERS },
	{ "tokens:write",    OWNERS },
	{ "audit:read",      ALL_READERS },
	{ "uc:read",         UC_PEOPLE | ALL_READERS },
	{ "uc:write",        UC_PEOPLE },
	{ "uc:act",          UC_PEOPLE },
	{ "metrics:read",    VM_PEOPLE | ALL_READERS },
	{ "setup:read",      ALL_READERS },
	{ "setup:write",     IN(ROLE_ADMIN) },
	{ "setup:act",       IN(ROLE_ADMIN) },
};
/* clang-format on */

const char *const role_names[] = { "admin", "operator", "telephony", "auditor", "user", NULL };

const char *role_name(enum role role)
{
	return role < ROLE_COUNT ? role_names[role] : "?";
}

int role_parse(const char *text, enum role *ret)
{
	for (int i = 0; i < ROLE_COUNT; i++) {
		if (strcmp(role_names[i], text) == 0) {
			*ret = (enum role)i;
			return 0;
		}
	}
	return -EINVAL;
}

permissions role_permissions(enum role role)
{
	permissions may = 0;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].roles & IN(role))
			may |= (permissions)1 << i;
	}
	return may;
}

permissions permission_parse(const char *text)
{
	/* DESIGN names one scope by its resource alone. */
	if (strcmp(text, "metrics") == 0)
		text = "metrics:read";
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(table[i].name, text) == 0)
			return (permissions)1 << i;
	}
	return 0;
}

json_t *permissions_json(permissions may)
{
	json_t *names = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (may & (permissions)1 << i)
			(void)json_array_append_new(names, json_string(table[i].name));
	}
	return names;
}

bool actor_may(const struct actor *actor, const char *permission)
{
	if (!permission)
		return true;
	if (actor->kind == ACTOR_NONE)
		return false;
	if (strcmp(permission, "*") == 0)
		return true;
	return (actor->may & permission_parse(permission)) != 0;
}
