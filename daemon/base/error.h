/* SPDX-License-Identifier: Apache-2.0 */
/* error.h - why a call failed, filled in where the cause is known; and automatic cleanup. */
#pragma once
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

/* A failure travels as a negative errno in the return value plus this, for people and for the
 * REST dispatcher. A zeroed struct is "no error". Strings are truncated, never overrun. */
struct error {
	int code;		/* the negative errno that was returned */
	unsigned retry_after_s; /* 0, or when to try again (429, 503) */
	char code_name[40];	/* problem code if the errno's default does not fit, else "" */
	char field[160];	/* JSON pointer ("/sip/max_contacts") or query parameter, else "" */
	char detail[480];	/* one sentence: what is wrong */
	char resolution[240];	/* one sentence: what to do, or "" */
};

#define ERROR_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Fill err (may be NULL) and return code, so that callers write `return error_set(...)`. */
int error_set(struct error *err, int code, const char *format, ...) ERROR_PRINTF(3, 4);
/* As error_set(), naming the input member that is at fault as a JSON pointer. */
int error_field(struct error *err, int code, const char *field, const char *format, ...)
	ERROR_PRINTF(4, 5);
/* Add to an error that is set already; accept NULL. */
void error_code_name(struct error *err, const char *code_name);
void error_resolution(struct error *err, const char *format, ...) ERROR_PRINTF(2, 3);
void error_clear(struct error *err);
/* "detail (field)" or the errno's text when no detail was set; valid until err changes. */
const char *error_text(const struct error *err, int r);

/* AUTO(type) declares a local that is released by type_free() when it leaves scope:
 *	AUTO(buf) struct buf *b = buf_new(0);   calls buf_free(b)
 * TAKE(ptr) hands the value over and disarms it. DEFINE_AUTO(type) stands in the header. */
#define AUTO(type) __attribute__((cleanup(auto_free_##type)))
#define DEFINE_AUTO_CALL(name, ctype, release)                                                     \
	static inline void auto_free_##name(ctype *slot)                                           \
	{                                                                                          \
		if (*slot)                                                                         \
			(void)release(*slot);                                                      \
	}
#define DEFINE_AUTO(name) DEFINE_AUTO_CALL(name, struct name *, name##_free)
#define TAKE(ptr)                                                                                  \
	__extension__({                                                                            \
		__typeof__(ptr) taken_ = (ptr);                                                    \
		(ptr) = NULL;                                                                      \
		taken_;                                                                            \
	})

DEFINE_AUTO_CALL(mem, void *, free)
DEFINE_AUTO_CALL(str, char *, free)

static inline void auto_free_fd(int *fd)
{
	extern int close(int);

	if (*fd >= 0)
		(void)close(*fd);
}
/* TAKE for descriptors declared with AUTO(fd) int fd = -1; */
#define TAKE_FD(fd)                                                                                \
	__extension__({                                                                            \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member)                                                            \
	((type *)(void *)((char *)(ptr) - __builtin_offsetof(type, member)))
