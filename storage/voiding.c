#include "storage/voiding.h"

#include "storage/inner.h"

#include <stdlib.h>

void bpp_ids_clear(struct bpp_ids *l)
{
    free(l->v);
    *l = (struct bpp_ids){ NULL, 0 };
}

/* --- finding ----------------------------------------------------------------- */

static void id_read(struct q *q, void *item)
{
    *(int64_t *)item = q_get_int(q, 0);
}

static int ids_read(struct q *q, struct bpp_ids *out, struct err *e)
{
    struct rows all;

    if (rows_read(q, sizeof *out->v, id_read, &all, e) != 0)
        return -1;
    bpp_ids_clear(out);
    *out = (struct bpp_ids){ all.v, all.n };
    return 0;
}

static int by_txid(struct db *db, const struct txid *t, struct bpp_ids *out,
                   struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct bpp_info b;
    char hex[TXID_HEX + 1];

    if (stock_by_txid(db, t, &b, e) != 0)
        return -1;
    if (b.state != BPP_IN_STOCK && b.state != BPP_QUARANTINED)
        return err_set(e, ERR_NOT_FOUND, "BPP %s is %s; only what is in stock "
                       "or quarantined can be voided", txid_format(t, hex),
                       bpp_state_name(b.state));
    if (q_open(&q, db, "SELECT ?", e) != 0)
        return -1;
    q_int(&q, b.id);
    return ids_read(&q, out, e);
}

static int bundle_known(struct db *db, const char *id, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT 1 FROM container WHERE id = ? AND kind = 1"
               " AND state = 1", e) != 0)
        return -1;
    q_text(&q, id);
    int row = q_step(&q, e);
    if (row == 0)
        return err_set(e, ERR_NOT_FOUND, "no bundle %.80s was imported here; "
                       "`lineside stock` lists them", id);
    return row < 0 ? -1 : 0;
}

static int by_bundle(struct db *db, const char *id, struct bpp_ids *out,
                     struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (bundle_known(db, id, e) != 0 ||
        q_open(&q, db, "SELECT bpp FROM live_bpp WHERE container_id = ?"
               " AND state = 0 ORDER BY ordinal", e) != 0)
        return -1;
    q_text(&q, id);
    return ids_read(&q, out, e);
}

static int by_eid(struct db *db, const struct eid *eid, struct bpp_ids *out,
                  struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT bpp FROM live_bpp WHERE eid = ? AND state = 0"
               " ORDER BY container, ordinal", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    return ids_read(&q, out, e);
}

static int by_fate(struct db *db, struct bpp_ids *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT b.bpp" STRANDED_BPPS
               " ORDER BY b.container, b.ordinal", e) != 0)
        return -1;
    return ids_read(&q, out, e);
}

int void_find(struct db *db, const struct void_what *w, struct bpp_ids *out,
              struct err *e)
{
    int rc = w->txid     ? by_txid(db, w->txid, out, e)
             : w->bundle ? by_bundle(db, w->bundle, out, e)
             : w->eid    ? by_eid(db, w->eid, out, e)
                         : by_fate(db, out, e);

    if (rc == 0 && out->n == 0)
        return err_set(e, ERR_NOT_FOUND, "nothing of it is in stock; only what "
                       "is in stock can be voided");
    return rc;
}

/* --- voiding ------------------------------------------------------------------ */

struct batch {
    const struct void_act *a;
    const int64_t *v;
    size_t n, voided;
};

static int void_one(struct tx *tx, int64_t id, struct batch *b, struct err *e)
{
    const struct stock_evidence ev = { .reason = b->a->reason };
    struct bpp_info info;

    if (stock_get(tx->db, id, &info, e) != 0)
        return -1;
    if (info.state != BPP_IN_STOCK && info.state != BPP_QUARANTINED)
        return 0;
    b->voided++;
    return stock_move(tx, id, BPP_VOIDED, info.state == BPP_IN_STOCK
                      ? CAUSE_GIVEN_UP : CAUSE_WRITTEN_OFF, b->a->act, &ev, e);
}

static int void_batch(struct tx *tx, void *ctx, struct err *e)
{
    struct batch *b = ctx;

    if (b->a->guard(tx, b->a->guard_ctx, e) != 0)
        return -1;
    for (size_t i = 0; i < b->n; i++)
        if (void_one(tx, b->v[i], b, e) != 0)
            return -1;
    return 0;
}

int void_all(struct db *db, const struct bpp_ids *ids, const struct void_act *a,
             size_t *voided, struct err *e)
{
    *voided = 0;
    for (size_t i = 0; i < ids->n; i += VOID_BATCH) {
        size_t n = ids->n - i < VOID_BATCH ? ids->n - i : VOID_BATCH;
        struct batch b = { .a = a, .v = ids->v + i, .n = n };
        if (db_write(db, void_batch, &b, e) != 0)
            return -1;
        *voided += b.voided;
        db_step_aside(db);
    }
    return 0;
}
