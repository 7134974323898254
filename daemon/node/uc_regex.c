/* SPDX-License-Identifier: Apache-2.0 */
/* uc_regex.c - see uc_regex.h. */
#include "node/uc_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

/* It stands for nothing but the type: PCRE2's own object is what is handed out. */
static pcre2_code *code_of(const struct uc_regex *regex)
{
	return (pcre2_code *)(uintptr_t)regex;
}

struct uc_regex_matcher {
	pcre2_match_context *context;
	pcre2_match_data *data;
};

int uc_regex_new(const char *pattern, struct uc_regex **ret, struct error *err)
{
	PCRE2_UCHAR message[128] = "";
	PCRE2_SIZE where = 0;
	pcre2_code *code;
	int fault = 0;

	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
			     PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &fault, &where, NULL);
	if (!code) {
		(void)pcre2_get_error_message(fault, message, sizeof(message));
		return error_set(err, fault == PCRE2_ERROR_HEAP_FAILED ? -ENOMEM : -EINVAL,
				 "is no regular expression: %s at character %zu",
				 (const char *)message, (size_t)where);
	}
	*ret = (struct uc_regex *)code;
	return 0;
}

struct uc_regex *uc_regex_free(struct uc_regex *regex)
{
	pcre2_code_free(code_of(regex));
	return NULL;
}

int uc_regex_matcher_new(struct uc_regex_matcher **ret)
{
	struct uc_regex_matcher *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->context = pcre2_match_context_create(NULL);
	m->data = pcre2_match_data_create(1, NULL);
	if (!m->context || !m->data) {
		uc_regex_matcher_free(m);
		return -ENOMEM;
	}
	pcre2_set_match_limit(m->context, UC_REGEX_MATCH_LIMIT);
	pcre2_set_depth_limit(m->context, UC_REGEX_DEPTH_LIMIT);
	pcre2_set_heap_limit(m->context, UC_REGEX_HEAP_KIB);
	*ret = m;
	return 0;
}

struct uc_regex_matcher *uc_regex_matcher_free(struct uc_regex_matcher *matcher)
{
	if (!matcher)
		return NULL;
	pcre2_match_context_free(matcher->context);
	pcre2_match_data_free(matcher->data);
	free(matcher);
	return NULL;
}

bool uc_regex_fits(const struct uc_regex_matcher *matcher, const struct uc_regex *regex,
		   struct slice subject)
{
	return pcre2_match(code_of(regex), (PCRE2_SPTR)subject.p, subject.len, 0, 0, matcher->data,
			   matcher->context) >= 0;
}
