/* SPDX-License-Identifier: Apache-2.0 */
/* node.c - node_main(): options, identity, local file, replica, management API, the loop. */
#include "node/node.h"

#include "base/job.h"
#include "base/json_field.h"
#include "base/log.h"
#include "base/loop.h"
#include "net/addr.h"
#include "node/guest_config.h"
#include "node/listen.h"
#include "node/management.h"
#include "node/node_inside.h"
#include "node/replica.h"
#include "node/trace_ring.h"
#include "node/uc_model.h"
#include "node/writer.h"
#include "store/local_db.h"
#include "store/store.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANAGEMENT_PORT 7443

const char *const node_log_levels[] = { "debug", "info", "warning", "error", NULL };

struct node {
	const struct node_server *server;
	struct node_options *options; /* the server's own struct begins with it */
	struct node_identity identity;
	struct guest_config guest;
	const char *root;
	char address[ADDR_TEXT_MAX]; /* where identity.address points */
	char *domain;
	char *management_path;
	struct loop *loop;
	struct job_pool *jobs;
	struct local_db *db;
	struct writer *writer;
	struct replica *replica;
	struct management *management;
	struct metrics *metrics;
	struct trace_ring *trace;
	struct uc_model *model;
	int64_t local_version;
	void *state; /* of the server */
};

const struct node_identity *node_identity(const struct node *node)
{
	return &node->identity;
}

struct loop *node_loop(const struct node *node)
{
	return node->loop;
}

const void *node_config(const struct node *node)
{
	return node->options;
}

struct job_pool *node_jobs(const struct node *node)
{
	return node->jobs;
}

struct uc_model *node_model(const struct node *node)
{
	return node->model;
}

struct metrics *node_metrics(const struct node *node)
{
	return node->metrics;
}

struct trace_ring *node_trace(const struct node *node)
{
	return node->trace;
}

struct state_journal *node_state(const struct node *node)
{
	return writer_state(node->writer);
}

struct record_journal *node_records(const struct node *node)
{
	return writer_records(node->writer);
}

const char *node_peer(const struct node *node, const char *name)
{
	return json_string_value(json_object_get(node->guest.peers, name));
}

void *node_state_of_server(const struct node *node)
{
	return node->state;
}

static bool is_ready(const struct node *node)
{
	if (!node->state)
		return false;
	return !node->server->ready || node->server->ready(node->state);
}

json_t *node_health(const struct node *node)
{
	bool ready = is_ready(node);
	json_t *replica = node->replica ? replica_status(node->replica) : json_null();

	return json_pack("{s:s,s:b,s:s,s:s,s:o}", "status", ready ? "ok" : "failed", "ready", ready,
			 "version", AURA_VERSION, "name", node->identity.name, "replica", replica);
}

static void apply_model(void *user, struct uc_model *model, uint32_t sets)
{
	struct node *node = user;
	struct uc_model *old = node->model;

	node->model = model;
	if (node->state && node->server->model_changed)
		node->server->model_changed(node->state, old, model, sets);
	uc_model_unref(old);
}

static void on_signal(int signo, void *user)
{
	struct node *node = user;

	log_info("node.stopping", F("node", node->identity.name), F("signal", signo));
	loop_stop(node->loop);
}

/* "ADDRESS:PORT" or "[v6]:PORT", several with commas between, or ""; the first is who we are. */
static int split_listen(struct node *node, const char *listen, struct error *err)
{
	struct addr addr;

	for (size_t i = 0; node_listen_at(listen, i, &addr) != -ENOENT; i++) {
		if (node_listen_at(listen, i, &addr) < 0 || i == NODE_LISTEN_MAX)
			return error_field(err, -EINVAL, "sip.listen",
					   "is not a list of ADDRESS:PORT");
		if (i > 0)
			continue;
		(void)addr_format_ip(&addr, node->address);
		node->identity.port = addr_port(&addr);
	}
	return 0;
}

/* What a guest's configuration says, under what was given by hand. */
static int apply_guest(struct node *node, struct error *err)
{
	const struct node_options *o = node->options;
	struct node_identity *id = &node->identity;

	id->name = node->guest.name;
	id->instance = node->guest.instance;
	id->advertise = *o->sip_advertise ? o->sip_advertise : node->guest.advertise;
	id->cert_file = *o->tls_cert ? o->tls_cert : "/data/pki/cert.pem";
	id->key_file = *o->tls_key ? o->tls_key : "/data/pki/key.pem";
	id->ca_file = *o->tls_ca ? o->tls_ca : "/data/pki/ca.pem";
	if (slice_copy(slice_str(node->guest.address), node->address, sizeof(node->address)) < 0)
		return error_set(err, -EINVAL, "the guest's address is too long");
	return 0;
}

static int make_identity(struct node *node, bool standalone, bool guest, struct error *err)
{
	const struct node_options *o = node->options;
	struct node_identity *id = &node->identity;
	int r;

	*id = (struct node_identity){ .name = node->server->name,
				      .instance = "standalone",
				      .address = node->address,
				      .advertise = o->sip_advertise,
				      .port = node->server->port,
				      .standalone = standalone,
				      .cert_file = o->tls_cert,
				      .key_file = o->tls_key,
				      .ca_file = o->tls_ca };
	snprintf(node->address, sizeof(node->address), "127.0.0.1");
	if (guest) {
		r = apply_guest(node, err);
		if (r < 0)
			return r;
	}
	node->domain = strdup(*o->sip_domain		     ? o->sip_domain
			      : guest && *node->guest.domain ? node->guest.domain
							     : "aurabox.internal");
	if (!node->domain)
		return error_set(err, -ENOMEM, "out of memory");
	id->domain = node->domain;
	return split_listen(node, o->sip_listen, err);
}

static int open_local(struct node *node, bool guest, struct error *err)
{
	struct local_db_config config = { .path = ":memory:",
					  .migrations = node_migrations,
					  .migration_count = node_migration_count };
	int r;

	if (*node->options->node_database)
		config.path = node->options->node_database;
	else if (guest)
		config.path = "/data/replica.db";
	r = local_db_open(&config, &node->db, err);
	if (r == 0)
		r = writer_new(node->db, &node->writer, err);
	/* What is in memory alone outlives nothing: no need to keep a second copy of it there. */
	if (r == 0 && strcmp(config.path, ":memory:") == 0)
		writer_forget_state(node->writer);
	return r;
}

static int load_model(struct node *node, const char *standalone, struct error *err)
{
	int r;

	if (!standalone)
		return replica_load(node->db, node->identity.domain, &node->model,
				    &node->local_version, err);
	r = uc_model_load(standalone, &node->model, err);
	if (r == 0)
		node->identity.domain = uc_model_domain(node->model);
	return r;
}

static int follow_smgr(struct node *node, bool guest, struct error *err)
{
	const struct node_identity *id = &node->identity;
	const char *peer = node_peer(node, "smgr");
	char url[160] = "", user[80];
	struct store_config smgr = { .url = url,
				     .max_connections = 2,
				     .connect_timeout_s = 2,
				     /* all rows of 5,000 users on a slow guest; a dead smgr
				      * is found by the connection's keep-alive */
				     .statement_timeout_ms = 30000,
				     .application = id->name };
	struct replica_config config = { .role = node->server->name,
					 .smgr = &smgr,
					 .domain = id->domain,
					 .db = node->db,
					 .loop = node->loop,
					 .apply = apply_model,
					 .user = node };
	int r;

	if (*node->options->node_smgr)
		smgr.url = node->options->node_smgr;
	else if (guest && peer)
		snprintf(url, sizeof(url), "postgresql://%s:5432/uc", peer);
	if (!*smgr.url)
		return 0;
	if (*id->cert_file) {
		snprintf(user, sizeof(user), "aura_%s", node->server->name);
		smgr.user = user;
		smgr.ca_file = id->ca_file;
		smgr.cert_file = id->cert_file;
		smgr.key_file = id->key_file;
	}
	r = replica_new(&config, &node->replica, err);
	if (r == 0)
		writer_on_records(node->writer, replica_kick, node->replica);
	return r;
}

static int serve_management(struct node *node, bool guest, struct error *err)
{
	char address[96];
	bool v6 = strchr(node->address, ':') != NULL;

	if (!guest)
		return management_new(node, node->server, node->management_path, NULL,
				      &node->management, err);
	snprintf(address, sizeof(address), v6 ? "[%s]:%d" : "%s:%d", node->address,
		 MANAGEMENT_PORT);
	return management_new(node, node->server, node->management_path, address, &node->management,
			      err);
}

static int node_begin(struct node *node, const char *standalone, bool guest, struct error *err)
{
	int r;

	r = make_identity(node, standalone != NULL, guest, err);
	if (r == 0)
		r = loop_new(NULL, &node->loop);
	if (r == 0)
		r = loop_signal(node->loop, SIGTERM, on_signal, node);
	if (r == 0)
		r = loop_signal(node->loop, SIGINT, on_signal, node);
	if (r == 0)
		r = job_pool_new(node->loop, 2, 256, &node->jobs);
	if (r < 0)
		return err->code ? r : error_set(err, r, "cannot start the loop");
	node->metrics = metrics_new(node->server->metrics, node->server->metric_count);
	node->trace = trace_ring_new((size_t)node->options->trace_kib * 1024);
	if (!node->metrics || !node->trace)
		return error_set(err, -ENOMEM, "out of memory");
	r = open_local(node, guest, err);
	if (r == 0)
		r = load_model(node, standalone, err);
	if (r == 0 && !standalone)
		r = follow_smgr(node, guest, err);
	if (r == 0)
		r = serve_management(node, guest, err);
	if (r == 0)
		r = node->server->start(node, &node->state, err);
	return r;
}

/* Takers before givers: nobody may call into what is gone. */
static void node_end(struct node *node)
{
	node->management = management_free(node->management);
	if (node->writer)
		writer_on_records(node->writer, NULL, NULL);
	node->replica = replica_free(node->replica);
	if (node->state)
		node->server->stop(node->state);
	node->state = NULL;
	job_pool_free(node->jobs);
	if (node->loop)
		loop_settle(node->loop); /* what the jobs posted, connections that are closing */
	writer_free(node->writer);
	local_db_free(node->db);
	uc_model_unref(node->model);
	trace_ring_free(node->trace);
	metrics_free(node->metrics);
	loop_free(node->loop);
	guest_config_done(&node->guest);
	free(node->management_path);
	free(node->domain);
}

/* Beside the document: "/tmp/uc.json" of aura-sm gives "/tmp/aura-sm.sock". */
static char *default_management(const struct node *node, const char *standalone)
{
	const char *slash = standalone ? strrchr(standalone, '/') : NULL;
	char *path = NULL;
	int n;

	if (!standalone)
		n = asprintf(&path, "%s/run/aurabox/%s.sock", node->root, node->server->program);
	else if (slash)
		n = asprintf(&path, "%.*s/%s.sock", (int)(slash - standalone), standalone,
			     node->server->program);
	else
		n = asprintf(&path, "%s.sock", node->server->program);
	return n < 0 ? NULL : path;
}

static int run(struct node *node, const char *standalone, const char *guest, const char *management,
	       struct error *err)
{
	int r = 0;

	if (guest)
		r = guest_config_load(guest, node->server->options, node->options, &node->guest,
				      err);
	if (r < 0)
		return r;
	log_set_level((enum log_level)node->options->log_level);
	if (management || !guest) {
		node->management_path =
			management ? strdup(management) : default_management(node, standalone);
		if (!node->management_path)
			return error_set(err, -ENOMEM, "out of memory");
	}
	r = node_begin(node, standalone, guest != NULL, err);
	if (r < 0)
		return r;
	log_info("node.ready", F("node", node->identity.name), F("version", AURA_VERSION),
		 F("users", uc_user_count(node->model)));
	printf("ready\n");
	fflush(stdout);
	return loop_run(node->loop);
}

int node_main(int argc, char **argv, const struct node_server *server)
{
	const char *standalone = NULL, *guest = NULL, *management = NULL;
	const struct option_extra extras[] = {
		{ "standalone", "FILE", "Serve an /uc/export document, without smgr.",
		  &standalone },
		{ "guest", "FILE", "Configuration of the guest that this runs in.", &guest },
		{ "management", "PATH", "Unix socket of the management API.", &management },
		{ .name = NULL },
	};
	const struct option_program program = { .name = server->program,
						.summary = server->summary,
						.version = AURA_VERSION,
						.table = server->options,
						.extras = extras };
	struct node node = { .server = server };
	struct option_result result;
	struct error err = { 0 };
	int r;

	node.options = calloc(1, server->options_size);
	if (!node.options)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	result = option_main(&program, argc, argv, node.options);
	if (!result.done) {
		node.root = result.root;
		r = run(&node, standalone, guest, management, &err);
		if (r < 0)
			log_failure(LOG_LEVEL_ERROR, "node.failed", r, &err);
		result.status = r < 0 ? 1 : 0;
		node_end(&node);
	}
	option_release(server->options, node.options);
	free(node.options);
	return result.status;
}
