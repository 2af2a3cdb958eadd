#!/bin/sh
# run.sh LOGDIR JOBS TEST...: run test programs and scripts, JOBS at a time;
# one line each, the whole log of those that fail, and a closing count.
# Exit code of a test: 0 passed, 77 skipped (its last line says why).
set -u
logs=$1
jobs=$2
shift 2

one() {
    log=$logs/$(printf '%s' "$1" | tr '/ ' '__').log
    start=$(date +%s)
    case $1 in
    *.sh) timeout -k 10 "${TEST_TIMEOUT:-540}" sh "$1" ;;
    *) timeout -k 10 "${TEST_TIMEOUT:-540}" "$1" ;;
    esac >"$log" 2>&1 </dev/null
    rc=$?
    took=$(($(date +%s) - start))
    # A test may pass as a whole and still have left something out.
    skips=$(grep -c '^SKIP' "$log")
    case $rc in
    0) what=passed ;;
    77) what=skipped ;;
    *) what=failed ;;
    esac
    echo $what >"$log.result"
    printf '%-8s %4ds  %s\n' "$what" "$took" "$1"
    if [ $what != failed ]; then
        [ "$skips" -eq 0 ] || grep '^SKIP' "$log" | sed 's/^/         /'
    else
        sed 's/^/    | /' "$log" | tail -60
    fi
}

if [ "${RUN_ONE:-}" ]; then
    one "$RUN_ONE"
    exit 0
fi

# A slow machine is no failed test; what hangs is ended by TEST_TIMEOUT.
export CK_TIMEOUT_MULTIPLIER="${CK_TIMEOUT_MULTIPLIER:-5}"
# One process per test program: a fork under ASan costs more than most tests
# do, and what one test leaves behind shows in the next. CK_FORK=yes (make
# soak) gives each test a process of its own.
export CK_FORK="${CK_FORK:-no}"
mkdir -p "$logs"
rm -f "$logs"/*.result
printf '%s\n' "$@" | RUN_SH=$0 LOGS=$logs xargs -P "$jobs" -I '{}' \
    sh -c 'RUN_ONE="{}" sh "$RUN_SH" "$LOGS" 1'

count() { cat "$logs"/*.result 2>/dev/null | grep -c "^$1\$"; }
failed=$(count failed)
echo "$(count passed) passed, $failed failed, $(count skipped) skipped"
[ "$failed" -eq 0 ] && [ "$(count passed)" -gt 0 ]
