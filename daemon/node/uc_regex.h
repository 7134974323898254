/* SPDX-License-Identifier: Apache-2.0 */
/* uc_regex.h - a regular expression of the administration (PCRE2): compiled the same way where it is
 * entered and where it decides, and never allowed to run long. */
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

struct uc_regex;	 /* opaque, see uc_regex.c */
struct uc_regex_matcher; /* what matching needs, for any number of them */

/* Bounds of one match: steps of backtracking, nesting, memory. */
#define UC_REGEX_MATCH_LIMIT 20000
#define UC_REGEX_DEPTH_LIMIT 500
#define UC_REGEX_HEAP_KIB 256

/* Over bytes, not characters. Errors: -EINVAL with the place and what PCRE2 says, as a sentence that
 * follows a name; -ENOMEM. */
int uc_regex_new(const char *pattern, struct uc_regex **ret, struct error *err);
struct uc_regex *uc_regex_free(struct uc_regex *regex);
DEFINE_AUTO(uc_regex)

/* Errors: -ENOMEM. */
int uc_regex_matcher_new(struct uc_regex_matcher **ret);
struct uc_regex_matcher *uc_regex_matcher_free(struct uc_regex_matcher *matcher);
/* Somewhere in the subject; one that exceeds its bounds does not fit. */
bool uc_regex_fits(const struct uc_regex_matcher *matcher, const struct uc_regex *regex,
		   struct slice subject);
