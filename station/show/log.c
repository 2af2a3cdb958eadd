#include "station/show/log.h"

#include "station/show/event.h"

int show_log_times(struct db *db, struct show_log *o, struct err *e)
{
    uint64_t until;

    if (o->has_since && event_since(db, o->since, &o->f.since, e) != 0)
        return -1;
    if (!o->has_until)
        return 0;
    if (event_since(db, o->until, &until, e) != 0)
        return -1;
    if (o->f.before == 0 || until < o->f.before)
        o->f.before = until;
    return 0;
}

struct page {
    struct show_log *o;
    json_t *events;
    uint64_t looked_to;
    struct event_head head;
};

static int on_event(void *ctx, uint64_t n, struct span der,
                    const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct page *p = ctx;
    struct event ev;

    (void)n;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    json_array_insert_new(p->events, 0, show_event(&ev, hash));
    return 0;
}

static int read_page(struct db *db, void *ctx, struct err *e)
{
    struct page *p = ctx;

    return show_log_times(db, p->o, e) != 0 || event_head(db, &p->head, e) != 0 ||
           query_log(db, &p->o->f, on_event, p, &p->looked_to, e) != 0 ? -1 : 0;
}

int show_log(struct db *db, struct show_log *o, json_t **out, struct err *e)
{
    struct page p = { .o = o, .events = json_array() };
    char hex[2 * EVENT_HASH + 1];

    if (db_snapshot(db, read_page, &p, e) != 0) {
        json_decref(p.events);
        return -1;
    }
    *out = json_pack("{s:o, s:o, s:{s:I, s:s}}", "events", p.events, "lookedTo",
                     p.looked_to ? json_integer((json_int_t)p.looked_to)
                                 : json_null(),
                     "chain", "event", (json_int_t)p.head.number, "hash",
                     hex_encode(SPAN_ARRAY(p.head.hash), hex, sizeof hex));
    return 0;
}
