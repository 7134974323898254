/* SPDX-License-Identifier: Apache-2.0 */
/* zone.h - time zones as the host's tz database knows them, and whether its clock can be trusted. */
#pragma once
#include <stdbool.h>

struct error;

enum { ZONE_NAME_MAX = 64 };

/* Is it the name of a zone ("Europe/Berlin", "UTC")? Errors: -EINVAL. */
int zone_check(const char *name, struct error *err);
/* The host's own zone, "UTC" when it does not say. */
void zone_of_host(char out[ZONE_NAME_MAX + 1]);
/* Does the kernel say that its clock is disciplined (adjtimex(2))? */
bool zone_clock_synchronized(void);
