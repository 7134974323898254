/* SPDX-License-Identifier: Apache-2.0 */
/* vm_watch.c - the watch: a job every half second, and whenever libvirt tells something, compares what is
 * with what shall be. */
#include <stdio.h>

#include "base/clock.h"
#include "base/job.h"
#include "base/log.h"
#include "base/loop.h"
#include "control/vm/vm_disk.h"
#include "control/vm/vm_domain.h"
#include "control/vm/vm_internal.h"
#include "net/pki.h"

#define TICK_MS 500
#define CONNECT_MS 1000
#define CHANNEL_MS 500	    /* between attempts to open a guest's channel */
#define PROBE_SOON_MS 400   /* until the first good answer */
#define PROBE_MS 5000	    /* afterwards */
#define PROBE_AGAIN_MS 2000 /* after a bad one: a busy host is no dead guest */
#define PROBE_FAILURES 3    /* in a row make a ready VM not ready */
#define USAGE_MS 10000
#define SIGN_AGAIN_MS 3000 /* an agent without its answer asks every 5 s */

static void watch_run(void *user);

void vm_watch_poke(struct vm_manager *m)
{
	if (vm_closing(m))
		return;
	atomic_store(&m->poked, true);
	if (atomic_exchange(&m->ticking, true))
		return;
	if (job_submit(m->config.jobs, watch_run, NULL, m) < 0)
		atomic_store(&m->ticking, false);
}

static void on_timer(struct timer *timer)
{
	struct vm_manager *m = CONTAINER_OF(timer, struct vm_manager, timer);

	vm_watch_poke(m);
	loop_timer_start(m->config.loop, &m->timer, TICK_MS, on_timer);
}

void vm_watch_start(struct vm_manager *m)
{
	loop_timer_start(m->config.loop, &m->timer, 1, on_timer);
}

/* ---- jobs for one VM ---- */

struct vm_job {
	struct vm_manager *m;
	char id[VM_UUID_SIZE];
	uint32_t epoch;
	char *text; /* a certificate request */
};

static bool submit(struct vm_manager *m, const struct vm *vm, const char *text, void (*run)(void *))
{
	struct vm_job *j = calloc(1, sizeof(*j));

	if (!j)
		return false;
	j->m = m;
	memcpy(j->id, vm->id, sizeof(j->id));
	j->epoch = vm->epoch;
	j->text = text ? strdup(text) : NULL;
	if ((text && !j->text) || job_submit(m->config.jobs, run, NULL, j) < 0) {
		free(j->text);
		free(j);
		return false;
	}
	return true;
}

static void job_end(struct vm_job *j)
{
	free(j->text);
	free(j);
}

static void start_wanted_run(void *user)
{
	struct vm_job *j = user;
	struct error err = { 0 };
	struct vm *vm;
	int r = vm_work_start(j->m, j->id, true, NULL, &err);

	if (r < 0)
		log_failure(LOG_LEVEL_ERROR, "vm.start_failed", r, &err);
	vm_lock(j->m);
	vm = vm_find(j->m, j->id);
	if (vm)
		vm->busy = NULL;
	vm_unlock(j->m);
	job_end(j);
}

static void restart_run(void *user)
{
	struct vm_job *j = user;
	struct error err = { 0 };
	struct vm *vm;
	int r = vm_work_start(j->m, j->id, false, NULL, &err);

	if (r < 0)
		log_failure(LOG_LEVEL_ERROR, "vm.start_failed", r, &err);
	vm_lock(j->m);
	vm = vm_find(j->m, j->id);
	if (vm)
		vm->restarting = false;
	vm_unlock(j->m);
	job_end(j);
}

/* A deployment or deletion that an earlier process did not finish. */
static void remove_run(void *user)
{
	struct vm_job *j = user;
	struct error err = { 0 };
	struct vm *vm;
	int r = vm_work_remove(j->m, j->id, &err);

	if (r < 0) {
		log_failure(LOG_LEVEL_ERROR, "vm.remove_failed", r, &err);
		vm_lock(j->m);
		vm = vm_find(j->m, j->id);
		if (vm)
			vm->busy = NULL; /* the next reconciliation tries again */
		vm_unlock(j->m);
		atomic_store(&j->m->reconciled, false);
	}
	job_end(j);
}

static void probe_run(void *user)
{
	struct vm_job *j = user;
	struct vm_manager *m = j->m;
	enum vm_probe probe = VM_PROBE_NONE;
	char address[16] = "", name[256] = "", template_name[VM_NAME_MAX + 1] = "";
	struct error err = { 0 };
	bool became_ready = false;
	uint16_t port = 0;
	struct vm *vm;
	int r;

	vm_lock(m);
	vm = vm_find(m, j->id);
	if (vm && vm->t) {
		probe = vm->t->probe;
		port = vm->t->probe_port;
		memcpy(address, vm->address, sizeof(address));
		memcpy(template_name, vm->template_name, sizeof(template_name));
		(void)snprintf(name, sizeof(name), "%s.%s", vm->name, m->config.sip_domain);
	}
	vm_unlock(m);
	if (!vm) {
		job_end(j);
		return;
	}
	r = vm_prober_ask(m->prober, probe, address, port, name, &err);
	vm_lock(m);
	vm = vm_find(m, j->id);
	if (vm)
		vm->probing = false;
	if (vm && vm->epoch == j->epoch && vm->fsm.state == VM_RUNNING) {
		struct vm_agent_status s = { 0 };

		vm_agent_status(vm->agent, &s);
		vm->probe_failures = r < 0 ? vm->probe_failures + 1 : 0;
		became_ready = r == 0 && s.ready && !vm->ready;
		if (became_ready)
			vm_set_ready(vm, true, "");
		else if (r < 0 && (!vm->ready || vm->probe_failures >= PROBE_FAILURES))
			vm_set_ready(vm, false, error_text(&err, r));
		vm->next_probe_ms = vm_now(m) + (!vm->ready ? PROBE_SOON_MS
						 : r < 0    ? PROBE_AGAIN_MS
							    : PROBE_MS);
	}
	vm_unlock(m);
	if (became_ready && m->config.ready)
		m->config.ready(m->config.user, template_name);
	job_end(j);
}

static void sign_run(void *user)
{
	struct vm_job *j = user;
	struct vm_manager *m = j->m;
	AUTO(str) char *pem = NULL;
	char fqdn[256], cn[VM_NAME_MAX + 1], name[VM_NAME_MAX + 1], address[16];
	char now[CLOCK_RFC3339_SIZE];
	struct error err = { 0 };
	struct vm *vm;
	int r;

	vm_lock(m);
	vm = vm_find(m, j->id);
	if (vm) {
		memcpy(cn, vm->template_name, sizeof(cn));
		memcpy(name, vm->name, sizeof(name));
		memcpy(address, vm->address, sizeof(address));
	}
	vm_unlock(m);
	if (!vm) {
		job_end(j);
		return;
	}
	(void)snprintf(fqdn, sizeof(fqdn), "%s.%s", name, m->config.sip_domain);
	r = pki_ca_sign(m->config.ca, slice_str(j->text),
			&(struct pki_subject){ .common_name = cn,
					       .dns = { fqdn, name },
					       .ip = { address },
					       .server = true,
					       .client = true },
			&pem, &err);
	if (r < 0)
		log_failure(LOG_LEVEL_ERROR, "vm.certificate", r, &err);
	vm_lock(m);
	vm = vm_find(m, j->id);
	if (vm) {
		vm->signing = false;
		/* a request that is refused is not to be tried as often as the guest likes */
		if (r < 0)
			vm->signed_ms = vm_now(m);
		if (r == 0 && vm_agent_certify(vm->agent, pem, pki_ca_pem(m->config.ca),
					       clock_format(vm_wall(m), now)) == 0) {
			vm->signed_ms = vm_now(m);
			log_info("vm.certified", F("vm", vm->name));
		}
	}
	vm_unlock(m);
	job_end(j);
}

/* ---- libvirt's event thread ---- */

static void on_stopped(void *arg, const char *uuid)
{
	(void)uuid;
	vm_watch_poke(arg);
}

static void on_broken(void *arg)
{
	struct vm_manager *m = arg;

	atomic_store(&m->reconciled, false);
	log_warning("libvirt.disconnected");
	vm_watch_poke(m);
}

static void on_channel_data(void *arg, struct vm_channel *channel, const char *uuid,
			    const char *bytes, size_t len)
{
	struct vm_manager *m = arg;
	struct vm *vm;

	vm_lock(m);
	vm = vm_find(m, uuid);
	if (vm && vm->channel == channel)
		vm_agent_feed(vm->agent, bytes, len, vm_now(m));
	vm_unlock(m);
}

static void on_channel_closed(void *arg, struct vm_channel *channel, const char *uuid)
{
	struct vm_manager *m = arg;
	struct vm *vm;

	vm_lock(m);
	vm = vm_find(m, uuid);
	if (vm && vm->channel == channel) {
		vm_drop_channel(vm);
		vm->next_open_ms = vm_now(m) + CHANNEL_MS;
	}
	vm_unlock(m);
	vm_watch_poke(m);
}

const struct vm_hyper_ops vm_watch_ops = {
	.stopped = on_stopped,
	.broken = on_broken,
	.channel_data = on_channel_data,
	.channel_closed = on_channel_closed,
};

/* ---- the agent's callbacks: locked ---- */

static int agent_send(void *arg, const char *bytes, size_t len)
{
	struct vm *vm = arg;

	return vm->channel ? vm_channel_send(vm->channel, bytes, len) : -ENOTCONN;
}

static void agent_csr(void *arg, const char *csr)
{
	struct vm *vm = arg;

	/* a guest answers each hello that waited for its boot: one certificate is enough */
	if (vm->signed_ms > 0 && vm_now(vm->m) < vm->signed_ms + SIGN_AGAIN_MS)
		return;
	if (!vm->signing)
		vm->signing = submit(vm->m, vm, csr, sign_run);
}

static void agent_changed(void *arg, const struct vm_agent_status *status)
{
	struct vm *vm = arg;

	if (vm->fsm.state != VM_RUNNING || vm_closing(vm->m))
		return;
	if (!status->ready)
		vm_set_ready(vm, false,
			     status->reason[0] ? status->reason : "the agent is not ready");
	vm->next_probe_ms = 0;
	vm_watch_poke(vm->m);
}

const struct vm_agent_ops vm_watch_agent_ops = {
	.send = agent_send,
	.csr = agent_csr,
	.changed = agent_changed,
};

/* ---- one look ---- */

struct look {
	struct vm_hyper_domain domains[VM_HYPER_DOMAINS_MAX];
	int count;
	struct {
		char id[VM_UUID_SIZE];
		uint32_t epoch;
		uint8_t state;
		bool busy;
	} before[VM_COUNT_MAX];
	size_t vms;
};

static bool quiet_now(const struct vm *vm)
{
	return (!vm->busy || vm->waiting) && !vm->restarting;
}

static void close_dropped(struct vm_manager *m)
{
	struct vm_channel *dropped[ARRAY_SIZE(m->dropped)];
	size_t n;

	vm_lock(m);
	n = m->dropped_count;
	memcpy(dropped, m->dropped, n * sizeof(void *));
	m->dropped_count = 0;
	vm_unlock(m);
	for (size_t i = 0; i < n; i++)
		(void)vm_channel_close(dropped[i]);
}

static bool connected(struct vm_manager *m)
{
	struct error err = { 0 };
	int r;

	if (vm_hyper_connected(m->hyper))
		return true;
	if (vm_now(m) < m->next_connect_ms)
		return false;
	r = vm_hyper_connect(m->hyper, &err);
	m->next_connect_ms = vm_now(m) + CONNECT_MS;
	if (r < 0) {
		if (!m->connect_failed)
			log_failure(LOG_LEVEL_ERROR, "libvirt.connect", r, &err);
		m->connect_failed = true;
		return false;
	}
	m->connect_failed = false;
	log_info("libvirt.connected", F("uri", m->config.libvirt_uri));
	atomic_store(&m->reconciled, false);
	return true;
}

static const struct vm_hyper_domain *domain_of(const struct look *look, const char *id)
{
	for (int i = 0; i < look->count; i++)
		if (strcmp(look->domains[i].uuid, id) == 0)
			return &look->domains[i];
	return NULL;
}

/* Was the VM quiet when the list was made, and is it the same run still? Else the list is stale. */
static bool unchanged(const struct look *look, const struct vm *vm)
{
	for (size_t i = 0; i < look->vms; i++)
		if (strcmp(look->before[i].id, vm->id) == 0)
			return !look->before[i].busy && look->before[i].epoch == vm->epoch &&
			       look->before[i].state == vm->fsm.state && quiet_now(vm);
	return false;
}

/* What an earlier process left; once after each connection. */
static void reconcile(struct vm *vm, const struct vm_hyper_domain *d)
{
	struct vm_manager *m = vm->m;
	bool active = d && d->active;

	if (vm->busy)
		return;
	if (!vm->fresh && vm->phase != VM_PHASE_DEFINED) {
		log_info(vm->phase == VM_PHASE_DEPLOYING ? "vm.deployment_undone"
							 : "vm.deletion_resumed",
			 F("vm", vm->name));
		vm->busy = "remove";
		if (!submit(m, vm, NULL, remove_run))
			vm->busy = NULL;
		return;
	}
	if (!active && vm->fsm.state == VM_STOPPED && vm->desired_running)
		vm->start_wanted = true;
}

static void compare(struct vm *vm, const struct vm_hyper_domain *d)
{
	bool active = d && d->active;

	switch ((enum vm_state)vm->fsm.state) {
	case VM_RUNNING:
	case VM_PAUSED:
		if (active) {
			(void)vm_step(vm, d->paused ? VM_EV_PAUSED : VM_EV_RESUMED);
			break;
		}
		(void)vm_step(vm, VM_EV_GONE);
		if (!vm->desired_running)
			(void)vm_step(vm, VM_EV_STOP);
		break;
	case VM_STOPPED:
	case VM_CRASHED:
		if (active && vm->phase == VM_PHASE_DEFINED)
			(void)vm_step(vm, VM_EV_ADOPT);
		break;
	default:
		break;
	}
}

/* What a VM needs next: channel, probe, restart, start. Locked; only submits. */
static void attend(struct vm_manager *m, struct vm *vm, uint64_t now)
{
	struct vm_agent_status s = { 0 };

	if (vm->start_wanted && !vm->busy) {
		vm->start_wanted = false;
		vm->busy = "start";
		if (!submit(m, vm, NULL, start_wanted_run)) {
			vm->busy = NULL;
			vm->start_wanted = true;
		}
		return;
	}
	if (vm->fsm.state == VM_CRASHED && vm->desired_running && quiet_now(vm) &&
	    now >= vm->restart_ms) {
		vm->restarting = submit(m, vm, NULL, restart_run);
		return;
	}
	if (vm->fsm.state != VM_RUNNING)
		return;
	vm_agent_tick(vm->agent, now);
	vm_agent_status(vm->agent, &s);
	if (s.ready && !vm->probing && now >= vm->next_probe_ms)
		vm->probing = submit(m, vm, NULL, probe_run);
}

/* Channels are opened here, unlocked: it is a call to libvirt. */
static void open_channels(struct vm_manager *m)
{
	char ids[VM_COUNT_MAX][VM_UUID_SIZE];
	uint64_t now = vm_now(m);
	size_t n = 0;
	struct vm *vm;

	vm_lock(m);
	LIST_FOREACH (vm, &m->vms, struct vm, link) {
		if (vm->channel && vm_channel_is_closed(vm->channel))
			vm_drop_channel(vm);
		if (vm->fsm.state == VM_RUNNING && !vm->channel && now >= vm->next_open_ms)
			memcpy(ids[n++], vm->id, VM_UUID_SIZE);
	}
	vm_unlock(m);
	for (size_t i = 0; i < n; i++) {
		struct vm_channel *channel = NULL;
		struct error err = { 0 };
		int r = vm_channel_open(m->hyper, ids[i], VM_AGENT_PORT, &channel, &err);

		if (r < 0)
			log_failure(LOG_LEVEL_DEBUG, "vm.channel", r, &err);
		vm_lock(m);
		vm = vm_find(m, ids[i]);
		if (vm)
			vm->next_open_ms = vm_now(m) + CHANNEL_MS;
		if (vm && channel && vm->fsm.state == VM_RUNNING && !vm->channel) {
			vm->channel = TAKE(channel);
			vm_agent_opened(vm->agent);
		}
		vm_unlock(m);
		(void)vm_channel_close(channel);
	}
}

static void look_before(struct vm_manager *m, struct look *look)
{
	struct vm *vm;

	vm_lock(m);
	LIST_FOREACH (vm, &m->vms, struct vm, link) {
		if (look->vms == VM_COUNT_MAX)
			break;
		memcpy(look->before[look->vms].id, vm->id, VM_UUID_SIZE);
		look->before[look->vms].epoch = vm->epoch;
		look->before[look->vms].state = vm->fsm.state;
		look->before[look->vms].busy = !quiet_now(vm);
		look->vms++;
	}
	vm_unlock(m);
}

static void tell_unknown(struct vm_manager *m, const struct look *look)
{
	for (int i = 0; i < look->count; i++)
		if (look->domains[i].ours && !vm_find(m, look->domains[i].uuid))
			log_warning("vm.unknown_domain", F("domain", look->domains[i].name),
				    F("uuid", look->domains[i].uuid));
}

static void look_once(struct vm_manager *m)
{
	AUTO(mem) void *hold = calloc(1, sizeof(struct look));
	struct look *look = hold;
	struct error err = { 0 };
	bool first = !atomic_load(&m->reconciled);
	struct vm *vm;

	if (!look || !connected(m))
		return;
	first = first || !atomic_load(&m->reconciled);
	look_before(m, look);
	look->count = vm_hyper_list(m->hyper, !first, look->domains, VM_HYPER_DOMAINS_MAX, &err);
	if (look->count < 0) {
		log_failure(LOG_LEVEL_WARNING, "libvirt.list", look->count, &err);
		return;
	}
	vm_lock(m);
	if (first)
		tell_unknown(m, look);
	LIST_FOREACH (vm, &m->vms, struct vm, link) {
		if (unchanged(look, vm))
			compare(vm, domain_of(look, vm->id));
		if (first)
			reconcile(vm, domain_of(look, vm->id));
		attend(m, vm, vm_now(m));
	}
	vm_unlock(m);
	atomic_store(&m->reconciled, true);
	open_channels(m);
}

static void refresh_usage(struct vm_manager *m)
{
	char name[VM_COUNT_MAX][VM_NAME_MAX + 1];
	size_t n = 0;
	struct vm *vm;

	if (vm_now(m) < m->next_usage_ms)
		return;
	m->next_usage_ms = vm_now(m) + USAGE_MS;
	vm_lock(m);
	LIST_FOREACH (vm, &m->vms, struct vm, link)
		memcpy(name[n++], vm->name, sizeof(name[0]));
	vm_unlock(m);
	for (size_t i = 0; i < n; i++) {
		uint64_t used = vm_disk_used(m->config.disks_dir, name[i]);

		vm_lock(m);
		vm = vm_find(m, name[i]);
		if (vm)
			vm->disk_used = used;
		vm_unlock(m);
	}
}

static void watch_run(void *user)
{
	struct vm_manager *m = user;

	/* at most two rounds: what pokes meanwhile is seen by the next timer at the latest */
	for (int round = 0; round < 2 && atomic_exchange(&m->poked, false) && !vm_closing(m);
	     round++) {
		close_dropped(m);
		look_once(m);
		refresh_usage(m);
		vm_publish(m);
	}
	atomic_store(&m->ticking, false);
}
