/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c - the table of commands: parser, help and completion come from it. */
#include "base/error.h"
#include "cli/cli.h"

#define API "/api/v1/"
#define OPTIONS(...)                                                                               \
	(const struct cli_option[])                                                                \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			.name = NULL                                                               \
		}                                                                                  \
	}
#define COLUMNS(...)                                                                               \
	(const struct cli_column[])                                                                \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			.title = NULL                                                              \
		}                                                                                  \
	}
/* clang-format off */
#define PASSWORD_OPTIONS \
	{ "--password-stdin", CLI_PASSWORD, "password", "read the password from standard input" }, \
	{ "--generate", CLI_GENERATE, "password", "make a password and show it once" }
#define SETUP_OPTIONS OPTIONS( \
	{ "--file", CLI_FILE, "", "JSON with name, time_zone, components, people, finished; - reads it from stdin" }, \
	{ "--name", CLI_TEXT, "name", "the appliance's name" }, \
	{ "--time-zone", CLI_TEXT, "time_zone", "such as Europe/Berlin" }, \
	{ "--components", CLI_LIST, "components", "such as smgr,sm,cm,presence" }, \
	{ "--finished", CLI_TRUE, "finished", "end the first run" })
#define TRACE_OPTIONS OPTIONS( \
	{ "--user", CLI_QUERY, "user", "a user or number in the request line, From or To" }, \
	{ "--gsid", CLI_QUERY, "gsid", "global session id of a call" }, \
	{ "--call-id", CLI_QUERY, "call_id", "Call-ID" }, \
	{ "--address", CLI_QUERY, "address", "IP address of either end, with or without a port" }, \
	{ "--node", CLI_QUERY, "node", "sm, cm or presence" }, \
	{ "--query", CLI_QUERY, "q", "text in the message" }, \
	{ "--filter", CLI_PAIR, "", "NAME=VALUE, such as at.gte=TIME" })
#define TRACE(verb_, arg_, path_, help_, run_, ...) \
	{ .noun = "trace", .verb = verb_, .args = { arg_ }, .method = "GET", .path = API path_, \
	  .summary = help_, .run = run_, __VA_ARGS__ }
#define LIST(noun_, path_, help_, columns_, ...) \
	{ .noun = noun_, .verb = "list", .method = "GET", .path = API path_, .summary = help_, \
	  .columns = columns_, .run = cli_run_list, __VA_ARGS__ }
#define SHOW(noun_, arg_, path_, help_) \
	{ .noun = noun_, .verb = "show", .args = { arg_ }, .method = "GET", .path = API path_, \
	  .summary = help_, .run = cli_run_show }
#define CHANGE(noun_, verb_, arg_, method_, path_, help_, ...) \
	{ .noun = noun_, .verb = verb_, .args = { arg_ }, .method = method_, .path = API path_, \
	  .summary = help_, .run = cli_run_change, __VA_ARGS__ }

const struct cli_command cli_commands[] = {
	LIST("vm", "vms", "list virtual machines",
	     COLUMNS({ "NAME", "name" }, { "STATE", "state" }, { "READY", "ready" }, { "CPUS", "cpus" },
		     { "MEMORY", "memory_mib" }, { "ADDRESS", "addresses.0" })),
	SHOW("vm", "NAME", "vms/%s", "show a virtual machine"),
	CHANGE("vm", "create", "TEMPLATE", "POST", "vms", "deploy a virtual machine", .body_member = "template",
	       .options = OPTIONS({ "--name", CLI_TEXT, "name", "its name; the template's by default" },
				  { "--address", CLI_TEXT, "address", "its IPv4 address" },
				  { "--cpus", CLI_NUMBER, "cpus", "virtual cpus" },
				  { "--memory-mib", CLI_NUMBER, "memory_mib", "memory in MiB" })),
	CHANGE("vm", "change", "NAME", "PATCH", "vms/%s", "change a virtual machine", .if_match = true,
	       .options = OPTIONS({ "--cpus", CLI_NUMBER, "cpus", "virtual cpus" },
				  { "--memory-mib", CLI_NUMBER, "memory_mib", "memory in MiB" })),
	CHANGE("vm", "delete", "NAME", "DELETE", "vms/%s", "remove a virtual machine; its data stays",
	       .options = OPTIONS({ "--purge", CLI_SWITCH, "purge", "remove its data too" })),
	CHANGE("vm", "start", "NAME", "POST", "vms/%s/actions/start", "start a virtual machine"),
	CHANGE("vm", "shutdown", "NAME", "POST", "vms/%s/actions/shutdown", "ask it to shut down, then force it"),
	CHANGE("vm", "stop", "NAME", "POST", "vms/%s/actions/stop", "force it off now"),
	CHANGE("vm", "restart", "NAME", "POST", "vms/%s/actions/restart", "restart a virtual machine"),
	{ .noun = "vm", .verb = "log", .args = { "NAME" }, .method = "GET", .path = API "vms/%s/log",
	  .summary = "show the end of its console log", .run = cli_run_log,
	  .options = OPTIONS({ "--lines", CLI_QUERY, "lines", "how many lines (200)" }) },

	LIST("template", "templates", "list what can be deployed",
	     COLUMNS({ "NAME", "name" }, { "KIND", "kind" }, { "VERSION", "version" }, { "TITLE", "title" })),
	SHOW("template", "NAME", "templates/%s", "show a template"),

	LIST("task", "tasks", "list tasks, newest first",
	     COLUMNS({ "ID", "id" }, { "KIND", "kind" }, { "STATE", "state" }, { "TARGET", "target" },
		     { "ACTOR", "actor" }, { "CREATED", "created_at" }),
	     .options = OPTIONS({ "--state", CLI_QUERY, "state", "only these" },
				{ "--target", CLI_QUERY, "target", "only of this target" })),
	SHOW("task", "ID", "tasks/%s", "show a task"),
	CHANGE("task", "cancel", "ID", "POST", "tasks/%s/actions/cancel", "cancel a task"),
	{ .noun = "task", .verb = "log", .args = { "ID" }, .method = "GET", .path = API "tasks/%s/log",
	  .summary = "show the log of a task", .run = cli_run_log },

	LIST("user", "uc/users", "list users",
	     COLUMNS({ "HANDLE", "handle" }, { "NAME", "name" }, { "EXTENSION", "station.extension" },
		     { "PRESENCE", "presence.enabled" })),
	SHOW("user", "HANDLE", "uc/users/%s", "show a user"),
	CHANGE("user", "add", "HANDLE", "POST", "uc/users", "add a user", .body_member = "handle",
	       .options = OPTIONS({ "--name", CLI_TEXT, "name", "the person's name", true }, PASSWORD_OPTIONS,
				  { "--extension", CLI_TEXT, "station.extension", "the station's extension" },
				  { "--appearances", CLI_NUMBER, "station.appearances", "call appearances" },
				  { "--max-contacts", CLI_NUMBER, "sip.max_contacts", "phones at once" },
				  { "--no-station", CLI_NULL, "station", "no station: sm alone serves the user" },
				  { "--no-presence", CLI_NULL, "presence", "no presence" })),
	CHANGE("user", "change", "HANDLE", "PATCH", "uc/users/%s", "change a user", .if_match = true,
	       .options = OPTIONS({ "--name", CLI_TEXT, "name", "the person's name" }, PASSWORD_OPTIONS,
				  { "--extension", CLI_TEXT, "station.extension", "the station's extension" },
				  { "--appearances", CLI_NUMBER, "station.appearances", "call appearances" },
				  { "--max-contacts", CLI_NUMBER, "sip.max_contacts", "phones at once" },
				  { "--no-station", CLI_NULL, "station", "take the station away" },
				  { "--no-presence", CLI_NULL, "presence", "take presence away" })),
	CHANGE("user", "delete", "HANDLE", "DELETE", "uc/users/%s", "remove a user and all that belongs to it"),

	LIST("registration", "uc/registrations", "list live registrations",
	     COLUMNS({ "HANDLE", "handle" }, { "CONTACT", "contact" }, { "TRANSPORT", "transport" },
		     { "SOURCE", "source" }, { "AGENT", "user_agent" }, { "EXPIRES", "expires_at" }),
	     .options = OPTIONS({ "--handle", CLI_QUERY, "handle", "only of this user" })),
	LIST("call", "uc/calls", "list live calls",
	     COLUMNS({ "CALLER", "caller" }, { "CALLEE", "callee" }, { "STATE", "state" },
		     { "STARTED", "started_at" }, { "GSID", "gsid" }),
	     .options = OPTIONS({ "--handle", CLI_QUERY, "handle", "only with this caller or callee" })),
	LIST("cdr", "uc/cdr", "list call records, newest first",
	     COLUMNS({ "STARTED", "started_at" }, { "CALLER", "caller" }, { "CALLEE", "callee" },
		     { "RESULT", "result" }, { "SECONDS", "duration_s" }, { "STATUS", "sip_status" }),
	     .options = OPTIONS({ "--handle", CLI_QUERY, "handle", "only with this caller or callee" })),
	SHOW("cdr", "GSID", "uc/cdr/%s", "show a call record"),
	TRACE("list", NULL, "uc/trace", "list SIP messages, newest first", cli_run_trace_list,
	      .columns = COLUMNS({ "ID", "id" }, { "AT", "at" }, { "FROM", "from" }, { "TO", "to" },
				 { "OVER", "transport" }, { "MESSAGE", "summary" }),
	      .options = TRACE_OPTIONS),
	TRACE("show", "ID", "uc/trace/messages/%s", "show one SIP message", cli_run_trace_show),
	TRACE("ladder", "GSID", "uc/trace/%s/ladder", "draw a call as a ladder", cli_run_trace_ladder),
	TRACE("follow", NULL, "uc/trace", "draw SIP messages as they come, until interrupted",
	      cli_run_trace_follow, .options = TRACE_OPTIONS),
	TRACE("export", "FORMAT", "uc/trace/export.%s", "write messages as pcapng, txt or html to standard output",
	      cli_run_trace_export, .options = TRACE_OPTIONS),
	LIST("replication", "uc/replication", "list how far the call servers follow",
	     COLUMNS({ "NODE", "node" }, { "STATE", "state" }, { "VERSION", "version" },
		     { "SMGR", "smgr_version" }, { "LAG_MS", "lag_ms" }, { "ERROR", "last_error" })),

	LIST("alarm", "alarms", "list alarms, newest first",
	     COLUMNS({ "ID", "id" }, { "SEVERITY", "severity" }, { "CODE", "code" }, { "TARGET", "target" },
		     { "STATE", "state" }, { "RAISED", "raised_at" }, { "DETAIL", "detail" }),
	     .options = OPTIONS({ "--state", CLI_QUERY, "state", "active or cleared" })),
	SHOW("alarm", "ID", "alarms/%s", "show an alarm"),
	CHANGE("alarm", "acknowledge", "ID", "POST", "alarms/%s/actions/acknowledge", "acknowledge an alarm"),

	LIST("admin", "admins", "list administrators",
	     COLUMNS({ "NAME", "name" }, { "ROLE", "role" }, { "MUST_CHANGE", "must_change_password" },
		     { "CREATED", "created_at" })),
	SHOW("admin", "NAME", "admins/%s", "show an administrator"),
	CHANGE("admin", "add", "NAME", "POST", "admins", "add an administrator", .body_member = "name",
	       .options = OPTIONS({ "--role", CLI_TEXT, "role", "admin, operator, telephony, auditor or user", true },
				  PASSWORD_OPTIONS)),
	CHANGE("admin", "change", "NAME", "PATCH", "admins/%s", "change an administrator", .if_match = true,
	       .options = OPTIONS({ "--role", CLI_TEXT, "role", "admin, operator, telephony, auditor or user" },
				  { "--name", CLI_TEXT, "name", "new name" }, PASSWORD_OPTIONS)),
	CHANGE("admin", "delete", "NAME", "DELETE", "admins/%s", "remove an administrator"),

	LIST("token", "tokens", "list API tokens",
	     COLUMNS({ "ID", "id" }, { "NAME", "name" }, { "OWNER", "owner" }, { "EXPIRES", "expires_at" },
		     { "LAST_USED", "last_used_at" })),
	CHANGE("token", "create", "NAME", "POST", "tokens", "create an API token; its secret is shown once",
	       .body_member = "name",
	       .options = OPTIONS({ "--scopes", CLI_LIST, "scopes", "such as vms:read,uc:read", true },
				  { "--expires-at", CLI_TEXT, "expires_at", "RFC 3339; never by default" })),
	SHOW("token", "ID", "tokens/%s", "show an API token"),
	CHANGE("token", "delete", "ID", "DELETE", "tokens/%s", "revoke an API token"),

	LIST("audit", "audit", "list what was done, newest first",
	     COLUMNS({ "AT", "at" }, { "ACTOR", "actor" }, { "ACTION", "action" }, { "TARGET", "target" },
		     { "ADDRESS", "address" }, { "RESULT", "result" }),
	     .options = OPTIONS({ "--actor", CLI_QUERY, "actor", "only of this actor" },
				{ "--result", CLI_QUERY, "result", "only with this result" })),
	{ .noun = "appliance", .verb = "show", .method = "GET", .path = API "appliance",
	  .summary = "show the appliance", .run = cli_run_show },
	{ .noun = "appliance", .verb = "change", .method = "PATCH", .path = API "appliance", .if_match = true,
	  .summary = "change the appliance", .run = cli_run_change,
	  .options = OPTIONS({ "--name", CLI_TEXT, "name", "its new name" },
			     { "--time-zone", CLI_TEXT, "time_zone", "such as Europe/Berlin" }) },
	{ .noun = "setup", .verb = "show", .method = "GET", .path = API "setup",
	  .summary = "show how far the first run has come", .run = cli_run_setup_show },
	{ .noun = "setup", .verb = "plan", .method = "POST", .path = API "setup/plan", .options = SETUP_OPTIONS,
	  .summary = "show what the first run would do", .run = cli_run_setup },
	{ .noun = "setup", .verb = "apply", .method = "POST", .path = API "setup/apply", .options = SETUP_OPTIONS,
	  .summary = "do it: name, time zone, components, people", .run = cli_run_setup },
	{ .noun = "events", .verb = "", .method = "GET", .path = API "events/stream",
	  .summary = "show what happens, until interrupted", .run = cli_run_events,
	  .options = OPTIONS({ "--topics", CLI_QUERY, "topics", "such as vms,tasks" }) },
	{ .noun = "status", .verb = "", .method = "GET", .path = "/healthz",
	  .summary = "is the appliance well? 0 ok, 1 else", .run = cli_run_status },
	{ .noun = "export", .verb = "", .method = "GET", .path = API "uc/export",
	  .summary = "print the whole telephony administration as one document", .run = cli_run_show },
};
/* clang-format on */
const size_t cli_command_count = ARRAY_SIZE(cli_commands);
