/* SPDX-License-Identifier: Apache-2.0 */
/* Who may publish and who may watch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "node/uc_model.h"
#include "presence/access.h"

static const char document[] =
	"{\"schema\":1,\"domain\":\"aurabox.internal\",\"users\":["
	"{\"handle\":\"3001\",\"name\":\"Ada\",\"password\":\"secret-secret\",\"sip\":{},"
	"\"station\":{\"extension\":\"4001\",\"appearances\":3},\"presence\":{\"enabled\":true}},"
	"{\"handle\":\"3002\",\"name\":\"Grace\",\"password\":\"secret-secret\",\"sip\":{},"
	"\"station\":null,\"presence\":{\"enabled\":true}},"
	"{\"handle\":\"3003\",\"name\":\"Silent\",\"password\":\"secret-secret\",\"sip\":{},"
	"\"station\":null,\"presence\":null}],"
	"\"sip_entities\":[],\"application_sequences\":[],\"dial_plan\":[]}";

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

static void the_table_of_askers_and_targets(void **state)
{
	static const struct {
		enum sip_method method;
		const char *asserted, *target, *host;
		unsigned status;
		const char *user;
	} cases[] = {
		{ SIP_PUBLISH, "3001", "3001", "aurabox.internal", 0, "3001" },
		{ SIP_PUBLISH, "3001", "4001", "aurabox.internal", 0, "3001" },
		{ SIP_PUBLISH, "3001", "3002", "aurabox.internal", 403, NULL },
		{ SIP_PUBLISH, "3003", "3003", "aurabox.internal", 404, NULL },
		{ SIP_PUBLISH, "", "3001", "aurabox.internal", 403, NULL },
		{ SIP_SUBSCRIBE, "3001", "3002", "aurabox.internal", 0, "3002" },
		{ SIP_SUBSCRIBE, "3003", "3002", "aurabox.internal", 0, "3002" },
		{ SIP_SUBSCRIBE, "3001", "3003", "aurabox.internal", 404, NULL },
		{ SIP_SUBSCRIBE, "3001", "3777", "aurabox.internal", 404, NULL },
		{ SIP_SUBSCRIBE, "3001", "3002", "example.com", 404, NULL },
		{ SIP_SUBSCRIBE, "mallory", "3002", "aurabox.internal", 403, NULL },
		{ SIP_SUBSCRIBE, "", "3002", "aurabox.internal", 403, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct uc_user *user = NULL;
		struct access_request req = {
			.method = cases[i].method,
			.asserted = slice_str(cases[i].asserted),
			.asserted_host = SLICE("aurabox.internal"),
			.target = slice_str(cases[i].target),
			.target_host = slice_str(cases[i].host),
		};

		assert_int_equal(access_decide(model, &req, &user), cases[i].status);
		if (cases[i].user)
			assert_string_equal(user->handle, cases[i].user);
		else
			assert_null(user);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_of_askers_and_targets),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
