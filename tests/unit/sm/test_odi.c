/* SPDX-License-Identifier: Apache-2.0 */
/* test_odi.c - a token says what it said when it was made, and nothing can be changed in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "sm/odi.h"

static const uint8_t key[ODI_KEY_SIZE] = { 1, 2, 3 };
static const struct odi sample = {
	.half = ODI_TERMINATING, .place = 2, .expires_s = 5000, .user = "3001"
};
#define GSID SLICE("64bf44a0-4f61-11ea-bea2-005056b42b9e")

static void a_token_comes_back_as_it_was(void **state)
{
	char text[ODI_TEXT_SIZE];
	struct odi out;

	(void)state;
	assert_int_equal(odi_make(key, &sample, GSID, text), 0);
	assert_int_equal(odi_read(key, slice_str(text), GSID, 4999, &out), 0);
	assert_int_equal(out.half, ODI_TERMINATING);
	assert_int_equal(out.place, 2);
	assert_int_equal(out.expires_s, 5000);
	assert_string_equal(out.user, "3001");
}

static void it_ends(void **state)
{
	char text[ODI_TEXT_SIZE];
	struct odi out;

	(void)state;
	assert_int_equal(odi_make(key, &sample, GSID, text), 0);
	assert_int_equal(odi_read(key, slice_str(text), GSID, 5000, &out), -ETIME);
}

static void it_belongs_to_one_session_and_one_key(void **state)
{
	static const uint8_t other[ODI_KEY_SIZE] = { 9 };
	char text[ODI_TEXT_SIZE];
	struct odi out;

	(void)state;
	assert_int_equal(odi_make(key, &sample, GSID, text), 0);
	assert_int_equal(odi_read(key, slice_str(text), SLICE("another"), 1, &out), -EKEYREJECTED);
	assert_int_equal(odi_read(other, slice_str(text), GSID, 1, &out), -EKEYREJECTED);
}

static void no_character_of_it_can_be_changed(void **state)
{
	char text[ODI_TEXT_SIZE];
	struct odi out;

	(void)state;
	assert_int_equal(odi_make(key, &sample, GSID, text), 0);
	for (size_t i = 0; i < strlen(text); i++) {
		char was = text[i];

		text[i] = was == '1' ? '2' : '1';
		assert_true(odi_read(key, slice_str(text), GSID, 1, &out) < 0);
		text[i] = was;
	}
}

static void garbage_is_no_token(void **state)
{
	static const char *const bad[] = {
		"",
		"o",
		"o0-1-33-",
		"x0-5000-33303031-00000000000000000000000000000000",
		"o0-5000--00000000000000000000000000000000",
		"o0-99999999999-33-00000000000000000000000000000000",
		"oo-5000-33-00000000000000000000000000000000",
	};
	struct odi out;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(odi_read(key, slice_str(bad[i]), GSID, 1, &out), -EBADMSG);
}

static void what_does_not_fit_is_not_made(void **state)
{
	char text[ODI_TEXT_SIZE];
	struct odi odi = sample;

	(void)state;
	odi.place = 10;
	assert_int_equal(odi_make(key, &odi, GSID, text), -EINVAL);
	odi.place = 0;
	odi.user[0] = 0;
	assert_int_equal(odi_make(key, &odi, GSID, text), -EINVAL);
}

static void a_cookie_belongs_to_one_call_id(void **state)
{
	char cookie[ODI_COOKIE_SIZE];

	(void)state;
	odi_cookie(key, SLICE("a@b"), cookie);
	assert_true(odi_cookie_valid(key, slice_str(cookie), SLICE("a@b")));
	assert_false(odi_cookie_valid(key, slice_str(cookie), SLICE("a@c")));
	assert_false(odi_cookie_valid(key, SLICE(""), SLICE("a@b")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_comes_back_as_it_was),
		cmocka_unit_test(it_ends),
		cmocka_unit_test(it_belongs_to_one_session_and_one_key),
		cmocka_unit_test(no_character_of_it_can_be_changed),
		cmocka_unit_test(garbage_is_no_token),
		cmocka_unit_test(what_does_not_fit_is_not_made),
		cmocka_unit_test(a_cookie_belongs_to_one_call_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
