#!/bin/sh
# pcscd.sh: the software eUICC in vsmartcard's virtual reader under Debian's
# pcscd, spoken to over PC/SC with T=0. In network and mount namespaces of its
# own: the virtual reader listens on all interfaces, and pcscd's socket has a
# fixed name. Prints "SKIP: why" and succeeds where that cannot be.
# LAB: the lineside-lab to test (default build/bin/lineside-lab).
set -eu
cd "$(dirname "$0")/../.."
lab=${LAB:-build/bin/lineside-lab}
driver=$(find /usr/lib/pcsc/drivers -name 'libifdvpcd.so*' 2>/dev/null | head -n 1)
port=35963

skip() {
    echo "SKIP: $*"
    exit 0
}
fail() {
    echo "FAIL: $*" >&2
    exit 1
}

if [ "${LINESIDE_PCSCD_INSIDE:-}" != yes ]; then
    command -v pcscd >/dev/null || skip "pcscd is not installed"
    [ -n "$driver" ] || skip "vsmartcard-vpcd is not installed"
    pkg-config --exists libpcsclite 2>/dev/null ||
        skip "libpcsclite-dev is not installed"
    command -v ip >/dev/null || skip "iproute2 is not installed"
    [ -x "$lab" ] || fail "$lab is not there; run make"
    if [ "$(id -u)" -eq 0 ]; then own="unshare -n -m"; else own="unshare -U -r -n -m"; fi
    $own true 2>/dev/null || skip "no namespaces of its own ($own is refused)"
    LINESIDE_PCSCD_INSIDE=yes exec $own sh tests/e2e/pcscd.sh
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/lineside-pcscd.XXXXXX")
pcscd_pid=
card_pid=
cleanup() {
    for p in $card_pid $pcscd_pid; do
        kill "$p" 2>/dev/null || true
        wait "$p" 2>/dev/null || true
    done
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

ip link set lo up 2>/dev/null || skip "the loopback interface cannot be set up"
mount -t tmpfs tmpfs /run 2>/dev/null || skip "/run cannot be covered"
mkdir -p /run/pcscd "$dir/readers"
cat >"$dir/readers/vpcd" <<END
FRIENDLYNAME "Lineside virtual reader"
DEVICENAME /dev/null:$port
LIBPATH $driver
CHANNELID $port
END
# shellcheck disable=SC2046 # several words on purpose
${CC:-gcc} -o "$dir/client" tests/e2e/pcsc_client.c \
    $(pkg-config --cflags --libs libpcsclite)

"$lab" new "$dir/world" --euiccs 1 --keys 4 >/dev/null
eid=$(basename "$dir"/world/euicc/*.db .db)

pcscd -f -c "$dir/readers" >"$dir/pcscd.log" 2>&1 &
pcscd_pid=$!
# The reader listens soon after pcscd starts.
for _ in $(seq 100); do
    "$lab" euicc "$dir/world" --eid "$eid" --connect 127.0.0.1:$port \
        >"$dir/card.log" 2>&1 &
    card_pid=$!
    sleep 0.2
    kill -0 "$card_pid" 2>/dev/null && break
    wait "$card_pid" 2>/dev/null || true
    card_pid=
    kill -0 "$pcscd_pid" 2>/dev/null || break
done
[ -n "$card_pid" ] || fail "the card found no reader: $(cat "$dir/card.log" "$dir/pcscd.log")"

isd_r=A0000005591010FFFFFFFF8900000100
cat >"$dir/commands" <<END
80AA00000AA9088100820101830107
0070000001
01A4040010$isd_r
81E2910006BF3E035C015A
81E2910003BF2200
81E2910003BF2D00
81E2910015BF7012801000112233445566778899AABBCCDDEEFF
81E2910003BF5600
END
"$dir/client" <"$dir/commands" >"$dir/answers" 2>"$dir/client.log" || {
    cat "$dir/client.log" "$dir/answers" "$dir/pcscd.log" >&2
    fail "the dialogue over PC/SC broke off"
}

# What each command must answer, in order: shell patterns.
cat >"$dir/wanted" <<END
the virtual reader|reader Lineside virtual reader*
TERMINAL CAPABILITY|9000
MANAGE CHANNEL|019000
SELECT ISD-R|6F1E8410$isd_r*9000
GetEUICCData BF3E|BF3E125A10${eid}9000
GetEUICCInfo2 BF22|BF22*9000
GetProfilesInfo BF2D|BF2D02A0009000
GetIfppStatus BF70|BF7082????800101810100A282*9000
GetCerts BF56|BF5682????A082*9000
END
exec 3<"$dir/answers"
while IFS='|' read -r name want; do
    read -r got <&3 || fail "$name: no answer"
    # shellcheck disable=SC2254 # a pattern on purpose
    case $got in
    $want) echo "ok: $name" ;;
    *) fail "$name: $got" ;;
    esac
done <"$dir/wanted"
