/* SPDX-License-Identifier: Apache-2.0 */
/* test_vm_template.c - the catalogue: ours is sound; broken ones are told by pointer and hide no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/vm/vm_template.h"

#define TREE AURA_SOURCE_DIR "/vmtemplates"

static char folder[64];

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static char *read_text(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	assert_int_equal(fclose(f), 0);
	return text;
}

static int setup(void **state)
{
	char path[256], *schema = read_text(TREE "/schema.json");

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/aura-template-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/schema.json", folder);
	write_text(path, schema);
	free(schema);
	return 0;
}

static void put(const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/%s/template.json", folder, name);
	write_text(path, text);
}

static int teardown(void **state)
{
	char command[300];

	(void)state;
	for (int i = 0; i < 9; i++) {
		(void)snprintf(command, sizeof(command), "%s/t%d/template.json", folder, i);
		(void)unlink(command);
		(void)snprintf(command, sizeof(command), "%s/t%d", folder, i);
		(void)rmdir(command);
	}
	(void)snprintf(command, sizeof(command), "%s/schema.json", folder);
	(void)unlink(command);
	return rmdir(folder);
}

static void ours_are_sound(void **state)
{
	static const char *const names[] = { "cm", "presence", "sm", "smgr" };
	static const uint32_t hosts[] = { 12, 13, 11, 10 };
	struct vm_catalogue *c;
	const struct vm_template *t;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(vm_catalogue_read(TREE, &c, &err), 0);
	assert_int_equal(vm_catalogue_count(c), 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(vm_catalogue_find(c, names[i], &t, &err), 0);
		assert_ptr_equal(t, vm_catalogue_at(c, i));
		assert_int_equal(t->host_number, hosts[i]);
		assert_true(t->data_size_mib > 0);
	}
	assert_null(vm_catalogue_at(c, 4));
	assert_int_equal(vm_catalogue_find(c, "sm", &t, &err), 0);
	assert_int_equal(t->probe, VM_PROBE_HEALTH);
	assert_int_equal(t->probe_port, 7443);
	assert_string_equal(t->start_after[0], "smgr");
	assert_int_equal(vm_catalogue_find(c, "smgr", &t, &err), 0);
	assert_int_equal(t->probe, VM_PROBE_POSTGRES);
	assert_int_equal(t->start_after_count, 0);
	(void)vm_catalogue_free(c);
}

#define GOOD(name)                                                                                 \
	"{\"schema\":1,\"name\":\"" name "\",\"title\":\"T\",\"version\":\"1.0.0\","               \
	"\"kind\":\"application\",\"cpus\":{\"default\":1},\"memory_mib\":{\"default\":128},"      \
	"\"boot\":{\"kernel\":\"k\",\"initrd\":\"i\"},\"root\":{\"image\":\"r\"},"                 \
	"\"networks\":[{\"id\":\"lan\",\"host_number\":40}],"                                      \
	"\"ready\":{\"probe\":\"agent\",\"ready_timeout_s\":30}"

static void expect_broken(const char *name, const char *pointer, const char *word)
{
	struct vm_catalogue *c;
	const struct vm_template *t;
	struct error err = { 0 };

	assert_int_equal(vm_catalogue_read(folder, &c, &err), 0);
	assert_int_equal(vm_catalogue_find(c, name, &t, &err), -EINVAL);
	if (!strstr(err.detail, pointer) || !strstr(err.detail, word))
		fail_msg("'%s' tells neither %s nor %s", err.detail, pointer, word);
	assert_string_equal(err.field, "/template");
	assert_non_null(strstr(err.resolution, name));
	(void)vm_catalogue_free(c);
}

static void broken_ones_are_told_by_pointer(void **state)
{
	(void)state;
	put("t0", GOOD("t0") ",\"surprise\":1}");
	expect_broken("t0", "/surprise", "not known");
	put("t1", GOOD("t1") ",\"shutdown_timeout_s\":\"soon\"}");
	expect_broken("t1", "/shutdown_timeout_s", "integer");
	put("t2", GOOD("t2") ",\"requires\":[\"a\",\"a\"]}");
	expect_broken("t2", "/requires/1", "twice");
	put("t3", GOOD("other") "}");
	expect_broken("t3", "/name", "folder");
	put("t4", GOOD("t4") ",\"start_after\":[\"t4\"]}");
	expect_broken("t4", "/start_after", "itself");
	put("t5", "{\"schema\":1,");
	expect_broken("t5", "", "");
	put("t6", GOOD("t6") ",\"options\":{\"max\":1}}");
	expect_broken("t6", "/options", "section.key");
	put("t7", "{\"schema\":1,\"name\":\"t7\"}");
	expect_broken("t7", "/title", "required");
}

static void a_broken_one_hides_no_other(void **state)
{
	struct vm_catalogue *c;
	const struct vm_template *t;
	struct error err = { 0 };
	json_t *list;

	(void)state;
	put("t0", "nonsense");
	put("t1", GOOD("t1") "}");
	assert_int_equal(vm_catalogue_read(folder, &c, &err), 0);
	assert_int_equal(vm_catalogue_find(c, "t1", &t, &err), 0);
	assert_int_equal(vm_catalogue_count(c), 1);
	assert_ptr_equal(vm_catalogue_at(c, 0), t);
	assert_true(json_is_object(t->options));
	list = vm_catalogue_to_json(c);
	assert_int_equal(json_array_size(list), 2);
	assert_true(json_is_false(json_object_get(json_array_get(list, 0), "valid")));
	assert_true(json_is_true(json_object_get(json_array_get(list, 1), "valid")));
	json_decref(list);
	(void)vm_catalogue_free(c);
}

static void unknown_name_is_told(void **state)
{
	struct vm_catalogue *c;
	const struct vm_template *t;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(vm_catalogue_read(folder, &c, &err), 0);
	assert_int_equal(vm_catalogue_find(c, "nothing", &t, &err), -EINVAL);
	assert_string_equal(err.field, "/template");
	(void)vm_catalogue_free(c);
	assert_int_equal(vm_catalogue_read("/nowhere/at/all", &c, &err), -ENOENT);
}

static void names_are_checked(void **state)
{
	static const char *const bad[] = { "",	  "-a",	 "a-",	"1a",	   "A",
					   "a_b", "a.b", "a/b", "\xc3\xa4" };
	char longest[VM_NAME_MAX + 2];

	(void)state;
	assert_true(vm_name_ok("a"));
	assert_true(vm_name_ok("sm-2"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(vm_name_ok(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[VM_NAME_MAX + 1] = '\0';
	assert_false(vm_name_ok(longest));
	longest[VM_NAME_MAX] = '\0';
	assert_true(vm_name_ok(longest));
	assert_false(vm_name_ok(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_are_sound),
		cmocka_unit_test_setup_teardown(broken_ones_are_told_by_pointer, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_one_hides_no_other, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_name_is_told, setup, teardown),
		cmocka_unit_test(names_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
