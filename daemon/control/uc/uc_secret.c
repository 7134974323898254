/* SPDX-License-Identifier: Apache-2.0 */
/* uc_secret.c - passwords of trunks: sealed before they go anywhere (net/seal.h). */
#include "control/uc/uc_private.h"
#include "control/uc/uc_rows_private.h"

#include "net/digest.h"
#include "net/seal.h"
#include "node/uc_routing.h"

#include <string.h>

#define PURPOSE SLICE(UC_SECRET_PURPOSE)

static int check_sealed(const struct uc *uc, const json_t *registration, struct error *err)
{
	const char *sealed = json_string_value(json_object_get(registration, "password_sealed"));
	char plain[SEAL_PLAIN_MAX + 1];
	ssize_t n;

	if (!sealed)
		return 0;
	n = seal_open(uc->secrets_key, PURPOSE, slice_str(sealed), plain);
	explicit_bzero(plain, sizeof(plain));
	return n < 0 ? error_field(err, -EINVAL, "/registration/password_sealed",
				   "was not sealed by this appliance; give the password itself")
		     : 0;
}

int uc_secret_seal(const struct uc *uc, const struct uc_resource *res, json_t *document,
		   struct error *err)
{
	json_t *registration = json_object_get(document, "registration");
	const json_t *password = json_object_get(registration, "password");
	char sealed[SEAL_TEXT_MAX];
	int r;

	if (res != &uc_sip_entities || !json_is_object(registration))
		return 0;
	if (!json_is_string(password)) {
		(void)json_object_del(registration, "password");
		return check_sealed(uc, registration, err);
	}
	r = seal_text(uc->secrets_key, PURPOSE,
		      slice_make(json_string_value(password), json_string_length(password)),
		      sealed);
	if (r < 0)
		return error_field(err, -EINVAL, "/registration/password", "is too long");
	(void)json_object_del(registration, "password");
	return json_object_set_new(registration, "password_sealed", json_string(sealed)) < 0
		       ? error_set(err, -ENOMEM, "out of memory")
		       : 0;
}

int uc_secret_give(struct uc *uc, struct error *err)
{
	char hex[SEAL_KEY_HEX];
	AUTO(json) json_t *body = NULL;
	AUTO(json) json_t *answer = NULL;
	int status = 0, r;

	digest_to_hex(uc->secrets_key, SEAL_KEY_LEN, hex);
	body = json_pack("{s:s}", "key", hex);
	explicit_bzero(hex, sizeof(hex));
	if (!body)
		return error_set(err, -ENOMEM, "out of memory");
	r = uc_node_post(uc, "sm", "/v1/secrets-key", body, &status, &answer, err);
	if (r < 0)
		return r;
	return status == 200 ? 0 : error_set(err, -EAGAIN, "sm answers %d", status);
}
