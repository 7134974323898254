/* SPDX-License-Identifier: Apache-2.0 */
/* priv_net.c - bridge by iproute2, filter by nft; both programs are run without a shell. */
#include "priv/priv_net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/box_config.h"
#include "base/buf.h"
#include "priv/priv_run.h"

#define IP "/sbin/ip"
#define NFT "/usr/sbin/nft"
#define SM_HOST_NUMBER 11 /* service address of sm: DESIGN section 3 */

/* A bridge without a MAC of its own takes the lowest of its ports, which come and go. */
void priv_bridge_mac(const char *seed, char out[18])
{
	uint64_t h = slice_fnv1a(SLICE_FNV1A, slice_str(seed));

	(void)snprintf(out, 18, "02:4d:%02x:%02x:%02x:%02x", (unsigned)(h >> 24) & 0xff,
		       (unsigned)(h >> 16) & 0xff, (unsigned)(h >> 8) & 0xff, (unsigned)h & 0xff);
}

static void machine_seed(char *out, size_t size)
{
	AUTO(fd) int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
	if (n <= 0 && gethostname(out, size) < 0)
		(void)snprintf(out, size, "aurabox");
	out[size - 1] = '\0';
}

/* Only where the kernel has it; without the file the feature is not there and need not be set. */
static void set_if_there(const char *path, const char *value)
{
	AUTO(fd) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, value, strlen(value)) < 0)
		(void)fprintf(stderr, "aurabox-priv: %s: %s\n", path, strerror(errno));
}

int priv_bridge(const struct box_config *config, struct error *err)
{
	const char *bridge = config->network_bridge;
	char mac[18], seed[128], host[16], address[24];
	unsigned prefix;
	uint32_t base;
	int r;

	r = box_subnet(config->network_subnet, &base, &prefix, err);
	if (r < 0)
		return r;
	machine_seed(seed, sizeof(seed));
	priv_bridge_mac(seed, mac);
	box_host_address(base, host);
	(void)snprintf(address, sizeof(address), "%s/%u", host, prefix);
	if (if_nametoindex(bridge) == 0)
		r = priv_run((const char *const[]){ IP, "link", "add", "name", bridge, "address",
						    mac, "type", "bridge", "stp_state", "0",
						    "forward_delay", "0", NULL },
			     NULL, err);
	if (r == 0)
		r = priv_run((const char *const[]){ IP, "link", "set", "dev", bridge, "address",
						    mac, "up", NULL },
			     NULL, err);
	if (r == 0)
		r = priv_run((const char *const[]){ IP, "address", "replace", address, "dev",
						    bridge, NULL },
			     NULL, err);
	if (r == 0 && config->network_uplink[0])
		r = priv_run((const char *const[]){ IP, "link", "set", "dev",
						    config->network_uplink, "master", bridge,
						    NULL },
			     NULL, err);
	if (r < 0)
		return r;
	set_if_there("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
	set_if_there("/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0");
	set_if_there("/proc/sys/net/ipv4/ip_forward", "1");
	return 0;
}

int priv_firewall_script(const struct box_config *config, struct buf *out, struct error *err)
{
	const char *bridge = config->network_bridge;
	struct in_addr a;
	unsigned prefix;
	uint32_t base;
	char sm[16];
	int r;

	r = box_subnet(config->network_subnet, &base, &prefix, err);
	if (r < 0)
		return r;
	a.s_addr = htonl(base + SM_HOST_NUMBER);
	(void)inet_ntop(AF_INET, &a, sm, sizeof(sm));
	/* declare, delete, declare: replaces an older table in one transaction */
	buf_add_str(out, "table ip aurabox {}\ndelete table ip aurabox\ntable ip aurabox {\n");
	for (int own = 0; own < 2; own++) {
		/* phones elsewhere come in by prerouting, programs of this host by output */
		buf_printf(out, "\tchain %s {\n\t\ttype nat hook %s priority %d;\n",
			   own ? "own" : "phones", own ? "output" : "prerouting", -100);
		if (!own)
			buf_printf(out, "\t\tiifname \"%s\" return\n", bridge);
		buf_add_str(out, "\t\tip daddr 127.0.0.0/8 return\n");
		buf_printf(out, "\t\tfib daddr type local udp dport 5060 dnat to %s\n", sm);
		buf_printf(out, "\t\tfib daddr type local tcp dport { 5060, 5061 } dnat to %s\n",
			   sm);
		buf_add_str(out, "\t}\n");
	}
	/* only sm talks to phones; the other guests reach nothing but one another and the host */
	buf_printf(out,
		   "\tchain guests {\n\t\ttype filter hook forward priority 0; policy accept;\n"
		   "\t\tiifname != \"%s\" oifname != \"%s\" accept\n"
		   "\t\tct state established,related accept\n"
		   "\t\toifname \"%s\" ct status dnat accept\n"
		   "\t\tiifname \"%s\" ip saddr %s accept\n"
		   "\t\tiifname \"%s\" oifname \"%s\" accept\n"
		   "\t\tdrop\n\t}\n",
		   bridge, bridge, bridge, bridge, sm, bridge, bridge);
	/* what sm begins must come from the address that phones know */
	buf_printf(out,
		   "\tchain leaving {\n\t\ttype nat hook postrouting priority 100;\n"
		   "\t\tip saddr %s oifname != \"%s\" masquerade\n\t}\n}\n",
		   sm, bridge);
	return buf_ok(out) ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int priv_firewall(const struct box_config *config, struct error *err)
{
	AUTO_BUF script = { 0 };
	int r;

	buf_init(&script, 16384);
	r = priv_firewall_script(config, &script, err);
	if (r < 0)
		return r;
	return priv_run((const char *const[]){ NFT, "-f", "-", NULL }, script.data, err);
}
