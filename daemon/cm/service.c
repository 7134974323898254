/* SPDX-License-Identifier: Apache-2.0 */
/* service.c - the first decisions of each half: station, dial plan, class of the caller. */
#include "cm/service.h"

#include "base/error.h"
#include "node/node_sip.h"
#include "node/uc_model.h"

int service_digits(struct slice user, char *out)
{
	struct slice number = slice_take_until(&user, ';', NULL);
	size_t n = 0;

	for (size_t i = 0; i < number.len; i++) {
		char c = number.p[i];

		if (c == '-' || c == '.' || c == '(' || c == ')')
			continue;
		if (c == '+' && i == 0)
			continue;
		if (!ascii_is_digit((unsigned char)c) && c != '*' && c != '#')
			return -EINVAL;
		if (n >= SERVICE_DIGITS_MAX)
			return -ENOSPC;
		out[n++] = c;
	}
	out[n] = '\0';
	return n > 0 ? 0 : -EINVAL;
}

const char *service_class_name(enum service_class class)
{
	return class == SERVICE_INTERNAL ? "internal" : "external";
}

static void party_set(char *out, const struct uc_user *user, struct slice fallback)
{
	struct slice name = user ? slice_str(user->handle) : fallback;

	if (slice_copy(slice_sub(name, 0, HALF_PARTY_SIZE - 1), out, HALF_PARTY_SIZE) < 0)
		out[0] = '\0';
}

static void refuse(struct service_verdict *v, unsigned status, const char *reason)
{
	v->status = status;
	v->reason = reason;
}

/* Where dialled digits lead. The dial plan says what kind of number it is: an extension is somebody's
 * here; aar and ars numbers are routed by sm, and so is what the plan does not know and nobody has.
 * An exact extension or handle is found without a plan, too: a user can be called by name. */
static void decide_number(const struct uc_model *model, const char *digits,
			  struct service_verdict *v)
{
	size_t len = strlen(digits);
	const struct uc_dial_entry *entry = uc_dial_match(model, digits, len);

	if (entry && (entry->type == UC_DIAL_AAR || entry->type == UC_DIAL_ARS))
		return;
	if (entry && entry->type != UC_DIAL_EXTENSION) {
		refuse(v, 404, "No route for this kind of number");
		return;
	}
	v->target = uc_user_by_extension(model, digits, len);
	if (!v->target)
		v->target = uc_user_by_handle(model, digits, len);
	if (!v->target && entry)
		refuse(v, 404, "Nobody has this number");
	v->retarget = v->target != NULL;
}

static void decide_orig(const struct uc_model *model, const struct service_request *req,
			const struct uc_user *caller, struct service_verdict *v)
{
	char digits[SERVICE_DIGITS_MAX + 1];
	int r;

	if (!caller || !caller->station) {
		refuse(v, 403, "The caller has no station");
		return;
	}
	v->station = caller->station;
	/* Another domain is not a number of ours: sm routes it. */
	if (!node_sip_host_is_ours(model, req->target_host))
		return;

	r = service_digits(req->target, digits);
	if (r == -ENOSPC) {
		refuse(v, 484, "Too many digits");
		return;
	}
	if (r == 0) {
		decide_number(model, digits, v);
		return;
	}
	v->target = uc_user_by_handle(model, req->target.p, req->target.len);
}

static void decide_term(const struct uc_model *model, const struct service_request *req,
			struct service_verdict *v)
{
	v->target = node_sip_user(model, req->target, req->target_host);
	if (!v->target || !v->target->station) {
		refuse(v, 404, "The callee has no station");
		return;
	}
	v->station = v->target->station;
	v->retarget = true;
}

void service_decide(const struct uc_model *model, const struct service_request *req,
		    struct service_verdict *ret)
{
	const struct uc_user *caller = node_sip_user(model, req->asserted, req->asserted_host);

	*ret = (struct service_verdict){
		.class = caller ? SERVICE_INTERNAL : SERVICE_EXTERNAL,
	};
	if (req->phase == HALF_IMSORIG)
		decide_orig(model, req, caller, ret);
	else
		decide_term(model, req, ret);

	party_set(ret->caller, caller, req->asserted);
	party_set(ret->callee, ret->target, req->target);
}
