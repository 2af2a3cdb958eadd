/* The card's side of T=1. It never begins a resynchronisation: that is the
 * reader's right alone (11.6.3, rule 6). */
#include "tests/lab/usb/link_t1.h"

/* What is left to do before an answer, in this order. */
enum { BEFORE_IFS, BEFORE_WTX, THINKING, ANSWERING };

void link_t1_card_clear(struct t1_card *c)
{
    buf_clear(&c->command);
    buf_clear(&c->answer);
    buf_clear(&c->last_i);
    buf_clear(&c->request);
}

static void forget(struct t1_card *c)
{
    buf_reset(&c->command);
    buf_reset(&c->answer);
    buf_reset(&c->last_i);
    buf_reset(&c->request);
    c->at = 0;
    c->left_ns = 0;
}

void link_t1_card_reset(struct t1_card *c, struct link_chip *chip,
                        struct t1_counts *counts)
{
    c->chip = chip;
    c->counts = counts;
    c->ns = c->nr = 0;
    c->ifsc = chip->o.ifsc;
    c->ifsd = T1_IFS_FIRST;
    forget(c);
}

static void say(struct t1_card *c, uint8_t pcb, struct span inf,
                struct buf *out)
{
    /* Who was addressed answers: source and destination change places. */
    uint8_t nad = (uint8_t)((c->nad & 0x07) << 4 | (c->nad >> 4 & 0x07));

    link_t1_block_put(out, c->chip->o.crc, nad, pcb, inf);
}

static void say_r(struct t1_card *c, uint8_t error, struct buf *out)
{
    say(c, (uint8_t)(T1_R | (c->nr ? T1_R_SEQUENCE : 0) | error),
        SPAN(NULL, 0), out);
}

static void ask(struct t1_card *c, uint8_t pcb, uint8_t value, struct buf *out)
{
    buf_reset(&c->request);
    say(c, pcb, SPAN(&value, 1), &c->request);
    buf_put_span(out, buf_span(&c->request));
}

/* --- answering ----------------------------------------------------------- */

static void say_next(struct t1_card *c, struct buf *out)
{
    struct span inf = span_sub(buf_span(&c->answer), c->at, c->ifsd);

    c->at += inf.n;
    buf_reset(&c->last_i);
    say(c, (uint8_t)((c->ns ? T1_I_SEQUENCE : 0) |
                     (c->at < c->answer.n ? T1_I_MORE : 0)),
        inf, &c->last_i);
    c->ns ^= 1;
    buf_put_span(out, buf_span(&c->last_i));
}

/* A new IFSC each time: half of it, and the whole again. */
static uint8_t other_ifsc(const struct t1_card *c)
{
    size_t half = c->chip->o.ifsc / 2 ? c->chip->o.ifsc / 2 : 1;

    return (uint8_t)(c->ifsc == half ? c->chip->o.ifsc : half);
}

static uint64_t bwt(const struct t1_card *c)
{
    return line_bwt_ns(c->chip->line, c->chip->o.bwi_cwi);
}

static void ask_time(struct t1_card *c, struct buf *out)
{
    uint64_t times = c->left_ns / bwt(c) + 1;

    c->counts->wtx++;
    ask(c, T1_S_WTX, (uint8_t)(times < 255 ? times : 255), out);
}

/* The rest of the thinking, as much as there is time for. */
static bool thought(struct t1_card *c, uint64_t granted)
{
    uint64_t most = granted / 8 * 7;
    uint64_t now = c->left_ns < most ? c->left_ns : most;

    line_think(c->chip->line, now);
    c->left_ns -= now;
    return c->left_ns == 0;
}

static void proceed(struct t1_card *c, struct buf *out)
{
    struct link_chip *chip = c->chip;

    if (c->stage == BEFORE_IFS) {
        c->stage = BEFORE_WTX;
        if (link_chip_every(chip, chip->o.ifs_every)) {
            ask(c, T1_S_IFS, other_ifsc(c), out);
            return;
        }
    }
    if (c->stage == BEFORE_WTX) {
        c->stage = THINKING;
        c->left_ns = link_chip_think_ns(chip);
        if (link_chip_every(chip, chip->o.wtx_every) ||
            c->left_ns > bwt(c) / 8 * 7) {
            ask_time(c, out);
            return;
        }
    }
    if (!thought(c, bwt(c))) {
        ask_time(c, out);
        return;
    }
    c->stage = ANSWERING;
    bool there = link_chip_ask(chip, buf_span(&c->command), &c->answer);
    buf_reset(&c->command);
    c->at = 0;
    if (there)
        say_next(c, out);
}

/* --- hearing ------------------------------------------------------------- */

static void hear_i(struct t1_card *c, const struct t1_octets *b,
                   struct buf *out)
{
    bool sending = c->at < c->answer.n;
    bool expected = !(b->pcb & T1_I_SEQUENCE) == !c->nr;

    if (b->pcb & 0x1F || !expected || sending || b->inf.n > c->ifsc) {
        say_r(c, T1_R_OTHER, out);
        return;
    }
    c->nr ^= 1;
    buf_reset(&c->last_i);
    buf_reset(&c->answer);
    c->at = 0;
    buf_put_span(&c->command, b->inf);
    if (b->pcb & T1_I_MORE) {
        say_r(c, 0, out);
        return;
    }
    c->stage = BEFORE_IFS;
    proceed(c, out);
}

static void hear_r(struct t1_card *c, const struct t1_octets *b,
                   struct buf *out)
{
    bool acknowledged = !(b->pcb & T1_R_SEQUENCE) == !c->ns;

    if (b->inf.n || (b->pcb & 0x2C) || (b->pcb & 0x03) == 0x03)
        say_r(c, T1_R_OTHER, out);
    else if (c->request.n)
        buf_put_span(out, buf_span(&c->request));
    else if (c->last_i.n && !acknowledged)
        buf_put_span(out, buf_span(&c->last_i));
    else if (c->last_i.n && c->at < c->answer.n)
        say_next(c, out);
    else
        say_r(c, 0, out); /* it is their block that has not come */
}

static void respond(struct t1_card *c, const struct t1_octets *b,
                    struct buf *out)
{
    say(c, b->pcb | T1_S_RESPONSE, b->inf, out);
}

static void hear_s_request(struct t1_card *c, const struct t1_octets *b,
                           struct buf *out)
{
    switch (b->pcb) {
    case T1_S_RESYNCH:
        c->counts->resynch++;
        forget(c);
        c->ns = c->nr = 0;
        c->ifsd = T1_IFS_FIRST;
        respond(c, b, out);
        return;
    case T1_S_IFS:
        if (b->inf.n != 1 || b->inf.p[0] == 0 || b->inf.p[0] == 255)
            break;
        c->counts->ifs++;
        c->ifsd = b->inf.p[0];
        respond(c, b, out);
        return;
    case T1_S_ABORT:
        if (b->inf.n)
            break;
        forget(c);
        respond(c, b, out);
        return;
    }
    say_r(c, T1_R_OTHER, out);
}

/* The response to our request, with the same INF, or it is none. */
static void hear_s_response(struct t1_card *c, const struct t1_octets *b,
                            struct buf *out)
{
    struct t1_octets asked;

    if (c->request.n == 0 ||
        link_t1_block_read(buf_span(&c->request), c->chip->o.crc,
                           &asked) != 0 ||
        b->pcb != (asked.pcb | T1_S_RESPONSE) || !span_eq(b->inf, asked.inf)) {
        if (c->request.n)
            buf_put_span(out, buf_span(&c->request));
        else
            say_r(c, T1_R_OTHER, out);
        return;
    }
    uint8_t value = asked.inf.p[0];
    bool wtx = asked.pcb == T1_S_WTX;
    buf_reset(&c->request);
    if (!wtx) {
        c->counts->ifs++;
        c->ifsc = value;
    } else if (!thought(c, value * bwt(c))) {
        ask_time(c, out);
        return;
    }
    proceed(c, out);
}

void link_t1_card_hear(struct t1_card *c, struct span block, struct buf *out)
{
    struct t1_octets b;
    uint8_t bad = link_t1_block_read(block, c->chip->o.crc, &b);

    if (bad && c->request.n) {
        buf_put_span(out, buf_span(&c->request));
        return;
    }
    if (bad) {
        say_r(c, bad, out);
        return;
    }
    c->nad = b.nad;
    if ((b.pcb & 0x80) == 0 && c->request.n)
        buf_put_span(out, buf_span(&c->request));
    else if ((b.pcb & 0x80) == 0)
        hear_i(c, &b, out);
    else if ((b.pcb & 0xC0) == 0x80)
        hear_r(c, &b, out);
    else if (b.pcb & T1_S_RESPONSE)
        hear_s_response(c, &b, out);
    else
        hear_s_request(c, &b, out);
}
