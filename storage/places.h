/* storage/places.h: what the line engineer has said about places on the bus:
 * which of them are fixtures, what they are called, which are scanners and
 * whose. A place is a USB path, "1-2.4": the fourth port of the hub at the
 * second port of bus 1; "1-2.4:1" is the second slot of the reader there. The
 * same place keeps its words whatever is plugged in. */
#ifndef LINESIDE_STORAGE_PLACES_H
#define LINESIDE_STORAGE_PLACES_H

#include "storage/db.h"

#define PLACE_MAX 55
#define PLACE_LABEL_MAX 63 /* as of a fixture's name in a scan line */
#define PLACE_PREFIX_MAX 16

/* "BUS-PORT[.PORT]...[:SLOT]", numbers of 1 to 3 digits, at most seven ports. */
bool place_ok(const char *place);
/* `place` is `root`, or a slot of it, or lies behind it. */
bool place_within(const char *place, const char *root);

struct place_setting {
    char place[PLACE_MAX + 1];
    char label[PLACE_LABEL_MAX + 1]; /* "": none             */
    bool allowed;                    /* on the allow-list    */
};

/* Whose scans these are, and how the scanner is set. */
struct scanner_setting {
    char place[PLACE_MAX + 1];
    char fixture[PLACE_MAX + 1]; /* the fixture's place; "": the station's:
                                    first a fixture's label, then the unit's */
    char layout[8];              /* "us", "de", "fr"                */
    char suffix[8];              /* "cr", "lf", "crlf", "tab"       */
    char prefix[PLACE_PREFIX_MAX + 1]; /* taken off every scan; "": none */
};

struct places {
    struct place_setting *v; /* by place */
    size_t n;
    struct scanner_setting *scanners; /* by place */
    size_t scanner_count;
};
int places_get(struct db *db, struct places *out, struct err *e);
void places_clear(struct places *p);
/* NULL: nothing was said about it. */
const struct place_setting *places_find(const struct places *p, const char *place);
const struct scanner_setting *places_scanner(const struct places *p,
                                             const char *place);
/* Whether this place may be a fixture: an empty allow-list allows all. */
bool places_allow(const struct places *p, const char *place);

/* Event "fixture-labelled". label "": the label goes. ERR_CONFLICT: another
 * place bears it (which is named). ERR_USAGE: no such kind of place, or a
 * label that no scan line could say (blanks, too long, not plain text), or
 * that reads like a place. To the same label: nothing happens. */
int place_label(struct tx *tx, const char *place, const char *label,
                const char *actor, struct err *e);
/* On or off the allow-list: event "fixture-allowed". A place stands for itself
 * and all behind it, so that a hub can be allowed. */
int place_allow(struct tx *tx, const char *place, bool allowed,
                const char *actor, struct err *e);
/* Event "scanner-set". Replaces what was said of this place before.
 * ERR_USAGE: a word that is none of those above. */
int scanner_set(struct tx *tx, const struct scanner_setting *s,
                const char *actor, struct err *e);
/* No scanner of ours any more: event "scanner-removed". ERR_NOT_FOUND. */
int scanner_remove(struct tx *tx, const char *place, const char *actor,
                   struct err *e);

#endif
