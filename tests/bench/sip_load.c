/* SPDX-License-Identifier: Apache-2.0 */
/* sip_load.c - the load of bench_sip.py: batches of datagrams in a closed loop or at a rate, and the bare
 * receive-and-answer loop that is the floor of all figures. SIPp ends at 3,000 registrations a second.
 *
 *	sip_load MODE KEY=VALUE...
 *	floor port=P                          answer whatever comes, until standard input ends
 *	options|refused|register|call ...     load; prints "ready", starts at a line on standard input
 *	idle port=P count=N                   open N TCP connections and hold them
 * Keys: port= of the server, domain=, count= operations, rate= a second (0: a closed loop of window=),
 * users=, prefix= and digits= of their names, first=, contact= port of the answering side.
 * At its end it prints one line: done=N failed=N resent=N seconds=S p50_us=N p99_us=N. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sip_digest.h"

#define BATCH 64
#define MESSAGE_MAX 4096
#define TALK_NS 100000000LL /* of a call */
#define ANSWER_NS 20000000LL
#define T1_NS 500000000LL
#define RESENDS 7
#define RUN_BYTES 60000

enum mode { OPTIONS, REFUSED, REGISTER, CALL };

static struct {
	enum mode mode;
	unsigned port, count, rate, window, users, digits, first, contact;
	const char *domain, *prefix;
} cfg = { .port = 5060,
	  .count = 1,
	  .window = 64,
	  .users = 1,
	  .digits = 3,
	  .contact = 15070,
	  .domain = "aurabox.internal",
	  .prefix = "4" };

struct socket {
	int fd;
	unsigned port, queued;
	struct mmsghdr out[BATCH], in[BATCH];
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(uint16_t))];
	} lengths[BATCH]; /* of out: the datagrams of a run */
	struct iovec out_at[BATCH], in_at[BATCH];
	char out_bytes[BATCH][MESSAGE_MAX], in_bytes[BATCH][MESSAGE_MAX];
};

/* One operation. For a call: 1 INVITE, 2 with credentials, 3 answered, 4 BYE. */
struct op {
	uint8_t stage, resends;
	int64_t sent, next; /* of the last request; when it is repeated or goes on */
	char nonce[NONCE_MAX];
	char *dialog; /* To, Request-URI and Route of what follows a 200 */
};

static struct op *ops;
static struct socket caller, callee;
static unsigned started, done, failed, resent;
static uint32_t *latencies;
static unsigned latency_count;
static char run_id[24];

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in loopback(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static void open_socket(struct socket *s, unsigned port, unsigned peer)
{
	struct sockaddr_in own = loopback(port), to = loopback(peer);
	socklen_t len = sizeof(own);
	int size = 8 << 20;

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		die("bind");
	(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (peer && connect(s->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	(void)getsockname(s->fd, (struct sockaddr *)&own, &len);
	s->port = ntohs(own.sin_port);
	for (int i = 0; i < BATCH; i++) {
		s->out_at[i].iov_base = s->out_bytes[i];
		s->in_at[i] = (struct iovec){ s->in_bytes[i], MESSAGE_MAX - 1 };
		s->in[i].msg_hdr.msg_iov = &s->in_at[i];
		s->in[i].msg_hdr.msg_iovlen = 1;
	}
}

/* Datagrams of one length that follow each other go as one packet, which the kernel cuts at the receiver's
 * socket (UDP_SEGMENT): one by one they cost this program more than they cost the servers, which then wait for
 * it. What the servers see is the same. Returns the number of headers. */
static unsigned make_runs(struct socket *s)
{
	unsigned runs = 0, next;

	for (unsigned first = 0; first < s->queued; first = next) {
		struct msghdr *header = &s->out[runs].msg_hdr;
		size_t length = s->out_at[first].iov_len;
		uint16_t part = (uint16_t)length;

		for (next = first + 1; next < s->queued && s->out_at[next].iov_len == length &&
				       (next - first + 1) * length <= RUN_BYTES;
		     next++)
			;
		header->msg_iov = &s->out_at[first];
		header->msg_iovlen = next - first;
		header->msg_control = next - first > 1 ? &s->lengths[runs] : NULL;
		header->msg_controllen = next - first > 1 ? sizeof(s->lengths[runs]) : 0;
		s->lengths[runs].head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(part)),
							  .cmsg_level = SOL_UDP,
							  .cmsg_type = UDP_SEGMENT };
		memcpy(CMSG_DATA(&s->lengths[runs].head), &part, sizeof(part));
		runs++;
	}
	return runs;
}

static void flush(struct socket *s)
{
	unsigned at = 0, count = make_runs(s);

	while (at < count) {
		int n = sendmmsg(s->fd, s->out + at, count - at, 0);

		if (n > 0)
			at += (unsigned)n;
		else if (errno == EINVAL || errno == EIO || errno == EOPNOTSUPP)
			die("sendmmsg"); /* a kernel without UDP_SEGMENT */
		else if (errno == EAGAIN)
			(void)poll(&(struct pollfd){ s->fd, POLLOUT, 0 }, 1, 100);
		else
			at++; /* an ICMP error of an earlier one: it is repeated by its timer */
	}
	s->queued = 0;
}

static char *begin(struct socket *s)
{
	if (s->queued == BATCH)
		flush(s);
	return s->out_bytes[s->queued];
}

static void commit(struct socket *s, int len)
{
	if (len <= 0 || len >= MESSAGE_MAX) {
		fprintf(stderr, "message too long\n");
		exit(1);
	}
	s->out_at[s->queued++].iov_len = (size_t)len;
}

/* Reading ------------------------------------------------------------------------------------------ */

/* The line that begins so, without its end; "" when there is none. */
static const char *line_of(const char *msg, const char *name, int *len)
{
	const char *p = msg;
	size_t n = strlen(name);

	while ((p = strstr(p, "\r\n")) && p[2] != '\r') {
		p += 2;
		if (strncasecmp(p, name, n) == 0) {
			*len = (int)strcspn(p, "\r");
			return p;
		}
	}
	*len = 0;
	return "";
}

static void user_name(unsigned i, char out[32])
{
	(void)snprintf(out, 32, "%s%0*u", cfg.prefix, (int)cfg.digits, cfg.first + i % cfg.users);
}

/* Requests ------------------------------------------------------------------------------------------ */

static void send_options(unsigned id)
{
	char *p = begin(&caller);

	commit(&caller, snprintf(p, MESSAGE_MAX,
				 "OPTIONS sip:127.0.0.1:%u SIP/2.0\r\n"
				 "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s-%u;rport\r\n"
				 "From: <sip:probe@%s>;tag=%u\r\n"
				 "To: <sip:127.0.0.1:%u>\r\n"
				 "Call-ID: %u-%s@127.0.0.1\r\n"
				 "CSeq: 1 OPTIONS\r\n"
				 "Contact: <sip:probe@127.0.0.1:%u>\r\n"
				 "Max-Forwards: 70\r\n"
				 "Content-Length: 0\r\n\r\n",
				 cfg.port, caller.port, run_id, id, cfg.domain, id, cfg.port, id,
				 run_id, caller.port));
}

static void send_register(unsigned id)
{
	const struct op *op = &ops[id];
	char user[32], uri[128], auth[640] = "";
	char *p = begin(&caller);

	user_name(id, user);
	(void)snprintf(uri, sizeof(uri), "sip:%s", cfg.domain);
	if (op->stage == 2)
		(void)credentials(auth, sizeof(auth), "Authorization", user, cfg.domain, "REGISTER",
				  uri, op->nonce);
	commit(&caller,
	       snprintf(p, MESSAGE_MAX,
			"REGISTER sip:%s SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s-%u-%u;rport\r\n"
			"From: <sip:%s@%s>;tag=%u\r\n"
			"To: <sip:%s@%s>\r\n"
			"Call-ID: %u-%s@127.0.0.1\r\n"
			"CSeq: %u REGISTER\r\n"
			"Contact: <sip:%s@127.0.0.1:%u>\r\n"
			"%s"
			"Max-Forwards: 70\r\n"
			"User-Agent: bench/1\r\n"
			"Expires: 3000\r\n"
			"Content-Length: 0\r\n\r\n",
			cfg.domain, caller.port, run_id, id, op->stage, user, cfg.domain, id, user,
			cfg.domain, id, run_id, op->stage, user, cfg.contact, auth));
}

static const char sdp[] = "v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\n"
			  "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"
			  "a=rtpmap:0 PCMU/8000\r\n";

static void send_invite(unsigned id)
{
	const struct op *op = &ops[id];
	char user[32], peer[32], uri[128], auth[640] = "";
	char *p = begin(&caller);

	user_name(id, user);
	user_name(id + cfg.users / 2, peer);
	(void)snprintf(uri, sizeof(uri), "sip:%s@%s", peer, cfg.domain);
	if (op->stage == 2)
		(void)credentials(auth, sizeof(auth), "Proxy-Authorization", user, cfg.domain,
				  "INVITE", uri, op->nonce);
	commit(&caller,
	       snprintf(p, MESSAGE_MAX,
			"INVITE %s SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s-%u-%u;rport\r\n"
			"From: <sip:%s@%s>;tag=%u\r\n"
			"To: <%s>\r\n"
			"Call-ID: %u-%s@127.0.0.1\r\n"
			"CSeq: %u INVITE\r\n"
			"Contact: <sip:%s@127.0.0.1:%u>\r\n"
			"%s"
			"Max-Forwards: 70\r\n"
			"Content-Type: application/sdp\r\n"
			"Content-Length: %zu\r\n\r\n%s",
			uri, caller.port, run_id, id, op->stage, user, cfg.domain, id, uri, id,
			run_id, op->stage, user, caller.port, auth, sizeof(sdp) - 1, sdp));
}

/* The ACK of a refusal: the branch of its INVITE and the To of the answer. */
static void send_ack_refused(unsigned id, const char *msg)
{
	char user[32], peer[32];
	char *p = begin(&caller);
	int to_len;
	const char *to = line_of(msg, "To:", &to_len);

	user_name(id, user);
	user_name(id + cfg.users / 2, peer);
	commit(&caller, snprintf(p, MESSAGE_MAX,
				 "ACK sip:%s@%s SIP/2.0\r\n"
				 "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s-%u-%u;rport\r\n"
				 "From: <sip:%s@%s>;tag=%u\r\n"
				 "%.*s\r\n"
				 "Call-ID: %u-%s@127.0.0.1\r\n"
				 "CSeq: %u ACK\r\n"
				 "Max-Forwards: 70\r\n"
				 "Content-Length: 0\r\n\r\n",
				 peer, cfg.domain, caller.port, run_id, id, ops[id].stage, user,
				 cfg.domain, id, to_len, to, id, run_id, ops[id].stage));
}

/* ACK of the 200 and BYE: along the route set, to the Contact. */
static void send_in_dialog(unsigned id, const char *method, unsigned cseq)
{
	char user[32];
	char *p = begin(&caller);
	int uri_len = (int)strcspn(ops[id].dialog, "\n");

	user_name(id, user);
	commit(&caller, snprintf(p, MESSAGE_MAX,
				 "%s %.*s SIP/2.0\r\n"
				 "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s-%u-%s;rport\r\n"
				 "%s"
				 "From: <sip:%s@%s>;tag=%u\r\n"
				 "Call-ID: %u-%s@127.0.0.1\r\n"
				 "CSeq: %u %s\r\n"
				 "Max-Forwards: 70\r\n"
				 "Content-Length: 0\r\n\r\n",
				 method, uri_len, ops[id].dialog, caller.port, run_id, id, method,
				 ops[id].dialog + uri_len + 1, user, cfg.domain, id, id, run_id,
				 cseq, method));
}

/* Contact, then the Record-Routes in reverse as Route, then To. */
static bool take_dialog(struct op *op, const char *msg)
{
	static char text[MESSAGE_MAX];
	const char *routes[16], *p = msg, *contact, *to;
	int count = 0, len, to_len;
	int n;

	contact = line_of(msg, "Contact:", &len);
	contact = memchr(contact, '<', (size_t)len);
	to = line_of(msg, "To:", &to_len);
	if (!contact || to_len == 0)
		return false;
	n = snprintf(text, sizeof(text), "%.*s\n", (int)strcspn(contact + 1, ">\r"), contact + 1);
	while (count < 16 && (p = line_of(p, "Record-Route:", &len), len > 0))
		for (const char *at = p;
		     count < 16 && (at = memchr(at, '<', (size_t)(p + len - at)));)
			routes[count++] = at++;
	while (count > 0) {
		count--;
		n += snprintf(text + n, sizeof(text) - (size_t)n, "Route: %.*s>\r\n",
			      (int)strcspn(routes[count], ">"), routes[count]);
	}
	(void)snprintf(text + n, sizeof(text) - (size_t)n, "%.*s\r\n", to_len, to);
	free(op->dialog);
	op->dialog = strdup(text);
	return op->dialog != NULL;
}

/* Timers: one queue for each delay, so that each is in order ------------------------------------------ */

struct due {
	int64_t at;
	unsigned id;
	uint8_t stage;
	char *message; /* of the answering side */
};

struct queue {
	struct due *items;
	size_t head, tail, size;
};

static struct queue retries[RESENDS], talks, answers;

static void push(struct queue *q, struct due item)
{
	if (q->tail - q->head == q->size) {
		size_t size = q->size ? 2 * q->size : 1024;
		struct due *items = malloc(size * sizeof(*items));

		if (!items)
			die("malloc");
		for (size_t i = q->head; i < q->tail; i++)
			items[i & (size - 1)] = q->items[i & (q->size - 1)];
		free(q->items);
		q->items = items;
		q->size = size;
	}
	q->items[q->tail++ & (q->size - 1)] = item;
}

static bool pop(struct queue *q, int64_t now, struct due *ret)
{
	if (q->head == q->tail || q->items[q->head & (q->size - 1)].at > now)
		return false;
	*ret = q->items[q->head++ & (q->size - 1)];
	return true;
}

static void earliest(const struct queue *q, int64_t *ret)
{
	if (q->head != q->tail && q->items[q->head & (q->size - 1)].at < *ret)
		*ret = q->items[q->head & (q->size - 1)].at;
}

/* Operations ------------------------------------------------------------------------------------------ */

static void send_stage(unsigned id)
{
	switch (cfg.mode) {
	case OPTIONS:
		send_options(id);
		break;
	case REFUSED:
	case REGISTER:
		send_register(id);
		break;
	case CALL:
		if (ops[id].stage <= 2)
			send_invite(id);
		else
			send_in_dialog(id, "BYE", 3);
		break;
	}
}

static void enter(unsigned id, uint8_t stage)
{
	struct op *op = &ops[id];

	op->stage = stage;
	op->resends = 0;
	op->sent = now_ns();
	send_stage(id);
	push(&retries[0], (struct due){ op->sent + T1_NS, id, stage, NULL });
}

static void end(unsigned id, bool good)
{
	ops[id].stage = 0;
	free(ops[id].dialog);
	ops[id].dialog = NULL;
	done++;
	failed += !good;
}

static void note_latency(const struct op *op)
{
	if (op->resends == 0)
		latencies[latency_count++] = (uint32_t)((now_ns() - op->sent) / 1000);
}

static void call_answered(unsigned id, unsigned status, const char *msg)
{
	struct op *op = &ops[id];

	if (status == 180 && op->stage == 2 && op->nonce[0]) {
		note_latency(op);
		op->nonce[0] = '\0';
	}
	if (status < 200)
		return;
	if (status == 407 && op->stage == 1 && take_nonce(msg, op->nonce)) {
		send_ack_refused(id, msg);
		enter(id, 2);
	} else if (status == 200 && op->stage == 2 && take_dialog(op, msg)) {
		send_in_dialog(id, "ACK", 2);
		op->stage = 3;
		push(&talks, (struct due){ now_ns() + TALK_NS, id, 3, NULL });
	} else if (op->stage == 4) {
		end(id, status == 200);
	} else if (status >= 300 && op->stage <= 2) {
		send_ack_refused(id, msg);
		end(id, false);
	}
}

static void answered(char *msg)
{
	int len;
	const char *call_id = line_of(msg, "Call-ID:", &len);
	const char *cseq = line_of(msg, "CSeq:", &len);
	unsigned status, id, number;
	struct op *op;

	if (sscanf(msg, "SIP/2.0 %u", &status) != 1 || sscanf(call_id, "%*s %u-", &id) != 1 ||
	    sscanf(cseq, "%*s %u", &number) != 1 || id >= started || ops[id].stage == 0)
		return;
	op = &ops[id];
	if (cfg.mode == CALL) {
		if ((op->stage <= 2 && number == op->stage) || (op->stage == 4 && number == 3))
			call_answered(id, status, msg);
		return;
	}
	if (number != op->stage || status < 200)
		return;
	if (cfg.mode == REGISTER && op->stage == 1 && status == 401 && take_nonce(msg, op->nonce))
		enter(id, 2);
	else
		end(id, status == (cfg.mode == REFUSED ? 401U : 200U));
}

/* The answering side: 180 at once, 200 after a while; a BYE gets its 200. */
static int reply(char *out, const char *msg, const char *status, bool dialog, const char *tail)
{
	static const char *const copied[] = { "Via:", "Record-Route:", "From:",
					      "To:",  "Call-ID:",      "CSeq:" };
	int n = snprintf(out, MESSAGE_MAX, "SIP/2.0 %s\r\n", status);

	for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
		int len;
		const char *p = msg;

		while ((p = line_of(p, copied[i], &len), len > 0)) {
			bool tagged = i != 3 || memmem(p, (size_t)len, "tag=", 4);

			n += snprintf(out + n, MESSAGE_MAX - (size_t)n, "%.*s%s\r\n", len, p,
				      tagged ? "" : ";tag=answer");
			p += len;
		}
	}
	if (dialog)
		n += snprintf(out + n, MESSAGE_MAX - (size_t)n,
			      "Contact: <sip:answer@127.0.0.1:%u>\r\n", callee.port);
	return n + snprintf(out + n, MESSAGE_MAX - (size_t)n, "%s", tail);
}

static void asked(char *msg)
{
	static char tail[sizeof(sdp) + 100], text[MESSAGE_MAX];

	if (strncmp(msg, "INVITE ", 7) == 0) {
		(void)snprintf(tail, sizeof(tail),
			       "Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
			       sizeof(sdp) - 1, sdp);
		commit(&callee, reply(begin(&callee), msg, "180 Ringing", true,
				      "Content-Length: 0\r\n\r\n"));
		(void)reply(text, msg, "200 OK", true, tail);
		push(&answers, (struct due){ now_ns() + ANSWER_NS, 0, 0, strdup(text) });
	} else if (strncmp(msg, "ACK ", 4) != 0 && strncmp(msg, "SIP/2.0", 7) != 0) {
		commit(&callee,
		       reply(begin(&callee), msg, "200 OK", false, "Content-Length: 0\r\n\r\n"));
	}
}

static void receive(struct socket *s, void (*take)(char *msg))
{
	int n;

	do {
		n = recvmmsg(s->fd, s->in, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			s->in_bytes[i][s->in[i].msg_len] = '\0';
			take(s->in_bytes[i]);
		}
	} while (n == BATCH);
}

static void run_timers(int64_t now)
{
	struct due due;

	for (unsigned k = 0; k < RESENDS; k++)
		while (pop(&retries[k], now, &due)) {
			struct op *op = &ops[due.id];

			if (op->stage != due.stage)
				continue;
			if (k + 1 == RESENDS) {
				end(due.id, false);
				continue;
			}
			op->resends++;
			resent++;
			send_stage(due.id);
			due.at = now + (T1_NS << (k + 1 < 3 ? k + 1 : 3));
			push(&retries[k + 1], due);
		}
	while (pop(&talks, now, &due))
		enter(due.id, 4);
	while (pop(&answers, now, &due)) {
		commit(&callee, snprintf(begin(&callee), MESSAGE_MAX, "%s", due.message));
		free(due.message);
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t next_start(int64_t began)
{
	if (started >= cfg.count)
		return INT64_MAX;
	if (cfg.rate)
		return began + (int64_t)started * 1000000000LL / cfg.rate;
	return started - done < cfg.window ? 0 : INT64_MAX;
}

static void load(void)
{
	struct pollfd fds[2] = { { caller.fd, POLLIN, 0 }, { callee.fd, POLLIN, 0 } };
	int64_t began = now_ns();

	while (done < cfg.count) {
		int64_t now = now_ns(), until = now + 1000000000LL;
		struct timespec wait;

		while (next_start(began) <= now) {
			if (cfg.mode <= REFUSED) { /* no timers: a lost one is repeated below */
				ops[started].stage = 1;
				ops[started].sent = now;
				send_stage(started++);
			} else {
				enter(started, 1);
				started++;
			}
		}
		run_timers(now);
		flush(&caller);
		if (cfg.mode == CALL)
			flush(&callee);
		for (unsigned k = 0; k < RESENDS; k++)
			earliest(&retries[k], &until);
		earliest(&talks, &until);
		earliest(&answers, &until);
		if (next_start(began) < until)
			until = next_start(began);
		now = now_ns();
		until = until > now ? until - now : 0;
		wait = (struct timespec){ until / 1000000000LL, until % 1000000000LL };
		if (ppoll(fds, cfg.mode == CALL ? 2 : 1, &wait, NULL) == 0 && cfg.mode <= REFUSED &&
		    started == done + cfg.window)
			for (unsigned i = 0; i < started; i++) /* lost datagrams */
				if (ops[i].stage) {
					resent++;
					send_stage(i);
				}
		receive(&caller, answered);
		if (cfg.mode == CALL)
			receive(&callee, asked);
	}
	qsort(latencies, latency_count, sizeof(*latencies), compare);
	printf("done=%u failed=%u resent=%u seconds=%.3f p50_us=%u p99_us=%u\n", done, failed,
	       resent, (double)(now_ns() - began) / 1e9,
	       latency_count ? latencies[latency_count / 2] : 0,
	       latency_count ? latencies[(size_t)latency_count * 99 / 100] : 0);
}

static void floor_loop(void)
{
	static struct sockaddr_in from[BATCH];
	static const char answer[] = "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
	struct pollfd fds[2] = { { 0, POLLIN, 0 }, { 0, POLLIN, 0 } };

	open_socket(&caller, cfg.port, 0);
	fds[1].fd = caller.fd;
	for (int i = 0; i < BATCH; i++)
		caller.in[i].msg_hdr.msg_name = &from[i];
	printf("ready\n");
	while (poll(fds, 2, -1) > 0 && fds[0].revents == 0) {
		int n, sent = 0;

		for (int i = 0; i < BATCH; i++)
			caller.in[i].msg_hdr.msg_namelen = sizeof(from[i]);
		n = recvmmsg(caller.fd, caller.in, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) { /* Via, From, To, Call-ID and CSeq are its own */
			char *msg = caller.in_bytes[i];
			char *line = memchr(msg, '\n', caller.in[i].msg_len);
			size_t head = sizeof("SIP/2.0 200 OK\r\n") - 1;

			if (!line || (size_t)(line + 1 - msg) < head)
				continue;
			line = line + 1 - head;
			memcpy(line, answer, head);
			caller.out_at[sent] =
				(struct iovec){ line, caller.in[i].msg_len - (size_t)(line - msg) };
			caller.out[sent].msg_hdr.msg_iov = &caller.out_at[sent];
			caller.out[sent].msg_hdr.msg_iovlen = 1;
			caller.out[sent].msg_hdr.msg_name = &from[i];
			caller.out[sent++].msg_hdr.msg_namelen = sizeof(from[i]);
		}
		if (sent > 0)
			(void)sendmmsg(caller.fd, caller.out, (unsigned)sent, 0);
	}
}

static void idle(void)
{
	struct sockaddr_in to = loopback(cfg.port);
	static char msg[MESSAGE_MAX];
	char line[8];

	for (unsigned i = 0; i < cfg.count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		ssize_t n;

		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
			die("connect");
		n = snprintf(msg, sizeof(msg),
			     "OPTIONS sip:127.0.0.1:%u SIP/2.0\r\n"
			     "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK%s-%u;rport\r\n"
			     "From: <sip:probe@%s>;tag=%u\r\nTo: <sip:127.0.0.1:%u>\r\n"
			     "Call-ID: %u-%s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
			     "Content-Length: 0\r\n\r\n",
			     cfg.port, run_id, i, cfg.domain, i, cfg.port, i, run_id);
		if (write(fd, msg, (size_t)n) != n || read(fd, msg, sizeof(msg)) <= 0)
			die("OPTIONS");
	}
	printf("ready\n");
	(void)fgets(line, sizeof(line), stdin);
}

static void read_options(char **args)
{
	static const struct {
		const char *name;
		unsigned *at;
	} numbers[] = { { "port", &cfg.port },	 { "count", &cfg.count },
			{ "rate", &cfg.rate },	 { "window", &cfg.window },
			{ "users", &cfg.users }, { "digits", &cfg.digits },
			{ "first", &cfg.first }, { "contact", &cfg.contact } };

	for (; *args; args++) {
		char *value = strchr(*args, '=');
		bool known = false;

		if (!value)
			exit(2);
		*value++ = '\0';
		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			if (strcmp(*args, numbers[i].name) == 0) {
				*numbers[i].at = (unsigned)strtoul(value, NULL, 10);
				known = true;
			}
		if (strcmp(*args, "domain") == 0)
			cfg.domain = value;
		else if (strcmp(*args, "prefix") == 0)
			cfg.prefix = value;
		else if (!known)
			exit(2);
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "options", "refused", "register", "call" };
	char line[8];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 2;
	read_options(argv + 2);
	(void)snprintf(run_id, sizeof(run_id), "%x%llx", (unsigned)getpid(),
		       (unsigned long long)now_ns());
	if (strcmp(argv[1], "floor") == 0) {
		floor_loop();
		return 0;
	}
	if (strcmp(argv[1], "idle") == 0) {
		idle();
		return 0;
	}
	while (cfg.mode <= CALL && strcmp(argv[1], names[cfg.mode]) != 0)
		cfg.mode++;
	if (cfg.mode > CALL || cfg.count == 0 || cfg.users == 0)
		return 2;
	ops = calloc(cfg.count, sizeof(*ops));
	latencies = calloc(cfg.count, sizeof(*latencies));
	if (!ops || !latencies)
		die("calloc");
	open_socket(&caller, 0, cfg.port);
	if (cfg.mode == CALL)
		open_socket(&callee, cfg.contact, cfg.port);
	printf("ready\n");
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	load();
	return 0;
}
