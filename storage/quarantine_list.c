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

struct page {
    uint64_t before; /* 0: any */
    unsigned limit;  /* 0: all */
    struct quarantine out;
};

/* --- units ---------------------------------------------------------------------- */

#define HELD(which) "SELECT p.position, t.resolving, v.number, v.at, t.reason," \
    " t.fixture, t.events FROM position p JOIN unit_trouble t USING(position)" \
    " LEFT JOIN event v ON v.number = coalesce(t.held_event, p.event) WHERE " which

/* "state >= 5" lets SQLite use the index on what is held. */
#define UNITS "SELECT * FROM (" HELD("p.state >= 5 AND p.state = 5") " UNION ALL " \
    HELD("p.state <> 5 AND t.resolving = 1") \
    ") WHERE number < ? ORDER BY number DESC LIMIT ?"

/* One more than is asked for tells that there are more. */
static void bind_page(struct q *q, const struct page *p)
{
    q_int(q, p->before ? (int64_t)p->before : INT64_MAX);
    q_int(q, p->limit ? (int64_t)p->limit + 1 : -1);
}

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

static int units_read(struct db *db, const struct page *p, struct quarantine *out,
                      struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, UNITS, e) != 0)
        return -1;
    bind_page(&q, p);
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

static int bpp_read(struct db *db, int64_t id, struct held_bpp *out, struct err *e)
{
    *out = (struct held_bpp){ .since = 0 };
    return stock_get(db, id, &out->b, e) != 0 ? -1 : bpp_why(db, out, e);
}

static int bpps_read(struct db *db, const struct page *p, struct quarantine *out,
                     struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    /* "state <> 0" lets SQLite use the index on what has moved. */
    if (q_open(&q, db, "SELECT bpp FROM live_bpp WHERE state = 5 AND state <> 0"
               " AND event < ? ORDER BY event DESC LIMIT ?", e) != 0)
        return -1;
    bind_page(&q, p);
    while ((row = q_step(&q, e)) > 0) {
        void *v = list_grow(out->bpps, out->bpp_count, sizeof *out->bpps, e);
        if (!v)
            return -1;
        out->bpps = v;
        if (bpp_read(db, q_get_int(&q, 0), &out->bpps[out->bpp_count], e) != 0)
            return -1;
        out->bpp_count++;
    }
    return row;
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

/* --- a page ---------------------------------------------------------------------------- */

/* Units and BPPs of one list, newest first each: the oldest go until it has no more
 * than were asked for. */
static void cut(struct quarantine *q, unsigned limit)
{
    while (q->unit_count + q->bpp_count > limit) {
        q->more = true;
        if (q->bpp_count == 0 ||
            (q->unit_count && q->units[q->unit_count - 1].event <
                              q->bpps[q->bpp_count - 1].b.event))
            q->unit_count--;
        else
            q->bpp_count--;
    }
}

static void oldest_first(struct quarantine *q)
{
    for (size_t i = 0, k = q->unit_count; i + 1 < k; i++) {
        struct held_unit other = q->units[--k];
        q->units[k] = q->units[i];
        q->units[i] = other;
    }
    for (size_t i = 0, k = q->bpp_count; i + 1 < k; i++) {
        struct held_bpp other = q->bpps[--k];
        q->bpps[k] = q->bpps[i];
        q->bpps[i] = other;
    }
}

static int read_page(struct db *db, void *ctx, struct err *e)
{
    struct page *p = ctx;

    if (quarantine_limit(db, &p->out.limit, e) != 0 ||
        units_read(db, p, &p->out, e) != 0 || bpps_read(db, p, &p->out, e) != 0 ||
        stranded(db, &p->out.stranded, e) != 0)
        return -1;
    if (p->limit)
        cut(&p->out, p->limit);
    oldest_first(&p->out);
    return 0;
}

int quarantine_page(struct db *db, uint64_t before, unsigned limit,
                    struct quarantine *out, struct err *e)
{
    struct page p = { .before = before, .limit = limit };

    if (db_snapshot(db, read_page, &p, e) != 0) {
        quarantine_clear(&p.out);
        return -1;
    }
    *out = p.out;
    return 0;
}

int quarantine_get(struct db *db, struct quarantine *out, struct err *e)
{
    return quarantine_page(db, 0, 0, out, e);
}
