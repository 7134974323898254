/* SPDX-License-Identifier: Apache-2.0 */
/* node_sip.h - the SIP side that cm and presence share: listen points, links to sm, message trace. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "node/trace_ring.h"
#include "node/uc_model.h"

struct addr;
struct error;
struct node;
struct sip_flow;
struct sip_incoming;
struct sip_msg;
struct sip_stack;
struct sip_traced;
struct sip_uri;

/* Open the listen points of this node. In a guest: TLS on 5061, or where [sip] listen says. Standalone:
 * UDP and TCP on the node's port when that is on loopback, TLS on the port above it when there is a
 * certificate. Errors: -EADDRINUSE, -EINVAL no usable address, -EACCES nothing that may be served,
 * what tls_context_new() gives. */
int node_sip_listen(struct node *node, struct sip_stack *stack, struct error *err);

/* Does a message come over a trusted link from an entity of that type? With TLS the name in its
 * certificate is an entity's of the type, or the VM's own name (sm, cm, presence). Without, and only
 * on loopback, the source address is that of an entity whose link is not TLS (over TCP the port does
 * not count). */
bool node_sip_trusted(const struct node *node, const struct sip_incoming *in,
		      enum uc_entity_type type);
/* The rule behind it, for tests: model, name in the certificate ("" none), transport. */
bool node_sip_link_matches(const struct uc_model *model, enum uc_entity_type type,
			   const char *peer_name, const struct addr *remote, bool udp);

#define NODE_PARTY_SIZE 129 /* a user part without escapes, with NUL */

/* User and host of a URI; the host is borrowed from it. */
struct node_party {
	char user[NODE_PARTY_SIZE];
	struct slice host;
};

/* A user part that is too long becomes empty: nobody has it. */
void node_sip_party(const struct sip_uri *uri, struct node_party *ret);
/* Whom sm says the message is from: the first P-Asserted-Identity that is a SIP URI. Empty, and
 * false, without one. */
bool node_sip_asserted(const struct sip_msg *msg, struct node_party *ret);
/* Is a host our SIP domain, or the address of a session manager (plain phones dial 3002@ADDRESS)? */
bool node_sip_host_is_ours(const struct uc_model *model, struct slice host);
/* The user of that handle or extension, NULL when it is none of ours. */
const struct uc_user *node_sip_user(const struct uc_model *model, struct slice user,
				    struct slice host);

/* For sip_stack_handlers.trace: files the message under its Call-ID and global session id. */
void node_sip_trace(struct node *node, const struct sip_traced *traced);
/* A message's entry, which points to *fields: those of what came are as it was cut; those of an answer to a
 * request that belongs to no call are that request's; anything else that left is scanned. */
struct trace_entry node_sip_trace_entry(const struct sip_traced *traced,
					struct trace_fields *fields);
