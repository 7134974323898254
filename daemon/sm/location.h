/* SPDX-License-Identifier: Apache-2.0 */
/* location.h - where users can be reached: address of record -> bindings (RFC 3261 section 10). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slice.h"
#include "codec/sip/sip_via.h"
#include "net/addr.h"

#define LOCATION_CONTACTS_MAX 10 /* of one user, and in one REGISTER */
#define LOCATION_URI_MAX 512
#define LOCATION_TEXT_MAX 256 /* instance, Call-ID, user agent, parameters */
#define LOCATION_PATH_MAX 1024

struct location; /* opaque, see location.c */
struct location_user;

/* One contact of a user; owned by the location, valid until it changes. */
struct binding {
	struct list link;	      /* in its user, oldest first */
	struct list due;	      /* beside those that end in the same second */
	struct list flow_link;	      /* beside those on the same connection */
	struct map_node contact_node; /* by user, host and port: what requests to it are found by */
	struct location_user *user;
	uint64_t id;	/* its own for ever, also over restarts */
	char *texts;	/* the following, in one piece */
	char *uri;	/* Contact URI as registered */
	char *instance; /* +sip.instance without quotes, or "" */
	char *call_id;
	char *user_agent; /* or "" */
	char *params;	  /* further parameters of the Contact with their ";", NULL: none */
	char *path;	  /* Routes that lead to it (RFC 3327), commas between, NULL: none */
	uint32_t reg_id;  /* of several flows of one instance (RFC 5626), 0: none */
	uint32_t texts_size;
	uint32_t cseq;
	uint32_t q;		      /* thousandths, 1000 when not given */
	int64_t expires_ms;	      /* wall clock */
	enum sip_transport transport; /* that the REGISTER came over */
	struct addr source;	      /* where it came from */
	bool by_source; /* behind an address translator: only the source can be reached */
	bool only_udp;	/* a connection to it failed */
	bool callable;	/* sip: or sips:; others are kept and told, no request goes there */
	uint64_t flow;	/* the connection it lives on; 0: none (UDP, or restored after a restart) */
};

enum location_event {
	LOCATION_ADDED,
	LOCATION_REFRESHED,
	LOCATION_REMOVED,  /* asked for */
	LOCATION_REPLACED, /* made room for a newer one */
	LOCATION_EXPIRED,
	LOCATION_CLOSED, /* its connection is gone */
};

/* Every change passes here, after it was made for ADDED and REFRESHED, before the binding is freed
 * for all others. */
typedef void location_hook_fn(void *user, enum location_event event, const char *handle,
			      const struct binding *binding);

/* Errors: -ENOMEM. */
int location_new(location_hook_fn *hook, void *user, struct location **ret);
struct location *location_free(struct location *location); /* hook is not called */
DEFINE_AUTO(location)

/* One contact of a REGISTER; slices are borrowed. */
struct location_change {
	struct slice uri;
	struct slice instance;
	struct slice params;
	uint32_t reg_id;
	uint32_t expires_s; /* granted; 0 removes */
	uint32_t q;
};

struct location_request {
	const char *handle;
	struct slice call_id;
	uint32_t cseq;
	struct slice user_agent;
	struct slice path;
	bool remove_all; /* Contact: * */
	size_t count;
	struct location_change changes[LOCATION_CONTACTS_MAX];
	uint32_t max_contacts;
	bool replace_oldest; /* else one more than max_contacts is refused */
	enum sip_transport transport;
	struct addr source;
	bool by_source;
	uint64_t flow;
	int64_t now_ms; /* wall clock */
};

/* All of a REGISTER or nothing. Errors: -ESTALE CSeq not above the one seen in this Call-ID,
 * -EDQUOT too many contacts, -ENOMEM (what was done before it stays). */
int location_update(struct location *location, const struct location_request *request);
/* Put back a binding that outlived a restart. Errors: -EINVAL, -ENOMEM. */
int location_restore(struct location *location, const char *handle, const struct binding *values);

/* The bindings of a user as a list of struct binding.link, NULL when there are none. */
const struct list *location_of(const struct location *location, struct slice handle);
/* Can a request go to this contact? A sips: one to a sips: contact alone (RFC 5630 section 5.3). */
bool location_takes(const struct binding *binding, bool sips);
/* How many of them it can go to. */
size_t location_callable(const struct location *location, struct slice handle, bool sips);
/* The binding whose Contact URI names the same user, host and port as this URI: how a request inside
 * a dialog finds its phone. Of several, the one that registered from that host. NULL when there is
 * none. */
const struct binding *location_by_contact(const struct location *location, struct slice uri);
/* The URI that a request to this contact carries: the Contact's without headers. */
struct slice location_target(const struct binding *binding);
/* Of an instance with several flows the newest speaks for all (RFC 5626 section 6). */
bool location_is_spare(const struct binding *binding);
/* The next flow of that instance, newest first, whose id is none of those; NULL: no more. */
const struct binding *location_other_flow(const struct location *location, struct slice handle,
					  uint64_t instance, const uint64_t *tried, size_t count);
uint64_t location_instance(const struct binding *binding); /* 0: not one of several flows */
/* It was learned that this contact takes no connections. */
void location_set_only_udp(struct location *location, struct slice uri);
const char *location_handle(const struct binding *binding);

void location_flow_closed(struct location *location, uint64_t flow);
void location_forget(struct location *location, struct slice handle); /* the user was deleted */
void location_expire(struct location *location, int64_t now_ms);
size_t location_count(const struct location *location); /* bindings in all */
/* Another number whenever a binding came, went or moved; refreshes alone leave it. Begins at random. */
uint64_t location_version(const struct location *location);

/* Every binding, grouped by user. The callback must not change the location. */
void location_walk(const struct location *location,
		   void (*fn)(void *user, const char *handle, const struct binding *binding),
		   void *user);
const char *location_event_name(enum location_event event);
