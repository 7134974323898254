/* SPDX-License-Identifier: Apache-2.0 */
/* node_inside.h - what node's own files share about struct node. */
#pragma once
#include "base/json_field.h"

struct node;

void *node_state_of_server(const struct node *node); /* NULL before start() */
json_t *node_health(const struct node *node);	     /* body of /health, new reference */
