/* SPDX-License-Identifier: Apache-2.0 */
/* md5_hex.h - MD5 as digest authentication writes it (RFC 2617), for the loads of the benches and soaks. */
#pragma once
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void md5_hex(const char *text, char out[33])
{
	static EVP_MD *md5;
	static EVP_MD_CTX *ctx;
	unsigned char raw[16];

	if (!ctx) {
		md5 = EVP_MD_fetch(NULL, "MD5", NULL);
		ctx = EVP_MD_CTX_new();
	}
	if (EVP_DigestInit_ex2(ctx, md5, NULL) != 1 ||
	    EVP_DigestUpdate(ctx, text, strlen(text)) != 1 ||
	    EVP_DigestFinal_ex(ctx, raw, NULL) != 1)
		exit(1);
	for (int i = 0; i < 16; i++)
		(void)sprintf(out + 2 * i, "%02x", raw[i]);
}
