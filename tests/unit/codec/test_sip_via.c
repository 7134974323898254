/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_via.c - Via values and what a server writes into them. */
#include "helper_codec.h"

#include <errno.h>

#include "codec/sip/sip_via.h"

static struct sip_via parse(const char *text)
{
	struct sip_via via;

	if (sip_via_parse(slice_str(text), &via) < 0)
		fail_msg("refused: %s", text);
	return via;
}

static void all_parts(void **state)
{
	struct sip_via via = parse("SIP/2.0/TLS [2001:db8::9]:5061;branch=z9hG4bKabc;rport=1026"
				   ";received=192.0.2.1;maddr=224.0.1.75;ttl=1;alias");

	(void)state;
	assert_true(via.version_2);
	assert_int_equal(via.transport, SIP_TRANSPORT_TLS);
	assert_slice(via.host, "2001:db8::9");
	assert_int_equal(via.host_kind, SIP_HOST_IPV6);
	assert_int_equal(via.port, 5061);
	assert_slice(via.branch, "z9hG4bKabc");
	assert_true(via.has_rport);
	assert_int_equal(via.rport, 1026);
	assert_slice(via.received, "192.0.2.1");
	assert_slice(via.maddr, "224.0.1.75");
}

static void white_space_in_every_place(void **state)
{
	struct sip_via via =
		parse("SIP  /   2.0\r\n /UDP\r\n    192.0.2.2 : 5070 ; branch = 390skdjuw ;rport");

	(void)state;
	assert_true(via.version_2);
	assert_int_equal(via.transport, SIP_TRANSPORT_UDP);
	assert_int_equal(via.port, 5070);
	assert_slice(via.branch, "390skdjuw");
	assert_true(via.has_rport);
	assert_int_equal(via.rport, 0);
	assert_false(sip_via_branch_is_3261(&via));
}

static void branches(void **state)
{
	struct sip_via via = parse("SIP/2.0/UDP h;branch=z9hG4bKx");

	(void)state;
	assert_true(sip_via_branch_is_3261(&via));
	via = parse("SIP/2.0/UDP h;branch=z9hG4bK");
	assert_false(sip_via_branch_is_3261(&via));
	via = parse("SIP/2.0/UDP h");
	assert_false(sip_via_branch_is_3261(&via));
	assert_int_equal(parse("SIP/2.0/UNKNOWN h").transport, SIP_TRANSPORT_OTHER);
	assert_false(parse("SIP/7.0/UDP h").version_2);
	for (int i = 1; i <= SIP_TRANSPORT_SCTP; i++)
		assert_int_equal(sip_transport_lookup(sip_transport_name((enum sip_transport)i)),
				 i);
}

static void rejects_malformed(void **state)
{
	static const char *const bad[] = {
		"",
		"SIP/2.0",
		"SIP/2.0/UDP",
		"SIP/2.0/UDP ",
		"SIP/2.0/UDP;branch=x",
		"SIP/2.0/UDP h:",
		"SIP/2.0/UDP h:0",
		"SIP/2.0/UDP h:70000",
		"SIP/2.0/UDP h;",
		"SIP/2.0/UDP h;;branch=x",
		"SIP/2.0/UDP h;branch=",
		"SIP/2.0/UDP h;branch=z9hG4bKa;branch=z9hG4bKb",
		"SIP/2.0/UDP h;branch;branch=z9hG4bKb",
		"SIP/2.0/UDP h;received=192.0.2.1;branch=z9hG4bKa;Received=192.0.2.2",
		"SIP/2.0/UDP h;received=2001:db8:1:5:(9);branch=z9hG4bKa",
		"SIP/2.0/UDP h;received=a(b);branch=z9hG4bKa",
		"SIP/2.0/UDP h;maddr=192.0.2.1;maddr=192.0.2.2",
		"SIP/2.0/UDP h;rport;rport=5060",
		"SIP/2.0/UDP h;rport=99999",
		"SIP/2.0/UDP h;rport=x",
		"SIP/2.0/UDP h h",
		"SIP/2.0/UDP [::1",
		"SIP 2.0 UDP h",
		"SIP/2.0/UDP h,SIP/2.0/UDP g",
		"/2.0/UDP h",
	};
	struct sip_via via;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct slice in = exact_copy(slice_str(bad[i]));

		if (sip_via_parse(in, &via) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		free((char *)in.p);
	}
}

static void assert_same_place(struct slice a, struct slice b)
{
	assert_int_equal(a.len, b.len);
	if (a.len)
		assert_ptr_equal(a.p, b.p);
}

/* What the stamp says of its own text is what a parser finds in it. */
static void stamped_is_as_parsed(struct slice in, struct slice source, bool force)
{
	struct sip_via before, said, read;
	char *out = malloc(in.len + 80);
	int n;

	assert_int_equal(sip_via_parse(in, &before), 0);
	n = sip_via_stamp_parsed(in, &before, source, 40000, force, out, in.len + 80, &said);
	assert_true(n > 0);
	assert_int_equal(sip_via_parse(slice_make(out, (size_t)n), &read), 0);
	assert_int_equal(said.transport, read.transport);
	assert_int_equal(said.host_kind, read.host_kind);
	assert_int_equal(said.port, read.port);
	assert_int_equal(said.rport, read.rport);
	assert_int_equal(said.has_rport, read.has_rport);
	assert_int_equal(said.version_2, read.version_2);
	assert_same_place(said.transport_name, read.transport_name);
	assert_same_place(said.host, read.host);
	assert_same_place(said.params, read.params);
	assert_same_place(said.branch, read.branch);
	assert_same_place(said.received, read.received);
	assert_same_place(said.maddr, read.maddr);
	assert_same_place(said.received_text, read.received_text);
	assert_same_place(said.rport_text, read.rport_text);
	free(out);
}

static void stamp(const char *value, const char *source, bool force, const char *expect)
{
	struct slice in = slice_str(value);
	char *out = malloc(in.len + 80);
	int n = sip_via_stamp(in, slice_str(source), 40000, force, out, in.len + 80);

	assert_true(n > 0);
	assert_slice(slice_make(out, (size_t)n), expect);
	assert_int_equal(sip_via_stamp(in, slice_str(source), 40000, force, out, (size_t)n - 1),
			 -ENOBUFS);
	stamped_is_as_parsed(in, slice_str(source), force);
	free(out);
}

static void source_is_written_in(void **state)
{
	(void)state;
	stamp("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa", "192.0.2.1", false,
	      "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa");
	stamp("SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa", "192.0.2.1", false,
	      "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa;received=192.0.2.1");
	stamp("SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKa", "192.0.2.1", false,
	      "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa;received=192.0.2.1;rport=40000");
	stamp("SIP/2.0/UDP h", "2001:db8::1", true,
	      "SIP/2.0/UDP h;received=2001:db8::1;rport=40000");
	/* what the peer wrote about itself does not count */
	stamp("SIP/2.0/UDP h;received=198.51.100.9;x;rport=1", "192.0.2.1", false,
	      "SIP/2.0/UDP h;x;received=192.0.2.1;rport=40000");
	stamp("SIP/2.0/UDP [2001:db8::9]:5066 ;rport ;maddr=192.0.2.9;received=1.2.3.4;branch=z9hG4bKb;x=y",
	      "2001:db8::1", false,
	      "SIP/2.0/UDP [2001:db8::9]:5066  ;maddr=192.0.2.9;branch=z9hG4bKb;x=y"
	      ";received=2001:db8::1;rport=40000");
	assert_int_equal(sip_via_stamp(SLICE("nonsense"), SLICE("::1"), 1, true, NULL, 0),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_parts),
		cmocka_unit_test(white_space_in_every_place),
		cmocka_unit_test(branches),
		cmocka_unit_test(rejects_malformed),
		cmocka_unit_test(source_is_written_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
