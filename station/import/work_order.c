/* work-order: becomes a waiting order. */
#include "station/import/opening.h"
#include "storage/orders.h"

#include <string.h>

struct ordering {
    const struct import_child *child;
    const struct container_seen *seen;
    const struct order_spec *order;
    struct import_result *out;
};

static int order_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct ordering *o = ctx;

    return opening_still(o->child, tx, e) != 0 ? -1
         : order_import(tx, o->seen, o->order, opening_actor(o->child),
                        &o->out->sum.missing, e);
}

static int apply_work_order(struct db *db, const struct station *s,
                            struct import_child *c, struct opening *o,
                            struct import_result *out, struct err *e)
{
    if (opening_read(db, s, c, o, e) != 0)
        return -1;
    if (o->m.kind != KIND_WORK_ORDER)
        return err_set(e, ERR_USAGE, "this is a %s, not a work-order: use "
                       "`lineside %s`", kind_name(o->m.kind),
                       o->m.kind == KIND_STATION_CERT ? "station-cert" : "import");
    if (opening_is_all(c, e) != 0)
        return -1;
    struct container_seen seen = opening_seen(o, SEEN_WORK_ORDER);
    struct ordering ordering = { c, &seen, o->m.order, out };
    opening_result(o, out);
    return db_write(db, order_tx, &ordering, e);
}

int import_work_order(struct db *db, const struct station *s, const char *path,
                      struct import_result *out,
                      char number[ORDER_NUMBER_MAX + 1], struct err *e)
{
    return import_work_order_watched(db, s, path, NULL, out, number, e);
}

int import_work_order_watched(struct db *db, const struct station *s,
                              const char *path, const struct import_watch *w,
                              struct import_result *out,
                              char number[ORDER_NUMBER_MAX + 1], struct err *e)
{
    struct import_child c;
    struct opening o;

    memset(out, 0, sizeof *out);
    if (opening_trusts(s, e) != 0 || opening_child(db, s, path, &c, e) != 0)
        return -1;
    c.watch = w;
    memset(&o, 0, sizeof o);
    manifest_init(&o.m);
    int bad = apply_work_order(db, s, &c, &o, out, e);
    import_child_end(&c, &out->importer_kib);
    if (!bad)
        memcpy(number, o.m.order->number, sizeof o.m.order->number);
    opening_clear(&o);
    return bad;
}
