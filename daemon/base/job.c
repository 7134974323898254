/* SPDX-License-Identifier: Apache-2.0 */
/* job.c - see job.h. */
#include "base/job.h"
#include "base/loop.h"

#include <pthread.h>
#include <signal.h>

struct job {
	struct job *next;
	void (*run)(void *user);
	void (*done)(void *user);
	void *user;
};

struct job_pool {
	struct loop *loop;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *head, **tail;
	size_t backlog, limit;
	bool closing;
	unsigned count;
	pthread_t threads[];
};

static void *worker(void *arg)
{
	struct job_pool *p = arg;
	struct job *j;

	for (;;) {
		(void)pthread_mutex_lock(&p->lock);
		while (!p->head && !p->closing)
			(void)pthread_cond_wait(&p->wake, &p->lock);
		j = p->head;
		if (!j) {
			(void)pthread_mutex_unlock(&p->lock);
			return NULL;
		}
		p->head = j->next;
		if (!p->head)
			p->tail = &p->head;
		p->backlog--;
		(void)pthread_mutex_unlock(&p->lock);

		j->run(j->user);
		if (j->done)
			(void)loop_post(p->loop, j->done, j->user);
		free(j);
	}
}

int job_pool_new(struct loop *loop, unsigned threads, size_t queue_limit, struct job_pool **ret)
{
	struct job_pool *p = calloc(1, sizeof(*p) + threads * sizeof(p->threads[0]));
	sigset_t all, old;
	int r = 0;

	if (!p)
		return -ENOMEM;
	p->loop = loop;
	p->limit = queue_limit;
	p->tail = &p->head;
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->wake, NULL);
	/* Signals belong to the loop's thread. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	while (r == 0 && p->count < threads) {
		r = pthread_create(&p->threads[p->count], NULL, worker, p);
		if (r == 0)
			p->count++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0) {
		(void)job_pool_free(p);
		return -r;
	}
	*ret = p;
	return 0;
}

struct job_pool *job_pool_free(struct job_pool *p)
{
	if (!p)
		return NULL;
	(void)pthread_mutex_lock(&p->lock);
	p->closing = true;
	(void)pthread_cond_broadcast(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->count; i++)
		(void)pthread_join(p->threads[i], NULL);
	(void)pthread_mutex_destroy(&p->lock);
	(void)pthread_cond_destroy(&p->wake);
	free(p);
	return NULL;
}

int job_submit(struct job_pool *p, void (*run)(void *user), void (*done)(void *user), void *user)
{
	struct job *j = malloc(sizeof(*j));
	int r = 0;

	if (!j)
		return -ENOMEM;
	*j = (struct job){ NULL, run, done, user };
	(void)pthread_mutex_lock(&p->lock);
	if (p->closing) {
		r = -ESHUTDOWN;
	} else if (p->backlog >= p->limit) {
		r = -EAGAIN;
	} else {
		*p->tail = j;
		p->tail = &j->next;
		p->backlog++;
		(void)pthread_cond_signal(&p->wake);
	}
	(void)pthread_mutex_unlock(&p->lock);
	if (r < 0)
		free(j);
	return r;
}

size_t job_pool_backlog(const struct job_pool *p)
{
	struct job_pool *q = (struct job_pool *)(uintptr_t)p;
	size_t n;

	(void)pthread_mutex_lock(&q->lock);
	n = p->backlog;
	(void)pthread_mutex_unlock(&q->lock);
	return n;
}
