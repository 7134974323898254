/* SPDX-License-Identifier: Apache-2.0 */
/* cluster.h - gives a copied PostgreSQL cluster an identity of its own. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct error;

/* CRC-32C (Castagnoli) as PostgreSQL uses it. */
uint32_t cluster_crc32c(const unsigned char *bytes, size_t len);
/* Put a fresh system identifier and authentication nonce into pg_control's bytes and sign them with
 * the right checksum. Errors: -EBADMSG no pg_control whose checksum is right. */
int cluster_rename(unsigned char *control, size_t len, uint64_t identifier,
		   const unsigned char nonce[32]);
/* The same for FOLDER/global/pg_control, written in place: the folder is not in use yet. The
 * write-ahead log must be made anew afterwards (pg_resetwal). Errors: -EIO, -EBADMSG. */
int cluster_new_identity(const char *folder, struct error *err);
