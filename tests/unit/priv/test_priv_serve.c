/* SPDX-License-Identifier: Apache-2.0 */
/* test_priv_serve.c - what aurabox-priv lets in: requests byte by byte, and logs that are traps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/priv_wire.h"
#include "priv/priv_serve.h"

static struct priv_request request(uint32_t verb, const char *name, uint32_t index)
{
	struct priv_request q = {
		.magic = PRIV_MAGIC, .version = PRIV_VERSION, .verb = verb, .index = index
	};

	memcpy(q.name, name, strlen(name));
	return q;
}

static int check(struct priv_request q)
{
	return priv_request_check(&q, sizeof(q), NULL);
}

static void good_requests_pass(void **state)
{
	(void)state;
	assert_int_equal(check(request(PRIV_PING, "", 0)), 0);
	assert_int_equal(check(request(PRIV_BRIDGE, "", 0)), 0);
	assert_int_equal(check(request(PRIV_FIREWALL, "", 0)), 0);
	assert_int_equal(check(request(PRIV_LOG_OPEN, "sm-2", 9)), 0);
}

static void others_do_not(void **state)
{
	struct priv_request q = request(PRIV_PING, "", 0);

	(void)state;
	assert_int_equal(priv_request_check(&q, sizeof(q) - 1, NULL), -EPROTO);
	assert_int_equal(priv_request_check(&q, sizeof(q) + 1, NULL), -EPROTO);
	q.magic++;
	assert_int_equal(check(q), -EPROTO);
	q = request(PRIV_PING, "", 0);
	q.version++;
	assert_int_equal(check(q), -ENOTSUP);
	assert_int_equal(check(request(0, "", 0)), -ENOTSUP);
	assert_int_equal(check(request(PRIV_VERB_END, "", 0)), -ENOTSUP);
	assert_int_equal(check(request(UINT32_MAX, "", 0)), -ENOTSUP);
	assert_int_equal(check(request(PRIV_PING, "sm", 0)), -EINVAL);
	assert_int_equal(check(request(PRIV_BRIDGE, "", 1)), -EINVAL);
	assert_int_equal(check(request(PRIV_LOG_OPEN, "sm", 10)), -EINVAL);
}

static void bad_names_do_not(void **state)
{
	static const char *const bad[] = { "", "../x", "a/b", "-x", "A", "a b", "a\n", "." };
	struct priv_request q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(check(request(PRIV_LOG_OPEN, bad[i], 0)), -EINVAL);
	/* no end within the field */
	q = request(PRIV_LOG_OPEN, "", 0);
	memset(q.name, 'a', sizeof(q.name));
	assert_int_equal(check(q), -EINVAL);
}

static char root[64];

static void path_of(const char *rest, char out[160])
{
	(void)snprintf(out, 160, "%s/var/lib/aurabox/logs%s", root, rest);
}

static int setup(void **state)
{
	static const char *const folders[] = { "/var", "/var/lib", "/var/lib/aurabox",
					       "/var/lib/aurabox/logs" };
	char path[160];
	FILE *f;

	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/aura-priv-XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	path_of("/sm.log", path);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fputs("hello", f);
	return fclose(f);
}

static int teardown(void **state)
{
	static const char *const leaves[] = { "/sm.log", "/link.log", "/hard.log", "/pipe.log" };
	static const char *const folders[] = { "/var/lib/aurabox/logs", "/var/lib/aurabox",
					       "/var/lib", "/var", "" };
	char path[160];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		path_of(leaves[i], path);
		(void)unlink(path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		if (rmdir(path) < 0)
			return -1;
	}
	return 0;
}

static void log_is_opened_read_only(void **state)
{
	struct priv p = { .root = root };
	char text[16] = "";
	int fd = -1;

	(void)state;
	assert_int_equal(priv_log_open(&p, "sm", 0, &fd, NULL), 0);
	assert_int_equal(read(fd, text, sizeof(text) - 1), 5);
	assert_string_equal(text, "hello");
	assert_true(write(fd, "x", 1) < 0);
	(void)close(fd);
	assert_int_equal(priv_log_open(&p, "sm", 1, &fd, NULL), -ENOENT);
}

static void traps_are_refused(void **state)
{
	struct priv p = { .root = root };
	char from[160], to[160];
	int fd = -1;

	(void)state;
	path_of("/link.log", to);
	assert_int_equal(symlink("/etc/passwd", to), 0);
	assert_int_equal(priv_log_open(&p, "link", 0, &fd, NULL), -EACCES);
	path_of("/pipe.log", to);
	assert_int_equal(mkfifo(to, 0666), 0);
	assert_int_equal(priv_log_open(&p, "pipe", 0, &fd, NULL), -EACCES);
	path_of("/sm.log", from);
	path_of("/hard.log", to);
	assert_int_equal(link(from, to), 0);
	assert_int_equal(priv_log_open(&p, "hard", 0, &fd, NULL), -EACCES);
	assert_int_equal(fd, -1);
}

/* The socket is its group's, whoever's the folder is, and what was put in its place is not touched. */
static void socket_is_given_to_its_group(void **state)
{
	struct priv p = { .root = root, .user = geteuid(), .group = getegid() };
	char path[160];
	struct stat st;
	int fd = -1;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/run", root);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(priv_listen(&p, &fd, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/run/aurabox/priv.sock", root);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_gid, getegid());
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/run/aurabox", root);
	assert_int_equal(rmdir(path), 0);
	(void)snprintf(path, sizeof(path), "%s/run", root);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_requests_pass),
		cmocka_unit_test(others_do_not),
		cmocka_unit_test(bad_names_do_not),
		cmocka_unit_test_setup_teardown(log_is_opened_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(traps_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(socket_is_given_to_its_group, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
