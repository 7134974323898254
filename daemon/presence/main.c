/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - aura-presence, the presence server. */
#include "node/node.h"
#include "presence/server.h"

int main(int argc, char **argv)
{
	return node_main(argc, argv, &presence_server);
}
