#!/bin/sh
# People at a running line: log in by the control socket and by a scanner's
# badge, in whose name units are worked on, what nobody may without a login, how
# sessions end, and that a login holds up neither the line nor its clients.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

new_world 6 1
new_station "$DATA" "$STICK"
"$STATION" import --data "$DATA" "$(bundle "$DATA" "$STICK" --per-euicc 1)" >/dev/null
cards_start
# shellcheck disable=SC2046 # a list of EIDs
set -- $(eids)
fixture_put F1 "$1"
fixture_put F2 "$2"
ctl() { "$STATION" ctl --data "$DATA" "$@" </dev/null; }
# Who logs in and out is written by a thread of its own, at times after the verdict.
logged() { wait_for 10 in_log "$1"; }
in_log() { events >"$WORK/log"; grep -Eq "$1" "$WORK/log"; }

# --- nobody is known: all is as it was ------------------------------------------

line_start
scan done "F1$TAB$1"
refused 1 'knows nobody yet' 47110815 ctl login B-0002
ctl who | grep -q 'nobody is logged in' || die "$(ctl who)"
logged '"kind":"position-moved","actor":"line"'

# --- people: the line goes on without a login until it must not --------------------

as 86420 people add Ada --role supervisor --badge B-0001
as '86420 47110815' people add Bob --role operator --badge B-0002 --as B-0001
as '86420 47120815' people add Cyd --role engineer --badge B-0003 --as B-0001
as '86420 4713' people add Dan --role auditor --badge B-0004 --as B-0001
scan done "F2$TAB$2"
fixture_put F1 "$3"
refused 1 'may not add and block' 47120815 people require-login on --as B-0003
refused 2 'on or off' 86420 people require-login maybe --as B-0001
refused 2 'may be idle for 1 to 1440 minutes' 86420 people idle 0 --as B-0001
refused 2 'printable ASCII' 86420 people badge-prefix 'B 1' --as B-0001
as 86420 people require-login on --as B-0001
as 86420 people idle 5 --as B-0001
"$STATION" people rules --data "$DATA" | grep -q '^require-login on' || die "no rule"
logged '"login-rules-changed","actor":"Ada"'
scan scan-no-login "F1$TAB$3"

# Login by the socket. A wrong PIN counts as everywhere.
refused 1 'do not go together' 9999 ctl login B-0002
tries=1
while ! grep -q 'next try is looked at from' "$WORK/err"; do # each one waits longer
    [ $((tries += 1)) -le 9 ] || die "PINs are guessed without a wait"
    refused 1 'do not go together|next try' 9999 ctl login B-0002
done
refused 1 'no fixture of that name' 47120815 ctl login B-0003 --fixture F9
refused 1 'Dan is auditor and may not work units' 4713 ctl login B-0004
refused 1 'no badge was scanned here' 47120815 ctl login
refused 1 'nobody is logged in at this station' '' ctl logout
as '86420 47110815' people pin Bob --as B-0001 # ends the wait
as 47110815 ctl login B-0002 | grep -q '^Bob (operator) is logged in at this station' || die "no login"
ctl who | grep -q '^station *Bob, operator' || die "$(ctl who)"
ctl --json snapshot | grep -q '"person":"Bob"' || die "no person in the state"
scan done "F1$TAB$3"
tail -1 "$WORK/line.json" | grep -q '"person":"Bob"' || die "in whose name? $(tail -1 "$WORK/line.json")"
logged '"session-opened","actor":"Bob".*"place":"station".*"by":"badge-and-pin"'
logged '"kind":"position-moved","actor":"Bob"'

# Another's login there; the same badge elsewhere; a fixture's own goes first.
as 47120815 ctl login B-0003 >/dev/null
logged '"session-closed","actor":"line","fields":\{"person":"Bob","place":"station","why":"taken"'
as 47110815 ctl login B-0002 --fixture F2 >/dev/null
[ "$(ctl who | wc -l)" = 2 ] || die "$(ctl who)"
fixture_put F2 "$4"
scan done "F2$TAB$4"
tail -1 "$WORK/line.json" | grep -q '"person":"Bob"' || die "the fixture's own person goes first"
as 47110815 ctl login B-0002 --fixture F1 >/dev/null
logged '"session-closed","actor":"Bob","fields":\{"person":"Bob","place":"fixture","fixture":"F2","why":"moved"'
wait_for 5 told 1 '"event":"session","state":"closed","fixture":"F2","person":"Bob".*the same badge logged in elsewhere'
scan already-done "F2$TAB$4"
ctl logout --fixture F1 >/dev/null
ctl logout >/dev/null
scan scan-no-login "F2$TAB$4"

# --- badges at the scanner ------------------------------------------------------------

scan scan-unknown-fixture B-0002 # no badge yet: nothing says how they begin
as 86420 people badge-prefix B- --as B-0001
printf 'F1\tB-0002\n' >&7
wait_for 5 told 1 '"state":"pin","fixture":"F1","person":""'
scan scan-no-login "F1$TAB$3"
as 47110815 ctl login --fixture F1 >/dev/null
scan already-done "F1$TAB$3"
refused 1 'no badge was scanned here' 47110815 ctl login --fixture F1
as 86420 people badge-alone on --as B-0001
printf 'B-0003\n' >&7
wait_for 5 told 2 '"state":"opened","fixture":"","person":"Cyd"'
fixture_put F2 "$5"
printf 'F2\tB-0002\nF2\t%s\n' "$5" >&7 # in one breath
wait_for 30 told 1 "\"serial\":\"$5\".*\"person\":\"Bob\""
scan badge-refused "F2${TAB}B-0004"   # an auditor's
scan badge-refused "F2${TAB}B-9999"   # nobody's
scan badge-refused "F2${TAB}B-9998"
scan badge-refused "F2${TAB}B-0002"   # too early now
grep -q 'too many badges were refused here' "$WORK/line.json" || die "badges are guessed without a wait"
! grep -q 'B-999' "$WORK/line.json" || die "a refused badge is shown"
logged '"login-failed".*"reason":"no-right","person":"Dan"'
logged '"session-opened","actor":"Cyd".*"place":"station".*"by":"badge"'
# The badge alone is for work, and for nothing else.
refused 1 'Cyd logged in by the badge alone' '' ctl stop
refused 1 'Cyd logged in by the badge alone' '' ctl ask shift-open

# --- how sessions end --------------------------------------------------------------------

as 86420 people block Bob --as B-0001
scan already-done "F2$TAB$5" # Cyd's now, at the station
logged '"session-closed","actor":"line","fields":\{"person":"Bob","place":"fixture","fixture":"F2","why":"blocked"'
scan badge-refused "F1${TAB}B-0002"
as 86420 people unblock Bob --as B-0001

# Acts by the socket are their command's: the same right, the same events.
refused 1 'Bob is operator and may not open' 47110815 ctl ask shift-open --as B-0002
as 47120815 ctl ask shift-open name=late --as B-0003 | grep -qx '{"shift":1,"firstEvent":[0-9]*}' ||
    die "no shift was opened"
logged '"shift-opened","actor":"Cyd".*"name":"late"'
as 47120815 ctl ask shift-close "to=$STICK" --as B-0003 | grep -q '"made":\[{"kind":"shift-record"' ||
    die "no record of the shift"
as 47120815 ctl ask shift-open --as B-0003 >/dev/null
as 47120815 ctl ask shift-close --as B-0003 | grep -q '"made":\[\],"shift":{"shift":2' || die "not closed"
"$STATION" stock --data "$DATA" --json | grep -q '"notDelivered":\[{"kind":"shift-record"' ||
    die "its record is not in the outbox"
# So is what somebody carries in and out there.
as 47110815 ctl ask export "to=$STICK" --as B-0002 2>/dev/null | grep -q '"kind":"loading-report"' || die "nothing was exported"
logged '"audit-log-exported","actor":"Bob"'
logged '"loading-report-exported","actor":"Bob"'
receipt=$("$LAB" acknowledge "$W" "$STICK"/loading-report-* --out "$STICK" | sed -n 's/^report-receipt *//p')
as 47110815 ctl ask import "container=$receipt" --as B-0002 >/dev/null 2>&1
logged '"report-acknowledged","actor":"Bob"'
printf 'B-0003\n' >&7 # the shift's end was theirs too
wait_for 5 told 3 '"state":"opened","fixture":"","person":"Cyd"'

# What stops the line is asked of who stands for it.
refused 1 'Bob is operator and may not stop the line' 47110815 ctl stop --as B-0002
refused 1 'do not go together' 1234 ctl stop --as B-0003
ctl who | grep -q connection && die "a connection's login outlived it"
kill -9 "$LINE_PID"
wait "$LINE_PID" 2>/dev/null || :
exec 7>&-
line_start
logged '"session-closed","actor":"line","fields":\{"person":"Cyd","place":"station","why":"line-died"'
refused 1 'somebody must stand for this: log in first' '' ctl stop
as 47120815 ctl stop --as B-0003 >/dev/null
rc=0
wait "$LINE_PID" || rc=$?
[ $rc = 0 ] || die "the line ended with $rc: $(cat "$WORK/line.err")"

# --- nothing of a PIN anywhere ---------------------------------------------------------------

"$STATION" stock --data "$DATA" --check >/dev/null
# Eight digits: four stand in some hash every now and then.
grep -aqE '47110815|47120815' "$WORK/line.json" "$WORK/line.err" "$WORK/log" && die "a PIN was told"
echo "sessions: logged in by socket and badge, worked in their names, ended each way"
