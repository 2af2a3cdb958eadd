#!/bin/sh
# Units give their profiles back: a finished one, and one that a cut left open,
# which is loaded again with another SM-DPf's profile. Power goes at each APDU
# of a return: the next one ends it, and every book agrees. What cannot be
# returned is refused, and nothing is changed.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

# returned FIXTURE SERIAL [OPTION...]: what ctl says of it is on standard output
returned() {
    "$STATION" ctl --data "$DATA" return "$@" --reason "damaged housing" </dev/null
}
not_returned() { # not_returned WORDS FIXTURE SERIAL [OPTION...]
    words=$1
    shift
    if returned "$@" >"$WORK/out" 2>"$WORK/err"; then die "was returned: $*: $(cat "$WORK/out")"; fi
    grep -Eq "$words" "$WORK/err" || die "nothing like '$words' from $*: $(cat "$WORK/err")"
}
profiles() { "$LAB" euicc-show "$W" "$1" --json | grep -o '"iccid"' | wc -l; }
state() { "$STATION" unit --data "$DATA" "$1" --json; }
report_agrees() { # report_agrees N: so do the SM-DPf's and MSP's books, with N deletions
    rm -rf "$WORK/reports"
    mkdir "$WORK/reports"
    "$STATION" stock --data "$DATA" --check >/dev/null || die "the balance does not add up"
    "$STATION" export --data "$DATA" --to "$WORK/reports" >/dev/null
    "$LAB" verify "$W" "$WORK"/reports/loading-report-* >"$WORK/smdpf.txt" || die "$(cat "$WORK/smdpf.txt")"
    grep -q "^totals: .* $1 deleted" "$WORK/smdpf.txt" || die "not $1 deleted: $(cat "$WORK/smdpf.txt")"
}

# --- in peace: how many APDUs a return takes ------------------------------------------

new_world 3 2 --smdpf alpha beta
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf alpha --per-euicc 1 --count 2)" >/dev/null
cards_start
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
fixture_put F1 "$1"
fixture_put F2 "$2"
fixture_put F3 "$3"
line_start
not_returned 'There is no profile in this unit that this station knows of' F3 "$3"
not_returned 'does not begin with the name of a fixture' F9 "$1"
not_returned 'check digits do not hold' F1 00000000000000000000000000000002
scan done "F1$TAB$1"
not_returned 'eUICC in the unit is not the one on its label' F1 "$2"
[ "$(profiles "$1")" = 1 ] || die "a refused return deleted something"
returned F1 "$1" --json >"$WORK/return.json" || die "not returned"
grep -q '"verdict":"RETURNED","code":"returned-spent"' "$WORK/return.json" || die "$(cat "$WORK/return.json")"
apdus=$(grep -o '"apdus":[0-9]*' "$WORK/return.json" | grep -o '[0-9]*')
[ "$apdus" -gt 10 ] || die "only $apdus APDUs"
[ "$(profiles "$1")" = 0 ] || die "the profile is still there"
returned F1 "$1" | grep -q 'ALREADY DONE (already-returned)' || die "a second return is none"
# It is closed: nothing can be loaded into it again, and that is said plainly.
scan no-bpp "F1$TAB$1"
state "$1" | grep -q '"state":"stocked"' || die "not stocked: $(state "$1")"
"$STATION" log --data "$DATA" --all --json >"$WORK/log"
for words in '"kind":"return-begun".*"reason":"damaged housing"' '"kind":"bpp-deleted"' \
    '"from":"passed","to":"open","cause":"return"' '"from":"open","to":"stocked","cause":"returned"'; do
    grep -q "$words" "$WORK/log" || die "not in the log: $words"
done
report_agrees 1

# With people: by right, in their names.
as 86420 people add Ada --role supervisor --badge B-0001
as '86420 4711' people add Bob --role operator --badge B-0002 --as B-0001
scan done "F2$TAB$2"
not_returned 'somebody must stand for this' F2 "$2"
refused 1 'Bob is operator and may not let a unit give its profiles back' \
    4711 ctl return F2 "$2" --reason 'wrong order' --as B-0002
as 86420 ctl return F2 "$2" --reason 'wrong order' --as B-0001 | grep -q 'RETURNED (returned-spent)' || die "not returned"
"$STATION" log --data "$DATA" --all --json | grep -q '"kind":"bpp-deleted","actor":"Ada"' || die "in whose name?"
line_stop
kill "$CARDS_PID"

# --- cuts ----------------------------------------------------------------------------------
# Each unit is loaded, but for its end: the first cut takes the power when its
# profile is enabled, before the keys are deleted. Then its return is cut, too.

W=$WORK/world2 DATA=$WORK/station2 STICK=$WORK/stick2 CARDS=$WORK/cards2
cuts=
i=3
while [ $i -le "$apdus" ]; do
    cuts="$cuts $i $((i + 1)):before"
    i=$((i + 5))
done
# shellcheck disable=SC2086 # a list
set -- $cuts
new_world $# 2 --smdpf alpha beta
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf alpha --per-euicc 1)" >/dev/null
mkdir -p "$CARDS"
serve() { # serve OPTION...: every eUICC behind its socket
    "$LAB" euicc "$W" --all --listen "$CARDS" "$@" >/dev/null 2>&1 &
    CARDS_PID=$!
    PIDS="$PIDS $CARDS_PID"
    wait_for 30 cards_up "$units"
}
unserve() {
    kill "$CARDS_PID"
    wait "$CARDS_PID" 2>/dev/null || :
    rm -f "$CARDS"/*
}
units=$(eids | wc -l)
rm -rf "$BENCH"
n=0
for eid in $(eids); do fixture_put "F$((n += 1))" "$eid"; done

# Where the end begins: one unit shows it.
serve --cut-at 45
line_start
n=0
for eid in $(eids); do printf 'F%s\t%s\n' $((n += 1)) "$eid" >&7; done
wait_for 60 told "$units" '"event":"verdict"'
line_stop
unserve
open=$(grep -c '"code":"\(delete-keys\|notifications\|enable-failed\|no-card\)"' "$WORK/line.json" || :)
[ "$open" = "$units" ] || die "not all were cut: $(grep verdict "$WORK/line.json")"
installed=$(grep -o '"event":"verdict".*"installed":[0-9]*' "$WORK/line.json" | grep -c '"installed":1' || :)
[ "$installed" = "$units" ] || die "only $installed of $units units have their profile: $(grep verdict "$WORK/line.json")"

# Each return is cut once, then ended by the next.
for eid in $(eids); do
    "$LAB" euicc "$W" --eid "$eid" --listen "$CARDS" --cut-at "$1" >/dev/null 2>&1 &
    PIDS="$PIDS $!"
    CUT_PIDS="${CUT_PIDS:-} $!"
    shift
done
wait_for 30 cards_up "$units"
line_start
n=0
again=0
for eid in $(eids); do
    f=F$((n += 1))
    if ! returned "$f" "$eid" >"$WORK/first.txt" 2>&1; then
        again=$((again + 1))
        returned "$f" "$eid" >"$WORK/out" 2>&1 ||
            die "the second return of unit $n: $(cat "$WORK/out"); after $(cat "$WORK/first.txt")"
    else
        cp "$WORK/first.txt" "$WORK/out"
    fi
    grep -q 'RETURNED (returned)\|already-returned' "$WORK/out" || die "unit $n: $(cat "$WORK/out")"
    [ "$(profiles "$eid")" = 0 ] || die "unit $n still has its profile"
    state "$eid" | grep -q '"state":"stocked"' || die "unit $n is not stocked: $(state "$eid")"
done
[ $again -gt $((units / 2)) ] || die "only $again of $units returns were cut"
report_agrees "$units"

# Loaded again, with what another SM-DPf sends for their second key.
scan no-bpp "F1$TAB$(eids | head -1)"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --smdpf beta --per-euicc 1)" >/dev/null
n=0
for eid in $(eids); do
    scan done "F$((n += 1))$TAB$eid"
    [ "$(profiles "$eid")" = 1 ] || die "unit $n has not one profile"
done
# Finished now, and closed: it can be returned, not loaded once more.
eid=$(eids | head -1)
returned F1 "$eid" | grep -q 'RETURNED (returned-spent)' || die "the second return"
line_stop
report_agrees 1
echo "returns: $units units given back, $again of them cut in the middle, loaded again, all books agree"
