#!/bin/sh
# The whole loop on one desk: a fresh world of 12 eUICCs, one damaged and one
# wearing the wrong barcode, four bench fixtures, and a signed report out.
set -eu
cd "$(dirname "$0")/.."
. tests/lib.sh

say() { printf '\n== %s\n' "$*"; }

say "A fresh world: eSIM CA, EUM, SM-DPf, Device Manufacturer, 12 eUICCs with 2 one-time keys each"
new_world 12 2
say "A new station asks for its certificate, and the authority answers"
new_station "$DATA" "$STICK"
say "The SM-DPf binds one profile to one key of each eUICC; the stick is carried in"
B=$(bundle "$DATA" "$STICK" --per-euicc 1)
"$STATION" import --data "$DATA" "$B"

# Units as they come down the line: barcode, then the eUICC that is really in
# the box. The third chip is dead; the seventh unit wears the eighth's label.
eids >"$WORK/eids"
dead=$(sed -n 3p "$WORK/eids")
other=$(sed -n 8p "$WORK/eids")
awk -v other="$other" 'NR == 7 { print other "\t" $0; next } { print $0 "\t" $0 }' \
    "$WORK/eids" >"$WORK/units"

say "Four fixtures, all at once"
cards_start --damaged "$dead"
mkfifo "$WORK/scan" "$WORK/verdicts"
mkdir -p "$BENCH"
for f in F1 F2 F3 F4; do # empty: links to nothing yet
    ln -s - "$BENCH/$f"
done
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json \
    >"$WORK/verdicts" 2>"$WORK/run.log" &
RUN_PID=$!
PIDS="$PIDS $RUN_PID"
"$LAB" rig "$W" --bench "$BENCH" --cards "$CARDS" --units "$WORK/units" \
    --scan "$WORK/scan" --verdicts "$WORK/verdicts" --fixtures 4
kill "$RUN_PID"
wait "$RUN_PID" || die "lineside run: $(cat "$WORK/run.log")"

say "The balance"
"$STATION" stock --data "$DATA" --check

say "The signed report leaves on the stick"
"$STATION" export --data "$DATA" --to "$STICK"
REPORT=$(echo "$STICK"/loading-report-*)

say "The auditor: openssl's library and nothing else of ours"
"$VERIFY" "$REPORT" --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --bundle "$B"
say "The SM-DPf checks the report and tells the MSP"
"$LAB" verify "$W" "$REPORT"

# The last line, counted from the ledger and from both verifiers.
"$STATION" stock --data "$DATA" --json >"$WORK/stock.json"
"$VERIFY" --json "$REPORT" --root "$W/dm/root.pem" --ci "$W/ci/root.pem" \
    --bundle "$B" >"$WORK/verify.json"
"$LAB" verify "$W" --json "$REPORT" >"$WORK/smdpf.json"
total() { sed 's/.*"total"://; s/}.*//' "$WORK/stock.json" | json_sum "$1"; }
installed=$(total installed)
# Refused units: those whose eUICC failed, and those stopped before a load.
refused=$("$STATION" log --data "$DATA" --all --json |
    grep -c '"kind":"\(failure\|unit-not-loaded\)"')
lost=$(($(total received) - installed - $(total in-stock) - $(total failed) - $(total voided)))
[ "$installed" = "$(json_sum installed <"$WORK/verify.json")" ] ||
    die "the auditor counts otherwise: $(cat "$WORK/verify.json")"
[ "$installed" = "$(json_sum installed <"$WORK/smdpf.json")" ] ||
    die "the SM-DPf counts otherwise: $(cat "$WORK/smdpf.json")"
echo
echo "demo: $installed installed, $refused refused, $lost lost, report verified"
