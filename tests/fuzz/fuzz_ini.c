/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ini.c - any bytes as a configuration file, read through a table with every kind of option. */
#include "fuzz.h"

#include <string.h>

#include "base/option.h"

static const char *const levels[] = { "error", "info", "debug", NULL };

struct config {
	char *listen;
	uint32_t count;
	bool on;
	uint32_t level;
};

static const struct option table[] = {
	OPT_STRING(struct config, listen, "sip.listen", "127.0.0.1:5060", "Where to listen."),
	OPT_U32(struct config, count, "registrar.max_contacts", "10", "How many.", .min = 1,
		.max = 100),
	OPT_BOOL(struct config, on, "sip.on", "true", "Whether at all."),
	OPT_CHOICE(struct config, level, "log.level", "info", levels, "How much is logged."),
	OPT_END,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = { 0 };
	struct error err = { 0 };

	MUST(option_defaults(table, &config, &err) == 0);
	if (option_read(table, &config, "input", (const char *)data, size, &err) < 0)
		MUST(err.code < 0 && strncmp(err.detail, "input", 5) == 0);
	MUST(config.listen != NULL && config.count >= 1 && config.count <= 100);
	MUST(config.level < 3);
	option_release(table, &config);
	return 0;
}
