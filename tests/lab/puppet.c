#include "tests/lab/puppet.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t puppet_atr[] = { 0x3B, 0x9F, 0x96, 0xC0, 0x0A, 0x3F, 0xC7,
                                      0x82, 0x80, 0x31, 0xE0, 0x73, 0xFE, 0x21,
                                      0x1F, 0x65, 0xD0, 0x02, 0x33, 0x14, 0xA5,
                                      0x81, 0x0F, 0xE4 };

struct puppet {
    struct fixture base;
    struct puppet_rules rules;
    unsigned apdus, power_ons;
    bool powered, selected;
    unsigned p2;        /* of the block expected next     */
    struct buf chain;   /* what has come of it            */
    struct buf pending; /* answer octets not yet fetched  */
    uint16_t last_sw;   /* what ends the pending answer   */
};

static struct puppet *self(struct fixture *f)
{
    return (struct puppet *)f;
}

static void forget(struct puppet *p)
{
    p->selected = false;
    p->p2 = 0;
    buf_reset(&p->chain);
    buf_reset(&p->pending);
}

static unsigned channel(const struct puppet *p)
{
    return p->rules.channel ? p->rules.channel : 1;
}

/* The class of a command on our channel: proprietary 8X/CX, ISO 0X/4X. */
static uint8_t class_of(const struct puppet *p, uint8_t base)
{
    unsigned n = channel(p);

    return (uint8_t)(n < 4 ? base + n : base + 0x40 + (n - 4));
}

/* Up to le octets of what is pending, and the status word after them. */
static uint16_t hand_out(struct puppet *p, size_t le, struct buf *rsp)
{
    size_t n = p->pending.n < le ? p->pending.n : le;

    buf_put(rsp, p->pending.p, n);
    buf_drop_front(&p->pending, n);
    if (p->pending.n == 0)
        return p->last_sw;
    return (uint16_t)(0x6100 | (p->pending.n > 255 ? 0 : p->pending.n));
}

static uint16_t manage_channel(struct puppet *p, struct buf *rsp)
{
    if (p->rules.refusals > 0) {
        p->rules.refusals--;
        return 0x6A81;
    }
    buf_put_u8(rsp, (uint8_t)channel(p));
    return 0x9000;
}

static uint16_t store_data(struct puppet *p, struct span cmd, struct buf *rsp)
{
    if (!p->selected || cmd.p[0] != class_of(p, 0x80))
        return 0x6E00;
    if (cmd.n < 5 || cmd.p[4] == 0 || cmd.n < 5u + cmd.p[4] ||
        cmd.n > 6u + cmd.p[4])
        return 0x6700;
    if (cmd.p[3] != (p->p2 & 0xFF))
        return 0x6A86;
    buf_put(&p->chain, cmd.p + 5, cmd.p[4]);
    p->p2++;
    if (cmd.p[2] != 0x91)
        return 0x9000;
    buf_reset(&p->pending);
    p->last_sw = p->rules.answer ? p->rules.answer(p->rules.ctx,
                                                   buf_span(&p->chain),
                                                   &p->pending)
                                 : 0x9000;
    p->p2 = 0;
    buf_reset(&p->chain);
    return hand_out(p, p->rules.by_get_response ? 0 : 256, rsp);
}

static uint16_t process(struct puppet *p, struct span cmd, struct buf *rsp)
{
    if (cmd.n < 4)
        return 0x6700;
    switch (cmd.p[1]) {
    case 0xAA:
        return 0x9000;
    case 0x70:
        return manage_channel(p, rsp);
    case 0xA4:
        p->selected = cmd.p[0] == class_of(p, 0x00);
        return p->selected ? 0x9000 : 0x6E00;
    case 0xE2:
        return store_data(p, cmd, rsp);
    case 0xC0:
        if (p->pending.n == 0 || cmd.n != 5 || cmd.p[0] != class_of(p, 0x80))
            return 0x6985;
        return hand_out(p, cmd.p[4] ? cmd.p[4] : 256, rsp);
    default:
        return 0x6D00;
    }
}

static int puppet_open(void *env, const char *where, struct fixture **out,
               struct err *e)
{
    static const struct puppet_rules none;

    (void)env;
    (void)where;
    return puppet_new(&none, out, e);
}

static int puppet_power_on(struct fixture *f, struct buf *atr, int timeout_ms,
                           struct err *e)
{
    struct puppet *p = self(f);

    (void)timeout_ms;
    forget(p);
    p->powered = true;
    p->power_ons++;
    buf_reset(atr);
    buf_put_span(atr, SPAN_ARRAY(puppet_atr));
    return buf_ok(atr) ? 0 : err_set(e, ERR_NOMEM, "no memory for an ATR");
}

static int puppet_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                           int timeout_ms, struct err *e)
{
    struct puppet *p = self(f);

    (void)timeout_ms;
    if (!p->powered)
        return err_set(e, ERR_NO_CARD, "the card has no power");
    p->apdus++;
    buf_reset(rsp);
    uint16_t sw = process(p, cmd, rsp);
    buf_put_u16(rsp, sw);
    return buf_ok(rsp) ? 0 : err_set(e, ERR_NOMEM, "no memory for an answer");
}

static void puppet_power_off(struct fixture *f)
{
    forget(self(f));
    self(f)->powered = false;
}

static void puppet_close(struct fixture *f)
{
    if (!f)
        return;
    struct puppet *p = self(f);
    buf_clear(&p->chain);
    buf_clear(&p->pending);
    free(p);
}

static const struct fixture_ops puppet_ops = {
    .name = "puppet",
    .open = puppet_open,
    .power_on = puppet_power_on,
    .transmit = puppet_transmit,
    .power_off = puppet_power_off,
    .close = puppet_close,
};

int puppet_new(const struct puppet_rules *rules, struct fixture **out,
               struct err *e)
{
    struct puppet *p = calloc(1, sizeof *p);

    if (!p)
        return err_set(e, ERR_NOMEM, "no memory for a puppet");
    p->base.ops = &puppet_ops;
    p->rules = *rules;
    *out = &p->base;
    return 0;
}

unsigned puppet_apdus(const struct fixture *f)
{
    return ((const struct puppet *)f)->apdus;
}

unsigned puppet_power_ons(const struct fixture *f)
{
    return ((const struct puppet *)f)->power_ons;
}
