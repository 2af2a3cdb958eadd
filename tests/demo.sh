#!/bin/sh
# The whole loop on one desk: a fresh world of 12 eUICCs, one damaged and one
# wearing the wrong barcode, four bench fixtures, and a signed report out.
set -eu
cd "$(dirname "$0")/.."
. tests/lib.sh
. tests/demo-steps.sh

demo_begin
say "Four fixtures, all at once"
cards_start --damaged "$dead"
mkfifo "$WORK/scan"
mkdir -p "$BENCH"
for f in F1 F2 F3 F4; do # empty: links to nothing yet
    ln -s - "$BENCH/$f"
done
demo_line --no-usb --bench "$BENCH" --scan "$WORK/scan" -- \
    --bench "$BENCH" --cards "$CARDS" --scan "$WORK/scan"
demo_end
