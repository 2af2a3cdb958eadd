#!/bin/sh
# A true container of every kind, made by lab and station: read by a decoder
# that is not ours (asn1c), and by the commands that docs/formats/container.md
# prints. One is signed again with the command printed there.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

TOP=$PWD
new_world 3 2
mkdir -p "$STICK" "$WORK/out1"
"$STATION" init --data "$DATA" --root "$ROOT_SHA256" >/dev/null
"$STATION" station-csr --data "$DATA" --to "$STICK" --site plant-1 >/dev/null
"$LAB" authority "$W" --csr "$STICK"/station-csr-* --out "$STICK" >/dev/null
"$STATION" station-cert --data "$DATA" "$STICK"/station-cert-* >/dev/null
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 1)" "$W"/out/euicc-data-* >/dev/null
"$STATION" shift open early --data "$DATA" >/dev/null
# One good unit (result, receipts), one dead chip and one wrong label (failures).
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
cards_start --damaged "$2"
fixture_put F1 "$1"
fixture_put F2 "$2"
printf 'F1\timei:490154203237518\nF1\t%s\nF2\t%s\n' "$1" "$2" >"$WORK/scans"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" >/dev/null
printf 'F1\t%s\n' "$3" >"$WORK/scans"
fixture_put F1 "$1"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" >/dev/null
"$STATION" shift close --data "$DATA" --to "$WORK/out1" >/dev/null
"$STATION" export --data "$DATA" --to "$WORK/out1" >/dev/null
"$STATION" backup --data "$DATA" --to "$WORK/out1" >/dev/null
# The two that were not loaded have keys left; those of the first are gone.
"$STATION" request --data "$DATA" --smdp 2.999.10 --count 2 --msp 'Grüße' --to "$WORK/out1" >/dev/null

# KIND ROOT DIRECTORY, one of each kind that this version makes.
signer=$WORK/csr.pem
openssl cms -verify -noverify -binary -inform DER -in "$STICK"/station-csr-*/manifest.cms \
    -signer "$signer" -out /dev/null 2>/dev/null
"$LAB" order "$W" --station "$(key_id "$DATA")" --out "$STICK" --number WO-1 --product Car --quantity 9 \
    --serials 'C-{0500-0999}' --recipe 'a: load provider="MSP A" class=test; load smdp=2.999.10; enable 1; close' \
    'b: load name=x; keep 2' 'c: register' >/dev/null
"$LAB" acknowledge "$W" "$WORK"/out1/loading-report-* --out "$STICK" >/dev/null
cat >"$WORK/list" <<LIST
euicc-data $W/ci/root.pem $(echo "$W"/out/euicc-data-*)
bpp-bundle $W/ci/root.pem $(echo "$STICK"/bpp-bundle-*)
station-csr $signer $(echo "$STICK"/station-csr-*)
station-cert $W/dm/root.pem $(echo "$STICK"/station-cert-*)
loading-report $W/dm/root.pem $(echo "$WORK"/out1/loading-report-*)
audit-log $W/dm/root.pem $(echo "$WORK"/out1/audit-log-*)
bpp-request $W/dm/root.pem $(echo "$WORK"/out1/bpp-request-*)
work-order $W/dm/root.pem $(echo "$STICK"/work-order-*)
report-receipt $W/ci/root.pem $(echo "$STICK"/report-receipt-*)
shift-record $W/dm/root.pem $(echo "$WORK"/out1/shift-record-*)
backup $W/dm/root.pem $(echo "$WORK"/out1/backup-*)
LIST
kinds=$(sed -n '/^| kind |/,/^$/s/^| `\([a-z-]*\)` .*/\1/p' docs/formats/container.md)
[ "$kinds" = "$(cut -d' ' -f1 "$WORK/list")" ] || die "docs/formats/container.md has other kinds: $kinds"

# --- the commands as printed ------------------------------------------------------

printed() { # printed WORDS: the one command of the document that begins so
    sed -n "s/^    \\($1 .*\\)\$/\\1/p" docs/formats/container.md >"$WORK/printed"
    [ "$(wc -l <"$WORK/printed")" = 1 ] || die "docs/formats/container.md prints no single '$1'"
    cat "$WORK/printed"
}
prove=$(printed 'openssl cms -verify')
while read -r kind root dir; do
    mkdir "$WORK/$kind"
    cp "$dir"/* "$WORK/$kind/"
    command=$(echo "$prove" | sed "s|ROOT|$root|")
    [ "$kind" != euicc-data ] || command="$command -ignore_critical"
    (cd "$WORK/$kind" && eval "$command" 2>"$WORK/err") || die "$kind: $command: $(cat "$WORK/err")"
    # The other world's root does not.
    case $root in */ci/*) wrong=$W/dm/root.pem ;; *) wrong=$W/ci/root.pem ;; esac
    command=$(echo "$command" | sed "s|$root|$wrong|; s|-out manifest.der|-out /dev/null|")
    if (cd "$WORK/$kind" && eval "$command" 2>/dev/null); then die "$kind holds under $wrong"; fi
    # Each segment's hash stands in the manifest.
    for s in "$WORK/$kind"/segment-*.der; do
        [ -f "$s" ] || continue
        sum=$(sha256sum "$s" | cut -c 1-64 | tr a-f A-F)
        openssl asn1parse -inform DER -in "$WORK/$kind/manifest.der" | grep -q "$sum" || die "$kind: no hash of $s"
    done
done <"$WORK/list"

# The manifest signed anew as the document says, in the place of ours: taken.
again=$WORK/again/$(basename "$WORK"/out1/loading-report-*)
mkdir "$WORK/again"
cp -r "$WORK"/out1/loading-report-* "$again"
openssl cms -verify -binary -inform DER -in "$again/manifest.cms" -CAfile "$W/dm/root.pem" \
    -purpose any -signer "$WORK/station.pem" -out "$again/manifest.der" 2>/dev/null
[ "$(openssl cms -cmsout -print -inform DER -in "$again/manifest.cms" | grep -c 'd.certificate:')" = 1 ] ||
    die "the station's chain has grown: -certfile is needed below"
command=$(printed 'openssl cms -sign' | sed "s|CERT|$WORK/station.pem|; s|KEY|$DATA/station.key|; s| -certfile CHAIN||")
(cd "$again" && eval "$command" && rm manifest.der)
cmp -s "$again/manifest.cms" "$WORK"/out1/loading-report-*/manifest.cms && die "it was not signed anew"
expect 0 'All that was asked holds' "$VERIFY" "$again" "$WORK"/out1/audit-log-* \
    --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --bundle "$STICK"/bpp-bundle-*

# A record of a backup, opened as the document says: the ledger begins.
cut=$(openssl asn1parse -inform DER -in "$WORK"/backup/segment-00001.der 2>/dev/null |
    sed -n '1s/.*hl=\([0-9]*\) *l= *\([0-9]*\) .*/\1 \2/p')
head -c $((${cut% *} + ${cut#* })) "$WORK"/backup/segment-00001.der >"$WORK/record.der"
command=$(printed 'openssl cms -decrypt' | sed "s|RECOVERY-CERT|$W/dm/recovery.pem|; s|RECOVERY-KEY|$W/dm/recovery.key|")
(cd "$WORK" && eval "$command") || die "$command"
[ "$(head -c 15 "$WORK/piece")" = 'SQLite format 3' ] || die "what a backup holds is no ledger"

# --- a decoder that is not ours -----------------------------------------------------

cd "$TOP"
rc=0
# shellcheck disable=SC2046 # a list of folders without blanks
sh tests/foreign-decoder.sh $(cut -d' ' -f3 "$WORK/list") >"$WORK/decoded" 2>&1 || rc=$?
[ $rc != 77 ] || { cat "$WORK/decoded"; exit 77; }
[ $rc = 0 ] || die "$(cat "$WORK/decoded")"
while read -r kind _ _; do
    grep -q "^$kind: manifest and [0-9]* records decoded" "$WORK/decoded" || die "no $kind in: $(cat "$WORK/decoded")"
done <"$WORK/list"
# What the report is to have been: a result, its receipts, and failures.
grep -q '^loading-report: manifest and 5 records' "$WORK/decoded" || die "$(cat "$WORK/decoded")"
[ "$(grep -ac 490154203237518 "$WORK"/out1/loading-report-*/segment-00001.der)" -gt 0 ] || die "the report has no IMEI"
echo "containers: $(wc -l <"$WORK/list") kinds read by openssl and asn1c"
