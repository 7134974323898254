/* SPDX-License-Identifier: Apache-2.0 */
/* log: one line an event; hostile values cannot forge another. */
#include "base/log.h"
#include "base/error.h"
#include "unit.h"

#include <unistd.h>

static void read_line(int fd, char *out, size_t size)
{
	ssize_t n = read(fd, out, size - 1);

	assert_true(n > 0);
	out[n] = '\0';
}

static void log_writes_event_and_fields(void **state)
{
	char line[1024];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	log_set_fd(ends[1]);
	log_info("vm.ready", F("vm", "sm"), F("took_ms", 42), F("ok", (bool)true));
	read_line(ends[0], line, sizeof(line));
	assert_non_null(strstr(line, "level=info event=vm.ready vm=sm took_ms=42 ok=true\n"));
	assert_int_equal(strncmp(line, "ts=2", 4), 0);
	log_info("x", F("v", "a\nlevel=error event=forged \"\x1b[2J"), F("s", SLICE("")));
	read_line(ends[0], line, sizeof(line));
	assert_non_null(strstr(line, "v=\"a\\nlevel=error event=forged \\\"\\x1b[2J\" s=\"\"\n"));
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	log_set_fd(2);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void log_levels_filter(void **state)
{
	enum log_level level;

	(void)state;
	assert_int_equal(log_level_parse("warning", &level), 0);
	log_set_level(level);
	assert_false(log_enabled(LOG_LEVEL_INFO));
	assert_true(log_enabled(LOG_LEVEL_ERROR));
	assert_int_equal(log_level_parse("loud", &level), -EINVAL);
	log_set_level(LOG_LEVEL_INFO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_writes_event_and_fields),
		cmocka_unit_test(log_levels_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
