/* SPDX-License-Identifier: Apache-2.0 */
/* late_ack.h - ACKs that wait until the DNS has said where their next hop is. */
#pragma once

struct sip_incoming;
struct sip_locate_wait;
struct sm;

/* Keep a copy of the ACK; returns what will wake it, or NULL: there are too many, its sender repeats it. */
struct sip_locate_wait *late_ack_keep(struct sm *sm, const struct sip_incoming *in);
/* It need not wait after all. */
void late_ack_drop(struct sip_locate_wait *wait);
void late_ack_free_all(struct sm *sm);
