#!/bin/sh
# Two steps, weeks apart: a unit is made and registered without a profile; its
# eUICC's keys are noted; profiles are asked for by serial number; the unit
# gets them in its second order.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

orders() { "$STATION" orders --data "$DATA" "$@"; }
made() { # made NUMBER RECIPE: an active order that F1 works on
    orders new --number "$1" --product Device --quantity 2 --serials 'SN-##' --recipe "$2" >/dev/null
    orders activate "$1" >/dev/null 2>&1
    orders bind "$1" F1 >/dev/null
}
scan() { # scan BARCODE CODE
    printf 'F1\t%s\n' "$1" >"$WORK/scans"
    "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" --json >"$WORK/run.json" 2>"$WORK/err" ||
        die "lineside run: $(cat "$WORK/err")"
    grep -q "\"event\":\"verdict\".*\"code\":\"$2\"" "$WORK/run.json" || die "not $2: $(grep verdict "$WORK/run.json")"
}

new_world 2 3
new_station "$DATA" "$STICK"
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
cards_start
made MAKE register
fixture_put F1 "$1"
scan SN-01 stocked
fixture_put F1 "$2"
scan SN-02 stocked
expect 0 "card-keys.*serial=SN-02  position=main  fixture=F1  eid=$2  new=3  gone=0  left=3  certificate=yes" \
    "$STATION" log --data "$DATA"

printf 'SN-02\nSN-01\n' >"$WORK/serials"
mkdir "$WORK/req"
expect 0 'bpp-request 1 to SM-DPf 2.999.10: 4 keys of 2 eUICCs' \
    "$STATION" request --data "$DATA" --smdp 2.999.10 --serials "$WORK/serials" --keys-per-euicc 2 --to "$WORK/req"
expect 0 'bound  *4 for 2 eUICCs' "$LAB" answer "$W" "$WORK"/req/bpp-request-* --out "$STICK"
expect 0 'imported bpp-bundle .*: 4 BPPs' "$STATION" import --data "$DATA" "$STICK"/bpp-bundle-*
made GIVE 'load any; load any; enable 2; close'
scan SN-02 done
fixture_put F1 "$1"
scan SN-01 done
"$STATION" stock --data "$DATA" --check >/dev/null
expect 1 'of 6 keys of 2 eUICCs only 0 are free, 6 spent' \
    "$STATION" request --data "$DATA" --smdp 2.999.10 --count 1 --to "$WORK/req"
echo "request_order: registered, asked for by serial number, configured"
