/* SPDX-License-Identifier: Apache-2.0 */
/* sip_edit.c - see sip_edit.h. */
#include "codec/sip/sip_edit.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"

#define VALUES_MAX 64 /* values of one field among which single ones can be removed */

static int fail(struct sip_edit *edit, int code)
{
	if (edit->error == 0)
		edit->error = code;
	return edit->error;
}

void sip_edit_init(struct sip_edit *edit, const struct sip_msg *msg)
{
	edit->msg = msg;
	edit->error = msg->defects ? -EINVAL : 0;
	edit->count = 0;
	edit->text_used = 0;
	edit->set_body = false;
	edit->body = (struct slice){ 0 };
}

/* Where a slice of the header part starts; -1 when it is not of this message. */
static ptrdiff_t offset_of(const struct sip_edit *edit, struct slice part)
{
	const struct sip_msg *msg = edit->msg;

	if (part.p < msg->raw.p || part.p + part.len > msg->body.p)
		return -1;
	return part.p - msg->raw.p;
}

/* Append to the edit's own text; what comes in several pieces is one text afterwards. */
static int add_text(struct sip_edit *edit, struct slice text)
{
	if (text.len > SIP_EDIT_TEXT_MAX - edit->text_used)
		return fail(edit, -ENOBUFS);
	if (text.len)
		memcpy(edit->text + edit->text_used, text.p, text.len);
	edit->text_used += (uint32_t)text.len;
	return 0;
}

static int add_value(struct sip_edit *edit, struct slice value)
{
	return sip_line_is_safe(value) ? add_text(edit, value) : fail(edit, -EINVAL);
}

static int add_field(struct sip_edit *edit, struct slice name, struct slice value)
{
	add_text(edit, name);
	add_text(edit, SLICE(": "));
	add_value(edit, value);
	return add_text(edit, SLICE("\r\n"));
}

/* Note one edit whose text is what was added since text_start. Order: by place; at one place first
 * insertions, then the cut; before = in front of insertions that are there already. */
static int add_op(struct sip_edit *edit, size_t at, size_t cut, uint32_t text_start, bool before,
		  const struct sip_header *header)
{
	struct sip_edit_op op = {
		.at = (uint32_t)at,
		.cut = (uint32_t)cut,
		.text = text_start,
		.text_len = edit->text_used - text_start,
		.header = header,
	};
	unsigned i = edit->count;

	if (edit->error < 0)
		return edit->error;
	if (edit->count == SIP_EDITS_MAX)
		return fail(edit, -ENOBUFS);
	while (i > 0) {
		const struct sip_edit_op *last = &edit->ops[i - 1];

		if (last->at < op.at ||
		    (last->at == op.at && !before && !(op.cut == 0 && last->cut > 0)))
			break;
		if (last->at == op.at && before && op.cut > 0 && last->cut == 0)
			break;
		edit->ops[i] = *last;
		i--;
	}
	edit->ops[i] = op;
	edit->count++;
	return 0;
}

static int replace(struct sip_edit *edit, struct slice old, uint32_t text_start)
{
	ptrdiff_t at = offset_of(edit, old);

	if (at < 0)
		return fail(edit, -EINVAL);
	/* the last word on one place counts */
	for (unsigned i = 0; i < edit->count; i++) {
		struct sip_edit_op *op = &edit->ops[i];

		if (op->at == (uint32_t)at && op->cut == old.len && old.len > 0 && !op->header) {
			op->text = text_start;
			op->text_len = edit->text_used - text_start;
			return edit->error;
		}
	}
	return add_op(edit, (size_t)at, old.len, text_start, false, NULL);
}

int sip_edit_replace(struct sip_edit *edit, struct slice old, struct slice text)
{
	uint32_t start = edit->text_used;

	add_value(edit, text);
	return replace(edit, old, start);
}

int sip_edit_request_uri(struct sip_edit *edit, struct slice uri)
{
	if (!edit->msg->request || memchr(uri.p, ' ', uri.len))
		return fail(edit, -EINVAL);
	return sip_edit_replace(edit, edit->msg->uri, uri);
}

int sip_edit_start_line(struct sip_edit *edit, struct slice line)
{
	return sip_edit_replace(edit, edit->msg->start_line, line);
}

int sip_edit_remove(struct sip_edit *edit, const struct sip_header *header)
{
	return replace(edit, header->line, edit->text_used);
}

int sip_edit_remove_all(struct sip_edit *edit, enum sip_header_id id)
{
	const struct sip_header *field = sip_msg_header(edit->msg, id);

	for (; field; field = sip_msg_header_next(edit->msg, field))
		sip_edit_remove(edit, field);
	return edit->error;
}

int sip_edit_value(struct sip_edit *edit, const struct sip_header *header, struct slice value)
{
	uint32_t start = edit->text_used;

	/* a field that is empty has no byte to replace: the whole line then */
	if (header->value.len > 0)
		return sip_edit_replace(edit, header->value, value);
	add_field(edit, header->name, value);
	return replace(edit, header->line, start);
}

int sip_edit_set(struct sip_edit *edit, enum sip_header_id id, struct slice value)
{
	const struct sip_header *field = sip_msg_header(edit->msg, id);

	return field ? sip_edit_value(edit, field, value) : sip_edit_append(edit, id, value);
}

int sip_edit_set_u32(struct sip_edit *edit, enum sip_header_id id, uint32_t value)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", value);

	return sip_edit_set(edit, id, slice_make(text, (size_t)n));
}

int sip_edit_push(struct sip_edit *edit, enum sip_header_id id, struct slice value)
{
	const struct sip_header *field = sip_msg_header(edit->msg, id);
	const struct sip_msg *msg = edit->msg;
	uint32_t start = edit->text_used;

	if (!field && msg->header_count > 0)
		field = &msg->headers[0];
	if (!field)
		return sip_edit_append(edit, id, value);
	add_field(edit, sip_header_name(id), value);
	return add_op(edit, (size_t)(field->line.p - msg->raw.p), 0, start, true, NULL);
}

/* Where the empty line stands. */
static size_t end_of_header(const struct sip_edit *edit)
{
	return (size_t)(edit->msg->body.p - edit->msg->raw.p) - 2;
}

int sip_edit_append_named(struct sip_edit *edit, struct slice name, struct slice value)
{
	uint32_t start = edit->text_used;

	if (edit->error < 0)
		return edit->error;
	if (!sip_token_valid(name))
		return fail(edit, -EINVAL);
	add_field(edit, name, value);
	return add_op(edit, end_of_header(edit), 0, start, false, NULL);
}

int sip_edit_append(struct sip_edit *edit, enum sip_header_id id, struct slice value)
{
	return sip_edit_append_named(edit, sip_header_name(id), value);
}

static int insert_lines(struct sip_edit *edit, size_t at, struct slice lines, bool before)
{
	uint32_t start = edit->text_used;

	if (!slice_ends_with(lines, SLICE("\r\n")))
		return fail(edit, -EINVAL);
	add_text(edit, lines);
	return add_op(edit, at, 0, start, before, NULL);
}

int sip_edit_insert_before(struct sip_edit *edit, const struct sip_header *header,
			   struct slice lines)
{
	return insert_lines(edit, (size_t)(header->line.p - edit->msg->raw.p), lines, false);
}

int sip_edit_insert_after(struct sip_edit *edit, const struct sip_header *header,
			  struct slice lines)
{
	size_t at = (size_t)(header->line.p + header->line.len - edit->msg->raw.p);

	return insert_lines(edit, at, lines, false);
}

/* Values of a field that are to go, as bits in their order. */
struct doomed {
	struct slice values[VALUES_MAX];
	size_t count;
	uint64_t bits;
};

static bool is_covered(const struct sip_edit *edit, const struct sip_header *header,
		       struct slice value)
{
	size_t at = (size_t)(value.p - edit->msg->raw.p);

	for (unsigned i = 0; i < edit->count; i++) {
		const struct sip_edit_op *op = &edit->ops[i];

		if (op->header == header && op->at <= at && at + value.len <= op->at + op->cut)
			return true;
	}
	return false;
}

/* What is gone already and what goes now. -ENOENT when the value is not of the field. */
static int find_doomed(const struct sip_edit *edit, const struct sip_header *header,
		       struct slice value, struct doomed *ret)
{
	struct slice rest = header->value, one;
	bool found = false;

	ret->count = 0;
	ret->bits = 0;
	while (sip_value_take(&rest, &one)) {
		bool this_one = one.p == value.p && one.len == value.len;

		if (ret->count == VALUES_MAX)
			return -ENOBUFS;
		if (this_one || is_covered(edit, header, one))
			ret->bits |= (uint64_t)1 << ret->count;
		ret->values[ret->count++] = one;
		found |= this_one;
	}
	return found ? 0 : -EINVAL;
}

static void drop_ops_of(struct sip_edit *edit, const struct sip_header *header)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < edit->count; i++) {
		if (edit->ops[i].header != header)
			edit->ops[kept++] = edit->ops[i];
	}
	edit->count = kept;
}

static int cut_between(struct sip_edit *edit, const struct sip_header *header, const char *from,
		       const char *to)
{
	return add_op(edit, (size_t)(from - edit->msg->raw.p), (size_t)(to - from), edit->text_used,
		      false, header);
}

/* Runs of removed values go with the commas after them, a run at the end with the comma before. */
static int cut_doomed(struct sip_edit *edit, const struct sip_header *header,
		      const struct doomed *doomed)
{
	size_t i = 0;

	while (i < doomed->count) {
		size_t first = i;
		const struct slice *last;

		if (!(doomed->bits >> i & 1)) {
			i++;
			continue;
		}
		while (i < doomed->count && (doomed->bits >> i & 1))
			i++;
		last = &doomed->values[i - 1];
		if (i < doomed->count)
			cut_between(edit, header, doomed->values[first].p, doomed->values[i].p);
		else if (first > 0)
			cut_between(edit, header,
				    doomed->values[first - 1].p + doomed->values[first - 1].len,
				    last->p + last->len);
		else
			cut_between(edit, header, header->line.p,
				    header->line.p + header->line.len);
	}
	return edit->error;
}

int sip_edit_remove_value(struct sip_edit *edit, const struct sip_header *header,
			  struct slice value)
{
	struct doomed doomed;
	int r;

	if (edit->error < 0)
		return edit->error;
	if (!sip_header_is_list(header->id) ||
	    (value.p == header->value.p && value.len == header->value.len))
		return cut_between(edit, header, header->line.p, header->line.p + header->line.len);
	r = find_doomed(edit, header, value, &doomed);
	if (r < 0)
		return fail(edit, r);
	drop_ops_of(edit, header);
	return cut_doomed(edit, header, &doomed);
}

int sip_edit_pop(struct sip_edit *edit, enum sip_header_id id, size_t n)
{
	struct sip_values it = sip_values_of(edit->msg, id);
	struct slice value;

	while (n > 0 && sip_values_next(&it, &value)) {
		if (is_covered(edit, it.header, value))
			continue;
		if (sip_edit_remove_value(edit, it.header, value) < 0)
			return edit->error;
		n--;
	}
	return n == 0 ? edit->error : fail(edit, -EINVAL);
}

int sip_edit_stamp_via(struct sip_edit *edit, struct slice address, uint16_t port, bool force_rport)
{
	struct sip_values it = sip_values_of(edit->msg, SIP_HDR_VIA);
	uint32_t start = edit->text_used;
	struct slice value;
	int n;

	if (!sip_values_next(&it, &value))
		return fail(edit, -EINVAL);
	n = sip_via_stamp(value, address, port, force_rport, edit->text + start,
			  SIP_EDIT_TEXT_MAX - start);
	if (n < 0)
		return fail(edit, n == -ENOBUFS ? n : -EINVAL);
	edit->text_used += (uint32_t)n;
	return replace(edit, value, start);
}

int sip_edit_body(struct sip_edit *edit, struct slice content_type, struct slice body)
{
	edit->set_body = true;
	edit->body = body;
	if (body.len == 0)
		return sip_edit_remove_all(edit, SIP_HDR_CONTENT_TYPE);
	if (content_type.len)
		return sip_edit_set(edit, SIP_HDR_CONTENT_TYPE, content_type);
	return edit->error;
}

/* Copy the header part with the edits worked in. Cuts may repeat or lie in one another; a text whose
 * place was cut by another edit is an error. */
static int copy_header(const struct sip_edit *edit, struct buf *out)
{
	const struct slice raw = edit->msg->raw;
	size_t end = (size_t)(edit->msg->body.p - raw.p);
	size_t done = 0;

	for (unsigned i = 0; i < edit->count; i++) {
		const struct sip_edit_op *op = &edit->ops[i];

		if (op->at > done) {
			buf_add(out, raw.p + done, op->at - done);
			done = op->at;
		} else if (op->at < done && op->text_len > 0) {
			return -EINVAL;
		}
		buf_add(out, edit->text + op->text, op->text_len);
		if (op->at + op->cut > done)
			done = op->at + op->cut;
	}
	buf_add(out, raw.p + done, end - done);
	return 0;
}

int sip_edit_apply(struct sip_edit *edit, struct buf *out)
{
	struct slice body = edit->set_body ? edit->body : edit->msg->body;
	size_t before = out->len;
	int r;

	if (edit->set_body || !sip_msg_header(edit->msg, SIP_HDR_CONTENT_LENGTH))
		sip_edit_set_u32(edit, SIP_HDR_CONTENT_LENGTH, (uint32_t)body.len);
	if (edit->error < 0)
		return edit->error;
	r = buf_reserve(out, edit->msg->raw.len + edit->text_used + body.len);
	if (r < 0)
		return r;
	r = copy_header(edit, out);
	if (r < 0) {
		out->len = before;
		return fail(edit, r);
	}
	buf_add_slice(out, body);
	return buf_ok(out) ? 0 : -ENOMEM;
}
