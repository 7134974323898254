/* SPDX-License-Identifier: Apache-2.0 */
/* pg_cluster.c - initdb, pg_ctl and one configuration file around a private PostgreSQL. */
#include "store/pg_cluster.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/pg_conn.h"
#include "store/run_as.h"
#include "store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_PATH_MAX 90
#define INITDB_MS 120000
#define ROLE "aurabox"
#define VERSION_MIN 15

struct pg_cluster {
	char *data_dir;
	char *socket_dir;
	char *bin_dir;
	char *database;
	char *url;
	uint32_t start_ms;
	uid_t uid; /* (uid_t)-1: who we are */
	gid_t gid;
	char user[64]; /* name of the system's user it runs as */
};

struct pg_cluster *pg_cluster_free(struct pg_cluster *c)
{
	if (!c)
		return NULL;
	free(c->data_dir);
	free(c->socket_dir);
	free(c->bin_dir);
	free(c->database);
	free(c->url);
	free(c);
	return NULL;
}

const char *pg_cluster_url(const struct pg_cluster *cluster)
{
	return cluster->url;
}

static char *newest_bin_dir(void)
{
	DIR *folder = opendir("/usr/lib/postgresql");
	struct dirent *entry;
	unsigned best = 0;
	char *path = NULL;

	while (folder && (entry = readdir(folder)) != NULL) {
		unsigned version = (unsigned)strtoul(entry->d_name, NULL, 10);
		char binary[64];

		snprintf(binary, sizeof(binary), "/usr/lib/postgresql/%u/bin/initdb", version);
		if (version >= VERSION_MIN && version > best && access(binary, X_OK) == 0)
			best = version;
	}
	if (folder)
		closedir(folder);
	if (best && asprintf(&path, "/usr/lib/postgresql/%u/bin", best) < 0)
		return NULL;
	return path;
}

static int find_user(struct pg_cluster *c, const char *run_as_user, struct error *err)
{
	char space[4096];
	struct passwd pw, *found = NULL;
	bool root = geteuid() == 0;

	if (root)
		getpwnam_r(run_as_user ? run_as_user : "aurabox", &pw, space, sizeof(space),
			   &found);
	else
		getpwuid_r(geteuid(), &pw, space, sizeof(space), &found);
	if (!found || (root && found->pw_uid == 0))
		return error_set(err, -EPERM, "there is no user to run PostgreSQL as");
	c->uid = root ? found->pw_uid : (uid_t)-1;
	c->gid = found->pw_gid;
	snprintf(c->user, sizeof(c->user), "%s", found->pw_name);
	return 0;
}

static int own_dir(const struct pg_cluster *c, const char *path, struct error *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set(err, -errno, "cannot make %s", path);
	if (c->uid != (uid_t)-1 && chown(path, c->uid, c->gid) < 0)
		return error_set(err, -errno, "cannot give %s to %s", path, c->user);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	return remove(path);
}

static int run_tool(const struct pg_cluster *c, const char *tool, const char *const *args,
		    uint32_t timeout_ms, struct run_as *run)
{
	const char *argv[20] = { NULL };
	char path[4096];
	size_t n = 1;

	snprintf(path, sizeof(path), "%s/%s", c->bin_dir, tool);
	argv[0] = path;
	for (size_t i = 0; args[i] && n < ARRAY_SIZE(argv) - 1; i++)
		argv[n++] = args[i];
	run->uid = c->uid;
	run->gid = c->gid;
	run->timeout_ms = timeout_ms;
	return run_as(run, argv);
}

/* Replace a file of the cluster: temporary name, fsync, rename. */
static int write_file(const struct pg_cluster *c, const char *dir, const char *name,
		      const char *text, struct error *err)
{
	AUTO(str) char *path = NULL;
	AUTO(str) char *fresh = NULL;
	AUTO(fd) int fd = -1;
	ssize_t len = (ssize_t)strlen(text);

	if (asprintf(&path, "%s/%s", dir, name) < 0 || asprintf(&fresh, "%s.new", path) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, text, (size_t)len) != len || fsync(fd) < 0)
		return error_set(err, errno ? -errno : -EIO, "cannot write %s", fresh);
	if (c->uid != (uid_t)-1 && fchown(fd, c->uid, c->gid) < 0)
		return error_set(err, -errno, "cannot give away %s", fresh);
	if (rename(fresh, path) < 0)
		return error_set(err, -errno, "cannot write %s", path);
	return 0;
}

/* A path as a string of postgresql.conf. */
static void add_quoted(struct buf *b, const char *text)
{
	buf_add_char(b, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buf_add_char(b, *text);
		buf_add_char(b, *text);
	}
	buf_add_char(b, '\'');
}

/* Written before each start: places may have moved since. */
static int write_config(const struct pg_cluster *c, const char *dir, struct error *err)
{
	AUTO_BUF conf = { 0 };
	AUTO_BUF ident = { 0 };
	int r;

	buf_add_str(&conf, "# written by auraboxd before each start\nlisten_addresses = ''\n"
			   "unix_socket_permissions = 0700\nmax_connections = 40\n"
			   "shared_buffers = 32MB\nfsync = on\nsynchronous_commit = on\njit = off\n"
			   "port = 5432\nlogging_collector = off\n"
			   /* no DETAIL: it would quote rows */
			   "log_error_verbosity = terse\n"
			   "log_line_prefix = '%m '\n"
			   "log_timezone = 'UTC'\ntimezone = 'UTC'\n"
			   "statement_timeout = 0\nidle_in_transaction_session_timeout = 60s\n"
			   "unix_socket_directories = ");
	add_quoted(&conf, c->socket_dir);
	buf_add_str(&conf, "\n");
	buf_printf(&ident, "aurabox %s " ROLE "\naurabox root " ROLE "\n", c->user);
	if (!buf_ok(&conf) || !buf_ok(&ident))
		return error_set(err, -ENOMEM, "out of memory");
	r = write_file(c, dir, "postgresql.conf", conf.data, err);
	if (r == 0)
		r = write_file(c, dir, "pg_hba.conf", "local all all peer map=aurabox\n", err);
	if (r == 0)
		r = write_file(c, dir, "pg_ident.conf", ident.data, err);
	return r;
}

static int make_cluster(const struct pg_cluster *c, struct error *err)
{
	AUTO(str) char *fresh = NULL;
	struct run_as run;
	int r;

	if (asprintf(&fresh, "%s.new", c->data_dir) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	(void)nftw(fresh, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* left by a cut */
	r = own_dir(c, fresh, err);
	if (r < 0)
		return r;
	r = run_tool(c, "initdb",
		     (const char *[]){ "-D", fresh, "-U", ROLE, "-A", "peer", "-E", "UTF8",
				       "--locale=C.UTF-8", "--data-checksums", "--no-instructions",
				       NULL },
		     INITDB_MS, &run);
	if (r != 0)
		return error_set(err, strstr(run.output, "No space left") ? -ENOSPC : -EIO,
				 "initdb failed: %s", run_as_last_line(&run));
	r = write_config(c, fresh, err);
	if (r < 0)
		return r;
	if (rename(fresh, c->data_dir) < 0)
		return error_set(err, -errno, "cannot make %s", c->data_dir);
	sync();
	log_info("db.cluster_made", F("path", c->data_dir));
	return 0;
}

/* Is the process of this number a PostgreSQL that lives? A number is used again after a reboot, and
 * where PID 1 reaps nobody a dead server stays as a zombie: to PostgreSQL both look like a server
 * that holds the folder. */
static bool is_postgres(pid_t pid)
{
	char path[40], text[256] = "";
	const char *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = pid > 1 ? fopen(path, "re") : NULL;
	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	state = strrchr(text, ')'); /* PID (comm) STATE … */
	return state && strstr(text, "(postgres)") && state[1] == ' ' && state[2] != 'Z' &&
	       state[2] != 'X';
}

static bool is_running(const struct pg_cluster *c)
{
	return is_postgres(pg_cluster_pid(c));
}

/* The lock files of a server that is gone. Its children end with it, so wait for none. */
static int drop_stale_locks(const struct pg_cluster *c, struct error *err)
{
	const char *const files[][2] = { { c->data_dir, "postmaster.pid" },
					 { c->socket_dir, ".s.PGSQL.5432.lock" },
					 { c->socket_dir, ".s.PGSQL.5432" } };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", files[i][0], files[i][1]);
		if (unlink(path) < 0 && errno != ENOENT)
			return error_set(err, -errno, "cannot remove %s", path);
	}
	return 0;
}

static void log_tail(const struct pg_cluster *c, const char *log, char *out, size_t size)
{
	AUTO(fd) int fd = open(log, O_RDONLY | O_CLOEXEC);
	struct run_as text = { 0 };
	off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	ssize_t n;

	n = fd < 0 ? 0
		   : pread(fd, text.output, sizeof(text.output) - 1, end > 4000 ? end - 4000 : 0);
	text.output[n > 0 ? n : 0] = '\0';
	snprintf(out, size, "%s", run_as_last_line(&text));
}

static int start_server(const struct pg_cluster *c, struct error *err)
{
	AUTO(str) char *log = NULL;
	char seconds[16], last[300];
	struct run_as run;
	int r;

	r = drop_stale_locks(c, err);
	if (r == 0)
		r = write_config(c, c->data_dir, err);
	if (r < 0)
		return r;
	if (asprintf(&log, "%s/server.log", c->data_dir) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	/* Each start's story alone. */
	if (truncate(log, 0) < 0 && errno != ENOENT)
		return error_set(err, -errno, "%s: %s", log, strerror(errno));
	snprintf(seconds, sizeof(seconds), "%u", c->start_ms / 1000 + 1);
	r = run_tool(c, "pg_ctl",
		     (const char *[]){ "start", "-D", c->data_dir, "-s", "-w", "-t", seconds, "-l",
				       log, NULL },
		     c->start_ms + 5000, &run);
	if (r == 0)
		return 0;
	log_tail(c, log, last, sizeof(last));
	return error_set(err,
			 strstr(last, "No space left") ? -ENOSPC
			 : r < 0		       ? r
						       : -EIO,
			 "PostgreSQL did not start: %s", *last ? last : run_as_last_line(&run));
}

/* An adopted server may still be recovering. */
static int wait_answer(const struct pg_cluster *c, struct store *st, struct error *err)
{
	const struct timespec nap = { .tv_nsec = 100000000 };
	uint64_t deadline = clock_now(clock_system()) + c->start_ms;
	int r;

	while ((r = store_ping(st, err)) == -EAGAIN && clock_now(clock_system()) < deadline)
		nanosleep(&nap, NULL);
	if (r == 0)
		error_clear(err);
	return r;
}

static int make_database(const struct pg_cluster *c, struct error *err)
{
	AUTO(str) char *url = NULL;
	AUTO(store) struct store *st = NULL;
	AUTO(store_rows) struct store_rows *rows = NULL;
	char sql[128];
	int r;

	if (asprintf(&url, "host=%s user=" ROLE " dbname=postgres", c->socket_dir) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	r = store_open(&(struct store_config){ .url = url, .connect_timeout_s = 10 }, &st, err);
	if (r == 0)
		r = wait_answer(c, st, err);
	if (r == 0)
		r = store_query(st, "SELECT 1 FROM pg_database WHERE datname = $1",
				(const char *[]){ c->database }, 1, &rows, err);
	if (r < 0 || store_rows_count(rows) > 0)
		return r;
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s", c->database);
	r = store_exec(st, sql, NULL, 0, err);
	return r < 0 ? r : 0;
}

static int fill(struct pg_cluster *c, const struct pg_cluster_config *config, struct error *err)
{
	const char *database = config->database ? config->database : "aurabox";

	if (strlen(config->socket_dir) > SOCKET_PATH_MAX || strpbrk(config->socket_dir, " '\\%"))
		return error_set(err, -EINVAL, "the socket folder's path is too long or unusual");
	if (!*database || strlen(database) > 60 ||
	    strspn(database, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(database))
		return error_set(err, -EINVAL, "'%s' is no database name", database);
	c->bin_dir = config->bin_dir ? strdup(config->bin_dir) : newest_bin_dir();
	if (!c->bin_dir)
		return error_set(err, -ENOENT, "PostgreSQL %d or newer is not installed",
				 VERSION_MIN);
	c->data_dir = strdup(config->data_dir);
	c->socket_dir = strdup(config->socket_dir);
	c->database = strdup(database);
	c->start_ms = config->start_timeout_ms ? config->start_timeout_ms : 30000;
	if (asprintf(&c->url, "host=%s user=" ROLE " dbname=%s", config->socket_dir, database) < 0)
		c->url = NULL;
	if (!c->data_dir || !c->socket_dir || !c->database || !c->url)
		return error_set(err, -ENOMEM, "out of memory");
	return find_user(c, config->run_as, err);
}

int pg_cluster_start(const struct pg_cluster_config *config, struct pg_cluster **ret,
		     struct error *err)
{
	AUTO(pg_cluster) struct pg_cluster *c = calloc(1, sizeof(*c));
	struct stat st;
	int r;

	if (!c)
		return error_set(err, -ENOMEM, "out of memory");
	r = fill(c, config, err);
	if (r == 0)
		r = own_dir(c, c->socket_dir, err);
	if (r == 0 && stat(c->data_dir, &st) < 0)
		r = make_cluster(c, err);
	if (r < 0)
		return r;
	if (is_running(c)) {
		log_info("db.cluster_adopted", F("pid", (long)pg_cluster_pid(c)));
	} else {
		r = start_server(c, err);
		if (r < 0)
			return r;
		log_info("db.cluster_started", F("pid", (long)pg_cluster_pid(c)));
	}
	r = make_database(c, err);
	if (r < 0)
		return r;
	*ret = TAKE(c);
	return 0;
}

pid_t pg_cluster_pid(const struct pg_cluster *cluster)
{
	AUTO(str) char *path = NULL;
	char line[32] = "";
	FILE *file;

	if (asprintf(&path, "%s/postmaster.pid", cluster->data_dir) < 0)
		return 0;
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return (pid_t)strtol(line, NULL, 10);
}

int pg_cluster_stop(struct pg_cluster *cluster, uint32_t timeout_ms, struct error *err)
{
	char seconds[16];
	struct run_as run;
	int r;

	snprintf(seconds, sizeof(seconds), "%u", timeout_ms / 1000 + 1);
	r = run_tool(cluster, "pg_ctl",
		     (const char *[]){ "stop", "-D", cluster->data_dir, "-s", "-m", "fast", "-w",
				       "-t", seconds, NULL },
		     timeout_ms + 2000, &run);
	if (r == 0 || !is_running(cluster))
		return 0;
	return error_set(err, r == -ETIMEDOUT ? r : -EIO, "PostgreSQL did not stop: %s",
			 run_as_last_line(&run));
}
