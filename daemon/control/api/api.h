/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - the REST API of auraboxd: routes over the pieces that main() has made. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct alarms;
struct appliance;
struct api; /* opaque, see api.c */
struct auth;
struct error;
struct events;
struct job_pool;
struct json_t; /* Jansson */
struct loop;
struct setup;
struct store;
struct tasks;
struct tls_context;
struct uc;
struct vm_manager;

/* All pieces are borrowed and must outlive the API. vms and uc may be NULL: their routes then
 * answer 503 unavailable. Texts are copied. */
struct api_config {
	struct loop *loop;	  /* auraboxd's own */
	struct job_pool *workers; /* where handlers run: at least 8 threads */
	struct store *store;
	struct auth *auth;
	struct events *events; /* made, not yet started: api_new() starts it */
	struct tasks *tasks;
	struct alarms *alarms;
	struct vm_manager *vms;
	struct uc *uc;
	const char *webui_dir; /* the console's files; missing: no console */
	struct appliance *appliance;
	struct setup *setup;
	/* sm's SIP over WebSocket, "ADDRESS:PORT", and what auraboxd shows and trusts there; borrowed
	 * for ever. */
	const char *sip_relay, *ca_file, *cert_file, *key_file;
};

/* Errors: -ENOMEM, -EINVAL, -EIO, as store.h. */
int api_new(const struct api_config *config, struct api **ret, struct error *err);
/* HTTPS on "ADDRESS:PORT"; see http_server_listen_tls(). */
int api_listen(struct api *api, const char *address, struct tls_context *tls, uint16_t *port,
	       struct error *err);
/* The local socket: mode 0660 for the group (gid -1: as it is). */
int api_listen_unix(struct api *api, const char *path, gid_t gid, struct error *err);
/* Lets requests under way end (at most grace ms), ends event streams. On the main thread. */
struct api *api_stop(struct api *api, uint32_t grace);

/* The OpenAPI document; the caller owns it. Needs no running API: `auraboxd --openapi`. */
int api_openapi(struct json_t **ret, struct error *err);
