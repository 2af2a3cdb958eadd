#!/bin/sh
# A backup made while the line runs; the station goes on, and is lost. Its
# backup becomes another station's ledger: what the old one consumed meanwhile
# is never loaded again, the chain of events goes on over the joint, and the
# auditor and the SM-DPf follow it. And everything that may not work: no
# recovery certificate, wrong keys, altered octets, sticks that are full, pulled
# or cut short, another's backup, a restore over a ledger, the same backup twice.
set -eu
cd "$(dirname "$0")/../.."

# A full stick is a small file system in a mount namespace of our own.
if [ -z "${BACKUP_NS:-}" ]; then
    for how in "unshare -m" "unshare -rm"; do
        # shellcheck disable=SC2086 # words on purpose
        if $how sh -c 'mount -t tmpfs -o size=64k none /tmp' 2>/dev/null; then
            exec env BACKUP_NS=yes $how sh tests/e2e/backup.sh
        fi
    done
    BACKUP_NS=no
fi
. tests/lib.sh
RESTORE=$BIN/lineside-restore

OLD=$DATA
NEW=$WORK/new
SAFE=$WORK/safe # where backups go
mkdir "$SAFE"
at() { # at DATA EID...: these units at that station
    where=$1
    shift
    (DATA=$where line_run "$@")
}
code_is() {
    grep -q "\"event\":\"verdict\".*\"verdict\":\"$1\",\"code\":\"$2\"" "$WORK/line.json" ||
        die "not $1, $2: $(cat "$WORK/line.json" "$WORK/line.err")"
}
chip() { "$LAB" euicc-show "$W" "$1" | sed -n "s/^$2  *//p"; }
total() { "$STATION" stock --data "$1" --check --json | sed 's/.*"total"://; s/}.*//' | json_sum "$2"; }
backup() { "$STATION" backup --data "$OLD" --to "$SAFE" "$@"; }
# restore DATA [OPTION...]: as the recovery desk does it, but for the options.
restore() {
    to=$1
    shift
    "$RESTORE" "$BACKUP" --key "$W/dm/recovery.key" --cert "$WORK/certs.pem" \
        --root "$ROOT_SHA256" --data "$to" "$@"
}
nothing_safe() {
    [ -z "$(ls "$SAFE")" ] || die "$1: left on the stick: $(ls "$SAFE")"
    [ ! -e "$OLD/backup.tmp" ] || die "$1: left beside the ledger"
    expect 1 'no backup|none' sh -c "'$STATION' log --data '$OLD' --kind backup-made | grep . || { echo none; exit 1; }"
}
certify() { # certify DATA [OPTION...of authority]
    data=$1
    shift
    rm -rf "$WORK/answer"
    mkdir "$WORK/answer"
    "$STATION" station-csr --data "$data" --to "$WORK/answer" >/dev/null
    "$LAB" authority "$W" --csr "$WORK"/answer/station-csr-* --out "$WORK/answer" "$@" >/dev/null
    "$STATION" station-cert --data "$data" "$WORK"/answer/station-cert-*
}

new_world 8 1
cat "$W/dm/recovery.pem" "$W/dm/root.pem" >"$WORK/certs.pem"

# --- whom backups go to -------------------------------------------------------------

"$STATION" init --data "$OLD" --root "$ROOT_SHA256" >/dev/null
expect 1 'has no certificate to sign with' backup
expect 1 'recovery certificate in it.*lacks key usage' certify "$OLD" --recovery dm/order
certify "$OLD" --recovery none >/dev/null
expect 1 'without a recovery certificate.*ask the' backup
certify "$OLD" >/dev/null
nothing_safe 'no recovery certificate'
expect 0 'ok +backup +none yet' "$STATION" doctor --data "$OLD" --no-usb

# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
BUNDLE=$(bundle "$OLD" "$STICK")
"$STATION" import --data "$OLD" "$BUNDLE" >/dev/null
cards_start
at "$OLD" "$1"
whole=$(sed -n 's/.*"event":"verdict".*"apdus":\([0-9]*\).*/\1/p' "$WORK/line.json")
mkdir "$WORK/visit1" "$WORK/visit2" "$WORK/visitNew" "$WORK/visitTwin"
"$STATION" export --data "$OLD" --to "$WORK/visit1" >/dev/null

# --- sticks that fail -----------------------------------------------------------------

expect 3 'not a folder' "$STATION" backup --data "$OLD" --to "$WORK/nowhere"
if [ $BACKUP_NS = yes ] && mount -t tmpfs -o size=128k none "$SAFE"; then
    expect 3 'no backup was made.*No space' backup
    [ -z "$(ls -A "$SAFE")" ] || die "half a backup on a full stick: $(ls -A "$SAFE")"
    umount "$SAFE"
else
    echo "SKIP: a full stick: no mounts may be made here"
fi
if strace -o /dev/null true 2>/dev/null; then
    for call in mkdirat fsync renameat2 clone; do
        expect 3 'no backup was made' strace -qqq -o /dev/null -e "trace=$call,clone3,fork,vfork" \
            -e "inject=$call:error=EIO:when=1" "$STATION" backup --data "$OLD" --to "$SAFE"
        nothing_safe "$call failed"
        [ -z "$(ls -A "$SAFE")" ] || die "$call failed: $(ls -A "$SAFE")"
    done
    # Cut off: what is there does not look whole, and the next one is whole.
    for call in fsync renameat2; do
        if strace -qqq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=1" \
            "$STATION" backup --data "$OLD" --to "$SAFE" 2>/dev/null; then
            die "not killed at $call"
        fi
        nothing_safe "killed at $call"
    done
    rm -rf "$SAFE"/.*.part
else
    echo "SKIP: pulled sticks: strace may not trace here"
fi
mkdir "$WORK/alone"
cp "$STATION" "$WORK/alone/"
expect 3 'lineside-backup, which seals backups, is missing' "$WORK/alone/lineside" backup --data "$OLD" --to "$SAFE"
nothing_safe 'without its helper'

# --- while the line runs; who may ---------------------------------------------------------

PIN=4711
as $PIN people add Ada --role supervisor --badge B-0001 >/dev/null
as "$PIN 1357" people add Otto --role operator --badge B-0002 --as B-0001 >/dev/null
expect 1 'somebody must stand for this' backup
refused 1 'may not make a backup' 1357 backup --to "$SAFE" --as B-0002
nothing_safe 'no right'
# Who is blocked while it is made has made none.
if strace -o /dev/null true 2>/dev/null; then
    printf '%s\n' $PIN 2468 | "$STATION" people add Eve --data "$OLD" --role engineer --badge B-0003 --as B-0001 >/dev/null
    printf '2468\n' | strace -qqq -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=5000000:when=1 \
        "$STATION" backup --data "$OLD" --to "$SAFE" --as B-0003 >/dev/null 2>"$WORK/slow.err" &
    slow=$!
    PIDS="$PIDS $slow"
    wait_for 20 sh -c "ls -A '$SAFE' | grep -q part"
    printf '%s\n' $PIN | "$STATION" people block Eve --data "$OLD" --as B-0001 >/dev/null
    rc=0
    wait "$slow" || rc=$?
    [ $rc = 1 ] && grep -q 'no backup was made.*removed again.*Eve was blocked meanwhile' "$WORK/slow.err" ||
        die "exit $rc: $(cat "$WORK/slow.err")"
    nothing_safe 'blocked meanwhile'
else
    echo "SKIP: blocked meanwhile: strace may not trace here"
fi

fixture_put F1 "$2"
fixture_put F2 "$3"
mkfifo "$WORK/scan"
"$STATION" run --no-usb --data "$OLD" --bench "$BENCH" --scan "$WORK/scan" --json \
    >"$WORK/line.json" 2>"$WORK/line.err" &
LINE=$!
PIDS="$PIDS $LINE"
wait_for 20 grep -q '"event":"ready"' "$WORK/line.json"
exec 3>"$WORK/scan"
printf 'F1\t%s\n' "$2" >&3
printf '%s\n' $PIN | backup --as B-0001 --json >"$WORK/made.json"
printf 'F2\t%s\n' "$3" >&3
wait_for 20 sh -c "[ \$(grep -c '\"PASS\"' '$WORK/line.json') = 2 ]"
exec 3>&-
kill "$LINE"
wait "$LINE" || die "lineside run: $(cat "$WORK/line.err")"
BACKUP=$(echo "$SAFE"/backup-*)
expect 0 'backup-made +Ada .*sequence=1 .*epoch=1' "$STATION" log --data "$OLD" --kind backup-made
expect 0 'ok +backup +made 0 days ago' "$STATION" doctor --data "$OLD" --no-usb
expect 0 'signed by LS-' "$VERIFY" "$BACKUP" --root "$W/dm/root.pem" --ci "$W/ci/root.pem"
grep -q "\"lastEvent\":" "$WORK/made.json" || die "$(cat "$WORK/made.json")"
# Nothing of the ledger can be read from it.
if grep -aq 'CREATE TABLE\|SQLite format' "$BACKUP"/segment-*; then die "a backup in the clear"; fi

# The old station goes on: one unit is finished, one has its result on the card.
at "$OLD" "$4"
code_is PASS done
kill "$CARDS_PID"
wait "$CARDS_PID" 2>/dev/null || :
n=$((whole - 14))
while [ -z "$(chip "$5" profile)" ]; do
    rm -f "$CARDS/$5"
    "$LAB" euicc "$W" --eid "$5" --listen "$CARDS" --cut-at "$n" >"$WORK/card.log" 2>&1 &
    CARDS_PID=$!
    PIDS="$PIDS $CARDS_PID"
    wait_for 20 test -S "$CARDS/$5"
    at "$OLD" "$5"
    kill "$CARDS_PID"
    wait "$CARDS_PID" 2>/dev/null || :
    n=$((n + 1))
    [ "$n" -lt "$whole" ] || die "no visit ended after the load"
done
[ "$(chip "$5" notifications)" -ge 1 ] || die "no result is on the card"
"$STATION" export --data "$OLD" --to "$WORK/visit2" >/dev/null

# --- what may not be restored ---------------------------------------------------------------

left() { [ ! -e "$NEW" ] && [ ! -e "$NEW.part" ] || die "$1: a data directory is left"; }
not_restored() { # not_restored WORDS [OPTION...of restore]
    words=$1
    shift
    expect 1 "nothing was restored: .*$words" restore "$NEW" "$@"
    left "$words"
}
not_restored 'not that of the' --key "$W/dm/order.key"
cat "$W/dm/order.pem" "$W/dm/root.pem" >"$WORK/other.pem"
not_restored 'sealed to the recovery key' --key "$W/dm/order.key" --cert "$WORK/other.pem"
not_restored 'does not hold the root' --root "$(key_id "$OLD")"
expect 3 'private key' restore "$NEW" --key "$WORK/certs.pem"
expect 2 'needed' "$RESTORE" "$BACKUP"
expect 2 '64 hex digits' restore "$NEW" --root 12
true_one=$BACKUP
BACKUP=$(echo "$WORK"/visit1/audit-log-*)
expect 2 'audit-log, not a backup' restore "$NEW"
left 'an audit-log'
BACKUP=$WORK/nowhere
expect 3 'not a container' restore "$NEW"

# Another Device Manufacturer's station.
(W=$WORK/world2 && "$LAB" new "$W" --euiccs 1 --keys 1 >/dev/null)
cat "$WORK/world2/dm/recovery.pem" "$WORK/world2/dm/root.pem" >"$WORK/foreign.pem"
BACKUP=$true_one
not_restored 'root|issuer' --cert "$WORK/foreign.pem" --key "$WORK/world2/dm/recovery.key" --root \
    "$(openssl x509 -in "$WORK/world2/dm/root.pem" -outform DER | sha256sum | cut -d' ' -f1)"

# Altered, cut short, or with a file too few or too many.
BACKUP=$WORK/altered/${true_one##*/}
fresh_copy() { rm -rf "$WORK/altered" && mkdir "$WORK/altered" && cp -r "$true_one" "$BACKUP"; }
for f in "$true_one"/*; do
    size=$(wc -c <"$f")
    for at in 0 $((size / 3)) $((size - 1)); do
        fresh_copy
        octet=$(od -An -tu1 -j "$at" -N 1 "$f" | tr -d ' ')
        # shellcheck disable=SC2059 # an octet in octal
        printf "\\$(printf %03o $((octet ^ 1)))" |
            dd of="$BACKUP/${f##*/}" bs=1 seek="$at" conv=notrunc 2>/dev/null
        not_restored '.'
    done
    fresh_copy
    truncate -s -1 "$BACKUP/${f##*/}"
    not_restored '.'
    fresh_copy
    rm "$BACKUP/${f##*/}"
    rc=0
    restore "$NEW" >"$WORK/out" 2>&1 || rc=$?
    [ $rc = 1 ] || [ $rc = 3 ] || die "without ${f##*/}: $rc"
    left "without ${f##*/}"
done
fresh_copy
touch "$BACKUP/segment-00099.der"
not_restored 'segment-00099'
BACKUP=$true_one

# --- the new station --------------------------------------------------------------------------

mkdir "$WORK/used" && touch "$WORK/used/file"
expect 1 'is in use' restore "$WORK/used"
expect 0 'is now epoch 2.*|retired' restore "$NEW"
grep -q 'Each BPP in stock is checked on its own card' "$WORK/out" || die "$(cat "$WORK/out")"
expect 1 'is in use' restore "$NEW"
[ "$(stat -c %a "$NEW/station.key" "$NEW/ledger.db" | tr '\n' ' ')" = '600 600 ' ] || die "modes"
cmp -s "$NEW/station.key" "$OLD/station.key" && die "the old key came along"
expect 0 'restored +restore .*epoch=2 .*station-before=LS-' "$STATION" log --data "$NEW" --kind restored
# People are who they were.
rc=0
printf '%s\n' $PIN | "$STATION" backup --data "$NEW" --to "$SAFE" --as B-0001 >"$WORK/out" 2>&1 || rc=$?
[ $rc = 1 ] && grep -q 'no certificate to sign with' "$WORK/out" || die "$(cat "$WORK/out")"
expect 1 'no certificate to sign with' "$STATION" export --data "$NEW" --to "$WORK/visitNew"

# The line may run at once. What the old station consumed since is asked of each
# card, and never sent again; the rest is loaded.
cards_start
held4=$(chip "$4" profile)
held5=$(chip "$5" profile)
at "$NEW" "$4"
code_is FAIL consumed-elsewhere
at "$NEW" "$5"
code_is FAIL consumed-elsewhere
[ "$(chip "$4" profile)" = "$held4" ] && [ "$(chip "$5" profile)" = "$held5" ] ||
    die "a restored station changed what its forerunner had done"
expect 0 'to=voided .*bf37-sha256' "$STATION" log --data "$NEW" --kind bpp-moved
at "$NEW" "$6" "$7"
[ "$(verdicts PASS)" = 2 ] || die "not 2 PASS: $(cat "$WORK/line.json")"

certify "$NEW" >/dev/null
# A bundle addressed to the old station's key is not for this one.
expect 1 'for another station' "$STATION" import --data "$NEW" "$BUNDLE"
"$STATION" export --data "$NEW" --to "$WORK/visitNew" >/dev/null

# The auditor: one chain over the joint, and what the old one did after it.
mkdir "$WORK/first"
cp -r "$WORK"/visit1/* "$WORK/first/"
verify() { "$VERIFY" --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --bundle "$BUNDLE" "$@"; }
expect 0 'took over the ledger of LS-[0-9a-f]*: restored at event' verify "$WORK"/visitNew/* --previous "$WORK/first"
grep -q 'audit-log 2 takes up where 1 ended' "$WORK/out" || die "$(cat "$WORK/out")"
grep -q 'loading-report 2 takes up where 1 ended' "$WORK/out" || die "$(cat "$WORK/out")"
expect 1 'MISSING .*audit-log that was not given' verify "$WORK"/visitNew/loading-report-* --previous "$WORK/first"
expect 0 'went on after the backup' verify "$WORK"/visitNew/* --previous "$WORK/first" --previous "$WORK/visit2"

# The SM-DPf: the old station's reports, then the new one's, which goes on from
# the first: one signed result for each transactionId.
expect 0 '2 report' "$LAB" verify "$W" "$WORK"/visit?/loading-report-*
expect 0 'totals: [0-9]* installed, 0 failed, 0 deleted, 0 quarantined, 2 voided' \
    "$LAB" verify "$W" "$WORK"/visitNew/loading-report-*
# What the old station reported before the backup is acknowledged to the new one.
acknowledged() { "$LAB" acknowledge "$W" "$WORK"/visit1/loading-report-* --out "$STICK" "$@" | sed -n 's/^report-receipt *//p'; }
expect 1 'for another station' "$STATION" import --data "$NEW" "$(acknowledged)"
expect 0 'acknowledges loading-report 1' "$STATION" import --data "$NEW" "$(acknowledged --station "$(key_id "$NEW")")"

# --- the same backup again ------------------------------------------------------------------------

TWIN=$WORK/twin
expect 0 '"epoch":2' restore "$TWIN" --json --id TWIN-2
certify "$TWIN" >/dev/null
"$STATION" export --data "$TWIN" --to "$WORK/visitTwin" >/dev/null
expect 0 'was restored twice: as .*both epoch 2' verify "$WORK"/visitNew/* "$WORK"/visitTwin/* --previous "$WORK/first"

# And a backup of the restored one, restored once more: the third epoch.
rm -rf "$SAFE"
mkdir "$SAFE"
printf '%s\n' $PIN | "$STATION" backup --data "$NEW" --to "$SAFE" --as B-0001 >/dev/null
BACKUP=$(echo "$SAFE"/backup-*)
expect 0 'is now epoch 3' restore "$WORK/third"
certify "$WORK/third" >/dev/null
mkdir "$WORK/visit3"
"$STATION" export --data "$WORK/third" --to "$WORK/visit3" >/dev/null
expect 0 'All that was asked holds' verify "$WORK"/visit3/* --previous "$WORK/visitNew" --previous "$WORK/first"
"$STATION" stock --data "$WORK/third" --check >/dev/null
echo "backup: made while the line ran, restored to epoch 3, one chain of events"
