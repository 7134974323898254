/* SPDX-License-Identifier: Apache-2.0 */
/* buf: grows, keeps its limit, remembers a failure until reset. */
#include "base/buf.h"
#include "unit.h"

static void buf_grows_and_terminates(void **state)
{
	AUTO(buf) struct buf *b = buf_new(0);

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_add_str(b, "0123456789");
	assert_true(buf_ok(b));
	assert_int_equal(b->len, 10000);
	assert_int_equal(b->data[b->len], 0);
	buf_consume(b, 9995);
	assert_true(slice_eq_str(buf_slice(b), "56789"));
}

static void buf_formats(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	buf_add_u64(&b, 0);
	buf_add_char(&b, ' ');
	buf_add_u64(&b, UINT64_MAX);
	buf_printf(&b, " %s-%d", "x", 7);
	assert_string_equal(b.data, "0 18446744073709551615 x-7");
}

static void buf_keeps_its_limit(void **state)
{
	AUTO_BUF b = { .limit = 8 };

	(void)state;
	buf_add_str(&b, "12345678");
	assert_true(buf_ok(&b));
	buf_add_char(&b, '9');
	assert_false(buf_ok(&b));
	buf_add_str(&b, "");
	assert_false(buf_ok(&b));
	assert_int_equal(b.len, 8);
	assert_null(buf_take_str(&b));
	buf_reset(&b);
	assert_true(buf_ok(&b));
	assert_int_equal(buf_reserve(&b, 9), -EMSGSIZE);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -EMSGSIZE);
}

static void buf_hands_over_its_text(void **state)
{
	AUTO_BUF b = { 0 };
	char *text;

	(void)state;
	text = buf_take_str(&b);
	assert_string_equal(text, "");
	free(text);
	buf_add_str(&b, "kept");
	text = buf_take_str(&b);
	assert_string_equal(text, "kept");
	assert_int_equal(b.len, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_grows_and_terminates),
		cmocka_unit_test(buf_formats),
		cmocka_unit_test(buf_keeps_its_limit),
		cmocka_unit_test(buf_hands_over_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
