/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - counters and gauges of a process, declared once as a table, shown to Prometheus. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct buf;
struct metrics;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

/* One row a series; a family with labels is several rows of one name in a run. The table must
 * outlive the registry; a metric's id is its index in it. */
struct metric_def {
	enum metric_kind kind;
	const char *name;   /* aura_sm_requests_total */
	const char *labels; /* method="INVITE" or NULL */
	const char *help;
};

struct metrics *metrics_new(const struct metric_def *table, size_t count); /* NULL: no memory */
struct metrics *metrics_free(struct metrics *m);

/* Any thread, no lock. m may be NULL (tests): nothing happens. */
void metric_add(struct metrics *m, size_t id, int64_t by);
void metric_set(struct metrics *m, size_t id, int64_t value);
int64_t metric_get(const struct metrics *m, size_t id);

/* Append the text format 0.0.4. Returns 0 or -ENOMEM. */
int metrics_write(const struct metrics *m, struct buf *out);
