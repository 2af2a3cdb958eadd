#!/bin/sh
# Bundles that must not come in: each is refused with a word that says what to
# do, the ledger stays as it was to the last event, and the good bundle is
# taken at the end. All signatures are real; `lineside-lab forge` tells one lie
# at a time.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

rows=0
state() { # everything that a refusal must leave alone
    "$STATION" log --data "$DATA" --all --json
    "$STATION" stock --data "$DATA" --json
}
# refused CODE WORDS CMD...: exit CODE, WORDS in the message, nothing changed.
refused() {
    state >"$WORK/state.before"
    expect "$@"
    grep -Eiq 'next:|ask its issuer|use .lineside|check |name at least|station-cert first' "$WORK/err" ||
        die "no next step in: $(cat "$WORK/err")"
    state >"$WORK/state.after"
    cmp "$WORK/state.before" "$WORK/state.after" >&2 || die "the ledger changed: $*"
    rows=$((rows + 1))
}
import() { "$STATION" import --data "$DATA" "$@"; }
# lie NAME WORDS [OPTION...]: a forged copy of $GOOD is refused.
lie() {
    name=$1 words=$2
    shift 2
    rm -rf "$WORK/forged"
    mkdir "$WORK/forged"
    forged=$("$LAB" forge "$W" "$GOOD" --out "$WORK/forged" --lie "$name" "$@") ||
        die "forge $name"
    refused 1 "$words" import "$forged"
}

new_world 3 12 --smdpf a b c
A=2.999.10 B=2.999.11
# The station takes bundles of a and b; c's are properly signed, but not for it.
new_station "$DATA" "$STICK" --allow $A $B
GOOD=$(bundle "$DATA" "$STICK" --smdpf a)

# --- who it is for, who made it, when -----------------------------------------
"$STATION" init --data "$WORK/other" --root "$ROOT_SHA256" >/dev/null
refused 1 'for another station.*ask its issuer' import "$(bundle "$WORK/other" "$WORK/theirs" --smdpf a)"
refused 1 'no certificate yet.*station-cert' "$STATION" import --data "$WORK/other" "$GOOD"
refused 1 "2.999.12.*allow" import "$(bundle "$DATA" "$WORK/theirs" --smdpf c)"
lie other-recipient 'for another station'
lie other-signer "is from $A, but $B signed it"
lie other-issuer "is from $B, but $A signed it"
lie other-dpauth 'belongs to another SM-DPf than'
lie dppb-signs 'does not have the role .SM-DPf authentication'
lie same-bpp 'no trusted root' --signer dm/authority
lie same-bpp 'no trusted root' --signer eum/data # without its EUM
lie expired 'was to be imported by .*ask its issuer'
lie ahead "set the station's clock"
late=$(bundle "$DATA" "$WORK/late" --smdpf a --valid-days 0)
sleep 1.1
refused 1 'was to be imported by .*ask its issuer' import "$late"

# --- records --------------------------------------------------------------------
lie other-dppb-key 'smdpSign'
lie wrong-otpk 'smdpSign'
lie bad-point 'otPK.DP is not a point on the curve'
lie swap-eid 'the certificate is that of EID'
lie swap-cert 'the certificate is that of EID'
lie swap-euicc "one-time key: the eUICC's signature"
lie swap-key 'the BPP names another transactionId'
lie swap-bpp 'the BPP names another transactionId'
lie record-twice 'in this container twice'
lie eum-index 'EUM chain [0-9]+ is not in the manifest'
lie dp-index 'SM-DPf chain [0-9]+ is not in the manifest'

# --- files ------------------------------------------------------------------------
# hurt WORDS CMD...: a copy of $GOOD after CMD (run inside it) is refused.
hurt() {
    words=$1
    shift
    rm -rf "$WORK/copy"
    cp -r "$GOOD" "$WORK/copy"
    (cd "$WORK/copy" && "$@")
    refused 1 "$words" import "$WORK/copy"
}
relink() { mv segment-00001.der ../away.der && ln -s ../away.der segment-00001.der; }
relink_manifest() { mv manifest.cms ../away.cms && ln -s ../away.cms manifest.cms; }
pipe() { rm segment-00001.der && mkfifo segment-00001.der; }
folder() { rm segment-00001.der && mkdir segment-00001.der; }
longer() { printf '\0' >>segment-00001.der; }
second() { cp segment-00001.der segment-00002.der; }
garbage() { rm -f ./* && head -c 3000 /dev/urandom >manifest.cms; }
other_manifest() { cp "$WORK/signed.cms" manifest.cms; }
cp "$(bundle "$DATA" "$WORK/late" --smdpf a --count 2)/manifest.cms" "$WORK/signed.cms"
hurt 'segment-00001.der: it has [0-9]+ octets, .*Copy the container again' truncate -s -1 segment-00001.der
hurt 'segment-00001.der: it has 0 octets' truncate -s 0 segment-00001.der
hurt 'segment-00001.der: it has [0-9]+ octets' longer
hurt 'of 1 segments only 0 are there' rm segment-00001.der
hurt 'holds .segment-00002.der., which its manifest does not name' second
hurt 'holds .notes.txt., which its manifest does not name' touch notes.txt
hurt 'segment-00001.der is a link' relink
hurt 'segment-00001.der is not a file' pipe
hurt 'segment-00001.der is not a file' folder
hurt 'manifest.cms is a link' relink_manifest
hurt 'manifest.cms is missing' rm manifest.cms
hurt 'manifest.cms has 0 octets' truncate -s 0 manifest.cms
hurt 'manifest.cms has 5242880 octets' truncate -s 5M manifest.cms
hurt 'manifest.cms: not DER' garbage
hurt 'segment-00001.der: ' other_manifest
mkdir "$WORK/empty" "$WORK/garbage"
for i in 1 2 3; do head -c 5000 /dev/urandom >"$WORK/garbage/file$i"; done
refused 1 'manifest.cms is missing' import "$WORK/empty"
refused 1 'manifest.cms is missing' import "$WORK/garbage"
refused 3 "not a container's folder" import "$GOOD/manifest.cms"
refused 3 "not a container's folder" import "$WORK/nowhere"
# Refused (1) and unreadable (3): the exit code is the worst one's, first or not.
refused 3 'manifest.cms is missing' import "$WORK/empty" "$WORK/nowhere"
refused 3 'manifest.cms is missing' import "$WORK/nowhere" "$WORK/empty"
refused 2 'CONTAINER' import
refused 2 'use .lineside import' "$STATION" station-cert --data "$DATA" "$GOOD"

# --- a one-time key is offered to one SM-DPf --------------------------------------
data=$(echo "$W"/out/euicc-data-*)
expect 0 'imported euicc-data .*: 3 eUICCs, 36 one-time keys' import "$data"
refused 1 'imported before' import "$data"
lie other-smdpf "meant for SM-DPf $A, but this bundle comes from $B"

# --- all of that kept nothing out: one bad on the stick, one good ------------------
rm -rf "$WORK/forged"
mkdir "$WORK/forged"
forged=$("$LAB" forge "$W" "$GOOD" --out "$WORK/forged" --lie swap-key)
expect 1 'transactionId' import "$forged" "$GOOD"
grep -q 'imported bpp-bundle .*: 3 BPPs' "$WORK/out" || die "the good one stayed out"

# --- again, and out of order -------------------------------------------------------
refused 1 'imported before' import "$GOOD"
lie same-id 'imported before'
lie same-bpp 'known already from container' --sequence 2
second=$(bundle "$DATA" "$STICK" --smdpf b --count 1)
third=$(bundle "$DATA" "$STICK" --smdpf b --count 1)
fourth=$(bundle "$DATA" "$STICK" --smdpf b --count 1)
expect 0 "bundles 1 to 2 of SM-DPf $B have not arrived" import "$fourth"
expect 0 "not arrived: bundles 1 to 2 of $B" "$STATION" stock --data "$DATA"
expect 0 "bundle 2 of SM-DPf $B has not arrived" import "$second"
expect 0 'imported' import "$third"
grep -q 'not arrived' "$WORK/out" && die "a gap that is filled is still shown"
"$STATION" stock --data "$DATA" >"$WORK/out"
grep "not arrived.*$B" "$WORK/out" && die "a gap that is filled is still in stock"

# --- the certificate must rise --------------------------------------------------------
"$STATION" station-csr --data "$DATA" --to "$STICK" >/dev/null
csr=$(echo "$STICK"/station-csr-*)
mkdir "$WORK/cert1" "$WORK/cert2"
"$LAB" authority "$W" --csr "$csr" --out "$WORK/cert1" --allow $A $B >/dev/null
"$LAB" authority "$W" --csr "$csr" --out "$WORK/cert2" --allow $A $B >/dev/null
old=$(echo "$WORK"/cert1/station-cert-*) new=$(echo "$WORK"/cert2/station-cert-*)
expect 0 '' "$STATION" station-cert --data "$DATA" "$new"
refused 1 'imported before' "$STATION" station-cert --data "$DATA" "$new"
refused 1 'has number 2, the station already has number 3' "$STATION" station-cert --data "$DATA" "$old"
for lie in same-bpp:'has number 3, the station already has number 3' expired:'was to be imported by' other-recipient:'another station'; do
    forged=$("$LAB" forge "$W" "$new" --out "$WORK/forged" --lie "${lie%%:*}")
    refused 1 "${lie#*:}" "$STATION" station-cert --data "$DATA" "$forged"
done
forged=$("$LAB" forge "$W" "$new" --out "$WORK/forged" --lie same-bpp --sequence 9 --signer dm/order)
refused 1 'does not have the role .authority' "$STATION" station-cert --data "$DATA" "$forged"
refused 2 'use .lineside station-cert' import "$new"

# Another Device Manufacturer's world: its root is not the one typed at init.
mv "$W" "$W.own"
ours=$ROOT_SHA256
new_world 1 1
"$STATION" init --data "$WORK/lost" --root "$ours" >/dev/null
"$STATION" station-csr --data "$WORK/lost" --to "$WORK/late" >/dev/null
"$LAB" authority "$W" --csr "$(echo "$WORK"/late/station-csr-*)" --out "$WORK/late" >/dev/null
expect 1 'does not come with the root whose SHA-256 was given at init' "$STATION" station-cert --data "$WORK/lost" "$(echo "$WORK"/late/station-cert-*)"
foreign=$(bundle "$DATA" "$WORK/theirs")
refused 1 'no trusted root' import "$foreign"

"$STATION" stock --data "$DATA" --check >/dev/null
in_stock=$("$STATION" stock --data "$DATA" --json | sed 's/.*"total"://; s/}.*//' | json_sum in-stock)
[ "$in_stock" = 6 ] || die "in stock: $in_stock, not 6"
echo "bad_bundles: $rows refused, nothing changed, the good ones imported"
