/* SPDX-License-Identifier: Apache-2.0 */
/* writer.h - the thread that carries state and records to the node's local file, in groups. */
#pragma once
#include "base/error.h"

#include "base/json_field.h"
#include <stdint.h>

struct local_db;
struct record_journal;
struct state_journal;
struct writer;

extern const char *const node_migrations[]; /* of the local file */
extern const uint32_t node_migration_count;

/* db is borrowed and must outlive the writer. Errors: -ENOMEM, -EAGAIN no thread, as local_db.h. */
int writer_new(struct local_db *db, struct writer **ret, struct error *err);
struct writer *writer_free(struct writer *w); /* writes what is queued */
DEFINE_AUTO(writer)

struct state_journal *writer_state(struct writer *w);
/* State goes to the hook alone: the file is none. Before the first change. */
void writer_forget_state(struct writer *w);
struct record_journal *writer_records(struct writer *w);
/* Called on the writer's thread, under its lock, after new records are on disk; NULL: no more. */
void writer_on_records(struct writer *w, void (*fn)(void *user), void *user);
void writer_flush(struct writer *w); /* blocks until all queued before is on disk; tests, stop */
