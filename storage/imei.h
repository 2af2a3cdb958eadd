/* storage/imei.h: the IMEI of what a position's eUICC is in. One position has one,
 * and one IMEI is at one position. Another one than is known takes two people:
 * the board is another, or the label was wrong. */
#ifndef LINESIDE_STORAGE_IMEI_H
#define LINESIDE_STORAGE_IMEI_H

#include "storage/units.h"

/* As it is printed or scanned (imei_digits). ERR_USAGE: it is none, or its check
 * digit does not hold. */
int imei_read(const char *text, char out[IMEI_DIGITS + 1], struct err *e);

/* Whether this position (id 0: one that is not registered yet) may have this IMEI
 * by one person's word. ERR_CONFLICT, both values in the text: it is at another
 * position, or this one is known with another. */
int imei_judge(struct db *db, const struct position *p, const char *imei,
               struct err *e);
/* a->position has it. Event "imei-noted" when it was not known. As imei_judge. */
int imei_note(struct tx *tx, const struct act *a, const char *imei, struct err *e);

struct imei_change {
    const char *serial, *position;
    const char *imei;   /* the new one       */
    const char *reason; /* one line          */
};
/* Of two people: event "imei-changed". *was is as it was. ERR_NOT_FOUND: no such
 * unit or position. ERR_CONFLICT: the IMEI is at another position.
 * ERR_WRONG_STATE: none was known, which takes no second person, or it is this. */
int imei_change(struct tx *tx, const struct act *a, const struct imei_change *c,
                struct position *was, struct err *e);

/* The position of a unit by name. ERR_NOT_FOUND. */
int position_named(struct db *db, const char *serial, const char *name,
                   struct position *out, struct err *e);

#endif
