#include "storage/events.h"

#include "station/base/clock.h"
#include "storage/inner.h"

#include <stdio.h>

void fields_add(struct fields *f, const char *name, const char *value)
{
    if (f->n < sizeof f->v / sizeof *f->v)
        f->v[f->n++] = (struct event_field){ name, value };
}

char *number_text(int64_t v, char out[NUMBER_TEXT])
{
    snprintf(out, NUMBER_TEXT, "%lld", (long long)v);
    return out;
}

static void head_read(struct q *q, struct event_head *out)
{
    out->number = (uint64_t)q_get_int(q, 0);
    out->at = q_get_int(q, 1);
    q_get_fixed(q, 2, out->hash, sizeof out->hash);
}

int event_head(struct db *db, struct event_head *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT number, at, hash FROM event"
               " ORDER BY number DESC LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    *out = (struct event_head){ 0 };
    if (row)
        head_read(&q, out);
    return 0;
}

int event_head_at(struct db *db, uint64_t number, struct event_head *out,
                  struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (number == 0) {
        *out = (struct event_head){ 0 };
        return 0;
    }
    if (q_open(&q, db, "SELECT number, at, hash FROM event WHERE number = ?",
               e) != 0)
        return -1;
    q_int(&q, (int64_t)number);
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "the ledger has no event %llu",
                       (unsigned long long)number);
    head_read(&q, out);
    return 0;
}

/* --- the clock --------------------------------------------------------------- */

static int clock_floor(struct db *db, int64_t last_event, int64_t *out,
                       struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT created_at FROM container WHERE state = 1"
               " ORDER BY created_at DESC LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    int64_t accepted = row ? q_get_int(&q, 0) : 0;
    *out = accepted > last_event ? accepted : last_event;
    return 0;
}

int ledger_clock(struct db *db, struct ledger_clock *out, struct err *e)
{
    struct event_head head;
    struct ledger_clock c;

    if (event_head(db, &head, e) != 0 ||
        clock_floor(db, head.at, &c.floor, e) != 0)
        return -1;
    c.now = clock_for_checks(db_now(db), c.floor, &c.confirmed);
    *out = c;
    return 0;
}

/* --- writing ----------------------------------------------------------------- */

static int event_store(struct tx *tx, const struct event_head *h,
                       const char *kind, struct span der, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO event(number, at, kind, der, hash)"
               " VALUES(?, ?, ?, ?, ?)", e) != 0)
        return -1;
    q_int(&q, (int64_t)h->number);
    q_int(&q, h->at);
    q_text(&q, kind);
    q_octets(&q, der);
    q_octets(&q, SPAN_ARRAY(h->hash));
    return q_run(&q, e);
}

/* Under which words an event can be found (table event_word): the unit's
 * serial, and the EID unless it is that of a position of this serial, which
 * leads to the serial. A failure's need not be: its serial is what was
 * scanned. */
struct words {
    struct span v[2];
    size_t n;
};

static void words_take(struct words *w, struct span kind, struct span serial,
                       struct span eid, bool position)
{
    bool follows = position && !span_eq(kind, SPAN_STR("failure"));

    w->n = 0;
    if (serial.n)
        w->v[w->n++] = serial;
    if (eid.n && !(serial.n && (follows || span_eq(serial, eid))))
        w->v[w->n++] = eid;
}

static void words_of_fields(struct words *w, const char *kind,
                            const struct fields *f)
{
    struct span serial = { 0 }, eid = { 0 };
    bool position = false;

    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->v[i].name, "serial") == 0)
            serial = SPAN_STR(f->v[i].value);
        else if (strcmp(f->v[i].name, "eid") == 0)
            eid = SPAN_STR(f->v[i].value);
        else if (strcmp(f->v[i].name, "position") == 0)
            position = true;
    }
    words_take(w, SPAN_STR(kind), serial, eid, position);
}

static int words_store(struct db *db, const struct words *w, uint64_t number,
                       struct err *e)
{
    for (size_t i = 0; i < w->n; i++) {
        AUTO(q_close) struct q q = { 0 };
        if (q_open(&q, db, "INSERT INTO event_word(word, event) VALUES(?, ?)",
                   e) != 0)
            return -1;
        q_text_span(&q, w->v[i]);
        q_int(&q, (int64_t)number);
        if (q_run(&q, e) != 0)
            return -1;
    }
    return 0;
}

static int words_of_event(void *ctx, uint64_t number, struct span der,
                          const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct span serial = { 0 }, eid = { 0 }, position;
    struct event ev;
    struct words w;

    (void)hash;
    if (event_decode(der, &ev, e) != 0)
        return err_wrap(e, "event %llu", (unsigned long long)number);
    event_field_get(&ev, "serial", &serial);
    event_field_get(&ev, "eid", &eid);
    words_take(&w, ev.kind, serial, eid,
               event_field_get(&ev, "position", &position) == 0);
    return words_store(ctx, &w, number, e);
}

int event_words_again(struct db *db, struct err *e)
{
    return event_walk(db, 1, 0, words_of_event, db, e);
}

static int event_write_at(struct tx *tx, const struct event_head *before,
                          int64_t at, const char *kind, const char *actor,
                          const struct fields *f, struct event_head *out,
                          struct err *e)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct event_head next = { .number = before->number + 1, .at = at };

    if (event_encode(next.number, at, before->hash, kind, actor, f->v, f->n,
                     &der, e) != 0)
        return -1;
    event_hash(buf_span(&der), next.hash);
    struct words w;
    words_of_fields(&w, kind, f);
    if (event_store(tx, &next, kind, buf_span(&der), e) != 0 ||
        words_store(tx->db, &w, next.number, e) != 0 ||
        tally_event(tx, &next, kind, actor, f, e) != 0)
        return -1;
    if (out)
        *out = next;
    return 0;
}

int event_write(struct tx *tx, const char *kind, const char *actor,
                const struct fields *f, struct event_head *out, struct err *e)
{
    struct event_head before;
    int64_t floor;

    if (event_head(tx->db, &before, e) != 0 ||
        clock_floor(tx->db, before.at, &floor, e) != 0)
        return -1;
    int64_t at = clock_for_checks(db_now(tx->db), floor, NULL);
    return event_write_at(tx, &before, at, kind, actor, f, out, e);
}

int event_append(struct tx *tx, const char *kind, const char *actor,
                 const struct event_field *f, size_t n, uint64_t *number,
                 struct err *e)
{
    struct fields all = { .n = 0 };
    struct event_head head;

    if (n > sizeof all.v / sizeof *all.v)
        return err_set(e, ERR_LIMIT, "event %s has %zu fields, at most %zu fit",
                       kind, n, sizeof all.v / sizeof *all.v);
    for (size_t i = 0; i < n; i++)
        fields_add(&all, f[i].name, f[i].value);
    if (event_write(tx, kind, actor, &all, &head, e) != 0)
        return -1;
    if (number)
        *number = head.number;
    return 0;
}

int ledger_clock_confirm(struct tx *tx, const char *actor, struct err *e)
{
    struct event_head before;
    struct fields f = { .n = 0 };
    int64_t floor, now = db_now(tx->db);
    char was[24], is[24];

    if (event_head(tx->db, &before, e) != 0 ||
        clock_floor(tx->db, before.at, &floor, e) != 0)
        return -1;
    if (now < floor)
        return err_set(e, ERR_CONFLICT, "the machine's clock says %s, but the "
                       "ledger has seen %s already; set the clock, then "
                       "confirm it", clock_text(now, is),
                       clock_text(floor, was));
    fields_add(&f, "floor-before", clock_text(floor, was));
    return event_write_at(tx, &before, now, "clock-confirmed", actor, &f, NULL,
                          e);
}

/* --- reading ----------------------------------------------------------------- */

int event_walk(struct db *db, uint64_t first, uint64_t last, event_fn *fn,
               void *ctx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    uint8_t hash[EVENT_HASH];
    int row;

    if (q_open(&q, db, "SELECT number, der, hash FROM event"
               " WHERE number BETWEEN ? AND ? ORDER BY number", e) != 0)
        return -1;
    q_int(&q, (int64_t)first);
    q_int(&q, last ? (int64_t)last : INT64_MAX);
    while ((row = q_step(&q, e)) > 0) {
        q_get_fixed(&q, 2, hash, sizeof hash);
        if (fn(ctx, (uint64_t)q_get_int(&q, 0), q_get_octets(&q, 1), hash,
               e) != 0)
            return -1;
    }
    return row;
}

int event_since(struct db *db, int64_t at, uint64_t *number, struct err *e)
{
    struct event_head head, mid;
    uint64_t low = 1, high;

    if (event_head(db, &head, e) != 0)
        return -1;
    high = head.number + 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (event_head_at(db, middle, &mid, e) != 0)
            return -1;
        if (mid.at < at)
            low = middle + 1;
        else
            high = middle;
    }
    *number = low;
    return 0;
}

static int check_one(void *ctx, uint64_t number, struct span der,
                     const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct event_head *before = ctx;
    unsigned long long n = number;
    uint8_t again[EVENT_HASH];
    struct event ev;

    if (event_decode(der, &ev, e) != 0)
        return err_wrap(e, "event %llu", n);
    event_hash(der, again);
    if (number != before->number + 1 || ev.number != number)
        return err_set(e, ERR_CONFLICT, "event %llu stands where event %llu "
                       "must be", n, (unsigned long long)before->number + 1);
    if (!span_eq(ev.previous, SPAN_ARRAY(before->hash)))
        return err_set(e, ERR_CONFLICT, "event %llu does not name the hash of "
                       "the event before it", n);
    if (memcmp(again, hash, EVENT_HASH) != 0)
        return err_set(e, ERR_CONFLICT, "event %llu is not what its hash says",
                       n);
    if (ev.at < before->at)
        return err_set(e, ERR_CONFLICT, "event %llu is older than the one "
                       "before it", n);
    before->number = number;
    before->at = ev.at;
    memcpy(before->hash, hash, EVENT_HASH);
    return 0;
}

int event_verify(struct db *db, struct event_head *head, struct err *e)
{
    struct event_head last = { 0 };

    if (event_walk(db, 1, 0, check_one, &last, e) != 0)
        return -1;
    if (head)
        *head = last;
    return 0;
}
