/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h - the command line of Aurabox: one table of commands, REST behind each. */
#pragma once
#include "base/json_field.h"
#include <stdbool.h>
#include <stddef.h>

struct cli;
struct rest_client;

/* Exit statuses (DESIGN section 6). */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_NOT_FOUND = 3,
	CLI_DENIED = 4,
	CLI_CONFLICT = 5,
};

enum {
	CLI_OPTIONS_MAX = 16, /* of one command */
	CLI_COLUMNS_MAX = 8,
	CLI_ARGS_MAX = 2,
};

enum cli_value {
	CLI_FLAG,     /* no argument */
	CLI_TEXT,     /* a string member of the body */
	CLI_NUMBER,   /* a number member of the body */
	CLI_LIST,     /* a,b,c: an array member of the body */
	CLI_QUERY,    /* a query parameter */
	CLI_PAIR,     /* NAME=VALUE: any query parameter */
	CLI_SWITCH,   /* flag that is a query parameter =true */
	CLI_NULL,     /* flag that makes a member null */
	CLI_FALSE,    /* flag that makes a member false */
	CLI_TRUE,     /* flag that makes a member true */
	CLI_FILE,     /* a file with a JSON object, - for standard input: members of the body */
	CLI_PASSWORD, /* flag: the member's value is read from standard input */
	CLI_GENERATE, /* flag: the member's value is made here and shown once */
};

struct cli_option {
	const char *name; /* "--memory-mib" */
	enum cli_value kind;
	const char *member; /* "memory_mib", "station.extension", or the query parameter */
	const char *help;
	bool required;
};

struct cli_column {
	const char *title;
	const char *member; /* "name", "addresses.0" */
};

struct cli_command {
	const char *noun;
	const char *verb;		/* "" : the noun stands alone */
	const char *args[CLI_ARGS_MAX]; /* "NAME": required positional arguments */
	const char *method;
	const char *path;	 /* "/api/v1/vms/%s": %s is the first argument */
	const char *body_member; /* the first argument goes there, or NULL */
	const char *summary;
	const struct cli_column *columns; /* of a list's table */
	const struct cli_option *options; /* ends with name NULL; may be NULL */
	bool if_match;			  /* read first, send the ETag */
	int (*run)(struct cli *cli, const struct cli_command *command);
};

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

/* One invocation. */
struct cli {
	struct rest_client *client;
	const char *socket, *url, *token_file, *cacert;
	bool json, no_wait, dry_run;
	const char *arg[CLI_ARGS_MAX];
	json_t *body;	 /* object or NULL */
	char *query;	 /* "a=b&c=d" or NULL */
	char *generated; /* a password made here, or NULL */
};

/* Parse and run; returns the exit status. */
int cli_main(int argc, char **argv);
/* Runners for the table. */
int cli_run_list(struct cli *cli, const struct cli_command *command);
int cli_run_show(struct cli *cli, const struct cli_command *command);
int cli_run_change(struct cli *cli, const struct cli_command *command);
int cli_run_log(struct cli *cli, const struct cli_command *command);
int cli_run_setup(struct cli *cli, const struct cli_command *command);
int cli_run_setup_show(struct cli *cli, const struct cli_command *command);
int cli_run_trace_list(struct cli *cli, const struct cli_command *command);
int cli_run_trace_show(struct cli *cli, const struct cli_command *command);
int cli_run_trace_ladder(struct cli *cli, const struct cli_command *command);
int cli_run_trace_follow(struct cli *cli, const struct cli_command *command);
int cli_run_trace_export(struct cli *cli, const struct cli_command *command);
int cli_run_status(struct cli *cli, const struct cli_command *command);
int cli_run_events(struct cli *cli, const struct cli_command *command);
int cli_run_route_test(struct cli *cli, const struct cli_command *command);
int cli_run_firewall(struct cli *cli, const struct cli_command *command);
int cli_run_import(struct cli *cli, const struct cli_command *command);

/* cli_request.c: one request; *ret is the answer's JSON (NULL without a body), the caller's.
 * Returns an exit status; problems are printed. etag (128 bytes) may be NULL. */
int cli_request(struct cli *cli, const char *method, const char *path, const json_t *body,
		const char *if_match, int *status, json_t **ret, char *etag);
/* The exit status that an HTTP status means. */
int cli_exit_of(int status);
/* Wait for a task, showing it; prints its end. */
int cli_wait_task(struct cli *cli, const char *id);
/* The command's path with its argument and query; the caller frees. NULL: no memory. */
char *cli_path(const struct cli *cli, const struct cli_command *command);

/* cli_output.c */
void cli_print_json(const json_t *json);
void cli_print_table(const json_t *items, const struct cli_column *columns);
void cli_print_object(const json_t *object);
/* The plan of a dry run and its warnings. */
void cli_print_plan(const json_t *plan);
void cli_print_problem(int status, const json_t *problem);
/* "a.b.0" below object; NULL if it is not there. */
const json_t *cli_member(const json_t *object, const char *path);
