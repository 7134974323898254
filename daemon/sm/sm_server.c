/* SPDX-License-Identifier: Apache-2.0 */
/* sm_server.c - the session manager put together: sockets, stack, tables, start and end. */
#include "sm/sm_server.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "codec/sip/sip_msg.h"
#include "net/addr.h"
#include "net/tls.h"
#include "node/listen.h"
#include "node/node.h"
#include "node/node_sip.h"
#include "node/trace_ring.h"
#include "node/uc_model.h"
#include "sm/calls.h"
#include "sm/entity.h"
#include "sm/firewall.h"
#include "sm/late_ack.h"
#include "sm/location.h"
#include "sm/manage.h"
#include "sm/notifier.h"
#include "sm/persist.h"
#include "sm/proxy.h"
#include "sm/route.h"
#include "sm/resolve.h"
#include "sm/seats.h"
#include "sm/sm.h"
#include "sm/sm_options.h"
#include "stack/sip/sip_digest.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_wire.h"

#define SWEEP_MS 1000
#define CLOCK_SET_MS 1000 /* the wall clock moved by more: it was set */
#define SIP_PORT 5060
#define WSS_PORT 5443
#define RELAY_NAME "auraboxd" /* whose certificate may say where a browser is */

/* clang-format off */
static const struct metric_def metrics[SM_METRICS] = {
	[SM_REQUESTS_REGISTER]   = { METRIC_COUNTER, "aura_sm_requests_total", "method=\"REGISTER\"", "Requests received." },
	[SM_REQUESTS_INVITE]     = { METRIC_COUNTER, "aura_sm_requests_total", "method=\"INVITE\"", "Requests received." },
	[SM_REQUESTS_OTHER]      = { METRIC_COUNTER, "aura_sm_requests_total", "method=\"other\"", "Requests received." },
	[SM_CHALLENGES]          = { METRIC_COUNTER, "aura_sm_challenges_total", NULL, "Digest challenges sent." },
	[SM_PHASE_REFUSED]       = { METRIC_COUNTER, "aura_sm_phase_refused_total", NULL, "Requests with a phase from somebody who may not set one." },
	[SM_FROM_REFUSED]        = { METRIC_COUNTER, "aura_sm_from_refused_total", NULL, "Requests in the name of another user." },
	[SM_LOOPS]               = { METRIC_COUNTER, "aura_sm_loops_total", NULL, "Requests refused as loops." },
	[SM_CALLS_STARTED]       = { METRIC_COUNTER, "aura_sm_calls_total", NULL, "Calls begun." },
	[SM_CALLS_ANSWERED]      = { METRIC_COUNTER, "aura_sm_calls_answered_total", NULL, "Calls answered." },
	[SM_APPLICATION_FAILED]  = { METRIC_COUNTER, "aura_sm_application_failed_total", NULL, "Requests refused because an entity was dead." },
	[SM_APPLICATION_SKIPPED] = { METRIC_COUNTER, "aura_sm_application_skipped_total", NULL, "Optional applications passed over." },
	[SM_BINDINGS]            = { METRIC_GAUGE,   "aura_sm_bindings", NULL, "Contacts registered." },
	[SM_CALLS]               = { METRIC_GAUGE,   "aura_sm_calls", NULL, "Calls in progress." },
	[SM_LINKS_DOWN]          = { METRIC_GAUGE,   "aura_sm_links_down", NULL, "Entities that do not answer." },
	[SM_SUBSCRIPTIONS]       = { METRIC_GAUGE,   "aura_sm_subscriptions", NULL, "Subscriptions to events that sm serves." },
	[SM_ROUTED]              = { METRIC_COUNTER, "aura_sm_routed_total", NULL, "Requests that dial patterns and their like decided." },
	[SM_ALTERNATE_ROUTES]    = { METRIC_COUNTER, "aura_sm_alternate_routes_total", NULL, "Requests sent to another entity after the first choice." },
	[SM_FIREWALL_DENY]       = { METRIC_COUNTER, "aura_sm_firewall_blocked_total", "rule=\"deny\"", "Messages, connections and requests that the firewall did not let in." },
	[SM_FIREWALL_QUARANTINE] = { METRIC_COUNTER, "aura_sm_firewall_blocked_total", "rule=\"quarantine\"", "Messages, connections and requests that the firewall did not let in." },
	[SM_FIREWALL_SOURCE_RATE] = { METRIC_COUNTER, "aura_sm_firewall_blocked_total", "rule=\"source_rate\"", "Messages, connections and requests that the firewall did not let in." },
	[SM_FIREWALL_USER_RATE]  = { METRIC_COUNTER, "aura_sm_firewall_blocked_total", "rule=\"user_rate\"", "Messages, connections and requests that the firewall did not let in." },
	[SM_FIREWALL_CONNECTIONS] = { METRIC_COUNTER, "aura_sm_firewall_blocked_total", "rule=\"connections\"", "Messages, connections and requests that the firewall did not let in." },
	[SM_ENTITY_FULL]         = { METRIC_COUNTER, "aura_sm_entity_full_total", NULL, "Calls that an entity had no room for." },
	[SM_QUARANTINED]         = { METRIC_GAUGE,   "aura_sm_quarantined", NULL, "Addresses in quarantine." },
	[SM_STUN]                = { METRIC_COUNTER, "aura_sm_stun_total", NULL, "STUN Binding requests answered (keep-alives of phones over UDP)." },
	[SM_MESSAGES_READ]       = { METRIC_COUNTER, "aura_sm_messages_total", "result=\"read\"", "SIP messages that the firewall let in." },
	[SM_MESSAGES_UNREADABLE] = { METRIC_COUNTER, "aura_sm_messages_total", "result=\"unreadable\"", "SIP messages that the firewall let in." },
	[SM_MESSAGES_REFUSED]    = { METRIC_COUNTER, "aura_sm_messages_total", "result=\"malformed\"", "SIP messages that the firewall let in." },
	[SM_TXNS_SERVER]         = { METRIC_GAUGE,   "aura_sm_transactions", "side=\"server\"", "Transactions that have not ended." },
	[SM_TXNS_CLIENT]         = { METRIC_GAUGE,   "aura_sm_transactions", "side=\"client\"", "Transactions that have not ended." },
};
/* clang-format on */

const struct uc_model *sm_model(const struct sm *sm)
{
	return node_model(sm->node);
}

struct slice sm_domain(const struct sm *sm)
{
	return slice_str(uc_model_domain(node_model(sm->node)));
}

bool sm_uri_is_local(const struct sm *sm, const struct sip_uri *uri)
{
	if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
		return false;
	if (uc_domain_is_ours(sm_model(sm), uri->host))
		return true;
	return sip_wire_uri_is_mine(sm->wire, uri);
}

int64_t sm_wall_ms(const struct sm *sm)
{
	return clock_wall(loop_clock(sm->loop));
}

uint64_t sm_now_ms(const struct sm *sm)
{
	return loop_now(sm->loop);
}

int64_t sm_wall_at(struct sm *sm, uint64_t at_ms)
{
	int64_t offset = sm_wall_ms(sm) - (int64_t)sm_now_ms(sm);

	/* the loop's time is that of its last wake-up, so the two differ by a little each time */
	if (llabs(offset - sm->wall_offset_ms) > CLOCK_SET_MS)
		sm->wall_offset_ms = offset;
	return sm->wall_offset_ms + (int64_t)at_ms;
}

/* What the stack reports ------------------------------------------------------------------ */
static void on_request(void *user, const struct sip_incoming *in)
{
	router_request(user, in);
}

static void on_ack(void *user, const struct sip_incoming *in)
{
	router_ack(user, in);
}

static void on_closed(void *user, const struct sip_flow *flow, int reason)
{
	struct sm *sm = user;

	location_flow_closed(sm->location, flow->connection);
	metric_set(sm->metrics, SM_BINDINGS, (int64_t)location_count(sm->location));
	entities_flow_closed(sm->entities, flow);
}

static void on_trace(void *user, const struct sip_traced *traced)
{
	struct sm *sm = user;
	struct trace_fields fields;
	struct trace_entry entry = node_sip_trace_entry(traced, &fields);

	/* The probes of links would fill the ring. */
	if (trace_is_probe(&fields) && entity_by_flow(sm->entities, traced->flow))
		return;
	if (fields.gsid.len == 0 && !entry.alone)
		entry.gsid = calls_gsid(sm->calls, fields.call_id);
	trace_add(node_trace(sm->node), &entry);
}

static const struct sip_stack_handlers stack_handlers = {
	.request = on_request,
	.ack = on_ack,
	.closed = on_closed,
	.trace = on_trace,
};

/* The firewall, in front of everything --------------------------------------------------------- */
void sm_blocked(struct sm *sm, unsigned rule, const struct addr *from)
{
	char text[ADDR_TEXT_MAX];
	uint64_t unlogged;

	metric_add(sm->metrics, SM_FIREWALL_DENY + rule - FIREWALL_DENY, 1);
	if (firewall_blocked(sm->firewall, (enum firewall_rule)rule, sm_now_ms(sm), &unlogged))
		log_warning("firewall.blocked",
			    F("rule", firewall_rule_name((enum firewall_rule)rule)),
			    F("source", addr_format(from, text)), F("unlogged", unlogged));
}

static bool guard_accept(void *user, const struct addr *remote)
{
	struct sm *sm = user;
	enum firewall_rule rule = firewall_connect(sm->firewall, remote, sm_now_ms(sm));

	if (rule != FIREWALL_PASS)
		sm_blocked(sm, rule, remote);
	return rule == FIREWALL_PASS;
}

static void guard_left(void *user, const struct addr *remote)
{
	struct sm *sm = user;

	firewall_disconnect(sm->firewall, remote);
}

/* One of many behind an address may be too fast: its connection stays, an outlaw's ends. */
static int guard_message(void *user, const struct sip_flow *flow)
{
	struct sm *sm = user;
	enum firewall_rule rule = firewall_message(sm->firewall, &flow->remote, sm_now_ms(sm));

	if (rule == FIREWALL_PASS)
		return 0;
	sm_blocked(sm, rule, &flow->remote);
	return rule == FIREWALL_SOURCE_RATE ? 1 : -1;
}

static void guard_malformed(void *user, const struct sip_flow *flow)
{
	struct sm *sm = user;

	firewall_malformed(sm->firewall, &flow->remote, sm_now_ms(sm));
}

static const struct sip_wire_guard guard = {
	.accept = guard_accept,
	.left = guard_left,
	.message = guard_message,
	.malformed = guard_malformed,
};

static int build_firewall(struct sm *sm, struct error *err)
{
	const struct sm_options *o = sm->options;
	const struct firewall_config config = { .allow = o->firewall_allow,
						.deny = o->firewall_deny,
						.source_per_s = o->source_per_s,
						.source_burst = o->source_burst,
						.user_per_s = o->user_per_s,
						.user_burst = o->user_burst,
						.malformed_max = o->malformed_max,
						.failed_max = o->failed_max,
						.quarantine_s = o->quarantine_s,
						.connections_max = o->connections_max };

	return firewall_new(&config, &sm->firewall, err);
}

static void administer_firewall(struct sm *sm, const struct uc_model *model)
{
	int r = firewall_administer(sm->firewall, &uc_model_routing(model)->firewall);

	if (r < 0)
		log_failure(LOG_LEVEL_ERROR, "firewall.unchanged", r, NULL);
}

/* What is administered as an entity is no stranger. */
static void name_peers(struct sm *sm)
{
	struct addr peers[FIREWALL_NETS_MAX];
	size_t count = 0;

	for (struct entity *e = entity_next(sm->entities, NULL); e && count < FIREWALL_NETS_MAX;
	     e = entity_next(sm->entities, e))
		peers[count++] = e->ways[0].flow.remote;
	firewall_set_peers(sm->firewall, peers, count);
}

/* Every change of a binding is kept for a restart and told to who watches. */
static void binding_changed(void *user, enum location_event event, const char *handle,
			    const struct binding *binding)
{
	struct sm *sm = user;

	persist_binding(sm, event, handle, binding);
	notifier_binding(sm->notifier, event, handle, binding);
}

/* Start ----------------------------------------------------------------------------------- */
/* An advertised address stands for the listen points of its own family, a name for all. */
static const char *advertised(const struct node_identity *id, const struct addr *local)
{
	struct addr shown;

	if (addr_parse_ip(slice_str(id->advertise), 0, &shown) == 0 &&
	    addr_family(&shown) != addr_family(local))
		return NULL;
	return id->advertise;
}

static int listen_plain(struct sm *sm, const struct node_identity *id, const struct addr *local,
			enum sip_transport transport, struct error *err)
{
	const struct sip_listen point = { .transport = transport,
					  .local = *local,
					  .advertise_host = advertised(id, local) };

	return sip_wire_listen(sm->wire, &point, err);
}

static int listen_tls(struct sm *sm, const struct node_identity *id, const struct addr *local,
		      struct error *err)
{
	const struct tls_config server = { .server = true,
					   .verify = TLS_VERIFY_OPTIONAL,
					   .cert_file = id->cert_file,
					   .key_file = id->key_file,
					   .ca_file = id->ca_file };
	const struct tls_config client = { .verify = TLS_VERIFY_REQUIRED,
					   .cert_file = id->cert_file,
					   .key_file = id->key_file,
					   .ca_file = id->ca_file };
	AUTO(tls_context) struct tls_context *in = NULL;
	AUTO(tls_context) struct tls_context *out = NULL;
	struct sip_listen point = { .transport = SIP_TRANSPORT_TLS, .local = *local };
	int r;

	addr_set_port(&point.local, (uint16_t)(addr_port(local) + 1));
	r = tls_context_new(&server, &in, err);
	if (r < 0)
		return r;
	r = tls_context_new(&client, &out, err);
	if (r < 0)
		return r;
	point.tls = in;
	point.tls_out = out;
	return sip_wire_listen(sm->wire, &point, err);
}

/* WebSocket: with TLS, or in clear standalone on loopback. */
static int listen_ws(struct sm *sm, const struct addr *local, struct error *err)
{
	const struct node_identity *id = node_identity(sm->node);
	const struct tls_config server = { .server = true,
					   .verify = TLS_VERIFY_OPTIONAL,
					   .cert_file = id->cert_file,
					   .key_file = id->key_file,
					   .ca_file = id->ca_file };
	AUTO(tls_context) struct tls_context *in = NULL;
	struct sip_listen point = { .transport = SIP_TRANSPORT_WS,
				    .local = *local,
				    .advertise_host = advertised(id, local) };
	int r;

	if (id->cert_file[0]) {
		r = tls_context_new(&server, &in, err);
		if (r < 0)
			return r;
		point.transport = SIP_TRANSPORT_WSS;
		point.tls = in;
		point.relay = RELAY_NAME;
	} else if (!id->standalone || !addr_is_loopback(local)) {
		return error_set(err, -EACCES, "WebSocket without TLS is for loopback only");
	}
	return sip_wire_listen(sm->wire, &point, err);
}

static int listen_all_ws(struct sm *sm, struct error *err)
{
	const char *list = sm->options->wss_listen;
	struct addr local;
	int r = 0, found;

	for (size_t i = 0; r >= 0 && (found = node_listen_at(list, i, &local)) != -ENOENT; i++)
		r = found < 0 ? error_field(err, found, "sip.wss_listen",
					    "is not a list of ADDRESS:PORT")
			      : listen_ws(sm, &local, err);
	return r;
}

static int listen_at(struct sm *sm, const struct addr *local, struct error *err)
{
	const struct node_identity *id = node_identity(sm->node);
	struct addr ws = *local;
	int r;

	r = listen_plain(sm, id, local, SIP_TRANSPORT_UDP, err);
	if (r >= 0)
		r = listen_plain(sm, id, local, SIP_TRANSPORT_TCP, err);
	if (r >= 0 && id->cert_file[0])
		r = listen_tls(sm, id, local, err);
	addr_set_port(&ws, WSS_PORT);
	if (r >= 0 && id->cert_file[0] && addr_port(local) == SIP_PORT &&
	    !sm->options->wss_listen[0])
		r = listen_ws(sm, &ws, err);
	return r;
}

static int listen_all(struct sm *sm, struct error *err)
{
	const struct node_identity *id = node_identity(sm->node);
	struct addr own, more;
	int r;

	if (addr_parse_ip(slice_str(id->address), id->port, &own) < 0)
		return error_set(err, -EINVAL, "'%s' is no address to listen on", id->address);
	r = listen_at(sm, &own, err);
	for (size_t i = 1; r >= 0 && node_listen_at(sm->options->node.sip_listen, i, &more) == 0;
	     i++)
		r = listen_at(sm, &more, err);
	if (r >= 0)
		r = listen_all_ws(sm, err);
	if (r < 0)
		return r;
	sip_wire_add_host(sm->wire, uc_model_domain(node_model(sm->node)), &own);
	return 0;
}

/* A message is read and goes on to the transactions, or read but malformed, or no message at all. */
static void count_messages(struct sm *sm)
{
	const struct sip_wire_stats *wire = sip_wire_stats(sm->wire);
	struct sip_stack_stats stack = sip_stack_stats(sm->stack);

	metric_set(sm->metrics, SM_MESSAGES_READ, (int64_t)(wire->received - stack.rejected));
	metric_set(sm->metrics, SM_STUN, (int64_t)wire->stun);
	metric_set(sm->metrics, SM_MESSAGES_UNREADABLE, (int64_t)wire->malformed);
	metric_set(sm->metrics, SM_MESSAGES_REFUSED, (int64_t)stack.rejected);
	metric_set(sm->metrics, SM_TXNS_SERVER, stack.server_txns);
	metric_set(sm->metrics, SM_TXNS_CLIENT, stack.client_txns);
}

static void sweep(struct timer *timer)
{
	struct sm *sm = CONTAINER_OF(timer, struct sm, sweep);

	resolve_sweep(sm->resolve);
	location_expire(sm->location, sm_wall_ms(sm));
	calls_expire(sm->calls, sm_wall_ms(sm));
	seats_expire(sm->seats, sm_wall_ms(sm));
	metric_set(sm->metrics, SM_BINDINGS, (int64_t)location_count(sm->location));
	metric_set(sm->metrics, SM_CALLS, (int64_t)calls_count(sm->calls));
	metric_set(sm->metrics, SM_QUARANTINED,
		   (int64_t)firewall_quarantined(sm->firewall, sm_now_ms(sm)));
	count_messages(sm);
	loop_timer_start(sm->loop, &sm->sweep, SWEEP_MS, sweep);
}

static void stop(void *server)
{
	struct sm *sm = server;

	if (!sm)
		return;
	loop_timer_stop(sm->loop, &sm->sweep);
	proxy_free_all(sm);
	entities_free(sm->entities);
	late_ack_free_all(sm);
	resolve_free(sm->resolve);
	notifier_free(sm->notifier);
	sip_stack_free(sm->stack);
	sip_digest_free(sm->digest);
	location_free(sm->location);
	calls_free(sm->calls);
	seats_free(sm->seats);
	route_table_free(sm->routes);
	firewall_free(sm->firewall);
	free(sm);
}

static int build(struct sm *sm, struct error *err)
{
	/* What a phone may demand of its proxy (RFC 3323 section 4.2). */
	static const struct slice privacy = { "privacy", 7 };
	const struct sip_stack_config stack = { .loop = sm->loop,
						.product = "Aurabox-SM/" AURA_VERSION,
						.proxy = true,
						.supported = &privacy,
						.supported_count = 1 };
	const struct sip_digest_config digest = {
		.clock = loop_clock(sm->loop),
		.nonce_ttl_ms = sm->options->nonce_ttl_s * 1000,
		.algorithms = sm->options->digest_algorithms,
	};
	int r;

	r = build_firewall(sm, err);
	if (r == 0)
		r = sip_digest_new(&digest, &sm->digest, err);
	if (r == 0)
		r = location_new(binding_changed, sm, &sm->location);
	if (r == 0)
		r = calls_new(&sm->calls);
	if (r == 0)
		r = seats_new(&sm->seats);
	if (r == 0)
		r = route_table_new(node_model(sm->node), &sm->routes);
	if (r == 0)
		r = entities_new(sm, &sm->entities);
	if (r == 0)
		r = sip_stack_new(&stack, &stack_handlers, sm, &sm->stack, err);
	if (r < 0)
		return r;
	sm->wire = sip_stack_wire(sm->stack);
	sip_wire_set_guard(sm->wire, &guard, sm);
	sip_wire_answer_stun(sm->wire);
	r = notifier_new(sm, &sm->notifier, err);
	if (r < 0)
		return r;
	r = persist_load(sm, err);
	if (r == 0)
		r = notifier_load(sm->notifier, err);
	if (r == 0)
		r = listen_all(sm, err);
	return r < 0 ? r : resolve_new(sm, &sm->resolve, err);
}

static int start(struct node *node, void **ret, struct error *err)
{
	struct sm *sm = calloc(1, sizeof(*sm));
	int r;

	if (!sm)
		return error_set(err, -ENOMEM, "out of memory");
	sm->node = node;
	sm->loop = node_loop(node);
	sm->options = node_config(node);
	sm->metrics = node_metrics(node);
	list_init(&sm->proxies);
	list_init(&sm->late_acks);
	random_bytes(&sm->epoch, sizeof(sm->epoch));
	r = build(sm, err);
	if (r < 0) {
		stop(sm);
		return r;
	}
	entities_load(sm->entities, node_model(node));
	name_peers(sm);
	administer_firewall(sm, node_model(node));
	sweep(&sm->sweep);
	*ret = sm;
	return 0;
}

static void model_changed(void *server, const struct uc_model *old, const struct uc_model *now,
			  uint32_t sets)
{
	struct sm *sm = server;
	struct route_table *routes = NULL;

	/* It holds the model that it was made of; without memory the old one serves on. */
	if (route_table_new(node_model(sm->node), &routes) == 0) {
		route_table_free(sm->routes);
		sm->routes = routes;
	}
	if (sets & UC_SET_ENTITIES) {
		entities_load(sm->entities, now);
		name_peers(sm);
	}
	if (sets & UC_SET_FIREWALL)
		administer_firewall(sm, now);
	if (!(sets & UC_SET_USERS))
		return;
	for (size_t i = 0; i < uc_user_count(old); i++) {
		const struct uc_user *user = uc_user_at(old, i);

		if (!uc_user_by_handle(now, user->handle, strlen(user->handle)))
			location_forget(sm->location, slice_str(user->handle));
	}
	notifier_model_changed(sm->notifier, old, now);
}

const struct node_server sm_server = {
	.program = "aura-sm",
	.name = "sm",
	.port = 5060,
	.summary = "Session manager: SIP registrar, proxy and application sequencing.",
	.options = sm_option_table,
	.options_size = sizeof(struct sm_options),
	.metrics = metrics,
	.metric_count = SM_METRICS,
	.routes = manage_routes,
	.route_count = MANAGE_ROUTES,
	.start = start,
	.model_changed = model_changed,
	.stop = stop,
};
