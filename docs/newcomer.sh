#!/usr/bin/env bash
# Times the two commands of somebody who has just cloned the repository: until the first answer, and until the first tests
# are green. Downloaded modules are there, as their download measures the network. Go's build cache is empty, unless CACHE
# names one to use: then only what is compiled anew for the clone counts.
set -euo pipefail
root=$(git rev-parse --show-toplevel)
work=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server"; wait; rm -rf "$work"' EXIT
git clone --quiet "$root" "$work/clone"
cd "$work/clone"
export GOCACHE="${CACHE:-$work/cache}"

# seconds since begun
seconds() { awk -v from="$begun" -v to="$(date +%s%N)" 'BEGIN { print (to - from) / 1e9 }'; }

begun=$(date +%s%N)
make run ADDR=127.0.0.1:0 >"$work/stdout" 2>"$work/stderr" &
server=$!
until grep -q 'curl -sS -X PATCH' "$work/stdout" 2>/dev/null; do
	kill -0 "$server" || { cat "$work/stderr" >&2; exit 1; }
	sleep 0.1
done
eval "$(grep -m 1 'curl -sS http' "$work/stdout") --fail --output $work/answer"
grep -q organization_id "$work/answer"
printf 'make run, first 200:       %5.1f s\n' "$(seconds)"

export GOCACHE="${CACHE:-$work/cache-of-tests}"
begun=$(date +%s%N)
make test-quick >"$work/tests"
printf 'make test-quick, green:    %5.1f s\n' "$(seconds)"
