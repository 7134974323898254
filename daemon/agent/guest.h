/* SPDX-License-Identifier: Apache-2.0 */
/* guest.h - who this guest is (fw_cfg configuration) and what is set up from it at boot. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json_field.h"

#define GUEST_CONFIG_FILE "/run/aurabox/config.json"
#define GUEST_HOSTS_FILE "/run/aurabox/hosts"
#define GUEST_DATA_STATE "/run/aurabox/data" /* "ok" or what is wrong, written by init */
#define GUEST_PEERS_MAX 64

/* Texts are owned by the struct: guest_done(). */
struct guest {
	char *name, *template, *instance, *domain, *interface, *gateway, *advertise, *time;
	uint32_t schema;
	struct json_strings addresses; /* ADDRESS/PREFIX, the first is the service address */
	json_t *peers;		       /* name -> address */
	json_t *options;
	char address[64]; /* the first of addresses without its prefix */
};

/* Parse the configuration. *ret must be zeroed. Errors: -EBADMSG, -EINVAL (err->field). */
int guest_parse(struct slice text, struct guest *ret, struct error *err);
void guest_done(struct guest *g);
/* Read fw_cfg and keep a copy in GUEST_CONFIG_FILE for the server. Errors also -ENOENT, -EIO. */
int guest_load(struct guest *ret, struct error *err);

/* Host name, /etc/hosts, clock, addresses and default route. Harmless when done again. */
int guest_apply(const struct guest *g, struct error *err);
/* Set the clock to text (RFC 3339) when it is behind it, or ahead by more than two seconds. `old`:
 * text was true some time ago, so a clock that is ahead by less than an hour is right. Errors: -EBADMSG, -errno. */
int guest_set_clock(const char *text, bool old);
/* The lines of /etc/hosts; the caller frees. Names or addresses with odd characters are left out. */
char *guest_hosts(const struct guest *g);
