/* SPDX-License-Identifier: Apache-2.0 */
/* pg_conn.c - connecting and running a statement over libpq without ever waiting for ever. */
#include "store/pg_conn.h"

#include "base/clock.h"
#include "store/rows_build.h"
#include "store/store.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define PARAM_LIMIT 16

static void auto_free_result(PGresult **slot)
{
	PQclear(*slot);
}

/* libpq's texts have a line break at the end and may have several lines: the first says it. */
static int fail_text(struct error *err, int code, const char *what, const char *text)
{
	size_t len = strcspn(text, "\r\n");

	return error_set(err, code, "%s: %.*s", what, (int)len, text);
}

struct state_errno {
	const char *state; /* a prefix of SQLSTATE */
	int code;
};

static const struct state_errno states[] = {
	{ "08", -EAGAIN },
	{ "57P", -EAGAIN },
	{ "53100", -ENOSPC },
	{ "53300", -EAGAIN },
	{ "40001", -EINTR },
	{ "40P01", -EINTR },
	{ "23505", -EEXIST },
	{ "23503", -EBUSY },
	{ "23", -EINVAL },
	{ "22", -EINVAL },
	{ "42501", -EACCES },
	{ "57014", -ETIMEDOUT },
	{ "55P03", -EAGAIN },
	{ "P0002", -ENOENT },
	{ "28", -EACCES },
	/* No such table or schema: its migrations have not run yet. */
	{ "42P01", -EAGAIN },
	{ "3F000", -EAGAIN },
};

static int state_code(const char *state)
{
	for (size_t i = 0; state && i < ARRAY_SIZE(states); i++)
		if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
			return states[i].code;
	return -EIO;
}

static int result_error(PGconn *conn, const PGresult *result, struct error *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *name = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (PQstatus(conn) == CONNECTION_BAD)
		return fail_text(err, -EAGAIN, "the database went away", PQerrorMessage(conn));
	return error_field(err, state_code(state), name ? name : "", "database: %s",
			   text ? text : "failed");
}

uint32_t pg_conn_timeout(const struct store_config *config)
{
	return config->statement_timeout_ms ? config->statement_timeout_ms : 10000;
}

/* Wait until the socket is readable or writable as asked, not beyond the deadline. */
static int wait_socket(PGconn *conn, short events, uint64_t deadline)
{
	uint64_t now = clock_now(clock_system());
	struct pollfd fd = { .fd = PQsocket(conn), .events = events };
	int r;

	if (fd.fd < 0)
		return -EAGAIN;
	if (now >= deadline)
		return -ETIMEDOUT;
	r = poll(&fd, 1, (int)(deadline - now));
	if (r < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int finish_connect(PGconn *conn, uint64_t deadline, struct error *err)
{
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;
	int r;

	while (state != PGRES_POLLING_OK) {
		if (state == PGRES_POLLING_FAILED)
			return fail_text(err, -EAGAIN, "no connection to the database",
					 PQerrorMessage(conn));
		r = wait_socket(conn, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
		if (r < 0)
			return error_set(err, -EAGAIN, "no connection to the database: no answer");
		state = PQconnectPoll(conn);
	}
	return 0;
}

/* "table exists already, skipping" and its like are no events of ours. */
static void ignore_notice(void *user, const char *text)
{
}

int pg_conn_open(const struct store_config *config, PGconn **ret, struct error *err)
{
	const char *keys[PARAM_LIMIT + 1] = { NULL }, *values[PARAM_LIMIT + 1] = { NULL };
	uint32_t connect_s = config->connect_timeout_s ? config->connect_timeout_s : 3;
	char options[96];
	size_t n = 0;
	PGconn *conn;
	int r;

#define PARAM(key, value) (keys[n] = (key), values[n++] = (value))
	snprintf(options, sizeof(options), "-c statement_timeout=%u -c timezone=UTC",
		 pg_conn_timeout(config));
	PARAM("dbname", config->url); /* expanded; what follows wins over it */
	PARAM("application_name", config->application ? config->application : "aurabox");
	PARAM("client_encoding", "UTF8");
	PARAM("options", options);
	PARAM("tcp_user_timeout", "5000");
	PARAM("keepalives_idle", "2");
	PARAM("keepalives_interval", "2");
	PARAM("keepalives_count", "3");
	if (config->user)
		PARAM("user", config->user);
	if (config->ca_file) {
		PARAM("sslmode", "verify-full");
		PARAM("sslrootcert", config->ca_file);
	}
	if (config->cert_file)
		PARAM("sslcert", config->cert_file);
	if (config->key_file)
		PARAM("sslkey", config->key_file);
#undef PARAM
	conn = PQconnectStartParams(keys, values, 1);
	if (!conn)
		return error_set(err, -ENOMEM, "out of memory");
	if (PQstatus(conn) == CONNECTION_BAD)
		r = fail_text(err, -EAGAIN, "no connection to the database", PQerrorMessage(conn));
	else
		r = finish_connect(conn, clock_now(clock_system()) + connect_s * 1000ULL, err);
	if (r < 0) {
		PQfinish(conn);
		return r;
	}
	PQsetNoticeProcessor(conn, ignore_notice, NULL);
	*ret = conn;
	return 0;
}

static int copy_rows(const PGresult *result, struct store_rows **ret, struct error *err)
{
	int cols = PQnfields(result), count = PQntuples(result);
	AUTO(store_rows) struct store_rows *rows = store_rows_new((size_t)cols);

	if (!rows)
		return error_set(err, -ENOMEM, "out of memory");
	for (int i = 0; i < count; i++) {
		for (int k = 0; k < cols; k++) {
			bool null = PQgetisnull(result, i, k);

			if (store_rows_push(rows, null ? NULL : PQgetvalue(result, i, k),
					    (size_t)PQgetlength(result, i, k)) < 0)
				return error_set(err, -ENOMEM, "out of memory");
		}
	}
	*ret = TAKE(rows);
	return 0;
}

int pg_conn_lost(PGconn *conn, struct error *err)
{
	return fail_text(err, -EAGAIN, "the database went away", PQerrorMessage(conn));
}

/* All results of what was sent; the first failure counts, else the last result. */
static int collect(PGconn *conn, uint64_t deadline, PGresult **ret, struct error *err)
{
	int r = 0;

	for (;;) {
		PGresult *result;

		while (PQisBusy(conn)) {
			if (wait_socket(conn, POLLIN, deadline) < 0)
				return error_set(err, -EAGAIN, "the database does not answer");
			if (!PQconsumeInput(conn))
				return pg_conn_lost(conn, err);
		}
		result = PQgetResult(conn);
		if (!result)
			return r;
		if (r == 0 && PQresultStatus(result) != PGRES_COMMAND_OK &&
		    PQresultStatus(result) != PGRES_TUPLES_OK)
			r = result_error(conn, result, err);
		PQclear(*ret);
		*ret = result;
	}
}

int pg_conn_finish(PGconn *conn, uint32_t timeout_ms, struct store_rows **rows, struct error *err)
{
	/* the server's own timeout comes first; ours is for a server that is silent */
	uint64_t deadline = clock_now(clock_system()) + timeout_ms + 2000;
	AUTO(result) PGresult *result = NULL;
	int r = collect(conn, deadline, &result, err);

	if (r < 0)
		return r;
	if (!result)
		return error_set(err, -EIO, "the database gave no result");
	if (rows)
		return copy_rows(result, rows, err);
	return (int)strtol(PQcmdTuples(result), NULL, 10);
}

int pg_conn_run(PGconn *conn, const char *sql, const char *const *params, int n,
		uint32_t timeout_ms, struct store_rows **rows, struct error *err)
{
	int sent = n < 0 ? PQsendQuery(conn, sql)
			 : PQsendQueryParams(conn, sql, n, NULL, params, NULL, NULL, 0);

	return sent ? pg_conn_finish(conn, timeout_ms, rows, err) : pg_conn_lost(conn, err);
}
