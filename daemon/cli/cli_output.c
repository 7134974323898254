/* SPDX-License-Identifier: Apache-2.0 */
/* cli_output.c - answers as tables, as indented members and as JSON. */
#include "base/error.h"
#include "base/slice.h"
#include "cli/cli.h"

#include <stdio.h>

#define CELL_MAX 256

void cli_print_json(const json_t *json)
{
	if (!json)
		return;
	(void)json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	(void)putchar('\n');
}

const json_t *cli_member(const json_t *object, const char *path)
{
	struct slice rest = slice_str(path);

	while (rest.len > 0 && object) {
		struct slice name = slice_take_until(&rest, '.', NULL);
		uint32_t i;

		if (json_is_array(object))
			object = slice_to_u32(name, &i) == 0 ? json_array_get(object, i) : NULL;
		else
			object = json_object_getn(object, name.p, name.len);
	}
	return object;
}

/* Text for a terminal: control bytes of a peer's words must not steer it. */
static void plain(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p < ' ' || *p == 127)
			*p = '?';
	}
}

static void cell(const json_t *value, char out[CELL_MAX])
{
	char *dump;

	if (!value || json_is_null(value)) {
		(void)snprintf(out, CELL_MAX, "-");
	} else if (json_is_string(value)) {
		(void)snprintf(out, CELL_MAX, "%s", json_string_value(value));
	} else if (json_is_boolean(value)) {
		(void)snprintf(out, CELL_MAX, "%s", json_is_true(value) ? "yes" : "no");
	} else {
		dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		(void)snprintf(out, CELL_MAX, "%s", dump ? dump : "?");
		free(dump);
	}
	plain(out);
}

/* Columns on screen: UTF-8 continuation bytes take none. */
static int width(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_row(const char (*cells)[CELL_MAX], const int *widths, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int pad = i + 1 < count ? widths[i] - width(cells[i]) + 2 : 0;

		(void)printf("%s%*s", cells[i], pad, "");
	}
	(void)putchar('\n');
}

void cli_print_table(const json_t *items, const struct cli_column *columns)
{
	int widths[CLI_COLUMNS_MAX] = { 0 };
	char cells[CLI_COLUMNS_MAX][CELL_MAX];
	size_t count = 0, i;
	json_t *item;

	while (columns[count].title && count < CLI_COLUMNS_MAX) {
		widths[count] = width(columns[count].title);
		count++;
	}
	json_array_foreach(items, i, item)
	{
		for (size_t c = 0; c < count; c++) {
			cell(cli_member(item, columns[c].member), cells[c]);
			if (width(cells[c]) > widths[c])
				widths[c] = width(cells[c]);
		}
	}
	for (size_t c = 0; c < count; c++)
		(void)snprintf(cells[c], CELL_MAX, "%s", columns[c].title);
	print_row((const char(*)[CELL_MAX])cells, widths, count);
	json_array_foreach(items, i, item)
	{
		for (size_t c = 0; c < count; c++)
			cell(cli_member(item, columns[c].member), cells[c]);
		print_row((const char(*)[CELL_MAX])cells, widths, count);
	}
}

void cli_print_plan(const json_t *plan)
{
	static const struct cli_column columns[] = { { "ACTION", "action" },
						     { "TARGET", "target" },
						     { "DETAIL", "detail" },
						     { NULL, NULL } };
	const json_t *items = json_object_get(plan, "plan"), *warning;
	char text[CELL_MAX];
	size_t i;

	if (json_array_size(items) > 0)
		cli_print_table(items, columns);
	else
		(void)printf("Nothing would change.\n");
	json_array_foreach(json_object_get(plan, "warnings"), i, warning)
	{
		cell(json_object_get(warning, "detail"), text);
		(void)printf("Warning: %s\n", text);
	}
}

void cli_print_object(const json_t *object)
{
	const char *name;
	json_t *value;
	char text[CELL_MAX];

	json_object_foreach((json_t *)object, name, value)
	{
		cell(value, text);
		(void)printf("%-22s %s\n", name, text);
	}
}

void cli_print_problem(int status, const json_t *problem)
{
	const json_t *error, *errors = json_object_get(problem, "errors");
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const char *code = json_string_value(json_object_get(problem, "code"));
	const char *remedy = json_string_value(json_object_get(problem, "resolution"));
	char text[CELL_MAX];
	size_t i;

	if (!detail) {
		(void)fprintf(stderr, "aurabox: the appliance answered %d\n", status);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s", detail);
	plain(text);
	(void)fprintf(stderr, "aurabox: %s (%s)\n", text, code ? code : "?");
	for (i = 0; i < json_array_size(errors); i++) {
		const char *where;

		error = json_array_get(errors, i);
		where = json_string_value(json_object_get(error, "pointer"));
		if (!where)
			where = json_string_value(json_object_get(error, "parameter"));
		(void)snprintf(text, sizeof(text), "%s %s", where ? where : "",
			       json_string_value(json_object_get(error, "detail")));
		plain(text);
		(void)fprintf(stderr, "  %s\n", text);
	}
	if (remedy)
		(void)fprintf(stderr, "  %s\n", remedy);
}
