/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pidf.c - any body as a presence document; what is read is written and read to the same. */
#include "fuzz.h"

#include <string.h>

#include "base/buf.h"
#include "codec/pidf/pidf.h"

static struct pidf pidf, again;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF out = { 0 };

	if (pidf_parse(slice_make(data, size), &pidf) < 0)
		return 0;
	pidf_write(&pidf, &out);
	MUST(buf_ok(&out));
	if (out.len > PIDF_MAX)
		return 0;
	MUST(pidf_parse(buf_slice(&out), &again) == 0);
	MUST(again.tuple_count == pidf.tuple_count && again.activities == pidf.activities);
	MUST(again.has_person == pidf.has_person);
	MUST(strcmp(again.note, pidf.note) == 0);
	for (size_t i = 0; i < pidf.tuple_count; i++) {
		MUST(again.tuples[i].basic == pidf.tuples[i].basic);
		MUST(strcmp(again.tuples[i].contact, pidf.tuples[i].contact) == 0);
	}
	return 0;
}
