/* SPDX-License-Identifier: Apache-2.0 */
/* sql.h - spellings that the statements of control/ share. */
#pragma once
#include "base/error.h"
#include "store/store.h"

/* A timestamptz as RFC 3339 in UTC with milliseconds; NULL stays NULL. */
#define SQL_TIME(column)                                                                           \
	"to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
/* Milliseconds since 1970. */
#define SQL_MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"
/* A parameter of milliseconds since 1970 as timestamptz. */
#define SQL_FROM_MS(param) "to_timestamp(" param "::bigint / 1000.0)"
