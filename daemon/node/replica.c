/* SPDX-License-Identifier: Apache-2.0 */
/* replica.c - the thread that follows smgr: versions, rows, records, reports. */
#include "node/replica.h"

#include "base/clock.h"
#include "base/json_field.h"
#include "base/log.h"
#include "base/loop.h"
#include "node/replica_rows.h"
#include "node/uc_model.h"
#include "store/listen.h"
#include "store/local_db.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define POLL_MS 1000  /* while smgr does not tell of changes */
#define QUIET_MS 5000 /* while it does: a look whether it is there, and a report */
#define RECORD_BATCH 100

struct replica {
	char role[16];
	char *domain;
	struct store *smgr;
	struct store_listen *listen;
	struct local_db *db;
	struct loop *loop;
	void (*apply)(void *user, struct uc_model *model, uint32_t sets);
	void *user;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool started;
	bool kicked;
	bool listening; /* smgr tells of changes */
	bool stop;
	/* under the lock: what replica_status() shows */
	bool reachable;
	int64_t version;
	char last_error[200];
	/* the thread's own */
	uint64_t reported_at;
	bool was_reachable;
};

/* A snapshot on its way to the loop; replica_free() may come first, then it is dropped. */
struct snapshot {
	struct replica *replica;
	struct uc_model *model;
	uint32_t sets;
};

static void notified(void *user, const char *channel, const char *payload)
{
	replica_kick(user);
}

static void listen_state(void *user, bool up)
{
	struct replica *replica = user;

	pthread_mutex_lock(&replica->lock);
	replica->listening = up;
	replica->kicked = true;
	pthread_cond_signal(&replica->wake);
	pthread_mutex_unlock(&replica->lock);
}

void replica_kick(void *user)
{
	struct replica *replica = user;

	pthread_mutex_lock(&replica->lock);
	replica->kicked = true;
	pthread_cond_signal(&replica->wake);
	pthread_mutex_unlock(&replica->lock);
}

static void note(struct replica *replica, int r, const struct error *err, int64_t version)
{
	bool reachable = r >= 0;

	pthread_mutex_lock(&replica->lock);
	replica->reachable = reachable;
	if (version >= 0)
		replica->version = version;
	snprintf(replica->last_error, sizeof(replica->last_error), "%s",
		 reachable ? "" : error_text(err, r));
	pthread_mutex_unlock(&replica->lock);
	if (reachable != replica->was_reachable) {
		replica->was_reachable = reachable;
		if (reachable)
			log_info("replica.connected", F("node", (const char *)replica->role));
		else
			log_failure(LOG_LEVEL_WARNING, "replica.disconnected", r, err);
	}
}

json_t *replica_status(struct replica *replica)
{
	json_t *status;
	const char *state = "in_sync";

	pthread_mutex_lock(&replica->lock);
	if (!replica->reachable)
		state = replica->version ? "unreachable" : "empty";
	status =
		json_pack("{s:s,s:I,s:s?}", "state", state, "version", (json_int_t)replica->version,
			  "last_error", replica->last_error[0] ? replica->last_error : NULL);
	pthread_mutex_unlock(&replica->lock);
	return status;
}

/* On the loop. The loop is the one that frees the replica, so a post that runs before finds it. */
static void apply_snapshot(void *user)
{
	struct snapshot *s = user;

	s->replica->apply(s->replica->user, s->model, s->sets);
	free(s);
}

static int publish(struct replica *replica, uint32_t sets, struct error *err)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	int64_t version = 0;
	int r;

	if (!s)
		return error_set(err, -ENOMEM, "out of memory");
	s->replica = replica;
	s->sets = sets;
	r = replica_load(replica->db, replica->domain, &s->model, &version, err);
	if (r == 0)
		r = loop_post(replica->loop, apply_snapshot, s);
	if (r < 0) {
		uc_model_unref(s->model);
		free(s);
		return r;
	}
	log_info("replica.applied", F("node", (const char *)replica->role), F("version", version));
	return 0;
}

/* Fetch what is newer and write it; publish when anything was. */
static int follow(struct replica *replica, int64_t *version, struct error *err)
{
	uint32_t sets = 0;
	int r;

	r = replica_rows_pull(replica->smgr, replica->db, replica->role, &sets, version, err);
	if (r < 0 || sets == 0)
		return r;
	return publish(replica, sets, err);
}

static int deliver_one(struct replica *replica, const char *seq, const char *doc, struct error *err)
{
	int r = store_exec(replica->smgr, "SELECT record.put($1::jsonb)", (const char *[]){ doc },
			   1, err);

	/* The database will never take this one: it must not hold up those behind it. It stays in
	 * the file and is shown at /v1/records. */
	if (r == -EINVAL) {
		log_failure(LOG_LEVEL_ERROR, "record.refused", r, err);
		return local_db_exec(replica->db, "UPDATE record SET refused = 1 WHERE seq = ?1",
				     (const char *[]){ seq }, 1, err);
	}
	if (r < 0)
		return r;
	return local_db_exec(replica->db, "DELETE FROM record WHERE seq = ?1",
			     (const char *[]){ seq }, 1, err);
}

static int deliver_records(struct replica *replica, bool *more, struct error *err)
{
	static const char sql[] =
		"SELECT seq, doc FROM record WHERE refused = 0 ORDER BY seq LIMIT ?1";
	AUTO(store_rows) struct store_rows *rows = NULL;
	int r;

	r = local_db_query(replica->db, sql, (const char *[]){ store_num(RECORD_BATCH) }, 1, &rows,
			   err);
	for (size_t i = 0; r >= 0 && i < store_rows_count(rows); i++)
		r = deliver_one(replica, store_rows_text(rows, i, 0), store_rows_text(rows, i, 1),
				err);
	*more = r >= 0 && store_rows_count(rows) == RECORD_BATCH;
	return r;
}

static int report(struct replica *replica, int64_t version, bool changed, struct error *err)
{
	uint64_t now = clock_now(clock_system());
	int r;

	if (!changed && replica->reported_at && now - replica->reported_at < QUIET_MS - POLL_MS)
		return 0;
	r = store_exec(replica->smgr, "SELECT replica.report($1, $2::bigint, $3)",
		       (const char *[]){ replica->role, store_num(version), NULL }, 3, err);
	if (r >= 0)
		replica->reported_at = now;
	return r;
}

static bool one_round(struct replica *replica)
{
	int64_t version = -1, before;
	struct error err = { 0 };
	bool more = false;
	int r;

	pthread_mutex_lock(&replica->lock);
	before = replica->version;
	pthread_mutex_unlock(&replica->lock);
	r = follow(replica, &version, &err);
	if (r >= 0)
		r = deliver_records(replica, &more, &err);
	if (r >= 0)
		r = report(replica, version, version != before, &err);
	note(replica, r, &err, version);
	return more;
}

static void wait_kick(struct replica *replica)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	pthread_mutex_lock(&replica->lock);
	until.tv_sec += (replica->listening && replica->reachable ? QUIET_MS : POLL_MS) / 1000;
	while (!replica->stop && !replica->kicked)
		if (pthread_cond_timedwait(&replica->wake, &replica->lock, &until) == ETIMEDOUT)
			break;
	replica->kicked = false;
	pthread_mutex_unlock(&replica->lock);
}

static bool is_stopping(struct replica *replica)
{
	bool stop;

	pthread_mutex_lock(&replica->lock);
	stop = replica->stop;
	pthread_mutex_unlock(&replica->lock);
	return stop;
}

static void *replica_main(void *user)
{
	struct replica *replica = user;

	while (!is_stopping(replica))
		if (!one_round(replica))
			wait_kick(replica);
	return NULL;
}

static int start(struct replica *replica, const struct replica_config *config, struct error *err)
{
	static const char *const channels[] = { "uc_changed" };
	const struct store_listen_handler handler = { .notified = notified,
						      .state = listen_state,
						      .user = replica };
	int r = store_open(config->smgr, &replica->smgr, err);

	if (r < 0)
		return r;
	r = pthread_create(&replica->thread, NULL, replica_main, replica);
	if (r != 0)
		return error_set(err, -r, "cannot start the replica's thread");
	replica->started = true;
	return store_listen_new(config->loop, config->smgr, channels, 1, &handler, &replica->listen,
				err);
}

int replica_new(const struct replica_config *config, struct replica **ret, struct error *err)
{
	AUTO(replica) struct replica *replica = calloc(1, sizeof(*replica));
	pthread_condattr_t attr;
	struct uc_model *model = NULL;
	int r;

	if (!replica)
		return error_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&replica->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&replica->wake, &attr);
	pthread_condattr_destroy(&attr);
	snprintf(replica->role, sizeof(replica->role), "%s", config->role);
	replica->domain = strdup(config->domain);
	if (!replica->domain)
		return error_set(err, -ENOMEM, "out of memory");
	replica->db = config->db;
	replica->loop = config->loop;
	replica->apply = config->apply;
	replica->user = config->user;
	replica->was_reachable = true; /* so that the first failure is logged */
	r = replica_load(config->db, config->domain, &model, &replica->version, err);
	uc_model_unref(model);
	if (r == 0)
		r = start(replica, config, err);
	if (r < 0)
		return r;
	*ret = TAKE(replica);
	return 0;
}

struct replica *replica_free(struct replica *replica)
{
	if (!replica)
		return NULL;
	store_listen_free(replica->listen);
	if (replica->started) {
		pthread_mutex_lock(&replica->lock);
		replica->stop = true;
		pthread_cond_signal(&replica->wake);
		pthread_mutex_unlock(&replica->lock);
		store_interrupt(replica->smgr);
		pthread_join(replica->thread, NULL);
		/* snapshots on their way are applied while everything still stands */
		(void)loop_turn(replica->loop, 0);
	}
	store_free(replica->smgr);
	pthread_cond_destroy(&replica->wake);
	pthread_mutex_destroy(&replica->lock);
	free(replica->domain);
	free(replica);
	return NULL;
}
