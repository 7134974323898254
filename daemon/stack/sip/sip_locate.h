/* SPDX-License-Identifier: Apache-2.0 */
/* sip_locate.h - from the name in a SIP URI to the places to try, best first (RFC 3263 section 4; SRV
 * after RFC 2782). What was found is kept as long as the DNS allows; a place that failed is passed over
 * for a while. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"
#include "codec/sip/sip_via.h"
#include "net/addr.h"
#include "net/dns.h"

struct clock;
struct sip_locator; /* opaque, see sip_locate.c */

#define SIP_LOCATE_TARGETS 16
#define SIP_LOCATE_NAMES 1024 /* kept at once; the one used longest ago makes room */
#define SIP_LOCATE_PENALTY_MS 30000
#define SIP_LOCATE_PATIENCE_MS 4000 /* of all questions about one name */

/* How the DNS is asked: dns.h, or what a test puts in its place. done may not be called from ask. */
struct sip_locate_dns {
	int (*ask)(void *user, const char *name, enum dns_type type, dns_done_fn *done, void *arg,
		   struct dns_query **ret);
	void (*cancel)(void *user, struct dns_query *query);
	void *user;
};

struct sip_locate_rules {
	/* Transports that can be used, by enum sip_transport as a bit, and families. */
	uint32_t transports;
	bool ipv4, ipv6;
	uint64_t (*now_ms)(void *user);
	uint32_t (*random)(void *user); /* SRV weights */
	void *user;
};

/* What is looked for. */
struct sip_locate_what {
	struct slice host;
	uint16_t port;		      /* 0 = none written */
	enum sip_transport transport; /* OTHER = none written */
	bool secure;		      /* sips: TLS alone */
};

struct sip_target {
	enum sip_transport transport;
	struct addr addr; /* with port */
};

/* Somebody who waits; embed it. woken is called once, later, with 0 or a negative errno; then ask again. */
struct sip_locate_wait {
	struct list link;
	bool waiting;
	void (*woken)(struct sip_locate_wait *wait, int r);
};

/* Everything is copied. The caller owns *ret. Errors: -ENOMEM. */
int sip_locator_new(const struct sip_locate_dns *dns, const struct sip_locate_rules *rules,
		    struct sip_locator **ret);
struct sip_locator *sip_locator_free(struct sip_locator *locator); /* waiting ones are not woken */
/* Now and then: what the DNS did not answer in time fails with -ETIMEDOUT. */
void sip_locator_sweep(struct sip_locator *locator);

/* The best place now: one that has not failed lately, else the one that failed longest ago.
 * -EINPROGRESS: the DNS is being asked and wait, unless NULL, will be woken; -ENOENT there is nothing
 * (kept for a while, too); -EINVAL no host name; -EUSERS too many are being asked for; -ENOMEM. */
int sip_locate(struct sip_locator *locator, const struct sip_locate_what *what,
	       struct sip_target *ret, struct sip_locate_wait *wait);
/* This place did not answer: other ones of the same name come first for a while. Says whether there is
 * another one that has not failed. */
bool sip_locate_failed(struct sip_locator *locator, const struct sip_locate_what *what,
		       const struct sip_target *target);
void sip_locate_stop(
	struct sip_locate_wait *wait); /* not woken any more; fine when it does not wait */
/* All places in order, for /uc/route-test and the like; as sip_locate(). Returns how many. */
int sip_locate_all(struct sip_locator *locator, const struct sip_locate_what *what,
		   struct sip_target ret[static SIP_LOCATE_TARGETS], struct sip_locate_wait *wait);
