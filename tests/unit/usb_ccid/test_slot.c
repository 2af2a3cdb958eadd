/* Slots as fixtures: every exchange level, both protocols, several slots. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "station/fpa/apdu.h"
#include "tests/unit/drivers/lifecycle.h"
#include "tests/unit/usb_ccid/ccid_rig.h"

#define WAIT_MS 10000

static struct rig *rig;

static void setup(void)
{
    rig = rig_start(NULL);
}

static void teardown(void)
{
    rig_stop(rig);
}

static const struct {
    const char *name;
    struct ccid_model_options reader;
    struct ccid_card card;
} rows[] = {
    { "TPDU, T=0", { .level = CCID_TPDU }, { .no_t1 = true } },
    { "TPDU, T=1", { .level = CCID_TPDU }, { .no_t0 = true } },
    { "TPDU, T=0 first", { .level = CCID_TPDU }, { 0 } },
    { "TPDU, T=1 first", { .level = CCID_TPDU }, { .t1_first = true } },
    { "TPDU, CRC", { .level = CCID_TPDU }, { .no_t0 = true, .crc = true } },
    { "TPDU, short blocks", { .level = CCID_TPDU }, { .no_t0 = true, .ifsc = 5 } },
    { "TPDU, default speed", { .level = CCID_TPDU }, { .no_t0 = true, .ta1 = 0x11 } },
    { "TPDU, WTX and IFS", { .level = CCID_TPDU },
      { .no_t0 = true, .wtx_every = 1, .ifs_every = 1 } },
    { "TPDU, NULLs and one by one", { .level = CCID_TPDU },
      { .no_t1 = true, .wtx_every = 1, .one_by_one = true } },
    { "TPDU, automatic, T=0", { .level = CCID_TPDU, .automatic = true }, { .no_t1 = true } },
    { "TPDU, automatic, T=1", { .level = CCID_TPDU, .automatic = true }, { .no_t0 = true } },
    { "TPDU, small messages", { .level = CCID_TPDU, .message_max = 64 }, { .no_t0 = true } },
    { "TPDU, small messages, IFS", { .level = CCID_TPDU, .message_max = 64 },
      { .no_t0 = true, .ifsc = 16, .ifs_every = 1 } },
    { "TPDU, PPS refused, T=0", { .level = CCID_TPDU }, { .no_t1 = true, .refuse_pps = true } },
    { "TPDU, PPS refused, T=1", { .level = CCID_TPDU }, { .no_t0 = true, .refuse_pps = true } },
    { "TPDU, 1.8 V only", { .level = CCID_TPDU, .voltage = 4 }, { 0 } },
    { "TPDU, polled", { .level = CCID_TPDU, .no_interrupt = true }, { 0 } },
    { "short APDUs, T=0", { .level = CCID_SHORT_APDU }, { .no_t1 = true } },
    { "short APDUs, T=1", { .level = CCID_SHORT_APDU }, { .no_t0 = true } },
    { "short APDUs, polled", { .level = CCID_SHORT_APDU, .no_interrupt = true }, { 0 } },
    { "extended APDUs, T=0", { .level = CCID_EXTENDED_APDU }, { .no_t1 = true } },
    { "extended APDUs, T=1", { .level = CCID_EXTENDED_APDU }, { .no_t0 = true } },
    { "extended APDUs in parts", { .level = CCID_EXTENDED_APDU, .message_max = 64 },
      { .no_t0 = true } },
    { "descriptor after the endpoints", { .level = CCID_TPDU, .extra_after_endpoint = true },
      { 0 } },
};
#define ROWS ((int)(sizeof rows / sizeof *rows))


/* A chain of several blocks out, an answer of several back, through the FPA's
 * own layer, which does GET RESPONSE. */
START_TEST(chains)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct lab_usb_device *d = rig_plug(rig, "1-2.4", &rows[_i].reader);
    struct apdu *s = NULL;
    uint8_t chain[700];
    struct err e = ERR_INIT;

    for (size_t i = 0; i < sizeof chain; i++)
        chain[i] = (uint8_t)(i * 7);
    rig_card(rig, d, 0, &rows[_i].card);
    rig_await(rig, "1-2.4", CCID_PLACE_CARD, NULL);
    struct fixture *f = rig_open(rig, "1-2.4");
    ck_assert_msg(apdu_open(f, NULL, &s, &e) == 0, "%s: %s", rows[_i].name, e.msg);
    for (int i = 0; i < 3; i++) {
        ck_assert_msg(apdu_chain(s, SPAN_ARRAY(chain), &answer, NULL, &e) == 0, "%s: %s",
                      rows[_i].name, e.msg);
        ck_assert(span_eq(buf_span(&answer), SPAN_ARRAY(chain)));
    }
    apdu_close(s);
    f->ops->close(f);
    ck_assert_uint_eq(rig_events(rig, CCID_EVENT_STEPPED_DOWN, NULL), 0);
}
END_TEST

static struct lab_usb_device *reader;
static struct fixture *card;

static void card_out(void *ctx)
{
    (void)ctx;
    ccid_model_remove(reader, 0);
}

static void card_in(void *ctx)
{
    struct err e = ERR_INIT;

    OK(ccid_model_insert(reader, 0, card, ctx, &e), e);
}

static void reader_out(void *ctx)
{
    (void)ctx;
    rig_unplug(rig, "1-2.4");
    rig_await(rig, "1-2.4", CCID_PLACE_GONE, NULL);
}

static void reader_in(void *ctx)
{
    (void)ctx;
    rig_plug_again(rig, "1-2.4", reader);
    rig_await(rig, "1-2.4", CCID_PLACE_CARD, NULL);
}

static void live(int row, void (*unplug)(void *), void (*plug)(void *),
                 enum err_code gone)
{
    const struct lifecycle l = { &fixture_ccid, rig_readers(rig), "1-2.4", "1-2.4:0",
                                 unplug, plug, (void *)&rows[row].card, gone };

    reader = rig_plug(rig, "1-2.4", &rows[row].reader);
    card = rig_card(rig, reader, 0, &rows[row].card);
    rig_await(rig, "1-2.4", CCID_PLACE_CARD, NULL);
    lifecycle_run(&l);
}

START_TEST(life_with_a_card_pulled)
{
    live(_i, card_out, card_in, ERR_NO_CARD);
}
END_TEST

START_TEST(life_with_the_reader_unplugged)
{
    live(_i, reader_out, reader_in, ERR_NOT_FOUND);
}
END_TEST

/* --- several slots ------------------------------------------------------------------ */

struct worker {
    pthread_t thread;
    const char *name;
    int rounds, failed;
    char why[500];
};

static void *work(void *arg)
{
    struct worker *w = arg;
    AUTO(buf_clear) struct buf atr = BUF_INIT;
    struct err e = ERR_INIT;
    struct fixture *f = NULL;

    w->failed = fixture_ccid.open(rig_readers(rig), w->name, &f, &e);
    for (int i = 0; i < w->rounds && !w->failed; i++) {
        w->failed = f->ops->power_on(f, &atr, WAIT_MS, &e);
        for (int k = 0; k < 10 && !w->failed; k++)
            w->failed = rig_exchange(f, WAIT_MS, &e);
        if (i % 2)
            f->ops->power_off(f);
    }
    fixture_ccid.close(f);
    snprintf(w->why, sizeof w->why, "%s", e.msg);
    return NULL;
}

static const struct { unsigned slots, busy; bool no_interrupt; enum ccid_level level; } slot_rows[] = {
    { 8, 8, false, CCID_TPDU },
    { 8, 1, false, CCID_TPDU },
    { 5, 2, true, CCID_SHORT_APDU },
};

START_TEST(slots_at_once)
{
    static const char *const names[] = { "2-1", "2-1:1", "2-1:2", "2-1:3",
                                         "2-1:4", "2-1:5", "2-1:6", "2-1:7" };
    const struct ccid_model_options o = { .level = slot_rows[_i].level,
                                          .slots = slot_rows[_i].slots,
                                          .busy_slots = slot_rows[_i].busy,
                                          .no_interrupt = slot_rows[_i].no_interrupt };
    struct worker w[8];
    struct ccid_place p;
    struct lab_usb_device *d = rig_plug(rig, "2-1", &o);

    for (unsigned i = 0; i < o.slots; i++) {
        const struct ccid_card c = { .no_t0 = i % 2 == 0 };
        rig_card(rig, d, i, &c);
    }
    for (unsigned i = 0; i < o.slots; i++) {
        rig_await(rig, names[i], CCID_PLACE_CARD, &p);
        ck_assert_uint_eq(p.slot, i);
        ck_assert_uint_eq(p.slots, o.slots);
    }
    for (unsigned i = 0; i < o.slots; i++) {
        w[i] = (struct worker){ .name = names[i], .rounds = 4 };
        ck_assert_int_eq(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
    }
    for (unsigned i = 0; i < o.slots; i++) {
        pthread_join(w[i].thread, NULL);
        ck_assert_msg(!w[i].failed, "%s: %s", names[i], w[i].why);
    }
    ck_assert_uint_eq(rig_events(rig, CCID_EVENT_PARKED, NULL), 0);
}
END_TEST

/* --- speed ----------------------------------------------------------------------------- */

START_TEST(speed_in_force)
{
    const struct ccid_model_options o = { .level = CCID_TPDU };
    const struct ccid_card c = { .no_t0 = true, .ta1 = 0x96 };
    AUTO(buf_clear) struct buf atr = BUF_INIT;
    struct ccid_model_counters n;
    struct ccid_place p;
    struct err e = ERR_INIT;
    struct lab_usb_device *d = rig_plug(rig, "1-1", &o);

    rig_card(rig, d, 0, &c);
    rig_await(rig, "1-1", CCID_PLACE_CARD, NULL);
    struct fixture *f = rig_open(rig, "1-1");
    OK(f->ops->power_on(f, &atr, WAIT_MS, &e), e);
    OK(rig_exchange(f, WAIT_MS, &e), e);
    ccid_model_counters(d, &n);
    ck_assert_uint_eq(n.fidi, 0x96);
    ck_assert_uint_eq(n.pps, 1);
    rig_await(rig, "1-1", CCID_PLACE_CARD, &p);
    ck_assert_uint_eq(p.fidi, 0x96);
    ck_assert_uint_eq(p.ceiling, 0);
    f->ops->close(f);
}
END_TEST

/* Errors show above TA1=94: two steps down, remembered for the place even when
 * another reader is plugged there. */
static const struct { const char *name; bool automatic, t0; } step_rows[] = {
    { "T=1", false, false },
    { "T=1, the reader chooses", true, false },
    { "T=0", false, true },
};

START_TEST(steps_down)
{
    const struct ccid_model_options o = { .level = CCID_TPDU,
                                          .automatic = step_rows[_i].automatic };
    const struct ccid_card c = { .no_t0 = !step_rows[_i].t0, .no_t1 = step_rows[_i].t0,
                                 .ta1 = 0x96, .works_at = 0x94, .bwi_cwi = 0x10 };
    AUTO(buf_clear) struct buf atr = BUF_INIT;
    struct ccid_place p;
    struct err e = ERR_INIT;
    struct lab_usb_device *d = rig_plug(rig, "1-1", &o);
    int units = 0;

    rig_card(rig, d, 0, &c);
    rig_await(rig, "1-1", CCID_PLACE_CARD, NULL);
    struct fixture *f = rig_open(rig, "1-1");
    for (bool good = false; !good && units < 6; units++) {
        good = f->ops->power_on(f, &atr, WAIT_MS, &e) == 0;
        for (int i = 0; i < 20 && good; i++)
            good = rig_exchange(f, WAIT_MS, &e) == 0;
    }
    ck_assert_msg(units < 6, "%s: %s", step_rows[_i].name, e.msg);
    f->ops->power_off(f);
    rig_await(rig, "1-1", CCID_PLACE_CARD, &p);
    ck_assert_msg(p.ceiling == 0x94, "%s: %02X after %d units", step_rows[_i].name,
                  p.ceiling, units);
    ck_assert_uint_eq(p.fidi, 0x94);
    ck_assert_uint_eq(rig_events(rig, CCID_EVENT_STEPPED_DOWN, "1-1"), 2);

    rig_unplug(rig, "1-1");
    rig_await(rig, "1-1", CCID_PLACE_GONE, NULL);
    d = rig_plug(rig, "1-1", &o);
    rig_card(rig, d, 0, &c);
    rig_await(rig, "1-1", CCID_PLACE_CARD, NULL);
    OK(f->ops->power_on(f, &atr, WAIT_MS, &e), e);
    rig_await(rig, "1-1", CCID_PLACE_CARD, &p);
    ck_assert_uint_eq(p.fidi, 0x94);
    f->ops->close(f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drivers/ccid/slot");
    TCase *t = tcase_create("slot");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, chains, 0, ROWS);
    tcase_add_loop_test(t, life_with_a_card_pulled, 0, ROWS);
    tcase_add_loop_test(t, life_with_the_reader_unplugged, 0, 2);
    tcase_add_loop_test(t, slots_at_once, 0, (int)(sizeof slot_rows / sizeof *slot_rows));
    tcase_add_test(t, speed_in_force);
    tcase_add_loop_test(t, steps_down, 0, (int)(sizeof step_rows / sizeof *step_rows));
    suite_add_tcase(s, t);
    return rig_main(s);
}
