/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - the agent's end of the virtio-serial port: whole JSON lines in and out. */
#pragma once
#include "base/buf.h"
#include "base/loop.h"

#include "base/json_field.h"

struct channel {
	struct loop *loop;
	int fd; /* -1 until opened */
	struct loop_io io;
	struct timer retry; /* looks for the port, and for the host when it is away */
	struct buf in, out;
	bool watching;	/* fd is in the loop */
	bool overlong;	/* dropping up to the next line feed */
	char path[300]; /* of the device; "" = search by port name */
	uint64_t bad_lines;
	void (*line)(struct channel *c, const char *type, const json_t *message);
	void (*opened)(struct channel *c); /* the host is there, for the first time or again */
};

/* path: device to open, NULL searches the port by its name. Callbacks are set by the caller. */
void channel_init(struct channel *c, struct loop *loop, const char *path);
void channel_start(struct channel *c);
void channel_done(struct channel *c);
/* Queue one message and write what goes; takes over message. What does not fit is dropped: every
 * message is repeated or answered by a later one. Errors: -ENOMEM, -ENOTCONN, -EMSGSIZE. */
int channel_send(struct channel *c, json_t *message);
/* Write what is queued, waiting at most timeout_ms; before power-off. */
void channel_flush(struct channel *c, int timeout_ms);
/* Bytes that arrived; for tests, too. */
void channel_feed(struct channel *c, const char *bytes, size_t len);
