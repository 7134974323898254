/* SPDX-License-Identifier: Apache-2.0 */
/* vm_ready.c - the probes: an HTTPS request, a log-in by store, a TCP connect. */
#include "control/vm/vm_ready.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_field.h"
#include "net/http_client.h"
#include "store/store.h"

#define ANSWER_MAX 65536
#define KEPT_MAX 4    /* databases whose connection waits for the next probe */
#define KEPT_MS 60000 /* then a new log-in is tried */

/* A log-in that is kept, and where. */
struct kept {
	char address[16];
	uint16_t port;
	uint64_t made_ms;
	struct store *db;
};

struct vm_prober {
	struct vm_probe_identity identity;
	struct http_client *http;
	pthread_mutex_t lock;
	struct kept kept[KEPT_MAX];
};

int vm_prober_new(const struct vm_probe_identity *identity, struct vm_prober **ret)
{
	const struct http_client_config config = { .ca_file = identity->ca_file,
						   .cert_file = identity->cert_file,
						   .key_file = identity->key_file };
	AUTO(mem) void *memory = calloc(1, sizeof(struct vm_prober));
	struct vm_prober *p = memory;

	if (!p || http_client_new(&config, &p->http) < 0)
		return -ENOMEM;
	p->identity = *identity;
	(void)pthread_mutex_init(&p->lock, NULL);
	*ret = TAKE(memory);
	return 0;
}

struct vm_prober *vm_prober_free(struct vm_prober *prober)
{
	if (!prober)
		return NULL;
	for (size_t i = 0; i < KEPT_MAX; i++)
		(void)store_free(prober->kept[i].db);
	(void)http_client_free(prober->http);
	(void)pthread_mutex_destroy(&prober->lock);
	free(prober);
	return NULL;
}

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

static int probe_health(struct vm_prober *p, const char *address, uint16_t port, const char *name,
			struct error *err)
{
	__attribute__((cleanup(http_client_answer_done))) struct http_client_answer answer = { 0 };
	AUTO(json) json_t *body = NULL;
	char base[300];
	const struct http_client_request request = { .base = base,
						     .path = "/health",
						     .address = address,
						     .timeout_ms = VM_PROBE_TIMEOUT_MS,
						     .body_limit = ANSWER_MAX };
	int r;

	(void)snprintf(base, sizeof(base), "https://%s:%u", name, port);
	r = http_client_send(p->http, &request, &answer, err);
	if (r < 0)
		return r;
	if (json_parse(slice_make(answer.body, answer.len), &body, NULL) < 0 ||
	    !json_is_object(body))
		return error_set(err, -EPROTO, "/health: the answer is not JSON");
	if (answer.status != 200 || !json_is_true(json_object_get(body, "ready")))
		return error_set(err, -EAGAIN, "/health: answered %d, not ready", answer.status);
	return 0;
}

static struct store *take_kept(struct vm_prober *p, const char *address, uint16_t port,
			       uint64_t *made_ms)
{
	struct store *db = NULL;

	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < KEPT_MAX && !db; i++) {
		struct kept *k = &p->kept[i];

		if (!k->db || k->port != port || strcmp(k->address, address) != 0)
			continue;
		db = TAKE(k->db);
		*made_ms = k->made_ms;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return db;
}

/* In a free place, or in that of the oldest. */
static void keep(struct vm_prober *p, const char *address, uint16_t port, uint64_t made_ms,
		 struct store *db)
{
	struct kept *place = &p->kept[0];
	struct store *oldest;

	(void)pthread_mutex_lock(&p->lock);
	for (size_t i = 1; i < KEPT_MAX && place->db; i++)
		if (!p->kept[i].db || p->kept[i].made_ms < place->made_ms)
			place = &p->kept[i];
	oldest = place->db;
	*place = (struct kept){ .port = port, .made_ms = made_ms, .db = db };
	(void)snprintf(place->address, sizeof(place->address), "%s", address);
	(void)pthread_mutex_unlock(&p->lock);
	(void)store_free(oldest);
}

static int log_in(const struct vm_prober *p, const char *address, uint16_t port, struct store **ret,
		  struct error *err)
{
	char url[256];
	const struct store_config config = {
		.url = url,
		.user = "aura_admin",
		.ca_file = p->identity.ca_file,
		.cert_file = p->identity.cert_file,
		.key_file = p->identity.key_file,
		.application = "auraboxd-probe",
		.max_connections = 1,
		.connect_timeout_s = VM_PROBE_TIMEOUT_MS / 1000,
		.statement_timeout_ms = VM_PROBE_TIMEOUT_MS,
		.acquire_timeout_ms = VM_PROBE_TIMEOUT_MS,
	};

	(void)snprintf(url, sizeof(url), "postgresql://%s:%u/uc", address, port);
	return store_open(&config, ret, err);
}

static int probe_postgres(struct vm_prober *p, const char *address, uint16_t port,
			  struct error *err)
{
	uint64_t now = clock_now(clock_system()), made_ms = now;
	AUTO(store) struct store *db = take_kept(p, address, port, &made_ms);
	int r;

	/* one that the server closed meanwhile says nothing about the server */
	if (db && (now - made_ms > KEPT_MS || store_ping(db, err) < 0))
		db = store_free(db);
	if (!db) {
		made_ms = now;
		r = log_in(p, address, port, &db, err);
		if (r == 0)
			r = store_ping(db, err);
		if (r < 0)
			return r;
	}
	error_clear(err);
	keep(p, address, port, made_ms, TAKE(db));
	return 0;
}

int vm_prober_ask(struct vm_prober *prober, enum vm_probe probe, const char *address, uint16_t port,
		  const char *name, struct error *err)
{
	AUTO(fd) int fd = -1;

	switch (probe) {
	case VM_PROBE_HEALTH:
		return probe_health(prober, address, port, name, err);
	case VM_PROBE_POSTGRES:
		return probe_postgres(prober, address, port, err);
	case VM_PROBE_TCP:
		return connect_within(address, port, &fd, err);
	case VM_PROBE_NONE:
		break;
	}
	return 0;
}
