#!/bin/sh
# Every single-octet change anywhere in a bundle is refused by `lineside
# import` with a word, nothing changes, and the unchanged bundle is then taken.
# SWEEP=full (make check-e2e, make soak) tries them all; else every fifth, which
# still meets every bit position (the lab changes bit `place % 8`).
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

jobs=$(nproc)
step=5
[ "${SWEEP:-}" != full ] || step=1
new_world 1 1
new_station "$DATA" "$STICK"
B=$(bundle "$DATA" "$STICK" --count 1)
mkdir "$WORK/copies"
j=0
while [ $j -lt "$jobs" ]; do
    cp -r "$DATA" "$WORK/data$j"
    j=$((j + 1))
done
"$STATION" log --data "$DATA" --all --json >"$WORK/log.before"

"$LAB" sweep "$B" --copies "$WORK/copies" --jobs "$jobs" --step "$step" --together 16 \
    --command "$STATION import --data $WORK/data@J" >"$WORK/sweep.txt" ||
    die "$(cat "$WORK/sweep.txt")"
octets=0
for f in "$B"/*; do
    octets=$((octets + ($(wc -c <"$f") + step - 1) / step))
done
refused=$(awk '{ s += $2 } END { print s }' "$WORK/sweep.txt")
[ "$refused" = "$octets" ] || die "$refused changes of $octets octets were tried"

# One event more than before in each ledger: the import of the unchanged one.
j=0
while [ $j -lt "$jobs" ]; do
    "$STATION" log --data "$WORK/data$j" --all --json >"$WORK/log.after"
    head -n -1 "$WORK/log.after" | cmp - "$WORK/log.before" || die "a refused bundle left something in the ledger"
    tail -n 1 "$WORK/log.after" | grep -q bundle-imported || die "the unchanged bundle was not imported"
    "$STATION" stock --data "$WORK/data$j" --check >/dev/null
    j=$((j + 1))
done
echo "sweep: $octets octets (step $step), each change refused"
