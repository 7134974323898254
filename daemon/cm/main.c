/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - aura-cm, the communication manager. */
#include "cm/server.h"
#include "node/node.h"

int main(int argc, char **argv)
{
	return node_main(argc, argv, &cm_server);
}
