#!/bin/sh
# The fixtures' health: what stops one and what does not, a stop that outlives
# the line, who releases it, golden units that prove a fixture and touch nothing,
# contact problems and the limit of cycles.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 8 1
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 1)" >/dev/null
cards_start
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
golden=$8
mkfifo "$WORK/scan"
mkdir -p "$BENCH"
exec 5<>"$WORK/scan"

f() { "$STATION" fixtures --data "$DATA" "$@"; }
ctl() { "$STATION" ctl --data "$DATA" "$@"; }
empty() { ln -sfn "$CARDS/none" "$BENCH/$1"; }
line() { grep -q "$1" "$WORK/line.json"; }
up() {
    : >"$WORK/line.json"
    "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json \
        >"$WORK/line.json" 2>"$WORK/line.err" &
    RUN_PID=$!
    PIDS="$PIDS $RUN_PID"
    wait_for 20 line '"event":"ready"'
}
told() { [ "$(grep -c '"event":"verdict"' "$WORK/line.json")" -gt "$n" ]; }
# scan FIXTURE BARCODE CODE: its verdict has this code.
scan() {
    n=$(grep -c '"event":"verdict"' "$WORK/line.json" || :)
    printf '%s\t%s\n' "$1" "$2" >&5
    wait_for 20 told
    grep '"event":"verdict"' "$WORK/line.json" | tail -1 >"$WORK/verdict"
    grep -q "\"code\":\"$3\"" "$WORK/verdict" || die "not $3: $(cat "$WORK/verdict")"
}
stop_f1() { # three units with no contact
    empty F1
    for unit in X-1 X-2 X-3; do scan F1 $unit no-card; done
    wait_for 5 state F1 stopped
}
state() { "$STATION" ctl --data "$DATA" snapshot --json >"$WORK/state" && grep -o "{[^{}]*\"fixture\":\"$1\"[^{}]*" "$WORK/state" | grep -q "\"state\":\"$2\""; }
stock() { "$STATION" stock --data "$DATA" --json | sed 's/.*"total"://; s/}.*//' | json_sum "$1"; }

# --- stopped, and so after kill -9 -----------------------------------------------

empty F1
fixture_put F2 "$1"
up
scan F1 X-1 no-card
scan F1 X-2 no-card
scan F2 "$1" done
state F1 stopped && die "two failures have stopped it"
# Neither the operator's nor the unit's own failures are the fixture's.
fixture_put F1 "$2"
scan F1 "$3" wrong-eid
scan F1 "$3" wrong-eid
empty F1
scan F1 X-3 no-card
wait_for 5 state F1 stopped
wait_for 5 line '"event":"fixture".*"state":"stopped"'
line '"reason":"3 failures in a row, the last one: no-card"' || die "$(cat "$WORK/line.json")"
events --kind fixture-stopped | grep -q '"actor":"line".*"fixture":"F1","cause":"failures","reason":"3 failures' || die "$(events --kind fixture-stopped)"

kill -9 $RUN_PID
wait $RUN_PID 2>/dev/null || :
fixture_put F1 "$2"
up
wait_for 5 line '"fixture":"F1".*"state":"stopped"\|"state":"stopped".*"fixture":"F1"'
scan F1 "$2" fixture-stopped
grep -q '"verdict":"REFUSED".*3 failures in a row\|3 failures in a row.*"verdict":"REFUSED"' "$WORK/verdict" || die "$(cat "$WORK/verdict")"
grep -q '"apdus":0' "$WORK/verdict" || die "something was sent: $(cat "$WORK/verdict")"
scan F1 SN-2 fixture-stopped
scan F2 "$1" already-done
f health >"$WORK/health"
grep -q '^F1 *stopped .*cycles 3' "$WORK/health" || die "$(cat "$WORK/health")"
grep -q 'atr-missing 3' "$WORK/health" || die "$(cat "$WORK/health")"
grep -q 'lineside fixtures release F1' "$WORK/health" || die "$(cat "$WORK/health")"
f --json >"$WORK/json"
grep -q '"places":.*"fixture":"F1","place":"","state":"stopped","reason":"3 failures' "$WORK/json" || die "$(cat "$WORK/json")"

# --- released -------------------------------------------------------------------------------

expect 1 'no fixture is called F9' f release F9
expect 1 'not stopped' f release F2
f release F1
events --kind fixture-released | grep -q '"actor":"engineer".*"fixture":"F1","cause":"person"' || die "$(events --kind fixture-released)"
line '"state":"released"' || die "who watches does not hear of it"
state F1 stopped && die "it is stopped still"
scan F1 "$2" done

# --- a golden unit ------------------------------------------------------------------------

left=$(stock in-stock)
expect 2 'is no EID' f golden 12
expect 1 'that of unit' f golden "$1"
f golden "$golden"
stop_f1
fixture_put F1 "$golden"
scan F1 "$3" fixture-stopped
scan F1 "$golden" golden-ok
grep -q '"verdict":"GOLDEN OK"' "$WORK/verdict" || die "$(cat "$WORK/verdict")"
events --kind golden-passed | grep -q "\"fixture\":\"F1\",\"eid\":\"$golden\",\"apdus\":\"32\",\"mean-us\":\"[0-9]*\"" || die "$(events --kind golden-passed)"
events --kind fixture-released | tail -1 | grep -q '"actor":"line".*"cause":"golden"' || die "$(events --kind fixture-released)"
[ "$(stock in-stock)" = "$left" ] || die "the stock was touched"
events --kind unit-registered | grep -q "$golden" && die "the golden unit was registered"
events --kind bpp-moved | grep -q "$golden" && die "a profile of the golden unit has moved"
fixture_put F1 "$3"
scan F1 "$3" done
# Found by any label that is nobody else's; a failure of its own is told, and is
# in no report.
fixture_put F1 "$golden"
scan F1 GOLDEN golden-ok
empty F1
scan F1 "$golden" no-card
events --kind golden-failed | grep -q '"fixture":"F1".*"code":"no-card"' || die "$(events --kind golden-failed)"
events --kind failure | grep -q "$golden" && die "the golden unit's failure would be reported"

# Golden needed: at the start of each shift, say.
f limits --golden-hours 8
fixture_put F2 "$4"
scan F2 "$4" fixture-unproven
fixture_put F2 "$golden"
scan F2 "$golden" golden-ok
fixture_put F2 "$4"
scan F2 "$4" done
expect 2 '0 to 100' f limits --yield 101
expect 2 'say which' f limits
expect 2 'maintenance takes one fixture' f maintenance
expect 2 'say --limit N' f maintenance F1
f limits --golden-hours 0 --failures 0 --yield 60 --units 5
events --kind fixture-limits-set | tail -1 | grep -q '"failures":"0","yield":"60","units":"5","golden-hours":"0"' || die "$(events --kind fixture-limits-set)"
[ "$(grep -c . "$WORK/line.err")" = 0 ] || die "$(cat "$WORK/line.err")"

# --- yield: 3 of the last 5 are enough, 2 are not ---------------------------------------------

f golden "$golden" --remove
empty F2
scan F2 X-1 no-card
fixture_put F2 "$5"
scan F2 "$5" done
empty F2
scan F2 X-2 no-card
state F2 stopped && die "stopped at 3 of 5"
scan F2 X-3 no-card
wait_for 5 state F2 stopped
events --kind fixture-stopped | tail -1 | grep -q '"fixture":"F2","cause":"yield","reason":"2 of the last 5 units were good, fewer than 60 %; the last failure: no-card"' ||
    die "$(events --kind fixture-stopped)"
f release F2
scan F2 X-4 no-card
state F2 stopped && die "what was before the release counts still"

# --- cycles ----------------------------------------------------------------------------------

f maintenance F2 --limit 6
fixture_put F2 "$6"
scan F2 "$6" done
wait_for 5 line '"state":"maintenance"'
events --kind fixture-maintenance-due | grep -q '"fixture":"F2","cycles":"6","limit":"6"' || die "$(events --kind fixture-maintenance-due)"
scan F2 "$6" already-done
[ "$(events --kind fixture-maintenance-due | wc -l)" = 1 ] || die "told more than once"
"$STATION" ctl --data "$DATA" snapshot | grep -q '^F2 .*due for maintenance: 6 cycles' || die "not shown"
f maintenance F2 --done
wait_for 5 line '"state":"maintained"'
f health | grep -q '^F2 *ok .*cycles 0 of 6' || die "$(f health)"

expect 1 'no fixture F9' ctl maintained F9
expect 2 'name the fixture' ctl maintained
ctl maintained F2 >/dev/null
[ "$(events --kind fixture-maintained | wc -l)" = 2 ] || die "$(events --kind fixture-maintained)"
events --kind fixture-maintained | tail -1 | grep -q '"actor":"engineer".*"fixture":"F2","cycles":"0"' || die "$(events --kind fixture-maintained)"

# --- who may ---------------------------------------------------------------------------------

stop_f1
as 4711 people add Ada --role supervisor --badge B-0001
as '4711 4713' people add Olaf --role operator --badge B-0003 --as B-0001
expect 1 'BADGE' f release F1
printf '4713\n' | f release F1 --as B-0003 2>"$WORK/err" && die "an operator has released it"
grep -q 'engineer or supervisor' "$WORK/err" || die "$(cat "$WORK/err")"
state F1 stopped || die "it is free again: $(cat "$WORK/state")"
# By the socket, as an engineer's screen does it: the same rights, at once heard of.
expect 1 'log in' ctl release F1
printf '4713\n' | ctl release F1 --as B-0003 2>"$WORK/err" && die "an operator has released it"
grep -q 'engineer or supervisor' "$WORK/err" || die "$(cat "$WORK/err")"
released=$(grep -c '"state":"released"' "$WORK/line.json")
printf '4711\n' | ctl release F1 --as B-0001 >/dev/null
[ "$(grep -c '"state":"released"' "$WORK/line.json")" -gt "$released" ] || die "who watches does not hear of it"
events --kind fixture-released | tail -1 | grep -q '"actor":"Ada".*"fixture":"F1","cause":"person"' || die "$(events --kind fixture-released)"
scan F1 "$golden" no-card

kill $RUN_PID
wait $RUN_PID || die "lineside run: $(cat "$WORK/line.err")"
"$STATION" stock --data "$DATA" --check >/dev/null
echo "health: stops, releases, golden units and limits, each in the ledger"
