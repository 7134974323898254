/* SPDX-License-Identifier: Apache-2.0 */
/* manage.h - what the management API shows of sm: registrations, calls, entities. */
#pragma once

#include "node/node.h"

extern const struct node_route manage_routes[];
#define MANAGE_ROUTES 9
