/* line/gate: does this fixture take units now? Asked of the ledger before each
 * scan, so that a release counts at once, whoever has given it. */
#ifndef LINESIDE_LINE_GATE_H
#define LINESIDE_LINE_GATE_H

#include "station/line/verdict.h"
#include "storage/health.h"

struct fixture_gate {
    enum verdict shut; /* V_DONE: it takes units; else why not */
    char why[HEALTH_REASON_MAX + 40];
    bool golden;       /* the label is a golden unit's, which may go in always */
    struct fixture_health health;
};

/* Pure. now: the ledger's time. */
void gate_judge(const struct fixture_health *h, const struct health_limits *l,
                int64_t now, struct fixture_gate *out);

/* fixture: as fixture_health.fixture. */
int gate_read(struct db *db, const char *fixture, const struct scan *scan,
              struct fixture_gate *out, struct err *e);

#endif
