/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.c - the appliance's key of sealed secrets, see secrets.h. */
#include "sm/secrets.h"

#include <string.h>

#include "base/log.h"
#include "net/digest.h"
#include "node/node.h"
#include "node/state_journal.h"
#include "node/uc_routing.h"
#include "sm/entity.h"
#include "sm/sm.h"

const struct json_field secrets_fields[] = {
	JSON_MEMBER(STRING, "key", .required = true, .min = 2 * SEAL_KEY_LEN,
		    .max = 2 * SEAL_KEY_LEN),
	JSON_END,
};

bool secrets_read_key(struct sm *sm, struct slice hex)
{
	sm->secrets_known = digest_from_hex(hex, sm->secrets_key, SEAL_KEY_LEN) == SEAL_KEY_LEN;
	return sm->secrets_known;
}

int secrets_post(void *server, const json_t *body, json_t **ret, struct error *err)
{
	struct sm *sm = server;
	const char *hex = json_string_value(json_object_get(body, "key"));
	uint8_t key[SEAL_KEY_LEN];
	int r = json_check(body, secrets_fields, err);

	if (r < 0)
		return r;
	if (digest_from_hex(slice_str(hex), key, sizeof(key)) != sizeof(key))
		return error_field(err, -EINVAL, "/key", "is not hex");
	if (!sm->secrets_known || !digest_equal(key, sm->secrets_key, sizeof(key))) {
		memcpy(sm->secrets_key, key, sizeof(key));
		sm->secrets_known = true;
		r = state_put(node_state(sm->node), SECRETS_KIND, SLICE(SECRETS_KEY),
			      slice_str(hex), 0);
		if (r < 0)
			log_failure(LOG_LEVEL_WARNING, "secrets.journal", r, NULL);
		log_info("secrets.key_taken");
		for (struct entity *e = entity_next(sm->entities, NULL); e;
		     e = entity_next(sm->entities, e))
			entity_register_sync(e);
	}
	explicit_bzero(key, sizeof(key));
	*ret = json_pack("{s:b}", "known", 1);
	return *ret ? 0 : error_set(err, -ENOMEM, "out of memory");
}

int secrets_password(const struct sm *sm, const struct uc_registration *row,
		     char ret[static SEAL_PLAIN_MAX + 1])
{
	size_t len = strlen(row->password);

	if (len > 0 && len <= SEAL_PLAIN_MAX) { /* a standalone document may have it in clear */
		memcpy(ret, row->password, len + 1);
		return 0;
	}
	if (!*row->password_sealed || !sm->secrets_known)
		return -ENOENT;
	return seal_open(sm->secrets_key, SLICE(UC_SECRET_PURPOSE), slice_str(row->password_sealed),
			 ret) < 0
		       ? -ENOENT
		       : 0;
}
