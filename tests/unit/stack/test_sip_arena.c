/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: blocks come back, copies stand alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
/* after those above */
#include <cmocka.h>

#include "base/error.h"
#include "codec/sip/sip_msg.h"
#include "stack/sip/sip_arena.h"

static void blocks_are_kept_for_the_next(void **state)
{
	struct sip_arena_pool pool;
	struct sip_arena arena;

	(void)state;
	sip_arena_pool_init(&pool, 2);
	for (int round = 0; round < 3; round++) {
		sip_arena_init(&arena, &pool);
		for (int i = 0; i < 10; i++)
			assert_non_null(sip_arena_alloc(&arena, 1000));
		assert_int_equal(pool.used_count, 3); /* four in a block */
		sip_arena_done(&arena);
		assert_int_equal(pool.used_count, 0);
		assert_int_equal(pool.free_count, 2);
	}
	sip_arena_pool_done(&pool);
}

static void memory_is_zeroed_and_aligned(void **state)
{
	struct sip_arena_pool pool;
	struct sip_arena arena;
	unsigned char *p;

	(void)state;
	sip_arena_pool_init(&pool, 1);
	for (int round = 0; round < 2; round++) {
		sip_arena_init(&arena, &pool);
		(void)sip_arena_alloc(&arena, 3);
		p = sip_arena_alloc(&arena, 100);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (int i = 0; i < 100; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, 100);
		assert_non_null(sip_arena_alloc(&arena, 100000)); /* longer than any block */
		sip_arena_done(&arena);
	}
	assert_null(sip_arena_alloc(&(struct sip_arena){ .pool = &pool }, SIZE_MAX));
	sip_arena_pool_done(&pool);
}

static void a_kept_message_does_not_point_back(void **state)
{
	static const char text[] =
		"OPTIONS sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\n"
		"From: A <sip:a:p@x;q=1?h=2>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: i\r\n"
		"CSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\r\nbody";
	struct sip_arena_pool pool;
	struct sip_arena arena;
	struct sip_msg *msg = calloc(1, sizeof(*msg));
	const struct sip_msg *kept;
	char *bytes = strdup(text);
	struct sip_via via;
	struct sip_cseq cseq;
	struct sip_addr from;
	struct sip_uri uri;

	(void)state;
	sip_arena_pool_init(&pool, 1);
	sip_arena_init(&arena, &pool);
	assert_int_equal(sip_msg_parse(slice_str(bytes), msg), 0);
	sip_msg_read(msg);
	kept = sip_arena_msg(&arena, msg);
	assert_non_null(kept);
	assert_int_equal(kept->typed, SIP_TYPED_VIA | SIP_TYPED_CSEQ | SIP_TYPED_FROM |
					      SIP_TYPED_TO | SIP_TYPED_URI);
	memset(bytes, 'x', strlen(bytes));
	free(bytes);
	free(msg);
	assert_true(slice_eq_str(kept->uri, "sip:b@x"));
	assert_true(slice_eq_str(kept->body, "body"));
	assert_true(slice_eq_str(sip_msg_call_id(kept), "i"));
	assert_int_equal(sip_msg_top_via(kept, &via), 0);
	assert_true(slice_eq_str(via.branch, "z9hG4bKa"));
	assert_true(slice_eq_str(via.host, "h"));
	assert_int_equal(sip_msg_cseq(kept, &cseq), 0);
	assert_true(slice_eq_str(cseq.method_name, "OPTIONS"));
	assert_int_equal(sip_msg_from(kept, &from), 0);
	assert_true(slice_eq_str(from.display, "A"));
	assert_true(slice_eq_str(from.uri.text, "sip:a:p@x;q=1?h=2"));
	assert_true(slice_eq_str(from.uri.user, "a"));
	assert_true(slice_eq_str(from.uri.password, "p"));
	assert_true(slice_eq_str(from.uri.host, "x"));
	assert_true(slice_eq_str(from.uri.params, ";q=1"));
	assert_true(slice_eq_str(from.uri.headers, "h=2"));
	assert_true(slice_eq_str(from.params, ";tag=1"));
	assert_true(slice_eq_str(sip_msg_from_tag(kept), "1"));
	assert_int_equal(sip_msg_to_tag(kept).len, 0);
	assert_int_equal(sip_msg_request_uri(kept, &uri), 0);
	assert_true(slice_eq_str(uri.text, "sip:b@x"));
	assert_true(slice_eq_str(uri.user, "b"));
	assert_true(slice_eq_str(uri.host, "x"));
	sip_arena_done(&arena);
	sip_arena_pool_done(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_kept_for_the_next),
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(a_kept_message_does_not_point_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
