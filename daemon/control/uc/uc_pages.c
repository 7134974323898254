/* SPDX-License-Identifier: Apache-2.0 */
/* uc_pages.c - see uc_pages.h. What began after a call is true for it: a clock counts beginnings, and
 * whoever comes takes only what is younger than he is, or has its state. */
#include "control/uc/uc_pages.h"

#include "base/error.h"
#include "base/slice.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { TURNS_MAX = 3 }; /* that one waits for others before he reads himself */

/* How a look or a reading ended, for all who wait for it. */
struct outcome {
	uint64_t began;
	int r;
	struct error err;
};

struct page {
	char *key;
	uint64_t hash;
	uint64_t used;
	uint32_t refs; /* who waits for it or reads it: it stays */
	struct uc_answer answer;
	uint64_t began; /* the reading that gave the answer */
	bool reading;
	uint64_t reading_began;
	bool alone;	       /* its answers cannot be kept: each reads for himself */
	struct outcome failed; /* the last reading that failed */
};

struct uc_pages {
	pthread_mutex_t lock;
	pthread_cond_t ended; /* a look or a reading */
	uc_state_fn *state;
	void *user;
	uint64_t clock;
	uint64_t cleared; /* readings that began before are not kept */
	bool looking;
	struct outcome look; /* the last one that ended */
	char seen[UC_PAGES_STATE_SIZE];
	struct page *page[UC_PAGES_ENTRIES];
	struct uc_pages_stats stats;
};

void uc_answer_done(struct uc_answer *answer)
{
	free(answer->text);
	free(answer->state);
	*answer = (struct uc_answer){ 0 };
}

int uc_pages_new(uc_state_fn *state, void *user, struct uc_pages **ret)
{
	struct uc_pages *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->ended, NULL);
	p->state = state;
	p->user = user;
	*ret = p;
	return 0;
}

static size_t size_of(const struct page *e)
{
	return e->answer.text ? e->answer.len + strlen(e->key) : 0;
}

static void drop_answer(struct uc_pages *p, struct page *e)
{
	p->stats.bytes -= size_of(e);
	p->stats.entries -= e->answer.text != NULL;
	uc_answer_done(&e->answer);
}

static void drop(struct uc_pages *p, struct page **slot)
{
	struct page *e = TAKE(*slot);

	drop_answer(p, e);
	free(e->key);
	free(e);
}

struct uc_pages *uc_pages_free(struct uc_pages *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < UC_PAGES_ENTRIES; i++) {
		if (p->page[i])
			drop(p, &p->page[i]);
	}
	pthread_cond_destroy(&p->ended);
	pthread_mutex_destroy(&p->lock);
	free(p);
	return NULL;
}

/* The least used page that nobody holds; NULL: none. */
static struct page **oldest(struct uc_pages *p)
{
	struct page **found = NULL;

	for (size_t i = 0; i < UC_PAGES_ENTRIES; i++) {
		struct page *e = p->page[i];

		if (e && e->refs == 0 && (!found || e->used < (*found)->used))
			found = &p->page[i];
	}
	return found;
}

static struct page *find(struct uc_pages *p, const char *key, uint64_t hash)
{
	for (size_t i = 0; i < UC_PAGES_ENTRIES; i++) {
		struct page *e = p->page[i];

		if (e && e->hash == hash && strcmp(e->key, key) == 0)
			return e;
	}
	return NULL;
}

/* The page of that key, a new one if need be. NULL: there is no room, all are held. */
static struct page *page_of(struct uc_pages *p, const char *key)
{
	uint64_t hash = slice_hash(slice_str(key));
	struct page *e = find(p, key, hash), **slot = NULL;

	if (e)
		return e;
	for (size_t i = 0; !slot && i < UC_PAGES_ENTRIES; i++) {
		if (!p->page[i])
			slot = &p->page[i];
	}
	if (!slot) {
		slot = oldest(p);
		if (slot)
			drop(p, slot);
	}
	e = slot ? calloc(1, sizeof(*e)) : NULL;
	if (!e)
		return NULL;
	e->key = strdup(key);
	if (!e->key) {
		free(e);
		return NULL;
	}
	e->hash = hash;
	*slot = e;
	return e;
}

static void release(struct uc_pages *p, struct page *e)
{
	if (--e->refs > 0 || e->answer.text)
		return;
	for (size_t i = 0; i < UC_PAGES_ENTRIES; i++) {
		if (p->page[i] == e)
			drop(p, &p->page[i]);
	}
}

static int copy_answer(const struct uc_answer *from, struct uc_answer *ret, struct error *err)
{
	*ret = (struct uc_answer){ .text = malloc(from->len + 1), .len = from->len };
	if (!ret->text)
		return error_set(err, -ENOMEM, "out of memory");
	memcpy(ret->text, from->text, from->len + 1);
	return 0;
}

static int told(const struct outcome *outcome, struct error *err)
{
	if (err)
		*err = outcome->err;
	return outcome->r;
}

static void wait_for_another(struct uc_pages *p)
{
	p->stats.waiting++;
	pthread_cond_wait(&p->ended, &p->lock);
	p->stats.waiting--;
}

/* The state as it was after `since`; the lock is let go meanwhile. */
static int look(struct uc_pages *p, uint64_t since, char ret[UC_PAGES_STATE_SIZE],
		struct error *err)
{
	while (p->look.began <= since) {
		struct outcome now = { 0 };
		char seen[UC_PAGES_STATE_SIZE] = "";

		if (p->looking) {
			wait_for_another(p);
			continue;
		}
		p->looking = true;
		p->stats.looked++;
		now.began = ++p->clock;
		pthread_mutex_unlock(&p->lock);
		now.r = p->state(p->user, seen, &now.err);
		pthread_mutex_lock(&p->lock);
		p->looking = false;
		p->look = now;
		memcpy(p->seen, seen, sizeof(seen));
		pthread_cond_broadcast(&p->ended);
	}
	if (p->look.r < 0)
		return told(&p->look, err);
	memcpy(ret, p->seen, sizeof(p->seen));
	return 0;
}

/* A copy of the answer replaces the page's older one, if it can be kept. */
static void keep(struct uc_pages *p, struct page *e, uint64_t began, const struct uc_answer *answer)
{
	struct uc_answer copy = { 0 };
	struct page **old;

	if (began <= p->cleared || (e->answer.text && e->began > began))
		return;
	drop_answer(p, e);
	e->alone = !answer->state || answer->len + strlen(e->key) > UC_PAGES_BYTES_EACH;
	if (e->alone)
		return;
	if (copy_answer(answer, &copy, NULL) == 0)
		copy.state = strdup(answer->state);
	if (!copy.state) {
		uc_answer_done(&copy);
		return;
	}
	e->answer = copy;
	e->began = began;
	p->stats.entries++;
	p->stats.bytes += size_of(e);
	while (p->stats.bytes > UC_PAGES_BYTES && (old = oldest(p)) != NULL)
		drop(p, old);
}

/* Read the page for oneself and for all who wait; e is NULL where there is no place for it. */
static int read_page(struct uc_pages *p, struct page *e, uc_make_fn *make, void *user,
		     struct uc_answer *ret, struct error *err)
{
	struct outcome now = { .began = ++p->clock };
	bool first = e && !e->reading;

	p->stats.read++;
	if (first) {
		e->reading = true;
		e->reading_began = now.began;
	}
	pthread_mutex_unlock(&p->lock);
	now.r = make(user, ret, &now.err);
	pthread_mutex_lock(&p->lock);
	if (first)
		e->reading = false;
	if (e && now.r == 0)
		keep(p, e, now.began, ret);
	if (e && now.r < 0)
		e->failed = now;
	pthread_cond_broadcast(&p->ended);
	return now.r < 0 ? told(&now, err) : 0;
}

/* Of the reading that is on its way now. */
static void await_reading(struct uc_pages *p, const struct page *e)
{
	uint64_t which = e->reading_began;

	while (e->reading && e->reading_began == which)
		wait_for_another(p);
}

/* Under the lock, and holding e. */
static int answer(struct uc_pages *p, struct page *e, uc_make_fn *make, void *user,
		  struct uc_answer *ret, struct error *err)
{
	uint64_t since = ++p->clock;
	char state[UC_PAGES_STATE_SIZE] = "";
	bool looked = false;
	int turns = 0, r;

	while (turns < TURNS_MAX) {
		bool true_now = e->answer.text && (e->began > since ||
						   (looked && strcmp(e->answer.state, state) == 0));
		bool late = e->reading && e->reading_began > since;

		if (true_now) {
			p->stats.kept++;
			e->used = since;
			return copy_answer(&e->answer, ret, err);
		}
		if (e->failed.began > since)
			return told(&e->failed, err);
		if (!looked && !late && (e->answer.text || e->reading)) {
			r = look(p, since, state, err);
			if (r < 0)
				return r;
			looked = true;
			continue;
		}
		if (!e->reading || e->alone)
			break;
		await_reading(p, e);
		turns++;
	}
	e->used = since;
	return read_page(p, e, make, user, ret, err);
}

int uc_pages_answer(struct uc_pages *p, const char *key, uc_make_fn *make, void *user,
		    struct uc_answer *ret, struct error *err)
{
	struct page *e;
	int r;

	pthread_mutex_lock(&p->lock);
	e = page_of(p, key);
	if (e) {
		e->refs++;
		r = answer(p, e, make, user, ret, err);
		release(p, e);
	} else {
		r = read_page(p, NULL, make, user, ret, err);
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}

void uc_pages_clear(struct uc_pages *p)
{
	pthread_mutex_lock(&p->lock);
	p->cleared = ++p->clock;
	for (size_t i = 0; i < UC_PAGES_ENTRIES; i++) {
		struct page *e = p->page[i];

		if (!e)
			continue;
		drop_answer(p, e);
		if (e->refs == 0)
			drop(p, &p->page[i]);
	}
	pthread_mutex_unlock(&p->lock);
}

void uc_pages_stats(struct uc_pages *p, struct uc_pages_stats *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->stats;
	pthread_mutex_unlock(&p->lock);
}
