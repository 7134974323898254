/* SPDX-License-Identifier: Apache-2.0 */
/* static.c - see static.h. Responses are made once and queued for ever. */
#include "http/static.h"
#include "base/log.h"
#include "base/map.h"
#include "http/server_private.h"
#include "net/digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 8

static char nothing[1];

/* clang-format off */
static const struct { const char *suffix, *type; } types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".ico", "image/x-icon" },
	{ ".woff2", "font/woff2" },
	{ ".txt", "text/plain; charset=utf-8" },
	{ ".webmanifest", "application/manifest+json" },
};
/* clang-format on */

static const char csp[] =
	"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
	"object-src 'none'; img-src 'self' data:; connect-src 'self'";

enum encoding { ENCODING_NONE, ENCODING_BR, ENCODING_GZIP, ENCODING_COUNT };

static const char *const encoding_names[] = { "", "br", "gzip" };

struct file {
	struct map_node node;
	char *path; /* "/index.html" */
	char etag[40];
	struct MHD_Response *response[ENCODING_COUNT];
	struct MHD_Response *not_modified;
};

struct http_static {
	struct map files;
	size_t count;
	size_t bytes;
};

static const char *type_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (slice_ends_with(slice_str(path), slice_str(types[i].suffix)))
			return types[i].type;
	}
	return "application/octet-stream";
}

static int read_whole(int dir, const char *name, char **ret, size_t *len)
{
	AUTO(fd) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO(str) char *bytes = NULL;
	struct stat st;
	size_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > HTTP_STATIC_BYTES)
		return -EFBIG;
	bytes = malloc((size_t)st.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, bytes + n, (size_t)st.st_size - n);

		if (got <= 0)
			return got == 0 ? -EIO : -errno;
		n += (size_t)got;
	}
	*ret = TAKE(bytes);
	*len = n;
	return 0;
}

static void headers(struct MHD_Response *response, const struct file *file, enum encoding encoding,
		    bool vary)
{
	bool html = slice_ends_with(slice_str(file->path), SLICE(".html"));
	bool asset = slice_starts_with(slice_str(file->path), SLICE("/assets/"));

	(void)MHD_add_response_header(response, "Content-Type", type_of(file->path));
	(void)MHD_add_response_header(response, "ETag", file->etag);
	(void)MHD_add_response_header(response, "Cache-Control",
				      asset ? "public, max-age=31536000, immutable" : "no-cache");
	(void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	(void)MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
	(void)MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
	if (vary)
		(void)MHD_add_response_header(response, "Vary", "Accept-Encoding");
	if (encoding != ENCODING_NONE)
		(void)MHD_add_response_header(response, "Content-Encoding",
					      encoding_names[encoding]);
	if (html) {
		(void)MHD_add_response_header(response, "Content-Security-Policy", csp);
		(void)MHD_add_response_header(response, "Cross-Origin-Opener-Policy",
					      "same-origin");
		(void)MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	}
}

static struct MHD_Response *make(struct file *file, enum encoding encoding, char *bytes, size_t len,
				 bool vary)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, bytes ? bytes : nothing,
						bytes ? MHD_RESPMEM_MUST_FREE
						      : MHD_RESPMEM_PERSISTENT);

	if (!response)
		free(bytes);
	else
		headers(response, file, encoding, vary);
	return response;
}

static void file_free(struct file *file)
{
	for (int i = 0; i < ENCODING_COUNT; i++) {
		if (file->response[i])
			MHD_destroy_response(file->response[i]);
	}
	if (file->not_modified)
		MHD_destroy_response(file->not_modified);
	free(file->path);
	free(file);
}

struct http_static *http_static_free(struct http_static *files)
{
	struct map_node *node;
	struct map_iter it;

	if (!files)
		return NULL;
	MAP_FOREACH (node, &files->files, &it) {
		struct file *file = MAP_ENTRY(node, struct file, node);

		(void)map_remove(&files->files, node);
		file_free(file);
	}
	map_done(&files->files);
	free(files);
	return NULL;
}

size_t http_static_count(const struct http_static *files)
{
	return files->count;
}

static int add_file(struct http_static *files, int dir, const char *prefix, const char *name)
{
	static const char *const suffix[] = { "", ".br", ".gz" };
	struct file *file = calloc(1, sizeof(*file));
	uint8_t hash[DIGEST_SHA256_LEN];
	char sibling[512];
	char *bytes = NULL;
	size_t len = 0;
	int r;

	if (!file)
		return -ENOMEM;
	r = read_whole(dir, name, &bytes, &len);
	if (r == 0 && asprintf(&file->path, "%s/%s", prefix, name) < 0)
		r = -ENOMEM;
	if (r == 0 &&
	    (++files->count > HTTP_STATIC_FILES || (files->bytes += len) > HTTP_STATIC_BYTES))
		r = -EFBIG;
	if (r < 0) {
		free(bytes);
		file_free(file);
		return r;
	}
	digest_parts(DIGEST_SHA256, &(struct slice){ bytes, len }, 1, hash);
	file->etag[0] = '"';
	digest_to_hex(hash, 16, file->etag + 1);
	file->etag[33] = '"';
	file->response[ENCODING_NONE] = make(file, ENCODING_NONE, bytes, len, true);
	for (int i = ENCODING_BR; i < ENCODING_COUNT; i++) {
		(void)snprintf(sibling, sizeof(sibling), "%s%s", name, suffix[i]);
		if (read_whole(dir, sibling, &bytes, &len) < 0)
			continue;
		files->bytes += len;
		file->response[i] = make(file, (enum encoding)i, bytes, len, true);
	}
	file->not_modified = make(file, ENCODING_NONE, NULL, 0, true);
	if (!file->response[ENCODING_NONE] || !file->not_modified ||
	    map_add_unique(&files->files, &file->node, slice_str(file->path)) < 0) {
		file_free(file);
		return -ENOMEM;
	}
	return 0;
}

static int add_folder(struct http_static *files, int parent, const char *name, const char *prefix,
		      int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		struct slice file = slice_str(entry->d_name);
		struct stat st;

		if (entry->d_name[0] == '.' || slice_ends_with(file, SLICE(".br")) ||
		    slice_ends_with(file, SLICE(".gz")) || slice_ends_with(file, SLICE(".map")) ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			AUTO(str) char *path = NULL;

			if (asprintf(&path, "%s/%s", prefix, entry->d_name) < 0)
				r = -ENOMEM;
			else
				r = add_folder(files, fd, entry->d_name, path, depth + 1);
		} else if (S_ISREG(st.st_mode)) {
			r = add_file(files, fd, prefix, entry->d_name);
		}
	}
	(void)closedir(dir);
	return r;
}

int http_static_load(const char *dir, struct http_static **ret, struct error *err)
{
	struct http_static *files = calloc(1, sizeof(*files));
	int r;

	if (!files)
		return error_set(err, -ENOMEM, "no memory for the console");
	map_init(&files->files);
	r = add_folder(files, AT_FDCWD, dir, "", 0);
	if (r < 0 && r != -ENOENT) {
		(void)http_static_free(files);
		return error_set(err, r, "the console's files in %s cannot be read", dir);
	}
	*ret = files;
	return 0;
}

static bool tag_matches(const char *header, const char *etag)
{
	struct slice rest = slice_str(header);

	while (rest.len > 0) {
		struct slice tag = slice_trim(slice_take_until(&rest, ',', NULL));

		(void)slice_skip(&tag, SLICE("W/"));
		if (slice_eq_str(tag, "*") || slice_eq_str(tag, etag))
			return true;
	}
	return false;
}

struct MHD_Response *static_response(struct http_static *files, struct slice path,
				     const char *accept_encoding, const char *if_none_match,
				     unsigned *status)
{
	struct map_node *node = map_get(&files->files, path);
	struct file *file;

	if (!node && !slice_starts_with(path, SLICE("/assets/")))
		node = map_get(&files->files, SLICE("/index.html"));
	if (!node)
		return NULL;
	file = MAP_ENTRY(node, struct file, node);
	if (if_none_match && tag_matches(if_none_match, file->etag)) {
		*status = MHD_HTTP_NOT_MODIFIED;
		return file->not_modified;
	}
	*status = MHD_HTTP_OK;
	for (int i = ENCODING_BR; i < ENCODING_COUNT && accept_encoding; i++) {
		if (file->response[i] && http_accepts(accept_encoding, encoding_names[i]))
			return file->response[i];
	}
	return file->response[ENCODING_NONE];
}
