/* SPDX-License-Identifier: Apache-2.0 */
/* cli_run.c - what the commands of the table do. */
#include "base/json_field.h"
#include "cli/cli.h"
#include "net/rest_client.h"

#include <stdio.h>

static int no_memory(void)
{
	(void)fprintf(stderr, "aurabox: no memory\n");
	return CLI_FAILED;
}

/* All pages of a list into one array. */
static int fetch_all(struct cli *cli, const char *path, json_t *items)
{
	AUTO(str) char *next = strdup(path);
	int code;

	while (next) {
		AUTO(str) char *now = TAKE(next);
		AUTO(json) json_t *page = NULL;
		const char *cursor;
		char escaped[2048];

		code = cli_request(cli, "GET", now, NULL, NULL, NULL, &page, NULL);
		if (code != CLI_OK)
			return code;
		if (json_array_extend(items, json_object_get(page, "items")) < 0) {
			(void)fprintf(stderr, "aurabox: the answer is no list\n");
			return CLI_FAILED;
		}
		cursor = json_string_value(json_object_get(page, "next_cursor"));
		if (!cursor)
			return CLI_OK;
		if (rest_client_escape(cursor, escaped, sizeof(escaped)) < 0 ||
		    asprintf(&next, "%s%ccursor=%s", path, strchr(path, '?') ? '&' : '?', escaped) <
			    0)
			return no_memory();
	}
	return no_memory();
}

int cli_run_list(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *path = cli_path(cli, command);
	AUTO(json) json_t *items = json_array();
	AUTO(json) json_t *whole = NULL;
	int code;

	if (!path || !items)
		return no_memory();
	code = fetch_all(cli, path, items);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		whole = json_pack("{s:O}", "items", items);
		cli_print_json(whole);
	} else {
		cli_print_table(items, command->columns);
	}
	return CLI_OK;
}

int cli_run_show(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *path = cli_path(cli, command);
	AUTO(json) json_t *object = NULL;
	int code;

	if (!path)
		return no_memory();
	code = cli_request(cli, "GET", path, NULL, NULL, NULL, &object, NULL);
	if (code != CLI_OK)
		return code;
	/* An export is a document for another program. */
	if (cli->json || strcmp(command->noun, "export") == 0)
		cli_print_json(object);
	else
		cli_print_object(object);
	return CLI_OK;
}

static void show_generated(const struct cli *cli)
{
	if (cli->generated)
		(void)fprintf(cli->json ? stderr : stdout, "Password: %s\n", cli->generated);
}

static char *with_dry_run(const struct cli *cli, const char *path)
{
	char *out = NULL;

	if (asprintf(&out, "%s%s%s", path, cli->dry_run ? strchr(path, '?') ? "&" : "?" : "",
		     cli->dry_run ? "dry_run=true" : "") < 0)
		return NULL;
	return out;
}

int cli_run_change(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *path = cli_path(cli, command);
	AUTO(json) json_t *answer = NULL;
	AUTO(str) char *changed = path ? with_dry_run(cli, path) : NULL;
	const json_t *body = cli->body;
	const char *id;
	char etag[128] = "";
	int code, status;

	if (!path || !changed)
		return no_memory();
	if (strcmp(command->method, "PATCH") == 0 && !body) {
		(void)fprintf(stderr, "aurabox: nothing to change is given\n");
		return CLI_USAGE;
	}
	if (command->if_match) {
		AUTO(json) json_t *old = NULL;

		code = cli_request(cli, "GET", path, NULL, NULL, NULL, &old, etag);
		if (code != CLI_OK)
			return code;
	}
	code = cli_request(cli, command->method, changed, body, etag[0] ? etag : NULL, &status,
			   &answer, NULL);
	if (code != CLI_OK)
		return code;
	if (!cli->dry_run)
		show_generated(cli);
	id = json_string_value(json_object_get(answer, "id"));
	if (status == 202 && id && !cli->no_wait)
		return cli_wait_task(cli, id);
	if (cli->json)
		cli_print_json(answer);
	else if (status == 202 && id)
		(void)printf("%s\n", id);
	else if (json_is_array(json_object_get(answer, "plan")))
		cli_print_plan(answer);
	else if (answer)
		cli_print_object(answer);
	return CLI_OK;
}

int cli_run_log(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *path = cli_path(cli, command);
	AUTO(json) json_t *log = NULL;
	json_t *line;
	size_t i;
	int code;

	if (!path)
		return no_memory();
	code = cli_request(cli, "GET", path, NULL, NULL, NULL, &log, NULL);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		cli_print_json(log);
		return CLI_OK;
	}
	json_array_foreach(json_object_get(log, "lines"), i, line)
	{
		const char *text = json_string_value(
			json_is_object(line) ? json_object_get(line, "text") : line);
		const char *at = json_string_value(json_object_get(line, "at"));

		if (at)
			(void)printf("%s ", at);
		for (const char *p = text ? text : ""; *p; p++)
			(void)putchar((unsigned char)*p < ' ' && *p != '\t' ? '?' : *p);
		(void)putchar('\n');
	}
	return CLI_OK;
}

int cli_run_status(struct cli *cli, const struct cli_command *command)
{
	AUTO(json) json_t *health = NULL;
	const char *status, *name;
	json_t *part;

	if (cli_request(cli, "GET", command->path, NULL, NULL, NULL, &health, NULL) != CLI_OK &&
	    !health)
		return CLI_FAILED;
	status = json_string_value(json_object_get(health, "status"));
	if (cli->json) {
		cli_print_json(health);
	} else {
		(void)printf("%s\n", status ? status : "?");
		json_object_foreach(json_object_get(health, "components"), name, part)
		{
			const char *state = json_string_value(json_object_get(part, "status"));
			const char *detail = json_string_value(json_object_get(part, "detail"));

			(void)printf("  %-12s %-10s %s\n", name, state ? state : "?",
				     detail ? detail : "");
		}
	}
	return status && strcmp(status, "ok") == 0 ? CLI_OK : CLI_FAILED;
}

/* "data: {...}" lines are events; everything else frames them. */
static int on_line(void *user, struct slice line)
{
	const struct cli *cli = user;
	AUTO(json) json_t *event = NULL;

	if (!slice_skip(&line, SLICE("data: ")))
		return 0;
	event = json_loadb(line.p, line.len, 0, NULL);
	if (!event || !json_object_get(event, "topic"))
		return 0;
	if (cli->json) {
		(void)printf("%.*s\n", SLICE_ARG(line));
	} else {
		(void)printf("%s %-16s %-18s %s\n", json_string_value(json_object_get(event, "at")),
			     json_string_value(json_object_get(event, "topic")),
			     json_string_value(json_object_get(event, "type")),
			     json_string_value(json_object_get(event, "subject")));
	}
	(void)fflush(stdout);
	return ferror(stdout) ? -EPIPE : 0;
}

int cli_run_events(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *path = cli_path(cli, command);
	struct error err = { 0 };
	int status = 0, r;

	if (!path)
		return no_memory();
	r = rest_client_stream(cli->client, path, NULL, on_line, cli, &status, &err);
	if (r < 0 || status != 200) {
		(void)fprintf(stderr, "aurabox: %s (%d)\n", r < 0 ? error_text(&err, r) : "refused",
			      status);
		return status == 401 || status == 403 ? CLI_DENIED : CLI_FAILED;
	}
	return CLI_OK;
}
