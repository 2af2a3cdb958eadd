#include "tests/lab/usb/link_chip.h"

/* Chips behind a socket may die; who waits for one must come back. */
#define CHIP_TIMEOUT_MS 20000

bool link_chip_on(struct link_chip *c)
{
    AUTO(buf_clear) struct buf atr = BUF_INIT; /* the link has its own */

    c->answers = 0;
    c->on = c->fixture &&
            c->fixture->ops->power_on(c->fixture, &atr, CHIP_TIMEOUT_MS,
                                      NULL) == 0;
    return c->on;
}

void link_chip_off(struct link_chip *c)
{
    if (c->on)
        c->fixture->ops->power_off(c->fixture);
    c->on = false;
}

bool link_chip_ask(struct link_chip *c, struct span apdu, struct buf *rsp)
{
    if (!c->on)
        return false;
    c->apdus++;
    c->answers++;
    if (c->fixture->ops->transmit(c->fixture, apdu, rsp, CHIP_TIMEOUT_MS,
                                  NULL) == 0 &&
        rsp->n >= 2)
        return true;
    link_chip_off(c);
    return false;
}

uint64_t link_chip_think_ns(const struct link_chip *c)
{
    return c->o.think_ms * UINT64_C(1000000);
}

bool link_chip_every(const struct link_chip *c, unsigned every)
{
    return every && (c->answers + 1) % every == 0;
}
