/* SPDX-License-Identifier: Apache-2.0 */
/* vm_ready.h - the host's own proof that a guest serves: a probe over the network. */
#pragma once
#include <stdint.h>

#include "control/vm/vm_template.h"

struct error;

#define VM_PROBE_TIMEOUT_MS 4000 /* a busy host under TCG has taken two seconds */

/* The client certificate that the probes show, and the CA they trust: PEM files. */
struct vm_probe_identity {
	const char *cert_file;
	const char *key_file;
	const char *ca_file;
};

/* Ask once, at most VM_PROBE_TIMEOUT_MS; blocks. HEALTH: HTTPS GET /health with our client certificate
 * answers 200 and "ready":true; `name` is what the certificate must say (NAME.DOMAIN). POSTGRES: TLS, client
 * certificate, a log-in that gets as far as an answer of the server. TCP: connects.
 * Errors: -ECONNREFUSED, -ETIMEDOUT, -EAGAIN answered but not ready, -EKEYREJECTED, -EPROTO. */
int vm_probe_run(enum vm_probe probe, const char *address, uint16_t port, const char *name,
		 const struct vm_probe_identity *identity, struct error *err);
