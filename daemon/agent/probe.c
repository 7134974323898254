/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - two small clients over unix sockets (PostgreSQL: "Message Formats" of its manual). */
#include "agent/probe.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json_field.h"

#define ANSWER_MAX 65536
#define LINK_USES 60

static void say(struct probe_result *ret, const char *reason)
{
	size_t n = 0;

	ret->ready = false;
	for (; *reason && n + 1 < sizeof(ret->reason); reason++)
		if ((unsigned char)*reason >= 0x20 && (unsigned char)*reason < 0x7f)
			ret->reason[n++] = *reason;
	ret->reason[n] = '\0';
}

static int dial(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = PROBE_TIMEOUT / 1000 };
	AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (slice_copy(slice_str(path), to.sun_path, sizeof(to.sun_path)) < 0)
		return -EINVAL;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return TAKE_FD(fd);
}

void probe_read_health(const char *answer, unsigned long len, struct probe_result *ret)
{
	struct slice rest = slice_make(answer, len), line;
	AUTO(json) json_t *body = NULL;
	uint32_t status = 0;
	const char *end, *text;

	line = slice_take_until(&rest, '\n', NULL);
	if (!slice_skip(&line, SLICE("HTTP/1.1 ")) || slice_take_u32(&line, &status) < 0) {
		say(ret, "the server does not answer");
		return;
	}
	end = memmem(answer, len, "\r\n\r\n", 4);
	if (!end || json_parse(slice_sub(slice_make(answer, len), (size_t)(end - answer) + 4, len),
			       &body, NULL) < 0) {
		say(ret, "the server answers no JSON");
		return;
	}
	text = json_string_value(json_object_get(body, "reason"));
	if (!text)
		text = json_string_value(json_object_get(body, "detail"));
	if (status == 200 && json_is_true(json_object_get(body, "ready")))
		*ret = (struct probe_result){ .ready = true };
	else
		say(ret, text ? text : "the server is not ready");
}

void probe_health(const char *socket_path, struct probe_result *ret)
{
	static const char request[] = "GET /health HTTP/1.1\r\nHost: localhost\r\n"
				      "Connection: close\r\n\r\n";
	AUTO(str) char *answer = malloc(ANSWER_MAX);
	AUTO(fd) int fd = dial(socket_path);
	size_t len = 0;
	ssize_t n;

	if (!answer || fd < 0 ||
	    send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1) {
		say(ret, "the server is starting");
		return;
	}
	while (len < ANSWER_MAX && (n = recv(fd, answer + len, ANSWER_MAX - len, 0)) > 0)
		len += (size_t)n;
	probe_read_health(answer, len, ret);
}

static void put_u32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

static uint32_t get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ErrorResponse: fields of one type byte and a text with NUL; 'M' is the message. */
static void read_error(const unsigned char *p, size_t len, struct probe_result *ret)
{
	while (len > 1 && p[0] != 0) {
		const unsigned char *end = memchr(p + 1, 0, len - 1);

		if (!end)
			break;
		if (p[0] == 'M') {
			say(ret, (const char *)p + 1);
			return;
		}
		len -= (size_t)(end + 1 - p);
		p = end + 1;
	}
	say(ret, "the database refuses the log-in");
}

int probe_read_postgres(const unsigned char *answer, unsigned long len, struct probe_result *ret)
{
	while (len >= 5) {
		uint32_t size = get_u32(answer + 1);

		if (size < 4 || size > ANSWER_MAX) {
			say(ret, "the database does not answer");
			return 1;
		}
		if (len < (unsigned long)size + 1)
			return 0;
		switch (answer[0]) {
		case 'E':
			read_error(answer + 5, size - 4, ret);
			return 1;
		case 'Z':
			*ret = (struct probe_result){ .ready = true };
			return 1;
		default:
			break;
		}
		answer += size + 1;
		len -= size + 1;
	}
	return 0;
}

/* StartupMessage: length, version 3.0, then name and value texts, a NUL at the end. */
static size_t startup(unsigned char *out, size_t size, const char *user, const char *database)
{
	const char *const words[] = { "user", user, "database", database };
	size_t n = 8;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i]) + 1;

		if (n + len + 1 > size)
			return 0;
		memcpy(out + n, words[i], len);
		n += len;
	}
	out[n++] = 0;
	put_u32(out, (uint32_t)n);
	put_u32(out + 4, 196608);
	return n;
}

/* Say something and wait for ReadyForQuery. */
static void exchange(int fd, const void *words, size_t n, struct probe_result *ret)
{
	AUTO(str) char *answer = malloc(ANSWER_MAX);
	size_t len = 0;
	ssize_t got;

	say(ret, "the database is starting");
	if (!answer || fd < 0 || n == 0 || send(fd, words, n, MSG_NOSIGNAL) != (ssize_t)n)
		return;
	while (len < ANSWER_MAX && (got = recv(fd, answer + len, ANSWER_MAX - len, 0)) > 0) {
		len += (size_t)got;
		if (probe_read_postgres((unsigned char *)answer, len, ret))
			break;
	}
}

void probe_link_close(struct probe_link *link)
{
	static const unsigned char terminate[] = { 'X', 0, 0, 0, 4 };

	if (link->fd >= 0) {
		(void)send(link->fd, terminate, sizeof(terminate), MSG_NOSIGNAL);
		close(link->fd);
	}
	*link = (struct probe_link){ .fd = -1 };
}

void probe_postgres(struct probe_link *link, const char *socket_path, const char *user,
		    const char *database, struct probe_result *ret)
{
	static const unsigned char empty_query[] = { 'Q', 0, 0, 0, 5, 0 };
	unsigned char hello[256];

	if (link->fd >= 0 && ++link->uses < LINK_USES) {
		exchange(link->fd, empty_query, sizeof(empty_query), ret);
		if (ret->ready)
			return;
	}
	probe_link_close(link);
	link->fd = dial(socket_path);
	exchange(link->fd, hello, startup(hello, sizeof(hello), user, database), ret);
	if (!ret->ready)
		probe_link_close(link);
}
