/* SPDX-License-Identifier: Apache-2.0 */
/* sip_event_keep.h - what of subscriptions and publications outlives the process that serves them.
 *
 * The keeper is told of each change and writes it down; after a restart everything is put back before
 * a message is read. Numbers of a subscription (CSeq, version) are kept as a promise: none above the
 * kept ones was used, so that those after a restart go on above all that were ever sent, whenever
 * the process died. A watcher takes such a gap (RFC 3261 section 12.2.2, RFC 6665 section 4.1.3). */
#pragma once
#include "codec/sip/sip_via.h"
#include "net/addr.h"
#include "stack/sip/sip_event.h"
#include "stack/sip/sip_publication.h"

/* How far the kept numbers are ahead; they are kept anew when half of it is used. */
#define SIP_EVENT_AHEAD 1000

/* Slices are borrowed. */
struct sip_subscription_kept {
	struct slice package, resource, watcher, event_id, accept;
	struct slice call_id, local_tag, remote_tag, local, remote, target, routes, contact;
	uint32_t local_cseq, remote_cseq, version;
	bool pending;
	enum sip_transport transport; /* that the watcher came over last */
	struct addr source;	      /* and from where */
	uint64_t expires_in_ms;
};

/* id: unique among all subscriptions, at most 32 characters of [A-Za-z0-9]. */
struct sip_events_keeper {
	void (*keep)(void *user, struct slice id, const struct sip_subscription_kept *sub);
	void (*forget)(void *user, struct slice id); /* it has ended */
};
/* keeper is borrowed for ever. */
void sip_events_set_keeper(struct sip_events *events, const struct sip_events_keeper *keeper,
			   void *user);
/* Put one back and keep it with its new numbers; nothing is sent. Errors: -EINVAL no such package,
 * over, or not what was kept; -EEXIST; -EUSERS; -ENOMEM. */
int sip_events_restore(struct sip_events *events, const struct sip_subscription_kept *sub);
/* Everybody who was put back gets the full state, some at a time. One that cannot be reached stays
 * until it expires: it may come back over another connection and refresh. */
void sip_events_resume(struct sip_events *events);

struct sip_publication_kept {
	struct slice resource, etag, body;
	uint64_t order; /* a later one is newer */
	uint64_t expires_in_ms;
};
struct sip_publications_keeper {
	void (*keep)(void *user, struct slice id, const struct sip_publication_kept *pub);
	void (*forget)(void *user, struct slice id);
};
void sip_publications_set_keeper(struct sip_publications *pubs,
				 const struct sip_publications_keeper *keeper, void *user);
/* Errors: -EINVAL over, or not what was kept; -EEXIST; -EUSERS; -ENOMEM. */
int sip_publications_restore(struct sip_publications *pubs, struct slice id,
			     const struct sip_publication_kept *pub);
