/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - TLS 1.2/1.3 contexts (mutual authentication, reload) and one TLS session over a socket. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct error;
struct tls_context; /* opaque, counted, safe to share between threads */
struct tls_session; /* opaque, one thread at a time */

enum tls_verify {
	TLS_VERIFY_NONE, /* no peer certificate is asked for */
	TLS_VERIFY_OPTIONAL, /* asked for; an invalid one, as a phone has from its maker, is as none (server) */
	TLS_VERIFY_REQUIRED, /* without a valid one the handshake fails */
};

struct tls_config {
	bool server;
	enum tls_verify verify;
	const char *cert_file; /* PEM chain, leaf first; NULL = none (client) */
	const char *key_file;  /* PEM private key */
	const char *ca_file;   /* PEM, what peers are verified against; NULL with VERIFY_NONE */
	const char *alpn;      /* one protocol such as "http/1.1"; NULL = none */
};

/* TLS 1.2 with AEAD and (EC)DHE only, TLS 1.3; no renegotiation, no compression. The strings are
 * copied. Errors: -ENOENT file missing, -EBADMSG not a certificate or key, -EKEYREJECTED key and
 * certificate do not belong together. */
int tls_context_new(const struct tls_config *config, struct tls_context **ret, struct error *err);
struct tls_context *tls_context_ref(struct tls_context *context);
struct tls_context *tls_context_unref(struct tls_context *context); /* accepts NULL, returns NULL */
DEFINE_AUTO_CALL(tls_context, struct tls_context *, tls_context_unref)
/* Read the files again; new sessions use the result, running ones stay. On error nothing changes. */
int tls_context_reload(struct tls_context *context, struct error *err);
/* When the own certificate ends, seconds since 1970; 0 without one. */
int64_t tls_context_not_after(const struct tls_context *context);

/* Session over a connected socket (fd stays the caller's). server_name: client only, may be NULL;
 * sent as SNI unless an IP literal, and the peer's certificate must carry it as DNS or IP SAN.
 * Errors: -ENOMEM, -EINVAL. */
int tls_session_new(struct tls_context *context, int fd, const char *server_name,
		    struct tls_session **ret);
struct tls_session *tls_session_free(
	struct tls_session *session); /* sends close_notify if it can */
DEFINE_AUTO(tls_session)

/* The five below never block on a non-blocking fd. -EAGAIN: try again when the fd is readable or,
 * if tls_session_wants_write(), writable. -EPROTO: failed, see tls_session_reason(). */
int tls_session_handshake(struct tls_session *session);
ssize_t tls_session_read(struct tls_session *session, void *buf, size_t len); /* 0 = closed */
ssize_t tls_session_write(struct tls_session *session, const void *buf,
			  size_t len); /* partial ok */
int tls_session_shutdown(struct tls_session *session);
bool tls_session_wants_write(const struct tls_session *session);
bool tls_session_has_pending(const struct tls_session *session); /* decrypted bytes wait inside */

/* For worker threads with a blocking style: run the handshake within timeout_ms (fd must be
 * non-blocking). Errors: -ETIMEDOUT, -EPROTO. */
int tls_session_handshake_within(struct tls_session *session, uint32_t timeout_ms,
				 struct error *err);
/* Read or write all within timeout_ms; read returns at least 1 byte, 0 at the end. */
ssize_t tls_session_read_within(struct tls_session *session, void *buf, size_t len,
				uint32_t timeout_ms);
int tls_session_write_within(struct tls_session *session, const void *buf, size_t len,
			     uint32_t timeout_ms);

/* After the handshake; strings live as long as the session. */
const char *tls_session_peer_name(const struct tls_session *session); /* verified CN, "" if none */
bool tls_session_peer_has_san(const struct tls_session *session, const char *name);
const char *tls_session_version(const struct tls_session *session); /* "TLSv1.3" */
const char *tls_session_reason(const struct tls_session *session);  /* last failure in words */
