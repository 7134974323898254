/* SPDX-License-Identifier: Apache-2.0 */
/* stream_private.h - what tcp.c needs of a stream beyond its interface. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct addr;
struct loop;
struct stream;
struct stream_limits;
struct tls_context;

/* A stream over a socket that may still be connecting; fd is taken, on failure too. */
int stream_make(struct loop *loop, int fd, const struct addr *peer, struct tls_context *tls,
		bool server, bool connecting, const char *server_name,
		const struct stream_limits *limits, struct stream **ret);
/* Called when the stream is freed: the place in its listener's count. */
void stream_on_free(struct stream *stream, void (*fn)(void *owner, uint64_t key), void *owner,
		    uint64_t key);
/* Free a stream that nobody has seen yet, without any call. */
void stream_discard(struct stream *stream);
