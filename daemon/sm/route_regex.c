/* SPDX-License-Identifier: Apache-2.0 */
/* route_regex.c - the regular expressions of routing, by PCRE2 with bounds. */
#include "sm/route_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "base/log.h"
#include "node/uc_routing.h"

struct regex {
	const struct uc_regular_expression *row;
	pcre2_code *code;
};

struct route_regexes {
	size_t count;
	struct regex *items; /* by rank */
	pcre2_match_context *context;
	pcre2_match_data *data;
};

static void compile(struct route_regexes *all, const struct uc_regular_expression *row)
{
	PCRE2_UCHAR message[128] = "";
	PCRE2_SIZE where = 0;
	int code = 0;
	struct regex *re = &all->items[all->count];

	re->row = row;
	re->code = pcre2_compile((PCRE2_SPTR)row->pattern, PCRE2_ZERO_TERMINATED,
				 PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &where, NULL);
	if (re->code) {
		all->count++;
		return;
	}
	pcre2_get_error_message(code, message, sizeof(message));
	log_warning("regular_expression.bad", F("pattern", row->pattern),
		    F("error", (const char *)message), F("at", (uint64_t)where));
}

static int by_rank(const void *a, const void *b)
{
	const struct regex *x = a, *y = b;

	if (x->row->rank != y->row->rank)
		return x->row->rank < y->row->rank ? -1 : 1;
	return x->row < y->row ? -1 : 1;
}

int route_regexes_new(const struct uc_routing *routing, struct route_regexes **ret)
{
	struct route_regexes *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->items = calloc(routing->expression_count + 1, sizeof(*all->items));
	all->context = pcre2_match_context_create(NULL);
	all->data = pcre2_match_data_create(1, NULL);
	if (!all->items || !all->context || !all->data) {
		route_regexes_free(all);
		return -ENOMEM;
	}
	pcre2_set_match_limit(all->context, ROUTE_REGEX_MATCH_LIMIT);
	pcre2_set_depth_limit(all->context, ROUTE_REGEX_DEPTH_LIMIT);
	pcre2_set_heap_limit(all->context, ROUTE_REGEX_HEAP_KIB);
	for (size_t i = 0; i < routing->expression_count; i++)
		compile(all, &routing->expressions[i]);
	qsort(all->items, all->count, sizeof(*all->items), by_rank);
	*ret = all;
	return 0;
}

struct route_regexes *route_regexes_free(struct route_regexes *regexes)
{
	if (!regexes)
		return NULL;
	for (size_t i = 0; i < regexes->count; i++)
		pcre2_code_free(regexes->items[i].code);
	pcre2_match_context_free(regexes->context);
	pcre2_match_data_free(regexes->data);
	free(regexes->items);
	free(regexes);
	return NULL;
}

static const struct uc_regular_expression *pass(const struct route_regexes *all,
						struct slice subject)
{
	for (size_t i = 0; i < all->count; i++)
		if (pcre2_match(all->items[i].code, (PCRE2_SPTR)subject.p, subject.len, 0, 0,
				all->data, all->context) >= 0)
			return all->items[i].row;
	return NULL;
}

const struct uc_regular_expression *route_regexes_find(const struct route_regexes *regexes,
						       struct slice uri, struct slice address,
						       bool *whole)
{
	const struct uc_regular_expression *found = pass(regexes, uri);

	*whole = found != NULL;
	return found ? found : pass(regexes, address);
}
