/* What the open shift found, moved and leaves: the counters as they are now,
 * and the moves since it began, taken back. */
#include "storage/shifts.h"

#include "storage/inner.h"
#include "storage/unit_list.h"

#include <stdio.h>

static int unfit(const char *whose, struct err *e)
{
    return err_set(e, ERR_CONFLICT, "the figures of %s do not fit its moves in "
                   "this shift; see `lineside stock --check`", whose);
}

static int moves_add(struct shift_moves *l, const char *from, const char *to,
                     int64_t n, struct err *e)
{
    if (l->n == SHIFT_MOVES_MAX)
        return err_set(e, ERR_INTERNAL, "more kinds of moves than there are "
                       "pairs of states");
    struct shift_move *m = &l->v[l->n++];
    snprintf(m->from, sizeof m->from, "%s", from);
    snprintf(m->to, sizeof m->to, "%s", to);
    m->n = (uint64_t)n;
    return 0;
}

/* Where a state's number is kept; NULL: no such state. */
static uint64_t *bpp_figure(struct stock_balance *b, const char *state)
{
    for (int s = 0; s < BPP_STATES; s++)
        if (strcmp(bpp_state_name((enum bpp_state)s), state) == 0)
            return &b->by_state[s];
    return strcmp(state, "deleted") == 0 ? &b->deleted : NULL;
}

static int bundle_back(struct shift_bundle *b, struct err *e)
{
    b->before = b->after;
    for (size_t i = 0; i < b->moves.n; i++) {
        const struct shift_move *m = &b->moves.v[i];
        uint64_t *to = bpp_figure(&b->before, m->to);
        uint64_t *from = m->from[0] ? bpp_figure(&b->before, m->from)
                                    : &b->before.received;
        if (!to || !from)
            return unfit(b->id, e);
        /* Wraps where the order of moves would make it fall below zero on the
         * way, and stays there where they do not fit: judged below, each by
         * itself, since no move changes the sum. */
        *to -= m->n;
        if (!m->from[0])
            *from -= m->n;
        else if (to != &b->before.deleted)
            *from += m->n;
    }
    for (int s = 0; s < BPP_STATES; s++)
        if (b->before.by_state[s] > INT64_MAX)
            return unfit(b->id, e);
    return stock_balance_ok(&b->before) &&
           b->before.received <= b->after.received ? 0 : unfit(b->id, e);
}

static void bundle_read(struct q *q, struct shift_bundle *b)
{
    q_get_string(q, 1, b->id, sizeof b->id);
    q_get_string(q, 2, b->smdp_oid, sizeof b->smdp_oid);
    q_get_fixed(q, 3, b->manifest_sha256, sizeof b->manifest_sha256);
    b->after.received = (uint64_t)q_get_int(q, 4);
    for (int s = 0; s < BPP_STATES; s++)
        b->after.by_state[s] = (uint64_t)q_get_int(q, 5 + s);
    b->after.deleted = (uint64_t)q_get_int(q, 12);
    b->moves.n = 0;
}

static int bundle_done(struct shift_bundle *b, int64_t container,
                       shift_bundle_fn *fn, void *ctx, struct err *e)
{
    if (container == 0)
        return 0;
    return bundle_back(b, e) != 0 ? -1 : fn(ctx, b, e);
}

int shift_bundles(struct db *db, uint64_t number, shift_bundle_fn *fn,
                  void *ctx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct shift_bundle b;
    int64_t at = 0; /* the container that b is of */
    int row;

    if (q_open(&q, db, "SELECT c.container, c.id, c.smdp_oid,"
               " c.manifest_sha256, c.received, c.in_stock, c.reserved,"
               " c.loading, c.installed, c.failed, c.quarantined, c.voided,"
               " c.deleted, m.came_from, m.went_to, m.n FROM container c"
               " LEFT JOIN tally_move m ON m.shift = ? AND"
               " m.subject = c.container WHERE c.state = 1 AND c.kind = 1"
               " ORDER BY c.container, m.came_from, m.went_to", e) != 0)
        return -1;
    q_int(&q, (int64_t)number);
    while ((row = q_step(&q, e)) > 0) {
        if (q_get_int(&q, 0) != at) {
            if (bundle_done(&b, at, fn, ctx, e) != 0)
                return -1;
            at = q_get_int(&q, 0);
            bundle_read(&q, &b);
        }
        if (!q_is_null(&q, 13) &&
            moves_add(&b.moves, q_get_text(&q, 13), q_get_text(&q, 14),
                      q_get_int(&q, 15), e) != 0)
            return -1;
    }
    return row < 0 ? -1 : bundle_done(&b, at, fn, ctx, e);
}

/* --- positions --------------------------------------------------------------------- */

static uint64_t *position_figure(uint64_t v[POSITION_STATES], const char *state)
{
    for (int s = 0; s < POSITION_STATES; s++)
        if (strcmp(position_state_name((enum position_state)s), state) == 0)
            return &v[s];
    return NULL;
}

static int positions_back(struct shift_positions *p, struct err *e)
{
    uint64_t in = 0, sum = 0;

    memcpy(p->before, p->after, sizeof p->before);
    for (size_t i = 0; i < p->moves.n; i++) {
        const struct shift_move *m = &p->moves.v[i];
        uint64_t *to = position_figure(p->before, m->to);
        uint64_t *from = position_figure(p->before, m->from);
        if (!to || (m->from[0] && !from))
            return unfit("positions", e);
        *to -= m->n;
        *(m->from[0] ? from : &in) += m->n;
    }
    for (int s = 0; s < POSITION_STATES; s++) {
        sum += p->after[s];
        if (p->before[s] > INT64_MAX)
            return unfit("positions", e);
    }
    return in <= sum ? 0 : unfit("positions", e);
}

int shift_positions(struct db *db, uint64_t number,
                    struct shift_positions *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct shift_positions p = { .moves.n = 0 };
    int row;

    if (units_count(db, NULL, p.after, e) != 0 ||
        q_open(&q, db, "SELECT came_from, went_to, n FROM tally_move"
               " WHERE shift = ? AND subject = 0 ORDER BY 1, 2", e) != 0)
        return -1;
    q_int(&q, (int64_t)number);
    while ((row = q_step(&q, e)) > 0)
        if (moves_add(&p.moves, q_get_text(&q, 0), q_get_text(&q, 1),
                      q_get_int(&q, 2), e) != 0)
            return -1;
    if (row < 0 || positions_back(&p, e) != 0)
        return -1;
    *out = p;
    return 0;
}
