/* SPDX-License-Identifier: Apache-2.0 */
/* box_host.c - the host's own addresses, for the console's URL and the names in the API's certificate. */
#include "control/box_host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The source address that the kernel would take towards the world; connecting a datagram socket sends
 * nothing. The far address is one reserved for documentation. */
static in_addr_t routed_address(void)
{
	struct sockaddr_in far = { .sin_family = AF_INET,
				   .sin_port = htons(9),
				   .sin_addr.s_addr = htonl(0xc0000201) };
	struct sockaddr_in near = { 0 };
	socklen_t len = sizeof(near);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	if (connect(fd, (const struct sockaddr *)&far, sizeof(far)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&near, &len) < 0)
		near.sin_addr.s_addr = 0;
	(void)close(fd);
	return near.sin_addr.s_addr;
}

static size_t add(char out[static BOX_HOST_ADDRESSES][16], size_t count, in_addr_t address)
{
	char text[16];

	if (count == BOX_HOST_ADDRESSES ||
	    !inet_ntop(AF_INET, &(struct in_addr){ address }, text, sizeof(text)))
		return count;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(out[i], text) == 0)
			return count;
	}
	(void)memcpy(out[count], text, sizeof(text));
	return count + 1;
}

size_t box_host_addresses(const char *bridge, char out[static BOX_HOST_ADDRESSES][16])
{
	in_addr_t first = routed_address();
	struct ifaddrs *all = NULL;
	size_t count = 0;

	if (getifaddrs(&all) < 0)
		return 0;
	/* twice: in the first round only the routed one, and only if it is no address of the bridge */
	for (int round = 0; round < 2; round++) {
		for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
			struct sockaddr_in in;

			if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
			    !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK) ||
			    strcmp(i->ifa_name, bridge) == 0)
				continue;
			(void)memcpy(&in, i->ifa_addr, sizeof(in));
			if (round == 1 || in.sin_addr.s_addr == first)
				count = add(out, count, in.sin_addr.s_addr);
		}
	}
	freeifaddrs(all);
	return count;
}
