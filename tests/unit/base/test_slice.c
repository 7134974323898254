/* SPDX-License-Identifier: Apache-2.0 */
/* slice: comparisons, consuming from the front, numbers at their limits. */
#include "base/slice.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

static void slice_compares(void **state)
{
	(void)state;
	assert_true(slice_eq(SLICE("abc"), slice_str("abc")));
	assert_false(slice_eq(SLICE("abc"), SLICE("ab")));
	assert_true(slice_eq(slice_make(NULL, 0), SLICE("")));
	assert_true(slice_eq_str_nocase(SLICE("SIP"), "sip"));
	assert_false(slice_eq_nocase(SLICE("[{"), SLICE("{[")));
	assert_true(slice_starts_with_nocase(SLICE("SIPS:x"), SLICE("sips")));
	assert_true(slice_ends_with(SLICE("a.css.br"), SLICE(".br")));
	assert_false(slice_ends_with(SLICE("r"), SLICE(".br")));
	assert_true(slice_cmp(SLICE("ab"), SLICE("abc")) < 0);
	assert_true(slice_cmp(SLICE("b"), SLICE("abc")) > 0);
	assert_int_equal(slice_find(SLICE("a;b"), ';'), 1);
	assert_int_equal(slice_find(SLICE("ab"), ';'), -1);
}

static void slice_consumes_from_the_front(void **state)
{
	struct slice in = SLICE("name=value;rest");
	bool found;

	(void)state;
	assert_true(slice_eq_str(slice_take_until(&in, '=', &found), "name"));
	assert_true(found);
	assert_true(slice_eq_str(slice_take_while(&in, ascii_is_alpha), "value"));
	assert_true(slice_skip_char(&in, ';'));
	assert_false(slice_skip_char(&in, ';'));
	assert_true(slice_eq_str(slice_take_until(&in, ',', &found), "rest"));
	assert_false(found);
	assert_int_equal(in.len, 0);
	assert_int_equal(slice_take(&in, 4).len, 0);
}

static void slice_trims_and_cuts(void **state)
{
	struct slice in = SLICE(" \r\n\t x");

	(void)state;
	assert_true(slice_eq_str(slice_trim(SLICE(" \ta b\r\n")), "a b"));
	assert_int_equal(slice_trim(SLICE(" \t ")).len, 0);
	assert_int_equal(slice_skip_lws(&in), 5);
	assert_true(slice_eq_str(slice_sub(SLICE("abcdef"), 2, 4), "cd"));
	assert_true(slice_eq_str(slice_sub(SLICE("abc"), 1, 99), "bc"));
	assert_int_equal(slice_sub(SLICE("abc"), 5, 9).len, 0);
}

static void slice_numbers_stop_at_their_limits(void **state)
{
	struct slice in = SLICE("4294967295x");
	uint32_t n;
	uint64_t big;

	(void)state;
	assert_int_equal(slice_take_u32(&in, &n), 0);
	assert_true(n == UINT32_MAX);
	assert_true(slice_eq_str(in, "x"));
	in = SLICE("4294967296");
	assert_int_equal(slice_take_u32(&in, &n), -ERANGE);
	assert_int_equal(in.len, 10);
	assert_int_equal(slice_to_u64(SLICE("18446744073709551615"), &big), 0);
	assert_true(big == UINT64_MAX);
	assert_int_equal(slice_to_u64(SLICE("18446744073709551616"), &big), -ERANGE);
	assert_int_equal(slice_to_u32(SLICE(""), &n), -EBADMSG);
	assert_int_equal(slice_to_u32(SLICE("-1"), &n), -EBADMSG);
	assert_int_equal(slice_to_u32(SLICE("1 "), &n), -EBADMSG);
}

static void slice_copies(void **state)
{
	char small[4];
	char *copy = slice_dup(SLICE("hello"));

	(void)state;
	assert_string_equal(copy, "hello");
	free(copy);
	assert_int_equal(slice_copy(SLICE("abc"), small, sizeof(small)), 0);
	assert_string_equal(small, "abc");
	assert_int_equal(slice_copy(SLICE("abcd"), small, sizeof(small)), -ENOSPC);
	assert_true(slice_has_nul(slice_make("a\0b", 3)));
}

/* At each place of a text of each length, whatever stands around it; bytes from 0x80 are text. */
static void slice_control_finds_the_first(void **state)
{
	static const char controls[] = { '\0', '\n', '\r', '\t', 0x1f };
	char text[48];

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		memset(text, len % 2 ? ' ' : '\xff', sizeof(text));
		assert_ptr_equal(slice_control(text, text + len), text + len);
		for (size_t at = 0; at < len; at++) {
			text[at] = controls[at % sizeof(controls)];
			text[len] = '\n';
			assert_ptr_equal(slice_control(text, text + len), text + at);
			text[at] = '\x7f';
		}
	}
}

static void slice_hash_ignores_case_on_demand(void **state)
{
	(void)state;
	assert_true(slice_hash(SLICE("a")) == slice_hash(SLICE("a")));
	assert_true(slice_hash(SLICE("a")) != slice_hash(SLICE("A")));
	assert_true(slice_hash_nocase(SLICE("To")) == slice_hash_nocase(SLICE("tO")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice_compares),
		cmocka_unit_test(slice_consumes_from_the_front),
		cmocka_unit_test(slice_trims_and_cuts),
		cmocka_unit_test(slice_numbers_stop_at_their_limits),
		cmocka_unit_test(slice_copies),
		cmocka_unit_test(slice_control_finds_the_first),
		cmocka_unit_test(slice_hash_ignores_case_on_demand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
