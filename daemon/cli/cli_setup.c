/* SPDX-License-Identifier: Apache-2.0 */
/* cli_setup.c - the first run from the command line: how far it is, and doing it. */
#include "base/json_field.h"
#include "cli/cli.h"

#include <stdio.h>

/* All of a setup's body is optional, but there is one. */
int cli_run_setup(struct cli *cli, const struct cli_command *command)
{
	if (!cli->body)
		cli->body = json_object();
	return cli_run_change(cli, command);
}

int cli_run_setup_show(struct cli *cli, const struct cli_command *command)
{
	static const struct cli_column steps[] = {
		{ "STEP", "name" }, { "STATE", "state" }, { "DETAIL", "detail" }, { NULL, NULL }
	};
	static const struct cli_column components[] = { { "COMPONENT", "name" },
							{ "DEPLOYED", "deployed" },
							{ "READY", "ready" },
							{ NULL, NULL } };
	AUTO(json) json_t *setup = NULL;
	const char *task;
	int code = cli_request(cli, "GET", command->path, NULL, NULL, NULL, &setup, NULL);

	if (code != CLI_OK)
		return code;
	if (cli->json) {
		cli_print_json(setup);
		return CLI_OK;
	}
	(void)printf("State: %s\n", json_string_value(json_object_get(setup, "state")));
	task = json_string_value(json_object_get(setup, "task"));
	if (task)
		(void)printf("Under way: task %s\n", task);
	(void)printf("Clock: %s, %s\n", json_string_value(cli_member(setup, "time.zone")),
		     json_is_true(cli_member(setup, "time.synchronized")) ? "synchronized"
									  : "not synchronized");
	cli_print_table(json_object_get(setup, "steps"), steps);
	cli_print_table(cli_member(setup, "current.components"), components);
	return CLI_OK;
}
