# tests/demo-steps.sh: what both demos do: the embedded bench's (demo.sh) and
# the USB bus's (demo-usb.sh). Source it after tests/lib.sh.
# shellcheck shell=sh disable=SC2034 # names for who sources it

say() { printf '\n== %s\n' "$*"; }

# A world, a station with its stock, and twelve units of which two are bad:
# $dead is a damaged eUICC, and one unit wears its neighbour's barcode.
demo_begin() {
    say "A fresh world: eSIM CA, EUM, SM-DPf, Device Manufacturer, 12 eUICCs with 2 one-time keys each"
    new_world 12 2
    say "A new station asks for its certificate, and the authority answers"
    new_station "$DATA" "$STICK"
    say "The SM-DPf binds one profile to one key of each eUICC; the stick is carried in"
    B=$(bundle "$DATA" "$STICK" --per-euicc 1)
    "$STATION" import --data "$DATA" "$B"

    # Units as they come down the line: barcode, then the eUICC that is really
    # in the box. The third chip is dead; the seventh unit wears the eighth's
    # label.
    eids >"$WORK/eids"
    dead=$(sed -n 3p "$WORK/eids")
    other=$(sed -n 8p "$WORK/eids")
    awk -v other="$other" 'NR == 7 { print other "\t" $0; next } { print $0 "\t" $0 }' \
        "$WORK/eids" >"$WORK/units"
}

# demo_line STATION-OPTION... -- RIG-OPTION...: the line runs, the robot plays
# its operators with four fixtures.
demo_line() {
    options=
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    mkfifo "$WORK/verdicts"
    # shellcheck disable=SC2086 # words without blanks
    "$STATION" run --data "$DATA" $options --json >"$WORK/verdicts" 2>"$WORK/run.log" &
    RUN_PID=$!
    PIDS="$PIDS $RUN_PID"
    # The robot leaves before the station has said its last word.
    exec 3<"$WORK/verdicts"
    "$LAB" rig "$W" --units "$WORK/units" --verdicts "$WORK/verdicts" --fixtures 4 "$@"
    kill "$RUN_PID"
    wait "$RUN_PID" || die "lineside run: $(cat "$WORK/run.log")"
    exec 3<&-
}

# The balance, the signed report, both verifiers, and the last line, counted
# from the ledger and from them.
demo_end() {
    say "The balance"
    "$STATION" stock --data "$DATA" --check

    say "The signed report leaves on the stick"
    "$STATION" export --data "$DATA" --to "$STICK"
    REPORT=$(echo "$STICK"/loading-report-*)

    say "The auditor: openssl's library and nothing else of ours"
    "$VERIFY" "$REPORT" --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --bundle "$B"
    say "The SM-DPf checks the report and tells the MSP"
    "$LAB" verify "$W" "$REPORT"

    "$STATION" stock --data "$DATA" --json >"$WORK/stock.json"
    "$VERIFY" --json "$REPORT" --root "$W/dm/root.pem" --ci "$W/ci/root.pem" \
        --bundle "$B" >"$WORK/verify.json"
    "$LAB" verify "$W" --json "$REPORT" >"$WORK/smdpf.json"
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
}
total() { sed 's/.*"total"://; s/}.*//' "$WORK/stock.json" | json_sum "$1"; }
