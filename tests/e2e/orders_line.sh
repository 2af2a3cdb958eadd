#!/bin/sh
# Units made by work orders on a running line: two SM-DPfs in one unit,
# registered first and configured weeks later, a car with two eUICCs, several
# orders at several fixtures, and what each of them refuses. Then both SM-DPfs
# acknowledge what was reported to them.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 6 3 --smdpf north south
new_station "$DATA" "$STICK"
orders() { "$STATION" orders --data "$DATA" "$@"; }
made() { # made NUMBER QUANTITY SERIALS RECIPE...: an active order
    number=$1 quantity=$2 serials=$3
    shift 3
    for r; do set -- "$@" --recipe "$r"; shift; done
    orders new --number "$number" --product Device --quantity "$quantity" --serials "$serials" "$@" >/dev/null
    orders activate "$number" >/dev/null 2>&1
}
scan() { # scan FIXTURE BARCODE: its verdict's code; the line to $WORK/verdict
    printf '%s\t%s\n' "$1" "$2" >"$WORK/scans"
    "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" --json >"$WORK/run.json" 2>"$WORK/err" ||
        die "lineside run: $(cat "$WORK/err")"
    grep '"event":"verdict"' "$WORK/run.json" >"$WORK/verdict"
    sed 's/.*"code":"\([a-z-]*\)".*/\1/' "$WORK/verdict"
}
is() { # is FIXTURE BARCODE CODE [WORDS]
    got=$(scan "$1" "$2")
    [ "$got" = "$3" ] || die "$got instead of $3: $(cat "$WORK/verdict")"
    [ -z "${4:-}" ] || grep -Eq -- "$4" "$WORK/verdict" || die "nothing like '$4': $(cat "$WORK/verdict")"
}
cards_start
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
fixture_put F1 "$1"
fixture_put F2 "$2"

# --- registered now, configured later ---------------------------------------------

made MAKE 2 'SN-##' register
is F1 SN-01 no-order
orders bind MAKE F1
orders bind MAKE F2
is F1 SN-01 stocked '"verdict":"STOCKED".*"order":"MAKE","position":"main"'
is F2 SN-2 not-in-order 'SN-2.*SN-##'
is F2 SN-02 stocked
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf north --eid "$1" --eid "$2")" \
    "$(bundle "$DATA" "$STICK" --smdpf south --eid "$1")" >/dev/null
made BOTH 5 'SN-##' 'load smdp=2.999.11; load smdp=2.999.10; enable 2; close'
is F1 ORDER:both order-chosen '"verdict":"ORDER".*BOTH: Device, 5 units left'
is F1 SN-01 done '"verdict":"PASS".*"installed":2.*"order":"BOTH"'
is F1 order:MAKE order-chosen
is F1 SN-01 other-order 'passed in order BOTH.*order MAKE'
"$LAB" euicc-show "$W" "$1" --json >"$WORK/chip.json"
[ "$(grep -o '"iccid"' "$WORK/chip.json" | wc -l)" = 2 ] || die "not two profiles: $(cat "$WORK/chip.json")"
# The second one is short of its southern profile, and nothing of it is loaded.
orders bind BOTH F2
is F2 SN-02 profile-missing 'order BOTH, profile 1 .smdp=2.999.11'
"$LAB" euicc-show "$W" "$2" --json | grep -q '"iccid"' && die "a profile was loaded though another is missing"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf south --eid "$2")" >/dev/null
is F2 SN-02 done '"installed":2'
orders --json | grep -q '"order":"MAKE".*"stocked":2.*"order":"BOTH".*"quantity":5,"left":3.*"passed":2' || die "$(orders --json)"

mkdir "$WORK/visit1"
"$STATION" export --data "$DATA" --to "$WORK/visit1" >/dev/null # about both SM-DPfs' BPPs

# --- a car with two eUICCs ----------------------------------------------------------

"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf north --eid "$3")" \
    "$(bundle "$DATA" "$STICK" --smdpf north --eid "$4")" >/dev/null
made CAR 1 'CAR-{1-9}' 'telematics: load any; enable 1; close' 'info: load smdp=2.999.10; keep 1'
orders bind CAR F1 --position info
expect 1 'no recipe for a position boot' orders bind CAR F1 --position boot
fixture_put F1 "$3"
is F1 CAR-1 positions-missing '"verdict":"INCOMPLETE".*info is done; missing: telematics.*"position":"info"'
orders bind CAR F2
fixture_put F2 "$4"
fixture_put F1 "$4"
is F1 CAR-2 order-full 'order CAR is for 1 units'
is F2 CAR-1 stocked '"position":"telematics"'
orders show CAR | grep -q 'units     1: 0 passed, 1 stocked, 0 failed, 0 at work, 0 left' || die "$(orders show CAR)"
orders show CAR | grep -q 'fixtures  F1:info, F2$' || die "$(orders show CAR)"

# Both at the same moment, in two fixtures: one of them tells the unit's verdict.
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf north --eid "$5" --eid "$6")" >/dev/null
made TWIN 1 'TWIN-#' 'left: load any; close' 'right: load any; close'
orders bind TWIN F1 --position left
orders bind TWIN F2 --position right
fixture_put F1 "$5"
fixture_put F2 "$6"
printf 'F1\tTWIN-1\nF2\tTWIN-1\n' >"$WORK/scans"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" --json >"$WORK/run.json" 2>"$WORK/err" ||
    die "lineside run: $(cat "$WORK/err")"
for code in positions-missing done; do
    [ "$(grep -c "\"event\":\"verdict\".*\"code\":\"$code\"" "$WORK/run.json")" = 1 ] ||
        die "not one verdict is $code: $(cat "$WORK/run.json")"
done
orders show TWIN | grep -q 'units     1: 1 passed, 0 stocked, 0 failed, 0 at work, 0 left' || die "$(orders show TWIN)"

# --- the end -------------------------------------------------------------------------

for o in MAKE BOTH CAR TWIN; do orders close $o; done
orders --json | grep -q '"fixtures":\[{' && die "a closed order has fixtures: $(orders --json)"
# Without an active order the line works as it always did.
is F1 CAR-9 eid-has-other-serial
"$STATION" log --data "$DATA" --all --json >"$WORK/log"
for words in '"order-bound","actor":"engineer".*"order":"MAKE","fixture":"F1","cause":"command"' \
    '"order-bound","actor":"line".*"order":"BOTH","fixture":"F1","cause":"scan"' \
    '"unit-ordered","actor":"line".*"order":"BOTH","serial":"SN-01","position":"main","fixture":"F1","from":"MAKE"' \
    '"position-moved".*"order":"CAR","from":"open","to":"stocked","cause":"keys-kept"' \
    '"unit-not-loaded".*"code":"order-full".*"order":"CAR"'; do
    grep -q "$words" "$WORK/log" || die "not in the log: $words"
done
"$STATION" stock --data "$DATA" --check >/dev/null
"$STATION" export --data "$DATA" --to "$STICK" >/dev/null
expect 0 '' "$LAB" verify "$W" "$WORK"/visit1/loading-report-* "$STICK"/loading-report-*

# --- receipts ------------------------------------------------------------------------

reports() { "$STATION" reports --data "$DATA" "$@"; }
import() { "$STATION" import --data "$DATA" "$@"; }
acknowledge() { # acknowledge REPORT [OPTION...]: prints the receipts' folders
    "$LAB" acknowledge "$W" "$@" --out "$WORK/receipts" | sed -n 's/^report-receipt *//p'
}
FIRST=$(echo "$WORK"/visit1/loading-report-*)
SECOND=$(echo "$STICK"/loading-report-*)
mkdir "$WORK/receipts" "$WORK/again" "$WORK/forged"
expect 0 '^2 not acknowledged, the oldest since' reports
expect 0 '"unacknowledged":2,.*"sequence":1,.*"state":"waiting".*"sequence":2,.*"state":"waiting"' reports --json
expect 0 'not acknowledged: 2 loading-reports, the oldest since' "$STATION" stock --data "$DATA"
expect 0 '"notAcknowledged":[{]"reports":2,"since":1[0-9]*}' "$STATION" stock --data "$DATA" --json
# What did not arrive is the same again, though much was made since.
"$STATION" export --data "$DATA" --again "${FIRST##*loading-report-}" --to "$WORK/again" >/dev/null
diff -r "$FIRST" "$WORK/again/${FIRST##*/}" || die "report 1 is not the same again"
# shellcheck disable=SC2046 # a list of folders
set -- $(acknowledge "$WORK/again/${FIRST##*/}")
[ $# = 2 ] || die "not two receipts: $*"
NORTH=$1 SOUTH=$2
later=$(acknowledge "$SECOND")
expect 1 'no record about a BPP of SM-DPf 2.999.11' "$LAB" acknowledge "$W" "$SECOND" --smdpf south --out "$WORK/receipts"

refused() { # refused WORDS CONTAINER: nothing is changed
    "$STATION" log --data "$DATA" --all --json >"$WORK/log"
    expect 1 "$1" import "$2"
    grep -q 'next:\|ask its issuer\|ask SM-DPf' "$WORK/err" || die "no next step in: $(cat "$WORK/err")"
    "$STATION" log --data "$DATA" --all --json | cmp - "$WORK/log" || die "the ledger changed: $*"
}
lie() { # lie CONTAINER NAME WORDS: with that lie it is refused
    refused "$3" "$("$LAB" forge "$W" "$1" --out "$WORK/forged" --lie "$2")"
}
lie "$NORTH" other-recipient 'for another station'
lie "$NORTH" expired 'was to be imported by .*ask its issuer'
lie "$NORTH" dppb-signs 'does not have the role .SM-DPf authentication'
lie "$NORTH" other-signer 'is from 2.999.10, but 2.999.11 signed it'
lie "$NORTH" other-report 'which this station never made; ask SM-DPf 2.999.10'
lie "$NORTH" other-digest 'SM-DPf 2.999.10 received another file than loading-report 1'
lie "$NORTH" more-records 'counts [0-9]* records about its BPPs in loading-report 1, which has'
lie "$later" other-dpauth 'loading-report 2 says nothing of any BPP of SM-DPf 2.999.11'
expect 0 'acknowledges loading-report 1' import "$NORTH"
grep -q '1 other SM-DPf has not acknowledged it yet' "$WORK/out" || die "$(cat "$WORK/out")"
expect 0 '  partly acknowledged, waiting since' reports --open
grep -q 'MISSING  SM-DPf 2.999.11: [1-9]' "$WORK/out" || die "who is missing? $(cat "$WORK/out")"
refused 'was imported before' "$NORTH"
refused 'has acknowledged loading-report 1 already' "$(acknowledge "$FIRST" --smdpf north)"
expect 0 '"report":[{]"id":"[^"]*","sequence":1,.*"waiting":0' import --json "$SOUTH"
expect 0 '"state":"acknowledged".*"receipt":"[^"]*".*"sequence":2,.*"state":"waiting"' reports --json
expect 0 'accepted [0-9]* of [0-9]* records about its BPPs; ask it which' import "$("$LAB" forge "$W" "$later" --out "$WORK/forged" --lie not-all)"
expect 0 'No report waits for a receipt' reports --open
"$STATION" export --data "$DATA" --to "$WORK/again" >/dev/null # about nobody's BPPs
expect 0 '^3 .*needs no receipt' reports --limit 1
grep -q 'older ones: --before 3$' "$WORK/out" || die "no page before: $(cat "$WORK/out")"
expect 0 '"reports":[[]{"id":"[^"]*","sequence":1,[^]]*[]]}[]]}$' reports --json --before 2
expect 2 'is not a number from 1 to 1000' reports --limit 0
expect 0 '"notAcknowledged":[{]"reports":0,"since":null' "$STATION" stock --data "$DATA" --json --check
[ "$("$STATION" log --data "$DATA" --json --kind report-acknowledged | wc -l)" = 3 ] || die "not three receipts in the log"
# An SM-DPf that the station takes nothing from any more.
rm -rf "$STICK"/station-c*
"$STATION" station-csr --data "$DATA" --to "$STICK" >/dev/null
"$LAB" authority "$W" --csr "$STICK"/station-csr-* --out "$STICK" --allow 2.999.10 >/dev/null
"$STATION" station-cert --data "$DATA" "$STICK"/station-cert-* >/dev/null
refused 'SM-DPf 2.999.11 is not on this station.s allow-list' "$(acknowledge "$FIRST" --smdpf south)"
expect 0 '"neverAcknowledged":0,' reports --json
echo "orders on the line: two steps, two SM-DPfs, two positions; reports acknowledged by both"
