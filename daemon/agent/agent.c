/* SPDX-License-Identifier: Apache-2.0 */
/* agent.c - ties channel, identity, server and probe together; one thread, waits are jobs. */
#include "agent/agent.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/channel.h"
#include "agent/freeze.h"
#include "agent/guest.h"
#include "agent/identity.h"
#include "agent/management.h"
#include "agent/probe.h"
#include "agent/server.h"
#include "agent/status.h"
#include "base/agent_wire.h"
#include "base/job.h"
#include "base/log.h"

#define DATA "/data"
#define SERVER_PID "/run/aurabox/server.pid"
#define SOCKET_FOLDER "/run/aurabox/server"
#define HEALTH_SOCKET SOCKET_FOLDER "/management.sock"
#define PG_FOLDER "/run/postgresql"
#define PG_SOCKET PG_FOLDER "/.s.PGSQL.5432"
#define PG_PROGRAM "/usr/lib/postgresql/15/bin/postgres"
#define PG_FIRST_BOOT "/usr/sbin/smgr-first-boot"
#define PROBE_FAST 200	/* ms between probes until ready */
#define PROBE_SLOW 1000 /* ms once ready */
#define PREPARE_RETRY 5000

struct agent {
	struct loop *loop;
	struct job_pool *jobs;
	struct guest guest;
	struct identity identity;
	struct channel channel;
	struct freeze freeze;
	struct server server;
	struct process prepare; /* makes the database cluster at the first boot */
	struct management *management;
	struct management_state state;		    /* ready and reason, as told */
	struct probe_result probe, probe_under_way; /* the second is the worker's */
	struct probe_link link;			    /* the worker's, too */
	struct timer status_timer, csr_timer, probe_timer, prepare_timer;
	char problem[120]; /* what keeps the server from being started, "" = nothing */
	char program[80], listen[100];
	const char *argv[8];
	bool is_smgr, prepared, identified, ending;
	enum agent_end end;
	uid_t uid;
	gid_t gid;
};

static void tell_status(struct agent *a)
{
	struct status s;

	status_read(DATA, &s);
	(void)channel_send(&a->channel,
			   json_pack("{s:s,s:b,s:s,s:I,s:I,s:I,s:I,s:I,s:f}", "type", AGENT_STATUS,
				     "ready", a->state.ready, "reason", a->state.reason, "uptime_s",
				     (json_int_t)s.uptime_s, "memory_total_kib",
				     (json_int_t)s.memory_total_kib, "memory_available_kib",
				     (json_int_t)s.memory_available_kib, "data_size_bytes",
				     (json_int_t)s.data_size_bytes, "data_used_bytes",
				     (json_int_t)s.data_used_bytes, "load1", s.load1));
}

static void on_status_timer(struct timer *timer)
{
	struct agent *a = CONTAINER_OF(timer, struct agent, status_timer);

	tell_status(a);
	loop_timer_start(a->loop, timer, AGENT_STATUS_INTERVAL, on_status_timer);
}

/* Ready is what the probe says, unless something stands before it. */
static void judge(struct agent *a)
{
	const char *reason = "";
	bool ready = false;

	if (a->ending)
		reason = "stopping";
	else if (*a->problem)
		reason = a->problem;
	else if (!a->identity.certified)
		reason = "waiting for a certificate";
	else if (!a->prepared)
		reason = "making the database";
	else if (!server_is_running(&a->server))
		reason = "the server ended and will be started again";
	else if (!a->probe.ready)
		reason = *a->probe.reason ? a->probe.reason : "the server is starting";
	else
		ready = true;
	a->state.restarts = a->server.restarts;
	if (ready == a->state.ready && strcmp(reason, a->state.reason) == 0)
		return;
	a->state.ready = ready;
	(void)snprintf(a->state.reason, sizeof(a->state.reason), "%s", reason);
	log_info(ready ? "agent.ready" : "agent.not_ready", F("reason", (const char *)reason),
		 F("uptime_ms", loop_now(a->loop)));
	tell_status(a);
}

/* Probe ------------------------------------------------------------------------------------------ */

static void on_probe_timer(struct timer *timer);

static void run_probe(void *user)
{
	struct agent *a = user;

	if (a->is_smgr)
		probe_postgres(&a->link, PG_SOCKET, "postgres", "postgres", &a->probe_under_way);
	else
		probe_health(HEALTH_SOCKET, &a->probe_under_way);
}

static void after_probe(void *user)
{
	struct agent *a = user;

	a->probe = a->probe_under_way;
	judge(a);
	loop_timer_start(a->loop, &a->probe_timer, a->state.ready ? PROBE_SLOW : PROBE_FAST,
			 on_probe_timer);
}

static void on_probe_timer(struct timer *timer)
{
	struct agent *a = CONTAINER_OF(timer, struct agent, probe_timer);

	if (server_is_running(&a->server) && !a->ending &&
	    job_submit(a->jobs, run_probe, after_probe, a) == 0)
		return;
	judge(a);
	loop_timer_start(a->loop, timer, PROBE_FAST, on_probe_timer);
}

/* Server ----------------------------------------------------------------------------------------- */

static void start_management(struct agent *a)
{
	struct error err = { 0 };
	int r;

	if (!a->is_smgr)
		return;
	if (a->management) {
		management_reload(a->management);
		return;
	}
	r = management_new(a->loop, a->guest.address, &a->state, &a->management, &err);
	if (r < 0)
		log_failure(LOG_LEVEL_ERROR, "agent.management", r, &err);
}

static void maybe_start(struct agent *a)
{
	if (a->ending || *a->problem || !a->prepared || !a->identity.certified)
		return;
	start_management(a);
	server_start(&a->server);
	judge(a);
}

static void run_prepare(struct timer *timer);

static void on_prepared(struct process *p, int status)
{
	struct agent *a = CONTAINER_OF(p, struct agent, prepare);

	if (status == 0) {
		a->prepared = true;
		*a->problem = '\0';
		maybe_start(a);
		return;
	}
	log_error("agent.prepare_failed", F("status", status));
	(void)snprintf(a->problem, sizeof(a->problem), "the database could not be made");
	judge(a);
	if (!a->ending)
		loop_timer_start(a->loop, &a->prepare_timer, PREPARE_RETRY, run_prepare);
}

static void run_prepare(struct timer *timer)
{
	struct agent *a = CONTAINER_OF(timer, struct agent, prepare_timer);
	static const char *const argv[] = { PG_FIRST_BOOT, NULL };
	const struct process_spec spec = {
		.argv = argv, .uid = a->uid, .gid = a->gid, .folder = DATA
	};
	struct error err = { 0 };
	int r = process_start(&a->prepare, &spec, &err);

	if (r < 0) {
		log_failure(LOG_LEVEL_ERROR, "agent.prepare", r, &err);
		loop_timer_start(a->loop, timer, PREPARE_RETRY, run_prepare);
	}
}

static void finish(struct agent *a)
{
	log_info("agent.ending", F("end", (int)a->end));
	freeze_done(&a->freeze);
	channel_flush(&a->channel, 500);
	loop_stop(a->loop);
}

static void on_server_stopped(struct server *s)
{
	finish(CONTAINER_OF(s, struct agent, server));
}

static void end_guest(struct agent *a, enum agent_end end)
{
	if (a->ending)
		return;
	a->ending = true;
	a->end = end;
	judge(a);
	server_stop(&a->server);
}

static void on_signal(int signo, void *user)
{
	end_guest(user, AGENT_POWER_OFF);
}

/* Channel ---------------------------------------------------------------------------------------- */

static void tell_hello(struct agent *a)
{
	char boot_id[64];

	status_boot_id(boot_id);
	(void)channel_send(&a->channel,
			   json_pack("{s:s,s:s,s:s,s:s}", "type", AGENT_HELLO, "agent",
				     AURA_VERSION, "name", a->guest.name ? a->guest.name : "",
				     "boot_id", boot_id));
	tell_status(a);
}

static void on_csr_timer(struct timer *timer)
{
	struct agent *a = CONTAINER_OF(timer, struct agent, csr_timer);

	if (!a->identity.csr || a->identified)
		return;
	(void)channel_send(&a->channel,
			   json_pack("{s:s,s:s}", "type", AGENT_CSR, "csr", a->identity.csr));
	loop_timer_start(a->loop, timer, AGENT_CSR_INTERVAL, on_csr_timer);
}

static void on_opened(struct channel *c)
{
	struct agent *a = CONTAINER_OF(c, struct agent, channel);

	tell_hello(a);
	on_csr_timer(&a->csr_timer);
}

static void on_certificate(struct agent *a, const json_t *message)
{
	const char *certificate = json_string_value(json_object_get(message, "certificate"));
	const char *ca = json_string_value(json_object_get(message, "ca"));
	const char *now = json_string_value(json_object_get(message, "time"));
	enum identity_news news = IDENTITY_SAME;
	struct error err = { 0 };
	int r;

	/* Writing to a frozen disk would stop this thread; the request is repeated later. */
	if (!certificate || !ca || !a->identity.key || a->freeze.frozen || a->freeze.busy)
		return;
	if (now && guest_set_clock(now, false) < 0)
		log_warning("agent.clock", F("time", now));
	r = identity_accept(&a->identity, certificate, ca, &news, &err);
	if (r < 0) {
		log_failure(LOG_LEVEL_WARNING, "agent.certificate_refused", r, &err);
		return;
	}
	a->identified = true;
	loop_timer_stop(a->loop, &a->csr_timer);
	log_info("agent.certified", F("changed", news == IDENTITY_CHANGED));
	if (news == IDENTITY_CHANGED && server_is_running(&a->server)) {
		start_management(a);
		server_restart(&a->server);
		a->probe.ready = false;
	}
	maybe_start(a);
}

static void reply(struct agent *a, int64_t id, int result)
{
	json_t *m = json_pack("{s:s,s:I,s:b}", "type", AGENT_REPLY, "id", (json_int_t)id, "ok",
			      result == 0);

	if (m && result < 0)
		(void)json_object_set_new(m, "reason", json_string(strerror(-result)));
	(void)channel_send(&a->channel, m);
}

static void on_frozen(struct freeze *f, int64_t id, int result)
{
	reply(CONTAINER_OF(f, struct agent, freeze), id, result);
}

static void on_line(struct channel *c, const char *type, const json_t *message)
{
	struct agent *a = CONTAINER_OF(c, struct agent, channel);
	int64_t id = json_integer_value(json_object_get(message, "id"));
	json_int_t timeout = json_integer_value(json_object_get(message, "timeout_s"));

	if (strcmp(type, AGENT_HELLO) == 0) {
		tell_hello(a);
		on_csr_timer(&a->csr_timer);
	} else if (strcmp(type, AGENT_CERTIFICATE) == 0) {
		on_certificate(a, message);
	} else if (strcmp(type, AGENT_PING) == 0) {
		(void)channel_send(c, json_pack("{s:s,s:I}", "type", AGENT_PONG, "id",
						(json_int_t)id));
	} else if (strcmp(type, AGENT_SHUTDOWN) == 0) {
		reply(a, id, 0);
		end_guest(a, AGENT_POWER_OFF);
	} else if (strcmp(type, AGENT_FREEZE) == 0) {
		freeze_begin(&a->freeze, id,
			     timeout > 0 && timeout < AGENT_FREEZE_MAX_S ? (uint32_t)timeout
									 : AGENT_FREEZE_MAX_S);
	} else if (strcmp(type, AGENT_THAW) == 0) {
		freeze_end(&a->freeze, id);
	} else {
		c->bad_lines++;
	}
}

/* Start ------------------------------------------------------------------------------------------ */

static int find_user(struct agent *a)
{
	const struct passwd *user = getpwnam(a->is_smgr ? "postgres" : "aurabox");

	if (!user)
		return -ENOENT;
	a->uid = user->pw_uid;
	a->gid = user->pw_gid;
	return 0;
}

static int own_folder(const struct agent *a, const char *path)
{
	if (mkdir(path, 0750) < 0 && errno != EEXIST)
		return -errno;
	return chown(path, a->uid, a->gid) < 0 ? -errno : 0;
}

static void describe_server(struct agent *a)
{
	struct process_spec spec = { .argv = a->argv,
				     .uid = a->uid,
				     .gid = a->gid,
				     .folder = DATA,
				     .pid_file = SERVER_PID };

	if (a->is_smgr) {
		(void)snprintf(a->listen, sizeof(a->listen), "listen_addresses=%s",
			       a->guest.address);
		a->argv[0] = PG_PROGRAM;
		a->argv[1] = "-D";
		a->argv[2] = DATA "/pg";
		a->argv[3] = "-c";
		a->argv[4] = a->listen;
	} else {
		(void)snprintf(a->program, sizeof(a->program), "/usr/bin/aura-%.50s",
			       a->guest.template ? a->guest.template : "");
		a->argv[0] = a->program;
		a->argv[1] = "--guest";
		a->argv[2] = GUEST_CONFIG_FILE;
		a->argv[3] = "--management";
		a->argv[4] = HEALTH_SOCKET;
	}
	server_init(&a->server, a->loop, &spec, a->is_smgr ? SIGINT : SIGTERM);
	a->server.stopped = on_server_stopped;
}

/* What init found out about the data disk: "" when it is there. */
static void read_data_state(struct agent *a)
{
	FILE *file = fopen(GUEST_DATA_STATE, "re");
	char line[sizeof(a->problem)] = "the data disk was not looked for";

	if (file && !fgets(line, sizeof(line), file))
		(void)snprintf(line, sizeof(line), "the data disk was not looked for");
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	(void)snprintf(a->problem, sizeof(a->problem), "%s", strcmp(line, "ok") == 0 ? "" : line);
}

/* All that may go wrong and still leaves an agent that can say so. */
static int bring_up(struct agent *a, struct error *err)
{
	int r;

	r = guest_load(&a->guest, err);
	if (r < 0)
		return r;
	a->is_smgr = strcmp(a->guest.template, "smgr") == 0;
	r = guest_apply(&a->guest, err);
	if (r < 0)
		return r;
	if (find_user(a) < 0)
		return error_set(err, -ENOENT, "the image has no user for the server");
	if (*a->problem)
		return 0;
	r = own_folder(a, a->is_smgr ? PG_FOLDER : SOCKET_FOLDER);
	if (r == 0 && chown(DATA, a->uid, a->gid) < 0)
		r = -errno;
	if (r < 0)
		return error_set(err, r, "cannot give the folders to the server");
	return identity_open(&a->identity, &a->guest, a->uid, a->gid, err);
}

int agent_new(struct agent **ret, struct error *err)
{
	AUTO(agent) struct agent *a = calloc(1, sizeof(*a));
	struct error why = { 0 };
	int r;

	if (!a)
		return error_set(err, -ENOMEM, "out of memory");
	a->link.fd = -1;
	a->prepare.ended = on_prepared;
	a->freeze.answered = on_frozen;
	r = loop_new(NULL, &a->loop);
	if (r == 0)
		r = loop_signal(a->loop, SIGTERM, on_signal, a);
	if (r == 0)
		r = job_pool_new(a->loop, 1, 16, &a->jobs);
	if (r < 0)
		return error_set(err, r, "cannot make the loop");
	(void)signal(SIGPIPE, SIG_IGN);
	channel_init(&a->channel, a->loop, NULL);
	a->channel.line = on_line;
	a->channel.opened = on_opened;
	a->state.data_folder = DATA;
	process_init(&a->prepare, a->loop);
	freeze_init(&a->freeze, a->loop, a->jobs, DATA);
	read_data_state(a);
	r = bring_up(a, &why);
	if (r < 0) {
		log_failure(LOG_LEVEL_ERROR, "agent.bring_up", r, &why);
		(void)snprintf(a->problem, sizeof(a->problem), "%.100s", error_text(&why, r));
	}
	describe_server(a);
	*ret = TAKE(a);
	return 0;
}

enum agent_end agent_run(struct agent *a)
{
	log_info("agent.started", F("name", a->guest.name ? a->guest.name : "?"),
		 F("version", AURA_VERSION), F("uptime_ms", loop_now(a->loop)));
	a->prepared = !a->is_smgr;
	judge(a);
	channel_start(&a->channel);
	loop_timer_start(a->loop, &a->status_timer, AGENT_STATUS_INTERVAL, on_status_timer);
	if (!*a->problem) {
		if (a->is_smgr)
			run_prepare(&a->prepare_timer);
		maybe_start(a);
		on_probe_timer(&a->probe_timer);
	}
	if (loop_run(a->loop) < 0)
		return AGENT_FAILED;
	return a->end;
}

struct agent *agent_free(struct agent *a)
{
	if (!a)
		return NULL;
	if (a->loop) {
		management_free(a->management);
		server_done(&a->server);
		process_release(&a->prepare);
		channel_done(&a->channel);
		loop_timer_stop(a->loop, &a->status_timer);
		loop_timer_stop(a->loop, &a->csr_timer);
		loop_timer_stop(a->loop, &a->probe_timer);
		loop_timer_stop(a->loop, &a->prepare_timer);
		job_pool_free(a->jobs);
	}
	probe_link_close(&a->link);
	identity_done(&a->identity);
	guest_done(&a->guest);
	loop_free(a->loop);
	free(a);
	return NULL;
}
