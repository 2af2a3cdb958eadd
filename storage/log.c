/* Looking through the events. */
#include "storage/inner.h"
#include "storage/queries.h"

#include <stdlib.h>

static bool says(const struct event *ev, const char *name, const char *want)
{
    struct span v;

    return !want || (event_field_get(ev, name, &v) == 0 &&
                     span_eq(v, SPAN_STR(want)));
}

/* 1 it fits, 0 not, -1 it is no event. The kind was compared already. */
static int fits(const struct log_filter *f, struct span der, struct err *e)
{
    struct event ev;

    if (!f->actor && !f->fixture && !f->serial)
        return 1;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    return (!f->actor || span_eq(ev.actor, SPAN_STR(f->actor))) &&
           says(&ev, "fixture", f->fixture) && says(&ev, "serial", f->serial);
}

#define LOG_SELECT "SELECT number, kind, der, hash FROM event" \
    " WHERE number >= ?1 AND number < ?2 ORDER BY number"
/* An event is found under the serial that it names. */
#define SERIAL_SELECT "SELECT v.number, v.kind, v.der, v.hash" \
    " FROM event_word w JOIN event v ON v.number = w.event WHERE" \
    " w.event >= ?1 AND w.event < ?2 AND w.word = ?3 ORDER BY w.event"

static int log_open(struct q *q, struct db *db, bool back, const char *serial,
                    uint64_t since, uint64_t before, struct err *e)
{
    if (q_open(q, db, serial ? back ? SERIAL_SELECT " DESC" : SERIAL_SELECT
                             : back ? LOG_SELECT " DESC" : LOG_SELECT, e) != 0)
        return -1;
    q_int(q, (int64_t)since);
    q_int(q, before ? (int64_t)before : INT64_MAX);
    if (serial)
        q_text(q, serial);
    return 0;
}

/* 1 the row fits, 0, -1 */
static int row_fits(struct q *q, const struct log_filter *f, struct err *e)
{
    if (f->kind && strcmp(q_get_text(q, 1), f->kind) != 0)
        return 0;
    return fits(f, q_get_octets(q, 2), e);
}

struct found {
    uint64_t *v; /* newest first */
    size_t n;
    uint64_t looked_to;
};

/* How far back the newest `limit` that fit reach. */
static int look_back(struct db *db, const struct log_filter *f,
                     struct found *l, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    unsigned looked = 0;
    int row = 0;

    l->v = malloc((size_t)f->limit * sizeof *l->v);
    if (!l->v)
        return err_set(e, ERR_NOMEM, "no memory to look through events");
    if (log_open(&q, db, true, f->serial, f->since, f->before, e) != 0)
        return -1;
    while (l->n < f->limit && looked < LOG_READ && (row = q_step(&q, e)) > 0) {
        int fit = row_fits(&q, f, e);
        if (fit < 0)
            return -1;
        l->looked_to = (uint64_t)q_get_int(&q, 0);
        looked++;
        if (fit)
            l->v[l->n++] = l->looked_to;
    }
    if (row < 0)
        return -1;
    uint64_t oldest = f->since > 1 ? f->since : 1;
    if (l->n == f->limit || looked < LOG_READ || l->looked_to <= oldest)
        l->looked_to = 0;
    return 0;
}

static int tell(struct q *q, event_fn *fn, void *ctx, struct err *e)
{
    uint8_t hash[EVENT_HASH];

    q_get_fixed(q, 3, hash, sizeof hash);
    return fn(ctx, (uint64_t)q_get_int(q, 0), q_get_octets(q, 2), hash, e);
}

static int tell_found(struct db *db, const struct found *l, event_fn *fn,
                      void *ctx, struct err *e)
{
    for (size_t i = l->n; i > 0; i--) {
        AUTO(q_close) struct q q = { 0 };
        if (log_open(&q, db, false, NULL, l->v[i - 1], l->v[i - 1] + 1, e) != 0 ||
            q_step(&q, e) <= 0 || tell(&q, fn, ctx, e) != 0)
            return -1;
    }
    return 0;
}

static int tell_all(struct db *db, const struct log_filter *f, event_fn *fn,
                    void *ctx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (log_open(&q, db, false, f->serial, f->since, f->before, e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        int fit = row_fits(&q, f, e);
        if (fit < 0 || (fit && tell(&q, fn, ctx, e) != 0))
            return -1;
    }
    return row;
}

int query_log(struct db *db, const struct log_filter *f, event_fn *fn,
              void *ctx, uint64_t *looked_to, struct err *e)
{
    struct found l = { .v = NULL };

    *looked_to = 0;
    if (f->limit == 0)
        return tell_all(db, f, fn, ctx, e);
    int rc = look_back(db, f, &l, e) != 0 ||
             tell_found(db, &l, fn, ctx, e) != 0 ? -1 : 0;
    *looked_to = l.looked_to;
    free(l.v);
    return rc;
}
