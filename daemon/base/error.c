/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - see error.h. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

static ERROR_PRINTF(3, 0) void set_text(char *out, size_t size, const char *format, va_list args)
{
	int n = vsnprintf(out, size, format, args);

	if (n < 0)
		out[0] = '\0';
}

static void set_copy(char *out, size_t size, const char *text)
{
	size_t len = text ? strnlen(text, size - 1) : 0;

	if (len)
		memcpy(out, text, len);
	out[len] = '\0';
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	memset(err, 0, sizeof(*err));
	err->code = code;
	va_start(args, format);
	set_text(err->detail, sizeof(err->detail), format, args);
	va_end(args);
	return code;
}

int error_field(struct error *err, int code, const char *field, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	memset(err, 0, sizeof(*err));
	err->code = code;
	set_copy(err->field, sizeof(err->field), field);
	va_start(args, format);
	set_text(err->detail, sizeof(err->detail), format, args);
	va_end(args);
	return code;
}

void error_code_name(struct error *err, const char *code_name)
{
	if (err)
		set_copy(err->code_name, sizeof(err->code_name), code_name);
}

void error_resolution(struct error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, format);
	set_text(err->resolution, sizeof(err->resolution), format, args);
	va_end(args);
}

void error_clear(struct error *err)
{
	if (err)
		memset(err, 0, sizeof(*err));
}

const char *error_text(const struct error *err, int r)
{
	if (err && err->detail[0])
		return err->detail;
	return strerror(r < 0 ? -r : r);
}
