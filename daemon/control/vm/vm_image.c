/* SPDX-License-Identifier: Apache-2.0 */
/* vm_image.c - looks each file up in manifest.json and hashes it. */
#include "control/vm/vm_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_field.h"
#include "control/vm/vm_template.h"
#include "net/digest.h"

#define MANIFEST_MAX (1U << 20)

static int manifest_read(const char *dir, json_t **ret, struct error *err)
{
	AUTO_BUF text = { 0 };
	char path[512], chunk[8192];
	AUTO(fd) int fd = -1;
	ssize_t n;
	int r;

	(void)snprintf(path, sizeof(path), "%s/manifest.json", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		r = error_set(err, -errno, "no guest images: %s: %s", path, strerror(errno));
		error_resolution(err,
				 "Build the images (vmtemplates/image/build) or set [images] dir.");
		return r;
	}
	buf_init(&text, MANIFEST_MAX);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&text, chunk, (size_t)n);
	if (n < 0 || !buf_ok(&text))
		return error_set(err, -EIO, "%s cannot be read", path);
	r = json_parse(buf_slice(&text), ret, err);
	if (r < 0)
		return error_set(err, -EBADMSG, "%s is not JSON", path);
	if (json_integer_value(json_object_get(*ret, "schema")) != 1 ||
	    !json_is_array(json_object_get(*ret, "files")))
		return error_set(err, -EBADMSG, "%s is no manifest of schema 1", path);
	return 0;
}

static const json_t *manifest_file(const json_t *manifest, const char *name)
{
	const json_t *file;
	size_t i;

	json_array_foreach(json_object_get(manifest, "files"), i, file)
	{
		const char *n = json_string_value(json_object_get(file, "name"));

		if (n && strcmp(n, name) == 0)
			return file;
	}
	return NULL;
}

static int file_check(const char *dir, const json_t *manifest, const char *name, bool hash,
		      char path[512], char sha[VM_IMAGE_SHA256], struct error *err)
{
	const json_t *file = manifest_file(manifest, name);
	const char *want = json_string_value(json_object_get(file, "sha256"));
	char have[DIGEST_HEX_MAX];
	struct stat st;
	int r;

	if (!file)
		return error_set(err, -ENOENT, "image '%s' is not in the manifest of %s", name,
				 dir);
	if (!want || strlen(want) != 64 || strspn(want, "0123456789abcdef") != 64)
		return error_set(err, -EBADMSG, "the manifest has no SHA-256 of '%s'", name);
	if (snprintf(path, 512, "%s/%s", dir, name) >= 512)
		return error_set(err, -ENAMETOOLONG, "images folder: name too long");
	if (stat(path, &st) < 0)
		return error_set(err, -errno, "image %s: %s", path, strerror(errno));
	r = 0;
	if (st.st_size != json_integer_value(json_object_get(file, "size")))
		r = -EILSEQ;
	if (r == 0 && hash) {
		r = digest_file_sha256(path, have);
		if (r < 0)
			return error_set(err, r, "image %s cannot be read", path);
		if (strcmp(have, want) != 0)
			r = -EILSEQ;
	}
	if (r < 0) {
		(void)error_set(err, r, "image '%s' is not what was built: its digest differs",
				name);
		error_code_name(err, "image_damaged");
		error_resolution(
			err, "Build or install the images again; the file was changed or damaged.");
		return r;
	}
	memcpy(sha, want, VM_IMAGE_SHA256);
	return 0;
}

int vm_image_check(const char *dir, const struct vm_template *t, bool hash, struct vm_image *ret,
		   struct error *err)
{
	AUTO(json) json_t *manifest = NULL;
	struct vm_image out = { 0 };
	char sha[VM_IMAGE_SHA256];
	const char *version;
	int r;

	r = manifest_read(dir, &manifest, err);
	if (r < 0)
		return r;
	r = file_check(dir, manifest, t->kernel, hash, out.kernel, sha, err);
	if (r < 0)
		return r;
	r = file_check(dir, manifest, t->initrd, hash, out.initrd, sha, err);
	if (r < 0)
		return r;
	r = file_check(dir, manifest, t->root, hash, out.root, out.root_sha256, err);
	if (r < 0)
		return r;
	version = json_string_value(json_object_get(manifest_file(manifest, t->root), "version"));
	if (!version)
		version = json_string_value(json_object_get(manifest, "version"));
	(void)snprintf(out.root_version, sizeof(out.root_version), "%s", version ? version : "");
	*ret = out;
	return 0;
}
