/* SPDX-License-Identifier: Apache-2.0 */
/* uc.c - opening the smgr database, migrating it, the rows that exist from the first day. */
#include "control/uc/uc.h"
#include "control/uc/uc_pages.h"
#include "control/uc/uc_private.h"

#include "base/random.h"
#include "net/http_client.h"
#include "net/seal.h"
#include "store/migrate.h"
#include "store/store.h"

#include <string.h>

const char *const uc_node_names[UC_NODES] = { "sm", "cm", "presence" };

static char *copy(const char *text, bool *ok)
{
	char *out = text ? strdup(text) : NULL;

	*ok = *ok && (!text || out);
	return out;
}

static int state_now(void *user, char ret[UC_PAGES_STATE_SIZE], struct error *err)
{
	static const char sql[] = "SELECT " UC_STATE;
	struct uc *uc = user;
	AUTO(store_rows) struct store_rows *rows = NULL;
	const char *state;
	int r = store_query_kept(uc->db, sql, NULL, 0, &rows, err);

	if (r < 0)
		return r;
	state = store_rows_text(rows, 0, 0);
	if (!state || strlen(state) >= UC_PAGES_STATE_SIZE)
		return error_set(err, -EIO, "the database has no version");
	memcpy(ret, state, strlen(state) + 1);
	return 0;
}

struct uc_pages *uc_pages_of(struct uc *uc)
{
	return uc->pages;
}

int uc_open(const struct uc_config *config, struct uc **ret, struct error *err)
{
	const char *const addresses[UC_NODES] = { config->sm_address, config->cm_address,
						  config->presence_address };
	const struct store_config db = {
		.url = config->database,
		.ca_file = config->ca_file,
		.cert_file = config->cert_file,
		.key_file = config->key_file,
		.application = "auraboxd",
		.statement_timeout_ms = 10000,
		/* TLS and a new backend take seconds in an emulated, busy guest */
		.connect_timeout_s = 8
	};
	const struct http_client_config http = { .ca_file = config->ca_file,
						 .cert_file = config->cert_file,
						 .key_file = config->key_file };
	AUTO(uc) struct uc *uc = calloc(1, sizeof(*uc));
	bool ok = true;
	int r = 0;

	if (!uc)
		return error_set(err, -ENOMEM, "out of memory");
	uc->ready = config->ready;
	uc->user = config->user;
	uc->sql_dir = copy(config->sql_dir, &ok);
	uc->sip_domain = copy(config->sip_domain, &ok);
	for (size_t i = 0; i < UC_NODES; i++) {
		uc->address[i] = copy(addresses[i], &ok);
		uc->management[i] = copy(config->management[i], &ok);
	}
	if (!ok || http_client_new(&http, &uc->http) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	if (config->secrets_file)
		r = seal_key_load(config->secrets_file, uc->secrets_key, err);
	else
		random_bytes(uc->secrets_key, sizeof(uc->secrets_key));
	if (r == 0)
		r = store_open(&db, &uc->db, err);
	if (r == 0 && uc_pages_new(state_now, uc, &uc->pages) < 0)
		r = error_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	*ret = TAKE(uc);
	return 0;
}

struct uc *uc_free(struct uc *uc)
{
	if (!uc)
		return NULL;
	(void)uc_pages_free(uc->pages);
	store_free(uc->db);
	(void)http_client_free(uc->http);
	explicit_bzero(uc->secrets_key, sizeof(uc->secrets_key));
	free(uc->sql_dir);
	free(uc->sip_domain);
	for (size_t i = 0; i < UC_NODES; i++) {
		free(uc->address[i]);
		free(uc->management[i]);
	}
	free(uc);
	return NULL;
}

static int default_settings(struct store_tx *tx, const struct uc *uc, struct error *err)
{
	static const char sql[] = "INSERT INTO settings (domain) SELECT $1"
				  " WHERE NOT EXISTS (SELECT FROM settings)";
	const char *domain = uc->sip_domain ? uc->sip_domain : "aurabox.internal";

	return store_tx_exec(tx, sql, (const char *[]){ domain }, 1, err);
}

static int default_entities(struct store_tx *tx, const struct uc *uc, struct error *err)
{
	static const char sql[] =
		"INSERT INTO sip_entities (name, type, address, port, transport, trusted)"
		" SELECT $1, $1, $2, 5061, 'tls', true"
		" WHERE NOT EXISTS (SELECT FROM sip_entities WHERE type = $1 OR name = $1)";
	int r = 0;

	for (size_t i = 0; r >= 0 && i < UC_NODES; i++)
		if (uc->address[i])
			r = store_tx_exec(tx, sql,
					  (const char *[]){ uc_node_names[i], uc->address[i] }, 2,
					  err);
	return r;
}

static int default_sequence(struct store_tx *tx, struct error *err)
{
	static const char sql[] =
		"WITH made AS (INSERT INTO application_sequences (name) SELECT 'default'"
		" WHERE NOT EXISTS (SELECT FROM application_sequences)"
		" AND EXISTS (SELECT FROM sip_entities WHERE type = 'cm') RETURNING id)"
		" INSERT INTO application_sequence_entities (sequence_id, position, entity_id)"
		" SELECT made.id, 1, e.id FROM made, sip_entities e WHERE e.type = 'cm'"
		" ORDER BY e.created_at LIMIT 1";

	return store_tx_exec(tx, sql, NULL, 0, err);
}

/* Four digits from 1 to 8 are extensions; 0 and 9 stay free for the attendant and for outside. */
static int default_dial_plan(struct store_tx *tx, struct error *err)
{
	static const char sql[] = "INSERT INTO dial_plan (match, length, type)"
				  " SELECT n::text, 4, 'extension' FROM generate_series(1, 8) AS n"
				  " WHERE NOT EXISTS (SELECT FROM dial_plan)";

	return store_tx_exec(tx, sql, NULL, 0, err);
}

static int defaults(struct store_tx *tx, void *user, struct error *err)
{
	struct uc *uc = user;
	int r;

	/* the lock of the versions: one process at a time looks and makes */
	r = store_tx_script(tx, "SELECT 1 FROM replica.counter FOR UPDATE", err);
	if (r >= 0)
		r = default_settings(tx, uc, err);
	if (r >= 0)
		r = default_entities(tx, uc, err);
	if (r >= 0)
		r = default_sequence(tx, err);
	if (r >= 0)
		r = default_dial_plan(tx, err);
	return r;
}

int uc_migrate(struct uc *uc, struct error *err)
{
	struct migrate_result done;
	int r = store_migrate(uc->db, uc->sql_dir, &done, err);

	if (r < 0)
		return r;
	uc_pages_clear(uc->pages); /* other views, perhaps, of the same rows */
	r = store_tx_run(uc->db, false, defaults, uc, err);
	return r < 0 ? r : 0;
}

int uc_ping(struct uc *uc, struct error *err)
{
	return store_ping(uc->db, err);
}
