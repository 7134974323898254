/* SPDX-License-Identifier: Apache-2.0 */
/* uc_private.h - inside of struct uc, for the files of this folder. */
#pragma once
#include "control/uc/uc.h"

#include <stdint.h>

struct store;

struct uc {
	struct store *db;
	char *sql_dir;
	char *ca_file;
	char *cert_file;
	char *key_file;
	char *sip_domain;
	char *address[UC_NODES]; /* of sm, cm, presence */
	char *management[UC_NODES];
	uint8_t secrets_key[32]; /* of sealed passwords (net/seal.h) */
	bool (*ready)(void *user, const char *node);
	void *user;
};

extern const char *const uc_node_names[UC_NODES];
/* Timestamps as the API shows them. */
#define UC_TIME(column)                                                                            \
	"to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
