#include "storage/quarantine.h"

#include "storage/inner.h"

#include <stdio.h>

/* --- what is kept of a unit in trouble -------------------------------------- */

struct trouble {
    bool known;
    char step[QUARANTINE_STEP_MAX + 1];
    unsigned failures;
    char events[QUARANTINE_EVIDENCE_MAX + 1];
    bool resolving;
};

static int trouble_get(struct db *db, int64_t position, struct trouble *out,
                       struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *out = (struct trouble){ .known = false };
    if (q_open(&q, db, "SELECT step, failures, events, resolving"
               " FROM unit_trouble WHERE position = ?", e) != 0)
        return -1;
    q_int(&q, position);
    int row = q_step(&q, e);
    if (row <= 0)
        return row;
    out->known = true;
    q_get_string(&q, 0, out->step, sizeof out->step);
    out->failures = (unsigned)q_get_int(&q, 1);
    q_get_string(&q, 2, out->events, sizeof out->events);
    out->resolving = q_get_int(&q, 3) != 0;
    return 0;
}

static int trouble_put(struct tx *tx, int64_t position, const struct trouble *t,
                       struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO unit_trouble(position, step, failures,"
               " events, resolving) VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO"
               " UPDATE SET step = ?2, failures = ?3, events = ?4,"
               " resolving = ?5", e) != 0)
        return -1;
    q_int(&q, position);
    q_text(&q, t->step);
    q_int(&q, t->failures);
    q_text(&q, t->events);
    q_int(&q, t->resolving);
    return q_run(&q, e);
}

int position_trouble_over(struct tx *tx, int64_t position, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "DELETE FROM unit_trouble WHERE position = ?", e) != 0)
        return -1;
    q_int(&q, position);
    return q_run(&q, e);
}

int position_resolving(struct db *db, int64_t position, bool *out, struct err *e)
{
    struct trouble t;

    if (trouble_get(db, position, &t, e) != 0)
        return -1;
    *out = t.resolving;
    return 0;
}

/* --- the limit ----------------------------------------------------------------- */

int quarantine_limit(struct db *db, unsigned *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *out = QUARANTINE_LIMIT_DEFAULT;
    if (q_open(&q, db, "SELECT failures FROM quarantine_limit", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row > 0)
        *out = (unsigned)q_get_int(&q, 0);
    return row < 0 ? -1 : 0;
}

int quarantine_set_limit(struct tx *tx, unsigned limit, const char *actor,
                         struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fields f = { .n = 0 };
    struct event_head head;
    char from[NUMBER_TEXT], to[NUMBER_TEXT];
    unsigned was;

    if (limit < 1 || limit > QUARANTINE_LIMIT_MAX)
        return err_set(e, ERR_USAGE, "the limit is a number from 1 to %d",
                       QUARANTINE_LIMIT_MAX);
    if (quarantine_limit(tx->db, &was, e) != 0)
        return -1;
    if (was == limit)
        return 0;
    fields_add(&f, "from", number_text(was, from));
    fields_add(&f, "to", number_text(limit, to));
    if (event_write(tx, "quarantine-limit-set", actor, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "INSERT OR REPLACE INTO quarantine_limit(one,"
               " failures, event) VALUES(1, ?, ?)", e) != 0)
        return -1;
    q_int(&q, limit);
    q_int(&q, (int64_t)head.number);
    return q_run(&q, e);
}

/* --- the end of a visit ------------------------------------------------------------ */

/* Into quarantine, with what its event and its row say of why. */
static int hold(struct tx *tx, const struct act *a, enum position_cause cause,
                const char *code, const char *reason, struct trouble *t,
                struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    const struct position_why why = { code, reason, t->events };
    struct position p;

    t->resolving = false;
    if (position_move_why(tx, a, POSITION_QUARANTINED, cause, &why, e) != 0 ||
        trouble_put(tx, a->position, t, e) != 0 ||
        position_get(tx->db, a->position, &p, e) != 0 ||
        q_open(&q, tx->db, "UPDATE unit_trouble SET reason = ?, fixture = ?,"
               " held_event = ? WHERE position = ?", e) != 0)
        return -1;
    q_text(&q, reason);
    q_text(&q, a->fixture ? a->fixture : "");
    q_int(&q, (int64_t)p.event);
    q_int(&q, a->position);
    return q_run(&q, e);
}

/* One more failure in a row, or the first at this step. */
static void count(struct trouble *t, const struct visit_end *v)
{
    char number[NUMBER_TEXT];
    size_t n;

    if (strcmp(t->step, v->step) != 0) {
        text_plain(v->step, t->step, sizeof t->step - 1);
        t->failures = 0;
        t->events[0] = '\0';
    }
    t->failures++;
    n = strlen(t->events);
    snprintf(t->events + n, sizeof t->events - n, "%s%s", n ? " " : "",
             number_text((int64_t)v->event, number));
}

static int hold_doubt(struct tx *tx, const struct act *a,
                      const struct visit_end *v, struct trouble *t,
                      struct err *e)
{
    char reason[QUARANTINE_REASON_MAX + 1];

    snprintf(reason, sizeof reason, t->resolving
             ? "its eUICC was asked, and that did not resolve it: %.*s"
             : "its state is in doubt: %.*s", FAILURE_CODE_MAX, v->code);
    number_text((int64_t)v->event, t->events);
    t->step[0] = '\0';
    t->failures = 0;
    return hold(tx, a, POSITION_CAUSE_DOUBT, v->code, reason, t, e);
}

static int hold_retries(struct tx *tx, const struct act *a,
                        const struct visit_end *v, struct trouble *t,
                        struct err *e)
{
    char reason[QUARANTINE_REASON_MAX + 1];

    snprintf(reason, sizeof reason, "%u failures in a row at step \"%s\", the "
             "last one: %.*s", t->failures, t->step, FAILURE_CODE_MAX, v->code);
    return hold(tx, a, POSITION_CAUSE_RETRIES, v->code, reason, t, e);
}

int position_fail(struct tx *tx, const struct act *a, const struct visit_end *v,
                  struct err *e)
{
    struct trouble t;
    unsigned limit;

    if (trouble_get(tx->db, a->position, &t, e) != 0 ||
        quarantine_limit(tx->db, &limit, e) != 0)
        return -1;
    if (v->rule == HOLD_AT_ONCE || (t.resolving && v->rule != HOLD_NOT))
        return hold_doubt(tx, a, v, &t, e);
    if (v->rule == HOLD_COUNTS)
        count(&t, v);
    if (v->rule == HOLD_COUNTS && t.failures >= limit)
        return hold_retries(tx, a, v, &t, e);
    if (v->rule == HOLD_COUNTS && trouble_put(tx, a->position, &t, e) != 0)
        return -1;
    return position_move(tx, a, v->loading || t.resolving ? POSITION_UNRESOLVED
                                                          : POSITION_FAILED,
                         POSITION_CAUSE_VERDICT, v->code, e);
}

/* --- two people ------------------------------------------------------------------------ */

const char *const hold_act_names[HOLD_ACTS] = {
    [HOLD_RELEASE] = "release",
    [HOLD_RESOLVE] = "resolve",
    [HOLD_SCRAP] = "scrap",
};

static int waits_for_card(struct db *db, const struct eid *eid, bool *out,
                          struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };

    if (stock_of_eid(db, eid, &l, e) != 0)
        return -1;
    *out = false;
    for (size_t i = 0; i < l.n; i++)
        *out |= l.v[i].state == BPP_LOADING;
    return 0;
}

static int release_one(struct tx *tx, const struct act *a,
                       const struct position *p, const struct position_why *why,
                       struct err *e)
{
    bool loading;

    if (waits_for_card(tx->db, &p->eid, &loading, e) != 0 ||
        position_move_why(tx, a, loading ? POSITION_UNRESOLVED : POSITION_OPEN,
                          POSITION_CAUSE_RELEASED, why, e) != 0)
        return -1;
    return position_trouble_over(tx, p->id, e);
}

static int resolve_one(struct tx *tx, const struct act *a,
                       const struct position *p, const struct position_why *why,
                       struct err *e)
{
    const struct trouble asked = { .resolving = true };

    return position_move_why(tx, a, POSITION_UNRESOLVED, POSITION_CAUSE_RESOLVE,
                             why, e) != 0 ||
           trouble_put(tx, p->id, &asked, e) != 0 ? -1 : 0;
}

static int scrap_one(struct tx *tx, const struct act *a,
                     const struct position *p, const struct position_why *why,
                     struct err *e)
{
    return position_move_why(tx, a, POSITION_SCRAPPED, POSITION_CAUSE_SCRAPPED,
                             why, e) != 0 ||
           position_trouble_over(tx, p->id, e) != 0 ? -1 : 0;
}

static const struct {
    int (*one)(struct tx *tx, const struct act *a, const struct position *p,
               const struct position_why *why, struct err *e);
    enum position_state to;
    enum position_cause cause;
} hold_acts[HOLD_ACTS] = {
    [HOLD_RELEASE] = { release_one, POSITION_OPEN, POSITION_CAUSE_RELEASED },
    [HOLD_RESOLVE] = { resolve_one, POSITION_UNRESOLVED, POSITION_CAUSE_RESOLVE },
    [HOLD_SCRAP] = { scrap_one, POSITION_SCRAPPED, POSITION_CAUSE_SCRAPPED },
};

static bool can(const struct hold_call *c, enum position_state from)
{
    return position_transition(from, hold_acts[c->what].to,
                               hold_acts[c->what].cause) &&
           (from != POSITION_OPEN || c->line_stands);
}

static int nothing_to_do(const struct position_list *l, const struct hold_call *c,
                         struct err *e)
{
    const struct position *p = &l->v[0];

    if (c->what == HOLD_SCRAP && p->state == POSITION_OPEN)
        return err_set(e, ERR_WRONG_STATE, "unit %s, position %s, is open and "
                       "may stand in a fixture; stop the line first, or scan it "
                       "to its verdict", p->serial, p->name);
    return err_set(e, ERR_WRONG_STATE, "unit %s, position %s, is %s; there is "
                   "nothing to %s", p->serial, p->name,
                   position_state_name(p->state), hold_act_names[c->what]);
}

int quarantine_act(struct tx *tx, const struct act *a, const struct hold_call *c,
                   size_t *n, struct err *e)
{
    AUTO(position_list_clear) struct position_list l = { NULL, 0 };
    const struct position_why why = { NULL, c->reason, NULL };
    size_t done = 0;

    if (unit_by_serial(tx->db, c->serial, &l, e) != 0)
        return -1;
    if (l.n == 0)
        return err_set(e, ERR_NOT_FOUND, "no unit %.64s is known here",
                       c->serial);
    for (size_t i = 0; i < l.n; i++) {
        struct act here = *a;
        here.position = l.v[i].id;
        if (!can(c, l.v[i].state))
            continue;
        if (hold_acts[c->what].one(tx, &here, &l.v[i], &why, e) != 0)
            return -1;
        done++;
    }
    if (n)
        *n = done;
    return done ? 0 : nothing_to_do(&l, c, e);
}
