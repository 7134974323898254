/* SPDX-License-Identifier: Apache-2.0 */
/* sip_publication.h - published event state with entity tags: the compositor's store. RFC 3903. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct sip_incoming;
struct sip_publication; /* one published document */
struct sip_publications;
struct sip_stack;

#define SIP_PUBLICATION_BODY_MAX 32768

struct sip_publications_config {
	const char *event;		  /* "presence" */
	const char *content_type;	  /* what is accepted, else 415 */
	uint32_t min_s, default_s, max_s; /* 0 = 60, 3,600, 3,600 */
	uint32_t publications_max;	  /* 0 = 65,536 */
	uint32_t per_resource_max;	  /* 0 = 10 */
	/* One source speaks for a resource: its new document replaces what a restart brought back,
	 * for then it did not know that one's tag. */
	bool one_source;
	/* Is the body good? 0 or a negative errno (answered 400). May be NULL. */
	int (*check)(void *user, struct slice resource, struct slice body);
	/* The state of a resource changed (published, modified, removed, expired). */
	void (*changed)(void *user, struct slice resource);
	void *user;
};

int sip_publications_new(struct sip_stack *stack, const struct sip_publications_config *config,
			 struct sip_publications **ret, struct error *err);
struct sip_publications *sip_publications_free(struct sip_publications *pubs);
DEFINE_AUTO(sip_publications)

/* Serve an authorised PUBLISH: answers it (200 with SIP-ETag and Expires, 400, 412, 413, 415, 423,
 * 489, 503). Returns 0 when answered. */
int sip_publication_serve(struct sip_publications *pubs, const struct sip_incoming *in,
			  struct slice resource);
/* The documents of a resource, newest first; NULL after the last. Slices live until the next change. */
const struct sip_publication *sip_publication_first(const struct sip_publications *pubs,
						    struct slice resource);
const struct sip_publication *sip_publication_next(const struct sip_publications *pubs,
						   const struct sip_publication *after);
struct slice sip_publication_body(const struct sip_publication *pub);
struct slice sip_publication_etag(const struct sip_publication *pub);
uint64_t sip_publication_changed_at(const struct sip_publication *pub); /* monotonic ms */
/* Forget all of a resource (user deleted); returns how many. */
size_t sip_publication_forget(struct sip_publications *pubs, struct slice resource);
size_t sip_publications_count(const struct sip_publications *pubs);
