/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - see log.h. */
#include "base/log.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

#include <stdatomic.h>
#include <unistd.h>

#define LOG_LINE_MAX 8192U

static _Atomic int log_fd = 2;
static _Atomic int log_threshold = LOG_LEVEL_INFO;
static const char *const level_names[] = { "debug", "info", "warning", "error" };

struct log_field log_field_string(const char *key, const char *value)
{
	return (struct log_field){ LOG_STRING, key, { .string = value } };
}

struct log_field log_field_slice(const char *key, struct slice value)
{
	return (struct log_field){ LOG_SLICE, key, { .slice = value } };
}

struct log_field log_field_int(const char *key, long long value)
{
	return (struct log_field){ LOG_INT, key, { .integer = value } };
}

struct log_field log_field_uint(const char *key, unsigned long long value)
{
	return (struct log_field){ LOG_UINT, key, { .uinteger = value } };
}

struct log_field log_field_bool(const char *key, bool value)
{
	return (struct log_field){ LOG_BOOL, key, { .boolean = value } };
}

struct log_field log_field_double(const char *key, double value)
{
	return (struct log_field){ LOG_DOUBLE, key, { .number = value } };
}

bool log_enabled(enum log_level level)
{
	return (int)level >= log_threshold;
}

void log_set_level(enum log_level level)
{
	log_threshold = (int)level;
}

void log_set_fd(int fd)
{
	log_fd = fd;
}

int log_level_parse(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

static bool needs_quotes(struct slice s)
{
	if (s.len == 0)
		return true;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c >= 0x7f)
			return true;
	}
	return false;
}

/* A line break or an escape sequence in a value must not forge or hide a line. */
static void add_text(struct buf *b, struct slice s)
{
	if (s.len > 2048)
		s.len = 2048;
	if (!needs_quotes(s)) {
		buf_add_slice(b, s);
		return;
	}
	buf_add_char(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\') {
			buf_add_char(b, '\\');
			buf_add_char(b, (char)c);
		} else if (c == '\n') {
			buf_add_str(b, "\\n");
		} else if (c < ' ' || c == 0x7f) {
			buf_printf(b, "\\x%02x", c);
		} else {
			buf_add_char(b, (char)c);
		}
	}
	buf_add_char(b, '"');
}

static void add_field(struct buf *b, const struct log_field *f)
{
	buf_add_char(b, ' ');
	buf_add_str(b, f->key);
	buf_add_char(b, '=');
	switch (f->kind) {
	case LOG_STRING:
		add_text(b, slice_str(f->value.string ? f->value.string : "-"));
		break;
	case LOG_SLICE:
		add_text(b, f->value.slice);
		break;
	case LOG_INT:
		buf_printf(b, "%lld", f->value.integer);
		break;
	case LOG_UINT:
		buf_printf(b, "%llu", f->value.uinteger);
		break;
	case LOG_BOOL:
		buf_add_str(b, f->value.boolean ? "true" : "false");
		break;
	case LOG_DOUBLE:
		buf_printf(b, "%.3f", f->value.number);
		break;
	case LOG_END:
		break;
	}
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
	char when[CLOCK_RFC3339_SIZE];
	AUTO_BUF line = { .limit = LOG_LINE_MAX };

	if (!log_enabled(level))
		return;
	buf_printf(&line, "ts=%s level=%s event=%s", clock_format(clock_wall(clock_system()), when),
		   level_names[level], event);
	for (const struct log_field *f = fields; f->kind != LOG_END; f++)
		add_field(&line, f);
	buf_add_char(&line, '\n');
	/* One write a line keeps lines of several threads whole. */
	if (line.data && write(log_fd, line.data, line.len) < 0)
		return;
}

void log_failure(enum log_level level, const char *event, int r, const struct error *err)
{
	log_at(level, event, F("errno", -r), F("reason", error_text(err, r)));
}
