/* SPDX-License-Identifier: Apache-2.0 */
/* vm_ready.h - the host's own proof that a guest serves: a probe over the network. */
#pragma once
#include <stdint.h>

#include "control/vm/vm_template.h"

struct error;
struct vm_prober; /* opaque; any thread */

#define VM_PROBE_TIMEOUT_MS 4000 /* a busy host under TCG has taken two seconds */

/* The client certificate that the probes show, and the CA they trust: PEM files. */
struct vm_probe_identity {
	const char *cert_file;
	const char *key_file;
	const char *ca_file;
};

/* Its connections are kept for the next probe, at most a minute: a handshake is much work for an emulated
 * guest. The texts of identity must live as long. Errors: -ENOMEM. */
int vm_prober_new(const struct vm_probe_identity *identity, struct vm_prober **ret);
struct vm_prober *vm_prober_free(struct vm_prober *prober); /* no probe may be under way */

/* Ask once, at most VM_PROBE_TIMEOUT_MS; blocks. HEALTH: HTTPS GET /health with our client certificate
 * answers 200 and "ready":true; `name` is what the certificate must say (NAME.DOMAIN). POSTGRES: TLS, client
 * certificate, a log-in that gets as far as an answer of the server. TCP: connects.
 * Errors: -ECONNREFUSED, -ETIMEDOUT, -EAGAIN answered but not ready, -EKEYREJECTED, -EPROTO. */
int vm_prober_ask(struct vm_prober *prober, enum vm_probe probe, const char *address, uint16_t port,
		  const char *name, struct error *err);
