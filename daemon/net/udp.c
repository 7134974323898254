/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c - see udp.h. The receive buffers of a batch are reserved address space: only the pages that
 * long datagrams touch are ever used. Answers to a burst often have one length and one receiver: such a
 * run goes through the kernel's network code once and is cut into its datagrams at the end of it
 * (UDP_SEGMENT), which costs half as much. */
#include "net/udp.h"

#include <netinet/udp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/poison.h"
#include "net/addr.h"

#define SEND_BYTES (256U << 10) /* queued for one batch */
#define RECEIVE_ROUNDS 4	/* batches a turn, so that timers and other sockets get theirs */
#define SOCKET_BUFFER (4 << 20)
#define GUARD 64	/* bytes behind a datagram that a test with the address sanitizer watches */
#define RUN_MIN 4	/* fewer gain nothing */
#define RUN_BYTES 65000 /* of a run: it is one packet until it is cut */
#define RUN_DATAGRAM 1232 /* a part is never fragmented: what fits the smallest MTU of IPv6 */

/* Room for one item of control data, aligned as cmsg(3) asks. */
union run_control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(uint16_t))];
};

struct udp {
	struct loop *loop;
	struct loop_io io;
	const struct udp_handlers *handlers;
	void *user;
	struct addr local;
	struct udp_stats stats;
	bool receiving, freed;

	char *in;  /* UDP_BATCH buffers of UDP_DATAGRAM_MAX + 1 */
	char *out; /* SEND_BYTES */
	size_t out_len;
	unsigned int out_count;
	struct addr out_to[UDP_BATCH];
	struct sockaddr_storage in_from[UDP_BATCH];
	/* Filled in once; a batch changes lengths alone. */
	struct iovec in_vectors[UDP_BATCH];
	struct mmsghdr in_headers[UDP_BATCH];
	struct iovec out_vectors[UDP_BATCH]; /* a datagram */
	/* Of a flush: one for a datagram or for a run of them. */
	bool runs; /* the kernel knows how */
	struct iovec run_vectors[UDP_BATCH];
	union run_control run_controls[UDP_BATCH];
	unsigned int run_first[UDP_BATCH + 1];
	struct mmsghdr out_headers[UDP_BATCH];
};

static void prepare_headers(struct udp *udp)
{
	for (size_t i = 0; i < UDP_BATCH; i++) {
		udp->in_vectors[i] =
			(struct iovec){ udp->in + i * (UDP_DATAGRAM_MAX + 1UL), UDP_DATAGRAM_MAX };
		udp->in_headers[i].msg_hdr =
			(struct msghdr){ .msg_name = &udp->in_from[i],
					 .msg_namelen = sizeof(udp->in_from[i]),
					 .msg_iov = &udp->in_vectors[i],
					 .msg_iovlen = 1 };
		udp->out_headers[i].msg_hdr =
			(struct msghdr){ .msg_iov = &udp->run_vectors[i], .msg_iovlen = 1 };
		udp->run_controls[i].head =
			(struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(uint16_t)),
					  .cmsg_level = SOL_UDP,
					  .cmsg_type = UDP_SEGMENT };
	}
}

static void destroy(struct udp *udp)
{
	free(udp->in);
	free(udp->out);
	free(udp);
}

static size_t guard_of(size_t len)
{
	size_t left = UDP_DATAGRAM_MAX + 1 - len;

	return left < GUARD ? left : GUARD;
}

static int receive_batch(struct udp *udp)
{
	int n = recvmmsg(udp->io.fd, udp->in_headers, UDP_BATCH, MSG_DONTWAIT, NULL);

	for (int i = 0; i < n && !udp->freed; i++) {
		struct msghdr *header = &udp->in_headers[i].msg_hdr;
		struct slice data =
			slice_make(udp->in_vectors[i].iov_base, udp->in_headers[i].msg_len);
		socklen_t from_len = header->msg_namelen;
		struct addr addr;

		header->msg_namelen = sizeof(udp->in_from[i]);
		if (header->msg_flags & MSG_TRUNC) {
			udp->stats.truncated++;
			continue;
		}
		if (addr_from_sockaddr((struct sockaddr *)&udp->in_from[i], from_len, &addr) < 0)
			continue;
		udp->stats.received++;
		poison(data.p + data.len, guard_of(data.len));
		udp->handlers->receive(udp->user, data, &addr);
		unpoison(data.p + data.len, guard_of(data.len));
	}
	return n;
}

static void socket_ready(struct loop_io *io, uint32_t events)
{
	struct udp *udp = CONTAINER_OF(io, struct udp, io);

	(void)events;
	udp->receiving = true;
	for (int round = 0; round < RECEIVE_ROUNDS && !udp->freed; round++) {
		if (receive_batch(udp) < UDP_BATCH)
			break;
	}
	udp->receiving = false;
	if (udp->freed)
		destroy(udp);
}

static void flush_after_turn(void *user)
{
	udp_flush(user);
}

static int open_socket(const struct addr *local, int *ret)
{
	AUTO(fd) int fd = -1;
	int one = 1, size = SOCKET_BUFFER;

	fd = socket(addr_family(local), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (addr_family(local) == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		return -errno;
	/* As large as the system lets us; less is no failure. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (bind(fd, &local->sa, local->len) < 0)
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

int udp_new(struct loop *loop, const struct addr *local, const struct udp_handlers *handlers,
	    void *user, struct udp **ret, struct error *err)
{
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	char text[ADDR_TEXT_MAX];
	AUTO(fd) int fd = -1;
	AUTO(mem) void *storage = calloc(1, sizeof(struct udp));
	AUTO(mem) void *in = malloc(UDP_BATCH * (UDP_DATAGRAM_MAX + 1UL));
	AUTO(mem) void *out = malloc(SEND_BYTES);
	struct udp *udp = storage;
	int none = 0, r;

	if (!storage || !in || !out)
		return error_set(err, -ENOMEM, "no memory for a socket");
	r = open_socket(local, &fd);
	if (r < 0)
		return error_set(err, r, "cannot bind UDP %s", addr_format(local, text));
	if (getsockname(fd, (struct sockaddr *)&bound, &len) < 0)
		return error_set(err, -errno, "cannot read the bound address");
	r = addr_from_sockaddr((struct sockaddr *)&bound, len, &udp->local);
	if (r < 0)
		return error_set(err, r, "not an IP socket");
	r = loop_after_turn(loop, flush_after_turn, udp);
	if (r < 0)
		return error_set(err, r, "too many sockets on one loop");
	r = loop_io_add(loop, &udp->io, fd, EPOLLIN, socket_ready);
	if (r < 0) {
		loop_after_turn_remove(loop, flush_after_turn, udp);
		return error_set(err, r, "cannot watch the socket");
	}
	udp->runs = setsockopt(fd, SOL_UDP, UDP_SEGMENT, &none, sizeof(none)) == 0;
	(void)TAKE_FD(fd);
	udp->loop = loop;
	udp->handlers = handlers;
	udp->user = user;
	udp->in = TAKE(in);
	udp->out = TAKE(out);
	prepare_headers(udp);
	*ret = TAKE(storage);
	return 0;
}

struct udp *udp_free(struct udp *udp)
{
	if (!udp || udp->freed)
		return NULL;
	udp_flush(udp);
	loop_after_turn_remove(udp->loop, flush_after_turn, udp);
	loop_io_remove(&udp->io);
	(void)close(udp->io.fd);
	udp->freed = true;
	if (!udp->receiving)
		destroy(udp);
	return NULL;
}

int udp_send(struct udp *udp, const struct addr *to, struct slice data)
{
	if (data.len > UDP_DATAGRAM_MAX)
		return -EMSGSIZE;
	if (udp->out_count == UDP_BATCH || udp->out_len + data.len > SEND_BYTES)
		udp_flush(udp);
	memcpy(udp->out + udp->out_len, data.p, data.len);
	udp->out_vectors[udp->out_count] = (struct iovec){ udp->out + udp->out_len, data.len };
	udp->out_to[udp->out_count] = *to;
	udp->out_len += data.len;
	udp->out_count++;
	return 0;
}

/* How many datagrams from that one on go to one receiver and have one length; the last may be shorter. */
static unsigned int run_at(const struct udp *udp, unsigned int first)
{
	const struct addr *to = &udp->out_to[first];
	size_t size = udp->out_vectors[first].iov_len, bytes = size;
	unsigned int at = first + 1;

	if (!udp->runs || size == 0 || size > RUN_DATAGRAM)
		return 1;
	for (; at < udp->out_count; at++) {
		size_t len = udp->out_vectors[at].iov_len;

		if (len == 0 || len > size || bytes + len > RUN_BYTES ||
		    udp->out_to[at].len != to->len ||
		    memcmp(&udp->out_to[at].sa, &to->sa, to->len) != 0)
			break;
		bytes += len;
		if (len < size) {
			at++;
			break;
		}
	}
	return at - first < RUN_MIN ? 1 : at - first;
}

/* The header `n`, for `count` datagrams from `first` on: their bytes stand one behind the other. */
static void prepare_run(struct udp *udp, unsigned int n, unsigned int first, unsigned int count)
{
	struct msghdr *header = &udp->out_headers[n].msg_hdr;
	const struct iovec *last = &udp->out_vectors[first + count - 1];
	char *base = udp->out_vectors[first].iov_base;
	uint16_t size = (uint16_t)udp->out_vectors[first].iov_len;

	udp->run_first[n] = first;
	udp->run_vectors[n] =
		(struct iovec){ base, (size_t)((char *)last->iov_base - base) + last->iov_len };
	header->msg_name = &udp->out_to[first].sa;
	header->msg_namelen = udp->out_to[first].len;
	header->msg_control = count > 1 ? &udp->run_controls[n] : NULL;
	header->msg_controllen = count > 1 ? sizeof(udp->run_controls[n]) : 0;
	memcpy(CMSG_DATA(&udp->run_controls[n].head), &size, sizeof(size));
}

static unsigned int prepare_runs(struct udp *udp)
{
	unsigned int n = 0, count;

	for (unsigned int first = 0; first < udp->out_count; first += count) {
		count = run_at(udp, first);
		prepare_run(udp, n++, first, count);
	}
	udp->run_first[n] = udp->out_count;
	return n;
}

/* Send headers from `done` on. Returns how many went, or -errno of the first. */
static int send_some(struct udp *udp, unsigned int done, unsigned int count)
{
	int n;

	/* One alone by the plain call: sendmmsg() gives the processor away after each. */
	if (count - done == 1)
		n = sendmsg(udp->io.fd, &udp->out_headers[done].msg_hdr, MSG_DONTWAIT) < 0 ? -1 : 1;
	else
		n = sendmmsg(udp->io.fd, udp->out_headers + done, count - done, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

/* A run that the way to its receiver does not allow (an encrypted route, a smaller MTU) goes one by one. */
static void send_singly(struct udp *udp, unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end; i++) {
		const struct iovec *v = &udp->out_vectors[i];

		if (sendto(udp->io.fd, v->iov_base, v->iov_len, MSG_DONTWAIT, &udp->out_to[i].sa,
			   udp->out_to[i].len) >= 0)
			udp->stats.sent++;
		else if (errno == EAGAIN)
			udp->stats.send_dropped++;
		else
			udp->stats.send_errors++;
	}
}

void udp_flush(struct udp *udp)
{
	unsigned int done = 0, count = prepare_runs(udp);

	while (done < count) {
		unsigned int first = udp->run_first[done];
		int n = send_some(udp, done, count);

		if (n > 0) {
			done += (unsigned int)n;
			udp->stats.sent += udp->run_first[done] - first;
		} else if (n == -EAGAIN) {
			/* The kernel's buffer is full: datagrams may be lost, callers repeat. */
			udp->stats.send_dropped += udp->out_count - first;
			break;
		} else if (n != -EINTR) {
			/* It cannot leave (or reports an ICMP error of an earlier one). */
			done++;
			if (udp->run_first[done] - first > 1)
				send_singly(udp, first, udp->run_first[done]);
			else
				udp->stats.send_errors++;
		}
	}
	udp->out_count = 0;
	udp->out_len = 0;
}

const struct addr *udp_local(const struct udp *udp)
{
	return &udp->local;
}

const struct udp_stats *udp_stats(const struct udp *udp)
{
	return &udp->stats;
}
