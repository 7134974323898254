/* SPDX-License-Identifier: Apache-2.0 */
/* error: what is set can be told, nothing is overrun, AUTO and TAKE release once. */
#include "base/error.h"
#include "unit.h"

#include <string.h>

static void error_names_cause_and_member(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_field(&err, -EINVAL, "/sip/max_contacts", "not %d", 7), -EINVAL);
	assert_string_equal(err.field, "/sip/max_contacts");
	assert_string_equal(err.detail, "not 7");
	error_resolution(&err, "give %s", "less");
	assert_string_equal(err.resolution, "give less");
	assert_int_equal(error_set(&err, -ENOENT, "gone"), -ENOENT);
	assert_string_equal(err.field, "");
	assert_string_equal(err.resolution, "");
	assert_string_equal(error_text(&err, -ENOENT), "gone");
	assert_string_equal(error_text(NULL, -ENOENT), strerror(ENOENT));
}

static void error_truncates_long_text(void **state)
{
	struct error err = { 0 };
	char long_text[2000];

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	(void)error_field(&err, -EINVAL, long_text, "%s", long_text);
	assert_int_equal(strlen(err.field), sizeof(err.field) - 1);
	assert_int_equal(strlen(err.detail), sizeof(err.detail) - 1);
	error_code_name(&err, long_text);
	assert_int_equal(strlen(err.code_name), sizeof(err.code_name) - 1);
}

static void error_accepts_no_place_for_it(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, -EIO, "nobody reads %s", "this"), -EIO);
	error_resolution(NULL, "nor this");
	error_code_name(NULL, "nor_that");
	error_clear(NULL);
}

static void take_disarms_auto(void **state)
{
	char *kept = NULL;

	(void)state;
	{
		AUTO(str) char *mine = strdup("mine");
		AUTO(str) char *lost = strdup("lost"); /* the leak checker sees it released */

		assert_non_null(lost);
		kept = TAKE(mine);
		assert_null(mine);
	}
	assert_string_equal(kept, "mine");
	free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_names_cause_and_member),
		cmocka_unit_test(error_truncates_long_text),
		cmocka_unit_test(error_accepts_no_place_for_it),
		cmocka_unit_test(take_disarms_auto),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
