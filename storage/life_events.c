/* The events of a unit's life. The schema has no index that leads from a unit
 * to them, so they are looked for where its rows say that something happened:
 * all that one visit to a fixture writes stands close together. */
#include "storage/life_inner.h"

#include <stdlib.h>

/* Events that the rows name: where to look. */
struct anchors {
    uint64_t *v;
    size_t n;
};

static void anchors_clear(struct anchors *a)
{
    free(a->v);
}

static int anchor(struct anchors *a, uint64_t event, struct err *e)
{
    if (event == 0)
        return 0;
    if (life_grow(&a->v, a->n, sizeof *a->v, e) != 0)
        return -1;
    a->v[a->n++] = event;
    return 0;
}

/* Every event number that q selects. */
static int anchors_take(struct q *q, struct anchors *a, struct err *e)
{
    int row;

    while ((row = q_step(q, e)) > 0)
        if (anchor(a, (uint64_t)q_get_int(q, 0), e) != 0)
            return -1;
    return row;
}

static int anchors_of_unit(struct db *db, const char *serial, struct anchors *a,
                           struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT event FROM unit WHERE serial = ?", e) != 0)
        return -1;
    q_text(&q, serial);
    return anchors_take(&q, a, e);
}

/* The euicc-data containers that brought this eUICC. */
static int imports_of_eid(struct db *db, const struct eid *eid,
                          struct anchors *a, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT c.event FROM live_euicc u JOIN container c"
               " USING(container) WHERE u.eid = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    return anchors_take(&q, a, e);
}

/* The unit's own events. What brought it is apart: nothing beside an import
 * has to do with the unit. */
static int anchors_near(struct db *db, const struct life *l, struct anchors *a,
                        struct err *e)
{
    if (anchors_of_unit(db, l->serial, a, e) != 0)
        return -1;
    for (size_t i = 0; i < l->euicc_count; i++) {
        const struct life_euicc *u = &l->euiccs[i];
        if (anchor(a, u->position.event, e) != 0)
            return -1;
        for (size_t k = 0; k < u->bpp_count; k++) {
            const struct bpp_info *b = &u->bpps[k].b;
            /* One that never moved has its bundle's event as its last. */
            if (b->event != b->import_event && anchor(a, b->event, e) != 0)
                return -1;
        }
    }
    for (size_t i = 0; i < l->evidence_count; i++)
        if (anchor(a, l->evidence[i].event, e) != 0)
            return -1;
    return 0;
}

struct range {
    uint64_t first, last;
};
struct ranges {
    struct range *v;
    size_t n;
};

static void ranges_clear(struct ranges *r)
{
    free(r->v);
}

static int range_add(struct ranges *r, uint64_t first, uint64_t last,
                     struct err *e)
{
    if (life_grow(&r->v, r->n, sizeof *r->v, e) != 0)
        return -1;
    r->v[r->n++] = (struct range){ first, last };
    return 0;
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x < y) - (x > y);
}

static int first_first(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

/* In order, those that touch made one. */
static void ranges_merge(struct ranges *r)
{
    size_t n = 0;

    if (r->n)
        qsort(r->v, r->n, sizeof *r->v, first_first);
    for (size_t i = 0; i < r->n; i++) {
        if (n && r->v[i].first <= r->v[n - 1].last + 1) {
            if (r->v[i].last > r->v[n - 1].last)
                r->v[n - 1].last = r->v[i].last;
        } else {
            r->v[n++] = r->v[i];
        }
    }
    r->n = n;
}

/* Around the newest first: when they are too many, old visits lose their
 * neighbours, but keep the events that their rows name. Anchors of one visit
 * share theirs. */
static int ranges_near(struct ranges *r, struct anchors *near, uint64_t head,
                       struct err *e)
{
    uint64_t left = LIFE_EVENTS_READ, low = head + 1;

    if (anchor(near, head, e) != 0)
        return -1;
    qsort(near->v, near->n, sizeof *near->v, newest_first);
    for (size_t i = 0; i < near->n; i++) {
        uint64_t at = near->v[i];
        uint64_t first = at > LIFE_EVENTS_NEAR ? at - LIFE_EVENTS_NEAR : 1;
        uint64_t last = at + LIFE_EVENTS_NEAR < low ? at + LIFE_EVENTS_NEAR
                                                    : low - 1;
        uint64_t more = last >= first ? last - first + 1 : 0;
        if (more > left) {
            if (range_add(r, at, at, e) != 0)
                return -1;
        } else if (more) {
            if (range_add(r, first, last, e) != 0)
                return -1;
            left -= more;
            low = first;
        }
    }
    return 0;
}

static int ranges_make(struct db *db, const struct life *l,
                       const struct anchors *imports, uint64_t head, bool every,
                       struct ranges *r, struct err *e)
{
    AUTO(anchors_clear) struct anchors near = { NULL, 0 };

    if (head == 0)
        return 0;
    if (every || head <= LIFE_EVENTS_READ)
        return range_add(r, 1, head, e);
    if (anchors_near(db, l, &near, e) != 0 ||
        ranges_near(r, &near, head, e) != 0)
        return -1;
    for (size_t i = 0; i < imports->n; i++)
        if (range_add(r, imports->v[i], imports->v[i], e) != 0)
            return -1;
    ranges_merge(r);
    return 0;
}

/* One look through the events. */
struct search {
    struct life *l;
    char (*eids)[EID_DIGITS + 1];  /* of l->euiccs                  */
    char (*txids)[TXID_HEX + 1];   /* of all their BPPs             */
    size_t txid_count;
    struct anchors imports;        /* events that brought something */
};

static bool holds(struct span der, const char *word)
{
    return word[0] && memmem(der.p, der.n, word, strlen(word)) != NULL;
}

/* Text stands in the octets as it is: most events are not decoded. */
static bool may_concern(const struct search *s, struct span der)
{
    if (holds(der, s->l->serial))
        return true;
    for (size_t i = 0; i < s->l->euicc_count; i++)
        if (holds(der, s->eids[i]))
            return true;
    for (size_t i = 0; i < s->txid_count; i++)
        if (holds(der, s->txids[i]))
            return true;
    return false;
}

static bool field_is(const struct event *ev, const char *name, const char *word)
{
    struct span value;

    return word[0] && event_field_get(ev, name, &value) == 0 &&
           span_eq(value, SPAN_STR(word));
}

static bool concerns(const struct search *s, const struct event *ev)
{
    if (field_is(ev, "serial", s->l->serial))
        return true;
    /* Where the label is the EID, it stands as the serial, even if the eUICC
     * that answered was another. */
    for (size_t i = 0; i < s->l->euicc_count; i++)
        if (field_is(ev, "eid", s->eids[i]) ||
            field_is(ev, "serial", s->eids[i]))
            return true;
    for (size_t i = 0; i < s->txid_count; i++)
        if (field_is(ev, "txid", s->txids[i]))
            return true;
    return false;
}

static bool brought(const struct search *s, uint64_t number)
{
    for (size_t i = 0; i < s->imports.n; i++)
        if (s->imports.v[i] == number)
            return true;
    return false;
}

static int event_add(struct life *l, uint64_t number, struct span der,
                     const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct life_event v = { .number = number, .der = BUF_INIT };

    memcpy(v.hash, hash, EVENT_HASH);
    buf_put_span(&v.der, der);
    if (!buf_ok(&v.der) ||
        life_grow(&l->events, l->event_count, sizeof v, e) != 0) {
        buf_clear(&v.der);
        return err_set(e, ERR_NOMEM, "no memory for a unit's events");
    }
    l->events[l->event_count++] = v;
    return 0;
}

static int on_event(void *ctx, uint64_t number, struct span der,
                    const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct search *s = ctx;
    struct event ev;

    if (!brought(s, number)) {
        if (!may_concern(s, der))
            return 0;
        if (event_decode(der, &ev, e) != 0)
            return err_wrap(e, "event %llu", (unsigned long long)number);
        if (!concerns(s, &ev))
            return 0;
    }
    return event_add(s->l, number, der, hash, e);
}

static void search_clear(struct search *s)
{
    free(s->eids);
    free(s->txids);
    anchors_clear(&s->imports);
}

static int search_make(struct db *db, struct life *l, struct search *s,
                       struct err *e)
{
    size_t bpps = 0;

    for (size_t i = 0; i < l->euicc_count; i++)
        bpps += l->euiccs[i].bpp_count;
    s->l = l;
    s->eids = calloc(l->euicc_count + 1, sizeof *s->eids);
    s->txids = calloc(bpps + 1, sizeof *s->txids);
    if (!s->eids || !s->txids)
        return err_set(e, ERR_NOMEM, "no memory for looking at events");
    for (size_t i = 0; i < l->euicc_count; i++) {
        const struct life_euicc *u = &l->euiccs[i];
        eid_format(&u->position.eid, s->eids[i]);
        if (imports_of_eid(db, &u->position.eid, &s->imports, e) != 0)
            return -1;
        for (size_t k = 0; k < u->bpp_count; k++) {
            txid_format(&u->bpps[k].b.txid, s->txids[s->txid_count++]);
            if (anchor(&s->imports, u->bpps[k].b.import_event, e) != 0)
                return -1;
        }
    }
    return 0;
}

int life_events(struct db *db, struct life *l, bool every, struct err *e)
{
    AUTO(search_clear) struct search s = { .l = l };
    AUTO(ranges_clear) struct ranges r = { NULL, 0 };
    struct event_head head;

    if (search_make(db, l, &s, e) != 0 || event_head(db, &head, e) != 0 ||
        ranges_make(db, l, &s.imports, head.number, every, &r, e) != 0)
        return -1;
    for (size_t i = 0; i < r.n; i++)
        if (event_walk(db, r.v[i].first, r.v[i].last, on_event, &s, e) != 0)
            return -1;
    l->whole = head.number == 0 ||
               (r.n == 1 && r.v[0].first == 1 && r.v[0].last == head.number);
    return 0;
}
