/* SPDX-License-Identifier: Apache-2.0 */
/* test_uc_diff.c - two readings of a live list: what came, changed, went; its bound and summary. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "control/uc/uc_diff.h"

static json_t *registration(const char *handle, const char *contact, const char *source,
			    const char *expires)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "handle", handle, "contact", contact, "source",
			 source, "expires_at", expires);
}

static void reading(const struct uc_diff_kind *kind, json_t **known, json_t *items, json_t **events)
{
	json_t *now = NULL;

	assert_int_equal(uc_diff(kind, *known, items, &now, events, NULL), 0);
	json_decref(*known);
	*known = now;
	json_decref(items);
}

static void expect(const json_t *events, size_t i, const char *type, const char *subject)
{
	const json_t *event = json_array_get(events, i);

	assert_string_equal(json_string_value(json_object_get(event, "type")), type);
	assert_string_equal(json_string_value(json_object_get(event, "subject")), subject);
	assert_non_null(json_object_get(event, "data"));
}

static void came_changed_went(void **state)
{
	const struct uc_diff_kind *kind = &uc_diff_registrations;
	AUTO(json) json_t *known = NULL;
	json_t *events = NULL;

	(void)state;
	reading(kind, &known, json_pack("[o]", registration("1", "a", "x", "t1")), &events);
	assert_int_equal(json_array_size(events), 1);
	expect(events, 0, "registrations.changed", "*");
	json_decref(events);
	/* the same contact of another user is another registration; the end alone is no change */
	reading(kind, &known,
		json_pack("[o,o]", registration("1", "a", "x", "t2"),
			  registration("2", "a", "x", "t2")),
		&events);
	assert_int_equal(json_array_size(events), 1);
	expect(events, 0, "registration.changed", "2");
	json_decref(events);
	reading(kind, &known, json_pack("[o]", registration("1", "a", "y", "t2")), &events);
	assert_int_equal(json_array_size(events), 2);
	expect(events, 0, "registration.changed", "1");
	expect(events, 1, "registration.deleted", "2");
	json_decref(events);
	reading(kind, &known, json_array(), &events);
	assert_int_equal(json_array_size(events), 1);
	expect(events, 0, "registration.deleted", "1");
	json_decref(events);
}

static void strange_items_are_left_out(void **state)
{
	AUTO(json) json_t *known = NULL;
	json_t *events = NULL;

	(void)state;
	reading(&uc_diff_calls, &known, json_array(), &events);
	json_decref(events);
	reading(&uc_diff_calls, &known,
		json_pack("[i,n,{},{s:i},{s:s},{s:s}]", 1, "gsid", 7, "gsid", "", "gsid", "g"),
		&events);
	assert_int_equal(json_array_size(events), 1);
	expect(events, 0, "call.changed", "g");
	json_decref(events);
}

static void many_changes_are_bounded(void **state)
{
	AUTO(json) json_t *known = NULL;
	json_t *events = NULL, *items = json_array();

	(void)state;
	reading(&uc_diff_calls, &known, json_array(), &events);
	json_decref(events);
	for (int i = 0; i <= UC_DIFF_MAX; i++) {
		char gsid[16];

		(void)snprintf(gsid, sizeof(gsid), "g%d", i);
		json_array_append_new(items, json_pack("{s:s}", "gsid", gsid));
	}
	reading(&uc_diff_calls, &known, items, &events);
	assert_int_equal(json_array_size(events), UC_DIFF_MAX + 1);
	expect(events, UC_DIFF_MAX - 1, "call.changed", "g499");
	expect(events, UC_DIFF_MAX, "calls.changed", "*");
	json_decref(events);
	/* also those that only the summary stands for are known now */
	assert_int_equal(json_object_size(known), UC_DIFF_MAX + 1);
}

static json_t *entity(const char *link, const char *reason, const char *checked)
{
	return json_pack("[{s:s,s:s,s:s,s:s}]", "name", "carrier", "link", link, "reason", reason,
			 "checked_at", checked);
}

/* Each probe is told in the list; an event is only what it found. */
static void a_link_changes_with_its_state(void **state)
{
	const struct uc_diff_kind *kind = &uc_diff_entities;
	AUTO(json) json_t *known = NULL;
	json_t *events = NULL;

	(void)state;
	reading(kind, &known, entity("up", "", "t1"), &events);
	expect(events, 0, "sip-entities.links", "*");
	json_decref(events);
	reading(kind, &known, entity("up", "", "t2"), &events);
	assert_int_equal(json_array_size(events), 0);
	json_decref(events);
	reading(kind, &known, entity("down", "no answer", "t3"), &events);
	assert_int_equal(json_array_size(events), 1);
	expect(events, 0, "sip-entity.link", "carrier");
	json_decref(events);
	reading(kind, &known, json_array(), &events);
	expect(events, 0, "sip-entity.unlinked", "carrier");
	json_decref(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(came_changed_went),
		cmocka_unit_test(strange_items_are_left_out),
		cmocka_unit_test(many_changes_are_bounded),
		cmocka_unit_test(a_link_changes_with_its_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
