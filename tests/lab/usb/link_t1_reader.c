/* The reader's side of T=1, for readers that are given APDUs. Three damaged
 * or missing blocks in a row, then one RESYNCH to leave the card in order;
 * the command is not sent again: the host must decide that. */
#include "tests/lab/usb/link_t1.h"

#define TRIES 3
#define ANSWER_TOP 65538

struct talk {
    struct t1_reader *r;
    const struct t1_wire *w;
    struct span left;      /* of the command, after the block under way */
    size_t chunk;          /* octets in the block under way             */
    struct buf out;        /* the last block of ours                    */
    struct buf last_i;
    struct buf *rsp;
    unsigned tries, times; /* failures in a row; BWT granted            */
    bool damaged;          /* the last failure: a block, but a bad one  */
};

void link_t1_reader_reset(struct t1_reader *r, uint8_t ifsc, bool crc)
{
    *r = (struct t1_reader){ .ifsc = ifsc, .crc = crc };
}

static void set(struct talk *t, uint8_t pcb, struct span inf)
{
    buf_reset(&t->out);
    link_t1_block_put(&t->out, t->r->crc, 0, pcb, inf);
}

static void set_r(struct talk *t, uint8_t error)
{
    set(t, (uint8_t)(T1_R | (t->r->nr ? T1_R_SEQUENCE : 0) | error),
        SPAN(NULL, 0));
}

static void set_i(struct talk *t)
{
    t->chunk = t->left.n < t->r->ifsc ? t->left.n : t->r->ifsc;
    set(t, (uint8_t)((t->r->ns ? T1_I_SEQUENCE : 0) |
                     (t->chunk < t->left.n ? T1_I_MORE : 0)),
        span_sub(t->left, 0, t->chunk));
    buf_reset(&t->last_i);
    buf_put_span(&t->last_i, buf_span(&t->out));
}

static enum link_result failed(struct talk *t, bool damaged, uint8_t error)
{
    t->damaged = damaged;
    if (++t->tries > TRIES)
        return damaged ? LINK_PARITY : LINK_MUTE;
    set_r(t, error);
    return LINK_OK;
}

static enum link_result heard_r(struct talk *t, const struct t1_octets *b)
{
    struct t1_reader *r = t->r;
    bool next = !(b->pcb & T1_R_SEQUENCE) != !r->ns;

    if (next && t->chunk < t->left.n) {
        t->left = span_sub(t->left, t->chunk, t->left.n);
        r->ns ^= 1;
        t->tries = 0;
        set_i(t);
        return LINK_OK;
    }
    if (++t->tries > TRIES)
        return LINK_PARITY;
    if (t->left.n == 0) { /* it answers already: an R of ours was damaged */
        set_r(t, 0);
        return LINK_OK;
    }
    buf_reset(&t->out);
    buf_put_span(&t->out, buf_span(&t->last_i));
    return LINK_OK;
}

static enum link_result heard_i(struct talk *t, const struct t1_octets *b,
                                bool *done)
{
    struct t1_reader *r = t->r;

    if ((!(b->pcb & T1_I_SEQUENCE) != !r->nr) || t->chunk < t->left.n)
        return failed(t, true, T1_R_OTHER);
    if (t->chunk || t->left.n) { /* their first block acknowledges our last */
        t->left = SPAN(NULL, 0);
        t->chunk = 0;
    }
    r->nr ^= 1;
    t->tries = 0;
    buf_put_span(t->rsp, b->inf);
    if (t->rsp->n > ANSWER_TOP)
        return LINK_PARITY;
    if (b->pcb & T1_I_MORE)
        set_r(t, 0);
    else
        *done = true;
    return LINK_OK;
}

static enum link_result heard_s(struct talk *t, const struct t1_octets *b)
{
    if (b->pcb == T1_S_WTX && b->inf.n == 1) {
        t->times = b->inf.p[0] ? b->inf.p[0] : 1;
        if (t->w->more_time)
            t->w->more_time(t->w->ctx, t->times);
    } else if (b->pcb == T1_S_IFS && b->inf.n == 1 && b->inf.p[0] &&
               b->inf.p[0] != 255) {
        t->r->ifsc = b->inf.p[0];
    } else if (b->pcb != T1_S_ABORT) {
        return failed(t, true, T1_R_OTHER);
    }
    set(t, b->pcb | T1_S_RESPONSE, b->inf);
    return LINK_OK;
}

static enum link_result turn(struct talk *t, bool *done)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;
    struct t1_octets b;
    unsigned times = t->times;

    t->times = 1;
    enum link_result r = t->w->exchange(t->w->ctx, buf_span(&t->out), times,
                                        &in);
    if (r == LINK_STOPPED)
        return r;
    if (r != LINK_OK)
        return failed(t, r == LINK_PARITY, T1_R_OTHER);
    uint8_t bad = link_t1_block_read(buf_span(&in), t->r->crc, &b);
    if (bad)
        return failed(t, true, bad);
    if ((b.pcb & 0x80) == 0)
        return heard_i(t, &b, done);
    if ((b.pcb & 0xC0) == 0x80)
        return heard_r(t, &b);
    return heard_s(t, &b);
}

/* S-request of ours until its response comes. */
static enum link_result request(struct t1_reader *r, const struct t1_wire *w,
                                uint8_t pcb, struct span inf)
{
    AUTO(buf_clear) struct buf out = BUF_INIT;
    enum link_result result = LINK_MUTE;

    link_t1_block_put(&out, r->crc, 0, pcb, inf);
    for (unsigned i = 0; i < TRIES; i++) {
        AUTO(buf_clear) struct buf in = BUF_INIT;
        struct t1_octets b;

        result = w->exchange(w->ctx, buf_span(&out), 1, &in);
        if (result == LINK_STOPPED)
            return result;
        if (result == LINK_OK &&
            link_t1_block_read(buf_span(&in), r->crc, &b) == 0 &&
            b.pcb == (pcb | T1_S_RESPONSE) && span_eq(b.inf, inf))
            return LINK_OK;
    }
    return result == LINK_OK ? LINK_PARITY : result;
}

enum link_result link_t1_reader_ifsd(struct t1_reader *r,
                                     const struct t1_wire *w)
{
    static const uint8_t ifsd[] = { T1_IFS_TOP };

    return request(r, w, T1_S_IFS, SPAN_ARRAY(ifsd));
}

static void resynchronise(struct t1_reader *r, const struct t1_wire *w)
{
    if (request(r, w, T1_S_RESYNCH, SPAN(NULL, 0)) != LINK_OK)
        return;
    r->ns = r->nr = 0;
    link_t1_reader_ifsd(r, w);
}

enum link_result link_t1_reader_apdu(struct t1_reader *r,
                                     const struct t1_wire *w, struct span apdu,
                                     struct buf *rsp)
{
    struct talk t = { .r = r, .w = w, .left = apdu, .rsp = rsp, .times = 1 };
    enum link_result result = LINK_OK;
    bool done = false;

    buf_reset(rsp);
    set_i(&t);
    while (!done && result == LINK_OK)
        result = turn(&t, &done);
    if (done)
        r->ns ^= 1;
    else if (result != LINK_STOPPED)
        resynchronise(r, w);
    buf_clear(&t.out);
    buf_clear(&t.last_i);
    return result;
}
