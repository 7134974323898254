/* SPDX-License-Identifier: Apache-2.0 */
/* own_invite.c - INVITEs that cm starts itself. */
#include "cm/own_invite.h"

#include "base/error.h"
#include "cm/cm.h"
#include "codec/sip/sip_uri.h"
#include "node/node.h"
#include "node/node_sip.h"
#include "node/uc_model.h"

/* He who diverts or transfers pays for the way on, as if he had dialled it: his class of restriction, his
 * originating half; cm has made that half's decisions, so the call goes on at origdone. */
/* clang-format off */
static const struct own_rule rules[OWN_REASONS] = {
	/*                  name        decided */
	[OWN_REDIRECT] = { "redirect", HALF_IMSORIG },
	[OWN_TRANSFER] = { "transfer", HALF_IMSORIG },
};
/* clang-format on */

const struct own_rule *own_rule(enum own_reason reason)
{
	return &rules[reason];
}

struct own_invite *own_invite_free(struct own_invite *own)
{
	if (!own)
		return NULL;
	buf_done(&own->lines);
	buf_done(&own->route);
	free(own->target);
	free(own);
	return NULL;
}

int own_route_to_sm(const struct cm *cm, struct slice params, struct buf *out)
{
	static const char *const transports[] = { "udp", "tcp", "tls" };
	const struct uc_entity *sm = uc_entity_by_type(node_model(cm->node), UC_ENTITY_SM);

	if (!sm)
		return -ENOENT;
	buf_printf(out, strchr(sm->address, ':') ? "<sip:[%s]:%u" : "<sip:%s:%u", sm->address,
		   (unsigned)sm->port);
	buf_printf(out, ";transport=%s;lr%.*s>", transports[sm->transport], SLICE_ARG(params));
	return 0;
}

int own_route(struct cm *cm, enum own_reason reason, const char *served, struct buf *route,
	      const struct sip_flow **flow)
{
	const struct uc_entity *sm = uc_entity_by_type(node_model(cm->node), UC_ENTITY_SM);
	AUTO_BUF params = { 0 };
	int r;

	buf_printf(&params, ";phase=%s;served=", half_phase_done(own_rule(reason)->decided));
	sip_escape_param(&params, slice_str(served));
	if (!buf_ok(&params))
		return -ENOMEM;
	r = own_route_to_sm(cm, buf_slice(&params), route);
	if (r < 0)
		return r;
	/* Where no certificate says who we are, sm knows us by the connection that it opened. */
	*flow = sm->transport == UC_TCP && cm->has_link ? &cm->link : NULL;
	return buf_ok(route) ? 0 : -ENOMEM;
}

void own_decide(const struct cm *cm, const char *served, const struct sip_uri *uri,
		struct service_verdict *ret)
{
	const struct uc_model *model = node_model(cm->node);
	struct node_party target = { 0 };

	node_sip_party(uri, &target);
	service_decide(model,
		       &(struct service_request){
			       .phase = HALF_IMSORIG,
			       .asserted = slice_str(served),
			       .asserted_host = slice_str(uc_model_domain(model)),
			       .target = slice_str(target.user),
			       .target_host = target.host,
		       },
		       ret);
}

char *own_target(const struct cm *cm, const struct sip_uri *uri, const struct service_verdict *v)
{
	struct slice text = uri->text;
	AUTO_BUF out = { 0 };

	if (v->retarget && v->target) {
		buf_add_str(&out, "sip:");
		(void)sip_escape_user(&out, slice_str(v->target->handle));
		buf_printf(&out, "@%s", uc_model_domain(node_model(cm->node)));
		return buf_take_str(&out);
	}
	/* Headers of a URI are for whoever makes the request of it. */
	if (uri->headers.len > 0)
		text.len = (size_t)(uri->headers.p - text.p) - 1;
	return slice_dup(text);
}
