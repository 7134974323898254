/* SPDX-License-Identifier: Apache-2.0 */
/* priv_run.h - runs one system program without a shell and with an empty environment. */
#pragma once
#include "base/error.h"

/* argv[0] is an absolute path. input (may be NULL) is what it reads on stdin. Waits at most 10 s, then
 * kills it. Errors: -ENOENT no such program, -ETIMEDOUT, -EIO it failed: err has its last words. */
int priv_run(const char *const *argv, const char *input, struct error *err);
