/* SPDX-License-Identifier: Apache-2.0 */
/* seal.h - secrets that are kept elsewhere: AES-256-GCM under one key, as one word of text. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

struct error;

#define SEAL_KEY_LEN 32
#define SEAL_KEY_HEX (2 * SEAL_KEY_LEN + 1)
#define SEAL_PLAIN_MAX 640 /* bytes */
#define SEAL_TEXT_MAX 900  /* with NUL */

/* "v1." and base64url of nonce, ciphertext and tag. The purpose is not in it, and must be the same
 * where it is opened. Errors: -EINVAL too long, -ENOMEM. */
int seal_text(const uint8_t key[static SEAL_KEY_LEN], struct slice purpose, struct slice plain,
	      char ret[static SEAL_TEXT_MAX]);
/* The plain text with NUL into ret; its length. The caller wipes it. Errors: -EBADMSG it is no seal, or
 * of another key or purpose. */
ssize_t seal_open(const uint8_t key[static SEAL_KEY_LEN], struct slice purpose, struct slice sealed,
		  char ret[static SEAL_PLAIN_MAX + 1]);
/* The key in a file of hex, 0600; it is made where there is none. Errors: -EIO, -EACCES, -EBADMSG. */
int seal_key_load(const char *path, uint8_t ret[static SEAL_KEY_LEN], struct error *err);
