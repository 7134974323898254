/* SPDX-License-Identifier: Apache-2.0 */
/* sip_dialog_use.c - requests, responses and ACKs of a dialog. RFC 3261 sections 12.2, 13.2, 13.3. */
#include "base/error.h"
#include "codec/sip/sip_build.h"
#include "stack/sip/sip_dialog_private.h"
#include "stack/sip/sip_reliable.h"

/* Building -------------------------------------------------------------------------------------- */

static bool has_contact(enum sip_method method)
{
	return method == SIP_INVITE || method == SIP_SUBSCRIBE || method == SIP_NOTIFY ||
	       method == SIP_REFER || method == SIP_UPDATE;
}

static bool has_line(struct slice headers, struct slice name)
{
	while (headers.len > 0) {
		const char *end;

		if (slice_starts_with_nocase(headers, name))
			return true;
		end = memmem(headers.p, headers.len, "\r\n", 2);
		if (!end)
			return false;
		headers = slice_sub(headers, (size_t)(end - headers.p) + 2, headers.len);
	}
	return false;
}

/* First of the route set and, when it is a strict router, what that changes (section 12.2.1.1). */
static bool first_route(const struct sip_dialog *d, struct sip_uri *uri, struct slice *rest)
{
	struct slice routes = text_slice(&d->routes), value;
	struct sip_addr addr;

	if (!sip_value_take(&routes, &value) || sip_addr_parse(value, &addr) < 0)
		return false;
	*uri = addr.uri;
	*rest = slice_trim(routes);
	return true;
}

static void build_routes(const struct sip_dialog *d, bool strict, struct slice rest,
			 struct buf *out)
{
	if (!strict) {
		if (d->routes.len > 0)
			sip_build_header(out, SIP_HDR_ROUTE, text_slice(&d->routes));
		return;
	}
	buf_add_str(out, "Route: ");
	if (rest.len > 0) {
		buf_add_slice(out, rest);
		buf_add_str(out, ", ");
	}
	buf_add_char(out, '<');
	buf_add_slice(out, text_slice(&d->target));
	buf_add_str(out, ">\r\n");
}

static void build_party(struct buf *out, enum sip_header_id id, const struct text *party,
			const struct text *tag)
{
	if (tag->len > 0)
		sip_build_headerf(out, id, "%.*s;tag=%.*s", (int)party->len, party->p,
				  (int)tag->len, tag->p);
	else
		sip_build_header(out, id, text_slice(party));
}

static int build_request(struct sip_dialog *d, struct slice method, uint32_t cseq,
			 const struct sip_extra *extra, struct buf *out)
{
	static const struct sip_extra none;
	const struct sip_extra *x = extra ? extra : &none;
	struct sip_uri route = { 0 };
	struct slice rest = { 0 };
	bool routed = first_route(d, &route, &rest);
	bool strict = routed && !sip_uri_param(&route, SLICE("lr"), NULL);

	buf_reset(out);
	sip_build_request(out, method, strict ? route.text : text_slice(&d->target));
	if (!has_line(x->headers, SLICE("Max-Forwards:")))
		sip_build_header_u32(out, SIP_HDR_MAX_FORWARDS, 70);
	build_routes(d, strict, rest, out);
	build_party(out, SIP_HDR_FROM, &d->local, &d->local_tag);
	build_party(out, SIP_HDR_TO, &d->remote, &d->remote_tag);
	sip_build_header(out, SIP_HDR_CALL_ID, text_slice(&d->call_id));
	sip_build_cseq(out, cseq, method);
	if (d->contact.len > 0 && has_contact(sip_method_lookup(method)) &&
	    !has_line(x->headers, SLICE("Contact:")))
		sip_build_header(out, SIP_HDR_CONTACT, text_slice(&d->contact));
	if (d->stack->product[0])
		sip_build_header(out, SIP_HDR_USER_AGENT, slice_str(d->stack->product));
	buf_add_slice(out, x->headers);
	sip_build_body(out, x->content_type, x->body);
	return buf_ok(out) ? 0 : -EMSGSIZE;
}

/* A Contact that names another address than the datagrams come from: a translator stands between,
 * and only the source can be reached. */
static bool is_translated(const struct sip_dialog *d)
{
	struct addr named;
	struct sip_uri uri;

	return d->flow.transport == SIP_TRANSPORT_UDP &&
	       sip_uri_parse(text_slice(&d->target), &uri) == 0 &&
	       addr_parse_ip(uri.host, 0, &named) == 0 && !addr_equal_ip(&named, &d->flow.remote);
}

/* Where the next request goes: the fixed flow, the first route, the way the peer came by, the
 * remote target. */
static int next_hop(struct sip_dialog *d, struct sip_flow *ret)
{
	struct sip_stack *stack = d->stack;
	struct sip_uri uri;
	struct slice rest;

	if (d->fixed_flow) {
		*ret = d->flow;
		return 0;
	}
	if (!first_route(d, &uri, &rest)) {
		if (!d->uac && (d->flow.connection ? stack->way.is_open(stack->way.user, &d->flow)
						   : is_translated(d))) {
			*ret = d->flow;
			return 0;
		}
		if (sip_uri_parse(text_slice(&d->target), &uri) < 0)
			return -EBADMSG;
	}
	return stack->way.resolve(stack->way.user, &uri, ret);
}

/* The Contact names the listen point that the request will leave from. */
static int contact_for(struct sip_dialog *d, const struct sip_flow *flow)
{
	struct sip_flow probe = *flow;
	int r;

	if (d->contact.len > 0)
		return 0;
	r = d->stack->way.prepare(d->stack->way.user, &probe, 0);
	return r < 0 ? r : sip_dialog_ensure_contact(d, &probe);
}

int sip_dialog_build(struct sip_dialog *dialog, struct slice method, const struct sip_extra *extra,
		     struct buf *out)
{
	struct sip_flow flow;
	int r = next_hop(dialog, &flow);

	if (r == 0)
		r = contact_for(dialog, &flow);
	return r < 0 ? r : build_request(dialog, method, ++dialog->local_cseq, extra, out);
}

int sip_dialog_request(struct sip_dialog *dialog, struct slice method,
		       const struct sip_extra *extra, const struct sip_client_options *options,
		       const struct sip_client_handlers *handlers, void *user,
		       struct sip_client_txn **ret, struct error *err)
{
	struct sip_stack *stack = dialog->stack;
	struct sip_client_txn *txn;
	struct sip_flow flow;
	int r;

	r = next_hop(dialog, &flow);
	if (r == 0)
		r = contact_for(dialog, &flow);
	if (r == 0)
		r = build_request(dialog, method, ++dialog->local_cseq, extra, &stack->draft);
	if (r < 0)
		return error_set(err, r, "the request cannot be built or routed");
	r = sip_client_txn_new(stack, &flow, buf_slice(&stack->draft), options, handlers, user,
			       &txn, err);
	if (r == 0 && ret)
		*ret = txn;
	return r;
}

void sip_dialog_bye(struct sip_dialog *dialog, const struct sip_extra *extra)
{
	if (dialog->state == SIP_DIALOG_EARLY || dialog->state == SIP_DIALOG_CONFIRMED)
		(void)sip_dialog_request(dialog, SLICE("BYE"), extra, NULL, NULL, NULL, NULL, NULL);
	sip_dialog_free(dialog);
}

/* Responses to our requests ------------------------------------------------------------------------ */

static bool makes_dialog(enum sip_method method)
{
	return method == SIP_INVITE || method == SIP_SUBSCRIBE || method == SIP_REFER;
}

static struct sip_dialog *find_fork(struct sip_dialog *d, struct slice tag)
{
	return sip_dialog_find(d->stack, text_slice(&d->call_id), text_slice(&d->local_tag), tag);
}

static int learn(struct sip_dialog *d, const struct sip_msg *response, enum sip_method method)
{
	bool final = response->status >= 200;
	int r = 0;

	if (d->state == SIP_DIALOG_CONFIRMED) {
		if (final && has_contact(method))
			(void)sip_dialog_set_target(d, response);
		return 0;
	}
	if (!makes_dialog(method))
		return 0;
	/* A provisional may come without Contact; the answer's route set is the one that counts. */
	(void)sip_dialog_set_target(d, response);
	if (final || d->state == SIP_DIALOG_TRYING)
		r = sip_dialog_set_routes(d, response, true);
	d->state = final ? SIP_DIALOG_CONFIRMED : SIP_DIALOG_EARLY;
	return r;
}

int sip_dialog_response(struct sip_dialog *dialog, const struct sip_msg *response,
			struct sip_dialog **ret)
{
	struct slice tag = sip_msg_to_tag(response);
	enum sip_method method = sip_msg_cseq_method(response);
	struct sip_dialog *d = dialog;
	int made = 0, r;

	*ret = dialog;
	if (response->status >= 300) {
		if (dialog->state == SIP_DIALOG_EARLY && makes_dialog(method))
			dialog->state = SIP_DIALOG_ENDED;
		else if (dialog->state == SIP_DIALOG_CONFIRMED &&
			 (response->status == 481 || response->status == 408))
			dialog->state = SIP_DIALOG_ENDED;
		return 0;
	}
	if (response->status == 100 || tag.len == 0)
		return 0;
	if (dialog->remote_tag.len == 0) {
		r = sip_text_set(dialog, &dialog->remote_tag, tag);
		if (r < 0)
			return r;
	} else if (!slice_eq(text_slice(&dialog->remote_tag), tag)) {
		d = find_fork(dialog, tag);
		if (!d) {
			r = sip_dialog_fork(dialog, tag, &d);
			if (r < 0)
				return r;
			made = 1;
		}
	}
	r = learn(d, response, method);
	if (r < 0) {
		if (made)
			sip_dialog_free(d);
		return r;
	}
	*ret = d;
	return made;
}

static int put_ack(struct sip_dialog *d)
{
	struct sip_flow flow;
	int r = next_hop(d, &flow);

	return r < 0 ? r
		     : sip_stack_send(d->stack, &flow, text_slice(&d->ack), (struct slice){ 0 });
}

int sip_dialog_ack(struct sip_dialog *dialog, uint32_t cseq, const struct sip_extra *extra)
{
	int r = build_request(dialog, SLICE("ACK"), cseq, extra, &dialog->stack->draft);

	if (r == 0)
		r = sip_text_set(dialog, &dialog->ack, buf_slice(&dialog->stack->draft));
	if (r < 0)
		return r;
	dialog->ack_cseq = cseq;
	return put_ack(dialog);
}

bool sip_dialog_is_acked(struct sip_dialog *dialog, const struct sip_msg *response)
{
	struct sip_cseq cseq;

	if (dialog->ack.len == 0 || sip_msg_cseq(response, &cseq) < 0 ||
	    cseq.method != SIP_INVITE || cseq.number != dialog->ack_cseq ||
	    response->status < 200 || response->status > 299)
		return false;
	(void)put_ack(dialog);
	return true;
}

/* Answers to the peer's requests ------------------------------------------------------------------- */

static void answer_again(struct timer *t)
{
	struct sip_dialog *d = CONTAINER_OF(t, struct sip_dialog, answer_timer);
	struct sip_stack *stack = d->stack;

	d->answer_waited_ms += d->answer_ms;
	if (d->answer_waited_ms >= 64 * stack->t1) {
		d->awaits_ack = false;
		if (d->handlers && d->handlers->no_ack)
			d->handlers->no_ack(d->user, d);
		return;
	}
	d->answer_ms = 2 * d->answer_ms < stack->t2 ? 2 * d->answer_ms : stack->t2;
	sip_timer(stack, t, d->answer_ms, answer_again);
	(void)stack->way.send(stack->way.user, &d->answer_flow, text_slice(&d->answer));
}

static void repeat_answer(struct sip_dialog *d, struct sip_server_txn *txn, uint32_t cseq)
{
	if (sip_text_set(d, &d->answer, buf_slice(&d->stack->out)) < 0)
		return; /* sent once; a lost one is asked for again by the peer's INVITE */
	d->answer_flow = *sip_server_txn_reply_flow(txn);
	d->answer_cseq = cseq;
	d->answer_ms = d->stack->t1;
	d->answer_waited_ms = 0;
	d->awaits_ack = true;
	sip_timer(d->stack, &d->answer_timer, d->answer_ms, answer_again);
}

static void note_reply(struct sip_dialog *d, const struct sip_msg *request, uint32_t cseq,
		       unsigned status)
{
	if (status <= 100 || d->state == SIP_DIALOG_CONFIRMED || cseq != d->first_cseq ||
	    !makes_dialog(request->method))
		return;
	if (status < 200)
		d->state = SIP_DIALOG_EARLY;
	else
		d->state = status < 300 ? SIP_DIALOG_CONFIRMED : SIP_DIALOG_ENDED;
}

int sip_dialog_build_reply(struct sip_dialog *d, struct sip_server_txn *txn, unsigned status,
			   const struct sip_extra *extra)
{
	const struct sip_msg *request = sip_server_txn_request(txn);
	struct slice contact = { 0 };
	struct sip_cseq cseq = { 0 };
	int r;

	(void)sip_msg_cseq(request, &cseq);
	if (status > 100 && status < 300 && has_contact(request->method))
		contact = text_slice(&d->contact);
	r = sip_build_response(d->stack, request, status, text_slice(&d->local_tag), extra,
			       contact);
	if (r == 0)
		note_reply(d, request, cseq.number, status);
	return r;
}

int sip_dialog_reply(struct sip_dialog *dialog, struct sip_server_txn *txn, unsigned status,
		     const struct sip_extra *extra)
{
	const struct sip_msg *request = sip_server_txn_request(txn);
	struct sip_cseq cseq = { 0 };
	int r;

	r = sip_dialog_build_reply(dialog, txn, status, extra);
	if (r < 0)
		return r;
	(void)sip_msg_cseq(request, &cseq);
	if (request->method == SIP_INVITE && status >= 200) {
		sip_reliable_stop(dialog);
		if (status < 300)
			repeat_answer(dialog, txn, cseq.number);
	}
	return sip_server_txn_send(txn, buf_slice(&dialog->stack->out));
}

/* Requests of the peer ------------------------------------------------------------------------------ */

static void take_ack(struct sip_dialog *d, const struct sip_incoming *in, uint32_t cseq)
{
	if (!d->awaits_ack || cseq != d->answer_cseq)
		return;
	d->awaits_ack = false;
	sip_timer_stop(d->stack, &d->answer_timer);
	if (d->handlers && d->handlers->ack)
		d->handlers->ack(d->user, d, in);
}

bool sip_dialog_receive(struct sip_stack *stack, const struct sip_incoming *in)
{
	const struct sip_msg *msg = in->msg;
	struct slice tag = sip_msg_to_tag(msg);
	struct sip_cseq cseq;
	struct sip_dialog *d;

	if (tag.len == 0 || stack->dialogs.count == 0 || sip_msg_cseq(msg, &cseq) < 0)
		return false;
	d = sip_dialog_find(stack, sip_msg_call_id(msg), tag, sip_msg_from_tag(msg));
	if (!d || d->state == SIP_DIALOG_TRYING)
		return false;
	if (msg->method == SIP_ACK) {
		take_ack(d, in, cseq.number);
		return true;
	}
	if (d->has_remote_cseq && cseq.number <= d->remote_cseq) {
		(void)sip_stack_reply(stack, in, 500, NULL);
		return true;
	}
	d->remote_cseq = cseq.number;
	d->has_remote_cseq = true;
	if (!d->uac && !d->fixed_flow)
		d->flow = in->flow; /* a phone comes back on another connection */
	if (has_contact(msg->method))
		(void)sip_dialog_set_target(d, msg);
	if (d->handlers && d->handlers->request)
		d->handlers->request(d->user, d, in);
	else
		(void)sip_stack_reply(stack, in, 481, NULL);
	return true;
}
