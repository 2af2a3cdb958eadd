#!/bin/sh
# run.sh [NAME...]: run every bench, or those named; JSON lines
# {"name","value","unit","limit","ratio"} on stdout, all else on stderr.
# BENCH_SCALE=0.1 makes the long ones short, for a try.
set -eu
cd "$(dirname "$0")/../.."
programs=$(find build/release/tests/bench -name 'bench_*' -type f -perm -u+x \
    2>/dev/null | sort)
[ -n "$programs" ] || {
    echo "run.sh: nothing is built; run make bench" >&2
    exit 2
}

known=
for p in $programs; do
    known="$known $("$p" --list | tr '\n' ' ')"
done
for name in "$@"; do
    case " $known " in
    *" $name "*) ;;
    *)
        echo "run.sh: no bench is called $name; there are:$known" >&2
        exit 2
        ;;
    esac
done

failed=0
for p in $programs; do
    "$p" "$@" || {
        echo "run.sh: $p failed" >&2
        failed=1
    }
done
exit $failed
