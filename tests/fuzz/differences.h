/* SPDX-License-Identifier: Apache-2.0 */
/* differences.h - where another parser reads a message differently and we are right: a table with the reasons. */
#pragma once
#include <stdbool.h>

#include "reading.h"

struct sip_msg;

enum oracle { ORACLE_OSIP = 1, ORACLE_SOFIA = 2 };

bool difference_explained(enum oracle oracle, enum reading_field field, const struct sip_msg *msg,
			  const char *ours, const char *theirs);
