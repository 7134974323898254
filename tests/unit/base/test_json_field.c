/* SPDX-License-Identifier: Apache-2.0 */
/* json_field: a table reads a body, and every fault is named by its JSON pointer. */
#include "base/json_field.h"
#include "unit.h"

struct sip {
	uint32_t max_contacts;
};
struct person {
	char *handle;
	uint32_t age;
};
struct body {
	char *name;
	struct json_objects people;
	struct sip sip;
	uint8_t sip_presence;
	struct json_strings scopes;
	int64_t expires_at;
	uint32_t role;
	bool enabled;
	json_t *extra;
};

static const char *const roles[] = { "admin", "auditor", NULL };
static const struct json_field sip_fields[] = {
	JSON_U32(struct sip, max_contacts, .min = 1, .max = 10),
	JSON_END,
};
static const struct json_field person_fields[] = {
	JSON_STRING(struct person, handle, .required = true, .min = 1),
	JSON_U32(struct person, age),
	JSON_END,
};
static const struct json_field fields[] = {
	JSON_STRING(struct body, name, .required = true, .min = 1, .max = 4),
	JSON_OBJECT(struct body, sip, sip_fields, .nullable = true,
		    JSON_PRESENCE(struct body, sip_presence)),
	JSON_STRINGS(struct body, scopes, .max = 2),
	JSON_OBJECTS(struct body, people, struct person, person_fields, .max = 2),
	JSON_TIME(struct body, expires_at),
	JSON_ENUM(struct body, role, .choices = roles),
	JSON_BOOL(struct body, enabled),
	JSON_ANY(struct body, extra),
	JSON_END,
};

static int read_text(const char *text, struct body *out, struct error *err)
{
	json_t *value = NULL;
	int r = json_parse(slice_str(text), &value, err);

	if (r == 0) {
		struct error checked = { 0 };
		int same;

		r = json_read(value, fields, out, err);
		same = json_check(value, fields, &checked); /* the same rules, without a struct */
		assert_int_equal(same, r);
		assert_string_equal(checked.field, err->field);
	}
	json_decref(value);
	return r;
}

static void bodies_are_read_by_their_table(void **state)
{
	struct body b = { .sip.max_contacts = 10 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(
		read_text("{\"name\":\"\xc3\xa4\xc3\xb6\xc3\xbc!\",\"sip\":{\"max_contacts\":3},"
			  "\"scopes\":[\"a\",\"b\"],\"role\":\"auditor\",\"enabled\":true,"
			  "\"expires_at\":\"2026-11-21T00:00:00Z\",\"extra\":[1]}",
			  &b, &err),
		0);
	assert_int_equal(b.sip.max_contacts, 3);
	assert_int_equal(b.sip_presence, JSON_PRESENT);
	assert_int_equal(b.scopes.count, 2);
	assert_int_equal(b.role, 1);
	assert_true(b.enabled);
	assert_int_equal(json_array_size(b.extra), 1);
	json_release(fields, &b);
	assert_int_equal(read_text("{\"name\":\"x\",\"sip\":null}", &b, &err), 0);
	assert_int_equal(b.sip_presence, JSON_IS_NULL);
	json_release(fields, &b);
}

static void faults_are_named_by_pointer(void **state)
{
	static const struct {
		const char *text, *pointer;
		int r;
	} bad[] = {
		{ "", "", -EBADMSG },
		{ "{\"name\":\"a\",\"name\":\"b\"}", "", -EBADMSG },
		{ "{\"name\":\"a\"} x", "", -EBADMSG },
		{ "{\"name\":\"\\u0000\"}", "", -EBADMSG },
		{ "\xef\xbb\xbf{}", "", -EBADMSG },
		{ "{\"name\":\"\xff\"}", "", -EBADMSG },
		{ "[]", "", -EINVAL },
		{ "7", "", -EINVAL },
		{ "{}", "/name", -EINVAL },
		{ "{\"name\":7}", "/name", -EINVAL },
		{ "{\"name\":\"\"}", "/name", -EINVAL },
		{ "{\"name\":\"12345\"}", "/name", -EINVAL },
		{ "{\"name\":null}", "/name", -EINVAL },
		{ "{\"name\":\"a\",\"sip\":{\"max_contacts\":11}}", "/sip/max_contacts", -EINVAL },
		{ "{\"name\":\"a\",\"sip\":{\"max_contacts\":1.5}}", "/sip/max_contacts", -EINVAL },
		{ "{\"name\":\"a\",\"sip\":{\"max_contacts\":-1}}", "/sip/max_contacts", -EINVAL },
		{ "{\"name\":\"a\",\"x/y~\":1}", "/x~1y~0", -EINVAL },
		{ "{\"name\":\"a\",\"scopes\":[\"a\",1]}", "/scopes/1", -EINVAL },
		{ "{\"name\":\"a\",\"scopes\":[\"a\",\"b\",\"c\"]}", "/scopes", -EINVAL },
		{ "{\"name\":\"a\",\"people\":{}}", "/people", -EINVAL },
		{ "{\"name\":\"a\",\"people\":[{\"handle\":\"x\"},7]}", "/people/1", -EINVAL },
		{ "{\"name\":\"a\",\"people\":[{\"handle\":\"x\"},{\"age\":1}]}",
		  "/people/1/handle", -EINVAL },
		{ "{\"name\":\"a\",\"people\":[{\"handle\":\"x\",\"y\":1}]}", "/people/0/y",
		  -EINVAL },
		{ "{\"name\":\"a\",\"people\":[{},{},{}]}", "/people", -EINVAL },
		{ "{\"name\":\"a\",\"role\":\"king\"}", "/role", -EINVAL },
		{ "{\"name\":\"a\",\"enabled\":1}", "/enabled", -EINVAL },
		{ "{\"name\":\"a\",\"expires_at\":\"soon\"}", "/expires_at", -EINVAL },
		{ "{\"name\":\"a\",\"extra\":99999999999999999999}", "", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct body b = { 0 };
		struct error err = { 0 };

		assert_int_equal(read_text(bad[i].text, &b, &err), bad[i].r);
		assert_string_equal(err.field, bad[i].pointer);
		assert_string_not_equal(err.detail, "");
		json_release(fields, &b);
	}
}

static void arrays_of_objects_are_read_by_their_own_table(void **state)
{
	struct body b = { 0 };
	struct error err = { 0 };
	const struct person *people;

	(void)state;
	assert_int_equal(read_text("{\"name\":\"x\",\"people\":[{\"handle\":\"a\",\"age\":7},"
				   "{\"handle\":\"b\"}]}",
				   &b, &err),
			 0);
	people = b.people.items;
	assert_int_equal(b.people.count, 2);
	assert_string_equal(people[0].handle, "a");
	assert_int_equal(people[0].age, 7);
	assert_string_equal(people[1].handle, "b");
	assert_int_equal(people[1].age, 0);
	/* read again, the former items are released */
	assert_int_equal(read_text("{\"name\":\"x\",\"people\":[]}", &b, &err), 0);
	assert_int_equal(b.people.count, 0);
	json_release(fields, &b);
}

static void nesting_has_a_bound(void **state)
{
	char text[201];
	json_t *value = NULL;
	struct error err = { 0 };

	(void)state;
	memset(text, '[', 100);
	memset(text + 100, ']', 100);
	text[200] = '\0';
	assert_int_equal(json_parse(slice_str(text), &value, &err), -EBADMSG);
	assert_int_equal(json_parse(SLICE("\"[[[[\""), &value, &err), 0);
	json_decref(value);
}

/* The examples of RFC 7396 appendix A that differ in kind. */
static void merge_patch_follows_the_rfc(void **state)
{
	static const char *const cases[][3] = {
		{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":\"b\"}", "{\"a\":null}", "{}" },
		{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}" },
		{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
		  "{\"a\":{\"b\":\"d\"}}" },
		{ "[1]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}" },
		{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}" },
		{ "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *v[3], *got;

		for (int k = 0; k < 3; k++)
			v[k] = json_loads(cases[i][k], JSON_DECODE_ANY, NULL);
		got = json_merge_patch(v[0], v[1]);
		assert_true(json_equal(got, v[2]));
		json_decref(got);
		for (int k = 0; k < 3; k++)
			json_decref(v[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_read_by_their_table),
		cmocka_unit_test(faults_are_named_by_pointer),
		cmocka_unit_test(arrays_of_objects_are_read_by_their_own_table),
		cmocka_unit_test(nesting_has_a_bound),
		cmocka_unit_test(merge_patch_follows_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
