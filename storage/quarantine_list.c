/* Who is held, and why: for those who look. */
#include "storage/inner.h"
#include "storage/quarantine.h"

#include <stdlib.h>

void quarantine_clear(struct quarantine *q)
{
    free(q->units);
    free(q->bpps);
    *q = (struct quarantine){ .limit = 0 };
}

/* --- units ---------------------------------------------------------------------- */

#define HELD_SELECT "SELECT p.position, t.resolving, v.number, v.at, t.reason," \
    " t.fixture, t.events FROM position p JOIN unit_trouble t USING(position)" \
    " LEFT JOIN event v ON v.number = coalesce(t.held_event, p.event)"

static int unit_read(struct q *q, struct db *db, struct held_unit *out,
                     struct err *e)
{
    *out = (struct held_unit){ .resolving = q_get_int(q, 1) != 0 };
    out->event = (uint64_t)q_get_int(q, 2);
    out->since = q_get_int(q, 3);
    q_get_string(q, 4, out->reason, sizeof out->reason);
    q_get_string(q, 5, out->fixture, sizeof out->fixture);
    q_get_string(q, 6, out->evidence, sizeof out->evidence);
    return position_get(db, q_get_int(q, 0), &out->p, e);
}

static int units_read(struct db *db, const char *sql, struct quarantine *out,
                      struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, sql, e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        void *v = list_grow(out->units, out->unit_count, sizeof *out->units, e);
        if (!v)
            return -1;
        out->units = v;
        if (unit_read(&q, db, &out->units[out->unit_count], e) != 0)
            return -1;
        out->unit_count++;
    }
    return row;
}

/* --- BPPs -------------------------------------------------------------------------- */

static int bpp_why(struct db *db, struct held_bpp *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT finished_at, coalesce(detail, code), serial"
               " FROM evidence WHERE bpp = ? AND kind = 5", e) != 0)
        return -1;
    q_int(&q, out->b.id);
    int row = q_step(&q, e);
    if (row <= 0)
        return row;
    out->since = q_get_int(&q, 0);
    q_get_string(&q, 1, out->reason, sizeof out->reason);
    q_get_string(&q, 2, out->serial, sizeof out->serial);
    return 0;
}

static int bpps_read(struct db *db, struct quarantine *out, struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };

    if (bpps_in_state(db, BPP_QUARANTINED, 0, &l, e) != 0)
        return -1;
    for (size_t i = 0; i < l.n; i++) {
        void *v = list_grow(out->bpps, i, sizeof *out->bpps, e);
        if (!v)
            return -1;
        out->bpps = v;
        out->bpps[i] = (struct held_bpp){ .b = l.v[i] };
        if (bpp_why(db, &out->bpps[i], e) != 0)
            return -1;
        out->bpp_count = i + 1;
    }
    return 0;
}

static int stranded(struct db *db, uint64_t *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT count(*)" STRANDED_BPPS, e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row > 0)
        *out = (uint64_t)q_get_int(&q, 0);
    return row < 0 ? -1 : 0;
}

static int read_all(struct db *db, void *ctx, struct err *e)
{
    struct quarantine *out = ctx;

    /* "state >= 5" lets SQLite use the index on what is held. */
    return quarantine_limit(db, &out->limit, e) != 0 ||
           units_read(db, HELD_SELECT " WHERE p.state >= 5 AND p.state = 5"
                      " ORDER BY p.position", out, e) != 0 ||
           units_read(db, HELD_SELECT " WHERE t.resolving = 1"
                      " ORDER BY p.position", out, e) != 0 ||
           bpps_read(db, out, e) != 0 || stranded(db, &out->stranded, e) != 0
         ? -1 : 0;
}

int quarantine_get(struct db *db, struct quarantine *out, struct err *e)
{
    struct quarantine q = { .limit = 0 };

    if (db_snapshot(db, read_all, &q, e) != 0) {
        quarantine_clear(&q);
        return -1;
    }
    *out = q;
    return 0;
}
