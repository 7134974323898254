/* SPDX-License-Identifier: Apache-2.0 */
/* The box's CA: what it makes, what it refuses, what stays on disk. */
#include "helper_net.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "net/pki.h"

static void a_guest_gets_its_certificate(void **state)
{
	const struct pki_subject subject = { .common_name = "sm",
					     .dns = { "sm.aurabox.internal" },
					     .ip = { "10.77.0.11" },
					     .server = true,
					     .client = true };
	struct test_pki pki;
	struct pki_key *key, *other;
	char *csr, *cert, print[PKI_FINGERPRINT_LEN], again[PKI_FINGERPRINT_LEN];
	struct error err = { 0 };
	int64_t now = (int64_t)time(NULL), ends;

	(void)state;
	test_pki_init(&pki);
	assert_int_equal(pki_key_new(&key, &err), 0);
	assert_int_equal(pki_key_new(&other, &err), 0);
	assert_int_equal(pki_csr_make(key, "whatever", &csr, &err), 0);
	assert_int_equal(pki_ca_sign(pki.ca, slice_str(csr), &subject, &cert, &err), 0);
	assert_int_equal(pki_verify(slice_str(cert), slice_str(pki_ca_pem(pki.ca)), key, now, &err),
			 0);
	assert_int_equal(pki_verify(slice_str(cert), slice_str(pki_ca_pem(pki.ca)), other, now,
				    NULL),
			 -EKEYREJECTED);
	assert_int_equal(pki_verify(slice_str(cert), slice_str(pki_ca_pem(pki.ca)), key,
				    now + 900LL * 86400, NULL),
			 -EKEYREJECTED);
	assert_int_equal(pki_not_after(slice_str(cert), &ends), 0);
	assert_true(ends > now + 800LL * 86400 && ends < now + 830LL * 86400);
	assert_int_equal(pki_fingerprint(slice_str(cert), print), 0);
	assert_int_equal(strlen(print), 95);
	assert_int_equal(pki_fingerprint(slice_str(pki_ca_pem(pki.ca)), again), 0);
	assert_string_not_equal(print, again);
	free(csr);
	free(cert);
	pki_key_free(key);
	pki_key_free(other);
	test_pki_done(&pki);
}

static void another_ca_is_not_trusted(void **state)
{
	const struct pki_subject subject = { .common_name = "cm", .server = true };
	struct test_pki a, b;
	struct pki_key *key;
	char *csr, *cert;

	(void)state;
	test_pki_init(&a);
	test_pki_init(&b);
	assert_int_equal(pki_key_new(&key, NULL), 0);
	assert_int_equal(pki_csr_make(key, "cm", &csr, NULL), 0);
	assert_int_equal(pki_ca_sign(a.ca, slice_str(csr), &subject, &cert, NULL), 0);
	assert_int_equal(pki_verify(slice_str(cert), slice_str(pki_ca_pem(b.ca)), NULL,
				    (int64_t)time(NULL), NULL),
			 -EKEYREJECTED);
	free(csr);
	free(cert);
	pki_key_free(key);
	test_pki_done(&a);
	test_pki_done(&b);
}

static void bad_requests_are_not_signed(void **state)
{
	const struct pki_subject good = { .common_name = "sm", .server = true };
	struct pki_subject bad = good;
	struct test_pki pki;
	struct pki_key *key;
	char *csr, *cert, *damaged;
	char huge[PKI_PEM_MAX + 2];

	(void)state;
	test_pki_init(&pki);
	assert_int_equal(pki_key_new(&key, NULL), 0);
	assert_int_equal(pki_csr_make(key, "sm", &csr, NULL), 0);
	assert_int_equal(pki_csr_make(key, "a/b", &damaged, NULL), -EINVAL);

	assert_int_equal(pki_ca_sign(pki.ca, SLICE("hello"), &good, &cert, NULL), -EBADMSG);
	memset(huge, 'A', sizeof(huge));
	assert_int_equal(pki_ca_sign(pki.ca, slice_make(huge, sizeof(huge)), &good, &cert, NULL),
			 -EBADMSG);
	bad.common_name = "a,b";
	assert_int_equal(pki_ca_sign(pki.ca, slice_str(csr), &bad, &cert, NULL), -EINVAL);
	bad = good;
	bad.dns[0] = "a.test,IP:1.2.3.4";
	assert_int_equal(pki_ca_sign(pki.ca, slice_str(csr), &bad, &cert, NULL), -EINVAL);
	bad = good;
	bad.ip[0] = "1.2.3";
	assert_int_equal(pki_ca_sign(pki.ca, slice_str(csr), &bad, &cert, NULL), -EINVAL);
	bad = good;
	bad.server = false;
	assert_int_equal(pki_ca_sign(pki.ca, slice_str(csr), &bad, &cert, NULL), -EINVAL);
	free(csr);
	pki_key_free(key);
	test_pki_done(&pki);
}

/* A request for a public key whose private half the sender does not have, and one of a weak kind. */
static char *foreign_request(bool rsa)
{
	EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	EVP_PKEY *signer = rsa ? key : EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *out;
	long len;

	assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
	assert_true(X509_REQ_sign(req, signer, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509_REQ(bio, req), 1);
	len = BIO_get_mem_data(bio, &data);
	out = strndup(data, (size_t)len);
	BIO_free(bio);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	if (!rsa)
		EVP_PKEY_free(signer);
	return out;
}

static void possession_and_kind_of_key_are_checked(void **state)
{
	const struct pki_subject subject = { .common_name = "sm", .server = true };
	struct test_pki pki;
	char *cert, *stolen = foreign_request(false), *rsa = foreign_request(true);

	(void)state;
	test_pki_init(&pki);
	assert_int_equal(pki_ca_sign(pki.ca, slice_str(stolen), &subject, &cert, NULL),
			 -EKEYREJECTED);
	assert_int_equal(pki_ca_sign(pki.ca, slice_str(rsa), &subject, &cert, NULL), -EKEYREJECTED);
	free(stolen);
	free(rsa);
	test_pki_done(&pki);
}

static void files_are_kept_private_and_reused(void **state)
{
	const struct pki_subject server = { .common_name = "server",
					    .dns = { "server.test" },
					    .ip = { "127.0.0.1" },
					    .server = true,
					    .client = true };
	struct pki_subject moved = server;
	struct test_pki pki;
	struct pki_ca *again;
	char path[128];
	struct stat st;

	(void)state;
	test_pki_init(&pki);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", pki.dir,
			       i ? "ca-key.pem" : "server-key.pem");
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_int_equal(pki_ca_open(pki.dir, "Other-Name", &again, NULL), 0);
	assert_string_equal(pki_ca_pem(again), pki_ca_pem(pki.ca));
	assert_int_equal(pki_ca_issue_local(again, pki.dir, "server", &server, NULL), 0);
	moved.ip[0] = "127.0.0.2";
	assert_int_equal(pki_ca_issue_local(again, pki.dir, "server", &moved, NULL), 1);
	pki_ca_free(again);
	/* A key of another CA beside the certificate is noticed. */
	(void)snprintf(path, sizeof(path), "%s/ca-key.pem", pki.dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(pki_ca_open(pki.dir, "x", &again, NULL), -ENOENT);
	assert_int_equal(pki_write_file(path, SLICE("no key"), 0600, NULL), 0);
	assert_int_equal(pki_ca_open(pki.dir, "x", &again, NULL), -EBADMSG);
	test_pki_done(&pki);
}

static void a_file_is_whole_or_not_there(void **state)
{
	struct test_pki pki;
	char path[128], text[16];
	FILE *f;

	(void)state;
	test_pki_init(&pki);
	(void)snprintf(path, sizeof(path), "%s/note", pki.dir);
	assert_int_equal(pki_write_file(path, SLICE("one"), 0640, NULL), 0);
	assert_int_equal(pki_write_file(path, SLICE("two"), 0640, NULL), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fread(text, 1, sizeof(text), f), 3);
	assert_memory_equal(text, "two", 3);
	(void)fclose(f);
	assert_int_equal(pki_write_file("/nonexistent/dir/file", SLICE("x"), 0600, NULL), -ENOENT);
	test_pki_done(&pki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_gets_its_certificate),
		cmocka_unit_test(another_ca_is_not_trusted),
		cmocka_unit_test(bad_requests_are_not_signed),
		cmocka_unit_test(possession_and_kind_of_key_are_checked),
		cmocka_unit_test(files_are_kept_private_and_reused),
		cmocka_unit_test(a_file_is_whole_or_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
