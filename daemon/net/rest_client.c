/* SPDX-License-Identifier: Apache-2.0 */
/* rest_client.c - see rest_client.h. */
#include "net/rest_client.h"
#include "base/buf.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>

#define LINE_MAX_BYTES (1U << 20)

struct rest_client {
	CURL *curl;
	char *socket, *url, *ca, *cert, *key, *authorization;
	uint32_t timeout_ms, connect_timeout_ms;
	char why[CURL_ERROR_SIZE];
};

struct transfer {
	struct rest_client_answer *answer;
	struct buf body;
	rest_client_line_fn *line;
	void *user;
	int stopped;
};

static void init_once(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

void rest_client_answer_done(struct rest_client_answer *answer)
{
	free(answer->body);
	memset(answer, 0, sizeof(*answer));
}

static char *copy(const char *text, bool *failed)
{
	char *out = text ? strdup(text) : NULL;

	*failed |= text && !out;
	return out;
}

int rest_client_new(const struct rest_client_config *config, struct rest_client **ret,
		    struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	AUTO(rest_client) struct rest_client *c = calloc(1, sizeof(*c));
	bool failed = !c;

	(void)pthread_once(&once, init_once);
	if (!config->unix_socket && !config->url)
		return error_set(err, -EINVAL, "neither a socket nor a URL is given");
	if (c) {
		c->socket = copy(config->unix_socket, &failed);
		c->url = copy(config->url ? config->url : "http://localhost", &failed);
		c->ca = copy(config->ca_file, &failed);
		c->cert = copy(config->cert_file, &failed);
		c->key = copy(config->key_file, &failed);
		c->timeout_ms = config->timeout_ms ? config->timeout_ms : 30000;
		c->connect_timeout_ms =
			config->connect_timeout_ms ? config->connect_timeout_ms : 5000;
		c->curl = curl_easy_init();
		failed |= !c->curl;
		if (config->bearer &&
		    asprintf(&c->authorization, "Authorization: Bearer %s", config->bearer) < 0)
			failed = true;
	}
	if (failed)
		return error_set(err, -ENOMEM, "no memory for an HTTP client");
	if (config->bearer && strpbrk(config->bearer, "\r\n"))
		return error_set(err, -EINVAL, "the token holds a line end");
	*ret = TAKE(c);
	return 0;
}

struct rest_client *rest_client_free(struct rest_client *client)
{
	if (!client)
		return NULL;
	if (client->curl)
		curl_easy_cleanup(client->curl);
	free(client->socket);
	free(client->url);
	free(client->ca);
	free(client->cert);
	free(client->key);
	free(client->authorization);
	free(client);
	return NULL;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
	struct transfer *t = user;

	n *= size;
	buf_add(&t->body, bytes, n);
	if (!buf_ok(&t->body))
		return 0;
	while (t->line && t->stopped == 0) {
		struct slice all = buf_slice(&t->body);
		ptrdiff_t end = slice_find(all, '\n');
		struct slice text;

		if (end < 0)
			break;
		text = slice_sub(all, 0, (size_t)end);
		if (text.len > 0 && text.p[text.len - 1] == '\r')
			text.len--;
		t->stopped = t->line(t->user, text);
		buf_consume(&t->body, (size_t)end + 1);
	}
	return t->stopped ? 0 : n;
}

static void take_header(struct slice line, const char *name, char *out, size_t size)
{
	if (slice_skip_nocase(&line, slice_str(name)))
		(void)slice_copy(slice_trim(line), out, size);
}

static size_t on_header(char *bytes, size_t size, size_t n, void *user)
{
	struct transfer *t = user;
	struct slice line = slice_make(bytes, size * n);

	take_header(line, "Content-Type:", t->answer->content_type,
		    sizeof(t->answer->content_type));
	take_header(line, "ETag:", t->answer->etag, sizeof(t->answer->etag));
	take_header(line, "Location:", t->answer->location, sizeof(t->answer->location));
	return size * n;
}

static int curl_errno(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return -EKEYREJECTED;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return -EPROTO;
	}
}

static void prepare(struct rest_client *c, const char *url, struct curl_slist *headers,
		    struct transfer *t)
{
	CURL *h = c->curl;

	curl_easy_reset(h);
	(void)curl_easy_setopt(h, CURLOPT_URL, url);
	(void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(h, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->why);
	(void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_timeout_ms);
	(void)curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
	if (c->socket)
		(void)curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	if (c->ca)
		(void)curl_easy_setopt(h, CURLOPT_CAINFO, c->ca);
	if (c->cert)
		(void)curl_easy_setopt(h, CURLOPT_SSLCERT, c->cert);
	if (c->key)
		(void)curl_easy_setopt(h, CURLOPT_SSLKEY, c->key);
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	char line[1024];

	if (!value)
		return list;
	(void)snprintf(line, sizeof(line), "%s: %s", name, value);
	return curl_slist_append(list, line);
}

static int perform(struct rest_client *c, struct transfer *t, struct error *err)
{
	long status = 0;
	CURLcode code;

	c->why[0] = '\0';
	code = curl_easy_perform(c->curl);
	(void)curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	t->answer->status = (int)status;
	if (t->stopped)
		return t->stopped;
	if (!buf_ok(&t->body))
		return error_set(err, -EFBIG, "the answer is too large");
	if (code == CURLE_OK)
		return 0;
	return error_set(err, curl_errno(code), "%s: %s", c->socket ? c->socket : c->url,
			 c->why[0] ? c->why : curl_easy_strerror(code));
}

int rest_client_send(struct rest_client *client, const struct rest_client_request *request,
		     struct rest_client_answer *ret, struct error *err)
{
	struct transfer t = { .answer = ret };
	struct curl_slist *headers = NULL;
	AUTO(str) char *url = NULL;
	int r;

	memset(ret, 0, sizeof(*ret));
	buf_init(&t.body, REST_CLIENT_BODY_MAX);
	if (asprintf(&url, "%s%s", client->url, request->path) < 0)
		return error_set(err, -ENOMEM, "no memory for a request");
	headers = add_header(headers, "Content-Type", request->content_type);
	headers = add_header(headers, "If-Match", request->if_match);
	headers = curl_slist_append(headers, "Expect:");
	if (client->authorization)
		headers = curl_slist_append(headers, client->authorization);
	prepare(client, url, headers, &t);
	(void)curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)client->timeout_ms);
	if (request->body.p || strcmp(request->method, "GET") != 0) {
		(void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS,
				       request->body.p ? request->body.p : "");
		(void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE,
				       (long)request->body.len);
		(void)curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, request->method);
	}
	r = perform(client, &t, err);
	curl_slist_free_all(headers);
	ret->len = t.body.len;
	ret->body = buf_take_str(&t.body);
	if (!ret->body)
		ret->body = strdup("");
	if (r == 0 && !ret->body)
		r = error_set(err, -ENOMEM, "no memory for an answer");
	if (r < 0)
		rest_client_answer_done(ret);
	return r;
}

int rest_client_stream(struct rest_client *client, const char *path, const char *last_id,
		       rest_client_line_fn *fn, void *user, int *status, struct error *err)
{
	struct rest_client_answer answer = { 0 };
	struct transfer t = { .answer = &answer, .line = fn, .user = user };
	struct curl_slist *headers = NULL;
	AUTO(str) char *url = NULL;
	int r;

	buf_init(&t.body, LINE_MAX_BYTES);
	if (asprintf(&url, "%s%s", client->url, path) < 0)
		return error_set(err, -ENOMEM, "no memory for a request");
	headers = add_header(headers, "Last-Event-ID", last_id);
	headers = curl_slist_append(headers, "Accept: text/event-stream");
	if (client->authorization)
		headers = curl_slist_append(headers, client->authorization);
	prepare(client, url, headers, &t);
	(void)curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, 0L);
	r = perform(client, &t, err);
	if (r == 0 && t.body.len > 0)
		r = fn(user, buf_slice(&t.body));
	curl_slist_free_all(headers);
	buf_done(&t.body);
	*status = answer.status;
	return r;
}

int rest_client_escape(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	for (const char *p = text; *p; p++) {
		if (n + 4 > size)
			return -ENOBUFS;
		if (ascii_is_alnum((unsigned char)*p) || strchr("-._~", *p))
			buf[n++] = *p;
		else
			n += (size_t)snprintf(buf + n, 4, "%%%02X", (unsigned)(unsigned char)*p);
	}
	if (size == 0)
		return -ENOBUFS;
	buf[n] = '\0';
	return 0;
}
