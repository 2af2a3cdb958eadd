#!/bin/sh
# The operator's screen, by scans and keys alone, in a terminal of tmux's: from
# login to PASS, faults, another language, a line that goes and comes again.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

command -v tmux >/dev/null || skip "tmux is not installed: nobody can press the screen's keys"

ctl() { "$STATION" ctl --data "$DATA" "$@"; }
T="tmux -S $WORK/tmux"
# A server of our own ends with us: its socket is gone with $WORK.
screen_start() { # screen_start COLS ROWS OPTION...
    cols=$1 rows=$2
    shift 2
    $T -f /dev/null new-session -d -x "$cols" -y "$rows" \
        "$PWD/$STATION ui --data $DATA $* 2>$WORK/ui.err; echo \$? >$WORK/ui.rc"
    PIDS="$PIDS $($T display-message -p '#{pid}')"
    wait_for 10 shows 'Lineside'
}
shows() { ctl screen 2>/dev/null | grep -q -- "$1"; }
sees() { # what is on the screen, sooner or later; a look is two processes
    tries=140
    until shows "$1"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || die "waited in vain for '$1' on: $(ctl screen)"
        sleep 0.15
    done
}
key() { $T send-keys "$@"; }
scan() { $T send-keys -l "$1" \; send-keys Enter; } # as a scanner types
line_start() {
    "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/fifo" \
        --json >"$WORK/line.json" 2>"$WORK/line.err" &
    LINE_PID=$!
    PIDS="$PIDS $LINE_PID"
    wait_for 20 test -S "$DATA/control.sock"
}

expect 3 'no screen is shown' ctl screen
expect 2 'lang is en, zh, de or es' "$STATION" ui --data "$DATA" --lang fr
expect 2 'pass=N,fail=N,refused=N' "$STATION" ui --data "$DATA" --bells loud=3
expect 2 'lock-minutes is a number' "$STATION" ui --data "$DATA" --lock-minutes x
expect 2 'media is a folder.s whole path' "$STATION" ui --data "$DATA" --media stick
expect 2 'needs a terminal' "$STATION" ui --data "$DATA"

new_world 4 1
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 1)" >/dev/null
printf '4711\n4711\n' | "$STATION" people --data "$DATA" add Ada --role supervisor --badge B-0001 >/dev/null
people() { printf '4711\n' | "$STATION" people --data "$DATA" "$@" --as B-0001 >/dev/null; }
people require-login on
people badge-prefix B-
cards_start
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
for f in 1 2 3; do
    eid=$1
    shift
    fixture_put F$f "$eid"
    eval "EID$f=$eid"
done
mkfifo "$WORK/fifo"
exec 6<>"$WORK/fifo"

# Before the line is there, and after.
screen_start 80 24 --lang en
sees 'THE LINE IS NOT THERE'
# A terminal that has no cursor to be moved is told so.
$T new-window -d "TERM=dumb $PWD/$STATION ui --data $DATA 2>$WORK/dumb.err"
wait_for 10 grep -q 'set TERM to what it is' "$WORK/dumb.err"
line_start
sees 'F3 READY'
sees 'Nobody is logged in'

# Nobody works without logging in. A wrong PIN, then the right one.
scan F1
sees 'Fixture F1: now scan its unit'
scan "$EID1"
sees 'scan-no-login'
scan B-0001
sees 'PIN:'
scan 90817
sees 'do not go together'
scan B-0001
sees 'PIN:'
key 4 7
sees 'PIN: \*\*_'
key 1 1 Enter
sees 'Ada  '
sees 'Ada is logged in'

# An order and a shift, from their barcodes: nothing is done before it is meant.
as 4711 orders new --number WO-1 --product Meter --quantity 5 --recipe 'load any; enable 1; close' --as B-0001 >/dev/null
scan LINESIDE-ORDERS
sees 'WO-1 .* waiting'
key Enter
sees 'Activate this order'
key Enter
sees 'Enter again does it'
key Escape
sees '► Activate this order'
[ "$(events --kind order-moved | wc -l)" = 0 ] || die "an order was moved before it was meant"
key Enter Enter
sees 'It is done'
sees 'State active'
key Enter
sees 'Scan its label'
scan F3
sees 'One of its positions'
key Enter
sees 'Units in that fixture are worked on'
key Enter
sees 'Take it from a fixture'
key Down Enter
sees 'No unit is worked on by this order'
key Enter
sees 'State closed'
scan LINESIDE-SHIFT
sees 'No shift is open'
key Enter Enter
sees 'Opened by Ada'
key Enter
sees 'signed record goes out'
key Enter
sees 'No shift is open'
events --kind shift-closed | grep -q '"actor":"Ada"' || die "the shift was closed by somebody else"
sees 'Nobody is logged in' # a session ends with its shift
scan B-0001
sees 'PIN:'
scan 4711
sees 'Ada is logged in'
scan LINESIDE-LINE

# Two scans, PASS.
scan F1
scan "$EID1"
sees 'F1 PASS'
sees 'PASS/FAIL 1/0'
# The wrong unit; a barcode that was misread; the same unit once more.
scan F2
scan "$EID3"
sees 'F2 FAIL'
sees 'not the one on its label'
sees 'wrong-eid'
scan F3
scan 12345678901234567890123456789012
sees 'scan-misread'
scan F1
scan "$EID1"
sees 'F1 DONE BEFORE'

# Other screens, by key and by command barcode; another language and size.
key F1
sees 'LINESIDE-LOGOUT'
printf 'LINESIDE-ABOUT\n' >&6 # at a scanner of the line's own
sees 'days left'
scan LINESIDE-EVENTS
sees 'F2 .* FAIL (wrong-eid)'
scan LINESIDE-UNIT
sees "Scan a unit's serial number"
scan "$EID1"
sees 'profiles installed: 1 of 1'
sees 'position-moved .* Ada'
scan SN-UNKNOWN
sees 'SN-UNKNOWN'
scan LINESIDE-STOCK
sees 'in stock  *3 '
scan LINESIDE-FIXTURES
sees 'F1 .* works .* 100 %'
scan LINESIDE-FIXTURE
scan F3
sees 'Say where it stands'
key Enter
sees 'Row 1 is the farthest'
key Down Right Enter
sees 'shows it there'
key Enter
sees 'row 2, column 2'
events --kind fixture-position-set | grep -q '"actor":"Ada".*"fixture":"F3","row":"2","column":"2"' || die "F3 stands nowhere"
scan LINESIDE-SETTINGS
sees 'logged in  *yes'
scan LINESIDE-PEOPLE
sees 'Ada  *Supervisor'
scan LINESIDE-QUARANTINE
sees 'Nothing is in quarantine'
scan LINESIDE-LOG
sees 'its hash stands for all before it'
scan LINESIDE-ABOUT
sees 'days left'
key F5
key Down Enter
sees 'Events'
scan LINESIDE-LINE
key F8
sees 'F3 就绪'
key F8
sees 'F3 BEREIT'
$T resize-window -x 132 -y 43
sees 'F1 SCHON FERTIG'
ctl screen --json | grep -q '"language":"de","columns":132,"rows":43' || die "the size is another"
key F8 F8
sees 'F3 READY'
$T resize-window -x 20 -y 5
$T resize-window -x 80 -y 24
sees 'F3 READY'
# The terminal shows what the screen says it shows.
sees 'DONE BEFORE'
pane() { $T capture-pane -p | grep -q -- "$1"; }
wait_for 10 pane 'F1 DONE BEFORE'

# The line dies and comes again; what the screen did not do is not done.
kill -9 "$LINE_PID"
wait "$LINE_PID" || :
sees 'THE LINE IS NOT THERE'
scan F3
sees 'The line is not there\|THE LINE IS NOT THERE'
line_start
sees 'F3 READY'
scan B-0001
sees 'PIN:'
scan 4711
sees 'Ada is logged in'
scan F3
scan "$EID3"
sees 'F3 PASS'
key F4
sees 'Nobody is logged in'

# It leaves when asked twice; the line goes on.
key F10
sees 'Press F10 again'
key F10
wait_for 10 test -s "$WORK/ui.rc"
[ "$(cat "$WORK/ui.rc")" = 0 ] || die "the screen ended with $(cat "$WORK/ui.rc"): $(cat "$WORK/ui.err")"
[ ! -e "$DATA/screen.sock" ] || die "the screen's socket is still there"
ctl snapshot | grep -q 'F3 .*PASS' || die "the line has ended with its screen"
grep -q 90817 "$WORK/line.json" && die "a PIN is in what the line says"
echo "ui: 2 units by 4 scans and 1 login of 2 scans; faults, languages, sizes, a lost line"
