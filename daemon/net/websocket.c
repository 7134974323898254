/* SPDX-License-Identifier: Apache-2.0 */
/* websocket.c - see websocket.h. RFC 6455: section 4.2 (handshake) is read here, section 5 (frames) by
 * libwslay, which gets bytes and gives them back through buffers: it does no I/O. */
#include "net/websocket.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <wslay/wslay.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"
#include "net/digest.h"
#include "net/stream.h"

#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_LEN 24 /* base64 of 16 bytes */
#define SHA1_LEN 20
#define HEADERS_MAX 64

enum websocket_state { WS_HANDSHAKE, WS_OPEN, WS_ENDED };

struct websocket {
	struct loop *loop;
	struct stream *stream;
	struct websocket_config config;
	const struct websocket_handlers *handlers; /* NULL: orphaned */
	void *user;
	enum websocket_state state;
	wslay_event_context_ptr context;
	struct slice fresh; /* received, not yet taken by libwslay */
	struct buf out;	    /* frames that libwslay has made */
	bool receiving;	    /* inside wslay_event_recv() */
	bool refused;	    /* the owner did not like a message */
	bool pinged;	    /* and nothing was heard since */
	struct timer ping;
};

static void end(struct websocket *ws, bool flush)
{
	ws->state = WS_ENDED;
	loop_timer_stop(ws->loop, &ws->ping);
	stream_close(ws->stream, flush);
}

/* Frames ------------------------------------------------------------------------------------- */

static ssize_t give_bytes(wslay_event_context_ptr context, uint8_t *bytes, size_t len, int flags,
			  void *user)
{
	struct websocket *ws = user;
	struct slice part = slice_take(&ws->fresh, len);

	(void)flags;
	if (part.len == 0) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(bytes, part.p, part.len);
	return (ssize_t)part.len;
}

static ssize_t take_bytes(wslay_event_context_ptr context, const uint8_t *bytes, size_t len,
			  int flags, void *user)
{
	struct websocket *ws = user;

	(void)flags;
	buf_add(&ws->out, bytes, len);
	if (buf_ok(&ws->out))
		return (ssize_t)len;
	wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
	return -1;
}

static void message_complete(wslay_event_context_ptr context,
			     const struct wslay_event_on_msg_recv_arg *arg, void *user)
{
	struct websocket *ws = user;

	(void)context;
	if (wslay_is_ctrl_frame(arg->opcode) || ws->state != WS_OPEN || !ws->handlers)
		return;
	if (ws->handlers->message(ws->user, slice_make(arg->msg, arg->msg_length)) < 0)
		ws->refused = true;
}

/* Everything queued leaves as one write, header and payload of a frame together. */
static int flush(struct websocket *ws)
{
	int r = 0;

	if (ws->receiving)
		return 0; /* at the end of what is being read */
	while (wslay_event_want_write(ws->context)) {
		if (wslay_event_send(ws->context) < 0)
			r = -ENOMEM;
		if (r < 0)
			break;
	}
	if (r == 0 && ws->out.len > 0)
		r = stream_write(ws->stream, buf_slice(&ws->out));
	buf_reset(&ws->out);
	return r;
}

static void ping_due(struct timer *t)
{
	struct websocket *ws = CONTAINER_OF(t, struct websocket, ping);
	const struct wslay_event_msg ping = { .opcode = WSLAY_PING };

	if (ws->pinged) {
		end(ws, false);
		return;
	}
	ws->pinged = true;
	loop_timer_start(ws->loop, &ws->ping, ws->config.ping_ms, ping_due);
	if (wslay_event_queue_msg(ws->context, &ping) < 0 || flush(ws) < 0)
		end(ws, false);
}

static void read_frames(struct websocket *ws, struct slice bytes)
{
	int r;

	ws->pinged = false;
	loop_timer_start(ws->loop, &ws->ping, ws->config.ping_ms, ping_due);
	ws->fresh = bytes;
	ws->receiving = true;
	r = wslay_event_recv(ws->context);
	ws->receiving = false;
	ws->fresh = (struct slice){ 0 };
	if (ws->state != WS_OPEN)
		return;
	if (flush(ws) < 0) {
		end(ws, false);
		return;
	}
	/* A frame that breaks the rules was answered with its close frame by libwslay. */
	if (ws->refused)
		websocket_close(ws, WSLAY_CODE_PROTOCOL_ERROR);
	else if (r < 0 || !wslay_event_want_read(ws->context) ||
		 wslay_event_get_close_received(ws->context))
		end(ws, true);
}

/* Handshake ----------------------------------------------------------------------------------- */

struct handshake {
	struct websocket_request request;
	struct slice key, version, protocols, upgrade, connection;
	bool twice; /* a field that may stand once stood twice */
};

static bool list_has(struct slice list, const char *what, bool nocase)
{
	bool more = true;

	while (more) {
		struct slice one = slice_trim(slice_take_until(&list, ',', &more));

		if (nocase ? slice_eq_str_nocase(one, what) : slice_eq_str(one, what))
			return true;
	}
	return false;
}

static void take_field(struct handshake *hs, struct slice name, struct slice value)
{
	const struct {
		const char *name;
		struct slice *to;
	} fields[] = {
		{ "Host", &hs->request.host },
		{ "Origin", &hs->request.origin },
		{ "Forwarded", &hs->request.forwarded },
		{ "Sec-WebSocket-Key", &hs->key },
		{ "Sec-WebSocket-Version", &hs->version },
		{ "Sec-WebSocket-Protocol", &hs->protocols },
		{ "Upgrade", &hs->upgrade },
		{ "Connection", &hs->connection },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!slice_eq_str_nocase(name, fields[i].name))
			continue;
		hs->twice = hs->twice || fields[i].to->len > 0;
		*fields[i].to = value;
	}
}

/* Lines up to the empty one. -EBADMSG: no HTTP. */
static int read_header(struct slice header, struct handshake *ret)
{
	struct slice line = slice_trim(slice_take_until(&header, '\n', NULL));
	size_t count = 0;

	if (slice_has_nul(header) || !slice_skip(&line, SLICE("GET ")))
		return -EBADMSG;
	ret->request.path = slice_take_until(&line, ' ', NULL);
	if (ret->request.path.len == 0 || ret->request.path.p[0] != '/' ||
	    !slice_eq_str(line, "HTTP/1.1"))
		return -EBADMSG;
	while (header.len > 0) {
		struct slice name;
		bool colon;

		line = slice_take_until(&header, '\n', NULL);
		if (slice_trim(line).len == 0)
			break;
		name = slice_take_until(&line, ':', &colon);
		if (!colon || name.len == 0 || slice_trim(name).len != name.len ||
		    ++count > HEADERS_MAX)
			return -EBADMSG;
		take_field(ret, name, slice_trim(line));
	}
	return 0;
}

/* 101, or the status that says what is wrong (RFC 6455 section 4.2.1). */
static unsigned judge(const struct websocket *ws, const struct handshake *hs)
{
	uint8_t nonce[KEY_LEN];
	unsigned refused;

	if (hs->twice || hs->request.host.len == 0)
		return 400;
	if (!list_has(hs->upgrade, "websocket", true) || !list_has(hs->connection, "upgrade", true))
		return 426;
	if (!slice_eq_str(hs->version, "13"))
		return 426;
	if (hs->key.len != KEY_LEN || digest_from_base64(hs->key, nonce, sizeof(nonce)) != 16)
		return 400;
	if (!list_has(hs->protocols, ws->config.protocol, false))
		return 400;
	refused = ws->handlers->asked ? ws->handlers->asked(ws->user, &hs->request) : 0;
	return refused ? refused : 101;
}

static void accept_text(struct slice key, char ret[static DIGEST_BASE64_LEN(SHA1_LEN)])
{
	char joined[KEY_LEN + sizeof(ACCEPT_GUID)];
	unsigned char hash[EVP_MAX_MD_SIZE] = { 0 };
	unsigned int len = 0;

	memcpy(joined, key.p, KEY_LEN);
	memcpy(joined + KEY_LEN, ACCEPT_GUID, sizeof(ACCEPT_GUID));
	(void)EVP_Digest(joined, KEY_LEN + sizeof(ACCEPT_GUID) - 1, hash, &len, EVP_sha1(), NULL);
	(void)digest_to_base64(hash, SHA1_LEN, ret);
}

static void refuse(struct websocket *ws, unsigned status)
{
	AUTO_BUF answer = { 0 };

	buf_printf(&answer, "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: 0\r\n%s\r\n",
		   status,
		   status == 426   ? "Upgrade Required"
		   : status == 403 ? "Forbidden"
				   : "Bad Request",
		   status == 426 ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : "");
	(void)stream_write(ws->stream, buf_slice(&answer));
	end(ws, true);
}

static int make_context(struct websocket *ws)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = give_bytes,
		.send_callback = take_bytes,
		.on_msg_recv_callback = message_complete,
	};

	if (wslay_event_context_server_init(&ws->context, &callbacks, ws) < 0)
		return -ENOMEM;
	wslay_event_config_set_max_recv_msg_length(ws->context, ws->config.message_max);
	return 0;
}

static void open_up(struct websocket *ws, const struct handshake *hs)
{
	char accepted[DIGEST_BASE64_LEN(SHA1_LEN)];
	AUTO_BUF answer = { 0 };

	accept_text(hs->key, accepted);
	buf_printf(&answer,
		   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
		   "Sec-WebSocket-Protocol: %s\r\n\r\n",
		   accepted, ws->config.protocol);
	if (!buf_ok(&answer) || make_context(ws) < 0 ||
	    stream_write(ws->stream, buf_slice(&answer)) < 0) {
		end(ws, false);
		return;
	}
	ws->state = WS_OPEN;
	loop_timer_start(ws->loop, &ws->ping, ws->config.ping_ms, ping_due);
}

/* How many bytes the header took; 0: it is not complete. */
static size_t shake_hands(struct websocket *ws, struct slice bytes)
{
	const char *stop = memmem(bytes.p, bytes.len, "\r\n\r\n", 4);
	struct handshake hs = { 0 };
	unsigned status = 400;
	size_t len;

	if (!stop) {
		if (bytes.len >= WEBSOCKET_HEADER_MAX)
			refuse(ws, 400);
		return 0;
	}
	len = (size_t)(stop - bytes.p) + 4;
	if (len <= WEBSOCKET_HEADER_MAX && read_header(slice_make(bytes.p, len), &hs) == 0)
		status = judge(ws, &hs);
	if (status == 101)
		open_up(ws, &hs);
	else
		refuse(ws, status);
	return len;
}

/* The stream ----------------------------------------------------------------------------------- */

static ssize_t bytes_received(void *user, struct stream *stream, struct slice bytes)
{
	struct websocket *ws = user;
	size_t used = 0;

	(void)stream;
	if (ws->state == WS_HANDSHAKE) {
		used = shake_hands(ws, bytes);
		if (ws->state == WS_HANDSHAKE)
			return 0;
	}
	if (ws->state == WS_OPEN && used < bytes.len)
		read_frames(ws, slice_sub(bytes, used, bytes.len));
	return (ssize_t)bytes.len;
}

static void stream_ended(void *user, struct stream *stream, int reason)
{
	struct websocket *ws = user;

	(void)stream;
	loop_timer_stop(ws->loop, &ws->ping);
	if (ws->handlers)
		ws->handlers->closed(ws->user, reason);
	if (ws->context)
		wslay_event_context_free(ws->context);
	buf_done(&ws->out);
	free(ws);
}

static const struct stream_handlers on_stream = {
	.data = bytes_received,
	.closed = stream_ended,
};

int websocket_accept(struct loop *loop, struct stream *stream,
		     const struct websocket_config *config,
		     const struct websocket_handlers *handlers, void *user, struct websocket **ret)
{
	struct websocket *ws = calloc(1, sizeof(*ws));

	if (!ws)
		return -ENOMEM;
	ws->loop = loop;
	ws->stream = stream;
	ws->config = *config;
	if (!ws->config.ping_ms)
		ws->config.ping_ms = 30000;
	ws->handlers = handlers;
	ws->user = user;
	buf_init(&ws->out, 0);
	stream_set_user(stream, &on_stream, ws);
	*ret = ws;
	return 0;
}

/* RFC 3629: a text frame that is none would end the connection. */
static bool is_utf8(struct slice text)
{
	const unsigned char *p = (const unsigned char *)text.p, *stop = p + text.len;

	while (p < stop) {
		unsigned char first = *p++;
		uint32_t point = first, least = 0;
		int more = 0;

		if (first < 0x80)
			continue;
		if (first >= 0xc2 && first <= 0xdf)
			more = 1, least = 0x80, point = first & 0x1fU;
		else if ((first & 0xf0) == 0xe0)
			more = 2, least = 0x800, point = first & 0x0fU;
		else if (first >= 0xf0 && first <= 0xf4)
			more = 3, least = 0x10000, point = first & 0x07U;
		else
			return false;
		for (; more > 0; more--, p++) {
			if (p == stop || (*p & 0xc0) != 0x80)
				return false;
			point = point << 6 | (*p & 0x3fU);
		}
		if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
			return false;
	}
	return true;
}

int websocket_send(struct websocket *ws, struct slice message)
{
	const struct wslay_event_msg msg = {
		.opcode = is_utf8(message) ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
		.msg = (const uint8_t *)message.p,
		.msg_length = message.len,
	};

	if (ws->state != WS_OPEN)
		return -ENOTCONN;
	if (wslay_event_queue_msg(ws->context, &msg) < 0)
		return -ENOMEM;
	return flush(ws);
}

void websocket_close(struct websocket *ws, unsigned status)
{
	if (ws->state == WS_OPEN &&
	    wslay_event_queue_close(ws->context, (uint16_t)status, NULL, 0) == 0)
		(void)flush(ws);
	if (ws->state != WS_ENDED)
		end(ws, true);
}

struct websocket *websocket_orphan(struct websocket *ws)
{
	if (!ws)
		return NULL;
	ws->handlers = NULL;
	websocket_close(ws, WSLAY_CODE_GOING_AWAY);
	return NULL;
}
