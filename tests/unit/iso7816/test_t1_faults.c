/* T=1 on a bad line: every single fault in a chained exchange, every pair of
 * lost or damaged blocks, and noise. Whatever happens, a command is executed
 * once at most, and what is called done has the right answer. */
#include "drivers/iso7816/t1.h"

#include <check.h>
#include <string.h>

#include "tests/unit/iso7816/t1_card.h"
#include "tests/unit/support.h"

#define COMMAND_N 23  /* three blocks at IFSC 10 */
#define ANSWER_N 70   /* three blocks at IFSD 32 */
#define IFSC 10

enum fault { NONE, FLIP, LOSE, CUT, DOUBLE, GROW };

/* What befalls the n-th block on the line, counted from 0 over both ways. */
typedef enum fault fault_fn(void *ctx, unsigned n, size_t octets, size_t *bit);

struct line {
    struct t1 host;
    struct t1_card card;
    fault_fn *fault;
    void *ctx;
    unsigned blocks;
};

/* False: nothing arrives. */
static bool carry(struct line *l, struct span in, uint8_t out[300], size_t *n)
{
    size_t bit = 0;
    enum fault f = l->fault(l->ctx, l->blocks++, in.n, &bit);

    memcpy(out, in.p, in.n);
    *n = in.n;
    switch (f) {
    case FLIP:
        out[bit / 8] ^= (uint8_t)(1u << bit % 8);
        break;
    case CUT:
        *n = bit / 8;
        break;
    case GROW:
        out[(*n)++] = (uint8_t)bit;
        break;
    case DOUBLE: /* two bits that an LRC does not see: caught elsewhere or not
                    at all, but never out of bounds */
        out[bit / 8] ^= 1;
        out[(bit / 8 + 1) % *n] ^= 1;
        break;
    case LOSE:
        return false;
    case NONE:
        break;
    }
    return true;
}

static enum t1_next exchange(struct line *l, struct span apdu)
{
    enum t1_next next = t1_begin(&l->host, apdu);

    while (next == T1_SEND) {
        uint8_t b[300], c[300];
        size_t n;
        if (!carry(l, SPAN(l->host.block, l->host.block_n), b, &n)) {
            next = t1_receive(&l->host, T1_SILENCE, SPAN(NULL, 0));
            continue;
        }
        t1_card_hear(&l->card, SPAN(b, n));
        if (carry(l, SPAN(l->card.block, l->card.block_n), c, &n))
            next = t1_receive(&l->host, T1_BLOCK, SPAN(c, n));
        else
            next = t1_receive(&l->host, T1_SILENCE, SPAN(NULL, 0));
    }
    return next;
}

static void setup(struct line *l, fault_fn *f, void *ctx, unsigned wtx_every)
{
    const struct t1_params p = { IFSC, 32, false, 10 };

    memset(l, 0, sizeof *l);
    t1_init(&l->host, &p);
    t1_card_reset(&l->card, ANSWER_N, IFSC);
    l->card.wtx_every = wtx_every;
    l->fault = f;
    l->ctx = ctx;
}

static void command(uint8_t b[COMMAND_N], uint8_t first)
{
    for (int k = 0; k < COMMAND_N; k++)
        b[k] = (uint8_t)(first + k);
}

static void check_done(const struct line *l, const uint8_t apdu[COMMAND_N])
{
    AUTO(buf_clear) struct buf want = BUF_INIT;

    ck_assert(span_eq(SPAN(l->card.command, l->card.command_n),
                      SPAN(apdu, COMMAND_N)));
    t1_card_answer(&l->card, &want);
    ck_assert(span_eq(SPAN(l->host.response, l->host.response_n),
                      buf_span(&want)));
}

struct at {
    unsigned block[2];
    enum fault fault[2];
    size_t bit;
    size_t octets; /* of the block that was hit */
    bool fired;
};

static enum fault at_block(void *ctx, unsigned n, size_t octets, size_t *bit)
{
    struct at *a = ctx;

    for (int k = 0; k < 2; k++)
        if (a->fault[k] != NONE && n == a->block[k]) {
            a->fired = true;
            a->octets = octets;
            *bit = a->bit;
            return a->bit < 8 * octets ? a->fault[k] : NONE;
        }
    return NONE;
}

/* One exchange with these faults, then one more without. */
static enum t1_next one_then_clean(struct at *a, unsigned wtx_every)
{
    uint8_t apdu[COMMAND_N];
    struct line l;

    setup(&l, at_block, a, wtx_every);
    command(apdu, 0x80);
    enum t1_next first = exchange(&l, SPAN_ARRAY(apdu));
    ck_assert_uint_le(l.card.runs, 1);
    if (first == T1_DONE)
        check_done(&l, apdu);
    a->fault[0] = a->fault[1] = NONE;
    if (!t1_alive(&l.host))
        return first;
    unsigned before = l.card.runs;
    command(apdu, 0x10);
    ck_assert_int_eq(exchange(&l, SPAN_ARRAY(apdu)), T1_DONE);
    ck_assert_uint_eq(l.card.runs, before + 1);
    check_done(&l, apdu);
    return first;
}

/* Every single fault is made good: the exchange is done, and the next too. */
START_TEST(every_single_fault)
{
    static const enum fault kinds[] = { FLIP, LOSE, CUT, GROW };
    enum fault kind = kinds[_i % 4];
    unsigned wtx_every = _i < 4 ? 0 : 1, faults = 0;

    for (unsigned block = 0;; block++) {
        struct at probe = { .block = { block }, .fault = { LOSE } };
        one_then_clean(&probe, wtx_every);
        if (!probe.fired)
            break;
        for (size_t bit = 0; bit < 8 * probe.octets; bit++) {
            struct at a = { .block = { block }, .fault = { kind }, .bit = bit };
            enum t1_next r = one_then_clean(&a, wtx_every);
            ck_assert_msg(r == T1_DONE, "block %u, bit %zu", block, bit);
            faults++;
        }
    }
    ck_assert_uint_gt(faults, 1000);
}
END_TEST

/* Every pair of blocks lost or damaged. */
START_TEST(every_pair)
{
    unsigned done = 0, failed = 0;

    for (unsigned i = 0; i < 24; i++)
        for (unsigned j = i + 1; j < 24; j++)
            for (int k = 0; k < 4; k++) {
                struct at a = { .block = { i, j },
                                .fault = { k & 1 ? LOSE : FLIP,
                                           k & 2 ? LOSE : FLIP },
                                .bit = 9 };
                if (one_then_clean(&a, (unsigned)(k & 1)) == T1_DONE)
                    done++;
                else
                    failed++;
            }
    /* Two in a row are within three tries. */
    ck_assert_uint_eq(failed, 0);
    ck_assert_uint_gt(done, 1000);
}
END_TEST

struct noise {
    uint64_t state;
    unsigned percent;
    bool undetected; /* also faults that LRC cannot see */
};

static uint32_t roll(struct noise *x)
{
    x->state = x->state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(x->state >> 33);
}

static enum fault noisy(void *ctx, unsigned n, size_t octets, size_t *bit)
{
    static const enum fault kinds[] = { FLIP, LOSE, CUT, GROW, DOUBLE };
    struct noise *x = ctx;

    (void)n;
    *bit = roll(x) % (8 * octets);
    if (roll(x) % 100 >= x->percent)
        return NONE;
    enum fault f = kinds[roll(x) % (x->undetected ? 5 : 4)];
    /* An octet too many that LRC takes for its own is no detected fault. */
    return f == GROW && (*bit & 0xff) == 0 ? LOSE : f;
}

/* Five exchanges in a row on a line that damages so many blocks in a hundred.
 * With faults that the check octet sees, none is wrong; with those it does not
 * see, there is still an end. */
static void noise_run(unsigned percent, bool undetected, unsigned *done,
                      unsigned *failed)
{
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct noise x = { seed * 7919, percent, undetected };
        struct line l;
        setup(&l, noisy, &x, seed % 3 ? 0 : 2);
        for (uint8_t k = 0; k < 5 && t1_alive(&l.host); k++) {
            uint8_t apdu[COMMAND_N];
            unsigned before = l.card.runs;
            command(apdu, (uint8_t)(k * 16));
            enum t1_next r = exchange(&l, SPAN_ARRAY(apdu));
            *(r == T1_DONE ? done : failed) += 1;
            if (undetected)
                continue;
            ck_assert_uint_le(l.card.runs, before + 1);
            if (r == T1_DONE) {
                ck_assert_uint_eq(l.card.runs, before + 1);
                check_done(&l, apdu);
            }
        }
    }
}

START_TEST(noise_at_every_level)
{
    static const unsigned percents[] = { 1, 5, 10, 20, 40, 80, 100 };
    unsigned percent = percents[_i], done = 0, failed = 0;

    noise_run(percent, false, &done, &failed);
    if (percent == 1)
        ck_assert_uint_eq(failed, 0);
    if (percent == 100)
        ck_assert_uint_eq(done, 0);
    noise_run(percent, true, &done, &failed);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "every single fault", every_single_fault, 8 },
        { "every pair", every_pair, 1 },
        { "noise", noise_at_every_level, 7 },
    };
    return run_tests("iso7816/t1_faults", tests, sizeof tests / sizeof *tests);
}
