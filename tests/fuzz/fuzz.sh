#!/bin/sh
# fuzz.sh SECONDS [NAME...]: run each harness, built with clang's
# coverage-guided fuzzer, over its corpus. New inputs that matter stay in
# build/fuzz/corpus/<name>/; a crash is kept in build/fuzz/crashes/ and ends
# with exit 1.
set -eu
cd "$(dirname "$0")/../.."
seconds=$1
shift
[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||')

mkdir -p build/fuzz/crashes
bad=0
for name in "$@"; do
    corpus=build/fuzz/corpus/$name
    mkdir -p "$corpus"
    echo "fuzz: $name, $seconds s"
    "build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=70000 \
        -timeout=10 -artifact_prefix="build/fuzz/crashes/$name-" \
        "$corpus" "tests/fuzz/corpus/$name" >"build/fuzz/$name.log" 2>&1 || bad=1
    grep '^Done' "build/fuzz/$name.log" || tail -20 "build/fuzz/$name.log"
done
[ $bad = 0 ] || { echo "fuzz: crashes found, see build/fuzz/crashes"; exit 1; }
echo "fuzz: no crash"
