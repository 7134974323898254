/* SPDX-License-Identifier: Apache-2.0 */
/* The wire over loopback: datagrams, connections and their reuse, Via, names, limits. */
#include "helper_sim.h"

#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "net/pki.h"
#include "net/tls.h"

#define OPTIONS(transport, port, extra)                                                            \
	"OPTIONS sip:b@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/" transport " 127.0.0.1:" port            \
	";branch=z9hG4bKw;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n" \
	"Call-ID: w\r\nCSeq: 1 OPTIONS\r\n" extra "Content-Length: 0\r\n\r\n"

struct box {
	struct loop *loop;
	struct sip_wire *wire;
	unsigned int messages, closed, traced;
	int reason;
	struct sip_flow flow; /* of the last message */
	char via[256];
	char uri[128];
};

static void on_message(void *user, const struct sip_incoming *in)
{
	struct box *box = user;

	box->messages++;
	box->flow = in->flow;
	(void)slice_copy(sip_msg_value(in->msg, SIP_HDR_VIA), box->via, sizeof(box->via));
	(void)slice_copy(in->msg->uri, box->uri, sizeof(box->uri));
}

static void on_closed(void *user, const struct sip_flow *flow, int reason)
{
	struct box *box = user;

	(void)flow;
	box->closed++;
	box->reason = reason;
}

static void on_trace(void *user, const struct sip_traced *traced)
{
	struct box *box = user;

	assert_non_null(traced->local);
	assert_true(traced->bytes.len > 0);
	assert_true(traced->sent == (traced->msg == NULL));
	if (traced->msg)
		assert_ptr_equal(traced->msg->raw.p, traced->bytes.p);
	box->traced++;
}

static const struct sip_wire_handlers handlers = { on_message, on_closed, on_trace };

static void open_box(struct box *box, struct loop *loop)
{
	static const enum sip_transport both[] = { SIP_TRANSPORT_UDP, SIP_TRANSPORT_TCP };
	struct sip_wire_limits limits = { .first_message_ms = 50 };

	*box = (struct box){ .loop = loop };
	assert_int_equal(sip_wire_new(loop, &limits, &handlers, box, &box->wire, NULL), 0);
	for (size_t i = 0; i < 2; i++) {
		struct sip_listen listen = { .transport = both[i] };

		assert_int_equal(addr_parse(SLICE("127.0.0.1:0"), 0, &listen.local), 0);
		assert_int_equal(sip_wire_listen(box->wire, &listen, NULL), i);
	}
}

static void turn(struct loop *loop, const unsigned int *count, unsigned int want)
{
	uint64_t end = clock_now(clock_system()) + 5000;

	while (*count < want && clock_now(clock_system()) < end)
		assert_true(loop_turn(loop, 10) >= 0);
	assert_int_equal(*count, want);
}

static struct sip_flow flow_to(const struct box *to, uint32_t listen)
{
	return (struct sip_flow){ .transport = listen ? SIP_TRANSPORT_TCP : SIP_TRANSPORT_UDP,
				  .listen = SIP_LISTEN_ANY,
				  .remote = *sip_wire_local(to->wire, listen) };
}

struct two {
	struct loop *loop;
	struct box a, b;
};

static void begin(struct two *t)
{
	assert_int_equal(loop_new(NULL, &t->loop), 0);
	open_box(&t->a, t->loop);
	open_box(&t->b, t->loop);
}

static void end(struct two *t)
{
	sip_wire_free(t->a.wire);
	sip_wire_free(t->b.wire);
	for (int i = 0; i < 5; i++)
		(void)loop_turn(t->loop, 2);
	loop_free(t->loop);
}

static void a_datagram_gets_its_real_source(void **state)
{
	struct sip_flow flow;
	char want[128];
	struct two t;

	(void)state;
	begin(&t);
	flow = flow_to(&t.b, 0);
	assert_int_equal(sip_wire_prepare(t.a.wire, &flow, 300), 0);
	assert_int_equal(sip_wire_send(t.a.wire, &flow, SLICE(OPTIONS("UDP", "9", ""))), 0);
	turn(t.loop, &t.b.messages, 1);
	(void)snprintf(want, sizeof(want), "rport=%u", addr_port(sip_wire_local(t.a.wire, 0)));
	assert_non_null(strstr(t.b.via, want));
	assert_non_null(strstr(t.b.via, "received=127.0.0.1"));
	assert_int_equal(t.a.traced, 1);
	assert_int_equal(t.b.traced, 1);
	end(&t);
}

static void a_connection_is_used_again_in_both_directions(void **state)
{
	struct sip_flow flow, back, again;
	struct two t;

	(void)state;
	begin(&t);
	flow = flow_to(&t.b, 1);
	assert_int_equal(sip_wire_prepare(t.a.wire, &flow, 300), 0);
	assert_true(flow.connection != 0);
	/* Before it stands, and two in one segment. */
	assert_int_equal(sip_wire_send(t.a.wire, &flow, SLICE(OPTIONS("TCP", "9", ""))), 0);
	assert_int_equal(sip_wire_send(t.a.wire, &flow, SLICE(OPTIONS("TCP", "9", ""))), 0);
	turn(t.loop, &t.b.messages, 2);
	again = flow_to(&t.b, 1);
	assert_int_equal(sip_wire_prepare(t.a.wire, &again, 300), 0);
	assert_int_equal(again.connection, flow.connection);
	back = t.b.flow;
	assert_int_equal(sip_wire_prepare(t.b.wire, &back, 300), 0);
	assert_int_equal(sip_wire_send(t.b.wire, &back, SLICE(OPTIONS("TCP", "9", ""))), 0);
	turn(t.loop, &t.a.messages, 1);
	assert_int_equal(sip_wire_stats(t.b.wire)->accepted, 1);
	/* It closes: told on both sides, and no longer usable. */
	sip_wire_close(t.b.wire, t.b.flow.connection);
	turn(t.loop, &t.b.closed, 1);
	turn(t.loop, &t.a.closed, 1);
	assert_false(sip_wire_is_open(t.a.wire, &flow));
	assert_int_equal(sip_wire_prepare(t.a.wire, &flow, 300), -ENOTCONN);
	assert_int_equal(sip_wire_send(t.a.wire, &flow, SLICE("x")), -ENOTCONN);
	end(&t);
}

static void a_long_request_goes_by_tcp(void **state)
{
	struct sip_flow flow, small;
	struct two t;

	(void)state;
	begin(&t);
	small = flow = flow_to(&t.b, 0);
	flow.remote = *sip_wire_local(t.b.wire, 1);
	assert_int_equal(sip_wire_prepare(t.a.wire, &flow, 1301), 0);
	assert_int_equal(flow.transport, SIP_TRANSPORT_TCP);
	assert_int_equal(sip_wire_prepare(t.a.wire, &small, 1300), 0);
	assert_int_equal(small.transport, SIP_TRANSPORT_UDP);
	end(&t);
}

static void a_refused_connection_is_told(void **state)
{
	struct sip_flow flow;
	struct two t;
	int r;

	(void)state;
	begin(&t);
	flow = flow_to(&t.b, 1);
	t.b.wire = sip_wire_free(t.b.wire);
	r = sip_wire_prepare(t.a.wire, &flow, 300);
	if (r == 0) {
		turn(t.loop, &t.a.closed, 1);
		r = t.a.reason;
	}
	assert_int_equal(r, -ECONNREFUSED);
	end(&t);
}

static void bytes_that_are_no_sip_close_a_connection(void **state)
{
	struct sip_flow flow;
	struct two t;

	(void)state;
	begin(&t);
	flow = flow_to(&t.b, 1);
	assert_int_equal(sip_wire_prepare(t.a.wire, &flow, 300), 0);
	assert_int_equal(sip_wire_send(t.a.wire, &flow, SLICE("\x16\x03\x01 hello\r\n\r\n")), 0);
	turn(t.loop, &t.b.closed, 1);
	assert_int_equal(t.b.messages, 0);
	end(&t);
}

static void a_silent_connection_is_closed_and_a_ping_answered(void **state)
{
	struct sip_flow flow;
	struct two t;

	(void)state;
	begin(&t);
	flow = flow_to(&t.b, 1);
	assert_int_equal(sip_wire_prepare(t.a.wire, &flow, 300), 0);
	turn(t.loop, &t.b.closed, 1); /* 50 ms in this test */
	assert_int_equal(t.b.reason, -ECANCELED);
	flow = flow_to(&t.b, 1);
	turn(t.loop, &t.a.closed, 1);
	assert_int_equal(sip_wire_prepare(t.a.wire, &flow, 300), 0);
	assert_int_equal(sip_wire_send(t.a.wire, &flow, SLICE("\r\n\r\n")), 0);
	for (int i = 0; i < 20; i++)
		(void)loop_turn(t.loop, 5);
	assert_int_equal(sip_wire_stats(t.b.wire)->keepalives, 1);
	assert_int_equal(t.b.closed, 1); /* the ping kept it */
	end(&t);
}

static void uris_are_resolved(void **state)
{
	static const struct {
		const char *uri, *addr;
		enum sip_transport transport;
		int r;
	} cases[] = {
		{ "sip:3001@127.0.0.9", "127.0.0.9:5060", SIP_TRANSPORT_UDP, 0 },
		{ "sip:127.0.0.9:5070;transport=tcp", "127.0.0.9:5070", SIP_TRANSPORT_TCP, 0 },
		{ "sip:sm.test;lr", "127.0.0.11:5060", SIP_TRANSPORT_UDP, 0 },
		{ "sip:SM.Test:99;lr", "127.0.0.11:99", SIP_TRANSPORT_UDP, 0 },
		{ "sip:x@nowhere;maddr=127.0.0.8", "127.0.0.8:5060", SIP_TRANSPORT_UDP, 0 },
		{ "sip:x@nowhere.test", "", SIP_TRANSPORT_UDP, -EADDRNOTAVAIL },
		{ "sips:127.0.0.1", "", SIP_TRANSPORT_UDP, -EPROTONOSUPPORT },
		{ "sip:127.0.0.1;transport=tls", "", SIP_TRANSPORT_UDP, -EPROTONOSUPPORT },
		{ "tel:+123", "", SIP_TRANSPORT_UDP, -EPROTONOSUPPORT },
	};
	struct addr sm;
	struct two t;

	(void)state;
	begin(&t);
	assert_int_equal(addr_parse_ip(SLICE("127.0.0.11"), 0, &sm), 0);
	assert_int_equal(sip_wire_add_host(t.a.wire, "sm.test", &sm), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sip_flow flow;
		struct sip_uri uri;
		char text[ADDR_TEXT_MAX];

		assert_int_equal(sip_uri_parse(slice_str(cases[i].uri), &uri), 0);
		assert_int_equal(sip_wire_resolve(t.a.wire, &uri, &flow), cases[i].r);
		if (cases[i].r < 0)
			continue;
		assert_string_equal(addr_format(&flow.remote, text), cases[i].addr);
		assert_int_equal(flow.transport, cases[i].transport);
	}
	end(&t);
}

static void the_wire_knows_itself(void **state)
{
	struct sip_listen listen = { .transport = SIP_TRANSPORT_UDP,
				     .advertise_host = "box.test",
				     .advertise_port = 5060 };
	char text[128];
	AUTO_BUF out = { 0 };
	struct sip_flow flow = { .transport = SIP_TRANSPORT_UDP, .listen = 2 };
	struct two t;
	uint16_t port;

	(void)state;
	begin(&t);
	assert_int_equal(addr_parse(SLICE("127.0.0.1:0"), 0, &listen.local), 0);
	assert_int_equal(sip_wire_listen(t.a.wire, &listen, NULL), 2);
	port = addr_port(sip_wire_local(t.a.wire, 0));
	assert_true(sip_wire_is_mine(t.a.wire, SLICE("127.0.0.1"), port));
	assert_false(sip_wire_is_mine(t.a.wire, SLICE("127.0.0.2"), port));
	assert_false(sip_wire_is_mine(t.a.wire, SLICE("127.0.0.1"), (uint16_t)(port + 1)));
	assert_true(sip_wire_is_mine(t.a.wire, SLICE("BOX.test"), 5060));
	assert_true(sip_wire_is_mine(t.a.wire, SLICE("box.test"), 0));
	assert_false(sip_wire_is_mine(t.a.wire, SLICE("box.test"), 5061));
	sip_wire_via(t.a.wire, &flow, SLICE("z9hG4bKq"), &out);
	assert_true(
		slice_eq_str(buf_slice(&out), "SIP/2.0/UDP box.test:5060;branch=z9hG4bKq;rport"));
	buf_reset(&out);
	sip_wire_uri(t.a.wire, 1, SLICE("3001"), &out);
	(void)snprintf(text, sizeof(text), "sip:3001@127.0.0.1:%u;transport=tcp",
		       addr_port(sip_wire_local(t.a.wire, 1)));
	assert_true(slice_eq_str(buf_slice(&out), text));
	buf_reset(&out);
	sip_wire_sips_uri(t.a.wire, 2, &out); /* no TLS there */
	assert_true(slice_eq_str(buf_slice(&out), "sip:box.test:5060"));
	end(&t);
}

static void replies_go_where_the_via_says(void **state)
{
	struct sip_flow request = { .transport = SIP_TRANSPORT_UDP }, flow;
	struct sip_via via;
	char text[ADDR_TEXT_MAX];
	struct two t;

	(void)state;
	begin(&t);
	assert_int_equal(addr_parse(SLICE("192.0.2.9:4444"), 0, &request.remote), 0);
	assert_int_equal(sip_via_parse(SLICE("SIP/2.0/UDP h;rport=4444;received=192.0.2.9"), &via),
			 0);
	assert_int_equal(sip_wire_reply_flow(t.a.wire, &request, &via, &flow), 0);
	assert_string_equal(addr_format(&flow.remote, text), "192.0.2.9:4444");
	assert_int_equal(sip_via_parse(SLICE("SIP/2.0/UDP h:5070;received=192.0.2.9"), &via), 0);
	assert_int_equal(sip_wire_reply_flow(t.a.wire, &request, &via, &flow), 0);
	assert_string_equal(addr_format(&flow.remote, text), "192.0.2.9:5070");
	assert_int_equal(sip_via_parse(SLICE("SIP/2.0/UDP h;received=192.0.2.9"), &via), 0);
	assert_int_equal(sip_wire_reply_flow(t.a.wire, &request, &via, &flow), 0);
	assert_string_equal(addr_format(&flow.remote, text), "192.0.2.9:5060");
	end(&t);
}

/* TLS between two servers: each names the other by certificate. */
struct identity {
	char dir[64];
	struct pki_ca *ca;
	struct tls_context *in, *out;
};

static void make_identity(struct identity *id, const char *name)
{
	const struct pki_subject subject = {
		.common_name = name, .ip = { "127.0.0.1" }, .server = true, .client = true
	};
	char cert[128], key[128], ca[128];
	struct tls_config config = { .server = true,
				     .verify = TLS_VERIFY_REQUIRED,
				     .cert_file = cert,
				     .key_file = key,
				     .ca_file = ca };

	assert_int_equal(pki_ca_issue_local(id->ca, id->dir, name, &subject, NULL), 1);
	(void)snprintf(cert, sizeof(cert), "%s/%s.pem", id->dir, name);
	(void)snprintf(key, sizeof(key), "%s/%s-key.pem", id->dir, name);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", id->dir);
	assert_int_equal(tls_context_new(&config, &id->in, NULL), 0);
	config.server = false;
	assert_int_equal(tls_context_new(&config, &id->out, NULL), 0);
}

static void listen_tls(struct box *box, const struct identity *id)
{
	struct sip_listen listen = { .transport = SIP_TRANSPORT_TLS,
				     .tls = id->in,
				     .tls_out = id->out };

	assert_int_equal(addr_parse(SLICE("127.0.0.1:0"), 0, &listen.local), 0);
	assert_int_equal(sip_wire_listen(box->wire, &listen, NULL), 2);
}

static void remove_files(const struct identity *id)
{
	static const char *const names[] = { "ca", "ca-key", "sm", "sm-key", "cm", "cm-key" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s.pem", id->dir, names[i]);
		(void)remove(path);
	}
	assert_int_equal(remove(id->dir), 0);
}

static void servers_know_each_other_by_certificate(void **state)
{
	struct identity sm = { .dir = "/tmp/aura-test-XXXXXX" }, cm;
	struct sip_flow flow;
	struct sip_uri uri;
	char text[128];
	struct two t;

	(void)state;
	assert_non_null(mkdtemp(sm.dir));
	assert_int_equal(pki_ca_open(sm.dir, "Test", &sm.ca, NULL), 0);
	cm = sm;
	make_identity(&sm, "sm");
	make_identity(&cm, "cm");
	begin(&t);
	listen_tls(&t.a, &sm);
	listen_tls(&t.b, &cm);
	(void)snprintf(text, sizeof(text), "sip:127.0.0.1:%u;transport=tls;lr",
		       addr_port(sip_wire_local(t.b.wire, 2)));
	assert_int_equal(sip_uri_parse(slice_str(text), &uri), 0);
	assert_int_equal(sip_wire_resolve(t.a.wire, &uri, &flow), 0);
	assert_int_equal(sip_wire_prepare(t.a.wire, &flow, 300), 0);
	assert_int_equal(sip_wire_send(t.a.wire, &flow, SLICE(OPTIONS("TLS", "9", ""))), 0);
	turn(t.loop, &t.b.messages, 1);
	assert_string_equal(sip_wire_peer_name(t.b.wire, &t.b.flow), "sm");
	assert_string_equal(sip_wire_peer_name(t.a.wire, &flow), "cm");
	assert_int_equal(t.b.flow.transport, SIP_TRANSPORT_TLS);
	/* A name that the certificate does not carry is not talked to. */
	(void)slice_copy(SLICE("evil.test"), flow.tls_name, sizeof(flow.tls_name));
	flow.connection = 0;
	assert_int_equal(sip_wire_prepare(t.a.wire, &flow, 300), 0);
	assert_int_equal(sip_wire_send(t.a.wire, &flow, SLICE(OPTIONS("TLS", "9", ""))), 0);
	turn(t.loop, &t.a.closed, 1);
	assert_int_equal(t.a.reason, -EPROTO);
	assert_int_equal(t.b.messages, 1);
	end(&t);
	remove_files(&sm);
	tls_context_unref(sm.in);
	tls_context_unref(sm.out);
	tls_context_unref(cm.in);
	tls_context_unref(cm.out);
	pki_ca_free(sm.ca);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_gets_its_real_source),
		cmocka_unit_test(a_connection_is_used_again_in_both_directions),
		cmocka_unit_test(a_long_request_goes_by_tcp),
		cmocka_unit_test(a_refused_connection_is_told),
		cmocka_unit_test(bytes_that_are_no_sip_close_a_connection),
		cmocka_unit_test(a_silent_connection_is_closed_and_a_ping_answered),
		cmocka_unit_test(uris_are_resolved),
		cmocka_unit_test(the_wire_knows_itself),
		cmocka_unit_test(replies_go_where_the_via_says),
		cmocka_unit_test(servers_know_each_other_by_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
