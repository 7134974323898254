/* SPDX-License-Identifier: Apache-2.0 */
/* sip_dialog.c - making dialogs and what they hold. RFC 3261 section 12.1. */
#include "stack/sip/sip_dialog_private.h"

#include "base/error.h"
#include "base/random.h"

int sip_text_set(struct sip_dialog *d, struct text *t, struct slice value)
{
	if (value.len + 1 > t->cap) {
		size_t cap = value.len + 64;
		char *p;

		if (d->text_total + cap > SIP_DIALOG_TEXT_MAX)
			return -EMSGSIZE;
		p = sip_arena_alloc(&d->arena, cap);
		if (!p)
			return -ENOMEM;
		d->text_total += cap;
		t->p = p;
		t->cap = cap;
	}
	if (value.len > 0)
		memmove(t->p, value.p, value.len);
	t->p[value.len] = '\0';
	t->len = value.len;
	return 0;
}

static int make(struct sip_stack *stack, struct sip_dialog **ret)
{
	struct sip_arena arena;
	struct sip_dialog *d;

	if (stack->dialogs.count >= stack->dialogs_max)
		return -EUSERS;
	sip_arena_init(&arena, &stack->pool);
	d = sip_arena_alloc(&arena, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->stack = stack;
	d->arena = arena;
	list_init(&d->reliable);
	list_append(&stack->all_dialogs, &d->link);
	*ret = d;
	return 0;
}

struct sip_dialog *sip_dialog_free(struct sip_dialog *dialog)
{
	struct sip_arena arena;

	if (!dialog)
		return NULL;
	sip_timer_stop(dialog->stack, &dialog->answer_timer);
	sip_reliable_done(dialog);
	if (dialog->linked)
		(void)map_remove(&dialog->stack->dialogs, &dialog->node);
	list_remove(&dialog->link);
	arena = dialog->arena;
	sip_arena_done(&arena);
	return NULL;
}

void sip_dialog_free_all(struct sip_stack *stack)
{
	struct sip_dialog *d;

	LIST_FOREACH (d, &stack->all_dialogs, struct sip_dialog, link)
		sip_dialog_free(d);
}

static struct slice make_key(struct buf *out, struct slice call_id, struct slice local_tag)
{
	buf_reset(out);
	buf_add_slice(out, local_tag);
	buf_add_char(out, ' ');
	buf_add_slice(out, call_id);
	return buf_slice(out);
}

int sip_dialog_link(struct sip_dialog *d)
{
	struct slice key =
		make_key(&d->stack->out, text_slice(&d->call_id), text_slice(&d->local_tag));
	int r;

	if (!buf_ok(&d->stack->out) || sip_text_set(d, &d->key, key) < 0)
		return -ENOMEM;
	r = map_add(&d->stack->dialogs, &d->node, text_slice(&d->key));
	d->linked = r == 0;
	return r;
}

struct sip_dialog *sip_dialog_find(struct sip_stack *stack, struct slice call_id,
				   struct slice local_tag, struct slice remote_tag)
{
	struct map_node *node = map_get(&stack->dialogs, make_key(&stack->out, call_id, local_tag));

	for (; node; node = map_next_same(node)) {
		struct sip_dialog *d = MAP_ENTRY(node, struct sip_dialog, node);

		if (slice_eq(text_slice(&d->remote_tag), remote_tag))
			return d;
	}
	return NULL;
}

/* A From or To value without its parameters, in brackets. */
static int set_party(struct sip_dialog *d, struct text *t, const struct sip_addr *addr,
		     struct slice value)
{
	struct buf *out = &d->stack->draft;

	buf_reset(out);
	if (addr->bracketed) {
		const char *end = addr->params.len > 0 ? addr->params.p : value.p + value.len;

		buf_add_slice(out, slice_trim(slice_make(value.p, (size_t)(end - value.p))));
	} else {
		buf_add_char(out, '<');
		buf_add_slice(out, addr->uri.text);
		buf_add_char(out, '>');
	}
	return buf_ok(out) ? sip_text_set(d, t, buf_slice(out)) : -ENOMEM;
}

int sip_dialog_set_routes(struct sip_dialog *d, const struct sip_msg *msg, bool reversed)
{
	struct slice values[SIP_DIALOG_ROUTES_MAX];
	struct sip_values it = sip_values_of(msg, SIP_HDR_RECORD_ROUTE);
	struct buf *out = &d->stack->draft;
	size_t count = 0;

	while (count < SIP_DIALOG_ROUTES_MAX && sip_values_next(&it, &values[count]))
		count++;
	if (count == SIP_DIALOG_ROUTES_MAX)
		return -EMSGSIZE;
	buf_reset(out);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_str(out, ", ");
		buf_add_slice(out, values[reversed ? count - 1 - i : i]);
	}
	return buf_ok(out) ? sip_text_set(d, &d->routes, buf_slice(out)) : -ENOMEM;
}

int sip_dialog_set_target(struct sip_dialog *d, const struct sip_msg *msg)
{
	struct sip_addr contact;

	if (sip_msg_contact(msg, &contact) < 0 || contact.wildcard || contact.uri.text.len == 0)
		return -EBADMSG;
	return sip_text_set(d, &d->target, contact.uri.text);
}

int sip_dialog_ensure_contact(struct sip_dialog *d, const struct sip_flow *flow)
{
	struct buf *out = &d->stack->draft;

	if (d->contact.len > 0 || !d->stack->way.uri)
		return 0;
	buf_reset(out);
	buf_add_char(out, '<');
	d->stack->way.uri(d->stack->way.user, flow->listen, out);
	buf_add_char(out, '>');
	return buf_ok(out) ? sip_text_set(d, &d->contact, buf_slice(out)) : -ENOMEM;
}

static int fill_uas(struct sip_dialog *d, struct sip_server_txn *txn, struct slice contact)
{
	const struct sip_msg *msg = sip_server_txn_request(txn);
	struct sip_addr from, to;
	struct sip_cseq cseq;
	int r;

	if (sip_msg_from(msg, &from) < 0 || sip_msg_to(msg, &to) < 0 ||
	    sip_msg_cseq(msg, &cseq) < 0)
		return -EBADMSG;
	r = set_party(d, &d->remote, &from, sip_msg_value(msg, SIP_HDR_FROM));
	if (r == 0)
		r = set_party(d, &d->local, &to, sip_msg_value(msg, SIP_HDR_TO));
	if (r == 0)
		r = sip_text_set(d, &d->remote_tag, sip_addr_tag(&from));
	if (r == 0)
		r = sip_text_set(d, &d->local_tag, sip_server_txn_tag(txn));
	if (r == 0)
		r = sip_text_set(d, &d->call_id, sip_msg_call_id(msg));
	if (r == 0)
		r = sip_dialog_set_target(d, msg);
	if (r == 0)
		r = sip_dialog_set_routes(d, msg, false);
	if (r == 0)
		r = sip_text_set(d, &d->contact, contact);
	d->flow = *sip_server_txn_flow(txn);
	if (r == 0)
		r = sip_dialog_ensure_contact(d, &d->flow);
	d->first_cseq = d->remote_cseq = cseq.number;
	d->has_remote_cseq = true;
	d->local_cseq = 1 + random_below(1U << 20);
	return r;
}

int sip_dialog_new_uas(struct sip_stack *stack, struct sip_server_txn *txn, struct slice contact,
		       const struct sip_dialog_handlers *handlers, void *user,
		       struct sip_dialog **ret, struct error *err)
{
	struct sip_dialog *d;
	int r;

	r = make(stack, &d);
	if (r < 0)
		return error_set(err, r, "no room for another dialog");
	r = fill_uas(d, txn, contact);
	if (r == 0)
		r = sip_dialog_link(d);
	if (r < 0) {
		sip_dialog_free(d);
		return error_set(err, r, "the request cannot make a dialog");
	}
	d->handlers = handlers;
	d->user = user;
	*ret = d;
	return 0;
}

int sip_dialog_put_back(struct sip_stack *stack, const struct sip_dialog_handlers *handlers,
			void *user, struct sip_dialog **ret)
{
	struct sip_dialog *d;
	int r = make(stack, &d);

	if (r < 0)
		return r;
	d->state = SIP_DIALOG_CONFIRMED;
	d->has_remote_cseq = true;
	d->handlers = handlers;
	d->user = user;
	*ret = d;
	return 0;
}

static int fill_uac(struct sip_dialog *d, const struct sip_dialog_uac *spec)
{
	char token[33];
	int r;

	r = sip_text_set(d, &d->local, spec->local);
	if (r == 0)
		r = sip_text_set(d, &d->remote, spec->remote);
	if (r == 0)
		r = sip_text_set(d, &d->target, spec->target);
	if (r == 0)
		r = sip_text_set(d, &d->contact, spec->contact);
	if (r == 0)
		r = sip_text_set(d, &d->routes, spec->routes);
	random_token(token, 32);
	if (r == 0)
		r = sip_text_set(d, &d->call_id,
				 spec->call_id.len > 0 ? spec->call_id : slice_str(token));
	random_token(token, 16);
	if (r == 0)
		r = sip_text_set(d, &d->local_tag, slice_str(token));
	d->uac = true;
	d->local_cseq = spec->cseq > 0 ? spec->cseq - 1 : random_below(1U << 20);
	if (spec->flow) {
		d->flow = *spec->flow;
		d->fixed_flow = true;
	}
	return r;
}

int sip_dialog_new_uac(struct sip_stack *stack, const struct sip_dialog_uac *spec,
		       const struct sip_dialog_handlers *handlers, void *user,
		       struct sip_dialog **ret, struct error *err)
{
	struct sip_dialog *d;
	int r;

	r = make(stack, &d);
	if (r < 0)
		return error_set(err, r, "no room for another dialog");
	r = fill_uac(d, spec);
	if (r == 0)
		r = sip_dialog_link(d);
	if (r < 0) {
		sip_dialog_free(d);
		return error_set(err, r, "the dialog cannot be made");
	}
	d->handlers = handlers;
	d->user = user;
	*ret = d;
	return 0;
}

/* Another dialog of the same first request (RFC 3261 section 13.2.2.4). */
int sip_dialog_fork(const struct sip_dialog *from, struct slice remote_tag, struct sip_dialog **ret)
{
	struct sip_dialog_uac spec = {
		.local = text_slice(&from->local),
		.remote = text_slice(&from->remote),
		.target = text_slice(&from->target),
		.contact = text_slice(&from->contact),
		.routes = text_slice(&from->routes),
		.call_id = text_slice(&from->call_id),
		.flow = from->fixed_flow ? &from->flow : NULL,
	};
	struct sip_dialog *d;
	int r;

	r = make(from->stack, &d);
	if (r < 0)
		return r;
	r = fill_uac(d, &spec);
	if (r == 0)
		r = sip_text_set(d, &d->local_tag, text_slice(&from->local_tag));
	if (r == 0)
		r = sip_text_set(d, &d->remote_tag, remote_tag);
	if (r == 0)
		r = sip_dialog_link(d);
	if (r < 0) {
		sip_dialog_free(d);
		return r;
	}
	d->local_cseq = from->local_cseq;
	d->handlers = from->handlers;
	d->user = from->user;
	*ret = d;
	return 0;
}

enum sip_dialog_state sip_dialog_state(const struct sip_dialog *dialog)
{
	return dialog->state;
}

bool sip_dialog_is_uac(const struct sip_dialog *dialog)
{
	return dialog->uac;
}

struct slice sip_dialog_call_id(const struct sip_dialog *dialog)
{
	return text_slice(&dialog->call_id);
}

struct slice sip_dialog_local_tag(const struct sip_dialog *dialog)
{
	return text_slice(&dialog->local_tag);
}

struct slice sip_dialog_remote_tag(const struct sip_dialog *dialog)
{
	return text_slice(&dialog->remote_tag);
}

struct slice sip_dialog_local(const struct sip_dialog *dialog)
{
	return text_slice(&dialog->local);
}

struct slice sip_dialog_remote(const struct sip_dialog *dialog)
{
	return text_slice(&dialog->remote);
}

struct slice sip_dialog_target(const struct sip_dialog *dialog)
{
	return text_slice(&dialog->target);
}

struct slice sip_dialog_contact(const struct sip_dialog *dialog)
{
	return text_slice(&dialog->contact);
}

int sip_dialog_set_contact(struct sip_dialog *dialog, struct slice contact)
{
	return sip_text_set(dialog, &dialog->contact, contact);
}

struct sip_told *sip_dialog_told(struct sip_dialog *dialog)
{
	return &dialog->told;
}

bool sip_dialog_awaits_ack(const struct sip_dialog *dialog)
{
	return dialog->awaits_ack;
}

void *sip_dialog_user(const struct sip_dialog *dialog)
{
	return dialog->user;
}

void sip_dialog_set_user(struct sip_dialog *dialog, const struct sip_dialog_handlers *handlers,
			 void *user)
{
	dialog->handlers = handlers;
	dialog->user = user;
}
