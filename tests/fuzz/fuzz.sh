#!/bin/sh
# fuzz.sh SECONDS [NAME...]: build each harness with clang's coverage-guided
# fuzzer and run it over its corpus. New inputs that matter stay in
# build/fuzz/<name>/; a crash is copied there too and ends with exit 1.
set -eu
cd "$(dirname "$0")/../.."
seconds=$1
shift
[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||')

flags="-std=c11 -g -O1 -I. -D_GNU_SOURCE -pthread -fsanitize=fuzzer,address,undefined"
sources=$(ls station/base/*.c station/ifpp/*.c station/container/*.c \
    station/fpa/*.c station/import/*.c drivers/*.c tests/lab/saip/*.c)
for name in "$@"; do
    out=build/fuzz/$name
    mkdir -p "$out/corpus"
    echo "fuzz: $name, $seconds s"
    # shellcheck disable=SC2086 # word lists on purpose
    clang $flags -o "$out/fuzz" "tests/fuzz/fuzz_$name.c" $sources -lcrypto
    "$out/fuzz" -max_total_time="$seconds" -max_len=70000 -timeout=10 \
        -artifact_prefix="$out/" -print_final_stats=1 \
        "$out/corpus" "tests/fuzz/corpus/$name" 2>&1 | tail -8
done
ls build/fuzz/*/crash-* >/dev/null 2>&1 && { echo "fuzz: crashes found, see build/fuzz"; exit 1; }
echo "fuzz: no crash"
