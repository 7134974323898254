/* SPDX-License-Identifier: Apache-2.0 */
/* option_main.c - the command line that every daemon shares; see option.h. */
#include "base/option.h"
#include "base/slice.h"

#include <unistd.h>

#define EXIT_USAGE 2

struct command_line {
	const struct option_program *prog;
	const char *config, *root;
	bool check;
	int argc;
	char **argv;
	int at;
};

static void print_help(const struct option_program *prog)
{
	(void)printf(
		"%s - %s\n\nUsage: %s [--config FILE] [--root DIR] [--set section.key=value]...\n"
		"       [--check] [--version] [--help]",
		prog->name, prog->summary, prog->name);
	for (const struct option_extra *x = prog->extras; x && x->name; x++)
		(void)printf(" [--%s%s%s]", x->name, x->argument ? " " : "",
			     x->argument ? x->argument : "");
	(void)printf("\n\n  --config FILE   configuration file%s%s\n",
		     prog->config_file ? ", by default " : "",
		     prog->config_file ? prog->config_file : "");
	(void)printf("  --root DIR      prefix of /etc/aurabox, /var/lib/aurabox and /run/aurabox\n"
		     "  --set S.K=V     set one option, after the file; may be repeated\n"
		     "  --check         check the configuration and exit: 0, or 1 with the reason\n"
		     "  --version       print the version\n"
		     "  --help          print this\n");
	for (const struct option_extra *x = prog->extras; x && x->name; x++)
		(void)printf("  --%s%s%s  %s\n", x->name, x->argument ? " " : "",
			     x->argument ? x->argument : "", x->help);
	(void)printf("\nOptions of the configuration file [default]:\n");
	option_print_help(prog->table, stdout);
}

/* "--name VALUE" or "--name=VALUE": 1 taken, 0 another option, -EINVAL no value. */
static int take_value(struct command_line *c, const char *name, const char **value)
{
	struct slice arg = slice_str(c->argv[c->at] + 2);

	if (!slice_skip(&arg, slice_str(name)))
		return 0;
	if (arg.len > 0 && arg.p[0] == '=') {
		*value = arg.p + 1;
		return 1;
	}
	if (arg.len > 0)
		return 0;
	if (c->at + 1 >= c->argc)
		return -EINVAL;
	*value = c->argv[++c->at];
	return 1;
}

static struct option_result finished(int status)
{
	return (struct option_result){ .done = true, .status = status };
}

static struct option_result usage(const struct command_line *c, const char *what)
{
	(void)fprintf(stderr, "%s: %s\nTry '%s --help'.\n", c->prog->name, what, c->prog->name);
	return finished(EXIT_USAGE);
}

static int take_extra(struct command_line *c)
{
	for (const struct option_extra *x = c->prog->extras; x && x->name; x++) {
		if (x->argument) {
			int r = take_value(c, x->name, x->value);

			if (r != 0)
				return r;
		} else if (strcmp(c->argv[c->at] + 2, x->name) == 0) {
			*x->value = x->name;
			return 1;
		}
	}
	return 0;
}

/* 1 taken, 0 unknown, -EINVAL lacks its value. --set pairs are only counted here. */
static int take_argument(struct command_line *c, const char **set)
{
	int r;

	r = take_value(c, "config", &c->config);
	if (r == 0)
		r = take_value(c, "root", &c->root);
	if (r == 0)
		r = take_value(c, "set", set);
	if (r == 0 && strcmp(c->argv[c->at], "--check") == 0)
		r = c->check = true;
	if (r == 0)
		r = take_extra(c);
	return r;
}

static struct option_result scan(struct command_line *c)
{
	for (c->at = 1; c->at < c->argc; c->at++) {
		const char *set = NULL;
		int r;

		if (strcmp(c->argv[c->at], "--help") == 0) {
			print_help(c->prog);
			return finished(0);
		}
		if (strcmp(c->argv[c->at], "--version") == 0) {
			(void)printf("%s %s\n", c->prog->name, c->prog->version);
			return finished(0);
		}
		r = strncmp(c->argv[c->at], "--", 2) == 0 ? take_argument(c, &set) : 0;
		if (r < 0)
			return usage(c, "an option lacks its value");
		if (r == 0)
			return usage(c, "unknown argument");
	}
	return (struct option_result){ 0 };
}

static int apply_sets(struct command_line *c, void *config, struct error *err)
{
	for (c->at = 1; c->at < c->argc; c->at++) {
		const char *set = NULL;
		int r;

		(void)take_argument(c, &set);
		if (!set)
			continue;
		r = option_set_pair(c->prog->table, config, set, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_config(const struct command_line *c, void *config, struct error *err)
{
	const char *named = c->config;
	AUTO(str) char *path = NULL;

	if (!named && !c->prog->config_file)
		return 0;
	if (!named && asprintf(&path, "%s%s", c->root ? c->root : "", c->prog->config_file) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	if (!named && access(path, F_OK) < 0)
		return 0;
	return option_read_file(c->prog->table, config, named ? named : path, err);
}

/* The values are not handed out: they go. */
static struct option_result finished_with(const struct option_program *prog, void *config,
					  int status)
{
	option_release(prog->table, config);
	return finished(status);
}

struct option_result option_main(const struct option_program *prog, int argc, char **argv,
				 void *config)
{
	struct command_line c = { .prog = prog, .argc = argc, .argv = argv };
	struct option_result result = scan(&c);
	struct error err = { 0 };
	int r;

	if (result.done)
		return result;
	r = option_defaults(prog->table, config, &err);
	if (r == 0)
		r = read_config(&c, config, &err);
	if (r == 0) {
		r = apply_sets(&c, config, &err);
		if (r < 0 && err.field[0]) {
			(void)fprintf(stderr, "--set: %s: %s\n", err.field, err.detail);
			return finished_with(prog, config, c.check ? 1 : EXIT_USAGE);
		}
	}
	if (r < 0) {
		(void)fprintf(stderr, "%s\n", error_text(&err, r));
		return finished_with(prog, config, 1);
	}
	if (c.check)
		return finished_with(prog, config, 0);
	result.root = c.root ? c.root : "";
	return result;
}
