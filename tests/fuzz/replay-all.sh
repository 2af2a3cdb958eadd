#!/bin/sh
# Replay every committed corpus through its harness, under the sanitizers.
set -eu
cd "$(dirname "$0")/../.."
for src in tests/fuzz/fuzz_*.c; do
    name=$(basename "$src" .c)
    corpus=tests/fuzz/corpus/${name#fuzz_}
    [ -d "$corpus" ] || { echo "$name has no corpus in $corpus"; exit 1; }
    "build/asan/tests/fuzz/$name" "$corpus"
done
