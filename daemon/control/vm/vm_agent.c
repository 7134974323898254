/* SPDX-License-Identifier: Apache-2.0 */
/* vm_agent.c - reads the agent's lines into one status and writes the host's requests. */
#include "control/vm/vm_agent.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/json_field.h"

struct vm_agent {
	const struct vm_agent_ops *ops;
	void *arg;
	struct buf line;
	bool overlong; /* dropping up to the next line feed */
	uint64_t bad_lines;
	uint64_t next_id;
	uint64_t asked_ms; /* when a hello was last asked for */
	struct vm_agent_status status;
};

int vm_agent_new(const struct vm_agent_ops *ops, void *arg, struct vm_agent **ret)
{
	struct vm_agent *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->ops = ops;
	a->arg = arg;
	buf_init(&a->line, VM_AGENT_LINE_MAX);
	*ret = a;
	return 0;
}

struct vm_agent *vm_agent_free(struct vm_agent *agent)
{
	if (!agent)
		return NULL;
	buf_done(&agent->line);
	free(agent);
	return NULL;
}

/* Takes over message. */
static int send_json(struct vm_agent *a, json_t *message)
{
	AUTO(json) json_t *owned = message;
	AUTO(str) char *text = owned ? json_text(owned) : NULL;
	AUTO_BUF out = { 0 };

	if (!text)
		return -ENOMEM;
	buf_init(&out, VM_AGENT_LINE_MAX);
	buf_add_str(&out, text);
	buf_add_char(&out, '\n');
	if (!buf_ok(&out))
		return -EMSGSIZE;
	return a->ops->send(a->arg, out.data, out.len);
}

void vm_agent_opened(struct vm_agent *agent)
{
	buf_reset(&agent->line);
	agent->overlong = false;
	(void)send_json(agent, json_pack("{s:s}", "type", "hello"));
}

void vm_agent_closed(struct vm_agent *agent)
{
	bool was = agent->status.connected;

	memset(&agent->status, 0, sizeof(agent->status));
	buf_reset(&agent->line);
	if (was)
		agent->ops->changed(agent->arg, &agent->status);
}

static void copy_text(const json_t *message, const char *member, char *out, size_t size)
{
	const char *s = json_string_value(json_object_get(message, member));
	size_t n = 0;

	for (; s && *s && n + 1 < size; s++)
		if ((unsigned char)*s >= 0x20 && (unsigned char)*s < 0x7f)
			out[n++] = *s;
	out[n] = '\0';
}

/* What the guest says may be anything; it is shown times 1024 and must still be a number then. */
static uint64_t number(const json_t *message, const char *member)
{
	json_int_t n = json_integer_value(json_object_get(message, member));

	return n > 0 && n <= VM_AGENT_NUMBER_MAX ? (uint64_t)n : 0;
}

static void on_hello(struct vm_agent *a, const json_t *message)
{
	struct vm_agent_status *s = &a->status;
	char boot_id[sizeof(s->boot_id)];
	bool news = !s->connected;

	copy_text(message, "boot_id", boot_id, sizeof(boot_id));
	if (strcmp(boot_id, s->boot_id) != 0) {
		/* another boot: what was ready before is not */
		news = true;
		s->ready = false;
	}
	memcpy(s->boot_id, boot_id, sizeof(boot_id));
	copy_text(message, "agent", s->version, sizeof(s->version));
	s->connected = true;
	if (news)
		a->ops->changed(a->arg, s);
}

static void on_status(struct vm_agent *a, const json_t *message)
{
	struct vm_agent_status *s = &a->status;
	struct vm_agent_status before = *s;

	s->connected = true;
	s->ready = json_is_true(json_object_get(message, "ready"));
	copy_text(message, "reason", s->reason, sizeof(s->reason));
	s->uptime_s = number(message, "uptime_s");
	s->memory_total_kib = number(message, "memory_total_kib");
	s->memory_available_kib = number(message, "memory_available_kib");
	s->data_size_bytes = number(message, "data_size_bytes");
	s->data_used_bytes = number(message, "data_used_bytes");
	s->load1 = json_number_value(json_object_get(message, "load1"));
	if (before.connected != s->connected || before.ready != s->ready ||
	    strcmp(before.reason, s->reason) != 0)
		a->ops->changed(a->arg, s);
}

static void on_line(struct vm_agent *a, struct slice line)
{
	AUTO(json) json_t *message = NULL;
	const char *type, *csr;

	line = slice_trim(line);
	if (line.len == 0)
		return;
	if (json_parse(line, &message, NULL) < 0 || !json_is_object(message)) {
		a->bad_lines++;
		return;
	}
	type = json_string_value(json_object_get(message, "type"));
	csr = json_string_value(json_object_get(message, "csr"));
	if (type && strcmp(type, "hello") == 0)
		on_hello(a, message);
	else if (type && strcmp(type, "status") == 0)
		on_status(a, message);
	else if (type && strcmp(type, "csr") == 0 && csr)
		a->ops->csr(a->arg, csr);
	else if (!type || (strcmp(type, "pong") != 0 && strcmp(type, "reply") != 0))
		a->bad_lines++;
}

void vm_agent_feed(struct vm_agent *agent, const char *bytes, size_t len, uint64_t now_ms)
{
	agent->status.heard_ms = now_ms;
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t n = end ? (size_t)(end - bytes) : len;

		if (!agent->overlong)
			buf_add(&agent->line, bytes, n);
		if (!buf_ok(&agent->line)) {
			agent->overlong = true;
			agent->bad_lines++;
			buf_reset(&agent->line);
		}
		if (end) {
			if (!agent->overlong)
				on_line(agent, buf_slice(&agent->line));
			agent->overlong = false;
			buf_reset(&agent->line);
			n++;
		}
		bytes += n;
		len -= n;
	}
}

void vm_agent_tick(struct vm_agent *agent, uint64_t now_ms)
{
	struct vm_agent_status *s = &agent->status;

	if (s->connected && now_ms > s->heard_ms + VM_AGENT_STALE_MS) {
		s->connected = false;
		s->ready = false;
		(void)snprintf(s->reason, sizeof(s->reason), "the agent is silent");
		agent->ops->changed(agent->arg, s);
	}
	if (!s->connected && now_ms >= agent->asked_ms + 2000) {
		agent->asked_ms = now_ms;
		(void)send_json(agent, json_pack("{s:s}", "type", "hello"));
	}
}

int vm_agent_certify(struct vm_agent *agent, const char *certificate_pem, const char *ca_pem,
		     const char *time)
{
	return send_json(agent, json_pack("{s:s,s:s,s:s,s:s}", "type", "certificate", "certificate",
					  certificate_pem, "ca", ca_pem, "time", time));
}

static int request(struct vm_agent *a, const char *type, uint32_t timeout_s, uint64_t *id)
{
	uint64_t mine = ++a->next_id;
	json_t *message;

	if (!a->status.connected)
		return -ENOTCONN;
	message = json_pack("{s:s,s:I}", "type", type, "id", (json_int_t)mine);
	if (timeout_s > 0)
		(void)json_object_set_new(message, "timeout_s", json_integer(timeout_s));
	if (id)
		*id = mine;
	return send_json(a, message);
}

int vm_agent_shutdown(struct vm_agent *agent)
{
	return request(agent, "shutdown", 0, NULL);
}

int vm_agent_ping(struct vm_agent *agent)
{
	return request(agent, "ping", 0, NULL);
}

int vm_agent_freeze(struct vm_agent *agent, uint32_t timeout_s, uint64_t *id)
{
	return request(agent, "freeze", timeout_s, id);
}

int vm_agent_thaw(struct vm_agent *agent, uint64_t *id)
{
	return request(agent, "thaw", 0, id);
}

void vm_agent_status(const struct vm_agent *agent, struct vm_agent_status *ret)
{
	*ret = agent->status;
}

uint64_t vm_agent_bad_lines(const struct vm_agent *agent)
{
	return agent->bad_lines;
}
