#!/bin/sh
# Power goes at APDU N of a unit's life in the fixture, for every N: the unit
# fails plainly, and the next scan finishes it with the same BPP.
# Each N both ways: the card has acted and its answer is lost, or it has not.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

# One unit in peace tells how many APDUs there are.
new_world 2 1
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK")" >/dev/null
cards_start
# shellcheck disable=SC2046 # a list of EIDs
line_run $(eids)
[ "$(verdicts PASS)" = 2 ] || die "not 2 PASS in peace: $(cat "$WORK/line.json")"
apdus=$(grep -o '"apdus": *[0-9]*' "$WORK/line.json" | grep -o '[0-9]*' | sort -n | tail -1)
[ "${apdus:-0}" -gt 20 ] || die "how many APDUs a unit takes is not said: $(cat "$WORK/line.json")"
kill "$CARDS_PID"

W=$WORK/world2 DATA=$WORK/station2 STICK=$WORK/stick2 CARDS=$WORK/cards2
cuts=
i=1
while [ $i -le "$apdus" ]; do
    cuts="$cuts $i $i:before"
    i=$((i + 1))
done
# shellcheck disable=SC2086 # a list
set -- $cuts
new_world $# 1
new_station "$DATA" "$STICK"
never_stop
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK")" >/dev/null
mkdir -p "$CARDS"
for eid in $(eids); do
    "$LAB" euicc "$W" --eid "$eid" --listen "$CARDS" --cut-at "$1" >/dev/null 2>&1 &
    PIDS="$PIDS $!"
    shift
done
units=$(eids | wc -l)
wait_for 30 cards_up "$units"

# shellcheck disable=SC2046 # a list of EIDs
line_run $(eids)
cp "$WORK/line.json" "$WORK/first.json"
first=$(verdicts PASS)
[ $((first + $(verdicts FAIL))) = "$units" ] || die "neither PASS nor FAIL: $(grep verdict "$WORK/line.json" | grep -v '"PASS"\|"FAIL"')"
[ $((units - first)) -gt $((units / 2)) ] || die "only $((units - first)) of $units units were cut"
"$STATION" stock --data "$DATA" --check >"$WORK/stock.txt" || die "$(cat "$WORK/stock.txt")"
# shellcheck disable=SC2046
line_run $(eids)
[ $(($(verdicts PASS) + $(verdicts 'ALREADY DONE'))) = "$units" ] ||
    die "did not finish: $(grep verdict "$WORK/line.json" | grep -v '"PASS"\|"ALREADY DONE"' | head -5)"
books_agree "$units"
mkdir -p "$WORK/out"
"$STATION" export --data "$DATA" --to "$WORK/out" >/dev/null
"$LAB" verify "$W" "$WORK"/out/loading-report-* >"$WORK/smdpf.txt" || die "$(cat "$WORK/smdpf.txt")"
echo "cuts: $units cuts in a load of $apdus APDUs, every unit finished with its own BPP"
