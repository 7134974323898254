/* SPDX-License-Identifier: Apache-2.0 */
/* vm_hyper.c - libvirt's connection, event loop thread, domain calls and channel streams. */
#include "control/vm/vm_hyper.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "control/vm/vm_domain.h"

#define EVENT_TICK_MS 200 /* how soon the event thread sees that it shall stop */
#define KEEPALIVE_S 5
#define KEEPALIVE_MISSES 3

struct vm_hyper {
	char *uri;
	const struct vm_hyper_ops *ops;
	void *arg;
	pthread_t thread;
	bool running;
	atomic_bool stop;
	pthread_mutex_t lock; /* conn, up, callback */
	virConnectPtr conn;
	bool up;
	int callback;
};

struct vm_channel {
	struct vm_hyper *hyper;
	virStreamPtr stream;
	char uuid[VM_UUID_SIZE];
	atomic_int refs; /* the owner's and the callback's */
	atomic_bool closed;
};

DEFINE_AUTO_CALL(domain, virDomainPtr, virDomainFree)
DEFINE_AUTO_CALL(connection, virConnectPtr, virConnectClose)

static int hyper_error(struct error *err, const char *doing)
{
	const virError *e = virGetLastError();
	int code = -EIO;

	switch (e ? e->code : VIR_ERR_OK) {
	case VIR_ERR_NO_DOMAIN:
		code = -ENOENT;
		break;
	case VIR_ERR_OPERATION_INVALID:
	case VIR_ERR_OPERATION_TIMEOUT:
		code = -EBUSY;
		break;
	case VIR_ERR_NO_CONNECT:
	case VIR_ERR_INVALID_CONN:
	case VIR_ERR_RPC:
	case VIR_ERR_AUTH_FAILED:
	case VIR_ERR_AUTH_UNAVAILABLE:
		code = -ENOTCONN;
		break;
	default:
		break;
	}
	return error_set(err, code, "libvirt: %s: %.300s", doing,
			 e && e->message ? e->message : "no reason given");
}

static void quiet(void *user, virErrorPtr e)
{
	(void)user;
	(void)e; /* each error is returned to the caller, who decides whether to log it */
}

/* ---- event thread ---- */

static void on_tick(int timer, void *user)
{
	(void)timer;
	(void)user;
}

static void *event_main(void *user)
{
	struct vm_hyper *h = user;

	while (!atomic_load(&h->stop))
		if (virEventRunDefaultImpl() < 0)
			break;
	/* what was removed last is freed by the loop's next turns */
	for (int i = 0; i < 2; i++)
		(void)virEventRunDefaultImpl();
	return NULL;
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *user)
{
	struct vm_hyper *h = user;
	char uuid[VIR_UUID_STRING_BUFLEN];

	(void)conn;
	(void)detail;
	if (event == VIR_DOMAIN_EVENT_STOPPED && virDomainGetUUIDString(dom, uuid) == 0)
		h->ops->stopped(h->arg, uuid);
	return 0;
}

static void on_closed(virConnectPtr conn, int reason, void *user)
{
	struct vm_hyper *h = user;

	(void)conn;
	(void)reason;
	(void)pthread_mutex_lock(&h->lock);
	h->up = false;
	(void)pthread_mutex_unlock(&h->lock);
	h->ops->broken(h->arg);
}

int vm_hyper_new(const char *uri, const struct vm_hyper_ops *ops, void *arg, struct vm_hyper **ret,
		 struct error *err)
{
	struct vm_hyper *h = calloc(1, sizeof(*h));

	if (!h)
		return error_set(err, -ENOMEM, "out of memory");
	h->ops = ops;
	h->arg = arg;
	h->callback = -1;
	h->uri = strdup(uri);
	(void)pthread_mutex_init(&h->lock, NULL);
	if (!h->uri || virInitialize() < 0 || virEventRegisterDefaultImpl() < 0 ||
	    virEventAddTimeout(EVENT_TICK_MS, on_tick, NULL, NULL) < 0) {
		(void)vm_hyper_free(h);
		return error_set(err, -EIO, "libvirt cannot be initialised");
	}
	virSetErrorFunc(NULL, quiet);
	if (pthread_create(&h->thread, NULL, event_main, h) != 0) {
		(void)vm_hyper_free(h);
		return error_set(err, -EAGAIN, "no thread for libvirt's events");
	}
	h->running = true;
	*ret = h;
	return 0;
}

/* Not locked: libvirt holds a lock of its own while it calls on_closed(), which takes ours. */
static void drop_connection(struct vm_hyper *h)
{
	virConnectPtr conn;
	int callback;

	(void)pthread_mutex_lock(&h->lock);
	conn = h->conn;
	callback = h->callback;
	h->conn = NULL;
	h->callback = -1;
	h->up = false;
	(void)pthread_mutex_unlock(&h->lock);
	if (!conn)
		return;
	if (callback >= 0)
		(void)virConnectDomainEventDeregisterAny(conn, callback);
	(void)virConnectUnregisterCloseCallback(conn, on_closed);
	(void)virConnectClose(conn);
}

struct vm_hyper *vm_hyper_free(struct vm_hyper *h)
{
	if (!h)
		return NULL;
	drop_connection(h);
	if (h->running) {
		atomic_store(&h->stop, true);
		(void)pthread_join(h->thread, NULL);
	}
	(void)pthread_mutex_destroy(&h->lock);
	free(h->uri);
	free(h);
	return NULL;
}

int vm_hyper_connect(struct vm_hyper *h, struct error *err)
{
	virConnectPtr conn;
	int callback;

	if (vm_hyper_connected(h))
		return 0;
	drop_connection(h);
	conn = virConnectOpen(h->uri);
	if (!conn) {
		(void)hyper_error(err, "connect");
		return -ENOTCONN;
	}
	/* a local test driver knows no keep-alive: not fatal */
	(void)virConnectSetKeepAlive(conn, KEEPALIVE_S, KEEPALIVE_MISSES);
	callback =
		virConnectDomainEventRegisterAny(conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
						 VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle), h, NULL);
	if (callback < 0 || virConnectRegisterCloseCallback(conn, on_closed, h, NULL) < 0) {
		(void)hyper_error(err, "register for events");
		(void)virConnectClose(conn);
		return -ENOTCONN;
	}
	(void)pthread_mutex_lock(&h->lock);
	h->conn = conn;
	h->callback = callback;
	h->up = true;
	(void)pthread_mutex_unlock(&h->lock);
	return 0;
}

bool vm_hyper_connected(struct vm_hyper *h)
{
	bool up;

	(void)pthread_mutex_lock(&h->lock);
	up = h->up;
	(void)pthread_mutex_unlock(&h->lock);
	return up;
}

/* A reference for one call: the connection may be replaced meanwhile. */
static int take_connection(struct vm_hyper *h, virConnectPtr *ret, struct error *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&h->lock);
	if (h->up && virConnectRef(h->conn) == 0)
		*ret = h->conn;
	else
		r = error_set(err, -ENOTCONN, "no connection to libvirt");
	(void)pthread_mutex_unlock(&h->lock);
	return r;
}

void vm_hyper_versions(struct vm_hyper *h, unsigned long *libvirt, unsigned long *qemu)
{
	AUTO(connection) virConnectPtr conn = NULL;

	*libvirt = 0;
	*qemu = 0;
	if (take_connection(h, &conn, NULL) < 0)
		return;
	(void)virConnectGetLibVersion(conn, libvirt);
	(void)virConnectGetVersion(conn, qemu);
}

static int take_domain(struct vm_hyper *h, const char *uuid, virDomainPtr *ret, struct error *err)
{
	AUTO(connection) virConnectPtr conn = NULL;
	int r = take_connection(h, &conn, err);

	if (r < 0)
		return r;
	*ret = virDomainLookupByUUIDString(conn, uuid);
	return *ret ? 0 : hyper_error(err, "look up the domain");
}

int vm_hyper_define(struct vm_hyper *h, const char *xml, struct error *err)
{
	AUTO(connection) virConnectPtr conn = NULL;
	AUTO(domain) virDomainPtr dom = NULL;
	int r = take_connection(h, &conn, err);

	if (r < 0)
		return r;
	dom = virDomainDefineXMLFlags(conn, xml, 0);
	return dom ? 0 : hyper_error(err, "define the domain");
}

int vm_hyper_undefine(struct vm_hyper *h, const char *uuid, struct error *err)
{
	AUTO(domain) virDomainPtr dom = NULL;
	int r = take_domain(h, uuid, &dom, err);

	if (r < 0)
		return r;
	if (virDomainUndefineFlags(dom, VIR_DOMAIN_UNDEFINE_MANAGED_SAVE |
						VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
						VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA) < 0)
		return hyper_error(err, "undefine the domain");
	return 0;
}

int vm_hyper_start(struct vm_hyper *h, const char *uuid, struct error *err)
{
	AUTO(domain) virDomainPtr dom = NULL;
	int r = take_domain(h, uuid, &dom, err);

	if (r < 0)
		return r;
	return virDomainCreateWithFlags(dom, 0) < 0 ? hyper_error(err, "start the domain") : 0;
}

int vm_hyper_destroy(struct vm_hyper *h, const char *uuid, struct error *err)
{
	AUTO(domain) virDomainPtr dom = NULL;
	int r = take_domain(h, uuid, &dom, err);

	if (r < 0)
		return r;
	return virDomainDestroyFlags(dom, 0) < 0 ? hyper_error(err, "stop the domain") : 0;
}

int vm_hyper_acpi_shutdown(struct vm_hyper *h, const char *uuid, struct error *err)
{
	AUTO(domain) virDomainPtr dom = NULL;
	int r = take_domain(h, uuid, &dom, err);

	if (r < 0)
		return r;
	return virDomainShutdownFlags(dom, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) < 0
		       ? hyper_error(err, "shut the domain down")
		       : 0;
}

int vm_hyper_active(struct vm_hyper *h, const char *uuid, struct error *err)
{
	AUTO(domain) virDomainPtr dom = NULL;
	int r = take_domain(h, uuid, &dom, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = virDomainIsActive(dom);
	return r < 0 ? hyper_error(err, "ask for the domain's state") : r;
}

static bool domain_is_ours(virDomainPtr dom)
{
	char *xml = virDomainGetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT, VM_METADATA_NS, 0);
	bool ours = xml != NULL;

	free(xml);
	return ours;
}

int vm_hyper_list(struct vm_hyper *h, bool active_only, struct vm_hyper_domain *items, size_t max,
		  struct error *err)
{
	AUTO(connection) virConnectPtr conn = NULL;
	virDomainPtr *doms = NULL;
	int n, state, count = 0;
	int r = take_connection(h, &conn, err);

	if (r < 0)
		return r;
	n = virConnectListAllDomains(conn, &doms,
				     active_only ? VIR_CONNECT_LIST_DOMAINS_ACTIVE : 0);
	if (n < 0)
		return hyper_error(err, "list the domains");
	for (int i = 0; i < n; i++) {
		struct vm_hyper_domain *d = &items[count];

		if ((size_t)count < max && virDomainGetUUIDString(doms[i], d->uuid) == 0) {
			(void)snprintf(d->name, sizeof(d->name), "%s", virDomainGetName(doms[i]));
			d->active = virDomainIsActive(doms[i]) == 1;
			d->paused = d->active && virDomainGetState(doms[i], &state, NULL, 0) == 0 &&
				    state == VIR_DOMAIN_PAUSED;
			d->ours =
				!active_only &&
				strncmp(d->name, VM_DOMAIN_PREFIX, strlen(VM_DOMAIN_PREFIX)) == 0 &&
				domain_is_ours(doms[i]);
			count++;
		}
		(void)virDomainFree(doms[i]);
	}
	free(doms);
	return count;
}

/* ---- channels ---- */

static void channel_unref(struct vm_channel *c)
{
	if (atomic_fetch_sub(&c->refs, 1) > 1)
		return;
	(void)virStreamFree(c->stream);
	free(c);
}

/* On the event thread, after whatever callback was running there. */
static void release_later(int timer, void *user)
{
	(void)virEventRemoveTimeout(timer);
	channel_unref(user);
}

/* Event thread: read what is there; the end is told once. */
static void on_stream(virStreamPtr stream, int events, void *user)
{
	struct vm_channel *c = user;
	struct vm_hyper *h = c->hyper;
	char bytes[8192];
	int n = -2;

	if (events & VIR_STREAM_EVENT_READABLE)
		while ((n = virStreamRecv(stream, bytes, sizeof(bytes))) > 0)
			h->ops->channel_data(h->arg, c, c->uuid, bytes, (size_t)n);
	if (n != -2 || (events & (VIR_STREAM_EVENT_ERROR | VIR_STREAM_EVENT_HANGUP))) {
		(void)virStreamEventRemoveCallback(stream);
		if (!atomic_exchange(&c->closed, true)) {
			h->ops->channel_closed(h->arg, c, c->uuid);
			channel_unref(c);
		}
	}
}

int vm_channel_open(struct vm_hyper *h, const char *uuid, const char *port, struct vm_channel **ret,
		    struct error *err)
{
	AUTO(connection) virConnectPtr conn = NULL;
	AUTO(domain) virDomainPtr dom = NULL;
	struct vm_channel *c;
	int r = take_connection(h, &conn, err);

	if (r == 0)
		r = take_domain(h, uuid, &dom, err);
	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return error_set(err, -ENOMEM, "out of memory");
	c->hyper = h;
	atomic_init(&c->refs, 1);
	(void)slice_copy(slice_str(uuid), c->uuid, sizeof(c->uuid));
	c->stream = virStreamNew(conn, VIR_STREAM_NONBLOCK);
	if (!c->stream) {
		free(c);
		return hyper_error(err, "make a stream");
	}
	if (virDomainOpenChannel(dom, port, c->stream, VIR_DOMAIN_CHANNEL_FORCE) < 0) {
		r = hyper_error(err, "open the guest's channel");
		channel_unref(c);
		return r;
	}
	/* the owner must know the channel before its first byte arrives */
	*ret = c;
	(void)atomic_fetch_add(&c->refs, 1);
	if (virStreamEventAddCallback(c->stream,
				      VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_ERROR |
					      VIR_STREAM_EVENT_HANGUP,
				      on_stream, c, NULL) < 0) {
		r = hyper_error(err, "watch the guest's channel");
		*ret = NULL;
		atomic_store(&c->closed, true);
		channel_unref(c);
		(void)vm_channel_close(c);
		return r;
	}
	return 0;
}

struct vm_channel *vm_channel_close(struct vm_channel *channel)
{
	if (!channel)
		return NULL;
	if (!atomic_exchange(&channel->closed, true)) {
		(void)virStreamEventRemoveCallback(channel->stream);
		/* libvirt's remote driver never calls a stream callback's free function */
		if (virEventAddTimeout(0, release_later, channel, NULL) < 0)
			channel_unref(channel);
	}
	(void)virStreamAbort(channel->stream);
	channel_unref(channel);
	return NULL;
}

bool vm_channel_is_closed(const struct vm_channel *channel)
{
	return atomic_load(&channel->closed);
}

int vm_channel_send(struct vm_channel *channel, const char *bytes, size_t len)
{
	while (len > 0) {
		int n;

		if (atomic_load(&channel->closed))
			return -EPIPE;
		n = virStreamSend(channel->stream, bytes, len);
		if (n == -2)
			return -EAGAIN;
		if (n < 0)
			return -EPIPE;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}
