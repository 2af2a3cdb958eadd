#include "drivers/fault.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lab/puppet.h"
#include "tests/unit/drivers/lifecycle.h"
#include "tests/unit/drivers/listener.h"

#define WAIT_MS 10000

static const uint8_t manage_channel[] = { 0x00, 0x70, 0x00, 0x00, 0x01 };

static char sock[96];
static struct fixture *card;
static struct listener *listener;

static void plug(void *ctx)
{
    (void)ctx;
    listener = listener_start(sock, card, MANNERS_GOOD);
}

static void unplug(void *ctx)
{
    (void)ctx;
    listener_stop(listener);
}

START_TEST(lifecycle_of_a_fault_that_never_fires)
{
    const struct puppet_rules rules = { 0 };
    const char *tmp = getenv("TMPDIR");
    char dir[64], where[160];
    struct lifecycle l = { &fixture_fault, NULL, where, "explode@1:1:bench:/x",
                           unplug, plug, NULL, ERR_NO_CARD };

    snprintf(dir, sizeof dir, "%.40s/lineside.XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(sock, sizeof sock, "%s/F1", dir);
    snprintf(where, sizeof where, "fail@0:1:bench:%s", sock);
    ck_assert_int_eq(puppet_new(&rules, &card, NULL), 0);
    plug(NULL);
    lifecycle_run(&l);
    unplug(NULL);
    card->ops->close(card);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static const char *const bad_specs[] = {
    "", "fail", "fail@1", "fail@1:2", "fail@x:1:bench:/x", "fail@1:1:nothing:/x",
    "fail@1:1:/x", "FAIL@1:1:bench:/x",
};

START_TEST(bad_spec)
{
    struct fixture *f = NULL;
    struct err e = ERR_INIT;

    ck_assert_int_eq(fixture_fault.open(NULL, bad_specs[_i], &f, &e), -1);
    ck_assert_int_eq(e.code, ERR_USAGE);
    ck_assert_ptr_null(f);
}
END_TEST

static struct fixture *wrapped(enum fault_kind kind, unsigned at, uint64_t seed)
{
    const struct puppet_rules rules = { 0 };
    const struct fault_plan plan = { kind, at, seed };
    struct fixture *inner, *f;

    ck_assert_int_eq(puppet_new(&rules, &inner, NULL), 0);
    ck_assert_int_eq(fault_wrap(inner, &plan, &f, NULL), 0);
    return f;
}

/* What call 2 (the first transmit), call 3 and, after a power cycle, the next
 * calls say. */
static const struct {
    enum fault_kind kind;
    enum err_code at, after, on, later;
} kinds[] = {
    { FAULT_FAIL, ERR_IO, ERR_NONE, ERR_NONE, ERR_NONE },
    { FAULT_SHORTEN, ERR_NONE, ERR_NONE, ERR_NONE, ERR_NONE },
    { FAULT_UNPLUG, ERR_NO_CARD, ERR_NO_CARD, ERR_NO_CARD, ERR_NO_CARD },
    { FAULT_SILENCE, ERR_TIMEOUT, ERR_TIMEOUT, ERR_NONE, ERR_NONE },
};

static enum err_code send_one(struct fixture *f, struct buf *b)
{
    struct err e = ERR_INIT;

    ck_assert_int_eq(f->ops->transmit(f, SPAN_ARRAY(manage_channel), b,
                                      WAIT_MS, &e),
                     e.code == ERR_NONE ? 0 : -1);
    return e.code;
}

START_TEST(each_kind)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct fixture *f = wrapped(kinds[_i].kind, 2, 1);

    ck_assert_int_eq(f->ops->power_on(f, &b, WAIT_MS, &e), 0);
    ck_assert(!fault_fired(f));
    ck_assert_int_eq(send_one(f, &b), kinds[_i].at);
    ck_assert(fault_fired(f));
    if (kinds[_i].kind == FAULT_SHORTEN)
        ck_assert_uint_lt(b.n, 3); /* it was channel, 90, 00 */
    ck_assert_int_eq(send_one(f, &b), kinds[_i].after);
    f->ops->power_off(f);
    e = (struct err)ERR_INIT;
    f->ops->power_on(f, &b, WAIT_MS, &e);
    ck_assert_int_eq(e.code, kinds[_i].on);
    ck_assert_int_eq(send_one(f, &b), kinds[_i].later);
    f->ops->close(f);
}
END_TEST

START_TEST(power_on_is_a_call_too)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    static const enum err_code want[] = { ERR_IO, ERR_NONE, ERR_NO_CARD, ERR_NO_CARD };
    struct err e = ERR_INIT;
    struct fixture *f = wrapped((enum fault_kind)_i, 1, 3);

    f->ops->power_on(f, &b, WAIT_MS, &e);
    ck_assert_int_eq(e.code, want[_i]);
    ck_assert(fault_fired(f));
    f->ops->close(f);
}
END_TEST

/* Over many seeds both happen: the card got the command, and it did not; and
 * one seed always does the same. */
START_TEST(seed_decides)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    unsigned reached = 0;

    for (uint64_t seed = 0; seed < 32; seed++) {
        unsigned seen[2];
        for (int again = 0; again < 2; again++) {
            const struct puppet_rules rules = { 0 };
            const struct fault_plan plan = { FAULT_FAIL, 2, seed };
            struct fixture *inner, *f;
            ck_assert_int_eq(puppet_new(&rules, &inner, NULL), 0);
            ck_assert_int_eq(fault_wrap(inner, &plan, &f, NULL), 0);
            ck_assert_int_eq(f->ops->power_on(f, &b, WAIT_MS, NULL), 0);
            ck_assert_int_eq(send_one(f, &b), ERR_IO);
            seen[again] = puppet_apdus(inner);
            f->ops->close(f);
        }
        ck_assert_uint_eq(seen[0], seen[1]);
        reached += seen[0];
    }
    ck_assert_uint_gt(reached, 0);
    ck_assert_uint_lt(reached, 32);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drivers/fault");
    TCase *t = tcase_create("fault");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, lifecycle_of_a_fault_that_never_fires);
    tcase_add_loop_test(t, bad_spec, 0, (int)(sizeof bad_specs / sizeof *bad_specs));
    tcase_add_loop_test(t, each_kind, 0, FAULT_KINDS);
    tcase_add_loop_test(t, power_on_is_a_call_too, 0, FAULT_KINDS);
    tcase_add_test(t, seed_decides);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
