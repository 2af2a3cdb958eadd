/* What is in stock for an order's recipes. */
#include "storage/orders.h"

#include "storage/inner.h"

#include <stdlib.h>

/* The in-stock BPPs of one eUICC, gathered row by row. */
struct chip {
    uint8_t eid[16];
    bool iot;
    struct bpp_info *v; /* texts of the offers */
    struct order_offer *offers;
    size_t n, cap;
};

struct counting {
    const struct order_spec *o;
    struct order_recipe_stock *out;
    struct chip chip;
};

static int chip_room(struct chip *c, struct err *e)
{
    size_t cap = c->cap ? c->cap * 2 : 16;

    if (c->n < c->cap)
        return 0;
    struct bpp_info *v = realloc(c->v, cap * sizeof *v);
    if (v)
        c->v = v;
    struct order_offer *offers = realloc(c->offers, cap * sizeof *offers);
    if (offers)
        c->offers = offers;
    if (!v || !offers)
        return err_set(e, ERR_NOMEM, "no memory for the profiles of one eUICC");
    c->cap = cap;
    return 0;
}

static int chip_add(struct chip *c, struct q *q, struct err *e)
{
    if (chip_room(c, e) != 0)
        return -1;
    struct bpp_info *b = &c->v[c->n++];
    q_get_string(q, 1, b->provider, sizeof b->provider);
    q_get_string(q, 2, b->smdp_oid, sizeof b->smdp_oid);
    q_get_string(q, 3, b->name, sizeof b->name);
    b->profile_class = (int)q_get_int(q, 4);
    c->iot = q_get_int(q, 5) == EUICC_IOT;
    return 0;
}

static void count_recipe(const struct order_recipe *r, const struct chip *c,
                         struct order_recipe_stock *out)
{
    size_t slot[ORDER_PROFILES_MAX];

    for (size_t w = 0; w < r->wants; w++) {
        size_t fit = 0;
        for (size_t i = 0; i < c->n; i++)
            fit += order_fits(&r->want[w], &c->offers[i]);
        out->wish[w].bpps += fit;
        out->wish[w].euiccs += fit > 0;
    }
    if (order_match(r, c->offers, c->n, slot) < r->wants)
        return;
    out->complete++;
    out->iot += c->iot;
}

static void count_chip(struct counting *k)
{
    struct chip *c = &k->chip;

    for (size_t i = 0; i < c->n; i++)
        c->offers[i] = (struct order_offer){
            .provider = c->v[i].provider, .smdp = c->v[i].smdp_oid,
            .name = c->v[i].name, .profile_class = c->v[i].profile_class,
        };
    for (size_t p = 0; p < k->o->positions && c->n; p++)
        count_recipe(&k->o->recipe[p], c, &k->out[p]);
    c->n = 0;
}

static int count_all(struct db *db, struct counting *k, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    uint8_t eid[16];
    int row;

    if (q_open(&q, db, "SELECT b.eid, b.provider, b.smdp_oid, b.name, b.class,"
               " coalesce(p.kind, 0) FROM live_bpp b LEFT JOIN position p"
               " ON p.eid = b.eid WHERE b.state = 0 ORDER BY b.eid", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        q_get_fixed(&q, 0, eid, sizeof eid);
        if (memcmp(eid, k->chip.eid, sizeof eid) != 0)
            count_chip(k);
        memcpy(k->chip.eid, eid, sizeof eid);
        if (chip_add(&k->chip, &q, e) != 0)
            return -1;
    }
    count_chip(k);
    return row;
}

int order_stock(struct db *db, const struct order_spec *o,
                struct order_recipe_stock out[ORDER_POSITIONS_MAX],
                struct err *e)
{
    struct counting k = { .o = o, .out = out };

    memset(out, 0, ORDER_POSITIONS_MAX * sizeof *out);
    int bad = count_all(db, &k, e);
    free(k.chip.v);
    free(k.chip.offers);
    return bad;
}
