/* SPDX-License-Identifier: Apache-2.0 */
/* vm_domain.h - what a VM is to libvirt: the domain's XML, and the guest's fw_cfg configuration. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/json_field.h"

struct vm_image;
struct vm_template;

#define VM_METADATA_NS "urn:aurabox:vm:1"
#define VM_DOMAIN_PREFIX "aurabox-"
#define VM_AGENT_PORT "com.aurabox.agent.0"
#define VM_CONFIG_MAX 65536 /* bytes of the fw_cfg file */
#define VM_PEERS_MAX 16

/* All strings are borrowed. */
struct vm_domain {
	const char *name, *uuid, *template_name, *mac, *bridge;
	bool kvm;
	uint32_t cpus, memory_mib;
	const struct vm_image *image;
	const char *cmdline;
	const char *data_disk;	 /* NULL: none */
	const char *config_file; /* the fw_cfg file */
	const char *log_file;	 /* console log */
};

/* The XML; the caller frees it. NULL when out of memory. */
char *vm_domain_xml(const struct vm_domain *d);

struct vm_peer {
	const char *name, *address;
};

struct vm_guest {
	const char *name, *template_name, *uuid, *sip_domain, *address, *gateway, *advertise;
	unsigned prefix;
	const char *time; /* RFC 3339 */
	struct vm_peer peers[VM_PEERS_MAX];
	size_t peer_count;
	const json_t *options; /* object of strings */
};

/* The JSON of opt/com.aurabox/config; the caller owns it. */
json_t *vm_guest_config(const struct vm_guest *g);
