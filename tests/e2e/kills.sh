#!/bin/sh
# kill -9 of the station at random moments, KILLS times: every book balances
# after each, no one-time key is wasted or used twice, and the same BPPs finish.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

KILLS=${KILLS:-60}
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
[ -n "$SEED" ] || SEED=1
echo "kills: $KILLS, seed $SEED (repeat with SEED=$SEED)"
units=$((KILLS * 4 + 4)) # more than can be finished, however late each kill comes

new_world $units 2
new_station "$DATA" "$STICK"
never_stop
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 2)" >/dev/null
cards_start --delay-ms 5
eids >"$WORK/queue"

# Moments in milliseconds after start, from one seed.
awk -v seed="$SEED" -v n="$KILLS" 'BEGIN { srand(seed); for (i = 0; i < n; i++) printf "%.3f\n", 0.03 + rand() * 0.35 }' >"$WORK/moments"

done_of() { grep '"PASS"\|"ALREADY DONE"' "$1" | grep -o '"eid": *"[0-9]*"' | grep -o '[0-9]\{32\}' || :; }

k=0
cut=0
while read -r moment; do
    k=$((k + 1))
    rm -rf "$BENCH"
    : >"$WORK/scans"
    i=0
    for eid in $(head -4 "$WORK/queue"); do
        i=$((i + 1))
        fixture_put "F$i" "$eid"
        printf 'F%d\t%s\n' $i "$eid" >>"$WORK/scans"
    done
    "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" --json \
        >"$WORK/run.json" 2>"$WORK/run.err" &
    pid=$!
    sleep "$moment"
    kill -9 $pid 2>/dev/null || :
    wait $pid 2>/dev/null || :
    done_of "$WORK/run.json" >"$WORK/finished"
    [ "$(wc -l <"$WORK/finished")" -ge $i ] || cut=$((cut + 1))
    grep -vxFf "$WORK/finished" "$WORK/queue" >"$WORK/queue.new" || :
    # Those that were cut go to the back of the queue every third time, so
    # that a unit is seen again both at once and much later.
    if [ $((k % 3)) = 0 ]; then
        { tail -n +5 "$WORK/queue.new"; head -4 "$WORK/queue.new"; } >"$WORK/queue"
    else
        mv "$WORK/queue.new" "$WORK/queue"
    fi
    [ -s "$WORK/queue" ] || eids >"$WORK/queue"
    "$STATION" stock --data "$DATA" --check --json >"$WORK/stock.json" ||
        die "after kill $k: $(cat "$WORK/stock.json")"
done <"$WORK/moments"

# Now in peace: every unit finishes with the BPPs it was given.
# shellcheck disable=SC2046 # a list of EIDs
line_run $(eids)
passed=$(verdicts PASS)
already=$(verdicts 'ALREADY DONE')
[ $((passed + already)) = "$units" ] ||
    die "$passed passed, $already done already, of $units: $(grep -v '"PASS"\|"ALREADY DONE"' "$WORK/line.json" | grep verdict | head -5)"
[ "$cut" -ge $((KILLS / 4)) ] || die "only $cut of $KILLS kills met a unit at work"
books_agree $((units * 2))
stock() { sed 's/.*"total"://; s/}.*//' "$WORK/stock.json" | json_sum "$1"; }
[ "$(stock installed)" = $((units * 2)) ] || die "not all installed: $(cat "$WORK/stock.json")"

mkdir -p "$WORK/out"
"$STATION" export --data "$DATA" --to "$WORK/out" >/dev/null
"$VERIFY" "$WORK"/out/loading-report-* "$WORK"/out/audit-log-* --root "$W/dm/root.pem" \
    --ci "$W/ci/root.pem" --bundle "$STICK" >"$WORK/verify.txt" ||
    die "the auditor: $(cat "$WORK/verify.txt")"
"$LAB" verify "$W" "$WORK"/out/loading-report-* >"$WORK/smdpf.txt" ||
    die "the SM-DPf: $(cat "$WORK/smdpf.txt")"
echo "kills: $KILLS kills, $cut of them with a unit at work, $units units, $((units * 2)) BPPs, all installed once"
