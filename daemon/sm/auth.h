/* SPDX-License-Identifier: Apache-2.0 */
/* auth.h - who is the user behind a request? Digest by the HA1 of the administration. */
#pragma once
#include <stdbool.h>

struct sip_incoming;
struct sm;
struct uc_user;

/* proxy: 407 instead of 401. Returns 0 with the user; -EACCES when it was challenged or refused,
 * without state. Takes the nonce: ask once a transaction. */
int auth_check(struct sm *sm, const struct sip_incoming *in, bool proxy,
	       const struct uc_user **ret);
