/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h - the guest's key and certificate on the data disk; the key never leaves it. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct guest;
struct pki_key;

#define IDENTITY_FOLDER "/data/pki"
#define IDENTITY_KEY IDENTITY_FOLDER "/key.pem"
#define IDENTITY_CERT IDENTITY_FOLDER "/cert.pem"
#define IDENTITY_CA IDENTITY_FOLDER "/ca.pem"
#define IDENTITY_SUBJECT IDENTITY_FOLDER "/subject" /* name, domain, address of the certificate */

struct identity {
	struct pki_key *key;
	char *csr;     /* PEM */
	char *subject; /* what the certificate must be for */
	uid_t uid;     /* whom the files belong to */
	gid_t gid;
	bool certified; /* a usable certificate is on the disk */
};

enum identity_news { IDENTITY_SAME, IDENTITY_CHANGED };

/* Load or make the key, make the request, see whether a usable certificate is there already (then
 * the guest starts though the box is silent). Errors: -EIO and what pki returns. */
int identity_open(struct identity *id, const struct guest *g, uid_t uid, gid_t gid,
		  struct error *err);
void identity_done(struct identity *id);
/* Take the box's answer. Keeps what is there if it is of the same CA, subject and far from its end.
 * Errors: -EBADMSG, -EKEYREJECTED it does not fit the key or the CA; then nothing changed. */
int identity_accept(struct identity *id, const char *certificate, const char *ca,
		    enum identity_news *news, struct error *err);
