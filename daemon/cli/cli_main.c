/* SPDX-License-Identifier: Apache-2.0 */
/* cli_main.c - from argv to a command of the table; help out of the same table. */
#include "base/buf.h"
#include "base/json_field.h"
#include "base/random.h"
#include "cli/cli.h"
#include "net/rest_client.h"

#include <stdio.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/aurabox/api.sock"
#define SECRET_MAX 1024

static void print_command(FILE *out, const struct cli_command *c)
{
	char usage[120];
	int n = snprintf(usage, sizeof(usage), "%s%s%s", c->noun, *c->verb ? " " : "", c->verb);

	for (size_t i = 0; i < CLI_ARGS_MAX && c->args[i]; i++)
		n += snprintf(usage + n, sizeof(usage) - (size_t)n, " %s", c->args[i]);
	(void)fprintf(out, "  %-28s %s\n", usage, c->summary);
}

static void print_general(FILE *out)
{
	(void)fprintf(out,
		      "Usage: aurabox [--socket PATH | --url URL --token-file FILE --cacert FILE]\n"
		      "               [--json] [--no-wait] [--dry-run] NOUN VERB [ARGUMENTS]\n\n"
		      "  --socket PATH      the appliance's local socket (" DEFAULT_SOCKET ")\n"
		      "  --url URL          https://HOST:8443 of an appliance elsewhere\n"
		      "  --token-file FILE  holds an API token (abx_...)\n"
		      "  --cacert FILE      the appliance's CA certificate\n"
		      "  --json             print the API's answer\n"
		      "  --no-wait          do not wait for tasks\n"
		      "  --dry-run          show what a change would do, change nothing\n\n"
		      "Commands (aurabox NOUN VERB --help shows options):\n");
	for (size_t i = 0; i < cli_command_count; i++)
		print_command(out, &cli_commands[i]);
	(void)fprintf(out, "\nExit status: 0 success, 1 failure, 2 usage, 3 not found, 4 denied, "
			   "5 conflict.\n");
}

/* What every list takes, beside its own options. */
static const struct cli_option list_options[] = {
	{ "--query", CLI_QUERY, "q", "only what holds this text, in any case" },
	{ "--sort", CLI_QUERY, "sort", "order, such as -created_at,name" },
	{ "--filter", CLI_PAIR, "", "NAME=VALUE, such as state=running,stopped or at.gte=TIME" },
	{ .name = NULL },
};

static const struct cli_option *find_in(const struct cli_option *options, const char *name)
{
	for (; options && options->name; options++) {
		if (strcmp(options->name, name) == 0)
			return options;
	}
	return NULL;
}

static const struct cli_option *find_option(const struct cli_command *c, const char *name)
{
	const struct cli_option *own = find_in(c->options, name);

	return own || c->run != cli_run_list ? own : find_in(list_options, name);
}

static void print_options(const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		bool bare = o->kind == CLI_FLAG || o->kind == CLI_SWITCH || o->kind == CLI_NULL ||
			    o->kind == CLI_FALSE || o->kind == CLI_TRUE ||
			    o->kind == CLI_PASSWORD || o->kind == CLI_GENERATE;

		(void)printf("  %s%-*s %s%s\n", o->name, (int)(20 - strlen(o->name)),
			     bare ? "" : " VALUE", o->help, o->required ? " (required)" : "");
	}
}

static void print_help(const struct cli_command *c)
{
	bool list = c->run == cli_run_list;

	(void)printf("Usage: aurabox %s", c->noun);
	if (*c->verb)
		(void)printf(" %s", c->verb);
	for (size_t i = 0; i < CLI_ARGS_MAX && c->args[i]; i++)
		(void)printf(" %s", c->args[i]);
	(void)printf("%s\n\n%s\n", c->options || list ? " [OPTIONS]" : "", c->summary);
	print_options(c->options);
	print_options(list ? list_options : NULL);
}

static int ERROR_PRINTF(1, 2) usage(const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "aurabox: ");
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fprintf(stderr, "\nTry 'aurabox --help'.\n");
	return CLI_USAGE;
}

/* Set "a.b" below object, making "a" where it is not there. */
static int set_member(json_t *object, const char *path, json_t *value)
{
	const char *dot = strchr(path, '.');
	json_t *below;

	if (!dot)
		return json_object_set_new(object, path, value);
	below = json_object_getn(object, path, (size_t)(dot - path));
	if (!json_is_object(below)) {
		below = json_object();
		if (json_object_setn_new(object, path, (size_t)(dot - path), below) < 0) {
			json_decref(value);
			return -1;
		}
	}
	return set_member(below, dot + 1, value);
}

static int add_query(struct cli *cli, const char *name, const char *value)
{
	AUTO(str) char *old = TAKE(cli->query);
	char escaped[1024];

	if (rest_client_escape(value, escaped, sizeof(escaped)) < 0)
		return -1;
	return asprintf(&cli->query, "%s%s%s=%s", old ? old : "", old ? "&" : "", name, escaped) < 0
		       ? -1
		       : 0;
}

static json_t *list_json(const char *value)
{
	struct slice rest = slice_str(value);
	json_t *list = json_array();

	while (rest.len > 0) {
		struct slice word = slice_trim(slice_take_until(&rest, ',', NULL));

		if (word.len > 0)
			(void)json_array_append_new(list, json_stringn(word.p, word.len));
	}
	return list;
}

/* One line of standard input: a secret never stands in argv. */
static json_t *password_from_stdin(void)
{
	char line[SECRET_MAX + 2];
	json_t *password;

	if (!fgets(line, sizeof(line), stdin))
		return NULL;
	line[strcspn(line, "\r\n")] = '\0';
	password = json_string(line);
	explicit_bzero(line, sizeof(line));
	return password;
}

static json_t *generate(struct cli *cli)
{
	free(cli->generated);
	cli->generated = calloc(1, 21);
	if (!cli->generated)
		return NULL;
	random_token(cli->generated, 20);
	return json_string(cli->generated);
}

static int number_json(const char *text, json_t **ret)
{
	uint64_t n;

	if (slice_to_u64(slice_str(text), &n) < 0 || n > INT64_MAX)
		return -EINVAL;
	*ret = json_integer((json_int_t)n);
	return 0;
}

static bool takes_value(enum cli_value kind)
{
	return kind == CLI_TEXT || kind == CLI_NUMBER || kind == CLI_LIST || kind == CLI_QUERY ||
	       kind == CLI_FILE || kind == CLI_PAIR;
}

/* Members of the body; what is given later stands. */
static int read_file(struct cli *cli, const char *option, const char *path)
{
	json_error_t why;
	AUTO(json)
	json_t *body =
		strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &why) : json_load_file(path, 0, &why);

	if (!json_is_object(body))
		return usage("%s: %s holds no JSON object%s%s", option, path, body ? "" : ": ",
			     body ? "" : why.text);
	if (!cli->body)
		cli->body = json_object();
	return json_object_update(cli->body, body) < 0 ? CLI_FAILED : CLI_OK;
}

/* "state=running" as it is: the appliance knows which names a list has. */
static int add_pair(struct cli *cli, const char *option, const char *pair)
{
	const char *equals = strchr(pair, '=');
	char name[80];

	if (!equals ||
	    slice_copy(slice_make(pair, (size_t)(equals - pair)), name, sizeof(name)) < 0)
		return usage("%s needs NAME=VALUE", option);
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz_.") != strlen(name) || !*name)
		return usage("%s: '%s' is no name", option, name);
	return add_query(cli, name, equals + 1) < 0 ? CLI_FAILED : CLI_OK;
}

static int apply_option(struct cli *cli, const struct cli_option *o, const char *value)
{
	json_t *json = NULL;

	switch (o->kind) {
	case CLI_TEXT:
		json = json_string(value);
		break;
	case CLI_NUMBER:
		if (number_json(value, &json) < 0)
			return usage("%s needs a number", o->name);
		break;
	case CLI_LIST:
		json = list_json(value);
		break;
	case CLI_QUERY:
	case CLI_SWITCH:
		return add_query(cli, o->member, o->kind == CLI_SWITCH ? "true" : value) < 0
			       ? CLI_FAILED
			       : CLI_OK;
	case CLI_PAIR:
		return add_pair(cli, o->name, value);
	case CLI_NULL:
		json = json_null();
		break;
	case CLI_FALSE:
		json = json_false();
		break;
	case CLI_TRUE:
		json = json_true();
		break;
	case CLI_FILE:
		return read_file(cli, o->name, value);
	case CLI_PASSWORD:
		json = password_from_stdin();
		break;
	case CLI_GENERATE:
		json = generate(cli);
		break;
	case CLI_FLAG:
		return CLI_OK;
	}
	if (!json)
		return usage("%s: no valid value", o->name);
	if (!cli->body)
		cli->body = json_object();
	return set_member(cli->body, o->member, json) < 0 ? CLI_FAILED : CLI_OK;
}

static const struct cli_command *find(const char *noun, const char *verb)
{
	const char *same = strcmp(verb, "add") == 0	 ? "create"
			   : strcmp(verb, "create") == 0 ? "add"
							 : "";

	for (size_t i = 0; i < cli_command_count; i++) {
		const struct cli_command *c = &cli_commands[i];

		if (strcmp(c->noun, noun) == 0 && (!*c->verb || strcmp(c->verb, verb) == 0 ||
						   (*same && strcmp(c->verb, same) == 0)))
			return c;
	}
	return NULL;
}

/* Options that every command takes; returns how many arguments were used, 0 for none. */
static int global_option(struct cli *cli, int left, char **argv)
{
	const struct {
		const char *name;
		const char **value;
	} table[] = { { "--socket", &cli->socket },
		      { "--url", &cli->url },
		      { "--token-file", &cli->token_file },
		      { "--cacert", &cli->cacert } };

	if (strcmp(argv[0], "--json") == 0) {
		cli->json = true;
		return 1;
	}
	if (strcmp(argv[0], "--no-wait") == 0) {
		cli->no_wait = true;
		return 1;
	}
	if (strcmp(argv[0], "--dry-run") == 0) {
		cli->dry_run = true;
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (strcmp(argv[0], table[i].name) != 0)
			continue;
		if (left < 2)
			return -1;
		*table[i].value = argv[1];
		return 2;
	}
	return 0;
}

static int check_required(const struct cli_command *command, const bool *given)
{
	bool secret = false, has_secret = false, adding = strcmp(command->method, "POST") == 0;

	for (size_t i = 0; command->options && command->options[i].name; i++) {
		const struct cli_option *o = &command->options[i];

		if (o->required && !given[i])
			return usage("%s is needed", o->name);
		if (o->kind == CLI_PASSWORD || o->kind == CLI_GENERATE) {
			secret = true;
			has_secret |= given[i];
		}
	}
	if (adding && secret && !has_secret)
		return usage("--password-stdin or --generate is needed");
	return CLI_OK;
}

static int parse_arguments(struct cli *cli, const struct cli_command *command, int argc,
			   char **argv)
{
	bool given[CLI_OPTIONS_MAX] = { false };
	size_t args = 0;

	for (int i = 0; i < argc; i++) {
		const struct cli_option *o;
		int used, status;

		if (strncmp(argv[i], "--", 2) != 0) {
			if (args == CLI_ARGS_MAX || !command->args[args])
				return usage("'%s' is one argument too many", argv[i]);
			cli->arg[args++] = argv[i];
			continue;
		}
		used = global_option(cli, argc - i, argv + i);
		if (used > 0) {
			i += used - 1;
			continue;
		}
		o = find_option(command, argv[i]);
		if (used < 0 || !o)
			return usage("%s %s", argv[i],
				     used < 0 ? "needs a value" : "is no option here");
		if (takes_value(o->kind) && i + 1 == argc)
			return usage("%s needs a value", argv[i]);
		if (find_in(command->options, o->name))
			given[o - command->options] = true;
		status = apply_option(cli, o, takes_value(o->kind) ? argv[++i] : NULL);
		if (status != CLI_OK)
			return status;
	}
	if (args < CLI_ARGS_MAX && command->args[args])
		return usage("%s is needed", command->args[args]);
	return check_required(command, given);
}

static int read_token(const char *path, char *token, size_t size)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(token, (int)size, file);

	if (file)
		(void)fclose(file);
	if (!ok)
		return -ENOENT;
	token[strcspn(token, "\r\n")] = '\0';
	return 0;
}

static int connect_client(struct cli *cli)
{
	struct rest_client_config config = { .url = cli->url, .ca_file = cli->cacert };
	struct error err = { 0 };
	char token[256];
	int r;

	if (cli->socket && cli->url)
		return usage("--socket and --url exclude each other");
	if (!cli->url)
		config.unix_socket = cli->socket ? cli->socket : DEFAULT_SOCKET;
	if (cli->token_file) {
		if (read_token(cli->token_file, token, sizeof(token)) < 0)
			return usage("no token in %s", cli->token_file);
		config.bearer = token;
	}
	r = rest_client_new(&config, &cli->client, &err);
	explicit_bzero(token, sizeof(token));
	if (r < 0) {
		(void)fprintf(stderr, "aurabox: %s\n", error_text(&err, r));
		return CLI_FAILED;
	}
	return CLI_OK;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return true;
	}
	return false;
}

static int run(struct cli *cli, int argc, char **argv)
{
	const struct cli_command *command;
	int i = 0, used, status;

	while (i < argc && strncmp(argv[i], "--", 2) == 0) {
		if (strcmp(argv[i], "--help") == 0) {
			print_general(stdout);
			return CLI_OK;
		}
		if (strcmp(argv[i], "--version") == 0) {
			(void)printf("aurabox %s\n", AURA_VERSION);
			return CLI_OK;
		}
		used = global_option(cli, argc - i, argv + i);
		if (used <= 0)
			return usage("%s %s", argv[i],
				     used < 0 ? "needs a value" : "is no option here");
		i += used;
	}
	if (i == argc) {
		print_general(stderr);
		return CLI_USAGE;
	}
	command = find(argv[i], i + 1 < argc ? argv[i + 1] : "");
	if (!command)
		return usage("there is no command '%s' with that verb", argv[i]);
	i += *command->verb ? 2 : 1;
	if (wants_help(argc - i, argv + i)) {
		print_help(command);
		return CLI_OK;
	}
	status = parse_arguments(cli, command, argc - i, argv + i);
	if (status == CLI_OK && cli->dry_run && strcmp(command->method, "GET") == 0)
		status = usage("--dry-run: %s %s changes nothing", command->noun, command->verb);
	if (status == CLI_OK && command->body_member) {
		if (!cli->body)
			cli->body = json_object();
		(void)set_member(cli->body, command->body_member, json_string(cli->arg[0]));
	}
	if (status == CLI_OK)
		status = connect_client(cli);
	return status == CLI_OK ? command->run(cli, command) : status;
}

int cli_main(int argc, char **argv)
{
	struct cli cli = { 0 };
	int status = run(&cli, argc - 1, argv + 1);

	(void)rest_client_free(cli.client);
	json_decref(cli.body);
	free(cli.query);
	free(cli.generated);
	return status;
}
