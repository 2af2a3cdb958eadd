#!/bin/sh
# Who works here: the first supervisor, acts by badge and PIN, what each role
# may not, lock-out, the last supervisor, and the way back at the console. The
# PIN is nowhere: not in the ledger, not in a log, not on the screen.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 1 1
new_station "$DATA" "$STICK"

"${CC:-gcc}" -shared -fPIC -O1 -D_GNU_SOURCE -o "$WORK/shim.so" tests/e2e/people_shim.c

# --- while nobody is known -----------------------------------------------------

"$STATION" people --data "$DATA" | grep -q 'nobody yet' || die "an empty list says what to do"
"$STATION" fixtures --data "$DATA" label 1-2 LEFT </dev/null || die "no badge is needed yet"
n=$(count)
refused 1 'knows nobody yet.*people add' 4711 fixtures label 1-2 RIGHT --as B-0001
refused 2 'first person.*supervisor' 4711 people add Ada --role engineer --badge B-0001
refused 2 'is no role' 4711 people add Ada --role root --badge B-0001
refused 2 'cannot be a badge' 4711 people add Ada --role supervisor --badge 'B 1'
refused 2 'cannot be a person' 4711 people add "$(printf 'A\033[2Jda')" --role supervisor --badge B-0001
refused 2 'somebody without a name' 4711 people add Engineer --role supervisor --badge B-0001
refused 2 'no PIN was given' '' people add Ada --role supervisor --badge B-0001
refused 2 'a PIN is 4 to 12 digits' 47x1 people add Ada --role supervisor --badge B-0001
refused 2 'one digit repeated' 7777 people add Ada --role supervisor --badge B-0001
refused 2 'stands on the badge' 0001 people add Ada --role supervisor --badge B-0001
refused 2 'no PIN' 01234567890123456789012345678901234567890123456789012345678901234 \
    people add Ada --role supervisor --badge B-0001
refused 1 'nothing to recover' 4711 people recover Ada --badge B-0001
refused 1 'knows nobody yet' 4711 people block Ada --as B-0001
refused 2 'nothing that can be done' 4711 people fire Ada
refused 2 'one name' 4711 people block
[ "$(count)" = "$n" ] || die "a refused word changed the ledger"

# --- people -----------------------------------------------------------------------

as 86420 people add 'Ada Weiß' --role supervisor --badge B-0001
as '86420 4711' people add Bob --role operator --badge B-0002 --as B-0001
as '86420 4712' people add Cyd --role engineer --badge B-0003 --as B-0001
as '86420 4713' people add Dan --role auditor --badge B-0004 --as B-0001
[ "$("$STATION" people list --data "$DATA" --json | grep -o '"name"' | wc -l)" = 4 ] || die "not four"
"$STATION" people --data "$DATA" | grep -q '^Cyd .*engineer *active' || die "$("$STATION" people --data "$DATA")"

n=$(count)
refused 1 'must stand for this: --as' '' fixtures label 1-2 RIGHT
refused 1 'must stand for this: --as' '' people add Eve --role operator --badge B-0005
refused 1 'is operator and may not name.*engineer or supervisor' 4711 fixtures label 1-2 RIGHT --as B-0002
refused 1 'is auditor and may not' 4713 fixtures allow 1-2 --as B-0004
refused 1 'may not add and block people' 4712 people block Bob --as B-0003
refused 1 'may not add' 4712 people role Cyd supervisor --as B-0003
refused 1 'may not add' '4711 9876' people pin Cyd --as B-0002
refused 1 'called Bob already' '86420 9876' people add bob --role operator --badge B-0005 --as B-0001
refused 1 "Bob's already" '86420 9876' people add Eve --role operator --badge B-0002 --as B-0001
refused 1 "Bob's already" 86420 people badge Cyd --badge B-0002 --as B-0001
refused 1 'nobody here is called' 86420 people block Eve --as B-0001
refused 1 'last active supervisor' 86420 people block 'Ada Weiß' --as B-0001
refused 1 'last active supervisor' 86420 people role 'Ada Weiß' auditor --as B-0001
[ "$(count)" = "$n" ] || die "what was refused left an event: $(events | tail -2)"
as '' fixtures >/dev/null || die "looking needs no badge"

# Every act bears who.
as 4712 fixtures label 1-2 RIGHT --as B-0003
as 4712 fixtures scanner 1-3 --as B-0003
as 86420 people role Bob engineer --as B-0001
as 86420 people badge Bob --badge B-0009 --as B-0001
as '4711 55443' people pin Bob --as B-0009
as 55443 fixtures allow 1-2 --as B-0009
events >"$WORK/log"
for words in '"fixture-labelled","actor":"engineer"' '"fixture-labelled","actor":"Cyd"' \
    '"scanner-set","actor":"Cyd"' '"person-changed","actor":"Ada Weiß"' \
    '"badge-changed","actor":"Ada Weiß"' '"pin-changed","actor":"Bob"' \
    '"fixture-allowed","actor":"Bob"' '"person-added","actor":"Ada Weiß"'; do
    grep -q "$words" "$WORK/log" || die "not in the log: $words"
done

# The clock too.
"${CC:-gcc}" -shared -fPIC -O1 -o "$WORK/clock.so" tests/e2e/clock_shim.c
late() { # late PINS WORD...
    # shellcheck disable=SC2086 # a list of lines
    printf '%s\n' $1 >"$WORK/pins"
    shift
    LD_PRELOAD="$WORK/clock.so" LINESIDE_CLOCK_DAYS=40 "$STATION" clock --data "$DATA" --confirm "$@" <"$WORK/pins"
}
if late 4713 2>"$WORK/err"; then die "a clock confirmed by nobody"; fi
if late 4713 --as B-0004 2>"$WORK/err"; then die "a clock confirmed by an auditor"; fi
grep -q "may not confirm the machine's clock" "$WORK/err" || die "$(cat "$WORK/err")"

# --- wrong PINs -----------------------------------------------------------------------

# The clock stands still, so that no wait ends by itself.
export LD_PRELOAD="$WORK/shim.so" PEOPLE_CLOCK=$(($(date +%s) + 100))
refused 1 'do not go together' 9999 fixtures label 1-2 X --as B-0003
cp "$WORK/err" "$WORK/wrong"
refused 1 'do not go together' 4712 fixtures label 1-2 X --as B-7777
cmp -s "$WORK/wrong" "$WORK/err" || die "an unknown badge is told from a wrong PIN"
as 86420 people block Cyd --as B-0001
refused 1 'do not go together' 4712 fixtures label 1-2 X --as B-0003
cmp -s "$WORK/wrong" "$WORK/err" || die "a blocked person is told from a wrong PIN"
refused 1 'do not go together' 1234 fixtures label 1-2 X --as B-0003
refused 1 'too many failures.*looked at from' 4712 fixtures label 1-2 X --as B-0003
as 86420 people unblock Cyd --as B-0001
refused 1 'do not go together' 1234 fixtures label 1-2 X --as B-7777
refused 1 'do not go together' 1234 fixtures label 1-2 X --as B-7777
refused 1 'too many failures.*looked at from' 4712 fixtures label 1-2 X --as B-7777
[ "$(events | grep -c '"login-failed"')" = 4 ] || die "not three failures and a stranger's: $(events | grep login)"
events | grep '"login-failed"' | grep -q '"reason":"blocked","person":"Cyd"' || die "$(events | grep login)"
# A new PIN ends the wait.
as '86420 98765' people pin Cyd --as B-0001
as 98765 fixtures label 1-2 LEFT --as B-0003
unset LD_PRELOAD PEOPLE_CLOCK

# --- the way back ---------------------------------------------------------------------

n=$(count)
refused 1 'somebody who stands here|needs root' 4711 people recover Eve --badge B-0005
"${CC:-gcc}" -O1 -D_GNU_SOURCE -o "$WORK/pty" tests/e2e/people_pty.c -lutil
rc=0
"$WORK/pty" /dev/null true || rc=$?
if [ $rc = 77 ]; then
    echo "SKIP: what is asked at a terminal: no pseudo-terminal here (/dev/pts)"
    exit 0
fi
pty() { # pty CODE CMD...: with the steps on standard input
    want=$1
    shift
    cat >"$WORK/steps"
    rc=0
    timeout 60 "$WORK/pty" "$WORK/steps" "$@" >"$WORK/screen" || rc=$?
    [ "$rc" = "$want" ] || die "exit $rc instead of $want: $(cat "$WORK/screen")"
}
# A terminal that is no console: a window, a network login.
pty 1 "$STATION" people --data "$DATA" recover Eve --badge B-0005 </dev/null
grep -q 'somebody who stands here\|needs root' "$WORK/screen" || die "$(cat "$WORK/screen")"
[ "$(count)" = "$n" ] || die "a refused recovery changed the ledger"

# At a terminal the PIN is asked for, twice where it is new, and never shown.
pty 0 "$STATION" people --data "$DATA" pin Cyd --as B-0003 <<EOF
wait Your PIN:
send 98765
wait New PIN of Cyd:
send 31415
wait again:
send 31415
EOF
grep -q '98765\|31415' "$WORK/screen" && die "the PIN was shown: $(cat "$WORK/screen")"
pty 2 "$STATION" people --data "$DATA" pin Cyd --as B-0003 <<EOF
wait Your PIN:
send 31415
wait New PIN of Cyd:
send 27182
wait again:
send 27183
EOF
grep -q 'not the same' "$WORK/screen" || die "$(cat "$WORK/screen")"

# Blocked while the new PIN was being typed.
as '86420 11223' people add Eve2 --role supervisor --badge B-0010 --as B-0001
("$WORK/pty" /dev/stdin "$STATION" people --data "$DATA" add Mallory --role operator --badge B-0011 --as B-0010 >"$WORK/screen.2" <<EOF
wait Your PIN:
send 11223
wait New PIN of Mallory:
send 14142
wait again:
wait-file $WORK/blocked
send 14142
EOF
) &
TYPING=$!
wait_for 20 grep -q again: "$WORK/screen.2"
as 86420 people block Eve2 --as B-0001
: >"$WORK/blocked"
rc=0
wait $TYPING || rc=$?
[ $rc = 1 ] || die "exit $rc: $(cat "$WORK/screen.2")"
grep -q "was blocked meanwhile" "$WORK/screen.2" || die "$(cat "$WORK/screen.2")"

if [ "$(id -u)" = 0 ]; then
    export PEOPLE_SHIM="$WORK/shim.so" PEOPLE_CONSOLE=1
    n=$(count)
    pty 1 "$STATION" people --data "$DATA" recover Eve --badge B-0005 <<EOF
wait go on:
send 0
EOF
    grep -q 'not the code' "$WORK/screen" || die "$(cat "$WORK/screen")"
    # The line must stand still.
    flock -o "$DATA/run.lock" sleep 60 &
    LOCK_PID=$!
    PIDS="$PIDS $LOCK_PID"
    sleep 0.3
    pty 4 "$STATION" people --data "$DATA" recover Eve --badge B-0005 </dev/null
    grep -q 'must stand still' "$WORK/screen" || die "$(cat "$WORK/screen")"
    kill $LOCK_PID
    wait $LOCK_PID || :
    wait_for 10 flock -n "$DATA/run.lock" true
    [ "$(count)" = "$n" ] || die "a refused recovery changed the ledger"
    pty 0 "$STATION" people --data "$DATA" recover Eve --badge B-0005 <<EOF
wait go on:
code
wait New PIN of Eve:
send 16180
wait again:
send 16180
EOF
    unset PEOPLE_SHIM PEOPLE_CONSOLE
    events | grep '"people-recovered"' | grep -q '"actor":"console".*"person":"Eve"' || die "not logged: $(events | tail -1)"
    "$STATION" people --data "$DATA" | grep -q '^Eve .*supervisor.*at the console' || die "the list does not tell"
    as 16180 people block 'Ada Weiß' --as B-0005
    # It leaves the factory in the next audit log.
    "$STATION" export --data "$DATA" --to "$STICK" >/dev/null
    grep -aq 'people-recovered' "$STICK"/audit-log-*/* || die "no audit log carries the recovery"
else
    echo "not root: the way back was only refused"
fi

# --- a clock that is not believed ----------------------------------------------------

# Where the ledger's time stands still, a wrong PIN must not lock out for good.
for pin in 9999 9998 9997; do
    if late $pin --as B-0003 2>"$WORK/err"; then die "a wrong PIN confirmed the clock"; fi
done
tries=0
until late 31415 --as B-0003 >"$WORK/out" 2>"$WORK/err"; do
    grep -q "too many failures" "$WORK/err" || die "$(cat "$WORK/err")"
    tries=$((tries + 1))
    [ $tries -lt 60 ] || die "locked out for good: $(cat "$WORK/err")"
    sleep 0.2
done
events | grep -q '"clock-confirmed","actor":"Cyd"' || die "not logged: $(events | tail -1)"

# --- the PIN is nowhere ----------------------------------------------------------------

sqlite=$(cat "$DATA"/ledger.db "$DATA"/ledger.db-wal 2>/dev/null | strings -n 4)
for pin in 86420 55443 98765 31415; do
    echo "$sqlite" | grep -q "$pin" && die "the PIN $pin is in the ledger"
done
echo "$sqlite" | grep -q 'B-000[1-4]' && die "a badge is in the ledger"
"$STATION" stock --data "$DATA" --check >/dev/null
echo "people: badge and PIN, rights, lock-out, the way back"
