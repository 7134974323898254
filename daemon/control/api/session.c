/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - /session: log-in, log-out, who am I, own password. */
#include "base/clock.h"
#include "control/api/api_private.h"
#include "http/sse.h"
#include "net/password.h"

#include <stdio.h>

struct login {
	char *name;
	char *password;
};

const struct json_field login_fields[] = {
	JSON_STRING(struct login, name, .required = true, .min = 1, .max = 256),
	JSON_STRING(struct login, password, .required = true, .min = 1, .max = PASSWORD_MAX,
		    .write_only = true),
	JSON_END,
};

struct password_change {
	char *old_password;
	char *new_password;
};

const struct json_field password_change_fields[] = {
	JSON_STRING(struct password_change, old_password, .required = true, .min = 1,
		    .max = PASSWORD_MAX, .write_only = true),
	JSON_STRING(struct password_change, new_password, .required = true,
		    .min = AUTH_PASSWORD_MIN, .max = PASSWORD_MAX, .write_only = true),
	JSON_END,
};

/* expires_at is the end for good; idle_timeout_s after the last request it ends earlier. */
static json_t *session_json(const struct api *api, const struct actor *actor)
{
	char at[CLOCK_RFC3339_SIZE];

	return json_pack("{s:{s:s, s:s}, s:s?, s:o, s:o, s:b, s:o}", "admin", "name", actor->name,
			 "role", role_name(actor->role), "csrf_token",
			 actor->csrf[0] ? actor->csrf : NULL, "expires_at",
			 actor->expires_at ? json_string(clock_format(actor->expires_at, at))
					   : json_null(),
			 "idle_timeout_s",
			 actor->kind == ACTOR_SESSION ? json_integer(auth_idle_s(api->config.auth))
						      : json_null(),
			 "must_change_password", (int)actor->must_change_password, "permissions",
			 permissions_json(actor->must_change_password ? 0 : actor->may));
}

int session_create(struct api *api, const struct http_request *req, struct http_reply *reply,
		   struct error *err)
{
	struct login login = { 0 };
	struct actor actor;
	char secret[AUTH_SECRET_SIZE], cookie[200];
	int r = json_read(req->json, login_fields, &login, err);

	if (r == 0)
		r = auth_login(api->config.auth, login.name, login.password, req->peer->address,
			       req->peer->local, &actor, secret, err);
	json_release(login_fields, &login);
	if (r < 0)
		return r;
	(void)snprintf(cookie, sizeof(cookie),
		       "__Host-aurabox=%s; Path=/; Max-Age=%d; Secure; HttpOnly; SameSite=Strict",
		       secret, AUTH_SESSION_MAX_S);
	r = reply_header(reply, "Set-Cookie", cookie, err);
	return r < 0 ? r : reply_json(reply, 200, session_json(api, &actor), err);
}

int session_get(struct api *api, const struct http_request *req, struct http_reply *reply,
		struct error *err)
{
	return reply_json(reply, 200, session_json(api, api_actor(req)), err);
}

int session_delete(struct api *api, const struct http_request *req, struct http_reply *reply,
		   struct error *err)
{
	const struct actor *actor = api_actor(req);
	char owner[SSE_OWNER_SIZE];
	int r = auth_logout(api->config.auth, actor, err);

	if (r < 0)
		return r;
	(void)snprintf(owner, sizeof(owner), "%s/%s", actor->session_id, role_name(actor->role));
	sse_close_owner(api->hub, owner);
	r = reply_header(reply, "Set-Cookie",
			 "__Host-aurabox=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict",
			 err);
	return r < 0 ? r : reply_empty(reply, 204, err);
}

int session_password(struct api *api, const struct http_request *req, struct http_reply *reply,
		     struct error *err)
{
	struct password_change change = { 0 };
	int r = json_read(req->json, password_change_fields, &change, err);

	if (r == 0)
		r = auth_change_password(api->config.auth, api_actor(req), change.old_password,
					 change.new_password, err);
	json_release(password_change_fields, &change);
	return r < 0 ? r : reply_empty(reply, 204, err);
}
