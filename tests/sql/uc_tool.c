/* SPDX-License-Identifier: Apache-2.0 */
/* uc_tool.c - control/uc and the private cluster from a command line; prints JSON, for tests. */
#include "base/json_field.h"
#include "control/uc/uc.h"
#include "http/listing_read.h"
#include "store/pg_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int show(int r, json_t *value, int64_t version, struct error *err)
{
	json_t *out;
	char *text;

	if (r < 0)
		out = json_pack("{s:i,s:s,s:s}", "error", r, "field", err->field, "detail",
				err->detail);
	else
		out = json_pack("{s:o,s:I}", "value", value ? value : json_null(), "version",
				(json_int_t)version);
	text = json_dumps(out, JSON_COMPACT | JSON_ENCODE_ANY);
	puts(text);
	free(text);
	json_decref(out);
	return r < 0 ? 1 : 0;
}

static int cluster(int argc, char **argv)
{
	const struct pg_cluster_config config = {
		.data_dir = argv[2], .socket_dir = argv[3], .run_as = argv[4], .database = argv[5]
	};
	AUTO(pg_cluster) struct pg_cluster *c = NULL;
	struct error err = { 0 };
	json_t *value = NULL;
	int r = pg_cluster_start(&config, &c, &err);

	if (r == 0 && argc > 6 && strcmp(argv[6], "stop") == 0)
		r = pg_cluster_stop(c, 20000, &err);
	else if (r == 0)
		value = json_pack("{s:s,s:i}", "url", pg_cluster_url(c), "pid",
				  (int)pg_cluster_pid(c));
	return show(r, value, 0, &err);
}

/* "limit=3&sort=-name" to pairs in place; values stand in it as they are. */
static size_t split(char *text, struct http_pair *pairs)
{
	size_t n = 0;

	for (char *pair = strtok(text, "&"); pair && n < HTTP_QUERY_MAX; pair = strtok(NULL, "&")) {
		char *equals = strchr(pair, '=');

		if (!equals)
			continue;
		*equals = '\0';
		pairs[n++] = (struct http_pair){ pair, equals + 1 };
	}
	return n;
}

/* A page of users or records, asked for as in a URL. */
static int list(struct uc *uc, const char *verb, char *asked, struct error *err)
{
	bool users = strcmp(verb, "list") == 0;
	struct http_pair pairs[HTTP_QUERY_MAX];
	struct http_request req = { .path = verb, .query = pairs };
	AUTO_LISTING query = { 0 };
	AUTO_LISTING_PAGE page = { 0 };
	json_t *value = NULL;
	int r;

	req.query_count = split(asked, pairs);
	r = http_listing_read(&req, users ? &uc_user_listing : &uc_cdr_listing, &query, err);
	if (r == 0 && users)
		r = uc_user_list(uc, &query, &page, err);
	else if (r == 0)
		r = uc_cdr_list(uc, http_query(&req, "handle"), &query, &page, err);
	if (r == 0)
		r = http_listing_answer(&query, &page, &value, err);
	return show(r, value, 0, err);
}

static int run(struct uc *uc, const char *verb, char **arg, int n)
{
	AUTO(json) json_t *input = NULL;
	struct error err = { 0 };
	json_t *value = NULL;
	int64_t version = 0;
	int r = -EINVAL;

	if ((strcmp(verb, "list") == 0 || strcmp(verb, "cdr") == 0) && n == 1)
		return list(uc, verb, arg[0], &err);
	if ((strcmp(verb, "create") == 0 || strcmp(verb, "patch") == 0) && n > 0) {
		r = json_parse(slice_str(arg[n - 1]), &input, &err);
		if (r < 0)
			return show(r, NULL, 0, &err);
	}
	if (strcmp(verb, "migrate") == 0)
		r = uc_migrate(uc, &err);
	else if (strcmp(verb, "create") == 0 && n == 1)
		r = uc_user_create(uc, input, &value, &version, &err);
	else if (strcmp(verb, "get") == 0 && n == 1)
		r = uc_user_get(uc, arg[0], &value, &version, &err);
	else if (strcmp(verb, "patch") == 0 && n == 3)
		r = uc_user_patch(uc, arg[0], input, atoll(arg[1]), &value, &version, &err);
	else if (strcmp(verb, "delete") == 0 && n == 2)
		r = uc_user_delete(uc, arg[0], atoll(arg[1]), &err);
	else if (strcmp(verb, "export") == 0 && n == 1)
		r = uc_export(uc, strcmp(arg[0], "secrets") == 0, &value, &err);
	else if (strcmp(verb, "record") == 0 && n == 1)
		r = uc_cdr_find(uc, arg[0], &value, &err);
	else if (strcmp(verb, "summary") == 0 && n == 3)
		r = uc_cdr_summary(uc, atoll(arg[0]), atoll(arg[1]), (uint32_t)atoi(arg[2]), &value,
				   &err);
	else if (strcmp(verb, "registrations") == 0)
		r = uc_registrations(uc, &value, &err);
	else if (strcmp(verb, "calls") == 0)
		r = uc_calls(uc, &value, &err);
	else if (strcmp(verb, "replication") == 0)
		r = uc_replication(uc, &value, &err);
	return show(r, value, version, &err);
}

/* UC_CA, UC_CERT, UC_KEY, UC_SM: certificates and sm's management address.
 * uc_tool URL SQL_DIR VERB ARGS… | uc_tool cluster DATA SOCKETS USER DATABASE [stop] */
int main(int argc, char **argv)
{
	AUTO(uc) struct uc *uc = NULL;
	const char *sm = getenv("UC_SM");
	struct error err = { 0 };

	if (argc >= 6 && strcmp(argv[1], "cluster") == 0)
		return cluster(argc, argv);
	if (argc < 4)
		return 2;
	if (uc_open(&(struct uc_config){ .database = argv[1],
					 .sql_dir = argv[2],
					 .sip_domain = "aurabox.internal",
					 .sm_address = "10.77.0.11",
					 .cm_address = "10.77.0.12",
					 .presence_address = "10.77.0.13",
					 .ca_file = getenv("UC_CA"),
					 .cert_file = getenv("UC_CERT"),
					 .key_file = getenv("UC_KEY"),
					 .management = { sm ? sm : "unix:/nonexistent/sm.sock",
							 "unix:/nonexistent/cm.sock" } },
		    &uc, &err) < 0)
		return show(-1, NULL, 0, &err);
	return run(uc, argv[3], argv + 4, argc - 4);
}
