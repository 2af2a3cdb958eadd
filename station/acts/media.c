#include "station/acts/media.h"

int inbox_open(struct inbox *b, const char *data_dir, struct err *e)
{
    *b = (struct inbox)INBOX_EMPTY;
    station_init_empty(&b->s);
    return db_open(data_dir, DB_WRITE, NULL, &b->db, e) != 0 ||
           lock_take(data_dir, LOCK_IMPORT, &b->lock, e) != 0 ||
           import_leftovers(b->db, b->lock, NULL, e) != 0 ||
           station_get(b->db, &b->s, e) != 0 ? -1 : 0;
}

void inbox_close(struct inbox *b)
{
    if (b->db)
        station_clear(&b->s);
    lock_release(b->lock);
    db_close(b->db);
    *b = (struct inbox)INBOX_EMPTY;
}

int inbox_take(struct inbox *b, const char *path, const struct import_watch *w,
               struct import_result *out, struct err *e)
{
    return import_container_watched(b->db, b->lock, &b->s, path, w, out, e);
}

int inbox_take_order(struct inbox *b, const char *path, const struct import_watch *w,
                     struct import_result *out, char number[ORDER_NUMBER_MAX + 1],
                     struct err *e)
{
    return import_work_order_watched(b->db, &b->s, path, w, out, number, e);
}

static const char *const next_steps[ERR_CODES] = {
    [ERR_FORMAT] = "copy the container again; if it is refused again, ask its "
                   "issuer for a new one",
    [ERR_LIMIT] = "ask its issuer for a new one within that limit",
    [ERR_SIGNATURE] = "copy the container again; if it is refused again, ask "
                      "its issuer for a new one",
    [ERR_TRUST] = "keep it out and show this message to its issuer",
    [ERR_REPLAY] = "nothing, if what it brings is known already; else ask its "
                   "issuer for a new one",
    [ERR_CONFLICT] = "show this message to its issuer and ask for a new one",
};

const char *inbox_next_step(enum err_code code)
{
    return next_steps[code];
}

/* --- out ----------------------------------------------------------------------- */

/* Needs no certificate: what is written was signed when it was made. */
static int again(struct desk *d, const char *data_dir, const char *to, const char *id,
                 struct report_list *made, struct err *e)
{
    return desk_folder(to, e) != 0 ||
           db_open(data_dir, DB_WRITE, NULL, &d->db, e) != 0 ||
           lock_take(data_dir, LOCK_EXPORT, &d->lock, e) != 0 ||
           report_send(d->db, d->lock, data_dir, id, to, made, e) != 0 ? -1 : 0;
}

int act_export(struct desk *d, const char *data_dir, const char *to, const char *id,
               const struct report_watch *w, struct report_list *made, struct err *e)
{
    if (id)
        return again(d, data_dir, to, id, made, e);
    return desk_open(d, data_dir, to, e) != 0 ||
           lock_take(data_dir, LOCK_EXPORT, &d->lock, e) != 0 ||
           report_export_watched(d->db, d->lock, data_dir, &d->s, &d->id, to, w, made,
                                 e) != 0 ? -1 : 0;
}
