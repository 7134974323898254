/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - see tls.h. */
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "net/addr.h"

#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"
#define NAME_MAX_LEN 256

struct tls_context {
	atomic_uint refs;
	pthread_mutex_t lock; /* of ssl, which a reload swaps */
	SSL_CTX *ssl;
	bool server;
	enum tls_verify verify;
	char *cert_file, *key_file, *ca_file, *alpn;
};

struct tls_session {
	struct tls_context *context;
	SSL *ssl;
	bool wants_write, established;
	char peer_name[NAME_MAX_LEN];
	char reason[NAME_MAX_LEN];
	X509 *peer; /* verified, or NULL */
};

DEFINE_AUTO_CALL(ssl_ctx, SSL_CTX *, SSL_CTX_free)

/* A peer that went away must not end the process: OpenSSL writes without MSG_NOSIGNAL. */
static void ignore_sigpipe(void)
{
	struct sigaction now;

	if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
		(void)signal(SIGPIPE, SIG_IGN);
}

static const char *openssl_reason(void)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	return text ? text : "no further reason";
}

static int pick_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
		     const unsigned char *in, unsigned int inlen, void *arg)
{
	const struct tls_context *context = arg;
	size_t len = strlen(context->alpn);

	(void)ssl;
	for (unsigned int i = 0; i < inlen; i += in[i] + 1U) {
		if (in[i] == len && i + 1 + len <= inlen &&
		    memcmp(in + i + 1, context->alpn, len) == 0) {
			*out = in + i + 1;
			*outlen = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int load_identity(const struct tls_context *context, SSL_CTX *ssl, struct error *err)
{
	if (!context->cert_file)
		return 0;
	if (SSL_CTX_use_certificate_chain_file(ssl, context->cert_file) != 1)
		return error_set(err, access(context->cert_file, R_OK) < 0 ? -errno : -EBADMSG,
				 "cannot load the certificate %s: %s", context->cert_file,
				 openssl_reason());
	if (SSL_CTX_use_PrivateKey_file(ssl, context->key_file, SSL_FILETYPE_PEM) != 1) {
		if (access(context->key_file, R_OK) < 0)
			return error_set(err, -errno, "cannot read the key %s", context->key_file);
		if (ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509)
			return error_set(err, -EKEYREJECTED, "the key %s does not fit %s",
					 context->key_file, context->cert_file);
		return error_set(err, -EBADMSG, "cannot load the key %s: %s", context->key_file,
				 openssl_reason());
	}
	if (SSL_CTX_check_private_key(ssl) != 1)
		return error_set(err, -EKEYREJECTED, "the key %s does not fit %s",
				 context->key_file, context->cert_file);
	return 0;
}

/* Of TLS_VERIFY_OPTIONAL: the verdict stays with the session, and decides whether the peer has a name. */
static int let_pass(int ok, X509_STORE_CTX *chain)
{
	return 1;
}

static int load_trust(const struct tls_context *context, SSL_CTX *ssl, struct error *err)
{
	int mode = SSL_VERIFY_PEER;

	if (context->verify == TLS_VERIFY_NONE) {
		SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		return 0;
	}
	if (context->verify == TLS_VERIFY_REQUIRED)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(ssl, mode, context->verify == TLS_VERIFY_OPTIONAL ? let_pass : NULL);
	if (SSL_CTX_load_verify_file(ssl, context->ca_file) != 1)
		return error_set(err, access(context->ca_file, R_OK) < 0 ? -errno : -EBADMSG,
				 "cannot load the CA %s: %s", context->ca_file, openssl_reason());
	if (context->server) {
		STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(context->ca_file);

		if (!names)
			return error_set(err, -EBADMSG, "no CA in %s", context->ca_file);
		SSL_CTX_set_client_CA_list(ssl, names);
	}
	return 0;
}

static int make_ssl(struct tls_context *context, SSL_CTX **ret, struct error *err)
{
	AUTO(ssl_ctx) SSL_CTX *ssl = NULL;
	int r;

	ERR_clear_error();
	ssl = SSL_CTX_new(context->server ? TLS_server_method() : TLS_client_method());
	if (!ssl)
		return error_set(err, -ENOMEM, "no memory for TLS");
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_set_cipher_list(ssl, CIPHERS) != 1)
		return error_set(err, -EIO, "OpenSSL knows none of our cipher suites");
	SSL_CTX_set_dh_auto(ssl, 1);
	if (context->server)
		SSL_CTX_set_session_id_context(ssl, (const unsigned char *)"aurabox", 7);
	r = load_identity(context, ssl, err);
	if (r < 0)
		return r;
	r = load_trust(context, ssl, err);
	if (r < 0)
		return r;
	if (context->alpn && context->server)
		SSL_CTX_set_alpn_select_cb(ssl, pick_alpn, context);
	*ret = TAKE(ssl);
	return 0;
}

static int copy_text(const char *text, char **ret)
{
	if (!text)
		return 0;
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

int tls_context_new(const struct tls_config *config, struct tls_context **ret, struct error *err)
{
	AUTO(tls_context) struct tls_context *context = NULL;
	int r;

	if ((config->cert_file && !config->key_file) || (config->server && !config->cert_file) ||
	    (config->verify != TLS_VERIFY_NONE && !config->ca_file) ||
	    (config->alpn && strlen(config->alpn) > 255))
		return error_set(err, -EINVAL,
				 "TLS needs a certificate with its key, and a CA to "
				 "verify against");
	context = calloc(1, sizeof(*context));
	if (!context)
		return error_set(err, -ENOMEM, "no memory for TLS");
	ignore_sigpipe();
	atomic_init(&context->refs, 1);
	(void)pthread_mutex_init(&context->lock, NULL);
	context->server = config->server;
	context->verify = config->verify;
	if (copy_text(config->cert_file, &context->cert_file) < 0 ||
	    copy_text(config->key_file, &context->key_file) < 0 ||
	    copy_text(config->ca_file, &context->ca_file) < 0 ||
	    copy_text(config->alpn, &context->alpn) < 0)
		return error_set(err, -ENOMEM, "no memory for TLS");
	r = make_ssl(context, &context->ssl, err);
	if (r < 0)
		return r;
	*ret = TAKE(context);
	return 0;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
	if (context)
		atomic_fetch_add(&context->refs, 1);
	return context;
}

struct tls_context *tls_context_unref(struct tls_context *context)
{
	if (!context || atomic_fetch_sub(&context->refs, 1) != 1)
		return NULL;
	SSL_CTX_free(context->ssl);
	(void)pthread_mutex_destroy(&context->lock);
	free(context->cert_file);
	free(context->key_file);
	free(context->ca_file);
	free(context->alpn);
	free(context);
	return NULL;
}

int tls_context_reload(struct tls_context *context, struct error *err)
{
	SSL_CTX *fresh, *old;
	int r;

	r = make_ssl(context, &fresh, err);
	if (r < 0)
		return r;
	(void)pthread_mutex_lock(&context->lock);
	old = context->ssl;
	context->ssl = fresh;
	(void)pthread_mutex_unlock(&context->lock);
	SSL_CTX_free(old);
	return 0;
}

int64_t tls_context_not_after(const struct tls_context *context)
{
	struct tls_context *c = (struct tls_context *)(uintptr_t)context;
	const X509 *cert;
	struct tm tm;
	int64_t out = 0;

	(void)pthread_mutex_lock(&c->lock);
	cert = SSL_CTX_get0_certificate(c->ssl);
	if (cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1)
		out = (int64_t)timegm(&tm);
	(void)pthread_mutex_unlock(&c->lock);
	return out;
}

static int set_server_name(SSL *ssl, const char *name)
{
	struct addr addr;

	if (addr_parse_ip(slice_str(name), 0, &addr) == 0) {
		char ip[ADDR_TEXT_MAX];

		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
						     addr_format_ip(&addr, ip)) == 1;
	}
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
				       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static int set_client_side(struct tls_session *s, const char *server_name)
{
	unsigned char alpn[256];
	size_t len;

	SSL_set_connect_state(s->ssl);
	if (server_name && *server_name && !set_server_name(s->ssl, server_name))
		return -EINVAL;
	if (s->context->alpn) {
		len = strlen(s->context->alpn);
		alpn[0] = (unsigned char)len;
		memcpy(alpn + 1, s->context->alpn, len);
		if (SSL_set_alpn_protos(s->ssl, alpn, (unsigned int)len + 1) != 0)
			return -ENOMEM;
	}
	return 0;
}

int tls_session_new(struct tls_context *context, int fd, const char *server_name,
		    struct tls_session **ret)
{
	AUTO(tls_session) struct tls_session *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->context = tls_context_ref(context);
	(void)pthread_mutex_lock(&context->lock);
	s->ssl = SSL_new(context->ssl);
	(void)pthread_mutex_unlock(&context->lock);
	if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1)
		return -ENOMEM;
	if (context->server) {
		SSL_set_accept_state(s->ssl);
	} else {
		r = set_client_side(s, server_name);
		if (r < 0)
			return r;
	}
	*ret = TAKE(s);
	return 0;
}

struct tls_session *tls_session_free(struct tls_session *session)
{
	if (!session)
		return NULL;
	if (session->established)
		(void)tls_session_shutdown(session);
	X509_free(session->peer);
	SSL_free(session->ssl);
	tls_context_unref(session->context);
	free(session);
	ERR_clear_error();
	return NULL;
}

/* 0 = closed by the peer, -EAGAIN, or -EPROTO with a reason kept. */
static int session_result(struct tls_session *s, int n)
{
	int kind = SSL_get_error(s->ssl, n);
	long verdict;

	s->wants_write = kind == SSL_ERROR_WANT_WRITE;
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
		return -EAGAIN;
	if (kind == SSL_ERROR_ZERO_RETURN)
		return 0;
	verdict = SSL_get_verify_result(s->ssl);
	if (verdict != X509_V_OK)
		(void)snprintf(s->reason, sizeof(s->reason), "%s",
			       X509_verify_cert_error_string(verdict));
	else if (kind == SSL_ERROR_SYSCALL && ERR_peek_error() == 0)
		(void)snprintf(s->reason, sizeof(s->reason), "%s",
			       errno ? strerror(errno) : "closed in the handshake");
	else
		(void)snprintf(s->reason, sizeof(s->reason), "%s", openssl_reason());
	s->established = false; /* no close_notify after a failure */
	ERR_clear_error();
	return -EPROTO;
}

static void note_peer(struct tls_session *s)
{
	X509 *cert;

	if (s->context->verify == TLS_VERIFY_NONE || SSL_get_verify_result(s->ssl) != X509_V_OK)
		return;
	cert = SSL_get1_peer_certificate(s->ssl);
	if (!cert)
		return;
	s->peer = cert;
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, s->peer_name,
				      sizeof(s->peer_name)) < 0)
		s->peer_name[0] = '\0';
}

int tls_session_handshake(struct tls_session *session)
{
	int n, r;

	if (session->established)
		return 0;
	ERR_clear_error();
	errno = 0;
	n = SSL_do_handshake(session->ssl);
	if (n != 1) {
		r = session_result(session, n);
		if (r == 0) {
			(void)snprintf(session->reason, sizeof(session->reason), "closed");
			r = -EPROTO;
		}
		return r;
	}
	session->wants_write = false;
	session->established = true;
	note_peer(session);
	return 0;
}

ssize_t tls_session_read(struct tls_session *session, void *buf, size_t len)
{
	int n;

	ERR_clear_error();
	errno = 0;
	n = SSL_read(session->ssl, buf, len > INT32_MAX ? INT32_MAX : (int)len);
	if (n > 0) {
		session->wants_write = false;
		return n;
	}
	return session_result(session, n);
}

ssize_t tls_session_write(struct tls_session *session, const void *buf, size_t len)
{
	int n, r;

	if (len == 0)
		return 0;
	ERR_clear_error();
	errno = 0;
	n = SSL_write(session->ssl, buf, len > INT32_MAX ? INT32_MAX : (int)len);
	if (n > 0) {
		session->wants_write = false;
		return n;
	}
	r = session_result(session, n);
	return r == 0 ? -EPROTO : r;
}

int tls_session_shutdown(struct tls_session *session)
{
	int n;

	ERR_clear_error();
	n = SSL_shutdown(session->ssl);
	ERR_clear_error();
	return n < 0 ? -EAGAIN : 0;
}

bool tls_session_wants_write(const struct tls_session *session)
{
	return session->wants_write;
}

bool tls_session_has_pending(const struct tls_session *session)
{
	return SSL_has_pending(session->ssl) == 1;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int wait_ready(struct tls_session *s, uint64_t deadline)
{
	struct pollfd pfd = { SSL_get_fd(s->ssl), s->wants_write ? POLLOUT : POLLIN, 0 };
	uint64_t now = now_ms();
	int n;

	if (now >= deadline)
		return -ETIMEDOUT;
	n = poll(&pfd, 1, (int)(deadline - now));
	if (n < 0 && errno != EINTR)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

int tls_session_handshake_within(struct tls_session *session, uint32_t timeout_ms,
				 struct error *err)
{
	uint64_t deadline = now_ms() + timeout_ms;
	int r;

	while ((r = tls_session_handshake(session)) == -EAGAIN) {
		r = wait_ready(session, deadline);
		if (r < 0)
			return error_set(err, r, "no TLS handshake within %u ms", timeout_ms);
	}
	return r < 0 ? error_set(err, r, "TLS handshake failed: %s", session->reason) : 0;
}

ssize_t tls_session_read_within(struct tls_session *session, void *buf, size_t len,
				uint32_t timeout_ms)
{
	uint64_t deadline = now_ms() + timeout_ms;
	ssize_t n;
	int r;

	while ((n = tls_session_read(session, buf, len)) == -EAGAIN) {
		r = wait_ready(session, deadline);
		if (r < 0)
			return r;
	}
	return n;
}

int tls_session_write_within(struct tls_session *session, const void *buf, size_t len,
			     uint32_t timeout_ms)
{
	uint64_t deadline = now_ms() + timeout_ms;
	size_t done = 0;
	int r;

	while (done < len) {
		ssize_t n = tls_session_write(session, (const char *)buf + done, len - done);

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n != -EAGAIN)
			return (int)n;
		r = wait_ready(session, deadline);
		if (r < 0)
			return r;
	}
	return 0;
}

const char *tls_session_peer_name(const struct tls_session *session)
{
	return session->peer_name;
}

bool tls_session_peer_has_san(const struct tls_session *session, const char *name)
{
	struct addr addr;

	if (!session->peer)
		return false;
	if (addr_parse_ip(slice_str(name), 0, &addr) == 0)
		return X509_check_ip_asc(session->peer, name, 0) == 1;
	return X509_check_host(session->peer, name, strlen(name),
			       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
				       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
			       NULL) == 1;
}

const char *tls_session_version(const struct tls_session *session)
{
	return SSL_get_version(session->ssl);
}

const char *tls_session_reason(const struct tls_session *session)
{
	return session->reason;
}
