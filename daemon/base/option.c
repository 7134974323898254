/* SPDX-License-Identifier: Apache-2.0 */
/* option.c - the option table: values, INI files and help. The command line is option_main.c. */
#include "base/option.h"
#include "base/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT (1U << 20)
#define LINE_LIMIT 4096U

static const struct option *find(const struct option *table, struct slice key)
{
	for (const struct option *o = table; o->key; o++) {
		if (slice_eq_str(key, o->key))
			return o;
	}
	return NULL;
}

static int set_string(const struct option *o, char **slot, const char *value, struct error *err)
{
	char *copy;
	int r;

	if (o->check) {
		r = o->check(value, err);
		if (r < 0)
			return r;
	}
	copy = strdup(value);
	if (!copy)
		return error_set(err, -ENOMEM, "out of memory");
	free(*slot);
	*slot = copy;
	return 0;
}

static int set_u32(const struct option *o, uint32_t *slot, const char *value, struct error *err)
{
	uint32_t n;

	if (slice_to_u32(slice_str(value), &n) < 0)
		return error_field(err, -EINVAL, o->key, "'%s' is not a whole number", value);
	if (n < o->min || (o->max && n > o->max))
		return error_field(err, -EINVAL, o->key, "%u is not within %u..%u%s%s", n, o->min,
				   o->max, o->unit ? " " : "", o->unit ? o->unit : "");
	*slot = n;
	return 0;
}

static int set_bool(const struct option *o, bool *slot, const char *value, struct error *err)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (strcmp(value, yes[i]) == 0 || strcmp(value, no[i]) == 0) {
			*slot = strcmp(value, yes[i]) == 0;
			return 0;
		}
	}
	return error_field(err, -EINVAL, o->key, "'%s' is neither true nor false", value);
}

static int set_choice(const struct option *o, uint32_t *slot, const char *value, struct error *err)
{
	for (uint32_t i = 0; o->choices[i]; i++) {
		if (strcmp(value, o->choices[i]) == 0) {
			*slot = i;
			return 0;
		}
	}
	return error_field(err, -EINVAL, o->key, "'%s' is not one of the choices", value);
}

static int set_value(const struct option *o, void *config, const char *value, struct error *err)
{
	void *slot = (char *)config + o->offset;

	switch (o->type) {
	case OPTION_STRING:
		return set_string(o, slot, value, err);
	case OPTION_U32:
		return set_u32(o, slot, value, err);
	case OPTION_BOOL:
		return set_bool(o, slot, value, err);
	case OPTION_CHOICE:
		return set_choice(o, slot, value, err);
	}
	return -EINVAL;
}

int option_defaults(const struct option *table, void *config, struct error *err)
{
	int r;

	for (const struct option *o = table; o->key; o++) {
		/* A default may be what `check` would refuse, as "" for "not set". */
		struct option plain = *o;

		plain.check = NULL;
		r = set_value(&plain, config, o->fallback, err);
		if (r < 0)
			return r;
	}
	return 0;
}

void option_release(const struct option *table, void *config)
{
	for (const struct option *o = table; o->key; o++) {
		char **slot = (char **)(void *)((char *)config + o->offset);

		if (o->type == OPTION_STRING) {
			free(*slot);
			*slot = NULL;
		}
	}
}

int option_set(const struct option *table, void *config, const char *key, const char *value,
	       struct error *err)
{
	const struct option *o = find(table, slice_str(key));

	if (!o)
		return error_field(err, -ENOENT, key, "there is no such option");
	return set_value(o, config, value, err);
}

int option_set_pair(const struct option *table, void *config, const char *pair, struct error *err)
{
	struct slice rest = slice_str(pair);
	bool found;
	AUTO(str) char *key = slice_dup(slice_take_until(&rest, '=', &found));

	if (!key)
		return error_set(err, -ENOMEM, "out of memory");
	if (!found)
		return error_set(err, -EINVAL, "'%s' is not section.key=value", pair);
	return option_set(table, config, key, rest.p ? rest.p : "", err);
}

/* What a file's line is found to be wrong with is told as FILE:LINE: section.key: reason. */
static int line_error(struct error *err, int code, const char *name, unsigned line, const char *key,
		      const char *reason)
{
	if (key && *key)
		return error_field(err, code, key, "%s:%u: %s: %s", name, line, key, reason);
	return error_set(err, code, "%s:%u: %s", name, line, reason);
}

struct reader {
	const struct option *table;
	void *config;
	const char *name;
	unsigned line;
	char section[64];
};

static int read_section(struct reader *rd, struct slice text, struct error *err)
{
	struct slice name = slice_trim(slice_sub(text, 1, text.len - 1));

	if (text.p[text.len - 1] != ']' || name.len == 0 ||
	    slice_copy(name, rd->section, sizeof(rd->section)) < 0)
		return line_error(err, -EINVAL, rd->name, rd->line, NULL, "not a [section] line");
	return 0;
}

static int read_line(struct reader *rd, struct slice text, struct error *err)
{
	struct error why = { 0 };
	char key[160], value[LINE_LIMIT];
	struct slice left;
	bool found;
	int r;

	text = slice_trim(text);
	if (text.len == 0 || text.p[0] == '#' || text.p[0] == ';')
		return 0;
	if (text.len >= LINE_LIMIT || slice_has_nul(text))
		return line_error(err, -EINVAL, rd->name, rd->line, NULL,
				  "line too long or binary");
	if (text.p[0] == '[')
		return read_section(rd, text, err);
	left = slice_trim(slice_take_until(&text, '=', &found));
	if (!found || left.len == 0 || left.len > 64)
		return line_error(err, -EINVAL, rd->name, rd->line, NULL, "not a key=value line");
	if (!rd->section[0])
		return line_error(err, -EINVAL, rd->name, rd->line, NULL,
				  "a key before the first [section]");
	(void)snprintf(key, sizeof(key), "%s.%.*s", rd->section, SLICE_ARG(left));
	(void)slice_copy(slice_trim(text), value, sizeof(value));
	r = option_set(rd->table, rd->config, key, value, &why);
	if (r < 0)
		return line_error(err, r, rd->name, rd->line, key, why.detail);
	return 0;
}

int option_read(const struct option *table, void *config, const char *name, const char *text,
		size_t len, struct error *err)
{
	struct reader rd = { .table = table, .config = config, .name = name };
	struct slice rest = slice_make(text, len);
	int r;

	while (rest.len > 0) {
		rd.line++;
		r = read_line(&rd, slice_take_until(&rest, '\n', NULL), err);
		if (r < 0)
			return r;
	}
	return 0;
}

int option_read_file(const struct option *table, void *config, const char *path, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(str) char *text = NULL;
	struct stat st;
	size_t len = 0;

	if (fd < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_LIMIT)
		return error_set(err, -EINVAL, "%s: not a file of at most 1 MiB", path);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n < 0)
			return error_set(err, -errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return option_read(table, config, path, text, len, err);
}

static const char *type_name(const struct option *o)
{
	static const char *const names[] = { "text", "number", "true|false", "choice" };

	return names[o->type];
}

void option_print_help(const struct option *table, FILE *out)
{
	for (const struct option *o = table; o->key; o++) {
		(void)fprintf(out, "  %-28s %s", o->key, o->help);
		if (o->choices) {
			(void)fprintf(out, " (");
			for (size_t i = 0; o->choices[i]; i++)
				(void)fprintf(out, "%s%s", i ? "|" : "", o->choices[i]);
			(void)fprintf(out, ")");
		}
		(void)fprintf(out, " [%s%s%s]\n", *o->fallback ? o->fallback : "not set",
			      o->unit ? " " : "", o->unit ? o->unit : "");
	}
}

void option_print_manual(const struct option *table, FILE *out)
{
	for (const struct option *o = table; o->key; o++) {
		(void)fprintf(out, ".TP\n.B %s\n%s\n", o->key, o->help);
		(void)fprintf(out, "Type: %s", type_name(o));
		if (o->unit)
			(void)fprintf(out, " in %s", o->unit);
		if (o->max)
			(void)fprintf(out, ", %u to %u", o->min, o->max);
		(void)fprintf(out, ". Default: %s.%s\n", *o->fallback ? o->fallback : "not set",
			      o->reloadable ? " Taken over on SIGHUP." : "");
	}
}
