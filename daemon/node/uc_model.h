/* SPDX-License-Identifier: Apache-2.0 */
/* uc_model.h - what people administer, as the call servers see it: one immutable snapshot. */
#pragma once
#include "base/error.h"

#include "base/json_field.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/uc_routing.h"

struct uc_model; /* reference counted; the counting may be done from any thread */

/* All texts are NUL-terminated and live as long as the snapshot. */

enum uc_entity_type {
	UC_ENTITY_SM,
	UC_ENTITY_CM,
	UC_ENTITY_PRESENCE,
	UC_ENTITY_TRUNK,
	UC_ENTITY_VOICEMAIL,
	UC_ENTITY_GATEWAY,
	UC_ENTITY_OTHER,
};
enum uc_transport { UC_UDP, UC_TCP, UC_TLS };
enum uc_dial_type { UC_DIAL_EXTENSION, UC_DIAL_FAC, UC_DIAL_AAR, UC_DIAL_ARS, UC_DIAL_ATTENDANT };

struct uc_station {
	const char *extension; /* digits */
	const char *handle;    /* the user that it belongs to */
	uint32_t appearances;  /* 1..10 */
	bool restrict_last_appearance;
};

struct uc_entity {
	const char *name;
	enum uc_entity_type type;
	const char *address; /* IP literal or host name */
	uint16_t port;
	enum uc_transport transport;
	bool trusted;				    /* sm, cm, presence always; others by choice */
	const struct uc_location *location;	    /* NULL: by its address */
	const struct uc_adaptation *adaptation;	    /* NULL: none */
	const struct uc_zone *zone;		    /* of calls from there; NULL: its location's */
	uint32_t timer_b_s;			    /* how long a silent peer is waited for */
	struct uc_monitoring monitoring;	    /* of others than cm and presence */
	const struct uc_registration *registration; /* NULL: none */
	uint32_t max_calls;			    /* 0: no limit */
	size_t link_count;			    /* 1 or more */
	struct uc_entity_link links[UC_ENTITY_LINKS_MAX];
};

struct uc_sequence_entry {
	const struct uc_entity *entity; /* NULL when no entity has that name */
	const char *name;
	bool mandatory;
};
struct uc_sequence {
	const char *name;
	size_t count;
	const struct uc_sequence_entry *entries;
};

struct uc_user {
	const char *handle;
	const char *name;
	const char *aor;	/* handle@domain, without scheme */
	const char *ha1_md5;	/* 32 hex digits, "" when there is none */
	const char *ha1_sha256; /* 64 hex digits, "" when there is none */
	uint32_t max_contacts;
	bool presence_enabled;
	const struct uc_station *station;   /* NULL: sm alone serves the user */
	const struct uc_sequence *sequence; /* NULL: none. Already resolved: a user with a station
					     * has sip.sequence or the only one there is */
	const struct uc_location *home;	    /* whose patterns hold for him; NULL: where he is */
};

struct uc_dial_entry {
	const char *match; /* leading digits */
	uint32_t length;   /* total digits */
	enum uc_dial_type type;
};

/* Row sets, as bits: what differs between two snapshots. */
enum uc_set {
	UC_SET_USERS = 1 << 0,
	UC_SET_STATIONS = 1 << 1,
	UC_SET_PRESENCE = 1 << 2,
	UC_SET_ENTITIES = 1 << 3,
	UC_SET_SEQUENCES = 1 << 4,
	UC_SET_DIAL_PLAN = 1 << 5,
	UC_SET_SETTINGS = 1 << 6,
	UC_SET_ROUTING = 1 << 7, /* all of uc_routing.h but entities and the firewall */
	UC_SET_FIREWALL = 1 << 8,
	UC_SET_ALL = (1 << 9) - 1,
};

/* Build a snapshot from an /uc/export document. A user's `password` in clear becomes its HA1 and
 * is not kept. Unknown members are ignored (a newer smgr may send them), wrong ones are not.
 * Errors: -EINVAL (err->field is the JSON pointer), -EEXIST two users of one handle or two
 * stations of one extension, -ENOMEM. One reference is the caller's. */
int uc_model_new(const json_t *document, struct uc_model **ret, struct error *err);
/* The same from a file of at most 64 MiB. Errors also: -ENOENT, -EACCES, -EBADMSG not JSON. */
int uc_model_load(const char *path, struct uc_model **ret, struct error *err);
struct uc_model *uc_model_empty(const char *domain); /* no rows at all; NULL out of memory */
struct uc_model *uc_model_ref(struct uc_model *model);
struct uc_model *uc_model_unref(struct uc_model *model); /* accepts NULL, returns NULL */
DEFINE_AUTO_CALL(uc_model, struct uc_model *, uc_model_unref)

const char *uc_model_domain(const struct uc_model *model);

/* Look-ups answer NULL for "nobody". Keys need no NUL. */
const struct uc_user *uc_user_by_handle(const struct uc_model *m, const char *key, size_t len);
const struct uc_user *uc_user_by_extension(const struct uc_model *m, const char *key, size_t len);
const struct uc_station *uc_station_by_extension(const struct uc_model *m, const char *key,
						 size_t len);
const struct uc_entity *uc_entity_by_name(const struct uc_model *m, const char *key, size_t len);
/* The first of that type; NULL when there is none. */
const struct uc_entity *uc_entity_by_type(const struct uc_model *m, enum uc_entity_type type);
/* The dial plan entry of longest match whose length is that of the digits. */
const struct uc_dial_entry *uc_dial_match(const struct uc_model *m, const char *digits, size_t len);

/* Walks, in the order of the document. */
size_t uc_user_count(const struct uc_model *m);
const struct uc_user *uc_user_at(const struct uc_model *m, size_t i);
size_t uc_entity_count(const struct uc_model *m);
const struct uc_entity *uc_entity_at(const struct uc_model *m, size_t i);
size_t uc_sequence_count(const struct uc_model *m);
const struct uc_sequence *uc_sequence_at(const struct uc_model *m, size_t i);
size_t uc_dial_count(const struct uc_model *m);
const struct uc_dial_entry *uc_dial_at(const struct uc_model *m, size_t i);

const char *uc_entity_type_name(enum uc_entity_type type);
