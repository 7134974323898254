/* SPDX-License-Identifier: Apache-2.0 */
/* sip_wire_private.h - what sip_wire.c and sip_connection.c share. */
#pragma once
#include "base/buf.h"
#include "base/map.h"
#include "base/timer.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_wire.h"

struct stream;
struct tcp_listener;
struct udp;
struct websocket;

#define KNOWN_HOSTS_MAX 256
#define REMOTE_KEY_MAX (4 + 20 + SIP_FLOW_NAME_MAX)

struct point { /* a listen point */
	struct sip_wire *wire;
	uint32_t index;
	enum sip_transport transport;
	struct addr local;
	struct addr shown; /* advertised, when that is an address */
	char host[256];	   /* as shown in Via and Record-Route; IPv6 in brackets */
	uint16_t port;
	struct udp *udp;
	struct tcp_listener *listener;
	struct tls_context *tls, *tls_out;
	const char *relay; /* WSS: whose Forwarded is believed */
};

struct known_host {
	struct map_node node;
	struct addr addr;
	char name[]; /* lower case */
};

struct connection {
	struct map_node id_node, remote_node;
	bool by_remote; /* linked in wire->by_remote */
	bool outgoing, heard;
	bool guarded; /* the guard let it in and is told when it leaves */
	uint64_t id;
	struct sip_wire *wire;
	struct point *point;
	struct stream *stream;
	struct websocket *ws; /* over the stream, or NULL */
	struct addr remote;
	struct sip_framer framer;
	struct timer first; /* an accepted connection must say something */
	char remote_key[REMOTE_KEY_MAX];
};

struct sip_wire {
	struct loop *loop;
	struct sip_wire_limits limits;
	struct sip_wire_handlers handlers;
	void *user;
	const struct sip_wire_guard *guard; /* NULL: nobody is refused */
	void *guard_user;
	bool closing;
	bool stun;
	struct point *points[SIP_LISTEN_MAX];
	size_t point_count;
	struct map by_id, by_remote, hosts;
	uint64_t last_id;
	int (*resolve)(void *user, struct slice host, struct addr *ret);
	void *resolve_user;
	struct sip_wire_stats stats;
	struct sip_msg msg; /* the message being shown */
	struct buf scratch;
};

/* Show one message. -EBADMSG: not SIP, or nobody is to be heard there any more. */
int sip_wire_received(struct sip_wire *wire, struct slice bytes, const struct sip_flow *flow,
		      const struct addr *local, const char *peer_name, bool out_of_step);

/* sip_stun.c: an answer, or nothing. -EBADMSG: it is no message at all. */
int sip_stun_received(struct sip_wire *wire, struct slice bytes, const struct sip_flow *flow);

/* sip_connection.c */
int sip_connection_accept(void *point, struct stream *stream); /* tcp_accept_fn */
/* Find or open the connection for flow->remote and write its id into the flow. */
int sip_connection_get(struct sip_wire *wire, struct point *point, struct sip_flow *flow);
/* One whole message. Errors: -EAGAIN the queue is full, -ENOTCONN, -ENOMEM. */
int sip_connection_send(struct connection *c, struct slice message);
struct connection *sip_connection_find(const struct sip_wire *wire, uint64_t id);
/* The wire goes away: close without any call. */
void sip_connection_orphan(struct connection *c);
