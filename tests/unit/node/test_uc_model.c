/* SPDX-License-Identifier: Apache-2.0 */
/* test_uc_model.c - the export document as the call servers see it. */
#include "base/json_field.h"
#include "node/uc_model.h"

#include <string.h>

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char full[] =
	"{\"schema\":1,\"domain\":\"example.org\",\"users\":["
	"{\"handle\":\"3001\",\"name\":\"Ada\",\"password\":\"secret\","
	" \"station\":{\"extension\":\"3001\",\"appearances\":5},\"presence\":{\"enabled\":true}},"
	"{\"handle\":\"bob\",\"name\":\"Bob\",\"ha1\":{\"md5\":\"0123456789abcdef0123456789abcdef\"},"
	" \"sip\":{\"max_contacts\":2,\"sequence\":null},\"station\":null,\"presence\":null,"
	" \"unknown\":1}],"
	"\"sip_entities\":["
	"{\"name\":\"cm\",\"type\":\"cm\",\"address\":\"127.0.0.1\",\"port\":5070,\"transport\":\"tcp\"},"
	"{\"name\":\"out\",\"type\":\"trunk\",\"address\":\"192.0.2.1\",\"transport\":\"udp\"}],"
	"\"application_sequences\":[{\"name\":\"core\",\"entities\":[\"cm\","
	" {\"name\":\"gone\",\"mandatory\":false}]}],"
	"\"dial_plan\":[{\"match\":\"3\",\"length\":4,\"type\":\"extension\"},"
	"{\"match\":\"30\",\"length\":4,\"type\":\"fac\"},{\"match\":\"9\",\"length\":1,\"type\":\"ars\"}]}";

static int load(const char *text, struct uc_model **ret, struct error *err)
{
	AUTO(json) json_t *document = NULL;

	assert_int_equal(json_parse(slice_str(text), &document, err), 0);
	return uc_model_new(document, ret, err);
}

static void a_document_becomes_a_model(void **state)
{
	AUTO(uc_model) struct uc_model *m = NULL;
	const struct uc_user *ada, *bob;

	assert_int_equal(load(full, &m, NULL), 0);
	ada = uc_user_by_handle(m, "3001", 4);
	bob = uc_user_by_handle(m, "bobby", 3);
	assert_non_null(ada);
	assert_non_null(bob);
	assert_string_equal(ada->aor, "3001@example.org");
	/* MD5("3001:example.org:secret") */
	assert_string_equal(ada->ha1_md5, "7e5da4d2ae6d066e0c9ba0b5aed0864e");
	assert_int_equal(strlen(ada->ha1_sha256), 64);
	assert_int_equal(ada->max_contacts, 10);
	assert_int_equal(ada->station->appearances, 5);
	assert_ptr_equal(uc_user_by_extension(m, "3001", 4), ada);
	assert_null(uc_user_by_extension(m, "bob", 3));
	assert_int_equal(bob->max_contacts, 2);
	assert_null(bob->station);
	assert_false(bob->presence_enabled);
	assert_string_equal(bob->ha1_sha256, "");
	assert_null(uc_user_by_handle(m, "", 0));
}

static void a_station_takes_the_only_sequence(void **state)
{
	AUTO(uc_model) struct uc_model *m = NULL;
	const struct uc_user *ada;

	assert_int_equal(load(full, &m, NULL), 0);
	ada = uc_user_by_handle(m, "3001", 4);
	assert_string_equal(ada->sequence->name, "core");
	assert_int_equal(ada->sequence->count, 2);
	assert_true(ada->sequence->entries[0].mandatory);
	assert_int_equal(ada->sequence->entries[0].entity->port, 5070);
	assert_false(ada->sequence->entries[1].mandatory);
	assert_null(ada->sequence->entries[1].entity);
	assert_null(uc_user_by_handle(m, "bob", 3)->sequence);
}

static void what_only_sm_is_given_may_be_missing(void **state)
{
	static const char alone[] = "{\"users\":[{\"handle\":\"1\",\"location\":\"A\"}],"
				    "\"settings\":{\"outbound_proxy\":\"x\"}}";
	static const char wrong[] = "{\"locations\":[{\"name\":\"B\"}],"
				    "\"users\":[{\"handle\":\"1\",\"location\":\"A\"}]}";
	static const char right[] = "{\"locations\":[{\"name\":\"A\"}],"
				    "\"domains\":[{\"name\":\"ours.example\"},"
				    "{\"name\":\"theirs.example\",\"authoritative\":false}],"
				    "\"users\":[{\"handle\":\"1\",\"location\":\"A\"}]}";
	AUTO(uc_model) struct uc_model *m = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(load(alone, &m, NULL), 0);
	assert_null(uc_user_by_handle(m, "1", 1)->home);
	m = uc_model_unref(m);
	assert_int_equal(load(wrong, &m, &err), -EINVAL);
	assert_string_equal(err.field, "/users/0/location");
	assert_int_equal(load(right, &m, NULL), 0);
	assert_string_equal(uc_user_by_handle(m, "1", 1)->home->name, "A");
	assert_true(uc_domain_is_ours(m, SLICE("OURS.example")));
	assert_false(uc_domain_is_ours(m, SLICE("theirs.example")));
	assert_false(uc_domain_is_ours(m, SLICE("")));
}

static void entities_of_ours_are_trusted(void **state)
{
	AUTO(uc_model) struct uc_model *m = NULL;

	assert_int_equal(load(full, &m, NULL), 0);
	assert_true(uc_entity_by_type(m, UC_ENTITY_CM)->trusted);
	assert_false(uc_entity_by_name(m, "out", 3)->trusted);
	assert_int_equal(uc_entity_by_name(m, "out", 3)->port, 5060);
	assert_null(uc_entity_by_type(m, UC_ENTITY_PRESENCE));
}

static void the_longest_dial_pattern_wins(void **state)
{
	AUTO(uc_model) struct uc_model *m = NULL;

	assert_int_equal(load(full, &m, NULL), 0);
	assert_int_equal(uc_dial_match(m, "3100", 4)->type, UC_DIAL_EXTENSION);
	assert_int_equal(uc_dial_match(m, "3001", 4)->type, UC_DIAL_FAC);
	assert_null(uc_dial_match(m, "300", 3));
	assert_null(uc_dial_match(m, "", 0));
	assert_int_equal(uc_dial_match(m, "9", 1)->type, UC_DIAL_ARS);
}

static void faults_are_named(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *field;
	} bad[] = {
		{ "[]", -EINVAL, "" },
		{ "{\"schema\":2}", -EINVAL, "/schema" },
		{ "{\"users\":{}}", -EINVAL, "/users" },
		{ "{\"users\":[{}]}", -EINVAL, "/users/0/handle" },
		{ "{\"users\":[{\"handle\":7}]}", -EINVAL, "/users/0/handle" },
		{ "{\"users\":[{\"handle\":\"a\",\"ha1\":{\"md5\":\"xx\"}}]}", -EINVAL,
		  "/users/0/ha1/md5" },
		{ "{\"users\":[{\"handle\":\"a\",\"station\":{}}]}", -EINVAL,
		  "/users/0/station/extension" },
		{ "{\"users\":[{\"handle\":\"1\",\"sip\":{\"max_contacts\":0}}]}", -EINVAL,
		  "/users/0/max_contacts" },
		{ "{\"application_sequences\":[{\"name\":\"y\",\"entities\":[]}],"
		  "\"users\":[{\"handle\":\"1\",\"sip\":{\"sequence\":\"x\"},\"station\":{}}]}",
		  -EINVAL, "/users/0/sip/sequence" },
		{ "{\"users\":[{\"handle\":\"1\"},{\"handle\":\"1\"}]}", -EEXIST, "" },
		{ "{\"sip_entities\":[{\"name\":\"x\",\"type\":\"odd\",\"address\":\"a\"}]}",
		  -EINVAL, "/sip_entities/0/type" },
		{ "{\"sip_entities\":[{\"name\":\"x\",\"type\":\"cm\",\"address\":\"a\","
		  "\"port\":65536}]}",
		  -EINVAL, "/sip_entities/0/port" },
		{ "{\"dial_plan\":[{\"match\":\"123\",\"length\":2,\"type\":\"fac\"}]}", -EINVAL,
		  "/dial_plan/0/length" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct uc_model *m = NULL;
		struct error err = { 0 };

		assert_int_equal(load(bad[i].text, &m, &err), bad[i].code);
		assert_string_equal(err.field, bad[i].field);
		assert_null(m);
	}
}

static void a_file_that_is_not_there_says_so(void **state)
{
	struct uc_model *m = NULL;
	struct error err = { 0 };

	assert_int_equal(uc_model_load("/nonexistent/uc.json", &m, &err), -ENOENT);
	assert_int_equal(uc_model_load("/dev/null", &m, &err), -EINVAL);
}

/* presence copies users, but neither sequences nor locations */
static void what_a_server_does_not_copy_stays_open(void **state)
{
	struct uc_model *m = NULL;

	(void)state;
	assert_int_equal(load("{\"users\":[{\"handle\":\"1\",\"location\":\"hq\","
			      "\"sip\":{\"sequence\":\"x\"},\"station\":{\"extension\":\"1\"}}]}",
			      &m, NULL),
			 0);
	assert_null(uc_user_by_handle(m, "1", 1)->sequence);
	uc_model_unref(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_becomes_a_model),
		cmocka_unit_test(a_station_takes_the_only_sequence),
		cmocka_unit_test(what_a_server_does_not_copy_stays_open),
		cmocka_unit_test(what_only_sm_is_given_may_be_missing),
		cmocka_unit_test(entities_of_ours_are_trusted),
		cmocka_unit_test(the_longest_dial_pattern_wins),
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(a_file_that_is_not_there_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
