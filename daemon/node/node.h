/* SPDX-License-Identifier: Apache-2.0 */
/* node.h - the frame of a call server: command line, loop, replica, management API, signals. */
#pragma once
#include "base/option.h"
#include "node/metrics.h"

#include "base/json_field.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct job_pool;
struct node;
struct record_journal;
struct state_journal;
struct trace_ring;
struct uc_model;

/* The options that every call server has. A server's own struct begins with it, and its table
 * begins with NODE_OPTIONS:
 *	struct sm_options { struct node_options node; uint32_t min_expires_s; };
 *	static const struct option options[] = { NODE_OPTIONS(struct sm_options, node),
 *		OPT_U32(struct sm_options, min_expires_s, "registrar.min_expires_s", "60", "…"),
 *		OPT_END };                                                                    */
struct node_options {
	char *sip_listen; /* list of ADDRESS:PORT (listen.h) or "" */
	char *sip_domain; /* "" in favour of the document's */
	char *sip_advertise;
	char *tls_cert;
	char *tls_key;
	char *tls_ca;
	char *node_database; /* replica, state and records (SQLite); "" standalone: in memory */
	char *node_smgr;     /* PostgreSQL URL of smgr; "" none */
	uint32_t trace_kib;
	uint32_t log_level;
};
extern const char *const node_log_levels[];
/* clang-format off */
#define NODE_OPTIONS(type, m) \
	OPT_STRING(type, m.sip_listen, "sip.listen", "", \
		   "Addresses and ports to serve SIP on, commas between them."), \
	OPT_STRING(type, m.sip_domain, "sip.domain", "", "SIP domain where smgr names none."), \
	OPT_STRING(type, m.sip_advertise, "sip.advertise", "", \
		   "Address that phones outside reach this server at."), \
	OPT_STRING(type, m.tls_cert, "tls.cert", "", "Certificate (PEM) of this server."), \
	OPT_STRING(type, m.tls_key, "tls.key", "", "Private key (PEM) of the certificate."), \
	OPT_STRING(type, m.tls_ca, "tls.ca", "", "CA (PEM) that peers are verified against."), \
	OPT_STRING(type, m.node_database, "node.database", "", \
		   "Local file of replica, state and records; empty standalone: memory."), \
	OPT_STRING(type, m.node_smgr, "node.smgr", "", "PostgreSQL URL of smgr; empty: none."), \
	OPT_U32(type, m.trace_kib, "trace.size_kib", "4096", "Memory for the message trace.", \
		.min = 64, .max = 262144, .unit = "KiB"), \
	OPT_CHOICE(type, m.log_level, "log.level", "info", node_log_levels, "What is logged.")
/* clang-format on */

/* A handler of the management API. Runs on the loop's thread and must not block. query holds the
 * parameters as strings. *ret is a new reference to the whole body. */
struct node_route {
	const char *path; /* "/v1/registrations" */
	int (*get)(void *server, const json_t *query, json_t **ret, struct error *err);
	/* POST with a JSON body of these fields; NULL: no such method. */
	int (*post)(void *server, const json_t *body, json_t **ret, struct error *err);
	const struct json_field *body;
};

/* What a server gives to node_main(); constant, one a program. All functions run on the loop. */
struct node_server {
	const char *program; /* "aura-sm" */
	const char *name;    /* "sm": the node's name in smgr and the default entity's name */
	uint16_t port;	     /* standalone default: 5060, 5070, 5080 */
	const char *summary; /* one line for --help */
	const struct option *options; /* NODE_OPTIONS first, the server's own, OPT_END */
	size_t options_size;	      /* sizeof its struct */
	const struct metric_def *metrics;
	size_t metric_count;
	const struct node_route *routes; /* beside /health /metrics /v1/trace /v1/records */
	size_t route_count;

	/* Begin to serve: bind the sockets, load state. node_model() is valid already. *ret is
	 * handed to every other call. */
	int (*start)(struct node *node, void **ret, struct error *err);
	/* The model changed: `sets` are UC_SET_* bits; old stays valid during the call. May be NULL. */
	void (*model_changed)(void *server, const struct uc_model *old, const struct uc_model *now,
			      uint32_t sets);
	/* Ready to take calls? NULL: yes, once started. */
	bool (*ready)(void *server);
	/* Finish: close sockets, free. Also called when the loop ends by SIGTERM. */
	void (*stop)(void *server);
};

/* The whole main() of a call server (DESIGN §13): --config --root --set --check --version --help
 * --standalone FILE --guest FILE --management PATH. Returns the exit status. */
int node_main(int argc, char **argv, const struct node_server *server);

/* Who this process is; texts live as long as the node. */
struct node_identity {
	const char *name;      /* "sm" */
	const char *instance;  /* the VM's uuid, or "standalone" */
	const char *domain;    /* SIP domain at start; uc_model_domain() is the current one */
	const char *address;   /* service address to bind; 127.0.0.1 standalone */
	const char *advertise; /* address that phones outside reach sm at, or "" */
	uint16_t port;	       /* [sip] listen or the default */
	bool standalone;
	const char *cert_file; /* "" when there is no TLS */
	const char *key_file;
	const char *ca_file;
};

const struct node_identity *node_identity(const struct node *node);
struct loop *node_loop(const struct node *node);
/* The server's own option struct, complete when start() runs. */
const void *node_config(const struct node *node);
struct job_pool *node_jobs(const struct node *node); /* two threads for what blocks */
/* The current snapshot, borrowed until the next turn of the loop. Never NULL. */
struct uc_model *node_model(const struct node *node);
struct metrics *node_metrics(const struct node *node);
struct trace_ring *node_trace(const struct node *node);
struct state_journal *node_state(const struct node *node);
struct record_journal *node_records(const struct node *node);
/* The service address of a peer by VM name ("cm"), NULL when unknown or standalone. */
const char *node_peer(const struct node *node, const char *name);
