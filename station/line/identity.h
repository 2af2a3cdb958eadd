/* line/identity: is the unit in the fixture the one on the label, and the one
 * the ledger knows? (binding, clause 6). Judged before anything but the EID
 * read was sent. */
#ifndef LINESIDE_LINE_IDENTITY_H
#define LINESIDE_LINE_IDENTITY_H

#include "station/line/verdict.h"
#include "station/ifpp/order.h"
#include "storage/units.h"

struct identity_facts {
    const struct scan *scan;
    const struct eid *card;
    const struct position *by_eid;    /* where this EID is known; NULL: nowhere */
    const struct position *by_serial; /* that position of this serial; NULL     */
    const char *name;                 /* the position that it is to be          */
};

/* Pure. True: serial[] is the unit's, known or new (a label that is an EID
 * names the unit that has it, else a new one of that serial). False: *v, and
 * both sides in *e. */
bool identity_judge(const struct identity_facts *f,
                    char serial[UNIT_SERIAL_MAX + 1], enum verdict *v,
                    struct err *e);

/* What the label alone says, before there is power: no position of its unit is
 * held back. False: *v, and which in *e. */
bool identity_label(struct db *db, const struct scan *scan, enum verdict *v,
                    struct err *e);
/* The same of one position. */
bool identity_free(const struct position *p, enum verdict *v, struct err *e);

/* Which position of a unit a fixture works on. */
struct identity_place {
    const char *bound;              /* NULL or "": the unit's next one    */
    const struct order_spec *order; /* its positions; NULL: "main" alone  */
};

/* Ask the ledger, then judge. *position is the known one (id 0: a new one);
 * name[]: of the position that the eUICC is. A known eUICC is what it was; a
 * new one is the bound position, else the first of the order's that the unit
 * does not have. 0; -1 with *v. */
int identity_find(struct db *db, const struct scan *scan,
                  const struct eid *card, const struct identity_place *at,
                  struct position *position, char name[POSITION_NAME_MAX + 1],
                  char serial[UNIT_SERIAL_MAX + 1], enum verdict *v,
                  struct err *e);

#endif
