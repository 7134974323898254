/* SPDX-License-Identifier: Apache-2.0 */
/* vm_template.h - what can be deployed: the templates of vmtemplates/, checked against their schema. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_field.h"

#define VM_TEMPLATE_MAX 64     /* templates in one catalogue */
#define VM_TEMPLATE_SIZE 65536 /* bytes of one template.json */
#define VM_NAME_MAX 63	       /* 1..63 of [a-z0-9-], first a letter, last no dash */
#define VM_TEMPLATE_REFS 8     /* entries of requires and of start_after */

enum vm_kind { VM_KIND_CORE, VM_KIND_APPLICATION, VM_KIND_FOREIGN };

/* How the host proves that a guest serves, beside the agent's own word. */
enum vm_probe { VM_PROBE_NONE, VM_PROBE_HEALTH, VM_PROBE_POSTGRES, VM_PROBE_TCP };

/* One template; all strings are owned by the catalogue and live as long as it. */
struct vm_template {
	const char *name;
	const char *title;
	const char *description;
	const char *version;
	enum vm_kind kind;
	const char *requires[VM_TEMPLATE_REFS]; /* templates that should be there too */
	size_t requires_count;
	const char *start_after[VM_TEMPLATE_REFS]; /* templates whose readiness is waited for */
	size_t start_after_count;
	uint32_t cpus, cpus_min, cpus_max;
	uint32_t memory_mib, memory_mib_min, memory_mib_max;
	bool realtime; /* carries calls: its reservation is a promise */
	uint32_t reserved_cpu_percent;
	const char *kernel, *initrd, *root, *cmdline; /* file names in the images folder */
	uint32_t data_size_mib;			      /* 0: no data disk */
	uint32_t host_number; /* the service address: subnet + host_number */
	enum vm_probe probe;
	uint16_t probe_port;
	uint32_t ready_timeout_s, shutdown_timeout_s;
	const char *backup_quiesce, *failover, *entitlement;
	json_t *options;  /* object: section.key -> value for the server; never NULL */
	json_t *document; /* the whole template as it was read */
};

struct vm_catalogue; /* opaque, immutable once read: free for every thread */

/* Read DIR/schema.json and DIR/NAME/template.json of every folder that holds one. A broken template
 * does not hide the others: it is listed with its errors and cannot be deployed.
 * The caller owns *ret. Errors: -ENOENT no folder or no schema, -EINVAL the schema itself is broken. */
int vm_catalogue_read(const char *dir, struct vm_catalogue **ret, struct error *err);
struct vm_catalogue *vm_catalogue_free(struct vm_catalogue *catalogue); /* accepts NULL */
DEFINE_AUTO(vm_catalogue)

size_t vm_catalogue_count(const struct vm_catalogue *catalogue);
/* The sound templates in the order of their names; NULL beyond the end. */
const struct vm_template *vm_catalogue_at(const struct vm_catalogue *catalogue, size_t i);
/* Errors: -EINVAL no such template, or it is broken (err says where; err->field is "/template"). */
int vm_catalogue_find(const struct vm_catalogue *catalogue, const char *name,
		      const struct vm_template **ret, struct error *err);
/* {name,title,description,version,kind,requires,start_after,cpus,memory_mib,…,valid,errors:[{pointer,detail}]}
 * for the API. The caller owns the reference. */
json_t *vm_catalogue_to_json(const struct vm_catalogue *catalogue);
json_t *vm_template_to_json(const struct vm_template *t);

/* Is this a name that a VM may have? */
bool vm_name_ok(const char *name);
