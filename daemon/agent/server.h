/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - keeps the guest's server process running: start, restart with backoff, stop. */
#pragma once
#include "agent/process.h"
#include "base/fsm.h"

#define SERVER_BACKOFF_MIN 200	  /* ms until the first restart, doubled each time */
#define SERVER_BACKOFF_MAX 5000	  /* ms */
#define SERVER_STEADY 10000	  /* ms of running after which the backoff begins anew */
#define SERVER_STOP_TIMEOUT 15000 /* ms from the stop signal to SIGKILL */

struct server {
	struct fsm fsm;
	struct process process;
	struct timer timer;
	struct process_spec spec;
	int stop_signal;
	uint32_t backoff;		   /* ms, of the next restart */
	uint64_t started_at;		   /* ms, monotonic */
	uint32_t restarts;		   /* times it ended by itself */
	bool restart_wanted;		   /* stopped only to be started again */
	void (*stopped)(struct server *s); /* after server_stop(): nothing runs any more */
};

/* spec and what it points to must outlive the server. */
void server_init(struct server *s, struct loop *loop, const struct process_spec *spec,
		 int stop_signal);
/* Take over a running one, else start one. Nothing happens when it runs or is being stopped. */
void server_start(struct server *s);
/* End it, then call stopped(); also when nothing runs. */
void server_stop(struct server *s);
/* End it and start it again with what changed. Nothing happens unless it runs. */
void server_restart(struct server *s);
bool server_is_running(const struct server *s);
void server_done(struct server *s);
/* The table, for tests. */
extern const struct fsm_table server_table;
