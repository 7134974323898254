/* SPDX-License-Identifier: Apache-2.0 */
/* vm_ready.c - the probes: an HTTPS request by hand over net's TLS, a log-in by store, a TCP connect. */
#include "control/vm/vm_ready.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_field.h"
#include "net/tls.h"
#include "store/store.h"

#define ANSWER_MAX 65536

static int connect_within(const char *address, uint16_t port, int *ret, struct error *err)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	AUTO(fd) int fd = -1;
	struct pollfd p;
	int failure = 0, r;
	socklen_t len = sizeof(failure);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return error_set(err, -EINVAL, "'%s' is no IPv4 address", address);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, -errno, "socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		return error_set(err, -errno, "%s:%u: %s", address, port, strerror(errno));
	p = (struct pollfd){ .fd = fd, .events = POLLOUT };
	r = poll(&p, 1, VM_PROBE_TIMEOUT_MS);
	if (r <= 0)
		return error_set(err, -ETIMEDOUT, "%s:%u does not answer", address, port);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) < 0 || failure != 0)
		return error_set(err, failure ? -failure : -EIO, "%s:%u: %s", address, port,
				 strerror(failure));
	*ret = TAKE_FD(fd);
	return 0;
}

/* "HTTP/1.1 200 ..." and a body that says "ready": true. */
static int judge_health(struct slice answer, struct error *err)
{
	static const char split[] = "\r\n\r\n";
	AUTO(json) json_t *body = NULL;
	const char *at = answer.p ? memmem(answer.p, answer.len, split, 4) : NULL;
	struct slice text;

	if (!at || !slice_starts_with(answer, SLICE("HTTP/1.1 ")))
		return error_set(err, -EPROTO, "/health: no HTTP answer");
	text = slice_make(at + 4, answer.len - (size_t)(at + 4 - answer.p));
	if (json_parse(text, &body, NULL) < 0 || !json_is_object(body))
		return error_set(err, -EPROTO, "/health: the answer is not JSON");
	if (strncmp(answer.p + 9, "200", 3) != 0 || !json_is_true(json_object_get(body, "ready")))
		return error_set(err, -EAGAIN, "/health: answered %.3s, not ready", answer.p + 9);
	return 0;
}

static int probe_health(const char *address, uint16_t port, const char *name,
			const struct vm_probe_identity *id, struct error *err)
{
	struct tls_config config = { .verify = TLS_VERIFY_REQUIRED,
				     .cert_file = id->cert_file,
				     .key_file = id->key_file,
				     .ca_file = id->ca_file };
	AUTO(tls_context) struct tls_context *context = NULL;
	/* before the session, which says goodbye on it when it is freed: once closed it is another's */
	AUTO(fd) int fd = -1;
	AUTO(tls_session) struct tls_session *session = NULL;
	AUTO_BUF text = { 0 };
	char chunk[4096];
	ssize_t n;
	int r;

	r = tls_context_new(&config, &context, err);
	if (r < 0)
		return r;
	r = connect_within(address, port, &fd, err);
	if (r < 0)
		return r;
	r = tls_session_new(context, fd, name, &session);
	if (r == 0)
		r = tls_session_handshake_within(session, VM_PROBE_TIMEOUT_MS, err);
	if (r < 0)
		return r;
	buf_init(&text, ANSWER_MAX);
	buf_printf(&text, "GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", name);
	r = tls_session_write_within(session, text.data, text.len, VM_PROBE_TIMEOUT_MS);
	if (r < 0)
		return error_set(err, r, "/health: the request could not be sent");
	buf_reset(&text);
	while ((n = tls_session_read_within(session, chunk, sizeof(chunk), VM_PROBE_TIMEOUT_MS)) >
	       0)
		buf_add(&text, chunk, (size_t)n);
	if (text.len == 0 || !buf_ok(&text))
		return error_set(err, n < 0 ? (int)n : -EPROTO, "/health: no answer");
	return judge_health(buf_slice(&text), err);
}

static int probe_postgres(const char *address, uint16_t port, const struct vm_probe_identity *id,
			  struct error *err)
{
	struct store *st = NULL;
	char url[256];
	int r;

	(void)snprintf(url, sizeof(url), "postgresql://%s:%u/uc", address, port);
	{
		struct store_config config = {
			.url = url,
			.user = "aura_admin",
			.ca_file = id->ca_file,
			.cert_file = id->cert_file,
			.key_file = id->key_file,
			.application = "auraboxd-probe",
			.max_connections = 1,
			.connect_timeout_s = VM_PROBE_TIMEOUT_MS / 1000,
			.statement_timeout_ms = VM_PROBE_TIMEOUT_MS,
			.acquire_timeout_ms = VM_PROBE_TIMEOUT_MS,
		};

		r = store_open(&config, &st, err);
	}
	if (r == 0)
		r = store_ping(st, err);
	(void)store_free(st);
	return r;
}

int vm_probe_run(enum vm_probe probe, const char *address, uint16_t port, const char *name,
		 const struct vm_probe_identity *identity, struct error *err)
{
	AUTO(fd) int fd = -1;

	switch (probe) {
	case VM_PROBE_HEALTH:
		return probe_health(address, port, name, identity, err);
	case VM_PROBE_POSTGRES:
		return probe_postgres(address, port, identity, err);
	case VM_PROBE_TCP:
		return connect_within(address, port, &fd, err);
	case VM_PROBE_NONE:
		break;
	}
	return 0;
}
