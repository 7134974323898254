/* SPDX-License-Identifier: Apache-2.0 */
/* pg_cluster.h - a private PostgreSQL cluster that the appliance runs for itself. */
#pragma once
#include "base/error.h"

#include <stdint.h>
#include <sys/types.h>

struct pg_cluster;

struct pg_cluster_config {
	const char *data_dir; /* PGDATA; made by initdb when absent; parent must exist */
	const char
		*socket_dir;  /* unix socket lies here (path at most 90 bytes); made when absent */
	const char *bin_dir;  /* NULL: the newest of /usr/lib/postgresql/NN/bin with NN >= 15 */
	const char *database; /* made when absent; "aurabox" when NULL */
	const char *run_as;   /* when called by root: the user to run as; NULL: "aurabox" */
	uint32_t start_timeout_ms; /* 0: 30000 */
};

/* Make (first time), start or adopt the cluster and wait until it answers. Blocking: call it
 * from a job or before the loop runs. It listens on the unix socket only, UTF8 with C.UTF-8,
 * fsync on, checksums on, peer or trusted local log-in of that one user. initdb goes to a
 * temporary name and is renamed when complete, so a cut never leaves half a cluster. A server
 * that already runs on data_dir is adopted. The server outlives this process.
 * Errors: -ENOENT no PostgreSQL >= 15 installed, -EPERM run as root without a user to run as,
 * -ETIMEDOUT, -ENOSPC, -EIO with the last line of the server's log. The caller owns *ret. */
int pg_cluster_start(const struct pg_cluster_config *config, struct pg_cluster **ret,
		     struct error *err);
const char *pg_cluster_url(const struct pg_cluster *cluster); /* for store_open(); borrowed */
pid_t pg_cluster_pid(const struct pg_cluster *cluster);
/* Fast stop with a checkpoint; waits at most timeout_ms. Errors: -ETIMEDOUT, -EIO. */
int pg_cluster_stop(struct pg_cluster *cluster, uint32_t timeout_ms, struct error *err);
struct pg_cluster *pg_cluster_free(struct pg_cluster *cluster); /* does not stop the server */
DEFINE_AUTO(pg_cluster)
