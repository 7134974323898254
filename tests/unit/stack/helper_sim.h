/* SPDX-License-Identifier: Apache-2.0 */
/* helper_sim.h - two SIP stacks joined by a simulated network: loss, delay, no sockets, own time. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after those above */
#include <cmocka.h>

#include "stack/sip/sip_private.h"

#define SIM_SENT_MAX 512

struct sim;

struct sim_node {
	struct sim *sim;
	struct sip_stack *stack;
	const char *host; /* of its Via */
	struct addr addr;
	struct sim_node *peer;
	unsigned int sent;
	int send_result;	 /* what the next sends return when not 0 */
	char *log[SIM_SENT_MAX]; /* every message it sent */
};

struct sim {
	struct timer_wheel timers;
	enum sip_transport transport;
	unsigned int loss_percent;
	unsigned int seed;
	struct sim_node a, b;
};

/* Message i that the node sent, parsed; the storage is shared. */
const struct sip_msg *sim_sent(struct sim_node *node, unsigned int i);
/* How many of the sent messages start with that text. */
unsigned int sim_count(const struct sim_node *node, const char *start);

void sim_init(struct sim *sim, enum sip_transport transport);
int sim_start(struct sim_node *node, const struct sip_stack_handlers *handlers, void *user);
void sim_done(struct sim *sim);
void sim_run(struct sim *sim, uint64_t ms);
/* Give a node a message as if the peer had sent it. */
void sim_deliver(struct sim_node *node, const char *text);
struct sip_flow sim_flow(const struct sim_node *to);
