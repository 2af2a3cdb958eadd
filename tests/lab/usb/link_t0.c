#include "tests/lab/usb/link_t0.h"

#include <string.h>

#define NUL 0x60
#define INS_GET_RESPONSE 0xC0
#define GUARD 12
#define TURN 16

/* --- the card ------------------------------------------------------------ */

void link_t0_card_clear(struct t0_card *c)
{
    buf_clear(&c->command);
    buf_clear(&c->pending);
    buf_clear(&c->kept);
}

void link_t0_card_reset(struct t0_card *c, struct link_chip *chip)
{
    c->chip = chip;
    c->incoming = c->has_kept = false;
    buf_reset(&c->command);
    buf_reset(&c->pending);
    buf_reset(&c->kept);
}

static void say(struct t0_card *c, const void *p, size_t n, struct buf *out)
{
    line_run(c->chip->line, LINE_CARD, n, GUARD, TURN);
    buf_put(out, p, n);
}

static void say_u8(struct t0_card *c, uint8_t v, struct buf *out)
{
    say(c, &v, 1, out);
}

static void say_sw(struct t0_card *c, uint16_t sw, struct buf *out)
{
    const uint8_t p[] = { (uint8_t)(sw >> 8), (uint8_t)sw };

    say(c, p, sizeof p, out);
}

static void say_null(struct t0_card *c, struct buf *out)
{
    say_u8(c, NUL, out);
    c->chip->nulls++;
    if (c->chip->null_heard)
        c->chip->null_heard(c->chip->ctx);
}

/* A NULL in good time before each waiting time is over. */
static void think(struct t0_card *c, struct buf *out)
{
    struct link_chip *chip = c->chip;
    uint64_t wt = line_wt_ns(chip->line, chip->o.wi, chip->o.ta1) / 8 * 7;
    uint64_t left = link_chip_think_ns(chip);

    if (link_chip_every(chip, chip->o.wtx_every))
        say_null(c, out);
    for (; left > wt; left -= wt) {
        line_think(chip->line, wt);
        say_null(c, out);
    }
    line_think(chip->line, left);
}

/* ACK and n octets, or every octet behind an ~INS of its own. */
static void say_data(struct t0_card *c, struct span data, struct buf *out)
{
    if (!c->chip->o.one_by_one) {
        say_u8(c, c->header[1], out);
        say(c, data.p, data.n, out);
        return;
    }
    for (size_t i = 0; i < data.n; i++) {
        say_u8(c, (uint8_t)~c->header[1], out);
        say_u8(c, data.p[i], out);
    }
}

static uint16_t more(size_t n)
{
    return (uint16_t)(0x6100 | (n > 255 ? 0 : n));
}

/* data is b's content; what is not handed out waits in c->pending. */
static void serve(struct t0_card *c, struct buf *b, uint16_t sw,
                  struct buf *out)
{
    size_t le = c->header[4] ? c->header[4] : 256;
    struct span data = buf_span(b);

    if (data.n == 0) {
        say_sw(c, sw, out);
    } else if (data.n < le) {
        if (b != &c->kept && b != &c->pending) {
            c->has_kept = true;
            c->kept_sw = sw;
            memcpy(c->kept_header, c->header, sizeof c->kept_header);
            buf_reset(&c->kept);
            buf_put_span(&c->kept, data);
        }
        say_sw(c, (uint16_t)(0x6C00 | (data.n & 0xFF)), out);
    } else {
        say_data(c, span_sub(data, 0, le), out);
        if (b != &c->pending) {
            buf_reset(&c->pending);
            buf_put_span(&c->pending, data);
            c->pending_sw = sw;
        }
        buf_drop_front(&c->pending, le);
        if (b == &c->kept)
            c->has_kept = false;
        say_sw(c, c->pending.n ? more(c->pending.n) : sw, out);
    }
}

static uint16_t take_sw(struct buf *rsp)
{
    rsp->n -= 2;
    return (uint16_t)(rsp->p[rsp->n] << 8 | rsp->p[rsp->n + 1]);
}

static void run(struct t0_card *c, struct span apdu, bool incoming,
                struct buf *out)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;

    think(c, out);
    if (!link_chip_ask(c->chip, apdu, &rsp))
        return;
    uint16_t sw = take_sw(&rsp);
    if (!incoming) {
        serve(c, &rsp, sw, out);
    } else if (rsp.n == 0) {
        say_sw(c, sw, out);
    } else {
        buf_reset(&c->pending);
        buf_put_span(&c->pending, buf_span(&rsp));
        c->pending_sw = sw;
        say_sw(c, more(rsp.n), out);
    }
}

static void ask_data(struct t0_card *c, struct buf *out)
{
    bool alone = c->chip->o.one_by_one;

    c->incoming = true;
    say_u8(c, (uint8_t)(alone ? ~c->header[1] : c->header[1]), out);
}

static void hear_header(struct t0_card *c, struct span octets, bool follows,
                        struct buf *out)
{
    if (octets.n != sizeof c->header)
        return; /* the card waits for the rest, for ever */
    memcpy(c->header, octets.p, sizeof c->header);
    bool again = c->has_kept &&
                 memcmp(c->header, c->kept_header, sizeof c->kept_header) == 0;
    bool fetch = c->header[1] == INS_GET_RESPONSE && c->pending.n > 0;
    if ((c->header[1] & 0xF0) == 0x60 || (c->header[1] & 0xF0) == 0x90) {
        say_sw(c, 0x6D00, out);
        return;
    }
    if (!again)
        c->has_kept = false;
    if (!fetch)
        buf_reset(&c->pending);
    buf_reset(&c->command);
    buf_put_span(&c->command, octets);
    if (follows && c->header[4])
        ask_data(c, out);
    else if (again)
        serve(c, &c->kept, c->kept_sw, out);
    else if (fetch)
        serve(c, &c->pending, c->pending_sw, out);
    else
        run(c, octets, false, out);
}

void link_t0_card_hear(struct t0_card *c, struct span octets, bool follows,
                       struct buf *out)
{
    if (!c->incoming) {
        hear_header(c, octets, follows, out);
        return;
    }
    buf_put_span(&c->command, octets);
    size_t whole = sizeof c->header + c->header[4];
    if (c->command.n < whole) {
        if (c->chip->o.one_by_one)
            ask_data(c, out);
        return;
    }
    c->incoming = false;
    run(c, span_sub(buf_span(&c->command), 0, whole), true, out);
}

/* --- the reader ---------------------------------------------------------- */

struct tpdu {
    const struct t0_wire *w;
    struct span left;  /* command data not yet sent */
    size_t expected;   /* answer octets not yet come */
    uint8_t ins;
    struct buf in;     /* what the card said */
    size_t at;
    struct buf *rsp;
};

/* What the card says next; asks the wire only with octets to send. */
static enum link_result more_octets(struct tpdu *t, size_t send)
{
    struct span out = span_sub(t->left, 0, send);

    t->left = span_sub(t->left, out.n, t->left.n - out.n);
    return t->w->exchange(t->w->ctx, out, t->left.n > 0, &t->in);
}

/* n octets behind an ACK, in the direction of the command. */
static enum link_result transfer(struct tpdu *t, size_t n)
{
    if (t->left.n)
        return more_octets(t, n < t->left.n ? n : t->left.n);
    if (t->expected == 0)
        return LINK_PROCEDURE;
    if (n > t->expected)
        n = t->expected;
    if (t->in.n - t->at < n)
        return LINK_MUTE;
    buf_put(t->rsp, t->in.p + t->at, n);
    t->at += n;
    t->expected -= n;
    return LINK_OK;
}

static enum link_result procedure(struct tpdu *t, bool *done)
{
    if (t->at >= t->in.n)
        return LINK_MUTE;
    uint8_t p = t->in.p[t->at++];
    if (p == NUL)
        return LINK_OK;
    if (p == t->ins)
        return transfer(t, t->left.n ? t->left.n : t->expected);
    if (p + t->ins == 0xFF) /* ~INS */
        return transfer(t, 1);
    if ((p & 0xF0) != 0x60 && (p & 0xF0) != 0x90)
        return LINK_PROCEDURE;
    if (t->at >= t->in.n)
        return LINK_MUTE;
    buf_put_u8(t->rsp, p);
    buf_put_u8(t->rsp, t->in.p[t->at++]);
    *done = true;
    return LINK_OK;
}

enum link_result link_t0_tpdu(const struct t0_wire *w, struct span tpdu,
                              struct buf *rsp)
{
    uint8_t header[5] = { 0 };
    bool done = false;

    if (tpdu.n < 4 || (tpdu.n > 5 && tpdu.n != 5u + tpdu.p[4]))
        return LINK_LENGTH;
    memcpy(header, tpdu.p, tpdu.n < 5 ? tpdu.n : 5);
    struct tpdu t = { .w = w, .ins = header[1], .rsp = rsp,
                      .left = span_sub(tpdu, 5, tpdu.n) };
    if (tpdu.n == 5)
        t.expected = header[4] ? header[4] : 256;
    buf_reset(rsp);
    enum link_result r = w->exchange(w->ctx, SPAN_ARRAY(header), t.left.n > 0,
                                     &t.in);
    while (r == LINK_OK && !done)
        r = procedure(&t, &done);
    buf_clear(&t.in);
    return r;
}

static uint16_t sw_of(const struct buf *rsp)
{
    if (rsp->n < 2)
        return 0;
    return (uint16_t)(rsp->p[rsp->n - 2] << 8 | rsp->p[rsp->n - 1]);
}

static enum link_result outgoing(const struct t0_wire *w, const uint8_t h[5],
                                 struct buf *rsp)
{
    uint8_t again[5];
    enum link_result r = link_t0_tpdu(w, SPAN(h, 5), rsp);

    if (r != LINK_OK || sw_of(rsp) >> 8 != 0x6C)
        return r;
    memcpy(again, h, 4);
    again[4] = (uint8_t)sw_of(rsp);
    return link_t0_tpdu(w, SPAN(again, 5), rsp);
}

enum link_result link_t0_apdu(const struct t0_wire *w, struct span apdu,
                              struct buf *rsp)
{
    if (apdu.n == 5)
        return outgoing(w, apdu.p, rsp);
    if (apdu.n < 5 || apdu.n == 5u + apdu.p[4])
        return link_t0_tpdu(w, apdu, rsp);
    if (apdu.p[4] == 0 || apdu.n != 6u + apdu.p[4])
        return LINK_LENGTH;
    uint8_t le = apdu.p[apdu.n - 1];
    enum link_result r = link_t0_tpdu(w, span_sub(apdu, 0, apdu.n - 1), rsp);
    if (r != LINK_OK || sw_of(rsp) >> 8 != 0x61)
        return r;
    uint8_t there = (uint8_t)sw_of(rsp);
    const uint8_t get[] = { apdu.p[0], INS_GET_RESPONSE, 0, 0,
                            le && (!there || le < there) ? le : there };
    return outgoing(w, get, rsp);
}
