/* SPDX-License-Identifier: Apache-2.0 */
/* late_ack.c - see late_ack.h. An ACK has no transaction that could hold it. */
#include "sm/late_ack.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "codec/sip/sip_msg.h"
#include "sm/sm.h"
#include "stack/sip/sip_locate.h"
#include "stack/sip/sip_stack.h"

#define LATE_ACKS_MAX 64

struct late_ack {
	struct list link; /* in sm->late_acks */
	struct sip_locate_wait wait;
	struct sm *sm;
	struct sip_flow flow;
	char peer_name[128];
	size_t len;
	char bytes[];
};

static void drop(struct late_ack *late)
{
	sip_locate_stop(&late->wait);
	list_remove(&late->link);
	late->sm->late_ack_count--;
	free(late);
}

static void woken(struct sip_locate_wait *wait, int r)
{
	struct late_ack *late = CONTAINER_OF(wait, struct late_ack, wait);
	AUTO(mem) void *storage = malloc(sizeof(struct sip_msg));
	struct sip_msg *msg = storage;
	struct sip_incoming in = { .msg = msg, .flow = late->flow, .peer_name = late->peer_name };

	/* Once only: a second lookup would be for another hop. */
	if (r == 0 && msg && sip_msg_parse(slice_make(late->bytes, late->len), msg) == 0)
		router_late_ack(late->sm, &in);
	drop(late);
}

struct sip_locate_wait *late_ack_keep(struct sm *sm, const struct sip_incoming *in)
{
	struct slice raw = in->msg->raw;
	struct late_ack *late;

	if (sm->late_ack_count >= LATE_ACKS_MAX)
		return NULL;
	late = calloc(1, sizeof(*late) + raw.len);
	if (!late)
		return NULL;
	late->sm = sm;
	late->flow = in->flow;
	late->wait.woken = woken;
	(void)snprintf(late->peer_name, sizeof(late->peer_name), "%s", in->peer_name);
	memcpy(late->bytes, raw.p, raw.len);
	late->len = raw.len;
	list_append(&sm->late_acks, &late->link);
	sm->late_ack_count++;
	return &late->wait;
}

void late_ack_drop(struct sip_locate_wait *wait)
{
	if (wait)
		drop(CONTAINER_OF(wait, struct late_ack, wait));
}

void late_ack_free_all(struct sm *sm)
{
	struct late_ack *late;

	LIST_FOREACH (late, &sm->late_acks, struct late_ack, link)
		drop(late);
}
