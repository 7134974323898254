/* SPDX-License-Identifier: Apache-2.0 */
/* udp.h - a bound datagram socket on the loop; receives and sends in batches. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct addr;
struct error;
struct loop;
struct udp; /* opaque, see udp.c */

#define UDP_DATAGRAM_MAX 65535
#define UDP_BATCH 32 /* datagrams a system call */

struct udp_handlers {
	/* One datagram; data and from are borrowed until the call returns. The handler may send
	 * and may free the socket. */
	void (*receive)(void *user, struct slice data, const struct addr *from);
};

struct udp_stats {
	uint64_t received, sent;
	uint64_t truncated; /* longer than UDP_DATAGRAM_MAX, dropped */
	uint64_t send_errors, send_dropped;
};

/* Bind to local (port 0: the kernel's choice, see udp_local()). The caller owns *ret.
 * Errors: -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -ENOMEM. */
int udp_new(struct loop *loop, const struct addr *local, const struct udp_handlers *handlers,
	    void *user, struct udp **ret, struct error *err);
struct udp *udp_free(struct udp *udp); /* flushes, accepts NULL, returns NULL */
DEFINE_AUTO(udp)

/* Queue one datagram; the bytes are copied. It leaves with the batch at the end of this turn of
 * the loop, or at once when the batch is full. Errors: -EMSGSIZE. */
int udp_send(struct udp *udp, const struct addr *to, struct slice data);
void udp_flush(struct udp *udp);

const struct addr *udp_local(const struct udp *udp);
const struct udp_stats *udp_stats(const struct udp *udp);
