/* SPDX-License-Identifier: Apache-2.0 */
/* uc_live.c - live state, asked of the call servers' management API. */
#include "control/uc/uc.h"
#include "control/uc/uc_private.h"

#include "net/http_client.h"

#include <stdio.h>
#include <string.h>

static int ask(struct uc *uc, const char *node, const char *path, const char *json, int *status,
	       json_t **ret, struct error *err)
{
	__attribute__((cleanup(http_client_answer_done))) struct http_client_answer answer = { 0 };
	struct http_client_request request = { .path = path, .json = json };
	int r;

	for (size_t i = 0; i < UC_NODES; i++)
		if (strcmp(node, uc_node_names[i]) == 0)
			request.base = uc->management[i];
	if (!request.base)
		return error_set(err, -EAGAIN, "%s is not deployed", node);
	r = http_client_send(uc->http, &request, &answer, err);
	if (r < 0)
		return error_set(err, -EAGAIN, "%s does not answer", node);
	r = json_parse(slice_make(answer.body, answer.len), ret, err);
	if (r < 0)
		return error_set(err, -EAGAIN, "%s answers nonsense", node);
	*status = answer.status;
	return 0;
}

int uc_node_get(struct uc *uc, const char *node, const char *path, int *status, json_t **ret,
		struct error *err)
{
	return ask(uc, node, path, NULL, status, ret, err);
}

int uc_node_post(struct uc *uc, const char *node, const char *path, const json_t *body, int *status,
		 json_t **ret, struct error *err)
{
	AUTO(str) char *text = json_text(body);

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	return ask(uc, node, path, text, status, ret, err);
}

/* The items of a node's list. */
static int get_items(struct uc *uc, const char *node, const char *path, json_t **ret,
		     struct error *err)
{
	AUTO(json) json_t *body = NULL;
	json_t *items;
	int status = 0;
	int r = uc_node_get(uc, node, path, &status, &body, err);

	if (r < 0)
		return r;
	items = json_object_get(body, "items");
	if (status != 200 || !json_is_array(items))
		return error_set(err, -EAGAIN, "%s answers %d", node, status);
	*ret = json_incref(items);
	return 0;
}

int uc_registrations(struct uc *uc, json_t **ret, struct error *err)
{
	return get_items(uc, "sm", "/v1/registrations", ret, err);
}

int uc_calls(struct uc *uc, json_t **ret, struct error *err)
{
	return get_items(uc, "cm", "/v1/calls", ret, err);
}

int uc_entities_live(struct uc *uc, json_t **ret, struct error *err)
{
	return get_items(uc, "sm", "/v1/entities", ret, err);
}

/* A refusal of sm, which names what it does not understand, as our own. */
static int refusal(const json_t *problem, int status, struct error *err)
{
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const json_t *first = json_array_get(json_object_get(problem, "errors"), 0);
	const char *pointer = json_string_value(json_object_get(first, "pointer"));
	const char *member = json_string_value(json_object_get(first, "parameter"));
	char field[64];
	const char *why = json_string_value(json_object_get(first, "detail"));

	(void)snprintf(field, sizeof(field), "%s%s", member ? "/" : "",
		       pointer	? pointer
		       : member ? member
				: "");
	if (status == 422 || status == 400)
		return error_field(err, -EINVAL, field, "%s",
				   why	    ? why
				   : detail ? detail
					    : "is not understood by sm");
	return error_set(err, -EAGAIN, "sm answers %d", status);
}

/* An object that sm answers; body NULL: it is only read. */
static int ask_sm(struct uc *uc, const char *path, const json_t *body, json_t **ret,
		  struct error *err)
{
	AUTO(json) json_t *answer = NULL;
	int status = 0;
	int r = body ? uc_node_post(uc, "sm", path, body, &status, &answer, err)
		     : uc_node_get(uc, "sm", path, &status, &answer, err);

	if (r < 0)
		return r;
	if (status != 200 || !json_is_object(answer))
		return refusal(answer, status, err);
	*ret = TAKE(answer);
	return 0;
}

int uc_route_test(struct uc *uc, const json_t *question, json_t **ret, struct error *err)
{
	return ask_sm(uc, "/v1/route-test", question, ret, err);
}

int uc_firewall(struct uc *uc, json_t **ret, struct error *err)
{
	return ask_sm(uc, "/v1/firewall", NULL, ret, err);
}

int uc_firewall_let_go(struct uc *uc, const json_t *body, json_t **ret, struct error *err)
{
	return ask_sm(uc, "/v1/firewall/release", body, ret, err);
}
