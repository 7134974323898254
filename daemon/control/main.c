/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - auraboxd: the control plane of one box. */
#include <locale.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/json_field.h"
#include "base/log.h"
#include "control/api/api.h"
#include "control/box.h"

static const char *openapi_wanted;

static const struct option_extra extras[] = {
	{ "openapi", NULL, "print the OpenAPI document of the API and end", &openapi_wanted },
	{ NULL, NULL, NULL, NULL },
};

static int print_openapi(void)
{
	AUTO(json) json_t *document = NULL;
	struct error err = { 0 };
	int r = api_openapi(&document, &err);

	if (r < 0 || json_dumpf(document, stdout, JSON_INDENT(2)) < 0) {
		(void)fprintf(stderr, "auraboxd: %s\n", error_text(&err, r));
		return 1;
	}
	(void)putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option_program program = {
		.name = "auraboxd",
		.summary =
			"The control plane of Aurabox: virtual machines, users, API and console.",
		.version = AURA_VERSION,
		.config_file = "/etc/aurabox/aurabox.conf",
		.table = box_options,
		.extras = extras,
	};
	struct box_config config = { 0 };
	struct option_result opt = option_main(&program, argc, argv, &config);
	struct box *box = NULL;
	struct error err = { 0 };
	int r;

	if (opt.done)
		return opt.status;
	if (openapi_wanted) {
		option_release(box_options, &config);
		return print_openapi();
	}
	log_set_level((enum log_level)config.log_level);
	(void)umask(0022);
	r = box_start(&config, opt.root, &box, &err);
	if (r == 0)
		r = box_run(box);
	if (r < 0)
		log_failure(LOG_LEVEL_ERROR, "auraboxd.failed", r, &err);
	(void)box_stop(box);
	option_release(box_options, &config);
	return r < 0 ? 1 : 0;
}
