/* SPDX-License-Identifier: Apache-2.0 */
/* trace_text.c - header lines by their first letter, digest parameters by name. RFC 3261 section
 * 7.3 (lines, folding, compact forms), RFC 7616 (credentials), RFC 4568 and 8839 (keys in SDP). */
#include "node/trace_text.h"

#include "base/error.h"

#include <string.h>

static const char *const secret_headers[] = { "Authorization",	     "Proxy-Authorization",
					      "WWW-Authenticate",    "Proxy-Authenticate",
					      "Authentication-Info", "Proxy-Authentication-Info" };

static struct slice name_of(struct slice line)
{
	return slice_trim(slice_take_until(&line, ':', NULL));
}

static bool is_secret_header(struct slice name)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_headers); i++)
		if (slice_eq_str_nocase(name, secret_headers[i]))
			return true;
	return false;
}

static bool is_blank(struct slice line)
{
	return line.len == 0 || (line.len == 1 && line.p[0] == '\r');
}

/* The first two letters decide whether a line is looked at: most are not. */
static bool is_of_interest(const char *line)
{
	char second;

	/* one comparison for most: A, C and I differ from their small letters in one bit */
	if (line[0] < 'A' || ((1U << 1 | 1U << 3 | 1U << 9) >> (line[0] & 31) & 1) == 0)
		return false;
	second = ascii_lower(line[1]);
	switch (ascii_lower(line[0])) {
	case 'a': /* Av-Global-Session-ID */
		return second == 'v';
	case 'c': /* Call-ID, CSeq */
		return second == 'a' || second == 's';
	case 'i': /* i */
		return second == ':' || second == ' ' || second == '\t';
	default:
		return false;
	}
}

static void scan_line(struct slice line, struct trace_fields *f)
{
	struct slice name = slice_trim(slice_take_until(&line, ':', NULL));

	if (f->call_id.len == 0 && (name.len == 1 || slice_eq_nocase(name, SLICE("Call-ID"))))
		f->call_id = slice_trim(line);
	else if (f->cseq.len == 0 && slice_eq_nocase(name, SLICE("CSeq")))
		f->cseq = slice_trim(line);
	else if (f->gsid.len == 0 && slice_eq_nocase(name, SLICE("Av-Global-Session-ID")))
		f->gsid = slice_trim(line);
}

struct trace_fields trace_scan(struct slice message)
{
	const char *p = message.p, *end = p + message.len, *nl;
	struct trace_fields f = { 0 };

	/* a line of interest is longer than two bytes, an empty one ends the header */
	for (; end - p > 2; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			nl = end - 1;
		if (*p == '\n' || (*p == '\r' && p[1] == '\n'))
			break;
		if (is_of_interest(p))
			scan_line(slice_make(p, (size_t)(nl + (*nl != '\n') - p)), &f);
	}
	return f;
}

bool trace_is_probe(const struct trace_fields *fields)
{
	return slice_ends_with(fields->cseq, SLICE(" OPTIONS"));
}

static bool is_name_byte(char c)
{
	return ascii_is_alnum((unsigned char)c) || c == '-' || c == '_';
}

/* Overwrite the value of a digest parameter that starts at p (behind '='). */
static char *mask_value(char *p, char *end)
{
	bool quoted = p < end && *p == '"';

	if (quoted)
		p++;
	while (p < end && (quoted ? *p != '"' : *p != ',' && *p != ' ')) {
		if (quoted && *p == '\\' && p + 1 < end)
			*p++ = '*';
		*p++ = '*';
	}
	return p;
}

static char *skip_blanks(char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p) && *p)
		p++;
	return p;
}

/* The value of one header line, p behind its colon. */
static void mask_credentials(char *p, char *end)
{
	static const char *const names[] = { "response", "nonce",     "cnonce",
					     "opaque",	 "nextnonce", "rspauth" };
	struct slice rest;

	p = skip_blanks(p, end);
	rest = slice_make(p, (size_t)(end - p));
	if (!slice_starts_with_nocase(rest, SLICE("Digest"))) {
		memset(p, '*', (size_t)(end - p));
		return;
	}
	while (p < end) {
		char *name = p;
		struct slice word;

		while (p < end && is_name_byte(*p))
			p++;
		word = slice_make(name, (size_t)(p - name));
		if (word.len)
			p = skip_blanks(p, end);
		if (p >= end || *p != '=' || word.len == 0) {
			p += p < end && !is_name_byte(*p) ? 1 : 0;
			continue;
		}
		p = skip_blanks(p + 1, end);
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (slice_eq_str_nocase(word, names[i]))
				p = mask_value(p, end);
	}
}

/* "a=crypto:1 SUITE inline:KEY|…" and "a=ice-pwd:KEY": the rest of the line. */
static void mask_body(char *p, char *end)
{
	while (p < end) {
		char *nl = memchr(p, '\n', (size_t)(end - p));
		char *line_end = nl ? nl : end;
		struct slice line = slice_make(p, (size_t)(line_end - p));
		char *from = NULL;

		if (slice_starts_with(line, SLICE("a=crypto:")))
			from = memmem(line.p, line.len, "inline:", 7);
		if (from)
			from += 7;
		else if (slice_starts_with(line, SLICE("a=ice-pwd:")))
			from = p + 10;
		if (line_end > p && line_end[-1] == '\r')
			line_end--;
		if (from && from < line_end)
			memset(from, '*', (size_t)(line_end - from));
		p = nl ? nl + 1 : end;
	}
}

void trace_mask(char *text, size_t len)
{
	char *p = text, *end = text + len;

	while (p < end) {
		char *nl = memchr(p, '\n', (size_t)(end - p));
		char *line_end = nl ? nl : end;
		char *colon;

		/* folded lines belong to the header before them */
		while (nl && nl + 1 < end && (nl[1] == ' ' || nl[1] == '\t')) {
			nl = memchr(nl + 1, '\n', (size_t)(end - nl - 1));
			line_end = nl ? nl : end;
		}
		if (is_blank(slice_make(p, (size_t)(line_end - p)))) {
			mask_body(nl ? nl + 1 : end, end);
			return;
		}
		colon = memchr(p, ':', (size_t)(line_end - p));
		if (colon && is_secret_header(slice_trim(slice_make(p, (size_t)(colon - p)))))
			mask_credentials(colon + 1, line_end > colon + 1 && line_end[-1] == '\r'
							    ? line_end - 1
							    : line_end);
		p = nl ? nl + 1 : end;
	}
}

static bool is_word(struct slice text, const char *at, size_t len)
{
	const char *end = text.p + text.len;

	return (at == text.p || !is_name_byte(at[-1])) &&
	       (at + len == end || !is_name_byte(at[len]));
}

static bool has_word(struct slice text, struct slice word)
{
	while (text.len >= word.len) {
		const char *at = memmem(text.p, text.len, word.p, word.len);

		if (!at)
			return false;
		if (is_word(text, at, word.len))
			return true;
		text = slice_sub(text, (size_t)(at + 1 - text.p), text.len);
	}
	return false;
}

static bool is_party(struct slice line)
{
	struct slice name;

	switch (ascii_lower(line.p[0])) {
	case 'f':
	case 't':
		name = name_of(line);
		return name.len == 1 || slice_eq_nocase(name, SLICE("From")) ||
		       slice_eq_nocase(name, SLICE("To"));
	default:
		return false;
	}
}

bool trace_names_user(struct slice message, struct slice user)
{
	bool first = true;

	if (user.len == 0)
		return false;
	while (message.len) {
		struct slice line = slice_take_until(&message, '\n', NULL);

		if (is_blank(line))
			return false;
		if ((first || is_party(line)) && has_word(line, user))
			return true;
		first = false;
	}
	return false;
}

/* Where the byte is next, at or behind p; end: nowhere. */
static const char *next_byte(const char *p, const char *end, char c)
{
	const char *at = p < end ? memchr(p, c, (size_t)(end - p)) : NULL;

	return at ? at : end;
}

bool trace_has_text(struct slice message, struct slice text)
{
	const char *end, *lower, *upper, *p = message.p;
	char small, large;

	if (text.len == 0)
		return true;
	if (message.len < text.len)
		return false;
	end = message.p + message.len - text.len + 1;
	small = ascii_lower(text.p[0]);
	large = small >= 'a' && small <= 'z' ? (char)(small - 'a' + 'A') : small;
	lower = next_byte(p, end, small);
	upper = next_byte(p, end, large);
	while (lower < end || upper < end) {
		p = lower < upper ? lower : upper;
		if (slice_eq_nocase(slice_make(p, text.len), text))
			return true;
		if (lower == p)
			lower = next_byte(p + 1, end, small);
		if (upper == p)
			upper = next_byte(p + 1, end, large);
	}
	return false;
}
