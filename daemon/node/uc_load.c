/* SPDX-License-Identifier: Apache-2.0 */
/* uc_load.c - the /uc/export document (DESIGN section 13) into a snapshot. */
#include "node/uc_model.h"
#include "node/uc_load_private.h"
#include "node/uc_model_build.h"

#include "base/json_field.h"
#include "net/digest.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOCUMENT_LIMIT (64U << 20)

static int load_sequence_entry(struct uc_place *pl, const json_t *item,
			       struct uc_sequence_entry *entry)
{
	AUTO(json) json_t *object = NULL;
	int r;

	/* "cm" stands for {"name":"cm","mandatory":true} */
	if (json_is_string(item))
		object = json_pack("{s:O}", "name", item);
	else if (json_is_object(item))
		object = json_incref((json_t *)item);
	else
		return uc_load_bad(pl, "entities", "holds names or objects");
	if (!object)
		return error_set(pl->err, -ENOMEM, "out of memory");
	r = uc_load_text(pl, object, "name", UC_NAME_MAX, NULL, &entry->name);
	if (r == 0)
		r = uc_load_bool(pl, object, "mandatory", true, &entry->mandatory);
	if (r == 0)
		entry->entity = uc_entity_by_name(pl->m, entry->name, strlen(entry->name));
	return r;
}

static int load_sequence(struct uc_place *pl, const json_t *object, struct uc_sequence *sequence)
{
	struct uc_sequence_entry *entries;
	const json_t *list;
	size_t count;
	int r;

	r = uc_load_text(pl, object, "name", UC_NAME_MAX, NULL, &sequence->name);
	if (r == 0)
		r = uc_load_list(pl, object, "entities", UC_APPLICATIONS_MAX, &list, &count);
	if (r < 0 || count == 0)
		return r;
	entries = calloc(count, sizeof(*entries));
	if (!entries)
		return error_set(pl->err, -ENOMEM, "out of memory");
	sequence->entries = entries;
	sequence->count = count;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = load_sequence_entry(pl, json_array_get(list, i), &entries[i]);
	return r;
}

static int load_sequences(struct uc_place *pl, const json_t *document)
{
	const json_t *list;
	size_t count;
	int r = uc_load_list(pl, document, "application_sequences", UC_SEQUENCES_MAX, &list,
			     &count);

	if (r < 0 || count == 0)
		return r;
	pl->m->sequences = calloc(count, sizeof(*pl->m->sequences));
	if (!pl->m->sequences)
		return error_set(pl->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		uc_load_at(pl, "application_sequences", i);
		pl->m->sequence_count++; /* its entries are freed even when it is half built */
		r = load_sequence(pl, json_array_get(list, i), &pl->m->sequences[i]);
		if (r < 0)
			return r;
	}
	pl->at[0] = '\0';
	return 0;
}

static int load_dial_plan(struct uc_place *pl, const json_t *document)
{
	static const char *const types[] = { "extension", "fac", "aar", "ars", "attendant" };
	const json_t *list;
	size_t count;
	int r = uc_load_list(pl, document, "dial_plan", UC_DIAL_LIMIT, &list, &count);

	if (r < 0 || count == 0)
		return r;
	pl->m->dial = calloc(count, sizeof(*pl->m->dial));
	if (!pl->m->dial)
		return error_set(pl->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct uc_dial_entry *entry = &pl->m->dial[i];
		const json_t *object = json_array_get(list, i);
		int type = 0;

		uc_load_at(pl, "dial_plan", i);
		r = uc_load_text(pl, object, "match", 20, NULL, &entry->match);
		if (r == 0)
			r = uc_load_u32(pl, object, "length", 1, 32, 0, &entry->length);
		if (r == 0)
			r = uc_load_choice(pl, object, "type", types, ARRAY_SIZE(types), -1, &type);
		if (r < 0)
			return r;
		if (strlen(entry->match) > entry->length)
			return uc_load_bad(pl, "length", "is less than the digits of match");
		entry->type = (enum uc_dial_type)type;
		pl->m->dial_count++;
	}
	pl->at[0] = '\0';
	return 0;
}

static bool is_hex(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, "0123456789abcdefABCDEF") == len;
}

/* The user's HA1s: as they come, or made of the password (RFC 7616 section 3.4.2). */
static int load_secret(struct uc_place *pl, const json_t *object, struct uc_user *user)
{
	const json_t *password = json_object_get(object, "password");
	const json_t *ha1 = json_object_get(object, "ha1");
	char hex[DIGEST_HEX_MAX];
	int r;

	user->ha1_md5 = user->ha1_sha256 = "";
	if (json_is_string(password)) {
		const struct slice parts[] = { slice_str(user->handle), slice_str(pl->m->domain),
					       slice_make(json_string_value(password),
							  json_string_length(password)) };

		digest_hex_joined(DIGEST_MD5, parts, ARRAY_SIZE(parts), hex);
		user->ha1_md5 = uc_model_text(pl->m, hex, strlen(hex));
		digest_hex_joined(DIGEST_SHA256, parts, ARRAY_SIZE(parts), hex);
		user->ha1_sha256 = uc_model_text(pl->m, hex, strlen(hex));
		explicit_bzero(hex, sizeof(hex));
		return user->ha1_md5 && user->ha1_sha256
			       ? 0
			       : error_set(pl->err, -ENOMEM, "out of memory");
	}
	if (password && !json_is_null(password))
		return uc_load_bad(pl, "password", "must be a string");
	if (!ha1 || json_is_null(ha1))
		return 0;
	if (!json_is_object(ha1))
		return uc_load_bad(pl, "ha1", "must be an object");
	r = uc_load_text(pl, ha1, "md5", 32, "", &user->ha1_md5);
	if (r == 0)
		r = uc_load_text(pl, ha1, "sha256", 64, "", &user->ha1_sha256);
	if (r < 0)
		return r;
	if (*user->ha1_md5 && !is_hex(user->ha1_md5, 32))
		return uc_load_bad(pl, "ha1/md5", "must be 32 hex digits");
	if (*user->ha1_sha256 && !is_hex(user->ha1_sha256, 64))
		return uc_load_bad(pl, "ha1/sha256", "must be 64 hex digits");
	return 0;
}

static int load_station(struct uc_place *pl, const json_t *object, struct uc_user_slot *slot)
{
	struct uc_station *station = &slot->station;
	int r;

	if (!object || json_is_null(object))
		return 0;
	if (!json_is_object(object))
		return uc_load_bad(pl, "station", "must be an object or null");
	r = uc_load_text(pl, object, "extension", 32, slot->user.handle, &station->extension);
	if (r == 0)
		r = uc_load_u32(pl, object, "appearances", 1, 10, 3, &station->appearances);
	if (r == 0)
		r = uc_load_bool(pl, object, "restrict_last_appearance", false,
				 &station->restrict_last_appearance);
	if (r < 0)
		return r;
	if (strspn(station->extension, "0123456789*#") != strlen(station->extension))
		return uc_load_bad(pl, "station/extension", "must be digits");
	station->handle = slot->user.handle;
	slot->user.station = station;
	r = map_add_unique(&pl->m->by_extension, &slot->by_extension,
			   slice_str(station->extension));
	if (r == -EEXIST)
		return error_set(pl->err, -EEXIST, "two stations have the extension %s",
				 station->extension);
	return r;
}

static const struct uc_sequence *sequence_named(const struct uc_model *m, const char *name)
{
	for (size_t i = 0; i < m->sequence_count; i++)
		if (strcmp(m->sequences[i].name, name) == 0)
			return &m->sequences[i];
	return NULL;
}

/* DESIGN section 13: a user with a station takes sip.sequence, or the only sequence there is. A server that
 * copies no sequences (presence) leaves the name open, as uc_load_reference() does. */
static int resolve_sequence(struct uc_place *pl, const char *wanted, struct uc_user *user)
{
	if (!user->station)
		return 0;
	if (*wanted) {
		user->sequence = sequence_named(pl->m, wanted);
		return user->sequence || pl->m->sequence_count == 0
			       ? 0
			       : uc_load_bad(pl, "sip/sequence", "names no sequence");
	}
	if (pl->m->sequence_count == 1)
		user->sequence = &pl->m->sequences[0];
	return 0;
}

static int load_sip(struct uc_place *pl, const json_t *object, struct uc_user *user,
		    const char **sequence)
{
	const json_t *sip = json_object_get(object, "sip");
	int r;

	*sequence = "";
	user->max_contacts = 10;
	if (!sip || json_is_null(sip))
		return 0;
	if (!json_is_object(sip))
		return uc_load_bad(pl, "sip", "must be an object");
	r = uc_load_text(pl, sip, "sequence", UC_NAME_MAX, "", sequence);
	return r < 0 ? r : uc_load_u32(pl, sip, "max_contacts", 1, 100, 10, &user->max_contacts);
}

static int make_aor(struct uc_place *pl, struct uc_user *user)
{
	size_t handle = strlen(user->handle), domain = strlen(pl->m->domain);
	AUTO(str) char *aor = malloc(handle + domain + 2);

	if (!aor)
		return error_set(pl->err, -ENOMEM, "out of memory");
	memcpy(aor, user->handle, handle);
	aor[handle] = '@';
	memcpy(aor + handle + 1, pl->m->domain, domain + 1);
	user->aor = uc_model_text(pl->m, aor, handle + domain + 1);
	return user->aor ? 0 : error_set(pl->err, -ENOMEM, "out of memory");
}

static int load_user(struct uc_place *pl, const json_t *object, struct uc_user_slot *slot)
{
	const json_t *presence = json_object_get(object, "presence");
	struct uc_user *user = &slot->user;
	const char *sequence = "";
	int r;

	r = uc_load_text(pl, object, "handle", 64, NULL, &user->handle);
	if (r == 0)
		r = uc_load_text(pl, object, "name", 1024, user->handle, &user->name);
	if (r == 0)
		r = make_aor(pl, user);
	if (r == 0)
		r = load_secret(pl, object, user);
	if (r == 0)
		r = load_sip(pl, object, user, &sequence);
	if (r == 0)
		r = load_station(pl, json_object_get(object, "station"), slot);
	if (r == 0)
		r = resolve_sequence(pl, sequence, user);
	if (r == 0)
		r = uc_load_location(pl, object, "location", &user->home);
	if (r < 0)
		return r;
	user->presence_enabled = !presence;
	if (json_is_object(presence)) {
		r = uc_load_bool(pl, presence, "enabled", true, &user->presence_enabled);
		if (r < 0)
			return r;
	}
	r = map_add_unique(&pl->m->by_handle, &slot->by_handle, slice_str(user->handle));
	if (r == -EEXIST)
		return error_set(pl->err, -EEXIST, "two users have the handle %s", user->handle);
	return r;
}

static int load_users(struct uc_place *pl, const json_t *document)
{
	const json_t *list;
	size_t count;
	int r = uc_load_list(pl, document, "users", UC_USER_LIMIT, &list, &count);

	if (r < 0 || count == 0)
		return r;
	pl->m->users = calloc(count, sizeof(*pl->m->users));
	if (!pl->m->users)
		return error_set(pl->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++) {
		uc_load_at(pl, "users", i);
		r = load_user(pl, json_array_get(list, i), &pl->m->users[i]);
		if (r < 0)
			return r;
		pl->m->user_count++;
	}
	pl->at[0] = '\0';
	return 0;
}

static int check_schema(struct uc_place *pl, const json_t *document)
{
	uint32_t schema = 1;

	if (!json_is_object(document))
		return error_field(pl->err, -EINVAL, "", "the document must be an object");
	return uc_load_u32(pl, document, "schema", 1, 1, 1, &schema);
}

int uc_model_new(const json_t *document, struct uc_model **ret, struct error *err)
{
	AUTO(uc_model) struct uc_model *m = uc_model_alloc();
	struct uc_place pl = { .m = m, .err = err };
	int r;

	if (!m)
		return error_set(err, -ENOMEM, "out of memory");
	r = check_schema(&pl, document);
	if (r == 0)
		r = uc_load_text(&pl, document, "domain", 253, "aurabox.internal", &m->domain);
	if (r == 0)
		r = uc_routing_load_before(&pl, document);
	if (r == 0)
		r = uc_load_entities(&pl, document);
	if (r == 0)
		r = load_sequences(&pl, document);
	if (r == 0)
		r = uc_routing_load_after(&pl, document);
	if (r == 0)
		r = load_dial_plan(&pl, document);
	if (r == 0)
		r = load_users(&pl, document);
	if (r < 0)
		return r == -ENOMEM ? error_set(err, r, "out of memory") : r;
	*ret = TAKE(m);
	return 0;
}

static int read_file(const char *path, char **ret, size_t *len, struct error *err)
{
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	AUTO(str) char *text = NULL;
	struct stat st;
	size_t used = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(err, -errno, "cannot read %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > DOCUMENT_LIMIT)
		return error_set(err, -EINVAL, "%s is no file of at most 64 MiB", path);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	while (used < (size_t)st.st_size) {
		ssize_t n = read(fd, text + used, (size_t)st.st_size - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, -errno, "cannot read %s", path);
		if (n == 0)
			break;
		used += (size_t)n;
	}
	*ret = TAKE(text);
	*len = used;
	return 0;
}

int uc_model_load(const char *path, struct uc_model **ret, struct error *err)
{
	AUTO(json) json_t *document = NULL;
	AUTO(str) char *text = NULL;
	size_t len = 0;
	int r;

	r = read_file(path, &text, &len, err);
	if (r < 0)
		return r;
	r = json_parse(slice_make(text, len), &document, err);
	if (r < 0)
		return r;
	return uc_model_new(document, ret, err);
}
