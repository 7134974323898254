/* SPDX-License-Identifier: Apache-2.0 */
/* uc_pages.h - answers of lists, kept as text with the state of the rows that they were read at, and
 * given out again while that state is the newest one. Any thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct error;
struct uc_pages;

enum {
	UC_PAGES_ENTRIES = 256,
	UC_PAGES_BYTES = 8 << 20, /* of all */
	UC_PAGES_BYTES_EACH = 1 << 20,
	UC_PAGES_STATE_SIZE = 128,
};

/* An answer and the state that it shows; state NULL: it is not kept. */
struct uc_answer {
	char *text;
	size_t len;
	char *state;
};
void uc_answer_done(struct uc_answer *answer);
#define AUTO_ANSWER __attribute__((cleanup(uc_answer_done))) struct uc_answer

/* Ask the database for its state now; equal texts are the same state. */
typedef int uc_state_fn(void *user, char ret[UC_PAGES_STATE_SIZE], struct error *err);
/* Read the page; what it shows and its state are of one moment. */
typedef int uc_make_fn(void *user, struct uc_answer *ret, struct error *err);

int uc_pages_new(uc_state_fn *state, void *user, struct uc_pages **ret);
struct uc_pages *uc_pages_free(struct uc_pages *pages); /* nobody may wait in it any more */

/* The answer to the question `key`: what it was at a moment between call and return. That is proven by
 * a look at the state, or a reading of the page, that began after the call; both are shared: one look
 * is on its way at a time, and one reading of each page. The caller releases *ret. Errors: those of
 * both functions. */
int uc_pages_answer(struct uc_pages *pages, const char *key, uc_make_fn *make, void *user,
		    struct uc_answer *ret, struct error *err);
/* Forget all answers: what makes them has changed. */
void uc_pages_clear(struct uc_pages *pages);

struct uc_pages_stats {
	uint64_t kept;	 /* answers without a reading of their page */
	uint64_t read;	 /* readings of pages */
	uint64_t looked; /* looks at the state */
	uint32_t entries;
	uint32_t waiting; /* now, for a look or a reading of somebody else */
	size_t bytes;
};
void uc_pages_stats(struct uc_pages *pages, struct uc_pages_stats *ret);

struct uc;
/* Those of the administration. Only what sql/uc's replica.bump() counts may be in an answer: no call
 * records, no live state. */
struct uc_pages *uc_pages_of(struct uc *uc);
