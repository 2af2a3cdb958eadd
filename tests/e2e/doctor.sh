#!/bin/sh
# The doctor: a station that is well, one that works, one whose chain, file,
# mode, key, clock or certificate is not; what is plugged in. It says what is
# bad by exit code and name, and changes nothing.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

# check NAME VERDICT WORDS: in the last page, and its next step is there.
check() {
    line=$(grep "^{\"check\":\"$1\"," "$WORK/page") || die "$1 was not judged: $(cat "$WORK/page")"
    echo "$line" | grep -q "\"verdict\":\"$2\"" || die "not $2: $line"
    echo "$line" | grep -Eq "$3" || die "nothing like '$3': $line"
    [ "$2" = ok ] || ! echo "$line" | grep -q '"next":""' || die "no next step: $line"
}
page() { # page CODE [OPTION...]
    want=$1
    shift
    rc=0
    "$STATION" doctor --data "$DATA" --json "$@" >"$WORK/page" 2>"$WORK/err" </dev/null || rc=$?
    [ "$rc" = "$want" ] || die "exit $rc instead of $want: $(cat "$WORK/page" "$WORK/err")"
    [ ! -s "$WORK/err" ] || die "$(cat "$WORK/err")"
}
bad() { # bad NAME...: these and no others
    grep '"verdict":"bad"' "$WORK/page" | sed 's/^{"check":"\([a-z-]*\)".*/\1/' | tr '\n' ' ' >"$WORK/bad"
    [ "$(cat "$WORK/bad")" = "$*${*:+ }" ] || die "bad is: $(cat "$WORK/bad"), not: $*"
}
files() { (cd "$DATA" && for f in *; do [ -S "$f" ] || sha256sum "$f"; done); }

if [ -n "${USB_WORK:-}" ]; then # with a bus around us
    page 0
    check fixtures ok '4 slots of readers \(LEFT, 1-1.2, 1-1.3, 1-1.4\).*"slots":4'
    usb unplug 1-1.1 >/dev/null
    wait_for 10 sh -c "'$STATION' fixtures --data '$DATA' | grep -q 'LEFT.*nothing is plugged in'"
    page 0
    check fixtures warn 'nothing is plugged in at LEFT'
    exit 0
fi

new_world 3 2
"$STATION" init --data "$DATA" --root "$ROOT_SHA256" >/dev/null
page 0 --no-usb
check station-cert warn 'no certificate yet'
check key ok 'waits for its certificate'
rm -rf "$DATA"
new_station "$DATA" "$STICK"
B=$(bundle "$DATA" "$STICK")
"$STATION" import --data "$DATA" "$B" >/dev/null

# --- well ---------------------------------------------------------------------------

files >"$WORK/before"
page 0 --no-usb
files | diff "$WORK/before" - || die "the doctor changed a file"
for name in directory ledger books chain clock space key station-cert ci-roots smdp-certs export doubt line; do
    check $name ok '"next":""'
done
check chain ok '"events":3'
check smdp-certs ok '"daysLeft":1[78]'
! grep -q '"check":"fixtures"' "$WORK/page" || die "--no-usb still looks at USB"
"$STATION" doctor --data "$DATA" >"$WORK/text" || die "$(cat "$WORK/text")"
grep -q '^ok    chain  ' "$WORK/text" || die "$(cat "$WORK/text")"
grep -q '^\(ok\|warn\)  *fixtures  ' "$WORK/text" || die "$(cat "$WORK/text")"
grep -q ' 0 bad$' "$WORK/text" || die "$(cat "$WORK/text")"
expect 2 'no operands' "$STATION" doctor --data "$DATA" all
expect 2 'unknown option' "$STATION" doctor --data "$DATA" --repair
expect 1 'bad   directory .*No such file' "$STATION" doctor --no-usb --data "$WORK/nowhere"
[ ! -e "$WORK/nowhere" ] || die "the doctor made a directory"

# --- at work ------------------------------------------------------------------------

cards_start
mkfifo "$WORK/scan"
unit=$(eids | head -1)
fixture_put F1 "$unit"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json >"$WORK/line.json" &
RUN_PID=$!
PIDS="$PIDS $RUN_PID"
wait_for 20 grep -q '"event":"ready"' "$WORK/line.json"
printf 'F1\t%s\n' "$unit" >"$WORK/scan"
for i in 1 2 3 4 5; do # a load may be under way at any of them
    page 0
    check line ok "process $RUN_PID"
    check fixtures ok 'left alone'
    check doubt ok 'nothing is unresolved'
done
wait_for 60 grep -q '"event":"verdict"' "$WORK/line.json"
[ "$(verdicts PASS)" = 1 ] || die "not loaded: $(cat "$WORK/line.json")"
kill $RUN_PID
wait $RUN_PID || die "lineside run ended with $?"
page 0 --no-usb
check line ok 'no line is running'
check export warn 'lineside export'
"$STATION" export --data "$DATA" --to "$STICK" >/dev/null
page 0 --no-usb
check export ok 'has been exported'
check reports ok '1 loading-report is to be acknowledged.*"unacknowledged":1,"oldestDays":0'
expect 2 'receipt-days takes a number from 0 to 3650' "$STATION" doctor --data "$DATA" --receipt-days soon

# --- not well: each by itself, on a copy ----------------------------------------------

DATA=$WORK/copy
sick() { # sick: a fresh copy of the station
    rm -rf "$DATA"
    cp -a "$WORK/station" "$DATA"
}
sick
chmod 770 "$DATA"
page 1 --no-usb
bad directory
sick
chmod 644 "$DATA/station.key"
page 1 --no-usb
bad key

# Somebody changed what an event says, everywhere that it stands.
sick
sed -i 's/station-initialised/station-initialized/g' "$DATA/ledger.db"
page 1 --no-usb
bad chain
check chain bad 'event 1'
expect 1 'bad   chain' "$STATION" doctor --no-usb --data "$DATA"

# Octets of the file itself.
sick
pages=$(($(wc -c <"$DATA/ledger.db") / 4096))
n=8
while [ $n -lt $pages ]; do
    printf 'junk junk junk junk' | dd of="$DATA/ledger.db" bs=4096 seek=$n conv=notrunc 2>/dev/null
    n=$((n + 1))
done
page 1 --no-usb
check ledger bad 'damaged'
sick
echo "no ledger at all, and longer than a header: $(seq 100)" >"$DATA/ledger.db"
page 1 --no-usb
bad ledger

# Time: behind, stood still, and five years on with a person's word for it.
sick
"${CC:-gcc}" -shared -fPIC -O1 -o "$WORK/shim.so" tests/e2e/clock_shim.c
on_day() { # on_day DAYS: the machine's clock is that far off
    LINESIDE_CLOCK_DAYS=$1
    LD_PRELOAD=$WORK/shim.so
    export LINESIDE_CLOCK_DAYS LD_PRELOAD
}
(on_day -2 && page 1 --no-usb && bad clock)
(on_day 20 && page 0 --no-usb && check reports warn '1 loading-report not acknowledged, the oldest for 20 days.*reports --open' &&
    page 0 --no-usb --receipt-days 30 && check reports ok '"oldestDays":20')
(on_day 40 && page 0 --no-usb && check clock warn 'clock --confirm' && check station-cert ok .)
(
    on_day 1810
    page 0 --no-usb
    check station-cert ok . # not before the ledger goes by that clock
    "$STATION" clock --data "$DATA" --confirm >/dev/null
    page 0 --no-usb
    check station-cert warn 'in 1[0-9] days'
    on_day 1830
    page 1 --no-usb
    bad station-cert smdp-certs
    check station-cert bad "the station's certificate expired"
    check clock ok 'believed'
)

# --- what is plugged in -----------------------------------------------------------------

if why=$("$LAB" usb --check); then
    sick
    "$STATION" fixtures --data "$DATA" label 1-1.1 LEFT
    rm -rf "$WORK/station"
    mv "$DATA" "$WORK/station"
    on_usb tests/e2e/doctor.sh --readers 4 >"$WORK/usb.log" 2>&1 || die "on a bus: $(tail -5 "$WORK/usb.log")"
else
    echo "SKIP: what is plugged in: $why"
fi
echo "doctor: well, at work, and each illness by its name"
