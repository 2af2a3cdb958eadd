#!/bin/sh
# The emulated readers judged by drivers that are not ours: Debian's pcscd and
# libccid, unmodified, on the emulated bus; each exchange level, the protocols
# at TPDU level one by one. Over PC/SC the software eUICC opens its ISD-R and
# says its EID.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

isd_r=A0000005591010FFFFFFFF8900000100
levels=short,extended,tpdu-t0,tpdu-t1

if [ -n "${USB_WORK:-}" ]; then # with a bus around us
    eid=$(eids)
    # Ours: the bus came with a /run of its own. No readers but those of USB.
    mkdir -p /run/pcscd "$WORK/readers"
    pcscd --foreground --debug --apdu --config "$WORK/readers" >"$WORK/pcscd.log" 2>&1 &
    PIDS=$!
    wait_for 20 test -S /run/pcscd/pcscd.comm
    cat >"$WORK/commands" <<END
80AA00000AA9088100820101830107
0070000001
01A4040010$isd_r
81E2910006BF3E035C015A
81E2910003BF2200
81E2910003BF5600
END
    place=0
    for level in $(echo $levels | tr , ' '); do
        place=$((place + 1))
        protocol=T=0
        [ $level != tpdu-t1 ] || protocol=T=1
        usb insert 1-1.$place "$eid"
        "$WORK/client" $protocol <"$WORK/commands" >"$WORK/answers" 2>"$WORK/err" ||
            die "$level: $(cat "$WORK/err" "$WORK/answers"; tail -40 "$WORK/pcscd.log")"
        usb counters 1-1.$place >"$WORK/counters"
        usb remove 1-1.$place
        for want in '^9000$' '^019000$' "^6F1E8410$isd_r.*9000$" "^BF3E125A10${eid}9000$" '^BF22.*9000$' '^BF5682.*9000$'; do
            grep -q "$want" "$WORK/answers" || die "$level: no answer $want: $(cat "$WORK/answers")"
        done
        echo "$level, $protocol: $(head -1 "$WORK/answers"), $(tr '\n' ' ' <"$WORK/counters")"
    done
    exit 0
fi

command -v pcscd >/dev/null || skip "pcscd is not installed"
[ -e /usr/lib/pcsc/drivers/ifd-ccid.bundle ] || skip "libccid is not installed"
pkg-config --exists libpcsclite 2>/dev/null || skip "libpcsclite-dev is not installed"
need_usb
# shellcheck disable=SC2046 # several words on purpose
${CC:-gcc} -O1 -o "$WORK/client" tests/e2e/pcsc_client.c $(pkg-config --cflags --libs libpcsclite)
new_world 1 2
# libccid takes readers by vendor and product alone; for this one it has no
# special ways.
on_usb tests/e2e/usb_pcscd.sh --vid-pid 09c3:0013 --readers 4 --levels $levels
echo "usb_pcscd: pcscd and libccid of Debian speak to $levels"
