/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - rtnetlink requests (rtnetlink(7)), one message and its acknowledgement each. */
#include "agent/network.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/slice.h"

struct request {
	struct nlmsghdr head;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
		struct rtmsg route;
	} body;
	char attributes[128];
};

static void add_attribute(struct request *q, unsigned short type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	q->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->head.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

/* Send and wait for the kernel's verdict. */
static int talk(struct request *q)
{
	union {
		struct nlmsghdr head;
		char bytes[1024];
	} answer;
	const struct nlmsgerr *verdict;
	AUTO(fd) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	if (fd < 0)
		return -errno;
	q->head.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(fd, q, q->head.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*verdict)) || answer.head.nlmsg_type != NLMSG_ERROR)
		return -EIO;
	verdict = NLMSG_DATA(&answer.head);
	return verdict->error == -EEXIST ? 0 : verdict->error;
}

/* "ADDRESS[/LENGTH]" to bytes; *len gets the prefix length (the full one when not given). */
static int parse(const char *text, int *family, unsigned char bytes[16], uint32_t *len)
{
	struct slice rest = slice_str(text), host;
	char buf[INET6_ADDRSTRLEN];
	bool has_len;

	host = slice_take_until(&rest, '/', &has_len);
	if (slice_copy(host, buf, sizeof(buf)) < 0)
		return -EINVAL;
	*family = strchr(buf, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(*family, buf, bytes) != 1)
		return -EINVAL;
	*len = *family == AF_INET6 ? 128 : 32;
	if (has_len) {
		uint32_t wanted;

		if (slice_to_u32(rest, &wanted) < 0 || wanted > *len)
			return -EINVAL;
		*len = wanted;
	}
	return 0;
}

int network_up(const char *interface, struct error *err)
{
	struct request q = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
				       .nlmsg_type = RTM_NEWLINK } };
	unsigned index = if_nametoindex(interface);
	int r;

	if (index == 0)
		return error_set(err, -ENODEV, "there is no interface '%s'", interface);
	q.body.link.ifi_index = (int)index;
	q.body.link.ifi_flags = IFF_UP;
	q.body.link.ifi_change = IFF_UP;
	r = talk(&q);
	return r < 0 ? error_set(err, r, "cannot switch on '%s'", interface) : 0;
}

int network_add_address(const char *interface, const char *address, struct error *err)
{
	struct request q = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
				       .nlmsg_type = RTM_NEWADDR,
				       .nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE } };
	unsigned index = if_nametoindex(interface);
	unsigned char bytes[16];
	uint32_t len;
	int family, r;

	if (index == 0)
		return error_set(err, -ENODEV, "there is no interface '%s'", interface);
	r = parse(address, &family, bytes, &len);
	if (r < 0)
		return error_set(err, r, "'%s' is no address", address);
	q.body.address.ifa_family = (unsigned char)family;
	q.body.address.ifa_prefixlen = (unsigned char)len;
	q.body.address.ifa_index = index;
	add_attribute(&q, IFA_LOCAL, bytes, family == AF_INET6 ? 16 : 4);
	add_attribute(&q, IFA_ADDRESS, bytes, family == AF_INET6 ? 16 : 4);
	r = talk(&q);
	return r < 0 ? error_set(err, r, "cannot set the address '%s'", address) : 0;
}

int network_add_gateway(const char *gateway, struct error *err)
{
	struct request q = { .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
				       .nlmsg_type = RTM_NEWROUTE,
				       .nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE } };
	unsigned char bytes[16];
	uint32_t len;
	int family, r;

	r = parse(gateway, &family, bytes, &len);
	if (r < 0)
		return error_set(err, r, "'%s' is no address", gateway);
	q.body.route.rtm_family = (unsigned char)family;
	q.body.route.rtm_table = RT_TABLE_MAIN;
	q.body.route.rtm_protocol = RTPROT_STATIC;
	q.body.route.rtm_scope = RT_SCOPE_UNIVERSE;
	q.body.route.rtm_type = RTN_UNICAST;
	add_attribute(&q, RTA_GATEWAY, bytes, family == AF_INET6 ? 16 : 4);
	r = talk(&q);
	return r < 0 ? error_set(err, r, "cannot route by '%s'", gateway) : 0;
}
