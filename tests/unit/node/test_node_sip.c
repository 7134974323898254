/* SPDX-License-Identifier: Apache-2.0 */
/* Which links are trusted, and who is whose user. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "net/addr.h"
#include "node/node_sip.h"
#include "node/uc_model.h"

static const char document[] =
	"{\"schema\":1,\"domain\":\"aurabox.internal\",\"users\":["
	"{\"handle\":\"grace\",\"name\":\"Grace\",\"password\":\"secret-secret\",\"sip\":{},"
	"\"station\":{\"extension\":\"3002\",\"appearances\":1}}],"
	"\"sip_entities\":["
	"{\"name\":\"core\",\"type\":\"sm\",\"address\":\"127.0.0.1\",\"port\":5060,\"transport\":\"udp\"},"
	"{\"name\":\"far\",\"type\":\"sm\",\"address\":\"192.0.2.1\",\"port\":5060,\"transport\":\"udp\"},"
	"{\"name\":\"locked\",\"type\":\"sm\",\"address\":\"127.0.0.3\",\"port\":5061,\"transport\":\"tls\"},"
	"{\"name\":\"line\",\"type\":\"trunk\",\"address\":\"127.0.0.2\",\"port\":5060,\"transport\":\"udp\"}],"
	"\"application_sequences\":[],\"dial_plan\":[]}";

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

static void a_link_is_trusted_by_certificate_else_by_address_on_loopback(void **state)
{
	static const struct {
		const char *peer_name, *remote;
		bool udp, trusted;
	} cases[] = {
		{ "core", "192.0.2.99:40000", false, true },
		{ "sm", "192.0.2.99:40000", false, true },
		{ "line", "127.0.0.1:5060", false, false },
		{ "presence", "127.0.0.1:5060", false, false },
		{ "", "127.0.0.1:5060", true, true },
		{ "", "127.0.0.1:5062", true, false },
		{ "", "127.0.0.1:40000", false, true },
		{ "", "127.0.0.2:5060", true, false },
		{ "", "127.0.0.3:5061", false, false },
		{ "", "192.0.2.1:5060", true, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct addr remote;

		assert_int_equal(addr_parse(slice_str(cases[i].remote), 0, &remote), 0);
		assert_int_equal(node_sip_link_matches(model, UC_ENTITY_SM, cases[i].peer_name,
						       &remote, cases[i].udp),
				 cases[i].trusted);
	}
}

static void users_are_found_by_handle_and_extension_in_our_domain(void **state)
{
	(void)state;
	assert_non_null(node_sip_user(model, SLICE("grace"), SLICE("aurabox.internal")));
	assert_non_null(node_sip_user(model, SLICE("3002"), SLICE("AURABOX.internal")));
	assert_non_null(node_sip_user(model, SLICE("3002"), SLICE("192.0.2.1")));
	assert_null(node_sip_user(model, SLICE("3002"), SLICE("127.0.0.2")));
	assert_null(node_sip_user(model, SLICE("3002"), SLICE("example.com")));
	assert_null(node_sip_user(model, SLICE(""), SLICE("aurabox.internal")));
	assert_null(node_sip_user(model, SLICE("3001"), SLICE("aurabox.internal")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_is_trusted_by_certificate_else_by_address_on_loopback),
		cmocka_unit_test(users_are_found_by_handle_and_extension_in_our_domain),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
