#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 420
# beside: others
# The console without a browser: types, lint, unit tests, types as the API has them, sizes of what is served.
set -euo pipefail
top=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
fail() {
	echo "FAILED: $*"
	failed=1
}

"$top/packaging/build-console"
node=$("$top/packaging/build-console" --node)
PATH=$(dirname "$node"):$PATH
export PATH NO_COLOR=1
cd "$top/webui"
npm run --silent check || fail "npm run check"
npm run --silent lint || fail "npm run lint"
npm test --silent || fail "npm test"

# The committed types are those of the API that this tree builds.
"${AURA_BIN:-$top/build/dev/bin}/auraboxd" --openapi >"$scratch/openapi.json"
npx --no-install openapi-typescript "$scratch/openapi.json" -o "$scratch/schema.d.ts" >"$scratch/log" 2>&1 ||
	{ cat "$scratch/log"; fail "openapi-typescript"; }
diff -u src/api/schema.d.ts "$scratch/schema.d.ts" >"$scratch/diff" ||
	{ head -n 40 "$scratch/diff"; fail "src/api/schema.d.ts is not the API's: webui/README.md says how to make it"; }

# A lock file that names a registry works only where that registry is.
! grep -n '"resolved"' package-lock.json || fail "package-lock.json names addresses of a registry"

# Budgets, in bytes as they go over the wire.
sum() { # FILE...
	cat "$@" | wc -c
}
budget() { # WHAT HAVE MOST
	echo "$1: $2 of at most $3 bytes"
	[ "$2" -le "$3" ] || fail "$1 is over its budget"
}
packages=$(node -p 'Object.keys(require("./package.json").dependencies).length')
echo "packages at run time: $packages of at most 10"
[ "$packages" -le 10 ] || fail "too many packages at run time"
! grep -rnE '\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|style="' src --include=*.svelte --include=*.ts ||
	fail "what could become code or is against the policy"
cd dist
entry=$(sed -n 's|.*<script type="module"[^>]* src="/\(assets/[^"]*\.js\)".*|\1|p' index.html)
[ -s "$entry.br" ] || fail "the page names no entry script that is there"
budget "entry script" "$(sum "$entry.br")" 40960
# What the first page loads; each page brings its own besides.
styles=$(sed -n 's|.*<link rel="stylesheet"[^>]* href="/\(assets/[^"]*\.css\)".*|\1.br|p' index.html)
[ -n "$styles" ] || fail "the page names no styles"
# shellcheck disable=SC2086  # a list of names without spaces
budget "styles" "$(sum $styles)" 10240
for style in assets/*.css; do
	budget "$style" "$(sum "$style.br")" 10240
done
for chunk in assets/*.js; do
	case $chunk in
	"$entry") ;;
	# The softphone's library, fetched when somebody signs in with it.
	assets/sip-*) budget "$chunk" "$(sum "$chunk.br")" 49152 ;;
	*) budget "$chunk" "$(sum "$chunk.br")" 30720 ;;
	esac
done
budget "all files uncompressed" "$(find . -type f ! -name "*.br" ! -name "*.gz" -exec cat {} + | wc -c)" 1000000
if grep -nE '<style|style=|<script>| on[a-z]+=|https?://' index.html; then
	fail "the page has inline code or foreign addresses, which its policy forbids"
fi
# Whose code is in the bundle is named, with the text of its licence.
"$node" -e '
const found = JSON.parse(require("fs").readFileSync("licences.json", "utf8"));
const wanted = Object.keys(JSON.parse(require("fs").readFileSync("../package.json", "utf8")).dependencies);
const lost = [...wanted, "svelte"].filter((name) => !found.some((each) => each.name === name && each.licence && each.text));
if (lost.length > 0) throw new Error("licences.json does not tell of " + lost.join(", "));
' || fail "the licences of what is bundled"
[ "$failed" = 0 ] && echo "ok"
exit "$failed"
