#include "drivers/iso7816/pps.h"

#include <check.h>
#include <string.h>

#include "tests/unit/support.h"

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))
#define BOTH (ATR_T0 | ATR_T1)

static struct atr card(uint8_t ta1, uint8_t protocols, uint8_t first)
{
    return (struct atr){ .fidi = ta1, .protocols = protocols, .first = first,
                         .wi = 10, .ifsc = 32, .bwi = 4, .cwi = 13 };
}

static const uint32_t rates_372[] = { 10753, 21505, 43011, 86022, 129032,
                                      172043, 344086 };
static const uint32_t rates_512[] = { 10753, 15625, 31250, 62500, 125000,
                                      250000, 500000 };

static const struct row {
    const char *name;
    uint8_t ta1, protocols, first;
    uint32_t clock_khz, bps_max;
    const uint32_t *rates;
    size_t rate_count;
    unsigned reader_protocols, slower;
    /* what is wanted */
    const char *request; /* NULL: none needed */
    uint8_t protocol, fidi;
    uint32_t bps;
    unsigned step, below;
} rows[] = {
    { "default card", 0x11, ATR_T0, 0, 4000, 0, NULL, 0, BOTH, 0,
      NULL, 0, 0x11, 10752, 0, 0 },
    { "96, all free", 0x96, BOTH, 0, 4000, 0, NULL, 0, BOTH, 0,
      "ff109679", 0, 0x96, 250000, 0, 5 },
    { "96, one slower", 0x96, BOTH, 0, 4000, 0, NULL, 0, BOTH, 1,
      "ff10957a", 0, 0x95, 125000, 1, 4 },
    { "96, slowest", 0x96, BOTH, 0, 4000, 0, NULL, 0, BOTH, 5,
      NULL, 0, 0x11, 10752, 5, 0 },
    { "96, slower than there is", 0x96, BOTH, 0, 4000, 0, NULL, 0, BOTH, 99,
      NULL, 0, 0x11, 10752, 5, 0 },
    { "reader's limit", 0x96, BOTH, 0, 4000, 125000, NULL, 0, BOTH, 0,
      "ff10957a", 0, 0x95, 125000, 0, 4 },
    { "reader's limit, rounded down", 0x18, ATR_T1, 1, 4000, 129000, NULL, 0,
      BOTH, 0, "ff1118f6", 1, 0x18, 129032, 0, 4 },
    { "listed rates know no 512", 0x97, BOTH, 0, 4000, 0, rates_372,
      ROWS(rates_372), BOTH, 0, NULL, 0, 0x11, 10752, 0, 0 },
    { "listed rates", 0x97, BOTH, 1, 4000, 0, rates_512, ROWS(rates_512), BOTH,
      0, "ff119779", 1, 0x97, 500000, 0, 6 },
    { "listed, rounded", 0x18, ATR_T1, 1, 4000, 0, rates_372, ROWS(rates_372),
      BOTH, 0, "ff1118f6", 1, 0x18, 129032, 0, 4 },
    { "clock above fmax of 9", 0x96, BOTH, 0, 6000, 0, NULL, 0, BOTH, 0,
      NULL, 0, 0x11, 16129, 0, 0 },
    { "clock within fmax of A", 0xa6, BOTH, 0, 6000, 0, NULL, 0, BOTH, 0,
      "ff10a649", 0, 0xa6, 250000, 0, 4 },
    { "slower than default", 0x21, ATR_T0, 0, 4000, 0, NULL, 0, BOTH, 0,
      NULL, 0, 0x11, 10752, 0, 0 },
    { "01 is the default by another name", 0x01, ATR_T0, 0, 4000, 0, NULL, 0,
      BOTH, 0, NULL, 0, 0x11, 10752, 0, 0 },
    { "other protocol, default speed", 0x11, BOTH, 0, 4000, 0, NULL, 0, ATR_T1,
      0, "ff1111ff", 1, 0x11, 10752, 0, 0 },
    { "T=14 first", 0x11, ATR_T1, 14, 4000, 0, NULL, 0, BOTH, 0,
      "ff1111ff", 1, 0x11, 10752, 0, 0 },
    { "T=1 first, reader has T=0", 0x95, BOTH, 1, 4000, 0, NULL, 0, ATR_T0, 0,
      "ff10957a", 0, 0x95, 125000, 0, 4 },
    { "clock nobody gave", 0x96, BOTH, 0, 0, 0, NULL, 0, BOTH, 0,
      "ff109679", 0, 0x96, 0, 0, 5 },
};

START_TEST(choices)
{
    const struct row *r = &rows[_i];
    const struct pps_reader reader = { r->clock_khz, r->bps_max, r->rates,
                                       r->rate_count, r->reader_protocols };
    const struct atr a = card(r->ta1, r->protocols, r->first);
    struct pps_plan p;
    struct err e = ERR_INIT;
    char text[2 * PPS_MAX + 1];

    ck_assert_msg(pps_choose(&a, &reader, r->slower, &p, &e) == 0, "%s: %s",
                  r->name, e.msg);
    ck_assert_msg(p.needed == (r->request != NULL), "%s", r->name);
    hex_encode(SPAN(p.request, p.request_n), text, sizeof text);
    uint8_t sum = 0;
    for (uint8_t k = 0; k < p.request_n; k++)
        sum ^= p.request[k];
    ck_assert_msg(sum == 0, "%s: PCK of %s", r->name, text);
    /* The last digit pair is PCK, checked above. */
    ck_assert_msg(strncmp(text, r->request ? r->request : "", 6) == 0,
                  "%s: %s", r->name, text);
    ck_assert_msg(p.protocol == r->protocol && p.fidi == r->fidi &&
                  p.bps == r->bps, "%s: T=%u %02x %u", r->name, p.protocol,
                  p.fidi, p.bps);
    ck_assert_msg(p.step == r->step && p.slower == r->below, "%s: %u %u",
                  r->name, p.step, p.slower);
}
END_TEST

START_TEST(no_protocol_in_common)
{
    const struct pps_reader reader = { 4000, 0, NULL, 0, ATR_T0 };
    const struct atr a = card(0x11, ATR_T1, 1);
    struct pps_plan p;
    struct err e = ERR_INIT;

    ck_assert_int_eq(pps_choose(&a, &reader, 0, &p, &e), -1);
    ck_assert_int_eq(e.code, ERR_CARD);
    ck_assert_ptr_nonnull(strstr(e.msg, "T=1 only"));
}
END_TEST

START_TEST(specific_mode)
{
    struct pps_reader reader = { 4000, 0, NULL, 0, BOTH };
    struct atr a = card(0x95, ATR_T1, 1);
    struct pps_plan p;
    struct err e = ERR_INIT;

    a.specific = true;
    ck_assert_int_eq(pps_choose(&a, &reader, 3, &p, &e), 0);
    ck_assert(!p.needed && p.request_n == 0);
    ck_assert_int_eq(p.fidi, 0x95);
    ck_assert_int_eq(p.protocol, 1);
    ck_assert_int_eq(p.slower, 0);
    reader.bps_max = 100000;
    ck_assert_int_eq(pps_choose(&a, &reader, 0, &p, &e), -1);
    ck_assert_int_eq(e.code, ERR_CARD);
    ck_assert_ptr_nonnull(strstr(e.msg, "125000"));
}
END_TEST

/* Each step is slower than the one before, down to the default, for every
 * TA1 there is. */
START_TEST(steps_go_down)
{
    const struct pps_reader reader = { 4000, 0, NULL, 0, BOTH };

    for (int ta1 = 0; ta1 < 256; ta1++) {
        struct atr a = card((uint8_t)ta1, BOTH, 0);
        struct pps_plan p = { .slower = 1 }, last = { .bps = UINT32_MAX };

        if (!atr_f(a.fidi) || !atr_d(a.fidi))
            continue; /* atr_judge gives the default instead */
        for (unsigned k = 0; p.slower != 0; k++) {
            ck_assert_int_eq(pps_choose(&a, &reader, k, &p, NULL), 0);
            ck_assert_uint_eq(p.step, k);
            ck_assert_uint_lt(p.bps, last.bps);
            ck_assert_uint_ge(p.bps, 10752);
            ck_assert_uint_le(atr_d(p.fidi), atr_d(a.fidi));
            last = p;
        }
        ck_assert_int_eq(p.fidi, ATR_FIDI_DEFAULT);
    }
}
END_TEST

static const struct answer {
    const char *name, *hex;
    int fidi; /* -1: refused */
} answers[] = {
    { "the request", "ff119678", 0x96 },
    { "PPS1 left out", "ff01fe", 0x11 },
    { "nothing", "", -1 },
    { "one octet", "ff", -1 },
    { "two octets", "ffff", -1 },
    { "PCK wrong", "ff119679", -1 },
    { "other speed", "ff11957b", -1 },
    { "default speed, said", "ff1111ff", -1 },
    { "other protocol", "ff109679", -1 },
    { "other protocol, PPS1 left out", "ff00ff", -1 },
    { "no PPSS", "00119687", -1 },
    { "PPS2 that was not asked for", "ff21968e" , -1 },
    { "PPS1 said, not there", "ff11ee", -1 },
    { "PPS1 there, not said", "ff019668", -1 },
    { "RFU bit", "ff9196f8", -1 },
    { "an octet too many", "ff11967800", -1 },
};

START_TEST(answers_are_judged)
{
    const struct pps_reader reader = { 4000, 0, NULL, 0, BOTH };
    const struct atr a = card(0x96, BOTH, 1);
    AUTO(buf_clear) struct buf b = hex(answers[_i].hex);
    struct pps_plan p;
    struct err e = ERR_INIT;
    uint8_t fidi = 0;

    ck_assert_int_eq(pps_choose(&a, &reader, 0, &p, &e), 0);
    int r = pps_check(&p, buf_span(&b), &fidi, &e);
    ck_assert_msg(r == (answers[_i].fidi < 0 ? -1 : 0), "%s", answers[_i].name);
    if (r == 0)
        ck_assert_int_eq(fidi, answers[_i].fidi);
    else
        ck_assert_int_eq(e.code, ERR_CARD);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "choices", choices, ROWS(rows) },
        { "no common protocol", no_protocol_in_common, 1 },
        { "specific mode", specific_mode, 1 },
        { "steps", steps_go_down, 1 },
        { "answers", answers_are_judged, ROWS(answers) },
    };
    return run_tests("iso7816/pps", tests, sizeof tests / sizeof *tests);
}
