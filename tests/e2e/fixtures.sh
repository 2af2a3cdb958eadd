#!/bin/sh
# What the line engineer says of places: kept over restarts, logged, refused
# with a next step when it makes no sense. (What is really plugged in:
# usb_line.sh, over the emulated bus.)
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 1 1
new_station "$DATA" "$STICK"
f() { "$STATION" fixtures --data "$DATA" "$@"; }

f >"$WORK/none" || die "looking needs nothing"
grep -q 'allowed everywhere' "$WORK/none" || die "$(cat "$WORK/none")"

b() { "$STATION" barcodes --data "$DATA" --lang en "$@"; }
expect 1 'no fixture has a label yet' b --fixtures --to "$WORK/sheet.svg"
[ ! -e "$WORK/sheet.svg" ] || die "a sheet without what was asked for"

f label 1-2.4 LEFT-4
f label 1-2.10 LEFT-10
f allow 1-2
f scanner 1-3 --fixture LEFT-4 --layout de --suffix tab --prefix '~'
f scanner 1-4
f position LEFT-4 2 1
f position 1-2.10 1 3
f --json >"$WORK/json"
for words in '"place":"1-2.4","label":"LEFT-4"' '"place":"1-2.10","label":"LEFT-10"' '"allowed":\["1-2"\]' '"place":"1-3"' \
    '"positions":\[{"fixture":"LEFT-10","place":"1-2.10","row":1,"column":3},{"fixture":"LEFT-4",'; do
    grep -q "$words" "$WORK/json" || die "no $words in $(cat "$WORK/json")"
done
# Ports are numbers: 4 before 10.
f | awk '$2 == "LEFT-4" { four = NR } $2 == "LEFT-10" { ten = NR } END { exit !(four && four < ten) }' ||
    die "not in the order of the ports: $(f)"

# On a sheet: commands, then the labels on a page of their own.
expect 0 "^$WORK/sheet-[0-9]*.svg\$" b --fixtures --to "$WORK/sheet.svg"
last=$(tail -n 1 "$WORK/out")
grep -q '>LINESIDE-HELP<' "$WORK/sheet.svg" || die "no command is on the sheet"
grep -q '>LEFT-4<' "$last" || die "no label is on the sheet"
grep -q '>LINESIDE-' "$last" && die "commands stand among the labels"
# What was there is the same, when it could not be replaced, or something is asked that cannot be.
cp "$WORK/sheet.svg" "$WORK/was.svg"
expect 2 'named .svg or .pdf' b --to "$WORK/sheet.png"
expect 2 'named .svg or .pdf' b --to "$WORK/.svg"
expect 2 'to names the file' b
expect 2 'lang is en, zh, de or es' b --lang fr --to "$WORK/sheet.svg"
expect 1 'fonts of a PDF lack: write a file named .svg' b --lang zh --to "$WORK/sheet.pdf"
[ ! -e "$WORK/sheet.pdf" ] || die "half a PDF"
expect 3 'folder that is there' b --to "$WORK/nowhere/sheet.svg"
expect 1 'no work order that is not closed' b --orders --to "$WORK/sheet.svg"
expect 1 'no data directory' b --orders --data "$WORK/nowhere" --to "$WORK/sheet.svg"
mkdir "$WORK/folder.svg"
expect 3 'could not be written' b --to "$WORK/folder.svg"
[ ! -e "$WORK/folder.svg.part" ] || die "a part is left"
cmp -s "$WORK/sheet.svg" "$WORK/was.svg" || die "the sheet is another"
f label 1-2.11 PRÜF-1
expect 0 "fixture 'PRÜF-1' was left out" b --fixtures --to "$WORK/sheet.pdf"
f label 1-2.11 ''
grep -aq "^%PDF" "$WORK/sheet.pdf" || die "no PDF"

# Bound to the place, so that a new name does not unbind it.
"$STATION" log --data "$DATA" --all --json >"$WORK/log"
grep '"scanner-set"' "$WORK/log" | grep -q '"fixture":"1-2.4","layout":"de","suffix":"tab","prefix":"~"' ||
    die "$(grep scanner "$WORK/log")"
for kind in fixture-labelled fixture-allowed scanner-set fixture-position-set; do
    grep -q "\"kind\":\"$kind\",\"actor\":\"engineer\"" "$WORK/log" || die "$kind is not in the log"
done

before=$(wc -l <"$WORK/log")
expect 1 '1-2.4' f label 1-2.9 LEFT-4
expect 2 'no place' f label LEFT-4 1-2.4
expect 2 'without blanks' f label 1-2.9 'LEFT 9'
expect 2 'reads like a place' f label 1-2.9 1-3
expect 2 'no place' f allow usb1
expect 2 'layout: us, de or fr' f scanner 1-5 --layout it
expect 2 'suffix: cr, lf' f scanner 1-5 --suffix nul
expect 2 'at most 16' f scanner 1-5 --prefix 12345678901234567
expect 1 'no fixture is called' f scanner 1-5 --fixture RIGHT
expect 1 'no scanner' f no-scanner 1-5
expect 1 'LEFT-10 stands in row 1, column 3 already' f position LEFT-4 1 3
expect 1 'no fixture is called' f position RIGHT 1 2
expect 2 'row is counted from 1' f position LEFT-4 0 1
expect 2 'number from 0 to 99' f position LEFT-4 1 100
expect 2 'a fixture, a row and a column' f position LEFT-4 1
expect 1 'has no place on the bench' f no-position 1-2.9
expect 1 'no fixture is called' f trends RIGHT
expect 2 'takes a place and a name' f label 1-2
expect 2 'takes one place' f allow
expect 2 'nothing that can be done' f rename 1-2 X
expect 2 'unknown option' f --label
[ "$("$STATION" log --data "$DATA" --all --json | wc -l)" = "$before" ] || die "a refused word changed the ledger"

# Said while the line runs: kept, and it says from when it holds.
mkdir -p "$BENCH"
mkfifo "$WORK/scan"
cards_start
fixture_put F1 "$(eids)"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json >"$WORK/line.json" &
RUN_PID=$!
PIDS="$PIDS $RUN_PID"
wait_for 20 grep -q '"event":"ready"' "$WORK/line.json"
expect 0 'next start' f unlabel 1-2.4
f no-scanner 1-3
f no-position 1-2.10
kill $RUN_PID
wait $RUN_PID || die "lineside run ended with $?"
f --json >"$WORK/json"
! grep -q 'LEFT-4\|"place":"1-3"\|"row":1' "$WORK/json" || die "$(cat "$WORK/json")"
"$STATION" stock --data "$DATA" --check >/dev/null
echo "fixtures: words kept, logged, refused"
