/* SPDX-License-Identifier: Apache-2.0 */
/* uc_zone.h - a time zone of the tz database (RFC 8536), read once: the time on the wall there. */
#pragma once
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct uc_zone; /* opaque, see uc_zone.c */

#define UC_ZONE_NAME_MAX 64

/* "Europe/Berlin" from /usr/share/zoneinfo. Errors: -EINVAL no name of a zone, -ENOENT, -EBADMSG,
 * -ENOMEM. The caller owns *ret. */
int uc_zone_load(const char *name, struct uc_zone **ret);
/* The bytes of a TZif file. Errors: -EBADMSG, -ENOMEM. */
int uc_zone_parse(struct slice bytes, struct uc_zone **ret);
struct uc_zone *uc_zone_free(struct uc_zone *zone);
DEFINE_AUTO(uc_zone)

/* Seconds east of UTC at that instant. Behind the last transition of the file the last one's. */
int32_t uc_zone_offset(const struct uc_zone *zone, int64_t at_s);
