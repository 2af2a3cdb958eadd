#!/bin/sh
# BPPs that will never be used: two people void them, the line does not wait
# for them, the report tells the SM-DPf, and every count still agrees.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 4 4
new_station "$DATA" "$STICK"
B1=$(bundle "$DATA" "$STICK" --per-euicc 2)
"$STATION" import --data "$DATA" "$B1" >/dev/null


e1=$(eids | sed -n 1p)
e2=$(eids | sed -n 2p)
e3=$(eids | sed -n 3p)

# --- who may ------------------------------------------------------------------

refused 1 'knows nobody yet.*people add' '' void --eid "$e1" --reason x --as B-0001 --second B-0002
as 86420 people add Ada --role supervisor --badge B-0001
as '86420 4711' people add Bob --role engineer --badge B-0002 --as B-0001
as '86420 4712' people add Cyd --role operator --badge B-0003 --as B-0001
as '86420 4713' people add Dan --role auditor --badge B-0004 --as B-0001
n=$(count)
refused 1 'takes two people: --as' '' void --eid "$e1" --reason x
refused 1 'takes two people: --as' 86420 void --eid "$e1" --reason x --as B-0001
refused 1 'both badges are the same' '86420 86420' void --eid "$e1" --reason x --as B-0001 --second B-0001
refused 1 'Cyd is operator and may not void.*engineer or supervisor' '86420 4712' void --eid "$e1" --reason x --as B-0001 --second B-0003
refused 1 'Dan is auditor' '4713 86420' void --eid "$e1" --reason x --as B-0004 --second B-0001
refused 2 'no PIN was given' 86420 void --eid "$e1" --reason x --as B-0001 --second B-0002
refused 2 'a reason is needed' '86420 4711' void --eid "$e1" --as B-0001 --second B-0002
refused 2 'a reason is needed' '86420 4711' void --eid "$e1" --reason '  ' --as B-0001 --second B-0002
refused 2 'one line of plain text' '86420 4711' void --eid "$e1" --reason "$(printf 'a\033[2Jb')" --as B-0001 --second B-0002
refused 2 'just one' '86420 4711' void --eid "$e1" --bundle x --reason x --as B-0001 --second B-0002
refused 2 'just one' '86420 4711' void --reason x --as B-0001 --second B-0002
refused 2 'is no EID' '86420 4711' void --eid 8901 --reason x --as B-0001 --second B-0002
refused 2 'is no transactionId' '86420 4711' void 8901 --reason x --as B-0001 --second B-0002
refused 1 'holds no BPP' '86420 4711' void 00112233445566778899aabbccddeeff --reason x --as B-0001 --second B-0002
refused 1 'no bundle' '86420 4711' void --bundle none --reason x --as B-0001 --second B-0002
[ "$(count)" = "$n" ] || die "what was refused left an event: $(events | tail -2)"
# A wrong PIN of the second is a failure of theirs, and nothing is voided.
refused 1 'do not go together' '86420 9999' void --eid "$e1" --reason x --as B-0001 --second B-0002
events | tail -1 | grep -q '"login-failed"' || die "no login-failed"

# --- the act --------------------------------------------------------------------

as '4711 86420' void --eid "$e1" --reason 'board lost' --as B-0002 --second B-0001 --json >"$WORK/out"
grep -q '"voided":2,"left":0' "$WORK/out" || die "$(cat "$WORK/out")"
events | tail -2 >"$WORK/log"
[ "$(grep -c '"actor":"Bob".*given-up.*"second".*Ada.*board lost' "$WORK/log")" = 2 ] || die "$(cat "$WORK/log")"
refused 1 'nothing of it is in stock' '4711 86420' void --eid "$e1" --reason x --as B-0002 --second B-0001

# One of the two of the second eUICC: the unit passes with the other one. A
# unit that has none left is told apart from one that never had any.
cards_start
line_run "$e3"
[ "$(verdicts PASS)" = 1 ] || die "$(cat "$WORK/line.json")"
# A record begins with its EID; BF23 begins with 82 01 01, 80 10 and the transactionId.
t=$(cat "$B1"/segment-* | od -An -v -tx1 | tr -d ' \n' | grep -oE '5a10[0-9]{32}|8201018010[0-9a-f]{32}' |
    awk -v e="5a10$e2" '/^5a10/ { on = $0 == e } /^82/ && on { print substr($0, 11); exit }')
as '4711 86420' void "$t" --reason 'not ordered' --as B-0002 --second B-0001 >"$WORK/out"
refused 1 "$t is voided" '4711 86420' void "$t" --reason x --as B-0002 --second B-0001
line_run "$e2" "$e1"
[ "$(verdicts PASS)" = 1 ] || die "$(cat "$WORK/line.json")"
grep -q '"code": *"no-bpp".*was voided here\|was voided here.*"no-bpp"' "$WORK/line.json" || die "$(cat "$WORK/line.json")"

# What is left of the bundle.
id=$(basename "$B1")
as '4711 86420' void --bundle "${id#bpp-bundle-}" --reason 'order withdrawn' --as B-0002 --second B-0001 >"$WORK/out"
grep -q 'voided: 2' "$WORK/out" || die "$(cat "$WORK/out")"

# --- the books --------------------------------------------------------------------

"$STATION" stock --data "$DATA" --check --json >"$WORK/stock.json" || die "$(cat "$WORK/stock.json")"
[ "$(grep -o '"total":{[^}]*}' "$WORK/stock.json" | json_sum voided)" = 5 ] || die "$(cat "$WORK/stock.json")"
"$STATION" export --data "$DATA" --to "$STICK" >/dev/null
expect 0 'All that was asked holds' "$VERIFY" "$STICK"/loading-report-* "$STICK"/audit-log-* \
    --root "$W/dm/root.pem" --ci "$W/ci/root.pem" --bundle "$B1"
expect 0 'voided.*board lost' "$LAB" verify "$W" "$STICK"/loading-report-*
[ "$(grep -c 'order withdrawn' "$WORK/out")" = 2 ] || die "$(cat "$WORK/out")"
echo "void: 5 of 8 given up, and every count agrees"
