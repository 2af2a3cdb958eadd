/* line/health: when a fixture stops. Pure: what the ledger holds of a fixture
 * (storage/health.h) goes in, what follows from one more unit comes out. */
#ifndef LINESIDE_LINE_HEALTH_H
#define LINESIDE_LINE_HEALTH_H

#include "station/line/verdict.h"
#include "storage/health.h"

/* One more unit was in it. c: what its contacts did; ms: how long it took, 0: that
 * is not known. */
void health_note(struct fixture_health *h, const struct contacts *c,
                 enum verdict_fixture says, int64_t ms);

/* What the limits make of that. NULL: it goes on. Else the cause, "failures" or
 * "yield", and *reason for people. last: the code of the last unit's verdict. */
const char *health_judge(const struct fixture_health *h,
                         const struct health_limits *l, const char *last,
                         char reason[HEALTH_REASON_MAX + 1]);

/* Its limit of cycles is reached. */
bool health_worn(const struct fixture_health *h);
/* Cycles since its last maintenance. */
uint64_t health_cycles(const struct fixture_health *h);

/* Good ones of the last n units that say something of the fixture since it was
 * released; *of: how many there are, at most n. */
unsigned health_yield(const struct fixture_health *h, unsigned n, unsigned *of);

/* Contact problems of the last n units, and of the n before them. */
struct health_trend {
    unsigned units, problems;
    unsigned units_before, problems_before;
};
struct health_trend health_trend(const struct fixture_health *h, unsigned n);

/* A number of units that were in it one after the other. */
struct health_step {
    unsigned units;
    unsigned judged, good; /* of those that say something of the fixture */
    unsigned problems;     /* of the contacts                            */
    int64_t ms;            /* a good one took, on average; 0: not known  */
};
/* The last units in steps of `each`, the oldest step first; it alone may be of fewer.
 * 0 when there is no unit; at most cap steps, the newest ones. */
size_t health_steps(const struct fixture_health *h, unsigned each,
                    struct health_step *out, size_t cap);

/* What keeps units out of a fixture: its state in what the line tells. */
#define HEALTH_STOPPED "stopped"
#define HEALTH_RELEASED "released"
#define HEALTH_MAINTENANCE "maintenance" /* its limit of cycles is reached */
#define HEALTH_MAINTAINED "maintained"

#endif
