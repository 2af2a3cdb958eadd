/* line/identity: is the unit in the fixture the one on the label, and the one
 * the ledger knows? (binding, clause 6). Judged before anything but the EID
 * read was sent. */
#ifndef LINESIDE_LINE_IDENTITY_H
#define LINESIDE_LINE_IDENTITY_H

#include "station/line/verdict.h"
#include "storage/units.h"

struct identity_facts {
    const struct scan *scan;
    const struct eid *card;
    const struct position *by_eid;    /* where this EID is known; NULL: nowhere */
    const struct position *by_serial; /* position "main" of this serial; NULL   */
};

/* Pure. True: serial[] is the unit's, known or new (a label that is an EID
 * names the unit that has it, else a new one of that serial). False: *v, and
 * both sides in *e. */
bool identity_judge(const struct identity_facts *f,
                    char serial[UNIT_SERIAL_MAX + 1], enum verdict *v,
                    struct err *e);

/* Ask the ledger, then judge. *position is the known one (id 0: a new unit).
 * 0; -1 with *v. */
int identity_find(struct db *db, const struct scan *scan,
                  const struct eid *card, struct position *position,
                  char serial[UNIT_SERIAL_MAX + 1], enum verdict *v,
                  struct err *e);

#endif
