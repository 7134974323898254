/* SPDX-License-Identifier: Apache-2.0 */
/* priv_serve.c - one request a connection; everything the caller says is checked before it is used. */
#include "priv/priv_serve.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/box_config.h"
#include "base/log.h"
#include "base/priv_wire.h"
#include "base/slice.h"
#include "priv/priv_net.h"

#define LOG_INDEX_MAX 9

/* ---- verbs ---- */

static int do_ping(const struct priv *p, const struct priv_request *q, int *fd, struct error *err)
{
	(void)p, (void)q, (void)fd, (void)err;
	return 0;
}

static int do_bridge(const struct priv *p, const struct priv_request *q, int *fd, struct error *err)
{
	(void)q, (void)fd;
	return priv_bridge(p->config, err);
}

static int do_firewall(const struct priv *p, const struct priv_request *q, int *fd,
		       struct error *err)
{
	(void)q, (void)fd;
	return priv_firewall(p->config, err);
}

static int do_log_open(const struct priv *p, const struct priv_request *q, int *fd,
		       struct error *err)
{
	return priv_log_open(p, q->name, q->index, fd, err);
}

static const struct {
	const char *word;
	bool takes_name;
	int (*run)(const struct priv *p, const struct priv_request *q, int *fd, struct error *err);
} verbs[PRIV_VERB_END] = {
	[PRIV_PING] = { "ping", false, do_ping },
	[PRIV_BRIDGE] = { "bridge", false, do_bridge },
	[PRIV_FIREWALL] = { "firewall", false, do_firewall },
	[PRIV_LOG_OPEN] = { "log_open", true, do_log_open },
};

int priv_log_open(const struct priv *p, const char *name, unsigned index, int *ret,
		  struct error *err)
{
	AUTO(fd) int dir = -1;
	AUTO(fd) int fd = -1;
	char path[BOX_PATH], file[96];
	struct stat st;

	dir = open(box_path(p->root, "/var/lib/aurabox/logs", path),
		   O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (index == 0)
		(void)snprintf(file, sizeof(file), "%s.log", name);
	else
		(void)snprintf(file, sizeof(file), "%s.log.%u", name, index - 1);
	/* the folder belongs to our caller: what lies in it is not to be trusted */
	fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, errno == ELOOP ? -EACCES : -errno, "%s: %s", file,
				 strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return error_set(err, -EACCES, "%s is no plain file with one name", file);
	*ret = TAKE_FD(fd);
	return 0;
}

static bool name_ok(const char *name, size_t size)
{
	size_t len = strnlen(name, size);

	return len >= 1 && len < size && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

int priv_request_check(const struct priv_request *q, size_t len, struct error *err)
{
	if (len != sizeof(*q) || q->magic != PRIV_MAGIC)
		return error_set(err, -EPROTO, "no request of ours");
	if (q->version != PRIV_VERSION)
		return error_set(err, -ENOTSUP, "version %u is not spoken here", q->version);
	if (q->verb >= PRIV_VERB_END || !verbs[q->verb].run)
		return error_set(err, -ENOTSUP, "no verb %u", q->verb);
	if (verbs[q->verb].takes_name) {
		if (!name_ok(q->name, sizeof(q->name)) || q->index > LOG_INDEX_MAX)
			return error_set(err, -EINVAL, "%s: bad name or index",
					 verbs[q->verb].word);
	} else if (q->name[0] != '\0' || q->index != 0) {
		return error_set(err, -EINVAL, "%s takes no argument", verbs[q->verb].word);
	}
	return 0;
}

/* ---- the socket ---- */

/* The folder is auraboxd's, who could put a link to any file of root where we look by name: only our own
 * socket is given to the group. */
static int priv_give_socket(const char *path, gid_t group)
{
	AUTO(fd) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		return -EACCES;
	return fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int priv_listen(const struct priv *p, int *ret, struct error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char path[BOX_PATH];
	mode_t mask;
	int r;

	if (fd < 0)
		return error_set(err, -errno, "socket: %s", strerror(errno));
	(void)box_path(p->root, "/run/aurabox", path);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	/* ours while we work in it: then it needs no right to override owners, and nobody interferes */
	if (chown(path, geteuid(), p->group) < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	(void)box_path(p->root, PRIV_SOCKET, path);
	if (slice_copy(slice_str(path), at.sun_path, sizeof(at.sun_path)) < 0)
		return error_set(err, -ENAMETOOLONG, "%s: too long for a socket", path);
	(void)unlink(path);
	mask = umask(0117);
	r = bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
	(void)umask(mask);
	if (r == 0 && listen(fd, 16) < 0)
		r = -errno;
	if (r == 0)
		r = priv_give_socket(path, p->group);
	if (r < 0)
		return error_set(err, r, "%s: %s", path, strerror(-r));
	/* auraboxd makes its own sockets here */
	(void)box_path(p->root, "/run/aurabox", path);
	if (chown(path, p->user, p->group) < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	*ret = TAKE_FD(fd);
	return 0;
}

static void answer(int fd, int result, const struct error *why, int passed)
{
	struct priv_reply reply = { .magic = PRIV_MAGIC,
				    .version = PRIV_VERSION,
				    .result = result };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { &reply, sizeof(reply) };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1 };

	(void)snprintf(reply.detail, sizeof(reply.detail), "%.235s", why->detail);
	if (passed >= 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						 .cmsg_level = SOL_SOCKET,
						 .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.head), &passed, sizeof(int));
	}
	(void)sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void priv_serve_one(const struct priv *p, int listener)
{
	AUTO(fd) int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	AUTO(fd) int passed = -1;
	struct timeval patience = { .tv_sec = 2 };
	struct priv_request q = { 0 };
	struct error err = { 0 };
	struct ucred who = { 0 };
	socklen_t size = sizeof(who);
	ssize_t n;
	int r;

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 ||
	    (who.uid != 0 && who.uid != p->user)) {
		log_warning("priv.refused", F("uid", (unsigned)who.uid), F("pid", (int)who.pid));
		return;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	n = recv(fd, &q, sizeof(q), MSG_TRUNC);
	if (n <= 0)
		return;
	r = priv_request_check(&q, (size_t)n, &err);
	if (r == 0)
		r = verbs[q.verb].run(p, &q, &passed, &err);
	if (q.verb < PRIV_VERB_END && verbs[q.verb].word)
		log_info("priv.verb", F("verb", verbs[q.verb].word), F("result", r),
			 F("detail", (const char *)err.detail));
	answer(fd, r, &err, passed);
}
