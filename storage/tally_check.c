/* Counting again, from every event, what tally.c counted one by one. */
#include "storage/shifts.h"
#include "storage/tally_inner.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY_MAX 512

/* A figure by its whole key as text, so that both sides compare alike. */
struct figure {
    char *key;
    int64_t n;
};
struct figures {
    struct figure *v; /* by key */
    size_t n;
};

static void figures_clear(struct figures *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->v[i].key);
    free(f->v);
}

/* Where key stands, or would. */
static size_t figure_at(const struct figures *f, const char *key, bool *there)
{
    size_t low = 0, high = f->n;

    *there = false;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = strcmp(f->v[mid].key, key);
        if (c == 0) {
            *there = true;
            return mid;
        }
        *(c < 0 ? &low : &high) = c < 0 ? mid + 1 : mid;
    }
    return low;
}

static int figure_add(struct figures *f, const char *key, int64_t n,
                      struct err *e)
{
    bool there;
    size_t at = figure_at(f, key, &there);

    if (there) {
        f->v[at].n += n;
        return 0;
    }
    void *p = list_grow(f->v, f->n, sizeof *f->v, e);
    if (!p)
        return -1;
    f->v = p;
    char *copy = strdup(key);
    if (!copy)
        return err_set(e, ERR_NOMEM, "no memory to count again");
    memmove(f->v + at + 1, f->v + at, (f->n - at) * sizeof *f->v);
    f->v[at] = (struct figure){ copy, n };
    f->n++;
    return 0;
}

/* --- from the events ------------------------------------------------------------ */

struct again {
    struct db *db;
    struct figures counted;
    struct shift shift;   /* the one that `number` is in or comes before */
    bool more;            /* shift is one */
};

/* The shift that event n is in, 0: none. Events come in order. */
static int shift_of(struct again *a, uint64_t n, uint64_t *out, struct err *e)
{
    while (a->more && a->shift.last_event && a->shift.last_event < n) {
        int row = shift_find(a->db, a->shift.number + 1, &a->shift, e);
        if (row < 0)
            return -1;
        a->more = row > 0;
    }
    *out = a->more && a->shift.first_event <= n ? a->shift.number : 0;
    return 0;
}

static int again_count(struct again *a, int64_t day, uint64_t shift,
                       const struct tally_count *c, struct err *e)
{
    char key[KEY_MAX];

    snprintf(key, sizeof key, "day %lld, shift %llu, fixture '%s', by '%s': %s "
             "%s %s", (long long)day, (unsigned long long)shift, c->fixture,
             c->actor, tally_what_name(c->what), c->outcome, c->code);
    return figure_add(&a->counted, key, (int64_t)c->n, e);
}

static int again_move(struct again *a, uint64_t shift,
                      const struct tally_entry *t, struct err *e)
{
    char key[KEY_MAX];

    snprintf(key, sizeof key, "shift %llu, %s, from '%s' to '%s'",
             (unsigned long long)shift, t->bundle ? t->bundle : "positions",
             t->from, t->to);
    return figure_add(&a->counted, key, t->n, e);
}

static int again_event(void *ctx, uint64_t number, struct span der,
                       const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct again *a = ctx;
    struct tally_text text;
    struct tally_entry t;
    struct event ev;
    uint64_t shift;

    (void)hash;
    if (event_decode(der, &ev, e) != 0 || shift_of(a, number, &shift, e) != 0)
        return -1;
    tally_fields(&ev, &text);
    if (!tally_of_event(text.kind, text.actor, &text.f, &t))
        return 0;
    if (t.counts &&
        again_count(a, ev.at / TALLY_DAY_S, shift, &t.count, e) != 0)
        return -1;
    return t.moves ? again_move(a, shift, &t, e) : 0;
}

/* --- from the counters ------------------------------------------------------------ */

static int kept_counts(struct db *db, struct again *a, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT day, shift, fixture, actor, what, outcome, code,"
               " n FROM tally", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        const struct tally_count c = {
            q_get_text(&q, 2), q_get_text(&q, 3),
            (enum tally_what)q_get_int(&q, 4), q_get_text(&q, 5),
            q_get_text(&q, 6), (uint64_t)q_get_int(&q, 7),
        };
        if (again_count(a, q_get_int(&q, 0), (uint64_t)q_get_int(&q, 1), &c,
                        e) != 0)
            return -1;
    }
    return row;
}

static int kept_moves(struct db *db, struct again *a, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT m.shift, c.id, m.came_from, m.went_to, m.n"
               " FROM tally_move m LEFT JOIN container c"
               " ON c.container = m.subject", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        const struct tally_entry t = {
            .bundle = q_is_null(&q, 1) ? NULL : q_get_text(&q, 1),
            .from = q_get_text(&q, 2), .to = q_get_text(&q, 3),
            .n = q_get_int(&q, 4),
        };
        if (again_move(a, (uint64_t)q_get_int(&q, 0), &t, e) != 0)
            return -1;
    }
    return row;
}

static int compare(const struct figures *kept, const struct figures *again,
                   struct err *e)
{
    for (size_t i = 0; i < kept->n || i < again->n; i++) {
        const struct figure *k = i < kept->n ? &kept->v[i] : NULL;
        const struct figure *a = i < again->n ? &again->v[i] : NULL;
        int c = !k ? 1 : !a ? -1 : strcmp(k->key, a->key);
        if (c == 0 && k->n == a->n)
            continue;
        return err_set(e, ERR_CONFLICT, "the accounts say %lld, the events "
                       "%lld: %s", c > 0 ? 0 : (long long)k->n,
                       c < 0 ? 0 : (long long)a->n, c > 0 ? a->key : k->key);
    }
    return 0;
}

/* --- positions, from their rows ----------------------------------------------------- */

static int positions_check(struct db *db, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT fixture, state, sum(kept), sum(again) FROM"
               " (SELECT fixture, state, n AS kept, 0 AS again"
               "  FROM position_count UNION ALL"
               "  SELECT fixture, state, 0, count(*) FROM position"
               "  GROUP BY 1, 2) GROUP BY 1, 2"
               " HAVING sum(kept) <> sum(again) LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row <= 0)
        return row;
    return err_set(e, ERR_CONFLICT, "positions last seen in fixture '%s' in "
                   "state %lld: %lld, by their rows %lld", q_get_text(&q, 0),
                   (long long)q_get_int(&q, 1), (long long)q_get_int(&q, 2),
                   (long long)q_get_int(&q, 3));
}

static int check(struct db *db, void *ctx, struct err *e)
{
    struct again kept = { .db = db }, again = { .db = db };

    (void)ctx;
    int row = shift_find(db, 1, &again.shift, e);
    again.more = row > 0;
    int rc = row < 0 || event_walk(db, 1, 0, again_event, &again, e) != 0 ||
             kept_counts(db, &kept, e) != 0 || kept_moves(db, &kept, e) != 0 ||
             compare(&kept.counted, &again.counted, e) != 0 ||
             positions_check(db, e) != 0 ? -1 : 0;
    figures_clear(&kept.counted);
    figures_clear(&again.counted);
    return rc;
}

int tally_cross_check(struct db *db, struct err *e)
{
    return db_snapshot(db, check, NULL, e);
}
