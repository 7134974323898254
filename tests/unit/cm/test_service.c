/* SPDX-License-Identifier: Apache-2.0 */
/* What a half decides: station, dial plan, class of the caller. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "cm/service.h"
#include "node/uc_model.h"

static const char document[] =
	"{\"schema\":1,\"domain\":\"aurabox.internal\",\"users\":["
	"{\"handle\":\"3001\",\"name\":\"Ada\",\"password\":\"secret-secret\",\"sip\":{},"
	"\"station\":{\"extension\":\"3001\",\"appearances\":3}},"
	"{\"handle\":\"grace\",\"name\":\"Grace\",\"password\":\"secret-secret\",\"sip\":{},"
	"\"station\":{\"extension\":\"3002\",\"appearances\":1}},"
	"{\"handle\":\"3009\",\"name\":\"No station\",\"password\":\"secret-secret\",\"sip\":{},"
	"\"station\":null}],"
	"\"sip_entities\":[{\"name\":\"sm\",\"type\":\"sm\",\"address\":\"127.0.0.1\","
	"\"port\":5060,\"transport\":\"udp\"}],"
	"\"application_sequences\":[],"
	"\"dial_plan\":[{\"match\":\"3\",\"length\":4,\"type\":\"extension\"},"
	"{\"match\":\"9\",\"length\":4,\"type\":\"ars\"}]}";

static struct uc_model *model;

static int load(void **state)
{
	struct error err = { 0 };
	json_t *json = json_loads(document, 0, NULL);
	int r;

	(void)state;
	assert_non_null(json);
	r = uc_model_new(json, &model, &err);
	json_decref(json);
	return r;
}

static int unload(void **state)
{
	(void)state;
	model = uc_model_unref(model);
	return 0;
}

static struct service_verdict decide(enum half_phase phase, const char *asserted,
				     const char *target, const char *host)
{
	struct service_request req = {
		.phase = phase,
		.asserted = slice_str(asserted),
		.asserted_host = SLICE("aurabox.internal"),
		.target = slice_str(target),
		.target_host = slice_str(host),
	};
	struct service_verdict v;

	service_decide(model, &req, &v);
	return v;
}

static void dialled_digits_lead_to_the_extensions_user(void **state)
{
	struct service_verdict v = decide(HALF_IMSORIG, "3001", "3002", "aurabox.internal");

	(void)state;
	assert_int_equal(v.status, 0);
	assert_true(v.retarget);
	assert_string_equal(v.target->handle, "grace");
	assert_string_equal(v.station->extension, "3001");
	assert_string_equal(v.caller, "3001");
	assert_string_equal(v.callee, "grace");
	/* separators, an sm's address as the host and a user without station are fine too */
	v = decide(HALF_IMSORIG, "3001", "30-02", "127.0.0.1");
	assert_string_equal(v.target->handle, "grace");
	v = decide(HALF_IMSORIG, "3001", "3009", "aurabox.internal");
	assert_string_equal(v.target->handle, "3009");
	v = decide(HALF_IMSORIG, "3001", "grace", "AURABOX.internal");
	assert_string_equal(v.target->handle, "grace");
}

static void what_is_no_extension_is_routed_by_sm(void **state)
{
	static const char *const dialled[] = { "9123", "55", "+4930", "nobody" };

	(void)state;
	for (size_t i = 0; i < sizeof(dialled) / sizeof(dialled[0]); i++) {
		struct service_verdict v =
			decide(HALF_IMSORIG, "3001", dialled[i], "aurabox.internal");

		assert_int_equal(v.status, 0);
		assert_null(v.target);
		assert_false(v.retarget);
		assert_non_null(v.station);
	}
}

static void what_nobody_has_is_404(void **state)
{
	(void)state;
	assert_int_equal(decide(HALF_IMSORIG, "3001", "3777", "aurabox.internal").status, 404);
	assert_int_equal(decide(HALF_IMSTERM, "3001", "3777", "aurabox.internal").status, 404);
	assert_int_equal(decide(HALF_IMSTERM, "3001", "3009", "aurabox.internal").status, 404);
	assert_string_equal(decide(HALF_IMSORIG, "3001", "3777", "aurabox.internal").callee,
			    "3777");
}

static void only_a_station_is_served_at_the_originating_side(void **state)
{
	(void)state;
	assert_int_equal(decide(HALF_IMSORIG, "3009", "3002", "aurabox.internal").status, 403);
	assert_int_equal(decide(HALF_IMSORIG, "mallory", "3002", "aurabox.internal").status, 403);
	assert_int_equal(decide(HALF_IMSORIG, "", "3002", "aurabox.internal").status, 403);
}

static void another_domain_is_left_to_routing(void **state)
{
	struct service_verdict v = decide(HALF_IMSORIG, "3001", "3002", "example.com");

	(void)state;
	assert_int_equal(v.status, 0);
	assert_false(v.retarget);
	assert_null(v.target);
}

static void the_callee_learns_the_class_of_the_caller(void **state)
{
	struct service_verdict v = decide(HALF_IMSTERM, "3001", "grace", "aurabox.internal");

	(void)state;
	assert_int_equal(v.status, 0);
	assert_string_equal(v.station->extension, "3002");
	assert_string_equal(service_class_name(v.class), "internal");
	v = decide(HALF_IMSTERM, "+4930123456", "3002", "aurabox.internal");
	assert_int_equal(v.status, 0);
	assert_string_equal(v.callee, "grace");
	assert_string_equal(service_class_name(v.class), "external");
	assert_string_equal(v.caller, "+4930123456");
}

static void numbers_are_read_from_user_parts(void **state)
{
	static const struct {
		const char *user;
		int r;
		const char *digits;
	} cases[] = {
		{ "3002", 0, "3002" },
		{ "+49(30)12-34.5", 0, "493012345" },
		{ "*21#", 0, "*21#" },
		{ "3002;phone-context=x", 0, "3002" },
		{ "grace", -EINVAL, NULL },
		{ "", -EINVAL, NULL },
		{ "---", -EINVAL, NULL },
		{ "30+02", -EINVAL, NULL },
		{ "12345678901234567890123456789", -ENOSPC, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char digits[SERVICE_DIGITS_MAX + 1];

		assert_int_equal(service_digits(slice_str(cases[i].user), digits), cases[i].r);
		if (cases[i].digits)
			assert_string_equal(digits, cases[i].digits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dialled_digits_lead_to_the_extensions_user),
		cmocka_unit_test(what_is_no_extension_is_routed_by_sm),
		cmocka_unit_test(what_nobody_has_is_404),
		cmocka_unit_test(only_a_station_is_served_at_the_originating_side),
		cmocka_unit_test(another_domain_is_left_to_routing),
		cmocka_unit_test(the_callee_learns_the_class_of_the_caller),
		cmocka_unit_test(numbers_are_read_from_user_parts),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
