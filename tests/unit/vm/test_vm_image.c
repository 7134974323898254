/* SPDX-License-Identifier: Apache-2.0 */
/* test_vm_image.c - boot files against the manifest: good, missing, changed, lying manifests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/vm/vm_image.h"
#include "control/vm/vm_template.h"

/* SHA-256 of "abc" and of "" */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FILES(root_size, root_sha)                                                                 \
	"{\"schema\":1,\"version\":\"1.2.3\",\"files\":["                                          \
	"{\"name\":\"k\",\"size\":3,\"sha256\":\"" ABC "\"},"                                      \
	"{\"name\":\"i\",\"size\":0,\"sha256\":\"" NOTHING "\"},"                                  \
	"{\"name\":\"r\",\"size\":" root_size ",\"sha256\":\"" root_sha "\"}]}"

static char folder[64];
static const struct vm_template t = { .kernel = "k", .initrd = "i", .root = "r" };

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/aura-image-XXXXXX");
	assert_non_null(mkdtemp(folder));
	put("k", "abc");
	put("i", "");
	put("r", "abc");
	put("manifest.json", FILES("3", ABC));
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "k", "i", "r", "manifest.json" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
	return rmdir(folder);
}

static void good_files_are_found(void **state)
{
	struct vm_image image;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(vm_image_check(folder, &t, true, &image, &err), 0);
	assert_string_equal(image.root_sha256, ABC);
	assert_string_equal(image.root_version, "1.2.3");
	assert_non_null(strstr(image.kernel, "/k"));
}

static void changed_byte_is_found_by_hashing(void **state)
{
	struct vm_image image;
	struct error err = { 0 };

	(void)state;
	put("r", "abd");
	assert_int_equal(vm_image_check(folder, &t, false, &image, &err), 0);
	assert_int_equal(vm_image_check(folder, &t, true, &image, &err), -EILSEQ);
	assert_string_equal(err.code_name, "image_damaged");
	put("r", "abcd");
	assert_int_equal(vm_image_check(folder, &t, false, &image, &err), -EILSEQ);
}

static void missing_is_told(void **state)
{
	struct vm_image image;
	struct error err = { 0 };
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/i", folder);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(vm_image_check(folder, &t, true, &image, &err), -ENOENT);
	assert_int_equal(vm_image_check("/nowhere", &t, true, &image, &err), -ENOENT);
	assert_non_null(strstr(err.resolution, "images"));
}

static void bad_manifests_are_refused(void **state)
{
	static const char *const bad[] = { "",
					   "{",
					   "[]",
					   "{\"schema\":2,\"files\":[]}",
					   "{\"schema\":1,\"files\":{}}",
					   FILES("3", "xyz") };
	struct vm_image image;
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put("manifest.json", bad[i]);
		assert_int_equal(vm_image_check(folder, &t, true, &image, &err), -EBADMSG);
	}
	put("manifest.json", "{\"schema\":1,\"files\":[]}");
	assert_int_equal(vm_image_check(folder, &t, true, &image, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(good_files_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(changed_byte_is_found_by_hashing, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_manifests_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
