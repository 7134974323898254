/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - aura-sm, the session manager: registrar, proxy, application sequencing. */
#include "node/node.h"
#include "sm/sm_server.h"

int main(int argc, char **argv)
{
	return node_main(argc, argv, &sm_server);
}
