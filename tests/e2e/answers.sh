#!/bin/sh
# A command whose answer could not be written does not end as if it had been;
# a station-cert and an import do not run at once.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 1 1
new_station "$DATA" "$STICK"
unheard() { # unheard CMD...
    rc=0
    "$@" >/dev/full 2>"$WORK/err" || rc=$?
    [ $rc = 3 ] || die "exit $rc with a full standard output: $*"
    grep -q 'answer could not be written' "$WORK/err" || die "not said: $(cat "$WORK/err")"
}
unheard "$STATION" stock --data "$DATA"
unheard "$STATION" log --data "$DATA" --all --json
unheard "$STATION" clock --data "$DATA"
unheard "$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK")"
unheard "$STATION" export --data "$DATA" --to "$STICK" --json
unheard "$LAB" verify "$W" "$(echo "$STICK"/loading-report-*)"
unheard "$VERIFY" "$(echo "$STICK"/loading-report-*)" --root "$W/dm/root.pem" --ci "$W/ci/root.pem"

# Scans that cannot be read are not the end of a shift.
mkdir -p "$BENCH"
ln -s "$CARDS/empty" "$BENCH/F1"
rc=0
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" <"$BENCH" >/dev/null 2>"$WORK/err" || rc=$?
[ $rc = 3 ] || die "exit $rc with a scanner that cannot be read"
grep -q 'start the line again' "$WORK/err" || die "not said: $(cat "$WORK/err")"
timeout 20 "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" <&- >/dev/null ||
    die "a closed standard input is not the end of the scans"

# Who is asked for the certificate again while an import is at work.
"$STATION" station-csr --data "$DATA" --to "$STICK" >/dev/null
"$LAB" authority "$W" --csr "$(echo "$STICK"/station-csr-*)" --out "$STICK" >/dev/null
flock -o "$DATA/import.lock" sleep 5 &
HOLDER=$!
PIDS="$PIDS $HOLDER"
wait_for 10 sh -c "! flock -n '$DATA/import.lock' true"
expect 4 'import is already at work' "$STATION" station-cert --data "$DATA" "$(echo "$STICK"/station-cert-*)"
kill $HOLDER
wait_for 10 flock -n "$DATA/import.lock" true
expect 0 'certificate 2' "$STATION" station-cert --data "$DATA" "$(echo "$STICK"/station-cert-*)"
echo "answers: none lost in silence"
