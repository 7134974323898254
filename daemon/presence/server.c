/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - aura-presence as node/ runs it: PUBLISH in, NOTIFY out (RFC 3856, 3903, 6665). */
#include "presence/server.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_msg.h"
#include "node/event_state.h"
#include "node/node.h"
#include "node/node_sip.h"
#include "presence/access.h"
#include "presence/compose.h"
#include "presence/presence_options.h"
#include "stack/sip/sip_event.h"
#include "stack/sip/sip_publication.h"
#include "stack/sip/sip_stack.h"

#define PACKAGE "presence"
#define PRESENCE_ALLOW "PUBLISH, SUBSCRIBE, NOTIFY, OPTIONS"

enum presence_metric {
	PRESENCE_PUBLISHES,
	PRESENCE_SUBSCRIBES,
	PRESENCE_REFUSED,
	PRESENCE_UNTRUSTED,
	PRESENCE_PUBLICATIONS,
	PRESENCE_WATCHES,
	PRESENCE_METRICS
};

/* clang-format off */
static const struct metric_def metrics[PRESENCE_METRICS] = {
	[PRESENCE_PUBLISHES]    = { METRIC_COUNTER, "aura_presence_requests_total",
				    "method=\"PUBLISH\"", "Requests served, by method." },
	[PRESENCE_SUBSCRIBES]   = { METRIC_COUNTER, "aura_presence_requests_total",
				    "method=\"SUBSCRIBE\"", "Requests served, by method." },
	[PRESENCE_REFUSED]      = { METRIC_COUNTER, "aura_presence_refused_total", NULL,
				    "Requests refused: nobody's, or somebody else's presence." },
	[PRESENCE_UNTRUSTED]    = { METRIC_COUNTER, "aura_presence_untrusted_total", NULL,
				    "Requests refused because they came over no trusted link." },
	[PRESENCE_PUBLICATIONS] = { METRIC_GAUGE, "aura_presence_publications", NULL,
				    "Documents that are published." },
	[PRESENCE_WATCHES]      = { METRIC_GAUGE, "aura_presence_subscriptions", NULL,
				    "Subscriptions that are alive." },
};
/* clang-format on */

struct presence {
	struct node *node;
	const struct presence_options *options;
	struct metrics *metrics;
	struct sip_stack *stack;
	struct sip_events *events;
	struct sip_publications *publications;
	struct event_state kept_events, kept_publications;
	struct sip_event_package package;
	struct compose compose;
};

static void gauges(struct presence *p)
{
	metric_set(p->metrics, PRESENCE_PUBLICATIONS,
		   (int64_t)sip_publications_count(p->publications));
	metric_set(p->metrics, PRESENCE_WATCHES, (int64_t)sip_events_count(p->events));
}

/* -- state ----------------------------------------------------------------------------- */

/* The document of one user, as every watcher gets it. */
static void write_state(struct presence *p, struct slice handle, struct buf *out)
{
	const struct sip_publication *pub;
	AUTO_BUF entity = { 0 };

	buf_add_str(&entity, "sip:");
	(void)sip_escape_user(&entity, handle);
	buf_add_char(&entity, '@');
	buf_add_str(&entity, uc_model_domain(node_model(p->node)));
	compose_begin(&p->compose, buf_slice(&entity));
	for (pub = sip_publication_first(p->publications, handle); pub;
	     pub = sip_publication_next(p->publications, pub))
		(void)compose_add(&p->compose, sip_publication_body(pub));
	compose_end(&p->compose, out);
}

static void package_body(void *user, struct sip_subscription *sub, struct buf *out)
{
	write_state(user, sip_subscription_resource(sub), out);
}

static void package_started(void *user, struct sip_subscription *sub)
{
	gauges(user);
}

static void package_ended(void *user, struct sip_subscription *sub, const char *reason)
{
	gauges(user);
}

/* Only what can be composed is taken. */
static int publication_check(void *user, struct slice resource, struct slice body)
{
	struct presence *p = user;

	return pidf_parse(body, &p->compose.in);
}

static void publication_changed(void *user, struct slice resource)
{
	struct presence *p = user;

	(void)sip_event_notify(p->events, PACKAGE, resource);
	gauges(p);
}

/* -- requests -------------------------------------------------------------------------- */

static void reply(struct presence *p, const struct sip_incoming *in, unsigned status,
		  struct slice headers)
{
	struct sip_extra extra = { .headers = headers };

	(void)sip_stack_reply(p->stack, in, status, &extra);
}

static const struct uc_user *admit(struct presence *p, const struct sip_incoming *in)
{
	struct node_party asserted, target = { 0 };
	const struct uc_user *user = NULL;
	struct sip_uri uri;
	unsigned status;

	(void)node_sip_asserted(in->msg, &asserted);
	if (sip_msg_request_uri(in->msg, &uri) == 0)
		node_sip_party(&uri, &target);
	status = access_decide(node_model(p->node),
			       &(struct access_request){
				       .method = in->msg->method,
				       .asserted = slice_str(asserted.user),
				       .asserted_host = asserted.host,
				       .target = slice_str(target.user),
				       .target_host = target.host,
			       },
			       &user);
	if (status == 0)
		return user;
	metric_add(p->metrics, PRESENCE_REFUSED, 1);
	reply(p, in, status, slice_make(NULL, 0));
	return NULL;
}

static bool event_is_presence(const struct sip_msg *msg)
{
	struct sip_event event;

	return sip_event_parse(sip_msg_value(msg, SIP_HDR_EVENT), &event) == 0 &&
	       slice_eq_str_nocase(event.type, PACKAGE);
}

static void serve(struct presence *p, const struct sip_incoming *in)
{
	const struct uc_user *user;
	struct slice resource;

	if (!event_is_presence(in->msg)) {
		reply(p, in, 489, SLICE("Allow-Events: " PACKAGE "\r\n"));
		return;
	}
	user = admit(p, in);
	if (!user)
		return;
	resource = slice_str(user->handle);
	if (in->msg->method == SIP_PUBLISH) {
		metric_add(p->metrics, PRESENCE_PUBLISHES, 1);
		(void)sip_publication_serve(p->publications, in, resource);
	} else {
		metric_add(p->metrics, PRESENCE_SUBSCRIBES, 1);
		(void)sip_event_subscribe(p->events, in, resource, false);
	}
	gauges(p);
}

static void on_request(void *user, const struct sip_incoming *in)
{
	struct presence *p = user;

	if (!node_sip_trusted(p->node, in, UC_ENTITY_SM)) {
		metric_add(p->metrics, PRESENCE_UNTRUSTED, 1);
		log_debug("request.untrusted", F("peer", in->peer_name));
		reply(p, in, 403, slice_make(NULL, 0));
		return;
	}
	if ((in->msg->method == SIP_SUBSCRIBE || in->msg->method == SIP_NOTIFY) &&
	    sip_msg_to_tag(in->msg).len > 0) {
		reply(p, in, 481, slice_make(NULL, 0));
		return;
	}
	switch (in->msg->method) {
	case SIP_PUBLISH:
	case SIP_SUBSCRIBE:
		serve(p, in);
		break;
	case SIP_OPTIONS:
		reply(p, in, 200,
		      SLICE("Allow: " PRESENCE_ALLOW "\r\nAllow-Events: " PACKAGE "\r\n"
			    "Accept: " PIDF_CONTENT_TYPE "\r\n"));
		break;
	default:
		reply(p, in, 405, SLICE("Allow: " PRESENCE_ALLOW "\r\n"));
		break;
	}
}

static void on_trace(void *user, const struct sip_traced *traced)
{
	const struct presence *p = user;

	node_sip_trace(p->node, traced);
}

/* -- life ------------------------------------------------------------------------------ */

static void presence_stop(void *server)
{
	struct presence *p = server;

	if (!p)
		return;
	sip_publications_free(p->publications);
	sip_events_free(p->events);
	sip_stack_free(p->stack);
	free(p);
}

static int open_stack(struct presence *p, struct error *err)
{
	static const struct sip_stack_handlers handlers = {
		.request = on_request,
		.trace = on_trace,
	};
	struct sip_stack_config config = {
		.loop = node_loop(p->node),
		.product = "Aurabox-presence/" AURA_VERSION,
	};
	int r;

	r = sip_stack_new(&config, &handlers, p, &p->stack, err);
	return r < 0 ? r : node_sip_listen(p->node, p->stack, err);
}

static int open_events(struct presence *p, struct error *err)
{
	const struct presence_options *o = p->options;
	struct sip_events_limits limits = {
		.subscriptions_max = o->watches_max,
		.subscriptions_per_user = o->watches_per_user,
	};
	int r;

	p->package = (struct sip_event_package){
		.name = PACKAGE,
		.content_type = PIDF_CONTENT_TYPE,
		.min_s = o->watch_min_s,
		.default_s = o->watch_default_s,
		.max_s = o->watch_max_s,
		.throttle_ms = o->throttle_ms,
		.body = package_body,
		.started = package_started,
		.ended = package_ended,
	};
	r = sip_events_new(p->stack, &limits, &p->events, err);
	return r < 0 ? r : sip_events_add(p->events, &p->package, p);
}

static int open_publications(struct presence *p, struct error *err)
{
	const struct presence_options *o = p->options;
	struct sip_publications_config config = {
		.event = PACKAGE,
		.content_type = PIDF_CONTENT_TYPE,
		.min_s = o->publish_min_s,
		.default_s = o->publish_default_s,
		.max_s = o->publish_max_s,
		.publications_max = o->publications_max,
		.per_resource_max = o->publications_per_user,
		.check = publication_check,
		.changed = publication_changed,
		.user = p,
	};

	return sip_publications_new(p->stack, &config, &p->publications, err);
}

static int presence_start(struct node *node, void **ret, struct error *err)
{
	struct presence *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return error_set(err, -ENOMEM, "out of memory");
	p->node = node;
	p->options = node_config(node);
	p->metrics = node_metrics(node);

	r = open_stack(p, err);
	if (r >= 0)
		r = open_events(p, err);
	if (r >= 0)
		r = open_publications(p, err);
	if (r >= 0)
		r = event_state_publications(&p->kept_publications, node, "publication." PACKAGE,
					     p->publications, err);
	if (r >= 0)
		r = event_state_subscriptions(&p->kept_events, node, p->events, err);
	if (r < 0) {
		presence_stop(p);
		return r;
	}
	gauges(p);
	*ret = p;
	return 0;
}

/* Who is gone, or has no presence any more, is published and watched no longer. */
static void presence_model_changed(void *server, const struct uc_model *old,
				   const struct uc_model *now, uint32_t sets)
{
	struct presence *p = server;

	if (!(sets & (UC_SET_USERS | UC_SET_PRESENCE)))
		return;
	for (size_t i = 0; i < uc_user_count(old); i++) {
		const char *handle = uc_user_at(old, i)->handle;
		const struct uc_user *user = uc_user_by_handle(now, handle, strlen(handle));

		if (user && user->presence_enabled)
			continue;
		(void)sip_event_end_resource(p->events, PACKAGE, slice_str(handle), "noresource");
		(void)sip_publication_forget(p->publications, slice_str(handle));
	}
	gauges(p);
}

const struct node_server presence_server = {
	.program = "aura-presence",
	.name = "presence",
	.port = 5080,
	.summary = "presence: who is there, published and watched",
	.options = presence_options,
	.options_size = sizeof(struct presence_options),
	.metrics = metrics,
	.metric_count = PRESENCE_METRICS,
	.start = presence_start,
	.model_changed = presence_model_changed,
	.stop = presence_stop,
};
