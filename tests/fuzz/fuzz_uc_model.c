/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_uc_model.c - any bytes as an /uc/export document. */
#include "fuzz.h"

#include <string.h>

#include "base/json_field.h"
#include "node/uc_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(uc_model) struct uc_model *m = NULL;
	AUTO(json) json_t *document = NULL;
	struct error err = { 0 };

	if (json_parse(slice_make(data, size), &document, NULL) < 0)
		return 0;
	if (uc_model_new(document, &m, &err) < 0) {
		MUST(err.detail[0] != '\0');
		return 0;
	}
	for (size_t i = 0; i < uc_user_count(m); i++) {
		const struct uc_user *user = uc_user_at(m, i);

		MUST(uc_user_by_handle(m, user->handle, strlen(user->handle)) == user);
		MUST(!user->station ||
		     uc_user_by_extension(m, user->station->extension,
					  strlen(user->station->extension)) == user);
		MUST(!user->sequence || user->station);
	}
	for (size_t i = 0; i < uc_dial_count(m); i++)
		(void)uc_dial_match(m, uc_dial_at(m, i)->match, strlen(uc_dial_at(m, i)->match));
	return 0;
}
