/* SPDX-License-Identifier: Apache-2.0 */
/* sip_storm.c - messages that were SIP once, by the million: the generator of soak_mutations.py, the same
 * kinds of change as tests/lib/mutator.py in a language that is not slower than the server.
 *
 *	sip_storm KEY=VALUE... FILE...
 * Keys: port= of the server, count= messages, seed=, every= messages a line of progress, strangers= other
 * source addresses (127.0.1.1 and up), stations=1 for the ports that sm takes for cm and presence.
 * FILEs are good and bad messages to begin with; to them come fresh ones, with credentials made of the nonces
 * that the server gave, and what the server itself sent. What it asks is answered, well or badly. After each
 * batch an OPTIONS must be answered before the next but one is sent: so nothing is lost in a full socket
 * buffer, what was sent was read, and a server that hangs is found at once (exit 1). A line of progress is
 * "sent=N answers=N probes=N streams=N"; the last is followed by exit 0. */
#include "../bench/md5_hex.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DATAGRAM_MAX 65000
#define ROOM (1 << 20) /* while a message is being changed */
#define BASES_MAX 1024
#define HEARD 64
#define NONCES 64
#define LINES_MAX 512
#define STRANGERS_MAX 250
#define BATCH 32
#define PATIENCE_MS 20000
#define DOMAIN "aurabox.internal"

struct text {
	size_t len;
	char *p;
};

static struct {
	unsigned port, strangers, stations;
	unsigned long long seed, count, every;
} cfg = { .port = 5060, .strangers = 64, .stations = 1, .seed = 1, .count = 10000, .every = 1000 };

static struct text bases[BASES_MAX], heard[HEARD];
static size_t base_count, heard_count;
static char nonces[NONCES][128];
static size_t nonce_count;
static int near_socks[3], near_count, probe, strangers[STRANGERS_MAX];
static unsigned long long sent, answers, probes, streams, state;

static const struct {
	const char *p;
	size_t len;
} tokens[] = {
#define T(s)                                                                                       \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}
	T("\0"),
	T("\r"),
	T("\n"),
	T("\r\n"),
	T("\r\n\r\n"),
	T("\r\n "),
	T(","),
	T(";"),
	T("<"),
	T(">"),
	T("\""),
	T("\\"),
	T("%00"),
	T("%"),
	T("["),
	T("]"),
	T(":"),
	T("::"),
	T("@"),
	T("*"),
	T("="),
	T("?"),
	T("/"),
	T("\xff\xfe"),
	T("\xc3\xa9"),
	T("-1"),
	T("0"),
	T("4294967296"),
	T("99999999999999999999"),
	T("z9hG4bK"),
	T(";lr"),
	T(";rport"),
	T(";received=::1"),
	T(";branch="),
	T(";tag="),
	T(";expires=0"),
	T(";transport=tcp"),
	T(";maddr=::1"),
	T(";phase=imsorig"),
	T(";odi=x"),
	T("sips:"),
	T("tel:+49"),
	T("Via: "),
	T("Route: <sip:127.0.0.1:5060;lr>\r\n"),
	T("Content-Length: 5\r\n"),
	T("Contact: *\r\n"),
	T("Require: 100rel\r\n"),
	T("Supported: outbound, path\r\n"),
	T("Replaces: a;to-tag=b;from-tag=c\r\n"),
	T("Event: dialog\r\n"),
	T("Privacy: id\r\n"),
	T("Max-Forwards: 0\r\n"),
	T("\r\n Content-Length: 7"),
	T("Authorization: Digest username=\"3001\", nonce=\"x\", uri=\"y\", response=\"z\", "
	  "realm=\"aurabox.internal\"\r\n"),
#undef T
};

static const char sdp[] =
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
	"m=audio 4000 RTP/AVP 0 8\r\na=sendrecv\r\n";
static const char pidf[] =
	"<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
	"entity=\"sip:3009@aurabox.internal\"><tuple id=\"a\"><status><basic>open</basic></status>"
	"</tuple></presence>";
static const char dialog_info[] =
	"<?xml version=\"1.0\"?><dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" "
	"version=\"1\" state=\"full\" entity=\"sip:3009@aurabox.internal\"><dialog id=\"1\">"
	"<state>early</state></dialog></dialog-info>";

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static uint64_t next_random(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 2685821657736338717ULL;
}

/* 0..n-1 */
static size_t below(size_t n)
{
	return n ? (size_t)((next_random() >> 16) % n) : 0;
}

#define PICK(list) ((list)[below(sizeof(list) / sizeof((list)[0]))])

/* Fresh messages ----------------------------------------------------------------------------------- */
/* Both headers: whichever the server asks for. Empty when no nonce is left. */
static void credentials(char *out, size_t size, const char *user, const char *method,
			const char *uri)
{
	char text[512], ha1[33], ha2[33], response[33];
	const char *nonce;

	out[0] = '\0';
	if (nonce_count == 0)
		return;
	nonce = nonces[--nonce_count];
	(void)snprintf(text, sizeof(text), "%s:%s:secret-%s-%s", user, DOMAIN, user, user);
	md5_hex(text, ha1);
	(void)snprintf(text, sizeof(text), "%s:%s", method, uri);
	md5_hex(text, ha2);
	(void)snprintf(text, sizeof(text), "%s:%s:00000001:0a4f113b:auth:%s", ha1, nonce, ha2);
	md5_hex(text, response);
	(void)snprintf(out, size,
		       "%s: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
		       "response=\"%s\", algorithm=MD5, cnonce=\"0a4f113b\", qop=auth, "
		       "nc=00000001\r\n",
		       strcmp(method, "REGISTER") == 0 || strcmp(method, "SUBSCRIBE") == 0
			       ? "Authorization"
			       : "Proxy-Authorization",
		       user, DOMAIN, nonce, uri, response);
}

static size_t message(char *out, const char *start, const char *method, const char *uri,
		      const char *user, const char *extra, const char *body, bool to_tag)
{
	unsigned long long n = next_random() >> 16;
	char auth[800] = "";

	if (!start && below(2))
		credentials(auth, sizeof(auth), user, method, uri);
	return (size_t)snprintf(
		out, DATAGRAM_MAX,
		"%s%s%s%s\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK%llx\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:%s@" DOMAIN ">;tag=f%llx\r\nTo: <%s>%s%llx\r\n"
		"Call-ID: m%llx\r\nCSeq: 1 %s\r\nContact: <sip:%s@127.0.0.1:9>\r\n%s%s"
		"Content-Length: %zu\r\n\r\n%s",
		start ? start : method, start ? "" : " ", start ? "" : uri, start ? "" : " SIP/2.0",
		n, user, n, uri, to_tag ? ";tag=t" : ";x=", n, n, method, user, auth, extra,
		strlen(body), body);
}

static size_t fresh(char *out)
{
	static const char *const callees[] = {
		"3001", "3002", "3009", "3010", "nobody", "+4989123"
	};
	static const char *const users[] = { "3001", "3002", "3009", "3010" };
	static const char *const packages[] = { "reg", "dialog", "message-summary", "presence" };
	static const char *const inside[] = { "BYE",   "UPDATE", "PRACK",   "INFO",
					      "REFER", "NOTIFY", "MESSAGE", "ACK" };
	static const char *const extras[] = {
		"Content-Type: application/sdp\r\n",
		"Content-Type: application/sdp\r\nSupported: 100rel, timer\r\nSession-Expires: 90\r\n",
		"Content-Type: application/sdp\r\n"
		"P-Asserted-Identity: <sip:3009@aurabox.internal>\r\n"
	};
	static const char *const statuses[] = { "SIP/2.0 100 Trying",	"SIP/2.0 180 Ringing",
						"SIP/2.0 183 Progress", "SIP/2.0 200 OK",
						"SIP/2.0 302 Moved",	"SIP/2.0 401 No",
						"SIP/2.0 407 No",	"SIP/2.0 486 Busy",
						"SIP/2.0 503 No",	"SIP/2.0 603 No" };
	static const char *const answered[] = { "INVITE", "BYE", "OPTIONS" };
	static const unsigned expires[] = { 0, 1, 60, 3600 };
	const char *user = PICK(users);
	char uri[80], own[80], extra[200];

	(void)snprintf(uri, sizeof(uri), "sip:%s@%s", PICK(callees), DOMAIN);
	(void)snprintf(own, sizeof(own), "sip:%s@%s", user, DOMAIN);
	switch (below(12)) {
	case 0: {
		size_t len;
		char *to;

		(void)snprintf(extra, sizeof(extra), "Expires: %u\r\n", PICK(expires));
		len = message(out, NULL, "REGISTER", "sip:" DOMAIN, user, extra, "", false);
		to = strstr(out, "To: <sip:");
		if (to) { /* the address of record */
			memmove(to + 9 + 5, to + 9, len - (size_t)(to + 9 - out));
			memcpy(to + 9, user, 4);
			to[13] = '@';
			len += 5;
		}
		return len;
	}
	case 1:
	case 2:
	case 3:
		return message(out, NULL, "INVITE", uri, user, PICK(extras), sdp, false);
	case 4:
		(void)snprintf(extra, sizeof(extra), "Event: %s\r\nExpires: 60\r\n",
			       PICK(packages));
		return message(out, NULL, "SUBSCRIBE", below(2) ? own : uri, user, extra, "",
			       false);
	case 5:
		return message(out, NULL, "PUBLISH", own, user,
			       "Event: presence\r\nContent-Type: application/pidf+xml\r\n", pidf,
			       false);
	case 6:
		return message(out, NULL, "PUBLISH", own, user,
			       "Event: dialog\r\nContent-Type: application/dialog-info+xml\r\n",
			       dialog_info, false);
	case 7:
		return message(out, NULL, PICK(inside), uri, user,
			       "RAck: 1 1 INVITE\r\nRefer-To: <sip:3002@aurabox.internal>\r\n"
			       "Event: refer\r\nSubscription-State: active\r\n",
			       "", true);
	case 8:
		return message(out, NULL, "CANCEL", uri, user, "", "", false);
	case 9:
		return message(out, NULL, "OPTIONS", uri, user, "", "", false);
	default:
		return message(out, PICK(statuses), PICK(answered), uri, user,
			       "Content-Type: application/sdp\r\n", sdp, true);
	}
}

/* Changes ------------------------------------------------------------------------------------------ */

/* Make `old` bytes at `at` to those of `text`; what grows too long is left alone. */
static size_t splice(char *p, size_t len, size_t at, size_t old, const char *text, size_t n)
{
	if (old > len - at)
		old = len - at;
	if (len - old + n > DATAGRAM_MAX)
		return len;
	memmove(p + at + n, p + at + old, len - at - old);
	memcpy(p + at, text, n);
	return len - old + n;
}

struct line {
	size_t at, len; /* without its end */
};

static size_t lines_of(const char *p, size_t len, struct line out[LINES_MAX])
{
	size_t count = 0, at = 0;

	while (count < LINES_MAX) {
		const char *end = memmem(p + at, len - at, "\r\n", 2);
		size_t n = end ? (size_t)(end - p) - at : len - at;

		out[count++] = (struct line){ at, n };
		if (!end)
			break;
		at += n + 2;
	}
	return count;
}

static size_t swap_lines(char *p, size_t len)
{
	static struct line lines[LINES_MAX];
	static char copy[DATAGRAM_MAX];
	size_t count = lines_of(p, len, lines), a = below(count), b = below(count);
	struct line x = lines[a < b ? a : b], y = lines[a < b ? b : a];
	size_t between = a == b ? 0 : y.at - x.at - x.len;
	char *out = copy;

	if (a == b)
		return len;
	out = mempcpy(out, p + y.at, y.len);
	out = mempcpy(out, p + x.at + x.len, between);
	(void)mempcpy(out, p + x.at, x.len);
	memcpy(p + x.at, copy, x.len + between + y.len);
	return len;
}

static size_t repeat_line(char *p, size_t len)
{
	static struct line lines[LINES_MAX];
	static char copy[DATAGRAM_MAX + 2];
	static const size_t often[] = { 1, 2, 70, 300 };
	size_t count = lines_of(p, len, lines);
	struct line one = lines[below(count)];

	memcpy(copy, p + one.at, one.len);
	memcpy(copy + one.len, "\r\n", 2);
	for (size_t n = PICK(often); n > 0; n--)
		len = splice(p, len, one.at, 0, copy, one.len + 2);
	return len;
}

static size_t change_value(char *p, size_t len)
{
	static struct line lines[LINES_MAX];
	static char value[DATAGRAM_MAX], spaces[900];
	size_t count = lines_of(p, len, lines), n;
	struct line one = lines[below(count)];
	const char *colon = memchr(p + one.at, ':', one.len);
	size_t at = colon ? (size_t)(colon + 1 - p) : one.at + one.len;

	n = one.at + one.len - at;
	memcpy(value, p + at, n);
	memset(spaces, ' ', sizeof(spaces));
	switch (below(5)) {
	case 0:
		return splice(p, len, at, n, "", 0);
	case 1:
		len = splice(p, len, at, 0, ",", 1);
		return splice(p, len, at, 0, value, n);
	case 2:
		return splice(p, len, at, 0, spaces, sizeof(spaces));
	case 3:
		for (size_t i = 0; i < n; i++)
			p[at + i] = value[n - 1 - i];
		return len;
	default:
		for (int i = 0; i < 8; i++)
			len = splice(p, len, at, 0, value, n);
		return len;
	}
}

/* One of the tokens that are lines, where a line begins. */
static size_t add_line(char *p, size_t len)
{
	const char *at = memmem(p + below(len + 1) / 2, len - len / 2, "\r\n", 2);
	size_t n = below(sizeof(tokens) / sizeof(tokens[0]));

	for (; tokens[n].len < 3 || memcmp(tokens[n].p + tokens[n].len - 2, "\r\n", 2) != 0;)
		n = below(sizeof(tokens) / sizeof(tokens[0]));
	return at ? splice(p, len, (size_t)(at - p) + 2, 0, tokens[n].p, tokens[n].len) : len;
}

static size_t change(char *p, size_t len)
{
	static const size_t cuts[] = { 1, 2, 10, 200 }, pieces[] = { 1, 8, 60 },
			    often[] = { 1, 2, 40 };
	static char piece[64];
	size_t at = below(len + 1), n;
	const struct text *other;

	switch (below(14)) {
	case 0:
		if (len)
			p[below(len)] = (char)below(256);
		return len;
	case 1:
		return splice(p, len, at, PICK(cuts), "", 0);
	case 2:
		n = PICK(pieces);
		n = n < len - at ? n : len - at;
		memcpy(piece, p + at, n);
		for (size_t i = PICK(often); i > 0; i--)
			len = splice(p, len, at, 0, piece, n);
		return len;
	case 3:
	case 4:
		n = below(sizeof(tokens) / sizeof(tokens[0]));
		return splice(p, len, at, 0, tokens[n].p, tokens[n].len);
	case 5:
		return swap_lines(p, len);
	case 6:
		return repeat_line(p, len);
	case 7:
		return at;
	case 8:
		other = &bases[below(base_count)];
		n = below(other->len + 1);
		return splice(p, len, at, len - at, other->p + n, other->len - n);
	case 9:
	case 10:
		return change_value(p, len);
	case 11: /* what stays readable */
		return add_line(p, len);
	default:
		if (at < len && isdigit((unsigned char)p[at]))
			p[at] = (char)('0' + below(10));
		else if (at < len && isalpha((unsigned char)p[at]))
			p[at] ^= 0x20;
		return len;
	}
}

static size_t mutate(char *p, size_t len)
{
	static const int changes[] = { 1, 1, 1, 1, 2, 4 };

	for (int n = PICK(changes); n > 0; n--)
		len = change(p, len);
	return len;
}

/* The next message. */
static size_t make(char *out)
{
	size_t pick = below(100), len;

	if (pick < 12 || (pick < 30 && heard_count > 0)) {
		const struct text *base =
			pick < 12 ? &bases[below(base_count)] : &heard[below(heard_count)];

		len = base->len;
		memcpy(out, base->p, len);
	} else {
		len = fresh(out);
	}
	return below(20) ? mutate(out, len) : len;
}

/* Sockets ------------------------------------------------------------------------------------------ */
static struct sockaddr_in address(uint32_t ip, unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(ip);
	return a;
}

static int open_socket(uint32_t ip, unsigned port)
{
	struct sockaddr_in own = address(ip, port);
	struct sockaddr_in to = address(INADDR_LOOPBACK, cfg.port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 4 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static void send_on(int fd, const char *p, size_t len)
{
	while (send(fd, p, len, 0) < 0) {
		if (errno == EAGAIN)
			(void)poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, 100);
		else if (errno == ECONNREFUSED)
			continue; /* reported once, of an earlier one */
		else
			return; /* an empty or too long one */
	}
}

static void take_nonce(const char *p, size_t len)
{
	const char *at = memmem(p, len, "nonce=\"", 7);
	size_t n;

	if (!at || nonce_count == NONCES)
		return;
	at += 7;
	n = strcspn(at, "\"\r\n");
	if (n == 0 || n >= sizeof(nonces[0]))
		return;
	memcpy(nonces[nonce_count], at, n);
	nonces[nonce_count++][n] = '\0';
}

/* What it asks is answered in its own words or in changed ones. */
static void answer(int fd, const char *p, size_t len)
{
	static const char *const lines[] = { "SIP/2.0 180 Ringing", "SIP/2.0 200 OK",
					     "SIP/2.0 200 OK",	    "SIP/2.0 486 Busy",
					     "SIP/2.0 503 No",	    "SIP/2.0 302 M" };
	static char out[ROOM];
	const char *end = memmem(p, len, "\r\n", 2);
	const char *line = PICK(lines);
	size_t n = strlen(line), rest;

	if (!end)
		return;
	rest = len - (size_t)(end - p);
	memcpy(out, line, n);
	memcpy(out + n, end, rest);
	n += rest;
	if (below(10) < 6)
		n = mutate(out, n);
	send_on(fd, out, n);
	if (below(3) == 0) { /* a late final one */
		n = (size_t)snprintf(out, sizeof(out), "SIP/2.0 487 Gone");
		memcpy(out + n, end, rest);
		send_on(fd, out, n + rest);
	}
}

static void listen_on(int fd)
{
	static char in[DATAGRAM_MAX + 1000];

	for (int i = 0; i < 256; i++) {
		ssize_t n = recv(fd, in, sizeof(in) - 1, 0);
		struct text *keep;

		if (n <= 0)
			return;
		in[n] = '\0';
		answers++;
		if (n <= DATAGRAM_MAX && below(16) == 0) {
			keep = heard_count < HEARD ? &heard[heard_count++] : &heard[below(HEARD)];
			free(keep->p);
			keep->p = malloc((size_t)n);
			if (!keep->p)
				die("malloc");
			memcpy(keep->p, in, (size_t)n);
			keep->len = (size_t)n;
		}
		if (memcmp(in, "SIP/2.0", 7) == 0)
			take_nonce(in, (size_t)n);
		else if (n <= DATAGRAM_MAX - 100)
			answer(fd, in, (size_t)n);
	}
}

static void ask(unsigned long long number)
{
	char text[600];
	int n = snprintf(text, sizeof(text),
			 "OPTIONS sip:%s SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKalive%llu-%llu\r\n"
			 "Max-Forwards: 70\r\nFrom: <sip:alive@%s>;tag=a\r\nTo: <sip:%s>\r\n"
			 "Call-ID: alive%llu\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			 DOMAIN, cfg.seed, number, DOMAIN, DOMAIN, number);

	send_on(probe, text, (size_t)n);
}

static bool is_answer(const char *text, unsigned long long number)
{
	char wanted[40];

	(void)snprintf(wanted, sizeof(wanted), "Call-ID: alive%llu\r\n", number);
	return strstr(text, wanted) != NULL;
}

/* Wait for the answer to a probe, listening to all; false: the server is dead or hangs. */
static bool alive(unsigned long long number)
{
	int64_t end = now_ms() + PATIENCE_MS, again = now_ms() + 500;
	static char in[4096];
	struct pollfd fds[4];

	for (;;) {
		for (int i = 0; i < near_count; i++) {
			listen_on(near_socks[i]);
			fds[i] = (struct pollfd){ near_socks[i], POLLIN, 0 };
		}
		fds[near_count] = (struct pollfd){ probe, POLLIN, 0 };
		for (;;) {
			ssize_t n = recv(probe, in, sizeof(in) - 1, 0);

			if (n <= 0)
				break;
			in[n] = '\0';
			if (is_answer(in, number)) {
				probes++;
				return true;
			}
		}
		if (now_ms() > end)
			return false;
		if (now_ms() > again) {
			ask(number);
			again += 500;
		}
		(void)poll(fds, (nfds_t)near_count + 1, 50);
	}
}

/* A connection with several messages, cut anywhere. It is ended whatever the server thinks. */
static void stream(void)
{
	static char all[ROOM], in[65536];
	struct sockaddr_in own =
		address(below(4) ? INADDR_LOOPBACK : INADDR_LOOPBACK + 256 + (uint32_t)below(8), 0);
	struct sockaddr_in to = address(INADDR_LOOPBACK, cfg.port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), count = 1 + (int)below(10);
	struct timeval patience = { 1, 0 };
	size_t len = 0, done = 0;

	if (fd < 0)
		die("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		(void)close(fd);
		return;
	}
	for (int i = 0; i < count && len + ROOM / 10 < sizeof(all); i++)
		len += make(all + len);
	sent += (unsigned)count;
	streams++;
	while (done < len) {
		size_t part = below(4) ? len - done : 1 + below(len - done);
		ssize_t n = send(fd, all + done, part, MSG_NOSIGNAL);

		if (n <= 0)
			break;
		done += (size_t)n;
		if (recv(fd, in, sizeof(in), MSG_DONTWAIT) == 0)
			break;
	}
	(void)close(fd);
}

static void batch(void)
{
	static char out[ROOM];

	for (int i = 0; i < BATCH && sent < cfg.count; i++) {
		size_t who = below(8);
		size_t len = make(out);

		if (who < 7 || cfg.strangers == 0)
			send_on(near_socks[who % (size_t)near_count], out, len);
		else /* some of them too often */
			send_on(strangers[below(below(2) ? cfg.strangers : 4)], out, len);
		sent++;
	}
	if (below(6) == 0)
		stream();
}

static void load_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct text *base = &bases[base_count];

	if (!file || base_count == BASES_MAX)
		die(path);
	base->p = malloc(DATAGRAM_MAX);
	if (!base->p)
		die("malloc");
	base->len = fread(base->p, 1, DATAGRAM_MAX, file);
	if (base->len)
		base_count++;
	(void)fclose(file);
}

static void read_argument(char *arg)
{
	char *value = strchr(arg, '=');
	unsigned long long number;

	if (!value || strchr(arg, '/')) {
		load_file(arg);
		return;
	}
	*value++ = '\0';
	number = strtoull(value, NULL, 10);
	if (strcmp(arg, "port") == 0)
		cfg.port = (unsigned)number;
	else if (strcmp(arg, "count") == 0)
		cfg.count = number;
	else if (strcmp(arg, "seed") == 0)
		cfg.seed = number;
	else if (strcmp(arg, "every") == 0 && number)
		cfg.every = number;
	else if (strcmp(arg, "strangers") == 0 && number <= STRANGERS_MAX)
		cfg.strangers = (unsigned)number;
	else if (strcmp(arg, "stations") == 0)
		cfg.stations = (unsigned)number;
	else
		exit(2);
}

int main(int argc, char **argv)
{
	unsigned long long number = 0, next;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		read_argument(argv[i]);
	if (base_count == 0)
		return 2;
	state = cfg.seed * 0x9E3779B97F4A7C15ULL + 1;
	near_socks[near_count++] = open_socket(INADDR_LOOPBACK, 0);
	if (cfg.stations) {
		near_socks[near_count++] = open_socket(INADDR_LOOPBACK, 5070);
		near_socks[near_count++] = open_socket(INADDR_LOOPBACK, 5080);
	}
	probe = open_socket(INADDR_LOOPBACK, 0);
	for (unsigned i = 0; i < cfg.strangers; i++)
		strangers[i] = open_socket(INADDR_LOOPBACK + 256 + i, 0);
	next = cfg.every;
	ask(number);
	while (sent < cfg.count) {
		batch();
		ask(number + 1);
		if (!alive(number)) {
			printf("no answer to OPTIONS after %llu messages\n", sent);
			return 1;
		}
		number++;
		if (sent >= next || sent >= cfg.count) {
			printf("sent=%llu answers=%llu probes=%llu streams=%llu\n", sent, answers,
			       probes, streams);
			next += cfg.every;
		}
	}
	return alive(number) ? 0 : 1;
}
