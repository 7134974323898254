/* SPDX-License-Identifier: Apache-2.0 */
/* route_regex.c - the regular expressions of routing, by rank. */
#include "sm/route_regex.h"

#include <stdlib.h>

#include "base/log.h"
#include "node/uc_regex.h"
#include "node/uc_routing.h"

struct regex {
	const struct uc_regular_expression *row;
	struct uc_regex *code;
};

struct route_regexes {
	size_t count;
	struct regex *items; /* by rank */
	struct uc_regex_matcher *matcher;
};

static void compile(struct route_regexes *all, const struct uc_regular_expression *row)
{
	struct regex *re = &all->items[all->count];
	struct error err = { 0 };

	re->row = row;
	if (uc_regex_new(row->pattern, &re->code, &err) == 0)
		all->count++;
	else
		log_warning("regular_expression.bad", F("pattern", row->pattern),
			    F("error", (const char *)err.detail));
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
	if (!all->items || uc_regex_matcher_new(&all->matcher) < 0) {
		route_regexes_free(all);
		return -ENOMEM;
	}
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
		uc_regex_free(regexes->items[i].code);
	uc_regex_matcher_free(regexes->matcher);
	free(regexes->items);
	free(regexes);
	return NULL;
}

static const struct uc_regular_expression *pass(const struct route_regexes *all,
						struct slice subject)
{
	for (size_t i = 0; i < all->count; i++)
		if (uc_regex_fits(all->matcher, all->items[i].code, subject))
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
