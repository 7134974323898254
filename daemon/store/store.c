/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the pool: connections on loan to threads, back-off while the database is away. */
#include "store/store.h"
#include "store/pg_conn.h"
#include "store/pg_kept.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define POOL_LIMIT 64
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 1000
#define TX_ATTEMPTS 5

struct store {
	struct store_config config; /* its strings are owned */
	pthread_mutex_t lock;
	pthread_cond_t returned;
	PGconn *idle[POOL_LIMIT];
	uint32_t idle_count;
	PGconn *lent[POOL_LIMIT]; /* connected and with a thread; NULL: free place */
	uint32_t busy;
	uint32_t max;
	uint64_t retry_at; /* no attempt to connect before; 0: at once */
	uint32_t backoff_ms;
	struct store_stats stats;
};

struct store_tx {
	struct store *st;
	PGconn *conn;
	bool open;
};

struct store_num store_num_make(int64_t value)
{
	struct store_num num;

	snprintf(num.text, sizeof(num.text), "%lld", (long long)value);
	return num;
}

static const char *copy(const char *text, bool *ok)
{
	char *out = text ? strdup(text) : NULL;

	*ok = *ok && (!text || out);
	return out;
}

int store_open(const struct store_config *config, struct store **ret, struct error *err)
{
	AUTO(store) struct store *st = NULL;
	pthread_condattr_t attr;
	char *reason = NULL;
	PQconninfoOption *parsed;
	bool ok = true;

	parsed = PQconninfoParse(config->url, &reason);
	PQfreemem(reason);
	if (!parsed)
		return error_set(err, -EINVAL, "is no PostgreSQL URL");
	PQconninfoFree(parsed);
	st = calloc(1, sizeof(*st));
	if (!st)
		return error_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&st->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&st->returned, &attr);
	pthread_condattr_destroy(&attr);
	st->config = *config;
	st->config.url = copy(config->url, &ok);
	st->config.user = copy(config->user, &ok);
	st->config.ca_file = copy(config->ca_file, &ok);
	st->config.cert_file = copy(config->cert_file, &ok);
	st->config.key_file = copy(config->key_file, &ok);
	st->config.application = copy(config->application, &ok);
	st->max = config->max_connections ? config->max_connections : 8;
	if (st->max > POOL_LIMIT)
		st->max = POOL_LIMIT;
	if (!ok)
		return error_set(err, -ENOMEM, "out of memory");
	*ret = TAKE(st);
	return 0;
}

struct store *store_free(struct store *st)
{
	if (!st)
		return NULL;
	for (uint32_t i = 0; i < st->idle_count; i++)
		PQfinish(st->idle[i]);
	free((char *)st->config.url);
	free((char *)st->config.user);
	free((char *)st->config.ca_file);
	free((char *)st->config.cert_file);
	free((char *)st->config.key_file);
	free((char *)st->config.application);
	pthread_cond_destroy(&st->returned);
	pthread_mutex_destroy(&st->lock);
	free(st);
	return NULL;
}

/* Has an idle connection been closed meanwhile? Input that waits there says so. */
static bool is_alive(PGconn *conn)
{
	return PQconsumeInput(conn) && PQstatus(conn) == CONNECTION_OK;
}

/* Under the lock: wait for the right to have one more busy connection. */
static int wait_turn(struct store *st, struct error *err)
{
	uint32_t ms = st->config.acquire_timeout_ms ? st->config.acquire_timeout_ms : 5000;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	while (st->busy >= st->max)
		if (pthread_cond_timedwait(&st->returned, &st->lock, &until) == ETIMEDOUT)
			return error_set(err, -EAGAIN, "all database connections are in use");
	return 0;
}

/* Under the lock. There are as many places as there may be busy connections. */
static void replace_lent(struct store *st, const PGconn *old, PGconn *now)
{
	for (uint32_t i = 0; i < POOL_LIMIT; i++) {
		if (st->lent[i] == old) {
			st->lent[i] = now;
			return;
		}
	}
}

void store_interrupt(struct store *st)
{
	pthread_mutex_lock(&st->lock);
	for (uint32_t i = 0; i < POOL_LIMIT; i++)
		if (st->lent[i])
			(void)shutdown(PQsocket(st->lent[i]), SHUT_RDWR);
	pthread_mutex_unlock(&st->lock);
}

static void give_back(struct store *st, PGconn *conn, bool usable)
{
	usable = usable && PQstatus(conn) == CONNECTION_OK &&
		 PQtransactionStatus(conn) == PQTRANS_IDLE;
	pthread_mutex_lock(&st->lock);
	st->busy--;
	replace_lent(st, conn, NULL);
	if (usable)
		st->idle[st->idle_count++] = conn;
	pthread_cond_signal(&st->returned);
	pthread_mutex_unlock(&st->lock);
	if (!usable)
		PQfinish(conn);
}

/* The turn is taken: connect, or remember when to try again. */
static int connect_new(struct store *st, PGconn **ret, struct error *err)
{
	int r = pg_conn_open(&st->config, ret, err);

	pthread_mutex_lock(&st->lock);
	if (r < 0) {
		st->busy--;
		st->backoff_ms = st->backoff_ms ? st->backoff_ms * 2 : BACKOFF_MIN_MS;
		if (st->backoff_ms > BACKOFF_MAX_MS)
			st->backoff_ms = BACKOFF_MAX_MS;
		st->retry_at = clock_now(clock_system()) + st->backoff_ms;
		pthread_cond_signal(&st->returned);
	} else {
		st->backoff_ms = 0;
		st->retry_at = 0;
		st->stats.reconnects++;
		replace_lent(st, NULL, *ret);
	}
	pthread_mutex_unlock(&st->lock);
	return r;
}

static int acquire(struct store *st, PGconn **ret, struct error *err)
{
	PGconn *conn = NULL;
	bool away = false;
	int r;

	pthread_mutex_lock(&st->lock);
	r = wait_turn(st, err);
	if (r < 0) {
		pthread_mutex_unlock(&st->lock);
		return r;
	}
	st->busy++;
	while (st->idle_count && !conn) {
		conn = st->idle[--st->idle_count];
		if (!is_alive(conn)) {
			PQfinish(conn);
			conn = NULL;
		}
	}
	if (conn) {
		replace_lent(st, NULL, conn);
	} else if (clock_now(clock_system()) < st->retry_at) {
		st->busy--;
		away = true;
	}
	pthread_mutex_unlock(&st->lock);
	if (away)
		return error_set(err, -EAGAIN, "the database cannot be reached");
	if (conn) {
		*ret = conn;
		return 0;
	}
	return connect_new(st, ret, err);
}

static int count(struct store *st, int r)
{
	pthread_mutex_lock(&st->lock);
	st->stats.queries++;
	st->stats.failures += r < 0;
	pthread_mutex_unlock(&st->lock);
	return r;
}

typedef int run_fn(PGconn *conn, const char *sql, const char *const *params, int n,
		   uint32_t timeout_ms, struct store_rows **rows, struct error *err);

static int run_once(struct store *st, run_fn *run, const char *sql, const char *const *params,
		    size_t n, struct store_rows **rows, struct error *err)
{
	PGconn *conn = NULL;
	int r = acquire(st, &conn, err);

	if (r < 0)
		return count(st, r);
	r = run(conn, sql, params, (int)n, pg_conn_timeout(&st->config), rows, err);
	give_back(st, conn, r != -EAGAIN);
	return count(st, r);
}

int store_query(struct store *st, const char *sql, const char *const *params, size_t n,
		struct store_rows **ret, struct error *err)
{
	int r = run_once(st, pg_conn_run, sql, params, n, ret, err);

	return r < 0 ? r : 0;
}

int store_query_kept(struct store *st, const char *sql, const char *const *params, size_t n,
		     struct store_rows **ret, struct error *err)
{
	int r = run_once(st, pg_kept_run, sql, params, n, ret, err);

	return r < 0 ? r : 0;
}

int store_exec(struct store *st, const char *sql, const char *const *params, size_t n,
	       struct error *err)
{
	return run_once(st, pg_conn_run, sql, params, n, NULL, err);
}

int store_ping(struct store *st, struct error *err)
{
	int r = store_exec(st, "SELECT 1", NULL, 0, err);

	return r < 0 ? r : 0;
}

int store_tx_begin(struct store *st, bool serializable, struct store_tx **ret, struct error *err)
{
	const char *begin = serializable ? "BEGIN ISOLATION LEVEL SERIALIZABLE"
					 : "BEGIN ISOLATION LEVEL READ COMMITTED";
	AUTO(store_tx) struct store_tx *tx = calloc(1, sizeof(*tx));
	int r;

	if (!tx)
		return error_set(err, -ENOMEM, "out of memory");
	tx->st = st;
	r = acquire(st, &tx->conn, err);
	if (r < 0) {
		tx->conn = NULL;
		return r;
	}
	r = pg_conn_run(tx->conn, begin, NULL, -1, pg_conn_timeout(&st->config), NULL, err);
	if (r < 0)
		return r;
	tx->open = true;
	*ret = TAKE(tx);
	return 0;
}

int store_tx_query(struct store_tx *tx, const char *sql, const char *const *params, size_t n,
		   struct store_rows **ret, struct error *err)
{
	int r = pg_conn_run(tx->conn, sql, params, (int)n, pg_conn_timeout(&tx->st->config), ret,
			    err);

	count(tx->st, r);
	return r < 0 ? r : 0;
}

int store_tx_exec(struct store_tx *tx, const char *sql, const char *const *params, size_t n,
		  struct error *err)
{
	return count(tx->st, pg_conn_run(tx->conn, sql, params, (int)n,
					 pg_conn_timeout(&tx->st->config), NULL, err));
}

int store_tx_script(struct store_tx *tx, const char *sql, struct error *err)
{
	int r = pg_conn_run(tx->conn, sql, NULL, -1, pg_conn_timeout(&tx->st->config), NULL, err);

	return r < 0 ? r : 0;
}

int store_tx_commit(struct store_tx *tx, struct error *err)
{
	int r;

	/* COMMIT of a failed transaction succeeds as a ROLLBACK: that is no success here */
	if (PQtransactionStatus(tx->conn) == PQTRANS_INERROR)
		return error_set(err, -EIO, "a statement of the transaction had failed");
	r = pg_conn_run(tx->conn, "COMMIT", NULL, -1, pg_conn_timeout(&tx->st->config), NULL, err);
	if (r < 0)
		return r;
	tx->open = false;
	return 0;
}

struct store_tx *store_tx_free(struct store_tx *tx)
{
	if (!tx)
		return NULL;
	if (tx->conn) {
		if (tx->open && PQstatus(tx->conn) == CONNECTION_OK &&
		    PQtransactionStatus(tx->conn) != PQTRANS_ACTIVE)
			(void)pg_conn_run(tx->conn, "ROLLBACK", NULL, -1, 2000, NULL, NULL);
		give_back(tx->st, tx->conn, true);
	}
	free(tx);
	return NULL;
}

static int run_tx(struct store *st, bool serializable, store_tx_fn *fn, void *user,
		  struct error *err)
{
	AUTO(store_tx) struct store_tx *tx = NULL;
	int result, r;

	r = store_tx_begin(st, serializable, &tx, err);
	if (r < 0)
		return r;
	result = fn(tx, user, err);
	if (result < 0)
		return result;
	r = store_tx_commit(tx, err);
	return r < 0 ? r : result;
}

int store_tx_run(struct store *st, bool serializable, store_tx_fn *fn, void *user,
		 struct error *err)
{
	int r = -EINTR;

	for (int i = 0; r == -EINTR && i < TX_ATTEMPTS; i++) {
		if (i > 0)
			error_clear(err);
		r = run_tx(st, serializable, fn, user, err);
	}
	return r == -EINTR ? error_set(err, -EAGAIN, "the database is too busy") : r;
}

void store_stats(struct store *st, struct store_stats *ret)
{
	pthread_mutex_lock(&st->lock);
	*ret = st->stats;
	ret->open = st->idle_count + st->busy;
	ret->busy = st->busy;
	pthread_mutex_unlock(&st->lock);
}
