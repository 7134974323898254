#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# Every C file is as clang-format leaves it; tests/lint/fix mends it.
cd "$AURA_TOP" || exit 1
mapfile -t files < <(git ls-files 'daemon/*.c' 'daemon/*.h' 'tests/*.c' 'tests/*.h')
[ "${#files[@]}" -gt 0 ] || exit 1
echo "${#files[@]} files"
clang-format-14 --dry-run --Werror "${files[@]}" 2>&1 | grep -E 'error:' | head -n 50
[ "${PIPESTATUS[0]}" = 0 ]
