/* SPDX-License-Identifier: Apache-2.0 */
/* sip_wire.h - SIP over UDP, TCP, TLS and WebSocket: listen points, connections, framing, Via and rport.
 * RFC 3261 section 18, RFC 3581, keep-alive of RFC 5626 section 3.5.1, RFC 7118. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "stack/sip/sip_flow.h"

struct buf;
struct loop;
struct sip_incoming;
struct sip_msg;
struct sip_uri;
struct sip_wire; /* opaque, see sip_wire.c */
struct tls_context;

#define SIP_LISTEN_MAX 16
#define SIP_UDP_REQUEST_MAX 1300 /* longer requests go by TCP (RFC 3261 section 18.1.1) */

/* A message for the trace ring. */
struct sip_traced {
	bool sent;
	/* Received: cut into fields. Sent: the request that it answers, or NULL when that is not at hand. */
	const struct sip_msg *msg;
	const struct sip_flow *flow;
	const struct addr *local;
	struct slice bytes;
};

struct sip_wire_limits {
	uint32_t connections_max;	  /* in all; 0 = 10,240 */
	uint32_t connections_per_address; /* accepted ones; 0 = 64 (loopback: connections_max) */
	uint32_t idle_timeout_ms;	  /* 0 = 3,900,000: longer than a registration */
	uint32_t first_message_ms;	  /* an accepted connection without a message; 0 = 32,000 */
	uint32_t connect_timeout_ms;	  /* 0 = 2,000 */
};

struct sip_listen {
	enum sip_transport transport;
	struct addr local;	     /* port 0: the kernel's choice */
	const char *advertise_host;  /* sent-by and Record-Route; NULL or "" = local's address */
	uint16_t advertise_port;     /* 0 = the bound port */
	struct tls_context *tls;     /* TLS, WSS: of accepted connections */
	struct tls_context *tls_out; /* TLS: of connections made from here; NULL = none are made */
	/* WSS: a peer whose certificate has this name is a relay: its Forwarded field (RFC 7239) says
	 * where the client is. NULL = nobody is. Borrowed for ever. */
	const char *relay;
};

struct sip_wire_handlers {
	/* A message was received and cut into fields. A request's top Via carries received= and rport=
	 * already. Everything in `in` is valid during the call. */
	void (*message)(void *user, const struct sip_incoming *in);
	/* A connection ended (reason as in stream.h); bindings over it are gone. May be NULL. */
	void (*closed)(void *user, const struct sip_flow *flow, int reason);
	/* Every message that came or left. May be NULL. */
	void (*trace)(void *user, const struct sip_traced *traced);
};

/* Who is listened to, before a byte is parsed. What a relay brings (struct sip_listen) is judged by
 * its messages alone. */
struct sip_wire_guard {
	/* A connection came: false refuses it. One that was let in has left. */
	bool (*accept)(void *user, const struct addr *remote);
	void (*left)(void *user, const struct addr *remote);
	/* A message came: 0 read it, positive drop it, negative end the connection, too. */
	int (*message)(void *user, const struct sip_flow *flow);
	/* What came is no SIP, or is answered 400. */
	void (*malformed)(void *user, const struct sip_flow *flow);
};

/* The caller owns *ret. Errors: -ENOMEM. */
int sip_wire_new(struct loop *loop, const struct sip_wire_limits *limits,
		 const struct sip_wire_handlers *handlers, void *user, struct sip_wire **ret,
		 struct error *err);
struct sip_wire *sip_wire_free(struct sip_wire *wire);
DEFINE_AUTO(sip_wire)
/* Before anything is listened to; the guard is borrowed for ever. */
void sip_wire_set_guard(struct sip_wire *wire, const struct sip_wire_guard *guard, void *user);
/* Answer STUN Binding requests at the UDP listen points (RFC 5626 section 8); else they are no SIP. */
void sip_wire_answer_stun(struct sip_wire *wire);
/* What came over the flow was malformed: tells the guard. wire may be NULL. */
void sip_wire_blame(struct sip_wire *wire, const struct sip_flow *flow);

/* Add a listen point. Returns its index. Errors: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -ENOSPC. */
int sip_wire_listen(struct sip_wire *wire, const struct sip_listen *listen, struct error *err);
const struct addr *sip_wire_local(const struct sip_wire *wire, uint32_t listen);
enum sip_transport sip_wire_transport(const struct sip_wire *wire, uint32_t listen);
size_t sip_wire_listen_count(const struct sip_wire *wire);
/* "sip:HOST:PORT;transport=tcp" of a listen point (Contact, Record-Route; the caller adds ";lr"). */
void sip_wire_uri(const struct sip_wire *wire, uint32_t listen, struct slice user, struct buf *out);
/* The same as "sips:HOST:PORT" where the listen point speaks TLS, else as above, without a user. */
void sip_wire_sips_uri(const struct sip_wire *wire, uint32_t listen, struct buf *out);
/* Whether host and port (0 = the transport's default) name one of the listen points or, with port
 * 0 in the listen point's family, one of its advertised names: is this Route or Via mine? */
bool sip_wire_is_mine(const struct sip_wire *wire, struct slice host, uint16_t port);
bool sip_wire_uri_is_mine(const struct sip_wire *wire, const struct sip_uri *uri);

/* Names this wire resolves beside IP literals ("sm.aurabox.internal" -> address). At most 256.
 * Errors: -ENOSPC, -ENOMEM. */
int sip_wire_add_host(struct sip_wire *wire, const char *name, const struct addr *addr);
/* Asked for what is neither; returns 0 or -ENOENT. */
void sip_wire_set_resolver(struct sip_wire *wire,
			   int (*resolve)(void *user, struct slice host, struct addr *ret),
			   void *user);

/* The flow towards a URI: transport parameter (sips = TLS, else UDP), maddr, port or its default,
 * numeric host or known name. Errors: -EADDRNOTAVAIL unknown host, -EPROTONOSUPPORT no such
 * transport or no listen point for it. */
int sip_wire_resolve(struct sip_wire *wire, const struct sip_uri *uri, struct sip_flow *ret);
/* The way of a response: the connection of the request, else received/rport or maddr/sent-by of the
 * top Via (RFC 3261 section 18.2.2, RFC 3581). via may be NULL: the request's own source. */
int sip_wire_reply_flow(struct sip_wire *wire, const struct sip_flow *request,
			const struct sip_via *via, struct sip_flow *ret);

/* Prepare to send a request of that length: fixes the listen point, switches UDP to TCP when it is
 * too long, opens or finds the connection and writes its number into the flow. Connecting goes on
 * in the background. Errors: -ENOTCONN the named connection is gone, -EHOSTUNREACH,
 * -EPROTONOSUPPORT, -EMFILE too many. */
int sip_wire_prepare(struct sip_wire *wire, struct sip_flow *flow, size_t length);
/* Append "SIP/2.0/UDP HOST:PORT;branch=B;rport" for a prepared flow. */
void sip_wire_via(const struct sip_wire *wire, const struct sip_flow *flow, struct slice branch,
		  struct buf *out);
/* Send a complete message. Errors: -ENOTCONN, -EAGAIN queue full, -EMSGSIZE. */
int sip_wire_send(struct sip_wire *wire, const struct sip_flow *flow, struct slice message);

bool sip_wire_is_open(const struct sip_wire *wire, const struct sip_flow *flow); /* UDP: always */
void sip_wire_close(struct sip_wire *wire, uint64_t connection);
/* The verified certificate's CN of the flow's connection, "" without one. */
const char *sip_wire_peer_name(const struct sip_wire *wire, const struct sip_flow *flow);

struct sip_wire_stats {
	uint64_t received, sent, malformed, keepalives;
	uint64_t stun; /* Binding requests answered */
	uint64_t accepted, connected, refused, connect_failed, send_failed;
	uint32_t connections;
};
const struct sip_wire_stats *sip_wire_stats(const struct sip_wire *wire);
