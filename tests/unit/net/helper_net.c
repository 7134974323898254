/* SPDX-License-Identifier: Apache-2.0 */
/* helper_net.c - see helper_net.h. */
#include "helper_net.h"

#include <dirent.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/pki.h"

struct loop *test_loop(void)
{
	struct loop *loop;

	assert_int_equal(loop_new(NULL, &loop), 0);
	return loop;
}

void turn_until(struct loop *loop, const unsigned int *count, unsigned int want)
{
	uint64_t end = clock_now(clock_system()) + 5000;

	while (*count < want && clock_now(clock_system()) < end)
		assert_true(loop_turn(loop, 10) >= 0);
	assert_true(*count >= want);
}

struct addr loopback(void)
{
	struct addr addr;

	assert_int_equal(addr_parse(SLICE("127.0.0.1:0"), 0, &addr), 0);
	return addr;
}

void test_pki_init(struct test_pki *pki)
{
	const struct pki_subject server = { .common_name = "server",
					    .dns = { "server.test" },
					    .ip = { "127.0.0.1" },
					    .server = true,
					    .client = true };
	const struct pki_subject client = { .common_name = "client", .client = true };
	struct error err = { 0 };

	(void)snprintf(pki->dir, sizeof(pki->dir), "/tmp/aura-test-XXXXXX");
	assert_non_null(mkdtemp(pki->dir));
	assert_int_equal(pki_ca_open(pki->dir, "Test-CA", &pki->ca, &err), 0);
	assert_int_equal(pki_ca_issue_local(pki->ca, pki->dir, "server", &server, &err), 1);
	assert_int_equal(pki_ca_issue_local(pki->ca, pki->dir, "client", &client, &err), 1);
}

void test_pki_done(struct test_pki *pki)
{
	DIR *dir = opendir(pki->dir);
	const struct dirent *entry;
	char path[512];

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "%s/%s", pki->dir, entry->d_name);
		if (entry->d_name[0] != '.')
			(void)unlink(path);
	}
	(void)closedir(dir);
	assert_int_equal(rmdir(pki->dir), 0);
	pki->ca = pki_ca_free(pki->ca);
}

struct tls_context *test_context(const struct test_pki *pki, const char *name, bool server,
				 enum tls_verify verify, const char *ca_dir)
{
	char cert[128], key[128], ca[128];
	struct tls_config config = { .server = server, .verify = verify };
	struct tls_context *context;
	struct error err = { 0 };

	(void)snprintf(cert, sizeof(cert), "%s/%s.pem", pki->dir, name ? name : "");
	(void)snprintf(key, sizeof(key), "%s/%s-key.pem", pki->dir, name ? name : "");
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", ca_dir ? ca_dir : pki->dir);
	config.cert_file = name ? cert : NULL;
	config.key_file = name ? key : NULL;
	config.ca_file = verify == TLS_VERIFY_NONE ? NULL : ca;
	assert_int_equal(tls_context_new(&config, &context, &err), 0);
	return context;
}
