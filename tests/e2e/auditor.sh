#!/bin/sh
# docs/auditor.md: every command printed there, on true containers and on
# tampered ones. Then every lie that a station can sign (lineside-lab
# forge-report --list): lineside-verify says what is wrong, exit code 1.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

TOP=$PWD
PATH=$TOP/$BIN:$PATH

# --- one station with two visits, another with one ------------------------------

new_world 7 1
mkdir -p "$WORK/visit1" "$WORK/visit2" "$WORK/other" "$WORK/stick2" "$WORK/shift"
new_station "$DATA" "$STICK"
new_station "$WORK/station2" "$WORK/stick2"
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
BUNDLE=$(bundle "$DATA" "$STICK" --eid "$1" "$2" "$3" "$4" "$5")
BUNDLE2=$(bundle "$WORK/station2" "$WORK/stick2" --eid "$6" "$7")
"$STATION" import --data "$DATA" "$BUNDLE" >/dev/null
"$STATION" import --data "$WORK/station2" "$BUNDLE2" >/dev/null
cards_start
"$STATION" shift open --data "$DATA" >/dev/null
line_run "$1" "$2"
"$STATION" shift close --data "$DATA" --to "$WORK/shift" >/dev/null
"$STATION" export --data "$DATA" --to "$WORK/visit1" >/dev/null
line_run "$3" "$4"
"$STATION" export --data "$DATA" --to "$WORK/visit2" >/dev/null
(DATA=$WORK/station2 line_run "$6")
"$STATION" export --data "$WORK/station2" --to "$WORK/other" >/dev/null

RECEIPT=$("$LAB" acknowledge "$W" "$WORK"/visit1/loading-report-* --out "$WORK" | sed -n 's/^report-receipt *//p')
PREVIOUS=$WORK/visit1
REPORT=$(echo "$WORK"/visit1/loading-report-*)
AUDIT=$(echo "$WORK"/visit1/audit-log-*)
REPORT2=$(echo "$WORK"/visit2/loading-report-*)
AUDIT2=$(echo "$WORK"/visit2/audit-log-*)
SHIFT=$(echo "$WORK"/shift/shift-record-*)
OTHER=$(echo "$WORK"/other/loading-report-*)
ROOT=$W/dm/root.pem
CI=$W/ci/root.pem
export PREVIOUS BUNDLE SHIFT RECEIPT REPORT AUDIT REPORT2 AUDIT2 ROOT CI PATH

# --- what the document prints ---------------------------------------------------

# run NAME...: these fenced blocks, one after the other, in an empty folder.
run() {
    rm -rf "$WORK/desk"
    mkdir "$WORK/desk"
    for name; do
        awk -v open="\`\`\`sh $name" '$0 == "```" { on = 0 } on { print }
            $0 == open { on = 1; found = 1 }
            END { exit !found }' docs/auditor.md || die "docs/auditor.md has no block $name"
    done >"$WORK/desk.sh"
    (cd "$WORK/desk" && sh -eu "$WORK/desk.sh" >"$WORK/desk.out" 2>&1 </dev/null)
}
holds() { run "$@" || die "docs/auditor.md, $*: $(cat "$WORK/desk.out")"; }
fails() {
    if run "$@"; then die "tampered, and docs/auditor.md does not see it ($*)"; fi
}

all="signer hashes events euicc verify visits previous shift receipt"
# shellcheck disable=SC2086 # a list of names
holds $all
[ "$(grep -c '^```sh' docs/auditor.md)" = "$(echo $all | wc -w)" ] ||
    die "docs/auditor.md has a block that is not run here"
grep -q "serialNumber = $1\|serialNumber = $2" "$WORK/desk.out" || die "no EID in: $(cat "$WORK/desk.out")"

# Where the first and second event end.
run signer events
set -- $(awk 'NR < 3 { print $1 + $2 }' "$WORK/desk/events.txt")
tampered() { # tampered CONTAINER: a copy to spoil
    rm -rf "$WORK/tampered"
    mkdir "$WORK/tampered"
    cp -r "$1" "$WORK/tampered/"
    echo "$WORK/tampered/${1##*/}"
}
flip() { # flip FILE AT: one bit
    octet=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059 # an octet in octal
    printf "\\$(printf %03o $((octet ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
true_report=$REPORT true_audit=$AUDIT

REPORT=$(tampered "$true_report")
flip "$REPORT/segment-00001.der" 100
holds signer
fails signer hashes
REPORT=$(tampered "$true_report")
flip "$REPORT/manifest.cms" 300
fails signer
# The last octet of the first record is the eUICC's signature's.
REPORT=$(tampered "$true_report")
last=$(openssl asn1parse -inform DER -in "$REPORT/segment-00001.der" |
    awk -F'[= ]+' 'NR == 1 { sub(/.*hl=/, ""); print $1 + $3 - 1 }')
flip "$REPORT/segment-00001.der" "$last"
fails signer euicc
REPORT=$true_report

AUDIT=$(tampered "$true_audit")
log=$AUDIT/segment-00001.der
{ head -c "$1" "$true_audit/segment-00001.der"
    tail -c +$(($2 + 1)) "$true_audit/segment-00001.der"; } >"$log"
fails signer hashes
fails signer events
{ tail -c +$(($1 + 1)) "$true_audit/segment-00001.der" | head -c $(($2 - $1))
    head -c "$1" "$true_audit/segment-00001.der"
    tail -c +$(($2 + 1)) "$true_audit/segment-00001.der"; } >"$log"
[ "$(wc -c <"$log")" = "$(wc -c <"$true_audit/segment-00001.der")" ] || die "not swapped"
fails signer events
AUDIT=$true_audit
fails_previous() { REPORT=$OTHER; fails previous; REPORT=$true_report; }
fails_previous
# A receipt: for another report, for another file of the same name, signed by
# the SM-DPf's other certificate, by a station.
true_receipt=$RECEIPT
REPORT=$REPORT2
fails receipt
REPORT=$(tampered "$true_report")
flip "$REPORT/manifest.cms" 300
fails receipt
REPORT=$true_report
for by in "$(sed -n 's/.*"name": *"\([^"]*\)".*/smdpf\/\1\/dppb/p' "$W/world.json" | head -1)" dm/order; do
    RECEIPT=$("$LAB" forge "$W" "$true_receipt" --out "$WORK" --lie same-bpp --signer "$by")
    fails receipt
done
RECEIPT=$true_receipt

# --- what lineside-verify says of lies ------------------------------------------

verify() { # verify CODE WORDS OPTION...
    code=$1 words=$2
    shift 2
    expect "$code" "$words" "$VERIFY" --root "$ROOT" --ci "$CI" "$@"
}

verify 0 'report-receipt .* signed by 2.999.10, whose certificate may sign this kind' "$RECEIPT"
verify 0 'not proven .*what it acknowledges, loading-report 1' "$RECEIPT"
verify 0 'proven .*SM-DPf 2.999.10 received this loading-report 1' "$RECEIPT" "$REPORT"
grep -q 'not proven .* of [1-9]* records accepted: the SM-DPf says so' "$WORK/out" || die "$(cat "$WORK/out")"
receipt_lie() { # receipt_lie NAME WORDS: of a receipt that tells it
    verify 1 "BROKEN .*$2" "$("$LAB" forge "$W" "$RECEIPT" --out "$WORK" --lie "$1")" "$REPORT"
}
receipt_lie other-digest 'received another file than this loading-report 1'
receipt_lie more-records 'counts [0-9]* records about its BPPs, the report has'

# Each lie once, against everything an auditor may have.
while read -r kind lie words; do
    forged=$WORK/forged/$kind-$lie
    mkdir -p "$forged"
    "$LAB" forge-report "$(echo "$WORK"/visit2/"$kind"-*)" --data "$DATA" --lie "$lie" \
        --from "$OTHER" --out "$forged" >/dev/null
    case $kind in
    loading-report) true_one=$AUDIT2 ;;
    audit-log) true_one=$REPORT2 ;;
    esac
    verify 1 "BROKEN .*$words|MISSING .*$words" "$forged/$kind"-* "$true_one" --bundle "$BUNDLE" \
        --previous "$WORK/visit1" --previous "$WORK/other"
    grep -q '^NOT EVERYTHING HOLDS' "$WORK/out" || die "$lie: no last word"
    echo "$kind $lie"
done >"$WORK/told" <<'LIES'
loading-report drop-record installed went from 2 to 4, but the records say 1 more
loading-report hide-result \(result\) is in the audit-log, and the report hides it
loading-report double-record a record is doubled
loading-report double-result has two results
loading-report borrow-result is not in bundle .*, which its record names
loading-report more-installed installed went from 2 to 5, but the records say 2 more
loading-report bundle-twice stands twice in the totals
loading-report other-bundle the report speaks of another manifest
loading-report forget-bundle which is not in the totals
loading-report edit-evidence not signed by this eUICC
loading-report other-witness not signed by this eUICC
loading-report other-station it is from LS-another, but LS-[0-9a-f]+ signed it
loading-report sequence-gap its number is not the next
loading-report no-previous names none before it, but is not number 1
loading-report other-previous names another manifest before it
loading-report late-start its events are not the next ones
loading-report other-head is not the one that the report's chain of events has
audit-log other-station it is from LS-another, but LS-[0-9a-f]+ signed it
audit-log sequence-gap its number is not the next
audit-log no-previous names none before it, but is not number 1
audit-log other-previous names another manifest before it
audit-log other-head do not end at the head the manifest names
audit-log drop-event event [0-9]+ follows event [0-9]+
audit-log swap-events event [0-9]+ follows event [0-9]+
audit-log edit-event names another event before it
audit-log rewrite-event is not the one that the report's chain of events has
audit-log cut-end no audit-log given reaches event
audit-log no-events the last event is [0-9]+, the manifest says
LIES
# Those about shifts: tests/e2e/shift.sh.
"$LAB" forge-report --list | grep -v '^shift-record ' | sort >"$WORK/lies"
sort "$WORK/told" | diff "$WORK/lies" - >&2 || die "a lie was not told"
lies=$(wc -l <"$WORK/lies")

# The borrowed result is seen by each of these alone.
borrowed=$(echo "$WORK"/forged/loading-report-borrow-result/*)
verify 1 'BROKEN .*is reported in .* too' "$borrowed" --previous "$WORK/other" --previous "$WORK/visit1"
verify 1 'BROKEN .*the audit-log knows nothing of it' "$borrowed" "$AUDIT2"
# Two reports of one number.
verify 1 'BROKEN .*another loading-report of the same number 2' "$REPORT2" \
    --previous "$WORK/forged/loading-report-hide-result" --previous "$WORK/visit1"
# A report that another station's certificate cannot have signed.
expect 1 'station2 did not sign' "$LAB" forge-report "$REPORT" --data "$WORK/station2" \
    --lie drop-record --out "$WORK/forged"

# --- what was asked, and what was not --------------------------------------------

verify 0 'not proven .*\(--bundle\)' "$REPORT2"
grep -q 'not proven .*(--previous)' "$WORK/out" || die "$(cat "$WORK/out")"
grep -q 'not proven .*hides a record is not seen' "$WORK/out" || die "$(cat "$WORK/out")"
verify 1 'MISSING .*\(--previous\)' "$REPORT2" --previous "$WORK/other"
verify 1 'MISSING .*\(--previous\)' "$REPORT2" --previous "$AUDIT"
verify 1 'MISSING .*\(--bundle\)' "$REPORT2" --bundle "$BUNDLE2"
grep -q "not proven  bundle ${BUNDLE2##*bundle-} is not in the totals" "$WORK/out" || die "$(cat "$WORK/out")"
verify 1 'MISSING .*no audit-log given reaches' "$REPORT2" "$AUDIT"
verify 0 'All that was asked holds' "$REPORT2" "$AUDIT2" "$REPORT" "$AUDIT" --bundle "$BUNDLE"
verify 1 '"holds":false.*"finding":"missing"' --json "$REPORT2" --previous "$WORK/other"
verify 0 '"holds":true' --json "$REPORT2" --previous "$WORK/visit1"
verify 1 'BROKEN .*[Cc]ertificate|BROKEN .*root' "$REPORT" --root "$CI" --at 20500101000000Z
expect 1 BROKEN "$VERIFY" "$REPORT" --root "$CI" --ci "$CI"
expect 1 BROKEN "$VERIFY" "$REPORT" --root "$ROOT" --ci "$ROOT"
expect 1 'expire|time' "$VERIFY" "$REPORT" --root "$ROOT" --ci "$CI" --at 20990101000000Z
expect 2 usage "$VERIFY" "$REPORT" --root "$ROOT"
expect 3 'not a certificate' "$VERIFY" "$REPORT" --root "$WORK/none" --ci "$CI"
expect 3 'MISSING .*none' "$VERIFY" "$WORK/none" --root "$ROOT" --ci "$CI"

# A bundle whose segment was changed proves nothing.
B=$(tampered "$BUNDLE")
flip "$B/segment-00001.der" 2000
verify 1 'BROKEN .*bpp-bundle.*segment-00001' "$REPORT" --bundle "$B"

echo "auditor: docs/auditor.md holds, $lies lies told and found"
