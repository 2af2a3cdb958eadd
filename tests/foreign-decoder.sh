#!/bin/sh
# foreign-decoder.sh CONTAINER...: read containers with tools that are not
# ours: openssl takes the manifest out of its signature, and a decoder that
# asn1c makes from docs/formats/lineside.asn1 reads it and every record,
# checks the module's constraints, and writes each back: the octets must be
# the same. So the module says what the programs do, or this fails.
#
# Exit: 0 all read; 1 something was not; 77 asn1c or gcc are not installed
# (Debian packages asn1c, gcc, openssl).
set -eu

[ $# -gt 0 ] || { echo "usage: $0 CONTAINER..." >&2; exit 2; }
for tool in asn1c gcc openssl; do
    command -v $tool >/dev/null 2>&1 || {
        echo "SKIP: $tool is not installed"
        exit 77
    }
done

here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/lineside-asn1.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

fail() {
    echo "foreign-decoder: $*" >&2
    exit 1
}

mkdir "$work/src"
(
    cd "$work/src"
    # Wide types: a certificate's serial number has up to 20 octets.
    asn1c -pdu=all -fcompound-names -fwide-types "$here/docs/formats/lineside.asn1" \
        >asn1c.log 2>&1 || { cat asn1c.log >&2; exit 1; }
    gcc -O0 -w -I. -DASN_PDU_COLLECTION -DPDU=Manifest -o ../decode ./*.c
) || fail "asn1c cannot compile docs/formats/lineside.asn1"

# decode TYPE FILE: FILE as any number of TYPE in XML on stdout; their DER must
# be FILE again.
decode() {
    "$work/decode" -p "$1" -c -iber -oxer "$2" 2>"$work/log" ||
        { cat "$work/log" >&2; fail "$2 is not $1"; }
    "$work/decode" -p "$1" -iber -oder "$2" >"$work/again" 2>"$work/log" ||
        { cat "$work/log" >&2; fail "$2 cannot be encoded again"; }
    cmp "$2" "$work/again" >&2 || fail "$2: asn1c encodes it differently"
}

record_type() {
    case $1 in
    euicc-data) echo EuiccDataRecord ;;
    bpp-bundle) echo BppBundleRecord ;;
    loading-report) echo LoadingRecord ;;
    audit-log) echo Event ;;
    bpp-request) echo BppRequestRecord ;;
    shift-record) echo ShiftRecord ;;
    backup) echo BackupRecord ;;
    *) fail "records in a container of kind $1" ;;
    esac
}

# The text of every <TAG>text</TAG>.
texts() {
    sed -n "s:^ *<$1>\\(.*\\)</$1>\$:\\1:p" "$2"
}

for c; do
    openssl cms -verify -noverify -binary -inform DER -in "$c/manifest.cms" \
        -out "$work/manifest" 2>"$work/log" ||
        { cat "$work/log" >&2; fail "$c: openssl refuses manifest.cms"; }
    decode Manifest "$work/manifest" >"$work/manifest.xml"
    kind=$(texts kind "$work/manifest.xml")
    segments=$(texts name "$work/manifest.xml")
    want=$(texts records "$work/manifest.xml" | awk '{ n += $1 } END { print n + 0 }')
    got=0
    for s in $segments; do
        type=$(record_type "$kind")
        decode "$type" "$c/$s" >"$work/records.xml"
        got=$((got + $(grep -c "^<$type>" "$work/records.xml")))
    done
    [ "$got" -eq "$want" ] ||
        fail "$c: $got records decoded, the manifest says $want"
    echo "$kind: manifest and $got records decoded by asn1c"
done
