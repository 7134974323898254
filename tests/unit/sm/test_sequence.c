/* SPDX-License-Identifier: Apache-2.0 */
/* test_sequence.c - the half-call model step by step, with applications alive, dead and optional. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "node/uc_model.h"
#include "sm/sequence.h"

static const char document[] =
	"{\"schema\":1,\"domain\":\"aurabox.internal\","
	"\"users\":["
	"{\"handle\":\"3001\",\"name\":\"Ada\",\"password\":\"secret-3001\","
	" \"sip\":{\"sequence\":\"both\"},\"station\":{\"extension\":\"3001\"}},"
	"{\"handle\":\"bob\",\"name\":\"Bob\",\"password\":\"secret-bob\","
	" \"sip\":{\"sequence\":\"both\"},\"station\":{\"extension\":\"3002\"}},"
	"{\"handle\":\"3003\",\"name\":\"Eve\",\"password\":\"secret-3003\",\"station\":null}],"
	"\"sip_entities\":["
	"{\"name\":\"cm\",\"type\":\"cm\",\"address\":\"127.0.0.1\",\"port\":5070,\"transport\":\"tcp\"},"
	"{\"name\":\"vm\",\"type\":\"other\",\"address\":\"127.0.0.1\",\"port\":5090,\"transport\":\"tcp\"}],"
	"\"application_sequences\":[{\"name\":\"both\",\"entities\":["
	"{\"name\":\"vm\",\"mandatory\":false},\"cm\"]}],"
	"\"dial_plan\":[{\"match\":\"3\",\"length\":4,\"type\":\"extension\"}]}";

static struct uc_model *model;
static const char *dead; /* name of the entity that does not answer */

static bool usable(void *user, const struct uc_entity *entity)
{
	return !dead || strcmp(entity->name, dead) != 0;
}

static int begin(void **state)
{
	struct error err = { 0 };
	json_t *json = json_loads(document, 0, NULL);

	(void)state;
	dead = NULL;
	if (!json || uc_model_new(json, &model, &err) < 0)
		return -1;
	json_decref(json);
	return 0;
}

static int end(void **state)
{
	(void)state;
	model = uc_model_unref(model);
	return 0;
}

static struct sequence_step next(enum sequence_phase phase, const char *user, unsigned place,
				 const char *callee)
{
	struct sequence_position pos = { .phase = phase,
					 .place = place,
					 .callee = slice_str(callee) };
	struct sequence_step step;

	pos.user = user ? sequence_user(model, slice_str(user)) : NULL;
	sequence_next(model, &pos, usable, NULL, &step);
	return step;
}

static void is_application(struct sequence_step step, enum odi_half half, unsigned place,
			   const char *name, const char *user)
{
	assert_int_equal(step.kind, SEQUENCE_APPLICATION);
	assert_int_equal(step.half, half);
	assert_int_equal(step.place, place);
	assert_string_equal(step.application->name, name);
	assert_string_equal(step.user->handle, user);
}

static void a_call_walks_both_halves_and_ends_at_the_phones(void **state)
{
	struct sequence_step step;

	(void)state;
	is_application(next(SEQUENCE_ORIGINATE, "3001", 0, "3002"), ODI_ORIGINATING, 0, "vm",
		       "3001");
	is_application(next(SEQUENCE_ORIGDONE, "3001", 1, "3002"), ODI_ORIGINATING, 1, "cm",
		       "3001");
	is_application(next(SEQUENCE_ORIGDONE, "3001", 2, "3002"), ODI_TERMINATING, 0, "vm", "bob");
	is_application(next(SEQUENCE_TERMDONE, "bob", 1, "3002"), ODI_TERMINATING, 1, "cm", "bob");
	step = next(SEQUENCE_TERMDONE, "bob", 2, "3002");
	assert_int_equal(step.kind, SEQUENCE_CONTACTS);
	assert_string_equal(step.user->handle, "bob");
}

static void a_dead_optional_application_is_passed_over(void **state)
{
	struct sequence_step step;

	(void)state;
	dead = "vm";
	step = next(SEQUENCE_ORIGINATE, "3001", 0, "3002");
	is_application(step, ODI_ORIGINATING, 1, "cm", "3001");
	assert_int_equal(step.skipped, 1);
}

static void a_dead_mandatory_application_fails_the_call(void **state)
{
	struct sequence_step step;

	(void)state;
	dead = "cm";
	step = next(SEQUENCE_ORIGDONE, "3001", 1, "3002");
	assert_int_equal(step.kind, SEQUENCE_FAIL);
	assert_string_equal(step.application->name, "cm");
	step = next(SEQUENCE_TERMDONE, "bob", 1, "3002");
	assert_int_equal(step.kind, SEQUENCE_FAIL);
}

static void a_user_without_a_station_is_served_by_sm_alone(void **state)
{
	struct sequence_step step;

	(void)state;
	step = next(SEQUENCE_ORIGINATE, "3003", 0, "3003");
	assert_int_equal(step.kind, SEQUENCE_CONTACTS);
	assert_string_equal(step.user->handle, "3003");
	is_application(next(SEQUENCE_ORIGINATE, "3003", 0, "bob"), ODI_TERMINATING, 0, "vm", "bob");
}

static void a_number_that_nobody_has_ends_the_originating_half(void **state)
{
	(void)state;
	assert_int_equal(next(SEQUENCE_ORIGDONE, "3001", 2, "9999").kind, SEQUENCE_NOBODY);
	assert_int_equal(next(SEQUENCE_TERMINATE, NULL, 0, "9999").kind, SEQUENCE_NOBODY);
}

static void a_call_from_an_entity_begins_with_the_terminating_half(void **state)
{
	(void)state;
	is_application(next(SEQUENCE_TERMINATE, NULL, 0, "3002"), ODI_TERMINATING, 0, "vm", "bob");
}

static void words_and_phases_belong_together(void **state)
{
	enum sequence_phase phase;

	(void)state;
	assert_string_equal(sequence_out(ODI_ORIGINATING), "imsorig");
	assert_string_equal(sequence_out(ODI_TERMINATING), "imsterm");
	assert_true(sequence_phase_read(SLICE("origdone"), ODI_ORIGINATING, &phase));
	assert_int_equal(phase, SEQUENCE_ORIGDONE);
	assert_true(sequence_phase_read(SLICE("termdone"), ODI_TERMINATING, &phase));
	assert_int_equal(phase, SEQUENCE_TERMDONE);
	assert_false(sequence_phase_read(SLICE("termdone"), ODI_ORIGINATING, &phase));
	assert_false(sequence_phase_read(SLICE("imsorig"), ODI_ORIGINATING, &phase));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_call_walks_both_halves_and_ends_at_the_phones,
						begin, end),
		cmocka_unit_test_setup_teardown(a_dead_optional_application_is_passed_over, begin,
						end),
		cmocka_unit_test_setup_teardown(a_dead_mandatory_application_fails_the_call, begin,
						end),
		cmocka_unit_test_setup_teardown(a_user_without_a_station_is_served_by_sm_alone,
						begin, end),
		cmocka_unit_test_setup_teardown(a_number_that_nobody_has_ends_the_originating_half,
						begin, end),
		cmocka_unit_test_setup_teardown(
			a_call_from_an_entity_begins_with_the_terminating_half, begin, end),
		cmocka_unit_test(words_and_phases_belong_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
