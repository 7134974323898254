/* SPDX-License-Identifier: Apache-2.0 */
/* helper_net.h - what the tests of sockets and TLS share: a loop, a folder, certificates in it. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after those above */
#include <cmocka.h>

#include "base/error.h"
#include "base/loop.h"
#include "net/addr.h"
#include "net/tls.h"

struct pki_ca;

struct loop *test_loop(void);
/* Turn the loop until *flag or 5 s are over; fails then. */
void turn_until(struct loop *loop, const unsigned int *count, unsigned int want);
struct addr loopback(void);

/* A folder under /tmp with a CA and certificates "server" (DNS server.test, IP 127.0.0.1) and "client". */
struct test_pki {
	char dir[64];
	struct pki_ca *ca;
};
void test_pki_init(struct test_pki *pki);
void test_pki_done(struct test_pki *pki);
/* Context of the certificate NAME (NULL = none) that trusts the CA in CA_DIR (NULL = the same). */
struct tls_context *test_context(const struct test_pki *pki, const char *name, bool server,
				 enum tls_verify verify, const char *ca_dir);
