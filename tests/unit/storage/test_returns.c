/* Returns, as the ledger keeps them. */
#include "storage/returns.h"
#include "tests/unit/storage/ledger_ground.h"

#include <string.h>

struct call {
    struct act act;
    const char *reason;
    unsigned txid; /* to load and install first */
};

static int registered(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;
    struct eid eid = ground_eid(1);
    struct position p;

    if (unit_register(tx, "SN-1", POSITION_MAIN, &eid, &c->act, &p, e) != 0)
        return -1;
    c->act.position = p.id;
    return 0;
}

static int install(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    struct bpp_list reserved = { NULL, 0 };
    struct eid eid = ground_eid(1);

    int bad = stock_reserve(tx, &eid, &c->act, &reserved, e) != 0 ||
              stock_load(tx, reserved.v[0].id, &c->act, e) != 0 ||
              stock_result(tx, reserved.v[0].id, true, CAUSE_RESULT, ground_bf37(),
                           &c->act, e) != 0 ||
              position_move(tx, &c->act, POSITION_PASSED, POSITION_CAUSE_EVIDENCE,
                            NULL, e) != 0;
    bpp_list_clear(&reserved);
    return bad ? -1 : 0;
}

static int begin(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return return_begin(tx, &c->act, c->reason, e);
}

static int finish(struct tx *tx, void *ctx, struct err *e)
{
    return return_finish(tx, &((struct call *)ctx)->act, EUICC_CONSUMER, 3, e);
}

static int notified(struct tx *tx, void *ctx, struct err *e)
{
    static const uint8_t octets[] = { 0x30, 0 };
    const struct call *c = ctx;
    const struct notification_info n = {
        .eid = ground_eid(1), .seq = 9, .op = 0x10, .has_iccid = true,
        .iccid = ground_iccid(1), .octets = SPAN_ARRAY(octets),
    };

    return notification_add(tx, &c->act, &n, NULL, e);
}

static struct position now(struct ground *g, const struct call *c)
{
    struct position p;
    struct err e = ERR_INIT;

    good(position_get(g->db, c->act.position, &p, &e));
    return p;
}

START_TEST(proven_or_not_done)
{
    struct call c = { .act = { .actor = "Ada", .fixture = "F1" }, .reason = "broken" };
    struct ground g;
    struct err e = ERR_INIT;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 1, 1);
    good(db_write(g.db, registered, &c, &e));
    good(db_write(g.db, install, &c, &e));
    bad(db_write(g.db, finish, &c, &e), ERR_WRONG_STATE); /* not begun */
    ck_assert_int_eq(now(&g, &c).state, POSITION_PASSED);
    good(db_write(g.db, begin, &c, &e));
    ck_assert_int_eq(now(&g, &c).state, POSITION_OPEN);
    bad(db_write(g.db, finish, &c, &e), ERR_WRONG_STATE);
    ck_assert_ptr_nonnull(strstr(e.msg, "no signed notification"));
    good(db_write(g.db, begin, &c, &e)); /* cut off, and begun again */
    ck_assert_int_eq(now(&g, &c).state, POSITION_OPEN);
    good(db_write(g.db, notified, &c, &e));
    good(db_write(g.db, finish, &c, &e));
    ck_assert_int_eq(now(&g, &c).state, POSITION_STOCKED);
    ck_assert_int_eq(now(&g, &c).keys_left, 3);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM event WHERE"
                                    " kind = 'return-begun'"), 2);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(reasons)
{
    struct call c = { .act = { .actor = "Ada", .fixture = "F1" } };
    char huge[RETURN_REASON_MAX + 2];
    struct ground g;
    struct err e = ERR_INIT;

    memset(huge, 'x', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    const char *refused[] = { "", huge, "a\nb", "\x1b[2J", "\xff" };
    ground_open(&g);
    good(db_write(g.db, registered, &c, &e));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        c.reason = refused[i];
        bad(db_write(g.db, begin, &c, &e), ERR_USAGE);
    }
    huge[RETURN_REASON_MAX] = '\0';
    c.reason = huge;
    good(db_write(g.db, begin, &c, &e));
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "proven or not done", proven_or_not_done, 1 },
        { "reasons", reasons, 1 },
    };

    return run_tests("storage/returns", tests, sizeof tests / sizeof *tests);
}
