/* SPDX-License-Identifier: Apache-2.0 */
/* vm_domain.c - writes the domain of a directly booted guest: q35, virtio, one serial console. */
#include "control/vm/vm_domain.h"

#include "base/buf.h"
#include "control/vm/vm_image.h"

/* Attribute values and text alike; control characters cannot stand in XML 1.0 and are dropped. */
static void add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			buf_add_str(b, "&amp;");
			break;
		case '<':
			buf_add_str(b, "&lt;");
			break;
		case '>':
			buf_add_str(b, "&gt;");
			break;
		case '\'':
			buf_add_str(b, "&apos;");
			break;
		case '"':
			buf_add_str(b, "&quot;");
			break;
		default:
			if ((unsigned char)*s >= 0x20)
				buf_add_char(b, *s);
		}
	}
}

/* <NAME>VALUE</NAME> */
static void element(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "<%s>", name);
	add_escaped(b, value);
	buf_printf(b, "</%s>", name);
}

/* BEFORE'VALUE'AFTER */
static void quoted(struct buf *b, const char *before, const char *value, const char *after)
{
	buf_add_str(b, before);
	buf_add_char(b, '\'');
	add_escaped(b, value);
	buf_add_char(b, '\'');
	buf_add_str(b, after);
}

static void add_identity(struct buf *b, const struct vm_domain *d)
{
	buf_printf(b, "<domain type='%s'>", d->kvm ? "kvm" : "qemu");
	buf_add_str(b, "<name>" VM_DOMAIN_PREFIX);
	add_escaped(b, d->name);
	buf_add_str(b, "</name>");
	element(b, "uuid", d->uuid);
	quoted(b, "<metadata><aurabox:vm xmlns:aurabox='" VM_METADATA_NS "' name=", d->name, "");
	quoted(b, " template=", d->template_name, "/></metadata>");
	buf_printf(b, "<memory unit='MiB'>%u</memory><vcpu>%u</vcpu>", d->memory_mib, d->cpus);
}

static void add_boot(struct buf *b, const struct vm_domain *d)
{
	buf_add_str(b, "<os><type arch='x86_64' machine='q35'>hvm</type>");
	element(b, "kernel", d->image->kernel);
	element(b, "initrd", d->image->initrd);
	element(b, "cmdline", d->cmdline);
	quoted(b, "</os><sysinfo type='fwcfg'><entry name='opt/com.aurabox/config' file=",
	       d->config_file, "/></sysinfo>");
	/* the translation cache of TCG would else take a gigabyte a guest */
	buf_add_str(b,
		    d->kvm ? "<features><acpi/><apic/></features><cpu mode='host-passthrough'/>"
			   : "<features><acpi/><apic/><tcg><tb-cache unit='MiB'>96</tb-cache></tcg>"
			     "</features><cpu mode='maximum'/>");
	/* a reboot inside would hide a crash from us: it ends the domain, and we start it again */
	buf_add_str(b, "<clock offset='utc'/><on_poweroff>destroy</on_poweroff>"
		       "<on_reboot>destroy</on_reboot><on_crash>destroy</on_crash>");
}

static void add_disks(struct buf *b, const struct vm_domain *d)
{
	quoted(b,
	       "<disk type='file' device='disk'><driver name='qemu' type='raw'/>"
	       "<source file=",
	       d->image->root,
	       "/><target dev='vda' bus='virtio'/><serial>root</serial><readonly/></disk>");
	if (d->data_disk)
		quoted(b,
		       "<disk type='file' device='disk'>"
		       "<driver name='qemu' type='qcow2' discard='unmap'/><source file=",
		       d->data_disk,
		       "/><target dev='vdb' bus='virtio'/><serial>data</serial></disk>");
}

char *vm_domain_xml(const struct vm_domain *d)
{
	AUTO_BUF b = { 0 };

	buf_init(&b, 65536);
	add_identity(&b, d);
	add_boot(&b, d);
	buf_add_str(&b, "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>");
	add_disks(&b, d);
	quoted(&b, "<interface type='bridge'><mac address=", d->mac, "/>");
	quoted(&b, "<source bridge=", d->bridge,
	       "/><model type='virtio'/><rom enabled='no'/></interface>");
	quoted(&b, "<serial type='pty'><log file=", d->log_file, " append='on'/></serial>");
	buf_add_str(&b, "<controller type='virtio-serial'/><channel type='unix'>"
			"<target type='virtio' name='" VM_AGENT_PORT "'/></channel>"
			"<controller type='usb' model='none'/><memballoon model='none'/>"
			"<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
			"</devices></domain>");
	return buf_take_str(&b);
}

json_t *vm_guest_config(const struct vm_guest *g)
{
	json_t *peers = json_object();
	char address[64];

	for (size_t i = 0; i < g->peer_count; i++)
		(void)json_object_set_new(peers, g->peers[i].name,
					  json_string(g->peers[i].address));
	(void)snprintf(address, sizeof(address), "%s/%u", g->address, g->prefix);
	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:[s],s:s,s:s,s:o,s:s,s:O}", "schema", 1, "name",
			 g->name, "template", g->template_name, "instance", g->uuid, "domain",
			 g->sip_domain, "interface", "eth0", "addresses", address, "gateway",
			 g->gateway, "advertise", g->advertise, "peers", peers, "time", g->time,
			 "options", g->options);
}
