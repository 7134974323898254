/* SPDX-License-Identifier: Apache-2.0 */
/* vm_manager.c - the list of VMs and what the API asks of it. */
#include "control/vm/vm_manager.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/random.h"
#include "control/task/alarm.h"
#include "control/vm/vm_disk.h"
#include "control/vm/vm_internal.h"

/* ---- shared by the room ---- */

void vm_lock(struct vm_manager *m)
{
	(void)pthread_mutex_lock(&m->lock);
}

void vm_unlock(struct vm_manager *m)
{
	(void)pthread_mutex_unlock(&m->lock);
}

uint64_t vm_now(struct vm_manager *m)
{
	return clock_now(loop_clock(m->config.loop));
}

int64_t vm_wall(struct vm_manager *m)
{
	return clock_wall(loop_clock(m->config.loop));
}

bool vm_closing(struct vm_manager *m)
{
	return atomic_load(&m->closing);
}

struct vm *vm_find(struct vm_manager *m, const char *name_or_id)
{
	struct vm *vm;

	LIST_FOREACH (vm, &m->vms, struct vm, link)
		if (strcmp(vm->name, name_or_id) == 0 || strcasecmp(vm->id, name_or_id) == 0)
			return vm;
	return NULL;
}

struct vm *vm_new(struct vm_manager *m)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		return NULL;
	vm->m = m;
	if (vm_agent_new(&vm_watch_agent_ops, vm, &vm->agent) < 0) {
		free(vm);
		return NULL;
	}
	fsm_init(&vm->fsm, &vm_cycle, VM_DEPLOYING);
	(void)snprintf(vm->reason, sizeof(vm->reason), "stopped");
	list_append(&m->vms, &vm->link);
	m->count++;
	return vm;
}

void vm_drop_channel(struct vm *vm)
{
	struct vm_manager *m = vm->m;

	if (!vm->channel)
		return;
	if (m->dropped_count < ARRAY_SIZE(m->dropped))
		m->dropped[m->dropped_count++] = vm->channel;
	vm->channel = NULL;
}

void vm_unlink(struct vm *vm)
{
	vm_drop_channel(vm);
	list_remove(&vm->link);
	vm->m->count--;
	(void)vm_agent_free(vm->agent);
	free(vm);
}

int vm_address_of(struct vm_manager *m, uint32_t host_number, char out[16])
{
	struct in_addr a = { htonl(m->subnet + host_number) };

	if (host_number >= (1U << (32 - m->prefix)) - 1)
		return -ERANGE;
	return inet_ntop(AF_INET, &a, out, 16) ? 0 : -EINVAL;
}

/* ---- start and end ---- */

static int subnet_parse(struct vm_manager *m, const char *text, struct error *err)
{
	char address[32];
	unsigned prefix;
	struct in_addr a;
	char tail;

	if (sscanf(text, "%31[0-9.]/%u%c", address, &prefix, &tail) != 2 ||
	    inet_pton(AF_INET, address, &a) != 1 || prefix < 16 || prefix > 28 ||
	    (ntohl(a.s_addr) & ((1U << (32 - prefix)) - 1)) != 0)
		return error_field(err, -EINVAL, "network.subnet",
				   "'%s' is no IPv4 network of /16 to /28", text);
	m->subnet = ntohl(a.s_addr);
	m->prefix = prefix;
	return vm_address_of(m, 1, m->gateway);
}

static const char *keep(struct vm_manager *m, const char *text)
{
	char *copy = strdup(text ? text : "");

	if (copy && m->text_count < ARRAY_SIZE(m->texts))
		m->texts[m->text_count++] = copy;
	return copy ? copy : "";
}

static void config_copy(struct vm_manager *m, const struct vm_manager_config *c)
{
	m->config = *c;
	m->config.libvirt_uri = keep(m, c->libvirt_uri);
	m->config.images_dir = keep(m, c->images_dir);
	m->config.disks_dir = keep(m, c->disks_dir);
	m->config.logs_dir = keep(m, c->logs_dir);
	m->config.bridge = keep(m, c->bridge);
	m->config.sip_domain = keep(m, c->sip_domain);
	m->config.advertise = keep(m, c->advertise);
}

static int prober_make(struct vm_manager *m, const struct vm_manager_config *c, struct error *err)
{
	const struct vm_probe_identity identity = { .cert_file = keep(m, c->cert_file),
						    .key_file = keep(m, c->key_file),
						    .ca_file = keep(m, c->ca_file) };

	return vm_prober_new(&identity, &m->prober) < 0 ? error_set(err, -ENOMEM, "out of memory")
							: 0;
}

static void tell_broken_templates(struct vm_manager *m)
{
	AUTO(json) json_t *list = vm_catalogue_to_json(m->catalogue);
	const json_t *t;
	size_t i;

	json_array_foreach(list, i, t)
	{
		const json_t *first = json_array_get(json_object_get(t, "errors"), 0);

		if (!json_is_true(json_object_get(t, "valid")))
			log_error("vm.template_broken",
				  F("template", json_string_value(json_object_get(t, "name"))),
				  F("pointer",
				    json_string_value(json_object_get(first, "pointer"))),
				  F("detail", json_string_value(json_object_get(first, "detail"))));
	}
}

int vm_manager_new(const struct vm_manager_config *config, struct vm_manager **ret,
		   struct error *err)
{
	struct vm_manager *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return error_set(err, -ENOMEM, "out of memory");
	(void)pthread_mutex_init(&m->lock, NULL);
	list_init(&m->vms);
	config_copy(m, config);
	r = subnet_parse(m, config->subnet, err);
	if (r == 0)
		r = prober_make(m, config, err);
	if (r == 0)
		r = vm_catalogue_read(config->templates_dir, &m->catalogue, err);
	if (r == 0)
		r = vm_record_load(m, err);
	if (r == 0)
		r = vm_hyper_new(m->config.libvirt_uri, &vm_watch_ops, m, &m->hyper, err);
	if (r < 0) {
		(void)vm_manager_free(m);
		return r;
	}
	tell_broken_templates(m);
	m->kvm = vm_accel_detect(config->accelerator, m->accelerator_reason,
				 sizeof(m->accelerator_reason));
	log_info("vm.accelerator", F("accelerator", m->kvm ? "kvm" : "tcg"),
		 F("reason", m->accelerator_reason));
	vm_watch_start(m);
	*ret = m;
	return 0;
}

void vm_manager_close(struct vm_manager *m)
{
	atomic_store(&m->closing, true);
	loop_timer_stop(m->config.loop, &m->timer);
}

struct vm_manager *vm_manager_free(struct vm_manager *m)
{
	struct vm *vm;

	if (!m)
		return NULL;
	atomic_store(&m->closing, true);
	if (m->config.loop)
		loop_timer_stop(m->config.loop, &m->timer);
	LIST_FOREACH (vm, &m->vms, struct vm, link)
		vm_unlink(vm);
	for (size_t i = 0; i < m->dropped_count; i++)
		(void)vm_channel_close(m->dropped[i]);
	(void)vm_hyper_free(m->hyper);
	(void)vm_catalogue_free(m->catalogue);
	(void)vm_prober_free(m->prober);
	for (size_t i = 0; i < m->text_count; i++)
		free(m->texts[i]);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
	return NULL;
}

/* ---- questions ---- */

static int by_name(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;

	return strcmp(json_string_value(json_object_get(*x, "name")),
		      json_string_value(json_object_get(*y, "name")));
}

json_t *vm_manager_list(struct vm_manager *m)
{
	json_t *items[VM_COUNT_MAX], *list = json_array();
	size_t n = 0;
	struct vm *vm;

	vm_lock(m);
	LIST_FOREACH (vm, &m->vms, struct vm, link)
		if (n < VM_COUNT_MAX)
			items[n++] = vm_to_json(vm);
	vm_unlock(m);
	qsort(items, n, sizeof(void *), by_name);
	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, items[i]);
	return list;
}

static int no_vm(const char *name, struct error *err)
{
	return error_set(err, -ENOENT, "there is no VM '%.63s'", name);
}

int vm_manager_get(struct vm_manager *m, const char *name, json_t **ret, struct error *err)
{
	struct vm *vm;

	vm_lock(m);
	vm = vm_find(m, name);
	if (vm)
		*ret = vm_to_json(vm);
	vm_unlock(m);
	return vm ? 0 : no_vm(name, err);
}

json_t *vm_manager_templates(struct vm_manager *m)
{
	json_t *list = vm_catalogue_to_json(m->catalogue), *t;
	struct vm *vm;
	size_t i;

	vm_lock(m);
	json_array_foreach(list, i, t)
	{
		const char *name = json_string_value(json_object_get(t, "name"));
		json_t *deployed = json_array();

		LIST_FOREACH (vm, &m->vms, struct vm, link)
			if (strcmp(vm->template_name, name) == 0)
				(void)json_array_append_new(deployed, json_string(vm->name));
		(void)json_object_set_new(t, "deployed", deployed);
	}
	vm_unlock(m);
	return list;
}

static json_t *capacity_json(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return json_pack("{s:I,s:I}", "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
			 "memory_mib", (json_int_t)((long long)pages * size >> 20));
}

json_t *vm_manager_summary(struct vm_manager *m)
{
	unsigned long libvirt, qemu;
	json_int_t total = 0, running = 0, ready = 0, crashed = 0;
	char versions[2][32];
	struct vm *vm;

	vm_hyper_versions(m->hyper, &libvirt, &qemu);
	(void)snprintf(versions[0], sizeof(versions[0]), "%lu.%lu.%lu", libvirt / 1000000,
		       libvirt / 1000 % 1000, libvirt % 1000);
	(void)snprintf(versions[1], sizeof(versions[1]), "%lu.%lu.%lu", qemu / 1000000,
		       qemu / 1000 % 1000, qemu % 1000);
	vm_lock(m);
	LIST_FOREACH (vm, &m->vms, struct vm, link) {
		total++;
		running += vm->fsm.state == VM_RUNNING;
		ready += vm->ready;
		crashed += vm->fsm.state == VM_CRASHED;
	}
	vm_unlock(m);
	return json_pack("{s:s,s:s,s:{s:b,s:s,s:s},s:o,s:{s:I,s:I,s:I,s:I}}", "accelerator",
			 m->kvm ? "kvm" : "tcg", "accelerator_reason", m->accelerator_reason,
			 "hypervisor", "connected", (int)vm_hyper_connected(m->hyper), "libvirt",
			 versions[0], "qemu", versions[1], "capacity", capacity_json(), "vms",
			 "total", total, "running", running, "ready", ready, "crashed", crashed);
}

uint32_t vm_manager_boot_s(struct vm_manager *m)
{
	return m->kvm ? 4 : 14;
}

uint64_t vm_manager_disk_free(struct vm_manager *m)
{
	struct statvfs st;

	if (statvfs(m->config.disks_dir, &st) < 0)
		return 0;
	return (uint64_t)st.f_bavail * st.f_frsize;
}

int vm_manager_health(struct vm_manager *m, struct error *err)
{
	struct vm *vm;
	int r = 0;

	if (!vm_hyper_connected(m->hyper))
		return error_set(err, -ENOTCONN, "libvirt does not answer");
	vm_lock(m);
	LIST_FOREACH (vm, &m->vms, struct vm, link)
		if (r == 0 && vm->desired_running && !vm->ready)
			r = error_set(err, -EAGAIN, "VM %s is not ready: %s", vm->name, vm->reason);
	vm_unlock(m);
	return r;
}

int vm_manager_address(struct vm_manager *m, const char *template_name, char buf[46],
		       struct error *err)
{
	bool found = false;
	struct vm *vm;

	vm_lock(m);
	LIST_FOREACH (vm, &m->vms, struct vm, link)
		if (!found && strcmp(vm->template_name, template_name) == 0) {
			(void)snprintf(buf, 46, "%s", vm->address);
			found = true;
		}
	vm_unlock(m);
	return found ? 0 : error_set(err, -ENOENT, "no VM of template '%s'", template_name);
}

bool vm_manager_ready(struct vm_manager *m, const char *template_name)
{
	bool ready = false;
	struct vm *vm;

	vm_lock(m);
	LIST_FOREACH (vm, &m->vms, struct vm, link)
		ready = ready || (vm->ready && strcmp(vm->template_name, template_name) == 0);
	vm_unlock(m);
	return ready;
}
