#!/bin/sh
# A factory that stood still for over 30 days: the machine's clock is not
# believed until a line engineer confirms it. What is refused meanwhile says so
# and how to go on; a clock that is behind cannot be confirmed; what was
# imported in time is still loaded after its not-after.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

"${CC:-gcc}" -shared -fPIC -O1 -o "$WORK/shim.so" tests/e2e/clock_shim.c
on_day() { # on_day DAYS CMD...: CMD lives that many days from now
    d=$1
    shift
    env LD_PRELOAD="$WORK/shim.so" LINESIDE_CLOCK_DAYS="$d" "$@"
}
believed() { # believed DAYS true|false
    on_day "$1" "$STATION" clock --data "$DATA" --json >"$WORK/clock.json"
    grep -q "\"believed\":$2" "$WORK/clock.json" || die "not $2: $(cat "$WORK/clock.json")"
}
events() { "$STATION" log --data "$DATA" --all --json | wc -l; }

# All of the past happens on one day, today; the future is where things go on.
new_world 2 2
new_station "$DATA" "$STICK"
SHORT=$(bundle "$DATA" "$WORK/short" --valid-days 0 --count 1)
sleep 1.1
GOOD=$(bundle "$DATA" "$STICK" --valid-days 10 --count 1)
"$STATION" import --data "$DATA" "$GOOD" >/dev/null

believed 0 true
believed 29 true
believed 31 false
believed -1 false
n=$(events)
expect 0 'machine.s clock is believed' "$STATION" clock --data "$DATA" --confirm
[ "$(events)" = "$n" ] || die "a clock that was believed anyway got an event"

# Within the month: time goes by the machine's clock.
expect 1 'was to be imported by' on_day 20 "$STATION" import --data "$DATA" "$SHORT"
grep -q 'clock.*not believed' "$WORK/err" && die "a clock that is believed was blamed"

# After it: not believed, and every place says what to do.
expect 0 'not believed.*lineside clock' on_day 40 "$STATION" stock --data "$DATA"
expect 0 'clock --confirm' on_day 40 "$STATION" clock --data "$DATA"
expect 1 'not believed.*see .lineside clock' on_day -3 "$STATION" import --data "$DATA" "$SHORT"
expect 0 'behind the ledger. Set it' on_day -3 "$STATION" clock --data "$DATA"
expect 1 'set the clock, then confirm' on_day -3 "$STATION" clock --data "$DATA" --confirm
[ "$(events)" = "$n" ] || die "what was refused left an event"

# Confirmed: from then on it is the ledger's time too.
expect 0 'is confirmed' on_day 40 "$STATION" clock --data "$DATA" --confirm
"$STATION" log --data "$DATA" --kind clock-confirmed --json >"$WORK/log.json"
grep -q '"actor":"engineer".*"floor-before"' "$WORK/log.json" || die "not logged: $(cat "$WORK/log.json")"
believed 40 true
believed 69 true
believed 71 false
believed 0 false
FRESH=$(on_day 40 "$LAB" bind "$W" --station "$(key_id "$DATA")" --out "$STICK" --eid "$(eids | tail -1)" | sed -n 's/^bpp-bundle *//p')
expect 0 'imported bpp-bundle' on_day 40 "$STATION" import --data "$DATA" "$FRESH"

# Made over a day ahead of a confirmed clock.
AHEAD=$(on_day 42 "$LAB" bind "$W" --station "$(key_id "$DATA")" --out "$STICK" --eid "$(eids | tail -1)" | sed -n 's/^bpp-bundle *//p')
expect 1 "set the station's clock" on_day 40 "$STATION" import --data "$DATA" "$AHEAD"
expect 0 'imported bpp-bundle' on_day 42 "$STATION" import --data "$DATA" "$AHEAD"

# The bundle of ten days is thirty days over, and is loaded.
cards_start
unit=$(eids | head -1)
fixture_put F1 "$unit"
printf 'F1\t%s\n' "$unit" >"$WORK/scans"
on_day 42 "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" --json >"$WORK/line.json"
[ "$(verdicts PASS)" = 1 ] || die "not loaded: $(cat "$WORK/line.json")"
"$STATION" stock --data "$DATA" --check >/dev/null
on_day 42 "$STATION" export --data "$DATA" --to "$STICK" >/dev/null
expect 0 'All that was asked holds' "$VERIFY" "$(echo "$STICK"/loading-report-*)" \
    --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --bundle "$GOOD" --previous "$STICK"

# At the running line: the same word, by its socket.
LD_PRELOAD="$WORK/shim.so" LINESIDE_CLOCK_DAYS=80 line_start
"$STATION" ctl --data "$DATA" ask about | grep -q '"believed":false' || die "it is believed on day 80"
"$STATION" ctl --data "$DATA" ask clock-confirm | grep -q '"believed":true,"confirmedNow":true' || die "it was not confirmed"
"$STATION" ctl --data "$DATA" ask about | grep -q '"believed":true,"confirmedNow":false' || die "it is not believed"
line_stop
[ "$("$STATION" log --data "$DATA" --kind clock-confirmed --json | wc -l)" = 2 ] || die "not logged"
echo "clock: believed for 30 days, then on a person's word only"
