#include "station/acts/shifts.h"

#include "storage/sessions.h"

struct call {
    struct actor by;
    const char *name;
    struct shift *s;
};

static int open_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return actor_still(tx, &c->by, e) != 0
         ? -1 : shift_open(tx, c->name, c->by.who.name, c->s, e);
}

int act_shift_open(struct db *db, const struct who *w, const char *name,
                   struct shift *out, struct err *e)
{
    struct call c = { .name = name, .s = out };

    return who_one(w, db, RIGHT_SHIFT, &c.by, e) != 0 ||
           db_write(db, open_tx, &c, e) != 0 ? -1 : 0;
}

static int close_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return actor_still(tx, &c->by, e) != 0 ||
           shift_close(tx, c->by.who.name, shift_figures, NULL, c->s, e) != 0 ||
           sessions_end_all(tx, c->by.who.name, e) != 0 ? -1 : 0;
}

int act_shift_close(struct desk *d, const char *data_dir, const char *to,
                    const struct who *w, struct shift *out, bool *closed,
                    struct report_list *made, struct err *e)
{
    struct call c = { .s = out };

    *closed = false;
    if (desk_open(d, data_dir, to, e) != 0 ||
        who_one(w, d->db, RIGHT_SHIFT, &c.by, e) != 0 ||
        lock_take(data_dir, LOCK_EXPORT, &d->lock, e) != 0 ||
        db_write(d->db, close_tx, &c, e) != 0)
        return -1;
    *closed = true;
    if (shift_record_export(d->db, d->lock, data_dir, &d->s, &d->id, out->number, to,
                            made, e) == 0)
        return 0;
    return err_wrap(e, "shift %llu is closed, but its record did not reach %s "
                    "(lineside shift record %llu --to DIR writes it)",
                    (unsigned long long)out->number, to ? to : "the outbox",
                    (unsigned long long)out->number);
}

int act_shift_record(struct desk *d, const char *data_dir, const char *to,
                     uint64_t number, struct report_list *made, struct err *e)
{
    return desk_open(d, data_dir, to, e) != 0 ||
           lock_take(data_dir, LOCK_EXPORT, &d->lock, e) != 0 ||
           shift_record_export(d->db, d->lock, data_dir, &d->s, &d->id, number, to,
                               made, e) != 0 ? -1 : 0;
}
