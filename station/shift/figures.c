#include "station/shift/shift.h"

#include <string.h>

/* The numbers in the record are the ledger's. */
_Static_assert((int)SHIFT_UNIT == (int)TALLY_UNIT &&
               (int)SHIFT_BPP == (int)TALLY_BPP &&
               (int)SHIFT_FAILURE == (int)TALLY_FAILURE &&
               (int)SHIFT_REFUSED == (int)TALLY_REFUSED &&
               (int)SHIFT_WHATS == (int)TALLY_WHATS, "kinds of counts");
_Static_assert((int)FIGURE_IN_STOCK + (int)BPP_VOIDED == (int)FIGURE_VOIDED,
               "a bundle's figures stand in the order of states");
_Static_assert(SHIFT_MOVES_MAX <= SHIFT_MOVES &&
               (int)POSITION_STATES <= SHIFT_STATES_MAX, "room in a record");

static void put_moves(struct shift_record *r, const struct shift_moves *m)
{
    for (size_t i = 0; i < m->n; i++)
        r->steps[i] = (struct shift_step){ SPAN_STR(m->v[i].from),
                                           SPAN_STR(m->v[i].to), m->v[i].n };
    r->step_count = m->n;
}

static int put_positions(struct db *db, const struct shift *s,
                         struct buf *records, struct err *e)
{
    struct shift_record r = { .kind = SHIFT_POSITIONS };
    struct shift_positions p;

    if (shift_positions(db, s->number, &p, e) != 0)
        return -1;
    for (int i = 0; i < POSITION_STATES; i++)
        r.states[i] = (struct shift_state){
            SPAN_STR(position_state_name((enum position_state)i)),
            p.before[i], p.after[i] };
    r.state_count = POSITION_STATES;
    put_moves(&r, &p.moves);
    return shift_record_encode(&r, records, e);
}

static void put_figures(uint64_t f[FIGURES], const struct stock_balance *b)
{
    f[FIGURE_RECEIVED] = b->received;
    for (int i = 0; i < BPP_STATES; i++)
        f[FIGURE_IN_STOCK + i] = b->by_state[i];
    f[FIGURE_DELETED] = b->deleted;
}

static int on_bundle(void *ctx, const struct shift_bundle *b, struct err *e)
{
    struct shift_record r = {
        .kind = SHIFT_BUNDLE, .bundle_id = SPAN_STR(b->id),
        .smdp = SPAN_STR(b->smdp_oid),
        .manifest_sha256 = SPAN_ARRAY(b->manifest_sha256),
    };

    put_figures(r.before, &b->before);
    put_figures(r.after, &b->after);
    put_moves(&r, &b->moves);
    return shift_record_encode(&r, ctx, e);
}

static int on_count(void *ctx, const struct tally_count *c, struct err *e)
{
    const struct shift_record r = {
        .kind = SHIFT_COUNT, .fixture = SPAN_STR(c->fixture),
        .person = SPAN_STR(c->actor), .what = (enum shift_what)c->what,
        .outcome = SPAN_STR(c->outcome), .code = SPAN_STR(c->code), .n = c->n,
    };

    return shift_record_encode(&r, ctx, e);
}

int shift_figures(void *ctx, struct db *db, const struct shift *s,
                  struct buf *records, struct err *e)
{
    (void)ctx;
    return put_positions(db, s, records, e) != 0 ||
           shift_bundles(db, s->number, on_bundle, records, e) != 0 ||
           tally_of_shift(db, s->number, on_count, records, e) != 0 ? -1 : 0;
}

int shift_figures_of(struct db *db, const struct shift *s, struct buf *records,
                     struct err *e)
{
    buf_reset(records);
    return s->last_event ? shift_records(db, s->number, records, e)
                         : shift_figures(NULL, db, s, records, e);
}

int shift_records_walk(struct span records, shift_record_fn *fn, void *ctx,
                       struct err *e)
{
    struct shift_record r;
    struct tlv t;

    while (records.n) {
        if (der_next(&records, &t) != DER_OK)
            return err_set(e, ERR_FORMAT, "the records of a shift are damaged");
        if (shift_record_decode(t.whole, &r, e) != 0 || fn(ctx, &r, e) != 0)
            return -1;
    }
    return 0;
}
