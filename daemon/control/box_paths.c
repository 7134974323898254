/* SPDX-License-Identifier: Apache-2.0 */
/* box_paths.c - finds the shared files, makes the folders, drops root. */
#include "control/box_paths.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define USER "aurabox"
#define TREE_LEVELS 4 /* TREE/build/PRESET/bin/auraboxd */

static bool is_tree(const char *dir)
{
	char path[BOX_PATH + 64];

	(void)snprintf(path, sizeof(path), "%s/vmtemplates/schema.json", dir);
	if (access(path, R_OK) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/sql/appliance", dir);
	return access(path, R_OK) == 0;
}

static int find_share(struct box_paths *p, struct error *err)
{
	char dir[BOX_PATH - 64];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	bool found = false, tree = false;

	dir[n > 0 ? n : 0] = '\0';
	for (int i = 0; i < TREE_LEVELS && !found; i++) {
		char *slash = strrchr(dir, '/');

		if (!slash)
			break;
		*slash = '\0';
		found = tree = is_tree(dir);
	}
	if (!found) {
		(void)snprintf(dir, sizeof(dir), "/usr/share/aurabox");
		found = is_tree(dir);
	}
	if (!found)
		return error_set(err, -ENOENT,
				 "neither %s nor a source tree holds vmtemplates and sql", dir);
	(void)snprintf(p->share_templates, BOX_PATH, "%s/vmtemplates", dir);
	(void)snprintf(p->share_sql, BOX_PATH, "%s/sql", dir);
	(void)snprintf(p->share_webui, BOX_PATH, tree ? "%s/webui/dist" : "%s/webui", dir);
	return 0;
}

int box_paths_find(const struct box_config *c, const char *root, struct box_paths *p,
		   struct error *err)
{
	int r = find_share(p, err);

	if (r < 0)
		return r;
	(void)box_path(root, "/var/lib/aurabox", p->state);
	(void)box_path(root, "/var/lib/aurabox/db", p->database);
	(void)box_path(root, "/var/lib/aurabox/disks", p->disks);
	(void)box_path(root, "/var/lib/aurabox/images", p->images);
	(void)box_path(root, "/var/lib/aurabox/pki", p->pki);
	(void)box_path(root, "/var/lib/aurabox/logs", p->logs);
	(void)box_path(root, "/run/aurabox", p->run);
	(void)box_path(root, "/run/aurabox/db", p->database_socket);
	(void)box_path(root, "/var/lib/aurabox/box.db", p->box_db);
	(void)box_path(root, "/run/aurabox/api.sock", p->api_socket);
	(void)box_path(root, "/var/lib/aurabox/initial-admin-password", p->initial_password);
	(void)box_path(root, "/var/lib/aurabox/pki/ca.pem", p->ca_file);
	(void)box_path(root, "/var/lib/aurabox/pki/auraboxd.pem", p->cert_file);
	(void)box_path(root, "/var/lib/aurabox/pki/auraboxd-key.pem", p->key_file);
	(void)box_path(root, "/var/lib/aurabox/pki/api.pem", p->api_cert_file);
	(void)box_path(root, "/var/lib/aurabox/pki/api-key.pem", p->api_key_file);
	p->images_ours = c->images_dir[0] == '\0';
	if (c->images_dir[0])
		(void)snprintf(p->images, BOX_PATH, "%s", c->images_dir);
	if (c->api_socket[0])
		(void)snprintf(p->api_socket, BOX_PATH, "%s", c->api_socket);
	return 0;
}

/* mkdir -p; only the last one gets owner and mode, parents are made 0755. */
static int make_folder(const char *path, mode_t mode, uid_t uid, gid_t gid, struct error *err)
{
	char part[BOX_PATH];

	for (const char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return error_set(err, -errno, "%s: %s", part, strerror(errno));
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (geteuid() == 0 && chown(path, uid, gid) < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	/* fails where the folder is someone else's: then its owner has decided */
	(void)chmod(path, mode);
	return 0;
}

static int drop_root(const struct passwd *pw, struct error *err)
{
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 ||
	    setuid(pw->pw_uid) < 0)
		return error_set(err, -errno, "cannot become user %s: %s", pw->pw_name,
				 strerror(errno));
	if (setuid(0) == 0)
		return error_set(err, -EPERM, "root was not given up");
	return 0;
}

int box_paths_settle(const struct box_paths *p, struct error *err)
{
	/* 0711: QEMU's user walks through to what it is given, and lists nothing */
	const struct {
		const char *path;
		mode_t mode;
	} folders[] = { { p->state, 0711 }, { p->disks, 0711 }, { p->images, 0711 },
			{ p->pki, 0700 },   { p->logs, 0711 },	{ p->run, 0755 } };
	const struct passwd *pw = getpwnam(USER);
	bool root = geteuid() == 0;
	int r = 0;

	if (root && !pw) {
		(void)error_set(err, -ENOENT, "there is no user '%s' to run as", USER);
		error_resolution(err, "Make it: useradd --system --groups libvirt,kvm %s", USER);
		return -ENOENT;
	}
	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++) {
		/* configured elsewhere: somebody else's folder, which we only read */
		if (folders[i].path == p->images && !p->images_ours)
			continue;
		r = make_folder(folders[i].path, folders[i].mode, root ? pw->pw_uid : 0,
				root ? pw->pw_gid : 0, err);
	}
	if (r < 0)
		return r;
	return root ? drop_root(pw, err) : 0;
}

gid_t box_group(void)
{
	const struct group *g = getgrnam(USER);

	return g ? g->gr_gid : (gid_t)-1;
}
