/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - aura-cm as node/ runs it. */
#pragma once

struct node_server;

extern const struct node_server cm_server;
