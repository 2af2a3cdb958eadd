# tests/lib.sh: what the demo and the end-to-end tests share. Source it from
# the repository's top folder. Everything happens in $WORK, removed at exit.
# shellcheck shell=sh

BIN=${BIN:-build/bin}
LAB=$BIN/lineside-lab
STATION=$BIN/lineside
VERIFY=$BIN/lineside-verify
SHARED=${LINESIDE_SHARED:-../shared}

# A script that runs itself again on an emulated bus (on_usb) has its folder.
WORK=${USB_WORK:-$(mktemp -d "${TMPDIR:-/tmp}/lineside.XXXXXX")}
W=$WORK/world
DATA=$WORK/station
STICK=$WORK/stick
CARDS=$WORK/cards
BENCH=$WORK/bench
PIDS=

cleanup() {
    rc=$?
    # shellcheck disable=SC2086 # a list of process ids
    [ -z "$PIDS" ] || kill $PIDS 2>/dev/null || : # some have ended
    wait 2>/dev/null
    if [ -n "${USB_WORK:-}" ]; then
        : # the outer one's
    elif [ -n "${KEEP:-}" ]; then
        echo "kept: $WORK" >&2
    else
        rm -rf "$WORK"
    fi
    exit "$rc"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

die() {
    echo "FAIL: $*" >&2
    exit 1
}

skip() {
    echo "SKIP: $*"
    exit 77
}

# expect CODE WORDS CMD...: CMD exits with CODE and says WORDS (grep -E).
expect() {
    want=$1 words=$2
    shift 2
    rc=0
    "$@" >"$WORK/out" 2>"$WORK/err" </dev/null || rc=$?
    [ "$rc" = "$want" ] || {
        cat "$WORK/out" "$WORK/err" >&2
        die "exit $rc instead of $want: $*"
    }
    grep -Eq "$words" "$WORK/out" "$WORK/err" || {
        cat "$WORK/out" "$WORK/err" >&2
        die "nothing like '$words' from: $*"
    }
}

# by PINS CMD...: CMD, with these lines on its standard input.
by() {
    # shellcheck disable=SC2086 # a list of lines
    printf '%s\n' $1 >"$WORK/pins"
    shift
    "$@" <"$WORK/pins"
}
# as PINS WORD...: lineside WORD... of $DATA does it.
as() {
    pins=$1 verb=$2
    shift 2
    by "$pins" "$STATION" "$verb" --data "$DATA" "$@" || die "exit $?: $verb $*"
}
# refused CODE WORDS PINS WORD...: it exits with CODE, and its standard error
# says WORDS (grep -E).
refused() {
    want=$1 words=$2 pins=$3 verb=$4
    shift 4
    rc=0
    by "$pins" "$STATION" "$verb" --data "$DATA" "$@" >"$WORK/out" 2>"$WORK/err" || rc=$?
    [ "$rc" = "$want" ] || die "exit $rc instead of $want: $verb $*: $(cat "$WORK/out" "$WORK/err")"
    grep -Eq "$words" "$WORK/err" || die "nothing like '$words' from $verb $*: $(cat "$WORK/err")"
}

# Every event of $DATA's ledger, one a line; how many there are.
events() { "$STATION" log --data "$DATA" --all --json "$@"; }
count() { events | wc -l; }

wait_for() { # wait_for SECONDS CMD...: until CMD holds
    tries=$(($1 * 20))
    shift
    while ! "$@" 2>/dev/null; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || die "waited in vain for: $*"
        sleep 0.05
    done
}

new_world() { # new_world EUICCS KEYS [OPTION...]
    n=$1 k=$2
    shift 2
    "$LAB" new "$W" --euiccs "$n" --keys "$k" "$@" >"$WORK/new.txt"
    ROOT_SHA256=$(openssl x509 -in "$W/dm/root.pem" -outform DER | sha256sum | cut -d' ' -f1)
}

key_id() { # key_id DATA: the station's key id
    openssl pkey -in "$1/station.key" -pubout -outform DER | sha256sum | cut -d' ' -f1
}

new_station() { # new_station DATA STICK [OPTION...of authority]: ready to import
    data=$1 stick=$2
    shift 2
    mkdir -p "$stick"
    "$STATION" init --data "$data" --root "$ROOT_SHA256" >/dev/null
    "$STATION" station-csr --data "$data" --to "$stick" >/dev/null
    csr=$(echo "$stick"/station-csr-*)
    "$LAB" authority "$W" --csr "$csr" --out "$stick" "$@" >/dev/null
    "$STATION" station-cert --data "$data" "$stick"/station-cert-* >/dev/null
    rm -rf "$csr" "$stick"/station-cert-*
}

# For tests that let many units fail in a row on purpose.
never_stop() { "$STATION" fixtures --data "$DATA" limits --failures 0 --yield 0; }

bundle() { # bundle DATA OUT [OPTION...]: prints the bundle's directory
    data=$1 out=$2
    shift 2
    mkdir -p "$out"
    ls -d "$out"/bpp-bundle-* 2>/dev/null >"$WORK/before.txt" || :
    "$LAB" bind "$W" --station "$(key_id "$data")" --out "$out" "$@" >/dev/null
    ls -d "$out"/bpp-bundle-* | grep -vxFf "$WORK/before.txt"
}

eids() { # the world's EIDs, sorted
    ls "$W"/euicc/*.db | sed 's|.*/||; s|\.db$||' | sort
}

cards_start() { # cards_start [OPTION...]: every eUICC of the world, powered
    mkdir -p "$CARDS"
    "$LAB" euicc "$W" --all --listen "$CARDS" "$@" >"$WORK/cards.log" 2>&1 &
    CARDS_PID=$!
    PIDS="$PIDS $CARDS_PID"
    n=$(eids | wc -l)
    wait_for 20 cards_up "$n"
}
cards_up() { [ "$(find "$CARDS" -type s 2>/dev/null | wc -l)" -ge "$1" ]; }

need_usb() { # skips where the emulated bus cannot be
    why=$("$LAB" usb --check) || skip "$why"
}

# on_usb SCRIPT [OPTION...]: that script, on an emulated bus of the world's
# eUICCs, with USB_WORK set; its exit status. "$LINESIDE_USB" is the bus.
on_usb() {
    script=$1
    shift
    USB_WORK=$WORK "$LAB" usb "$W" --control "$WORK/usb" "$@" -- sh "$script"
}

usb() { # usb WORD...: hands at the emulated bus
    "$LAB" usb-ctl "$LINESIDE_USB" "$@"
}

# The sum of one field wherever it stands in the JSON on standard input.
json_sum() {
    grep -o "\"$1\": *[0-9]*" | awk -F: '{ s += $2 } END { print s + 0 }'
}

# --- the line, without a robot ---------------------------------------------

fixture_put() { # fixture_put NAME EID: that unit stands in that fixture
    mkdir -p "$BENCH"
    ln -sfn "$CARDS/$2" "$BENCH/.$1.new"
    mv -T "$BENCH/.$1.new" "$BENCH/$1"
}

# line_run EID...: one unit after the other through four fixtures, each group
# of four at once; JSON lines to $WORK/line.json.
line_run() {
    : >"$WORK/line.json"
    while [ $# -gt 0 ]; do
        : >"$WORK/scans"
        rm -rf "$BENCH"
        for f in F1 F2 F3 F4; do
            [ $# -gt 0 ] || break
            fixture_put $f "$1"
            printf '%s\t%s\n' $f "$1" >>"$WORK/scans"
            shift
        done
        "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scans" \
            --json >>"$WORK/line.json" 2>"$WORK/line.err" ||
            die "lineside run: $(cat "$WORK/line.err")"
    done
}

# A line at $BENCH that goes on: JSON lines to $WORK/line.json, scans from a
# FIFO that this script holds open as 7.
line_start() {
    rm -f "$WORK/scan"
    mkfifo "$WORK/scan"
    : >"$WORK/line.json"
    "$STATION" run --no-usb --data "$DATA" --bench "$BENCH" --scan "$WORK/scan" --json \
        >"$WORK/line.json" 2>"$WORK/line.err" &
    LINE_PID=$!
    PIDS="$PIDS $LINE_PID"
    exec 7>"$WORK/scan"
    wait_for 20 line_up
}
line_up() { "$STATION" ctl --data "$DATA" version </dev/null >/dev/null 2>&1; }
line_stop() {
    kill "$LINE_PID"
    wait "$LINE_PID" || die "the line: $(cat "$WORK/line.err")"
    exec 7>&-
}
told() { # told N PATTERN: the line has told it that often
    [ "$(grep -c "$2" "$WORK/line.json")" -ge "$1" ]
}
TAB=$(printf '\t')
scan() { # scan CODE LINE: its one verdict
    nth=$(($(grep -c '"event":"verdict"' "$WORK/line.json" || :) + 1))
    printf '%s\n' "$2" >&7
    wait_for 60 told "$nth" '"event":"verdict"'
    grep '"event":"verdict"' "$WORK/line.json" | tail -1 | grep -q "\"code\":\"$1\"" ||
        die "not $1 for '$2': $(tail -2 "$WORK/line.json")"
}

verdicts() { # verdicts PASS: how many in $WORK/line.json
    grep -c "\"event\": *\"verdict\".*\"verdict\": *\"$1\"\|\"verdict\": *\"$1\".*\"event\": *\"verdict\"" "$WORK/line.json" || :
}

# Every book agrees: the station's own recount, each eUICC, the SM-DPf. For
# worlds in which every BPP was to be installed.
books_agree() { # books_agree BPPS
    "$STATION" stock --data "$DATA" --check --json >"$WORK/stock.json" ||
        die "the balance does not add up: $(cat "$WORK/stock.json")"
    sum=0
    for eid in $(eids); do
        "$LAB" euicc-show "$W" "$eid" --json >"$WORK/chip.json"
        n=$(grep -o '"iccid"' "$WORK/chip.json" | wc -l)
        sum=$((sum + n))
    done
    [ "$sum" = "$1" ] || die "the eUICCs hold $sum profiles, not $1"
}
