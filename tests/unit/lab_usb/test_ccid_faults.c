/* Every fault of the reader and the link does what its name says, once, at
 * its message; and the time that the line takes is what ISO/IEC 7816-3 says. */
#include <check.h>
#include <string.h>

#include "tests/lab/usb/ccid_words.h"
#include "tests/lab/usb/link_line.h"
#include "tests/lab/usb/link_t1.h"
#include "tests/unit/lab_usb/bare.h"
#include "tests/unit/support.h"

#define ROWS(a) ((int)(sizeof(a) / sizeof *(a)))
#define NOTHING SPAN(NULL, 0)

static const uint8_t get[] = { 0, 0xB0, 0, 0, 4 };
static const struct ccid_card t1 = { .no_t0 = true }, t0 = { .no_t1 = true };
static struct bare bare;
static struct echo card;

static void setup(void)
{
    echo_init(&card);
}

static void teardown(void)
{
    if (bare.d)
        bare_close(&bare);
    echo_clear(&card);
}

static void open_at(enum ccid_level level, const struct ccid_card *c)
{
    const struct ccid_model_options o = { .level = level };

    bare_open(&bare, &o);
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, &card.base, c, NULL), 0);
    bare_power_on(&bare, 0, level == CCID_TPDU, NULL);
}

static void works(void)
{
    AUTO(buf_clear) struct buf out = BUF_INIT;

    bare_xfr(&bare, 0, SPAN_ARRAY(get), &out);
    ck_assert(span_eq(buf_span(&out), SPAN("\0\1\2\3\x90\0", 6)));
}

START_TEST(names)
{
    for (int f = 0; f < CCID_FAULTS; f++) {
        ck_assert_ptr_nonnull(ccid_fault_name(f));
        for (int g = 0; g < f; g++)
            ck_assert_str_ne(ccid_fault_name(f), ccid_fault_name(g));
    }
    ck_assert_str_eq(ccid_fault_name(CCID_FAULTS), "?");
}
END_TEST

/* --- answers that are wrong --- */

static void wrong_answer(enum ccid_fault f, const struct heard *h)
{
    bool seq = h->seq == bare.seq, slot = h->slot == 0;
    bool type = h->type == CCID_DATA_BLOCK;

    if (f == CCID_FAULT_TRUNCATED) {
        ck_assert_uint_lt(h->n, CCID_HEADER);
        ck_assert_uint_gt(h->n, 0);
        return;
    }
    ck_assert_int_eq(seq, f != CCID_FAULT_WRONG_SEQ);
    ck_assert_int_eq(slot, f != CCID_FAULT_WRONG_SLOT);
    ck_assert_int_eq(type, f != CCID_FAULT_WRONG_TYPE);
    if (f == CCID_FAULT_LONG_LENGTH)
        ck_assert_uint_gt(h->length, h->data.n);
    else if (f == CCID_FAULT_SHORT_LENGTH)
        ck_assert_uint_lt(h->length, h->data.n);
    else
        ck_assert_uint_eq(h->length, h->data.n);
    if (f == CCID_FAULT_TOO_LONG)
        ck_assert_uint_gt(h->n, 271);
    else
        ck_assert_uint_le(h->n, 271);
}

static const enum ccid_fault wrongs[] = {
    CCID_FAULT_WRONG_SEQ, CCID_FAULT_WRONG_SLOT, CCID_FAULT_WRONG_TYPE,
    CCID_FAULT_LONG_LENGTH, CCID_FAULT_SHORT_LENGTH, CCID_FAULT_TRUNCATED,
    CCID_FAULT_TOO_LONG,
};

START_TEST(wrong_answers)
{
    AUTO(heard_clear) struct heard h = { 0 };

    open_at(CCID_SHORT_APDU, &t0);
    for (uint64_t seed = 0; seed < 40; seed++) {
        ccid_model_fault(bare.d, wrongs[_i], 2, seed);
        works();
        ck_assert(!ccid_model_fault_fired(bare.d));
        if (seed & 1) /* with data and without */
            bare_send(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get));
        else
            bare_send(&bare, CCID_XFR_BLOCK, 0, 0, SPAN("\0\0", 2));
        bare_hear(&bare, &h);
        wrong_answer(wrongs[_i], &h);
        ck_assert(ccid_model_fault_fired(bare.d));
        works();
    }
    ccid_model_fault(bare.d, wrongs[_i], 1, 0);
    ccid_model_fault(bare.d, CCID_FAULT_NONE, 0, 0); /* taken back */
    works();
}
END_TEST

START_TEST(stale)
{
    AUTO(heard_clear) struct heard h = { 0 };

    open_at(CCID_SHORT_APDU, &t0);
    ccid_model_fault(bare.d, CCID_FAULT_STALE, 1, 0);
    bare_send(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get));
    bare_hear(&bare, &h);
    ck_assert_uint_eq(h.seq, bare.seq - 1u);
    ck_assert_uint_eq(h.data.p[0], 0x3B);
    bare_hear(&bare, &h);
    ck_assert_uint_eq(h.seq, bare.seq);
    works();
}
END_TEST

/* It comes when nobody waits for it any more: with the next message, or the
 * request to abort. */
START_TEST(late)
{
    uint8_t abort_it[8] = { 0x21, 1 };
    AUTO(heard_clear) struct heard h = { 0 };

    open_at(CCID_SHORT_APDU, &t0);
    for (int by_abort = 0; by_abort < 2; by_abort++) {
        struct ccid_model_counters n = { 0 };

        ccid_model_fault(bare.d, CCID_FAULT_LATE, 1, 0);
        bare_send(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get));
        uint8_t seq = bare.seq;
        while (n.apdus != 1u + (unsigned)by_abort) /* it is held back now */
            bare_counters(&bare, &n);
        abort_it[3] = (uint8_t)(bare.seq + 1);
        if (by_abort)
            ck_assert_int_eq(bare_control(&bare, abort_it, NULL, 0, NULL),
                             LAB_USB_OK);
        bare_send(&bare, by_abort ? CCID_ABORT : CCID_SLOT_STATUS_GET, 0, 0,
                  NOTHING);
        bare_hear(&bare, &h);
        ck_assert_uint_eq(h.seq, seq);
        ck_assert_uint_eq(h.data.n, 6);
        bare_hear(&bare, &h);
        ck_assert_uint_eq(h.seq, bare.seq);
        ck_assert_uint_eq(h.type, CCID_SLOT_STATUS);
    }
}
END_TEST

START_TEST(statuses)
{
    open_at(CCID_SHORT_APDU, &t0);
    ccid_model_fault(bare.d, CCID_FAULT_MUTE, 1, 0);
    ck_assert_uint_eq(bare_xfr_error(&bare, 0, SPAN_ARRAY(get)), 0xFE);
    ccid_model_fault(bare.d, CCID_FAULT_HW_ERROR, 1, 0);
    ck_assert_uint_eq(bare_xfr_error(&bare, 0, SPAN_ARRAY(get)), 0xFB);
    works();
}
END_TEST

START_TEST(silent_until_reset)
{
    AUTO(heard_clear) struct heard h = { 0 };

    open_at(CCID_SHORT_APDU, &t0);
    ccid_model_fault(bare.d, CCID_FAULT_SILENT, 1, 0);
    bare_send(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get));
    bare_send(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING);
    bare.d->ops->reset(bare.d);
    bare_ask(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 1);
    bare_power_on(&bare, 0, 0, NULL);
    works();
}
END_TEST

START_TEST(time_for_ever)
{
    uint8_t abort_it[8] = { 0x21, 1 };
    AUTO(heard_clear) struct heard h = { 0 };

    open_at(CCID_SHORT_APDU, &t0);
    ccid_model_fault(bare.d, CCID_FAULT_TIME_FOREVER, 1, 0);
    for (int i = 0; i < 2; i++) { /* it is not over with one abort */
        bare_send(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get));
        for (int n = 0; n < 5; n++) {
            bare_hear(&bare, &h);
            ck_assert_uint_eq(h.seq, bare.seq);
            ck_assert_uint_eq(h.status, CCID_COMMAND_TIME);
            ck_assert_uint_eq(h.error, 1);
        }
        abort_it[3] = (uint8_t)(bare.seq + 1);
        ck_assert_int_eq(bare_control(&bare, abort_it, NULL, 0, NULL),
                         LAB_USB_OK);
        bare_send(&bare, CCID_ABORT, 0, 0, NOTHING);
        do
            bare_hear(&bare, &h);
        while (h.status == CCID_COMMAND_TIME);
        ck_assert_uint_eq(h.seq, bare.seq);
        ck_assert_uint_eq(h.type, CCID_SLOT_STATUS);
    }
    bare.d->ops->reset(bare.d);
    bare_power_on(&bare, 0, 0, NULL);
    works();
}
END_TEST

START_TEST(card_pulled)
{
    AUTO(heard_clear) struct heard h = { 0 };
    AUTO(buf_clear) struct buf b = BUF_INIT;

    open_at(CCID_SHORT_APDU, &t0);
    ck_assert_int_eq(bare_in(&bare, 0x83, 8, &b), LAB_USB_OK);
    ccid_model_fault(bare.d, CCID_FAULT_CARD_PULLED, 1, 0);
    bare_ask(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get), &h, NULL);
    ck_assert_uint_eq(h.status, 0x42);
    ck_assert_uint_eq(h.error, 0xFE);
    ck_assert(!card.on);
    ck_assert_int_eq(bare_in(&bare, 0x83, 8, &b), LAB_USB_OK);
    ck_assert(span_eq(buf_span(&b), SPAN("\x50\x02", 2)));
    ccid_model_remove(bare.d, 0); /* and it is put back */
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, &card.base, &t0, NULL), 0);
    bare_power_on(&bare, 0, 0, NULL);
    works();
}
END_TEST

/* --- blocks --- */

static const struct {
    enum ccid_fault f;
    bool mute, from_card; /* at TPDU level: FE; or a damaged block comes */
} blocks[] = {
    { CCID_FAULT_LOST_BLOCK, true, false },
    { CCID_FAULT_LOST_ANSWER, true, false },
    { CCID_FAULT_FLIPPED_BIT, false, true },
    { CCID_FAULT_BAD_LRC, false, true },
    { CCID_FAULT_FLIPPED_OUT, false, false },
};

START_TEST(blocks_at_tpdu_level)
{
    AUTO(buf_clear) struct buf out = BUF_INIT, in = BUF_INIT;
    struct t1_octets b;

    open_at(CCID_TPDU, &t1);
    bare_set_params(&bare, 0, 1, "11100040002000");
    link_t1_block_put(&out, false, 0, 0, SPAN_ARRAY(get));
    ccid_model_fault(bare.d, blocks[_i].f, 1, 3);
    if (blocks[_i].mute) {
        ck_assert_uint_eq(bare_xfr_error(&bare, 0, buf_span(&out)), 0xFE);
    } else {
        bare_xfr(&bare, 0, buf_span(&out), &in);
        uint8_t bad = link_t1_block_read(buf_span(&in), false, &b);
        ck_assert_int_eq(bad != 0, blocks[_i].from_card);
        if (!bad)
            ck_assert_uint_eq(b.pcb & 0xFC, 0x80);
    }
    ck_assert_uint_eq(card.apdus, blocks[_i].f == CCID_FAULT_LOST_ANSWER ||
                                      blocks[_i].from_card);
    /* The R-block brings the answer, or the card asks for the command. */
    buf_reset(&out);
    link_t1_block_put(&out, false, 0, 0x82, NOTHING);
    bare_xfr(&bare, 0, buf_span(&out), &in);
    ck_assert_uint_eq(link_t1_block_read(buf_span(&in), false, &b), 0);
    ck_assert_uint_eq(b.pcb, card.apdus ? 0x00 : 0x80);
}
END_TEST

/* An APDU-level reader mends one bad block by itself. */
START_TEST(blocks_at_apdu_level)
{
    open_at(CCID_SHORT_APDU, &t1);
    for (uint64_t seed = 0; seed < 30; seed++) {
        ccid_model_fault(bare.d, blocks[_i].f, 1, seed);
        works();
        ck_assert(ccid_model_fault_fired(bare.d));
    }
    ck_assert_uint_eq(card.apdus, 30);
}
END_TEST

START_TEST(blocks_do_nothing_to_t0)
{
    open_at(CCID_SHORT_APDU, &t0);
    ccid_model_fault(bare.d, blocks[_i].f, 1, 0);
    works();
    ck_assert(ccid_model_fault_fired(bare.d));
}
END_TEST

START_TEST(too_fast_for_a_reader_that_does_it_all)
{
    const struct ccid_card c = { .no_t1 = true, .works_at = 0x94 };
    unsigned bad = 0;

    open_at(CCID_SHORT_APDU, &c);
    for (int i = 0; i < 40; i++) {
        AUTO(heard_clear) struct heard h = { 0 };

        bare_ask(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get), &h, NULL);
        if (h.status) {
            ck_assert_uint_eq(h.error, CCID_ERROR_PARITY);
            bad++;
        }
    }
    ck_assert_uint_ge(bad, 10);
    ck_assert_uint_eq(card.apdus, 40 - bad);
    bare_power_on(&bare, 0, 0, NULL);
    bare_set_params(&bare, 0, 0, "9400000a00");
    for (int i = 0; i < 40; i++)
        works();
}
END_TEST

/* --- time --- */

/* TPDU level at 4 MHz: 372/1 is 93 us an etu, TA1=96 is 4 us. An ATR of n
 * octets is 12 n etu; a run of n characters is its turn and (n - 1) guards. */
static const struct {
    const char *name;
    struct ccid_card card;
    unsigned atr;       /* octets */
    const char *request; /* PPS */
    unsigned protocol;
    const char *params, *out; /* one exchange */
    uint64_t etu;       /* ... of it */
    uint64_t etu_ns;
} times[] = {
    /* out 22 + 8*12, in 22 + 5*12 */
    { "T=1", { .no_t0 = true }, 11, "ff119678", 1, "96100040002000",
      "00000580e2910000f6", 118 + 82, 4000 },
    { "T=1, no PPS", { .no_t0 = true }, 11, NULL, 1, "11100040002000",
      "00000580e2910000f6", 118 + 82, 93000 },
    /* out 22 + 8*17 */
    { "T=1, TC1=5", { .no_t0 = true, .guard = 5 }, 12, NULL, 1,
      "11100540002000", "00000580e2910000f6", 158 + 82, 93000 },
    /* 22 + 8*11, 22 + 5*11 */
    { "T=1, TC1=255", { .no_t0 = true, .guard = 255 }, 12, NULL, 1,
      "1110ff40002000", "00000580e2910000f6", 110 + 77, 93000 },
    /* header 16 + 4*12; ACK 16, 3 data and SW 5*12 */
    { "T=0, case 2", { .no_t1 = true }, 6, "ff109679", 0, "9600000a00",
      "00b0000003", 64 + 76, 4000 },
    /* header; ACK; 2 data 16 + 12; SW 16 + 12 */
    { "T=0, case 3", { .no_t1 = true }, 6, NULL, 0, "1100000a00",
      "80e29100020102", 64 + 16 + 28 + 28, 93000 },
    /* header; ~INS, data, ~INS, data: 16 each; SW */
    { "T=0, octet by octet", { .no_t1 = true, .one_by_one = true }, 6, NULL, 0,
      "1100000a00", "80e29100020102", 64 + 4 * 16 + 28, 93000 },
    /* NULL 16; SW 2*12 */
    { "T=0, NULL", { .no_t1 = true, .wtx_every = 1 }, 6, NULL, 0, "1100000a00",
      "80e2910000", 64 + 16 + 24, 93000 },
};

START_TEST(line_time)
{
    AUTO(buf_clear) struct buf atr = BUF_INIT, in = BUF_INIT,
                               out = hex(times[_i].out);
    uint64_t etu = times[_i].atr * 12, ns = etu * 93000;
    struct ccid_model_counters n;
    const struct ccid_model_options o = { .level = CCID_TPDU };

    bare_open(&bare, &o);
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, &card.base, &times[_i].card,
                                       NULL), 0);
    bare_power_on(&bare, 0, 1, &atr);
    ck_assert_uint_eq(atr.n, times[_i].atr);
    if (times[_i].request) {
        AUTO(buf_clear) struct buf pps = hex(times[_i].request);
        bare_xfr(&bare, 0, buf_span(&pps), &in);
        etu += 2 * (16 + 3 * 12);
        ns += 2 * (16 + 3 * 12) * 93000;
    }
    bare_set_params(&bare, 0, times[_i].protocol, times[_i].params);
    bare_xfr(&bare, 0, buf_span(&out), &in);
    bare_counters(&bare, &n);
    ck_assert_uint_eq(n.etu, etu + times[_i].etu);
    ck_assert_uint_eq(n.line_ns, ns + times[_i].etu * times[_i].etu_ns);
    ck_assert_uint_eq(n.octets_in >= in.n, 1);
}
END_TEST

START_TEST(time_passes)
{
    const struct ccid_model_options o = { .level = CCID_SHORT_APDU,
                                          .speed_percent = 50 };
    const struct ccid_card c = { .no_t1 = true, .think_ms = 5 };
    struct ccid_model_counters before, after;

    bare_open(&bare, &o);
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, &card.base, &c, NULL), 0);
    bare_power_on(&bare, 0, 0, NULL);
    bare_counters(&bare, &before);
    int64_t t = line_now();
    for (int i = 0; i < 5; i++)
        works();
    t = line_now() - t;
    bare_counters(&bare, &after);
    ck_assert_int_ge(t, (int64_t)(after.line_ns - before.line_ns) / 2 +
                            5 * 5000000);
}
END_TEST

START_TEST(line_arithmetic)
{
    struct line l;

    line_init(&l, 4000, 100);
    ck_assert_uint_eq(line_etu_ns(&l, 1), 93000);
    ck_assert_uint_eq(line_bwt_ns(&l, 0x40), 1428480000 + 11 * 93000);
    ck_assert_uint_eq(line_wt_ns(&l, 10, 0x11), 892800000);
    ck_assert_uint_eq(line_wt_ns(&l, 10, 0x96), 1228800000);
    line_host(&l, 1000000000);
    line_run(&l, LINE_READER, 2, 12, 16); /* the host came after its turn */
    ck_assert_int_eq(l.edge, 1000000000 + 12 * 93000);
    line_run(&l, LINE_CARD, 1, 12, 16);
    ck_assert_int_eq(l.edge, 1000000000 + 28 * 93000);
    line_host(&l, l.edge + 1); /* ... and before it is over */
    line_run(&l, LINE_READER, 1, 12, 16);
    ck_assert_int_eq(l.edge, 1000000000 + 44 * 93000);
    ck_assert_uint_eq(l.etu, 28 + 16 + 16);
    line_speed(&l, 0x18); /* 372/12: 31 clocks, 7.75 us */
    line_run(&l, LINE_CARD, 2, 12, 16);
    ck_assert_uint_eq(line_ns(&l), 60 * 93000 + 28 * 7750);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab_usb/ccid_faults");
    TCase *t = tcase_create("faults");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, names);
    tcase_add_loop_test(t, wrong_answers, 0, ROWS(wrongs));
    tcase_add_test(t, stale);
    tcase_add_test(t, late);
    tcase_add_test(t, statuses);
    tcase_add_test(t, silent_until_reset);
    tcase_add_test(t, time_for_ever);
    tcase_add_test(t, card_pulled);
    tcase_add_loop_test(t, blocks_at_tpdu_level, 0, ROWS(blocks));
    tcase_add_loop_test(t, blocks_at_apdu_level, 0, ROWS(blocks));
    tcase_add_loop_test(t, blocks_do_nothing_to_t0, 0, ROWS(blocks));
    tcase_add_test(t, too_fast_for_a_reader_that_does_it_all);
    tcase_add_loop_test(t, line_time, 0, ROWS(times));
    tcase_add_test(t, time_passes);
    tcase_add_test(t, line_arithmetic);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
