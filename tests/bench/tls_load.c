/* SPDX-License-Identifier: Apache-2.0 */
/* tls_load.c - phones that all come back at once over TLS: a connection and a full handshake each, REGISTER,
 * 401, REGISTER, 200. The connections stay open, as phones keep them.
 *
 *	tls_load register port=P count=N domain=D digits=N ca=FILE
 * Prints "ready", starts at a line on standard input, and prints at its end
 * done=N failed=N resent=N seconds=S handshakes=N, where resent are connections begun again. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sip_digest.h"

#define MESSAGE_MAX 4096
#define EVENTS 256
#define TRIES_MAX 5
#define SECONDS_MAX 120

/* stage: 0 connecting and handshake, 1 REGISTER sent, 2 with credentials, 3 registered */
struct phone {
	int fd;
	unsigned stage, tries;
	SSL *ssl;
	char nonce[NONCE_MAX];
};

static unsigned port = 5061, count = 1, digits = 6;
static const char *domain = "aurabox.internal", *ca;
static struct phone *phones;
static unsigned done, failed, again, handshakes;
static int poll_fd;
static SSL_CTX *tls;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(struct phone *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = p };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->stage = 0;
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		die("socket");
	if (connect(p->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		die("connect");
	p->ssl = SSL_new(tls);
	if (!p->ssl || SSL_set_fd(p->ssl, p->fd) != 1)
		exit(1);
	SSL_set_connect_state(p->ssl);
	if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, p->fd, &ev) < 0)
		die("epoll_ctl");
}

static void broken(struct phone *p)
{
	SSL_free(p->ssl);
	(void)close(p->fd);
	ERR_clear_error();
	if (++p->tries < TRIES_MAX) {
		again++;
		begin(p);
		return;
	}
	p->ssl = NULL;
	p->stage = 3;
	done++;
	failed++;
}

static bool send_register(struct phone *p, unsigned cseq)
{
	unsigned id = (unsigned)(p - phones);
	char user[32], uri[128], auth[640] = "", text[MESSAGE_MAX];
	int n;

	(void)snprintf(user, sizeof(user), "4%0*u", (int)digits, id);
	(void)snprintf(uri, sizeof(uri), "sip:%s", domain);
	if (cseq == 2)
		(void)credentials(auth, sizeof(auth), "Authorization", user, domain, "REGISTER",
				  uri, p->nonce);
	n = snprintf(text, sizeof(text),
		     "REGISTER sip:%s SIP/2.0\r\n"
		     "Via: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK-%u-%u-%u;rport\r\n"
		     "From: <sip:%s@%s>;tag=%u\r\n"
		     "To: <sip:%s@%s>\r\n"
		     "Call-ID: %u-%u@127.0.0.1\r\n"
		     "CSeq: %u REGISTER\r\n"
		     "Contact: <sip:%s@127.0.0.1:9;transport=tls>\r\n"
		     "%s"
		     "Max-Forwards: 70\r\n"
		     "User-Agent: bench/1\r\n"
		     "Expires: 3000\r\n"
		     "Content-Length: 0\r\n\r\n",
		     domain, id, p->tries, cseq, user, domain, id, user, domain, id, p->tries, cseq,
		     user, auth);
	p->stage = cseq;
	return SSL_write(p->ssl, text, n) == n;
}

/* One record is one answer: they are written one by one. */
static bool take_answer(struct phone *p, const char *msg)
{
	unsigned status = 0;

	if (sscanf(msg, "SIP/2.0 %u", &status) != 1)
		return false;
	if (status < 200)
		return true;
	if (p->stage == 1 && status == 401 && take_nonce(msg, p->nonce))
		return send_register(p, 2);
	if (p->stage != 2 || status != 200)
		return false;
	p->stage = 3;
	done++;
	return true;
}

static bool wants_more(const struct phone *p, int r)
{
	int kind = SSL_get_error(p->ssl, r);

	return kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
}

static void step(struct phone *p)
{
	char text[MESSAGE_MAX];
	int n;

	if (p->stage == 0) {
		n = SSL_do_handshake(p->ssl);
		if (n != 1) {
			if (!wants_more(p, n))
				broken(p);
			return;
		}
		handshakes++;
		if (!send_register(p, 1)) {
			broken(p);
			return;
		}
	}
	while (p->stage < 3) {
		n = SSL_read(p->ssl, text, sizeof(text) - 1);
		if (n <= 0) {
			if (!wants_more(p, n))
				broken(p);
			return;
		}
		text[n] = '\0';
		if (!take_answer(p, text)) {
			broken(p);
			return;
		}
	}
}

static void prepare(void)
{
	struct rlimit files = { count + 64, count + 64 };

	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)signal(SIGPIPE, SIG_IGN);
	tls = SSL_CTX_new(TLS_client_method());
	if (!tls || !ca || SSL_CTX_load_verify_file(tls, ca) != 1) {
		fprintf(stderr, "no CA\n");
		exit(1);
	}
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF); /* nobody resumes: a restart */
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	phones = calloc(count, sizeof(*phones));
	poll_fd = epoll_create1(0);
	if (!phones || poll_fd < 0)
		die("prepare");
}

static void read_options(char **args)
{
	for (; *args; args++) {
		char *value = strchr(*args, '=');

		if (!value)
			exit(2);
		*value++ = '\0';
		if (strcmp(*args, "port") == 0)
			port = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(*args, "count") == 0)
			count = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(*args, "digits") == 0)
			digits = (unsigned)strtoul(value, NULL, 10);
		else if (strcmp(*args, "domain") == 0)
			domain = value;
		else if (strcmp(*args, "ca") == 0)
			ca = value;
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	static struct epoll_event events[EVENTS];
	char line[8];
	double began;

	if (argc < 2 || strcmp(argv[1], "register") != 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	read_options(argv + 2);
	prepare();
	printf("ready\n");
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	began = now();
	for (unsigned i = 0; i < count; i++)
		begin(&phones[i]);
	while (done < count && now() - began < SECONDS_MAX) {
		int n = epoll_wait(poll_fd, events, EVENTS, 1000);

		for (int i = 0; i < n; i++)
			step(events[i].data.ptr);
	}
	printf("done=%u failed=%u resent=%u seconds=%.3f handshakes=%u\n", done,
	       failed + (count - done), again, now() - began, handshakes);
	return 0;
}
