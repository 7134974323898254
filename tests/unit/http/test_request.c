/* SPDX-License-Identifier: Apache-2.0 */
/* test_request.c - http/request and problem: what a handler reads, and what errors become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/error.h"
#include "base/json_field.h"
#include "http/problem.h"
#include "http/request.h"

static void finds_headers_and_cookies(void **state)
{
	static const struct http_pair header[] = { { "Cookie", "a=1; __Host-x=secret;b=" },
						   { "If-Match", "\"one\", \"two\"" } };
	struct http_request req = { .header = header, .header_count = 2 };
	char buf[16], small[4];

	assert_string_equal(http_header(&req, "if-match"), "\"one\", \"two\"");
	assert_null(http_header(&req, "Host"));
	assert_string_equal(http_cookie(&req, "__Host-x", buf, sizeof(buf)), "secret");
	assert_string_equal(http_cookie(&req, "b", buf, sizeof(buf)), "");
	assert_null(http_cookie(&req, "secret", buf, sizeof(buf)));
	assert_null(http_cookie(&req, "__Host-x", small, sizeof(small)));
	assert_int_equal(http_if_match(&req, "\"two\"", true, NULL), 0);
	assert_int_equal(http_if_match(&req, "\"three\"", false, NULL), -ESTALE);
	req.header_count = 1;
	assert_int_equal(http_if_match(&req, "\"two\"", true, NULL), -ENOKEY);
	assert_int_equal(http_if_match(&req, "\"two\"", false, NULL), 0);
}

static void reads_numbers_strictly(void **state)
{
	static const char *const bad[] = { "", "0", "11", "x", "1x", "-1", "99999999999" };
	struct http_pair query[] = { { "limit", "7" }, { "all", "true" } };
	struct http_request req = { .query = query, .query_count = 2 };
	struct error err = { 0 };
	uint32_t n;
	bool flag;

	assert_int_equal(http_query_u32(&req, "limit", 1, 10, 5, &n, NULL), 0);
	assert_int_equal(n, 7);
	assert_int_equal(http_query_u32(&req, "other", 1, 10, 5, &n, NULL), 0);
	assert_int_equal(n, 5);
	assert_int_equal(http_query_bool(&req, "all", false, &flag, NULL), 0);
	assert_true(flag);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		query[0].value = bad[i];
		assert_int_equal(http_query_u32(&req, "limit", 1, 10, 5, &n, &err), -EINVAL);
		assert_string_equal(err.field, "limit");
	}
	query[1].value = "yes";
	assert_int_equal(http_query_bool(&req, "all", false, &flag, NULL), -EINVAL);
	assert_int_equal(http_query_only(&req, (const char *const[]){ "limit", NULL }, &err),
			 -EINVAL);
	assert_string_equal(err.field, "all");
}

static void errors_become_problems(void **state)
{
	static const struct {
		int r;
		unsigned status;
		const char *code;
	} table[] = { { -EINVAL, 422, "validation_failed" },
		      { -EBADMSG, 400, "json_invalid" },
		      { -EPROTO, 400, "bad_request" },
		      { -EKEYREJECTED, 401, "unauthenticated" },
		      { -EACCES, 403, "forbidden" },
		      { -ENOENT, 404, "not_found" },
		      { -EOPNOTSUPP, 405, "method_not_allowed" },
		      { -EBUSY, 409, "state_conflict" },
		      { -EEXIST, 409, "name_taken" },
		      { -EADDRINUSE, 409, "address_taken" },
		      { -EDQUOT, 409, "resources_exhausted" },
		      { -ESTALE, 412, "precondition_failed" },
		      { -EFBIG, 413, "body_too_large" },
		      { -EMEDIUMTYPE, 415, "unsupported_media_type" },
		      { -ENOKEY, 428, "precondition_required" },
		      { -EUSERS, 429, "too_many_requests" },
		      { -EAGAIN, 503, "unavailable" },
		      { -ENOSPC, 507, "disk_full" },
		      { -EIO, 500, "internal" },
		      { -EXDEV, 500, "internal" } };
	struct error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct http_problem *p = http_problem_of(table[i].r, NULL);

		assert_int_equal(p->status, table[i].status);
		assert_string_equal(p->code, table[i].code);
	}
	error_code_name(&err, "csrf_failed");
	assert_int_equal(http_problem_of(-EACCES, &err)->status, 403);
	assert_string_equal(http_problem_of(-EACCES, &err)->code, "csrf_failed");
}

static void problems_name_what_is_at_fault(void **state)
{
	struct error err = { 0 };
	AUTO(json) json_t *body = NULL;
	AUTO(json) json_t *query = NULL;
	AUTO(json) json_t *inside = NULL;
	const json_t *fault;

	(void)error_field(&err, -EINVAL, "/cpus", "is too large");
	body = http_problem_json(http_problem_of(-EINVAL, &err), &err, "id");
	fault = json_array_get(json_object_get(body, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(fault, "pointer")), "/cpus");
	(void)error_field(&err, -EINVAL, "limit", "is too large");
	query = http_problem_json(http_problem_of(-EINVAL, &err), &err, "id");
	fault = json_array_get(json_object_get(query, "errors"), 0);
	assert_string_equal(json_string_value(json_object_get(fault, "parameter")), "limit");
	assert_null(json_object_get(fault, "pointer"));
	/* What failed inside is nobody's business outside. */
	error_clear(&err);
	(void)error_set(&err, -EIO, "SELECT password");
	inside = http_problem_json(http_problem_of(-EIO, &err), &err, "id");
	assert_null(strstr(json_string_value(json_object_get(inside, "detail")), "SELECT"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_headers_and_cookies),
		cmocka_unit_test(reads_numbers_strictly),
		cmocka_unit_test(errors_become_problems),
		cmocka_unit_test(problems_name_what_is_at_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
