/* SPDX-License-Identifier: Apache-2.0 */
/* dialog_info.h - dialog state documents (RFC 4235): several published ones become one full state.
 * libxml2 is used inside, without network and without entities. */
#pragma once
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct buf;
struct dialog_info; /* a document while it is put together; opaque, see dialog_info.c */

#define DIALOG_INFO_CONTENT_TYPE "application/dialog-info+xml"
#define DIALOG_INFO_MAX 32768  /* bytes of one document */
#define DIALOG_INFO_DIALOGS 64 /* dialogs of one result */
#define DIALOG_INFO_DEPTH 32

/* Is it a dialog-info document, with an entity? 0; -EBADMSG not well-formed, another root, a document type;
 * -EMSGSIZE beyond a limit; -ENOMEM. */
int dialog_info_check(struct slice document);

/* entity: "sip:3001@aurabox.internal", UTF-8. Errors: -ENOMEM. */
int dialog_info_new(struct slice entity, uint32_t version, struct dialog_info **ret);
struct dialog_info *dialog_info_free(struct dialog_info *info);
DEFINE_AUTO(dialog_info)
/* Add the dialogs of a document, extensions included. Errors: as dialog_info_check(), -EMSGSIZE
 * also for more dialogs than fit; what was added before stays. */
int dialog_info_add(struct dialog_info *info, struct slice document);
/* Append the whole document, state="full". Errors: -ENOMEM. */
int dialog_info_write(const struct dialog_info *info, struct buf *out);
