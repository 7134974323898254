/* SPDX-License-Identifier: Apache-2.0 */
/* test_seal.c - what is sealed comes back under its key and purpose alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "net/seal.h"

static const uint8_t key[SEAL_KEY_LEN] = { 1, 2, 3 };
static const uint8_t other[SEAL_KEY_LEN] = { 1, 2, 4 };

static void what_is_sealed_is_opened(void **state)
{
	char sealed[SEAL_TEXT_MAX], again[SEAL_TEXT_MAX], plain[SEAL_PLAIN_MAX + 1];
	char longest[SEAL_PLAIN_MAX];

	(void)state;
	assert_int_equal(seal_text(key, SLICE("trunk"), SLICE("secret"), sealed), 0);
	assert_int_equal(seal_text(key, SLICE("trunk"), SLICE("secret"), again), 0);
	assert_string_not_equal(sealed, again); /* nobody sees that two are alike */
	assert_null(strstr(sealed, "secret"));
	assert_int_equal(seal_open(key, SLICE("trunk"), slice_str(sealed), plain), 6);
	assert_string_equal(plain, "secret");
	assert_int_equal(seal_text(key, SLICE("trunk"), SLICE(""), sealed), 0);
	assert_int_equal(seal_open(key, SLICE("trunk"), slice_str(sealed), plain), 0);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(seal_text(key, SLICE("t"), slice_make(longest, sizeof(longest)), sealed),
			 0);
	assert_true(strlen(sealed) < SEAL_TEXT_MAX);
	assert_int_equal(seal_open(key, SLICE("t"), slice_str(sealed), plain), SEAL_PLAIN_MAX);
}

static void what_is_not_ours_is_refused(void **state)
{
	static const char *const bad[] = { "",	    "v1.", "v1.!!", "v2.AAAA", "v1.AAAAAAAAAAAA",
					   "secret" };
	char sealed[SEAL_TEXT_MAX], plain[SEAL_PLAIN_MAX + 1], huge[4000];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(seal_open(key, SLICE("trunk"), slice_str(bad[i]), plain),
				 -EBADMSG);
	assert_int_equal(seal_text(key, SLICE("trunk"), SLICE("secret"), sealed), 0);
	assert_int_equal(seal_open(other, SLICE("trunk"), slice_str(sealed), plain), -EBADMSG);
	assert_int_equal(seal_open(key, SLICE("trunks"), slice_str(sealed), plain), -EBADMSG);
	for (size_t i = 3; sealed[i]; i++) { /* each character counts */
		char kept = sealed[i];

		sealed[i] = kept == 'A' ? 'Q' : 'A';
		assert_int_equal(seal_open(key, SLICE("trunk"), slice_str(sealed), plain),
				 -EBADMSG);
		sealed[i] = kept;
	}
	memset(huge, 'A', sizeof(huge));
	memcpy(huge, "v1.", 3);
	assert_int_equal(seal_open(key, SLICE("t"), slice_make(huge, sizeof(huge)), plain),
			 -EBADMSG);
	assert_int_equal(seal_text(key, SLICE("t"), slice_make(huge, SEAL_PLAIN_MAX + 1), sealed),
			 -EINVAL);
}

static void a_key_is_made_once_and_kept_from_others(void **state)
{
	char folder[] = "/tmp/aura-seal-XXXXXX", path[64];
	uint8_t first[SEAL_KEY_LEN], second[SEAL_KEY_LEN];
	struct stat st;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/key", folder);
	assert_int_equal(seal_key_load(path, first, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(seal_key_load(path, second, NULL), 0);
	assert_memory_equal(first, second, SEAL_KEY_LEN);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs("no key", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(seal_key_load(path, second, NULL), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_is_opened),
		cmocka_unit_test(what_is_not_ours_is_refused),
		cmocka_unit_test(a_key_is_made_once_and_kept_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
