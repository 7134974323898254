/* SPDX-License-Identifier: Apache-2.0 */
/* addr.h - an IPv4 or IPv6 socket address with port: parse, format, compare. Plain value. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/slice.h"

struct error;

#define ADDR_TEXT_MAX 64 /* fits "[v6 address with scope]:65535" and its NUL */

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	};
	socklen_t len; /* 0 = no address */
};

/* "192.0.2.1:5060", "[2001:db8::1]:5060", "192.0.2.1" or "2001:db8::1" (then with port
 * default_port). No names are resolved. Errors: -EINVAL. */
int addr_parse(struct slice text, uint16_t default_port, struct addr *ret);
/* An IP literal alone, IPv6 with or without brackets. Errors: -EINVAL (a name is one). */
int addr_parse_ip(struct slice text, uint16_t port, struct addr *ret);
int addr_from_sockaddr(const struct sockaddr *sa, socklen_t len,
		       struct addr *ret); /* -EAFNOSUPPORT */

/* "192.0.2.1:5060" / "[2001:db8::1]:5060"; NUL-terminated; returns buf. */
const char *addr_format(const struct addr *addr, char buf[static ADDR_TEXT_MAX]);
/* The address without the port; IPv6 without brackets. */
const char *addr_format_ip(const struct addr *addr, char buf[static ADDR_TEXT_MAX]);
/* The address as a SIP or HTTP host part: IPv6 in brackets. */
const char *addr_format_host(const struct addr *addr, char buf[static ADDR_TEXT_MAX]);

uint16_t addr_port(const struct addr *addr);
void addr_set_port(struct addr *addr, uint16_t port);
int addr_family(const struct addr *addr); /* AF_INET, AF_INET6, AF_UNSPEC when empty */
bool addr_equal(const struct addr *a,
		const struct addr *b); /* with port; ::ffff:a.b.c.d = a.b.c.d */
bool addr_equal_ip(const struct addr *a, const struct addr *b); /* without port */
bool addr_is_loopback(const struct addr *addr);
bool addr_is_any(const struct addr *addr);		       /* 0.0.0.0 or :: */
uint64_t addr_hash(const struct addr *addr, uint64_t seed);    /* with port */
uint64_t addr_hash_ip(const struct addr *addr, uint64_t seed); /* without port; IPv6 by its /64 */

/* True when the address lies in the net "10.77.0.0/24" or "fd00::/8" given as base and bits. */
bool addr_in_net(const struct addr *addr, const struct addr *base, unsigned int bits);
/* "10.77.0.0/24" -> base and bits. Errors: -EINVAL. */
int addr_parse_net(struct slice text, struct addr *base, unsigned int *bits);

/* The source address the kernel would use towards `to` (no packet is sent); port 0. */
int addr_source_for(const struct addr *to, struct addr *ret);
