/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - the supervisor's table. */
#include "agent/server.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/log.h"

enum server_state { SS_IDLE, SS_RUNNING, SS_BACKOFF, SS_STOPPING, SS_STOPPED };
enum server_event { EV_START, EV_ENDED, EV_TIMER, EV_STOP, EV_FAILED };

static const char *const states[] = { "idle", "running", "backoff", "stopping", "stopped" };
static const char *const events[] = { "start", "ended", "timer", "stop", "failed" };

static fsm_action launch, wait_backoff, ask_to_stop, force_stop, say_stopped, after_stop;

/* clang-format off */
static const struct fsm_row rows[] = {
	/* state      event      next         action */
	{ SS_IDLE,     EV_START,  SS_RUNNING,  launch       },
	{ SS_IDLE,     EV_STOP,   SS_STOPPED,  say_stopped  },
	{ SS_RUNNING,  EV_ENDED,  SS_BACKOFF,  wait_backoff },
	{ SS_RUNNING,  EV_FAILED, SS_BACKOFF,  wait_backoff },
	{ SS_RUNNING,  EV_STOP,   SS_STOPPING, ask_to_stop  },
	{ SS_BACKOFF,  EV_TIMER,  SS_RUNNING,  launch       },
	{ SS_BACKOFF,  EV_STOP,   SS_STOPPED,  say_stopped  },
	{ SS_STOPPING, EV_TIMER,  SS_STOPPING, force_stop   },
	{ SS_STOPPING, EV_ENDED,  SS_STOPPED,  after_stop   },
	{ SS_STOPPED,  EV_STOP,   SS_STOPPED,  say_stopped  },
	{ SS_STOPPED,  EV_START,  SS_RUNNING,  launch       },
};
/* clang-format on */

const struct fsm_table server_table = {
	.name = "server",
	.rows = rows,
	.count = ARRAY_SIZE(rows),
	.state_names = states,
	.event_names = events,
};

static struct server *of(struct fsm *fsm)
{
	return CONTAINER_OF(fsm, struct server, fsm);
}

static void on_timer(struct timer *timer)
{
	struct server *s = CONTAINER_OF(timer, struct server, timer);

	(void)fsm_step(&s->fsm, EV_TIMER, NULL);
}

static void on_ended(struct process *process, int status)
{
	struct server *s = CONTAINER_OF(process, struct server, process);

	if (status == -1)
		log_info("agent.server_ended", F("server", s->spec.argv[0]));
	else if (WIFSIGNALED(status))
		log_warning("agent.server_ended", F("server", s->spec.argv[0]),
			    F("signal", WTERMSIG(status)));
	else
		log_info("agent.server_ended", F("server", s->spec.argv[0]),
			 F("status", WEXITSTATUS(status)));
	(void)fsm_step(&s->fsm, EV_ENDED, NULL);
}

static void launch(struct fsm *fsm, const void *arg)
{
	struct server *s = of(fsm);
	struct error err = { 0 };
	bool adopted;
	int r;

	s->started_at = loop_now(s->process.loop);
	adopted = s->spec.pid_file && process_adopt(&s->process, s->spec.pid_file) == 0;
	r = adopted ? 0 : process_start(&s->process, &s->spec, &err);
	if (r < 0) {
		log_failure(LOG_LEVEL_ERROR, "agent.server_start", r, &err);
		(void)fsm_step(fsm, EV_FAILED, NULL);
		return;
	}
	log_info(adopted ? "agent.server_adopted" : "agent.server_started",
		 F("server", s->spec.argv[0]), F("pid", (int)s->process.pid));
}

static void wait_backoff(struct fsm *fsm, const void *arg)
{
	struct server *s = of(fsm);

	s->restarts++;
	if (loop_now(s->process.loop) - s->started_at >= SERVER_STEADY)
		s->backoff = SERVER_BACKOFF_MIN;
	loop_timer_start(s->process.loop, &s->timer, s->backoff, on_timer);
	s->backoff = s->backoff * 2 > SERVER_BACKOFF_MAX ? SERVER_BACKOFF_MAX : s->backoff * 2;
}

static void ask_to_stop(struct fsm *fsm, const void *arg)
{
	struct server *s = of(fsm);

	(void)process_signal(&s->process, s->stop_signal);
	loop_timer_start(s->process.loop, &s->timer, SERVER_STOP_TIMEOUT, on_timer);
}

static void force_stop(struct fsm *fsm, const void *arg)
{
	(void)process_signal(&of(fsm)->process, SIGKILL);
}

static void say_stopped(struct fsm *fsm, const void *arg)
{
	struct server *s = of(fsm);

	loop_timer_stop(s->process.loop, &s->timer);
	if (s->stopped)
		s->stopped(s);
}

static void after_stop(struct fsm *fsm, const void *arg)
{
	struct server *s = of(fsm);

	if (!s->restart_wanted) {
		say_stopped(fsm, arg);
		return;
	}
	loop_timer_stop(s->process.loop, &s->timer);
	s->restart_wanted = false;
	(void)fsm_step(fsm, EV_START, NULL);
}

void server_init(struct server *s, struct loop *loop, const struct process_spec *spec,
		 int stop_signal)
{
	*s = (struct server){ .spec = *spec,
			      .stop_signal = stop_signal,
			      .backoff = SERVER_BACKOFF_MIN,
			      .process.ended = on_ended };
	process_init(&s->process, loop);
	fsm_init(&s->fsm, &server_table, SS_IDLE);
}

void server_start(struct server *s)
{
	if (s->fsm.state == SS_IDLE)
		(void)fsm_step(&s->fsm, EV_START, NULL);
}

void server_stop(struct server *s)
{
	s->restart_wanted = false;
	if (s->fsm.state != SS_STOPPING)
		(void)fsm_step(&s->fsm, EV_STOP, NULL);
}

void server_restart(struct server *s)
{
	if (s->fsm.state != SS_RUNNING)
		return;
	s->restart_wanted = true;
	(void)fsm_step(&s->fsm, EV_STOP, NULL);
}

bool server_is_running(const struct server *s)
{
	return s->fsm.state == SS_RUNNING;
}

void server_done(struct server *s)
{
	loop_timer_stop(s->process.loop, &s->timer);
	process_release(&s->process);
}
