/* SPDX-License-Identifier: Apache-2.0 */
/* vm_template.c - reads the catalogue: schema first, then each folder, then what a schema cannot say. */
#include "control/vm/vm_template.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "control/vm/vm_schema.h"

#define FINDINGS 8

/* One folder: a sound template, or what is wrong with it. */
struct entry {
	char folder[VM_NAME_MAX + 1];
	struct vm_template t;
	json_t *document;
	struct vm_schema_error findings[FINDINGS];
	size_t found;
};

struct vm_catalogue {
	struct entry entries[VM_TEMPLATE_MAX];
	size_t count;
};

bool vm_name_ok(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	if (len < 1 || len > VM_NAME_MAX || name[len - 1] == '-')
		return false;
	if (name[0] < 'a' || name[0] > 'z')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') &&
		    !ascii_is_digit((unsigned char)name[i]) && name[i] != '-')
			return false;
	return true;
}

static int read_json(const char *path, size_t limit, json_t **ret, struct error *err)
{
	AUTO_BUF text = { 0 };
	AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char chunk[4096];
	ssize_t n;

	if (fd < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	buf_init(&text, limit + 1);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&text, chunk, (size_t)n);
	if (n < 0)
		return error_set(err, -EIO, "%s: %s", path, strerror(errno));
	if (!buf_ok(&text) || text.len > limit)
		return error_set(err, -EFBIG, "%s: larger than %zu bytes", path, limit);
	return json_parse(buf_slice(&text), ret, err);
}

static void entry_finding(struct entry *e, const char *pointer, const char *format, ...)
	ERROR_PRINTF(3, 4);

static void entry_finding(struct entry *e, const char *pointer, const char *format, ...)
{
	struct vm_schema_error *f;
	va_list args;

	if (e->found >= FINDINGS)
		return;
	f = &e->findings[e->found++];
	(void)slice_copy(slice_str(pointer), f->pointer, sizeof(f->pointer));
	va_start(args, format);
	(void)vsnprintf(f->detail, sizeof(f->detail), format, args);
	va_end(args);
}

static const char *text_of(const json_t *object, const char *member, const char *fallback)
{
	const char *s = json_string_value(json_object_get(object, member));

	return s ? s : fallback;
}

static uint32_t number_of(const json_t *object, const char *member, uint32_t fallback)
{
	const json_t *v = json_object_get(object, member);

	return json_is_integer(v) ? (uint32_t)json_integer_value(v) : fallback;
}

static size_t names_of(const json_t *array, const char **out)
{
	size_t n = 0, i;
	const json_t *item;

	json_array_foreach(array, i, item) if (n < VM_TEMPLATE_REFS) out[n++] =
		json_string_value(item);
	return n;
}

static size_t word_index(const char *word, const char *const *words)
{
	size_t i = 0;

	while (words[i] && strcmp(words[i], word) != 0)
		i++;
	return i;
}

static const char *const kind_words[] = { "core", "application", "foreign", NULL };
static const char *const probe_words[] = { "agent", "health", "postgres", "tcp", NULL };

/* The document passed the schema: every member has its type. */
static void template_fill(struct vm_template *t, json_t *doc)
{
	const json_t *cpus = json_object_get(doc, "cpus");
	const json_t *memory = json_object_get(doc, "memory_mib");
	const json_t *boot = json_object_get(doc, "boot");
	const json_t *ready = json_object_get(doc, "ready");
	const json_t *reservation = json_object_get(doc, "reservation");
	const json_t *net = json_array_get(json_object_get(doc, "networks"), 0);
	const json_t *disk = json_array_get(json_object_get(doc, "disks"), 0);

	t->document = doc;
	t->name = text_of(doc, "name", "");
	t->title = text_of(doc, "title", "");
	t->description = text_of(doc, "description", "");
	t->version = text_of(doc, "version", "");
	t->kind = (enum vm_kind)word_index(text_of(doc, "kind", "core"), kind_words);
	t->requires_count = names_of(json_object_get(doc, "requires"), t->requires);
	t->start_after_count = names_of(json_object_get(doc, "start_after"), t->start_after);
	t->cpus = number_of(cpus, "default", 1);
	t->cpus_min = number_of(cpus, "min", 1);
	t->cpus_max = number_of(cpus, "max", 64);
	t->memory_mib = number_of(memory, "default", 128);
	t->memory_mib_min = number_of(memory, "min", 96);
	t->memory_mib_max = number_of(memory, "max", 1048576);
	t->realtime = json_is_true(json_object_get(reservation, "realtime"));
	t->reserved_cpu_percent = number_of(reservation, "cpu_percent", 0);
	t->kernel = text_of(boot, "kernel", "");
	t->initrd = text_of(boot, "initrd", "");
	t->cmdline = text_of(boot, "cmdline", "console=ttyS0 quiet panic=-1");
	t->root = text_of(json_object_get(doc, "root"), "image", "");
	t->data_size_mib = number_of(disk, "size_mib", 0);
	t->host_number = number_of(net, "host_number", 0);
	t->probe = (enum vm_probe)word_index(text_of(ready, "probe", "agent"), probe_words);
	t->probe_port =
		(uint16_t)number_of(ready, "port", t->probe == VM_PROBE_POSTGRES ? 5432 : 7443);
	t->ready_timeout_s = number_of(ready, "ready_timeout_s", 60);
	t->shutdown_timeout_s = number_of(doc, "shutdown_timeout_s", 20);
	t->backup_quiesce = text_of(json_object_get(doc, "backup"), "quiesce", "none");
	t->failover = text_of(doc, "failover", "none");
	t->entitlement = text_of(doc, "entitlement", NULL);
	t->options = json_object_get(doc, "options");
}

/* What a schema cannot say: relations between members. */
static void template_relations(struct entry *e)
{
	const struct vm_template *t = &e->t;
	const char *key;
	json_t *value;

	if (strcmp(t->name, e->folder) != 0)
		entry_finding(e, "/name", "must be the folder's name '%s'", e->folder);
	if (t->cpus < t->cpus_min || t->cpus > t->cpus_max)
		entry_finding(e, "/cpus/default", "must lie between min and max");
	if (t->memory_mib < t->memory_mib_min || t->memory_mib > t->memory_mib_max)
		entry_finding(e, "/memory_mib/default", "must lie between min and max");
	for (size_t i = 0; i < t->start_after_count; i++)
		if (strcmp(t->start_after[i], t->name) == 0)
			entry_finding(e, "/start_after", "a VM cannot start after itself");
	json_object_foreach(t->options, key, value)
	{
		const char *dot = strchr(key, '.');

		if (!json_is_string(value) || !dot || dot == key || !dot[1] || strlen(key) > 64)
			entry_finding(e, "/options", "'%.64s' must be section.key with a string",
				      key);
	}
}

static int entry_read(struct entry *e, const char *path, const json_t *schema, struct error *err)
{
	struct error why = { 0 };
	int r;

	r = read_json(path, VM_TEMPLATE_SIZE, &e->document, &why);
	if (r < 0) {
		entry_finding(e, why.field, "%.190s", error_text(&why, r));
		return 0;
	}
	r = vm_schema_check(schema, e->document, e->findings, FINDINGS, err);
	if (r < 0)
		return r;
	e->found = (size_t)r;
	if (e->found > 0)
		return 0;
	if (!json_object_get(e->document, "options") &&
	    json_object_set_new(e->document, "options", json_object()) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	template_fill(&e->t, e->document);
	template_relations(e);
	return 0;
}

static int by_folder(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->folder, y->folder);
}

static int read_folders(struct vm_catalogue *c, const char *dir, const json_t *schema,
			struct error *err)
{
	DIR *d = opendir(dir);
	struct dirent *de;
	char path[4096];
	struct stat st;
	int r = 0;

	if (!d)
		return error_set(err, -errno, "%s: %s", dir, strerror(errno));
	while (r == 0 && (de = readdir(d)) != NULL) {
		if (!vm_name_ok(de->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s/template.json", dir, de->d_name);
		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (c->count == VM_TEMPLATE_MAX) {
			r = error_set(err, -E2BIG, "%s: more than %d templates", dir,
				      VM_TEMPLATE_MAX);
			break;
		}
		(void)slice_copy(slice_str(de->d_name), c->entries[c->count].folder,
				 sizeof(c->entries[0].folder));
		r = entry_read(&c->entries[c->count++], path, schema, err);
	}
	(void)closedir(d);
	qsort(c->entries, c->count, sizeof(c->entries[0]), by_folder);
	return r;
}

int vm_catalogue_read(const char *dir, struct vm_catalogue **ret, struct error *err)
{
	AUTO(vm_catalogue) struct vm_catalogue *c = calloc(1, sizeof(*c));
	AUTO(json) json_t *schema = NULL;
	char path[4096];
	int r;

	if (!c)
		return error_set(err, -ENOMEM, "out of memory");
	(void)snprintf(path, sizeof(path), "%s/schema.json", dir);
	r = read_json(path, 4 * VM_TEMPLATE_SIZE, &schema, err);
	if (r < 0)
		return r;
	r = read_folders(c, dir, schema, err);
	if (r < 0)
		return r;
	*ret = TAKE(c);
	return 0;
}

struct vm_catalogue *vm_catalogue_free(struct vm_catalogue *catalogue)
{
	if (!catalogue)
		return NULL;
	for (size_t i = 0; i < catalogue->count; i++)
		json_decref(catalogue->entries[i].document);
	free(catalogue);
	return NULL;
}

size_t vm_catalogue_count(const struct vm_catalogue *catalogue)
{
	size_t n = 0;

	for (size_t k = 0; k < catalogue->count; k++)
		n += catalogue->entries[k].found == 0;
	return n;
}

const struct vm_template *vm_catalogue_at(const struct vm_catalogue *catalogue, size_t i)
{
	for (size_t k = 0; k < catalogue->count; k++)
		if (catalogue->entries[k].found == 0 && i-- == 0)
			return &catalogue->entries[k].t;
	return NULL;
}

int vm_catalogue_find(const struct vm_catalogue *catalogue, const char *name,
		      const struct vm_template **ret, struct error *err)
{
	for (size_t k = 0; k < catalogue->count; k++) {
		const struct entry *e = &catalogue->entries[k];

		if (strcmp(e->folder, name) != 0)
			continue;
		if (e->found > 0) {
			(void)error_field(err, -EINVAL, "/template",
					  "template '%s' is broken at '%s': %s", name,
					  e->findings[0].pointer, e->findings[0].detail);
			error_resolution(
				err, "Correct vmtemplates/%s/template.json and restart auraboxd.",
				name);
			return -EINVAL;
		}
		*ret = &e->t;
		return 0;
	}
	return error_field(err, -EINVAL, "/template", "there is no template '%.63s'", name);
}

json_t *vm_template_to_json(const struct vm_template *t)
{
	json_t *o = json_deep_copy(t->document);

	/* the API shows plain numbers where the template gives a range */
	(void)json_object_set_new(o, "cpus", json_integer(t->cpus));
	(void)json_object_set_new(o, "memory_mib", json_integer(t->memory_mib));
	(void)json_object_set_new(o, "limits",
				  json_pack("{s:I,s:I,s:I,s:I}", "cpus_min",
					    (json_int_t)t->cpus_min, "cpus_max",
					    (json_int_t)t->cpus_max, "memory_mib_min",
					    (json_int_t)t->memory_mib_min, "memory_mib_max",
					    (json_int_t)t->memory_mib_max));
	(void)json_object_set_new(o, "valid", json_true());
	(void)json_object_set_new(o, "errors", json_array());
	return o;
}

static json_t *broken_to_json(const struct entry *e)
{
	json_t *errors = json_array();

	for (size_t i = 0; i < e->found; i++)
		(void)json_array_append_new(errors, json_pack("{s:s,s:s}", "pointer",
							      e->findings[i].pointer, "detail",
							      e->findings[i].detail));
	return json_pack("{s:s,s:s,s:b,s:o}", "name", e->folder, "title",
			 text_of(e->document, "title", e->folder), "valid", 0, "errors", errors);
}

json_t *vm_catalogue_to_json(const struct vm_catalogue *catalogue)
{
	json_t *list = json_array();

	for (size_t i = 0; i < catalogue->count; i++) {
		const struct entry *e = &catalogue->entries[i];

		(void)json_array_append_new(list, e->found == 0 ? vm_template_to_json(&e->t)
								: broken_to_json(e));
	}
	return list;
}
