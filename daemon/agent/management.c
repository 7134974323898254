/* SPDX-License-Identifier: Apache-2.0 */
/* management.c - two routes on the HTTP server, handled on the agent's loop. */
#include "agent/management.h"

#include <stdio.h>

#include "agent/identity.h"
#include "agent/status.h"
#include "base/buf.h"
#include "base/json_field.h"
#include "base/log.h"
#include "http/reply.h"
#include "http/route.h"
#include "http/server.h"
#include "net/tls.h"

#define PORT 7443
#define CLIENT "auraboxd"

struct management {
	struct http_server *http;
	struct tls_context *tls;
	const struct management_state *state;
};

static int get_health(void *context, const struct http_request *req, struct http_reply *reply,
		      struct error *err)
{
	const struct management_state *s = ((struct management *)context)->state;
	json_t *body =
		json_pack("{s:s,s:b,s:s,s:n,s:s}", "status", s->ready ? "ok" : "failed", "ready",
			  s->ready, "version", AURA_VERSION, "replica", "reason", s->reason);

	return reply_json(reply, 200, body, err);
}

static int get_metrics(void *context, const struct http_request *req, struct http_reply *reply,
		       struct error *err)
{
	const struct management_state *s = ((struct management *)context)->state;
	struct status status;
	AUTO_BUF out = { 0 };

	status_read(s->data_folder, &status);
	status_metrics(&status, s->ready, s->restarts, &out);
	if (!buf_ok(&out))
		return error_set(err, -ENOMEM, "out of memory");
	return reply_text(reply, 200, "text/plain; version=0.0.4", out.data, out.len, err);
}

static int authorize(void *context, struct http_request *req, struct error *err)
{
	if (strcmp(req->peer->client_cn, CLIENT) == 0)
		return 0;
	return error_set(err, -EACCES, "this certificate may not use the management API");
}

static const struct http_route routes[] = {
	{ .method = HTTP_GET,
	  .path = "/health",
	  .handler = get_health,
	  .body_name = "none",
	  .answer = "none",
	  .name = "health",
	  .summary = "Whether the guest serves" },
	{ .method = HTTP_GET,
	  .path = "/metrics",
	  .handler = get_metrics,
	  .body_name = "none",
	  .answer = "none",
	  .name = "metrics",
	  .summary = "Prometheus text" },
};

int management_new(struct loop *loop, const char *address, const struct management_state *state,
		   struct management **ret, struct error *err)
{
	static const struct tls_config tls = { .server = true,
					       .verify = TLS_VERIFY_REQUIRED,
					       .cert_file = IDENTITY_CERT,
					       .key_file = IDENTITY_KEY,
					       .ca_file = IDENTITY_CA,
					       .alpn = "http/1.1" };
	struct http_config config = { .routes = routes,
				      .route_count = ARRAY_SIZE(routes),
				      .hooks = { .authorize = authorize },
				      .run = HTTP_RUN_LOOP,
				      .loop = loop };
	AUTO(management) struct management *m = calloc(1, sizeof(*m));
	char where[96];
	int r;

	if (!m)
		return error_set(err, -ENOMEM, "out of memory");
	m->state = state;
	config.context = m;
	(void)snprintf(where, sizeof(where), strchr(address, ':') ? "[%s]:%d" : "%s:%d", address,
		       PORT);
	r = tls_context_new(&tls, &m->tls, err);
	if (r == 0)
		r = http_server_new(&config, &m->http, err);
	if (r == 0)
		r = http_server_listen_tls(m->http, where, m->tls, NULL, err);
	if (r < 0)
		return r;
	*ret = TAKE(m);
	return 0;
}

struct management *management_free(struct management *m)
{
	if (!m)
		return NULL;
	if (m->http)
		http_server_stop(m->http, 200);
	tls_context_unref(m->tls);
	free(m);
	return NULL;
}

void management_reload(struct management *m)
{
	struct error err = { 0 };
	int r = tls_context_reload(m->tls, &err);

	if (r < 0)
		log_failure(LOG_LEVEL_WARNING, "agent.tls_reload", r, &err);
}
