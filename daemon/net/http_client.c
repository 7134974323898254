/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.c - libcurl's easy interface: a handle serves one request at a time and keeps its connection. */
#include "net/http_client.h"

#include "base/buf.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>

#define BODY_LIMIT (8U << 20)
#define IDLE_MAX 8     /* handles that wait for their next request */
#define LIFETIME_S 60L /* of a connection */

/* A handle and whom its connection leads to. */
struct line {
	CURL *easy;
	char *base;
};

struct http_client {
	pthread_mutex_t lock;
	char *ca, *cert, *key;
	struct line idle[IDLE_MAX]; /* the first one waits longest */
	size_t idle_count;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void line_done(struct line *line)
{
	curl_easy_cleanup(line->easy);
	free(line->base);
	*line = (struct line){ 0 };
}

int http_client_new(const struct http_client_config *config, struct http_client **ret)
{
	AUTO(http_client) struct http_client *c = calloc(1, sizeof(*c));

	pthread_once(&once, init_curl);
	if (!c)
		return -ENOMEM;
	(void)pthread_mutex_init(&c->lock, NULL);
	c->ca = config->ca_file ? strdup(config->ca_file) : NULL;
	c->cert = config->cert_file ? strdup(config->cert_file) : NULL;
	c->key = config->key_file ? strdup(config->key_file) : NULL;
	if ((config->ca_file && !c->ca) || (config->cert_file && !c->cert) ||
	    (config->key_file && !c->key))
		return -ENOMEM;
	*ret = TAKE(c);
	return 0;
}

struct http_client *http_client_free(struct http_client *client)
{
	if (!client)
		return NULL;
	for (size_t i = 0; i < client->idle_count; i++)
		line_done(&client->idle[i]);
	(void)pthread_mutex_destroy(&client->lock);
	free(client->ca);
	free(client->cert);
	free(client->key);
	free(client);
	return NULL;
}

/* One that leads to base, the last used first; else a new one. */
static int line_take(struct http_client *c, const char *base, struct line *ret)
{
	size_t at;

	(void)pthread_mutex_lock(&c->lock);
	for (at = c->idle_count; at > 0 && strcmp(c->idle[at - 1].base, base) != 0; at--)
		;
	if (at > 0) {
		*ret = c->idle[at - 1];
		memmove(&c->idle[at - 1], &c->idle[at], (c->idle_count - at) * sizeof(c->idle[0]));
		c->idle_count--;
	}
	(void)pthread_mutex_unlock(&c->lock);
	if (at > 0)
		return 0;
	*ret = (struct line){ .easy = curl_easy_init(), .base = strdup(base) };
	if (ret->easy && ret->base)
		return 0;
	line_done(ret);
	return -ENOMEM;
}

static void line_give(struct http_client *c, struct line *line)
{
	struct line oldest = { 0 };

	curl_easy_reset(line->easy); /* options go, the connection stays */
	(void)pthread_mutex_lock(&c->lock);
	if (c->idle_count == IDLE_MAX) {
		oldest = c->idle[0];
		memmove(&c->idle[0], &c->idle[1], (IDLE_MAX - 1) * sizeof(c->idle[0]));
		c->idle_count--;
	}
	c->idle[c->idle_count++] = *line;
	(void)pthread_mutex_unlock(&c->lock);
	line_done(&oldest);
}

static size_t take_body(char *bytes, size_t size, size_t count, void *user)
{
	struct buf *body = user;

	buf_add(body, bytes, size * count);
	return buf_ok(body) ? size * count : 0;
}

static int explain(CURLcode code, const char *reason, struct error *err)
{
	const char *text = *reason ? reason : curl_easy_strerror(code);

	switch (code) {
	case CURLE_WRITE_ERROR:
		return error_set(err, -EFBIG, "the answer is too large");
	case CURLE_OUT_OF_MEMORY:
		return error_set(err, -ENOMEM, "out of memory");
	case CURLE_URL_MALFORMAT:
		return error_set(err, -EINVAL, "bad address: %s", text);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return error_set(err, -EKEYREJECTED, "certificate refused: %s", text);
	case CURLE_OPERATION_TIMEDOUT:
		return error_set(err, -ETIMEDOUT, "no answer in time: %s", text);
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return error_set(err, -ECONNREFUSED, "no connection: %s", text);
	default:
		return error_set(err, -EPROTO, "no answer: %s", text);
	}
}

static int set_target(const struct http_client *c, CURL *easy,
		      const struct http_client_request *request, struct buf *url, struct error *err)
{
	struct slice base = slice_str(request->base);

	if (request->path[0] != '/')
		return error_set(err, -EINVAL, "the path must begin with /");
	if (slice_skip(&base, SLICE("unix:"))) {
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, base.p);
		curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
		buf_printf(url, "http://localhost%s", request->path);
	} else if (slice_starts_with(base, SLICE("https://")) && c->ca) {
		curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
		buf_printf(url, "%s%s", request->base, request->path);
	} else {
		return error_set(err, -EINVAL, "'%s' is no https or unix address", request->base);
	}
	if (!buf_ok(url))
		return error_set(err, -ENOMEM, "out of memory");
	curl_easy_setopt(easy, CURLOPT_URL, url->data);
	return 0;
}

static void set_options(const struct http_client *c, CURL *easy,
			const struct http_client_request *request)
{
	long timeout = request->timeout_ms ? (long)request->timeout_ms : 3000L;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, LIFETIME_S);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->ca) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (c->cert)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, c->cert);
	if (c->key)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, c->key);
}

DEFINE_AUTO_CALL(headers, struct curl_slist *, curl_slist_free_all)

/* What the request needs beside its options; lives until it is done. */
static int set_lists(CURL *easy, const struct http_client_request *request,
		     struct curl_slist **headers, struct curl_slist **connect_to, struct error *err)
{
	if (request->json) {
		*headers = curl_slist_append(NULL, "Content-Type: application/json");
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->json);
	}
	if (request->address) {
		char rule[80];

		(void)snprintf(rule, sizeof(rule), "::%s:", request->address);
		*connect_to = curl_slist_append(NULL, rule);
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, *connect_to);
	}
	return (request->json && !*headers) || (request->address && !*connect_to)
		       ? error_set(err, -ENOMEM, "out of memory")
		       : 0;
}

static int perform(CURL *easy, struct buf *body, struct http_client_answer *ret, struct error *err)
{
	char reason[CURL_ERROR_SIZE] = "";
	CURLcode code;
	long status = 0;

	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
	code = curl_easy_perform(easy);
	/* closing the connection later may say something, too */
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK)
		return explain(code, reason, err);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	buf_add_str(body, "");
	ret->status = (int)status;
	ret->len = body->len;
	ret->body = body->len ? buf_take_str(body) : calloc(1, 1);
	return ret->body ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int http_client_send(struct http_client *client, const struct http_client_request *request,
		     struct http_client_answer *ret, struct error *err)
{
	AUTO(headers) struct curl_slist *headers = NULL;
	AUTO(headers) struct curl_slist *connect_to = NULL;
	AUTO_BUF url = { 0 };
	AUTO_BUF body = { 0 };
	struct line line;
	int r = line_take(client, request->base, &line);

	if (r < 0)
		return error_set(err, r, "out of memory");
	buf_init(&body, request->body_limit ? request->body_limit : BODY_LIMIT);
	set_options(client, line.easy, request);
	r = set_target(client, line.easy, request, &url, err);
	if (r == 0)
		r = set_lists(line.easy, request, &headers, &connect_to, err);
	if (r == 0)
		r = perform(line.easy, &body, ret, err);
	if (r < 0)
		line_done(&line);
	else
		line_give(client, &line);
	return r;
}

void http_client_answer_done(struct http_client_answer *answer)
{
	free(answer->body);
	answer->body = NULL;
	answer->len = 0;
}
