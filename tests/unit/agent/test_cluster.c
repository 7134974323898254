/* SPDX-License-Identifier: Apache-2.0 */
/* test_cluster.c - a copied cluster gets another identifier and a checksum that is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "agent/cluster.h"

static void crc_is_castagnoli(void **state)
{
	(void)state;
	/* RFC 3720 appendix B.4: the check value of "123456789" and 32 zero bytes. */
	assert_int_equal(cluster_crc32c((const unsigned char *)"123456789", 9), 0xe3069283);
	assert_int_equal(cluster_crc32c((const unsigned char[32]){ 0 }, 32), 0x8a9136aa);
}

static void identity_changes_and_nothing_else(void **state)
{
	unsigned char control[8192] = { 0 }, before[8192];
	const unsigned char nonce[32] = { 7, 7, 7 };
	uint32_t crc;

	(void)state;
	for (size_t i = 0; i < 288; i++)
		control[i] = (unsigned char)(i * 7 + 1);
	crc = cluster_crc32c(control, 288);
	memcpy(control + 288, &crc, 4);
	memcpy(before, control, sizeof(before));
	assert_int_equal(cluster_rename(control, sizeof(control), 0x1122334455667788, nonce), 0);
	assert_memory_equal(control + 8, before + 8, 288 - 8 - 32);
	assert_memory_equal(control + 288 - 32, nonce, 32);
	assert_memory_equal(control + 292, before + 292, sizeof(control) - 292);
	memcpy(&crc, control + 288, 4);
	assert_int_equal(crc, cluster_crc32c(control, 288));
	assert_int_equal(control[0], 0x88);
}

static void damaged_control_is_refused(void **state)
{
	unsigned char control[8192] = { 1, 2, 3 };

	(void)state;
	assert_int_equal(cluster_rename(control, sizeof(control), 1, control), -EBADMSG);
	assert_int_equal(cluster_rename(control, 64, 1, control), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_is_castagnoli),
		cmocka_unit_test(identity_changes_and_nothing_else),
		cmocka_unit_test(damaged_control_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
