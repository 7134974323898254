/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - aura-presence as node/ runs it. */
#pragma once

struct node_server;

extern const struct node_server presence_server;
