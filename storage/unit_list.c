#include "storage/unit_list.h"

#include "storage/inner.h"

#include <stdlib.h>

void unit_rows_clear(struct unit_rows *l)
{
    free(l->v);
    *l = (struct unit_rows){ .v = NULL };
}

/* --- counting -------------------------------------------------------------------- */

int units_count(struct db *db, const char *fixture,
                uint64_t by_state[POSITION_STATES], struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    memset(by_state, 0, POSITION_STATES * sizeof *by_state);
    if (q_open(&q, db, fixture ? "SELECT state, n FROM position_count"
                                 " WHERE fixture = ?"
                               : "SELECT state, sum(n) FROM position_count"
                                 " GROUP BY state", e) != 0)
        return -1;
    if (fixture)
        q_text(&q, fixture);
    while ((row = q_step(&q, e)) > 0) {
        uint64_t state = (uint64_t)q_get_int(&q, 0);
        if (state >= POSITION_STATES) /* the table does not refuse it */
            return err_set(e, ERR_CONFLICT, "the ledger counts positions in a "
                           "state that there is not; see `lineside stock --check`");
        by_state[state] = (uint64_t)q_get_int(&q, 1);
    }
    return row;
}

int units_registered(struct db *db, uint64_t *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    /* No unit is ever removed, so the last row's number is how many. */
    if (q_open(&q, db, "SELECT coalesce(max(unit), 0) FROM unit", e) != 0 ||
        q_step(&q, e) <= 0)
        return -1;
    *out = (uint64_t)q_get_int(&q, 0);
    return 0;
}

/* --- pages ------------------------------------------------------------------------- */

#define ROW_SELECT "SELECT p.position, p.fixture, p.moved, v.at" \
    " FROM position p JOIN event v ON v.number = p.moved WHERE "
#define ROW_ORDER " AND p.moved >= ? AND p.moved < ?" \
    " ORDER BY p.moved DESC LIMIT ?"

/* One state's newest rows: each index ends with `moved`. */
static int of_state(struct db *db, const struct unit_filter *f, int state,
                    struct unit_rows *l, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, f->fixture
               ? ROW_SELECT "p.fixture = ? AND p.state = ?" ROW_ORDER
               : ROW_SELECT "p.state = ?" ROW_ORDER, e) != 0)
        return -1;
    if (f->fixture)
        q_text(&q, f->fixture);
    q_int(&q, state);
    q_int(&q, (int64_t)f->since);
    q_int(&q, f->before ? (int64_t)f->before : INT64_MAX);
    q_int(&q, (int64_t)f->limit + 1); /* one more tells whether there are */
    while ((row = q_step(&q, e)) > 0) {
        struct unit_row *r = &l->v[l->n++];
        *r = (struct unit_row){ .p.id = q_get_int(&q, 0),
                                .moved = (uint64_t)q_get_int(&q, 2),
                                .moved_at = q_get_int(&q, 3) };
        q_get_string(&q, 1, r->fixture, sizeof r->fixture);
    }
    return row;
}

static int newest_first(const void *a, const void *b)
{
    const struct unit_row *x = a, *y = b;

    if (x->moved != y->moved)
        return x->moved < y->moved ? 1 : -1;
    return (x->p.id < y->p.id) - (x->p.id > y->p.id);
}

/* The newest `limit` of all states' newest, oldest first. */
static void cut(struct unit_rows *l, unsigned limit)
{
    if (l->n)
        qsort(l->v, l->n, sizeof *l->v, newest_first);
    l->more = l->n > limit;
    if (l->more)
        l->n = limit;
    for (size_t i = 0; i < l->n / 2; i++) {
        struct unit_row r = l->v[i];
        l->v[i] = l->v[l->n - 1 - i];
        l->v[l->n - 1 - i] = r;
    }
}

static int list(struct db *db, const struct unit_filter *f,
                struct unit_rows *l, struct err *e)
{
    int first = f->state < 0 ? 0 : f->state;
    int last = f->state < 0 ? POSITION_STATES - 1 : f->state;
    size_t most = (size_t)(last - first + 1) * (f->limit + 1);

    l->v = malloc(most * sizeof *l->v);
    if (!l->v)
        return err_set(e, ERR_NOMEM, "no memory for a list of units");
    for (int s = first; s <= last; s++)
        if (of_state(db, f, s, l, e) != 0)
            return -1;
    cut(l, f->limit);
    for (size_t i = 0; i < l->n; i++)
        if (position_get(db, l->v[i].p.id, &l->v[i].p, e) != 0)
            return -1;
    return 0;
}

struct call {
    const struct unit_filter *f;
    struct unit_rows l;
};

static int in_snapshot(struct db *db, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return list(db, c->f, &c->l, e);
}

int units_list(struct db *db, const struct unit_filter *f,
               struct unit_rows *out, struct err *e)
{
    struct call c = { .f = f };

    if (f->limit == 0 || f->limit > UNIT_PAGE_MAX || f->state >= POSITION_STATES)
        return err_set(e, ERR_INTERNAL, "no such page of units");
    if (db_snapshot(db, in_snapshot, &c, e) != 0) {
        unit_rows_clear(&c.l);
        return -1;
    }
    unit_rows_clear(out);
    *out = c.l;
    return 0;
}
