#!/bin/sh
# The line over USB: the unmodified station, 16 readers of every kind and 4
# scanners on an emulated bus, UNITS units, and somebody who pulls readers and
# whole hubs out and puts them back while units are at work. Afterwards every
# book balances, and every place has kept its name.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

UNITS=${UNITS:-100}
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
[ -n "$SEED" ] || SEED=1
readers=16
levels=short,extended,tpdu-t0,tpdu-t1,tpdu

# What is pulled, how long it lies there, how long nothing happens after it:
# one of the readers, or every eighth time a hub with eight of them.
moments() {
    awk -v seed="$SEED" -v readers=$readers 'BEGIN {
        srand(seed)
        for (i = 0; i < 100000; i++) {
            r = int(rand() * readers)
            place = "1-" (1 + int(r / 8)) (rand() < 0.125 ? "" : "." (1 + r % 8))
            printf "%s %.3f %.3f\n", place, 0.02 + rand() * 0.25, rand() * 0.25
        }
    }'
}

# Until $WORK/stop is there. Counts what it did into $WORK/pulls.
pull_and_plug() {
    moments | while read -r place away pause && [ ! -e "$WORK/stop" ]; do
        usb unplug "$place" >/dev/null
        sleep "$away"
        usb plug "$place" >/dev/null
        echo "$place" >>"$WORK/pulls"
        sleep "$pause"
    done
}

if [ -n "${USB_WORK:-}" ]; then # with a bus around us
    for n in 1 2 3 4; do
        "$STATION" fixtures --data "$DATA" scanner 9-1.$n --station >/dev/null
    done
    "$STATION" fixtures --data "$DATA" label 1-1.3 left-3 >/dev/null
    "$STATION" fixtures --data "$DATA" label 1-2.8 far-end >/dev/null
    : >"$WORK/pulls"
    : >"$WORK/run.json"
    "$STATION" run --data "$DATA" --json >"$WORK/run.json" 2>"$WORK/run.err" &
    run=$!
    PIDS=$run
    wait_for 30 grep -q '"event":"ready"' "$WORK/run.json"
    pull_and_plug &
    pull=$!
    PIDS="$PIDS $pull"
    "$LAB" rig --usb "$LINESIDE_USB" --units "$WORK/units" --verdicts "$WORK/run.json" \
        --fixtures $readers --again 50 --timeout-s 120 >"$WORK/rig.txt" 2>&1 || {
        tail -5 "$WORK/run.json" "$WORK/run.err" >&2
        die "the robot: $(tail -3 "$WORK/rig.txt")"
    }
    : >"$WORK/stop"
    wait $pull
    kill $run
    wait $run || die "lineside run: $(cat "$WORK/run.err")"
    exit 0
fi

need_usb
echo "usb_line: $UNITS units, seed $SEED (repeat with SEED=$SEED)"
new_world "$UNITS" 1
new_station "$DATA" "$STICK"
never_stop
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 1)" >/dev/null
eids | awk '{ print $0 "\t" $0 }' >"$WORK/units"
on_usb tests/e2e/usb_line.sh --readers $readers --levels $levels --scanners 4 --delay-ms 20

# Every unit passed in the end, with the one BPP that there is for it.
good=$(tail -1 "$WORK/rig.txt" | grep -oE '[0-9]+ (PASS|ALREADY DONE)' | awk '{ n += $1 } END { print n + 0 }')
[ "$good" = "$UNITS" ] || {
    "$STATION" quarantine --data "$DATA" >&2
    die "$(grep -v 'PASS$\|ALREADY DONE\|REFUSED quarantined' "$WORK/rig.txt" | tail -20)"
}
books_agree "$UNITS"

# A place has one name, whatever was pulled and plugged there; the labelled
# ones have their labels, all others are called by their place.
grep '"event":"fixture"' "$WORK/run.json" >"$WORK/events"
member() { grep -o "\"$1\":\"[^\"]*\"" "$WORK/events" | cut -d'"' -f4; }
member place >"$WORK/places"
member fixture | paste -d' ' "$WORK/places" - | sort -u >"$WORK/names"
for r in $(seq $readers); do
    place=1-$((1 + (r - 1) / 8)).$((1 + (r - 1) % 8))
    case $place in
    1-1.3) echo "$place left-3" ;;
    1-2.8) echo "$place far-end" ;;
    *) echo "$place $place" ;;
    esac
done | sort | diff - "$WORK/names" >"$WORK/diff" || die "names have moved: $(cat "$WORK/diff")"

mkdir -p "$WORK/out"
"$STATION" export --data "$DATA" --to "$WORK/out" >/dev/null
"$VERIFY" "$WORK"/out/loading-report-* "$WORK"/out/audit-log-* --root "$W/dm/root.pem" \
    --ci "$W/ci/root.pem" --bundle "$STICK" >"$WORK/verify.txt" ||
    die "the auditor: $(cat "$WORK/verify.txt")"
"$LAB" verify "$W" "$WORK"/out/loading-report-* >"$WORK/smdpf.txt" ||
    die "the SM-DPf: $(cat "$WORK/smdpf.txt")"
pulls=$(wc -l <"$WORK/pulls")
again=$(($(wc -l <"$WORK/rig.txt") - 1 - UNITS))
halfway=$(grep -c 'FAIL unresolved' "$WORK/rig.txt" || :)
# Or the hands were too late, and nothing was tried.
[ "$again" -ge $((UNITS / 20)) ] || die "only $again units were hit by $pulls pulls"
echo "usb_line: $UNITS units installed once; $pulls pulls hit $again of them, $halfway halfway through a load"
