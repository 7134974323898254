/* SPDX-License-Identifier: Apache-2.0 */
/* uc_zone.c - a time zone of the tz database, read once (RFC 8536 section 3, version 2 and above). */
#include "node/uc_zone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DIRECTORY "/usr/share/zoneinfo/"
#define FILE_MAX 65536
#define HEADER 44
#define TRANSITIONS_MAX 2000
#define TYPES_MAX 256

struct uc_zone {
	size_t count;
	int64_t *at;	 /* when, seconds since 1970, rising */
	int32_t *offset; /* from then on */
	int32_t first;	 /* before the first transition */
};

struct header {
	uint32_t isutc, isstd, leap, times, types, chars;
};

static uint32_t be32(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t be64(const char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static int take_header(struct slice *in, struct header *ret)
{
	struct slice h = slice_take(in, HEADER);

	if (h.len != HEADER || memcmp(h.p, "TZif", 4) != 0 || h.p[4] < '2')
		return -EBADMSG;
	*ret = (struct header){ be32(h.p + 20), be32(h.p + 24), be32(h.p + 28),
				be32(h.p + 32), be32(h.p + 36), be32(h.p + 40) };
	if (ret->times > TRANSITIONS_MAX || ret->types == 0 || ret->types > TYPES_MAX ||
	    ret->chars > FILE_MAX || ret->leap > TRANSITIONS_MAX || ret->isutc > TYPES_MAX ||
	    ret->isstd > TYPES_MAX)
		return -EBADMSG;
	return 0;
}

static size_t body_size(const struct header *h, size_t time_size)
{
	return h->times * time_size + h->times + h->types * 6UL + h->chars +
	       h->leap * (time_size + 4) + h->isstd + h->isutc;
}

struct uc_zone *uc_zone_free(struct uc_zone *zone)
{
	if (!zone)
		return NULL;
	free(zone->at);
	free(zone->offset);
	free(zone);
	return NULL;
}

int uc_zone_parse(struct slice bytes, struct uc_zone **ret)
{
	AUTO(uc_zone) struct uc_zone *zone = NULL;
	struct header h;
	const char *times, *kinds, *types;

	/* The first block is for old readers: 32-bit times. */
	if (take_header(&bytes, &h) < 0 ||
	    slice_take(&bytes, body_size(&h, 4)).len != body_size(&h, 4) ||
	    take_header(&bytes, &h) < 0 || bytes.len < body_size(&h, 8))
		return -EBADMSG;
	times = bytes.p;
	kinds = times + h.times * 8UL;
	types = kinds + h.times;
	zone = calloc(1, sizeof(*zone));
	if (!zone)
		return -ENOMEM;
	zone->at = calloc(h.times + 1UL, sizeof(*zone->at));
	zone->offset = calloc(h.times + 1UL, sizeof(*zone->offset));
	if (!zone->at || !zone->offset)
		return -ENOMEM;
	zone->first = (int32_t)be32(types);
	for (uint32_t i = 0; i < h.times; i++) {
		unsigned kind = (unsigned char)kinds[i];

		if (kind >= h.types)
			return -EBADMSG;
		zone->at[i] = be64(times + i * 8UL);
		zone->offset[i] = (int32_t)be32(types + kind * 6UL);
		if (i && zone->at[i] <= zone->at[i - 1])
			return -EBADMSG;
	}
	zone->count = h.times;
	*ret = TAKE(zone);
	return 0;
}

static bool name_char(unsigned char c)
{
	return ascii_is_alnum(c) || c == '/' || c == '_' || c == '-' || c == '+';
}

static int check_name(const char *name)
{
	struct slice rest = slice_str(name);

	if (rest.len == 0 || rest.len > UC_ZONE_NAME_MAX || name[0] == '/')
		return -EINVAL;
	slice_take_while(&rest, name_char);
	return rest.len ? -EINVAL : 0;
}

int uc_zone_load(const char *name, struct uc_zone **ret)
{
	AUTO(fd) int fd = -1;
	AUTO(str) char *bytes = malloc(FILE_MAX);
	char path[sizeof(DIRECTORY) + UC_ZONE_NAME_MAX];
	size_t used = 0;
	ssize_t n;

	if (check_name(name) < 0)
		return -EINVAL;
	if (!bytes)
		return -ENOMEM;
	snprintf(path, sizeof(path), DIRECTORY "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -ENOENT;
	while (used < FILE_MAX && (n = read(fd, bytes + used, FILE_MAX - used)) > 0)
		used += (size_t)n;
	return uc_zone_parse(slice_make(bytes, used), ret);
}

int32_t uc_zone_offset(const struct uc_zone *zone, int64_t at_s)
{
	size_t low = 0, high = zone->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (zone->at[mid] <= at_s)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? zone->offset[low - 1] : zone->first;
}
