/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c - a port without a host reports hang-up for ever, so it is then only looked at by timer. */
#include "agent/channel.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/agent_wire.h"
#include "base/json_field.h"
#include "base/log.h"

#define PORTS "/sys/class/virtio-ports"
#define RETRY_MS 100
#define OUT_MAX (4U * AGENT_LINE_MAX)

static void look(struct timer *timer);

void channel_init(struct channel *c, struct loop *loop, const char *path)
{
	memset(c, 0, sizeof(*c));
	c->loop = loop;
	c->fd = -1;
	if (path)
		(void)snprintf(c->path, sizeof(c->path), "%s", path);
	buf_init(&c->in, AGENT_LINE_MAX);
	buf_init(&c->out, OUT_MAX);
}

void channel_done(struct channel *c)
{
	if (c->watching)
		loop_io_remove(&c->io);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->watching = false;
	loop_timer_stop(c->loop, &c->retry);
	buf_done(&c->in);
	buf_done(&c->out);
}

/* The device of the port with our name; false until the driver shows it. */
static bool find_port(char *out, size_t size)
{
	DIR *dir = opendir(PORTS);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		char path[300], name[64] = "";
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), PORTS "/%.200s/name", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file)) {
			name[strcspn(name, "\n")] = '\0';
			found = strcmp(name, AGENT_PORT_NAME) == 0;
		}
		fclose(file);
		if (found)
			(void)snprintf(out, size, "/dev/%.200s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void on_line(struct channel *c, struct slice line)
{
	AUTO(json) json_t *message = NULL;
	const char *type;

	line = slice_trim(line);
	if (line.len == 0)
		return;
	if (json_parse(line, &message, NULL) < 0) {
		c->bad_lines++;
		return;
	}
	type = json_string_value(json_object_get(message, "type"));
	if (!type) {
		c->bad_lines++;
		return;
	}
	c->line(c, type, message);
}

void channel_feed(struct channel *c, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) : len;

		if (!c->overlong)
			buf_add(&c->in, bytes, n);
		if (!buf_ok(&c->in)) {
			c->overlong = true;
			c->bad_lines++;
			buf_reset(&c->in);
		}
		if (end) {
			AUTO(str) char *line = c->overlong ? NULL : buf_take_str(&c->in);

			c->overlong = false;
			buf_reset(&c->in);
			if (line)
				on_line(c, slice_str(line));
			n++;
		}
		bytes += n;
		len -= n;
	}
}

static void write_some(struct channel *c)
{
	while (c->out.len > 0) {
		ssize_t n = write(c->fd, c->out.data, c->out.len);

		if (n <= 0)
			break;
		buf_consume(&c->out, (size_t)n);
	}
	if (c->watching)
		(void)loop_io_change(&c->io, c->out.len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* The host closed its end: what is queued or half read belongs to the old link. */
static void host_left(struct channel *c)
{
	if (c->watching)
		loop_io_remove(&c->io);
	c->watching = false;
	c->overlong = false;
	buf_reset(&c->in);
	buf_reset(&c->out);
	loop_timer_start(c->loop, &c->retry, RETRY_MS, look);
}

static void on_ready(struct loop_io *io, uint32_t events)
{
	struct channel *c = CONTAINER_OF(io, struct channel, io);
	char chunk[8192];
	ssize_t n = 0;

	if (events & EPOLLIN) {
		n = read(c->fd, chunk, sizeof(chunk));
		if (n > 0)
			channel_feed(c, chunk, (size_t)n);
	}
	if (n <= 0 && ((events & (EPOLLHUP | EPOLLERR)) || (n == 0 && (events & EPOLLIN)))) {
		host_left(c);
		return;
	}
	if ((events & EPOLLOUT) && c->watching)
		write_some(c);
}

static void look(struct timer *timer)
{
	struct channel *c = CONTAINER_OF(timer, struct channel, retry);
	struct pollfd p;

	if (c->fd < 0) {
		if (*c->path || find_port(c->path, sizeof(c->path)))
			c->fd = open(c->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	p = (struct pollfd){ .fd = c->fd, .events = POLLIN };
	if (c->fd < 0 || poll(&p, 1, 0) < 0 || (p.revents & (POLLHUP | POLLERR | POLLNVAL)) ||
	    loop_io_add(c->loop, &c->io, c->fd, EPOLLIN, on_ready) < 0) {
		loop_timer_start(c->loop, &c->retry, RETRY_MS, look);
		return;
	}
	c->watching = true;
	c->opened(c);
}

void channel_start(struct channel *c)
{
	look(&c->retry);
}

int channel_send(struct channel *c, json_t *message)
{
	AUTO(json) json_t *owned = message;
	AUTO(str) char *text = owned ? json_text(owned) : NULL;
	size_t len;

	if (!text)
		return -ENOMEM;
	if (!c->watching)
		return -ENOTCONN;
	len = strlen(text);
	if (len >= AGENT_LINE_MAX || c->out.len + len + 1 > OUT_MAX)
		return -EMSGSIZE;
	buf_add(&c->out, text, len);
	buf_add_char(&c->out, '\n');
	write_some(c);
	return 0;
}

void channel_flush(struct channel *c, int timeout_ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };

	if (!c->watching)
		return;
	write_some(c);
	if (c->out.len > 0 && poll(&p, 1, timeout_ms) > 0)
		write_some(c);
}
