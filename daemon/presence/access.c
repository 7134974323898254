/* SPDX-License-Identifier: Apache-2.0 */
/* access.c - who may publish and who may watch whose presence. */
#include "presence/access.h"

#include "node/node_sip.h"
#include "node/uc_model.h"

unsigned access_decide(const struct uc_model *model, const struct access_request *req,
		       const struct uc_user **ret)
{
	const struct uc_user *asker = node_sip_user(model, req->asserted, req->asserted_host);
	const struct uc_user *target = node_sip_user(model, req->target, req->target_host);

	if (!asker)
		return 403;
	if (!target || !target->presence_enabled)
		return 404;
	if (req->method == SIP_PUBLISH && asker != target)
		return 403;
	*ret = target;
	return 0;
}
