/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.c - libcurl's easy interface, one handle a request. */
#include "net/http_client.h"

#include "base/buf.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>

#define BODY_LIMIT (8U << 20)

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void auto_free_easy(CURL **slot)
{
	curl_easy_cleanup(*slot);
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
	case CURLE_UNSUPPORTED_PROTOCOL:
		return error_set(err, -EINVAL, "bad address: %s", text);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return error_set(err, -EKEYREJECTED, "certificate refused: %s", text);
	default:
		return error_set(err, -EAGAIN, "no answer: %s", text);
	}
}

static int set_target(CURL *easy, const struct http_client_request *request, struct buf *url,
		      struct error *err)
{
	struct slice base = slice_str(request->base);

	if (request->path[0] != '/')
		return error_set(err, -EINVAL, "the path must begin with /");
	if (slice_skip(&base, SLICE("unix:"))) {
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, base.p);
		curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
		buf_printf(url, "http://localhost%s", request->path);
	} else if (slice_starts_with(base, SLICE("https://")) && request->ca_file) {
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

static void set_options(CURL *easy, const struct http_client_request *request)
{
	long timeout = request->timeout_ms ? (long)request->timeout_ms : 3000L;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (request->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (request->cert_file)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, request->cert_file);
	if (request->key_file)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, request->key_file);
}

static void auto_free_headers(struct curl_slist **slot)
{
	curl_slist_free_all(*slot);
}

static int perform(const struct http_client_request *request, struct curl_slist *headers,
		   struct http_client_answer *ret, struct error *err)
{
	__attribute__((cleanup(auto_free_easy))) CURL *easy = NULL;
	char reason[CURL_ERROR_SIZE] = "";
	AUTO_BUF url = { 0 };
	AUTO_BUF body = { 0 };
	CURLcode code;
	long status = 0;
	int r;

	pthread_once(&once, init_curl);
	easy = curl_easy_init();
	if (!easy)
		return error_set(err, -ENOMEM, "out of memory");
	buf_init(&body, request->body_limit ? request->body_limit : BODY_LIMIT);
	r = set_target(easy, request, &url, err);
	if (r < 0)
		return r;
	set_options(easy, request);
	if (headers) {
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->json);
	}
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
	code = curl_easy_perform(easy);
	if (code != CURLE_OK)
		return explain(code, reason, err);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	buf_add_str(&body, "");
	ret->status = (int)status;
	ret->len = body.len;
	ret->body = body.len ? buf_take_str(&body) : calloc(1, 1);
	return ret->body ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int http_client_get(const struct http_client_request *request, struct http_client_answer *ret,
		    struct error *err)
{
	return perform(request, NULL, ret, err);
}

int http_client_post(const struct http_client_request *request, struct http_client_answer *ret,
		     struct error *err)
{
	__attribute__((cleanup(auto_free_headers))) struct curl_slist *headers =
		curl_slist_append(NULL, "Content-Type: application/json");

	if (!headers)
		return error_set(err, -ENOMEM, "out of memory");
	return perform(request, headers, ret, err);
}

void http_client_answer_done(struct http_client_answer *answer)
{
	free(answer->body);
	answer->body = NULL;
	answer->len = 0;
}
