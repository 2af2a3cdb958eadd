/* storage/shifts.h: shifts: ranges of events, one open at a time. Its first
 * event is "shift-opened", its last "shift-closed"; what is written between
 * two shifts belongs to none. Closing freezes what the shift came to, as
 * octets that the caller makes of it in the same transaction. */
#ifndef LINESIDE_STORAGE_SHIFTS_H
#define LINESIDE_STORAGE_SHIFTS_H

#include "station/ifpp/event.h"
#include "storage/stock.h"
#include "storage/tally.h"
#include "storage/units.h"

#define SHIFT_NAME_MAX 63

struct shift {
    uint64_t number; /* from 1 */
    char name[SHIFT_NAME_MAX + 1]; /* "" if it has none */
    char opened_by[EVENT_ACTOR_MAX + 1];
    char closed_by[EVENT_ACTOR_MAX + 1]; /* "" while it is open */
    int64_t opened_at, closed_at;
    uint64_t first_event, last_event;    /* last 0: it is open */
};
struct shifts {
    struct shift *v;
    size_t n;
};
void shifts_clear(struct shifts *l);

/* Open one. name "": none. ERR_WRONG_STATE: one is open; ERR_USAGE: the name
 * is no plain text or too long. */
int shift_open(struct tx *tx, const char *name, const char *actor,
               struct shift *out, struct err *e);

/* Close the open one. make is called when everything of it is known, inside
 * the transaction, and fills *records, which are kept for good.
 * ERR_WRONG_STATE: none is open. */
typedef int shift_make_fn(void *ctx, struct db *db, const struct shift *s,
                          struct buf *records, struct err *e);
int shift_close(struct tx *tx, const char *actor, shift_make_fn *make,
                void *ctx, struct shift *out, struct err *e);

/* 1 found, 0 not, -1 error. number 0: the open one. */
int shift_find(struct db *db, uint64_t number, struct shift *out,
               struct err *e);
/* The newest `limit` (0: all) before number `before` (0: any), oldest first.
 * *out is replaced. */
int shifts_list(struct db *db, uint64_t before, unsigned limit,
                struct shifts *out, struct err *e);
/* Those of which a part lies in [from, until), oldest first. *out is
 * replaced. */
int shifts_between(struct db *db, int64_t from, int64_t until,
                   struct shifts *out, struct err *e);
/* What shift_close kept. *out is replaced; ERR_NOT_FOUND: no such closed
 * shift. */
int shift_records(struct db *db, uint64_t number, struct buf *out,
                  struct err *e);

/* --- balances of the open shift ------------------------------------------------
 * after: as it is now; before: as it was when the shift began; between them
 * the moves. A move from "" came in, one to "deleted" marks an installed BPP
 * and takes it from nowhere. */

#define SHIFT_MOVES_MAX 128
#define SHIFT_WORD_MAX 31
struct shift_move {
    char from[SHIFT_WORD_MAX + 1], to[SHIFT_WORD_MAX + 1];
    uint64_t n;
};
struct shift_moves {
    struct shift_move v[SHIFT_MOVES_MAX]; /* by from, then to */
    size_t n;
};

struct shift_bundle {
    char id[STOCK_BUNDLE_MAX + 1];
    char smdp_oid[STOCK_OID_MAX + 1];
    uint8_t manifest_sha256[32];
    struct stock_balance before, after;
    struct shift_moves moves;
};
/* Every live bundle in order of import. Borrowed for the call. */
typedef int shift_bundle_fn(void *ctx, const struct shift_bundle *b,
                            struct err *e);
int shift_bundles(struct db *db, uint64_t number, shift_bundle_fn *fn,
                  void *ctx, struct err *e);

struct shift_positions {
    uint64_t before[POSITION_STATES], after[POSITION_STATES];
    struct shift_moves moves;
};
int shift_positions(struct db *db, uint64_t number,
                    struct shift_positions *out, struct err *e);

#endif
