/* The events of a unit's life: those that bear its serial or one of its EIDs
 * (table event_word), and those that brought what is meant for it. */
#include "storage/life_inner.h"

#include <stdlib.h>

static int event_add(struct life *l, const struct life_event *v, struct err *e)
{
    void *p = list_grow(l->events, l->event_count, sizeof *v, e);

    if (!p)
        return -1;
    l->events = p;
    l->events[l->event_count++] = *v;
    return 0;
}

/* All rows of q: number, der, hash. */
static int events_take(struct q *q, struct life *l, struct err *e)
{
    int row;

    while ((row = q_step(q, e)) > 0) {
        struct life_event v = { .number = (uint64_t)q_get_int(q, 0),
                                .der = BUF_INIT };
        q_get_fixed(q, 2, v.hash, sizeof v.hash);
        buf_put_span(&v.der, q_get_octets(q, 1));
        if (!buf_ok(&v.der) || event_add(l, &v, e) != 0) {
            buf_clear(&v.der);
            return err_set(e, ERR_NOMEM, "no memory for a unit's events");
        }
    }
    return row;
}

static int events_of_word(struct db *db, struct life *l, const char *word,
                          struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT number, der, hash FROM event_word JOIN event"
               " ON number = event WHERE word = ?", e) != 0)
        return -1;
    q_text(&q, word);
    return events_take(&q, l, e);
}

/* The bundles with its BPPs and the euicc-data with its keys. */
static int events_of_imports(struct db *db, struct life *l,
                             const struct eid *eid, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT number, der, hash FROM event WHERE number IN ("
               "SELECT import_event FROM live_bpp WHERE eid = ?1 UNION"
               " SELECT c.event FROM live_euicc u JOIN container c"
               " USING(container) WHERE u.eid = ?1)", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    return events_take(&q, l, e);
}

static int in_order(const void *a, const void *b)
{
    const struct life_event *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

/* Several words and rows lead to the same event. */
static void drop_doubles(struct life *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->event_count; i++)
        if (n && l->events[n - 1].number == l->events[i].number)
            buf_clear(&l->events[i].der);
        else
            l->events[n++] = l->events[i];
    l->event_count = n;
}

int life_events(struct db *db, struct life *l, struct err *e)
{
    char eid[EID_DIGITS + 1];

    if (l->serial[0] && events_of_word(db, l, l->serial, e) != 0)
        return -1;
    for (size_t i = 0; i < l->euicc_count; i++) {
        const struct eid *id = &l->euiccs[i].position.eid;
        if (events_of_word(db, l, eid_format(id, eid), e) != 0 ||
            events_of_imports(db, l, id, e) != 0)
            return -1;
    }
    if (l->event_count)
        qsort(l->events, l->event_count, sizeof *l->events, in_order);
    drop_doubles(l);
    return 0;
}
