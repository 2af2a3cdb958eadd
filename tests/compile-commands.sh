#!/bin/sh
# compile-commands.sh 'COMPILER FLAGS' FILE... : a compilation database for
# editors and linters, on standard output.
cc=$1
shift
esc() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }
dir=$(esc "$PWD")
cc=$(esc "$cc")
sep='['
for f in "$@"; do
    printf '%s\n{"directory":"%s","file":"%s","command":"%s -c %s"}' \
        "$sep" "$dir" "$f" "$cc" "$f"
    sep=','
done
printf '\n]\n'
