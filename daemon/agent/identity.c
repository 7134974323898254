/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c - files below /data/pki, each replaced whole. */
#include "agent/identity.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/guest.h"
#include "base/buf.h"
#include "base/log.h"
#include "net/pki.h"

#define DAY 86400

static char *read_text(const char *path)
{
	AUTO_BUF text = { 0 };
	char chunk[4096];
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return NULL;
	buf_init(&text, PKI_PEM_MAX);
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_add(&text, chunk, n);
	fclose(file);
	return buf_ok(&text) ? buf_take_str(&text) : NULL;
}

static bool is_text(const char *path, const char *wanted)
{
	AUTO(str) char *text = read_text(path);

	return text && strcmp(text, wanted) == 0;
}

/* When the certificate on the disk ends; 0 unless it verifies, is ours and names this subject. */
static int64_t on_disk(const struct identity *id)
{
	AUTO(str) char *cert = read_text(IDENTITY_CERT);
	AUTO(str) char *ca = read_text(IDENTITY_CA);
	int64_t end;

	if (!cert || !ca || !is_text(IDENTITY_SUBJECT, id->subject) ||
	    pki_verify(slice_str(cert), slice_str(ca), id->key, time(NULL), NULL) < 0 ||
	    pki_not_after(slice_str(cert), &end) < 0)
		return 0;
	return end;
}

/* A new certificate is worth a restart of the server only when the old one nears its end. */
static bool is_enough(const struct identity *id, const char *offered)
{
	int64_t have = on_disk(id), end;

	if (have == 0 || pki_not_after(slice_str(offered), &end) < 0)
		return false;
	return have - time(NULL) > (int64_t)PKI_CERT_DAYS / 3 * DAY || end - have < DAY;
}

int identity_open(struct identity *id, const struct guest *g, uid_t uid, gid_t gid,
		  struct error *err)
{
	AUTO_BUF subject = { 0 };
	int r;

	*id = (struct identity){ .uid = uid, .gid = gid };
	if (mkdir(IDENTITY_FOLDER, 0750) < 0 && errno != EEXIST)
		return error_set(err, -errno, "cannot make %s", IDENTITY_FOLDER);
	r = pki_key_load_or_create(IDENTITY_KEY, &id->key, err);
	if (r == -EBADMSG) {
		/* A damaged key cannot be repaired, and the box signs a new one. */
		log_failure(LOG_LEVEL_WARNING, "agent.key_damaged", r, err);
		(void)unlink(IDENTITY_KEY);
		r = pki_key_load_or_create(IDENTITY_KEY, &id->key, err);
	}
	if (r < 0)
		return r;
	if (chown(IDENTITY_FOLDER, uid, gid) < 0 || chown(IDENTITY_KEY, uid, gid) < 0)
		return error_set(err, -errno, "cannot give %s to the server", IDENTITY_KEY);
	buf_printf(&subject, "%s\n%s\n", g->name, g->domain);
	for (size_t i = 0; i < g->addresses.count; i++)
		buf_printf(&subject, "%s\n", g->addresses.items[i]);
	id->subject = buf_take_str(&subject);
	if (!id->subject)
		return error_set(err, -ENOMEM, "out of memory");
	r = pki_csr_make(id->key, g->name, &id->csr, err);
	if (r < 0)
		return r;
	id->certified = on_disk(id) > 0;
	return 0;
}

void identity_done(struct identity *id)
{
	id->key = pki_key_free(id->key);
	free(id->csr);
	free(id->subject);
	id->csr = NULL;
	id->subject = NULL;
}

static int keep(const struct identity *id, const char *path, const char *text, struct error *err)
{
	int r = pki_write_file(path, slice_str(text), 0644, err);

	if (r == 0 && chown(path, id->uid, id->gid) < 0)
		r = error_set(err, -errno, "cannot give %s to the server", path);
	return r;
}

int identity_accept(struct identity *id, const char *certificate, const char *ca,
		    enum identity_news *news, struct error *err)
{
	int r;

	r = pki_verify(slice_str(certificate), slice_str(ca), id->key, time(NULL), err);
	if (r < 0)
		return r;
	*news = IDENTITY_SAME;
	if (id->certified && is_text(IDENTITY_CA, ca) && is_enough(id, certificate))
		return 0;
	/* The subject goes first and comes last: a cut in between leaves no wrong pair in use. */
	(void)unlink(IDENTITY_SUBJECT);
	r = keep(id, IDENTITY_CA, ca, err);
	if (r == 0)
		r = keep(id, IDENTITY_CERT, certificate, err);
	if (r == 0)
		r = keep(id, IDENTITY_SUBJECT, id->subject, err);
	if (r < 0)
		return r;
	id->certified = true;
	*news = IDENTITY_CHANGED;
	return 0;
}
