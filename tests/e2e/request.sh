#!/bin/sh
# Profiles asked for (SGP.41 Esbpp, step 5): eUICC data, or what eUICCs tell of
# their keys in a fixture; a request; the SM-DPf's answer; PASS. And all that
# must not work: a key offered twice, forged requests, an answer from another,
# a stick that is pulled or full.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

A=2.999.10 B=2.999.11 REQ=$WORK/req
request() { "$STATION" request --data "$DATA" "$@"; }
answer() { "$LAB" answer "$W" "$@" --out "$STICK"; }
import() { "$STATION" import --data "$DATA" "$@"; }
offered() { "$STATION" log --data "$DATA" --json | grep -c '"kind":"key-offered"' || :; }
made() { # made WORDS...: a request; its folder
    rm -rf "$REQ" && mkdir "$REQ" && request --to "$REQ" "$@" >"$WORK/made" || die "no request: $*"
    echo "$REQ"/bpp-request-*
}

new_world 4 4 --smdpf a b
new_station "$DATA" "$STICK"
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
cards_start

# --- what eUICCs tell of themselves -------------------------------------------------

expect 1 '1 wanted, but of 0 keys of 0 eUICCs only 0 are free' request --smdp $A --count 1 --to "$WORK"
line_run "$1"
grep -q '"code":"no-bpp"' "$WORK/line.json" || die "$(cat "$WORK/line.json")"
expect 0 'card-keys.*new=4  gone=0  left=4  certificate=yes' "$STATION" log --data "$DATA"
line_run "$1" # nothing new: nothing said
[ "$("$STATION" log --data "$DATA" --json | grep -c '"kind":"card-keys"')" = 1 ] || die "told twice"
first=$(made --smdp $A --count 1)
expect 0 'All that was asked holds' "$VERIFY" "$first" --root "$W/dm/root.pem" --ci "$W/ci/root.pem"
expect 0 'bound  *1 for 1 eUICCs' answer "$first"
expect 0 'imported bpp-bundle .*: 1 BPPs' import "$STICK"/bpp-bundle-*
line_run "$1"
[ "$(verdicts PASS)" = 1 ] || die "$(cat "$WORK/line.json")"
expect 1 'of 4 keys of 1 eUICCs only 0 are free, 4 spent' request --smdp $A --count 1 --to "$WORK"

# --- eUICC data: two keys for each of the two ---------------------------------------

import "$W"/out/euicc-data-* >/dev/null
mkdir "$WORK/b"
"$LAB" bind "$W" --smdpf b --station "$(key_id "$DATA")" --out "$WORK/b" --eid "$2" >/dev/null
expect 0 'imported' import "$WORK"/b/bpp-bundle-*
before=$(offered)
expect 1 '9 wanted, but of 16 keys of 4 eUICCs only 6 are free, 3 at 1 for each eUICC, 5 meant for 2.999.11, 1 with a BPP here, 4 spent' \
    request --smdp $A --count 9 --to "$WORK"
expect 1 '2.999.12 is not one that this station takes bundles from' request --smdp 2.999.12 --count 1 --to "$WORK"
printf '%s\n\n%s\r\n' "$3" "$4" >"$WORK/eids"
printf '%s\n' "$1" >"$WORK/serials"
cat "$WORK/eids" "$WORK/eids" >"$WORK/twice"
printf '%s\nSN-\033[7m\n' "$1" >"$WORK/strange"
head -c 300 /dev/zero | tr '\0' x >"$WORK/long"
: >"$WORK/empty"
expect 2 'twice: eUICC .* stands there twice' request --smdp $A --to "$WORK" --eid-list "$WORK/twice"
expect 2 'long, line 1: not a line of text' request --smdp $A --to "$WORK" --eid-list "$WORK/long"
expect 2 'strange, line 2: no EID' request --smdp $A --to "$WORK" --eid-list "$WORK/strange"
expect 3 'No such file' request --smdp $A --to "$WORK" --eid-list "$WORK/nowhere"
expect 2 'names nothing' request --smdp $A --to "$WORK" --eid-list "$WORK/empty"
expect 1 'strange, line 2: no unit of this serial' request --smdp $A --to "$WORK" --serials "$WORK/strange"
expect 2 'either' request --smdp $A --to "$WORK" --serials "$WORK/serials" --eid-list "$WORK/eids"
expect 2 '.--count N is needed' request --smdp $A --to "$WORK"
expect 2 'from 1 to 10000' request --smdp $A --to "$WORK" --count 10001
expect 2 'plain text' request --smdp $A --to "$WORK" --count 1 --msp "$(printf 'a\033b')"
expect 3 'is the stick mounted' request --smdp $A --to "$WORK/nowhere" --count 1
expect 1 '1 wanted, but of 4 keys of 1 eUICCs only 0' request --smdp $A --to "$WORK" --serials "$WORK/serials"
[ "$(offered)" = "$before" ] || die "a request that was refused has offered keys"

second=$(made --smdp $A --eid-list "$WORK/eids" --msp 'Grüße Mobil' --profile M2M)
grep -q 'bpp-request 2 to SM-DPf 2.999.10: 2 keys of 2 eUICCs' "$WORK/made" || die "$(cat "$WORK/made")"
cp -r "$second" "$WORK/kept"
second=$WORK/kept
third=$(made --smdp $B --count 2)
grep -q 'bpp-request 1 to SM-DPf 2.999.11' "$WORK/made" || die "$(cat "$WORK/made")"
[ "$(offered)" = $((before + 4)) ] || die "$(offered) keys offered, not $((before + 4))"
expect 1 'of 16 keys of 4 eUICCs only [0-9]* are free.* [0-9]* offered to 2.999' request --smdp $A --count 9 --to "$WORK"

# --- a stick that takes nothing, and once more --------------------------------------

expect 3 'bpp-request 3 is made, but did not reach /proc.*run .lineside export. again' \
    request --smdp $A --count 1 --to /proc
expect 0 'not delivered: bpp-request 3 has not reached a medium' "$STATION" stock --data "$DATA"
mkdir "$WORK/late"
expect 0 '^bpp-request 3: 1 keys' "$STATION" export --data "$DATA" --to "$WORK/late"
"$STATION" stock --data "$DATA" >"$WORK/stock.txt"
grep 'not delivered' "$WORK/stock.txt" && die "it was delivered"
id=$(request --list --json | grep -o '"id":"[^"]*","smdp":"2.999.10","sequence":2' | cut -d'"' -f4)
mkdir "$WORK/again"
expect 0 '^bpp-request 2: 2 keys' "$STATION" export --data "$DATA" --again "$id" --to "$WORK/again"
diff -r "$second" "$WORK/again/bpp-request-$id" || die "not the same request again"

# --- forged requests: the station's own key, so that nothing but the lie is wrong ----

cp "$DATA/station.key" "$W/dm/station.key"
openssl cms -verify -noverify -binary -inform DER -in "$second/manifest.cms" -signer "$W/dm/station.pem" -out /dev/null 2>/dev/null
lie() { # lie NAME WORDS [OPTION...]: the SM-DPf refuses it
    lie=$1 words=$2
    shift 2
    rm -rf "$WORK/forged" && mkdir "$WORK/forged"
    forged=$("$LAB" forge "$W" "$second" --out "$WORK/forged" --lie "$lie" "$@") || die "no lie $lie"
    expect 1 "$words" answer "$forged"
}
before=$(find "$STICK" -name 'bpp-bundle-*' | wc -l)
lie swap-eid 'the certificate is that of EID'
lie swap-cert 'the certificate is that of EID'
lie swap-euicc "one-time key: the eUICC's signature"
lie record-twice 'stands there twice'
lie eum-index 'EUM chain 1 is not in the manifest'
lie expired 'was valid until'
lie same-bpp 'does not have the role .station' --signer dm/order
lie to-other 'is meant for SM-DPf 2.999.10, not for 2.999.11'
rm -rf "$WORK/forged" && cp -r "$second" "$WORK/forged"
printf '\0' | dd of="$WORK/forged/segment-00001.der" bs=1 seek=40 conv=notrunc 2>/dev/null
expect 1 'segment-00001.der' answer "$WORK/forged"
[ "$(find "$STICK" -name 'bpp-bundle-*' | wc -l)" = "$before" ] || die "a forged request was answered"

# --- the good one, and what comes after it ----------------------------------------------

expect 0 'MSP Grüße Mobil, profile M2M' answer "$second"
bundle=$(sed -n 's/^bpp-bundle *//p' "$WORK/out")
expect 1 'was answered before' answer "$second"
lie same-bpp 'was bound before, in bundle'
# The other SM-DPf, for a key that was offered to the first.
rm -rf "$WORK/forged" && mkdir "$WORK/forged"
forged=$("$LAB" forge "$W" "$bundle" --out "$WORK/forged" --lie other-smdpf --other $B)
expect 1 "was offered to SM-DPf $A, but this bundle comes from $B" import "$forged"
expect 0 'imported bpp-bundle .*: 2 BPPs' import "$bundle"
expect 0 'number 2 to SM-DPf 2.999.10: 2 keys, 2 answered; MSP Grüße Mobil; profile M2M' request --list
expect 0 'bound  *2' answer "$third"
import "$(sed -n 's/^bpp-bundle *//p' "$WORK/out")" >/dev/null
line_run "$3" "$4"
[ "$(verdicts PASS)" = 2 ] || die "$(cat "$WORK/line.json")"
"$STATION" stock --data "$DATA" --check >/dev/null

# --- who may ------------------------------------------------------------------------------

as 2468 people add Ada --role supervisor --badge B-0001 >/dev/null
as '2468 1357' people add Otto --role operator --badge B-0002 --as B-0001 >/dev/null
expect 1 'somebody must stand for this' request --smdp $A --count 1 --to "$WORK/late"
printf '1357\n' | request --smdp $A --count 1 --to "$WORK/late" --as B-0002 2>"$WORK/err" && die "an operator may ask"
grep -q 'engineer or supervisor' "$WORK/err" || die "$(cat "$WORK/err")"
# Who is blocked while the request is made has not asked.
if strace -o /dev/null true 2>/dev/null; then
    printf '2468\n8642\n' | "$STATION" people add Eve --role engineer --badge B-0003 --as B-0001 --data "$DATA" >/dev/null
    "$STATION" log --data "$DATA" --all --kind key-offered >"$WORK/before"
    printf '8642\n' | strace -qqq -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=5000000:when=1 \
        "$STATION" request --data "$DATA" --smdp $A --count 1 --to "$WORK/late" --as B-0003 >/dev/null 2>"$WORK/slow.err" &
    slow=$!
    PIDS="$PIDS $slow"
    wait_for 20 sh -c "ls -A '$DATA/outbox' | grep -q part"
    printf '2468\n' | "$STATION" people block Eve --as B-0001 --data "$DATA" >/dev/null
    rc=0
    wait "$slow" || rc=$?
    [ $rc = 1 ] && grep -q 'nothing was asked for: Eve was blocked meanwhile' "$WORK/slow.err" ||
        die "exit $rc: $(cat "$WORK/slow.err")"
    "$STATION" log --data "$DATA" --all --kind key-offered | cmp - "$WORK/before" || die "Eve has offered keys"
else
    echo "SKIP: blocked meanwhile: strace may not trace here"
fi
printf '2468\n' | request --smdp $A --count 1 --to "$WORK/late" --as B-0001 >/dev/null || die "a supervisor may not ask"
"$STATION" log --data "$DATA" | tail -1 | grep -q 'key-offered  *Ada' || die "it does not say who asked"
echo "request: keys told, asked for, bound and loaded; what is forged or offered twice is refused"
