#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
# clang-tidy's bugprone group over every C file of the product (.clang-tidy says which checks are out).
cd "$AURA_TOP" || exit 1
commands=build/dev/compile_commands.json
[ -s "$commands" ] || { echo "no $commands"; exit 1; }
git ls-files 'daemon/*.c' | xargs -P 2 -n 8 clang-tidy-14 --quiet -p build/dev 2>/dev/null |
	grep -E '(warning|error):' | sort -u >build/test-logs/tidy.txt
cat build/test-logs/tidy.txt
[ ! -s build/test-logs/tidy.txt ]
