#!/bin/sh
# A month of a factory: two stations with eight fixtures share bundles of two
# SM-DPfs, who make the profiles of three MSPs; shifts with their operators
# follow each other; contacts are bad, labels wrong, units stray to the other
# station or give their profiles back, some are registered first and get their
# customer's profile in a later shift by a work order; once in every hour a
# station is killed. The SM-DPfs acknowledge what is reported to them. At the
# end the books of the stations, of the SM-DPfs, of the MSPs and of every single
# eUICC agree: nothing is lost, nothing is there twice; and a unit costs a
# station as much as at the beginning.
#
# MONTH=full (make soak): 30 days of three shifts of eight hours, 20,000 units.
# Else two days with two shifts of two hours, 64 units.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

if [ "${MONTH:-}" = full ]; then
    DAYS=30 SHIFTS=3 HOURS=8 UNITS=${MONTH_UNITS:-20000} PERIOD=3 FULL_CACHE=3
else
    DAYS=2 SHIFTS=2 HOURS=2 UNITS=64 PERIOD=1 FULL_CACHE=0
fi
SEED=${SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "month: $UNITS units, $DAYS days of $SHIFTS shifts of $HOURS hours, seed $SEED (repeat with SEED=$SEED)"
"${CC:-gcc}" -shared -fPIC -O1 -o "$WORK/shim.so" tests/e2e/clock_shim.c

DAY=0
today() { env LD_PRELOAD="$WORK/shim.so" LINESIDE_CLOCK_DAYS=$DAY "$@"; }

# --- the plan -------------------------------------------------------------------

new_world "$UNITS" 3 --smdpf a b
eids >"$WORK/eids"
# One line a unit: day, shift, hour, station, EID, MSP, what befalls it:
# contact N (the card is silent at its APDU N, once), label (the first scan is
# another unit's), stray (comes to the other station when it is done), back (its
# profiles are taken back), twice SERIAL (registered when the day begins, given
# the next day's customer's profile in the next day's last shift), or none.
awk -v seed="$SEED" -v days=$DAYS -v shifts=$SHIFTS -v hours=$HOURS -v units="$UNITS" '
BEGIN { srand(seed); split("North South West", msp) }
{
    slot = int((NR - 1) * days * shifts * hours / units)
    hour = slot % hours; shift = int(slot / hours) % shifts; day = int(slot / hours / shifts)
    whose = msp[NR % 3 + 1]
    # Of each kind one at least.
    r = rand(); what = "none"
    if (NR == 3) r = 0; else if (NR == 10) r = 0.03; else if (NR == 20) r = 0.04
    else if (NR == 30) r = 0.06; else if (NR == 5) r = 0.1
    if (r < 0.03) what = "contact " int(3 + rand() * 60)
    else if (r < 0.035) what = "label"
    else if (r < 0.055) what = "stray"
    else if (r < 0.065) what = "back"
    else if (r < 0.165 && day < days - 1) { what = sprintf("twice SN-%05d", NR); whose = msp[(day + 1) % 3 + 1] }
    print day, shift, hour, (rand() < 0.5 ? "A" : "B"), $1, whose, what
}' "$WORK/eids" >"$WORK/plan"
planned() { awk -v d="$1" -v s="$2" -v h="$3" '$1 == d && $2 == s && $3 == h && $7 != "twice"' "$WORK/plan"; }
# Killed this many seconds after its start, once an hour at one station.
moment() { awk -v seed="$SEED$1" 'BEGIN { srand(seed); printf "%.3f\n", 0.1 + rand() * 0.6 }'; }

# What a person does at station $s, today; their PINs, one word each, come first.
pins() { # pins "PIN..." WORD...
    lines=$1 verb=$2
    shift 2
    # shellcheck disable=SC2086 # a list of lines
    printf '%s\n' $lines | today "$STATION" "$verb" --data "$WORK/$s" "$@" >/dev/null
}
ada() { # ada WORD...: the supervisor does it
    pins 86420 "$@" --as B-0001
}
for s in A B; do
    new_station "$WORK/$s" "$STICK"
    mkdir -p "$WORK/bench$s" "$STICK/$s"
    mkfifo "$WORK/scan$s" "$WORK/said$s" "$WORK/heard$s"
    for f in 1 2 3 4; do
        ln -s nothing "$WORK/bench$s/F$f"
    done
    # Units are worked on in somebody's name only: an operator for each shift.
    pins 86420 people add Ada --role supervisor --badge B-0001
    for n in 0 1 2; do
        pins "86420 471$n" people add "operator $n" --role operator --badge "B-100$n" --as B-0001
    done
    ada people require-login on
done
KEYS="$(key_id "$WORK/A") $(key_id "$WORK/B")"

lines() { # lines FILE...: of all that are there
    cat "$@" 2>/dev/null | wc -l
}

# --- a station at work -----------------------------------------------------------

# Both stations work at the same time, each in a process of its own: what a
# function below needs to remember beyond it goes into a file of its station.

# at UNITS RIG-OPTION...: station $s runs, the robot brings the units; KILL not
# empty: it is killed after so long. The robot's exit status.
at() {
    units=$1
    shift
    said=$(lines "$WORK/verdicts$s")
    begin
    before=$(cpu)
    "$LAB" rig "$W" --bench "$WORK/bench$s" --cards "$CARDS" --units "$units" --scan "$WORK/scan$s" \
        --verdicts "$WORK/heard$s" --fixtures 4 --timeout-s 60 "$@" >"$WORK/rig$s.txt" 2>&1 &
    robot=$!
    MINE="$robot $MINE"
    if [ "${KILL:-}" ]; then
        sleep "$KILL"
        kill -9 $station 2>/dev/null || :
    fi
    rc=0
    wait $robot || rc=$?
    [ -z "${MEASURED:-}" ] || measure
    end
    [ -z "${MEASURED:-}" ] || apdus_of
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
    MINE="$station $ear"
    wait_for 30 log_in
}
log_in() { pins "471$shift" ctl login "B-100$shift"; }
end() { # in order, unless it was to be killed
    kill $station 2>/dev/null || :
    ended=0
    wait $station 2>/dev/null || ended=$?
    wait $ear 2>/dev/null || :
    MINE=
    [ $ended = 0 ] || [ "${KILL:-}" ] || die "station $s, day $DAY, shift $shift, ended with $ended: $(tail -5 "$WORK/run$s.err")"
}
# Its own time, in ticks; not the wall's, which others have a part in.
cpu() { sed 's/.*) //' /proc/$station/stat | awk '{ print $12 + $13 }'; }
# Day, units that passed, ticks until the login, ticks for them, memory at the end;
# of a run whose units are all new, since a kill makes for other work.
measure() {
    after=$(cpu) kb=$(awk '$1 == "VmRSS:" { print $2 }' /proc/$station/status)
    passed=$(grep -c '^F.* PASS' "$WORK/rig$s.txt") || :
    echo "$DAY $passed $before $((after - before)) $kb $(yardstick)" >>"$WORK/cost$s"
}
# The same work whenever it is done, in ticks: a ledger is made, and a PIN hashed.
# A processor that others share is slower at one hour than at another; what a unit
# costs is held against this, which is measured a moment after it.
yardstick() {
    [ "$DAY" -lt $PERIOD ] || [ "$DAY" -ge $((DAYS - PERIOD)) ] || { echo 0 && return; }
    rm -rf "$WORK/yard$s"
    # shellcheck disable=SC2016 # the inner shell's own number
    sh -c '"$0" init --data "$1" --root "$2" >/dev/null &&
        printf "4711\n4711\n" | "$0" people --data "$1" add Ada --role supervisor --badge B-0001 >/dev/null &&
        sed "s/.*) //" /proc/$$/stat' "$STATION" "$WORK/yard$s" "$ROOT_SHA256" | awk '{ print $14 + $15 }'
}
# Day and APDUs of each that passed with one profile, in that run.
apdus_of() {
    tail -n +$((said + 1)) "$WORK/verdicts$s" | grep '"verdict":"PASS".*"installed":1[,}]' |
        sed -n "s/.*\"apdus\":\([0-9]*\).*/$DAY \1/p" >>"$WORK/apdus$s"
}
lost() { die "station $s, day $DAY, shift $shift, $*: $(cat "$WORK/rig$s.txt" "$WORK/run$s.err")"; }

# work WHERE UNITS THEN: UNITS come to station $s; if it is killed or some did not
# pass, THEN come as well, till all are good. Who has passed may come again.
work() {
    [ -s "$2" ] || return 0
    if [ "${KILL:-}" ]; then
        MEASURED=
        at "$2" || echo "$1" >>"$WORK/cut$s" # the robot notices that nobody answers
        KILL=
    elif cmp -s "$2" "$3"; then
        at "$2" --again 6 || lost "$1"
        set -- "$1" "$2" /dev/null
    else
        at "$2" || lost "$1"
    fi
    MEASURED=
    [ ! -s "$3" ] || at "$3" --again 6 || lost "$1"
    tail -1 "$WORK/rig$s.txt" | grep -q FAIL && lost "$1"
    return 0
}
give_back() { # give_back EID: it stands in F1, and the supervisor takes its profiles back
    cat "$WORK/heard$s" >/dev/null & # who hears the verdicts
    listener=$!
    begin
    BENCH=$WORK/bench$s fixture_put F1 "$1"
    ada ctl return F1 "$1" --reason 'not sold' 2>"$WORK/back$s.txt" ||
        die "return of $1 at $s: $(cat "$WORK/back$s.txt")"
    ln -sfn nothing "$WORK/bench$s/F1"
    end
    wait $listener 2>/dev/null || :
    echo "$1" >>"$WORK/backs"
}

cards() { # cards PLANFILE: its eUICCs, some with a bad contact
    rm -rf "$CARDS"
    mkdir "$CARDS"
    CARDS_PIDS=
    good=$(awk '$7 != "contact" { print $5 }' "$1")
    # shellcheck disable=SC2086 # a list of EIDs
    [ -z "$good" ] || { "$LAB" euicc "$W" --eid $good --listen "$CARDS" --delay-ms 5 >"$WORK/cards.log" 2>&1 & CARDS_PIDS=$!; }
    awk '$7 == "contact" { print $5, $8 }' "$1" >"$WORK/contacts"
    while read -r eid n; do
        "$LAB" euicc "$W" --eid "$eid" --listen "$CARDS" --fail-at "$n:mute" >>"$WORK/cards.log" 2>&1 &
        CARDS_PIDS="$CARDS_PIDS $!"
    done <"$WORK/contacts"
    PIDS=$CARDS_PIDS
    wait_for 60 cards_up "$(wc -l <"$1")"
}
cards_gone() {
    # shellcheck disable=SC2086 # a list of process ids
    kill $CARDS_PIDS
    # shellcheck disable=SC2086
    wait $CARDS_PIDS 2>/dev/null || :
    PIDS=
}
# both CMD...: CMD at station A and, at the same time, at station B.
both() {
    running=
    for s in A B; do
        (
            MINE=
            # shellcheck disable=SC2086,SC2154 # a list of process ids
            trap 'rc=$?; [ -z "$MINE" ] || kill $MINE 2>/dev/null; exit $rc' EXIT
            trap 'exit 130' INT TERM
            "$@"
        ) &
        running="$running $!"
    done
    PIDS="$CARDS_PIDS $running"
    for p in $running; do
        wait "$p" || bad=1
    done
    PIDS=$CARDS_PIDS
    [ -z "${bad:-}" ] || exit 1
}

# --- an hour -----------------------------------------------------------------------

# Its units first under a wrong label, if that is their lot.
units_of() { # units_of PLANFILE RIGHT
    awk -v s=$s -v right="$2" -v OFS='\t' '
        { eid[NR] = $5; station[NR] = $4; what[NR] = right ? "" : $7 }
        END {
            for (i = 1; i <= NR; i++)
                if (station[i] == s) print (what[i] == "label" ? eid[i % NR + 1] : eid[i]), eid[i]
        }' "$1"
}
hour_at() { # station $s in this hour
    units_of "$WORK/hour" '' >"$WORK/first$s"
    units_of "$WORK/hour" right >"$WORK/then$s"
    KILL='' MEASURED=yes
    if [ $s = "$victim" ] && [ -s "$WORK/first$s" ]; then
        KILL=$(moment $number)
        echo "$KILL" >>"$WORK/kills$s"
    fi
    work "hour $hour" "$WORK/first$s" "$WORK/then$s"
}
# Strays: done at one station, brought to the other. It has the same BPPs, and
# must not load one. And those that give their profiles back.
later_at() {
    awk -v s=$s -v OFS='\t' '$7 == "stray" && $4 != s { print $5, $5 }' "$WORK/hour" >"$WORK/stray$s"
    if [ -s "$WORK/stray$s" ]; then
        at "$WORK/stray$s" || lost strays
        n=$(wc -l <"$WORK/stray$s")
        [ "$(grep -c 'FAIL consumed-elsewhere' "$WORK/rig$s.txt")" = "$n" ] || lost strays
        cat "$WORK/stray$s" >>"$WORK/strays$s"
    fi
    for eid in $(awk -v s=$s '$7 == "back" && $4 == s { print $5 }' "$WORK/hour"); do
        give_back "$eid"
    done
}
hour() {
    planned "$DAY" $shift $hour >"$WORK/hour"
    [ -s "$WORK/hour" ] || return 0
    number=$((DAY * SHIFTS * HOURS + shift * HOURS + hour))
    # That one, if it has units in this hour.
    if [ $((number % 2)) = 0 ]; then victim=A; else victim=B; fi
    cards "$WORK/hour"
    both hour_at
    ! grep -Eq ' (stray|back)$' "$WORK/hour" || both later_at
    cards_gone
}

# --- two steps -----------------------------------------------------------------------

twice() { # twice DAY: those registered then, to $WORK/twice
    awk -v d="$1" '$1 == d && $7 == "twice"' "$WORK/plan" >"$WORK/twice"
}
# ordered ORDER RECIPE VERDICT: the units of $WORK/twice go through an order of
# the desk, each at the station that it belongs to.
ordered() {
    [ -s "$WORK/twice" ] || return 0
    # shellcheck disable=SC2086 # a list of key ids
    today "$LAB" order "$W" --station $KEYS --out "$STICK" --number "$1" --product Meter \
        --quantity "$(wc -l <"$WORK/twice")" --serials 'SN-#####' --recipe "$2" >/dev/null
    cards "$WORK/twice"
    both ordered_at "$1" "$3"
    cards_gone
    rm -rf "$STICK"/work-order-*
}
ordered_at() {
    awk -v s=$s -v OFS='\t' '$4 == s { print $8, $5 }' "$WORK/twice" >"$WORK/first$s"
    [ -s "$WORK/first$s" ] || return 0
    ada orders import "$STICK"/work-order-*
    ada orders activate "$1"
    # First its barcode at each of the fixtures.
    for f in 1 2 3 4; do printf 'order:%s\t-\n' "$1"; done >"$WORK/then$s"
    cat "$WORK/first$s" >>"$WORK/then$s"
    KILL='' MEASURED=
    work "order $1" "$WORK/then$s" "$WORK/then$s"
    n=$(wc -l <"$WORK/first$s")
    grep -q "^rig: $((n + 4)) units, 4 ORDER, $n $2\$" "$WORK/rig$s.txt" || lost "order $1"
    ada orders close "$1"
    echo "$n" >>"$WORK/twice$2"
}

# --- the month -------------------------------------------------------------------------

supply() { # supply SMDPF MSP EID...: a bundle for both stations
    [ $# -gt 2 ] || return 0
    smdpf=$1 msp=$2
    shift 2
    # shellcheck disable=SC2086 # a list of key ids
    today "$LAB" bind "$W" --station $KEYS --out "$STICK" --smdpf "$smdpf" --msp "$msp" --eid "$@" >>"$WORK/bind.txt"
}
import_bundles() {
    for s in A B; do
        today "$STATION" import --data "$WORK/$s" "$STICK"/bpp-bundle-* >/dev/null 2>"$WORK/err" || die "$(cat "$WORK/err")"
    done
    rm -rf "$STICK"/bpp-bundle-*
}
# The SM-DPfs check what stations report, tell the MSPs, and sign receipts.
report() {
    for s in A B; do
        ada shift close --to "$STICK/$s"
        today "$STATION" export --data "$WORK/$s" --to "$STICK/$s" >/dev/null
    done
    # What the SM-DPfs have not heard yet, the comparison must see.
    # shellcheck disable=SC2046 # a list
    expect 1 'was reported|does not know as installed' "$LAB" books "$W" --eid $(cat "$WORK/today")
    today "$LAB" verify "$W" --json "$STICK"/?/loading-report-* >"$WORK/verify.txt" 2>&1 ||
        die "the SM-DPfs, day $DAY, shift $shift: $(tail -5 "$WORK/verify.txt")"
    awk -F'"' '$2 == "iccid" { iccid = $4 } $2 == "msp" { msp = $4 } $2 == "result" { print msp, iccid, $4; iccid = "-" }' \
        "$WORK/verify.txt" >>"$WORK/told"
    for s in A B; do
        today "$LAB" acknowledge "$W" "$STICK/$s"/loading-report-* --out "$STICK/$s" >"$WORK/receipts.txt"
        # shellcheck disable=SC2046 # a list of folders
        set -- $(sed -n 's/^report-receipt *//p' "$WORK/receipts.txt")
        [ $# = 0 ] || today "$STATION" import --data "$WORK/$s" "$@" >/dev/null || die "receipts at $s"
        mkdir -p "$WORK/archive"
        mv "$STICK/$s"/loading-report-* "$STICK/$s"/audit-log-* "$STICK/$s"/shift-record-* "$WORK/archive"
        rm -rf "$STICK/$s"/report-receipt-*
    done
}
progress() {
    cat "$WORK"/cost[AB] | awk -v d="$DAY" -v ms=$((1000 / $(getconf CLK_TCK))) -v done="$(awk -v d="$DAY" '$1 <= d' "$WORK/plan" | wc -l)" \
        -v minutes=$((($(date +%s) - began) / 60)) '
        $1 == d { n += $2; start += $3; t += $4; runs++; if ($5 > kb) kb = $5 }
        END {
            printf "day %d: %d units in %d minutes; %.1f ms of its own time per unit, %.1f ms per start, %d KB\n",
                d, done, minutes, n ? t * ms / n : 0, runs ? start * ms / runs : 0, kb
        }'
}

CARDS_PIDS='' began=$(date +%s)
while [ "$DAY" -lt $DAYS ]; do
    # The day's bundles, for both: a's for every unit, b's for every third. Whose
    # profile a unit of two steps gets is not known before its last shift.
    awk -v d="$DAY" '$1 == d { print $5 }' "$WORK/plan" >"$WORK/today"
    for msp in North South West; do
        awk -v d="$DAY" -v m=$msp '$1 == d && $6 == m && $7 != "twice" { print $5 }' "$WORK/plan" >"$WORK/whose"
        # shellcheck disable=SC2046 # lists
        supply a $msp $(cat "$WORK/whose")
        # shellcheck disable=SC2046
        supply b $msp $(awk 'NR % 3 == 1' "$WORK/whose")
    done
    import_bundles
    customer=$(echo North South West | cut -d' ' -f$((DAY % 3 + 1)))
    shift=0
    while [ $shift -lt $SHIFTS ]; do
        for s in A B; do
            ada shift open "day $DAY, shift $shift"
        done
        if [ $shift = 0 ]; then
            twice $DAY
            ordered "MAKE-$DAY" register STOCKED
        fi
        twice $((DAY - 1))
        if [ $shift = $((SHIFTS - 1)) ] && [ -s "$WORK/twice" ]; then
            # shellcheck disable=SC2046
            supply a "$customer" $(awk '{ print $5 }' "$WORK/twice")
            import_bundles
            ordered "GIVE-$DAY" "load provider=$customer smdp=2.999.10; enable 1; close" PASS
        fi
        hour=0
        while [ $hour -lt $HOURS ]; do
            hour
            hour=$((hour + 1))
        done
        report
        shift=$((shift + 1))
    done
    progress
    DAY=$((DAY + 1))
done

# --- the books -------------------------------------------------------------------------

kills=$(lines "$WORK"/kills[AB]) cut=$(lines "$WORK"/cut[AB]) strays=$(lines "$WORK"/strays[AB]) backs=$(lines "$WORK/backs")
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
    expect 0 'No report waits for a receipt' "$STATION" reports --data "$WORK/$s" --open
done
[ "$strays" -ge 1 ] && [ $(($(total A voided) + $(total B voided))) -ge "$strays" ] ||
    die "$strays strays, and not as many BPPs voided"
twice=$(grep -c ' twice ' "$WORK/plan")
[ "$(awk '{ n += $1 } END { print n }' "$WORK/twiceSTOCKED")" = "$twice" ] && [ "$(awk '{ n += $1 } END { print n }' "$WORK/twicePASS")" = "$twice" ] ||
    die "$twice units in two steps: $(cat "$WORK/twiceSTOCKED" "$WORK/twicePASS")"
# What each MSP was told, profile by profile, against the SM-DPfs and the eUICCs.
sort -u "$WORK/told" >"$WORK/told.once"
for msp in North South West; do
    wanted=$(($(awk -v m=$msp '$6 == m && $7 != "twice" { print $1 }' "$WORK/plan" | sort -n | uniq -c | awk '{ n += $1 + int(($1 + 2) / 3) } END { print n + 0 }') + \
        $(awk -v m=$msp '$6 == m && $7 == "twice"' "$WORK/plan" | wc -l)))
    got=$(grep -c "^$msp [0-9F]* installed\$" "$WORK/told.once") || :
    gone=$(grep -c "^$msp [0-9F]* deleted\$" "$WORK/told.once") || :
    grep -q "\"msp\": *\"$msp\", *\"made\": *$wanted, *\"loaded\": *$got, *\"takenBack\": *$gone, *\"held\": *$((got - gone))}" "$WORK/books.json" &&
        [ "$got" = "$wanted" ] || die "MSP $msp ordered $wanted, was told of $got and of $gone deleted: $(cat "$WORK/books.json")"
done
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

# --- the end against the beginning -------------------------------------------------------

# The first and the last days, $PERIOD each: "units ms-per-unit KB yardstick-ms".
cost() { # cost FIRST-DAY
    cat "$WORK"/cost[AB] | awk -v d="$1" -v p=$PERIOD -v ms=$((1000 / $(getconf CLK_TCK))) '
        $1 >= d && $1 < d + p { n += $2; t += $4; kb += $5; yard += $6; runs++ }
        END { printf "%d %.2f %d %.2f\n", n, n ? t * ms / n : 0, runs ? kb / runs : 0, runs ? yard * ms / runs : 0 }'
}
# Memory is held against the days from which on the ledger is larger than the
# pages of it that a station keeps (8 MiB, storage/db.h): before, these come in.
set -- "$(cost 0)" "$(cost $((DAYS - PERIOD)))" "$(cost $FULL_CACHE)"
# shellcheck disable=SC2086 # words
set -- $1 $2 $3
units=$1 unit=$2 yard=$4 units_end=$5 unit_end=$6 kb_end=$7 yard_end=$8 kb=${11}
echo "month: at the beginning $unit ms of the station's own time per unit ($yard ms for the same work), $kb KB; at the end $unit_end ms ($yard_end ms), $kb_end KB ($units and $units_end units)"
# One that lost its contact took more; the one in the middle did not.
apdus() { # apdus FIRST-DAY: the median
    cat "$WORK"/apdus[AB] | awk -v d="$1" -v p=$PERIOD '$1 >= d && $1 < d + p { print $2 }' | sort -n |
        awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] + 0 }'
}
first=$(apdus 0) last=$(apdus $((DAYS - PERIOD)))
[ "$first" -gt 0 ] && [ "$first" = "$last" ] || die "$first APDUs per unit at the beginning, $last at the end"
# Some hundred units on each side make 10 % a finding. With fewer, the clock's ticks
# and who else is on the machine are more than that: then it is only told apart
# from a cost that grows with every unit.
if [ "$units" -ge 700 ] && [ "$units_end" -ge 700 ]; then more=1.10; else more=3; fi
awk -v a="$unit" -v b="$unit_end" -v y="$yard" -v z="$yard_end" -v m=$more 'BEGIN { exit !(a > 0 && b > 0 && y > 0 && z > 0 && b / z <= a / y * m) }' ||
    die "a unit costs $unit_end ms at the end and $unit ms at the beginning, where the same work takes $yard_end ms and $yard ms"
awk -v a="$kb" -v b="$kb_end" -v m=$more 'BEGIN { exit !(a > 0 && b > 0 && b <= a * m) }' || die "the station takes $kb_end KB at the end, $kb KB at the beginning"
echo "month: $UNITS units, $twice in two steps, $issued BPPs of 3 MSPs installed once each; $kills kills ($cut met work), $strays strays, $backs given back; all books agree"
