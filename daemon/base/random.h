/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - random bytes from the kernel and UUIDs version 7 (RFC 9562). */
#pragma once
#include "base/slice.h"

/* getrandom(2); aborts the process if the kernel cannot give any. */
void random_bytes(void *out, size_t len);
uint32_t random_u32(void);
/* Uniform in [0, bound); bound > 0. */
uint32_t random_below(uint32_t bound);
/* len characters of [0-9a-z] and NUL into out[len + 1]; 5 bits each. */
void random_token(char *out, size_t len);

#define UUID_SIZE 37
/* A new UUIDv7 in text, 36 characters and NUL; ordered by time within a process. */
void uuid_v7(char out[UUID_SIZE]);
bool uuid_is_valid(struct slice text);
