/* SPDX-License-Identifier: Apache-2.0 */
/* Published state: each row of table 1 of RFC 3903, tags, expiry, bounds. */
#include "helper_sim.h"

#include "stack/sip/sip_event_keep.h"

struct store {
	struct sim sim;
	struct sip_publications *pubs;
	unsigned int changed, cseq;
	char etag[32], expires[16];
	unsigned int status;
};

static void on_request(void *user, const struct sip_incoming *in)
{
	struct store *s = user;

	assert_int_equal(sip_publication_serve(s->pubs, in, SLICE("3001")), 0);
}

static const struct sip_stack_handlers handlers = { .request = on_request };

static int check(void *user, struct slice resource, struct slice body)
{
	(void)user;
	(void)resource;
	return slice_eq_str(body, "bad") ? -EBADMSG : 0;
}

static void changed(void *user, struct slice resource)
{
	struct store *s = user;

	assert_true(slice_eq_str(resource, "3001"));
	s->changed++;
}

static void begin(struct store *s)
{
	struct sip_publications_config config = { .event = "presence",
						  .content_type = "application/pidf+xml",
						  .per_resource_max = 3,
						  .check = check,
						  .changed = changed,
						  .user = s };

	*s = (struct store){ 0 };
	sim_init(&s->sim, SIP_TRANSPORT_UDP);
	assert_int_equal(sim_start(&s->sim.b, &handlers, s), 0);
	assert_int_equal(sip_publications_new(s->sim.b.stack, &config, &s->pubs, NULL), 0);
}

static void end(struct store *s)
{
	sip_publications_free(s->pubs);
	sim_done(&s->sim);
}

static unsigned int publish(struct store *s, const char *headers, const char *body)
{
	char text[1024];
	const struct sip_msg *reply;

	(void)snprintf(
		text, sizeof(text),
		"PUBLISH sip:3001@x SIP/2.0\r\nVia: SIP/2.0/UDP "
		"192.0.2.1:5060;branch=z9hG4bKp%u\r\nMax-Forwards: 70\r\n"
		"From: <sip:3001@x>;tag=1\r\nTo: <sip:3001@x>\r\nCall-ID: p\r\nCSeq: %u PUBLISH\r\n"
		"%s%sContent-Length: %zu\r\n\r\n%s",
		s->cseq, s->cseq + 1, headers,
		*body ? "Content-Type: application/pidf+xml\r\n" : "", strlen(body), body);
	s->cseq++;
	sim_deliver(&s->sim.b, text);
	reply = sim_sent(&s->sim.b, s->sim.b.sent - 1);
	(void)slice_copy(sip_msg_value(reply, SIP_HDR_SIP_ETAG), s->etag, sizeof(s->etag));
	(void)slice_copy(sip_msg_value(reply, SIP_HDR_EXPIRES), s->expires, sizeof(s->expires));
	return reply->status;
}

static const char *with_tag(const struct store *s, const char *more)
{
	static char headers[256];

	(void)snprintf(headers, sizeof(headers), "Event: presence\r\nSIP-If-Match: %s\r\n%s",
		       s->etag, more);
	return headers;
}

static struct slice newest(const struct store *s)
{
	const struct sip_publication *pub = sip_publication_first(s->pubs, SLICE("3001"));

	return pub ? sip_publication_body(pub) : (struct slice){ 0 };
}

static void each_row_of_table_1(void **state)
{
	struct store s;
	char first[32];

	(void)state;
	begin(&s);
	assert_int_equal(publish(&s, "Event: presence\r\nExpires: 120\r\n", "one"), 200);
	assert_string_equal(s.expires, "120");
	assert_true(slice_eq_str(newest(&s), "one"));
	assert_int_equal(s.changed, 1);
	memcpy(first, s.etag, sizeof(first));
	assert_int_equal(publish(&s, with_tag(&s, ""), ""),
			 200); /* refresh: a new tag, no change */
	assert_string_not_equal(s.etag, first);
	assert_int_equal(s.changed, 1);
	assert_int_equal(publish(&s, with_tag(&s, ""), "two"), 200);
	assert_true(slice_eq_str(newest(&s), "two"));
	assert_int_equal(s.changed, 2);
	assert_int_equal(sip_publications_count(s.pubs), 1);
	assert_int_equal(publish(&s, with_tag(&s, "Expires: 0\r\n"), ""), 200);
	assert_int_equal(sip_publications_count(s.pubs), 0);
	assert_int_equal(s.changed, 3);
	end(&s);
}

static void wrong_publications_are_refused(void **state)
{
	struct store s;

	(void)state;
	begin(&s);
	assert_int_equal(publish(&s, "Event: weather\r\n", "one"), 489);
	assert_int_equal(publish(&s, "", "one"), 489);
	assert_int_equal(publish(&s, "Event: presence\r\nSIP-If-Match: none\r\n", ""), 412);
	assert_int_equal(publish(&s, "Event: presence\r\n", ""), 400);
	assert_int_equal(publish(&s, "Event: presence\r\n", "bad"), 400);
	assert_int_equal(publish(&s, "Event: presence\r\nExpires: 5\r\n", "one"), 423);
	assert_int_equal(s.changed, 0);
	assert_int_equal(sip_publications_count(s.pubs), 0);
	end(&s);
}

static void a_publication_expires(void **state)
{
	struct store s;

	(void)state;
	begin(&s);
	assert_int_equal(publish(&s, "Event: presence\r\nExpires: 60\r\n", "one"), 200);
	sim_run(&s.sim, 59999);
	assert_int_equal(s.changed, 1);
	sim_run(&s.sim, 1);
	assert_int_equal(s.changed, 2);
	assert_int_equal(sip_publications_count(s.pubs), 0);
	assert_int_equal(publish(&s, with_tag(&s, ""), ""), 412);
	end(&s);
}

static void several_devices_publish_newest_first(void **state)
{
	static const char *const want[] = { "four", "three", "two" };
	const struct sip_publication *pub;
	struct store s;
	size_t i = 0;

	(void)state;
	begin(&s);
	assert_int_equal(publish(&s, "Event: presence\r\n", "one"), 200);
	assert_int_equal(publish(&s, "Event: presence\r\n", "two"), 200);
	assert_int_equal(publish(&s, "Event: presence\r\n", "three"), 200);
	assert_int_equal(publish(&s, "Event: presence\r\n", "four"),
			 200); /* the oldest makes room */
	for (pub = sip_publication_first(s.pubs, SLICE("3001")); pub;
	     pub = sip_publication_next(s.pubs, pub))
		assert_true(slice_eq_str(sip_publication_body(pub), want[i++]));
	assert_int_equal(i, 3);
	assert_int_equal(sip_publication_forget(s.pubs, SLICE("3001")), 3);
	assert_int_equal(sip_publications_count(s.pubs), 0);
	end(&s);
}

struct kept {
	unsigned int keeps, forgets;
	struct sip_publication_kept last;
	char id[33], etag[33], body[64];
};

static void keep(void *user, struct slice id, const struct sip_publication_kept *pub)
{
	struct kept *k = user;

	k->keeps++;
	k->last = *pub;
	(void)slice_copy(id, k->id, sizeof(k->id));
	(void)slice_copy(pub->etag, k->etag, sizeof(k->etag));
	(void)slice_copy(pub->body, k->body, sizeof(k->body));
	k->last.resource = SLICE("3001");
	k->last.etag = slice_str(k->etag);
	k->last.body = slice_str(k->body);
}

static void forget(void *user, struct slice id)
{
	struct kept *k = user;

	assert_true(slice_eq_str(id, k->id));
	k->forgets++;
}

static void a_document_is_there_after_a_restart(void **state)
{
	static const struct sip_publications_keeper keeper = { .keep = keep, .forget = forget };
	struct sip_publications_config config = { .event = "presence",
						  .content_type = "application/pidf+xml",
						  .check = check,
						  .changed = changed,
						  .one_source = true };
	struct sip_publication_kept bad;
	struct kept k = { 0 };
	struct store s;
	char id[33];

	(void)state;
	begin(&s);
	sip_publications_set_keeper(s.pubs, &keeper, &k);
	assert_int_equal(publish(&s, "Event: presence\r\nExpires: 600\r\n", "one"), 200);
	(void)slice_copy(slice_str(k.id), id, sizeof(id));
	assert_int_equal(publish(&s, with_tag(&s, ""), "two"), 200);
	assert_string_equal(k.id, id); /* the same row under another tag */
	assert_string_equal(k.etag, s.etag);
	assert_int_equal(k.keeps, 2);
	sip_publications_free(s.pubs);
	assert_int_equal(k.forgets, 0);
	config.user = &s;
	assert_int_equal(sip_publications_new(s.sim.b.stack, &config, &s.pubs, NULL), 0);
	sip_publications_set_keeper(s.pubs, &keeper, &k);
	bad = k.last;
	bad.body = SLICE("bad");
	assert_int_equal(sip_publications_restore(s.pubs, slice_str(id), &bad), -EINVAL);
	bad = k.last;
	bad.etag = SLICE("short");
	assert_int_equal(sip_publications_restore(s.pubs, slice_str(id), &bad), -EINVAL);
	bad = k.last;
	bad.expires_in_ms = 0;
	assert_int_equal(sip_publications_restore(s.pubs, slice_str(id), &bad), -EINVAL);
	assert_int_equal(sip_publications_restore(s.pubs, SLICE("x"), &k.last), -EINVAL);
	assert_int_equal(sip_publications_restore(s.pubs, slice_str(id), &k.last), 0);
	assert_int_equal(sip_publications_restore(s.pubs, slice_str(id), &k.last), -EEXIST);
	assert_true(slice_eq_str(newest(&s), "two"));
	assert_int_equal(publish(&s, with_tag(&s, ""), ""), 200); /* its tag holds */
	assert_int_equal(publish(&s, "Event: presence\r\n", "three"), 200);
	assert_int_equal(sip_publications_count(s.pubs), 2); /* both are known to be wanted */
	end(&s);
}

static void what_its_source_forgot_goes_when_it_speaks_again(void **state)
{
	static const char tag[] = "0123456789abcdef";
	const struct sip_publication_kept old = { .resource = SLICE("3001"),
						  .etag = SLICE("fedcba9876543210"),
						  .body = SLICE("old"),
						  .order = 7,
						  .expires_in_ms = 60000 };
	struct store s;

	(void)state;
	for (int one_source = 0; one_source < 2; one_source++) {
		struct sip_publications_config config = { .event = "presence",
							  .content_type = "application/pidf+xml",
							  .changed = changed,
							  .one_source = one_source != 0,
							  .user = &s };

		begin(&s);
		sip_publications_free(s.pubs);
		assert_int_equal(sip_publications_new(s.sim.b.stack, &config, &s.pubs, NULL), 0);
		assert_int_equal(sip_publications_restore(s.pubs, slice_str(tag), &old), 0);
		assert_int_equal(publish(&s, "Event: presence\r\n", "new"), 200);
		assert_true(slice_eq_str(newest(&s), "new"));
		assert_int_equal(sip_publications_count(s.pubs), one_source ? 1 : 2);
		sim_run(&s.sim, 60000);
		assert_int_equal(sip_publications_count(s.pubs), 1);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_table_1),
		cmocka_unit_test(wrong_publications_are_refused),
		cmocka_unit_test(a_publication_expires),
		cmocka_unit_test(several_devices_publish_newest_first),
		cmocka_unit_test(a_document_is_there_after_a_restart),
		cmocka_unit_test(what_its_source_forgot_goes_when_it_speaks_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
