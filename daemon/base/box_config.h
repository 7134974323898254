/* SPDX-License-Identifier: Apache-2.0 */
/* box_config.h - aurabox.conf: the one option table that auraboxd and aurabox-priv share. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/option.h"

struct box_config {
	char *api_listen, *api_socket;
	uint32_t api_idle_s, api_login_window_s;
	char *database_url;
	char *libvirt_uri;
	char *images_dir;
	char *network_bridge, *network_subnet, *network_uplink, *network_advertise;
	char *network_sip_domain;
	char *uc_sm, *uc_cm, *uc_presence; /* management APIs outside of VMs, or "" */
	char *uc_sm_websocket;		   /* ADDRESS:PORT, or "" */
	uint32_t vm_accelerator;	   /* index into box_accelerators */
	uint32_t log_level;		   /* index into box_log_levels: an enum log_level */
};

extern const struct option box_options[]; /* ends with OPT_END */
extern const char *const box_accelerators[];
extern const char *const box_log_levels[];

#define BOX_PATH 512
/* ROOT + one of the three folders that --root moves (/etc/aurabox, /var/lib/aurabox, /run/aurabox) and
 * what follows it. Returns out. A path that does not fit aborts: --root is checked by box_root_check(). */
char *box_path(const char *root, const char *path, char out[BOX_PATH]);
/* Errors: -EINVAL not absolute, -ENAMETOOLONG (unix sockets must fit their 107 bytes). */
int box_root_check(const char *root, struct error *err);

/* "10.77.0.0/24" in parts; base in host order. Errors: -EINVAL no IPv4 network of /16 to /28. */
int box_subnet(const char *text, uint32_t *base, unsigned *prefix, struct error *err);
/* The host's own address, subnet + 1, as text. */
void box_host_address(uint32_t base, char out[16]);
