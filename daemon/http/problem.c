/* SPDX-License-Identifier: Apache-2.0 */
/* problem.c - see problem.h. */
#include "http/problem.h"
#include "base/error.h"
#include "base/log.h"

#include "base/json_field.h"
#include <string.h>

/* clang-format off */
/* The first row of an errno is its default; the rows after it are reached by code_name. */
static const struct http_problem problems[] = {
	{ EINVAL,       422, "validation_failed", "The content is not valid",
	  "Correct the members named in errors and send the request again." },
	{ EINVAL,       422, "idempotency_mismatch", "The key was used for another request",
	  "Use a new Idempotency-Key." },
	{ EBADMSG,      400, "json_invalid", "The body is not valid JSON",
	  "Send one JSON object in UTF-8 with each member once." },
	{ EPROTO,       400, "bad_request", "The request is malformed",
	  "Correct the URL or the header." },
	{ EKEYREJECTED, 401, "unauthenticated", "Not logged in",
	  "Log in, or send a valid token as Authorization: Bearer." },
	{ EKEYREJECTED, 401, "invalid_credentials", "The name or the password is wrong",
	  "Check both and try again." },
	{ EACCES,       403, "forbidden", "Not allowed",
	  "Ask an administrator for the permission." },
	{ EACCES,       403, "csrf_failed", "The request did not prove where it comes from",
	  "Send the session's X-CSRF-Token from the console's own origin." },
	{ EACCES,       403, "password_change_required", "The password must be changed first",
	  "POST /api/v1/session/password with the old and a new password." },
	{ EPERM,        403, "forbidden", "Not allowed",
	  "Ask an administrator for the permission." },
	{ ENOENT,       404, "not_found", "There is no such resource",
	  "Check the name or the id." },
	{ EOPNOTSUPP,   405, "method_not_allowed", "This resource has no such method",
	  "Use one of the methods in the Allow header." },
	{ EBUSY,        409, "state_conflict", "The present state does not allow this",
	  "Wait for what is under way, or change the state first." },
	{ EALREADY,     409, "state_conflict", "The present state does not allow this",
	  "Nothing needs to be done." },
	{ EEXIST,       409, "name_taken", "The name is taken",
	  "Choose another name." },
	{ EADDRINUSE,   409, "address_taken", "The address is taken",
	  "Choose another address." },
	{ EDQUOT,       409, "resources_exhausted", "There are not enough resources",
	  "Free some, or ask for less." },
	{ ESTALE,       412, "precondition_failed", "The resource has changed meanwhile",
	  "Read it again and repeat the change on top." },
	{ EFBIG,        413, "body_too_large", "The body is too large",
	  "Send at most the size that is named." },
	{ EMEDIUMTYPE,  415, "unsupported_media_type", "This content type is not taken",
	  "Send application/json; a PATCH may be application/merge-patch+json." },
	{ ENOKEY,       428, "precondition_required", "If-Match is missing",
	  "Read the resource and send its ETag as If-Match." },
	{ EUSERS,       429, "too_many_requests", "Too many requests",
	  "Wait for the time in Retry-After." },
	{ EAGAIN,       503, "unavailable", "A part that is needed does not answer",
	  "Try again in a moment; /healthz says what is missing." },
	{ ENOTCONN,     503, "unavailable", "A part that is needed does not answer",
	  "Try again in a moment; /healthz says what is missing." },
	{ ETIMEDOUT,    503, "unavailable", "A part that is needed does not answer in time",
	  "Try again in a moment; /healthz says what is missing." },
	{ ECONNREFUSED, 503, "unavailable", "A part that is needed does not answer",
	  "Try again in a moment; /healthz says what is missing." },
	{ ENOSPC,       507, "disk_full", "The disk is full",
	  "Free some space and try again." },
	{ 0,            500, "internal", "Something failed inside",
	  "Look for the request_id in the log." },
};
/* clang-format on */

const struct http_problem *http_problem_by_code(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(problems); i++) {
		if (strcmp(problems[i].code, code) == 0)
			return &problems[i];
	}
	return NULL;
}

const struct http_problem *http_problem_of(int r, const struct error *err)
{
	const struct http_problem *named =
		err && err->code_name[0] ? http_problem_by_code(err->code_name) : NULL;

	if (named)
		return named;
	for (size_t i = 0; i < ARRAY_SIZE(problems); i++) {
		if (problems[i].error == -r && r != 0)
			return &problems[i];
	}
	return &problems[ARRAY_SIZE(problems) - 1];
}

const struct http_problem *http_problems(size_t *count)
{
	*count = ARRAY_SIZE(problems);
	return problems;
}

/* errors: what member of the body (pointer) or of the query (parameter) is at fault. */
static json_t *errors_json(const struct error *err)
{
	bool query = err->field[0] != '\0' && err->field[0] != '/';

	return json_pack("[{s:s, s:s}]", query ? "parameter" : "pointer", err->field, "detail",
			 err->detail[0] ? err->detail : "is not valid");
}

json_t *http_problem_json(const struct http_problem *problem, const struct error *err,
			  const char *request_id)
{
	bool internal = problem->status == 500;
	const char *detail = problem->title;
	const char *resolution = problem->resolution;
	const char *code = problem->code;
	json_t *json;

	if (err && err->detail[0] && !internal)
		detail = err->detail;
	if (err && err->resolution[0])
		resolution = err->resolution;
	/* A code of the caller's own, with the errno's status. */
	if (err && err->code_name[0])
		code = err->code_name;
	json = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "type", "about:blank", "title",
			 problem->title, "status", (int)problem->status, "code", code, "detail",
			 detail, "resolution", resolution, "request_id", request_id);
	if (json && err &&
	    (problem->status == 422 || (problem->status == 409 && err->field[0] == '/')))
		(void)json_object_set_new(json, "errors", errors_json(err));
	return json;
}
