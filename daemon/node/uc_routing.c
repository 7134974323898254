/* SPDX-License-Identifier: Apache-2.0 */
/* uc_routing.c - questions to the rows of routing: which location, whose domain, does a pattern fit. */
#include "node/uc_routing.h"

#include "net/addr.h"
#include "node/uc_model_build.h"

static const char *const state_names[] = { "enabled", "disabled", "test_only" };

const char *uc_adaptation_state_name(enum uc_adaptation_state state)
{
	return state_names[state];
}

const struct uc_routing *uc_model_routing(const struct uc_model *m)
{
	return &m->routing;
}

const struct uc_location *uc_location_by_name(const struct uc_routing *r, const char *name)
{
	struct map_node *node = map_get(&r->by_location, slice_str(name));

	return node ? MAP_ENTRY(node, struct uc_location, by_name) : NULL;
}

/* Addresses ---------------------------------------------------------------------------------- */
static bool bytes_of(const struct addr *addr, uint8_t out[16])
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	switch (addr_family(addr)) {
	case AF_INET:
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + 12, &addr->in4.sin_addr, 4);
		return true;
	case AF_INET6:
		memcpy(out, &addr->in6.sin6_addr, 16);
		return true;
	default:
		return false;
	}
}

static int read_ip(struct slice text, uint8_t out[16], bool *v4)
{
	struct addr addr;

	if (addr_parse_ip(slice_trim(text), 0, &addr) < 0 || !bytes_of(&addr, out))
		return -EINVAL;
	*v4 = addr_family(&addr) == AF_INET;
	return 0;
}

static unsigned width_of(const struct uc_ip_pattern *p)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned differ = p->low[i] ^ p->high[i];

		for (unsigned bit = 0; differ && bit < 8; bit++)
			if (differ & (0x80U >> bit))
				return 128 - i * 8 - bit;
	}
	return 0;
}

static int read_net(struct slice base, struct slice bits, struct uc_ip_pattern *p)
{
	uint32_t n = 0;
	bool v4;

	if (read_ip(base, p->low, &v4) < 0 || slice_to_u32(bits, &n) < 0 || n > (v4 ? 32U : 128U))
		return -EINVAL;
	n += v4 ? 96 : 0;
	for (unsigned i = 0; i < 16; i++) {
		unsigned keep = n >= (i + 1) * 8 ? 8 : n > i * 8 ? n - i * 8 : 0;
		uint8_t mask = (uint8_t)(0xff00U >> keep);

		p->low[i] &= mask;
		p->high[i] = p->low[i] | (uint8_t)~mask;
	}
	return 0;
}

static bool octet_char(unsigned char c)
{
	return ascii_is_digit(c) || c == 'x' || c == 'X' || c == '*';
}

static int read_octets(struct slice text, struct uc_ip_pattern *p)
{
	p->octets = true;
	for (unsigned i = 0; i < 4; i++) {
		bool dot = false;
		struct slice part = slice_take_until(&text, '.', &dot), rest = part;

		slice_take_while(&rest, octet_char);
		if (rest.len || part.len == 0 || part.len > 3 || dot != (i < 3) ||
		    (slice_find(part, '*') >= 0 && part.len > 1))
			return -EINVAL;
		for (size_t j = 0; j < part.len; j++) {
			p->octet[i][j] = ascii_lower(part.p[j]);
			p->free_bits += part.p[j] == '*' ? 8 : ascii_is_digit(part.p[j]) ? 0 : 4;
		}
	}
	return text.len ? -EINVAL : 0;
}

int uc_ip_pattern_read(struct slice text, struct uc_ip_pattern *ret)
{
	struct uc_ip_pattern p = { 0 };
	struct slice rest = slice_trim(text), first;
	bool cut = false, v4, v4_too;
	int r;

	if (slice_find(rest, '*') >= 0 || slice_find(rest, 'x') >= 0 ||
	    slice_find(rest, 'X') >= 0) {
		r = read_octets(rest, &p);
		if (r == 0)
			*ret = p;
		return r;
	}
	first = slice_take_until(&rest, '/', &cut);
	if (cut) {
		r = read_net(first, rest, &p);
	} else {
		rest = first;
		first = slice_take_until(&rest, '-', &cut);
		r = read_ip(first, p.low, &v4);
		if (r == 0)
			r = read_ip(cut ? rest : first, p.high, &v4_too);
		if (r == 0 && (v4 != v4_too || memcmp(p.low, p.high, 16) > 0))
			r = -EINVAL;
	}
	if (r < 0)
		return r;
	p.free_bits = width_of(&p);
	*ret = p;
	return 0;
}

static bool octet_holds(const char *pattern, unsigned value)
{
	char text[4] = { 0 };
	unsigned n = 0;

	if (pattern[0] == '*')
		return true;
	if (value >= 100)
		text[n++] = (char)('0' + value / 100);
	if (value >= 10)
		text[n++] = (char)('0' + value / 10 % 10);
	text[n] = (char)('0' + value % 10);
	for (unsigned i = 0; i < 4; i++) {
		if (pattern[i] == 'x' ? text[i] == '\0' : pattern[i] != text[i])
			return false;
		if (pattern[i] == '\0')
			break;
	}
	return true;
}

bool uc_ip_pattern_holds(const struct uc_ip_pattern *pattern, const struct addr *addr)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	uint8_t bytes[16];

	if (!bytes_of(addr, bytes))
		return false;
	if (!pattern->octets)
		return memcmp(bytes, pattern->low, 16) >= 0 &&
		       memcmp(bytes, pattern->high, 16) <= 0;
	if (memcmp(bytes, mapped, sizeof(mapped)) != 0)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (!octet_holds(pattern->octet[i], bytes[12 + i]))
			return false;
	return true;
}

const struct uc_location *uc_location_of(const struct uc_routing *r, const struct addr *addr)
{
	const struct uc_location *best = NULL;
	unsigned best_bits = 0;

	for (size_t i = 0; i < r->location_count; i++) {
		const struct uc_location *l = &r->locations[i];

		for (size_t j = 0; j < l->count; j++) {
			const struct uc_ip_pattern *p = &l->patterns[j];

			if ((!best || p->free_bits < best_bits) && uc_ip_pattern_holds(p, addr)) {
				best = l;
				best_bits = p->free_bits;
			}
		}
	}
	return best;
}

/* Domains and digits ------------------------------------------------------------------------- */
bool uc_domain_is_ours(const struct uc_model *m, struct slice host)
{
	if (slice_eq_str_nocase(host, m->domain))
		return true;
	for (size_t i = 0; host.len && i < m->routing.domain_count; i++)
		if (slice_eq_str_nocase(host, m->routing.domains[i]))
			return true;
	return false;
}

static bool pattern_char(unsigned char c)
{
	return ascii_is_digit(c) || c == '+' || c == '*' || c == '#' || c == 'x';
}

int uc_pattern_check(const char *pattern)
{
	struct slice rest = slice_str(pattern);

	if (rest.len == 0 || rest.len > UC_DIGITS_MAX)
		return -EINVAL;
	slice_take_while(&rest, pattern_char);
	return rest.len ? -EINVAL : 0;
}

bool uc_digits_match(const char *pattern, uint32_t min, uint32_t max, struct slice digits)
{
	if (digits.len < min || digits.len > max)
		return false;
	for (size_t i = 0; pattern[i]; i++) {
		if (i >= digits.len)
			return false;
		if (pattern[i] == 'x' ? !ascii_is_digit((unsigned char)digits.p[i])
				      : pattern[i] != digits.p[i])
			return false;
	}
	return true;
}
