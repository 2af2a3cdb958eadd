/* Units that are held back: by their failures, by doubt, by people; and boards
 * that were taken out. Nothing is sent to any of them. */
#include "storage/boards.h"
#include "storage/health.h"
#include "storage/orders.h"
#include "storage/quarantine.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void start_chip(struct shop *s, int fault, unsigned at)
{
    char where[160];

    shop_where(s, fault, at, where);
    shop_start(s, &fixture_shop, where);
}

/* Refused before there was power, and before anybody was told of work. */
static void is_refused(struct shop *s, const char *line, const char *code)
{
    unsigned before = shop_apdus();
    char steps[sizeof s->steps];

    snprintf(steps, sizeof steps, "%s", s->steps);
    struct shop_verdict v = shop_scan(s, line);
    ck_assert_str_eq(v.code, code);
    ck_assert_int_eq(v.kind, VERDICT_REFUSED);
    v = shop_return(s, strchr(line, '\t') + 1);
    ck_assert_str_eq(v.code, code);
    ck_assert_int_eq(v.kind, VERDICT_REFUSED);
    ck_assert_uint_eq(shop_apdus(), before);
    ck_assert_str_eq(s->steps, steps);
}

/* --- two people ----------------------------------------------------------------- */

static const struct act two = { .actor = "Ada", .second = "Bob" };

static int act_tx(struct tx *tx, void *ctx, struct err *e)
{
    return quarantine_act(tx, &two, ctx, NULL, e);
}

static int replace_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct position was;

    return board_replace(tx, &two, ctx, &was, e);
}

static void write_ledger(struct shop *s, tx_fn *fn, void *ctx)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;

    ck_assert_msg(db_open(s->data, DB_WRITE, NULL, &db, &e) == 0 &&
                  db_write(db, fn, ctx, &e) == 0, "%s", e.msg);
}

static void acts(struct shop *s, enum hold_act what, const char *serial)
{
    struct hold_call c = { what, serial, NULL, false };

    write_ledger(s, act_tx, &c);
}

static int limits_tx(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    return health_limits_set(tx, &(struct health_limits){ 0, 0, 20, 0 }, "Ada", e);
}

/* The unit is bad; its fixture goes on. */
static void keep_fixture(struct shop *s)
{
    write_ledger(s, limits_tx, NULL);
}

/* --- too many failures ------------------------------------------------------------ */

/* The chip does not trust this SM-DPf's CI. */
static void stock_unauthorised(struct shop *s)
{
    struct shop other;

    desk_make(&other.d, &(struct desk_options){ .keys = 0 });
    struct buf own = s->d.dp_chain;
    s->d.dp_chain = other.d.dp_chain;
    shop_stock(s, 0, 1);
    s->d.dp_chain = own;
    desk_clear(&other.d);
}

START_TEST(is_held_after_three)
{
    struct shop s;

    shop_open(&s, 1);
    stock_unauthorised(&s);
    keep_fixture(&s);
    start_chip(&s, CARD_FAULT_NONE, 0);
    for (int i = 0; i < QUARANTINE_LIMIT_DEFAULT; i++) {
        ck_assert_uint_eq(shop_events(&s, "failure"), (unsigned)i);
        shop_expect(&s, "F1\tSN-1", "authorise-refused");
    }
    is_refused(&s, "F1\tSN-1", "quarantined");
    is_refused(&s, s.barcode, "quarantined");
    ck_assert_uint_eq(shop_events(&s, "failure"), QUARANTINE_LIMIT_DEFAULT);
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    /* It survives a restart, and begins anew only by two people. */
    shop_stop(&s);
    start_chip(&s, CARD_FAULT_NONE, 0);
    is_refused(&s, "F1\tSN-1", "quarantined");
    acts(&s, HOLD_RELEASE, "SN-1");
    shop_expect(&s, "F1\tSN-1", "authorise-refused");
    shop_expect(&s, "F1\tSN-1", "authorise-refused");
    acts(&s, HOLD_SCRAP, "SN-1");
    is_refused(&s, "F1\tSN-1", "scrapped");
    is_refused(&s, s.barcode, "scrapped");
    shop_close(&s);
}
END_TEST

/* Another label on it: the eUICC says who it is, and that it is held. */
START_TEST(is_known_by_its_eUICC)
{
    struct shop s;

    shop_open(&s, 1);
    stock_unauthorised(&s);
    keep_fixture(&s);
    start_chip(&s, CARD_FAULT_NONE, 0);
    for (int i = 0; i < QUARANTINE_LIMIT_DEFAULT; i++)
        shop_expect(&s, "F1\tSN-1", "authorise-refused");
    shop_expect(&s, "F1\tSN-2", "eid-has-other-serial");
    shop_close(&s);
}
END_TEST

/* --- in doubt ------------------------------------------------------------------------ */

static unsigned whole(void)
{
    struct shop s;
    unsigned before = shop_apdus();

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "done");
    shop_close(&s);
    return shop_apdus() - before;
}

/* Pulled out again and again, in the middle of a load too: the contacts say
 * nothing of the unit, which passes as soon as it is left in. */
START_TEST(is_not_held_for_its_contacts)
{
    struct shop s;
    struct shop_verdict v = { .kind = VERDICT_FAIL };
    unsigned halfway = 0, end = whole();

    shop_open(&s, 1);
    keep_fixture(&s);
    shop_stock(&s, 0, 1);
    for (unsigned at = 1; v.kind == VERDICT_FAIL && at <= end; at++) {
        start_chip(&s, SHOP_UNPLUG, at);
        v = shop_scan(&s, "F1\tSN-1");
        shop_stop(&s);
        halfway += strcmp(v.code, "unresolved") == 0;
    }
    ck_assert_uint_gt(halfway, QUARANTINE_LIMIT_DEFAULT);
    start_chip(&s, CARD_FAULT_NONE, 0);
    v = shop_scan(&s, "F1\tSN-1");
    ck_assert_msg(v.kind == VERDICT_PASS || v.kind == VERDICT_ALREADY_DONE, "%s: %s",
                  v.code, v.detail);
    ck_assert_uint_eq(shop_count(&s, BPP_INSTALLED), 1);
    shop_close(&s);
}
END_TEST

/* A card that falls silent in the middle of a load, three times in a row, is. */
START_TEST(is_held_for_its_silence)
{
    struct shop s;

    shop_open(&s, 1);
    keep_fixture(&s);
    shop_stock(&s, 0, 1);
    for (int i = 0; i < QUARANTINE_LIMIT_DEFAULT; i++) {
        start_chip(&s, CARD_FAULT_MUTE, whole() / 2);
        shop_expect(&s, "F1\tSN-1", "load-again");
        shop_stop(&s);
    }
    start_chip(&s, CARD_FAULT_NONE, 0);
    is_refused(&s, "F1\tSN-1", "quarantined");
    shop_close(&s);
}
END_TEST

/* Begun here, finished elsewhere, and its notifications taken off: nobody can
 * say what became of it. */
static void lose_evidence(struct shop *s)
{
    char bf30[16];

    shop_open(s, 2);
    keep_fixture(s);
    shop_stock(s, 0, 1);
    start_chip(s, CARD_FAULT_CUT, whole() / 2);
    shop_expect(s, "F1\tSN-1", "load-again");
    shop_stop(s);
    desk_start(&s->d, NULL);
    desk_install(&s->d, 0, 0);
    for (unsigned seq = 0; seq < 8; seq++) {
        AUTO(buf_clear) struct buf answer = BUF_INIT;
        snprintf(bf30, sizeof bf30, "bf30038001%02x", seq);
        desk_send_hex(&s->d, bf30, &answer);
    }
    ck_assert_uint_eq(desk_pending(&s->d), 0);
    desk_stop(&s->d);
    start_chip(s, CARD_FAULT_NONE, 0);
    shop_expect(s, "F1\tSN-1", "no-evidence");
    ck_assert_uint_eq(shop_count(s, BPP_QUARANTINED), 1);
}

START_TEST(is_held_in_doubt)
{
    struct shop s;

    lose_evidence(&s);
    is_refused(&s, "F1\tSN-1", "quarantined");
    /* Asked again, the eUICC has nothing to say: back again. */
    acts(&s, HOLD_RESOLVE, "SN-1");
    shop_expect(&s, "F1\tSN-1", "no-evidence");
    is_refused(&s, "F1\tSN-1", "quarantined");
    /* Let go, it waits for a replacement, and passes with that. */
    acts(&s, HOLD_RELEASE, "SN-1");
    shop_expect(&s, "F1\tSN-1", "not-replaced");
    shop_stock(&s, 1, 1);
    shop_expect(&s, "F1\tSN-1", "done");
    ck_assert_uint_eq(shop_count(&s, BPP_QUARANTINED), 1);
    shop_close(&s);
}
END_TEST

static int lose_tx(struct tx *tx, void *ctx, struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    const struct visit_end end = { "no-evidence", "load", HOLD_AT_ONCE, false, 1 };
    struct act a = { .actor = "line", .fixture = "F1" };

    (void)ctx;
    if (stock_loading(tx_db(tx), &l, e) != 0)
        return -1;
    ck_assert_uint_eq(l.n, 1);
    a.position = l.v[0].position;
    return stock_quarantine(tx, l.v[0].id, "lost", &a, e) != 0 ||
           position_fail(tx, &a, &end, e) != 0 ? -1 : 0;
}

/* Gone after the load's last octet, before the answer came; quarantined, and
 * the eUICC has the signed result after all. */
static void hold_with_evidence(struct shop *s)
{
    unsigned at = whole();

    for (uint64_t pending = 0; !pending; at--) {
        ck_assert_uint_gt(at, 0);
        shop_open(s, 1);
        shop_stock(s, 0, 1);
        start_chip(s, SHOP_UNPLUG, at);
        shop_scan(s, "F1\tSN-1");
        shop_stop(s);
        if (shop_count(s, BPP_LOADING) == 1) {
            desk_start(&s->d, NULL);
            pending = desk_pending(&s->d);
            desk_stop(&s->d);
        }
        if (!pending)
            shop_close(s);
    }
    write_ledger(s, lose_tx, NULL);
    start_chip(s, CARD_FAULT_NONE, 0);
    is_refused(s, "F1\tSN-1", "quarantined");
}

/* The only way back, and the unit goes on from there. */
START_TEST(is_resolved_by_its_eUICC)
{
    struct shop s;

    hold_with_evidence(&s);
    acts(&s, HOLD_RESOLVE, "SN-1");
    struct shop_verdict v = shop_scan(&s, "F1\tSN-1");
    ck_assert_msg(v.kind == VERDICT_PASS, "%s: %s", v.code, v.detail);
    ck_assert_uint_eq(v.installed, 1);
    ck_assert_uint_eq(shop_count(&s, BPP_INSTALLED), 1);
    shop_close(&s);
}
END_TEST

/* --- under an order ------------------------------------------------------------------ */

static int order_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct order_spec *spec = ctx;

    return order_make(tx, spec, "Ada", e) != 0 ||
           order_move(tx, spec->number, ORDER_ACTIVE, ORDER_CAUSE_ACTIVATED, "Ada", e) != 0 ||
           order_bind(tx, spec->number, "F1", "", ORDER_BIND_COMMAND, "Ada", e) != 0
         ? -1 : 0;
}

static void order_one(struct shop *s)
{
    static struct order_spec spec;
    struct err e = ERR_INIT;

    spec = (struct order_spec){ .number = "WO-1", .product = "Meter", .quantity = 1,
                                .serials = "SN-#", .positions = 1 };
    ck_assert_msg(order_recipe_parse("load any; enable 1; close", &spec.recipe[0],
                                     &e) == 0, "%s", e.msg);
    write_ledger(s, order_tx, &spec);
}

/* What its order asks for is in quarantine: two people want the eUICC's word,
 * and it is asked for it before anybody speaks of a replacement. */
START_TEST(is_resolved_under_an_order)
{
    struct shop s;

    hold_with_evidence(&s);
    order_one(&s);
    acts(&s, HOLD_RESOLVE, "SN-1");
    shop_expect(&s, "F1\tSN-1", "done");
    ck_assert_str_eq(s.last.order, "WO-1");
    ck_assert_uint_eq(s.last.installed, 1);
    ck_assert_uint_eq(shop_count(&s, BPP_INSTALLED), 1);
    shop_close(&s);

    /* It has nothing to say: back again, though there is a replacement. */
    lose_evidence(&s);
    order_one(&s);
    shop_stock(&s, 1, 1);
    acts(&s, HOLD_RESOLVE, "SN-1");
    shop_expect(&s, "F1\tSN-1", "no-evidence");
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    is_refused(&s, "F1\tSN-1", "quarantined");
    acts(&s, HOLD_RELEASE, "SN-1");
    shop_expect(&s, "F1\tSN-1", "done");
    shop_close(&s);
}
END_TEST

/* Let go and returned: the result is what proves that there was something to
 * delete, and it is taken off the card. */
START_TEST(is_returned_with_its_evidence)
{
    struct shop s;

    hold_with_evidence(&s);
    acts(&s, HOLD_RELEASE, "SN-1");
    struct shop_verdict v = shop_return(&s, "SN-1");
    ck_assert_msg(v.kind == VERDICT_RETURNED, "%s: %s", v.code, v.detail);
    ck_assert_uint_eq(shop_count(&s, BPP_INSTALLED), 1);
    ck_assert_uint_eq(shop_events(&s, "bpp-deleted"), 1);
    shop_close(&s);
}
END_TEST

/* --- boards --------------------------------------------------------------------------- */

static const struct eid other_eid = { { 0x89, 0x04, 0x90, 0x32, 0x12, 0x34, 0x51,
                                        0x23, 0x45, 0x12, 0x34, 0x56, 0x78, 0x90,
                                        0x12, 0x35 } };

START_TEST(a_board_is_replaced)
{
    struct shop s;
    struct desk old;
    char where[160];

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, "F1\tSN-1", "done");
    shop_stop(&s);
    old = s.d;
    desk_make(&s.d, &(struct desk_options){ .keys = 1, .eid = &other_eid });
    shop_where(&s, CARD_FAULT_NONE, 0, where);
    shop_start(&s, &fixture_shop, where);
    struct shop_verdict v = shop_scan(&s, "F1\tSN-1");
    ck_assert_str_eq(v.code, "serial-has-other-eid");
    struct board_change c = { "SN-1", "main", other_eid, "broken", false, NULL };
    write_ledger(&s, replace_tx, &c);
    shop_expect(&s, "F1\tSN-1", "no-bpp");
    shop_stock(&s, 0, 1);
    shop_expect(&s, "F1\tSN-1", "done");
    shop_expect(&s, "F1\tSN-1", "already-done");
    shop_stop(&s);

    /* The one that is out, whatever its label says. */
    struct desk new = s.d;
    s.d = old;
    start_chip(&s, CARD_FAULT_NONE, 0);
    v = shop_scan(&s, "F1\tSN-1");
    ck_assert_str_eq(v.code, "eid-retired");
    ck_assert_ptr_nonnull(strstr(v.detail, "taken out of unit SN-1"));
    v = shop_scan(&s, "F1\tSN-2");
    ck_assert_str_eq(v.code, "eid-retired");
    ck_assert_ptr_nonnull(strstr(v.detail, "the label says SN-2"));
    v = shop_scan(&s, s.barcode);
    ck_assert_str_eq(v.code, "eid-retired");
    shop_stop(&s);
    desk_clear(&new);
    shop_close(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("line/held");
    TCase *t = tcase_create("held");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, is_held_after_three);
    tcase_add_test(t, is_not_held_for_its_contacts);
    tcase_add_test(t, is_held_for_its_silence);
    tcase_add_test(t, is_known_by_its_eUICC);
    tcase_add_test(t, is_held_in_doubt);
    tcase_add_test(t, is_resolved_by_its_eUICC);
    tcase_add_test(t, is_resolved_under_an_order);
    tcase_add_test(t, is_returned_with_its_evidence);
    tcase_add_test(t, a_board_is_replaced);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
