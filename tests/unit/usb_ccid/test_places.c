/* What is plugged where: names, states, refusals, parking, idle readers. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "station/base/clock.h"
#include "tests/unit/usb_ccid/ccid_rig.h"

#define WAIT_MS 10000
#define SHORT_MS 1500

static struct rig *rig;

static void setup(void)
{
    rig = rig_start("1-9");
}

static void teardown(void)
{
    rig_stop(rig);
}

static void nap(int ms)
{
    const struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

    nanosleep(&t, NULL);
}

static enum err_code open_fails(const char *where, const char *words)
{
    struct fixture *f = NULL;
    struct err e = ERR_INIT;

    ck_assert_int_eq(fixture_ccid.open(rig_readers(rig), where, &f, &e), -1);
    ck_assert_msg(strstr(e.msg, words) != NULL, "%s: %s", where, e.msg);
    return e.code;
}

START_TEST(names)
{
    const struct ccid_model_options o = { .level = CCID_TPDU, .slots = 2 };
    static const char *const bad[] = { "", "1", "1-", "-1", "1-2.", "1-2:", "1-2:0", "1-2:01",
                                       "1-2:16", "1-2:x", "1-2:1 ", "bus 1", "1-2:-1" };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_int_eq(open_fails(bad[i], "no place"), ERR_USAGE);
    ck_assert_int_eq(open_fails("1-2", "plug one in"), ERR_NOT_FOUND);
    rig_plug(rig, "1-2", &o);
    rig_await(rig, "1-2:1", CCID_PLACE_EMPTY, NULL);
    ck_assert_int_eq(open_fails("1-2:2", "has 2 slots"), ERR_NOT_FOUND);
    struct fixture *f = rig_open(rig, "1-2:1");
    f->ops->close(f);
    rig_unplug(rig, "1-2");
    rig_await(rig, "1-2", CCID_PLACE_GONE, NULL);
    rig_await(rig, "1-2:1", CCID_PLACE_GONE, NULL);
    ck_assert_int_eq(open_fails("1-2", "plug one in"), ERR_NOT_FOUND);
    rig_await_events(rig, CCID_EVENT_APPEARED, NULL, 2);
    rig_await_events(rig, CCID_EVENT_GONE, NULL, 2);
}
END_TEST

START_TEST(what_is_not_ours_is_never_opened)
{
    const struct ccid_model_options o = { .level = CCID_TPDU };
    struct ccid_model_counters n;
    struct lab_usb_device *d = rig_plug(rig, "1-9", &o);

    rig_await(rig, "1-9", CCID_PLACE_NOT_OURS, NULL);
    ck_assert_int_eq(open_fails("1-9", "not ours"), ERR_WRONG_STATE);
    ccid_model_counters(d, &n);
    ck_assert_uint_eq(n.messages, 0);
    ck_assert_uint_eq(lab_bus_transfers(rig_bus(rig), "1-9"), 0);
    ck_assert_uint_eq(rig_events(rig, CCID_EVENT_APPEARED, NULL), 0);
}
END_TEST

static size_t class_at(const struct lab_usb_device *d)
{
    size_t at = 0;

    while (d->config.p[at + 1] != 0x21)
        at += d->config.p[at];
    return at;
}

/* A refused one is parked with its reason; the others do not notice. */
START_TEST(refused)
{
    const struct ccid_model_options character = { .level = CCID_CHARACTER },
                                    good = { .level = CCID_TPDU };
    struct lab_usb_device *liar;
    struct ccid_place p;
    struct err e = ERR_INIT;

    rig_plug(rig, "1-2.1", &character);
    rig_plug(rig, "1-2.2", &good);
    OK(ccid_model_new(&good, &liar, &e), e);
    liar->config.p[class_at(liar) + 4] = 200; /* bMaxSlotIndex */
    rig_plug_again(rig, "1-2.3", liar);
    rig_await(rig, "1-2.1", CCID_PLACE_PARKED, &p);
    ck_assert_ptr_nonnull(strstr(p.reason, "character level"));
    rig_await(rig, "1-2.3", CCID_PLACE_PARKED, &p);
    ck_assert_ptr_nonnull(strstr(p.reason, "201 slots"));
    rig_await(rig, "1-2.2", CCID_PLACE_EMPTY, &p);
    ck_assert_ptr_nonnull(strstr(p.verdict, "TPDU level, T=0 and T=1"));
    ck_assert_uint_eq(p.vendor, 0x1209);
    ck_assert_int_eq(open_fails("1-2.1", "parked"), ERR_WRONG_STATE);
    rig_await_events(rig, CCID_EVENT_PARKED, "1-2.1", 1);

    rig_unplug(rig, "1-2"); /* the hub, with all that is on it */
    rig_await(rig, "1-2.1", CCID_PLACE_GONE, NULL);
    rig_await(rig, "1-2.2", CCID_PLACE_GONE, NULL);
    rig_plug(rig, "1-2.1", &good); /* and the place is as good as new */
    rig_await(rig, "1-2.1", CCID_PLACE_EMPTY, NULL);
    rig_unplug(rig, "1-2");
    liar->ops->free(liar);
}
END_TEST

/* Silent twice without one good session in between. */
START_TEST(silent_again_is_parked)
{
    const struct ccid_model_options o = { .level = CCID_TPDU };
    const struct ccid_card c = { .no_t0 = true, .bwi_cwi = 0x10 };
    AUTO(buf_clear) struct buf atr = BUF_INIT;
    struct ccid_place p;
    struct err e = ERR_INIT;
    struct lab_usb_device *d = rig_plug(rig, "1-1", &o);

    rig_card(rig, d, 0, &c);
    rig_await(rig, "1-1", CCID_PLACE_CARD, NULL);
    struct fixture *f = rig_open(rig, "1-1");
    OK(f->ops->power_on(f, &atr, WAIT_MS, &e), e);
    ccid_model_fault(d, CCID_FAULT_SILENT, 1, 0);
    ck_assert_int_eq(rig_exchange(f, SHORT_MS, &e), -1);
    ck_assert_int_eq(e.code, ERR_TIMEOUT);
    OK(f->ops->power_on(f, &atr, WAIT_MS, &e), e); /* after the reset */
    ccid_model_fault(d, CCID_FAULT_SILENT, 1, 0);
    ck_assert_int_eq(rig_exchange(f, SHORT_MS, &e), -1);
    rig_await(rig, "1-1", CCID_PLACE_PARKED, &p);
    ck_assert_ptr_nonnull(strstr(p.reason, "silent"));
    ck_assert_int_eq(f->ops->power_on(f, &atr, WAIT_MS, &e), -1);
    ck_assert_int_eq(e.code, ERR_WRONG_STATE);
    ck_assert_ptr_nonnull(strstr(e.msg, "parked"));
    rig_await_events(rig, CCID_EVENT_PARKED, "1-1", 1);

    rig_unplug(rig, "1-1"); /* what parks a reader ends with its plug */
    rig_await(rig, "1-1", CCID_PLACE_GONE, NULL);
    rig_plug_again(rig, "1-1", d);
    rig_await(rig, "1-1", CCID_PLACE_CARD, NULL);
    OK(f->ops->power_on(f, &atr, WAIT_MS, &e), e);
    OK(rig_exchange(f, WAIT_MS, &e), e);
    f->ops->close(f);
}
END_TEST

/* A good session in between gives the reset back. */
START_TEST(silent_now_and_then_is_not)
{
    const struct ccid_model_options o = { .level = CCID_TPDU };
    const struct ccid_card c = { .no_t0 = true, .bwi_cwi = 0x10 };
    AUTO(buf_clear) struct buf atr = BUF_INIT;
    struct err e = ERR_INIT;
    struct lab_usb_device *d = rig_plug(rig, "1-1", &o);

    rig_card(rig, d, 0, &c);
    rig_await(rig, "1-1", CCID_PLACE_CARD, NULL);
    struct fixture *f = rig_open(rig, "1-1");
    for (int i = 0; i < 2; i++) {
        OK(f->ops->power_on(f, &atr, WAIT_MS, &e), e);
        OK(rig_exchange(f, WAIT_MS, &e), e);
        f->ops->power_off(f);
        OK(f->ops->power_on(f, &atr, WAIT_MS, &e), e);
        ccid_model_fault(d, CCID_FAULT_SILENT, 1, 0);
        ck_assert_int_eq(rig_exchange(f, SHORT_MS, &e), -1);
    }
    OK(f->ops->power_on(f, &atr, WAIT_MS, &e), e);
    f->ops->close(f);
    ck_assert_uint_eq(rig_events(rig, CCID_EVENT_PARKED, NULL), 0);
}
END_TEST

/* Every fault at the N-th transfer from the plug on, while it is opened. */
START_TEST(faults_while_opening)
{
    const struct ccid_model_options o = { .level = CCID_TPDU };
    struct lab_usb_device *d = rig_plug(rig, "1-1", &o);

    rig_await(rig, "1-1", CCID_PLACE_EMPTY, NULL);
    for (unsigned what = 1; what < LAB_FAULTS; what++)
        for (unsigned at = 1; at <= 4; at++) {
            rig_unplug(rig, "1-1");
            rig_await(rig, "1-1", CCID_PLACE_GONE, NULL);
            rig_plug_again(rig, "1-1", d);
            lab_bus_fault(rig_bus(rig), "1-1", (enum lab_usb_fault)what, at, 7);
            if (what == LAB_FAULT_UNPLUG || what == LAB_FAULT_UNPLUG_AFTER) {
                for (int i = 0; i < 300 && !lab_bus_fault_fired(rig_bus(rig), "1-1"); i++)
                    nap(1);
                if (lab_bus_fault_fired(rig_bus(rig), "1-1")) {
                    rig_await(rig, "1-1", CCID_PLACE_GONE, NULL);
                    rig_plug_again(rig, "1-1", d);
                }
            }
            rig_await(rig, "1-1", CCID_PLACE_EMPTY, NULL);
            lab_bus_fault(rig_bus(rig), "1-1", LAB_FAULT_NONE, 0, 0);
        }
    ck_assert_uint_eq(rig_events(rig, CCID_EVENT_PARKED, NULL), 0);
}
END_TEST

START_TEST(cards_come_and_go)
{
    const struct ccid_model_options o = { .level = CCID_TPDU, .no_interrupt = _i != 0 };
    const struct ccid_card c = { .no_t0 = true };
    struct lab_usb_device *d = rig_plug(rig, "1-1", &o);
    struct err e = ERR_INIT;

    rig_await(rig, "1-1", CCID_PLACE_EMPTY, NULL);
    struct fixture *card = rig_card(rig, d, 0, &c);
    rig_await(rig, "1-1", CCID_PLACE_CARD, NULL);
    ccid_model_remove(d, 0);
    rig_await(rig, "1-1", CCID_PLACE_EMPTY, NULL);
    OK(ccid_model_insert(d, 0, card, &c, &e), e);
    rig_await(rig, "1-1", CCID_PLACE_CARD, NULL);
    rig_await_events(rig, CCID_EVENT_CARD_IN, "1-1", 2);
    rig_await_events(rig, CCID_EVENT_CARD_OUT, "1-1", 1);
}
END_TEST

static double cpu_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* 60 readers that have to be polled, the models' own time included, on a
 * machine that other tests keep busy; the station's own share is the keepers'
 * and the event thread's. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IDLE_PERCENT 40
#else
#define IDLE_PERCENT 8
#endif

START_TEST(idle_readers_cost_nothing)
{
    const struct ccid_model_options o = { .level = CCID_TPDU, .no_interrupt = true };
    char path[16];

    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "1-%d.%d", i / 10 + 1, i % 10 + 1);
        rig_plug(rig, path, &o);
    }
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "1-%d.%d", i / 10 + 1, i % 10 + 1);
        rig_await(rig, path, CCID_PLACE_EMPTY, NULL);
    }
    nap(200);
    double before = cpu_ms();
    nap(2000);
    double used = (cpu_ms() - before) / 2000 * 100;
    printf("60 idle readers, polled: %.2f %% of a core\n", used);
    ck_assert_msg(used < IDLE_PERCENT, "%.2f %%", used);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drivers/ccid/places");
    TCase *t = tcase_create("places");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, names);
    tcase_add_test(t, what_is_not_ours_is_never_opened);
    tcase_add_test(t, refused);
    tcase_add_test(t, silent_again_is_parked);
    tcase_add_test(t, silent_now_and_then_is_not);
    tcase_add_test(t, faults_while_opening);
    tcase_add_loop_test(t, cards_come_and_go, 0, 2);
    tcase_add_test(t, idle_readers_cost_nothing);
    suite_add_tcase(s, t);
    return rig_main(s);
}
