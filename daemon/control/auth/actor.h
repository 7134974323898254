/* SPDX-License-Identifier: Apache-2.0 */
/* actor.h - who does something, and which permissions that one has. Plain values. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct json_t; /* Jansson */

enum actor_kind { ACTOR_NONE, ACTOR_SESSION, ACTOR_TOKEN, ACTOR_SOCKET, ACTOR_SYSTEM };

enum role { ROLE_ADMIN, ROLE_OPERATOR, ROLE_TELEPHONY, ROLE_AUDITOR, ROLE_USER, ROLE_COUNT };

/* One bit a permission; the table in actor.c gives their names "vms:read" and roles. */
typedef uint64_t permissions;

struct actor {
	enum actor_kind kind;
	char admin_id[37]; /* "" for socket and system */
	char name[300];	   /* administrator's name; "root" or the user's name on the socket */
	enum role role;
	permissions may;
	char address[64];    /* of the peer; "unix" */
	char session_id[37]; /* ACTOR_SESSION; for ACTOR_TOKEN the token's id */
	char csrf[48];
	int64_t expires_at; /* ms since 1970; 0 never */
	bool must_change_password;
};

const char *role_name(enum role role);
int role_parse(const char *text, enum role *ret); /* -EINVAL */
extern const char *const role_names[];		  /* NULL-terminated, in the order of enum role */

permissions role_permissions(enum role role);
/* The bit of "vms:read"; 0 if there is no such permission. */
permissions permission_parse(const char *text);
/* ["vms:read",…]; NULL: no memory. */
struct json_t *permissions_json(permissions may);
/* Does it have what a route asks for (http/route.h)? */
bool actor_may(const struct actor *actor, const char *permission);
