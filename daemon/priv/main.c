/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - aurabox-priv: the few verbs that need root, for auraboxd alone. */
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/box_config.h"
#include "base/log.h"
#include "priv/priv_serve.h"

#define USER "aurabox"

int main(int argc, char **argv)
{
	static const struct option_program program = {
		.name = "aurabox-priv",
		.summary = "The few verbs of Aurabox that need root.",
		.version = AURA_VERSION,
		.config_file = "/etc/aurabox/aurabox.conf",
		.table = box_options,
	};
	struct box_config config = { 0 };
	struct option_result opt = option_main(&program, argc, argv, &config);
	const struct passwd *pw = getpwnam(USER);
	struct error err = { 0 };
	struct priv p;
	int fd, r;

	if (opt.done)
		return opt.status;
	log_set_level((enum log_level)config.log_level);
	(void)umask(0022);
	(void)signal(SIGPIPE, SIG_IGN);
	p = (struct priv){ .config = &config,
			   .root = opt.root,
			   .user = pw ? pw->pw_uid : 0,
			   .group = pw ? pw->pw_gid : 0 };
	r = box_root_check(opt.root, &err);
	if (r == 0 && geteuid() != 0)
		r = error_set(&err, -EPERM, "aurabox-priv must be started by root");
	if (r == 0)
		r = priv_listen(&p, &fd, &err);
	if (r < 0) {
		log_failure(LOG_LEVEL_ERROR, "priv.failed", r, &err);
		return 1;
	}
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;)
		priv_serve_one(&p, fd);
}
