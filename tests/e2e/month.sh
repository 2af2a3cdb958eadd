#!/bin/sh
# A month of a factory: two stations with eight fixtures share bundles of two
# SM-DPfs; shifts with their operators follow each other; contacts are bad,
# labels wrong, units stray to the other station or give their profiles back,
# and once in every hour a station is killed. At the end the books of the
# stations, of the SM-DPfs and of every single eUICC agree: nothing is lost,
# nothing is there twice.
#
# MONTH=full (make soak): 30 days of three shifts of eight hours, 20,000 units.
# Else two days with two shifts of two hours, 64 units.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

if [ "${MONTH:-}" = full ]; then
    DAYS=30 SHIFTS=3 HOURS=8 UNITS=${MONTH_UNITS:-20000}
else
    DAYS=2 SHIFTS=2 HOURS=2 UNITS=64
fi
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "month: $UNITS units, $DAYS days of $SHIFTS shifts of $HOURS hours, seed $SEED (repeat with SEED=$SEED)"
"${CC:-gcc}" -shared -fPIC -O1 -o "$WORK/shim.so" tests/e2e/clock_shim.c

DAY=0
today() { env LD_PRELOAD="$WORK/shim.so" LINESIDE_CLOCK_DAYS=$DAY "$@"; }

# --- the plan -------------------------------------------------------------------

new_world "$UNITS" 3 --smdpf a b
eids >"$WORK/eids"
# One line a unit: day, shift, hour, station, EID, what befalls it:
# contact N (the card is silent at its APDU N, once), label (the first scan is
# another unit's), stray (comes to the other station when it is done), back (its
# profiles are taken back), or none.
awk -v seed="$SEED" -v days=$DAYS -v shifts=$SHIFTS -v hours=$HOURS -v units="$UNITS" '
BEGIN { srand(seed) }
{
    slot = int((NR - 1) * days * shifts * hours / units)
    hour = slot % hours; shift = int(slot / hours) % shifts; day = int(slot / hours / shifts)
    r = rand(); what = "none"
    if (r < 0.03 || NR == 3) what = "contact " int(3 + rand() * 60)
    else if (r < 0.035 || NR == 10) what = "label"
    else if (r < 0.055 || NR == 20) what = "stray"
    else if (r < 0.065 || NR == 30) what = "back"
    print day, shift, hour, (rand() < 0.5 ? "A" : "B"), $1, what
}' "$WORK/eids" >"$WORK/plan"
planned() { awk -v d="$1" -v s="$2" -v h="$3" '$1 == d && $2 == s && $3 == h' "$WORK/plan"; }
# Killed this many seconds after its start, once an hour at one station.
moment() { awk -v seed="$SEED$1" 'BEGIN { srand(seed); printf "%.3f\n", 0.1 + rand() * 0.6 }'; }

for s in A B; do
    new_station "$WORK/$s" "$STICK"
    mkdir "$WORK/bench$s"
    mkfifo "$WORK/scan$s" "$WORK/said$s"
    for f in 1 2 3 4; do
        ln -s nothing "$WORK/bench$s/F$f"
    done
done
# Units are worked on in somebody's name only: an operator for each shift.
pins() { # pins "PIN..." WORD...: lineside WORD... today, PINs on its standard input
    lines=$1
    shift
    by "$lines" today "$STATION" "$@" >/dev/null
}
for s in A B; do
    pins 86420 people --data "$WORK/$s" add Ada --role supervisor --badge B-0001
    for n in 0 1 2; do
        pins "86420 471$n" people --data "$WORK/$s" add "operator $n" --role operator --badge "B-100$n" --as B-0001
    done
    pins 86420 people --data "$WORK/$s" require-login on --as B-0001
done
KEYS="$(key_id "$WORK/A") $(key_id "$WORK/B")"

# --- an hour -----------------------------------------------------------------------

# at STATION UNITS RIG-OPTION...: the station runs, the robot brings the units;
# KILL not empty: it is killed after so long. The robot's exit status.
at() {
    s=$1 units=$2
    shift 2
    begin
    "$LAB" rig "$W" --bench "$WORK/bench$s" --cards "$CARDS" --units "$units" --scan "$WORK/scan$s" \
        --verdicts "$WORK/heard$s" --fixtures 4 "$@" >"$WORK/rig$s.txt" 2>&1 &
    robot=$!
    PIDS="$robot $PIDS"
    if [ "${KILL:-}" ]; then
        sleep "$KILL"
        kill -9 $station 2>/dev/null || :
    fi
    rc=0
    wait $robot || rc=$?
    end
    cat "$WORK/rig$s.txt" >>"$WORK/rigs$s.txt"
    return $rc
}
begin() { # station $s runs, and the shift's operator is logged in
    # No function here: the process that is killed is the station's own.
    env LD_PRELOAD="$WORK/shim.so" LINESIDE_CLOCK_DAYS=$DAY \
        "$STATION" run --no-usb --data "$WORK/$s" --bench "$WORK/bench$s" --scan "$WORK/scan$s" --json --apdu-timeout-ms 2000 \
        >"$WORK/said$s" 2>>"$WORK/run$s.err" &
    station=$!
    tee -a "$WORK/verdicts$s" <"$WORK/said$s" >"$WORK/heard$s" &
    ear=$!
    PIDS="$station $ear $PIDS"
    wait_for 30 log_in
}
end() {
    kill $station 2>/dev/null || :
    wait $station 2>/dev/null || :
    wait $ear 2>/dev/null || :
}
give_back() { # give_back STATION EID: it stands in F1, and the supervisor takes its profiles back
    s=$1
    cat "$WORK/heard$s" >/dev/null & # who hears the verdicts
    listener=$!
    begin
    BENCH=$WORK/bench$s fixture_put F1 "$2"
    pins 86420 ctl --data "$WORK/$s" return F1 "$2" --reason 'not sold' --as B-0001 >"$WORK/back.txt" 2>&1 ||
        die "return of $2 at $s: $(cat "$WORK/back.txt")"
    ln -sfn nothing "$WORK/bench$s/F1"
    end
    wait $listener 2>/dev/null || :
    backs=$((backs + 1))
}

log_in() { pins "471$shift" ctl --data "$WORK/$s" login "B-100$shift"; }

cards() { # cards PLANFILE: the eUICCs of this hour, some with a bad contact
    rm -rf "$CARDS"
    mkdir "$CARDS"
    CARDS_PIDS=
    good=$(awk '$6 != "contact" { print $5 }' "$1")
    # shellcheck disable=SC2086 # a list of EIDs
    [ -z "$good" ] || { "$LAB" euicc "$W" --eid $good --listen "$CARDS" --delay-ms 5 >"$WORK/cards.log" 2>&1 & CARDS_PIDS=$!; }
    awk '$6 == "contact" { print $5, $7 }' "$1" >"$WORK/contacts"
    while read -r eid n; do
        "$LAB" euicc "$W" --eid "$eid" --listen "$CARDS" --fail-at "$n:mute" >>"$WORK/cards.log" 2>&1 &
        CARDS_PIDS="$CARDS_PIDS $!"
    done <"$WORK/contacts"
    PIDS="$CARDS_PIDS $PIDS"
    wait_for 60 cards_up "$(wc -l <"$1")"
}
cards_gone() {
    # shellcheck disable=SC2086 # a list of process ids
    kill $CARDS_PIDS
    # shellcheck disable=SC2086
    wait $CARDS_PIDS 2>/dev/null || :
}

# units_of STATION PLANFILE: the robot's lines, all units of that station.
units_of() {
    awk -v s="$1" -v OFS='\t' '$4 == s { print $5, $5 }' "$2"
}
hour() { # hour DAY SHIFT HOUR
    planned "$1" "$2" "$3" >"$WORK/hour"
    [ -s "$WORK/hour" ] || return 0
    cards "$WORK/hour"
    n=$(($1 * SHIFTS * HOURS + $2 * HOURS + $3))
    for s in A B; do
        # First under a wrong label, if that is its lot; the killed station's
        # robot notices that nobody answers.
        awk -v s=$s -v OFS='\t' '
            { eid[NR] = $5; station[NR] = $4; what[NR] = $6 }
            END {
                for (i = 1; i <= NR; i++)
                    if (station[i] == s) print (what[i] == "label" ? eid[i % NR + 1] : eid[i]), eid[i]
            }' "$WORK/hour" >"$WORK/first$s"
        units_of $s "$WORK/hour" >"$WORK/then$s"
        [ -s "$WORK/first$s" ] || continue
        KILL=
        if [ "$s$((n % 2))" = A0 ] || [ "$s$((n % 2))" = B1 ]; then
            KILL=$(moment $n)
            kills=$((kills + 1))
        fi
        if at $s "$WORK/first$s" --timeout-s 60; then
            :
        elif [ -z "$KILL" ]; then
            die "station $s, day $1, shift $2, hour $3: $(cat "$WORK/rig$s.txt" "$WORK/run$s.err")"
        else
            cut=$((cut + 1))
        fi
        KILL=
        at $s "$WORK/then$s" --again 6 --timeout-s 60 ||
            die "station $s, day $1, shift $2, hour $3: $(cat "$WORK/rig$s.txt" "$WORK/run$s.err")"
        tail -1 "$WORK/rig$s.txt" | grep -q FAIL && die "station $s, day $1, shift $2, hour $3: $(cat "$WORK/rig$s.txt")"
    done
    # Strays: done at one station, brought to the other. It has the same BPPs,
    # and must not load one.
    awk '$6 == "stray" { print ($4 == "A" ? "B" : "A"), $5 }' "$WORK/hour" >"$WORK/strays"
    while read -r s eid; do
        printf '%s\t%s\n' "$eid" "$eid" >"$WORK/stray"
        at "$s" "$WORK/stray" --timeout-s 60 || die "stray $eid at $s: $(cat "$WORK/rig$s.txt")"
        grep -q 'FAIL consumed-elsewhere' "$WORK/rig$s.txt" || die "stray $eid at $s: $(cat "$WORK/rig$s.txt")"
        strays=$((strays + 1))
    done <"$WORK/strays"
    awk '$6 == "back" { print $4, $5 }' "$WORK/hour" >"$WORK/backs"
    while read -r s eid; do
        give_back "$s" "$eid"
    done <"$WORK/backs"
    cards_gone
}

# --- the month -------------------------------------------------------------------------

kills=0 cut=0 strays=0 backs=0
mkfifo "$WORK/heardA" "$WORK/heardB"
while [ "$DAY" -lt $DAYS ]; do
    # The day's bundles: a's for every unit, b's for every third, for both.
    awk -v d="$DAY" '$1 == d { print $5 }' "$WORK/plan" >"$WORK/today"
    # shellcheck disable=SC2046,SC2086 # lists
    today "$LAB" bind "$W" --station $KEYS --out "$STICK" --smdpf a --eid $(cat "$WORK/today") >>"$WORK/bind.txt"
    # shellcheck disable=SC2046,SC2086
    today "$LAB" bind "$W" --station $KEYS --out "$STICK" --smdpf b --eid $(awk 'NR % 3 == 1' "$WORK/today") >>"$WORK/bind.txt"
    for s in A B; do
        for b in "$STICK"/bpp-bundle-*; do
            today "$STATION" import --data "$WORK/$s" "$b" >/dev/null 2>"$WORK/err" ||
                grep -q 'seen before\|already' "$WORK/err" || die "$(cat "$WORK/err")"
        done
    done
    rm -rf "$STICK"/bpp-bundle-*
    shift=0
    while [ $shift -lt $SHIFTS ]; do
        for s in A B; do
            pins 86420 shift --data "$WORK/$s" open "day $DAY, shift $shift" --as B-0001
        done
        hour=0
        while [ $hour -lt $HOURS ]; do
            hour "$DAY" $shift $hour
            hour=$((hour + 1))
        done
        for s in A B; do
            pins 86420 shift --data "$WORK/$s" close --to "$STICK" --as B-0001
            today "$STATION" export --data "$WORK/$s" --to "$STICK" >/dev/null
        done
        # What the SM-DPfs have not heard yet, the comparison must see.
        expect 1 'was reported|does not know as installed' "$LAB" books "$W"
        today "$LAB" verify "$W" "$STICK"/loading-report-* >"$WORK/verify.txt" ||
            die "the SM-DPfs, day $DAY, shift $shift: $(cat "$WORK/verify.txt")"
        mkdir -p "$WORK/archive"
        mv "$STICK"/loading-report-* "$STICK"/audit-log-* "$STICK"/shift-record-* "$WORK/archive"
        shift=$((shift + 1))
    done
    DAY=$((DAY + 1))
done

# --- the books -------------------------------------------------------------------------

total() { sed 's/.*"total"://; s/}.*//' "$WORK/stock$1.json" | json_sum "$2"; }
for s in A B; do
    today "$STATION" stock --data "$WORK/$s" --check --json >"$WORK/stock$s.json" ||
        die "station $s: the balance does not add up: $(cat "$WORK/stock$s.json")"
done
"$LAB" books "$W" --json >"$WORK/books.json" || die "the eUICCs and the SM-DPfs differ: $(cat "$WORK/books.json")"
books() { json_sum "$1" <"$WORK/books.json"; }
issued=$(books issued)
installed=$(($(total A installed) + $(total B installed)))
[ "$(total A received)" = "$issued" ] && [ "$(total B received)" = "$issued" ] ||
    die "not every BPP came to both stations"
[ "$installed" = "$issued" ] && [ "$(books installed)" = "$issued" ] && [ "$(books profiles)" = $((issued - $(books deleted))) ] ||
    die "$issued BPPs: $installed installed by the stations' books, $(cat "$WORK/books.json")"
[ "$(books closed)" = "$UNITS" ] || die "not every unit was finished: $(cat "$WORK/books.json")"
[ "$backs" -ge 1 ] && [ "$(books deleted)" -ge "$backs" ] &&
    [ "$(books deleted)" = $(($(total A deleted) + $(total B deleted))) ] ||
    die "$backs units gave their profiles back: $(cat "$WORK/books.json")"
for s in A B; do
    [ "$(total $s failed)" = 0 ] && [ "$(total $s loading)" = 0 ] && [ "$(total $s reserved)" = 0 ] &&
        [ "$(total $s quarantined)" = 0 ] || die "station $s: $(cat "$WORK/stock$s.json")"
done
[ "$strays" -ge 1 ] && [ $(($(total A voided) + $(total B voided))) -ge "$strays" ] ||
    die "$strays strays, and not as many BPPs voided"
for s in A B; do
    "$STATION" log --data "$WORK/$s" --all --json | grep '"kind":"position-moved"' >"$WORK/moved"
    grep '"actor":"line"' "$WORK/moved" | grep -qv '"cause":"leftover"' && die "station $s: units in nobody's name"
    n=0
    while [ $n -lt $SHIFTS ]; do
        grep -q "\"actor\":\"operator $n\"" "$WORK/moved" || die "station $s: nothing by operator $n"
        n=$((n + 1))
    done
done
[ "$cut" -ge 1 ] || die "no kill met a unit at work"
"$VERIFY" "$WORK"/archive/loading-report-* "$WORK"/archive/audit-log-* "$WORK"/archive/shift-record-* --root "$W/dm/root.pem" --ci "$W/ci/root.pem" \
    >"$WORK/auditor.txt" || die "the auditor: $(tail -20 "$WORK/auditor.txt")"
echo "month: $UNITS units, $issued BPPs installed once each; $kills kills ($cut met work), $strays strays, $backs given back; all books agree"
