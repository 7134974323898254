/* SPDX-License-Identifier: Apache-2.0 */
/* uc_diff.c - see uc_diff.h. */
#include "control/uc/uc_diff.h"

#include <stdio.h>
#include <string.h>

#define KEY_SIZE 1024

const struct uc_diff_kind uc_diff_registrations = {
	.subject = "handle",
	.second = "contact",
	.ignored = "expires_at",
	.changed = "registration.changed",
	.deleted = "registration.deleted",
	.summary = "registrations.changed",
};

const struct uc_diff_kind uc_diff_calls = {
	.subject = "gsid",
	.changed = "call.changed",
	.deleted = "call.deleted",
	.summary = "calls.changed",
};

const struct uc_diff_kind uc_diff_entities = {
	.subject = "name",
	.compared = (const char *const[]){ "link", "reason", "changed_at", "calls", NULL },
	.changed = "sip-entity.link",
	.deleted = "sip-entity.unlinked",
	.summary = "sip-entities.links",
};

const struct uc_diff_kind uc_diff_quarantine = {
	.subject = "address",
	.ignored = "for_s",
	.changed = "firewall.quarantined",
	.deleted = "firewall.free",
	.summary = "firewall.changed",
};

static const char *text_of(const json_t *item, const char *member)
{
	const char *text = member ? json_string_value(json_object_get(item, member)) : NULL;

	return text ? text : "";
}

static bool same(const struct uc_diff_kind *kind, const json_t *a, const json_t *b)
{
	const char *name;
	json_t *value;

	for (size_t i = 0; kind->compared && kind->compared[i]; i++) {
		const json_t *was = json_object_get(a, kind->compared[i]);
		const json_t *is = json_object_get(b, kind->compared[i]);

		if (was != is && !json_equal(was, is))
			return false;
	}
	if (kind->compared)
		return true;
	if (json_object_size(a) != json_object_size(b))
		return false;
	json_object_foreach((json_t *)a, name, value)
	{
		if (kind->ignored && strcmp(name, kind->ignored) == 0)
			continue;
		if (!json_equal(value, json_object_get(b, name)))
			return false;
	}
	return true;
}

/* The one after the last is counted, not kept. */
static int add(json_t *events, bool *more, const char *type, const char *subject, json_t *data)
{
	if (json_array_size(events) >= UC_DIFF_MAX) {
		*more = true;
		return 0;
	}
	return json_array_append_new(events, json_pack("{s:s, s:s, s:O}", "type", type, "subject",
						       subject, "data", data));
}

static int compare(const struct uc_diff_kind *kind, const json_t *known, const json_t *items,
		   json_t *now, json_t *events, bool *more)
{
	const char *key;
	json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach((json_t *)items, i, item)
	{
		const char *subject = text_of(item, kind->subject);
		const json_t *before;
		char text[KEY_SIZE];

		if (!*subject)
			continue;
		(void)snprintf(text, sizeof(text), "%s\x1f%s", subject,
			       text_of(item, kind->second));
		r |= json_object_set(now, text, item);
		before = json_object_get(known, text);
		if (known && (!before || !same(kind, before, item)))
			r |= add(events, more, kind->changed, subject, item);
	}
	json_object_foreach((json_t *)known, key, item)
	{
		if (!json_object_get(now, key))
			r |= add(events, more, kind->deleted, text_of(item, kind->subject), item);
	}
	return r;
}

int uc_diff(const struct uc_diff_kind *kind, const json_t *known, const json_t *items, json_t **now,
	    json_t **events, struct error *err)
{
	AUTO(json) json_t *all = json_object();
	AUTO(json) json_t *out = json_array();
	bool more = !known;
	int r = all && out ? compare(kind, known, items, all, out, &more) : -1;

	if (r == 0 && more)
		r = json_array_append_new(out,
					  json_pack("{s:s, s:s, s:{s:I}}", "type", kind->summary,
						    "subject", "*", "data", "total",
						    (json_int_t)json_object_size(all)));
	if (r != 0)
		return error_set(err, -ENOMEM, "out of memory");
	*now = TAKE(all);
	*events = TAKE(out);
	return 0;
}
