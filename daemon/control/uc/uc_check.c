/* SPDX-License-Identifier: Apache-2.0 */
/* uc_check.c - see uc_check.h. */
#include "control/uc/uc_check.h"

#include "base/error.h"
#include "base/slice.h"
#include "net/addr.h"
#include "node/uc_regex.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define ZONES "/usr/share/zoneinfo/"

static bool made_of(const char *value, const char *set)
{
	return *value && value[strspn(value, set)] == '\0';
}

int uc_check_text(const char *value, struct error *err)
{
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			return error_set(err, -EINVAL, "must not hold control characters");
	return 0;
}

int uc_check_name(const char *value, struct error *err)
{
	if (strpbrk(value, "/%"))
		return error_set(err, -EINVAL, "must not hold / or %%");
	return uc_check_text(value, err);
}

int uc_check_domain(const char *value, struct error *err)
{
	size_t len = strlen(value);

	if (!made_of(value, LETTERS DIGITS ".-") || strchr(".-", value[0]) ||
	    strchr(".-", value[len - 1]) || strstr(value, ".."))
		return error_set(err, -EINVAL, "must be a domain like example.org");
	return 0;
}

int uc_check_host(const char *value, struct error *err)
{
	struct addr addr;

	if (addr_parse_ip(slice_str(value), 0, &addr) == 0)
		return 0;
	return uc_check_domain(value, NULL) < 0
		       ? error_set(err, -EINVAL, "must be a host name or an IP address")
		       : 0;
}

int uc_check_source(const char *value, struct error *err)
{
	struct addr addr;

	return addr_parse_ip(slice_str(value), 0, &addr) == 0
		       ? 0
		       : error_set(err, -EINVAL, "must be an IP address");
}

int uc_check_digits(const char *value, struct error *err)
{
	return made_of(value, DIGITS "+x*#")
		       ? 0
		       : error_set(err, -EINVAL, "must be made of digits, + * # and x");
}

int uc_check_insert(const char *value, struct error *err)
{
	return !*value || made_of(value, DIGITS "+*#")
		       ? 0
		       : error_set(err, -EINVAL, "must be made of digits, + * and #");
}

/* token, RFC 3261 section 25.1 */
int uc_check_header(const char *value, struct error *err)
{
	if (!made_of(value, LETTERS DIGITS "-.!%*_+`'~") || strlen(value) > 64)
		return error_set(err, -EINVAL, "must be the name of a header field");
	return 0;
}

int uc_check_status(const char *value, struct error *err)
{
	if (strlen(value) != 3 || !made_of(value, DIGITS) || value[0] < '3' || value[0] > '6')
		return error_set(err, -EINVAL, "must be a SIP status from 300 to 699");
	return 0;
}

int uc_check_clock(const char *value, struct error *err)
{
	if (strlen(value) != 5 || value[2] != ':' || strspn(value, DIGITS) != 2 ||
	    strspn(value + 3, DIGITS) != 2 || strncmp(value, "24", 2) >= 0 || value[3] > '5')
		return error_set(err, -EINVAL, "must be a time of day like 08:30");
	return 0;
}

int uc_check_clock_end(const char *value, struct error *err)
{
	return strcmp(value, "24:00") == 0 ? 0 : uc_check_clock(value, err);
}

/* Names hold no dot, so none leads out of the folder. */
int uc_check_zone(const char *value, struct error *err)
{
	char path[sizeof(ZONES) + 64];

	if (!made_of(value, LETTERS DIGITS "+_-/") || value[0] == '/' || strstr(value, "//") ||
	    value[strlen(value) - 1] == '/' ||
	    (size_t)snprintf(path, sizeof(path), ZONES "%s", value) >= sizeof(path) ||
	    (access(ZONES, F_OK) == 0 && access(path, R_OK) < 0))
		return error_set(err, -EINVAL, "must be a time zone like Europe/Berlin");
	return 0;
}

int uc_check_expression(const char *value, struct error *err)
{
	AUTO(uc_regex) struct uc_regex *regex = NULL;
	int r = uc_check_text(value, err);

	return r < 0 ? r : uc_regex_new(value, &regex, err);
}

int uc_check_day(const char *value, struct error *err)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (size_t i = 0; i < ARRAY_SIZE(days); i++)
		if (strcmp(value, days[i]) == 0)
			return 0;
	return error_set(err, -EINVAL, "must be one of: mon, tue, wed, thu, fri, sat, sun");
}

/* Four octets of digits and x, or *. */
static bool is_octets(struct slice text)
{
	bool more = true;

	for (size_t i = 0; i < 4; i++) {
		struct slice octet = slice_take_until(&text, '.', &more);
		bool star = octet.len == 1 && octet.p[0] == '*';

		if (more != (i < 3) || octet.len < 1 || octet.len > 3)
			return false;
		for (size_t k = 0; k < octet.len && !star; k++)
			if (octet.p[k] == '\0' || !strchr(DIGITS "x", octet.p[k]))
				return false;
		if (octet.len == 3 && (octet.p[0] > '2' && octet.p[0] != 'x'))
			return false;
	}
	return true;
}

static bool is_range(struct slice text)
{
	struct slice low = slice_take_until(&text, '-', NULL);
	struct addr from, to;

	if (addr_parse_ip(low, 0, &from) < 0 || addr_parse_ip(text, 0, &to) < 0 ||
	    addr_family(&from) != addr_family(&to))
		return false;
	return addr_family(&from) == AF_INET
		       ? memcmp(&from.in4.sin_addr, &to.in4.sin_addr, 4) <= 0
		       : memcmp(&from.in6.sin6_addr, &to.in6.sin6_addr, 16) <= 0;
}

int uc_check_ip_pattern(const char *value, struct error *err)
{
	struct slice text = slice_str(value);
	struct addr addr;
	unsigned int bits;

	if (!strpbrk(value, "[]") && (strchr(value, '-')   ? is_range(text)
				      : strchr(value, '/') ? addr_parse_net(text, &addr, &bits) == 0
				      : strpbrk(value, "x*") ? is_octets(text)
							     : addr_parse_ip(text, 0, &addr) == 0))
		return 0;
	return error_set(err, -EINVAL,
			 "must be an address, a network like 10.1.0.0/16, a range like"
			 " 10.0.0.1-10.0.0.9 or a pattern like 135.12x.121.*");
}
