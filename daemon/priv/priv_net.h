/* SPDX-License-Identifier: Apache-2.0 */
/* priv_net.h - the guests' bridge and the packet filter around it. */
#pragma once
#include "base/error.h"

struct box_config;
struct buf;

/* Make the bridge with a fixed MAC and the host's address, or set right what is there; idempotent.
 * Errors: as priv_run(). */
int priv_bridge(const struct box_config *config, struct error *err);
/* Load table `ip aurabox`, replacing an older one in one transaction. Errors: as priv_run(). */
int priv_firewall(const struct box_config *config, struct error *err);
/* The nft script of priv_firewall(), for it and its test. */
int priv_firewall_script(const struct box_config *config, struct buf *out, struct error *err);
/* "02:…": the bridge's MAC, the same on each start of this machine. seed: its machine-id. */
void priv_bridge_mac(const char *seed, char out[18]);
