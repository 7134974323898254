/* SPDX-License-Identifier: Apache-2.0 */
/* Digest: the vectors of RFC 2617, RFC 7616 and RFC 8760, and the one use of a nonce. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after those above */
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "codec/sip/sip_auth.h"
#include "codec/sip/sip_build.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_digest.h"

#define REALM SLICE("aurabox.internal")
#define URI SLICE("sip:aurabox.internal")

static void responses_are_those_of_the_standards(void **state)
{
	char ha1[DIGEST_HEX_MAX], got[DIGEST_HEX_MAX];
	struct sip_auth auth = { .nonce = SLICE("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
				 .uri = SLICE("/dir/index.html"),
				 .qop = SLICE("auth"),
				 .nc = SLICE("00000001"),
				 .cnonce = SLICE("0a4f113b") };

	(void)state;
	sip_digest_ha1(DIGEST_MD5, SLICE("Mufasa"), SLICE("testrealm@host.com"),
		       SLICE("Circle Of Life"), ha1);
	sip_digest_response(DIGEST_MD5, slice_str(ha1), &auth, SLICE("GET"), got);
	assert_string_equal(got, "6629fae49393a05397450978507c4ef1"); /* RFC 2617 section 3.5 */

	sip_digest_ha1(DIGEST_MD5, SLICE("Mufasa"), SLICE("http-auth@example.org"),
		       SLICE("Circle of Life"), ha1);
	auth.nonce = SLICE("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v");
	auth.cnonce = SLICE("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ");
	sip_digest_response(DIGEST_MD5, slice_str(ha1), &auth, SLICE("GET"), got);
	assert_string_equal(got, "8ca523f5e9506fed4657c9700eebdbec"); /* RFC 7616 section 3.9.1 */
	sip_digest_ha1(DIGEST_SHA256, SLICE("Mufasa"), SLICE("http-auth@example.org"),
		       SLICE("Circle of Life"), ha1);
	sip_digest_response(DIGEST_SHA256, slice_str(ha1), &auth, SLICE("GET"), got);
	assert_string_equal(got,
			    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

/* One phone and the server it logs in to. */
struct fixture {
	struct clock_fake clock;
	struct sip_digest *digest;
	struct sip_digest_ha1 ha1;
};

static void begin(struct fixture *f, const char *algorithms, uint32_t used_max)
{
	struct sip_digest_config config = { .clock = &f->clock.clock,
					    .nonce_ttl_ms = 30000,
					    .epoch = 1,
					    .used_max = used_max,
					    .algorithms = algorithms };
	char hex[DIGEST_HEX_MAX];

	clock_fake_init(&f->clock, 100000, 0);
	assert_int_equal(sip_digest_new(&config, &f->digest, NULL), 0);
	sip_digest_ha1(DIGEST_MD5, SLICE("3001"), REALM, SLICE("secret"), hex);
	memcpy(f->ha1.md5, hex, sizeof(f->ha1.md5));
	sip_digest_ha1(DIGEST_SHA256, SLICE("3001"), REALM, SLICE("secret"), hex);
	memcpy(f->ha1.sha256, hex, sizeof(f->ha1.sha256));
}

/* A challenge of the server, answered with the password: the request's credential line. */
static void answer(struct fixture *f, bool stale, const char *password, struct buf *line)
{
	struct sip_digest_secret secret = { .user = SLICE("3001"),
					    .password = slice_str(password) };
	struct sip_msg *msg = calloc(1, sizeof(*msg));
	AUTO_BUF text = { 0 };

	buf_add_str(&text, "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\n"
			   "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>;tag=2\r\nCall-ID: i\r\n"
			   "CSeq: 1 REGISTER\r\n");
	sip_digest_challenge(f->digest, false, REALM, stale, &text);
	buf_add_str(&text, "Content-Length: 0\r\n\r\n");
	assert_int_equal(sip_msg_parse(buf_slice(&text), msg), 0);
	assert_int_equal(sip_digest_answer(msg, SLICE("REGISTER"), URI, &secret, false, line), 0);
	free(msg);
}

static int check(struct fixture *f, const struct buf *line, const struct sip_digest_ha1 *ha1)
{
	struct sip_msg *msg = calloc(1, sizeof(*msg));
	AUTO_BUF text = { 0 };
	struct sip_auth auth;
	int r;

	buf_add_str(&text, "REGISTER sip:aurabox.internal SIP/2.0\r\n");
	buf_add_slice(&text, buf_slice(line));
	buf_add_str(&text, "Content-Length: 0\r\n\r\n");
	assert_int_equal(sip_msg_parse(buf_slice(&text), msg), 0);
	r = sip_digest_credentials(msg, false, REALM, &auth);
	if (r == 0)
		r = sip_digest_verify(f->digest, &auth, SLICE("REGISTER"), URI, ha1);
	free(msg);
	return r;
}

static void a_right_answer_is_taken_once(void **state)
{
	struct fixture f;
	AUTO_BUF line = { 0 };

	(void)state;
	begin(&f, "MD5", 0);
	answer(&f, false, "secret", &line);
	assert_int_equal(check(&f, &line, &f.ha1), 0);
	assert_int_equal(check(&f, &line, &f.ha1), -ESTALE);
	assert_int_equal(sip_digest_stats(f.digest).replayed, 1);
	sip_digest_free(f.digest);
}

static void stale_is_said_only_to_who_knows_the_secret(void **state)
{
	struct fixture f;
	AUTO_BUF right = { 0 };
	AUTO_BUF wrong = { 0 };

	(void)state;
	begin(&f, "MD5", 0);
	answer(&f, false, "secret", &right);
	answer(&f, false, "guess", &wrong);
	clock_fake_advance(&f.clock, 30001);
	assert_int_equal(check(&f, &wrong, &f.ha1), -EKEYREJECTED);
	assert_int_equal(check(&f, &right, &f.ha1), -ESTALE);
	assert_int_equal(check(&f, &right, NULL), -EKEYREJECTED); /* unknown user */
	sip_digest_free(f.digest);
}

static void a_nonce_lives_its_time_to_the_millisecond(void **state)
{
	struct fixture f;
	AUTO_BUF line = { 0 };

	(void)state;
	begin(&f, "MD5", 0);
	answer(&f, false, "secret", &line);
	clock_fake_advance(&f.clock, 30000);
	assert_int_equal(check(&f, &line, &f.ha1), 0);
	sip_digest_free(f.digest);
}

static void a_takeover_makes_old_nonces_stale(void **state)
{
	struct fixture f;
	AUTO_BUF line = { 0 };

	(void)state;
	begin(&f, "MD5", 0);
	answer(&f, false, "secret", &line);
	sip_digest_set_epoch(f.digest, 2);
	assert_int_equal(check(&f, &line, &f.ha1), -ESTALE);
	sip_digest_free(f.digest);
}

static void another_servers_nonce_is_stale(void **state)
{
	struct fixture f, other;
	AUTO_BUF line = { 0 };

	(void)state;
	begin(&f, "MD5", 0);
	begin(&other, "MD5", 0);
	answer(&other, false, "secret", &line);
	assert_int_equal(check(&f, &line, &f.ha1), -ESTALE);
	sip_digest_free(f.digest);
	sip_digest_free(other.digest);
}

static void a_full_memory_never_allows_a_second_use(void **state)
{
	struct fixture f;
	struct buf lines[8] = { 0 };

	(void)state;
	begin(&f, "MD5", 4);
	for (size_t i = 0; i < 8; i++) {
		clock_fake_advance(&f.clock, 1);
		answer(&f, false, "secret", &lines[i]);
	}
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(check(&f, &lines[i], &f.ha1), 0);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(check(&f, &lines[i], &f.ha1), -ESTALE);
	assert_int_equal(sip_digest_stats(f.digest).used, 4);
	clock_fake_advance(&f.clock, 31000);
	buf_reset(&lines[0]);
	answer(&f, false, "secret", &lines[0]);
	assert_int_equal(check(&f, &lines[0], &f.ha1), 0);
	assert_int_equal(sip_digest_stats(f.digest).used, 1);
	for (size_t i = 0; i < 8; i++)
		buf_done(&lines[i]);
	sip_digest_free(f.digest);
}

static void the_stronger_of_two_challenges_is_answered(void **state)
{
	struct fixture f;
	AUTO_BUF line = { 0 };

	(void)state;
	begin(&f, "SHA-256,MD5", 0);
	answer(&f, false, "secret", &line);
	assert_non_null(strstr(line.data, "algorithm=SHA-256"));
	assert_int_equal(check(&f, &line, &f.ha1), 0);
	sip_digest_free(f.digest);
}

static void an_algorithm_not_offered_is_refused(void **state)
{
	struct fixture md5, both;
	AUTO_BUF line = { 0 };

	(void)state;
	begin(&both, "SHA-256,MD5", 0);
	begin(&md5, "MD5", 0);
	answer(&both, false, "secret", &line);
	assert_int_equal(check(&md5, &line, &md5.ha1), -EKEYREJECTED);
	sip_digest_free(md5.digest);
	sip_digest_free(both.digest);
}

static void malformed_credentials_are_told_apart(void **state)
{
	static const char *const bad[] = {
		"Authorization: Digest username=\"3001\", realm=\"aurabox.internal\"\r\n",
		"Authorization: Digest username=\"3001\", realm=\"aurabox.internal\", nonce=\"n\", "
		"uri=\"sip:aurabox.internal\", response=\"r\", qop=auth-int, nc=00000001, cnonce=\"c\"\r\n",
		"Authorization: Digest username=\"3001\", realm=\"aurabox.internal\", nonce=\"n\", "
		"uri=\"sip:aurabox.internal\", response=\"r\", qop=auth\r\n",
	};
	struct fixture f;

	(void)state;
	begin(&f, "MD5", 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_BUF line = { 0 };

		buf_add_str(&line, bad[i]);
		assert_int_equal(check(&f, &line, &f.ha1), -EBADMSG);
	}
	{
		AUTO_BUF none = { 0 };

		buf_add_str(&none, "Authorization: Digest realm=\"elsewhere\", username=\"x\"\r\n");
		assert_int_equal(check(&f, &none, &f.ha1), -ENOENT);
	}
	sip_digest_free(f.digest);
}

static void an_answer_is_not_repeated_to_a_refusal(void **state)
{
	struct sip_digest_secret secret = { .user = SLICE("3001"), .password = SLICE("x") };
	struct sip_msg *msg = calloc(1, sizeof(*msg));
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(
		sip_msg_parse(SLICE("SIP/2.0 407 x\r\nProxy-Authenticate: Digest realm=\"r\", "
				    "nonce=\"n\", qop=\"auth\"\r\n\r\n"),
			      msg),
		0);
	assert_int_equal(sip_digest_answer(msg, SLICE("INVITE"), URI, &secret, true, &out),
			 -EKEYREJECTED);
	assert_int_equal(
		sip_msg_parse(SLICE("SIP/2.0 407 x\r\nProxy-Authenticate: Digest realm=\"r\", "
				    "nonce=\"n\", qop=\"auth\", stale=true\r\n\r\n"),
			      msg),
		0);
	assert_int_equal(sip_digest_answer(msg, SLICE("INVITE"), URI, &secret, true, &out), 0);
	assert_non_null(strstr(out.data, "Proxy-Authorization: Digest"));
	assert_int_equal(
		sip_msg_parse(SLICE("SIP/2.0 401 x\r\nWWW-Authenticate: Digest realm=\"r\", "
				    "nonce=\"n\", algorithm=SHA-512-256\r\n\r\n"),
			      msg),
		0);
	assert_int_equal(sip_digest_answer(msg, SLICE("INVITE"), URI, &secret, false, &out),
			 -ENOENT);
	free(msg);
}

static void unknown_algorithms_are_a_wrong_configuration(void **state)
{
	struct sip_digest_config config = { .clock = clock_system(), .algorithms = "MD5,SHA-1" };
	struct sip_digest *digest;

	(void)state;
	assert_int_equal(sip_digest_new(&config, &digest, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responses_are_those_of_the_standards),
		cmocka_unit_test(a_right_answer_is_taken_once),
		cmocka_unit_test(stale_is_said_only_to_who_knows_the_secret),
		cmocka_unit_test(a_nonce_lives_its_time_to_the_millisecond),
		cmocka_unit_test(a_takeover_makes_old_nonces_stale),
		cmocka_unit_test(another_servers_nonce_is_stale),
		cmocka_unit_test(a_full_memory_never_allows_a_second_use),
		cmocka_unit_test(the_stronger_of_two_challenges_is_answered),
		cmocka_unit_test(an_algorithm_not_offered_is_refused),
		cmocka_unit_test(malformed_credentials_are_told_apart),
		cmocka_unit_test(an_answer_is_not_repeated_to_a_refusal),
		cmocka_unit_test(unknown_algorithms_are_a_wrong_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
