/* SPDX-License-Identifier: Apache-2.0 */
/* vm_ready: the health probe against a server of ours, by the name in its certificate; the connection is kept
 * until the prober ends, and then ends with a goodbye. */
#include "control/vm/vm_ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "net/pki.h"
#include "net/tls.h"

#define WAIT_MS 5000

struct server {
	char dir[64];
	char file[4][96]; /* CA, server's certificate and key, client's are c.pem and c-key.pem */
	char client[2][96];
	int listener;
	uint16_t port;
	const char *answer;
	ssize_t goodbye; /* bytes on the wire after the answer: the client's close_notify */
};

static void issue(struct server *s)
{
	struct pki_subject server = {
		.common_name = "sm", .server = true, .dns = { "sm.test" }, .ip = { "127.0.0.1" }
	};
	struct pki_subject client = { .common_name = "auraboxd",
				      .dns = { "auraboxd" },
				      .client = true };
	struct error err = { 0 };
	AUTO(pki_ca) struct pki_ca *ca = NULL;

	assert_int_equal(pki_ca_open(s->dir, "Test-CA", &ca, &err), 0);
	assert_true(pki_ca_issue_local(ca, s->dir, "s", &server, &err) >= 0);
	assert_true(pki_ca_issue_local(ca, s->dir, "c", &client, &err) >= 0);
	(void)snprintf(s->file[0], sizeof(s->file[0]), "%s/ca.pem", s->dir);
	(void)snprintf(s->file[1], sizeof(s->file[1]), "%s/s.pem", s->dir);
	(void)snprintf(s->file[2], sizeof(s->file[2]), "%s/s-key.pem", s->dir);
	(void)snprintf(s->file[3], sizeof(s->file[3]), "%s/ca-key.pem", s->dir);
	(void)snprintf(s->client[0], sizeof(s->client[0]), "%s/c.pem", s->dir);
	(void)snprintf(s->client[1], sizeof(s->client[1]), "%s/c-key.pem", s->dir);
}

static int set_up(void **state)
{
	static struct server s;
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	(void)snprintf(s.dir, sizeof(s.dir), "/tmp/aura-ready-XXXXXX");
	assert_non_null(mkdtemp(s.dir));
	issue(&s);
	s.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s.listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(s.listener, 4), 0);
	assert_int_equal(getsockname(s.listener, (struct sockaddr *)&at, &len), 0);
	s.port = ntohs(at.sin_port);
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	struct server *s = *state;

	(void)close(s->listener);
	for (size_t i = 0; i < ARRAY_SIZE(s->file); i++)
		(void)unlink(s->file[i]);
	for (size_t i = 0; i < ARRAY_SIZE(s->client); i++)
		(void)unlink(s->client[i]);
	(void)rmdir(s->dir);
	return 0;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	struct error err = { 0 };
	char text[4096];
	struct pollfd wait;
	AUTO(tls_context) struct tls_context *context = NULL;
	AUTO(fd) int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	AUTO(tls_session) struct tls_session *session = NULL;

	s->goodbye = -EIO;
	if (fd < 0 ||
	    tls_context_new(&(struct tls_config){ .server = true,
						  .verify = TLS_VERIFY_REQUIRED,
						  .cert_file = s->file[1],
						  .key_file = s->file[2],
						  .ca_file = s->file[0] },
			    &context, &err) < 0 ||
	    tls_session_new(context, fd, NULL, &session) < 0 ||
	    tls_session_handshake_within(session, WAIT_MS, &err) < 0 ||
	    tls_session_read_within(session, text, sizeof(text), WAIT_MS) <= 0 ||
	    tls_session_write_within(session, s->answer, strlen(s->answer), WAIT_MS) < 0)
		return NULL;
	(void)tls_session_shutdown(session);
	wait = (struct pollfd){ .fd = fd, .events = POLLIN };
	(void)poll(&wait, 1, WAIT_MS);
	s->goodbye = recv(fd, text, sizeof(text), 0);
	return NULL;
}

static int probe_as(struct server *s, const char *name, const char *answer)
{
	const struct vm_probe_identity identity = { .cert_file = s->client[0],
						    .key_file = s->client[1],
						    .ca_file = s->file[0] };
	struct vm_prober *prober = NULL;
	struct error err = { 0 };
	pthread_t thread;
	int r;

	s->answer = answer;
	assert_int_equal(pthread_create(&thread, NULL, serve, s), 0);
	assert_int_equal(vm_prober_new(&identity, &prober), 0);
	r = vm_prober_ask(prober, VM_PROBE_HEALTH, "127.0.0.1", s->port, name, &err);
	(void)vm_prober_free(prober);
	assert_int_equal(pthread_join(thread, NULL), 0);
	return r;
}

static int probe(struct server *s, const char *answer)
{
	return probe_as(s, "sm.test", answer);
}

static void a_probe_ends_with_a_goodbye(void **state)
{
	struct server *s = *state;

	assert_int_equal(probe(s, "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"ready\":true}"),
			 0);
	assert_true(s->goodbye > 0);
}

static void only_200_and_ready_is_ready(void **state)
{
	struct server *s = *state;

	assert_int_equal(probe(s, "HTTP/1.1 200 OK\r\n\r\n{\"ready\":false}"), -EAGAIN);
	assert_int_equal(probe(s, "HTTP/1.1 503 No\r\n\r\n{\"ready\":true}"), -EAGAIN);
	assert_int_equal(probe(s, "HTTP/1.1 200 OK\r\n\r\nready"), -EPROTO);
	assert_int_equal(probe(s, "ready"), -EPROTO);
}

static void another_name_is_refused(void **state)
{
	assert_int_equal(probe_as(*state, "cm.test", "HTTP/1.1 200 OK\r\n\r\n{\"ready\":true}"),
			 -EKEYREJECTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_ends_with_a_goodbye),
		cmocka_unit_test(only_200_and_ready_is_ready),
		cmocka_unit_test(another_name_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
