#!/bin/sh
# The robot that plays the operators, against a station of cardboard: every
# unit gets into a fixture once, under its own barcode; a station that ends
# early is noticed.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

# station N: answers N scans, saying what stands in the fixture; noise between.
station() {
    n=$1
    exec 4>"$WORK/verdicts"
    while [ "$n" -gt 0 ] && IFS='	' read -r fixture barcode; do
        card=$(readlink "$BENCH/$fixture")
        printf 'noise\n{"event":"busy","fixture":"%s"}\n' "$fixture" >&4
        printf '{"event":"verdict","fixture":"%s","verdict":"%s","code":"x"}\n' \
            "$fixture" "$([ -e "$card" ] && echo PASS || echo FAIL)" >&4
        printf '%s %s\n' "$barcode" "${card##*/}" >>"$WORK/seen"
        n=$((n - 1))
    done <"$WORK/scan"
    exec 4>&-
}

rig() { # rig OUT: its exit status
    "$LAB" rig "$W" --bench "$BENCH" --cards "$CARDS" --units "$WORK/units" \
        --scan "$WORK/scan" --verdicts "$WORK/verdicts" --fixtures 3 \
        --timeout-s 60 >"$1" 2>&1
}

mkdir -p "$CARDS"
: >"$WORK/units"
i=0
while [ $i -lt 9 ]; do
    i=$((i + 1))
    [ $i = 5 ] || : >"$CARDS/E$i" # the fifth card is not there
    printf 'B%s\tE%s\n' $i $i >>"$WORK/units"
done
printf 'B10\t-\n' >>"$WORK/units" # a unit without a card
mkfifo "$WORK/scan" "$WORK/verdicts"

station 10 &
PIDS="$PIDS $!"
rig "$WORK/rig.txt" || die "$(cat "$WORK/rig.txt")"
tail -1 "$WORK/rig.txt" | grep -qx 'rig: 10 units, 8 PASS, 2 FAIL' ||
    die "$(cat "$WORK/rig.txt")"
sed 's/B/E/' "$WORK/seen" | awk '$1 == $2' | wc -l | grep -qx 9 ||
    die "not each barcode with its own card: $(cat "$WORK/seen")"
grep -qx 'B10 -' "$WORK/seen" || die "a unit without a card: $(cat "$WORK/seen")"
for f in F1 F2 F3; do
    [ -L "$BENCH/$f" ] || die "$f is no fixture any more"
    [ ! -e "$BENCH/$f" ] || die "$f is not left empty"
done

station 4 &
PIDS="$PIDS $!"
if rig "$WORK/rig.txt"; then die "a station that ended went unnoticed"; fi
grep -q 'of 10 units have a verdict\|reads no scans' "$WORK/rig.txt" ||
    die "$(cat "$WORK/rig.txt")"
echo "rig: 10 units through 3 fixtures, each with its own card"
