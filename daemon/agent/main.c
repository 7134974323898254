/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - aurabox-agent, started by init in every guest of ours. */
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/cluster.h"
#include "base/log.h"

static int usage(void)
{
	(void)fputs("usage: aurabox-agent [--version | --new-cluster-identity FOLDER]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	AUTO(agent) struct agent *agent = NULL;
	struct error err = { 0 };
	int r;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("aurabox-agent %s\n", AURA_VERSION) < 0;
	if (argc == 3 && strcmp(argv[1], "--new-cluster-identity") == 0) {
		r = cluster_new_identity(argv[2], &err);
		if (r < 0)
			log_failure(LOG_LEVEL_ERROR, "agent.cluster", r, &err);
		return r < 0;
	}
	if (argc != 1)
		return usage();
	r = agent_new(&agent, &err);
	if (r < 0) {
		log_failure(LOG_LEVEL_ERROR, "agent.start", r, &err);
		return AGENT_FAILED;
	}
	return (int)agent_run(agent);
}
