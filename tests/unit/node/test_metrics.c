/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics.c - the Prometheus text of a table. */
#include "base/buf.h"
#include "node/metrics.h"

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct metric_def table[] = {
	{ METRIC_COUNTER, "a_total", "method=\"INVITE\"", "Requests." },
	{ METRIC_COUNTER, "a_total", "method=\"BYE\"", "Requests." },
	{ METRIC_GAUGE, "b", NULL, "Level." },
};

static void text_names_a_family_once(void **state)
{
	struct metrics *m = metrics_new(table, ARRAY_SIZE(table));
	AUTO_BUF out = { 0 };

	metric_add(m, 0, 2);
	metric_add(m, 0, 1);
	metric_set(m, 2, -4);
	metric_add(m, 99, 1);
	metric_add(NULL, 0, 1);
	assert_int_equal(metric_get(m, 0), 3);
	assert_int_equal(metrics_write(m, &out), 0);
	assert_string_equal(out.data, "# HELP a_total Requests.\n# TYPE a_total counter\n"
				      "a_total{method=\"INVITE\"} 3\na_total{method=\"BYE\"} 0\n"
				      "# HELP b Level.\n# TYPE b gauge\nb -4\n");
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(text_names_a_family_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
