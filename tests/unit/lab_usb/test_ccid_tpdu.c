/* The emulated card at TPDU level: T=1 by the block, T=0 by the TPDU, PPS. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/lab/usb/ccid_words.h"
#include "tests/lab/usb/link_t1.h"
#include "tests/unit/lab_usb/bare.h"
#include "tests/unit/support.h"

#define ROWS(a) ((int)(sizeof(a) / sizeof *(a)))
#define T1_SLOW "11100040002000" /* parameters at 372/1, and at TA1=96 */
#define T1_FAST "96100040002000"
#define T0_SLOW "1100000a00"
#define T0_FAST "9600000a00"

static const struct ccid_model_options tpdu = { .level = CCID_TPDU };
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

static void open_with(const struct ccid_card *c, unsigned protocol,
                      const char *params)
{
    struct err e = ERR_INIT;

    bare_open(&bare, &tpdu);
    ck_assert_msg(ccid_model_insert(bare.d, 0, &card.base, c, &e) == 0, "%s",
                  e.msg);
    bare_power_on(&bare, 0, 1, NULL);
    if (params)
        bare_set_params(&bare, 0, protocol, params);
}

/* --- T=1 --- */

/* Lines "out in", blocks without their EDC. A '!' before one that goes out
 * damages its EDC; a '+' makes it an octet too long; in is "-" when nothing
 * comes. An answer of the echo is its data reversed. */
static const struct {
    const char *name;
    struct ccid_card card;
    const char *lines[12];
} scenes[] = {
    { "two commands", { 0 },
      { "00000580e2910000 0000029000",
        "00400780e29100020102 004004" "02019000",
        "00000580b0000002 000004" "00019000" } },
    { "IFSD", { 0 },
      { "00c101fe 00e101fe", "00c10120 00e10120", "00c10100 008200",
        "00c101ff 008200", "00c10220fe 008200", "00c100 008200" } },
    { "node addresses", { 0 }, { "21000580e2910000 1200029000" } },
    { "the card chains", { 0 },
      { "00c10104 00e10104", "00000500b000000a 00200400010203",
        "009000 006004" "04050607", "008000 000004" "08099000" } },
    { "the host chains", { .ifsc = 8 },
      { "00200880e2910005010203 009000", "00400204" "05 000007" "05040302019000" } },
    { "both chain", { .ifsc = 6 },
      { "00c10103 00e10103", "00200680e291000501 009000",
        "00600402030405 008000" /* one more, empty, ends it */,
        "000000 002003" "050403", "009000 006003" "020190",
        "008000 00000100" } },
    { "a damaged command", { 0 },
      { "!00000580e2910000 008100", "00000580e2910000 0000029000" } },
    { "a command of a wrong length", { 0 },
      { "+00000580e2910000 008200", "00000580e2910000 0000029000" } },
    { "an answer asked for again", { 0 },
      { "00000580e2910000 0000029000", "008100 0000029000",
        "008200 0000029000", "00400580e2910000 0040029000" } },
    { "a damaged request for it", { 0 },
      { "00000580e2910000 0000029000", "!008100 009100",
        "008100 0000029000" } },
    { "a part of an answer asked for again", { 0 },
      { "00c10104 00e10104", "00000500b0000004 00200400010203",
        "008100 00200400010203", "009000 0040029000",
        "009100 0040029000" } },
    { "a part of a command not understood", { .ifsc = 8 },
      { "00200880e2910005010203 009000", "!004002" "0405 009100",
        "004002" "0405 000007" "05040302019000" } },
    { "an acknowledgement asked for again", { .ifsc = 8 },
      { "00200880e2910005010203 009000", "008000 009000",
        "004002" "0405 000007" "05040302019000" } },
    { "nothing said yet", { 0 }, { "008000 008000" } },
    { "wrong N(S)", { 0 }, { "00400580e2910000 008200" } },
    { "the next command never came", { 0 },
      { "00000580e2910000 0000029000", "009000 009000",
        "00400580e2910000 0040029000" } },
    { "longer than IFSC", { .ifsc = 4 }, { "00000580e2910000 008200" } },
    { "more time", { .wtx_every = 1 },
      { "00000580e2910000 00c30101", "00e30101 0000029000" } },
    { "more time, at the second", { .wtx_every = 2 },
      { "00000580e2910000 0000029000", "00400580e2910000 00c30101",
        "00e30101 0040029000" } },
    { "more time, not granted", { .wtx_every = 1 },
      { "00000580e2910000 00c30101", "00e30102 00c30101", "00e101fe 00c30101",
        "!00e30101 00c30101", "008200 00c30101",
        "00000580e2910000 00c30101", "00e30101 0000029000" } },
    { "another IFSC", { .ifs_every = 1, .ifsc = 20 },
      { "00000580e2910000 00c1010a", "00e1010a 0000029000",
        "00400c80e29100070102030405" "0607 009200",
        "00400580e2910000 00c10114", "00e10114 0040029000",
        "00000c80e29100070102030405" "0607 00c1010a" } },
    { "IFSC, then time", { .ifs_every = 1, .wtx_every = 1 },
      { "00000580e2910000 00c1017f", "00e1017f 00c30101",
        "00e30101 0000029000" } },
    { "RESYNCH", { 0 },
      { "00000580e2910000 0000029000", "00c000 00e000",
        "00000580e2910000 0000029000" } },
    { "RESYNCH while it waits for its time", { .wtx_every = 1 },
      { "00000580e2910000 00c30101", "00c000 00e000", "00e30101 008200",
        "00000580e2910000 00c30101", "00e30101 0000029000" } },
    { "ABORT", { .ifsc = 8 },
      { "00200880e2910005010203 009000", "00c200 00e200",
        "00400580e2910000 0000029000" } },
    { "nonsense", { 0 },
      { "00c400 008200", "00a000 008200", "008300 008200", "00e000 008200",
        "00010580e2910000 008200", "00000580e2910000 0000029000" } },
    { "CRC", { .crc = true }, { "00000580e2910000 0000029000" } },
};

static void block_of(struct buf *b, const char *hex_digits, size_t n, bool crc)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    char digits[600];

    ck_assert_uint_lt(n, sizeof digits);
    memcpy(digits, hex_digits, n);
    digits[n] = 0;
    buf_put_hex(&raw, digits);
    ck_assert_uint_eq(raw.n, 3u + raw.p[2]);
    link_t1_block_put(b, crc, raw.p[0], raw.p[1],
                      span_sub(buf_span(&raw), 3, raw.n));
}

static void say_line(const char *line, bool crc)
{
    AUTO(buf_clear) struct buf out = BUF_INIT, in = BUF_INIT, want = BUF_INIT;
    char got[600];
    bool bad = line[0] == '!', longer = line[0] == '+';
    const char *from = line + (bad || longer), *gap = strchr(from, ' ');

    ck_assert_ptr_nonnull(gap);
    block_of(&out, from, (size_t)(gap - from), crc);
    if (bad)
        out.p[out.n - 1] ^= 0x10;
    if (longer)
        buf_put_u8(&out, 0);
    block_of(&want, gap + 1, strlen(gap + 1), crc);
    bare_xfr(&bare, 0, buf_span(&out), &in);
    ck_assert_msg(span_eq(buf_span(&in), buf_span(&want)), "%s: %s", line,
                  hex_encode(buf_span(&in), got, sizeof got));
}

START_TEST(t1_scenes)
{
    struct ccid_card c = scenes[_i].card;

    c.no_t0 = true;
    open_with(&c, 1, c.crc ? "11110040002000" : T1_SLOW);
    for (int i = 0; scenes[_i].lines[i]; i++)
        say_line(scenes[_i].lines[i], c.crc);
}
END_TEST

/* LRC, and the frame check sequence of ISO/IEC 13239. */
START_TEST(edc)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct t1_octets o;

    link_t1_block_put(&b, true, 0x00, 0xC1, SPAN("\xFE", 1));
    ck_assert_uint_eq(b.n, 6);
    uint16_t v = 0xFFFF; /* bit by bit, from the polynomial */
    for (int i = 0; i < 4 * 8; i++) {
        int bit = (b.p[i / 8] >> i % 8 & 1) ^ (v & 1);
        v = (uint16_t)(v >> 1 ^ (bit ? 0x8408 : 0));
    }
    ck_assert_uint_eq(b.p[4] | b.p[5] << 8, (uint16_t)~v);
    ck_assert_uint_eq(link_t1_block_read(buf_span(&b), true, &o), 0);
    buf_reset(&b);
    link_t1_block_put(&b, false, 0x00, 0xC1, SPAN("\xFE", 1));
    ck_assert(span_eq(buf_span(&b), SPAN("\x00\xC1\x01\xFE\x3E", 5)));
}
END_TEST

START_TEST(t1_long_answers)
{
    const struct ccid_card c = { .no_t0 = true, .ifsc = _i ? 16 : 254 };
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    uint8_t pcb = 0;

    open_with(&c, 1, T1_SLOW);
    say_line(_i ? "00c10110 00e10110" : "00c101fe 00e101fe", false);
    for (bool more = true, first = true; more; first = false) {
        AUTO(buf_clear) struct buf out = BUF_INIT, in = BUF_INIT;
        struct t1_octets b;

        if (first)
            block_of(&out, "00000500b0000000", 16, false);
        else
            block_of(&out, pcb ? "008000" : "009000", 6, false);
        bare_xfr(&bare, 0, buf_span(&out), &in);
        ck_assert_uint_eq(link_t1_block_read(buf_span(&in), false, &b), 0);
        ck_assert_uint_le(b.inf.n, _i ? 16 : 254);
        buf_put_span(&answer, b.inf);
        more = b.pcb & T1_I_MORE;
        pcb = b.pcb & T1_I_SEQUENCE;
    }
    ck_assert_uint_eq(answer.n, 258);
    for (unsigned i = 0; i < 256; i++)
        ck_assert_uint_eq(answer.p[i], i);
}
END_TEST

/* Thinking longer than BWT (89 ms and 11 etu at BWI 0). */
START_TEST(t1_asks_for_time_when_it_must)
{
    const struct ccid_card c = { .no_t0 = true, .bwi_cwi = 0x01,
                                 .think_ms = 150 };
    AUTO(buf_clear) struct buf out = BUF_INIT;
    AUTO(heard_clear) struct heard h = { 0 };
    struct ccid_model_counters n;

    open_with(&c, 1, "11100000002000");
    say_line("00000580e2910000 00c30102", false);
    block_of(&out, "00e30102", 8, false);
    bare_ask(&bare, CCID_XFR_BLOCK, 0, 2 /* bBWI */, buf_span(&out), &h, NULL);
    ck_assert_uint_eq(h.status, 0);
    ck_assert_uint_eq(h.data.n, 6);
    bare_counters(&bare, &n);
    ck_assert_uint_eq(n.wtx, 1);
}
END_TEST

/* A reader that believes in another waiting time than the card gives up. */
START_TEST(t1_a_short_waiting_time_is_kept)
{
    const struct ccid_card c = { .no_t0 = true, .think_ms = 150 };
    AUTO(buf_clear) struct buf out = BUF_INIT, in = BUF_INIT;

    open_with(&c, 1, "11100000002000");
    block_of(&out, "00000580e2910000", 16, false);
    ck_assert_uint_eq(bare_xfr_error(&bare, 0, buf_span(&out)),
                      CCID_ERROR_MUTE);
    AUTO(heard_clear) struct heard h = { 0 };
    buf_reset(&out);
    block_of(&out, "00400580e2910000", 16, false);
    bare_ask(&bare, CCID_XFR_BLOCK, 0, 2 /* bBWI */, buf_span(&out), &h, NULL);
    ck_assert_uint_eq(h.status, 0);
}
END_TEST

/* --- T=0 --- */

static const struct {
    const char *name;
    struct ccid_card card;
    struct { const char *out, *in; } lines[6]; /* in of two digits: bError */
} tpdus[] = {
    { "case 1", { 0 }, { { "80e29100", "9000" }, { "80e2910000", "9000" } } },
    { "case 2", { 0 }, { { "00b0000003", "0001029000" } } },
    { "case 3, data to fetch", { 0 },
      { { "80e29100020102", "6102" }, { "80c0000002", "02019000" },
        { "80e29100020102", "6102" }, { "80c0000001", "026101" },
        { "80c0000005", "6c01" }, { "80c0000001", "019000" } } },
    { "data not fetched are gone", { 0 },
      { { "80e29100020102", "6102" }, { "80a4000000", "9000" } } },
    { "octet by octet", { .one_by_one = true },
      { { "80e29100020102", "6102" }, { "80c0000002", "02019000" } } },
    { "NULLs", { .wtx_every = 2 },
      { { "00b0000001", "009000" }, { "00b0000001", "009000" } } },
    { "no instruction", { 0 },
      { { "0060000000", "6d00" }, { "0090000000", "6d00" } } },
    { "Le not stripped", { 0 },
      { { "80e2910002010200", "01" }, { "80e291", "01" },
        { "80e29100020102", "6102" } } },
};

START_TEST(t0_tpdus)
{
    struct ccid_card c = tpdus[_i].card;

    c.no_t1 = true;
    open_with(&c, 0, T0_SLOW);
    for (int i = 0; i < 6 && tpdus[_i].lines[i].out; i++) {
        AUTO(buf_clear) struct buf out = hex(tpdus[_i].lines[i].out),
                                   want = hex(tpdus[_i].lines[i].in),
                                   in = BUF_INIT;

        if (want.n == 1) {
            ck_assert_uint_eq(bare_xfr_error(&bare, 0, buf_span(&out)),
                              want.p[0]);
        } else {
            bare_xfr(&bare, 0, buf_span(&out), &in);
            ck_assert_msg(span_eq(buf_span(&in), buf_span(&want)), "%s",
                          tpdus[_i].lines[i].out);
        }
    }
}
END_TEST

/* Less than P3 asks for: 6Cxx, and the same answer behind the right P3. */
START_TEST(t0_wrong_le)
{
    const struct ccid_card c = { .no_t1 = true };
    AUTO(buf_clear) struct buf in = BUF_INIT;

    card.octets = 3;
    open_with(&c, 0, NULL);
    bare_xfr(&bare, 0, SPAN("\x00\xB0\x00\x00\x00", 5), &in);
    ck_assert(span_eq(buf_span(&in), SPAN("\x6C\x03", 2)));
    bare_xfr(&bare, 0, SPAN("\x00\xB0\x00\x00\x03", 5), &in);
    ck_assert(span_eq(buf_span(&in), SPAN("\x00\x01\x02\x90\x00", 5)));
    ck_assert_uint_eq(card.apdus, 1);
    bare_xfr(&bare, 0, SPAN("\x00\xB0\x00\x00\x02", 5), &in);
    ck_assert(span_eq(buf_span(&in), SPAN("\x00\x01\x61\x01", 4)));
    ck_assert_uint_eq(card.apdus, 2);
}
END_TEST

START_TEST(t0_nulls_become_requests_for_time)
{
    const struct ccid_card c = { .no_t1 = true, .wtx_every = 1, .wi = 1,
                                 .ta1 = 0x11, .think_ms = 200 };
    AUTO(heard_clear) struct heard h = { 0 };
    struct ccid_model_counters n;
    unsigned more_time = 0;

    open_with(&c, 0, "1100000100"); /* WT 89 ms */
    bare_ask(&bare, CCID_XFR_BLOCK, 0, 0, SPAN("\x00\xB0\x00\x00\x01", 5), &h,
             &more_time);
    ck_assert_uint_eq(h.status, 0);
    ck_assert_uint_eq(more_time, 3);
    bare_counters(&bare, &n);
    ck_assert_uint_eq(n.nulls, 3);
}
END_TEST

/* --- PPS --- */

static const struct {
    const char *name;
    struct ccid_card card;
    const char *request, *answer; /* "": mute */
    unsigned protocol;
    const char *params;           /* after it; NULL: nothing works any more */
} pps_rows[] = {
    { "to the fastest, T=0", { 0 }, "ff109679", "ff109679", 0, T0_FAST },
    { "to the fastest, T=1", { 0 }, "ff119678", "ff119678", 1, T1_FAST },
    { "a slower one", { 0 }, "ff11957b", "ff11957b", 1, "95100040002000" },
    { "the protocol alone", { 0 }, "ff01fe", "ff01fe", 1, T1_SLOW },
    { "too fast", { 0 }, "ff109778", "ff00ff", 0, T0_SLOW },
    { "PPS2 is left out", { 0 }, "ff3096005" "9", "ff109679", 0, T0_FAST },
    { "not answered", { .refuse_pps = true }, "ff109679", "", 0, NULL },
    { "no such protocol", { .no_t1 = true }, "ff119678", "", 0, NULL },
    { "bad sum", { 0 }, "ff109670", "", 0, NULL },
};

static void works(unsigned protocol, bool does)
{
    AUTO(buf_clear) struct buf out = BUF_INIT, in = BUF_INIT;

    if (protocol)
        block_of(&out, "00000580e2910000", 16, false);
    else
        buf_put_hex(&out, "80e2910000");
    if (does)
        bare_xfr(&bare, 0, buf_span(&out), &in);
    else
        ck_assert_uint_eq(bare_xfr_error(&bare, 0, buf_span(&out)),
                          CCID_ERROR_MUTE);
}

START_TEST(pps)
{
    AUTO(buf_clear) struct buf out = hex(pps_rows[_i].request),
                               want = hex(pps_rows[_i].answer), in = BUF_INIT;
    unsigned protocol = pps_rows[_i].protocol;
    struct ccid_model_counters n;

    open_with(&pps_rows[_i].card, 0, NULL);
    if (want.n == 0) {
        ck_assert_uint_eq(bare_xfr_error(&bare, 0, buf_span(&out)),
                          CCID_ERROR_MUTE);
        works(protocol, false);
        bare_power_on(&bare, 0, 1, NULL); /* it takes a reset */
        works(0, true);
        return;
    }
    bare_xfr(&bare, 0, buf_span(&out), &in);
    ck_assert(span_eq(buf_span(&in), buf_span(&want)));
    bare_set_params(&bare, 0, protocol, pps_rows[_i].params);
    works(protocol, true);
    bare_counters(&bare, &n);
    ck_assert_uint_eq(n.pps, 1);
    bare_power_on(&bare, 0, 1, NULL); /* and all is as in the beginning */
    works(0, true);
}
END_TEST

/* Reader and card must mean the same. */
static const struct {
    const char *name;
    struct ccid_card card;
    bool negotiated;
    unsigned protocol;
    const char *params;
} mismatches[] = {
    { "speed, no PPS", { .no_t1 = true }, false, 0, T0_FAST },
    { "speed, no parameters", { 0 }, true, 0, NULL },
    { "protocol", { .no_t1 = true }, false, 1, T1_SLOW },
    { "protocol, the other way", { .no_t0 = true }, false, 0, T0_SLOW },
    { "EDC", { .no_t0 = true }, false, 1, "11110040002000" },
};

START_TEST(disagreement_is_silence)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;

    open_with(&mismatches[_i].card, 0, NULL);
    if (mismatches[_i].negotiated)
        bare_xfr(&bare, 0, SPAN("\xFF\x10\x96\x79", 4), &in);
    if (mismatches[_i].params)
        bare_set_params(&bare, 0, mismatches[_i].protocol,
                        mismatches[_i].params);
    works(mismatches[_i].protocol, false);
    ck_assert_uint_eq(card.apdus, strcmp(mismatches[_i].name, "EDC") == 0);
}
END_TEST

START_TEST(a_guard_time_not_kept_damages)
{
    const struct ccid_card c = { .no_t0 = true, .guard = 5 };

    open_with(&c, 1, T1_SLOW);
    AUTO(buf_clear) struct buf out = BUF_INIT, in = BUF_INIT;
    block_of(&out, "00000580e2910000", 16, false);
    bare_xfr(&bare, 0, buf_span(&out), &in);
    ck_assert_uint_eq(in.p[1], 0x81);
    bare_set_params(&bare, 0, 1, "11100540002000");
    works(1, true);
}
END_TEST

START_TEST(rate_and_clock)
{
    const struct ccid_card c = { .no_t1 = true };
    AUTO(heard_clear) struct heard h = { 0 };
    AUTO(buf_clear) struct buf in = BUF_INIT;
    const uint8_t ask[8] = { 0xA0, 0x0F, 0, 0, 0x90, 0xD0, 3, 0 }; /* 250,000 */

    open_with(&c, 0, NULL);
    bare_xfr(&bare, 0, SPAN("\xFF\x10\x96\x79", 4), &in);
    bare_ask(&bare, CCID_RATE_AND_CLOCK_SET, 0, 0, SPAN_ARRAY(ask), &h, NULL);
    ck_assert_uint_eq(h.type, CCID_RATE_AND_CLOCK);
    ck_assert(span_eq(buf_span(&h.data), SPAN_ARRAY(ask)));
    bare_ask(&bare, CCID_RATE_AND_CLOCK_SET, 0, 0, SPAN("\0", 1), &h, NULL);
    ck_assert_uint_eq(h.error, 1);
}
END_TEST

/* At a speed that the pair cannot do, some go wrong; one step down, none. */
START_TEST(too_fast_a_speed_shows)
{
    const struct ccid_card c = { .works_at = 0x95 };
    unsigned bad[2] = { 0, 0 };

    open_with(&c, 0, NULL);
    for (int slower = 0; slower < 2; slower++) {
        AUTO(buf_clear) struct buf in = BUF_INIT, ask = BUF_INIT;
        struct t1_octets b;

        bare_power_on(&bare, 0, 1, NULL);
        bare_xfr(&bare, 0, slower ? SPAN("\xFF\x11\x95\x7B", 4)
                                  : SPAN("\xFF\x11\x96\x78", 4), &in);
        bare_set_params(&bare, 0, 1, slower ? "95100040002000" : T1_FAST);
        block_of(&ask, "00c101fe", 8, false);
        for (int i = 0; i < 40; i++) {
            bare_xfr(&bare, 0, buf_span(&ask), &in);
            bad[slower] += link_t1_block_read(buf_span(&in), false, &b) != 0;
        }
    }
    ck_assert_uint_ge(bad[0], 10);
    ck_assert_uint_le(bad[0], 30);
    ck_assert_uint_eq(bad[1], 0);
}
END_TEST

START_TEST(an_automatic_tpdu_reader_leaves_blocks_to_the_host)
{
    const struct ccid_model_options o = { .level = CCID_TPDU,
                                          .automatic = true };
    const struct ccid_card c = { .no_t0 = true };
    AUTO(heard_clear) struct heard h = { 0 };
    struct ccid_model_counters n;

    bare_open(&bare, &o);
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, &card.base, &c, NULL), 0);
    bare_power_on(&bare, 0, 0, NULL);
    bare_counters(&bare, &n);
    ck_assert_uint_eq(n.fidi, 0x96);
    ck_assert_uint_eq(n.ifs, 1);
    bare_ask(&bare, CCID_PARAMETERS_GET, 0, 0, SPAN(NULL, 0), &h, NULL);
    ck_assert_uint_eq(h.byte_9, 1);
    ck_assert(span_eq(buf_span(&h.data), SPAN("\x96\x10\0\x40\0\xFE\0", 7)));
    ck_assert_uint_eq(bare_xfr_error(&bare, 0, SPAN("\xFF\x11\x96\x78", 4)),
                      10);
    works(1, true);
}
END_TEST

START_TEST(character_level_is_only_announced)
{
    const struct ccid_model_options o = { .level = CCID_CHARACTER };

    bare_open(&bare, &o);
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, &card.base, NULL, NULL), 0);
    bare_power_on(&bare, 0, 1, NULL);
    ck_assert_uint_eq(bare_xfr_error(&bare, 0, SPAN("\0", 1)), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab_usb/ccid_tpdu");
    TCase *t = tcase_create("tpdu");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, t1_scenes, 0, ROWS(scenes));
    tcase_add_test(t, edc);
    tcase_add_loop_test(t, t1_long_answers, 0, 2);
    tcase_add_test(t, t1_asks_for_time_when_it_must);
    tcase_add_test(t, t1_a_short_waiting_time_is_kept);
    tcase_add_loop_test(t, t0_tpdus, 0, ROWS(tpdus));
    tcase_add_test(t, t0_wrong_le);
    tcase_add_test(t, t0_nulls_become_requests_for_time);
    tcase_add_loop_test(t, pps, 0, ROWS(pps_rows));
    tcase_add_loop_test(t, disagreement_is_silence, 0, ROWS(mismatches));
    tcase_add_test(t, a_guard_time_not_kept_damages);
    tcase_add_test(t, rate_and_clock);
    tcase_add_test(t, too_fast_a_speed_shows);
    tcase_add_test(t, an_automatic_tpdu_reader_leaves_blocks_to_the_host);
    tcase_add_test(t, character_level_is_only_announced);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
