#!/bin/sh
# The documents against the programs: every subcommand, option, verdict, error
# and exit code stands in its man page, in the right section; the pages are
# clean mdoc; every link and every path that a document names is there; no
# tracked file names this machine's folders.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib.sh

faults=0
fault() {
    echo "$*" >&2
    faults=$((faults + 1))
}

# --- man pages ---------------------------------------------------------------

# section PAGE TITLE: that .Sh, without the others.
section() {
    awk -v want=".Sh $2" '/^\.Sh / { on = toupper($0) == toupper(want) } on' "docs/man/$1.1"
}

# The long options in a --help text: of its usage lines, and those that begin
# a line below.
options_of() {
    { sed -n '1,/^$/p' "$1" | grep -o -- '--[a-z][a-z0-9-]*' || :
        sed -n 's/^  \(--[a-z][a-z0-9-]*\).*/\1/p' "$1"; } | sort -u | sed 's/^--//'
}

# entry SECTION-FILE WHAT: there is an .It for it.
entry() { grep -Eq "^\.It (.* )?($2)( |\$)" "$1"; }

# Each option that HELP prints has an entry in the page's part, and each entry
# there is an option: neither invented nor forgotten. Common ones stand in the
# DESCRIPTION.
compare_options() { # compare_options NAME HELP PART COMMON
    options_of "$2" | grep -vxE "$4" >"$WORK/has" || :
    sed -n 's/^\.It Fl -\([a-z0-9-]*\).*/\1/p' "$3" | sort -u | grep -vxE "$4" >"$WORK/told" || :
    diff "$WORK/has" "$WORK/told" >"$WORK/diff" || fault "$1: options (<) and man page (>): $(grep '^[<>]' "$WORK/diff" | tr '\n' ' ')"
}

commands=0
for program in lineside lineside-lab; do
    # A program has one part for what all its commands share.
    section $program DESCRIPTION >"$WORK/common"
    "$BIN/$program" --help >"$WORK/help"
    for c in $(sed -n 's/^  \([a-z][a-z-]*\)  *[A-Za-z].*/\1/p' "$WORK/help"); do
        commands=$((commands + 1))
        section $program "$program $c" >"$WORK/part"
        [ -s "$WORK/part" ] || fault "$program.1 has no section $program $c"
        section $program SYNOPSIS | grep -qx "\.Cm $c" || fault "$program.1: SYNOPSIS lacks $c"
        "$BIN/$program" "$c" --help >"$WORK/help.$c"
        compare_options "$program $c" "$WORK/help.$c" "$WORK/part" 'data|json|help'
        options_of "$WORK/help.$c" >"$WORK/options.$c"
        for o in $(grep -xE 'data|json|help' "$WORK/options.$c" || :); do
            entry "$WORK/part" "Fl -$o" || entry "$WORK/common" "Fl -$o" ||
                fault "$program.1: $c has --$o and no entry for it"
        done
    done
    # No section may describe what is no command.
    sed -n "s/^\.Sh $(echo $program | tr a-z A-Z) //p" docs/man/$program.1 | tr A-Z a-z | sort >"$WORK/sections"
    sed -n 's/^  \([a-z][a-z-]*\)  *[A-Za-z].*/\1/p' "$WORK/help" | sort | diff "$WORK/sections" - >"$WORK/diff" ||
        fault "$program.1: sections (<) and commands (>): $(grep '^[<>]' "$WORK/diff" | tr '\n' ' ')"
done
[ $commands -ge 19 ] || fault "only $commands commands were found: --help cannot be read"

"$VERIFY" --help >"$WORK/help"
section lineside-verify DESCRIPTION >"$WORK/part"
compare_options lineside-verify "$WORK/help" "$WORK/part" 'help'
"$BIN/lineside-restore" --help >"$WORK/help"
section lineside-restore DESCRIPTION >"$WORK/part"
compare_options lineside-restore "$WORK/help" "$WORK/part" 'help|version'
section lineside-verify DESCRIPTION >"$WORK/part"
for word in $(sed -n 's/^    \[[A-Z_]*\] = { "\([^"]*\)", "\([^"]*\)".*/\1,\2/p' station/verify/findings.c | tr ' ' _); do
    entry "$WORK/part" "Cm $(echo "${word%,*}" | tr _ ' ') Pq Cm ${word#*,}" || fault "lineside-verify.1: no entry for a finding that is '$word'"
done

# Verdicts: the code's table and the man page, code for code, each under its
# verdict.
sed -n 's/^    \[V_[A-Z_]*\] = { "\([a-z-]*\)".*/\1/p' station/line/verdict.c | sort >"$WORK/codes"
[ "$(wc -l <"$WORK/codes")" -ge 30 ] || fault "verdict.c: its table cannot be read"
awk '/^\.Ss Verdicts/ { on = 1; next } /^\.S[hs]/ { on = 0 } on && /^\.It Cm/ { print $3 }' docs/man/lineside.1 | sort |
    diff "$WORK/codes" - >"$WORK/diff" || fault "verdicts (<) and lineside.1 (>): $(grep '^[<>]' "$WORK/diff" | tr '\n' ' ')"

# Errors: each name, under its exit code.
sed -n 's/^    \[ERR_[A-Z_]*\] = { "\([a-z-]*\)", \([0-9]\) },/\2 \1/p' station/base/err.c | grep -v '^0 ' | sort >"$WORK/codes"
[ "$(wc -l <"$WORK/codes")" -ge 19 ] || fault "err.c: its table cannot be read"
section lineside 'EXIT STATUS' |
    awk '/^\.It [0-9]/ { code = $2 } code > 0 && code < 5 && /^(\.It )?\.?Cm / { sub(/^\.It /, ""); sub(/^\.?Cm /, ""); print code, $1 }' | sort |
    diff "$WORK/codes" - >"$WORK/diff" || fault "errors (<) and lineside.1 (>): $(grep '^[<>]' "$WORK/diff" | tr '\n' ' ')"

if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning docs/man/*.1 >"$WORK/lint" 2>&1 || fault "$(cat "$WORK/lint")"
    mandoc -T utf8 docs/man/lineside.1 | grep -q 'LINESIDE(1)' || fault "lineside.1 cannot be shown"
else
    echo "SKIP: mandoc is not installed: the man pages' markup is not looked at"
fi

# --- events and states, as the ledger's format tells them ------------------------

sed -n '/^| kind | fields |/,/^$/s/^| \([a-z-]*\(, [a-z-]*\)*\) |.*/\1/p' docs/formats/ledger.md |
    tr -d ' ' | tr , '\n' | grep -vx 'kind\|---' | sort >"$WORK/told"
# Every kind that a source file writes: the second argument of its writers.
cat storage/*.c station/*/*.c | tr '\n' ' ' |
    grep -oE 'event_(write|append)\([^"();]*, *"[a-z-]+"|_events\[\] = \{[^}]*\}' |
    grep -oE '"[a-z-]+"' | tr -d '"' | sort -u >"$WORK/has"
[ "$(wc -l <"$WORK/has")" -ge 8 ] || fault "the kinds of events cannot be read from the sources"
comm -23 "$WORK/has" "$WORK/told" | while read -r kind; do
    echo "docs/formats/ledger.md does not know events of kind $kind"
done >"$WORK/unknown"
[ ! -s "$WORK/unknown" ] || fault "$(cat "$WORK/unknown")"

# --- markdown ---------------------------------------------------------------------

# In a checkout the tracked files, else (an exported tree) all but the build.
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files >"$WORK/files"
else
    find . \( -path ./build -o -path ./.git -o -name compile_commands.json \) -prune -o -type f -print | sed 's|^\./||' >"$WORK/files"
fi
grep '\.md$' "$WORK/files" >"$WORK/documents"
links=0
while read -r doc; do
    here=$(dirname "$doc")
    # [text](target), outside of fenced and indented blocks.
    awk '/^```/ { fence = !fence } !fence && !/^    /' "$doc" | grep -oE '\]\([^)]+\)' | sed 's/^](//; s/)$//; s/#.*//' >"$WORK/links" || :
    while read -r target; do
        links=$((links + 1))
        case $target in
        '' | http://* | https://* | mailto:*) continue ;;
        esac
        [ -e "$here/$target" ] || fault "$doc: no such file: $target"
    done <"$WORK/links"
    # `station/fpa/doubt.h`, `tests/demo.sh`: names of our own files and rooms.
    awk '/^```/ { fence = !fence } !fence' "$doc" |
        grep -oE '`(station|storage|drivers|tests|docs|ui|image)/[A-Za-z0-9_./-]*`' | tr -d '`' >"$WORK/links" || :
    while read -r target; do
        links=$((links + 1))
        [ -e "$target" ] || fault "$doc: no such file or folder: $target"
    done <"$WORK/links"
done <"$WORK/documents"
[ $links -ge 20 ] || fault "only $links links were found: documents cannot be read"

# --- what the manuals tell people to press, scan and type -----------------------------

# `LINESIDE-WORD` is a command barcode, F1 to F10 are keys, and `lineside COMMAND
# --option` is a command with that option.
grep -oE '"F[0-9]+", "[A-Z]+"' ui/scan/actions.c | tr -d '",' >"$WORK/keys"
{ sed -n 's/^    { ACT_[^"]*"[^"]*", "\([A-Z]*\)".*/\1/p' ui/scan/actions.c
    grep -A1 -hE '^const struct screen screen_[a-z]+ = \{' ui/screens/*.c | sed -n 's/^    "\([a-z]*\)", .*/\1/p' | tr a-z A-Z; } | sort -u >"$WORK/barcodes"
[ "$(wc -l <"$WORK/keys")" -ge 8 ] && [ "$(wc -l <"$WORK/barcodes")" -ge 25 ] || fault "the screen's keys and barcodes cannot be read"
told=0
for doc in README.md docs/*.md; do
    for word in $(grep -oE 'LINESIDE-[A-Z]+' "$doc" | sort -u); do
        told=$((told + 1))
        grep -qx "${word#LINESIDE-}" "$WORK/barcodes" || fault "$doc: there is no command barcode $word"
    done
done
for doc in docs/operator.md docs/engineer.md docs/auditor.md; do
    for word in $(awk '/^```/ { fence = !fence } !fence' "$doc" | grep -owE 'F(5|6|7|8|9|10)' | sort -u); do
        grep -q "^$word " "$WORK/keys" || fault "$doc: there is no key $word"
    done
done
# Commands stand in `...` or in a block.
for doc in README.md docs/*.md; do
    awk '/^```/ { fence = !fence } fence || /^    / { print; next } { n = split($0, v, "`"); for (i = 2; i <= n; i += 2) print v[i] }' "$doc" |
        grep -E '^ *lineside [a-z]' | sed 's/^ *lineside //; s/#.*//' >"$WORK/typed" || :
    while read -r c words; do
        told=$((told + 1))
        [ -s "$WORK/help.$c" ] || { fault "$doc: there is no command lineside $c" && continue; }
        for o in $(echo "$words" | grep -oE -- '(^| )--[a-z][a-z-]*' || :); do
            grep -qx -- "${o#--}" "$WORK/options.$c" || fault "$doc: lineside $c has no option $o"
        done
    done <"$WORK/typed"
done
[ $told -ge 80 ] || fault "only $told commands and barcodes were found in the manuals"

# --- this machine ------------------------------------------------------------------

# Folders of the one who wrote, in any text file. The pattern does not match
# itself.
home='/(home|Users|work|root)/[a-z][a-zA-Z0-9_.-]*/'
while read -r f; do
    [ ! -f "$f" ] || printf '%s\0' "$f"
done <"$WORK/files" | xargs -0 grep -HnIE "(^|[\"'\` =:(<])$home" >"$WORK/paths" || :
[ ! -s "$WORK/paths" ] || fault "folders of somebody's machine: $(cat "$WORK/paths")"

# --- rights -----------------------------------------------------------------------

# One table, in the code; the document shows what the program prints.
"$STATION" people rights >"$WORK/has"
[ "$(wc -l <"$WORK/has")" -ge 4 ] || fault "'people rights' cannot be read"
sed -n '/^| right | may |/,/^$/p' docs/people.md | sed '/^$/d' | diff "$WORK/has" - >"$WORK/diff" ||
    fault "rights (<) and docs/people.md (>): $(cat "$WORK/diff")"

# --- the screen's words -------------------------------------------------------------

# Each text of the screen, in every language; msgfmt has looked at the formats.
if command -v xgettext >/dev/null; then
    xgettext --from-code=UTF-8 --language=C --keyword= --keyword=N_ --keyword=tr:2 --keyword=say:2 --output="$WORK/ui.pot" ui/*/*.[ch]
    [ "$(grep -c '^msgid' "$WORK/ui.pot")" -ge 80 ] || fault "the screen's texts cannot be read"
    for po in ui/words/po/*.po; do
        msgcmp "$po" "$WORK/ui.pot" >"$WORK/lint" 2>&1 || fault "$po lacks texts: $(grep -A3 'no definition\|untranslated\|fuzzy' "$WORK/lint")"
    done
    # What the line may answer to what is done at the screen: each sentence of these
    # files, with %s for whatever is filled in, is known to ui/words/told.c.
    sentences() { xgettext --from-code=UTF-8 --language=C --keyword= "$@" --no-location --no-wrap --output=- | sed -n 's/^msgid "\(.*\)"$/\1/p'; }
    sentences --keyword=N_ ui/words/told.c | sort >"$WORK/told"
    sentences --keyword=err_set:3 --keyword=find:3 station/order/assess.c station/acts/desk.c station/acts/orders.c station/acts/shifts.c \
        station/acts/units.c station/acts/who.c storage/orders.c storage/shifts.c storage/quarantine.c station/people/login.c \
        storage/stands.c storage/golden.c |
        sed 's/%[-0-9.]*[hlz]*[a-z]/%s/g' | sort -u | comm -23 - "$WORK/told" >"$WORK/unknown"
    [ "$(wc -l <"$WORK/told")" -ge 60 ] || fault "the line's sentences cannot be read"
    [ ! -s "$WORK/unknown" ] || fault "ui/words/told.c does not know: $(cat "$WORK/unknown")"
    if grep -q '%s.*%s.*%s.*%s.*%s.*%s.*%s' "$WORK/told"; then
        fault "a sentence of ui/words/told.c has more holes than it can take"
    fi
else
    echo "SKIP: gettext is not installed: the screen's translations are not looked at"
fi

# The picture in the operators' manual is what the screen's test has.
awk '/^== / { on = $2 == "80x24-en-normal" } on' tests/unit/ui/golden/line.txt | sed -n 's/^|//p' >"$WORK/has"
[ "$(wc -l <"$WORK/has")" = 24 ] || fault "the picture of the screen cannot be read"
awk '/^```/ { n++; next } n == 1' docs/operator.md | diff "$WORK/has" - >"$WORK/diff" ||
    fault "the screen (<) and docs/operator.md (>): $(cat "$WORK/diff")"

# So is each of the others, drawn in colour.
pictures=0
for f in docs/screens/*.svg; do
    name=$(basename "$f" .svg)
    "$BIN/lineside-screenshot" "tests/unit/ui/golden/${name%%-*}.txt" "${name#*-}" >"$WORK/has" || fault "$f cannot be drawn"
    cmp -s "$f" "$WORK/has" || fault "$f is not what the screen looks like; 'make screenshots' draws it anew"
    grep -q "screens/$name.svg" README.md docs/operator.md docs/engineer.md docs/auditor.md || fault "$f is shown nowhere"
    pictures=$((pictures + 1))
done
[ $pictures -ge 6 ] || fault "only $pictures pictures of the screen were found"

# --- states -----------------------------------------------------------------------

# The whole page is drawn from the tables that the ledger acts by.
states=$BIN/lineside-states
"$states" >"$WORK/has"
[ "$(grep -c '^| .* | .* | ' "$WORK/has")" -ge 20 ] || fault "'$states' cannot be read"
diff docs/states.md "$WORK/has" >"$WORK/diff" ||
    fault "docs/states.md (<) is not what the tables say (>); '$states >docs/states.md' makes it anew: $(cat "$WORK/diff")"

[ $faults = 0 ] || die "$faults faults in the documents"
echo "docs: $commands commands, $links links, $(wc -l <"$WORK/documents") documents"
