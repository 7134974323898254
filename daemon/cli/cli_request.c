/* SPDX-License-Identifier: Apache-2.0 */
/* cli_request.c - one request and what its status means; waiting for tasks. */
#include "base/json_field.h"
#include "cli/cli.h"
#include "net/rest_client.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 250
#define BAR 30

char *cli_path(const struct cli *cli, const struct cli_command *command)
{
	const char *hole = strstr(command->path, "%s");
	char escaped[1024] = "";
	char *path = NULL;
	int n;

	if (hole && rest_client_escape(cli->arg[0], escaped, sizeof(escaped)) < 0)
		return NULL;
	n = asprintf(&path, "%.*s%s%s%s%s", hole ? (int)(hole - command->path) : 4096,
		     command->path, escaped, hole ? hole + 2 : "", cli->query ? "?" : "",
		     cli->query ? cli->query : "");
	return n < 0 ? NULL : path;
}

int cli_exit_of(int status)
{
	if (status < 400)
		return CLI_OK;
	if (status == 404)
		return CLI_NOT_FOUND;
	if (status == 401 || status == 403)
		return CLI_DENIED;
	if (status == 409 || status == 412)
		return CLI_CONFLICT;
	return CLI_FAILED;
}

int cli_request(struct cli *cli, const char *method, const char *path, const json_t *body,
		const char *if_match, int *status, json_t **ret, char *etag)
{
	struct rest_client_answer answer;
	struct error err = { 0 };
	AUTO(str) char *text = body ? json_text(body) : NULL;
	struct rest_client_request request = { .method = method,
					       .path = path,
					       .content_type = body ? "application/json" : NULL,
					       .body = slice_str(text),
					       .if_match = if_match };
	int r = rest_client_send(cli->client, &request, &answer, &err);
	int code;

	*ret = NULL;
	if (r < 0) {
		(void)fprintf(stderr, "aurabox: %s\n", error_text(&err, r));
		return CLI_FAILED;
	}
	if (answer.len > 0)
		*ret = json_loadb(answer.body, answer.len, JSON_DECODE_ANY, NULL);
	code = cli_exit_of(answer.status);
	if (status)
		*status = answer.status;
	if (etag)
		(void)snprintf(etag, 128, "%s", answer.etag);
	/* /healthz answers with its body also when it is not well. */
	if (code != CLI_OK && !(answer.status == 503 && json_object_get(*ret, "components"))) {
		if (cli->json)
			cli_print_json(*ret);
		cli_print_problem(answer.status, *ret);
		json_decref(*ret);
		*ret = NULL;
	}
	rest_client_answer_done(&answer);
	return code;
}

static void draw(const json_t *task, bool terminal)
{
	double done = json_number_value(cli_member(task, "progress.done"));
	double total = json_number_value(cli_member(task, "progress.total"));
	const json_t *steps = json_object_get(task, "steps");
	const char *step = json_string_value(json_object_get(task, "state"));
	const char *unit = json_string_value(cli_member(task, "progress.unit"));
	size_t over = 0, i;
	json_t *one;
	int filled;

	if (!terminal)
		return;
	json_array_foreach(steps, i, one)
	{
		const char *state = json_string_value(json_object_get(one, "state"));

		if (state && strcmp(state, "succeeded") == 0)
			over++;
		else if (state && strcmp(state, "running") == 0)
			step = json_string_value(json_object_get(one, "name"));
	}
	if (json_array_size(steps) > 0 && (!unit || strcmp(unit, "steps") != 0)) {
		done = (double)over + (total > 0 ? done / total : 0);
		total = (double)json_array_size(steps);
	}
	filled = total > 0 ? (int)(done * BAR / total) : 0;
	if (filled > BAR)
		filled = BAR;
	(void)fprintf(stderr, "\r[%.*s%.*s] %-20s", filled, "##############################",
		      BAR - filled, "..............................", step ? step : "");
	(void)fflush(stderr);
}

static bool ended(const json_t *task)
{
	return json_is_string(json_object_get(task, "ended_at"));
}

int cli_wait_task(struct cli *cli, const char *id)
{
	struct timespec nap = { .tv_nsec = POLL_MS * 1000000L };
	bool terminal = isatty(STDERR_FILENO);
	const char *state;
	json_t *task = NULL;
	char path[128];
	int code;

	(void)snprintf(path, sizeof(path), "/api/v1/tasks/%s", id);
	for (;;) {
		code = cli_request(cli, "GET", path, NULL, NULL, NULL, &task, NULL);
		if (code != CLI_OK)
			return code;
		draw(task, terminal);
		if (ended(task))
			break;
		json_decref(task);
		(void)nanosleep(&nap, NULL);
	}
	if (terminal)
		(void)fprintf(stderr, "\n");
	state = json_string_value(json_object_get(task, "state"));
	if (cli->json)
		cli_print_json(task);
	else
		(void)printf("%s %s: %s\n", json_string_value(json_object_get(task, "kind")),
			     json_string_value(json_object_get(task, "target")), state);
	if (!state || strcmp(state, "succeeded") != 0) {
		cli_print_problem(0, json_object_get(task, "problem"));
		code = CLI_FAILED;
	}
	json_decref(task);
	return code;
}
