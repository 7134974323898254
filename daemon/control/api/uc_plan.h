/* SPDX-License-Identifier: Apache-2.0 */
/* uc_plan.h - what a change of a user would do (api_dry_run.h), with the phones and calls it meets. */
#pragma once
#include <stdint.h>

struct api;
struct error;
struct http_reply;
struct http_request;
struct json_t; /* Jansson */

/* Each checks as the change itself does and answers the plan; `old` is the user as it is. */
int uc_plan_create(struct api *api, const struct http_request *req, struct http_reply *reply,
		   struct error *err);
int uc_plan_patch(struct api *api, const struct http_request *req, const struct json_t *old,
		  int64_t version, struct http_reply *reply, struct error *err);
int uc_plan_delete(struct api *api, const struct json_t *old, struct http_reply *reply,
		   struct error *err);
