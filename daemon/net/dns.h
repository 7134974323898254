/* SPDX-License-Identifier: Apache-2.0 */
/* dns.h - asking the DNS without waiting: NAPTR, SRV, A and AAAA with the time they may be kept.
 * libunbound does it on a thread of its own and keeps what it learned; answers come on the loop. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "net/addr.h"

struct dns;	  /* opaque, see dns.c */
struct dns_query; /* one that is under way */
struct error;
struct loop;

#define DNS_NAME_MAX 256   /* with NUL, without the final dot */
#define DNS_RECORDS_MAX 32 /* of one answer; what is beyond is not looked at */
#define DNS_QUERIES_MAX 1024

enum dns_type { DNS_A = 1, DNS_AAAA = 28, DNS_SRV = 33, DNS_NAPTR = 35 };

struct dns_record {
	struct addr addr;	 /* A, AAAA; port 0 */
	uint16_t priority;	 /* SRV; NAPTR: order */
	uint16_t weight;	 /* SRV; NAPTR: preference */
	uint16_t port;		 /* SRV */
	char flags[4];		 /* NAPTR, lower case */
	char service[32];	 /* NAPTR, "SIP+D2U" */
	char name[DNS_NAME_MAX]; /* SRV: target; NAPTR: replacement; "" = the root: there is none */
};

/* r: 0, then count may be 0 (nothing of that type); -ENOENT no such name; -EIO no answer to be had.
 * records are borrowed during the call. ttl_s: how long this, also a "no", may be kept. */
typedef void dns_done_fn(void *user, int r, const struct dns_record *records, size_t count,
			 uint32_t ttl_s);

struct dns_config {
	/* "ADDRESS" or "ADDRESS@PORT" of a resolver; NULL or "" = those of /etc/resolv.conf and the names
	 * in /etc/hosts. */
	const char *server;
};

/* The caller owns *ret. Errors: -ENOMEM, -EINVAL the server is no address. */
int dns_new(struct loop *loop, const struct dns_config *config, struct dns **ret,
	    struct error *err);
struct dns *dns_free(struct dns *dns); /* queries under way are forgotten without a call */
DEFINE_AUTO(dns)

/* Ask; done is called later, never from in here. Errors: -EUSERS too many under way, -EINVAL the name
 * is too long or empty, -ENOMEM. */
int dns_ask(struct dns *dns, const char *name, enum dns_type type, dns_done_fn *done, void *user,
	    struct dns_query **ret);
void dns_cancel(struct dns_query *query); /* no call any more */

/* One record's bytes (RFC 1035, 2782, 3403; names uncompressed). Errors: -EBADMSG. */
int dns_record_parse(enum dns_type type, struct slice rdata, struct dns_record *ret);
