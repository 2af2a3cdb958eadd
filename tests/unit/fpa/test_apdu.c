#include "station/fpa/apdu.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "drivers/fault.h"
#include "tests/lab/puppet.h"
#include "tests/unit/fpa/script.h"

#define END { NULL, NULL }

/* --- opening ------------------------------------------------------------- */

static const struct opening {
    const char *name;
    enum err_code want;
    uint16_t sw;
    struct script_row rows[10];
} openings[] = {
    { "plain", ERR_NONE, 0, { SCRIPT_OPEN, END } },
    { "terminal capability refused", ERR_NONE, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "6E00" },
        { "0070000001", "019000" }, { SCRIPT_SELECT("01"), "9000" }, END } },
    { "SELECT with pending FCI, left there", ERR_NONE, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "039000" }, { SCRIPT_SELECT("03"), "6121" }, END } },
    { "channel 4", ERR_NONE, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "049000" }, { SCRIPT_SELECT("40"), "9000" }, END } },
    { "channel 19", ERR_NONE, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "139000" }, { SCRIPT_SELECT("4F"), "9000" }, END } },
    { "channel refused once: reset", ERR_NONE, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "6A81" }, SCRIPT_OPEN, END } },
    { "channel refused twice", ERR_CARD, 0x6881,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "6A81" }, { NULL, SCRIPT_ATR },
        { SCRIPT_TERMINAL_CAPABILITY, "9000" }, { "0070000001", "6881" }, END } },
    { "channel 0 twice", ERR_CARD, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "009000" }, { NULL, SCRIPT_ATR },
        { SCRIPT_TERMINAL_CAPABILITY, "9000" }, { "0070000001", "149000" }, END } },
    { "MANAGE CHANNEL wants another Le", ERR_NONE, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "6C01" }, { "0070000001", "019000" },
        { SCRIPT_SELECT("01"), "9000" }, END } },
    { "no ISD-R", ERR_CARD, 0x6A82,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "019000" }, { SCRIPT_SELECT("01"), "6A82" }, END } },
    { "no card", ERR_NO_CARD, 0, { { NULL, "no card" }, END } },
    { "nonsense for an ATR", ERR_CARD, 0, { { NULL, "A5A5A5" }, END } },
    { "half an ATR", ERR_CARD, 0, { { NULL, "3B" }, END } },
    { "gone after the ATR", ERR_NO_CARD, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "no card" }, END } },
    { "gone after the reset", ERR_NO_CARD, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "6A81" }, { NULL, "no card" }, END } },
    { "silent", ERR_TIMEOUT, 0,
      { { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "timeout" }, END } },
};

START_TEST(opening)
{
    const struct opening *o = &openings[_i];
    struct fixture *f = script_new(o->rows);
    struct apdu *s = NULL;
    struct err e = ERR_INIT;

    int rc = apdu_open(f, NULL, &s, &e);
    ck_assert_msg(e.code == o->want && (rc == 0) == (o->want == ERR_NONE),
                  "%s: %s: %s", o->name, err_name(e.code), e.msg);
    ck_assert_uint_eq(e.sw, o->sw);
    script_played(f, true);
    ck_assert(script_powered(f) == (rc == 0));
    apdu_close(s);
    ck_assert(!script_powered(f));
    f->ops->close(f);
}
END_TEST

START_TEST(atr_is_kept)
{
    const struct script_row rows[] = { SCRIPT_OPEN, END };
    AUTO(buf_clear) struct buf want = BUF_INIT;
    struct fixture *f = script_new(rows);
    AUTO(apdu_close_p) struct apdu *s = NULL;

    buf_put_hex(&want, SCRIPT_ATR);
    ck_assert_int_eq(apdu_open(f, NULL, &s, NULL), 0);
    ck_assert(span_eq(apdu_atr(s), buf_span(&want)));
    apdu_close(s);
    s = NULL;
    f->ops->close(f);
}
END_TEST

/* --- one chain of one block ---------------------------------------------- */

#define SENT "81E29100040102030400"

static const struct exchange {
    const char *name;
    enum err_code want;
    uint16_t sw;        /* of the error */
    const char *answer; /* hex, on success */
    bool alive;         /* the session goes on */
    struct script_row rows[14];
} exchanges[] = {
    { "no data", ERR_NONE, 0, "", true, { SCRIPT_OPEN, { SENT, "9000" }, END } },
    { "data at once", ERR_NONE, 0, "AABB", true,
      { SCRIPT_OPEN, { SENT, "AABB9000" }, END } },
    { "a proactive command waits", ERR_NONE, 0, "AA", true,
      { SCRIPT_OPEN, { SENT, "AA9110" }, END } },
    { "data behind 61", ERR_NONE, 0, "AABBCC", true,
      { SCRIPT_OPEN, { SENT, "6103" }, { "81C0000003", "AABBCC9000" }, END } },
    { "data in three parts", ERR_NONE, 0, "AABBCCDD", true,
      { SCRIPT_OPEN, { SENT, "AA6100" }, { "81C0000000", "BBCC6101" },
        { "81C0000001", "DD9000" }, END } },
    { "6C: once more with that Le", ERR_NONE, 0, "AABB", true,
      { SCRIPT_OPEN, { SENT, "6C02" }, { "81E291000401020304" "02", "AABB9000" }, END } },
    { "6C and again 6C", ERR_CARD, 0x6C03, NULL, true,
      { SCRIPT_OPEN, { SENT, "6C02" }, { "81E291000401020304" "02", "6C03" }, END } },
    { "6C to GET RESPONSE", ERR_NONE, 0, "AABB", true,
      { SCRIPT_OPEN, { SENT, "6110" }, { "81C0000010", "6C02" },
        { "81C0000002", "AABB9000" }, END } },
    { "refused", ERR_CARD, 0x6985, NULL, true,
      { SCRIPT_OPEN, { SENT, "6985" }, END } },
    { "refused in GET RESPONSE", ERR_CARD, 0x6F00, NULL, true,
      { SCRIPT_OPEN, { SENT, "6110" }, { "81C0000010", "6F00" }, END } },
    { "gone", ERR_NO_CARD, 0, NULL, false, { SCRIPT_OPEN, { SENT, "no card" }, END } },
    { "gone in GET RESPONSE", ERR_NO_CARD, 0, NULL, false,
      { SCRIPT_OPEN, { SENT, "6110" }, { "81C0000010", "no card" }, END } },
    { "silent", ERR_TIMEOUT, 0, NULL, false, { SCRIPT_OPEN, { SENT, "timeout" }, END } },
    { "no response at all to a driver", ERR_CARD, 0, NULL, false,
      { SCRIPT_OPEN, { SENT, "format" }, END } },
    { "one octet", ERR_CARD, 0, NULL, false, { SCRIPT_OPEN, { SENT, "90" }, END } },
    { "nothing", ERR_CARD, 0, NULL, false, { SCRIPT_OPEN, { SENT, "" }, END } },
};

START_TEST(exchange)
{
    static const uint8_t data[] = { 1, 2, 3, 4 };
    const struct exchange *x = &exchanges[_i];
    AUTO(buf_clear) struct buf answer = BUF_INIT, want = BUF_INIT;
    struct fixture *f = script_new(x->rows);
    struct apdu *s = NULL;
    struct err e = ERR_INIT;

    ck_assert_int_eq(apdu_open(f, NULL, &s, &e), 0);
    uint64_t before = apdu_counters(s)->apdus;
    int rc = apdu_chain(s, SPAN_ARRAY(data), &answer, NULL, &e);
    ck_assert_msg(e.code == x->want && (rc == 0) == (x->want == ERR_NONE),
                  "%s: %s: %s", x->name, err_name(e.code), e.msg);
    ck_assert_uint_eq(e.sw, x->sw);
    size_t played = script_played(f, true);
    ck_assert_uint_eq(apdu_counters(s)->apdus - before, played - 4);
    if (x->answer) {
        buf_put_hex(&want, x->answer);
        ck_assert_msg(span_eq(buf_span(&answer), buf_span(&want)), "%s: answer", x->name);
    }
    ck_assert_msg(apdu_alive(s) == x->alive, "%s: alive", x->name);
    ck_assert(script_powered(f) == x->alive);
    if (!x->alive) { /* a dead session sends nothing and says so */
        ck_assert_int_eq(apdu_chain(s, SPAN_ARRAY(data), &answer, NULL, &e), -1);
        ck_assert_int_eq(e.code, ERR_NO_CARD);
        ck_assert_uint_eq(script_played(f, true), played);
    }
    apdu_close(s);
    f->ops->close(f);
}
END_TEST

START_TEST(classes_on_channel_19)
{
    const struct script_row rows[] = {
        { NULL, SCRIPT_ATR }, { SCRIPT_TERMINAL_CAPABILITY, "9000" },
        { "0070000001", "139000" }, { SCRIPT_SELECT("4F"), "9000" },
        { "CFE29100010700", "6101" }, { "CFC0000001", "AA9000" }, END };
    static const uint8_t data[] = { 7 };
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct fixture *f = script_new(rows);
    struct apdu *s = NULL;

    ck_assert_int_eq(apdu_open(f, NULL, &s, NULL), 0);
    ck_assert_int_eq(apdu_chain(s, SPAN_ARRAY(data), &answer, NULL, NULL), 0);
    script_played(f, true);
    apdu_close(s);
    f->ops->close(f);
}
END_TEST

START_TEST(empty_chain_is_our_bug)
{
    const struct script_row rows[] = { SCRIPT_OPEN, END };
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct fixture *f = script_new(rows);
    struct apdu *s = NULL;
    struct err e = ERR_INIT;

    ck_assert_int_eq(apdu_open(f, NULL, &s, NULL), 0);
    ck_assert_int_eq(apdu_chain(s, SPAN(NULL, 0), &answer, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_INTERNAL);
    apdu_close(s);
    f->ops->close(f);
}
END_TEST

/* --- several blocks ------------------------------------------------------ */

/* 6C to a command without Le asks for nothing that could be given: an ES8f
 * block is not sent twice on such a word. */
START_TEST(more_block_is_never_sent_again)
{
    const struct script_row rows[] = { SCRIPT_OPEN, { "81E21100FF...", "6C10" }, END };
    static const uint8_t data[300];
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct fixture *f = script_new(rows);
    struct apdu *s = NULL;
    struct err e = ERR_INIT;

    ck_assert_int_eq(apdu_open(f, NULL, &s, NULL), 0);
    ck_assert_int_eq(apdu_chain(s, SPAN_ARRAY(data), &answer, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_CARD);
    ck_assert_uint_eq(e.sw, 0x6C10);
    script_played(f, true);
    apdu_close(s);
    f->ops->close(f);
}
END_TEST

START_TEST(early_answer_ends_the_chain)
{
    const struct script_row rows[] = { SCRIPT_OPEN, { "81E21100FF...", "6102" },
                                       { "81C0000002", "BF379000" }, END };
    static const uint8_t data[600];
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct fixture *f = script_new(rows);
    struct apdu *s = NULL;
    uint16_t sw = 0;

    ck_assert_int_eq(apdu_open(f, NULL, &s, NULL), 0);
    ck_assert_int_eq(apdu_chain(s, SPAN_ARRAY(data), &answer, &sw, NULL), 0);
    ck_assert_uint_eq(answer.n, 2);
    ck_assert_uint_eq(sw, 0x9000);
    script_played(f, true);
    apdu_close(s);
    f->ops->close(f);
}
END_TEST

static uint16_t echo(void *ctx, struct span chain, struct buf *data)
{
    (void)ctx;
    buf_put_span(data, chain);
    return 0x9000;
}

/* The puppet checks P1, P2 (also past its wrap) and lengths; what it gives back
 * is what it got. GET RESPONSEs come on top only where the card asks for them. */
static const struct {
    size_t length, blocks, fetches;
} lengths[] = {
    { 1, 1, 0 },      { 254, 1, 0 },        { 255, 1, 0 },     { 256, 2, 0 },
    { 510, 2, 1 },    { 511, 3, 1 },        { 1020, 4, 3 },    { 65280, 256, 254 },
    { 65281, 257, 255 }, { 65536, 258, 255 },
};

START_TEST(chain_of_any_length)
{
    const struct puppet_rules rules = { .answer = echo };
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    static uint8_t data[65536];
    struct fixture *f;
    struct apdu *s = NULL;
    struct err e = ERR_INIT;
    size_t n = lengths[_i].length;

    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)(i * 31 + i / 255);
    ck_assert_int_eq(puppet_new(&rules, &f, NULL), 0);
    ck_assert_int_eq(apdu_open(f, NULL, &s, &e), 0);
    struct apdu_counters before = *apdu_counters(s);
    ck_assert_msg(apdu_chain(s, SPAN(data, n), &answer, NULL, &e) == 0, "%s", e.msg);
    ck_assert(span_eq(buf_span(&answer), SPAN(data, n)));
    const struct apdu_counters *after = apdu_counters(s);
    ck_assert_uint_eq(after->apdus - before.apdus, lengths[_i].blocks + lengths[_i].fetches);
    ck_assert_uint_eq(after->octets_out - before.octets_out,
                      n + 5 * lengths[_i].blocks + 1 + 5 * lengths[_i].fetches);
    ck_assert_uint_eq(after->octets_in - before.octets_in,
                      n + 2 * (lengths[_i].blocks + lengths[_i].fetches));
    apdu_close(s);
    f->ops->close(f);
}
END_TEST

/* --- bounds -------------------------------------------------------------- */

struct flood {
    struct fixture base;
    unsigned fetches;
    size_t octets; /* given with each 61FF */
};

static int flood_power_on(struct fixture *f, struct buf *atr, int ms, struct err *e)
{
    (void)f;
    (void)ms;
    (void)e;
    buf_reset(atr);
    buf_put_hex(atr, SCRIPT_ATR);
    return 0;
}

static int flood_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                          int ms, struct err *e)
{
    static const uint8_t filling[256];
    struct flood *x = (struct flood *)f;

    (void)ms;
    (void)e;
    buf_reset(rsp);
    if (cmd.p[1] == 0xE2 || cmd.p[1] == 0xC0) {
        x->fetches += cmd.p[1] == 0xC0;
        buf_put(rsp, filling, x->octets);
        buf_put_u16(rsp, 0x61FF);
    } else {
        if (cmd.p[1] == 0x70)
            buf_put_u8(rsp, 1);
        buf_put_u16(rsp, 0x9000);
    }
    return 0;
}

static void flood_off(struct fixture *f)
{
    (void)f;
}

static const struct fixture_ops flood_ops = { "flood", NULL, flood_power_on,
                                              flood_transmit, flood_off, flood_off, NULL };

/* Endless 61xx: with no data the count ends it, with much the octets do. */
static const struct {
    size_t octets, answer_max;
    unsigned get_response_max, fetches;
} floods[] = {
    { 0, 64 * 1024, 300, 300 },
    { 1, 64 * 1024, 300, 300 },
    { 256, 64 * 1024, 300, 256 }, /* the 257th part is one too many */
    { 256, 512, 300, 2 },
    { 16, 64 * 1024, 3, 3 },
};

START_TEST(flood)
{
    struct apdu_limits limits = APDU_LIMITS_DEFAULT;
    struct flood x = { .base = { &flood_ops }, .octets = floods[_i].octets };
    static const uint8_t data[] = { 1 };
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct apdu *s = NULL;
    struct err e = ERR_INIT;

    ck_assert_uint_eq(limits.answer_max, 64 * 1024);
    ck_assert_uint_eq(limits.get_response_max, 300);
    limits.answer_max = floods[_i].answer_max;
    limits.get_response_max = floods[_i].get_response_max;
    ck_assert_int_eq(apdu_open(&x.base, &limits, &s, NULL), 0);
    ck_assert_int_eq(apdu_chain(s, SPAN_ARRAY(data), &answer, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    ck_assert_uint_eq(x.fetches, floods[_i].fetches);
    ck_assert(!apdu_alive(s));
    apdu_close(s);
}
END_TEST

/* 259 octets are no short response. */
START_TEST(response_too_long)
{
    static const uint8_t data[] = { 1 };
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct apdu *s = NULL;
    struct err e = ERR_INIT;
    char long_answer[2 * 259 + 1];
    struct script_row rows[] = { SCRIPT_OPEN, { "81E29100010100", long_answer }, END };
    struct fixture *f = script_new(rows);

    memset(long_answer, '0', sizeof long_answer - 1);
    long_answer[sizeof long_answer - 1] = 0;
    ck_assert_int_eq(apdu_open(f, NULL, &s, NULL), 0);
    ck_assert_int_eq(apdu_chain(s, SPAN_ARRAY(data), &answer, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_CARD);
    ck_assert(!apdu_alive(s));
    apdu_close(s);
    f->ops->close(f);
}
END_TEST

START_TEST(time_is_handed_down)
{
    const struct script_row rows[] = { SCRIPT_OPEN, { "81E29100010100", "9000" },
                                       END };
    static const uint8_t data[] = { 1 };
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct apdu_limits limits = APDU_LIMITS_DEFAULT;
    struct fixture *f = script_new(rows);
    struct apdu *s = NULL;

    ck_assert_int_eq(limits.apdu_ms, 120000);
    ck_assert_int_eq(limits.unit_ms, 900000);
    limits.apdu_ms = 77;
    ck_assert_int_eq(apdu_open(f, &limits, &s, NULL), 0);
    ck_assert_int_eq(apdu_chain(s, SPAN_ARRAY(data), &answer, NULL, NULL), 0);
    ck_assert_int_eq(script_last_timeout(f), 77);
    apdu_close(s);
    f->ops->close(f);
}
END_TEST

START_TEST(unit_limit_cuts_the_apdu_limit)
{
    const struct script_row rows[] = { SCRIPT_OPEN, END };
    struct apdu_limits limits = APDU_LIMITS_DEFAULT;
    struct fixture *f = script_new(rows);
    struct apdu *s = NULL;

    limits.unit_ms = 60000; /* less than one APDU's 120 s */
    ck_assert_int_eq(apdu_open(f, &limits, &s, NULL), 0);
    ck_assert_int_le(script_last_timeout(f), 60000);
    ck_assert_int_gt(script_last_timeout(f), 0);
    apdu_close(s);
    f->ops->close(f);
}
END_TEST

START_TEST(no_time_nothing_sent)
{
    const struct script_row rows[] = { END };
    struct apdu_limits limits = APDU_LIMITS_DEFAULT;
    struct fixture *f = script_new(rows);
    struct apdu *s = NULL;
    struct err e = ERR_INIT;

    limits.unit_ms = 0;
    ck_assert_int_eq(apdu_open(f, &limits, &s, &e), -1);
    ck_assert_int_eq(e.code, ERR_TIMEOUT);
    f->ops->close(f);
}
END_TEST

/* --- faults at every call ------------------------------------------------ */

/* Whatever goes wrong wherever: an error with words, or an answer that was
 * really given; never a hang, a leak (ASan) or half an answer. A shortened
 * answer may still look whole; that is for the decoders above. */
START_TEST(fault_at_every_call)
{
    const struct puppet_rules rules = { .answer = echo, .by_get_response = _i & 1 };
    enum fault_kind kind = (enum fault_kind)(_i / 2);
    static uint8_t data[700];
    unsigned n = 0;
    bool fired = true;

    while (fired) {
        AUTO(buf_clear) struct buf answer = BUF_INIT;
        const struct fault_plan plan = { kind, ++n, 1000u + n };
        struct fixture *inner, *f;
        struct apdu *s = NULL;
        struct err e = ERR_INIT;

        ck_assert_int_eq(puppet_new(&rules, &inner, NULL), 0);
        ck_assert_int_eq(fault_wrap(inner, &plan, &f, NULL), 0);
        int rc = apdu_open(f, NULL, &s, &e);
        if (rc == 0)
            rc = apdu_chain(s, SPAN_ARRAY(data), &answer, NULL, &e);
        fired = fault_fired(f);
        if (rc != 0) {
            ck_assert_msg(fired && e.code != ERR_NONE && e.msg[0], "call %u", n);
            ck_assert_int_ne(e.code, ERR_INTERNAL);
        } else if (kind != FAULT_SHORTEN) {
            ck_assert_msg(!fired, "call %u failed and nobody noticed", n);
            ck_assert_uint_eq(answer.n, sizeof data);
        }
        apdu_close(s);
        f->ops->close(f);
        ck_assert_uint_lt(n, 100);
    }
    ck_assert_uint_gt(n, 7); /* power on, three to open, three blocks */
}
END_TEST

START_TEST(words_for_status_words)
{
    static const uint16_t sws[] = { 0x6985, 0x6A82, 0x6F12, 0x6C10, 0x1234, 0x9000 };

    for (size_t i = 0; i < sizeof sws / sizeof *sws; i++)
        ck_assert_uint_gt(strlen(apdu_sw_text(sws[i])), 5);
    ck_assert_str_ne(apdu_sw_text(0x6985), apdu_sw_text(0x1234));
    ck_assert_ptr_nonnull(strstr(apdu_sw_text(0x6A82), "ISD-R"));
}
END_TEST

#define ROWS(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void)
{
    Suite *suite = suite_create("fpa/apdu");
    TCase *t = tcase_create("apdu");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, opening, 0, ROWS(openings));
    tcase_add_test(t, atr_is_kept);
    tcase_add_loop_test(t, exchange, 0, ROWS(exchanges));
    tcase_add_test(t, classes_on_channel_19);
    tcase_add_test(t, empty_chain_is_our_bug);
    tcase_add_test(t, more_block_is_never_sent_again);
    tcase_add_test(t, early_answer_ends_the_chain);
    tcase_add_loop_test(t, chain_of_any_length, 0, ROWS(lengths));
    tcase_add_loop_test(t, flood, 0, ROWS(floods));
    tcase_add_test(t, response_too_long);
    tcase_add_test(t, time_is_handed_down);
    tcase_add_test(t, unit_limit_cuts_the_apdu_limit);
    tcase_add_test(t, no_time_nothing_sent);
    tcase_add_loop_test(t, fault_at_every_call, 0, 2 * FAULT_KINDS);
    tcase_add_test(t, words_for_status_words);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
