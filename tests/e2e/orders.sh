#!/bin/sh
# Work orders: from the order desk on a stick, and made at the station; what is
# refused and why; held against the stock before they are activated.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 4 3 --smdpf north south
new_station "$DATA" "$STICK" --site hall-3
orders() { "$STATION" orders --data "$DATA" "$@"; }
order() { # order OPTION...: a work-order of the desk; prints its folder
    "$LAB" order "$W" --out "$STICK" --product Meter --quantity 3 "$@" | sed -n 's/^work-order  *//p'
}
refused() { # refused CODE WORDS WORD...: and nothing has changed
    n=$(events | wc -l)
    code=$1 words=$2
    shift 2
    expect "$code" "$words" orders "$@"
    [ "$(events | wc -l)" = "$n" ] || die "what was refused left an event: $(events | tail -1)"
}
US=$(key_id "$DATA")
expect 0 'no order yet' orders

# --- from the desk ----------------------------------------------------------------

ONE=$(order --station "$US" --number WO-1 --serials 'SN-###' --recipe 'load smdp=2.999.10; load smdp=2.999.11; enable 1; close')
expect 0 'order WO-1 of dm-order is here, number 1, and waits' orders import "$ONE"
refused 1 'imported before' import "$ONE"
refused 1 'another station' import "$(order --station "$(printf '%064d' 0)" --number WO-9 --recipe register)"
refused 1 'another station' import "$(order --site hall-4 --number WO-9 --recipe register)"
refused 1 'was to be imported by' import "$("$LAB" forge "$W" "$ONE" --out "$STICK" --lie expired)"
for party in dm/authority dm/release smdpf/north/dpauth eum/data; do
    refused 1 'signer of a work-order|says it is from' import "$("$LAB" forge "$W" "$ONE" --out "$STICK" --lie same-bpp --signer $party)"
done
refused 1 'an order WO-1 here already.*never used twice' import "$("$LAB" forge "$W" "$ONE" --out "$STICK" --lie same-bpp)"
cp -r "$ONE" "$STICK/unsigned"
printf '\0' | dd of="$STICK/unsigned/manifest.cms" bs=1 seek=300 conv=notrunc 2>/dev/null
refused 1 'nothing was imported' import "$STICK/unsigned"
refused 2 'not a work-order.*lineside import' import "$(bundle "$DATA" "$STICK" --smdpf north --count 1)"
expect 2 'work-order.*lineside orders import' "$STATION" import --data "$DATA" "$ONE"
expect 0 'order WO-2' orders import "$(order --site hall-3 --number WO-2 --recipe 'a:register' 'b:load any; keep 1')"
# The order desk counts; what has not arrived is shown.
order --site hall-3 --number WO-3 --recipe register >/dev/null
order --site hall-3 --number WO-4 --recipe register >/dev/null
expect 0 '2 work orders of dm-order with lower numbers have not arrived' \
    orders import "$(order --site hall-3 --number WO-5 --recipe register)"
expect 0 'not arrived: work orders 2 to 3 of dm-order' "$STATION" stock --data "$DATA"

# --- made here ----------------------------------------------------------------------

expect 0 'WO-6 is made and waits' orders new --number WO-6 --product 'Two eUICCs' --quantity 10 \
    --recipe 'left: load class=test; close' --recipe 'right: register'
refused 1 'here already' new --number wo-6 --product X --quantity 1 --recipe register
refused 2 'letters, digits' new --number 'W 7' --product X --quantity 1 --recipe register
refused 2 'quantity' new --number WO-7 --product X --quantity 0 --recipe register
refused 2 'plain text' new --number WO-7 --product "$(printf 'X\033[2J')" --quantity 1 --recipe register
refused 2 'serial pattern' new --number WO-7 --product X --quantity 1 --serials '{9-1}' --recipe register
refused 2 'two recipes' new --number WO-7 --product X --quantity 1 --recipe register --recipe 'load any; close'
refused 2 'not understood at .colour' new --number WO-7 --product X --quantity 1 --recipe 'load colour=red; close'
refused 2 'positions' new --number WO-7 --product X --quantity 1
refused 2 'ends with close or keep' new --number WO-7 --product X --quantity 1 --recipe 'load any; register'
refused 2 'options of .new. alone' close WO-1 --quantity 4
refused 2 'nothing that can be done' open WO-1
refused 1 'no order WO-8 here' show WO-8

# --- activated ------------------------------------------------------------------------

refused 1 'profile 1 .smdp=2.999.10.*0 in stock for 3 units' activate WO-1
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf north --count 1)" >/dev/null
refused 1 'profile 2 .smdp=2.999.11.*0 in stock' activate WO-1
grep -q 'profile 1 .*1 in stock for 1 different eUICCs, and 3 units are left' "$WORK/err" || die "$(cat "$WORK/err")"
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf south --eid "$4")" >/dev/null
refused 1 'no eUICC has a profile in stock for every' activate WO-1
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf south --eid "$1")" >/dev/null
expect 0 'complete  main: 1 eUICCs; 3 units are left' orders activate WO-1
grep -q 'warning: .*1 eUICCs have all their profiles in stock, and 3 units are left' "$WORK/err" || die "$(cat "$WORK/err")"
refused 1 'WO-1 is active; only a waiting order' activate wo-1
refused 1 'class=test.*0 in stock' activate WO-6
orders new --number WO-7 --product X --quantity 1 --recipe 'load any; enable 1; connectivity-check; close' >/dev/null
refused 1 'connectivity-check is reserved' activate WO-7
orders activate WO-7 --json 2>/dev/null | grep -q '"activated":false.*"findings":\[{"refuses":true' || die "no finding in JSON"
orders close WO-7
orders close WO-5
refused 1 'WO-7 is closed and cannot become closed' close WO-7
refused 1 'only a waiting order' activate WO-7
orders --json | grep -q '{"order":"WO-1","product":"Meter","state":"active","serials":"SN-###","quantity":3,"left":3,' || die "$(orders --json)"
expect 0 'recipe    main: load smdp=2.999.10; load smdp=2.999.11; enable 1; close' orders show WO-1
grep -q 'barcode   order:WO-1' "$WORK/out" || die "$(cat "$WORK/out")"
"$STATION" barcodes --data "$DATA" --orders --to "$WORK/sheet.svg" >"$WORK/out"
last=$(tail -n 1 "$WORK/out") # orders have pages of their own
grep -q '>order:WO-1<' "$last" && grep -q '>Meter<' "$last" || die "WO-1 is not on the sheet"
! grep -q '>order:WO-7<' "$last" || die "a closed order is on the sheet"
events | grep -q '"order-moved".*"WO-1".*"from":"waiting","to":"active","cause":"activated"' || die "not logged"
events | grep -q '"order-moved".*"WO-5".*"cause":"withdrawn"' || die "not logged"
events | grep -q '"order-imported".*"recipe-1":"main: load smdp=2.999.10; ' || die "not logged"

# --- who may ----------------------------------------------------------------------------

as 86420 people add Ada --role supervisor --badge B-0001 >/dev/null
as '86420 4711' people add Bob --role operator --badge B-0002 --as B-0001 >/dev/null
refused 1 'must stand for this: --as' close WO-1
for act in 'close WO-1' 'activate WO-2' 'new --number WO-8 --product X --quantity 1 --recipe register'; do
    # shellcheck disable=SC2086 # words on purpose
    if echo 4711 | orders $act --as B-0002 2>"$WORK/err"; then die "an operator may $act"; fi
    grep -q 'is operator and may not make, activate and close work orders' "$WORK/err" || die "$(cat "$WORK/err")"
done
echo 86420 | orders close WO-2 --as B-0001
events | grep -q '"order-moved","actor":"Ada"' || die "not logged under her name"
"$STATION" stock --data "$DATA" --check >/dev/null
echo "orders: from the desk and made here, refused, activated, closed"
