/* SPDX-License-Identifier: Apache-2.0 */
/* cluster.c - pg_control (PostgreSQL's catalog/pg_control.h): the system identifier comes first, the
 * nonce of 32 bytes and the CRC-32C of all before it come last. */
#include "agent/cluster.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/random.h"

#define CONTROL_SIZE 8192
#define CONTROL_MIN 128 /* the struct is longer than this in every version ... */
#define CONTROL_MAX 512 /* ... and its writer keeps it within one sector */
#define NONCE_LEN 32

uint32_t cluster_crc32c(const unsigned char *bytes, size_t len)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

int cluster_rename(unsigned char *control, size_t len, uint64_t identifier,
		   const unsigned char nonce[32])
{
	for (size_t end = CONTROL_MIN; end + 4 <= CONTROL_MAX && end + 4 <= len; end += 4) {
		uint32_t crc;

		memcpy(&crc, control + end, sizeof(crc));
		if (crc != cluster_crc32c(control, end))
			continue;
		memcpy(control, &identifier, sizeof(identifier));
		memcpy(control + end - NONCE_LEN, nonce, NONCE_LEN);
		crc = cluster_crc32c(control, end);
		memcpy(control + end, &crc, sizeof(crc));
		return 0;
	}
	return -EBADMSG;
}

int cluster_new_identity(const char *folder, struct error *err)
{
	unsigned char control[CONTROL_SIZE], nonce[NONCE_LEN];
	AUTO(fd) int fd = -1;
	uint64_t identifier;
	char path[300];
	int r;

	(void)snprintf(path, sizeof(path), "%.250s/global/pg_control", folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || read(fd, control, sizeof(control)) != (ssize_t)sizeof(control))
		return error_set(err, -EIO, "cannot read %s", path);
	random_bytes(nonce, sizeof(nonce));
	/* As initdb does: the time in the upper half, what cannot be guessed in the lower. */
	memcpy(&identifier, nonce, sizeof(identifier));
	identifier = (uint64_t)time(NULL) << 32 | (identifier & 0xffffffff);
	random_bytes(nonce, sizeof(nonce));
	r = cluster_rename(control, sizeof(control), identifier, nonce);
	if (r < 0)
		return error_set(err, r, "%s is damaged", path);
	if (pwrite(fd, control, sizeof(control), 0) != (ssize_t)sizeof(control) || fsync(fd) < 0)
		return error_set(err, -EIO, "cannot write %s", path);
	return 0;
}
