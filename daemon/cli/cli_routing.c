/* SPDX-License-Identifier: Apache-2.0 */
/* cli_routing.c - where a call would go, and the administration as one document, from the command
 * line. */
#include "base/json_field.h"
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

/* The API takes a body of 1 MiB; a larger document goes in pieces, what is named before who names. */
enum { PIECE_BYTES = 768 * 1024 };

int cli_run_route_test(struct cli *cli, const struct cli_command *command)
{
	static const struct cli_column steps[] = { { "STEP", "step" },
						   { "RESULT", "result" },
						   { "NAME", "name" },
						   { "DETAIL", "detail" },
						   { NULL, NULL } };
	static const struct cli_column ways[] = {
		{ "ENTITY", "entity" },	  { "POLICY", "policy" },	    { "RANK", "rank" },
		{ "LINK", "link_state" }, { "REQUEST_URI", "request_uri" }, { NULL, NULL }
	};
	AUTO(json) json_t *answer = NULL;
	const char *outcome, *location;
	int code;

	if (!cli->body)
		cli->body = json_object();
	(void)json_object_set_new(cli->body, "caller", json_string(cli->arg[0]));
	(void)json_object_set_new(cli->body, "callee", json_string(cli->arg[1]));
	code = cli_request(cli, "POST", command->path, cli->body, NULL, NULL, &answer, NULL);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		cli_print_json(answer);
		return CLI_OK;
	}
	outcome = json_string_value(json_object_get(answer, "outcome"));
	location = json_string_value(json_object_get(answer, "location"));
	(void)printf("Outcome: %s%s\n", outcome ? outcome : "?",
		     json_is_true(json_object_get(answer, "emergency")) ? " (emergency)" : "");
	if (location)
		(void)printf("Location: %s\n", location);
	cli_print_table(json_object_get(answer, "steps"), steps);
	if (json_array_size(json_object_get(answer, "candidates")) > 0)
		cli_print_table(json_object_get(answer, "candidates"), ways);
	return CLI_OK;
}

int cli_run_firewall(struct cli *cli, const struct cli_command *command)
{
	static const struct cli_column rules[] = { { "PATTERN", "pattern" },
						   { "ACTION", "action" },
						   { "FROM", "origin" },
						   { "HITS", "hits" },
						   { NULL, NULL } };
	static const struct cli_column quarantined[] = { { "QUARANTINED", "address" },
							 { "REASON", "reason" },
							 { "FOR_S", "for_s" },
							 { NULL, NULL } };
	AUTO(json) json_t *answer = NULL;
	int code = cli_request(cli, "GET", command->path, NULL, NULL, NULL, &answer, NULL);

	if (code != CLI_OK)
		return code;
	if (cli->json) {
		cli_print_json(answer);
		return CLI_OK;
	}
	(void)printf("Limits:\n");
	cli_print_object(json_object_get(answer, "limits"));
	(void)printf("Blocked:\n");
	cli_print_object(json_object_get(answer, "blocked"));
	cli_print_table(json_object_get(answer, "rules"), rules);
	cli_print_table(json_object_get(answer, "quarantined"), quarantined);
	return CLI_OK;
}

static size_t size_of(const json_t *value)
{
	return json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

struct import {
	struct cli *cli;
	const char *path;
	json_t *sum; /* the answers, added up */
};

static void add_up(json_t *sum, const json_t *answer)
{
	static const char *const names[] = { "created", "changed", "unchanged", "deleted" };
	json_t *set;
	size_t i;

	for (size_t k = 0; k < ARRAY_SIZE(names); k++)
		(void)json_object_set_new(
			sum, names[k],
			json_integer(json_integer_value(json_object_get(sum, names[k])) +
				     json_integer_value(json_object_get(answer, names[k]))));
	json_array_foreach(json_object_get(answer, "sets"), i, set)(void)
		json_array_append(json_object_get(sum, "sets"), set);
	json_array_foreach(json_object_get(answer, "plan"), i, set)(void)
		json_array_append(json_object_get(sum, "plan"), set);
}

static int send_piece(struct import *in, const json_t *piece)
{
	AUTO(json) json_t *answer = NULL;
	int code = cli_request(in->cli, "POST", in->path, piece, NULL, NULL, &answer, NULL);

	if (code == CLI_OK)
		add_up(in->sum, answer);
	return code;
}

/* One list alone, as many rows at a time as fit. */
static int send_list(struct import *in, const json_t *frame, const char *name, const json_t *list)
{
	size_t count = json_array_size(list), i = 0;
	int code = CLI_OK;

	while (i < count && code == CLI_OK) {
		AUTO(json) json_t *piece = json_copy((json_t *)(uintptr_t)frame);
		json_t *rows = json_array();
		size_t bytes = 0;

		(void)json_object_set_new(piece, name, rows);
		for (; i < count && (bytes == 0 || bytes < PIECE_BYTES); i++) {
			json_t *row = json_array_get(list, i);

			bytes += size_of(row);
			(void)json_array_append(rows, row);
		}
		code = send_piece(in, piece);
	}
	return code;
}

static int send_in_pieces(struct import *in, const json_t *document)
{
	static const char *const lists[] = { "domains",		 "locations",
					     "adaptations",	 "sip_entities",
					     "entity_links",	 "time_ranges",
					     "routing_policies", "application_sequences",
					     "dial_patterns",	 "regular_expressions",
					     "implicit_users",	 "firewall_rules",
					     "dial_plan",	 "users" };
	AUTO(json) json_t *frame = json_copy((json_t *)(uintptr_t)document);
	int code = CLI_OK;

	for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
		(void)json_object_del(frame, lists[k]);
	(void)json_object_del(frame, "settings"); /* last: it names an entity */
	for (size_t k = 0; k < ARRAY_SIZE(lists) && code == CLI_OK; k++) {
		const json_t *list = json_object_get(document, lists[k]);

		if (json_is_array(list))
			code = send_list(in, frame, lists[k], list);
	}
	if (code == CLI_OK && json_object_get(document, "settings")) {
		(void)json_object_set(frame, "settings", json_object_get(document, "settings"));
		code = send_piece(in, frame);
	}
	return code;
}

int cli_run_import(struct cli *cli, const struct cli_command *command)
{
	static const struct cli_column columns[] = {
		{ "LIST", "name" },	      { "CREATED", "created" }, { "CHANGED", "changed" },
		{ "UNCHANGED", "unchanged" }, { "DELETED", "deleted" }, { NULL, NULL }
	};
	const char *file = cli->arg[0];
	AUTO(str) char *path = NULL;
	AUTO(json) json_t *document = NULL;
	AUTO(json) json_t *sum = json_pack("{s:[], s:[]}", "sets", "plan");
	struct import in = { .cli = cli, .sum = sum };
	json_error_t why;
	int code;

	document =
		strcmp(file, "-") == 0 ? json_loadf(stdin, 0, &why) : json_load_file(file, 0, &why);
	if (!json_is_object(document)) {
		(void)fprintf(stderr, "aurabox: %s holds no JSON object\n", file);
		return CLI_USAGE;
	}
	if (asprintf(&path, "%s%s%s%s%s", command->path, cli->query ? "?" : "",
		     cli->query ? cli->query : "", cli->dry_run ? (cli->query ? "&" : "?") : "",
		     cli->dry_run ? "dry_run=true" : "") < 0)
		return CLI_FAILED;
	in.path = path;
	/* pieces see what those before them made: neither a removal nor a plan can do without */
	if (size_of(document) <= PIECE_BYTES || cli->query || cli->dry_run)
		code = send_piece(&in, document);
	else
		code = send_in_pieces(&in, document);
	if (code != CLI_OK)
		return code;
	if (cli->dry_run)
		cli_print_plan(sum);
	else if (cli->json)
		cli_print_json(sum);
	else
		cli_print_table(json_object_get(sum, "sets"), columns);
	return CLI_OK;
}
