#!/bin/sh
# Shifts: opened and closed by who may, while the line runs; figures that the
# auditor counts again from the log; a stick that is not there; the same record
# again; the day book, lists of units and the log's filters.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 10 1
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 1)" >/dev/null
mkdir -p "$WORK/rec" "$WORK/again"

shift_json() { "$STATION" shift --data "$DATA" --json "$@"; }
# has JSON-FILE WORDS...: each stands in it, with fixed octets.
has() {
    file=$1
    shift
    for words; do grep -Fq "$words" "$file" || die "no $words in $(cat "$file")"; done
}

# --- who may, and when ----------------------------------------------------------

as 86420 people add Ada --role supervisor --badge B-0001
as '86420 4711' people add Bob --role operator --badge B-0002 --as B-0001
as '86420 4712' people add Cyd --role engineer --badge B-0003 --as B-0001
n=$(events | wc -l)
refused 1 'no shift is open.*lineside shift open' '' shift
refused 1 'there is no shift 7' '' shift 7
refused 1 'no shift is open; open one' 4712 shift close --to "$WORK/rec" --as B-0003
refused 1 'must stand for this: --as' '' shift open
refused 1 'is operator and may not open and close shifts' 4711 shift open --as B-0002
refused 2 'plain text of at most' 4712 shift open "$(printf 'a\033[2J')" --as B-0003
refused 2 'nothing that can be done with shifts' '' shift begin
refused 2 'is no day' '' shift book --day yesterday
refused 2 'is not a number from 1' '' shift list --limit 0
[ "$(events | wc -l)" = "$n" ] || die "a refused word changed the ledger: $(events | tail -2)"
as 4712 shift open early --as B-0003 >/dev/null
refused 1 'shift 1 is open, by Cyd; close it first' 4712 shift open --as B-0003

# --- a shift that closes while the line runs ---------------------------------------

# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
cards_start --damaged "$3"
line_run "$1" "$2" "$3"
mkfifo "$WORK/live"
fixture_put F1 "$4"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/live" --json >"$WORK/line.json" 2>"$WORK/line.err" &
RUN=$!
PIDS="$PIDS $RUN"
exec 5>"$WORK/live"
printf 'F1\t%s\n' "$4" >&5
wait_for 20 grep -q '"verdict": *"PASS"' "$WORK/line.json"
refused 3 'is not a folder; is the stick mounted' 4712 shift close --to "$WORK/no-stick" --as B-0003
refused 2 'to DIR is needed' 4712 shift close --as B-0003
shift_json >"$WORK/open.json"
has "$WORK/open.json" '"open":true' '"record":null' '"passed":3'
as 86420 shift close --to "$WORK/rec" --as B-0001 >"$WORK/closed"
grep -q 'Shift 1 is closed, by Ada' "$WORK/closed" || die "$(cat "$WORK/closed")"
as 4712 shift open late --as B-0003 >/dev/null
fixture_put F1 "$5"
printf 'F1\t%s\n' "$5" >&5
wait_for 20 [ "$(grep -c . "$WORK/line.json")" -gt 0 ]
wait_for 20 sh -c "[ \$(grep -c '\"PASS\"' '$WORK/line.json') = 2 ]"
exec 5>&-
kill -TERM $RUN
wait $RUN || die "$(cat "$WORK/line.err")"

# --- its figures ----------------------------------------------------------------------

shift_json 1 >"$WORK/one.json"
has "$WORK/one.json" '"shift":1,"name":"early","open":false,"openedBy":"Cyd"' '"closedBy":"Ada"' \
    '"before":{"open":0,"passed":0,' '"after":{"open":0,"passed":3,' \
    '"before":{"received":10,"in-stock":10,' '"after":{"received":10,"in-stock":7,"reserved":0,"loading":0,"installed":3,' \
    '"total":{"unit":{"passed":3,"registered":3},"bpp":{"installed":3,"loading":3},"failure":{"failure":1}}' \
    '"F1":{"unit":{"passed":2,"registered":2}' '"F2":{"unit":{"passed":1,"registered":1}'
# What it showed while it was open, but for its end.
sum() { sed 's/.*"positions"/"positions"/' "$1"; }
[ "$(sum "$WORK/one.json")" = "$(sum "$WORK/open.json")" ] || die "open and closed differ: $(sum "$WORK/open.json") and $(sum "$WORK/one.json")"
"$STATION" shift 1 --data "$DATA" >"$WORK/one.txt"
has "$WORK/one.txt" 'closed ' 'by Ada' 'unit passed' 'signed record'
shift_json 2 >"$WORK/two.json"
has "$WORK/two.json" '"open":true' '"before":{"open":0,"passed":3,' '"after":{"open":0,"passed":4,' \
    '"total":{"unit":{"passed":1,"registered":1},"bpp":{"installed":1,"loading":1}}'
[ "$("$STATION" shift list --data "$DATA" | wc -l)" = 2 ] || die "not two shifts"
"$STATION" shift list --data "$DATA" --before 2 --json | grep -q '"shift":1,"name":"early"' || die "no early shift"

# --- the record, and again -------------------------------------------------------------

SHIFT=$(echo "$WORK"/rec/shift-record-*)
id=${SHIFT##*shift-record-}
"$STATION" shift record 1 --data "$DATA" --to "$WORK/again" >/dev/null
diff -r "$SHIFT" "$WORK/again/shift-record-$id" || die "not the same again"
rm -rf "$WORK/again/shift-record-$id"
"$STATION" export --data "$DATA" --to "$WORK/again" --again "$id" >/dev/null
diff -r "$SHIFT" "$WORK/again/shift-record-$id" || die "not the same again by its id"
refused 1 'shift 2 is still open' '' shift record 2 --to "$WORK/again"
refused 1 'there is no shift 9' '' shift record 9 --to "$WORK/again"
# A stick that cannot be written: the shift is closed, its record comes later.
refused 3 'shift 2 is closed, but its record did not reach.*shift record 2 --to DIR' 4712 shift close --to /proc --as B-0003
"$STATION" stock --data "$DATA" | grep -q 'not delivered: shift-record 2' || die "$("$STATION" stock --data "$DATA")"
# Where that lies is no stick: what was written there would be cleared away as arrived.
expect 2 'name the stick.s folder' "$STATION" export --data "$DATA" --to "$DATA/outbox"
expect 2 'name the stick.s folder' "$STATION" shift record 2 --data "$DATA" --to "$DATA/../${DATA##*/}/outbox"
"$STATION" stock --data "$DATA" | grep -q 'not delivered: shift-record 2' || die "it is taken for delivered"
mkdir "$WORK/later"
"$STATION" shift record 2 --data "$DATA" --to "$WORK/later" >/dev/null
"$STATION" stock --data "$DATA" | grep -q 'not delivered' && die "$("$STATION" stock --data "$DATA")"
refused 3 'shift-record 2 did not reach /proc; do it again' '' shift record 2 --to /proc
"$STATION" export --data "$DATA" --to "$WORK/again" >/dev/null
[ "$(find "$WORK/again" -name 'shift-record-*' | wc -l)" = 1 ] || die "the next export wrote it too"
cp -r "$WORK"/later/shift-record-* "$WORK/again/"
SHIFT2=$(ls -d "$WORK"/again/shift-record-* | grep -v "$id")
[ -d "$SHIFT2" ] || die "no record of shift 2"
"$STATION" stock --data "$DATA" | grep -q 'not delivered' && die "$("$STATION" stock --data "$DATA")"

# --- the auditor -------------------------------------------------------------------------

openssl cms -verify -binary -inform DER -in "$SHIFT/manifest.cms" -CAfile "$W/dm/root.pem" -purpose any \
    -out "$WORK/manifest.der" 2>"$WORK/err" || die "$(cat "$WORK/err")"
verify() { # verify CODE WORDS CONTAINER...
    code=$1 words=$2
    shift 2
    expect "$code" "$words" "$VERIFY" "$@" --root "$W/dm/root.pem" --ci "$W/ci/root.pem"
}
verify 0 'carry 0 of the .* figures are the station.s word' "$SHIFT"
set -- "$WORK"/again/audit-log-* "$WORK"/again/loading-report-* --bundle "$STICK"
verify 0 'figures of shift 1 are what its .* events add up to' "$SHIFT" "$@"
verify 0 'shift 1 counts as many results' "$SHIFT" "$@"
verify 0 'figures of shift 2 are what its .* events add up to' "$SHIFT2" "$@"
verify 0 'balances at the beginning of shift 2 are what the .* events before it add up to' "$SHIFT2" "$@"
# Both at once, from logs in any order, one of them given twice: each log is read once.
expect 0 'figures of shift 2 are what its' "$VERIFY" "$SHIFT2" "$SHIFT" --root "$W/dm/root.pem" --ci "$W/ci/root.pem" \
    --previous "$WORK/again" --previous "$WORK/again"
[ "$(grep -Ec '(figures|balances at the beginning) of shift [12] are what' "$WORK/out")" = 4 ] || die "$(cat "$WORK/out")"
# Figures that add up and are false, signed by the station.
while read -r lie words; do
    mkdir -p "$WORK/forged/$lie"
    "$LAB" forge-report "$SHIFT" --data "$DATA" --lie "$lie" --out "$WORK/forged/$lie" >/dev/null
    verify 1 "BROKEN .*$words" "$WORK/forged/$lie"/* "$@"
    echo "shift-record $lie"
done >"$WORK/told" <<'LIES'
more-counted the shift says [0-9]+, its events say [0-9]+: unit '
hide-count the shift says 0, its events say [0-9]+: unit '
more-units the shift says 4, its events say 3: positions from '' to 'open'
other-balance the shift says 9, its events say 10: .* 'in-stock' when it was opened
hide-bundle the shift says 0, its events say 3: .* from 'loading' to 'installed'
other-person is not that shift 1 was opened as the record says
other-station it is from LS-another, but LS-[0-9a-f]+ signed it
other-head has other events where shift 1 begins or ends
LIES
"$LAB" forge-report --list | grep '^shift-record ' | sort >"$WORK/lies"
sort "$WORK/told" | diff "$WORK/lies" - >&2 || die "a lie about a shift was not told"
# An octet that was changed.
cp -r "$SHIFT" "$WORK/bent-$id"
printf '\377' | dd of="$WORK/bent-$id/segment-00001.der" bs=1 seek=40 conv=notrunc 2>/dev/null
verify 1 'BROKEN' "$WORK/bent-$id"

# --- days, units, the log --------------------------------------------------------------------

"$STATION" shift book --data "$DATA" --json >"$WORK/day.json"
has "$WORK/day.json" '"total":{"unit":{"passed":4,"registered":4},"bpp":{"installed":4,"loading":4},"failure":{"failure":1}}' \
    '"shift":1,' '"shift":2,'
"$STATION" shift book --data "$DATA" --day 2001-01-01 | grep -q 'Nothing was counted' || die "something happened in 2001"
"$STATION" units --data "$DATA" --json >"$WORK/units.json"
has "$WORK/units.json" '"serials":4,"positions":4,' '"passed":4,' '"more":false'
[ "$("$STATION" units --data "$DATA" --json --fixture F1 --state passed | grep -o '"serial"' | wc -l)" = 3 ] || die "not 3 at F1"
"$STATION" units --data "$DATA" --limit 2 >"$WORK/page"
before=$(sed -n 's/.*--before \([0-9]*\)$/\1/p' "$WORK/page")
"$STATION" units --data "$DATA" --before "$before" --json | grep -q '"more":false' || die "no page before $before"
[ "$("$STATION" units --data "$DATA" --before "$before" --json | grep -o '"serial"' | wc -l)" = 2 ] || die "not the other two"
"$STATION" units --data "$DATA" --since 2999-01-01 --json | grep -q '"units":\[\]' || die "units of the future"
refused 2 'is no state; it is one of open, passed' '' units --state lost
refused 2 'is no time' '' units --since noon
log() { "$STATION" log --data "$DATA" --json "$@" | wc -l; }
[ "$(log --kind unit-registered)" = 4 ] || die "not 4 registered"
[ "$(log --kind unit-registered --fixture F1)" = 3 ] || die "not 3 registered at F1"
[ "$(log --actor Cyd)" = 4 ] || die "Cyd did $(log --actor Cyd) things"
unit=$("$STATION" log --data "$DATA" --json --kind unit-registered | sed -n '1s/.*"serial":"\([^"]*\)".*/\1/p')
[ "$(log --serial "$unit" --kind unit-registered)" = 1 ] || die "no unit $unit"
[ "$(log --since 2001-01-01 --all)" = "$(log --all)" ] || die "events before 2001"
[ "$(log --until 2001-01-01T06:00)" = 0 ] || die "events before 2001"
refused 2 'is no time' '' log --until 25:00
"$STATION" stock --data "$DATA" --check >/dev/null || die "the accounts do not agree"
echo "shift: two shifts, one closed while the line ran; figures, records, day book, units, log"
