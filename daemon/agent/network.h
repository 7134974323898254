/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - the guest's interface, addresses and default route, by rtnetlink. */
#pragma once

struct error;

/* Each is harmless when it is so already. Errors: -EINVAL not an address, -ENODEV, -errno. */
int network_up(const char *interface, struct error *err);
int network_add_address(const char *interface, const char *address, struct error *err); /* A/LEN */
int network_add_gateway(const char *gateway, struct error *err);
