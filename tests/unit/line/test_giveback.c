/* Units that give their profiles back: proven or not done, from wherever they
 * are cut off, and loaded again while they can be. */
#include "storage/units.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char *serial_of(const struct shop *s)
{
    return s->barcode + strlen("F1\t");
}

static void start(struct shop *s, int fault, unsigned at)
{
    char where[160];

    shop_where(s, fault, at, where);
    shop_start(s, &fixture_shop, where);
}

static void expect(struct shop *s, const char *code)
{
    struct shop_verdict v = shop_return(s, serial_of(s));

    ck_assert_msg(strcmp(v.code, code) == 0, "%s, not %s: %s", v.code, code, v.detail);
}

static struct position position(struct shop *s)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct position p;
    struct err e = ERR_INIT;

    ck_assert_int_eq(db_open(s->data, DB_READ, NULL, &db, &e), 0);
    ck_assert_msg(position_by_eid(db, &s->d.eid, &p, &e) == 0, "%s", e.msg);
    return p;
}

static unsigned deleted(struct shop *s)
{
    AUTO(db_close_p) struct db *db = NULL;
    AUTO(bpp_list_clear) struct bpp_list all = { NULL, 0 };
    struct err e = ERR_INIT;
    unsigned n = 0;

    ck_assert_int_eq(db_open(s->data, DB_READ, NULL, &db, &e), 0);
    ck_assert_int_eq(stock_of_eid(db, &s->d.eid, &all, &e), 0);
    for (size_t i = 0; i < all.n; i++)
        n += all.v[i].deleted;
    return n;
}

/* Two profiles, loaded and closed; the line has ended. */
static void finished(struct shop *s)
{
    shop_open(s, 2);
    shop_stock(s, 0, 2);
    start(s, CARD_FAULT_NONE, 0);
    shop_expect(s, s->barcode, "done");
    shop_stop(s);
}

/* Everything is given back, and every book says so. */
static void all_is_back(struct shop *s)
{
    struct position p = position(s);
    bool enabled;

    ck_assert_int_eq(p.state, POSITION_STOCKED);
    ck_assert_uint_eq(deleted(s), 2);
    ck_assert_uint_eq(shop_count(s, BPP_INSTALLED), 2);
    shop_stop(s);
    ck_assert(!desk_has_profile(&s->d, 0, &enabled));
    ck_assert(!desk_has_profile(&s->d, 1, &enabled));
    desk_start(&s->d, NULL);
    ck_assert_uint_eq(desk_pending(&s->d), 0);
}

START_TEST(gives_back)
{
    struct shop s;
    char actor[129];

    finished(&s);
    start(&s, CARD_FAULT_NONE, 0);
    expect(&s, "returned-spent");
    ck_assert_int_eq(s.last.kind, VERDICT_RETURNED);
    ck_assert_uint_eq(s.last.installed, 0);
    ck_assert_str_eq(s.last.person, "Ada");
    shop_actor(&s, "return-begun", actor);
    ck_assert_str_eq(actor, "Ada");
    shop_actor(&s, "bpp-deleted", actor);
    ck_assert_str_eq(actor, "Ada");
    ck_assert_uint_eq(shop_events(&s, "bpp-deleted"), 2);
    expect(&s, "already-returned");
    ck_assert_uint_eq(shop_events(&s, "return-begun"), 1);
    /* It is closed, by this station's own receipt: nothing new is even sent. */
    shop_expect(&s, s.barcode, "no-bpp");
    all_is_back(&s);
    shop_close(&s);
}
END_TEST

START_TEST(closed_takes_nothing_new)
{
    struct shop s;

    shop_open(&s, 2);
    shop_stock(&s, 0, 1);
    start(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "done");
    expect(&s, "returned-spent");
    shop_stock(&s, 1, 1);
    shop_expect(&s, s.barcode, "fpa-closed");
    ck_assert_msg(shop_count(&s, BPP_IN_STOCK) == 1, "it was not used up for nothing");
    ck_assert_int_eq(position(&s).state, POSITION_STOCKED);
    shop_close(&s);
}
END_TEST

/* Cut off before its keys were deleted, given back, loaded with the other. */
START_TEST(open_is_loaded_again)
{
    struct shop s;
    unsigned apdus = shop_apdus();

    shop_open(&s, 2);
    shop_stock(&s, 0, 1);
    start(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "done");
    apdus = shop_apdus() - apdus;
    shop_close(&s);

    shop_open(&s, 2);
    shop_stock(&s, 0, 1);
    start(&s, CARD_FAULT_CUT_BEFORE, apdus - 3); /* BF72; each has a GET RESPONSE */
    ck_assert_int_eq(shop_scan(&s, s.barcode).kind, VERDICT_FAIL);
    ck_assert_int_eq(position(&s).state, POSITION_FAILED);
    expect(&s, "returned");
    ck_assert_int_eq(position(&s).state, POSITION_STOCKED);
    ck_assert_int_eq(position(&s).keys_left, 1);
    shop_expect(&s, s.barcode, "no-bpp");
    shop_stock(&s, 1, 1);
    shop_expect(&s, s.barcode, "done");
    ck_assert_uint_eq(s.last.installed, 1);
    ck_assert_int_eq(position(&s).state, POSITION_PASSED);
    ck_assert_uint_eq(deleted(&s), 1);
    shop_expect(&s, s.barcode, "already-done");
    shop_close(&s);
}
END_TEST

START_TEST(refuses)
{
    struct shop s;
    struct err e = ERR_INIT;
    char huge[300];

    /* Nobody loaded it; nobody knows it. */
    shop_open(&s, 2);
    start(&s, CARD_FAULT_NONE, 0);
    expect(&s, "nothing-to-return");
    shop_expect(&s, s.barcode, "no-bpp");
    expect(&s, "nothing-to-return");
    /* Words that cannot be: no unit was touched. */
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    unsigned apdus = shop_apdus();
    ck_assert_int_eq(line_return(s.line, "F9", "SN", "why", "Ada", &e), -1);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    const char *bad[][2] = { { "SN", "" }, { "SN", huge }, { "SN", "a\tb" }, { "", "why" },
                             { huge, "why" }, { "S\tN", "why" }, { "SN ", "why" } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(line_return(s.line, "F1", bad[i][0], bad[i][1], "Ada", &e), -1);
        ck_assert_int_eq(e.code, ERR_USAGE);
    }
    line_stop(s.line);
    ck_assert_int_eq(line_return(s.line, "F1", "SN", "why", "Ada", &e), -1);
    ck_assert_int_eq(e.code, ERR_WRONG_STATE);
    ck_assert_uint_eq(shop_apdus(), apdus);
    shop_close(&s);

    /* A wrong label; and an eUICC whose deletion nobody would hear of. */
    shop_open(&s, 2);
    s.unprovable = true;
    shop_stock(&s, 0, 1);
    start(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "done");
    struct shop_verdict v = shop_return(&s, "SN-OTHER");
    ck_assert_str_eq(v.code, "eid-has-other-serial");
    expect(&s, "return-unprovable");
    ck_assert_uint_eq(s.last.installed, 1);
    ck_assert_int_eq(position(&s).state, POSITION_PASSED);
    ck_assert_uint_eq(shop_events(&s, "return-begun"), 0);
    shop_close(&s);

    /* A kind of eUICC that has no such act. */
    shop_open_kind(&s, 2, INFO2_IOT);
    shop_stock(&s, 0, 1);
    start(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "done");
    expect(&s, "return-no-act");
    ck_assert_int_eq(position(&s).state, POSITION_PASSED);
    shop_close(&s);
}
END_TEST

/* A load of which nobody knows the end: the eUICC is asked before. */
START_TEST(settles_first)
{
    unsigned settled = 0;

    for (unsigned at = 20; settled == 0; at += 5) {
        struct shop s;
        shop_open(&s, 2);
        shop_stock(&s, 0, 1);
        start(&s, SHOP_UNPLUG, at);
        struct shop_verdict v = shop_scan(&s, s.barcode);
        ck_assert_int_eq(v.kind, VERDICT_FAIL);
        shop_stop(&s);
        if (shop_count(&s, BPP_LOADING) == 1) {
            start(&s, CARD_FAULT_NONE, 0);
            expect(&s, "nothing-to-return");
            ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
            shop_expect(&s, s.barcode, "done");
            settled++;
        }
        shop_close(&s);
    }
}
END_TEST

/* --- faults anywhere ----------------------------------------------------------------- */

static const enum card_fault faults[] = {
    CARD_FAULT_CUT, CARD_FAULT_CUT_BEFORE, CARD_FAULT_SW,
    CARD_FAULT_MUTE, CARD_FAULT_GARBAGE, CARD_FAULT_ENDLESS61,
};
#define FAULTS (sizeof faults / sizeof *faults)
#ifdef __SANITIZE_ADDRESS__
#define SOME (2 * FAULTS) /* they see the same code in fewer places */
#else
#define SOME FAULTS
#endif

static unsigned count_apdus(void)
{
    struct shop s;

    finished(&s);
    unsigned before = shop_apdus();
    start(&s, CARD_FAULT_NONE, 0);
    expect(&s, "returned-spent");
    unsigned n = shop_apdus() - before;
    shop_close(&s);
    return n;
}

/* Whatever came in between, it says neither "passed" nor "returned" of a unit
 * that is not, and the next return ends it. */
static void end_return(struct shop *s, const struct shop_verdict *first)
{
    if (first->kind == VERDICT_FAIL) {
        struct position p = position(s);
        unsigned begun = shop_events(s, "return-begun");
        ck_assert_int_eq(p.state, begun ? POSITION_FAILED : POSITION_PASSED);
        ck_assert_msg(begun || deleted(s) == 0, "deleted before the ledger knew");
        expect(s, "returned-spent");
    } else {
        ck_assert_int_eq(first->kind, VERDICT_RETURNED);
        expect(s, "already-returned");
    }
    all_is_back(s);
}

START_TEST(survives_a_fault_anywhere)
{
    unsigned last = count_apdus();

    ck_assert_uint_gt(last, 20);
    for (unsigned at = 1 + (unsigned)_i; at <= last; at += FAULTS) {
        struct shop s;
        finished(&s);
        start(&s, faults[(at / (unsigned)FAULTS + (unsigned)_i) % FAULTS], at);
        struct shop_verdict v = shop_return(&s, serial_of(&s));
        end_return(&s, &v);
        shop_close(&s);
    }
}
END_TEST

/* Pulled out, and the line ended there: the next one goes on from the card. */
START_TEST(survives_the_end_of_the_line)
{
    unsigned last = count_apdus();

    for (unsigned at = 1 + (unsigned)_i; at <= last; at += SOME) {
        struct shop s;
        finished(&s);
        start(&s, SHOP_UNPLUG, at);
        struct shop_verdict v = shop_return(&s, serial_of(&s));
        shop_stop(&s);
        start(&s, CARD_FAULT_NONE, 0);
        end_return(&s, &v);
        shop_close(&s);
    }
}
END_TEST

/* The ledger cannot be written from any moment on: nothing is deleted that it
 * does not know of, and no notification is lost. */
START_TEST(needs_its_ledger)
{
    unsigned last = count_apdus();

    for (unsigned at = 1 + (unsigned)_i; at <= last; at += SOME) {
        struct shop s;
        finished(&s);
        start(&s, CARD_FAULT_NONE, 0);
        shop_lock_ledger_at(&s, at);
        struct shop_verdict v = shop_return(&s, serial_of(&s));
        ck_assert(shop_unlock_ledger());
        ck_assert_msg(v.kind == VERDICT_FAIL && strcmp(v.code, "ledger") == 0, "at %u: %s",
                      at, v.code);
        struct position p = position(&s);
        /* Its failure could not be written: it is what it was, or open. */
        ck_assert(p.state == POSITION_PASSED || p.state == POSITION_OPEN);
        expect(&s, "returned-spent");
        all_is_back(&s);
        shop_close(&s);
    }
}
END_TEST

/* A unit whose return was cut off after the deletion, and that is scanned to be
 * loaded: it is not passed with a profile that is gone. */
START_TEST(a_scan_in_between)
{
    struct shop s;
    unsigned gone = 0;

    for (unsigned at = 10, last = count_apdus(); at <= last; at += 3) {
        finished(&s);
        start(&s, CARD_FAULT_CUT, at);
        struct shop_verdict v = shop_return(&s, serial_of(&s));
        if (v.kind == VERDICT_FAIL) {
            struct shop_verdict scanned = shop_scan(&s, s.barcode);
            if (strcmp(scanned.code, "profile-gone") == 0) {
                gone++;
                ck_assert_uint_ge(deleted(&s), 1);
            } else {
                /* Nothing was deleted: it is a finished unit again, or was never
                 * anything else; or all was, and that is known now. */
                ck_assert_msg(strcmp(scanned.code, "done") == 0 ||
                              strcmp(scanned.code, "already-done") == 0 ||
                              strcmp(scanned.code, "no-bpp") == 0, "at %u: %s: %s", at,
                              scanned.code, scanned.detail);
            }
            shop_return(&s, serial_of(&s));
        }
        all_is_back(&s);
        shop_close(&s);
    }
    ck_assert_uint_gt(gone, 0);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "gives back", gives_back, 1 },
        { "closed takes nothing new", closed_takes_nothing_new, 1 },
        { "open is loaded again", open_is_loaded_again, 1 },
        { "refuses", refuses, 1 },
        { "settles first", settles_first, 1 },
        { "survives a fault anywhere", survives_a_fault_anywhere, FAULTS },
        { "survives the end of the line", survives_the_end_of_the_line, FAULTS },
        { "needs its ledger", needs_its_ledger, FAULTS },
        { "a scan in between", a_scan_in_between, 1 },
    };

    return run_tests("line/giveback", tests, sizeof tests / sizeof *tests);
}
