/* SPDX-License-Identifier: Apache-2.0 */
/* uc_list.h - lists of what is administered, answered out of control/uc/uc_pages.h while they are true. */
#pragma once

struct api;
struct error;
struct http_reply;
struct listing_query;
struct uc_resource;

/* res NULL: the users. Nothing that depends on who asks, or on anything but replicated rows, may be in
 * such an answer. */
int api_reply_uc_list(struct api *api, const struct uc_resource *res,
		      const struct listing_query *query, struct http_reply *reply,
		      struct error *err);
