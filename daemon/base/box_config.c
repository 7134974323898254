/* SPDX-License-Identifier: Apache-2.0 */
/* box_config.c - the rows of aurabox.conf and the checks of their values. */
#include "base/box_config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#include "base/slice.h"

#define ROOT_MAX 64 /* leaves room for the longest socket below it */

const char *const box_accelerators[] = { "auto", "kvm", "tcg", NULL };
const char *const box_log_levels[] = { "debug", "info", "warning", "error", NULL };

static int check_listen(const char *value, struct error *err)
{
	const char *colon = strrchr(value, ':');
	uint32_t port;

	if (!colon || colon == value || slice_to_u32(slice_str(colon + 1), &port) < 0 ||
	    port > 65535)
		return error_set(err, -EINVAL, "must be ADDRESS:PORT");
	return 0;
}

static int check_listen_or_empty(const char *value, struct error *err)
{
	return value[0] ? check_listen(value, err) : 0;
}

static int check_subnet(const char *value, struct error *err)
{
	uint32_t base;
	unsigned prefix;

	return box_subnet(value, &base, &prefix, err);
}

static int check_interface(const char *value, struct error *err)
{
	size_t len = strlen(value);

	if (len < 1 || len > 15 || strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != len)
		return error_set(err, -EINVAL,
				 "must be an interface name of at most 15 characters");
	return 0;
}

static int check_interface_or_empty(const char *value, struct error *err)
{
	return *value ? check_interface(value, err) : 0;
}

static int check_address_or_empty(const char *value, struct error *err)
{
	struct in_addr a;

	if (*value && inet_pton(AF_INET, value, &a) != 1)
		return error_set(err, -EINVAL, "must be an IPv4 address or empty");
	return 0;
}

static int check_domain(const char *value, struct error *err)
{
	size_t len = strlen(value);

	if (len < 1 || len > 190 || value[0] == '.' || value[0] == '-' ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-.") != len)
		return error_set(err, -EINVAL, "must be a domain name in lower case");
	return 0;
}

static int check_path_or_empty(const char *value, struct error *err)
{
	if (*value && (*value != '/' || strlen(value) > 300))
		return error_set(err, -EINVAL, "must be an absolute path or empty");
	return 0;
}

const struct option box_options[] = {
	OPT_STRING(struct box_config, api_listen, "api.listen", "0.0.0.0:8443",
		   "Address and port of the console and the API (HTTPS).", .check = check_listen),
	OPT_STRING(struct box_config, api_socket, "api.socket", "",
		   "Unix socket of the API; empty: /run/aurabox/api.sock.",
		   .check = check_path_or_empty),
	OPT_U32(struct box_config, api_idle_s, "api.idle_s", "1800",
		"A session ends after this time without a request.", .min = 1, .max = 43200,
		.unit = "s"),
	OPT_U32(struct box_config, api_login_window_s, "api.login_window_s", "600",
		"Failed log-ins are counted over this time.", .min = 1, .max = 86400, .unit = "s"),
	OPT_STRING(struct box_config, database_url, "database.url", "",
		   "PostgreSQL of the appliance; empty: a cluster of its own."),
	OPT_STRING(struct box_config, libvirt_uri, "libvirt.uri", "qemu:///system",
		   "Connection to libvirt's QEMU driver."),
	OPT_STRING(struct box_config, images_dir, "images.dir", "",
		   "Folder of the guests' boot images; empty: /var/lib/aurabox/images.",
		   .check = check_path_or_empty),
	OPT_STRING(struct box_config, network_bridge, "network.bridge", "aura0",
		   "Bridge that the guests are on.", .check = check_interface),
	OPT_STRING(struct box_config, network_subnet, "network.subnet", "10.77.0.0/24",
		   "Network of the guests; the host has its first address.", .check = check_subnet),
	OPT_STRING(struct box_config, network_uplink, "network.uplink", "",
		   "Real interface that joins the bridge; empty: none.",
		   .check = check_interface_or_empty),
	OPT_STRING(struct box_config, network_advertise, "network.advertise", "",
		   "Address that phones use to reach sm; empty: its own.",
		   .check = check_address_or_empty),
	OPT_STRING(struct box_config, network_sip_domain, "network.sip_domain", "aurabox.internal",
		   "SIP domain of the appliance.", .check = check_domain),
	OPT_STRING(struct box_config, uc_sm, "uc.sm", "",
		   "Management API of an sm outside of this box's VMs: unix:PATH or https URL."),
	OPT_STRING(
		struct box_config, uc_sm_websocket, "uc.sm_websocket", "",
		"Address and port of sm's SIP over WebSocket; empty: port 5443 of this box's sm.",
		.check = check_listen_or_empty),
	OPT_STRING(struct box_config, uc_cm, "uc.cm", "",
		   "Management API of a cm outside of this box's VMs: unix:PATH or https URL."),
	OPT_STRING(
		struct box_config, uc_presence, "uc.presence", "",
		"Management API of a presence outside of this box's VMs: unix:PATH or https URL."),
	OPT_CHOICE(struct box_config, vm_accelerator, "vm.accelerator", "auto", box_accelerators,
		   "How guests run: auto takes KVM where flag and device are there."),
	OPT_CHOICE(struct box_config, log_level, "log.level", "info", box_log_levels,
		   "Least level that is logged.", .reloadable = true),
	OPT_END,
};

char *box_path(const char *root, const char *path, char out[BOX_PATH])
{
	int n = snprintf(out, BOX_PATH, "%s%s", root ? root : "", path);
	(void)n;

	assert(n > 0 && n < BOX_PATH);
	return out;
}

int box_root_check(const char *root, struct error *err)
{
	if (!root || !*root)
		return 0;
	if (*root != '/')
		return error_set(err, -EINVAL, "--root: '%s' is no absolute path", root);
	if (strlen(root) > ROOT_MAX)
		return error_set(err, -ENAMETOOLONG,
				 "--root: longer than %d bytes, sockets below it would not fit",
				 ROOT_MAX);
	return 0;
}

int box_subnet(const char *text, uint32_t *base, unsigned *prefix, struct error *err)
{
	char address[32];
	unsigned bits;
	struct in_addr a;
	char tail;

	if (sscanf(text, "%31[0-9.]/%2u%c", address, &bits, &tail) != 2 ||
	    inet_pton(AF_INET, address, &a) != 1 || bits < 16 || bits > 28 ||
	    (ntohl(a.s_addr) & ((1U << (32 - bits)) - 1)) != 0)
		return error_set(err, -EINVAL, "'%.40s' is no IPv4 network of /16 to /28", text);
	*base = ntohl(a.s_addr);
	*prefix = bits;
	return 0;
}

void box_host_address(uint32_t base, char out[16])
{
	struct in_addr a = { htonl(base + 1) };

	(void)inet_ntop(AF_INET, &a, out, 16);
}
