#include "tests/unit/iso7816/t1_card.h"

#include <string.h>

static void say(struct t1_card *c, uint8_t pcb, const uint8_t *inf, size_t n)
{
    c->block[0] = 0;
    c->block[1] = pcb;
    c->block[2] = (uint8_t)n;
    if (n != 0)
        memcpy(c->block + 3, inf, n);
    c->block[3 + n] = 0;
    for (size_t k = 0; k < 3 + n; k++)
        c->block[3 + n] ^= c->block[k];
    c->block_n = 4 + n;
}

static void say_r(struct t1_card *c, uint8_t why)
{
    say(c, (uint8_t)(0x80 | c->nr << 4 | why), NULL, 0);
}

static void say_i(struct t1_card *c)
{
    bool more;

    c->chunk = c->out_n - c->at < c->ifsd ? c->out_n - c->at : c->ifsd;
    more = c->at + c->chunk < c->out_n;
    say(c, (uint8_t)(c->ns << 6 | more << 5), c->out + c->at, c->chunk);
}

void t1_card_reset(struct t1_card *c, size_t answer_n, uint8_t ifsc)
{
    memset(c, 0, sizeof *c);
    c->answer_n = answer_n;
    c->ifsc = ifsc;
    c->ifsd = 32;
}

void t1_card_answer(const struct t1_card *c, struct buf *out)
{
    buf_reset(out);
    for (size_t k = 0; k < c->answer_n; k++)
        buf_put_u8(out, (uint8_t)(k + c->command[0]));
    buf_put_u16(out, 0x9000);
}

static void execute(struct t1_card *c)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    c->runs++;
    memcpy(c->command, c->in, c->in_n);
    c->command_n = c->in_n;
    c->in_n = 0;
    t1_card_answer(c, &b);
    memcpy(c->out, b.p, b.n);
    c->out_n = b.n;
    c->at = 0;
    c->answering = true;
    c->asking = c->wtx_every && c->runs % c->wtx_every == 0;
    if (c->asking)
        say(c, 0xc3, (const uint8_t[]){ 1 }, 1);
    else
        say_i(c);
}

static void hear_i(struct t1_card *c, uint8_t pcb, struct span inf)
{
    if ((pcb >> 6 & 1) != c->nr || inf.n > c->ifsc ||
        inf.n > sizeof c->in - c->in_n) {
        say_r(c, 2);
        return;
    }
    if (c->answering) { /* it acknowledges the last of the answer */
        c->answering = false;
        c->ns ^= 1;
    }
    c->nr ^= 1;
    memcpy(c->in + c->in_n, inf.p, inf.n);
    c->in_n += inf.n;
    if (pcb & 0x20)
        say_r(c, 0);
    else
        execute(c);
}

static void hear_r(struct t1_card *c, uint8_t pcb)
{
    bool more = c->at + c->chunk < c->out_n;

    if (!c->answering) {
        say_r(c, 0);
    } else if ((pcb >> 4 & 1) == c->ns) {
        say_i(c);
    } else if (more) {
        c->at += c->chunk;
        c->ns ^= 1;
        say_i(c);
    } else {
        say_r(c, 2);
    }
}

static void hear_s(struct t1_card *c, uint8_t pcb, struct span inf)
{
    uint8_t ifsc = c->ifsc;
    unsigned runs = c->runs;

    if (pcb == 0xc0) {
        size_t answer_n = c->answer_n;
        unsigned wtx_every = c->wtx_every;
        t1_card_reset(c, answer_n, ifsc);
        c->runs = runs;
        c->wtx_every = wtx_every;
        say(c, 0xe0, NULL, 0);
    } else if (pcb == 0xc1 && inf.n == 1) {
        c->ifsd = inf.p[0];
        say(c, 0xe1, inf.p, 1);
    } else {
        say_r(c, 2);
    }
}

void t1_card_hear(struct t1_card *c, struct span b)
{
    uint8_t lrc = 0;
    bool good;

    for (size_t k = 0; k < b.n; k++)
        lrc ^= b.p[k];
    good = lrc == 0 && b.n >= 4 && b.p[0] == 0 && b.n == 4u + b.p[2];
    struct span inf = good ? SPAN(b.p + 3, b.p[2]) : SPAN(NULL, 0);
    if (c->asking && !(good && b.p[1] == 0xc0)) {
        /* Only its grant, or RESYNCH, gets further: rule 7.3. */
        if (good && b.p[1] == 0xe3) {
            c->asking = false;
            say_i(c);
        }
        return; /* else the same request again */
    }
    if (!good)
        say_r(c, 1);
    else if (!(b.p[1] & 0x80))
        hear_i(c, b.p[1], inf);
    else if ((b.p[1] & 0xc0) == 0x80)
        hear_r(c, b.p[1]);
    else
        hear_s(c, b.p[1], inf);
}
