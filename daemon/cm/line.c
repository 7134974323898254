/* SPDX-License-Identifier: Apache-2.0 */
/* line.c - what stations do on their line appearances, published to sm. RFC 4235, RFC 3903.
 *
 * One PUBLISH of a station is on its way at a time; what changes meanwhile goes in the next one. */
#include "cm/line.h"

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "cm/cm.h"
#include "cm/cm_options.h"
#include "cm/own_invite.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "net/addr.h"
#include "node/node.h"
#include "node/metrics.h"
#include "node/uc_model.h"
#include "stack/sip/sip_dialog.h"
#include "stack/sip/sip_stack.h"
#include "stack/sip/sip_txn.h"

#define EXPIRES_S 3600
#define REFRESH_S 3000
#define ETAG_MAX 128

struct station {
	struct map_node node;
	struct cm *cm;
	char *handle;
	struct line_dialog *lines[APPEARANCE_MAX]; /* with texts of their own; NULL idle */
	struct sip_client_txn *txn;		   /* the PUBLISH on its way */
	struct timer refresh;
	unsigned version;
	bool dirty, removing;
	char etag[ETAG_MAX]; /* "" nothing is published */
};

/* -- the document ----------------------------------------------------------------------- */

static void add_escaped(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		switch (c) {
		case '&':
			buf_add_str(out, "&amp;");
			break;
		case '<':
			buf_add_str(out, "&lt;");
			break;
		case '>':
			buf_add_str(out, "&gt;");
			break;
		case '"':
			buf_add_str(out, "&quot;");
			break;
		default:
			/* Bytes from the network may be no UTF-8, and controls are no XML. */
			buf_add_char(out, c < ' ' || c >= 0x7f ? '?' : (char)c);
		}
	}
}

static void add_attribute(struct buf *out, const char *name, struct slice value)
{
	if (value.len == 0)
		return;
	buf_printf(out, " %s=\"", name);
	add_escaped(out, value);
	buf_add_char(out, '"');
}

static const char *state_name(enum line_state state)
{
	static const char *const names[] = { "terminated", "trying", "early", "confirmed" };

	return names[state];
}

static void add_line(struct buf *out, struct slice entity, unsigned number,
		     const struct line_dialog *l)
{
	buf_printf(out, "<dialog id=\"line-%u\"", number);
	add_attribute(out, "call-id", l->call_id);
	add_attribute(out, "local-tag", l->local_tag);
	add_attribute(out, "remote-tag", l->remote_tag);
	add_attribute(out, "direction", slice_str(l->initiator ? "initiator" : "recipient"));
	buf_printf(out, "><state>%s</state><local><identity>", state_name(l->state));
	add_escaped(out, entity);
	buf_add_str(out, "</identity><target");
	add_attribute(out, "uri", entity);
	buf_printf(out, "><param pname=\"+avaya-cm-line\" pval=\"%u\"/></target></local>", number);
	if (l->peer.len > 0) {
		buf_add_str(out, "<remote><identity>");
		add_escaped(out, l->peer);
		buf_add_str(out, "</identity></remote>");
	}
	buf_add_str(out, "</dialog>");
}

void line_document(struct buf *out, struct slice entity, unsigned version,
		   const struct line_dialog lines[APPEARANCE_MAX])
{
	buf_printf(out,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
		   "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"%u\" "
		   "state=\"full\"",
		   version);
	add_attribute(out, "entity", entity);
	buf_add_char(out, '>');
	for (unsigned i = 0; i < APPEARANCE_MAX; i++) {
		if (lines[i].state != LINE_IDLE)
			add_line(out, entity, i + 1, &lines[i]);
	}
	buf_add_str(out, "</dialog-info>\r\n");
}

/* -- the table -------------------------------------------------------------------------- */

static void station_free(struct station *s)
{
	if (s->txn)
		sip_client_txn_detach(s->txn);
	loop_timer_stop(s->cm->loop, &s->refresh);
	for (size_t i = 0; i < APPEARANCE_MAX; i++)
		free(s->lines[i]);
	free(s->handle);
	free(s);
}

void line_table_init(struct line_table *t)
{
	map_init(&t->by_handle);
}

void line_table_done(struct line_table *t)
{
	struct map_iter it;
	struct map_node *node;

	MAP_FOREACH (node, &t->by_handle, &it)
		station_free(MAP_ENTRY(node, struct station, node));
	map_done(&t->by_handle);
}

static struct station *station_get(const struct cm *cm, struct slice handle)
{
	struct map_node *node = map_get(&cm->lines.by_handle, handle);

	return node ? MAP_ENTRY(node, struct station, node) : NULL;
}

bool line_watch(struct cm *cm, struct slice handle)
{
	struct station *s = station_get(cm, handle);

	if (s)
		return true;
	if (handle.len == 0 || cm->lines.by_handle.count >= LINE_STATIONS_MAX)
		return false;
	s = calloc(1, sizeof(*s));
	if (!s)
		return false;
	s->cm = cm;
	s->handle = slice_dup(handle);
	if (!s->handle || map_add(&cm->lines.by_handle, &s->node, slice_str(s->handle)) < 0) {
		free(s->handle);
		free(s);
		return false;
	}
	return true;
}

bool line_is_watched(const struct cm *cm, struct slice handle)
{
	return cm->options->dialog_state_all || station_get(cm, handle) != NULL;
}

static const struct sip_client_handlers publish_handlers;

/* -- publishing ------------------------------------------------------------------------- */

static void entity_uri(const struct station *s, struct buf *out)
{
	buf_add_str(out, "sip:");
	sip_escape_user(out, slice_str(s->handle));
	buf_printf(out, "@%s", uc_model_domain(node_model(s->cm->node)));
}

static void document(struct station *s, struct slice entity, struct buf *out)
{
	struct line_dialog lines[APPEARANCE_MAX] = { 0 };

	for (size_t i = 0; i < APPEARANCE_MAX; i++) {
		if (s->lines[i])
			lines[i] = *s->lines[i];
	}
	line_document(out, entity, ++s->version, lines);
}

static bool is_idle(const struct station *s)
{
	for (size_t i = 0; i < APPEARANCE_MAX; i++) {
		if (s->lines[i])
			return false;
	}
	return true;
}

/* Over the connection that sm opened, which it knows as ours; without one by the administration. */
static int send_to_sm(struct station *s, struct slice entity, const struct sip_extra *extra)
{
	AUTO_BUF party = { 0 };
	AUTO_BUF route = { 0 };
	AUTO(sip_dialog) struct sip_dialog *dialog = NULL;
	struct sip_dialog_uac spec = { 0 };
	struct error err = { 0 };
	int r;

	r = own_route_to_sm(s->cm, slice_make(NULL, 0), &route);
	if (r < 0)
		return r;
	buf_printf(&party, "<%.*s>", SLICE_ARG(entity));
	if (!buf_ok(&party) || !buf_ok(&route))
		return -ENOMEM;
	spec.local = spec.remote = buf_slice(&party);
	spec.target = entity;
	spec.routes = buf_slice(&route);
	spec.flow = s->cm->has_link ? &s->cm->link : NULL;
	r = sip_dialog_new_uac(s->cm->stack, &spec, NULL, NULL, &dialog, &err);
	return r < 0 ? r
		     : sip_dialog_request(dialog, SLICE("PUBLISH"), extra, NULL, &publish_handlers,
					  s, &s->txn, &err);
}

static int send_publish(struct station *s)
{
	bool idle = s->removing = is_idle(s);
	AUTO_BUF entity = { 0 };
	AUTO_BUF headers = { 0 };
	AUTO_BUF body = { 0 };
	struct sip_extra extra = { 0 };
	int r;

	entity_uri(s, &entity);
	sip_build_header(&headers, SIP_HDR_EVENT, SLICE("dialog"));
	sip_build_header_u32(&headers, SIP_HDR_EXPIRES, idle ? 0 : EXPIRES_S);
	if (s->etag[0])
		sip_build_header(&headers, SIP_HDR_SIP_IF_MATCH, slice_str(s->etag));
	if (!idle) {
		document(s, buf_slice(&entity), &body);
		extra.content_type = SLICE("application/dialog-info+xml");
	}
	if (!buf_ok(&entity) || !buf_ok(&headers) || !buf_ok(&body))
		return -ENOMEM;
	extra.headers = buf_slice(&headers);
	extra.body = buf_slice(&body);
	r = send_to_sm(s, buf_slice(&entity), &extra);
	if (r < 0 && s->cm->has_link) {
		s->cm->has_link = false; /* that connection is gone */
		r = send_to_sm(s, buf_slice(&entity), &extra);
	}
	return r;
}

static void refresh_fired(struct timer *timer);

static void publish(struct station *s)
{
	int r;

	if (s->txn) {
		s->dirty = true;
		return;
	}
	s->dirty = false;
	if (is_idle(s) && !s->etag[0])
		return; /* nothing is published, nothing is to be */
	loop_timer_start(s->cm->loop, &s->refresh, 1000ULL * REFRESH_S, refresh_fired);
	r = send_publish(s);
	if (r < 0) {
		metric_add(s->cm->metrics, CM_PUBLISH_FAILED, 1);
		log_failure(LOG_LEVEL_WARNING, "line.not_published", r, NULL);
	}
}

static void refresh_fired(struct timer *timer)
{
	struct station *s = CONTAINER_OF(timer, struct station, refresh);

	if (!is_idle(s))
		publish(s);
}

static void publish_response(void *user, struct sip_client_txn *txn, const struct sip_incoming *in)
{
	struct station *s = user;
	unsigned status = in->msg->status;

	if (status < 200)
		return;
	sip_client_txn_detach(txn);
	s->txn = NULL;
	metric_add(s->cm->metrics, status < 300 ? CM_PUBLISHED : CM_PUBLISH_FAILED, 1);
	/* sm has forgotten it (412): once more, as the first one. */
	if (status == 412 && s->etag[0] && !s->removing)
		s->dirty = true;
	if (status >= 300 || s->removing ||
	    slice_copy(sip_msg_value(in->msg, SIP_HDR_SIP_ETAG), s->etag, sizeof(s->etag)) < 0)
		s->etag[0] = '\0';
	if (s->dirty)
		publish(s);
}

static void publish_failed(void *user, struct sip_client_txn *txn, int reason)
{
	struct station *s = user;

	s->etag[0] = '\0';
	s->cm->has_link = false;
	metric_add(s->cm->metrics, CM_PUBLISH_FAILED, 1);
}

static void publish_ended(void *user, struct sip_client_txn *txn)
{
	struct station *s = user;

	s->txn = NULL;
	if (s->dirty)
		publish(s);
}

static const struct sip_client_handlers publish_handlers = {
	.response = publish_response,
	.failed = publish_failed,
	.ended = publish_ended,
};

/* -- lines ------------------------------------------------------------------------------ */

static char *keep(char *at, struct slice *text)
{
	struct slice cut = slice_sub(*text, 0, LINE_TEXT_MAX);

	if (cut.len > 0)
		memcpy(at, cut.p, cut.len);
	*text = slice_make(at, cut.len);
	return at + cut.len;
}

static struct line_dialog *line_new(const struct line_dialog *from)
{
	struct line_dialog *l = malloc(sizeof(*l) + 4 * LINE_TEXT_MAX);
	char *at;

	if (!l)
		return NULL;
	*l = *from;
	at = (char *)(l + 1);
	at = keep(at, &l->call_id);
	at = keep(at, &l->local_tag);
	at = keep(at, &l->remote_tag);
	(void)keep(at, &l->peer);
	return l;
}

static bool same(const struct line_dialog *a, const struct line_dialog *b)
{
	return a->state == b->state && slice_eq(a->call_id, b->call_id) &&
	       slice_eq(a->local_tag, b->local_tag) && slice_eq(a->remote_tag, b->remote_tag) &&
	       slice_eq(a->peer, b->peer);
}

void line_set(struct cm *cm, struct slice handle, int number, const struct line_dialog *dialog)
{
	struct line_dialog *next = NULL;
	struct station *s;

	if (number < 1 || number > APPEARANCE_MAX || handle.len == 0)
		return;
	if (cm->options->dialog_state_all && dialog)
		(void)line_watch(cm, handle);
	s = station_get(cm, handle);
	if (!s || (!dialog && !s->lines[number - 1]))
		return;
	if (dialog) {
		next = line_new(dialog);
		if (!next)
			return;
		if (s->lines[number - 1] && same(s->lines[number - 1], next)) {
			free(next);
			return;
		}
	}
	free(s->lines[number - 1]);
	s->lines[number - 1] = next;
	publish(s);
}
