/* SPDX-License-Identifier: Apache-2.0 */
/* guest.c - reads the configuration that the box gives at each start and applies it. */
#include "agent/guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/network.h"
#include "base/agent_wire.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define CLOCK_BEHIND 20	  /* ms; a certificate of this very second must be valid */
#define CLOCK_AHEAD 2000  /* ms; the text has whole seconds */
#define CLOCK_AGE 3600000 /* ms that a guest may take from the start to here */
#define FW_CFG "/sys/firmware/qemu_fw_cfg/by_name/" AGENT_CONFIG_FW_CFG "/raw"

static const struct json_field guest_fields[] = {
	JSON_U32(struct guest, schema, .required = true, .min = 1, .max = 1),
	JSON_STRING(struct guest, name, .required = true, .min = 1, .max = 63),
	JSON_STRING(struct guest, template, .required = true, .min = 1, .max = 63),
	JSON_STRING(struct guest, instance, .max = 64),
	JSON_STRING(struct guest, domain, .required = true, .min = 1, .max = 253),
	JSON_STRING(struct guest, interface, .required = true, .min = 1, .max = 15),
	JSON_STRINGS(struct guest, addresses, .required = true, .min = 1, .max = 8),
	JSON_STRING(struct guest, gateway, .nullable = true, .max = 63),
	JSON_STRING(struct guest, advertise, .nullable = true, .max = 253),
	JSON_ANY(struct guest, peers),
	JSON_STRING(struct guest, time, .nullable = true, .max = 40),
	JSON_ANY(struct guest, options),
	JSON_END,
};

static bool is_name_char(unsigned char c)
{
	return ascii_is_alnum(c) || c == '-' || c == '.';
}

static bool is_address_char(unsigned char c)
{
	return ascii_is_alnum(c) || c == '.' || c == ':';
}

static bool is_made_of(const char *text, bool (*is)(unsigned char))
{
	struct slice s = slice_str(text);

	return s.len > 0 && slice_take_while(&s, is).len > 0 && s.len == 0;
}

int guest_parse(struct slice text, struct guest *ret, struct error *err)
{
	AUTO(json) json_t *document = NULL;
	struct guest out = { 0 };
	struct slice first;
	int r;

	r = json_parse(text, &document, err);
	if (r < 0)
		return r;
	r = json_read(document, guest_fields, &out, err);
	if (r == 0 && !is_made_of(out.name, is_name_char))
		r = error_field(err, -EINVAL, "/name", "letters, digits, '-' and '.' only");
	if (r == 0 && !is_made_of(out.domain, is_name_char))
		r = error_field(err, -EINVAL, "/domain", "letters, digits, '-' and '.' only");
	if (r == 0) {
		first = slice_str(out.addresses.items[0]);
		if (slice_copy(slice_take_until(&first, '/', NULL), out.address,
			       sizeof(out.address)) < 0 ||
		    !is_made_of(out.address, is_address_char))
			r = error_field(err, -EINVAL, "/addresses/0", "no address");
	}
	if (r < 0) {
		guest_done(&out);
		return r;
	}
	*ret = out;
	return 0;
}

void guest_done(struct guest *g)
{
	json_release(guest_fields, g);
}

static int read_all(const char *path, struct buf *out)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)n);
	if (n < 0)
		return -errno;
	return buf_ok(out) ? 0 : -EMSGSIZE;
}

static int write_all(const char *path, const char *text, size_t len)
{
	AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	return n == (ssize_t)len ? 0 : -EIO;
}

int guest_load(struct guest *ret, struct error *err)
{
	AUTO_BUF text = { 0 };
	int r;

	buf_init(&text, AGENT_CONFIG_MAX);
	r = read_all(FW_CFG, &text);
	if (r < 0)
		return error_set(err, r, "no configuration from the box (%s)", FW_CFG);
	r = guest_parse(buf_slice(&text), ret, err);
	if (r < 0)
		return r;
	r = write_all(GUEST_CONFIG_FILE, text.data, text.len);
	return r < 0 ? error_set(err, r, "cannot write %s", GUEST_CONFIG_FILE) : 0;
}

char *guest_hosts(const struct guest *g)
{
	AUTO_BUF out = { 0 };
	const char *name;
	json_t *value;

	buf_init(&out, AGENT_CONFIG_MAX);
	buf_add_str(&out, "127.0.0.1 localhost\n");
	json_object_foreach(g->peers, name, value)
	{
		const char *address = json_string_value(value);

		if (address && is_made_of(address, is_address_char) &&
		    is_made_of(name, is_name_char))
			buf_printf(&out, "%s %s.%s %s\n", address, name, g->domain, name);
	}
	return buf_take_str(&out);
}

int guest_set_clock(const char *text, bool old)
{
	int64_t wanted, now = clock_wall(clock_system());
	struct timeval tv;
	int r;

	r = clock_parse(slice_str(text), &wanted);
	if (r < 0)
		return r;
	if (wanted - now <= CLOCK_BEHIND && now - wanted <= (old ? CLOCK_AGE : CLOCK_AHEAD))
		return 0;
	tv.tv_sec = (time_t)(wanted / 1000);
	tv.tv_usec = (suseconds_t)(wanted % 1000) * 1000;
	if (settimeofday(&tv, NULL) < 0)
		return -errno;
	log_info("agent.clock_set", F("by_ms", wanted - now));
	return 0;
}

int guest_apply(const struct guest *g, struct error *err)
{
	AUTO(str) char *hosts = guest_hosts(g);
	int r;

	if (sethostname(g->name, strlen(g->name)) < 0)
		log_failure(LOG_LEVEL_WARNING, "agent.hostname", -errno, NULL);
	if (!hosts || write_all(GUEST_HOSTS_FILE, hosts, strlen(hosts)) < 0)
		return error_set(err, -EIO, "cannot write %s", GUEST_HOSTS_FILE);
	if (g->time && *g->time) {
		r = guest_set_clock(g->time, true);
		if (r < 0)
			log_failure(LOG_LEVEL_WARNING, "agent.clock", r, NULL);
	}
	r = network_up(g->interface, err);
	for (size_t i = 0; r == 0 && i < g->addresses.count; i++)
		r = network_add_address(g->interface, g->addresses.items[i], err);
	if (r == 0 && g->gateway && *g->gateway)
		r = network_add_gateway(g->gateway, err);
	return r;
}
