#!/bin/sh
# A shift at the operator's screen, by scans and keys alone: the shift is opened,
# a bundle comes from a stick, twelve units are made, with a wrong label, a
# unit without a profile, contacts that are pulled in the midst of a load and a
# fixture that stops and is released, the report goes out onto the stick, the shift is
# closed. Then every book agrees.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

command -v tmux >/dev/null || skip "tmux is not installed: nobody can press the screen's keys"

ctl() { "$STATION" ctl --data "$DATA" "$@"; }
T="tmux -S $WORK/tmux"
# Until one picture has all of these, in this order; a failure shows what it had.
sees() {
    want=
    for word in "$@"; do want="$want*$word"; done
    tries=100
    # shellcheck disable=SC2254 # a pattern
    until case $(ctl screen 2>/dev/null) in $want*) true ;; *) false ;; esac; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || die "no '$want' on: $(ctl screen)"
        sleep 0.2 # a look is a process
    done
}
# What hands do is counted.
keys=0 scans=0
key() { keys=$((keys + $#)) && $T send-keys "$@"; }
scan() { scans=$((scans + 1)) && $T send-keys -l "$1" \; send-keys Enter; } # as a scanner types
unit() { # unit FIXTURE EID [LABEL]: that unit stands in it; both labels are scanned
    fixture_put "$1" "$2"
    scan "$1"
    scan "${3:-$2}"
}

# --- before: a station, two people, a stick in its folder --------------------------

new_world 15 1
new_station "$DATA" "$WORK/out"
printf '4711\n4711\n' | "$STATION" people --data "$DATA" add Ada --role supervisor --badge B-0001 >/dev/null
printf '4711\n0815\n0815\n' | "$STATION" people --data "$DATA" add Bo --role operator --badge B-0002 --as B-0001 >/dev/null
for rule in 'require-login on' 'badge-prefix B-'; do
    # shellcheck disable=SC2086 # two words
    printf '4711\n' | "$STATION" people --data "$DATA" $rule --as B-0001 >/dev/null
done
bundle "$DATA" "$WORK/media/stick" --count 14 >/dev/null
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
mkdir -p "$CARDS" "$BENCH"
pulled=$5
"$LAB" euicc "$W" --eid "$pulled" --listen "$CARDS" --cut-at 20 >/dev/null 2>&1 &
PIDS="$PIDS $!"
# shellcheck disable=SC2046
"$LAB" euicc "$W" --eid $(eids | grep -v "$pulled") --listen "$CARDS" >/dev/null 2>&1 &
PIDS="$PIDS $!"
wait_for 20 cards_up 15
for f in F1 F2 F3; do fixture_put $f "$1"; done
line_start
$T -f /dev/null new-session -d -x 80 -y 24 \
    "$PWD/$STATION ui --data $DATA --lang en --media $WORK/media 2>$WORK/ui.err"
PIDS="$PIDS $($T display-message -p '#{pid}')"

# --- the shift begins: a supervisor ------------------------------------------------------

sees 'F1 READY'
scan B-0001
sees 'PIN:'
key 4 7 1 1 Enter
sees 'Ada is logged in'
scan LINESIDE-SHIFT
sees 'No shift is open'
key Enter Enter
sees 'Opened by Ada'
scan LINESIDE-IMPORT
sees 'bpp-bundle'
key Enter
sees 'Enter again does it'
key Enter
sees 'profiles 14' 'The medium can be taken out now'
key Enter
key F4

# --- the operator: from login to the first PASS, as docs/operator.md says ------------------

key F2
sees 'Nobody is logged in' 'F1 READY'
before_scans=$scans before_keys=$keys
scan B-0002
sees 'PIN:'
key 0 8 1 5 Enter
sees 'Bo is logged in'
unit F1 "$1"
sees 'F1 PASS' 'PASS/FAIL 1/0'
first="$((scans - before_scans)) scans and $((keys - before_keys)) keys"
[ "$first" = '3 scans and 5 keys' ] || die "docs/operator.md tells of another way to the first PASS: $first"

# --- faults --------------------------------------------------------------------------------

unit F2 "$2" "$3" # its label is another's
sees 'F2 FAIL' '(wrong-eid)' 'is not the one on its label' 'PASS/FAIL 1/1'
unit F3 "${15}" # nobody has delivered a profile for it
sees 'F3 FAIL' 'no profile in stock' 'Import the bundle' 'PASS/FAIL 1/2'
unit F1 "$5" # its contacts are pulled in the midst of the load
sees 'F1 FAIL' 'nothing was used up' 'Scan the unit again' 'PASS/FAIL 1/3'
"$LAB" euicc "$W" --eid "$5" --listen "$CARDS" >/dev/null 2>&1 &
PIDS="$PIDS $!"
unit F2 "$2"
unit F3 "$3"
unit F1 "$5" # it is put in again
sees 'F1 PASS' 'F2 PASS' 'F3 PASS' 'PASS/FAIL 4/3'

# Three units that nobody has put in: the fixture stops itself. Who may releases
# it, and they are made there.
failed=3
for eid in "$6" "$7" "$8"; do
    unit F1 nothing "$eid"
    failed=$((failed + 1))
    sees 'No eUICC answers' "PASS/FAIL 4/$failed"
done
sees 'F1 STOPPED'
unit F1 "$6"
sees '(fixture-stopped)'
scan LINESIDE-FIXTURE
scan F1
sees 'takes another role'
scan LINESIDE-LOGIN # what is scanned here is looked up else
sees 'Badge:'
scan B-0001
sees 'PIN:'
key 4 7 1 1 Enter
sees '► Release this fixture' 'Ada is logged in'
key Enter
sees 'Enter again does it'
key Enter
sees 'It is done'
scan LINESIDE-LINE
unit F1 "$6"
unit F2 "$4"
unit F3 "$9"
sees 'F1 PASS' 'PASS/FAIL 7/6'
unit F1 "$7"
unit F2 "${10}"
unit F3 "${11}"
sees 'PASS/FAIL 10/6'
unit F1 "$8"
unit F2 "${12}"
sees 'F1 PASS' 'PASS/FAIL 12/6'

# --- its end -----------------------------------------------------------------------------------

scan LINESIDE-EXPORT
sees '► Export what is new'
key Enter
sees 'Enter again does it'
key Enter
sees 'loading report 1' 'The medium can be taken out now'
key Enter
scan LINESIDE-SHIFT
sees '► Close'
key Enter
sees 'signed record goes out'
key Enter
sees 'Nobody is logged in' 'No shift is open'

# The stick tells what was done, the ledger who has done it.
set -- "$WORK"/media/stick/loading-report-*
[ $# = 1 ] && [ -d "$1" ] || die "not one report is on the stick: $*"
"$VERIFY" "$1" --root "$W/dm/root.pem" --ci "$W/ci/root.pem" >"$WORK/verified" ||
    grep -q 'not proven' "$WORK/verified" || die "the report: $(cat "$WORK/verified")"
events >"$WORK/events"
for done in '"kind":"shift-closed"' '"kind":"fixture-released".*"fixture":"F1"' '"kind":"loading-report-exported"' '"kind":"bundle-imported"'; do
    grep "$done" "$WORK/events" | grep -q '"actor":"Ada"' || die "$done is not Ada's"
done
"$STATION" stock --data "$DATA" --check >"$WORK/stock.txt" || die "$(cat "$WORK/stock.txt")"
echo "ui_day: from login to the first PASS $first; 12 units, 6 faults: $scans scans and $keys keys"
