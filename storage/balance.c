/* The balance: the maintained counters, and the proof that they add up. */
#include "storage/inner.h"

#include <stdio.h>
#include <stdlib.h>

bool stock_balance_ok(const struct stock_balance *b)
{
    uint64_t sum = 0;

    for (int s = 0; s < BPP_STATES; s++)
        sum += b->by_state[s];
    return sum == b->received && b->deleted <= b->by_state[BPP_INSTALLED];
}

void bundle_balances_clear(struct bundle_balances *l)
{
    free(l->v);
    *l = (struct bundle_balances){ NULL, 0 };
}

static void balance_read(struct q *q, void *item)
{
    struct bundle_balance *b = item;

    q_get_string(q, 0, b->id, sizeof b->id);
    q_get_string(q, 1, b->smdp_oid, sizeof b->smdp_oid);
    q_get_string(q, 2, b->issuer, sizeof b->issuer);
    b->sequence = (uint64_t)q_get_int(q, 3);
    q_get_fixed(q, 4, b->manifest_sha256, sizeof b->manifest_sha256);
    b->created_at = q_get_int(q, 5);
    b->not_after = q_get_int(q, 6);
    b->event = (uint64_t)q_get_int(q, 7);
    b->b.received = (uint64_t)q_get_int(q, 8);
    for (int s = 0; s < BPP_STATES; s++)
        b->b.by_state[s] = (uint64_t)q_get_int(q, 9 + s);
    b->b.deleted = (uint64_t)q_get_int(q, 16);
    b->unexported = (uint64_t)q_get_int(q, 17);
}

int stock_balances(struct db *db, struct bundle_balances *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct rows all;

    if (q_open(&q, db, "SELECT c.id, c.smdp_oid, c.issuer, c.sequence,"
               " c.manifest_sha256, c.created_at, c.not_after, c.event,"
               " c.received, c.in_stock, c.reserved, c.loading, c.installed,"
               " c.failed, c.quarantined, c.voided, c.deleted,"
               " coalesce(u.n, 0) FROM container c LEFT JOIN"
               " (SELECT container, sum(n) AS n FROM unreported"
               "  GROUP BY container) u"
               " ON u.container = c.container"
               " WHERE c.state = 1 AND c.kind = 1 ORDER BY c.container",
               e) != 0)
        return -1;
    if (rows_read(&q, sizeof *out->v, balance_read, &all, e) != 0)
        return -1;
    bundle_balances_clear(out);
    *out = (struct bundle_balances){ all.v, all.n };
    return 0;
}

/* --- counting again ------------------------------------------------------------ */

struct recount {
    struct bundle_balances *kept; /* the maintained counters  */
    struct stock_balance *again;  /* one per bundle of *kept  */
    size_t hint;
};

static int bundle_find(struct recount *r, struct span id, size_t *out,
                       struct err *e)
{
    for (size_t i = 0; i < r->kept->n; i++) {
        size_t at = (r->hint + i) % r->kept->n;
        if (span_eq(SPAN_STR(r->kept->v[at].id), id)) {
            *out = r->hint = at;
            return 0;
        }
    }
    return err_set(e, ERR_CONFLICT, "bundle %.*s is not among the live ones",
                   (int)id.n, (const char *)id.p);
}

static int compare(const struct recount *r, const char *source, struct err *e)
{
    for (size_t i = 0; i < r->kept->n; i++) {
        const struct stock_balance *k = &r->kept->v[i].b, *a = &r->again[i];
        const char *id = r->kept->v[i].id;
        if (!stock_balance_ok(k))
            return err_set(e, ERR_CONFLICT, "bundle %s does not add up", id);
        if (k->received != a->received || k->deleted != a->deleted)
            return err_set(e, ERR_CONFLICT, "bundle %s: %llu received, %llu "
                           "deleted; by its %s %llu and %llu", id,
                           (unsigned long long)k->received,
                           (unsigned long long)k->deleted, source,
                           (unsigned long long)a->received,
                           (unsigned long long)a->deleted);
        for (int s = 0; s < BPP_STATES; s++)
            if (k->by_state[s] != a->by_state[s])
                return err_set(e, ERR_CONFLICT, "bundle %s: %llu %s, by its "
                               "%s %llu", id,
                               (unsigned long long)k->by_state[s],
                               bpp_state_name((enum bpp_state)s), source,
                               (unsigned long long)a->by_state[s]);
    }
    return 0;
}

static int by_rows(struct db *db, struct recount *r, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    size_t at;
    int row;

    if (q_open(&q, db, "SELECT container_id, state, count(*), sum(deleted)"
               " FROM live_bpp GROUP BY container, state", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        if (bundle_find(r, SPAN_STR(q_get_text(&q, 0)), &at, e) != 0)
            return -1;
        uint64_t n = (uint64_t)q_get_int(&q, 2);
        r->again[at].received += n;
        r->again[at].by_state[q_get_int(&q, 1)] += n;
        r->again[at].deleted += (uint64_t)q_get_int(&q, 3);
    }
    return row < 0 ? -1 : compare(r, "BPPs", e);
}

static int state_field(const struct event *ev, const char *name,
                       enum bpp_state *out)
{
    struct span v;

    if (event_field_get(ev, name, &v) != 0)
        return -1;
    for (int s = 0; s < BPP_STATES; s++)
        if (span_eq(v, SPAN_STR(bpp_state_name((enum bpp_state)s)))) {
            *out = (enum bpp_state)s;
            return 0;
        }
    return -1;
}

static int number_field(const struct event *ev, const char *name,
                        uint64_t *out)
{
    struct span v;
    char text[NUMBER_TEXT];

    if (event_field_get(ev, name, &v) != 0 || v.n == 0 || v.n >= sizeof text)
        return -1;
    memcpy(text, v.p, v.n);
    text[v.n] = '\0';
    char *end;
    *out = strtoull(text, &end, 10);
    return *end ? -1 : 0;
}

static int replay_import(const struct event *ev, struct stock_balance *b)
{
    uint64_t n;

    if (number_field(ev, "records", &n) != 0)
        return -1;
    b->received += n;
    b->by_state[BPP_IN_STOCK] += n;
    return 0;
}

static int replay_move(const struct event *ev, struct stock_balance *b)
{
    enum bpp_state from, to;

    if (state_field(ev, "from", &from) != 0 ||
        state_field(ev, "to", &to) != 0 || b->by_state[from] == 0)
        return -1;
    b->by_state[from]--;
    b->by_state[to]++;
    return 0;
}

static int replay_deleted(const struct event *ev, struct stock_balance *b)
{
    (void)ev;
    b->deleted++;
    return 0;
}

static const struct {
    const char *kind;
    int (*replay)(const struct event *ev, struct stock_balance *b);
} replays[] = {
    { "bundle-imported", replay_import },
    { "bpp-moved", replay_move },
    { "bpp-deleted", replay_deleted },
};

static int replay_one(void *ctx, uint64_t number, struct span der,
                      const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct recount *r = ctx;
    struct event ev;
    struct span id;
    size_t at;

    (void)hash;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    for (size_t i = 0; i < sizeof replays / sizeof *replays; i++) {
        if (!span_eq(ev.kind, SPAN_STR(replays[i].kind)))
            continue;
        if (event_field_get(&ev, "bundle", &id) != 0 ||
            bundle_find(r, id, &at, e) != 0 ||
            replays[i].replay(&ev, &r->again[at]) != 0)
            return err_set(e, ERR_CONFLICT, "event %llu (%s) does not fit "
                           "those before it", (unsigned long long)number,
                           replays[i].kind);
    }
    return 0;
}

static int by_events(struct db *db, struct recount *r, struct err *e)
{
    return event_walk(db, 1, 0, replay_one, r, e) != 0 ? -1
         : compare(r, "events", e);
}

static int cross_check(struct db *db, void *ctx, struct err *e)
{
    AUTO(bundle_balances_clear) struct bundle_balances kept = { NULL, 0 };

    (void)ctx;
    if (stock_balances(db, &kept, e) != 0)
        return -1;
    struct recount r = { .kept = &kept };
    size_t size = (kept.n ? kept.n : 1) * sizeof *r.again;
    r.again = calloc(1, size);
    if (!r.again)
        return err_set(e, ERR_NOMEM, "no memory for the recount");
    int rc = by_rows(db, &r, e);
    if (rc == 0) {
        memset(r.again, 0, size);
        rc = by_events(db, &r, e);
    }
    free(r.again);
    return rc;
}

int stock_cross_check(struct db *db, struct err *e)
{
    return db_snapshot(db, cross_check, NULL, e);
}
