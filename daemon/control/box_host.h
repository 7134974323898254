/* SPDX-License-Identifier: Apache-2.0 */
/* box_host.h - the addresses under which others reach this host; the bridge of the guests is not one. */
#ifndef AURA_CONTROL_BOX_HOST_H
#define AURA_CONTROL_BOX_HOST_H

#include <stddef.h>

#define BOX_HOST_ADDRESSES 4 /* IPv4, as text */

/* Fills `out`, first the one of the default route, and returns how many there are; 0 when the host has
 * only loopback and the bridge. Nothing is sent. */
size_t box_host_addresses(const char *bridge, char out[static BOX_HOST_ADDRESSES][16]);

#endif
