/* SPDX-License-Identifier: Apache-2.0 */
/* TLS sessions over a socket pair: who is let in, by which name, by which protocol. */
#include "helper_net.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/pki.h"

struct pair {
	int fd[2];
	struct tls_session *server, *client;
	int server_result, client_result;
};

/* Both sides' handshakes in turns, until both have ended. */
static void shake(struct pair *p, struct tls_context *server, struct tls_context *client,
		  const char *name)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p->fd), 0);
	assert_int_equal(tls_session_new(server, p->fd[0], NULL, &p->server), 0);
	assert_int_equal(tls_session_new(client, p->fd[1], name, &p->client), 0);
	p->server_result = p->client_result = -EAGAIN;
	for (int i = 0; i < 20; i++) {
		if (p->client_result == -EAGAIN)
			p->client_result = tls_session_handshake(p->client);
		if (p->server_result == -EAGAIN)
			p->server_result = tls_session_handshake(p->server);
	}
}

static void part(struct pair *p)
{
	tls_session_free(p->client);
	tls_session_free(p->server);
	(void)close(p->fd[0]);
	(void)close(p->fd[1]);
}

/* With TLS 1.3 a client learns only by reading that its certificate was refused. */
static int read_once(struct tls_session *session)
{
	char byte;

	return (int)tls_session_read(session, &byte, 1);
}

static void both_sides_know_each_other(void **state)
{
	struct test_pki pki;
	struct tls_context *server, *client;
	struct pair p;
	char buf[64];

	(void)state;
	test_pki_init(&pki);
	server = test_context(&pki, "server", true, TLS_VERIFY_REQUIRED, NULL);
	client = test_context(&pki, "client", false, TLS_VERIFY_REQUIRED, NULL);
	shake(&p, server, client, "127.0.0.1");
	assert_int_equal(p.client_result, 0);
	assert_int_equal(p.server_result, 0);
	assert_string_equal(tls_session_peer_name(p.server), "client");
	assert_string_equal(tls_session_peer_name(p.client), "server");
	assert_true(tls_session_peer_has_san(p.client, "server.test"));
	assert_true(tls_session_peer_has_san(p.client, "127.0.0.1"));
	assert_false(tls_session_peer_has_san(p.client, "127.0.0.2"));
	assert_false(tls_session_peer_has_san(p.client, "server"));
	assert_string_equal(tls_session_version(p.client), "TLSv1.3");
	assert_int_equal(tls_session_write(p.client, "hello", 5), 5);
	assert_int_equal(tls_session_read(p.server, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(tls_session_read(p.server, buf, sizeof(buf)), -EAGAIN);
	p.client = tls_session_free(p.client);
	assert_int_equal(tls_session_read(p.server, buf, sizeof(buf)), 0);
	part(&p);
	tls_context_unref(server);
	tls_context_unref(client);
	test_pki_done(&pki);
}

static void the_name_dialled_must_be_in_the_certificate(void **state)
{
	static const char *const wrong[] = { "other.test", "127.0.0.2", "server" };
	struct test_pki pki;
	struct tls_context *server, *client;
	struct pair p;

	(void)state;
	test_pki_init(&pki);
	server = test_context(&pki, "server", true, TLS_VERIFY_NONE, NULL);
	client = test_context(&pki, NULL, false, TLS_VERIFY_REQUIRED, NULL);
	shake(&p, server, client, "server.test");
	assert_int_equal(p.client_result, 0);
	assert_string_equal(tls_session_peer_name(p.server), "");
	part(&p);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		shake(&p, server, client, wrong[i]);
		assert_int_equal(p.client_result, -EPROTO);
		assert_true(strlen(tls_session_reason(p.client)) > 0);
		part(&p);
	}
	tls_context_unref(server);
	tls_context_unref(client);
	test_pki_done(&pki);
}

/* A server of OpenSSL's own: the name in the client's hello, "" where there is none. */
static void name_on_the_wire(const struct test_pki *pki, const char *dialled, char out[static 64])
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct tls_context *client = test_context(pki, NULL, false, TLS_VERIFY_REQUIRED, NULL);
	struct tls_session *session;
	char cert[128], key[128];
	const char *name;
	SSL *ssl;
	int fd[2], done = -EAGAIN;

	(void)snprintf(cert, sizeof(cert), "%s/server.pem", pki->dir);
	(void)snprintf(key, sizeof(key), "%s/server-key.pem", pki->dir);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM), 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd[0]);
	assert_int_equal(tls_session_new(client, fd[1], dialled, &session), 0);
	for (int i = 0; i < 20 && done == -EAGAIN; i++) {
		done = tls_session_handshake(session);
		(void)SSL_accept(ssl);
	}
	assert_int_equal(done, 0);
	name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)snprintf(out, 64, "%s", name ? name : "");
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	tls_session_free(session);
	tls_context_unref(client);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* RFC 6066 section 3: a host name is said, an address is not. */
static void the_server_hears_the_name_that_was_dialled(void **state)
{
	struct test_pki pki;
	char name[64];

	(void)state;
	test_pki_init(&pki);
	name_on_the_wire(&pki, "server.test", name);
	assert_string_equal(name, "server.test");
	name_on_the_wire(&pki, "127.0.0.1", name);
	assert_string_equal(name, "");
	test_pki_done(&pki);
}

static void strangers_are_refused(void **state)
{
	struct test_pki pki, stranger;
	struct tls_context *server, *none, *foreign;
	struct pair p;

	(void)state;
	test_pki_init(&pki);
	test_pki_init(&stranger);
	server = test_context(&pki, "server", true, TLS_VERIFY_REQUIRED, NULL);
	none = test_context(&pki, NULL, false, TLS_VERIFY_REQUIRED, NULL);
	foreign = test_context(&stranger, "client", false, TLS_VERIFY_REQUIRED, pki.dir);
	shake(&p, server, none, "127.0.0.1"); /* no certificate */
	assert_int_equal(p.server_result, -EPROTO);
	assert_int_equal(read_once(p.client), -EPROTO);
	part(&p);
	shake(&p, server, foreign, "127.0.0.1"); /* one of another CA */
	assert_int_equal(p.server_result, -EPROTO);
	part(&p);
	tls_context_unref(server);
	tls_context_unref(none);
	tls_context_unref(foreign);
	test_pki_done(&pki);
	test_pki_done(&stranger);
}

/* Where certificates are welcome but not needed, one of another CA names nobody. */
static void a_stranger_has_no_name(void **state)
{
	struct tls_context *server, *foreign, *known;
	struct test_pki pki, stranger;
	struct pair p;

	(void)state;
	test_pki_init(&pki);
	test_pki_init(&stranger);
	server = test_context(&pki, "server", true, TLS_VERIFY_OPTIONAL, NULL);
	foreign = test_context(&stranger, "client", false, TLS_VERIFY_REQUIRED, pki.dir);
	known = test_context(&pki, "client", false, TLS_VERIFY_REQUIRED, NULL);
	shake(&p, server, foreign, "127.0.0.1");
	assert_int_equal(p.server_result, 0);
	assert_string_equal(tls_session_peer_name(p.server), "");
	part(&p);
	shake(&p, server, known, "127.0.0.1");
	assert_int_equal(p.server_result, 0);
	assert_string_not_equal(tls_session_peer_name(p.server), "");
	part(&p);
	tls_context_unref(server);
	tls_context_unref(foreign);
	tls_context_unref(known);
	test_pki_done(&pki);
	test_pki_done(&stranger);
}

static void a_client_certificate_is_no_server(void **state)
{
	struct test_pki pki;
	struct tls_context *server, *client;
	struct pair p;

	(void)state;
	test_pki_init(&pki);
	server = test_context(&pki, "client", true, TLS_VERIFY_NONE, NULL);
	client = test_context(&pki, NULL, false, TLS_VERIFY_REQUIRED, NULL);
	shake(&p, server, client, NULL);
	assert_int_equal(p.client_result, -EPROTO);
	part(&p);
	tls_context_unref(server);
	tls_context_unref(client);
	test_pki_done(&pki);
}

/* A foreign client of OpenSSL's own, limited to one version and cipher list. */
static bool connects(struct tls_context *server, int version, const char *ciphers)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct tls_session *session;
	SSL *ssl;
	int fd[2], done = -EAGAIN;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_min_proto_version(ctx, version);
	SSL_CTX_set_max_proto_version(ctx, version);
	if (ciphers)
		assert_int_equal(SSL_CTX_set_cipher_list(ctx, ciphers), 1);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd[1]);
	assert_int_equal(tls_session_new(server, fd[0], NULL, &session), 0);
	for (int i = 0; i < 20 && done == -EAGAIN; i++) {
		(void)SSL_connect(ssl);
		done = tls_session_handshake(session);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	tls_session_free(session);
	(void)close(fd[0]);
	(void)close(fd[1]);
	return done == 0;
}

static void only_modern_ciphers_are_spoken(void **state)
{
	struct test_pki pki;
	struct tls_context *server;

	(void)state;
	test_pki_init(&pki);
	server = test_context(&pki, "server", true, TLS_VERIFY_NONE, NULL);
	assert_true(connects(server, TLS1_3_VERSION, NULL));
	assert_true(connects(server, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"));
	assert_false(connects(server, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA"));
	assert_false(connects(server, TLS1_2_VERSION, "AES128-GCM-SHA256"));
	assert_false(connects(server, TLS1_1_VERSION, "ALL"));
	tls_context_unref(server);
	test_pki_done(&pki);
}

static void a_reload_changes_new_sessions_only(void **state)
{
	const struct pki_subject renamed = { .common_name = "renamed",
					     .ip = { "127.0.0.1" },
					     .server = true };
	struct test_pki pki;
	struct tls_context *server, *client;
	struct error err = { 0 };
	struct pair old, fresh;
	char path[128];

	(void)state;
	test_pki_init(&pki);
	server = test_context(&pki, "server", true, TLS_VERIFY_NONE, NULL);
	client = test_context(&pki, NULL, false, TLS_VERIFY_REQUIRED, NULL);
	shake(&old, server, client, "127.0.0.1");
	assert_int_equal(pki_ca_issue_local(pki.ca, pki.dir, "server", &renamed, &err), 1);
	assert_int_equal(tls_context_reload(server, &err), 0);
	shake(&fresh, server, client, "127.0.0.1");
	assert_string_equal(tls_session_peer_name(old.client), "server");
	assert_string_equal(tls_session_peer_name(fresh.client), "renamed");
	assert_int_equal(tls_session_write(old.client, "x", 1), 1);
	part(&old);
	part(&fresh);
	/* A damaged file leaves what is. */
	(void)snprintf(path, sizeof(path), "%s/server.pem", pki.dir);
	assert_int_equal(pki_write_file(path, SLICE("damaged"), 0644, &err), 0);
	assert_int_equal(tls_context_reload(server, &err), -EBADMSG);
	shake(&fresh, server, client, "127.0.0.1");
	assert_int_equal(fresh.client_result, 0);
	part(&fresh);
	assert_true(tls_context_not_after(server) > 0);
	tls_context_unref(server);
	tls_context_unref(client);
	test_pki_done(&pki);
}

static void wrong_files_are_named(void **state)
{
	struct test_pki pki;
	struct tls_context *context;
	struct error err = { 0 };
	char cert[128], key[128];
	struct tls_config config = { .server = true, .cert_file = cert, .key_file = key };

	(void)state;
	test_pki_init(&pki);
	(void)snprintf(cert, sizeof(cert), "%s/server.pem", pki.dir);
	(void)snprintf(key, sizeof(key), "%s/client-key.pem", pki.dir);
	assert_int_equal(tls_context_new(&config, &context, &err), -EKEYREJECTED);
	(void)snprintf(key, sizeof(key), "%s/none.pem", pki.dir);
	assert_int_equal(tls_context_new(&config, &context, &err), -ENOENT);
	assert_non_null(strstr(err.detail, "none.pem"));
	config.key_file = NULL;
	assert_int_equal(tls_context_new(&config, &context, &err), -EINVAL);
	test_pki_done(&pki);
}

static void a_silent_peer_times_out(void **state)
{
	struct test_pki pki;
	struct tls_context *server;
	struct tls_session *session;
	int fd[2];

	(void)state;
	test_pki_init(&pki);
	server = test_context(&pki, "server", true, TLS_VERIFY_NONE, NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	assert_int_equal(tls_session_new(server, fd[0], NULL, &session), 0);
	assert_int_equal(tls_session_handshake_within(session, 20, NULL), -ETIMEDOUT);
	assert_int_equal(write(fd[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	assert_int_equal(tls_session_handshake_within(session, 1000, NULL), -EPROTO);
	tls_session_free(session);
	(void)close(fd[0]);
	(void)close(fd[1]);
	tls_context_unref(server);
	test_pki_done(&pki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_know_each_other),
		cmocka_unit_test(the_name_dialled_must_be_in_the_certificate),
		cmocka_unit_test(the_server_hears_the_name_that_was_dialled),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(a_stranger_has_no_name),
		cmocka_unit_test(a_client_certificate_is_no_server),
		cmocka_unit_test(only_modern_ciphers_are_spoken),
		cmocka_unit_test(a_reload_changes_new_sessions_only),
		cmocka_unit_test(wrong_files_are_named),
		cmocka_unit_test(a_silent_peer_times_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
