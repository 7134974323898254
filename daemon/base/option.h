/* SPDX-License-Identifier: Apache-2.0 */
/* option.h - configuration: one table row an option; INI file, --set, --check, --help from it. */
#pragma once
#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct buf;

enum option_type { OPTION_STRING, OPTION_U32, OPTION_BOOL, OPTION_CHOICE };

/* One row: where the value lies in the daemon's own struct. Strings are owned (malloc'd). */
struct option {
	const char *key; /* "section.key" */
	enum option_type type;
	size_t offset;
	const char *fallback; /* default as text */
	uint32_t min, max;    /* for OPTION_U32; max 0 means no limit */
	const char *const
		*choices; /* for OPTION_CHOICE, NULL-terminated; value is the index (u32) */
	const char *unit; /* "s", "ms", "MiB" or NULL */
	bool reloadable;
	const char *help; /* one sentence */
	/* Further check of a string value, may be NULL: 0 or error_set(). */
	int (*check)(const char *value, struct error *err);
};

#define OPT_STRING(type_, member, key_, fallback_, help_, ...)                                     \
	{                                                                                          \
		.key = (key_), .type = OPTION_STRING, .offset = offsetof(type_, member),           \
		.fallback = (fallback_), .help = (help_), __VA_ARGS__                              \
	}
#define OPT_U32(type_, member, key_, fallback_, help_, ...)                                        \
	{                                                                                          \
		.key = (key_), .type = OPTION_U32, .offset = offsetof(type_, member),              \
		.fallback = (fallback_), .help = (help_), __VA_ARGS__                              \
	}
#define OPT_BOOL(type_, member, key_, fallback_, help_, ...)                                       \
	{                                                                                          \
		.key = (key_), .type = OPTION_BOOL, .offset = offsetof(type_, member),             \
		.fallback = (fallback_), .help = (help_), __VA_ARGS__                              \
	}
#define OPT_CHOICE(type_, member, key_, fallback_, choices_, help_, ...)                           \
	{                                                                                          \
		.key = (key_), .type = OPTION_CHOICE, .offset = offsetof(type_, member),           \
		.fallback = (fallback_), .choices = (choices_), .help = (help_), __VA_ARGS__       \
	}
#define OPT_END                                                                                    \
	{                                                                                          \
		.key = NULL                                                                        \
	}

/* Set every option to its default. Errors: -ENOMEM. The struct must be zeroed or set before. */
int option_defaults(const struct option *table, void *config, struct error *err);
void option_release(const struct option *table, void *config); /* frees the strings */
/* "section.key", "value". Errors: -ENOENT unknown key, -EINVAL (err->field = key). */
int option_set(const struct option *table, void *config, const char *key, const char *value,
	       struct error *err);
/* "section.key=value", as after --set. */
int option_set_pair(const struct option *table, void *config, const char *pair, struct error *err);
/* Read an INI file ("#" and ";" comments, at most 1 MiB, lines at most 4096). Errors: as above,
 * -ENOENT no such file; err->detail is "FILE:LINE: section.key: reason". */
int option_read_file(const struct option *table, void *config, const char *path, struct error *err);
/* The same over bytes; name stands for FILE. */
struct slice;
int option_read(const struct option *table, void *config, const char *name, const char *text,
		size_t len, struct error *err);
void option_print_help(const struct option *table, FILE *out);
/* roff for the manual page: one entry an option. */
void option_print_manual(const struct option *table, FILE *out);

/* The command line every daemon has: [--config FILE] [--root DIR] [--set s.k=v]... [--check]
 * [--version] [--help] plus the program's own long options. */
struct option_extra {
	const char *name;     /* "standalone" */
	const char *argument; /* "CONFIG.json" or NULL for a flag */
	const char *help;
	const char **value; /* borrowed from argv; a flag gets its name */
};
struct option_program {
	const char *name, *summary, *version;
	const char *config_file; /* default, e.g. "/etc/aurabox/aurabox.conf"; NULL for none */
	const struct option *table;
	const struct option_extra *extras; /* ends with name NULL, or NULL */
};
struct option_result {
	const char *root; /* --root or "" */
	bool done;	  /* --help, --version, --check: exit with status now */
	int status;	  /* 0; 1 after a failed check; 2 usage */
};
/* Parse argv, read the configuration file (missing default file is fine, a named one is not) and
 * apply --set on top. Messages go to stdout/stderr. When !done the configuration is complete. */
struct option_result option_main(const struct option_program *prog, int argc, char **argv,
				 void *config);
