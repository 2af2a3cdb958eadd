/* acts/fixtures.h: what the line engineer says of places, scanners, golden units and
 * the limits of fixtures' health, with the right `fixtures`. */
#ifndef LINESIDE_ACTS_FIXTURES_H
#define LINESIDE_ACTS_FIXTURES_H

#include "station/acts/who.h"
#include "storage/health.h"
#include "storage/places.h"
#include "storage/stands.h"

/* label "": the name goes. */
int act_fixture_label(struct db *db, const struct who *w, const char *place,
                      const char *label, struct err *e);
int act_fixture_allow(struct db *db, const struct who *w, const char *place,
                      bool allowed, struct err *e);

/* Where a fixture stands on the bench. called: a name or a place; key: how the ledger
 * calls it, where that is known (line_fixture_key), else NULL. row 0: it has no place
 * there any more. */
int act_fixture_position(struct db *db, const struct who *w, const char *called,
                         const char *key, unsigned row, unsigned column, struct err *e);

/* s->place and s->fixture are filled in here. fixture: a name or a place; NULL: the
 * station's. */
int act_scanner(struct db *db, const struct who *w, const char *place,
                const char *fixture, struct scanner_setting *s, struct err *e);
int act_no_scanner(struct db *db, const struct who *w, const char *place,
                   struct err *e);

/* A name or a place. */
int act_fixture_release(struct db *db, const struct who *w, const char *fixture,
                        struct err *e);
/* maintained: its cycles are counted anew; cycles between two maintenances, -1: as
 * they were. */
int act_fixture_maintenance(struct db *db, const struct who *w, const char *fixture,
                            bool maintained, int64_t cycles, struct err *e);

/* ERR_USAGE: eid is none. */
int act_golden(struct db *db, const struct who *w, const char *eid, bool is,
               struct err *e);

/* -1: as it was. */
struct act_limits {
    int64_t failures, yield, units, golden_hours;
};
int act_fixture_limits(struct db *db, const struct who *w, const struct act_limits *l,
                       struct err *e);

#endif
