/* SPDX-License-Identifier: Apache-2.0 */
/* test_route.c - http/route: matching, request targets that could mean two things, decoding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/error.h"
#include "http/route.h"

static int nothing(void *context, const struct http_request *req, struct http_reply *reply,
		   struct error *err)
{
	return 0;
}

#define ROW(method_, path_)                                                                        \
	{                                                                                          \
		.method = (method_), .path = (path_), .handler = nothing                           \
	}

static const struct http_route routes[] = {
	ROW(HTTP_GET, "/vms"),
	ROW(HTTP_POST, "/vms"),
	ROW(HTTP_GET, "/vms/{vm}"),
	ROW(HTTP_GET, "/vms/ledger"),
	ROW(HTTP_POST, "/vms/{vm}/actions/{action}"),
};

static void finds_rows_and_parameters(void **state)
{
	struct slice param[HTTP_PARAM_MAX] = { 0 };
	const struct http_route *route = NULL;
	struct http_router *router = NULL;
	unsigned allow;

	assert_int_equal(http_router_new(routes, ARRAY_SIZE(routes), &router, NULL), 0);
	assert_int_equal(http_router_match(router, HTTP_GET, SLICE("/vms"), &route, param, &allow),
			 0);
	assert_ptr_equal(route, &routes[0]);
	assert_int_equal(http_router_match(router, HTTP_HEAD, SLICE("/vms/cm"), &route, param,
					   &allow),
			 0);
	assert_ptr_equal(route, &routes[2]);
	assert_true(slice_eq_str(param[0], "cm"));
	/* A literal segment beats a parameter, whatever the order of the rows. */
	assert_int_equal(http_router_match(router, HTTP_GET, SLICE("/vms/ledger"), &route, param,
					   &allow),
			 0);
	assert_ptr_equal(route, &routes[3]);
	assert_int_equal(http_router_match(router, HTTP_POST, SLICE("/vms/a/actions/start"), &route,
					   param, &allow),
			 0);
	assert_true(slice_eq_str(param[0], "a") && slice_eq_str(param[1], "start"));
	assert_int_equal(http_router_match(router, HTTP_DELETE, SLICE("/vms"), &route, param,
					   &allow),
			 -EOPNOTSUPP);
	assert_int_equal(allow, 1U << HTTP_GET | 1U << HTTP_HEAD | 1U << HTTP_POST);
	assert_int_equal(http_router_match(router, HTTP_GET, SLICE("/"), &route, param, &allow),
			 -ENOENT);
	assert_int_equal(http_router_match(router, HTTP_GET, SLICE("/vms/"), &route, param, &allow),
			 -ENOENT);
	assert_int_equal(http_router_match(router, HTTP_GET, SLICE("/vms/a/b"), &route, param,
					   &allow),
			 -ENOENT);
	(void)http_router_free(router);
}

static void refuses_bad_tables(void **state)
{
	static const struct http_route twice[] = { ROW(HTTP_GET, "/a"), ROW(HTTP_GET, "/a") };
	static const struct http_route open[] = { ROW(HTTP_GET, "/a/{b") };
	struct http_router *router = NULL;

	assert_int_equal(http_router_new(twice, 2, &router, NULL), -EINVAL);
	assert_int_equal(http_router_new(open, 1, &router, NULL), -EINVAL);
}

static void targets_have_one_meaning(void **state)
{
	static const char *const good[] = { "/",       "/a",   "/a/",  "/a%20b", "/a/b?c=%2f%00",
					    "/%C3%A9", "/a.b", "/...", "/a?x=//" };
	static const char *const bad[] = { "",	     "a",	"/a%00",    "/a%2f", "/a%2F",
					   "/..",    "/a/../b", "/%2e%2E",  "/./a",  "/a//b",
					   "/a%",    "/a%2",	"/a%zz",    "/a b",  "/a\x01",
					   "/a\x7f", "/a\\b",	"/a%5c",    "/a%0a", "/a%7f",
					   "/a#b",   "/a%25b",	"http://h/" };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(http_target_check(slice_str(good[i])), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(http_target_check(slice_str(bad[i])), -EPROTO);
}

static void decodes_utf8_only(void **state)
{
	char buf[16];

	assert_int_equal(http_decode(SLICE("a%20b+c"), false, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "a b+c");
	assert_int_equal(http_decode(SLICE("a+b"), true, buf, sizeof(buf)), 3);
	assert_string_equal(buf, "a b");
	assert_int_equal(http_decode(SLICE("%C3%A9"), false, buf, sizeof(buf)), 2);
	assert_int_equal(http_decode(SLICE("%C3"), false, buf, sizeof(buf)), -EPROTO);
	assert_int_equal(http_decode(SLICE("%C0%AF"), false, buf, sizeof(buf)), -EPROTO);
	assert_int_equal(http_decode(SLICE("%ED%A0%80"), false, buf, sizeof(buf)), -EPROTO);
	assert_int_equal(http_decode(SLICE("%00"), false, buf, sizeof(buf)), -EPROTO);
	assert_int_equal(http_decode(SLICE("%4"), false, buf, sizeof(buf)), -EPROTO);
	assert_int_equal(http_decode(SLICE("0123456789abcdef"), false, buf, sizeof(buf)), -ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_rows_and_parameters),
		cmocka_unit_test(refuses_bad_tables),
		cmocka_unit_test(targets_have_one_meaning),
		cmocka_unit_test(decodes_utf8_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
