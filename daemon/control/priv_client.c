/* SPDX-License-Identifier: Apache-2.0 */
/* priv_client.c - one connection a call: send the request, take the reply and perhaps a descriptor. */
#include "control/priv_client.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/box_config.h"
#include "base/slice.h"

static int priv_connect(const char *root, int *ret, struct error *err)
{
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 15 };
	char path[BOX_PATH];
	int r;

	if (fd < 0)
		return error_set(err, -errno, "socket: %s", strerror(errno));
	(void)box_path(root, PRIV_SOCKET, path);
	if (slice_copy(slice_str(path), at.sun_path, sizeof(at.sun_path)) < 0)
		return error_set(err, -ENAMETOOLONG, "%s: too long for a socket", path);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0) {
		r = error_set(err, -ENOTCONN, "aurabox-priv does not answer on %s: %s", path,
			      strerror(errno));
		error_resolution(err, "Start aurabox-priv, as root.");
		return r;
	}
	*ret = TAKE_FD(fd);
	return 0;
}

int priv_call(const char *root, enum priv_verb verb, const char *name, unsigned index, int *fd,
	      struct error *err)
{
	struct priv_request q = {
		.magic = PRIV_MAGIC, .version = PRIV_VERSION, .verb = verb, .index = index
	};
	struct priv_reply reply = { 0 };
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { &reply, sizeof(reply) };
	struct msghdr msg = { .msg_iov = &io,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	AUTO(fd) int sock = -1;
	AUTO(fd) int passed = -1;
	struct cmsghdr *c;
	ssize_t n;
	int r;

	if (name && slice_copy(slice_str(name), q.name, sizeof(q.name)) < 0)
		return error_set(err, -EINVAL, "the name is too long");
	r = priv_connect(root, &sock, err);
	if (r < 0)
		return r;
	if (send(sock, &q, sizeof(q), MSG_NOSIGNAL) != (ssize_t)sizeof(q))
		return error_set(err, -ENOTCONN, "aurabox-priv: %s", strerror(errno));
	n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&passed, CMSG_DATA(c), sizeof(int));
	if (n != (ssize_t)sizeof(reply) || reply.magic != PRIV_MAGIC ||
	    reply.version != PRIV_VERSION)
		return error_set(err, -EPROTO, "aurabox-priv closed without an answer");
	reply.detail[sizeof(reply.detail) - 1] = '\0';
	if (reply.result < 0)
		return error_set(err, reply.result, "aurabox-priv: %s", reply.detail);
	if (fd)
		*fd = TAKE_FD(passed);
	return 0;
}
