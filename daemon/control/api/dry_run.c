/* SPDX-License-Identifier: Apache-2.0 */
/* dry_run.c - see api_dry_run.h. */
#include "control/api/api_dry_run.h"
#include "control/api/api_private.h"

#include <stdio.h>

enum { DETAIL_SIZE = 1024 };

void api_plan_done(struct api_plan *plan)
{
	json_decref(plan->steps);
	json_decref(plan->warnings);
	*plan = (struct api_plan){ 0 };
}

/* auth_hook.c has checked that it is true or false, and that the route knows it. */
bool api_dry_run(const struct http_request *req)
{
	const char *value = http_query(req, "dry_run");

	return value && strcmp(value, "true") == 0;
}

static json_t *text_json(const char *format, va_list args)
{
	char text[DETAIL_SIZE];
	int n = vsnprintf(text, sizeof(text), format, args);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;

	/* a cut in the middle of a character is no UTF-8 */
	while (len > 0 && (text[len - 1] & 0x80) && (size_t)n >= sizeof(text))
		len--;
	return json_stringn(text, len);
}

void api_plan_add(struct api_plan *plan, const char *action, const char *target, const char *format,
		  ...)
{
	va_list args;

	if (!plan->steps)
		plan->steps = json_array();
	va_start(args, format);
	(void)json_array_append_new(plan->steps,
				    json_pack("{s:s, s:s, s:o}", "action", action, "target", target,
					      "detail", text_json(format, args)));
	va_end(args);
}

void api_plan_warn(struct api_plan *plan, const char *code, const char *format, ...)
{
	va_list args;

	if (!plan->warnings)
		plan->warnings = json_array();
	va_start(args, format);
	(void)json_array_append_new(plan->warnings, json_pack("{s:s, s:o}", "code", code, "detail",
							      text_json(format, args)));
	va_end(args);
}

/* A value for people: texts as they are, null and what is not there as "none". */
static char *value_text(const json_t *value)
{
	if (json_is_string(value))
		return strdup(json_string_value(value));
	if (!value || json_is_null(value))
		return strdup("none");
	return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
}

static void compare(struct api_plan *plan, const char *target, const char *prefix,
		    const json_t *was, const json_t *now)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)now, name, value)
	{
		const json_t *old = json_object_get(was, name);
		AUTO(str) char *before = NULL;
		AUTO(str) char *after = NULL;
		char path[160];

		if (json_equal(old, value) || strcmp(name, "updated_at") == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", name);
		if (json_is_object(old) && json_is_object(value)) {
			compare(plan, target, path, old, value);
			continue;
		}
		before = value_text(old);
		after = value_text(value);
		api_plan_add(plan, "change", target, "%s: %s \xe2\x86\x92 %s", path,
			     before ? before : "", after ? after : "");
	}
}

void api_plan_compare(struct api_plan *plan, const char *target, const json_t *was,
		      const json_t *now)
{
	size_t before = json_array_size(plan->steps);

	compare(plan, target, "", was, now);
	if (json_array_size(plan->steps) == before)
		api_plan_add(plan, "keep", target, "nothing changes");
}

int api_plan_reply(struct api_plan *plan, struct http_reply *reply, struct error *err)
{
	json_t *steps = plan->steps ? TAKE(plan->steps) : json_array();
	json_t *warnings = plan->warnings ? TAKE(plan->warnings) : json_array();

	return reply_json(reply, 200, json_pack("{s:o, s:o}", "plan", steps, "warnings", warnings),
			  err);
}
