#include "storage/tally.h"

#include "storage/tally_inner.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const what_names[TALLY_WHATS] = {
    [TALLY_UNIT] = "unit",
    [TALLY_BPP] = "bpp",
    [TALLY_FAILURE] = "failure",
    [TALLY_REFUSED] = "refused",
};

const char *tally_what_name(enum tally_what w)
{
    return (unsigned)w < TALLY_WHATS ? what_names[w] : "unknown";
}

/* --- what an event adds ------------------------------------------------------- */

static const char *field(const struct fields *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->v[i].name, name) == 0)
            return f->v[i].value;
    return "";
}

/* NULL here: the field of this name says it. */
struct rule {
    const char *kind;
    bool counts;
    enum tally_what what;
    const char *outcome, *outcome_of; /* a constant, or a field's name */
    const char *code_of;
    bool moves, of_bundle;
    const char *from, *to;
};

static const struct rule rules[] = {
    { "unit-registered", true, TALLY_UNIT, "registered", NULL, NULL,
      true, false, "", "open" },
    { "position-moved", true, TALLY_UNIT, NULL, "to", "code",
      true, false, NULL, NULL },
    { "bundle-imported", false, TALLY_BPP, "", NULL, NULL,
      true, true, "", "in-stock" },
    { "bpp-moved", true, TALLY_BPP, NULL, "to", "cause",
      true, true, NULL, NULL },
    /* A mark on an installed one: `installed` stays as it is. */
    { "bpp-deleted", true, TALLY_BPP, "deleted", NULL, NULL,
      true, true, "installed", "deleted" },
    { "failure", true, TALLY_FAILURE, "", NULL, "code",
      false, false, NULL, NULL },
    { "unit-not-loaded", true, TALLY_REFUSED, "", NULL, "code",
      false, false, NULL, NULL },
};

/* Coming and going around a load says nothing of a shift's work: a position
 * that is tried again, a BPP that is taken from stock and put back. */
static bool outcome_counts(const struct tally_entry *t)
{
    const char *to = t->count.outcome;

    if (t->count.what == TALLY_UNIT)
        return strcmp(to, "open") != 0;
    if (t->count.what != TALLY_BPP || strcmp(to, "deleted") == 0)
        return true;
    return strcmp(to, "reserved") != 0 &&
           (strcmp(to, "in-stock") != 0 || strcmp(t->from, "reserved") != 0);
}

bool tally_of_event(const char *kind, const char *actor,
                    const struct fields *f, struct tally_entry *out)
{
    const struct rule *r = NULL;

    for (size_t i = 0; i < sizeof rules / sizeof *rules && !r; i++)
        if (strcmp(rules[i].kind, kind) == 0)
            r = &rules[i];
    if (!r)
        return false;
    *out = (struct tally_entry){
        .count = { field(f, "fixture"), actor, r->what,
                   r->outcome_of ? field(f, r->outcome_of) : r->outcome,
                   r->code_of ? field(f, r->code_of) : "", 1 },
        .moves = r->moves,
        .bundle = r->of_bundle ? field(f, "bundle") : NULL,
        .from = r->from ? r->from : field(f, "from"),
        .to = r->to ? r->to : field(f, "to"),
        .n = 1,
    };
    if (!r->counts) /* a bundle: as many as it brings */
        out->n = strtoll(field(f, "records"), NULL, 10);
    out->counts = r->counts && outcome_counts(out);
    /* The same state with another code is no move. */
    out->moves = r->moves && out->n > 0 && strcmp(out->from, out->to) != 0;
    return true;
}

/* --- counting ------------------------------------------------------------------- */

/* One row at most, by an index that holds no other. */
#define OPEN_SHIFT "coalesce((SELECT shift FROM shift INDEXED BY shift_open" \
    " WHERE last_event IS NULL), 0)"

static int count_add(struct tx *tx, int64_t at, const struct tally_count *c,
                     struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO tally VALUES(?," OPEN_SHIFT ",?,?,?,?,?,1)"
               " ON CONFLICT DO UPDATE SET n = n + 1", e) != 0)
        return -1;
    q_int(&q, at / TALLY_DAY_S);
    q_text(&q, c->fixture);
    q_text(&q, c->actor);
    q_int(&q, c->what);
    q_text(&q, c->outcome);
    q_text(&q, c->code);
    return q_run(&q, e);
}

static int move_add(struct tx *tx, const struct tally_entry *t, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, t->bundle
               ? "INSERT INTO tally_move SELECT " OPEN_SHIFT ", container,"
                 " ?1, ?2, ?3 FROM container WHERE id = ?4"
                 " ON CONFLICT DO UPDATE SET n = n + excluded.n"
               : "INSERT INTO tally_move VALUES(" OPEN_SHIFT ", 0, ?1, ?2, ?3)"
                 " ON CONFLICT DO UPDATE SET n = n + excluded.n", e) != 0)
        return -1;
    q_text(&q, t->from);
    q_text(&q, t->to);
    q_int(&q, t->n);
    if (t->bundle)
        q_text(&q, t->bundle);
    return q_run(&q, e);
}

int tally_event(struct tx *tx, const struct event_head *head, const char *kind,
                const char *actor, const struct fields *f, struct err *e)
{
    struct tally_entry t;

    if (!tally_of_event(kind, actor, f, &t))
        return 0;
    if (t.counts && count_add(tx, head->at, &t.count, e) != 0)
        return -1;
    return t.moves ? move_add(tx, &t, e) : 0;
}

/* --- reading ---------------------------------------------------------------------- */

static int counts_read(struct q *q, tally_fn *fn, void *ctx, struct err *e)
{
    int row;

    while ((row = q_step(q, e)) > 0) {
        const struct tally_count c = {
            q_get_text(q, 0), q_get_text(q, 1),
            (enum tally_what)q_get_int(q, 2), q_get_text(q, 3),
            q_get_text(q, 4), (uint64_t)q_get_int(q, 5),
        };
        if (fn(ctx, &c, e) != 0)
            return -1;
    }
    return row;
}

int tally_of_shift(struct db *db, uint64_t shift, tally_fn *fn, void *ctx,
                   struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT fixture, actor, what, outcome, code, sum(n)"
               " FROM tally WHERE shift = ? GROUP BY 1, 2, 3, 4, 5"
               " ORDER BY 1, 2, 3, 4, 5", e) != 0)
        return -1;
    q_int(&q, (int64_t)shift);
    return counts_read(&q, fn, ctx, e);
}

int tally_of_day(struct db *db, int64_t day, tally_fn *fn, void *ctx,
                 struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT fixture, actor, what, outcome, code, sum(n)"
               " FROM tally WHERE day = ? GROUP BY 1, 2, 3, 4, 5"
               " ORDER BY 1, 2, 3, 4, 5", e) != 0)
        return -1;
    q_int(&q, day);
    return counts_read(&q, fn, ctx, e);
}

/* --- from events that are there ------------------------------------------------------ */

void tally_fields(const struct event *ev, struct tally_text *out)
{
    struct span rest = ev->fields, name, value;
    size_t used = 0;

    snprintf(out->kind, sizeof out->kind, "%.*s", (int)ev->kind.n,
             (const char *)ev->kind.p);
    snprintf(out->actor, sizeof out->actor, "%.*s", (int)ev->actor.n,
             (const char *)ev->actor.p);
    out->f.n = 0;
    while (event_field_next(&rest, &name, &value)) {
        if (used + name.n + value.n + 2 > sizeof out->text)
            continue; /* what is counted by is short */
        char *n = out->text + used, *v = n + name.n + 1;
        memcpy(n, name.p, name.n);
        n[name.n] = '\0';
        memcpy(v, value.p, value.n);
        v[value.n] = '\0';
        used += name.n + value.n + 2;
        fields_add(&out->f, n, v);
    }
}

static int count_again(void *ctx, uint64_t number, struct span der,
                       const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct event_head head = { .number = number };
    struct tally_text t;
    struct event ev;

    (void)hash;
    if (event_decode(der, &ev, e) != 0)
        return err_wrap(e, "event %llu", (unsigned long long)number);
    tally_fields(&ev, &t);
    head.at = ev.at;
    return tally_event(ctx, &head, t.kind, t.actor, &t.f, e);
}

int tally_again(struct db *db, struct err *e)
{
    struct tx tx = { db };

    return event_walk(db, 1, 0, count_again, &tx, e);
}
