/* SPDX-License-Identifier: Apache-2.0 */
/* problem.h - the one place where an error becomes a status and a problem document (RFC 9457). */
#pragma once
#include <stddef.h>

struct error;
struct json_t;

struct http_problem {
	int error; /* errno, positive */
	unsigned status;
	const char *code;	/* stable, what programs match on */
	const char *title;	/* for people; one per code */
	const char *resolution; /* what to do about it */
};

/* The row for a negative errno r; err->code_name, where set, overrides the row's code.
 * Never NULL: what is unknown is 500 internal. */
const struct http_problem *http_problem_of(int r, const struct error *err);
/* The row of a code, or NULL. */
const struct http_problem *http_problem_by_code(const char *code);
/* All rows, for the OpenAPI document and the tests. */
const struct http_problem *http_problems(size_t *count);
/* {"type","title","status","code","detail","resolution","request_id","errors"?}. NULL: no memory.
 * The detail of a 500 is logged, not sent. */
struct json_t *http_problem_json(const struct http_problem *problem, const struct error *err,
				 const char *request_id);
