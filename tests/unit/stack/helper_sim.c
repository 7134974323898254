/* SPDX-License-Identifier: Apache-2.0 */
/* helper_sim.c - see helper_sim.h. */
#include "helper_sim.h"

struct packet {
	struct timer timer;
	struct sim_node *to;
	size_t len;
	char bytes[];
};

static void packet_arrives(struct timer *t)
{
	struct packet *p = CONTAINER_OF(t, struct packet, timer);

	if (p->to->stack)
		sim_deliver(p->to, p->bytes);
	free(p);
}

void sim_deliver(struct sim_node *node, const char *text)
{
	struct sip_msg *msg = calloc(1, sizeof(*msg));
	char *copy = strdup(text);
	struct sip_incoming in = { .msg = msg, .peer_name = "", .local = &node->addr };

	in.flow = sim_flow(node->peer);
	if (node->sim->transport != SIP_TRANSPORT_UDP)
		in.flow.connection = 1;
	assert_int_equal(sip_msg_parse(slice_str(copy), msg), 0);
	sip_stack_message(node->stack, &in);
	free(copy);
	free(msg);
}

static int sim_prepare(void *user, struct sip_flow *flow, size_t length)
{
	struct sim_node *node = user;

	(void)length;
	flow->transport = node->sim->transport;
	flow->connection = node->sim->transport == SIP_TRANSPORT_UDP ? 0 : 1;
	return 0;
}

static void sim_via(void *user, const struct sip_flow *flow, struct slice branch, struct buf *out)
{
	struct sim_node *node = user;

	buf_printf(out, "SIP/2.0/%s %s:5060;branch=%.*s;rport",
		   flow->transport == SIP_TRANSPORT_UDP ? "UDP" : "TCP", node->host,
		   SLICE_ARG(branch));
}

static int sim_send(void *user, const struct sip_flow *flow, struct slice message)
{
	struct sim_node *node = user;
	struct packet *p;

	(void)flow;
	if (node->send_result != 0)
		return node->send_result;
	if (node->sent < SIM_SENT_MAX)
		node->log[node->sent] = slice_dup(message);
	node->sent++;
	if ((unsigned int)rand_r(&node->sim->seed) % 100 < node->sim->loss_percent)
		return 0;
	p = calloc(1, sizeof(*p) + message.len + 1);
	assert_non_null(p);
	p->to = node->peer;
	memcpy(p->bytes, message.p, message.len);
	timer_start(&node->sim->timers, &p->timer, 10, packet_arrives);
	return 0;
}

static int sim_reply_flow(void *user, const struct sip_flow *request, const struct sip_via *via,
			  struct sip_flow *ret)
{
	(void)user;
	(void)via;
	*ret = *request;
	return 0;
}

static int sim_resolve(void *user, const struct sip_uri *uri, struct sip_flow *ret)
{
	struct sim_node *node = user;

	(void)uri;
	*ret = sim_flow(node->peer);
	return 0;
}

static bool sim_is_open(void *user, const struct sip_flow *flow)
{
	(void)user;
	(void)flow;
	return true;
}

static void sim_uri(void *user, uint32_t listen, struct buf *out)
{
	struct sim_node *node = user;

	(void)listen;
	buf_printf(out, "sip:%s:5060", node->host);
}

struct sip_flow sim_flow(const struct sim_node *to)
{
	return (struct sip_flow){ .transport = to->sim->transport, .remote = to->addr };
}

void sim_init(struct sim *sim, enum sip_transport transport)
{
	*sim = (struct sim){ .transport = transport, .seed = 1 };
	timer_wheel_init(&sim->timers, 1000);
	sim->a = (struct sim_node){ .sim = sim, .host = "192.0.2.1", .peer = &sim->b };
	sim->b = (struct sim_node){ .sim = sim, .host = "192.0.2.2", .peer = &sim->a };
	assert_int_equal(addr_parse(SLICE("192.0.2.1:5060"), 0, &sim->a.addr), 0);
	assert_int_equal(addr_parse(SLICE("192.0.2.2:5060"), 0, &sim->b.addr), 0);
}

int sim_start(struct sim_node *node, const struct sip_stack_handlers *handlers, void *user)
{
	struct sip_way way = { .prepare = sim_prepare,
			       .via = sim_via,
			       .send = sim_send,
			       .reply_flow = sim_reply_flow,
			       .resolve = sim_resolve,
			       .is_open = sim_is_open,
			       .uri = sim_uri,
			       .user = node };
	struct sip_stack_config config = { .product = "Test", .transactions_max = 64 };

	return sip_stack_new_over(&config, &node->sim->timers, &way, handlers, user, &node->stack);
}

void sim_run(struct sim *sim, uint64_t ms)
{
	timer_wheel_advance(&sim->timers, sim->timers.now_ms + ms);
}

static void stop(struct sim_node *node)
{
	node->stack = sip_stack_free(node->stack);
	for (unsigned int i = 0; i < node->sent && i < SIM_SENT_MAX; i++)
		free(node->log[i]);
	node->sent = 0;
}

void sim_done(struct sim *sim)
{
	stop(&sim->a);
	stop(&sim->b);
	sim_run(sim, 100); /* packets still in the air */
	assert_int_equal(sim->timers.count, 0);
}

const struct sip_msg *sim_sent(struct sim_node *node, unsigned int i)
{
	static struct sip_msg msg;

	assert_true(i < node->sent && i < SIM_SENT_MAX);
	assert_int_equal(sip_msg_parse(slice_str(node->log[i]), &msg), 0);
	return &msg;
}

unsigned int sim_count(const struct sim_node *node, const char *start)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < node->sent && i < SIM_SENT_MAX; i++)
		count += strncmp(node->log[i], start, strlen(start)) == 0;
	return count;
}
