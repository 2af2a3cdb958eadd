#include "drivers/bench.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lab/puppet.h"
#include "tests/unit/drivers/lifecycle.h"
#include "tests/unit/drivers/listener.h"

#define WAIT_MS 10000
#define SHORT_MS 30

static const uint8_t manage_channel[] = { 0x00, 0x70, 0x00, 0x00, 0x01 };

static char dir[64], sock[96];
static struct fixture *card;
static struct listener *listener;
static enum manners manners;

static void plug(void *ctx)
{
    (void)ctx;
    listener = listener_start(sock, card, manners);
}

static void unplug(void *ctx)
{
    (void)ctx;
    listener_stop(listener);
    listener = NULL;
}

static void setup(void)
{
    const char *tmp = getenv("TMPDIR");
    const struct puppet_rules rules = { 0 };

    snprintf(dir, sizeof dir, "%.40s/lineside.XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(sock, sizeof sock, "%s/F1", dir);
    ck_assert_int_eq(puppet_new(&rules, &card, NULL), 0);
    manners = MANNERS_GOOD;
}

static void teardown(void)
{
    char cmd[128];

    if (listener)
        unplug(NULL);
    card->ops->close(card);
    snprintf(cmd, sizeof cmd, "rm -r '%s'", dir);
    ck_assert_int_eq(system(cmd), 0);
}

static struct fixture *open_bench(const char *where)
{
    struct err e = ERR_INIT;
    struct fixture *f = NULL;

    ck_assert_msg(fixture_bench.open(NULL, where, &f, &e) == 0, "%s", e.msg);
    return f;
}

START_TEST(lifecycle)
{
    char bad[512];
    struct lifecycle l = { &fixture_bench, NULL, sock, bad, unplug, plug, NULL,
                           ERR_NO_CARD };

    memset(bad, 'x', sizeof bad - 1);
    bad[sizeof bad - 1] = 0;
    plug(NULL);
    lifecycle_run(&l);
}
END_TEST

START_TEST(empty_where_is_refused)
{
    struct fixture *f = NULL;
    struct err e = ERR_INIT;

    ck_assert_int_eq(fixture_bench.open(NULL, "", &f, &e), -1);
    ck_assert_int_eq(e.code, ERR_USAGE);
}
END_TEST

START_TEST(missing_path_is_no_card)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct fixture *f = open_bench(sock);

    ck_assert_int_eq(f->ops->power_on(f, &b, WAIT_MS, &e), -1);
    ck_assert_int_eq(e.code, ERR_NO_CARD);
    ck_assert_ptr_nonnull(strstr(e.msg, "insert one"));
    f->ops->close(f);
}
END_TEST

START_TEST(nobody_listening_is_no_card)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct fixture *f = open_bench(sock);
    FILE *plain = fopen(sock, "w");

    ck_assert_ptr_nonnull(plain);
    fclose(plain);
    ck_assert_int_eq(f->ops->power_on(f, &b, WAIT_MS, &e), -1);
    ck_assert_int_eq(e.code, ERR_NO_CARD);
    f->ops->close(f);
    unlink(sock);
}
END_TEST

/* A link that is pointed elsewhere between two units is another card. */
START_TEST(power_on_connects_anew)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    const struct puppet_rules rules = { .channel = 7 };
    char other_sock[96], link[96];
    struct err e = ERR_INIT;
    struct fixture *other, *f;
    struct listener *other_listener;

    snprintf(other_sock, sizeof other_sock, "%s/other", dir);
    snprintf(link, sizeof link, "%s/link", dir);
    ck_assert_int_eq(puppet_new(&rules, &other, NULL), 0);
    other_listener = listener_start(other_sock, other, MANNERS_GOOD);
    plug(NULL);
    ck_assert_int_eq(symlink(sock, link), 0);

    f = open_bench(link);
    ck_assert_int_eq(f->ops->power_on(f, &b, WAIT_MS, &e), 0);
    ck_assert_int_eq(f->ops->transmit(f, SPAN_ARRAY(manage_channel), &b,
                                      WAIT_MS, &e), 0);
    ck_assert_uint_eq(b.p[0], 1);
    unlink(link);
    ck_assert_int_eq(symlink(other_sock, link), 0);
    ck_assert_int_eq(f->ops->power_on(f, &b, WAIT_MS, &e), 0);
    ck_assert_int_eq(f->ops->transmit(f, SPAN_ARRAY(manage_channel), &b,
                                      WAIT_MS, &e), 0);
    ck_assert_uint_eq(b.p[0], 7);
    f->ops->close(f);
    listener_stop(other_listener);
    other->ops->close(other);
}
END_TEST

START_TEST(a_command_is_not_taken_for_a_control)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    static const uint8_t one[] = { 0x01 };
    struct err e = ERR_INIT;
    struct fixture *f = open_bench(sock);

    plug(NULL);
    ck_assert_int_eq(f->ops->power_on(f, &b, WAIT_MS, &e), 0);
    ck_assert_int_eq(f->ops->transmit(f, SPAN_ARRAY(one), &b, WAIT_MS, &e), -1);
    ck_assert_int_eq(e.code, ERR_INTERNAL);
    f->ops->close(f);
    ck_assert_uint_eq(puppet_apdus(card), 0);
}
END_TEST

static const struct {
    const char *name;
    enum manners manners;
    int timeout_ms;
    enum err_code power_on, transmit;
} manners_rows[] = {
    { "one octet at a time", MANNERS_DRIBBLE, WAIT_MS, ERR_NONE, ERR_NONE },
    { "no ATR", MANNERS_NO_ATR, WAIT_MS, ERR_NO_CARD, ERR_NO_CARD },
    { "ATR too long", MANNERS_LONG_ATR, WAIT_MS, ERR_FORMAT, ERR_NO_CARD },
    { "mute", MANNERS_MUTE, SHORT_MS, ERR_NONE, ERR_TIMEOUT },
    { "announces 65535 octets", MANNERS_HUGE, WAIT_MS, ERR_NONE, ERR_FORMAT },
    { "one octet", MANNERS_TINY, WAIT_MS, ERR_NONE, ERR_FORMAT },
    { "two answers", MANNERS_TALKATIVE, WAIT_MS, ERR_NONE, ERR_FORMAT },
    { "hangs up in the middle", MANNERS_HANG_UP, WAIT_MS, ERR_NONE, ERR_NO_CARD },
};

START_TEST(bad_manners)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    const char *name = manners_rows[_i].name;
    struct err e = ERR_INIT;
    struct fixture *f = open_bench(sock);

    manners = manners_rows[_i].manners;
    plug(NULL);
    int on = f->ops->power_on(f, &b, WAIT_MS, &e);
    ck_assert_msg(e.code == manners_rows[_i].power_on && (on == 0) == (e.code == ERR_NONE),
                  "%s: power on: %s %s", name, err_name(e.code), e.msg);
    e = (struct err)ERR_INIT;
    int r = f->ops->transmit(f, SPAN_ARRAY(manage_channel), &b,
                             manners_rows[_i].timeout_ms, &e);
    ck_assert_msg(e.code == manners_rows[_i].transmit && (r == 0) == (e.code == ERR_NONE),
                  "%s: transmit: %s %s", name, err_name(e.code), e.msg);
    if (r != 0) { /* what may still come must not answer the next command */
        ck_assert_int_eq(f->ops->transmit(f, SPAN_ARRAY(manage_channel), &b,
                                          WAIT_MS, &e), -1);
        ck_assert_int_eq(e.code, ERR_NO_CARD);
    }
    f->ops->close(f);
}
END_TEST

/* A socket whose backlog is full: no answer to connect, ever. */
START_TEST(full_backlog_ends_at_the_deadline)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct fixture *f[8];
    int refused = 0;

    manners = MANNERS_MUTE;
    plug(NULL);
    for (int i = 0; i < 8; i++) {
        f[i] = open_bench(sock);
        if (f[i]->ops->power_on(f[i], &b, i ? SHORT_MS : WAIT_MS, &e) != 0) {
            ck_assert_int_eq(e.code, ERR_NO_CARD);
            refused++;
        }
    }
    ck_assert_int_ge(refused, 1); /* the first one holds the card */
    for (int i = 0; i < 8; i++)
        f[i]->ops->close(f[i]);
}
END_TEST

START_TEST(list_is_sorted_and_holds_slots_only)
{
    struct bench_entries l;
    struct err e = ERR_INIT;
    char path[256], longname[FIXTURE_NAME_MAX + 2];
    FILE *plain;

    memset(longname, 'n', sizeof longname - 1);
    longname[sizeof longname - 1] = 0;
    const char *links[] = { "F2", "A9", "with blank", ".hidden", "tab\there", longname };

    plug(NULL); /* F1, a socket */
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, links[i]);
        ck_assert_int_eq(symlink("nowhere", path), 0);
    }
    snprintf(path, sizeof path, "%s/plain", dir);
    plain = fopen(path, "w");
    ck_assert_ptr_nonnull(plain);
    fclose(plain);
    snprintf(path, sizeof path, "%s/folder", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);

    ck_assert_msg(bench_list(dir, &l, &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(l.n, 3);
    ck_assert_str_eq(l.v[0].name, "A9");
    ck_assert_str_eq(l.v[1].name, "F1");
    ck_assert_str_eq(l.v[2].name, "F2");
    ck_assert_str_eq(l.v[1].where, sock);
    bench_entries_clear(&l);

    unplug(NULL); /* pulled out: gone at the next look */
    ck_assert_int_eq(bench_list(dir, &l, &e), 0);
    ck_assert_uint_eq(l.n, 2);
    bench_entries_clear(&l);
}
END_TEST

START_TEST(list_of_nothing)
{
    struct bench_entries l;
    struct err e = ERR_INIT;

    ck_assert_int_eq(bench_list(dir, &l, &e), 0);
    ck_assert_uint_eq(l.n, 0);
    bench_entries_clear(&l);
    ck_assert_int_eq(bench_list(sock, &l, &e), -1);
    ck_assert_int_eq(e.code, ERR_IO);
}
END_TEST

START_TEST(driver_table)
{
    const char *where = NULL;

    ck_assert_ptr_eq(fixture_driver("bench:/run/x:y", &where), &fixture_bench);
    ck_assert_str_eq(where, "/run/x:y");
    ck_assert_ptr_null(fixture_driver("ben:/x", &where));
    ck_assert_ptr_null(fixture_driver("bench", &where));
    ck_assert_ptr_null(fixture_driver(":x", &where));
    ck_assert_ptr_null(fixture_driver("fault:fail@1:1:bench:/x", &where));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drivers/bench");
    TCase *t = tcase_create("bench");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, lifecycle);
    tcase_add_test(t, empty_where_is_refused);
    tcase_add_test(t, missing_path_is_no_card);
    tcase_add_test(t, nobody_listening_is_no_card);
    tcase_add_test(t, power_on_connects_anew);
    tcase_add_test(t, a_command_is_not_taken_for_a_control);
    tcase_add_loop_test(t, bad_manners, 0,
                        (int)(sizeof manners_rows / sizeof *manners_rows));
    tcase_add_test(t, full_backlog_ends_at_the_deadline);
    tcase_add_test(t, list_is_sorted_and_holds_slots_only);
    tcase_add_test(t, list_of_nothing);
    tcase_add_test(t, driver_table);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
