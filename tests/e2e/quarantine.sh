#!/bin/sh
# Units that are held back and let go, by two people: three failures at one
# step, release, scrap and what is in stock for scrap, resolve, the limit; and
# a board that is replaced. Nothing is sent to what is held, and every count
# agrees.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 4 4
new_station "$DATA" "$STICK"
B1=$(bundle "$DATA" "$STICK" --per-euicc 1)
"$STATION" import --data "$DATA" "$B1" >/dev/null
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
mkdir -p "$CARDS" "$BENCH"
imei="" # of the next visit

two() { as '4711 4712' "$@" --as B-0002 --second B-0003; } # an engineer and an operator
held() { "$STATION" quarantine --data "$DATA" --json; }
# at SERIAL EID CODE [OPTION...]: one visit of that eUICC under that label.
at() {
    serial=$1 eid=$2 code=$3
    shift 3
    rm -f "$CARDS/$eid"
    "$LAB" euicc "$W" --eid "$eid" --listen "$CARDS" "$@" >"$WORK/card.log" 2>&1 &
    card=$!
    PIDS="$PIDS $card"
    wait_for 20 test -S "$CARDS/$eid"
    fixture_put F1 "$eid"
    { [ -z "$imei" ] || printf 'F1\timei:%s\n' "$imei"; printf 'F1\t%s\n' "$serial"; } >"$WORK/scan"
    imei=""
    "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json \
        >"$WORK/line.json" 2>"$WORK/line.err" || die "$(cat "$WORK/line.err")"
    kill "$card"
    wait "$card" 2>/dev/null || :
    grep -q "\"event\":\"verdict\".*\"code\":\"$code\"" "$WORK/line.json" || die "not $code: $(cat "$WORK/line.json")"
}
# The APDU at which BF70 goes out: the first one that is refused after the EID.
status_step() { at "$1" "$2" card-refused --fail-at 7:sw; }

as 86420 people add Ada --role supervisor --badge B-0001
as '86420 4711' people add Bob --role engineer --badge B-0002 --as B-0001
as '86420 4712' people add Cyd --role operator --badge B-0003 --as B-0001
as '86420 4713' people add Dan --role operator --badge B-0004 --as B-0001
# Here it is the units that are bad: no fixture is stopped for them.
as 4711 fixtures limits --failures 0 --yield 0 --as B-0002 >/dev/null

# --- three in a row ---------------------------------------------------------------

expect 0 'nothing is in quarantine' "$STATION" quarantine --data "$DATA"
expect 0 'after 3 failures in a row' "$STATION" quarantine --data "$DATA"
status_step SN-1 "$1"
status_step SN-1 "$1"
status_step SN-1 "$1"
at SN-1 "$1" quarantined
grep -q '"apdus":0' "$WORK/line.json" || die "something was sent: $(cat "$WORK/line.json")"
expect 0 'unit SN-1 \(main\)' "$STATION" quarantine --data "$DATA"
grep -q 'fixture F1.*3 failures in a row at step "status", the last one: card-refused' "$WORK/out" || die "$(cat "$WORK/out")"
held | grep -q '"serial":"SN-1".*"state":"quarantined","code":"card-refused".*"evidence":"[0-9]* [0-9]* [0-9]*"' || die "$(held)"

# --- who may, and what ------------------------------------------------------------

n=$(count)
refused 1 'takes two people' 4711 quarantine release SN-1 --as B-0002
refused 1 'both badges are the same' '4711 4711' quarantine release SN-1 --as B-0002 --second B-0002
refused 1 'neither Cyd nor Dan may release.*engineer or supervisor' '4712 4713' quarantine release SN-1 --as B-0003 --second B-0004
refused 1 'no unit SN-9' '4711 4712' quarantine scrap SN-9 --as B-0002 --second B-0003
refused 2 'nothing that can be done' '4711 4712' quarantine eat SN-1 --as B-0002 --second B-0003
refused 2 'an act, and what' '4711 4712' quarantine release --as B-0002 --second B-0003
refused 2 'from 1 to 20' 4711 quarantine limit 0 --as B-0002
refused 2 'from 1 to 20' 4711 quarantine limit 1x --as B-0002
refused 1 'Cyd is operator and may not say' 4712 quarantine limit 2 --as B-0003
[ "$(count)" = "$n" ] || die "what was refused left an event"

# Either may come first; the row begins anew.
as '4712 4711' quarantine release SN-1 --as B-0003 --second B-0002 --reason 'contacts cleaned' >/dev/null
"$STATION" log --data "$DATA" --limit 1 --json | grep -q '"actor":"Cyd".*"second":"Bob".*released.*contacts cleaned' || die "$("$STATION" log --data "$DATA" --limit 1 --json)"
refused 1 'is open; there is nothing to release' '4711 4712' quarantine release SN-1 --as B-0002 --second B-0003
at SN-1 "$1" done

# --- scrap ------------------------------------------------------------------------

as 4711 quarantine limit 2 --as B-0002 | grep -q "after 2 failures" || die "no limit"
status_step SN-2 "$2"
status_step SN-2 "$2"
at SN-2 "$2" quarantined
two quarantine resolve SN-2 >/dev/null
held | grep -q '"state":"resolving"' || die "$(held)"
status_step SN-2 "$2"
at SN-2 "$2" quarantined
expect 0 'was asked, and that did not resolve it' "$STATION" quarantine --data "$DATA"
two quarantine scrap SN-2 --json | grep -q '"act":"scrap","serial":"SN-2","positions":1' || die "no scrap"
at SN-2 "$2" scrapped
refused 1 'is scrapped; there is nothing to release' '4711 4712' quarantine release SN-2 --as B-0002 --second B-0003
expect 0 '1 BPPs in stock are for scrapped units' "$STATION" quarantine --data "$DATA"
refused 1 'Cyd is operator' '4711 4712' void --scrapped --reason scrap --as B-0002 --second B-0003
as '4711 86420' void --scrapped --reason 'unit scrapped' --as B-0002 --second B-0001 | grep -q 'voided: 1' || die "not voided"
[ "$(held | json_sum stranded)" = 0 ] || die "$(held)"

# --- another board -----------------------------------------------------------------

imei=49-015420-323751-8
at SN-3 "$3" done
"$STATION" unit --data "$DATA" 490154203237518 | grep -q "^unit SN-3\$" || die "not found by its IMEI"
"$STATION" unit --data "$DATA" --json SN-3 | grep -q "\"eid\":\"$3\",\"imei\":\"490154203237518\"" || die "no IMEI"
at SN-3 "$4" serial-has-other-eid
grep -q "$3.*$4\|$4.*$3" "$WORK/line.json" || die "not both shown: $(cat "$WORK/line.json")"
n=$(count)
refused 2 'new-eid EID is needed' '' replace SN-3 main --reason x --as B-0002 --second B-0003
refused 2 'new-eid EID is needed' '' replace SN-3 main --new-eid 1234 --reason x --as B-0002 --second B-0003
refused 2 'a reason is needed' '' replace SN-3 main --new-eid "$4" --as B-0002 --second B-0003
refused 2 'a serial and a position' '' replace SN-3 --new-eid "$4" --reason x --as B-0002 --second B-0003
refused 1 'takes two people' 4711 replace SN-3 main --new-eid "$4" --reason x --as B-0002
refused 1 'has no position radio; it has main' '4711 4712' replace SN-3 radio --new-eid "$4" --reason x --as B-0002 --second B-0003
refused 1 "EID $1 is in unit SN-1" '4711 4712' replace SN-3 main --new-eid "$1" --reason x --as B-0002 --second B-0003
refused 2 'wrong check digit' '' replace SN-3 main --new-eid "$4" --new-imei 356938035643808 --reason x --as B-0002 --second B-0003
[ "$(count)" = "$n" ] || die "what was refused left an event"
two replace SN-3 main --new-eid "$4" --reason 'board broken' | grep -q "EID $3 is out, EID $4 is in; it was passed and is open" || die "not replaced"
"$STATION" log --data "$DATA" --limit 1 --json | grep -q '"board-replaced","actor":"Bob".*board broken' || die "no event"
at SN-3 "$3" eid-retired
at SN-9 "$3" eid-retired
# Its IMEI went with it; the other one's is noted by one person, changed by two.
n=$(count)
refused 2 'wrong check digit' '' imei SN-3 main 356938035643808 --as B-0002
refused 1 'Cyd is operator' 4712 imei SN-3 main 356938035643809 --as B-0003
refused 1 'has no position radio' 4711 imei SN-3 radio 356938035643809 --as B-0002
[ "$(count)" = "$n" ] || die "what was refused left an event"
as 4711 imei SN-3 main 356938035643809 --as B-0002 | grep -q '^unit SN-3 (main) has IMEI 356938035643809$' || die "not noted"
refused 1 '356938035643809.*490154203237518' 4711 imei SN-3 main 490154203237518 --as B-0002
refused 2 'a reason is needed' '' imei SN-3 main 490154203237518 --as B-0002 --second B-0003
two imei SN-3 main 490154203237518 --reason 'label of the box' | grep -q 'no longer 356938035643809' || die "not changed"
"$STATION" log --data "$DATA" --limit 1 --json | grep -q '"imei-changed","actor":"Bob".*"new-imei":"490154203237518"' || die "no event"
at SN-3 "$4" done

# --- the books ------------------------------------------------------------------------

"$STATION" stock --data "$DATA" --check --json >"$WORK/stock.json" || die "$(cat "$WORK/stock.json")"
"$STATION" export --data "$DATA" --to "$STICK" >/dev/null
expect 0 'All that was asked holds' "$VERIFY" "$STICK"/loading-report-* "$STICK"/audit-log-* \
    --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --bundle "$B1" --imeis
grep -q 'not proven  2 units with their IMEI' "$WORK/out" && grep -q "^490154203237518  $3  SN-3 (main)\$" "$WORK/out" &&
    grep -q "^490154203237518  $4  SN-3 (main)\$" "$WORK/out" || die "which IMEI is where: $(cat "$WORK/out")"
"$VERIFY" "$STICK"/loading-report-* --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --imeis --json |
    grep -q "\"imeis\":2,\"units\":\[{\"imei\":\"490154203237518\",\"eid\":\"8[0-9]*\",\"serial\":\"SN-3\",\"position\":\"main\"}," || die "no JSON of it"
expect 0 'totals: 3 installed, 0 failed, 0 deleted, 0 quarantined, 1 voided' "$LAB" verify "$W" "$STICK"/loading-report-*
echo "quarantine: held, let go, scrapped, another board; every count agrees"
