/* storage/tally.h: the accounts: what events add up to, counted in the
 * transaction that writes each, so that a shift or a day is answered from a
 * few rows however many units went through. Nothing is counted that an event
 * does not say: whoever has the events can count again (docs/formats/ledger.md,
 * "Figures"), and tally_cross_check does. */
#ifndef LINESIDE_STORAGE_TALLY_H
#define LINESIDE_STORAGE_TALLY_H

#include "storage/db.h"

#define TALLY_DAY_S 86400

enum tally_what { /* numbers are stored: never renumber */
    TALLY_UNIT,    /* a position became outcome, by code: "passed", "failed" */
    TALLY_BPP,     /* a BPP became outcome, by cause: "installed"            */
    TALLY_FAILURE, /* a failure that a loading report carries, by code       */
    TALLY_REFUSED, /* a verdict that no report carries, by code              */
    TALLY_WHATS
};
const char *tally_what_name(enum tally_what w); /* "unit" */

/* Text is borrowed for the call; fixture "" where there was none, outcome ""
 * for failures and refusals, code "" where there is none. */
struct tally_count {
    const char *fixture, *actor;
    enum tally_what what;
    const char *outcome, *code;
    uint64_t n;
};
typedef int tally_fn(void *ctx, const struct tally_count *c, struct err *e);

/* In the order of fixture, actor, what, outcome, code. */
int tally_of_shift(struct db *db, uint64_t shift, tally_fn *fn, void *ctx,
                   struct err *e);
/* day: days since 1970, UTC; each shift's counts of that day merged. */
int tally_of_day(struct db *db, int64_t day, tally_fn *fn, void *ctx,
                 struct err *e);

/* Count again from every event, and positions from their rows. ERR_CONFLICT
 * names the first figure that differs. Reads everything, as stock_cross_check
 * does. */
int tally_cross_check(struct db *db, struct err *e);

#endif
