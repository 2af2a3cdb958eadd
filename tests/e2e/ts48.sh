#!/bin/sh
# Every TS.48 test profile (GSMA's generic eUICC test profiles, made by others)
# is bound, imported, installed by `lineside run` and reported; what the eUICC
# then holds is what was given, octet for octet, but for ICCID and IMSI.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

[ -d "$SHARED/data/ts48" ] || skip "$SHARED/data/ts48 is not there (set LINESIDE_SHARED to its folder)"
# One eUICC for each package; all packages with random profile keys (PPKs),
# then all once more with session keys.
set -- "$SHARED"/data/ts48/*.der
[ -f "$1" ] || die "$SHARED/data/ts48 holds no package"
new_world $# 2
new_station "$DATA" "$STICK"
cards_start
eids >"$WORK/eids"

i=0
for protection in "" --no-ppk; do
    for upp; do
        i=$((i % $# + 1))
        # shellcheck disable=SC2086 # an option or none
        B=$(bundle "$DATA" "$STICK" --upp "$upp" --eid "$(sed -n ${i}p "$WORK/eids")" $protection)
        "$STATION" import --data "$DATA" "$B" >/dev/null
    done
done
# shellcheck disable=SC2046 # a list of EIDs
line_run $(cat "$WORK/eids")
[ "$(verdicts PASS)" = $# ] || die "not all PASS: $(grep verdict "$WORK/line.json")"
books_agree $(($# * 2))

# The chip's two profiles, each against the package it was made from.
i=0
for upp; do
    i=$((i + 1))
    eid=$(sed -n ${i}p "$WORK/eids")
    "$LAB" euicc-show "$W" "$eid" --json | sed -n 's/.*"iccid": *"\([0-9]*\)".*/\1/p' >"$WORK/iccids"
    [ "$(wc -l <"$WORK/iccids")" = 2 ] || die "eUICC $eid has not two profiles"
    while read -r iccid; do
        "$LAB" euicc-show "$W" "$eid" --upp "$iccid" "$WORK/held.der" >/dev/null
        expect 0 'the others as given' "$LAB" upp-compare "$upp" "$WORK/held.der"
        # Personalised: header and EF.ICCID differ, and only what may.
        grep -q 'header ICCID.*personalised' "$WORK/out" || die "$upp: $(cat "$WORK/out")"
        cmp -l "$upp" "$WORK/held.der" | awk '{ print $1 - 1 }' >"$WORK/differ" || :
        awk 'NR == FNR { if ($1 == "octets") { n++; from[n] = $2; to[n] = $4 } next }
            { ok = 0; for (i = 1; i <= n; i++) if ($1 >= from[i] && $1 <= to[i]) ok = 1; if (!ok) exit 1 }' \
            "$WORK/out" "$WORK/differ" || die "$upp: octets differ that are nobody's own"
    done <"$WORK/iccids"
done
# The comparison can fail: the last octets belong to nobody.
size=$(wc -c <"$WORK/held.der")
cp "$WORK/held.der" "$WORK/spoilt.der"
printf '\377' | dd of="$WORK/spoilt.der" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
cmp -s "$WORK/held.der" "$WORK/spoilt.der" && die "nothing was spoilt"
expect 1 'differ at octet|profile package' "$LAB" upp-compare "$upp" "$WORK/spoilt.der"
expect 1 'length|profile package' "$LAB" upp-compare "$upp" "$1"

mkdir -p "$WORK/out1"
"$STATION" export --data "$DATA" --to "$WORK/out1" >/dev/null
expect 0 'All that was asked holds' "$VERIFY" "$WORK"/out1/loading-report-* "$WORK"/out1/audit-log-* \
    --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --bundle "$STICK"
expect 0 "$(($# * 2)) installed" "$LAB" verify "$W" "$WORK"/out1/loading-report-*
echo "ts48: $# packages, twice each, installed octet for octet"
