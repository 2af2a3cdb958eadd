#!/bin/sh
# The control socket of a line at work: looked at, scanned through and stopped
# by `lineside ctl`; who does not read, goes away in the middle or sends rubbish
# changes nothing for the line; no line, no socket; who may not, may not.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 3 2
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 1)" >/dev/null
cards_start --delay-ms 2
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
fixture_put F1 "$1"
fixture_put F2 "$2"
fixture_put F3 "$3"
"${CC:-gcc}" -O1 -Wall -o "$WORK/talk" tests/e2e/control_talk.c
SOCKET=$DATA/control.sock
ctl() { "$STATION" ctl --data "$DATA" "$@"; }

up() { ctl version >"$WORK/up"; }
line_start() { # line_start [OPTION...]: from a FIFO nobody writes to
    [ -p "$WORK/scan" ] || mkfifo "$WORK/scan"
    : >"$WORK/line.json"
    "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json "$@" \
        >"$WORK/line.json" 2>"$WORK/line.err" &
    LINE_PID=$!
    PIDS="$PIDS $LINE_PID"
    wait_for 20 grep -q '"event":"ready"' "$WORK/line.json"
    wait_for 20 up
}
line_ended() { # with which code
    rc=0
    wait "$LINE_PID" || rc=$?
    [ $rc = "$1" ] || die "the line ended with $rc: $(cat "$WORK/line.err")"
}
has() { grep -q "$2" "$1" || die "no $2 in $1: $(cat "$1")"; }

# Nobody is there.
expect 3 'no line is running on .*; start one with: lineside run --data' ctl snapshot
expect 3 'no line is running' "$STATION" ctl --data "$WORK/nowhere" stop
expect 2 'say snapshot' ctl
expect 2 'say snapshot' ctl fly
expect 2 'scan line' ctl scan
expect 2 'nothing comes after' ctl stop now

# A killed line's socket is in nobody's way.
line_start
kill -9 "$LINE_PID"
wait "$LINE_PID" || :
[ -S "$SOCKET" ] || die "kill -9 removed the socket"
expect 3 'no line is running' ctl snapshot
line_start
[ "$(stat -c %a "$SOCKET")" = 600 ] || die "the socket's mode is $(stat -c %a "$SOCKET")"

# Look, watch, scan.
ctl --json snapshot >"$WORK/state.json"
for f in F1 F2 F3; do has "$WORK/state.json" "\"fixture\":\"$f\""; done
has "$WORK/state.json" '"in-stock":3'
has "$WORK/state.json" '"work":{"orders":\[\],"shift":null,"waiting":0}'
"$STATION" shift --data "$DATA" open Early >/dev/null
has "$WORK/state.json" '"forecast":{"left":3,.*"hoursLeft":null,"warnHours":8,"low":false},"notAcknowledged":{"reports":0,"since":null}'
ctl snapshot >"$WORK/state.txt"
has "$WORK/state.txt" '^F1 *free'
has "$WORK/state.txt" '3 in stock'
ctl --json version | grep -q '"protocol":1' || die "no version"
ctl --json watch >"$WORK/watch.json" 2>"$WORK/watch.err" &
WATCH_PID=$!
PIDS="$PIDS $WATCH_PID"
wait_for 20 grep -q '"event":"snapshot"' "$WORK/watch.json"
ctl scan "$(printf 'F1\t%s' "$1")" >/dev/null
wait_for 30 grep -q '"event":"verdict".*"code":"done"' "$WORK/watch.json"
has "$WORK/watch.json" '"event":"busy","fixture":"F1","step":"load"'
wait_for 20 grep -q '"event":"stock","stock":{"received":3,"in-stock":2.*"installed":1' "$WORK/watch.json"
wait_for 20 grep -q '"event":"work","work":{"orders":\[\],"shift":{"shift":1,"since":[0-9]*,"passed":1,"stocked":0,"failed":0}' "$WORK/watch.json"
has "$WORK/watch.json" '"event":"stock".*"forecast":{"left":2,"unitsPerHour":6.0,"bppsPerHour":6.0,"hoursLeft":0.25,"warnHours":8,"low":true}'
expect 0 'LOW STOCK: .* 2 BPPs left; .*6.00 units' "$STATION" stock --data "$DATA"
expect 0 '"forecast":{"left":2,.*"warnHours":0,"low":false}' "$STATION" stock --data "$DATA" --warn-hours 0 --json
expect 2 'a number from 0 to 8760, not .-1' "$STATION" stock --data "$DATA" --warn-hours -1
# The same events, octet for octet, that the line itself prints.
grep '"event":"verdict"' "$WORK/watch.json" | diff - "$WORK/line.json" | grep '^<' &&
    die "the socket tells it another way"
# Questions: the very objects that the commands print.
json() { "$STATION" "$@" --data "$DATA" --json; }
same() { # same WANTED QUESTION...
    want=$1
    shift
    got=$(ctl ask "$@")
    [ "$got" = "$want" ] || die "ask $*: $got instead of $want"
}
same "{\"units\":[$(json unit "$1")]}" unit "what=$1"
same "$(json units --state passed)" units state=passed
same "$(json stock)" stock
same "$(json quarantine)" quarantine
same "$(json shift list)" shifts limit:=5
same "$(json people rights)" rights
ctl ask about | grep -q '"commissioned":true,"certificate":{"sequence":1,"notAfter":"[0-9]*Z","daysLeft":[1-9]' ||
    die "$(ctl ask about)"
ctl ask doctor | grep -q '"check":"chain","verdict":"ok"' || die "$(ctl ask doctor)"
expect 1 'the ledger knows nothing of it' ctl ask unit what=nobody
expect 1 'whole number from 1 to 1000' ctl ask log limit=5
expect 1 'knows no command .fly' ctl ask fly
expect 2 'what is asked' ctl ask
expect 2 'MEMBER=TEXT' ctl ask unit nobody
expect 2 'no JSON' ctl ask log limit:=many
ctl scan nonsense >/dev/null # answered by a verdict, as every scan is
wait_for 20 grep -q '"code":"scan-unknown-fixture"' "$WORK/watch.json"
ctl snapshot >"$WORK/state.txt"
has "$WORK/state.txt" '1 PASS, 0 FAIL, 0 ALREADY DONE, 1 REFUSED'
has "$WORK/state.txt" 'LOW STOCK: 2 BPPs left, enough for 0.25 hours'

# Rubbish. Each line has its one reply; too long a line is the end.
{
    printf '%s\n' '' 'no json' '[]' '{"id":1}' '{"id":2,"do":"fly"}' '{"do":"version"}' \
        '{"id":{},"do":"version"}' '{"id":3,"do":"scan"}' '{"id":4,"do":"version","x":[{}]}' \
        '{"id":5,"id":6,"do":"version"}'
    printf '\377\376\000\n'
} | "$WORK/talk" "$SOCKET" >"$WORK/answers"
[ "$(wc -l <"$WORK/answers")" = 11 ] || die "not 11 answers: $(cat "$WORK/answers")"
[ "$(grep -c '"ok":true' "$WORK/answers")" = 1 ] || die "$(cat "$WORK/answers")"
has "$WORK/answers" '"id":4,"ok":true'
has "$WORK/answers" '"id":2,"ok":false,"error":"not-found"'
head -c 5000000 /dev/zero | tr '\0' x | "$WORK/talk" "$SOCKET" >"$WORK/answers" || :
has "$WORK/answers" '"error":"limit"'

# One that stops reading, and one that dies in the middle of a line.
{ printf '{"id":1,"do":"subscribe"}\n'; sleep 4; } | "$WORK/talk" "$SOCKET" >"$WORK/dead.json" &
DEAD=$!
printf '{"id":1,"do":"sub' | "$WORK/talk" "$SOCKET" >/dev/null
kill -STOP "$WATCH_PID"
ctl scan "$(printf 'F2\t%s' "$2")" >/dev/null
wait_for 20 grep -q '"fixture":"F2","step":"load"' "$WORK/line.json"
kill -9 $DEAD
wait $DEAD 2>/dev/null || :
wait_for 30 grep -q '"event":"verdict","fixture":"F2","verdict":"PASS"' "$WORK/line.json"
kill -CONT "$WATCH_PID"
wait_for 20 grep -q '"event":"verdict","fixture":"F2","verdict":"PASS"' "$WORK/watch.json"

# What takes long is told of, can be called off, and is answered when it is done.
b2=$(bundle "$DATA" "$STICK" --per-euicc 1)
printf '{"id":"i","do":"import","container":"%s"}\n{"id":2,"do":"cancel","job":"i"}\n{"id":3,"do":"version"}\n' "$b2" |
    "$WORK/talk" "$SOCKET" >"$WORK/answers"
grep '"id":3,' -A9 "$WORK/answers" | grep -q '"id":"i","ok":false,"error":"state","message":".*it was stopped' ||
    die "not called off: $(cat "$WORK/answers")"
has "$WORK/answers" '"id":2,"ok":true'
ctl ask stock | grep -q '"received":3,' || die "something of what was called off was kept"
ctl ask import "container=$b2" >"$WORK/out" 2>"$WORK/err"
has "$WORK/out" "^{\"container\":\"$b2\",\"kind\":\"bpp-bundle\",.*\"records\":3,"
has "$WORK/err" 'keeping, 3 of 3'
expect 1 'nothing was imported from it' ctl ask import "container=$b2"
ctl ask export "to=$STICK" >"$WORK/out" 2>"$WORK/err"
has "$WORK/out" '^{"made":\[{"kind":"audit-log",.*},{"kind":"loading-report",.*}\]}$'
has "$WORK/err" ', [1-4] of 4'
ctl ask export "to=$STICK/again" "again=$(sed 's/.*"id":"\([^"]*\)".*/\1/' "$WORK/out")" 2>/dev/null && die "no folder"
mkdir "$STICK/again"
ctl ask export "to=$STICK/again" "again=$(sed 's/.*"id":"\([^"]*\)".*/\1/' "$WORK/out")" >"$WORK/again"
diff -r "$STICK"/loading-report-* "$STICK"/again/loading-report-* || die "not the same again"

# An orderly end: the unit at work is finished, who watches is told.
ctl scan "$(printf 'F3\t%s' "$3")" >/dev/null
wait_for 20 grep -q '"fixture":"F3","step":"load"' "$WORK/line.json"
ctl stop >/dev/null
line_ended 0
has "$WORK/line.json" '"event":"verdict","fixture":"F3","verdict":"PASS"'
rc=0
wait "$WATCH_PID" || rc=$?
[ $rc = 0 ] || die "watch ended with $rc: $(cat "$WORK/watch.err")"
has "$WORK/watch.json" '"event":"verdict","fixture":"F3","verdict":"PASS"'
[ "$(tail -1 "$WORK/watch.json")" = '{"event":"ended"}' ] || die "$(tail -1 "$WORK/watch.json")"
[ ! -e "$SOCKET" ] || die "the socket is still there"
expect 3 'no line is running' ctl stop

# Others: by group only.
expect 1 'no group' "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan /dev/null \
    --control-group no-such-group
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    other() { # other GROUP WORD...: as nobody, whose only group is GROUP
        g=$1
        shift
        setpriv --reuid 65534 --regid "$g" --clear-groups "$STATION" ctl --data "$DATA" "$@"
    }
    chmod 711 "$WORK"
    expect 2 'chgrp daemon' "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" \
        --scan /dev/null --control-group daemon
    [ ! -e "$SOCKET" ] || die "a refused start left its socket"
    chgrp daemon "$DATA"
    chmod g+x "$DATA"
    line_start --control-group daemon
    [ "$(stat -c %a "$SOCKET")" = 660 ] || die "mode $(stat -c %a "$SOCKET")"
    expect 0 protocol other daemon version
    expect 1 'may not speak' other nogroup version
    chmod 711 "$DATA" # the file's mode no longer says it: the kernel's word does
    chmod 666 "$SOCKET"
    expect 1 'may not speak' other nogroup version
    ctl stop >/dev/null
    line_ended 0
fi
books_agree 4 # F3's unit took what the second bundle brought for it too
echo "control: looked, scanned, stopped; rubbish and dead clients changed nothing"
