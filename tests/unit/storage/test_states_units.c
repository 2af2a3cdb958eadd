/* Positions of units, proven by trying everything, as test_states.c does with
 * BPPs; and the events of what a process that died has left. */
#include "tests/unit/storage/states_ground.h"

#include <stdio.h>
#include <string.h>

/* --- everything is tried -------------------------------------------------------- */

#define FIRST_CODE "no-card"

struct try_position {
    struct act act;
    enum position_state to;
    enum position_cause cause;
    const char *code;
    int rc;
    struct err e;
};

static int try_position(struct tx *tx, void *ctx, struct err *e)
{
    struct try_position *t = ctx;

    (void)e;
    t->e.code = ERR_NONE;
    t->rc = position_move(tx, &t->act, t->to, t->cause, t->code, &t->e);
    return 0;
}

/* The row that leads to a state from one that is nearer to the first. */
static const struct position_transition *row_to(enum position_state to,
                                                int *distance)
{
    int far[POSITION_STATES] = { [POSITION_OPEN] = 1 };
    const struct position_transition *by[POSITION_STATES] = { NULL };

    for (int round = 1; round < POSITION_STATES; round++)
        for (size_t i = 0; i < position_transition_count; i++) {
            const struct position_transition *t = &position_transitions[i];
            if (far[t->from] != round || far[t->to])
                continue;
            far[t->to] = round + 1;
            by[t->to] = t;
        }
    *distance = far[to];
    return by[to];
}

static void position_lead(struct bench *b, int64_t position,
                          enum position_state to)
{
    int distance;
    const struct position_transition *row = row_to(to, &distance);
    struct err e = ERR_INIT;

    if (!row)
        return; /* a position begins there */
    position_lead(b, position, row->from);
    struct try_position t = {
        { .actor = ACTOR, .fixture = "F3", .position = position }, to,
        row->cause, to == POSITION_OPEN ? NULL : FIRST_CODE, 0, ERR_INIT
    };
    good(db_write(b->g.db, try_position, &t, &e));
    ck_assert_msg(t.rc == 0, "%s", t.e.msg);
}

static struct position position_in(struct bench *b, enum position_state state)
{
    struct err e = ERR_INIT;
    struct position p;
    int64_t id = position_new(b);

    position_lead(b, id, state);
    good(position_get(b->g.db, id, &p, &e));
    ck_assert_int_eq(p.state, state);
    return p;
}

static void position_event_says(struct bench *b, const struct position *was,
                                const struct try_position *t, uint64_t number)
{
    char eid[EID_DIGITS + 1];
    const struct want want[] = {
        { "serial", was->serial },
        { "position", POSITION_MAIN },
        { "eid", eid_format(&was->eid, eid) },
        { "fixture", "F3" },
        { "from", position_state_name(was->state) },
        { "to", position_state_name(t->to) },
        { "cause", position_cause_name(t->cause) },
        { "code", t->code },
    };
    struct err e = ERR_INIT;
    struct position now;

    says(b, number, "position-moved", ACTOR, want, sizeof want / sizeof *want);
    good(position_get(b->g.db, was->id, &now, &e));
    ck_assert_int_eq(now.state, t->to);
    ck_assert_uint_eq(now.event, number);
    ck_assert_str_eq(now.last_code, t->code ? t->code : "");
}

static bool position_in_table(enum position_state from,
                              const struct try_position *s)
{
    for (size_t i = 0; i < position_transition_count; i++) {
        const struct position_transition *t = &position_transitions[i];
        if (t->from == from && t->to == s->to && t->cause == s->cause)
            return true;
    }
    return false;
}

/* True: it moved. */
static bool position_try(struct bench *b, const struct position *was,
                         struct try_position *t)
{
    bool allowed = position_in_table(was->state, t);
    bool same = t->to == was->state &&
                strcmp(t->code ? t->code : "", was->last_code) == 0;
    uint64_t before = newest(b);
    struct err e = ERR_INIT;
    char what[128];

    snprintf(what, sizeof what, "%s to %s by %s (%s)",
             position_state_name(was->state), position_state_name(t->to),
             position_cause_name(t->cause), t->code ? t->code : "");
    good(db_write(b->g.db, try_position, t, &e));
    ck_assert_msg((t->rc == 0) == allowed, "%s: %s", what, t->e.msg);
    if (!allowed)
        ck_assert_int_eq(t->e.code, ERR_WRONG_STATE);
    if (!allowed || same) {
        bench_unchanged(b, what);
        return false;
    }
    position_event_says(b, was, t, before + 1);
    return true;
}

START_TEST(every_position_step)
{
    static const char *const codes[] = { NULL, FIRST_CODE, "no-bpp" };
    const enum position_state from = (enum position_state)_i;
    struct bench b;

    bench_open(&b);
    struct position was = position_in(&b, from);
    bench_mark(&b);
    for (int to = 0; to <= POSITION_STATES; to++)
        for (int cause = 0; cause <= POSITION_CAUSES; cause++)
            for (size_t c = 0; c < sizeof codes / sizeof *codes; c++) {
                struct try_position t = {
                    { .actor = ACTOR, .fixture = "F3", .position = was.id },
                    (enum position_state)to, (enum position_cause)cause,
                    codes[c], 0, ERR_INIT
                };
                if (!position_try(&b, &was, &t))
                    continue;
                was = position_in(&b, from);
                bench_mark(&b);
            }
    bench_close(&b);
}
END_TEST

/* --- the table itself ------------------------------------------------------------ */

/* Written out once more, by hand. */
START_TEST(position_table_by_hand)
{
    static const char want[] =
        "open passed evidence;open stocked keys-kept;open failed verdict;"
        "open unresolved verdict;open unresolved leftover;"
        "stocked open scan;"
        "failed open scan;failed failed verdict;failed unresolved verdict;"
        "failed unresolved leftover;"
        "unresolved open scan;unresolved unresolved verdict;"
        "open quarantined doubt;"
        "open quarantined retries;"
        "failed quarantined doubt;"
        "failed quarantined retries;"
        "unresolved quarantined doubt;"
        "unresolved quarantined retries;"
        "quarantined open released;"
        "quarantined unresolved released;"
        "quarantined unresolved resolve;"
        "failed unresolved resolve;"
        "unresolved unresolved resolve;"
        "open scrapped scrapped;"
        "stocked scrapped scrapped;"
        "failed scrapped scrapped;"
        "unresolved scrapped scrapped;"
        "quarantined scrapped scrapped;"
        "open open replaced;"
        "passed open replaced;"
        "stocked open replaced;"
        "failed open replaced;"
        "unresolved open replaced;"
        "quarantined open replaced;"
        "open stocked returned;passed open return;stocked open return;"
        "failed open return;unresolved open return;";
    char got[2048] = "";
    size_t n = 0;

    for (size_t i = 0; i < position_transition_count; i++) {
        const struct position_transition *t = &position_transitions[i];
        n += (size_t)snprintf(got + n, sizeof got - n, "%s %s %s;",
                              position_state_name(t->from),
                              position_state_name(t->to),
                              position_cause_name(t->cause));
        ck_assert(t->what && *t->what);
    }
    ck_assert_str_eq(got, want);
}
END_TEST

/* Every state can be come to; scrapped and no other is never left, and passed
 * by a return or another board alone. */
START_TEST(reached_and_final)
{
    size_t out[POSITION_STATES] = { 0 };
    int distance;

    for (size_t i = 0; i < position_transition_count; i++) {
        out[position_transitions[i].from]++;
        if (position_transitions[i].from == POSITION_PASSED)
            ck_assert(position_transitions[i].cause == POSITION_CAUSE_RETURN ||
                      position_transitions[i].cause == POSITION_CAUSE_REPLACED);
    }
    for (int s = 0; s < POSITION_STATES; s++) {
        row_to((enum position_state)s, &distance);
        ck_assert_int_gt(distance, 0);
        ck_assert_int_eq(out[s] == 0, s == POSITION_SCRAPPED);
    }
}
END_TEST

/* --- what nobody ended ----------------------------------------------------------------------------- */

static int visit(struct tx *tx, void *ctx, struct err *e)
{
    const struct act *a = ctx;
    const struct eid one = ground_eid(1), two = ground_eid(2);
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };

    if (stock_reserve(tx, &one, a, &l, e) != 0 ||
        stock_load(tx, l.v[0].id, a, e) != 0)
        return -1;
    return stock_reserve(tx, &two, a, &l, e);
}

static int start_stock(struct tx *tx, void *ctx, struct err *e)
{
    return stock_release_leftovers(tx, "line", ctx, e);
}

static int start_positions(struct tx *tx, void *ctx, struct err *e)
{
    return positions_mark_unresolved(tx, "line", ctx, e);
}

/* At the next start nobody stands at a fixture; the events name the one where
 * it was. */
START_TEST(leftovers_name_their_fixture)
{
    static const struct want stock[] = {
        { "from", "reserved" }, { "to", "in-stock" }, { "cause", "leftover" },
        { "serial", "SN1" }, { "position", POSITION_MAIN }, { "fixture", "F3" },
    };
    static const struct want position[] = {
        { "from", "open" }, { "to", "unresolved" }, { "cause", "leftover" },
        { "code", "unresolved" },
        { "serial", "SN1" }, { "position", POSITION_MAIN }, { "fixture", "F3" },
    };
    struct err e = ERR_INIT;
    struct bench b;
    size_t n = 0;

    bench_open(&b);
    good(db_write(b.g.db, visit, &b.act, &e));
    uint64_t before = newest(&b);
    ground_now += 3600;
    good(db_write(b.g.db, start_stock, &n, &e));
    ck_assert_uint_eq(n, 1);
    says(&b, before + 1, "bpp-moved", "line", stock, sizeof stock / sizeof *stock);
    good(db_write(b.g.db, start_positions, &n, &e));
    ck_assert_uint_eq(n, 1);
    says(&b, before + 2, "position-moved", "line", position,
         sizeof position / sizeof *position);
    bench_close(&b);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "by hand", position_table_by_hand, 1 },
        { "reached and final", reached_and_final, 1 },
        { "every step", every_position_step, POSITION_STATES },
        { "leftovers", leftovers_name_their_fixture, 1 },
    };

    return run_tests("storage/states of units", tests,
                     sizeof tests / sizeof *tests);
}
