/* SPDX-License-Identifier: Apache-2.0 */
/* vm_image.h - the guests' boot files in the images folder, proven against the build's manifest. */
#pragma once
#include "base/error.h"
#include "base/slice.h"

struct vm_template;

#define VM_IMAGE_SHA256 65 /* hex and NUL */

/* The three files that a template boots, as absolute paths, and what the root is. */
struct vm_image {
	char kernel[512], initrd[512], root[512];
	char root_version[64];
	char root_sha256[VM_IMAGE_SHA256];
};

/* Read DIR/manifest.json and prove size and SHA-256 of the template's kernel, initrd and root; reads
 * all their bytes, so a job thread only. With `hash` false only that they are listed and there is
 * checked. Errors: -ENOENT a file or the manifest is missing, -EBADMSG the manifest is malformed,
 * -EILSEQ a file is not what was built. */
int vm_image_check(const char *dir, const struct vm_template *t, bool hash, struct vm_image *ret,
		   struct error *err);
