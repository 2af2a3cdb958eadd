#!/bin/sh
# readers.sh [--write]: every reader of ../shared/data/ccid-readers gets a
# verdict from the code that judges a device, and docs/readers.md holds just
# those. --write puts them there.
set -eu
cd "$(dirname "$0")/../.."
dumps=${LINESIDE_SHARED:-../shared}/data/ccid-readers
doc=docs/readers.md
mark='<!-- verdicts: made by tests/e2e/readers.sh -->'

[ -d "$dumps" ] || {
    echo "SKIP: $dumps is not there: no descriptor dumps of real readers"
    exit 77
}
dir=$(mktemp -d "${TMPDIR:-/tmp}/lineside-readers.XXXXXX")
trap 'rm -rf "$dir"' EXIT

${CC:-cc} -std=c11 -D_GNU_SOURCE -Wall -Wextra -I. -o "$dir/readers" tests/e2e/readers.c \
    drivers/ccid/descriptor.c drivers/iso7816/atr.c station/base/err.c station/base/span.c
"$dir/readers" "$dumps" >"$dir/table"
sed "\\|^$mark\$|,\$d" "$doc" >"$dir/doc"
{
    echo "$mark"
    cat "$dir/table"
} >>"$dir/doc"
if [ "${1:-}" = --write ]; then
    cat "$dir/doc" >"$doc"
elif ! cmp -s "$dir/doc" "$doc"; then
    diff "$doc" "$dir/doc" | head -20
    echo "FAIL: $doc is not what the code says; run tests/e2e/readers.sh --write"
    exit 1
fi
files=$(find "$dumps" -name '*.txt' | wc -l)
rows=$(($(wc -l <"$dir/table") - 2))
refused=$(grep -c '| refused |' "$dir/table")
named=$(cut -d'|' -f2 "$dir/table" | tail -n +3 | sort -u | wc -l)
[ "$named" -eq "$files" ] || {
    echo "FAIL: $files dumps, but verdicts on $named"
    exit 1
}
echo "$files readers, $rows interfaces, $refused refused"
