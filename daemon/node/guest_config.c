/* SPDX-License-Identifier: Apache-2.0 */
/* guest_config.c - reads the guest's configuration document. */
#include "node/guest_config.h"

#include "base/json_field.h"
#include "base/log.h"
#include "base/option.h"

#include <stdio.h>
#include <string.h>

static int read_document(const char *path, json_t **ret, struct error *err)
{
	char text[GUEST_CONFIG_MAX + 1];
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		return error_set(err, -errno, "cannot read %s", path);
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	if (len > GUEST_CONFIG_MAX)
		return error_set(err, -EINVAL, "%s is longer than 64 KiB", path);
	return json_parse(slice_make(text, len), ret, err);
}

static const char *text_of(const json_t *document, const char *member)
{
	const char *text = json_string_value(json_object_get(document, member));

	return text ? text : "";
}

static int set_options(const json_t *document, const struct option *table, void *options,
		       struct error *err)
{
	json_t *wanted = json_object_get(document, "options");
	const char *key;
	json_t *value;

	json_object_foreach(wanted, key, value)
	{
		struct error why = { 0 };
		int r;

		if (!json_is_string(value))
			return error_field(err, -EINVAL, key, "must be a string");
		r = option_set(table, options, key, json_string_value(value), &why);
		if (r == -ENOENT)
			log_info("node.option_passed_over", F("key", key));
		else if (r < 0)
			return error_field(err, r, key, "%s", why.detail);
	}
	return 0;
}

int guest_config_load(const char *path, const struct option *table, void *options,
		      struct guest_config *ret, struct error *err)
{
	const char *address;
	struct slice host;
	int r;

	r = read_document(path, &ret->document, err);
	if (r < 0)
		return r;
	if (!json_is_object(ret->document))
		return error_field(err, -EINVAL, "", "must be an object");
	ret->name = text_of(ret->document, "name");
	ret->instance = text_of(ret->document, "instance");
	ret->domain = text_of(ret->document, "domain");
	ret->advertise = text_of(ret->document, "advertise");
	ret->peers = json_object_get(ret->document, "peers");
	address = json_string_value(json_array_get(json_object_get(ret->document, "addresses"), 0));
	if (!*ret->name || !address)
		return error_field(err, -EINVAL, "/addresses", "name and addresses are needed");
	host = slice_str(address);
	host = slice_take_until(&host, '/', NULL);
	if (slice_copy(host, ret->address, sizeof(ret->address)) < 0)
		return error_field(err, -EINVAL, "/addresses/0", "is no address");
	return set_options(ret->document, table, options, err);
}

void guest_config_done(struct guest_config *config)
{
	json_decref(config->document);
	config->document = NULL;
}
