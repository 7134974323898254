/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.c - see resolve.h: the DNS, the locator over it, and what of both sm's own listen points can use. */
#include "sm/resolve.h"

#include <stdlib.h>

#include "base/loop.h"
#include "base/random.h"
#include "codec/sip/sip_uri.h"
#include "sm/sm.h"
#include "sm/sm_options.h"
#include "stack/sip/sip_flow.h"
#include "stack/sip/sip_wire.h"

struct resolve {
	struct dns *dns;
	struct sip_locator *locator;
};

static int ask(void *user, const char *name, enum dns_type type, dns_done_fn *done, void *arg,
	       struct dns_query **ret)
{
	return dns_ask(user, name, type, done, arg, ret);
}

static void cancel(void *user, struct dns_query *query)
{
	(void)user;
	dns_cancel(query);
}

static uint64_t now_ms(void *user)
{
	return sm_now_ms(user);
}

static uint32_t draw(void *user)
{
	(void)user;
	return random_u32();
}

int resolve_new(struct sm *sm, struct resolve **ret, struct error *err)
{
	const struct dns_config config = { .server = sm->options->dns_server };
	struct sip_locate_rules rules = { .now_ms = now_ms, .random = draw, .user = sm };
	struct resolve *resolve = calloc(1, sizeof(*resolve));
	int r;

	if (!resolve)
		return error_set(err, -ENOMEM, "no memory for the resolver");
	for (uint32_t i = 0; i < sip_wire_listen_count(sm->wire); i++) {
		bool six = addr_family(sip_wire_local(sm->wire, i)) == AF_INET6;

		rules.transports |= 1U << sip_wire_transport(sm->wire, i);
		rules.ipv6 = rules.ipv6 || six;
		rules.ipv4 = rules.ipv4 || !six;
	}
	r = dns_new(sm->loop, &config, &resolve->dns, err);
	if (r == 0) {
		const struct sip_locate_dns dns = { ask, cancel, resolve->dns };

		r = sip_locator_new(&dns, &rules, &resolve->locator);
	}
	if (r < 0) {
		resolve_free(resolve);
		return error_set(err, r, "the resolver cannot be started");
	}
	*ret = resolve;
	return 0;
}

struct resolve *resolve_free(struct resolve *resolve)
{
	if (!resolve)
		return NULL;
	sip_locator_free(resolve->locator);
	dns_free(resolve->dns);
	free(resolve);
	return NULL;
}

void resolve_sweep(struct resolve *resolve)
{
	sip_locator_sweep(resolve->locator);
}

static struct sip_locate_what what_of(const struct sip_uri *uri)
{
	struct sip_locate_what what = { .host = uri->host,
					.port = uri->port,
					.secure = uri->scheme == SIP_SCHEME_SIPS };
	struct slice text;

	(void)sip_uri_param(uri, SLICE("maddr"), &what.host);
	if (sip_uri_param(uri, SLICE("transport"), &text))
		what.transport = sip_transport_lookup(text);
	return what;
}

static void to_flow(const struct sip_target *target, struct slice name, struct sip_flow *ret)
{
	*ret = (struct sip_flow){ .transport = target->transport,
				  .listen = SIP_LISTEN_ANY,
				  .remote = target->addr };
	/* The certificate must be of the name that was asked for (RFC 5922), not of where it led. */
	if (slice_copy(name, ret->tls_name, sizeof(ret->tls_name)) < 0)
		ret->tls_name[0] = '\0';
}

int resolve_uri(struct sm *sm, const struct sip_uri *uri, struct sip_flow *ret,
		struct sip_locate_wait *wait)
{
	struct sip_locate_what what;
	struct sip_target target;
	int r = sip_wire_resolve(sm->wire, uri, ret);

	/* Numbers and our own names need no DNS; transports that we have not, neither. */
	if (r != -EADDRNOTAVAIL || !sm->resolve)
		return r;
	what = what_of(uri);
	r = sip_locate(sm->resolve->locator, &what, &target, wait);
	if (r == 0)
		to_flow(&target, uri->host, ret);
	return r < 0 && r != -EINPROGRESS ? -EADDRNOTAVAIL : r;
}

bool resolve_is_name(const struct sip_uri *uri)
{
	struct slice host = uri->host;
	struct addr addr;

	(void)sip_uri_param(uri, SLICE("maddr"), &host);
	return addr_parse_ip(host, 0, &addr) < 0;
}

bool resolve_uri_failed(struct sm *sm, const struct sip_uri *uri, const struct sip_flow *flow)
{
	const struct sip_locate_what what = what_of(uri);
	const struct sip_target target = { flow->transport, flow->remote };

	return sm->resolve && sip_locate_failed(sm->resolve->locator, &what, &target);
}

int resolve_entity(struct sm *sm, const char *name, uint16_t port, enum sip_transport transport,
		   bool failed, struct sip_flow *flow, struct sip_locate_wait *wait)
{
	bool secure = transport == SIP_TRANSPORT_TLS;
	const struct sip_locate_what what = { .host = slice_str(name),
					      .port = port == (secure ? 5061 : 5060) ? 0 : port,
					      .transport = transport };
	struct sip_target targets[SIP_LOCATE_TARGETS], target;
	int count;

	if (failed && flow->remote.len) {
		target = (struct sip_target){ flow->transport, flow->remote };
		(void)sip_locate_failed(sm->resolve->locator, &what, &target);
	}
	count = sip_locate_all(sm->resolve->locator, &what, targets, wait);
	if (count < 0)
		return count == -EINPROGRESS ? count : -EADDRNOTAVAIL;
	for (int i = 0; !failed && i < count; i++)
		if (addr_equal(&targets[i].addr, &flow->remote))
			return 0;
	count = sip_locate(sm->resolve->locator, &what, &target, NULL);
	if (count < 0)
		return -EADDRNOTAVAIL;
	to_flow(&target, slice_str(name), flow);
	return 0;
}
