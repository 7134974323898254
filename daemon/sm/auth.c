/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c - who is the user behind a request? (RFC 3261 section 22) */
#include "sm/auth.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "codec/sip/sip_auth.h"
#include "codec/sip/sip_msg.h"
#include "net/addr.h"
#include "node/metrics.h"
#include "node/uc_model.h"
#include "sm/firewall.h"
#include "sm/sm.h"
#include "stack/sip/sip_digest.h"
#include "stack/sip/sip_stack.h"

static int challenge(struct sm *sm, const struct sip_incoming *in, bool proxy, bool stale)
{
	AUTO_BUF lines = { 0 };
	struct sip_extra extra = { 0 };

	sip_digest_challenge(sm->digest, proxy, sm_domain(sm), stale, &lines);
	extra.headers = buf_slice(&lines);
	sip_stack_reply(sm->stack, in, proxy ? 407 : 401, &extra);
	metric_add(sm->metrics, SM_CHALLENGES, 1);
	return -EACCES;
}

static const struct uc_user *find_user(struct sm *sm, const struct sip_auth *auth,
				       struct sip_digest_ha1 *ha1)
{
	const struct uc_user *user;
	char name[256];
	int n;

	n = sip_unquote(auth->username, name, sizeof(name));
	if (n <= 0)
		return NULL;
	user = uc_user_by_handle(sm_model(sm), name, (size_t)n);
	if (user) {
		(void)slice_copy(slice_str(user->ha1_md5), ha1->md5, sizeof(ha1->md5));
		(void)slice_copy(slice_str(user->ha1_sha256), ha1->sha256, sizeof(ha1->sha256));
	}
	return user;
}

/* Right is not yet enough: one user's phone gone wild must not cost the others. A phone that is told
 * 503 would leave, so 500. */
static int let_in(struct sm *sm, const struct sip_incoming *in, const struct uc_user *user,
		  const struct uc_user **ret)
{
	static const struct sip_extra slower = {
		.headers = SLICE("Warning: 399 sm \"too many requests in this name\"\r\n")
	};
	enum firewall_rule rule = firewall_authenticated(sm->firewall, &in->flow.remote,
							 slice_str(user->handle), sm_now_ms(sm));

	if (rule == FIREWALL_PASS) {
		*ret = user;
		return 0;
	}
	sm_blocked(sm, rule, &in->flow.remote);
	sip_stack_reply(sm->stack, in, 500, &slower);
	return -EACCES;
}

static void log_refused(struct sm *sm, const struct sip_auth *auth, const struct addr *from)
{
	char source[ADDR_TEXT_MAX];
	uint64_t unlogged;

	if (log_limit_take(&sm->auth_log, sm_now_ms(sm), &unlogged))
		log_info("auth.failed", F("user", auth->username),
			 F("source", addr_format(from, source)), F("unlogged", unlogged));
}

int auth_check(struct sm *sm, const struct sip_incoming *in, bool proxy, const struct uc_user **ret)
{
	struct sip_digest_ha1 ha1 = { 0 };
	const struct uc_user *user;
	struct sip_auth auth;
	int r;

	r = sip_digest_credentials(in->msg, proxy, sm_domain(sm), &auth);
	if (r == -ENOENT)
		return challenge(sm, in, proxy, false);
	if (r == 0) {
		user = find_user(sm, &auth, &ha1);
		r = sip_digest_verify(sm->digest, &auth, in->msg->method_name, in->msg->uri,
				      user ? &ha1 : NULL);
		if (r == 0)
			return let_in(sm, in, user, ret);
	}
	if (r == -EBADMSG) {
		sip_stack_reply(sm->stack, in, 400, NULL);
		return -EACCES;
	}
	if (r != -ESTALE) {
		firewall_failed(sm->firewall, &in->flow.remote, sm_now_ms(sm));
		log_refused(sm, &auth, &in->flow.remote);
	}
	return challenge(sm, in, proxy, r == -ESTALE);
}
