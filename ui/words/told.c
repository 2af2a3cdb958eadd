#include "ui/words/told.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* As their sources write them, with %s for every conversion: tests/e2e/docs.sh
 * compares. */
static const char *const sentences[] = {
    N_("fixture %s stands in row %s, column %s already; choose another place, or move "
       "that one first"),
    N_("fixture %s has no place on the bench"),
    N_("there is no such place on a bench: rows and columns are counted from 1 to %s"),
    N_("EID %s is a golden unit already"),
    N_("EID %s is no golden unit"),
    N_("EID %s is that of unit %s; take one that is no product"),
    N_("%s is the last active supervisor; make another one first"),
    N_("a PIN is not one digit repeated; choose another"),
    N_("a PIN is not what stands on the badge; choose another"),
    N_("somebody is called %s already; names are never used twice"),
    N_("that badge is %s's already; give every person a badge of their own"),
    N_("that cannot be a badge: its barcode is %s to %s printable ASCII characters "
       "without blanks"),
    N_("the first person of a station is a supervisor: --role supervisor"),
    N_("a session may be idle for %s to %s minutes, not '%s'"),
    N_("position %s: connectivity-check is reserved; no kind of eUICC has a command "
       "for it in this version. Take it out of the recipe"),
    N_("position %s: enable %s, but profile %s is loaded last, and an IoT eUICC "
       "(SGP.32) can enable only that one; %s of those in stock are IoT eUICCs. Let "
       "the recipe load profile %s last"),
    N_("position %s, profile %s (%s): nobody has delivered one: 0 in stock for %s "
       "units. Import the bundles first, or correct the recipe"),
    N_("position %s, profile %s (%s): %s in stock for %s different eUICCs, and %s "
       "units are left to be made"),
    N_("position %s: no eUICC has a profile in stock for every one that the recipe "
       "loads. Import the bundles that are missing"),
    N_("position %s: %s eUICCs have all their profiles in stock, and %s units are left "
       "to be made"),
    N_("it was meant to be made until %s"),
    N_("%s is not a folder; is the stick mounted?"),
    N_("%s is where the station keeps what has not arrived anywhere; name the stick's "
       "folder"),
    N_("this station has no certificate to sign with; import its station-cert first"),
    N_("order %s is %s; only a waiting order is activated"),
    N_("order %s was not activated; nothing was changed"),
    N_("no unit has so long a serial number"),
    N_("BPP %s is %s; only one that is quarantined is resolved, and nothing else is "
       "done with a BPP here"),
    N_("BPP %s is %s, and its one-time key may be gone: it is never usable again; "
       "resolve it, or give it up with `lineside void`"),
    N_("the limit is a number from 1 to %s"),
    N_("this station knows people since; do it again with --as BADGE"),
    N_("this station knows people since; log in first"),
    N_("it takes two people, and this station knows nobody yet; add them first: "
       "lineside people add NAME --role supervisor --badge BADGE, then the others"),
    N_("a reason is needed: --reason TEXT, a line for whoever asks later"),
    N_("a reason is one line of plain text of at most %s octets"),
    N_("the line is being stopped"),
    N_("%s others wait for the same; ask again in a few seconds"),
    N_("no memory for an answer; ask again"),
    N_("there is no order %s here; `lineside orders` lists them"),
    N_("there is an order %s here already (%s, %s); a number is never used twice"),
    N_("the ledger has no order %s"),
    N_("no memory for an order"),
    N_("not a work-order"),
    N_("order %s is %s and cannot become %s"),
    N_("shift %s was not closed"),
    N_("no memory for a shift"),
    N_("a shift's name is plain text of at most %s octets"),
    N_("shift %s is open, by %s; close it first: lineside shift close"),
    N_("no shift is open; open one: lineside shift open"),
    N_("unit %s, position %s, is open and may stand in a fixture; stop the line first, "
       "or scan it to its verdict"),
    N_("unit %s, position %s, is %s; there is nothing to %s"),
    N_("no unit %s is known here"),
    N_("badge and PIN do not go together, or this person is blocked; try again, or ask "
       "a supervisor. After %s failures each one doubles the wait"),
    N_("too many failures with this badge; the next try is looked at from %s on. A "
       "supervisor can give a new PIN"),
    N_("%s is %s and may not %s; ask someone who is %s"),
    N_("%s may not %s alone; it takes two people"),
    N_("both badges are %s's; it takes two people"),
    N_("neither %s nor %s may %s; one of the two must be %s"),
    N_("%s was blocked meanwhile; ask another supervisor"),
    N_("no badge was scanned here in the last %s seconds; scan it, then type its PIN"),
    N_("%s logins wait already; try again in a few seconds"),
};

/* What stands in them; tests/unit/ui/test_words.c compares. */
static const char *const words[] = {
    N_("operator"),
    N_("engineer"),
    N_("supervisor"),
    N_("auditor"),
    N_("engineer or supervisor"),
    N_("operator or engineer or supervisor"),
    N_("operator or engineer or supervisor or auditor"),
    N_("change their own PIN"),
    N_("name, allow, bind, release and maintain fixtures and scanners, and mark golden "
       "units"),
    N_("confirm the machine's clock"),
    N_("ask an SM-DPf for profiles"),
    N_("make, activate and close work orders, and bind fixtures to them"),
    N_("open and close shifts"),
    N_("make a backup of the ledger"),
    N_("add and block people, change roles, badges and PINs"),
    N_("say how many failures quarantine a unit"),
    N_("release, resolve or scrap units"),
    N_("record that a board was replaced"),
    N_("note the IMEI of a position (another than is known: as `replace`)"),
    N_("void what will never be used"),
    N_("work units at the line"),
    N_("stop the line"),
    N_("let a unit give its profiles back"),
};

static const struct {
    const char *code, *means;
} codes[] = {
    { "usage", N_("This cannot be asked so. Look at what was typed, then try again.") },
    { "io", N_("Something could not be read or written. Check the stick and the disk, then try "
         "again; else call a line engineer.") },
    { "full", N_("There is no room left. A line engineer makes room on the disk or the stick.") },
    { "nomem", N_("The station has no memory for this now. Try again; if it stays so, call a line "
         "engineer.") },
    { "busy", N_("Others are at it. Wait a few seconds, then try again.") },
    { "format", N_("This is not written as it must be. Nothing was changed; show it to a line "
         "engineer.") },
    { "limit", N_("This is more than is allowed. Nothing was changed; show it to a line engineer.") },
    { "signature", N_("A signature does not hold. Nothing was kept; a line engineer asks whoever sent "
         "it for another one.") },
    { "trust", N_("This is not allowed, or does not come from whom it must. Somebody who may logs "
         "in and does it; else ask a line engineer.") },
    { "expired", N_("It is out of date. A line engineer asks whoever sent it for a newer one, and "
         "looks at the clock.") },
    { "replay", N_("This was taken before. Nothing was changed; nothing needs to be done.") },
    { "conflict", N_("This contradicts what the ledger knows. Nothing was changed; show it to a line "
         "engineer.") },
    { "not-found", N_("This is not known here. Check what was scanned, then scan again.") },
    { "state", N_("This cannot be done as things stand. Look at how they stand, then try again.") },
    { "card", N_("The eUICC refused. Seat the unit again, then try again; else call a line "
         "engineer.") },
    { "no-card", N_("No eUICC answers. Seat the unit again, then try again.") },
    { "timeout", N_("It took too long. Try again; if it stays so, call a line engineer.") },
    { "closed", N_("The other side has ended. Wait until the line is there again, then try again.") },
    { "internal", N_("The station itself failed. Show this to a line engineer.") },
};

const char *told_code(const char *code)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].code, code) == 0)
            return codes[i].means;
    return NULL;
}

/* --- sentences with something in them ---------------------------------------------------- */

#define HOLES 6 /* of a sentence; docs.sh counts */
struct holes {
    size_t n;
    struct {
        const char *p;
        size_t n;
    } v[HOLES];
};

/* The text is that sentence: what stands in its holes, the shortest that fits. */
static bool fits(const char *sentence, const char *text, struct holes *h)
{
    const char *hole = strstr(sentence, "%s");
    size_t before = hole ? (size_t)(hole - sentence) : strlen(sentence);

    if (strncmp(sentence, text, before) != 0)
        return false;
    if (!hole)
        return text[before] == '\0';
    size_t at = h->n++;
    text += before;
    for (const char *end = text; at < HOLES; end++) {
        h->v[at].p = text;
        h->v[at].n = (size_t)(end - text);
        h->n = at + 1;
        if (fits(hole + 2, end, h))
            return true;
        if (!*end)
            break;
    }
    h->n = at;
    return false;
}

struct writing {
    char *out;
    size_t n, cap;
};

static void put(struct writing *w, const char *text, size_t n)
{
    if (n > w->cap - 1 - w->n)
        n = w->cap - 1 - w->n;
    memcpy(w->out + w->n, text, n);
    w->n += n;
    w->out[w->n] = '\0';
}

/* A role, or what a right is for, is translated too. */
static void put_word(struct writing *w, enum lang l, const char *text, size_t n)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == n && memcmp(words[i], text, n) == 0) {
            const char *there = tr(l, words[i]);
            put(w, there, strlen(there));
            return;
        }
    put(w, text, n);
}

static bool told_sentence(struct writing *w, enum lang l, const char *text)
{
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        struct holes h = { .n = 0 };
        if (!fits(sentences[i], text, &h))
            continue;
        const char *to = tr(l, sentences[i]);
        size_t at = 0;
        for (const char *hole; (hole = strstr(to, "%s")) && at < h.n; to = hole + 2, at++) {
            put(w, to, (size_t)(hole - to));
            put_word(w, l, h.v[at].p, h.v[at].n);
        }
        put(w, to, strlen(to));
        return true;
    }
    return false;
}

char *told(enum lang l, const char *code, const char *text, char *out, size_t cap)
{
    const char *there = words_find(l, text), *means = code ? told_code(code) : NULL;
    struct writing w = { out, 0, cap };

    *out = '\0';
    if (there)
        put(&w, there, strlen(there));
    else if (!told_sentence(&w, l, text))
        snprintf(out, cap, means ? "%s (%s)" : "%s%s", means ? tr(l, means) : text, means ? text : "");
    return out;
}
