/* SPDX-License-Identifier: Apache-2.0 */
/* sm_server.h - aura-sm as node_main() runs it. */
#pragma once

struct node_server;

extern const struct node_server sm_server;
