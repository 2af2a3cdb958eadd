#include "station/control/work.h"

#include "station/control/protocol.h"
#include "storage/exports.h"
#include "storage/shifts.h"
#include "storage/tally.h"

#include <string.h>

static int read_orders(struct db *db, struct control_work *out, struct err *e)
{
    AUTO(order_list_clear) struct order_list all = { NULL, 0 };

    if (orders_active(db, CONTROL_ORDERS_MAX, &all, e) != 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        const struct order_info *from = &all.v[i];
        struct control_order *to = &out->orders[out->n++];
        memcpy(to->number, from->number, strlen(from->number));
        memcpy(to->product, from->product, strlen(from->product));
        to->quantity = from->quantity;
        memcpy(to->units, from->units, sizeof to->units);
        to->left = order_left(from);
    }
    return 0;
}

static int add_up(void *ctx, const struct tally_count *c, struct err *e)
{
    struct control_work *out = ctx;

    (void)e;
    if (c->what != TALLY_UNIT)
        return 0;
    out->passed += strcmp(c->outcome, position_state_name(POSITION_PASSED)) == 0
                 ? c->n : 0;
    out->stocked += strcmp(c->outcome, position_state_name(POSITION_STOCKED)) == 0
                  ? c->n : 0;
    out->failed += strcmp(c->outcome, position_state_name(POSITION_FAILED)) == 0
                 ? c->n : 0;
    return 0;
}

static int read_shift(struct db *db, struct control_work *out, struct err *e)
{
    struct shift s;
    int found = shift_find(db, 0, &s, e);

    if (found <= 0)
        return found;
    out->shift = s.number;
    out->since = s.opened_at;
    return tally_of_shift(db, s.number, add_up, out, e);
}

int control_work_read(struct db *db, bool count, struct control_work *out,
                      struct err *e)
{
    struct unexported waiting;
    uint64_t before = out->waiting;

    memset(out, 0, sizeof *out);
    out->waiting = before;
    if (count) {
        if (export_pending(db, &waiting, e) != 0)
            return -1;
        out->waiting = waiting.evidence;
    }
    return read_orders(db, out, e) != 0 || read_shift(db, out, e) != 0 ? -1 : 0;
}

static json_t *order_json(const struct control_order *o)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "order",
                     control_string(o->number), "product",
                     control_string(o->product), "quantity",
                     (json_int_t)o->quantity, "passed",
                     (json_int_t)o->units[ORDER_UNIT_PASSED], "stocked",
                     (json_int_t)o->units[ORDER_UNIT_STOCKED], "failed",
                     (json_int_t)o->units[ORDER_UNIT_FAILED], "left",
                     (json_int_t)o->left);
}

static json_t *shift_json(const struct control_work *w)
{
    if (!w->shift)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "shift", (json_int_t)w->shift,
                     "since", (json_int_t)w->since, "passed",
                     (json_int_t)w->passed, "stocked", (json_int_t)w->stocked,
                     "failed", (json_int_t)w->failed);
}

json_t *control_work_json(const struct control_work *w)
{
    json_t *orders = json_array();

    for (uint64_t i = 0; i < w->n; i++)
        json_array_append_new(orders, order_json(&w->orders[i]));
    return json_pack("{s:o, s:o, s:I}", "orders", orders, "shift", shift_json(w),
                     "waiting", (json_int_t)w->waiting);
}
