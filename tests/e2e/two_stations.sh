#!/bin/sh
# Two stations that hold the same bundles: one bundle names both, the other
# their site. Each BPP is used once, since the card decides; what one station
# consumed, the other voids, quarantines or finds with the card's own signed
# result, and says so in its report. The SM-DPf takes both reports: one signed
# result for each transactionId, whoever brings it.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

A=$DATA
B=$WORK/stationB
at() { # at DATA EID...: these units at that station
    where=$1
    shift
    (DATA=$where line_run "$@")
}
code_is() { # code_is VERDICT CODE: of the unit that was at a station last
    grep -q "\"event\":\"verdict\".*\"verdict\":\"$1\",\"code\":\"$2\"" "$WORK/line.json" ||
        die "not $1, $2: $(cat "$WORK/line.json" "$WORK/line.err")"
}
chip() { "$LAB" euicc-show "$W" "$1" | sed -n "s/^$2  *//p"; }
total() { "$STATION" stock --data "$1" --check --json | sed 's/.*"total"://; s/}.*//' | json_sum "$2"; }
# card EID [OPTION...]: that eUICC, in a process of its own; gone with card_gone.
card() {
    eid=$1
    shift
    rm -f "$CARDS/$eid"
    mkdir -p "$CARDS"
    "$LAB" euicc "$W" --eid "$eid" --listen "$CARDS" "$@" >"$WORK/card.log" 2>&1 &
    CARD=$!
    PIDS="$PIDS $CARD"
    wait_for 20 test -S "$CARDS/$eid"
}
card_gone() {
    kill "$CARD"
    wait "$CARD" 2>/dev/null || :
}

new_world 7 1
new_station "$A" "$STICK" --site PLANT-7
new_station "$B" "$STICK" --site PLANT-7
never_stop # cut after cut, at one fixture of A
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
BOTH=$("$LAB" bind "$W" --station "$(key_id "$A")" "$(key_id "$B")" --out "$STICK" \
    --eid "$1" "$2" "$3" "$4" "$5" | sed -n 's/^bpp-bundle *//p')
SITE=$("$LAB" bind "$W" --site PLANT-7 --out "$STICK" --eid "$6" "$7" | sed -n 's/^bpp-bundle *//p')
for s in "$A" "$B"; do
    expect 0 '5 BPPs' "$STATION" import --data "$s" "$BOTH"
    expect 0 '2 BPPs' "$STATION" import --data "$s" "$SITE"
done

# 1: done at A, keys deleted. B finds no key and no result, and never sent it.
card "$1"
at "$A" "$1"
code_is PASS done
whole=$(sed -n 's/.*"event":"verdict".*"apdus":\([0-9]*\).*/\1/p' "$WORK/line.json")
held=$(chip "$1" profile)
at "$B" "$1"
code_is FAIL consumed-elsewhere
# It stays so: B has nothing left for this unit, and does not touch it again.
at "$B" "$1"
code_is FAIL not-replaced
[ "$(chip "$1" profile)" = "$held" ] || die "B changed a unit that A had finished"
card_gone

# 2: the other way round, and a bundle for the site.
card "$6"
at "$B" "$6"
code_is PASS done
at "$A" "$6"
code_is FAIL consumed-elsewhere
card_gone

# 3: A loads, and loses the card before it has taken the result off it: B
# voids it with the eUICC's own signed result. Then A takes up where it was.
# after_load EID: a visit to A that ends between load and the last BF30.
after_load() {
    n=$((whole - 14))
    while :; do
        card "$1" --cut-at "$n"
        at "$A" "$1"
        card_gone
        [ -z "$(chip "$1" profile)" ] || break
        n=$((n + 1))
        [ "$n" -lt "$whole" ] || die "no visit ended after the load"
    done
    [ "$(verdicts PASS)" = 0 ] && [ "$(chip "$1" notifications)" -ge 1 ] ||
        die "the result is not on the card: $(cat "$WORK/line.json")"
}
after_load "$2"
card "$2"
at "$B" "$2"
code_is FAIL consumed-elsewhere
at "$A" "$2"
code_is PASS done
card_gone

# 4: cut off in mid-load A knows that the key is unused; B loads it. A began a
# load once, so it cannot say that it was not its own: quarantined.
before=$(total "$A" in-stock)
card "$3" --cut-at $((whole / 2))
at "$A" "$3"
code_is FAIL load-again
[ "$(total "$A" in-stock)" = "$before" ] || die "A's BPP is not back in stock"
at "$B" "$3"
code_is PASS done
at "$A" "$3"
code_is FAIL no-evidence
card_gone

# 5: as 4, but B's result is still on the card: one result, in both reports.
card "$4" --cut-at $((whole / 2))
at "$A" "$4"
code_is FAIL load-again
card_gone
(A=$B after_load "$4")
card "$4"
at "$A" "$4"
code_is PASS done
at "$B" "$4"
[ "$(verdicts PASS)" = 1 ] || die "B does not finish what it loaded: $(cat "$WORK/line.json")"
card_gone

# --- the books ----------------------------------------------------------------

counts() { # counts DATA: installed voided quarantined in-stock
    for what in installed voided quarantined in-stock; do
        printf '%s ' "$(total "$1" $what)"
    done
}
[ "$(counts "$A")" = '3 1 1 2 ' ] || die "A counts: $(counts "$A")"
[ "$(counts "$B")" = '3 2 0 2 ' ] || die "B counts: $(counts "$B")"
n=0
for eid; do
    held=$(chip "$eid" profile | wc -l)
    [ "$held" -le 1 ] || die "eUICC $eid holds $held profiles"
    n=$((n + held))
done
[ "$n" = 5 ] || die "the eUICCs hold $n profiles, not 5"

# Each reports by itself; each report holds before the auditor.
mkdir "$WORK/outA" "$WORK/outB"
"$STATION" export --data "$A" --to "$WORK/outA" >/dev/null
"$STATION" export --data "$B" --to "$WORK/outB" >/dev/null
for out in outA outB; do
    expect 0 'All that was asked holds' "$VERIFY" "$WORK/$out"/* --root "$W/dm/root.pem" \
        --ci "$W/ci/root.pem" --bundle "$STICK"
done
# Both together hold as well: 4's result is one, whoever asked the eUICC.
expect 0 'All that was asked holds' "$VERIFY" "$WORK"/out?/* --root "$W/dm/root.pem" \
    --ci "$W/ci/root.pem" --bundle "$STICK"
grep -q "of its results, 1 are in another station's report too, the same octets" "$WORK/out" || die "$(cat "$WORK/out")"
# The SM-DPf: 5 transactionIds with a result; 4's stands in both reports, and
# is the same, octet for octet; 3's voiding brought it too.
expect 0 'totals: 6 installed, 0 failed, 0 deleted, 1 quarantined, 3 voided' \
    "$LAB" verify "$W" "$WORK"/out?/loading-report-*
told() { # told EID RESULT: how often both reports together say it
    awk -v eid="$1" -v what="$2" '$2 "" == eid "" && $3 == what' "$WORK/out" | wc -l
}
[ "$(told "$1" installed)$(told "$1" voided)" = 11 ] || die "$(cat "$WORK/out")"
[ "$(told "$2" installed)$(told "$2" voided)" = 11 ] || die "$(cat "$WORK/out")"
[ "$(told "$3" installed)$(told "$3" quarantined)" = 11 ] || die "$(cat "$WORK/out")"
[ "$(told "$4" installed)$(told "$4" voided)" = 20 ] || die "$(cat "$WORK/out")"
# Brought again by either of them, it is the same result again.
expect 0 '2 report\(s\) verified' "$LAB" verify "$W" "$WORK"/out?/loading-report-*

# What A has in quarantine is written off by two people; its next report says so,
# and takes it out of the quarantined ones.
DATA=$A
as 86420 people add Ada --role supervisor --badge B-0001
as '86420 4711' people add Bob --role engineer --badge B-0002 --as B-0001
t=$("$STATION" quarantine --data "$A" --json | grep -o '"transactionId":"[0-9a-f]*"' | cut -d'"' -f4)
refused 1 'never usable again' '86420 4711' quarantine release "$t" --as B-0001 --second B-0002
as '86420 4711' void "$t" --reason 'B has it' --as B-0001 --second B-0002 >/dev/null
[ "$(counts "$A")" = '3 2 0 2 ' ] || die "A counts: $(counts "$A")"
refused 1 'is voided; only one' '86420 4711' quarantine release "$t" --as B-0001 --second B-0002
mkdir "$WORK/outC"
"$STATION" export --data "$A" --to "$WORK/outC" >/dev/null
expect 0 'All that was asked holds' "$VERIFY" "$WORK"/outC/* --root "$W/dm/root.pem" \
    --ci "$W/ci/root.pem" --bundle "$STICK" --previous "$WORK/outA"
expect 0 'totals: 0 installed, 0 failed, 0 deleted, 0 quarantined, 1 voided' "$LAB" verify "$W" "$WORK"/outC/loading-report-*
expect 0 '3 report\(s\) verified' "$LAB" verify "$W" "$WORK"/out?/loading-report-*

echo "two stations: 5 units at both, 5 profiles, $(ls -d "$WORK"/out?/loading-report-* | wc -l) reports, one result each"
