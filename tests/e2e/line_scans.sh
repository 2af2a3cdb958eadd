#!/bin/sh
# The line's door: scans from a FIFO whose writers come and go, each bad one
# refused by its own code with nothing changed; a second line on the same data;
# an empty fixture that delays nobody; an orderly end.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 3 1
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 1)" >/dev/null
cards_start --delay-ms 2
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
fixture_put F1 "$1"
fixture_put F2 "$2"
fixture_put F3 "$3"
fixture_put F4 no-such-card

OUT=$WORK/line.json
mkfifo "$WORK/scan"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json \
    >"$OUT" 2>"$WORK/line.err" &
LINE_PID=$!
PIDS="$PIDS $LINE_PID"
wait_for 20 grep -q '"event":"ready"' "$OUT"
events_before=$("$STATION" log --data "$DATA" --json | wc -l)

said() { # said CODE COUNT: that many verdicts with this code
    [ "$(grep -c "\"code\":\"$1\"" "$OUT")" -ge "$2" ]
}
scan() { # scan CODE FORMAT...: one writer says one line; the verdict has CODE
    code=$1
    shift
    before=$(grep -c "\"code\":\"$code\"" "$OUT" || :)
    # shellcheck disable=SC2059 # the format is the line
    printf "$@" >"$WORK/scan"
    wait_for 20 said "$code" $((before + 1))
}

long=$(printf '%0300d' 0)
misread=$(echo "$1" | tr 0123456789 1234567890)
scan scan-empty '\n'
scan scan-empty '\r\n'
scan scan-no-barcode 'F1\n'
scan scan-unknown-fixture 'F9\tSN-1\n'
scan scan-unknown-fixture '%s\n' "$1"
scan scan-binary 'F1\t\001\377\n'
scan scan-too-long 'F1\t%s\n' "$long"
scan scan-misread 'F1\t%s\n' "$misread"
[ "$(verdicts REFUSED)" = 8 ] || die "not 8 refused: $(cat "$OUT")"
[ "$("$STATION" log --data "$DATA" --json | wc -l)" = "$events_before" ] ||
    die "a refused scan changed the ledger"

# Another line on the same data.
expect 4 'pid|process|[Ll]ock' "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan /dev/null

# Wrong label, empty fixture, and a good unit beside them, in one breath.
printf 'F2\t%s\nF4\tSN-4\nF1\t%s\r\nF1\t%s\n' "$1" "$1" "$1" >"$WORK/scan"
wait_for 30 said 'done' 1
wait_for 30 said no-card 1
wait_for 30 said wrong-eid 1
said scan-busy 1 || die "a scan for a fixture at work was not refused: $(cat "$OUT")"
scan already-done 'F1 %s\n' "$1"

# An orderly end finishes what is at work, and takes nothing more.
printf 'F3\tSN-3\n' >"$WORK/scan"
wait_for 20 grep -q '"step":"load","serial":"SN-3"' "$OUT"
kill -TERM $LINE_PID
rc=0
wait $LINE_PID || rc=$?
[ $rc = 0 ] || die "SIGTERM: exit $rc: $(cat "$WORK/line.err")"
said 'done' 2 || die "the unit at work was not finished: $(cat "$OUT")"

# Every line whole, and JSON.
grep -qv '^{.*}$' "$OUT" && die "a line that is no JSON object: $(cat "$OUT")"

# A unit that is stopped at once is finished the next time.
printf 'F2\t%s\n' "$2" >"$WORK/again"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json >"$OUT" 2>&1 &
LINE_PID=$!
PIDS="$PIDS $LINE_PID"
wait_for 20 grep -q '"event":"ready"' "$OUT"
cat "$WORK/again" >"$WORK/scan"
wait_for 20 grep -q '"step":"load"' "$OUT"
kill -INT $LINE_PID
wait_for 20 grep -q 'once more' "$OUT"
kill -INT $LINE_PID
rc=0
wait $LINE_PID || rc=$?
[ $rc = 130 ] || [ $rc = 0 ] || die "SIGINT twice: exit $rc"
"$STATION" stock --data "$DATA" --check >/dev/null
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/again" --json >"$OUT"
[ "$(verdicts PASS)" = 1 ] || [ "$(verdicts 'ALREADY DONE')" = 1 ] ||
    die "not finished: $(cat "$OUT")"
"$STATION" stock --data "$DATA" --check --json >"$WORK/stock.json"
books_agree 3

# Bad places.
expect 1 'no data directory' "$STATION" run --no-usb --data "$WORK/nowhere" --bench "$BENCH" --scan /dev/null
expect 3 'nowhere' "$STATION" run --no-usb --data "$DATA" --bench "$WORK/nowhere" --scan /dev/null
expect 3 'nowhere' "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/nowhere"
mkdir "$WORK/empty"
expect 2 'no fixture' "$STATION" run --no-usb --data "$DATA" --bench "$WORK/empty" --scan /dev/null
expect 2 'takes a number' "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --unit-timeout-s 0
expect 2 'bench DIR' "$STATION" run --no-usb --data "$DATA"
echo "line_scans: every scan answered, nothing lost"
