/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - one thread's event loop: descriptors (epoll), timers, signals, work posted to it. */
#pragma once
#include "base/clock.h"
#include "base/timer.h"
#include <stdint.h>

struct loop; /* opaque, see loop.c */

/* Errors: -ENOMEM, -EMFILE. The clock is borrowed; NULL means clock_system(). */
int loop_new(const struct clock *clock, struct loop **ret);
struct loop *loop_free(struct loop *l);
DEFINE_AUTO(loop)

const struct clock *loop_clock(const struct loop *l);
struct timer_wheel *loop_timers(struct loop *l);
/* Monotonic milliseconds, read once per turn of the loop. */
uint64_t loop_now(const struct loop *l);

static inline void loop_timer_start(struct loop *l, struct timer *t, uint64_t after_ms,
				    void (*fire)(struct timer *t))
{
	timer_start(loop_timers(l), t, after_ms, fire);
}

static inline void loop_timer_stop(struct loop *l, struct timer *t)
{
	timer_stop(loop_timers(l), t);
}

/* Watch a descriptor. Embed in the owner; remove before closing fd. */
struct loop_io {
	int fd;
	uint32_t events; /* EPOLLIN | EPOLLOUT ... as registered */
	void (*ready)(struct loop_io *io, uint32_t events);
	struct loop *loop;
};

/* Errors: -errno of epoll_ctl. */
int loop_io_add(struct loop *l, struct loop_io *io, int fd, uint32_t events,
		void (*ready)(struct loop_io *io, uint32_t events));
int loop_io_change(struct loop_io *io, uint32_t events);
/* Safe from within any handler: no further callback comes for it. Accepts one never added. */
void loop_io_remove(struct loop_io *io);

/* Run fn(user) on the loop's thread in its next turn; callable from any thread. The loop owns
 * nothing: user must stay valid until then. Errors: -ENOMEM, -ESHUTDOWN. */
int loop_post(struct loop *l, void (*fn)(void *user), void *user);
/* Called after each turn that handled something (batch flushes). Errors: -ENOSPC (16 at most). */
int loop_after_turn(struct loop *l, void (*fn)(void *user), void *user);
/* Take such a callback away again; not from within one. */
void loop_after_turn_remove(struct loop *l, void (*fn)(void *user), void *user);
/* Deliver a signal as a callback on the loop (signalfd; the signal is blocked in this thread: call
 * before other threads start). Errors: -errno. */
int loop_signal(struct loop *l, int signo, void (*fn)(int signo, void *user), void *user);

/* Until loop_stop(). Errors: -errno of epoll_wait. */
int loop_run(struct loop *l);
/* One turn: wait at most timeout_ms (-1 for ever), handle what is ready. For tests. */
int loop_turn(struct loop *l, int timeout_ms);
/* Before the end: runs what was posted and what was started to fire at once (closed() of streams). */
void loop_settle(struct loop *l);
void loop_stop(struct loop *l); /* any thread */
