/* SPDX-License-Identifier: Apache-2.0 */
/* test_adapt.c - what adaptations make of addresses and fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/json_field.h"
#include "node/uc_model.h"
#include "sm/adapt.h"

static const char document[] =
	"{\"schema\":1,\"adaptations\":[{\"name\":\"a\",\"from_to\":true,"
	"\"egress_domain\":\"there.example\",\"egress_source_domain\":\"here.example\","
	"\"egress_remove_headers\":[\"User-Agent\",\"x-own\",\"Via\",\"f\"],"
	"\"ingress_remove_headers\":[\"X-Theirs\"],"
	"\"digit_conversions\":["
	"{\"direction\":\"egress\",\"match\":\"00\",\"min\":3,\"max\":20,\"delete\":2,\"insert\":\"+\"},"
	"{\"direction\":\"egress\",\"match\":\"0049\",\"min\":5,\"max\":20,\"delete\":4,\"insert\":\"0\"},"
	"{\"direction\":\"egress\",\"address\":\"origination\",\"match\":\"3xxx\",\"min\":4,\"max\":4,"
	"\"insert\":\"+4930\"},"
	"{\"direction\":\"ingress\",\"address\":\"both\",\"match\":\"+4930\",\"min\":6,\"max\":20,"
	"\"delete\":5}]}]}";

static struct uc_model *model;
static const struct uc_adaptation *a;

static int begin(void **state)
{
	json_t *json = json_loads(document, 0, NULL);

	(void)state;
	if (!json || uc_model_new(json, &model, NULL) < 0)
		return -1;
	json_decref(json);
	a = &uc_model_routing(model)->adaptations[0];
	return 0;
}

static int end(void **state)
{
	(void)state;
	model = uc_model_unref(model);
	return 0;
}

static void addresses_become_what_the_table_says(void **state)
{
	static const struct {
		enum uc_direction direction;
		bool origination;
		const char *in, *out; /* NULL: as it is */
	} cases[] = {
		{ UC_EGRESS, false, "sip:00441@x.y", "sip:+441@there.example" },
		{ UC_EGRESS, false, "sip:004930@x.y", "sip:030@there.example" },
		{ UC_EGRESS, false, "sip:00-44-(1)@x.y:5070;user=phone?a=b",
		  "sip:+441@there.example;user=phone?a=b" },
		{ UC_EGRESS, false, "sip:ada@[2001:db8::1]:5070", "sip:ada@there.example" },
		{ UC_EGRESS, false, "sip:ada@there.example", NULL },
		{ UC_EGRESS, false, "tel:00441", "tel:+441" },
		{ UC_EGRESS, false, "sip:00441;phone-context=x@x.y",
		  "sip:+441;phone-context=x@there.example" },
		{ UC_EGRESS, true, "sip:3001@x.y", "sip:+49303001@here.example" },
		{ UC_EGRESS, true, "sip:00441@x.y", "sip:00441@here.example" },
		{ UC_INGRESS, false, "sip:+49303001@x.y", "sip:3001@x.y" },
		{ UC_INGRESS, true, "sip:+49303001@x.y", "sip:3001@x.y" },
		{ UC_INGRESS, true, "sip:+4930@x.y", NULL },
		{ UC_INGRESS, true, "mailto:x@y", NULL },
		{ UC_INGRESS, true, "no uri", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_BUF out = { 0 };
		bool changed = adapt_uri(a, cases[i].direction, cases[i].origination,
					 slice_str(cases[i].in), &out);

		assert_int_equal(changed, cases[i].out != NULL);
		if (cases[i].out)
			assert_string_equal(out.data, cases[i].out);
	}
}

static void both_sides_act_one_behind_the_other(void **state)
{
	const struct adapt hop = { a, a };
	AUTO_BUF out = { 0 };

	(void)state;
	assert_true(adapt_hop(&hop, true, SLICE("sip:+49303001@x.y"), &out));
	assert_string_equal(out.data, "sip:+49303001@here.example");
	assert_true(adapt_from_to(&hop));
	assert_false(adapt_from_to(&(struct adapt){ NULL, NULL }));
}

static void what_a_message_needs_stays(void **state)
{
	const struct adapt out = { NULL, a }, in = { a, NULL };

	(void)state;
	assert_true(adapt_removes(&out, SIP_HDR_USER_AGENT, SLICE("User-Agent")));
	assert_true(adapt_removes(&out, SIP_HDR_OTHER, SLICE("X-Own")));
	assert_false(adapt_removes(&out, SIP_HDR_VIA, SLICE("Via")));
	assert_false(adapt_removes(&out, SIP_HDR_FROM, SLICE("f")));
	assert_false(adapt_removes(&out, SIP_HDR_OTHER, SLICE("X-Theirs")));
	assert_true(adapt_removes(&in, SIP_HDR_OTHER, SLICE("x-theirs")));
	assert_false(adapt_removes(&in, SIP_HDR_USER_AGENT, SLICE("User-Agent")));
}

static void a_state_says_whether_it_counts(void **state)
{
	struct uc_adaptation other = *a;

	(void)state;
	assert_ptr_equal(adapt_active(a, false), a);
	other.state = UC_ADAPTATION_DISABLED;
	assert_null(adapt_active(&other, true));
	other.state = UC_ADAPTATION_TEST_ONLY;
	assert_null(adapt_active(&other, false));
	assert_ptr_equal(adapt_active(&other, true), &other);
	assert_null(adapt_active(NULL, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_become_what_the_table_says),
		cmocka_unit_test(both_sides_act_one_behind_the_other),
		cmocka_unit_test(what_a_message_needs_stays),
		cmocka_unit_test(a_state_says_whether_it_counts),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
