#!/bin/sh
# Nobody reads what the line says: a terminal that is paused, a rig that hangs.
# The units are worked on all the same, their results are in the ledger, and who
# reads at last reads all of it. Who never reads keeps the line from nothing; one
# that has left ends it, after the unit at work.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 4 1
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 1)" >/dev/null
cards_start
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
fixture_put F1 "$1"
fixture_put F2 "$2"

# A FIFO takes one page: its first lines fill it, for a start.
mkfifo "$WORK/said" "$WORK/scan"
exec 5<>"$WORK/said"
head -c 65536 /dev/zero | tr '\0' '\n' >"$WORK/said"

"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json \
    >"$WORK/said" 2>"$WORK/line.err" &
LINE_PID=$!
PIDS="$PIDS $LINE_PID"
exec 6>"$WORK/scan"
printf 'F1\t%s\nF2\t%s\n' "$1" "$2" >&6

installed() {
    "$STATION" stock --data "$DATA" --json >"$WORK/stock.json"
    grep -q "\"total\":{.*\"installed\":$1[,}]" "$WORK/stock.json"
}
wait_for 30 installed 2

# Read at last: both verdicts, in whole lines.
kill -TERM "$LINE_PID"
cat <&5 >"$WORK/read" 5>&- &
PIDS="$PIDS $!"
rc=0
wait "$LINE_PID" || rc=$?
[ $rc = 0 ] || die "the line ended with $rc: $(cat "$WORK/line.err")"
two_verdicts() { [ "$(grep -c '^{.*"verdict":"PASS".*}$' "$WORK/read")" = 2 ]; }
wait_for 10 two_verdicts

# Never read: the line ends all the same, and says so.
fixture_put F1 "$3"
printf 'F1\t%s\n' "$3" >"$WORK/scans"
mkfifo "$WORK/never"
exec 7<>"$WORK/never"
head -c 65536 /dev/zero | tr '\0' '\n' >"$WORK/never"
expect 1 'nobody reads the verdicts any more' sh -c \
    "'$STATION' run --no-usb --data '$DATA' --bench '$BENCH' --scan '$WORK/scans' >'$WORK/never'"
installed 3 || die "$(cat "$WORK/stock.json")"

# Gone after the first line: the next unit's verdict finds nobody.
fixture_put F1 "$4"
mkfifo "$WORK/left"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json \
    >"$WORK/left" 2>"$WORK/line.err" &
LINE_PID=$!
PIDS="$PIDS $LINE_PID"
head -n 1 "$WORK/left" | grep -q '"event":"ready"' || die "the line did not start"
printf 'F1\t%s\n' "$4" >&6
rc=0
wait "$LINE_PID" || rc=$?
[ $rc = 1 ] || die "the line ended with $rc: $(cat "$WORK/line.err")"
grep -q 'nobody reads.*Start it again' "$WORK/line.err" || die "$(cat "$WORK/line.err")"
installed 4 || die "$(cat "$WORK/stock.json")"
"$STATION" stock --data "$DATA" --check >/dev/null
echo "unread: 4 units, installed while nobody read"
