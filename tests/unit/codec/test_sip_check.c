/* SPDX-License-Identifier: Apache-2.0 */
/* test_sip_check.c - verdicts on messages: those of RFC 4475 (rfc4475.verdicts) where they are at hand
 * (AURA_TORTURE_DIR or ../shared/sip-torture beside the checkout), and our own after the same rules, which
 * always run: each file torture/NAME.VERDICT.sip. */
#include "helper_codec.h"

#include <dirent.h>
#include <unistd.h>

#include "codec/sip/sip_build.h"
#include "codec/sip/sip_check.h"
#include "codec/sip/sip_edit.h"
#include "codec/sip/sip_msg.h"

#define OWN_DIR AURA_SOURCE_DIR "/tests/unit/codec/torture"
#define VERDICTS AURA_SOURCE_DIR "/tests/unit/codec/rfc4475.verdicts"

enum { OK = 0, DROP = -1, RFC4475_COUNT = 49 };

static struct sip_msg msg, again;

static int read_file(const char *path, struct buf *out)
{
	FILE *file = fopen(path, "rb");
	char part[4096];
	size_t n;

	if (!file)
		return -1;
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		buf_add(out, part, n);
	fclose(file);
	return buf_ok(out) ? 0 : -1;
}

static int verdict_of(struct slice text, const struct sip_check_rules *rules)
{
	struct sip_verdict verdict;

	if (sip_msg_parse(text, &msg) < 0)
		return DROP;
	sip_msg_check(&msg, rules, &verdict);
	assert_string_equal(sip_verdict_name(verdict.kind), verdict.kind == SIP_VERDICT_OK ? "OK"
							    : verdict.kind == SIP_VERDICT_RESPOND
								    ? "RESPOND"
								    : "DROP");
	if (verdict.kind == SIP_VERDICT_OK)
		return OK;
	assert_non_null(verdict.reason);
	return verdict.kind == SIP_VERDICT_DROP ? DROP : (int)verdict.status;
}

/* A request can be answered, whatever is thought of it, and what is fine can be forwarded; both give a fine message. */
static void answer_and_forward(int verdict, const char *name)
{
	const struct sip_reply reply = { .status = (unsigned)(verdict > 0 ? verdict : 200),
					 .to_tag = SLICE("t"),
					 .source = SLICE("192.0.2.77"),
					 .source_port = 5060,
					 .flags = SIP_REPLY_RECORD_ROUTE | SIP_REPLY_FORCE_RPORT };
	AUTO_BUF out = { 0 };

	if (msg.request) {
		sip_build_reply(&out, &msg, &reply);
		sip_build_body(&out, SLICE(""), SLICE(""));
		if (!buf_ok(&out) || sip_msg_parse(buf_slice(&out), &again) < 0 ||
		    again.defects != 0)
			fail_msg("%s: cannot be answered", name);
	}
	if (verdict == OK) {
		struct sip_edit edit;

		buf_reset(&out);

		sip_edit_init(&edit, &msg);
		sip_edit_stamp_via(&edit, SLICE("192.0.2.77"), 5060, true);
		sip_edit_push(&edit, SIP_HDR_VIA, SLICE("SIP/2.0/UDP sm;branch=z9hG4bKx"));
		assert_int_equal(sip_edit_apply(&edit, &out), 0);
		if (!buf_ok(&out) || sip_msg_parse(buf_slice(&out), &again) < 0 ||
		    again.defects != 0)
			fail_msg("%s: cannot be forwarded", name);
		assert_int_equal(sip_values_count(&again, SIP_HDR_VIA),
				 sip_values_count(&msg, SIP_HDR_VIA) + 1);
	}
}

static void check_one(const char *path, const char *name, int expected,
		      const struct sip_check_rules *rules)
{
	AUTO_BUF text = { 0 };
	struct slice copy;
	int verdict;

	if (read_file(path, &text) < 0)
		fail_msg("%s cannot be read", path);
	copy = exact_copy(buf_slice(&text));
	verdict = verdict_of(copy, rules);
	if (verdict != expected)
		fail_msg("%s: verdict %d instead of %d", name, verdict, expected);
	if (verdict != DROP)
		answer_and_forward(verdict, name);
	free((char *)copy.p);
}

static int verdict_from_word(const char *word)
{
	int status = atoi(word);

	if (strncmp(word, "ok", 2) == 0)
		return OK;
	if (strncmp(word, "drop", 4) == 0)
		return DROP;
	assert_in_range(status, 400, 599);
	return status;
}

static void rfc4475_messages_get_their_verdict(void **state)
{
	const char *dir = getenv("AURA_TORTURE_DIR");
	char path[4096], line[256], name[32], verdict[8];
	FILE *list;
	int n = 0;

	(void)state;
	if (!dir)
		dir = AURA_SOURCE_DIR "/../shared/sip-torture";
	if (access(dir, R_OK) < 0) {
		print_message("%s is not there: our own messages cover the same rules\n", dir);
		return;
	}
	list = fopen(VERDICTS, "r");
	assert_non_null(list);
	while (fgets(line, sizeof(line), list)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		assert_int_equal(sscanf(line, "%31s %7s", name, verdict), 2);
		snprintf(path, sizeof(path), "%s/%s.dat", dir, name);
		check_one(path, name, verdict_from_word(verdict), NULL);
		n++;
	}
	fclose(list);
	assert_int_equal(n, RFC4475_COUNT);
}

static void own_messages_get_their_verdict(void **state)
{
	DIR *dir = opendir(OWN_DIR);
	struct dirent *entry;
	char path[4096];
	int n = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (!strstr(entry->d_name, ".sip"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", OWN_DIR, entry->d_name);
		assert_non_null(strchr(entry->d_name, '.'));
		check_one(path, entry->d_name, verdict_from_word(strchr(entry->d_name, '.') + 1),
			  NULL);
		n++;
	}
	closedir(dir);
	assert_true(n >= RFC4475_COUNT);
}

#define HEAD(method)                                                                                    \
	method " sip:3001@h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:f@h>;tag=f\r\n" \
	       "To: <sip:3001@h>\r\nCall-ID: c\r\nCSeq: 1 " method "\r\n"

static void roles_differ(void **state)
{
	static const struct slice options[] = { { "timer", 5 }, { "100rel", 6 } };
	const struct sip_check_rules uas = {
		.role = SIP_ROLE_UAS, .options = options, .option_count = 2, .body_max = 4
	};
	const struct sip_check_rules proxy = { .role = SIP_ROLE_PROXY, .any_scheme = true };

	(void)state;
	assert_int_equal(verdict_of(SLICE(HEAD("PING") "\r\n"), NULL), OK);
	assert_int_equal(verdict_of(SLICE(HEAD("PING") "\r\n"), &uas), 501);
	assert_int_equal(verdict_of(SLICE(HEAD("BYE") "Max-Forwards: 0\r\n\r\n"), &uas), OK);
	assert_int_equal(verdict_of(SLICE(HEAD("BYE") "Max-Forwards: 0\r\n\r\n"), NULL), 483);
	assert_int_equal(verdict_of(SLICE(HEAD("REGISTER") "Max-Forwards: 0\r\n\r\n"), NULL), OK);
	assert_int_equal(verdict_of(SLICE(HEAD("BYE") "\r\n12345"), &uas), 413);
	assert_int_equal(verdict_of(SLICE(HEAD("BYE") "\r\n1234"), &uas), OK);
	assert_int_equal(verdict_of(SLICE(HEAD("BYE") "Require: 100REL, timer\r\n\r\n"), &uas), OK);
	assert_int_equal(verdict_of(SLICE(HEAD("BYE") "Require: 100rel, x\r\n\r\n"), NULL), OK);
	assert_int_equal(verdict_of(SLICE(HEAD("CANCEL") "Require: x\r\n\r\n"), &uas), OK);
	assert_int_equal(
		verdict_of(SLICE("BYE urn:x:y SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nf: sip:a\r\n"
				 "t: sip:b\r\ni: c\r\nCSeq: 1 BYE\r\n\r\n"),
			   &proxy),
		OK);
}

static void unsupported_options_are_listed(void **state)
{
	static const struct slice options[] = { { "timer", 5 } };
	const struct sip_check_rules uas = { .role = SIP_ROLE_UAS,
					     .options = options,
					     .option_count = 1 };
	struct sip_verdict verdict;
	struct slice tag;

	(void)state;
	assert_int_equal(sip_msg_parse(SLICE(HEAD("BYE") "Require: a, timer\r\nRequire: b\r\n\r\n"),
				       &msg),
			 0);
	sip_msg_check(&msg, &uas, &verdict);
	assert_int_equal(verdict.status, 420);
	assert_true(verdict.unsupported);
	assert_int_equal(verdict.header, SIP_HDR_REQUIRE);
	assert_true(sip_check_unsupported(&msg, &uas, 0, &tag));
	assert_slice(tag, "a");
	assert_true(sip_check_unsupported(&msg, &uas, 1, &tag));
	assert_slice(tag, "b");
	assert_false(sip_check_unsupported(&msg, &uas, 2, &tag));
}

static void nobody_answers_an_ack_or_a_response(void **state)
{
	(void)state;
	assert_int_equal(verdict_of(SLICE("ACK <sip:a> SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n"),
				    NULL),
			 DROP);
	assert_int_equal(verdict_of(SLICE("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\n\r\n"), NULL),
			 DROP);
	assert_int_equal(verdict_of(SLICE("BYE sip:a SIP/2.0\r\nTo: sip:a\r\n\r\n"), NULL), DROP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc4475_messages_get_their_verdict),
		cmocka_unit_test(own_messages_get_their_verdict),
		cmocka_unit_test(roles_differ),
		cmocka_unit_test(unsupported_options_are_listed),
		cmocka_unit_test(nobody_answers_an_ack_or_a_response),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
