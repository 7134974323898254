/* SPDX-License-Identifier: Apache-2.0 */
/* sip_body.c - see sip_body.h. */
#include "codec/sip/sip_body.h"

#include "codec/sip/sip_misc.h"
#include "codec/sip/sip_token.h"

#define BOUNDARY_MAX 70

static struct slice from(struct slice s, size_t at)
{
	return slice_sub(s, at, s.len);
}

/* boundary := 0*69<bchars> bcharsnospace */
static bool boundary_of(struct slice type, struct slice *ret)
{
	struct sip_content_type content;

	return sip_content_type_parse(type, &content) == 0 &&
	       slice_eq_str_nocase(content.type, "multipart") &&
	       sip_param_find(content.params, SLICE("boundary"), ret) && ret->len > 0 &&
	       ret->len <= BOUNDARY_MAX;
}

/* delimiter := CRLF "--" boundary; transport-padding and CRLF, or "--" for the last one, follow it. The
 * CRLF belongs to it; before the first part there need be none. LF alone is taken, too.
 * ret: what stands before it; rest: from behind its line on, empty at the last one. */
static bool take_part(struct slice *rest, struct slice boundary, struct slice *ret)
{
	struct slice in = *rest, line;
	size_t at = 0, end;

	while (at < in.len) {
		struct slice left = from(in, at);
		bool more;

		line = slice_take_until(&left, '\n', &more);
		end = at;
		at = in.len - left.len;
		if (!slice_skip(&line, SLICE("--")) || !slice_skip(&line, boundary))
			continue;
		if (!slice_starts_with(line, SLICE("--")) && (!more || slice_trim(line).len > 0))
			continue;
		if (end > 0)
			end--;
		if (end > 0 && in.p[end - 1] == '\r')
			end--;
		*ret = slice_sub(in, 0, end);
		*rest = slice_starts_with(line, SLICE("--")) ? slice_make(in.p, 0) : left;
		return true;
	}
	return false;
}

/* The fields of a part end with an empty line. false: there is none. */
static bool part_fields(struct slice *part, struct slice *type, struct slice *disposition)
{
	*type = *disposition = slice_make(NULL, 0);
	while (part->len > 0) {
		struct slice line = slice_take_until(part, '\n', NULL), name;
		bool colon;

		line = slice_trim(line);
		if (line.len == 0)
			return true;
		name = slice_trim(slice_take_until(&line, ':', &colon));
		if (!colon)
			continue;
		if (slice_eq_str_nocase(name, "Content-Type"))
			*type = slice_trim(line);
		else if (slice_eq_str_nocase(name, "Content-Disposition"))
			*disposition = slice_trim(line);
	}
	return false;
}

static bool is_of_session(struct slice disposition)
{
	return disposition.len == 0 ||
	       slice_eq_str_nocase(slice_trim(slice_take_until(&disposition, ';', NULL)),
				   "session");
}

static bool description(struct slice type, struct slice body, unsigned depth, struct slice *ret)
{
	struct slice boundary, part, part_type, disposition;

	if (sip_content_type_is(type, SLICE("application/sdp"))) {
		*ret = body;
		return true;
	}
	/* What stands before the first delimiter is no part. */
	if (depth == 0 || !boundary_of(type, &boundary) || !take_part(&body, boundary, &part))
		return false;
	for (unsigned n = 0; n < SIP_BODY_PARTS_MAX && take_part(&body, boundary, &part); n++) {
		if (part_fields(&part, &part_type, &disposition) && is_of_session(disposition) &&
		    description(part_type, part, depth - 1, ret))
			return true;
	}
	return false;
}

bool sip_body_description(struct slice type, struct slice body, struct slice *ret)
{
	return description(type, body, SIP_BODY_DEPTH_MAX, ret);
}
