/* SPDX-License-Identifier: Apache-2.0 */
/* sip_reliable.c - reliable provisional answers: RSeq, repetition, PRACK. RFC 3262 sections 3 to 5. */
#include "stack/sip/sip_reliable.h"

#include <stdlib.h>

#include "base/error.h"
#include "codec/sip/sip_build.h"
#include "stack/sip/sip_dialog_private.h"

struct reliable {
	struct list link; /* in the dialog's list: the first is out */
	uint32_t rseq, cseq;
	bool has_body;
	struct sip_flow flow;
	size_t len;
	char bytes[];
};

static struct reliable *first(const struct sip_dialog *d)
{
	return LIST_FIRST(&d->reliable, struct reliable, link);
}

static void drop(struct reliable *item)
{
	list_remove(&item->link);
	free(item);
}

void sip_reliable_done(struct sip_dialog *d)
{
	struct reliable *item;

	sip_timer_stop(d->stack, &d->reliable_timer);
	LIST_FOREACH (item, &d->reliable, struct reliable, link)
		drop(item);
}

/* As a UAS -------------------------------------------------------------------------------------- */

/* T1 doubles without a bound, unlike that of a 2xx (section 3). */
static void again(struct timer *t)
{
	struct sip_dialog *d = CONTAINER_OF(t, struct sip_dialog, reliable_timer);
	struct sip_stack *stack = d->stack;
	const struct reliable *item = first(d);

	if (!item)
		return;
	d->reliable_waited_ms += d->reliable_ms;
	if (d->reliable_waited_ms >= 64 * stack->t1) {
		if (d->handlers && d->handlers->no_prack)
			d->handlers->no_prack(d->user, d);
		return;
	}
	d->reliable_ms *= 2;
	if (d->reliable_waited_ms + d->reliable_ms > 64 * stack->t1)
		d->reliable_ms = 64 * stack->t1 - d->reliable_waited_ms;
	sip_timer(stack, t, d->reliable_ms, again);
	(void)stack->way.send(stack->way.user, &item->flow, slice_make(item->bytes, item->len));
}

static int send_first(struct sip_dialog *d, struct sip_server_txn *txn)
{
	struct reliable *item = first(d);

	item->flow = *sip_server_txn_reply_flow(txn);
	d->reliable_ms = d->stack->t1;
	d->reliable_waited_ms = 0;
	sip_timer(d->stack, &d->reliable_timer, d->reliable_ms, again);
	return sip_server_txn_send(txn, slice_make(item->bytes, item->len));
}

static int build(struct sip_dialog *d, struct sip_server_txn *txn, unsigned status,
		 const struct sip_extra *extra)
{
	static const struct sip_extra none;
	struct sip_extra with = extra ? *extra : none;
	AUTO_BUF headers = { 0 };

	sip_build_header(&headers, SIP_HDR_REQUIRE, SLICE("100rel"));
	sip_build_header_u32(&headers, SIP_HDR_RSEQ, d->rseq + 1);
	buf_add_slice(&headers, with.headers);
	if (!buf_ok(&headers))
		return -ENOMEM;
	with.headers = buf_slice(&headers);
	return sip_dialog_build_reply(d, txn, status, &with);
}

int sip_reliable_reply(struct sip_dialog *dialog, struct sip_server_txn *txn, unsigned status,
		       const struct sip_extra *extra)
{
	struct slice bytes;
	struct sip_cseq cseq;
	struct reliable *item;
	size_t waiting = 0;
	int r;

	if (sip_server_txn_last_status(txn) >= 200)
		return -EALREADY;
	LIST_FOREACH (item, &dialog->reliable, struct reliable, link)
		waiting++;
	if (waiting >= SIP_RELIABLE_MAX)
		return -ENOSPC;
	r = sip_msg_cseq(sip_server_txn_request(txn), &cseq);
	if (r == 0)
		r = build(dialog, txn, status, extra);
	if (r < 0)
		return r;
	bytes = buf_slice(&dialog->stack->out);
	item = malloc(sizeof(*item) + bytes.len);
	if (!item)
		return -ENOMEM;
	*item = (struct reliable){ .rseq = ++dialog->rseq,
				   .cseq = cseq.number,
				   .has_body = extra && extra->body.len > 0,
				   .len = bytes.len };
	memcpy(item->bytes, bytes.p, bytes.len);
	list_append(&dialog->reliable, &item->link);
	if (waiting > 0)
		return 1;
	return send_first(dialog, txn);
}

int sip_reliable_take_prack(struct sip_dialog *dialog, const struct sip_msg *prack)
{
	struct reliable *item = first(dialog);
	struct sip_rack rack;

	if (sip_rack_parse(sip_msg_value(prack, SIP_HDR_RACK), &rack) < 0)
		return -EBADMSG;
	if (!item || rack.method != SIP_INVITE || rack.rseq != item->rseq ||
	    rack.cseq != item->cseq)
		return -ENOENT;
	sip_timer_stop(dialog->stack, &dialog->reliable_timer);
	drop(item);
	return 0;
}

void sip_reliable_next(struct sip_dialog *dialog, struct sip_server_txn *txn)
{
	if (first(dialog) && sip_server_txn_last_status(txn) < 200 &&
	    !timer_active(&dialog->reliable_timer))
		(void)send_first(dialog, txn);
}

bool sip_reliable_holds(const struct sip_dialog *dialog)
{
	const struct reliable *item;

	LIST_FOREACH (item, &dialog->reliable, struct reliable, link) {
		if (item->has_body)
			return true;
	}
	return false;
}

void sip_reliable_stop(struct sip_dialog *dialog)
{
	const struct reliable *out = first(dialog);
	struct reliable *item;

	sip_timer_stop(dialog->stack, &dialog->reliable_timer);
	LIST_FOREACH (item, &dialog->reliable, struct reliable, link) {
		if (item != out)
			drop(item);
	}
}

/* As a UAC -------------------------------------------------------------------------------------- */

int sip_reliable_receive(struct sip_dialog *dialog, const struct sip_msg *response, uint32_t *rseq)
{
	uint32_t number;

	if (response->status <= 100 || response->status > 199 ||
	    !sip_msg_has_token(response, SIP_HDR_REQUIRE, SLICE("100rel")) ||
	    sip_number_parse(sip_msg_value(response, SIP_HDR_RSEQ), UINT32_MAX, &number) < 0 ||
	    number == 0)
		return 0;
	if (dialog->rseq_seen == number)
		return -EALREADY;
	if (dialog->rseq_seen != 0 && number != dialog->rseq_seen + 1)
		return number < dialog->rseq_seen ? -EALREADY : -EPROTO;
	dialog->rseq_seen = number;
	*rseq = number;
	return 1;
}

void sip_reliable_rack(struct buf *out, uint32_t rseq, uint32_t invite_cseq)
{
	sip_build_headerf(out, SIP_HDR_RACK, "%u %u INVITE", rseq, invite_cseq);
}
