#!/bin/sh
# The loop: bundle in, four fixtures, report out, checked by the auditor and
# the SM-DPf; then a second visit that must take up where the first ended, and
# the same report again, byte for byte.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 10 3
new_station "$DATA" "$STICK"
B1=$(bundle "$DATA" "$STICK" --per-euicc 1)
expect 0 'imported bpp-bundle .*: 10 BPPs' "$STATION" import --data "$DATA" "$B1"
cards_start

all=$(eids)
first=$(echo "$all" | head -6)
rest=$(echo "$all" | tail -4)
line_run $first
[ "$(verdicts PASS)" = 6 ] || die "not 6 PASS: $(cat "$WORK/line.json")"

# A finished unit is neither PASS nor FAIL, and nothing changes.
line_run $(echo "$first" | head -2)
[ "$(verdicts 'ALREADY DONE')" = 2 ] || die "not ALREADY DONE: $(cat "$WORK/line.json")"

mkdir -p "$WORK/visit1" "$WORK/visit2" "$WORK/again"
"$STATION" export --data "$DATA" --to "$WORK/visit1" >"$WORK/export1.txt"
R1=$(echo "$WORK"/visit1/loading-report-*)
A1=$(echo "$WORK"/visit1/audit-log-*)
expect 0 'All that was asked holds' "$VERIFY" "$R1" "$A1" --root "$W/dm/root.pem" \
    --ci "$W/ci/root.pem" --bundle "$B1"
expect 0 '6' "$LAB" verify "$W" "$R1"

# The finished ones have had their keys deleted; the rest get a second BPP.
B2=$(bundle "$DATA" "$STICK" --per-euicc 1)
"$STATION" import --data "$DATA" "$B2" >/dev/null
line_run $rest
[ "$(verdicts PASS)" = 4 ] || die "not 4 PASS: $(cat "$WORK/line.json")"
"$STATION" export --data "$DATA" --to "$WORK/visit2" >"$WORK/export2.txt"
R2=$(echo "$WORK"/visit2/loading-report-*)
A2=$(echo "$WORK"/visit2/audit-log-*)

# Both visits together prove continuity; the second alone says what it lacks.
expect 0 'takes up where 1 ended' "$VERIFY" "$R2" "$A2" --root "$W/dm/root.pem" \
    --ci "$W/ci/root.pem" --bundle "$STICK" --previous "$WORK/visit1"
expect 0 'not proven .*was not given' "$VERIFY" "$R2" --root "$W/dm/root.pem" --ci "$W/ci/root.pem"
expect 0 '8' "$LAB" verify "$W" "$R2"
# Presented twice, a result is caught: one transactionId is reported once.
"$VERIFY" "$R2" --root "$W/ci/root.pem" --ci "$W/ci/root.pem" >/dev/null 2>&1 &&
    die "a report under the wrong root was accepted"

# Byte for byte.
id=${R1##*loading-report-}
"$STATION" export --data "$DATA" --to "$WORK/again" --again "$id" >/dev/null
diff -r "$R1" "$WORK/again/loading-report-$id" || die "the same report differs"

"$STATION" stock --data "$DATA" --check >/dev/null
echo "loop: two visits proven"
