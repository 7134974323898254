/* SPDX-License-Identifier: Apache-2.0 */
/* entity_register.c - we as a subscriber of a provider: REGISTER, its challenge, its refreshes (RFC 3261
 * section 10.2). The secret is opened for each answer and kept nowhere. */
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "node/uc_model.h"
#include "sm/entity.h"
#include "sm/secrets.h"
#include "sm/sm.h"
#include "stack/sip/sip_digest.h"
#include "stack/sip/sip_txn.h"
#include "stack/sip/sip_wire.h"

#define RETRY_MS 30000
#define ANSWER_MS 8000
#define EXPIRES_MIN_S 5

static void fire(struct timer *timer);

static const char *const state_names[] = { "none", "trying", "registered", "refused", "failed" };

static const struct uc_registration *row_of(const struct entity *e)
{
	const struct uc_entity *row = uc_entity_by_name(sm_model(e->sm), e->name, strlen(e->name));

	return row ? row->registration : NULL;
}

static void again(struct entity *e, uint64_t after_ms)
{
	loop_timer_start(e->sm->loop, &e->registration.timer, after_ms, fire);
}

static void enter(struct entity *e, enum entity_registration_state state, const char *reason)
{
	struct entity_registration *reg = &e->registration;

	if (reg->state != state) {
		if (state == ENTITY_REGISTERED)
			log_info("trunk.registered", F("entity", (const char *)e->name));
		else if (state != ENTITY_REGISTER_TRYING)
			log_warning("trunk.unregistered", F("entity", (const char *)e->name),
				    F("reason", reason));
	}
	reg->state = state;
	snprintf(reg->reason, sizeof(reg->reason), "%s", reason);
	for (char *c = reg->reason; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

int entity_answer_challenge(const struct entity *e, const struct sip_msg *challenge,
			    struct slice method, struct slice uri, bool retried, struct buf *out)
{
	const struct uc_registration *row = row_of(e);
	struct sip_digest_secret secret = { 0 };
	char password[SEAL_PLAIN_MAX + 1];
	int r;

	if (!row || secrets_password(e->sm, row, password) < 0)
		return -ENOENT;
	secret.user = slice_str(row->auth_user);
	secret.password = slice_str(password);
	r = sip_digest_answer(challenge, method, uri, &secret, retried, out);
	explicit_bzero(password, sizeof(password));
	return r;
}

/* The REGISTER: a flow that is prepared, and credentials for the second one. */
static void build(struct entity *e, const struct uc_registration *row, const struct sip_flow *flow,
		  struct slice uri, struct slice credentials, struct buf *out)
{
	struct entity_registration *reg = &e->registration;
	uint32_t expires =
		reg->min_expires_s > row->expires_s ? reg->min_expires_s : row->expires_s;
	AUTO_BUF contact = { 0 };
	AUTO_BUF user = { 0 };

	sip_escape_user(&user, slice_str(row->user));
	sip_wire_uri(e->sm->wire, flow->listen, buf_slice(&user), &contact);
	sip_build_request(out, SLICE("REGISTER"), uri);
	sip_build_header_u32(out, SIP_HDR_MAX_FORWARDS, 70);
	sip_build_headerf(out, SIP_HDR_FROM, "<sip:%.*s@%s>;tag=%s", SLICE_ARG(buf_slice(&user)),
			  row->registrar, reg->tag);
	sip_build_headerf(out, SIP_HDR_TO, "<sip:%.*s@%s>", SLICE_ARG(buf_slice(&user)),
			  row->registrar);
	sip_build_headerf(out, SIP_HDR_CALL_ID, "%s", reg->call_id);
	sip_build_cseq(out, ++reg->cseq, SLICE("REGISTER"));
	sip_build_headerf(out, SIP_HDR_CONTACT, "<%.*s>", SLICE_ARG(buf_slice(&contact)));
	sip_build_header_u32(out, SIP_HDR_EXPIRES, expires);
	buf_add_slice(out, credentials);
	sip_build_body(out, SLICE(""), SLICE(""));
}

static void on_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in);
static void on_failed(void *user, struct sip_client_txn *txn, int reason);

static void on_ended(void *user, struct sip_client_txn *txn)
{
	struct entity *e = user;

	if (e->registration.txn == txn)
		e->registration.txn = NULL;
}

static const struct sip_client_handlers handlers = { on_response, on_failed, on_ended };

static void send_register(struct entity *e, const struct sip_msg *challenge)
{
	const struct sip_client_options options = { .timeout_ms = ANSWER_MS };
	const struct uc_registration *row = row_of(e);
	struct sip_flow flow = entity_way_best(e)->flow;
	AUTO_BUF uri = { 0 };
	AUTO_BUF credentials = { 0 };
	AUTO_BUF out = { 0 };
	int r;

	if (!row || e->gone)
		return;
	buf_printf(&uri, "sip:%s", row->registrar);
	r = sip_wire_prepare(e->sm->wire, &flow, 600);
	if (r == 0 && challenge)
		r = entity_answer_challenge(e, challenge, SLICE("REGISTER"), buf_slice(&uri),
					    e->registration.challenged, &credentials);
	if (r == -ENOENT || r == -EKEYREJECTED) {
		enter(e, ENTITY_REGISTER_REFUSED,
		      r == -ENOENT ? "there is no password that can be opened"
				   : "the credentials are refused");
		again(e, RETRY_MS);
		return;
	}
	e->registration.challenged = challenge != NULL;
	if (r == 0)
		build(e, row, &flow, buf_slice(&uri), buf_slice(&credentials), &out);
	if (r == 0)
		r = buf_ok(&out)
			    ? sip_client_txn_new(e->sm->stack, &flow, buf_slice(&out), &options,
						 &handlers, e, &e->registration.txn, NULL)
			    : -ENOMEM;
	if (r < 0) {
		enter(e, ENTITY_REGISTER_FAILED, strerror(-r));
		again(e, RETRY_MS);
	}
}

/* What the registrar grants: for our contact, else for all (RFC 3261 section 10.2.4). */
static uint32_t granted(const struct sip_msg *msg, uint32_t asked)
{
	struct sip_addr contact;
	struct slice value;
	uint32_t seconds = asked;

	if (sip_msg_expires(msg, &seconds) < 0)
		seconds = asked;
	if (sip_msg_contact(msg, &contact) == 0 &&
	    sip_addr_param(&contact, SLICE("expires"), &value))
		(void)slice_to_u32(value, &seconds);
	if (seconds > asked)
		seconds = asked;
	return seconds < EXPIRES_MIN_S ? EXPIRES_MIN_S : seconds;
}

static void accepted(struct entity *e, const struct sip_msg *msg)
{
	const struct uc_registration *row = row_of(e);
	uint32_t asked = row ? row->expires_s : 0;
	uint32_t seconds;

	if (e->registration.min_expires_s > asked)
		asked = e->registration.min_expires_s;
	seconds = granted(msg, asked);
	e->registration.expires_wall_ms = sm_wall_ms(e->sm) + seconds * 1000LL;
	enter(e, ENTITY_REGISTERED, "200 OK");
	again(e, seconds * 750ULL); /* refreshed at three quarters */
}

static void on_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct entity *e = user;
	unsigned status = in->msg->status;
	uint32_t least = 0;
	char reason[64];

	if (status < 200)
		return;
	e->registration.txn = NULL; /* it waits for copies of the answer on its own */
	if (status < 300) {
		accepted(e, in->msg);
		return;
	}
	if (status == 401 || status == 407) {
		send_register(e, in->msg);
		return;
	}
	if (status == 423 &&
	    slice_to_u32(slice_trim(sip_msg_value(in->msg, SIP_HDR_MIN_EXPIRES)), &least) == 0 &&
	    least > e->registration.min_expires_s && least <= 86400) {
		e->registration.min_expires_s = least;
		e->registration.challenged = false;
		send_register(e, NULL);
		return;
	}
	snprintf(reason, sizeof(reason), "%u %.*s", status, SLICE_ARG(in->msg->reason));
	enter(e, ENTITY_REGISTER_REFUSED, reason);
	again(e, RETRY_MS);
}

static void on_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct entity *e = user;

	e->registration.txn = NULL;
	enter(e, ENTITY_REGISTER_FAILED, reason == -ETIMEDOUT ? "no answer" : strerror(-reason));
	again(e, RETRY_MS);
}

static void fire(struct timer *timer)
{
	struct entity_registration *reg = CONTAINER_OF(timer, struct entity_registration, timer);
	struct entity *e = CONTAINER_OF(reg, struct entity, registration);

	if (reg->txn)
		return; /* its end starts the timer again */
	reg->challenged = false;
	if (reg->state != ENTITY_REGISTERED)
		enter(e, ENTITY_REGISTER_TRYING, "");
	send_register(e, NULL);
}

void entity_register_sync(struct entity *e)
{
	if (!row_of(e)) {
		entity_register_stop(e);
		return;
	}
	if (e->registration.call_id[0] == '\0') {
		sip_stack_tag(e->registration.call_id);
		sip_stack_tag(e->registration.tag);
	}
	again(e, 1);
}

void entity_register_stop(struct entity *e)
{
	loop_timer_stop(e->sm->loop, &e->registration.timer);
	if (e->registration.txn)
		sip_client_txn_detach(TAKE(e->registration.txn));
	e->registration.state = ENTITY_REGISTER_NONE;
}

json_t *entity_register_to_json(const struct entity *e)
{
	const struct entity_registration *reg = &e->registration;
	char text[CLOCK_RFC3339_SIZE];

	if (reg->state == ENTITY_REGISTER_NONE)
		return json_null();
	return json_pack("{s:s,s:s,s:s?}", "state", state_names[reg->state], "reason", reg->reason,
			 "expires_at",
			 reg->state == ENTITY_REGISTERED ? clock_format(reg->expires_wall_ms, text)
							 : NULL);
}
