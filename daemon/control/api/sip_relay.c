/* SPDX-License-Identifier: Apache-2.0 */
/* sip_relay.c - GET /sip: a browser's WebSocket handed on to the session manager, which alone reads it.
 * Who it is, SIP's digest says there; here only its origin counts (auth_hook.c). */
#include <stdio.h>
#include <strings.h>

#include "base/buf.h"
#include "control/api/api_private.h"
#include "http/tunnel.h"
#include "net/addr.h"
#include "net/tls.h"

static bool is_plain(const char *value)
{
	for (const char *c = value; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return true;
}

/* The handshake as it goes on: the client's own fields, so that the answer is the client's, too. */
static int write_hello(const struct http_request *req, const char *to, struct buf *out,
		       struct error *err)
{
	static const char *const fields[] = { "Sec-WebSocket-Key", "Sec-WebSocket-Version",
					      "Sec-WebSocket-Protocol" };
	const char *upgrade = http_header(req, "Upgrade");
	struct addr client;
	char text[ADDR_TEXT_MAX];

	if (!upgrade || strcasecmp(upgrade, "websocket") != 0)
		return error_set(err, -EPROTO, "a WebSocket handshake is needed here");
	buf_printf(out, "GET /sip HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n", to);
	buf_add_str(out, "Connection: Upgrade\r\n");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const char *value = http_header(req, fields[i]);

		if (!value || !is_plain(value))
			return error_set(err, -EPROTO, "%s is missing or malformed", fields[i]);
		buf_printf(out, "%s: %s\r\n", fields[i], value);
	}
	if (addr_parse_ip(slice_str(req->peer->address), req->peer->port, &client) == 0)
		buf_printf(out, "Forwarded: for=\"%s\"\r\n", addr_format(&client, text));
	buf_add_str(out, "\r\n");
	return buf_ok(out) ? 0 : error_set(err, -ENOMEM, "no memory for a request");
}

int sip_relay(struct api *api, const struct http_request *req, struct http_reply *reply,
	      struct error *err)
{
	const struct api_config *config = &api->config;
	const struct tls_config show = { .verify = TLS_VERIFY_REQUIRED,
					 .cert_file = config->cert_file,
					 .key_file = config->key_file,
					 .ca_file = config->ca_file };
	AUTO(tls_context) struct tls_context *tls = NULL;
	AUTO_BUF hello = { 0 };
	char name[ADDR_TEXT_MAX];
	struct addr to;
	int r;

	if (!config->sip_relay || addr_parse(slice_str(config->sip_relay), 0, &to) < 0)
		return api_unavailable("the session manager (sm) is", err);
	r = write_hello(req, config->sip_relay, &hello, err);
	if (r < 0)
		return r;
	/* Made each time: the certificate is renewed in place. */
	r = tls_context_new(&show, &tls, err);
	if (r < 0)
		return r;
	return reply_tunnel(reply,
			    &(struct http_tunnel_to){ .to = &to,
						      .tls = tls,
						      .name = addr_format_ip(&to, name),
						      .hello = buf_slice(&hello) },
			    err);
}
