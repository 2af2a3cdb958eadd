#include "station/line/gate.h"

#include "storage/events.h"

#include <stdio.h>

#define HOUR_S 3600

void gate_judge(const struct fixture_health *h, const struct health_limits *l,
                int64_t now, struct fixture_gate *out)
{
    int64_t old = now - h->proven_at;

    *out = (struct fixture_gate){ .shut = V_DONE, .health = *h };
    if (h->stopped) {
        out->shut = V_FIXTURE_STOPPED;
        snprintf(out->why, sizeof out->why, "%s", h->reason);
    } else if (l->golden_hours && !h->proven_at) {
        out->shut = V_FIXTURE_UNPROVEN;
        snprintf(out->why, sizeof out->why, "no golden unit has passed here yet");
    } else if (l->golden_hours && old > (int64_t)l->golden_hours * HOUR_S) {
        out->shut = V_FIXTURE_UNPROVEN;
        snprintf(out->why, sizeof out->why, "the last golden unit passed here %lld "
                 "hours ago; it must be within %u", (long long)(old / HOUR_S),
                 l->golden_hours);
    }
}

int gate_read(struct db *db, const char *fixture, const struct scan *scan,
              struct fixture_gate *out, struct err *e)
{
    struct fixture_health h;
    struct health_limits l;
    struct ledger_clock clock = { .now = 0 };
    bool golden = false;

    if (health_get(db, fixture, &h, e) != 0 || health_limits(db, &l, e) != 0 ||
        (l.golden_hours && ledger_clock(db, &clock, e) != 0) ||
        (scan->is_eid && golden_known(db, &scan->eid, &golden, e) != 0))
        return -1;
    gate_judge(&h, &l, clock.now, out);
    out->golden = golden;
    return 0;
}
