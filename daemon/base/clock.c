/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - see clock.h. */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

static uint64_t system_monotonic(void *user)
{
	struct timespec ts;

	(void)user;
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int64_t system_wall(void *user)
{
	struct timespec ts;

	(void)user;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_wall_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

const struct clock *clock_system(void)
{
	static const struct clock system = { system_monotonic, system_wall, NULL };

	return &system;
}

static uint64_t fake_monotonic(void *user)
{
	return ((struct clock_fake *)user)->now_ms;
}

static int64_t fake_wall(void *user)
{
	return ((struct clock_fake *)user)->now_wall_ms;
}

void clock_fake_init(struct clock_fake *c, uint64_t now_ms, int64_t now_wall_ms)
{
	c->clock = (struct clock){ fake_monotonic, fake_wall, c };
	c->now_ms = now_ms;
	c->now_wall_ms = now_wall_ms;
}

void clock_fake_advance(struct clock_fake *c, uint64_t ms)
{
	c->now_ms += ms;
	c->now_wall_ms += (int64_t)ms;
}

char *clock_format(int64_t wall_ms, char *out)
{
	int64_t seconds = wall_ms / 1000;
	int millis = (int)(wall_ms % 1000);
	time_t t;
	struct tm tm;

	if (millis < 0) {
		millis += 1000;
		seconds--;
	}
	t = (time_t)seconds;
	if (!gmtime_r(&t, &tm) || tm.tm_year > 8099 || tm.tm_year < -1900) {
		(void)snprintf(out, CLOCK_RFC3339_SIZE, "1970-01-01T00:00:00.000Z");
		return out;
	}
	(void)snprintf(out, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		       (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		       (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		       (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100,
		       (unsigned)millis % 1000);
	return out;
}

/* len digits, value in [min, max] */
static int take_digits(struct slice *in, size_t len, int min, int max, int *ret)
{
	struct slice digits = slice_take(in, len);
	uint32_t value;

	if (digits.len != len || slice_to_u32(digits, &value) < 0)
		return -EBADMSG;
	if ((int)value < min || (int)value > max)
		return -ERANGE;
	*ret = (int)value;
	return 0;
}

static int take_fraction(struct slice *in, int *ret_ms)
{
	int ms = 0, scale = 100;
	size_t n = 0;

	*ret_ms = 0;
	if (!slice_skip_char(in, '.'))
		return 0;
	for (; n < in->len && n < 12 && ascii_is_digit((unsigned char)in->p[n]); n++) {
		ms += (in->p[n] - '0') * scale;
		scale /= 10;
	}
	if (n == 0)
		return -EBADMSG;
	(void)slice_take(in, n);
	*ret_ms = ms;
	return 0;
}

static int take_zone(struct slice *in, int *ret_minutes)
{
	int sign, hours, minutes;

	*ret_minutes = 0;
	if (slice_skip_char(in, 'Z') || slice_skip_char(in, 'z'))
		return 0;
	if (slice_skip_char(in, '+'))
		sign = 1;
	else if (slice_skip_char(in, '-'))
		sign = -1;
	else
		return -EBADMSG;
	if (take_digits(in, 2, 0, 23, &hours) < 0 || !slice_skip_char(in, ':') ||
	    take_digits(in, 2, 0, 59, &minutes) < 0)
		return -EBADMSG;
	*ret_minutes = sign * (hours * 60 + minutes);
	return 0;
}

int clock_parse(struct slice text, int64_t *ret_wall_ms)
{
	struct slice in = text;
	struct tm tm = { 0 };
	int ms, zone;

	if (take_digits(&in, 4, 1, 9999, &tm.tm_year) < 0 || !slice_skip_char(&in, '-') ||
	    take_digits(&in, 2, 1, 12, &tm.tm_mon) < 0 || !slice_skip_char(&in, '-') ||
	    take_digits(&in, 2, 1, 31, &tm.tm_mday) < 0)
		return -EBADMSG;
	if (!slice_skip_char(&in, 'T') && !slice_skip_char(&in, 't') && !slice_skip_char(&in, ' '))
		return -EBADMSG;
	if (take_digits(&in, 2, 0, 23, &tm.tm_hour) < 0 || !slice_skip_char(&in, ':') ||
	    take_digits(&in, 2, 0, 59, &tm.tm_min) < 0 || !slice_skip_char(&in, ':') ||
	    take_digits(&in, 2, 0, 60, &tm.tm_sec) < 0)
		return -EBADMSG;
	if (take_fraction(&in, &ms) < 0 || take_zone(&in, &zone) < 0 || in.len != 0)
		return -EBADMSG;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_wall_ms = ((int64_t)timegm(&tm) - (int64_t)zone * 60) * 1000 + ms;
	return 0;
}
