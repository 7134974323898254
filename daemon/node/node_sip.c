/* SPDX-License-Identifier: Apache-2.0 */
/* node_sip.c - listen points, trusted links and message trace of a call server behind sm. */
#include "node/node_sip.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/loop.h"
#include "codec/sip/sip_msg.h"
#include "net/addr.h"
#include "net/tls.h"
#include "node/listen.h"
#include "node/node.h"
#include "node/trace_ring.h"
#include "stack/sip/sip_flow.h"
#include "stack/sip/sip_guard.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_wire.h"

#define SIP_TLS_PORT 5061

static int listen_plain(struct sip_wire *wire, const struct node_identity *id,
			const struct addr *local, struct error *err)
{
	static const enum sip_transport transports[] = { SIP_TRANSPORT_UDP, SIP_TRANSPORT_TCP };

	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		struct sip_listen point = { .transport = transports[i],
					    .local = *local,
					    .advertise_host = id->advertise };
		int r = sip_wire_listen(wire, &point, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int listen_tls(struct sip_wire *wire, const struct node_identity *id,
		      const struct addr *local, struct error *err)
{
	struct tls_config config = {
		.server = true,
		.verify = TLS_VERIFY_REQUIRED,
		.cert_file = id->cert_file,
		.key_file = id->key_file,
		.ca_file = id->ca_file,
	};
	AUTO(tls_context) struct tls_context *in = NULL;
	AUTO(tls_context) struct tls_context *out = NULL;
	struct sip_listen point = { .transport = SIP_TRANSPORT_TLS, .local = *local };
	int r;

	r = tls_context_new(&config, &in, err);
	if (r < 0)
		return r;
	config.server = false;
	r = tls_context_new(&config, &out, err);
	if (r < 0)
		return r;
	point.tls = in;
	point.tls_out = out;
	r = sip_wire_listen(wire, &point, err);
	return r < 0 ? r : 0;
}

/* asked: the port is what [sip] listen says, not the one that comes with the program. */
static int listen_at(struct sip_wire *wire, const struct node_identity *id, struct addr *local,
		     bool asked, struct error *err)
{
	bool secure = id->cert_file[0] != '\0';
	int r = 0;

	if (id->standalone && addr_is_loopback(local))
		r = listen_plain(wire, id, local, err);
	else if (!secure)
		r = error_set(err, -EACCES,
			      "without a certificate SIP is served standalone on loopback only");
	if (r < 0 || !secure)
		return r;

	if (id->standalone)
		addr_set_port(local, (uint16_t)(addr_port(local) + 1));
	else if (!asked)
		addr_set_port(local, SIP_TLS_PORT);
	return listen_tls(wire, id, local, err);
}

int node_sip_listen(struct node *node, struct sip_stack *stack, struct error *err)
{
	const struct node_identity *id = node_identity(node);
	const struct node_options *options = node_config(node);
	struct sip_wire *wire = sip_stack_wire(stack);
	struct addr local;
	int r;

	if (addr_parse_ip(slice_str(id->address), id->port, &local) < 0)
		return error_set(err, -EINVAL, "'%s' is no address to listen on", id->address);
	r = listen_at(wire, id, &local, options->sip_listen[0] != '\0', err);
	for (size_t i = 1; r >= 0 && node_listen_at(options->sip_listen, i, &local) == 0; i++)
		r = listen_at(wire, id, &local, true, err);
	return r;
}

bool node_sip_link_matches(const struct uc_model *model, enum uc_entity_type type,
			   const char *peer_name, const struct addr *remote, bool udp)
{
	for (size_t i = 0; i < uc_entity_count(model); i++) {
		const struct uc_entity *e = uc_entity_at(model, i);
		struct addr addr;

		if (e->type != type)
			continue;
		if (peer_name[0] != '\0') {
			if (strcmp(e->name, peer_name) == 0)
				return true;
			continue;
		}
		if (e->transport == UC_TLS || !addr_is_loopback(remote) ||
		    addr_parse_ip(slice_str(e->address), e->port, &addr) < 0)
			continue;
		if (udp ? addr_equal(&addr, remote) : addr_equal_ip(&addr, remote))
			return true;
	}
	return peer_name[0] != '\0' && strcmp(peer_name, uc_entity_type_name(type)) == 0;
}

bool node_sip_trusted(const struct node *node, const struct sip_incoming *in,
		      enum uc_entity_type type)
{
	bool tls = in->flow.transport == SIP_TRANSPORT_TLS;

	/* A TLS peer without a name never gets in by its address. */
	if (tls && in->peer_name[0] == '\0')
		return false;
	return node_sip_link_matches(node_model(node), type, tls ? in->peer_name : "",
				     &in->flow.remote, in->flow.transport == SIP_TRANSPORT_UDP);
}

void node_sip_party(const struct sip_uri *uri, struct node_party *ret)
{
	int n = sip_unescape(uri->user, ret->user, sizeof(ret->user) - 1);

	ret->user[n > 0 ? n : 0] = '\0';
	ret->host = uri->host;
}

bool node_sip_asserted(const struct sip_msg *msg, struct node_party *ret)
{
	struct sip_values it = sip_values_of(msg, SIP_HDR_P_ASSERTED_IDENTITY);
	struct sip_addr addr;
	struct slice value;

	*ret = (struct node_party){ 0 };
	while (sip_values_next(&it, &value)) {
		if (sip_addr_parse(value, &addr) == 0 && addr.uri.scheme != SIP_SCHEME_TEL &&
		    addr.uri.user.len > 0) {
			node_sip_party(&addr.uri, ret);
			return true;
		}
	}
	return false;
}

bool node_sip_host_is_ours(const struct uc_model *model, struct slice host)
{
	if (slice_eq_str_nocase(host, uc_model_domain(model)))
		return true;
	for (size_t i = 0; i < uc_entity_count(model); i++) {
		const struct uc_entity *e = uc_entity_at(model, i);

		if (e->type == UC_ENTITY_SM && slice_eq_str_nocase(host, e->address))
			return true;
	}
	return false;
}

const struct uc_user *node_sip_user(const struct uc_model *model, struct slice user,
				    struct slice host)
{
	const struct uc_user *found;

	if (user.len == 0 || !node_sip_host_is_ours(model, host))
		return NULL;
	found = uc_user_by_handle(model, user.p, user.len);
	return found ? found : uc_user_by_extension(model, user.p, user.len);
}

/* A registration, or a question for abilities outside of any dialog. */
static bool is_alone(const struct sip_msg *request)
{
	if (!request->request ||
	    (request->method != SIP_REGISTER && request->method != SIP_OPTIONS))
		return false;
	/* mostly there is no parameter at all */
	return slice_find(sip_msg_value(request, SIP_HDR_TO), ';') < 0 ||
	       sip_msg_to_tag(request).len == 0;
}

struct trace_entry node_sip_trace_entry(const struct sip_traced *traced,
					struct trace_fields *fields)
{
	const struct sip_msg *msg = traced->msg;
	struct trace_entry entry = {
		.direction = traced->sent ? TRACE_OUT : TRACE_IN,
		.at_us = clock_wall_us(),
		.transport = sip_flow_transport_text(traced->flow),
		.local = traced->local,
		.remote = &traced->flow->remote,
		.fields = fields,
		.message = traced->bytes,
		.alone = msg && is_alone(msg),
	};

	if (!msg || (traced->sent && !entry.alone)) {
		*fields = trace_scan(traced->bytes);
		return entry;
	}
	*fields = (struct trace_fields){
		.cseq = sip_msg_value(msg, SIP_HDR_CSEQ),
		.gsid = sip_msg_value(msg, SIP_HDR_AV_GLOBAL_SESSION_ID),
		.call_id = traced->sent ? (struct slice){ 0 } : sip_msg_call_id(msg),
	};
	return entry;
}

void node_sip_trace(struct node *node, const struct sip_traced *traced)
{
	struct trace_fields fields;
	struct trace_entry entry = node_sip_trace_entry(traced, &fields);

	/* sm's probes of the link would fill the ring. */
	if (!trace_is_probe(&fields))
		trace_add(node_trace(node), &entry);
}
