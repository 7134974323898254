/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - an array of atomics beside a constant table. */
#include "node/metrics.h"

#include "base/buf.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

struct metrics {
	const struct metric_def *table;
	size_t count;
	_Atomic int64_t values[];
};

struct metrics *metrics_new(const struct metric_def *table, size_t count)
{
	struct metrics *m = calloc(1, sizeof(*m) + count * sizeof(m->values[0]));

	if (!m)
		return NULL;
	m->table = table;
	m->count = count;
	return m;
}

struct metrics *metrics_free(struct metrics *m)
{
	free(m);
	return NULL;
}

void metric_add(struct metrics *m, size_t id, int64_t by)
{
	if (m && id < m->count)
		atomic_fetch_add_explicit(&m->values[id], by, memory_order_relaxed);
}

void metric_set(struct metrics *m, size_t id, int64_t value)
{
	if (m && id < m->count)
		atomic_store_explicit(&m->values[id], value, memory_order_relaxed);
}

int64_t metric_get(const struct metrics *m, size_t id)
{
	if (!m || id >= m->count)
		return 0;
	return atomic_load_explicit(&m->values[id], memory_order_relaxed);
}

int metrics_write(const struct metrics *m, struct buf *out)
{
	const char *family = "";

	for (size_t i = 0; m && i < m->count; i++) {
		const struct metric_def *def = &m->table[i];

		if (strcmp(family, def->name) != 0) {
			family = def->name;
			buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family, def->help, family,
				   def->kind == METRIC_COUNTER ? "counter" : "gauge");
		}
		if (def->labels && *def->labels)
			buf_printf(out, "%s{%s} %" PRId64 "\n", def->name, def->labels,
				   metric_get(m, i));
		else
			buf_printf(out, "%s %" PRId64 "\n", def->name, metric_get(m, i));
	}
	return buf_ok(out) ? 0 : -ENOMEM;
}
