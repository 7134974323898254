/* SPDX-License-Identifier: Apache-2.0 */
/* box.c - auraboxd's parts as a list of steps; what a step needs was made by the ones before it. */
#include "control/box.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/job.h"
#include "base/json_field.h"
#include "base/log.h"
#include "base/loop.h"
#include "control/api/api.h"
#include "control/auth/auth.h"
#include "control/box_host.h"
#include "control/box_paths.h"
#include "control/priv_client.h"
#include "control/setup/appliance.h"
#include "control/setup/setup.h"
#include "control/task/alarm.h"
#include "control/task/event.h"
#include "control/task/task.h"
#include "control/uc/uc.h"
#include "control/uc/uc_watch.h"
#include "control/vm/vm_manager.h"
#include "net/pki.h"
#include "net/tls.h"
#include "store/local_db.h"
#include "store/migrate.h"
#include "store/pg_cluster.h"
#include "store/store.h"

#define API_THREADS 8
#define VM_THREADS 12 /* probes, restarts, and starts that wait for one another */
#define QUEUE 512
#define GRACE_MS 2000
#define TASKS_GRACE_MS 5000
#define MIGRATE_TRIES 20

struct box {
	const struct box_config *config;
	const char *root;
	struct box_paths paths;
	int64_t started_ms;
	char host_address[16]; /* on the bridge */
	char own_addresses[BOX_HOST_ADDRESSES][16];
	size_t own_count;
	uint16_t port;
	bool ended; /* SIGTERM seen */
	struct loop *loop;
	struct job_pool *api_jobs, *vm_jobs;
	struct pki_ca *ca;
	struct tls_context *tls;
	struct pg_cluster *cluster;
	struct store *store;
	struct local_db *box_db;
	struct events *events;
	struct alarms *alarms;
	struct tasks *tasks;
	struct auth *auth;
	struct uc *uc;
	struct uc_watch *watch;
	struct vm_manager *vms;
	struct appliance *appliance;
	struct setup *setup;
	struct api *api;
	char sip_relay[80]; /* ADDRESS:PORT of sm's SIP over WebSocket */
};

static void on_signal(int signo, void *user)
{
	struct box *b = user;

	log_info("auraboxd.signal", F("signal", signo));
	b->ended = true;
	loop_stop(b->loop);
}

static int step_loop(struct box *b, struct error *err)
{
	int r = loop_new(NULL, &b->loop);

	(void)signal(SIGPIPE, SIG_IGN);
	if (r == 0)
		r = loop_signal(b->loop, SIGTERM, on_signal, b);
	if (r == 0)
		r = loop_signal(b->loop, SIGINT, on_signal, b);
	if (r == 0)
		r = job_pool_new(b->loop, API_THREADS, QUEUE, &b->api_jobs);
	if (r == 0)
		r = job_pool_new(b->loop, VM_THREADS, QUEUE, &b->vm_jobs);
	return r < 0 ? error_set(err, r, "threads: %s", strerror(-r)) : 0;
}

static int step_pki(struct box *b, struct error *err)
{
	char host[65] = "", name[128];
	size_t used = 2;
	struct pki_subject self = { .common_name = "auraboxd",
				    .dns = { "auraboxd" },
				    .client = true };
	struct pki_subject api = { .common_name = "aurabox-api",
				   .server = true,
				   .dns = { "localhost", host },
				   .ip = { "127.0.0.1", b->host_address } };
	int r;

	if (gethostname(host, sizeof(host) - 1) < 0 || host[0] == '\0' ||
	    strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") !=
		    strlen(host))
		(void)snprintf(host, sizeof(host), "aurabox");
	b->own_count = box_host_addresses(b->config->network_bridge, b->own_addresses);
	if (b->config->network_advertise[0])
		api.ip[used++] = b->config->network_advertise;
	for (size_t i = 0; i < b->own_count && used < PKI_SAN_MAX; i++)
		api.ip[used++] = b->own_addresses[i];
	(void)snprintf(name, sizeof(name), "Aurabox-CA-of-%.32s", host);
	r = pki_ca_open(b->paths.pki, name, &b->ca, err);
	if (r == 0)
		r = pki_ca_issue_local(b->ca, b->paths.pki, "auraboxd", &self, err);
	if (r >= 0)
		r = pki_ca_issue_local(b->ca, b->paths.pki, "api", &api, err);
	if (r < 0)
		return r;
	return tls_context_new(&(struct tls_config){ .server = true,
						     .verify = TLS_VERIFY_NONE,
						     .cert_file = b->paths.api_cert_file,
						     .key_file = b->paths.api_key_file,
						     .alpn = "http/1.1" },
			       &b->tls, err);
}

static int step_database(struct box *b, struct error *err)
{
	const char *url = b->config->database_url;
	char dir[BOX_PATH + 16];
	struct migrate_result done;
	int r;

	if (!url[0]) {
		r = pg_cluster_start(
			&(struct pg_cluster_config){ .data_dir = b->paths.database,
						     .socket_dir = b->paths.database_socket },
			&b->cluster, err);
		if (r < 0)
			return r;
		url = pg_cluster_url(b->cluster);
	}
	r = store_open(&(struct store_config){ .url = url,
					       .application = "auraboxd",
					       .max_connections = 24 },
		       &b->store, err);
	if (r < 0)
		return r;
	(void)snprintf(dir, sizeof(dir), "%s/appliance", b->paths.share_sql);
	return store_migrate(b->store, dir, &done, err);
}

static int step_box_db(struct box *b, struct error *err)
{
	const char *const migrations[] = { VM_BOX_MIGRATION, TASK_BOX_MIGRATION };

	return local_db_open(&(struct local_db_config){ .path = b->paths.box_db,
							.migrations = migrations,
							.migration_count = ARRAY_SIZE(migrations) },
			     &b->box_db, err);
}

static int step_tasks(struct box *b, struct error *err)
{
	int r = events_new(b->store, &b->events, err);

	if (r == 0)
		r = alarms_new(b->store, &b->alarms, err);
	if (r == 0)
		r = tasks_new(&(struct tasks_config){ .store = b->store,
						      .box = b->box_db,
						      .loop = b->loop,
						      .threads = 16 },
			      &b->tasks, err);
	/* what a deployment left is undone by the VM manager, which knows it from box.db */
	if (r == 0)
		r = tasks_recover(b->tasks, NULL, NULL, err);
	return r;
}

static int step_auth(struct box *b, struct error *err)
{
	int r = auth_new(&(struct auth_config){ .store = b->store,
						.idle_s = b->config->api_idle_s,
						.login_window_s = b->config->api_login_window_s,
						.group = "aurabox",
						.initial_password_file =
							b->paths.initial_password },
			 &b->auth, err);

	if (r == 0)
		r = auth_bootstrap(b->auth, err);
	return r < 0 ? r : 0;
}

/* Without the bridge no guest starts, but the API must be there to say so. */
static int step_priv(struct box *b, struct error *err)
{
	static const enum priv_verb verbs[] = { PRIV_BRIDGE, PRIV_FIREWALL };
	static const char *const codes[] = { "network_bridge", "network_firewall" };

	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		struct error why = { 0 };
		int r = priv_call(b->root, verbs[i], NULL, 0, NULL, &why);

		if (r >= 0) {
			alarm_clear(b->alarms, codes[i], "appliance");
			continue;
		}
		log_failure(LOG_LEVEL_ERROR, "priv.call", r, &why);
		alarm_raise(b->alarms,
			    &(struct alarm_raise){
				    .code = codes[i],
				    .target = "appliance",
				    .severity = ALARM_CRITICAL,
				    .detail = why.detail,
				    .resolution = "Start aurabox-priv, then auraboxd again." });
	}
	return 0;
}

static int open_console_log(void *user, const char *vm, unsigned index, struct error *err)
{
	struct box *b = user;
	int fd = -1;
	int r = priv_call(b->root, PRIV_LOG_OPEN, vm, index, &fd, err);

	if (r < 0)
		return r;
	return fd >= 0 ? fd : error_set(err, -EPROTO, "no descriptor came");
}

/* smgr has become ready: its database is brought to our version. On a job thread. */
static void on_vm_ready(void *user, const char *template_name)
{
	struct box *b = user;
	struct error err = { 0 };
	int r = -EAGAIN;

	if (strcmp(template_name, "smgr") != 0 || !b->uc)
		return;
	for (int i = 0; i < MIGRATE_TRIES && r < 0 && !b->ended; i++) {
		if (i > 0)
			(void)usleep(500000);
		r = uc_migrate(b->uc, &err);
	}
	if (r == 0) {
		alarm_clear(b->alarms, "uc_migration", "vms/smgr");
		return;
	}
	log_failure(LOG_LEVEL_ERROR, "uc.migrate", r, &err);
	alarm_raise(b->alarms,
		    &(struct alarm_raise){
			    .code = "uc_migration",
			    .target = "vms/smgr",
			    .severity = ALARM_MAJOR,
			    .detail = err.detail,
			    .resolution = "Restart smgr; if it stays, read auraboxd's log." });
}

/* Is that call server there to be asked? On a job thread. */
static bool node_ready(void *user, const char *node)
{
	struct box *b = user;
	const char *elsewhere = strcmp(node, "sm") == 0	  ? b->config->uc_sm
				: strcmp(node, "cm") == 0 ? b->config->uc_cm
							  : b->config->uc_presence;

	return elsewhere[0] || vm_manager_ready(b->vms, node);
}

static int step_uc(struct box *b, struct error *err)
{
	static const unsigned hosts[] = { 10, 11, 12, 13 }; /* smgr, sm, cm, presence */
	const char *elsewhere[UC_NODES] = { b->config->uc_sm, b->config->uc_cm,
					    b->config->uc_presence };
	char address[4][16], url[64], management[UC_NODES][BOX_PATH], sql[BOX_PATH + 8];
	char secrets[BOX_PATH + 16];
	unsigned prefix;
	uint32_t base;
	int r = box_subnet(b->config->network_subnet, &base, &prefix, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		box_host_address(base + hosts[i] - 1, address[i]);
	for (size_t i = 0; i < UC_NODES; i++)
		(void)snprintf(management[i], sizeof(management[i]),
			       elsewhere[i][0] ? "%s" : "https://%s:7443",
			       elsewhere[i][0] ? elsewhere[i] : address[i + 1]);
	(void)snprintf(b->sip_relay, sizeof(b->sip_relay), "%s%s",
		       b->config->uc_sm_websocket[0] ? b->config->uc_sm_websocket : address[1],
		       b->config->uc_sm_websocket[0] ? "" : ":5443");
	(void)snprintf(url, sizeof(url), "postgresql://aura_admin@%s/uc", address[0]);
	(void)snprintf(sql, sizeof(sql), "%s/uc", b->paths.share_sql);
	(void)snprintf(secrets, sizeof(secrets), "%s/secrets.key", b->paths.pki);
	return uc_open(&(struct uc_config){ .database = url,
					    .secrets_file = secrets,
					    .sql_dir = sql,
					    .ca_file = b->paths.ca_file,
					    .cert_file = b->paths.cert_file,
					    .key_file = b->paths.key_file,
					    .sip_domain = b->config->network_sip_domain,
					    .sm_address = address[1],
					    .cm_address = address[2],
					    .presence_address = address[3],
					    .management = { management[0], management[1],
							    management[2] },
					    .ready = node_ready,
					    .user = b },
		       &b->uc, err);
}

static int step_vms(struct box *b, struct error *err)
{
	const struct box_config *c = b->config;

	return vm_manager_new(
		&(struct vm_manager_config){ .libvirt_uri = c->libvirt_uri,
					     .images_dir = b->paths.images,
					     .disks_dir = b->paths.disks,
					     .logs_dir = b->paths.logs,
					     .templates_dir = b->paths.share_templates,
					     .bridge = c->network_bridge,
					     .sip_domain = c->network_sip_domain,
					     .subnet = c->network_subnet,
					     .advertise = c->network_advertise,
					     .accelerator = box_accelerators[c->vm_accelerator],
					     .cert_file = b->paths.cert_file,
					     .key_file = b->paths.key_file,
					     .ca_file = b->paths.ca_file,
					     .loop = b->loop,
					     .jobs = b->vm_jobs,
					     .store = b->store,
					     .box = b->box_db,
					     .events = b->events,
					     .alarms = b->alarms,
					     .tasks = b->tasks,
					     .ca = b->ca,
					     .log_open = open_console_log,
					     .ready = on_vm_ready,
					     .user = b },
		&b->vms, err);
}

static char *network_text(const struct box *b)
{
	const struct box_config *c = b->config;
	AUTO(json)
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "bridge", c->network_bridge, "subnet",
			      c->network_subnet, "address", b->host_address, "uplink",
			      c->network_uplink, "advertise", c->network_advertise, "sip_domain",
			      c->network_sip_domain);

	return o ? json_text(o) : NULL;
}

static int step_setup(struct box *b, struct error *err)
{
	AUTO(str) char *network = network_text(b);
	char host[65] = "aurabox";
	int r;

	(void)gethostname(host, sizeof(host) - 1);
	r = appliance_new(&(struct appliance_config){ .store = b->store,
						      .vms = b->vms,
						      .uc = b->uc,
						      .host_name = host,
						      .network_text = network,
						      .started_ms = b->started_ms },
			  &b->appliance, err);
	if (r < 0)
		return r;
	return setup_new(&(struct setup_config){ .store = b->store,
						 .tasks = b->tasks,
						 .vms = b->vms,
						 .uc = b->uc,
						 .appliance = b->appliance },
			 &b->setup, err);
}

static int step_api(struct box *b, struct error *err)
{
	int r;

	r = api_new(&(struct api_config){ .loop = b->loop,
					  .workers = b->api_jobs,
					  .store = b->store,
					  .auth = b->auth,
					  .events = b->events,
					  .tasks = b->tasks,
					  .alarms = b->alarms,
					  .vms = b->vms,
					  .uc = b->uc,
					  .webui_dir = b->paths.share_webui,
					  .appliance = b->appliance,
					  .setup = b->setup,
					  .sip_relay = b->sip_relay,
					  .ca_file = b->paths.ca_file,
					  .cert_file = b->paths.cert_file,
					  .key_file = b->paths.key_file },
		    &b->api, err);
	if (r == 0)
		r = api_listen_unix(b->api, b->paths.api_socket, box_group(), err);
	if (r == 0)
		r = api_listen(b->api, b->config->api_listen, b->tls, &b->port, err);
	return r;
}

static int step_watch(struct box *b, struct error *err)
{
	return uc_watch_new(&(struct uc_watch_config){ .loop = b->loop,
						       .jobs = b->vm_jobs,
						       .uc = b->uc,
						       .store = b->store,
						       .ready = node_ready,
						       .user = b },
			    &b->watch, err);
}

static const struct {
	const char *name;
	int (*run)(struct box *b, struct error *err);
} steps[] = {
	{ "loop", step_loop },	   { "pki", step_pki },	    { "database", step_database },
	{ "box.db", step_box_db }, { "tasks", step_tasks }, { "auth", step_auth },
	{ "priv", step_priv },	   { "uc", step_uc },	    { "vms", step_vms },
	{ "setup", step_setup },   { "api", step_api },	    { "watch", step_watch },
};

int box_start(const struct box_config *config, const char *root, struct box **ret,
	      struct error *err)
{
	struct box *b = calloc(1, sizeof(*b));
	unsigned prefix;
	uint32_t base;
	int r;

	if (!b)
		return error_set(err, -ENOMEM, "out of memory");
	*ret = b;
	b->config = config;
	b->root = root;
	b->started_ms = clock_wall(clock_system());
	r = box_root_check(root, err);
	if (r == 0)
		r = box_subnet(config->network_subnet, &base, &prefix, err);
	if (r == 0)
		r = box_paths_find(config, root, &b->paths, err);
	if (r == 0)
		r = box_paths_settle(&b->paths, err);
	if (r < 0)
		return r;
	box_host_address(base, b->host_address);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		uint64_t begin = clock_now(clock_system());

		r = steps[i].run(b, err);
		if (r < 0) {
			log_error("auraboxd.step_failed", F("step", steps[i].name));
			return r;
		}
		log_debug("auraboxd.step", F("step", steps[i].name),
			  F("took_ms", clock_now(clock_system()) - begin));
	}
	return 0;
}

int box_run(struct box *b)
{
	const char *host = b->config->api_listen;
	int len = (int)(strrchr(host, ':') - host);
	char url[128];

	if (strncmp(host, "0.0.0.0:", 8) == 0) {
		host = b->own_count > 0 ? b->own_addresses[0] : "localhost";
		len = (int)strlen(host);
	}
	(void)snprintf(url, sizeof(url), "https://%.*s:%u/", len, host, b->port);
	log_info("auraboxd.ready", F("url", (const char *)url));
	(void)puts("ready");
	(void)fflush(stdout);
	return loop_run(b->loop);
}

static void stop_cluster(struct box *b)
{
	struct error err = { 0 };

	if (b->cluster && pg_cluster_stop(b->cluster, GRACE_MS * 5, &err) < 0)
		log_failure(LOG_LEVEL_ERROR, "database.stop", err.code, &err);
}

struct box *box_stop(struct box *b)
{

	if (!b)
		return NULL;
	b->ended = true;
	/* nobody new comes in, what runs ends, then the parts go in reverse; guests stay */
	if (b->vms)
		vm_manager_close(b->vms);
	if (b->api)
		(void)api_stop(b->api, GRACE_MS);
	if (b->tasks)
		b->tasks = tasks_stop(b->tasks, TASKS_GRACE_MS);
	if (b->tasks) { /* a task hangs and uses the parts: they go with the process */
		log_warning("auraboxd.tasks_left");
		stop_cluster(b);
		return NULL;
	}
	(void)job_pool_free(b->api_jobs);
	(void)job_pool_free(b->vm_jobs);
	(void)uc_watch_free(b->watch);
	(void)setup_free(b->setup);
	(void)appliance_free(b->appliance);
	(void)vm_manager_free(b->vms);
	(void)uc_free(b->uc);
	(void)auth_free(b->auth);
	(void)alarms_free(b->alarms);
	(void)events_free(b->events);
	(void)local_db_free(b->box_db);
	(void)store_free(b->store);
	stop_cluster(b);
	(void)pg_cluster_free(b->cluster);
	(void)tls_context_unref(b->tls);
	(void)pki_ca_free(b->ca);
	(void)loop_free(b->loop);
	free(b);
	return NULL;
}
