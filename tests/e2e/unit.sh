#!/bin/sh
# A unit's whole life by each of its names: one that passed, one that was
# refused, one whose load was cut short, and eUICCs that nobody has scanned.
# Hostile words are refused and never repeated. Looking changes nothing, and
# does not wait for the line that runs.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 5 2
new_station "$DATA" "$STICK"
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
BUNDLE=$(bundle "$DATA" "$STICK" --per-euicc 1 --eid "$1" "$2" "$3" "$4")
"$STATION" import --data "$DATA" "$BUNDLE" >/dev/null
unit() { "$STATION" unit --data "$DATA" "$@"; }

# --- before anything ran ---------------------------------------------------------

expect 0 'in no unit yet' unit "$1"
unit --json "$1" >"$WORK/json"
for words in '"serial":null,"registered":false' "\"eid\":\"$1\"" '"state":"in-stock","attempts":0,"installedAt":null,"deleted":false' \
    '"evidence":\[\]' '"kind":"bundle-imported"'; do
    grep -q "$words" "$WORK/json" || die "no $words in $(cat "$WORK/json")"
done
expect 1 'check what was typed' unit SN-1
# No bundle was made for the fifth.
expect 1 'knows nothing of it' unit "$5"

# --- the line ----------------------------------------------------------------------

# A load that is cut short, before the others: that card fails once.
mkdir -p "$WORK/failing" "$BENCH"
"$LAB" euicc "$W" --eid "$4" --listen "$WORK/failing" --fail-at 18 >"$WORK/failing.log" 2>&1 &
FAILING_PID=$!
PIDS="$PIDS $FAILING_PID"
wait_for 20 test -S "$WORK/failing/$4"
ln -sfn "$WORK/failing/$4" "$BENCH/F1"
printf 'F1\tSN-4\n' >"$WORK/scans"
OUT=$WORK/line.json
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" --json >"$OUT" 2>"$WORK/line.err" ||
    die "lineside run: $(cat "$WORK/line.err")"
kill $FAILING_PID
wait $FAILING_PID || : # by our signal

cards_start
mkfifo "$WORK/scan"
fixture_put F1 "$1"
fixture_put F2 "$2"
fixture_put F3 no-such-card
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json >"$OUT" 2>"$WORK/line.err" &
RUN_PID=$!
PIDS="$PIDS $RUN_PID"
wait_for 20 grep -q '"event":"ready"' "$OUT"
said() { grep -q "\"code\":\"$1\"" "$OUT"; }
printf 'F1\tSN-1\n' >"$WORK/scan"
wait_for 30 said 'done'
# The label of another eUICC; a fixture in which nothing answers; a serial that
# is known already, now with another eUICC.
printf 'F2\t%s\n' "$3" >"$WORK/scan"
wait_for 30 said wrong-eid
printf 'F3\tSN-3\n' >"$WORK/scan"
wait_for 30 said no-card
printf 'F2\tSN-1\n' >"$WORK/scan"
wait_for 30 said serial-has-other-eid
# Nothing in stock for it: refused before it was registered.
fixture_put F2 "$5"
printf 'F2\tSN-5\n' >"$WORK/scan"
wait_for 30 said no-bpp

# --- by all four names, while the line runs ------------------------------------------

unit --json SN-1 >"$WORK/json"
[ "$(wc -l <"$WORK/json")" = 1 ] || die "not one line"
word() { sed -n "s/.*\"$1\":\"\\([0-9a-fA-F]*\\)\".*/\\1/p" "$WORK/bpp"; }
grep -o '"bpps":\[[^]]*\]' "$WORK/json" >"$WORK/bpp"
ICCID=$(word iccid)
TXID=$(word transactionId)
[ -n "$ICCID" ] && [ -n "$TXID" ] || die "no ICCID or transaction id in $(cat "$WORK/json")"
for what in "$1" "$ICCID" "$TXID" "$(echo "$TXID" | tr a-f A-F)"; do
    unit --json "$what" | cmp - "$WORK/json" || die "$what finds something else"
done
unit --serial --json SN-1 | cmp - "$WORK/json"
unit --eid --json "$1" | cmp - "$WORK/json"
unit --iccid --json "$ICCID" | cmp - "$WORK/json"
unit --txid --json "$TXID" | cmp - "$WORK/json"

smdp=$(sed -n 's/.*"smdp":"\([0-9.]*\)".*/\1/p' "$WORK/bpp")
for words in '"serial":"SN-1","registered":true' "\"position\":\"main\",\"eid\":\"$1\"" '"state":"passed"' \
    '"keysLeft":0,"closed":true,"lastFailure":null' "\"smdp\":\"$smdp\",\"bundle\":\"${BUNDLE##*bundle-}" \
    '"state":"installed","attempts":1,"installedAt":"[0-9]*Z"' \
    '"what":"result: installed","at":"[0-9]*Z","octets":[1-9]' '"what":"receipt: keys deleted"' '"what":"receipt: closed"' \
    '"kind":"unit-registered","actor":"line"' '"to":"loading"' '"fixture":"F1"' \
    '"kind":"failure".*"code":"serial-has-other-eid"'; do
    grep -q "$words" "$WORK/json" || die "no $words in $(cat "$WORK/json")"
done
# The refused try stands last; nothing has left the station.
grep -o '"event":[0-9]*,"at":"[0-9]*Z","kind":"[a-z-]*"' "$WORK/json" | tail -1 | grep -q '"failure"' || die "not the newest last"
grep -q '"report":{' "$WORK/json" && die "in a report that was never made"
[ "$(grep -o '"report":null' "$WORK/json" | wc -l)" = "$(grep -o '"what":' "$WORK/json" | wc -l)" ] || die "evidence does not wait"

unit SN-1 >"$WORK/text"
for words in '^unit SN-1$' "main: EID $1, .*passed, 0 one-time keys left, closed" "ICCID $ICCID .*installed, 1 load begun, installed 20" \
    "transaction $TXID, SM-DPf $smdp, bundle" 'result: installed .* octets, waits for the next loading report' 'unit-registered *line'; do
    grep -q "$words" "$WORK/text" || die "no '$words' in $(cat "$WORK/text")"
done

# Failed: the code, its cause, what to do, and what the FPA said itself; its
# profile is back in stock after one load.
unit --json "$4" >"$WORK/json4"
for words in '"serial":"SN-4","registered":true' '"state":"failed"' \
    '"lastFailure":{"code":"load-again","cause":"The load was interrupted.*","next":"Scan.*","detail":"loading, ' \
    '"state":"in-stock","attempts":1,"installedAt":null' '"what":"failure".*"code":"load-again","detail":"loading, '; do
    grep -q "$words" "$WORK/json4" || die "no $words in $(cat "$WORK/json4")"
done
unit SN-4 >"$WORK/text"
for words in 'last failure: load-again: The load' 'detail: loading, ' 'next: Scan' 'in-stock, 1 load begun$'; do
    grep -q "$words" "$WORK/text" || die "no '$words' in $(cat "$WORK/text")"
done

# Refused before it was registered: events alone tell of it.
expect 0 'SN-3: no unit of this serial was ever registered' unit SN-3
grep -q 'failure .*no-card' "$WORK/out" || die "$(cat "$WORK/out")"
expect 0 'SN-5: no unit of this serial was ever registered' unit SN-5
grep -q 'unit-not-loaded .*no-bpp' "$WORK/out" || die "$(cat "$WORK/out")"
expect 0 'no BPP of it has come' unit "$5"
# The label that was in the wrong place, and the eUICC that answered to it.
expect 0 'wrong-eid' unit "$3"
expect 0 'wrong-eid' unit "$2"

# --- a report carries it --------------------------------------------------------------

kill $RUN_PID
wait $RUN_PID || die "lineside run ended with $?"
mkdir -p "$WORK/visit"
"$STATION" export --data "$DATA" --to "$WORK/visit" >/dev/null
report=$(echo "$WORK"/visit/loading-report-*)
unit --json SN-1 >"$WORK/json"
grep -q "\"report\":{\"sequence\":1,\"id\":\"${report##*report-}\"}" "$WORK/json" || die "not in report $report: $(cat "$WORK/json")"
grep -q '"report":null' "$WORK/json" && die "some of it still waits"
# ... and its SM-DPf acknowledges it; the receipts of the eUICC are nobody's.
answered() { grep -q "\"what\":\"$1\".*\"acknowledgement\":$2" "$WORK/json" || die "$1: not $2: $(cat "$WORK/json")"; }
answered 'result: installed' "{\"smdp\":\"$smdp\",\"acknowledged\":false,\"expected\":true,\"receipt\":null,\"at\":null}"
answered 'receipt: closed' null
expect 0 "result: installed .* not acknowledged by SM-DPf $smdp yet" unit SN-1
receipt=$("$LAB" acknowledge "$W" "$report" --out "$WORK/visit" | sed -n 's/^report-receipt *//p')
"$STATION" import --data "$DATA" "$receipt" >/dev/null
unit --json SN-1 >"$WORK/json"
answered 'result: installed' "{\"smdp\":\"$smdp\",\"acknowledged\":true,\"expected\":true,\"receipt\":\"${receipt##*receipt-}\",\"at\":\"[0-9]*Z\"}"
expect 0 "result: installed .* acknowledged by SM-DPf $smdp at 20" unit SN-1

# --- a serial that reads like another unit's EID ----------------------------------------

fixture_put F1 "$2"
printf 'F1\t%s\n' "$2" >"$WORK/scans"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" --json >"$OUT" 2>"$WORK/line.err" ||
    die "lineside run: $(cat "$WORK/line.err")"
[ "$(verdicts PASS)" = 1 ] || die "$(cat "$OUT")"
# Its label is its EID: one unit, shown once, by either reading.
[ "$(unit --json "$2" | wc -l)" = 1 ] || die "one unit is shown twice"
unit --serial --json "$2" >"$WORK/serial"
unit --eid --json "$2" | cmp - "$WORK/serial"
# 32 hexadecimal digits are a serial and a transaction id.
fixture_put F1 "$3"
printf 'F1\t%s\n' "$TXID" >"$WORK/scans"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" --json >"$OUT" 2>"$WORK/line.err" ||
    die "lineside run: $(cat "$WORK/line.err")"
[ "$(verdicts PASS)" = 1 ] || die "$(cat "$OUT")"
unit --json "$TXID" >"$WORK/two"
[ "$(wc -l <"$WORK/two")" = 2 ] || die "not both: $(cat "$WORK/two")"
grep -q "^{\"serial\":\"$TXID\"" "$WORK/two" || die "$(cat "$WORK/two")"
grep -q '^{"serial":"SN-1"' "$WORK/two" || die "$(cat "$WORK/two")"
expect 0 'more than one way; all 2' unit "$TXID"
[ "$(unit --serial --json "$TXID" | wc -l)" = 1 ] || die "--serial does not force"
unit --txid --json "$TXID" | grep -q '^{"serial":"SN-1"' || die "--txid does not force"

# --- what is refused ---------------------------------------------------------------------

before=$("$STATION" log --data "$DATA" --all --json | wc -l)
long=$(printf '%065d' 0)
esc=$(printf '\033[2J')
# refused WORDS WORD...: exit 2, and not an octet of an escape comes back.
refused() {
    words=$1
    shift
    expect 2 "$words" unit "$@"
    LC_ALL=C grep -q '[[:cntrl:]]' "$WORK/out" "$WORK/err" && die "a control character comes back: $*"
    [ ! -s "$WORK/out" ] || die "an answer to what was refused: $*"
}
refused 'not plain text' "SN-1$esc"
refused 'not plain text' "$(printf 'SN-1\001')"
refused 'not plain text' "$(printf 'SN-1\nSN-2')"
refused 'not plain text' "$(printf 'SN\302\205')"
refused 'not plain text' "$(printf 'SN-1\377')"
refused 'not plain text' --serial "$(printf '\033]0;x\007')"
refused 'longer than any serial' "$long"
refused 'longer than any serial' "$(printf '%099999d' 0)"
refused 'nothing is asked for' ''
refused 'one serial, EID, ICCID or transaction id'
refused 'one serial, EID, ICCID or transaction id' SN-1 SN-5
refused 'only one of --serial' --serial --eid SN-1
refused 'is no EID' --eid SN-1
refused 'is no EID' --eid "$(echo "$1" | tr 0123456789 1234567890)"
refused 'is no ICCID' --iccid 12
refused 'is no transaction id' --txid xyz
refused 'unknown option' --sirial SN-1
for what in "' OR 1=1 --" 'SN%' 'SN-_' '*' 'sn-1' '%s%n%x' '../../etc/passwd'; do
    expect 1 'check what was typed' unit "$what"
done
expect 1 'check what was typed' unit -- '--all'
expect 1 'check what was typed' unit --txid 00000000000000000000000000000000
expect 1 'no data directory' "$STATION" unit --data "$WORK/nowhere" SN-1
[ "$("$STATION" log --data "$DATA" --all --json | wc -l)" = "$before" ] || die "looking changed the ledger"
"$STATION" stock --data "$DATA" --check >/dev/null
echo "unit: found by serial, EID, ICCID and transaction id; refusals and hostile words answered"
