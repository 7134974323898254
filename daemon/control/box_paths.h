/* SPDX-License-Identifier: Apache-2.0 */
/* box_paths.h - where auraboxd's files lie, and whom they and the process belong to. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/box_config.h"

struct box_paths {
	char share_templates[BOX_PATH], share_sql[BOX_PATH], share_webui[BOX_PATH];
	char state[BOX_PATH], database[BOX_PATH], disks[BOX_PATH], images[BOX_PATH];
	char pki[BOX_PATH], logs[BOX_PATH], run[BOX_PATH], database_socket[BOX_PATH];
	char box_db[BOX_PATH], api_socket[BOX_PATH], initial_password[BOX_PATH];
	char ca_file[BOX_PATH], cert_file[BOX_PATH], key_file[BOX_PATH];
	bool images_ours; /* the default folder, not one that the configuration names */
	char api_cert_file[BOX_PATH], api_key_file[BOX_PATH];
};

/* All paths below root. Templates, SQL and console come from the source tree where the program was built in
 * one (TREE/build/PRESET/bin), else from /usr/share/aurabox. Errors: -ENOENT none of them. */
int box_paths_find(const struct box_config *config, const char *root, struct box_paths *ret,
		   struct error *err);
/* Make the folders, as root for user aurabox, and become that user with its groups (libvirt, kvm);
 * started by another user everything stays that user's.
 * Errors: -ENOENT root without a user aurabox, -errno. */
int box_paths_settle(const struct box_paths *paths, struct error *err);
/* The group whose members are admin on the socket; -1 where there is none. */
gid_t box_group(void);
