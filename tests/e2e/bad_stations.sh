#!/bin/sh
# A station in trouble: a data directory that is missing, is no directory, is
# read-only or damaged; two programs at once; a full disk, a full stick; kill -9
# of import and export at every write they make. Each time a clear error, and
# afterwards nothing is lost and nothing is there twice.
set -eu
cd "$(dirname "$0")/../.."

# Mounts are made in a mount namespace of our own, as root or as a user who may.
if [ -z "${BAD_STATIONS_NS:-}" ]; then
    for how in "unshare -m" "unshare -rm"; do
        # shellcheck disable=SC2086 # words on purpose
        if $how sh -c 'mount -t tmpfs -o size=64k none /tmp' 2>/dev/null; then
            exec env BAD_STATIONS_NS=yes $how sh tests/e2e/bad_stations.sh
        fi
    done
    BAD_STATIONS_NS=no
fi
. tests/lib.sh

FULL=$WORK/full # where small disks are mounted
mkdir "$FULL"
unmount() {
    umount -l "$FULL" 2>/dev/null || :
    umount -l "$DATA" 2>/dev/null || :
}
trap 'rc=$?; set +e; unmount; leave $rc; cleanup' EXIT
leave() { return "$1"; }

# struck SYSCALL N CMD...: CMD is killed when it calls SYSCALL for the Nth time.
# True if it was, false if it came to its end before; its exit code is in $rc.
struck() {
    call=$1 nth=$2
    shift 2
    rc=0
    strace -qqq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$nth" \
        "$@" >"$WORK/out" 2>"$WORK/err" </dev/null || rc=$?
    [ $rc = 137 ]
}

new_world 40 3
new_station "$DATA" "$STICK"
GOOD=$(bundle "$DATA" "$STICK" --size 120000)
run_nothing() { "$STATION" run --no-usb --bench "$WORK" --scan /dev/null "$@"; }
export_out() { "$STATION" export --to "$WORK" "$@"; }
import() { "$STATION" import "$GOOD" "$@"; }
stock() { "$STATION" stock "$@"; }
total() { stock --data "$1" --json | sed 's/.*"total"://; s/}.*//' | json_sum "$2"; }
commands="import stock run_nothing export_out"

# --- the data directory ----------------------------------------------------------
touch "$WORK/file"
mkdir "$WORK/void"
cp -r "$DATA" "$WORK/garbage"
head -c 30000 /dev/urandom >"$WORK/garbage/ledger.db"
cp "$WORK/garbage/ledger.db" "$WORK/garbage.db"
for c in $commands; do
    expect 1 'no data directory.*lineside init' $c --data "$WORK/nowhere"
    expect 3 'is not a directory' $c --data "$WORK/file"
    expect 1 'no ledger|lineside init' $c --data "$WORK/void"
    expect 1 'not a Lineside ledger' $c --data "$WORK/garbage"
done
cmp "$WORK/garbage/ledger.db" "$WORK/garbage.db" || die "a damaged ledger was written to"
[ ! -e "$WORK/nowhere" ] || die "a data directory was made"
expect 1 'already holds a ledger.*nothing was changed' "$STATION" init --data "$DATA" --root "$ROOT_SHA256"
expect 1 'not a Lineside ledger' "$STATION" init --data "$WORK/garbage" --root "$ROOT_SHA256"

if [ $BAD_STATIONS_NS = yes ] && mount --bind "$DATA" "$DATA" && mount -o remount,bind,ro "$DATA"; then
    for c in $commands; do
        expect 3 'cannot be written.*read-only' $c --data "$DATA"
    done
    umount "$DATA"
else
    echo "SKIP: a read-only data directory: no mounts may be made here"
fi

chmod 644 "$DATA/station.key"
expect 1 'chmod 600' export_out --data "$DATA"
chmod 600 "$DATA/station.key"
mv "$DATA/station.key" "$WORK/key"
expect 3 'station.key cannot be opened' export_out --data "$DATA"
echo "not a key" >"$DATA/station.key"
chmod 600 "$DATA/station.key"
expect 1 'is not a private key' export_out --data "$DATA"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$DATA/station.key" 2>/dev/null
expect 1 'is for another key than station.key' export_out --data "$DATA"
mv "$WORK/key" "$DATA/station.key"
[ -z "$(find "$WORK" -name 'loading-report-*')" ] || die "a report left without its key"

# --- a full disk under the ledger ---------------------------------------------------
if [ $BAD_STATIONS_NS = yes ] && mount -t tmpfs -o size=2500k none "$FULL"; then
    cp -r "$DATA" "$FULL/data"
    expect 3 'disk is full and nothing was changed' import --data "$FULL/data"
    expect 0 'received' stock --data "$FULL/data" --check
    [ "$(total "$FULL/data" received)" = 0 ] || die "part of a bundle is in stock"
    mount -o remount,size=64m "$FULL"
    expect 0 '40 BPPs' import --data "$FULL/data"
    expect 0 'the same' stock --data "$FULL/data" --check
    umount "$FULL"
else
    echo "SKIP: a full disk: no mounts may be made here"
fi

# --- import: cut everywhere, then two at once -----------------------------------------
cuts=0
if strace -o /dev/null true 2>/dev/null; then
    for call in fdatasync pwrite64; do
        n=1
        cp -r "$DATA" "$WORK/$call"
        while struck $call $n "$STATION" import --data "$WORK/$call" "$GOOD"; do
            [ "$(total "$WORK/$call" received)" = 0 ] ||
                [ "$(total "$WORK/$call" received)" = 40 ] || die "part of a bundle is in stock"
            expect 0 'the same' stock --data "$WORK/$call" --check
            cuts=$((cuts + 1))
            n=$((n + 1 + (n > 8) * (n / 2)))
        done
        grep -q '40 BPPs' "$WORK/out" || grep -q 'imported before' "$WORK/err" ||
            die "after the cuts: $(cat "$WORK/out" "$WORK/err")"
        expect 1 'imported before' "$STATION" import --data "$WORK/$call" "$GOOD"
        [ "$(total "$WORK/$call" in-stock)" = 40 ] || die "not 40 in stock"
        rm -r "${WORK:?}/$call"
    done

    strace -qqq -o /dev/null -e trace=fdatasync -e inject=fdatasync:signal=STOP:when=2 \
        "$STATION" import --data "$DATA" "$GOOD" >"$WORK/first.txt" 2>&1 &
    PIDS="$PIDS $!"
    first=$!
    stopped() { pid=$(cat "$DATA/import.lock") && grep -q '^State:.*[tT]' "/proc/$pid/status"; }
    wait_for 20 stopped
    expect 4 "an import is already at work .*process $pid" import --data "$DATA"
    expect 0 'received' stock --data "$DATA"
    while kill -CONT "$pid" 2>/dev/null; do sleep 0.05; done
    wait "$first" || die "the first import: $(cat "$WORK/first.txt")"
else
    echo "SKIP: kill -9 in mid-import: strace may not trace here"
    import --data "$DATA" >/dev/null
fi
[ "$(total "$DATA" in-stock)" = 40 ] || die "not 40 in stock"

# --- a second run; an import while it runs ----------------------------------------------
cards_start
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
fixture_put F1 "$1"
mkfifo "$WORK/scan"
"$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json \
    >"$WORK/line.json" 2>"$WORK/line.err" &
LINE_PID=$!
PIDS="$PIDS $LINE_PID"
wait_for 20 grep -q '"event":"ready"' "$WORK/line.json"
expect 4 "lineside run. is already at work .*process $LINE_PID" run_nothing --data "$DATA"
MORE=$(bundle "$DATA" "$STICK" --eid "$1")
expect 0 '1 BPPs' "$STATION" import --data "$DATA" "$MORE"
printf 'F1\t%s\n' "$1" >"$WORK/scan"
wait_for 20 grep -q '"PASS"' "$WORK/line.json"
grep -q '"installed":2' "$WORK/line.json" || die "not both installed: $(cat "$WORK/line.json")"
kill "$LINE_PID"
wait "$LINE_PID" || die "lineside run: $(cat "$WORK/line.err")"

# --- export: a full stick -------------------------------------------------------------------
waiting() { stock --data "$DATA" | grep -c 'not delivered' || :; }
line_run "$2" "$3" "$4" "$5"
OUT=$WORK/visits
mkdir "$OUT"
if [ $BAD_STATIONS_NS = yes ] && mount -t tmpfs -o size=8k none "$FULL"; then
    expect 3 'is made, but did not reach .*with a good medium.*No space' \
        "$STATION" export --data "$DATA" --to "$FULL"
    [ "$(waiting)" -ge 1 ] || die "what did not arrive is not in stock"
    cp -r "$DATA/outbox" "$WORK/outbox"
    expect 3 'No space' "$STATION" export --data "$DATA" --to "$FULL"
    diff -r "$DATA/outbox" "$WORK/outbox" || die "the outbox changed"
    mv "$FULL"/*-log-* "$OUT/" 2>/dev/null || : # it may have fitted
    [ -z "$(ls -A "$FULL")" ] || die "half a container on the stick: $(ls -A "$FULL")"
    umount "$FULL"
    expect 0 'loading-report 1' "$STATION" export --data "$DATA" --to "$OUT"
    for c in "$WORK"/outbox/*; do
        diff -r "$c" "$OUT/${c##*/}" || die "${c##*/} is not the same"
    done
    [ "$(waiting)" = 0 ] || die "still not delivered"
else
    echo "SKIP: a full stick: no mounts may be made here"
fi

# --- export: cut everywhere -------------------------------------------------------------------
if strace -o /dev/null true 2>/dev/null; then
    for call in fsync fdatasync mkdirat renameat2 unlink unlinkat rmdir pwrite64; do
        n=1
        while struck $call $n "$STATION" export --data "$DATA" --to "$OUT"; do
            expect 0 'the same' stock --data "$DATA" --check
            expect 0 'loading-report' "$STATION" export --data "$DATA" --to "$OUT"
            [ "$(waiting)" = 0 ] || die "not delivered after $call $n"
            cuts=$((cuts + 1))
            n=$((n + 1))
        done
        [ $rc = 0 ] || die "export: $(cat "$WORK/err")"
    done
else
    echo "SKIP: kill -9 in mid-export: strace may not trace here"
fi
line_run "$6"
"$STATION" export --data "$DATA" --to "$OUT" >/dev/null
[ -z "$(ls -A "$DATA/outbox")" ] || die "left in the outbox: $(ls -A "$DATA/outbox")"
[ -z "$(find "$OUT" -name '.*.part')" ] || die "left on the stick: $(ls -A "$OUT")"

# One chain from the first event to the last, and each result in one report.
"$VERIFY" "$OUT"/* --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --bundle "$STICK" \
    >"$WORK/verify.txt" || die "the auditor: $(cat "$WORK/verify.txt")"
"$LAB" verify "$W" "$OUT"/loading-report-* >"$WORK/smdpf.txt" ||
    die "the SM-DPf: $(cat "$WORK/smdpf.txt")"
reports=$(ls -d "$OUT"/loading-report-* | wc -l)
echo "bad_stations: $cuts cuts, $reports visits in one chain"
