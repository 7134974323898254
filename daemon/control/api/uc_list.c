/* SPDX-License-Identifier: Apache-2.0 */
/* uc_list.c - see uc_list.h. */
#include "control/api/uc_list.h"
#include "base/buf.h"
#include "control/api/api_private.h"
#include "control/uc/uc.h"
#include "control/uc/uc_pages.h"
#include "control/uc/uc_rows.h"

#include <string.h>

enum { KEY_MAX = 8192 }; /* a longer question is not worth to be kept */

struct question {
	struct uc *uc;
	const struct uc_resource *res;
	const struct listing_query *query;
};

static int make(void *user, struct uc_answer *ret, struct error *err)
{
	const struct question *q = user;
	AUTO_LISTING_PAGE page = { 0 };
	AUTO(json) json_t *json = NULL;
	int r = q->res ? uc_row_list(q->uc, q->res, q->query, &page, err)
		       : uc_user_list(q->uc, q->query, &page, err);

	if (r == 0)
		r = http_listing_answer(q->query, &page, &json, err);
	if (r < 0)
		return r;
	*ret = (struct uc_answer){ .text = json_text(json), .state = TAKE(page.state) };
	if (!ret->text)
		return error_set(err, -ENOMEM, "no memory for a list");
	ret->len = strlen(ret->text);
	return 0;
}

int api_reply_uc_list(struct api *api, const struct uc_resource *res,
		      const struct listing_query *query, struct http_reply *reply,
		      struct error *err)
{
	struct question question = { .uc = api->config.uc, .res = res, .query = query };
	AUTO_ANSWER answer = { 0 };
	AUTO_BUF key = { 0 };
	int r;

	buf_init(&key, KEY_MAX);
	buf_printf(&key, "%s ", res ? res->path : "users");
	listing_query_key(query, &key);
	r = buf_ok(&key) ? uc_pages_answer(uc_pages_of(question.uc), key.data, make, &question,
					   &answer, err)
			 : make(&question, &answer, err);
	if (r < 0)
		return r;
	reply_json_text(reply, 200, TAKE(answer.text), answer.len);
	return 0;
}
