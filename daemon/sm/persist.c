/* SPDX-License-Identifier: Apache-2.0 */
/* persist.c - what of sm outlives a restart: bindings and the key of its tokens. */
#include "sm/persist.h"

#include <inttypes.h>
#include "base/json_field.h"
#include <stdio.h>

#include "base/log.h"
#include "base/random.h"
#include "net/digest.h"
#include "node/node.h"
#include "node/state_journal.h"
#include "sm/secrets.h"
#include "sm/sm.h"

#define KIND_BINDING "binding"
#define KIND_SECRET SECRETS_KIND

static struct slice make_key(const char *handle, uint64_t id, char *out, size_t size)
{
	int n = snprintf(out, size, "%016" PRIx64 " %s", id, handle);

	return slice_make(out, n > 0 && (size_t)n < size ? (size_t)n : 0);
}

static json_t *binding_to_json(const char *handle, const struct binding *b)
{
	char source[ADDR_TEXT_MAX];

	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:s,s:b,s:I,s:s*,s:s*,s:I}",
			 "handle", handle, "uri", b->uri, "instance", b->instance, "call_id",
			 b->call_id, "user_agent", b->user_agent, "id", (json_int_t)b->id, "cseq",
			 (json_int_t)b->cseq, "q", (json_int_t)b->q, "transport",
			 (json_int_t)b->transport, "source", addr_format(&b->source, source),
			 "by_source", b->by_source, "expires_ms", (json_int_t)b->expires_ms,
			 "params", b->params, "path", b->path, "reg_id", (json_int_t)b->reg_id);
}

void persist_binding(void *user, enum location_event event, const char *handle,
		     const struct binding *binding)
{
	struct sm *sm = user;
	struct state_journal *journal = node_state(sm->node);
	char key_text[512];
	struct slice key;
	AUTO(str) char *text = NULL;
	json_t *json;
	int r = 0;

	log_debug("binding", F("handle", handle), F("change", location_event_name(event)),
		  F("contact", (const char *)binding->uri));
	if (!state_wanted(journal))
		return;
	key = make_key(handle, binding->id, key_text, sizeof(key_text));
	if (event != LOCATION_ADDED && event != LOCATION_REFRESHED) {
		r = state_delete(journal, KIND_BINDING, key);
	} else {
		json = binding_to_json(handle, binding);
		text = json ? json_dumps(json, JSON_COMPACT) : NULL;
		json_decref(json);
		r = text ? state_put(journal, KIND_BINDING, key, slice_str(text),
				     binding->expires_ms)
			 : -ENOMEM;
	}
	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "binding.journal", r, NULL);
}

static int load_binding(void *user, struct slice key, struct slice value, int64_t expires_ms)
{
	struct sm *sm = user;
	struct binding b = { 0 };
	json_t *json = json_loadb(value.p, value.len, 0, NULL);
	json_int_t id, cseq, q, transport, expires, reg_id = 0;
	const char *handle, *source;
	char empty[] = "";
	int by_source;

	b.instance = b.call_id = b.user_agent = b.uri = empty;
	if (json_unpack(json, "{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:s,s:b,s:I,s?s,s?s,s?I}",
			"handle", &handle, "uri", &b.uri, "instance", &b.instance, "call_id",
			&b.call_id, "user_agent", &b.user_agent, "id", &id, "cseq", &cseq, "q", &q,
			"transport", &transport, "source", &source, "by_source", &by_source,
			"expires_ms", &expires, "params", &b.params, "path", &b.path, "reg_id",
			&reg_id) == 0 &&
	    addr_parse(slice_str(source), 0, &b.source) == 0) {
		b.id = (uint64_t)id;
		b.cseq = (uint32_t)cseq;
		b.q = (uint32_t)q;
		b.transport = (enum sip_transport)transport;
		b.by_source = by_source;
		b.expires_ms = expires;
		b.reg_id = (uint32_t)reg_id;
		location_restore(sm->location, handle, &b);
	}
	json_decref(json);
	return 0;
}

static int load_key(void *user, struct slice key, struct slice value, int64_t expires_ms)
{
	struct sm *sm = user;

	if (slice_eq_str(key, SECRETS_KEY)) {
		(void)secrets_read_key(sm, value);
		return 0;
	}
	if (!slice_eq_str(key, "odi") || value.len != 2 * ODI_KEY_SIZE ||
	    digest_from_hex(value, sm->key, ODI_KEY_SIZE) != ODI_KEY_SIZE)
		memset(sm->key, 0, ODI_KEY_SIZE);
	return 0;
}

int persist_load(struct sm *sm, struct error *err)
{
	struct state_journal *journal = node_state(sm->node);
	static const uint8_t none[ODI_KEY_SIZE];
	char hex[2 * ODI_KEY_SIZE + 1];
	int r;

	r = state_load(journal, KIND_SECRET, load_key, sm, err);
	if (r < 0)
		return r;
	if (memcmp(sm->key, none, ODI_KEY_SIZE) == 0) {
		random_bytes(sm->key, ODI_KEY_SIZE);
		digest_to_hex(sm->key, ODI_KEY_SIZE, hex);
		r = state_put(journal, KIND_SECRET, SLICE("odi"), slice_str(hex), 0);
		if (r < 0)
			return error_set(err, r, "the key of tokens cannot be kept");
	}
	return state_load(journal, KIND_BINDING, load_binding, sm, err);
}
