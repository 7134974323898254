/* SPDX-License-Identifier: Apache-2.0 */
/* entity_calls.c - an entity's calls against its max_calls (seats.h), by the messages that make them. */
#include <stdlib.h>
#include <string.h>

#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "node/metrics.h"
#include "sm/entity.h"
#include "sm/seats.h"
#include "sm/sm.h"

#define SESSION_MIN_S 90 /* RFC 4028 section 4 */

static uint32_t limit_of(const struct entity *e)
{
	const struct uc_entity *row = uc_entity_by_name(sm_model(e->sm), e->name, strlen(e->name));

	return row ? row->max_calls : 0;
}

static struct seat_key key_of(const struct entity *e, const struct sip_msg *invite)
{
	return (struct seat_key){ .entity = slice_str(e->name),
				  .call_id = sip_msg_call_id(invite),
				  .from_tag = sip_msg_from_tag(invite) };
}

uint32_t entity_calls(const struct entity *e)
{
	return seats_of(e->sm->seats, slice_str(e->name));
}

bool entity_full(const struct entity *e)
{
	uint32_t limit = e->fast ? 0 : limit_of(e);

	return limit && entity_calls(e) >= limit;
}

bool entity_seat_take(struct entity *e, const struct sip_msg *invite, bool must)
{
	struct seat_key key = key_of(e, invite);

	if (e->fast || seats_take(e->sm->seats, &key, limit_of(e), must, sm_wall_ms(e->sm)))
		return true;
	metric_add(e->sm->metrics, SM_ENTITY_FULL, 1);
	return false;
}

void entity_seat_leave(struct entity *e, const struct sip_msg *invite)
{
	struct seat_key key;

	if (e->fast || !invite)
		return;
	key = key_of(e, invite);
	seats_leave(e->sm->seats, &key);
}

static uint32_t session_of(const struct sip_msg *msg)
{
	struct sip_session_expires session;

	if (sip_session_expires_parse(sip_msg_value(msg, SIP_HDR_SESSION_EXPIRES), &session) < 0)
		return 0;
	return session.seconds < SESSION_MIN_S ? SESSION_MIN_S : session.seconds;
}

void entity_seats_answer(struct sm *sm, const struct sip_msg *answer, bool in_dialog)
{
	enum sip_method method = sip_msg_cseq_method(answer);
	struct slice call_id = sip_msg_call_id(answer);

	if (method != SIP_INVITE && method != SIP_UPDATE)
		return;
	if (in_dialog && (answer->status == 481 || answer->status == 408))
		seats_ended(sm->seats, call_id, sip_msg_from_tag(answer), sip_msg_to_tag(answer));
	else if (in_dialog && answer->status / 100 == 2)
		seats_refreshed(sm->seats, call_id, session_of(answer), sm_wall_ms(sm));
	else if (!in_dialog && answer->status / 100 == 2 && method == SIP_INVITE)
		seats_answered(sm->seats, call_id, sip_msg_from_tag(answer), sip_msg_to_tag(answer),
			       session_of(answer), sm_wall_ms(sm));
}

void entity_seats_end(struct sm *sm, const struct sip_msg *msg)
{
	seats_ended(sm->seats, sip_msg_call_id(msg), sip_msg_from_tag(msg), sip_msg_to_tag(msg));
}
