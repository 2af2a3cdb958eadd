#include "station/line/contact.h"

static struct contact *self(struct fixture *f)
{
    return (struct contact *)f;
}

static int power_on(struct fixture *f, struct buf *atr, int timeout_ms,
                    struct err *e)
{
    struct contact *c = self(f);
    struct err why = ERR_INIT;

    if (c->inner->ops->power_on(c->inner, atr, timeout_ms, &why) == 0) {
        /* The card stays where it is from one scan to its verdict. */
        if (c->now.cycles)
            c->now.v[CONTACT_RESET]++;
        c->now.cycles = 1;
        return 0;
    }
    c->now.v[why.code == ERR_NO_CARD || why.code == ERR_TIMEOUT
             ? CONTACT_ATR_MISSING : CONTACT_TRANSPORT]++;
    if (e)
        *e = why;
    return -1;
}

static int transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                    int timeout_ms, struct err *e)
{
    struct contact *c = self(f);
    struct err why = ERR_INIT;

    if (c->inner->ops->transmit(c->inner, cmd, rsp, timeout_ms, &why) == 0)
        return 0;
    c->now.v[why.code == ERR_TIMEOUT ? CONTACT_TIMEOUT : CONTACT_TRANSPORT]++;
    if (e)
        *e = why;
    return -1;
}

static void power_off(struct fixture *f)
{
    self(f)->inner->ops->power_off(self(f)->inner);
}

static uint8_t speed(struct fixture *f)
{
    return fixture_speed(self(f)->inner);
}

/* Opened and closed by the worker, inside. */
static const struct fixture_ops ops = {
    .name = "contact", .power_on = power_on, .transmit = transmit,
    .power_off = power_off, .speed = speed,
};

void contact_init(struct contact *c)
{
    *c = (struct contact){ .base = { &ops } };
}

void contact_closed(struct contact *c)
{
    c->now.v[CONTACT_TRANSPORT]++;
}

void contact_slower(struct contact *c)
{
    atomic_fetch_add(&c->slower, 1);
}

struct contacts contact_take(struct contact *c)
{
    struct contacts now = c->now;

    now.v[CONTACT_SLOWER] = atomic_exchange(&c->slower, 0);
    c->now = (struct contacts){ .cycles = 0 };
    return now;
}
