#!/bin/sh
# Worlds unlike the first: the other curve, IoT eUICCs, two SM-DPfs for one
# unit, profiles that fill many chains of 256 commands, session keys instead of
# PPKs, a bundle for a site. Each goes round the whole loop, and the auditor,
# the SM-DPf and the eUICC itself say the same.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

fresh() { # fresh EUICCS KEYS [OPTION...of new]
    rm -rf "$W" "$DATA" "$STICK" "$CARDS"
    new_world "$@"
}
take() { # take OPTION...of bind: one more bundle is in
    b=$(bundle "$DATA" "$STICK" "$@")
    "$STATION" import --data "$DATA" "$b" >/dev/null
}
# round NAME PROFILES: all units pass, all books agree.
round() {
    cards_start
    # shellcheck disable=SC2046 # a list of EIDs
    line_run $(eids)
    units=$(eids | wc -l)
    [ "$(verdicts PASS)" = "$units" ] || die "$1: $(cat "$WORK/line.json")"
    kill "$CARDS_PID"
    wait "$CARDS_PID" 2>/dev/null || :
    books_agree "$2"
    "$STATION" export --data "$DATA" --to "$STICK" >/dev/null
    report=$(echo "$STICK"/loading-report-*)
    expect 0 'All that was asked holds' "$VERIFY" "$report" --root "$W/dm/root.pem" \
        --ci "$W/ci/root.pem" --bundle "$STICK" --previous "$STICK"
    expect 0 "totals: $2 installed, 0 failed" "$LAB" verify "$W" "$report"
    echo "worlds: $1"
}
enabled() { # enabled EID: the ICCID of the profile that is on
    "$LAB" euicc-show "$W" "$1" | sed -n 's/^profile  *\([0-9]*\) enabled .*/\1/p'
}

fresh 2 1 --curve brainpool
new_station "$DATA" "$STICK"
take
round brainpool 2

# An IoT eUICC enables what it has just installed.
fresh 2 2 --iot
new_station "$DATA" "$STICK"
take --per-euicc 2
round IoT 4
for eid in $(eids); do
    [ -n "$(enabled "$eid")" ] || die "IoT: nothing is enabled in $eid"
done

# Two SM-DPfs; in bundle order b's profile comes first (and was given the lower
# ICCID), so a's is enabled.
fresh 2 4 --smdpf a b
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(echo "$W"/out/euicc-data-*)" >/dev/null
take --smdpf b
take --smdpf a
round 'two SM-DPfs' 4
for eid in $(eids); do
    "$LAB" euicc-show "$W" "$eid" >"$WORK/chip"
    [ "$(grep -c '^profile' "$WORK/chip")" = 2 ] || die "not both: $(cat "$WORK/chip")"
    last=$(awk '$1 == "profile" { print $2 }' "$WORK/chip" | sort | tail -1)
    [ "$(enabled "$eid")" = "$last" ] || die "not a's is enabled: $(cat "$WORK/chip")"
done

# 200 KB and half a megabyte, with PPKs and without; a bundle for the site.
fresh 2 2
new_station "$DATA" "$STICK" --site PLANT-7
take --size 200000
mkdir "$WORK/site"
"$LAB" bind "$W" --site PLANT-8 --out "$WORK/site" --count 1 >/dev/null
expect 1 'for another station.*ask its issuer' "$STATION" import --data "$DATA" "$(echo "$WORK"/site/bpp-bundle-*)"
big=$("$LAB" bind "$W" --site PLANT-7 --out "$STICK" --eid "$(eids | tail -1)" --size 520000 --no-ppk |
    sed -n 's/^bpp-bundle *//p')
expect 0 'imported' "$STATION" import --data "$DATA" "$big"
round 'big profiles, no PPK, a site' 3
