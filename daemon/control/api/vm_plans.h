/* SPDX-License-Identifier: Apache-2.0 */
/* vm_plans.h - dry runs of what changes VMs: what happens, how long it takes, who notices. */
#pragma once
#include "control/api/api_private.h"
#include "control/vm/vm_manager.h"

/* Each checks as the change itself would and answers the plan, or fails as the change would. */
int vm_plan_deploy(struct api *api, const struct vm_deploy *spec, struct http_reply *reply,
		   struct error *err);
int vm_plan_act(struct api *api, const char *vm, enum vm_action action, struct http_reply *reply,
		struct error *err);
int vm_plan_delete(struct api *api, const char *vm, bool purge, struct http_reply *reply,
		   struct error *err);
int vm_plan_change(struct api *api, const char *vm, const struct vm_change *change,
		   struct http_reply *reply, struct error *err);
