/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c - see addr.h. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"

/* Four numbers below 256 without leading zeros, as inet_pton() takes them. */
static bool parse_ipv4(struct slice text, uint8_t ret[static 4])
{
	uint8_t bytes[4];
	size_t at = 0, first;

	for (int i = 0; i < 4; i++) {
		unsigned value = 0;

		if (i > 0 && (at >= text.len || text.p[at] != '.'))
			return false;
		first = at += i > 0;
		while (at < text.len && at - first < 3 && ascii_is_digit((unsigned char)text.p[at]))
			value = value * 10 + (unsigned)(text.p[at++] - '0');
		if (at == first || value > 255 || (text.p[first] == '0' && at - first > 1))
			return false;
		bytes[i] = (uint8_t)value;
	}
	if (at != text.len)
		return false;
	memcpy(ret, bytes, sizeof(bytes));
	return true;
}

int addr_parse_ip(struct slice text, uint16_t port, struct addr *ret)
{
	struct addr out = { 0 };
	char buf[ADDR_TEXT_MAX];

	if (text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']')
		text = slice_sub(text, 1, text.len - 1);
	if (text.len == 0)
		return -EINVAL;
	if (parse_ipv4(text, (uint8_t *)&out.in4.sin_addr)) {
		out.in4.sin_family = AF_INET;
		out.in4.sin_port = htons(port);
		out.len = sizeof(out.in4);
		*ret = out;
		return 0;
	}
	/* A name: most often seen at once, for an IPv6 address has a colon. */
	if (slice_find(text, ':') < 0 || slice_has_nul(text) ||
	    slice_copy(text, buf, sizeof(buf)) < 0)
		return -EINVAL;
	if (inet_pton(AF_INET6, buf, &out.in6.sin6_addr) == 1) {
		out.in6.sin6_family = AF_INET6;
		out.in6.sin6_port = htons(port);
		out.len = sizeof(out.in6);
	} else {
		return -EINVAL;
	}
	*ret = out;
	return 0;
}

static int parse_port(struct slice text, uint16_t *ret)
{
	uint32_t port;

	if (slice_to_u32(text, &port) < 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

int addr_parse(struct slice text, uint16_t default_port, struct addr *ret)
{
	uint16_t port = default_port;
	ptrdiff_t colon, close;

	if (text.len > 0 && text.p[0] == '[') {
		close = slice_find(text, ']');
		if (close < 0)
			return -EINVAL;
		if ((size_t)close + 1 < text.len) {
			if (text.p[close + 1] != ':' ||
			    parse_port(slice_sub(text, (size_t)close + 2, text.len), &port) < 0)
				return -EINVAL;
		}
		return addr_parse_ip(slice_sub(text, 1, (size_t)close), port, ret);
	}

	colon = slice_find(text, ':');
	if (colon >= 0 && slice_find(slice_sub(text, (size_t)colon + 1, text.len), ':') < 0) {
		if (parse_port(slice_sub(text, (size_t)colon + 1, text.len), &port) < 0)
			return -EINVAL;
		text = slice_sub(text, 0, (size_t)colon);
	}
	return addr_parse_ip(text, port, ret);
}

int addr_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct addr *ret)
{
	struct addr out = { 0 };

	if (sa->sa_family == AF_INET && len >= sizeof(out.in4)) {
		memcpy(&out.in4, sa, sizeof(out.in4));
		out.len = sizeof(out.in4);
	} else if (sa->sa_family == AF_INET6 && len >= sizeof(out.in6)) {
		memcpy(&out.in6, sa, sizeof(out.in6));
		out.len = sizeof(out.in6);
	} else {
		return -EAFNOSUPPORT;
	}
	*ret = out;
	return 0;
}

static char *put_number(char *at, unsigned n)
{
	char digits[10];
	size_t count = 0;

	if (n < 10) {
		*at++ = (char)('0' + n);
		return at;
	}
	do
		digits[count++] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

/* The usual case by hand: it stands in every trace and every Via. Returns its end. */
static char *format_ipv4(const struct addr *addr, char *at)
{
	const uint8_t *ip = (const uint8_t *)&addr->in4.sin_addr;

	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*at++ = '.';
		at = put_number(at, ip[i]);
	}
	*at = '\0';
	return at;
}

const char *addr_format_ip(const struct addr *addr, char buf[static ADDR_TEXT_MAX])
{
	buf[0] = '\0';
	if (addr_family(addr) == AF_INET)
		(void)format_ipv4(addr, buf);
	else if (addr_family(addr) == AF_INET6)
		(void)inet_ntop(AF_INET6, &addr->in6.sin6_addr, buf, ADDR_TEXT_MAX);
	return buf;
}

const char *addr_format_host(const struct addr *addr, char buf[static ADDR_TEXT_MAX])
{
	char ip[ADDR_TEXT_MAX];

	if (addr_family(addr) != AF_INET6)
		return addr_format_ip(addr, buf);
	(void)snprintf(buf, ADDR_TEXT_MAX, "[%.60s]", addr_format_ip(addr, ip));
	return buf;
}

const char *addr_format(const struct addr *addr, char buf[static ADDR_TEXT_MAX])
{
	char host[ADDR_TEXT_MAX], *at = buf;

	if (addr_family(addr) == AF_INET) {
		at = format_ipv4(addr, buf);
		*at++ = ':';
		at = put_number(at, addr_port(addr));
		*at = '\0';
	} else if (addr_family(addr) == AF_UNSPEC) {
		buf[0] = '\0';
	} else {
		(void)snprintf(buf, ADDR_TEXT_MAX, "%.56s:%u", addr_format_host(addr, host),
			       (unsigned int)addr_port(addr));
	}
	return buf;
}

int addr_family(const struct addr *addr)
{
	return addr->len == 0 ? AF_UNSPEC : addr->sa.sa_family;
}

uint16_t addr_port(const struct addr *addr)
{
	if (addr_family(addr) == AF_INET6)
		return ntohs(addr->in6.sin6_port);
	return addr_family(addr) == AF_INET ? ntohs(addr->in4.sin_port) : 0;
}

void addr_set_port(struct addr *addr, uint16_t port)
{
	if (addr_family(addr) == AF_INET6)
		addr->in6.sin6_port = htons(port);
	else if (addr_family(addr) == AF_INET)
		addr->in4.sin_port = htons(port);
}

/* The address as 16 bytes, IPv4 mapped into IPv6, so that both spellings are one. */
static void ip_bytes(const struct addr *addr, uint8_t ret[static 16])
{
	memset(ret, 0, 16);
	if (addr_family(addr) == AF_INET6) {
		memcpy(ret, &addr->in6.sin6_addr, 16);
	} else if (addr_family(addr) == AF_INET) {
		ret[10] = ret[11] = 0xff;
		memcpy(ret + 12, &addr->in4.sin_addr, 4);
	}
}

bool addr_equal_ip(const struct addr *a, const struct addr *b)
{
	uint8_t x[16], y[16];

	if ((a->len == 0) != (b->len == 0))
		return false;
	ip_bytes(a, x);
	ip_bytes(b, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_port(a) == addr_port(b) && addr_equal_ip(a, b);
}

static bool is_mapped(const uint8_t ip[static 16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

bool addr_is_loopback(const struct addr *addr)
{
	static const uint8_t one[16] = { [15] = 1 };
	uint8_t ip[16];

	ip_bytes(addr, ip);
	return is_mapped(ip) ? ip[12] == 127 : memcmp(ip, one, sizeof(one)) == 0;
}

bool addr_is_any(const struct addr *addr)
{
	static const uint8_t none[16];
	uint8_t ip[16];

	if (addr->len == 0)
		return false;
	ip_bytes(addr, ip);
	return memcmp(ip, none, 16) == 0 || (is_mapped(ip) && memcmp(ip + 12, none, 4) == 0);
}

static uint64_t mix(uint64_t hash, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 1099511628211ULL;
	return hash ^ (hash >> 29);
}

uint64_t addr_hash(const struct addr *addr, uint64_t seed)
{
	uint16_t port = addr_port(addr);
	uint8_t ip[16];

	ip_bytes(addr, ip);
	return mix(mix(seed ^ 14695981039346656037ULL, ip, sizeof(ip)), (const uint8_t *)&port, 2);
}

uint64_t addr_hash_ip(const struct addr *addr, uint64_t seed)
{
	uint8_t ip[16];

	ip_bytes(addr, ip);
	return mix(seed ^ 14695981039346656037ULL, ip, is_mapped(ip) ? 16 : 8);
}

bool addr_in_net(const struct addr *addr, const struct addr *base, unsigned int bits)
{
	uint8_t a[16], b[16];

	ip_bytes(addr, a);
	ip_bytes(base, b);
	if (is_mapped(b))
		bits += 96;
	if (bits > 128)
		return false;
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

int addr_parse_net(struct slice text, struct addr *base, unsigned int *bits)
{
	struct addr out;
	uint32_t n;
	bool found;
	struct slice ip = slice_take_until(&text, '/', &found);

	if (!found || addr_parse_ip(ip, 0, &out) < 0 || slice_to_u32(text, &n) < 0)
		return -EINVAL;
	if (n > (addr_family(&out) == AF_INET ? 32U : 128U))
		return -EINVAL;
	*base = out;
	*bits = n;
	return 0;
}

int addr_source_for(const struct addr *to, struct addr *ret)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	struct addr target = *to;
	struct addr out;
	AUTO(fd) int fd = socket(addr_family(to), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	if (addr_port(&target) == 0)
		addr_set_port(&target, 9);
	if (connect(fd, &target.sa, target.len) < 0)
		return -errno;
	if (getsockname(fd, (struct sockaddr *)&own, &len) < 0)
		return -errno;
	r = addr_from_sockaddr((struct sockaddr *)&own, len, &out);
	if (r < 0)
		return r;
	addr_set_port(&out, 0);
	*ret = out;
	return 0;
}
