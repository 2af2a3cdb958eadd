#!/bin/sh
# A bundle of more records than the import process has room for at once (32
# slots of 64 on the largest machines): its ring goes round, and every record
# arrives, once. A bundle that turns out bad at its very end leaves nothing.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

KEYS=600
N=2400
new_world 4 $KEYS
new_station "$DATA" "$STICK"
B=$(bundle "$DATA" "$STICK" --per-euicc $KEYS)
cp -a "$DATA" "$WORK/second"

expect 0 "imported bpp-bundle .*: $N BPPs" "$STATION" import --data "$DATA" "$B"
expect 0 "\"total\":{\"received\":$N,\"in-stock\":$N," \
    "$STATION" stock --data "$DATA" --check --json

# The last record's last octet belongs to its MAC: only the segment's hash, at
# the very end, tells.
segment=$(ls "$B"/segment-*.der | tail -1)
size=$(stat -c %s "$segment")
last=$(tail -c 1 "$segment" | od -An -tu1 | tr -d ' ')
# shellcheck disable=SC2059 # an octet in octal
printf "\\$(printf %03o $((last ^ 1)))" |
    dd of="$segment" bs=1 seek=$((size - 1)) conv=notrunc 2>/dev/null
expect 1 'nothing was imported' "$STATION" import --data "$WORK/second" "$B"
expect 0 '"total":{"received":0,' "$STATION" stock --data "$WORK/second" --check --json
