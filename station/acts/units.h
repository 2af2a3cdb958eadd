/* acts/units.h: what is held back, given up or repaired: most of it takes two
 * people (docs/decisions/0005-acts-of-two-people.md). */
#ifndef LINESIDE_ACTS_UNITS_H
#define LINESIDE_ACTS_UNITS_H

#include "station/acts/who.h"
#include "storage/boards.h"
#include "storage/imei.h"
#include "storage/quarantine.h"
#include "storage/voiding.h"

/* --- quarantine ---------------------------------------------------------------- */

struct act_held {
    enum hold_act what;
    char serial[UNIT_SERIAL_MAX + 1];
    size_t n; /* positions */
};
/* A unit is named by its serial, or by the transactionId of a quarantined BPP that
 * is for it. reason may be NULL. */
int act_hold(struct db *db, const char *data_dir, const struct who *w,
             enum hold_act what, const char *word, const char *reason,
             struct act_held *out, struct err *e);
/* One person, with the right `retries`. */
int act_hold_limit(struct db *db, const struct who *w, unsigned limit,
                   struct err *e);

/* --- BPPs ------------------------------------------------------------------------ */

/* *found of them were there to be voided, *voided are. */
int act_void(struct db *db, const struct who *w, const struct void_what *what,
             const char *reason, size_t *found, size_t *voided, struct err *e);

/* --- boards ------------------------------------------------------------------------ */

struct act_replaced {
    struct position was;
    struct eid is;
    size_t in_stock, loading; /* BPPs that were meant for the board that is out */
};
/* c->line_stands is found out here. */
int act_replace(struct db *db, const char *data_dir, const struct who *w,
                struct board_change *c, struct act_replaced *out, struct err *e);

/* reason NULL: one person, with the right `imei`, says what was not known; else two
 * say that it is another. */
int act_imei(struct db *db, const struct who *w, const struct imei_change *c,
             struct position *was, struct err *e);

#endif
