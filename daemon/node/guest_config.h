/* SPDX-License-Identifier: Apache-2.0 */
/* guest_config.h - what the box tells a guest at each start (fw_cfg opt/com.aurabox/config). */
#pragma once
#include "base/error.h"

#include "base/json_field.h"

struct option;

#define GUEST_CONFIG_MAX 65536

struct guest_config {
	json_t *document; /* owned; all below are borrowed from it */
	const char *name;
	const char *instance;
	const char *domain;
	const char *advertise;
	const json_t *peers; /* VM name -> service address */
	char address[64];    /* first of addresses, without the prefix length */
};

/* Read path and set the options that it names (section.key -> value); an option that this program
 * does not have is meant for another and passed over. *ret must be zeroed; guest_config_done().
 * Errors: -ENOENT, -EBADMSG not JSON, -EINVAL (err->field). */
int guest_config_load(const char *path, const struct option *table, void *options,
		      struct guest_config *ret, struct error *err);
void guest_config_done(struct guest_config *config);
