/* Units, positions and the evidence kept about them. */
#include "storage/unit_list.h"
#include "tests/unit/storage/ledger_ground.h"

#include <string.h>

struct unit {
    const char *serial, *name;
    unsigned eid;
    struct position out;
};

static int enrol(struct tx *tx, void *ctx, struct err *e)
{
    struct unit *u = ctx;
    const struct eid eid = ground_eid(u->eid);

    return unit_register(tx, u->serial, u->name, &eid, &ground_act, &u->out, e);
}

static struct act at(const struct unit *u)
{
    return (struct act){ .actor = "test", .fixture = "F1",
                         .position = u->out.id };
}

static uint64_t events(struct ground *g)
{
    struct event_head head;
    struct err e = ERR_INIT;

    good(event_head(g->db, &head, &e));
    return head.number;
}

START_TEST(an_eid_belongs_to_one_place)
{
    AUTO(position_list_clear) struct position_list l = { NULL, 0 };
    struct unit u = { "SN1", POSITION_MAIN, 1, { 0 } };
    struct position p;
    struct err e = ERR_INIT;
    struct ground g;
    char digits[EID_DIGITS + 1];

    ground_open(&g);
    good(db_write(g.db, enrol, &u, &e));
    int64_t id = u.out.id;
    good(db_write(g.db, enrol, &u, &e)); /* again: the same, no event */
    ck_assert_int_eq(u.out.id, id);
    ck_assert_uint_eq(events(&g), 1);

    struct unit other = { "SN1", POSITION_MAIN, 2, { 0 } };
    bad(db_write(g.db, enrol, &other, &e), ERR_CONFLICT);
    const struct eid e1 = ground_eid(1), e2 = ground_eid(2);
    ck_assert_ptr_nonnull(strstr(e.msg, eid_format(&e1, digits)));
    ck_assert_ptr_nonnull(strstr(e.msg, eid_format(&e2, digits)));
    other = (struct unit){ "SN2", POSITION_MAIN, 1, { 0 } };
    bad(db_write(g.db, enrol, &other, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "SN1"));
    ck_assert_ptr_nonnull(strstr(e.msg, "SN2"));
    other = (struct unit){ "SN1", "telematics", 1, { 0 } };
    bad(db_write(g.db, enrol, &other, &e), ERR_CONFLICT);
    other.eid = 2;
    good(db_write(g.db, enrol, &other, &e));
    good(unit_by_serial(g.db, "SN1", &l, &e));
    ck_assert_uint_eq(l.n, 2);
    ck_assert_str_eq(l.v[1].name, "telematics");
    good(unit_by_serial(g.db, "SN2", &l, &e));
    ck_assert_uint_eq(l.n, 0);
    good(position_by_eid(g.db, &e2, &p, &e));
    ck_assert_str_eq(p.serial, "SN1");
    const struct eid e3 = ground_eid(3);
    bad(position_by_eid(g.db, &e3, &p, &e), ERR_NOT_FOUND);
    ground_close(&g);
}
END_TEST

static const struct {
    const char *name, *serial, *position;
} unfit[] = {
    { "empty serial", "", "main" },
    { "empty position", "SN", "" },
    { "control character", "SN\x07", "main" },
    { "not UTF-8", "SN\xff", "main" },
    { "too long", "0123456789012345678901234567890123456789012345678901234567"
      "8901234", "main" }, /* 65 */
    { "long position", "SN", "012345678901234567890123456789012" },
};

START_TEST(unfit_words_are_refused)
{
    struct unit u = { unfit[_i].serial, unfit[_i].position, 1, { 0 } };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ck_assert_msg(db_write(g.db, enrol, &u, &e) == -1 && e.code == ERR_USAGE,
                  "%s: %s", unfit[_i].name, e.msg);
    ck_assert_uint_eq(events(&g), 0);
    ground_close(&g);
}
END_TEST

/* --- states -------------------------------------------------------------------------- */

struct change {
    struct act act;
    enum position_state to;
    enum position_cause cause;
    const char *code;
};

static int change(struct tx *tx, void *ctx, struct err *e)
{
    struct change *c = ctx;

    return position_move(tx, &c->act, c->to, c->cause, c->code, e);
}

START_TEST(a_unit_passes_with_all_positions)
{
    struct unit a = { "SN", "main", 1, { 0 } }, b = { "SN", "aux", 2, { 0 } };
    struct err e = ERR_INIT;
    struct ground g;
    uint64_t by_state[POSITION_STATES];
    bool passed;

    ground_open(&g);
    bad(unit_passed(g.db, "SN", &passed, &e), ERR_NOT_FOUND);
    good(db_write(g.db, enrol, &a, &e));
    good(db_write(g.db, enrol, &b, &e));
    struct change c = { at(&a), POSITION_PASSED, POSITION_CAUSE_EVIDENCE, NULL };
    good(db_write(g.db, change, &c, &e));
    good(unit_passed(g.db, "SN", &passed, &e));
    ck_assert(!passed);
    c = (struct change){ at(&b), POSITION_FAILED, POSITION_CAUSE_VERDICT,
                         "no-card" };
    good(db_write(g.db, change, &c, &e));
    good(db_write(g.db, change, &c, &e)); /* said once */
    ck_assert_uint_eq(events(&g), 4);
    good(position_get(g.db, b.out.id, &b.out, &e));
    ck_assert_str_eq(b.out.last_code, "no-card");
    c = (struct change){ at(&b), POSITION_OPEN, POSITION_CAUSE_SCAN, NULL };
    good(db_write(g.db, change, &c, &e));
    c = (struct change){ at(&b), POSITION_PASSED, POSITION_CAUSE_EVIDENCE, NULL };
    good(db_write(g.db, change, &c, &e));
    good(unit_passed(g.db, "SN", &passed, &e));
    ck_assert(passed);
    good(units_count(g.db, NULL, by_state, &e));
    ck_assert_uint_eq(by_state[POSITION_PASSED], 2);
    ground_close(&g);
}
END_TEST

/* --- what the card says --------------------------------------------------------------- */

struct card {
    struct act act;
    enum euicc_kind kind;
    int64_t keys;
};

static int card(struct tx *tx, void *ctx, struct err *e)
{
    struct card *c = ctx;

    return position_set_card(tx, &c->act, c->kind, c->keys, e);
}

struct receipt_op {
    struct act act;
    struct receipt_info r;
};

static int receipt(struct tx *tx, void *ctx, struct err *e)
{
    struct receipt_op *r = ctx;

    return receipt_add(tx, &r->act, &r->r, e);
}

START_TEST(receipts_close)
{
    struct unit u = { "SN", "main", 1, { 0 } };
    struct err e = ERR_INIT;
    struct ground g;
    bool known;

    ground_open(&g);
    good(db_write(g.db, enrol, &u, &e));
    ck_assert_int_eq(u.out.keys_left, -1);
    struct card c = { at(&u), EUICC_IOT, 4 };
    good(db_write(g.db, card, &c, &e));
    c.keys = -1; /* unchanged */
    good(db_write(g.db, card, &c, &e));
    ck_assert_uint_eq(events(&g), 2);
    struct receipt_op r = { at(&u), { 0x72, 9, 4, 0, SPAN("receipt", 7) } };
    good(db_write(g.db, receipt, &r, &e));
    good(position_get(g.db, u.out.id, &u.out, &e));
    ck_assert_int_eq(u.out.kind, EUICC_IOT);
    ck_assert_int_eq(u.out.keys_left, 0);
    ck_assert(!u.out.closed);
    good(receipt_known(g.db, u.out.id, 0x73, &known, &e));
    ck_assert(!known);
    r.r.function = 0x73;
    good(db_write(g.db, receipt, &r, &e));
    good(db_write(g.db, receipt, &r, &e)); /* a fresh one is fine */
    good(position_get(g.db, u.out.id, &u.out, &e));
    ck_assert(u.out.closed);
    good(receipt_known(g.db, u.out.id, 0x73, &known, &e));
    ck_assert(known);
    r.r.function = 0x74;
    bad(db_write(g.db, receipt, &r, &e), ERR_INTERNAL);
    ground_close(&g);
}
END_TEST

/* --- notifications ------------------------------------------------------------------------ */

struct notice {
    struct notification_info n;
    bool already;
};

static int notify(struct tx *tx, void *ctx, struct err *e)
{
    struct notice *n = ctx;

    return notification_add(tx, &ground_act, &n->n, &n->already, e);
}

static int install(struct tx *tx, void *ctx, struct err *e)
{
    int64_t bpp = *(int64_t *)ctx;
    struct bpp_list l = { NULL, 0 };
    const struct eid eid = ground_eid(1);
    int rc = stock_reserve(tx, &eid, &ground_act, &l, e);

    bpp_list_clear(&l);
    return rc != 0 || stock_load(tx, bpp, &ground_act, e) != 0 ||
           stock_result(tx, bpp, true, CAUSE_RESULT, ground_bf37(),
                        &ground_act, e) != 0 ? -1 : 0;
}

START_TEST(notifications_are_kept_once)
{
    struct notice n = { .n = { .eid = ground_eid(1), .seq = 3, .op = 0x40,
                               .has_iccid = true, .iccid = ground_iccid(1),
                               .octets = SPAN("enable", 6) } };
    AUTO(bundle_balances_clear) struct bundle_balances b = { NULL, 0 };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 1, 1);
    int64_t bpp = ground_bpp(g.db, 1).id;
    good(db_write(g.db, install, &bpp, &e));
    good(db_write(g.db, notify, &n, &e));
    ck_assert(!n.already);
    uint64_t before = events(&g);
    n.n.octets = SPAN("signed anew", 11);
    good(db_write(g.db, notify, &n, &e));
    ck_assert(n.already);
    ck_assert_uint_eq(events(&g), before);
    n.n.op = 0x20;
    bad(db_write(g.db, notify, &n, &e), ERR_CONFLICT);
    n.n.op = 0x40;
    n.n.iccid = ground_iccid(2);
    bad(db_write(g.db, notify, &n, &e), ERR_CONFLICT);
    ck_assert(!ground_bpp(g.db, 1).deleted);

    n.n = (struct notification_info){ .eid = ground_eid(1), .seq = 4,
        .op = 0x10, .has_iccid = true, .iccid = ground_iccid(1),
        .octets = SPAN("delete", 6) };
    good(db_write(g.db, notify, &n, &e));
    ck_assert(ground_bpp(g.db, 1).deleted);
    ck_assert_int_eq(ground_bpp(g.db, 1).state, BPP_INSTALLED);
    good(stock_balances(g.db, &b, &e));
    ck_assert_uint_eq(b.v[0].b.deleted, 1);
    ck_assert_uint_eq(b.v[0].b.by_state[BPP_INSTALLED], 1);
    n.n.seq = 5; /* of a profile that is not ours: kept, nothing to mark */
    n.n.iccid = ground_iccid(9);
    good(db_write(g.db, notify, &n, &e));
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- a process that died --------------------------------------------------------------------- */

struct visit {
    struct act act;
    struct bpp_list list;
};

static int begin_load(struct tx *tx, void *ctx, struct err *e)
{
    struct visit *v = ctx;
    const struct eid eid = ground_eid(1);

    return stock_reserve(tx, &eid, &v->act, &v->list, e) != 0 ||
           stock_load(tx, v->list.v[0].id, &v->act, e) != 0 ? -1 : 0;
}

static int mark(struct tx *tx, void *ctx, struct err *e)
{
    return positions_mark_unresolved(tx, "test", ctx, e);
}

START_TEST(loading_units_become_unresolved)
{
    AUTO(position_list_clear) struct position_list l = { NULL, 0 };
    struct unit a = { "SN", "main", 1, { 0 } }, b = { "SN2", "main", 2, { 0 } };
    struct err e = ERR_INIT;
    struct ground g;
    size_t n = 9;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 1, 1);
    good(db_write(g.db, enrol, &a, &e));
    good(db_write(g.db, enrol, &b, &e));
    struct visit v = { at(&a), { NULL, 0 } };
    good(db_write(g.db, begin_load, &v, &e));
    ground_reopen(&g);
    good(db_write(g.db, mark, &n, &e));
    ck_assert_uint_eq(n, 1);
    good(db_write(g.db, mark, &n, &e)); /* once is enough */
    ck_assert_uint_eq(n, 0);
    good(positions_in_state(g.db, POSITION_UNRESOLVED, &l, &e));
    ck_assert_uint_eq(l.n, 1);
    ck_assert_str_eq(l.v[0].serial, "SN");
    ground_balanced(g.db);
    bpp_list_clear(&v.list);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "one place", an_eid_belongs_to_one_place, 1 },
        { "unfit words", unfit_words_are_refused,
          sizeof unfit / sizeof *unfit },
        { "a unit passes", a_unit_passes_with_all_positions, 1 },
        { "receipts", receipts_close, 1 },
        { "notifications", notifications_are_kept_once, 1 },
        { "unresolved", loading_units_become_unresolved, 1 },
    };

    return run_tests("storage/units", tests, sizeof tests / sizeof *tests);
}
