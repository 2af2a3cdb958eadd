#!/bin/sh
# The emulated bus for unmodified programs: a bare libusb client sees devices
# come and go, speaks to readers and scanners, and whatever way it ends nothing
# is left on the machine.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

if [ -n "${USB_WORK:-}" ]; then # with a bus around us
    client=$WORK/client
    eid=$(eids)
    says() { wait_for 10 grep -q "$2" "$1"; }

    "$client" list | sort >"$WORK/list"
    for want in '^1 1d6b:0002 9' '^1-1 .* 9$' '^1-1\.1 .* 11$' '^1-1\.8 .* 11$' '^1-2\.1 .* 11$' '^9-1\.1 .* 3$'; do
        grep -q "$want" "$WORK/list" || die "no $want on the bus: $(cat "$WORK/list")"
    done

    # A card, 2000 round trips, and the device again after it was closed.
    usb insert 1-1.2 "$eid"
    "$client" ccid 1-1.2 2000
    "$client" ccid 1-1.1 0 | grep -q 'no card' || die "a card in an empty reader"
    "$client" cancel 1-1.2 | grep -qx cancelled || die "not cancelled"

    # A reader is pulled under a transfer; its hub comes back.
    "$client" watch 3 >"$WORK/watch" &
    watcher=$!
    "$client" pulled 1-1.1 >"$WORK/pulled" &
    pulled=$!
    says "$WORK/watch" watching
    says "$WORK/pulled" waiting
    usb unplug 1-1.1 | grep -qx 'unplugged 1'
    wait $pulled
    grep -qx 'no device' "$WORK/pulled" || die "pulled: $(cat "$WORK/pulled")"
    usb plug 1-1 | grep -qx 'plugged 1'
    usb unplug 1-2.1 >/dev/null
    wait $watcher
    grep -o '^[a-z]* [0-9.-]*' "$WORK/watch" | tr '\n' ';' |
        grep -qx 'gone 1-1.1;come 1-1.1;gone 1-2.1;' || die "$(cat "$WORK/watch")"
    "$client" ccid 1-1.2 0 | grep -q ATR || die "the card did not stay in its reader"

    # A whole hub, and what is said when words are wrong.
    usb unplug 1-1 | grep -qx 'unplugged 8'
    [ "$("$client" list | grep -c '^1-1')" = 0 ] || die "a hub that is gone is still listed"
    usb plug 1-1 | grep -qx 'plugged 8'
    usb list | grep -qx "reader 1-1.2 short plugged $eid" || die "$(usb list)"
    expect 1 'nothing stands' "$LAB" usb-ctl "$LINESIDE_USB" unplug 1-7.7
    expect 1 'no request' "$LAB" usb-ctl "$LINESIDE_USB" explode
    expect 1 "holds eUICC|is in 1-1.2" "$LAB" usb-ctl "$LINESIDE_USB" insert 1-1.3 "$eid"

    # A scanner, taken from the kernel's driver and given back.
    "$client" hid 9-1.1 16 >"$WORK/hid" &
    hid=$!
    says "$WORK/hid" listening
    usb scan 9-1.1 A1
    wait $hid || die "the scanner: $(cat "$WORK/hid")"

    # A program killed with a transfer under way leaves the device free.
    "$client" pulled 1-1.4 >"$WORK/pulled" &
    pulled=$!
    says "$WORK/pulled" waiting
    kill -9 $pulled
    wait $pulled 2>/dev/null || :
    "$client" ccid 1-1.4 1 >/dev/null || die "a killed program keeps its reader"
    exit 7
fi

need_usb
${CC:-gcc} -O1 -o "$WORK/client" tests/e2e/usb_client.c -lusb-1.0
new_world 1 1
cat /proc/mounts >"$WORK/mounts"
ls /dev >"$WORK/dev"
untouched() {
    diff "$WORK/mounts" /proc/mounts || die "mounts have leaked"
    ls /dev | diff "$WORK/dev" - || die "/dev is not as it was"
    [ ! -e "$WORK/usb" ] || [ "${1:-}" = killed ] || die "the socket is left"
}

rc=0
on_usb tests/e2e/usb_bus.sh --readers 9 --scanners 1 || rc=$?
[ $rc = 7 ] || die "exit $rc, not the command's own 7"
untouched

# Ended by a signal, killed, or without a command: nothing is left either.
"$LAB" usb --control "$WORK/usb" -- sh -c 'sleep 1000 & echo $$ >"$0/pid"; trap "exit 9" TERM; wait' "$WORK" &
pid=$!
PIDS="$PIDS $pid"
wait_for 10 test -s "$WORK/pid"
kill $pid
rc=0
wait $pid || rc=$?
[ $rc = 9 ] || die "after SIGTERM: exit $rc, not the command's own 9"
untouched
left() { ps -eo args | grep -q '^sleep 100[01]'; }
rm "$WORK/pid"
"$LAB" usb -- sh -c 'sleep 1001 & echo $$ >"$0/pid"; wait' "$WORK" &
pid=$!
PIDS="$PIDS $pid"
wait_for 10 test -s "$WORK/pid"
kill -9 $pid
wait $pid 2>/dev/null || :
wait_for 5 sh -c '! ps -eo args | grep "^sleep 100[01]"'
untouched killed
expect 127 'cannot start' "$LAB" usb -- "$WORK/none"
expect 2 'which command' "$LAB" usb --readers 2
expect 2 'no level' "$LAB" usb --levels short,long -- true
untouched
echo "usb_bus: $(wc -l <"$WORK/list") devices, an unmodified libusb, nothing left behind"
