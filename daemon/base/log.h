/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - one line an event on stderr: ts=RFC3339 level=L event=NAME key=value... */
#pragma once
#include "base/slice.h"

struct error;

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

enum log_kind { LOG_END, LOG_STRING, LOG_SLICE, LOG_INT, LOG_UINT, LOG_BOOL, LOG_DOUBLE };

/* One key and its value; made by F(). Secrets have no formatter: they are not passed here. */
struct log_field {
	enum log_kind kind;
	const char *key;
	union {
		const char *string;
		struct slice slice;
		long long integer;
		unsigned long long uinteger;
		double number;
		bool boolean;
	} value;
};

struct log_field log_field_string(const char *key, const char *value);
struct log_field log_field_slice(const char *key, struct slice value);
struct log_field log_field_int(const char *key, long long value);
struct log_field log_field_uint(const char *key, unsigned long long value);
struct log_field log_field_bool(const char *key, bool value);
struct log_field log_field_double(const char *key, double value);

/* F("vm", name): a field of whatever type the value has. */
/* clang-format off */
#define F(key, value) _Generic((value), \
	char *: log_field_string, const char *: log_field_string, \
	struct slice: log_field_slice, bool: log_field_bool, \
	float: log_field_double, double: log_field_double, \
	unsigned char: log_field_uint, unsigned short: log_field_uint, unsigned int: log_field_uint, \
	unsigned long: log_field_uint, unsigned long long: log_field_uint, \
	default: log_field_int)((key), (value))
/* clang-format on */

/* The fields end with LOG_END, which the macros add. Values are quoted and escaped where needed. */
void log_event(enum log_level level, const char *event, const struct log_field *fields);

#define LOG_FIELDS(...) ((const struct log_field[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })
#define log_debug(event, ...) log_at(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_at(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_warning(event, ...) log_at(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_error(event, ...) log_at(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_at(level, event, ...)                                                                  \
	do {                                                                                       \
		if (log_enabled(level))                                                            \
			log_event(level, event, LOG_FIELDS(__VA_ARGS__));                          \
	} while (0)

/* Failed calls: event, the errno and what err says. */
void log_failure(enum log_level level, const char *event, int r, const struct error *err);

bool log_enabled(enum log_level level);
void log_set_level(enum log_level level);
/* "debug|info|warning|error". Errors: -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret);
/* Lines go to this descriptor; 2 by default. */
void log_set_fd(int fd);
