/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - see loop.h. */
#include "base/loop.h"
#include "base/error.h"
#include "base/log.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TURN_EVENTS 128
#define MAX_AFTER_TURN 16
#define MAX_SIGNALS 8

struct posted {
	struct posted *next;
	void (*fn)(void *user);
	void *user;
};

struct loop_hook {
	void (*fn)(void *user);
	void *user;
};

struct loop_signal {
	int signo;
	void (*fn)(int signo, void *user);
	void *user;
};

struct loop {
	const struct clock *clock;
	struct timer_wheel timers;
	uint64_t now_ms;
	int epoll_fd;
	_Atomic bool stopping;

	/* Events of the running turn; loop_io_remove() clears those not yet delivered. */
	struct epoll_event events[TURN_EVENTS];
	int pending_from, pending_to;

	pthread_mutex_t post_lock;
	struct posted *post_head, **post_tail;
	struct loop_io post_io;

	struct loop_hook after[MAX_AFTER_TURN];
	size_t after_count;

	sigset_t signal_set;
	struct loop_io signal_io;
	struct loop_signal signals[MAX_SIGNALS];
	size_t signal_count;
};

static void run_posted(struct loop_io *io, uint32_t events)
{
	struct loop *l = CONTAINER_OF(io, struct loop, post_io);
	struct posted *p;
	uint64_t n;

	(void)events;
	if (read(io->fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_error("loop.post_failed", F("errno", errno));
	(void)pthread_mutex_lock(&l->post_lock);
	p = l->post_head;
	l->post_head = NULL;
	l->post_tail = &l->post_head;
	(void)pthread_mutex_unlock(&l->post_lock);
	while (p) {
		struct posted *next = p->next;
		void (*fn)(void *user) = p->fn;
		void *user = p->user;

		free(p);
		fn(user);
		p = next;
	}
}

int loop_new(const struct clock *clock, struct loop **ret)
{
	AUTO(loop) struct loop *l = calloc(1, sizeof(*l));
	int fd, r;

	if (!l)
		return -ENOMEM;
	l->clock = clock ? clock : clock_system();
	l->now_ms = clock_now(l->clock);
	l->epoll_fd = -1;
	l->post_io.fd = -1;
	l->signal_io.fd = -1;
	l->post_tail = &l->post_head;
	timer_wheel_init(&l->timers, l->now_ms);
	(void)sigemptyset(&l->signal_set);
	(void)pthread_mutex_init(&l->post_lock, NULL);

	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		return -errno;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	r = loop_io_add(l, &l->post_io, fd, EPOLLIN, run_posted);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*ret = TAKE(l);
	return 0;
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	for (struct posted *p = l->post_head, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	if (l->post_io.fd >= 0)
		(void)close(l->post_io.fd);
	if (l->signal_io.fd >= 0)
		(void)close(l->signal_io.fd);
	if (l->epoll_fd >= 0)
		(void)close(l->epoll_fd);
	(void)pthread_mutex_destroy(&l->post_lock);
	free(l);
	return NULL;
}

const struct clock *loop_clock(const struct loop *l)
{
	return l->clock;
}

struct timer_wheel *loop_timers(struct loop *l)
{
	return &l->timers;
}

uint64_t loop_now(const struct loop *l)
{
	return l->now_ms;
}

int loop_io_add(struct loop *l, struct loop_io *io, int fd, uint32_t events,
		void (*ready)(struct loop_io *io, uint32_t events))
{
	struct epoll_event ev = { .events = events, .data.ptr = io };

	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0)
		return -errno;
	io->fd = fd;
	io->events = events;
	io->ready = ready;
	io->loop = l;
	return 0;
}

int loop_io_change(struct loop_io *io, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = io };

	if (io->events == events)
		return 0;
	if (epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_MOD, io->fd, &ev) < 0)
		return -errno;
	io->events = events;
	return 0;
}

void loop_io_remove(struct loop_io *io)
{
	struct loop *l = io->loop;

	if (!l)
		return;
	(void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
	for (int i = l->pending_from; i < l->pending_to; i++) {
		if (l->events[i].data.ptr == io)
			l->events[i].data.ptr = NULL;
	}
	io->loop = NULL;
}

int loop_post(struct loop *l, void (*fn)(void *user), void *user)
{
	struct posted *p = malloc(sizeof(*p));
	uint64_t one = 1;
	bool first;

	if (!p)
		return -ENOMEM;
	*p = (struct posted){ NULL, fn, user };
	(void)pthread_mutex_lock(&l->post_lock);
	first = l->post_head == NULL;
	*l->post_tail = p;
	l->post_tail = &p->next;
	(void)pthread_mutex_unlock(&l->post_lock);
	if (first && write(l->post_io.fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("loop.wake_failed", F("errno", errno));
	return 0;
}

int loop_after_turn(struct loop *l, void (*fn)(void *user), void *user)
{
	if (l->after_count == MAX_AFTER_TURN)
		return -ENOSPC;
	l->after[l->after_count++] = (struct loop_hook){ fn, user };
	return 0;
}

void loop_after_turn_remove(struct loop *l, void (*fn)(void *user), void *user)
{
	for (size_t i = 0; i < l->after_count; i++) {
		if (l->after[i].fn == fn && l->after[i].user == user) {
			l->after[i] = l->after[--l->after_count];
			return;
		}
	}
}

static void signal_ready(struct loop_io *io, uint32_t events)
{
	struct loop *l = CONTAINER_OF(io, struct loop, signal_io);
	struct signalfd_siginfo info;

	(void)events;
	while (read(io->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		for (size_t i = 0; i < l->signal_count; i++) {
			if (l->signals[i].signo == (int)info.ssi_signo)
				l->signals[i].fn(l->signals[i].signo, l->signals[i].user);
		}
	}
}

int loop_signal(struct loop *l, int signo, void (*fn)(int signo, void *user), void *user)
{
	int fd, r;

	if (l->signal_count == MAX_SIGNALS)
		return -ENOSPC;
	(void)sigaddset(&l->signal_set, signo);
	r = pthread_sigmask(SIG_BLOCK, &l->signal_set, NULL);
	if (r != 0)
		return -r;
	fd = signalfd(l->signal_io.fd, &l->signal_set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (l->signal_io.fd < 0) {
		r = loop_io_add(l, &l->signal_io, fd, EPOLLIN, signal_ready);
		if (r < 0) {
			(void)close(fd);
			return r;
		}
	}
	l->signals[l->signal_count++] = (struct loop_signal){ signo, fn, user };
	return 0;
}

static void advance(struct loop *l)
{
	l->now_ms = clock_now(l->clock);
	timer_wheel_advance(&l->timers, l->now_ms);
}

static int wait_for(const struct loop *l, int timeout_ms)
{
	int64_t wait = timer_wheel_wait(&l->timers);

	if (wait < 0)
		return timeout_ms;
	if (timeout_ms >= 0 && timeout_ms < wait)
		return timeout_ms;
	return wait > INT32_MAX ? INT32_MAX : (int)wait;
}

int loop_turn(struct loop *l, int timeout_ms)
{
	int n;

	advance(l);
	n = epoll_wait(l->epoll_fd, l->events, TURN_EVENTS,
		       l->stopping ? 0 : wait_for(l, timeout_ms));
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	l->pending_from = 0;
	l->pending_to = n;
	/* First the timers: what handlers start counts from now, not from before the wait. */
	advance(l);
	for (int i = 0; i < n; i++) {
		struct loop_io *io = l->events[i].data.ptr;

		l->pending_from = i + 1;
		if (io)
			io->ready(io, l->events[i].events);
	}
	l->pending_from = l->pending_to = 0;
	advance(l);
	for (size_t i = 0; i < l->after_count; i++)
		l->after[i].fn(l->after[i].user);
	return 0;
}

void loop_settle(struct loop *l)
{
	(void)loop_turn(l, 0);
	timer_wheel_advance(&l->timers, clock_now(l->clock) + 1);
}

int loop_run(struct loop *l)
{
	int r;

	while (!l->stopping) {
		r = loop_turn(l, -1);
		if (r < 0)
			return r;
	}
	l->stopping = false;
	return 0;
}

static void wake_nothing(void *user)
{
	(void)user;
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
	(void)loop_post(l, wake_nothing, NULL);
}
