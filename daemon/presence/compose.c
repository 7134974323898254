/* SPDX-License-Identifier: Apache-2.0 */
/* compose.c - one presence document made of all that a user's devices published. */
#include "presence/compose.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

void compose_begin(struct compose *c, struct slice entity)
{
	memset(&c->out, 0, sizeof(c->out));
	pidf_text_set(&c->out.entity, entity);
}

static bool id_is_taken(const struct pidf *p, const char *id)
{
	for (size_t i = 0; i < p->tuple_count; i++) {
		if (strcmp(p->tuples[i].id, id) == 0)
			return true;
	}
	return false;
}

/* Ids are unique within a document (RFC 3863 section 4.1.2); two devices may well use the same. */
static void id_make_unique(const struct pidf *p, char (*id)[PIDF_TEXT_MAX])
{
	char base[PIDF_TEXT_MAX];

	if ((*id)[0] == '\0')
		snprintf(*id, sizeof(*id), "t");
	memcpy(base, *id, sizeof(base));
	for (unsigned n = 2; id_is_taken(p, *id) && n < 1000; n++)
		snprintf(*id, sizeof(*id), "%.200s-%u", base, n);
}

static void add_person(struct pidf *out, const struct pidf *in)
{
	if (!in->has_person)
		return;
	out->has_person = true;
	out->activities |= in->activities;
	if (out->person_id[0] == '\0')
		memcpy(out->person_id, in->person_id, sizeof(out->person_id));
	if (out->person_note[0] == '\0')
		memcpy(out->person_note, in->person_note, sizeof(out->person_note));
}

int compose_add(struct compose *c, struct slice document)
{
	struct pidf *out = &c->out, *in = &c->in;
	int r;

	r = pidf_parse(document, in);
	if (r < 0)
		return r;
	for (size_t i = 0; i < in->tuple_count && out->tuple_count < PIDF_TUPLES_MAX; i++) {
		struct pidf_tuple *to = &out->tuples[out->tuple_count];

		*to = in->tuples[i];
		id_make_unique(out, &to->id);
		out->tuple_count++;
	}
	add_person(out, in);
	if (out->note[0] == '\0')
		memcpy(out->note, in->note, sizeof(out->note));
	return 0;
}

void compose_end(struct compose *c, struct buf *out)
{
	struct pidf *p = &c->out;

	if (p->tuple_count == 0) {
		p->tuples[0] = (struct pidf_tuple){ .basic = PIDF_CLOSED, .priority = -1 };
		snprintf(p->tuples[0].id, sizeof(p->tuples[0].id), "offline");
		p->tuple_count = 1;
	}
	pidf_write(p, out);
}
