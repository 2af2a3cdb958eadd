#!/bin/sh
# The demo over USB: the unmodified station finds four readers and a scanner
# by itself, on an emulated bus below /dev/bus/usb. No hardware, nothing
# preloaded.
set -eu
cd "$(dirname "$0")/.."
. tests/lib.sh
. tests/demo-steps.sh

if [ -n "${USB_WORK:-}" ]; then # with a bus around us
    say "What the station sees on the bus"
    # A scanner plays a keyboard: somebody has to say that it is none.
    "$STATION" fixtures --data "$DATA" scanner 9-1.1 --station
    "$STATION" fixtures --data "$DATA"
    say "Four readers, all at once"
    demo_line -- --usb "$LINESIDE_USB"
    exit 0
fi

need_usb
demo_begin
on_usb tests/demo-usb.sh --readers 4 --levels short,extended,tpdu-t0,tpdu-t1 --scanners 1 --damaged "$dead"
demo_end
