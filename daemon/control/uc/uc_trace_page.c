/* SPDX-License-Identifier: Apache-2.0 */
/* uc_trace_page.c - a trace for people: plain text, and one HTML page with the ladder as SVG. */
#include "control/uc/uc_trace_export.h"

#include "base/buf.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

#define COLUMN 170
#define ROW 30
#define TOP 46
#define LEFT 130
#define COLUMNS_MAX 32 /* drawn; further participants share the last */

static const char *text_of(const json_t *item, const char *member)
{
	const char *text = json_string_value(json_object_get(item, member));

	return text ? text : "";
}

static int64_t number(const json_t *item, const char *member)
{
	return (int64_t)json_integer_value(json_object_get(item, member));
}

/* "2026-11-21T10:12:13.123456Z" */
static void add_time(struct buf *out, int64_t at_us)
{
	char at[CLOCK_RFC3339_SIZE];
	size_t len = strlen(clock_format(at_us / 1000, at));

	buf_printf(out, "%.*s%03dZ", (int)(len ? len - 1 : 0), at, (int)(at_us % 1000));
}

int uc_trace_text(const json_t *items, bool truncated, struct buf *out)
{
	json_t *item;
	size_t i;

	buf_printf(out, "SIP trace, %zu messages%s\n", json_array_size(items),
		   truncated ? ", the newest of more" : "");
	json_array_foreach((json_t *)items, i, item)
	{
		bool sent = strcmp(text_of(item, "direction"), "out") == 0;
		const char *message = text_of(item, "message");
		size_t len = strlen(message);

		buf_add_str(out, "\n--- ");
		add_time(out, number(item, "at_us"));
		buf_printf(out, " %s (%s) -> %s (%s) %s, seen by %s%s%s%s\n", text_of(item, "from"),
			   text_of(item, sent ? "local" : "remote"), text_of(item, "to"),
			   text_of(item, sent ? "remote" : "local"), text_of(item, "transport"),
			   text_of(item, "node"), *text_of(item, "gsid") ? ", " : "",
			   text_of(item, "gsid"),
			   json_is_true(json_object_get(item, "truncated")) ? ", cut" : "");
		for (const char *p = message; *p; p++)
			if (*p != '\r')
				buf_add_char(out,
					     (unsigned char)*p < ' ' && *p != '\n' && *p != '\t'
						     ? '?'
						     : *p);
		if (len && message[len - 1] != '\n')
			buf_add_char(out, '\n');
	}
	return buf_ok(out) ? 0 : -EMSGSIZE;
}

static void add_escaped(struct buf *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
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
		case '\r':
			break;
		default:
			buf_add_char(out,
				     (unsigned char)*text < ' ' && *text != '\n' && *text != '\t'
					     ? '?'
					     : *text);
		}
	}
}

static int column(int64_t at)
{
	return LEFT + COLUMN / 2 + COLUMN * (int)(at < COLUMNS_MAX ? at : COLUMNS_MAX - 1);
}

static void add_head(struct buf *out, const json_t *ladder)
{
	buf_add_str(
		out,
		"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n<title>SIP trace ");
	add_escaped(out, text_of(ladder, "gsid"));
	buf_add_str(
		out,
		"</title>\n<style>\n"
		"body{font:14px/1.4 system-ui,sans-serif;margin:24px;color:#1b1f24;background:#fff}\n"
		"svg{font:12px system-ui,sans-serif}svg a{text-decoration:none}\n"
		".life{stroke:#c8ced6}.arrow{stroke:#1f6feb;stroke-width:1.5}\n"
		".failed{stroke:#c62f2f}.again{stroke-dasharray:4 3}.time{fill:#57606a}\n"
		"pre{background:#f4f6f8;padding:12px;overflow:auto;border-radius:6px}\n"
		"summary{cursor:pointer}\n</style>\n<h1>SIP trace</h1>\n<p>");
	add_escaped(out, text_of(ladder, "gsid"));
	buf_printf(out, " %s, %zu messages%s</p>\n", text_of(ladder, "started_at"),
		   json_array_size(json_object_get(ladder, "messages")),
		   json_is_true(json_object_get(ladder, "truncated")) ? ", the newest of more"
								      : "");
}

static void add_participants(struct buf *out, const json_t *participants, int height)
{
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)participants, i, one)
	{
		int x = column((int64_t)i);

		if (i >= COLUMNS_MAX)
			break;
		buf_printf(out, "<line class=\"life\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
			   x, TOP, x, height);
		buf_printf(out, "<text x=\"%d\" y=\"18\" text-anchor=\"middle\">", x);
		add_escaped(out, text_of(one, "name"));
		buf_printf(out,
			   "</text><text class=\"time\" x=\"%d\" y=\"34\" text-anchor=\"middle\">",
			   x);
		add_escaped(out, text_of(one, "address"));
		buf_add_str(out, "</text>\n");
	}
}

static void add_arrow(struct buf *out, const json_t *message, int y)
{
	int from = column(number(message, "from")), to = column(number(message, "to"));
	int tip = to > from ? to - 7 : to + 7;
	const char *failed = number(message, "status") >= 400 ? " failed" : "";
	const char *again =
		json_is_true(json_object_get(message, "retransmission")) ? " again" : "";

	buf_printf(out, "<a href=\"#m-%s\"><text class=\"time\" x=\"8\" y=\"%d\">%.3f ms</text>",
		   text_of(message, "id"), y, (double)number(message, "offset_us") / 1000);
	buf_printf(out,
		   "<path class=\"arrow%s%s\" fill=\"none\" d=\"M%d %dH%dM%d %dL%d %dL%d %d\"/>",
		   failed, again, from, y, to, tip, y - 4, to, y, tip, y + 4);
	buf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (from + to) / 2, y - 5);
	add_escaped(out, text_of(message, "label"));
	buf_printf(out, "%s</text></a>\n",
		   json_is_true(json_object_get(message, "sdp")) ? " (SDP)" : "");
}

static void add_picture(struct buf *out, const json_t *ladder)
{
	const json_t *messages = json_object_get(ladder, "messages");
	const json_t *participants = json_object_get(ladder, "participants");
	size_t columns = json_array_size(participants);
	int height = TOP + ROW * ((int)json_array_size(messages) + 1);
	json_t *message;
	size_t i;

	buf_printf(out, "<svg width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"Ladder\">\n",
		   LEFT + COLUMN * (int)(columns < COLUMNS_MAX ? columns : COLUMNS_MAX), height);
	add_participants(out, participants, height);
	json_array_foreach((json_t *)messages, i, message)
		add_arrow(out, message, TOP + ROW * ((int)i + 1));
	buf_add_str(out, "</svg>\n");
}

int uc_trace_html(const json_t *items, const json_t *ladder, struct buf *out)
{
	json_t *item;
	size_t i;

	add_head(out, ladder);
	add_picture(out, ladder);
	buf_add_str(out, "<h2>Messages</h2>\n");
	json_array_foreach((json_t *)items, i, item)
	{
		buf_printf(out, "<details id=\"m-%s\"><summary>", text_of(item, "id"));
		add_time(out, number(item, "at_us"));
		buf_add_str(out, " ");
		add_escaped(out, text_of(item, "from"));
		buf_add_str(out, " → ");
		add_escaped(out, text_of(item, "to"));
		buf_add_str(out, ": ");
		add_escaped(out, text_of(item, "summary"));
		buf_add_str(out, "</summary><pre>");
		add_escaped(out, text_of(item, "message"));
		buf_add_str(out, "</pre></details>\n");
	}
	buf_add_str(out, "</html>\n");
	return buf_ok(out) ? 0 : -EMSGSIZE;
}
