#include "drivers/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fault {
    struct fixture base;
    struct fixture *inner;
    struct fault_plan plan;
    uint64_t random;
    unsigned calls;
    bool fired;
    bool unplugged, silent; /* what goes on after the call that fired */
};

static const char *const kind_names[FAULT_KINDS] = {
    [FAULT_FAIL] = "fail",
    [FAULT_SHORTEN] = "shorten",
    [FAULT_UNPLUG] = "unplug",
    [FAULT_SILENCE] = "silence",
};

const char *fault_kind_name(enum fault_kind k)
{
    return kind_names[k];
}

static struct fault *self(struct fixture *f)
{
    return (struct fault *)f;
}

/* splitmix64: the same seed spoils the same way on every machine. */
static uint64_t draw(struct fault *f)
{
    uint64_t z = f->random += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static int spoil(struct fault *f, struct err *e)
{
    switch (f->plan.kind) {
    case FAULT_UNPLUG:
        f->unplugged = true;
        f->inner->ops->power_off(f->inner);
        return err_set(e, ERR_NO_CARD, "fault: unplugged at call %u", f->calls);
    case FAULT_SILENCE:
        f->silent = true;
        return err_set(e, ERR_TIMEOUT, "fault: silent from call %u", f->calls);
    default:
        return err_set(e, ERR_IO, "fault: call %u fails", f->calls);
    }
}

static int fault_power_on(struct fixture *base, struct buf *atr, int timeout_ms,
                          struct err *e)
{
    struct fault *f = self(base);
    struct fixture *in = f->inner;

    f->silent = false;
    if (f->unplugged)
        return err_set(e, ERR_NO_CARD, "fault: unplugged");
    if (++f->calls != f->plan.at)
        return in->ops->power_on(in, atr, timeout_ms, e);
    f->fired = true;
    if (f->plan.kind == FAULT_SHORTEN) {
        if (in->ops->power_on(in, atr, timeout_ms, e) != 0)
            return -1;
        atr->n = atr->n ? (size_t)(draw(f) % atr->n) : 0;
        return 0;
    }
    spoil(f, e);
    /* fixture.h: a card that does not come up in time is no card. */
    if (f->plan.kind == FAULT_SILENCE)
        err_set(e, ERR_NO_CARD, "fault: no ATR at call %u", f->calls);
    return -1;
}

static int fault_transmit(struct fixture *base, struct span cmd,
                          struct buf *rsp, int timeout_ms, struct err *e)
{
    struct fault *f = self(base);
    struct fixture *in = f->inner;

    if (f->unplugged)
        return err_set(e, ERR_NO_CARD, "fault: unplugged");
    if (f->silent)
        return err_set(e, ERR_TIMEOUT, "fault: silent");
    if (++f->calls != f->plan.at)
        return in->ops->transmit(in, cmd, rsp, timeout_ms, e);
    f->fired = true;
    if (f->plan.kind == FAULT_SHORTEN) {
        if (in->ops->transmit(in, cmd, rsp, timeout_ms, e) != 0)
            return -1;
        rsp->n = (size_t)(draw(f) % rsp->n);
        return 0;
    }
    if (draw(f) & 1) /* the command arrived, its answer did not */
        in->ops->transmit(in, cmd, rsp, timeout_ms, NULL);
    buf_reset(rsp);
    return spoil(f, e);
}

static void fault_power_off(struct fixture *base)
{
    struct fault *f = self(base);

    f->silent = false;
    f->inner->ops->power_off(f->inner);
}

static void fault_close(struct fixture *base)
{
    if (!base)
        return;
    struct fault *f = self(base);
    f->inner->ops->close(f->inner);
    free(f);
}

int fault_wrap(struct fixture *inner, const struct fault_plan *plan,
               struct fixture **out, struct err *e)
{
    struct fault *f = calloc(1, sizeof *f);

    if (!f) {
        inner->ops->close(inner);
        return err_set(e, ERR_NOMEM, "no memory for a fixture");
    }
    f->base.ops = &fixture_fault;
    f->inner = inner;
    f->plan = *plan;
    f->random = plan->seed;
    *out = &f->base;
    return 0;
}

bool fault_fired(const struct fixture *f)
{
    return ((const struct fault *)f)->fired;
}

static int parse_kind(const char *name, enum fault_kind *out)
{
    for (int k = 0; k < FAULT_KINDS; k++)
        if (strcmp(name, kind_names[k]) == 0) {
            *out = (enum fault_kind)k;
            return 0;
        }
    return -1;
}

static int fault_open(void *env, const char *where, struct fixture **out,
               struct err *e)
{
    struct fault_plan plan = { 0 };
    struct fixture *inner;
    const char *rest;
    char kind[16];
    int used = 0;
    unsigned long long seed;

    if (sscanf(where, "%15[a-z]@%u:%llu:%n", kind, &plan.at, &seed, &used) != 3 ||
        used == 0 || parse_kind(kind, &plan.kind) != 0)
        return err_set(e, ERR_USAGE, "a fault is KIND@N:SEED:DRIVER:WHERE");
    plan.seed = seed;
    const struct fixture_ops *ops = fixture_driver(where + used, &rest);
    if (!ops)
        return err_set(e, ERR_USAGE, "no driver of that name: %s", where + used);
    if (ops->open(env, rest, &inner, e) != 0)
        return -1;
    return fault_wrap(inner, &plan, out, e);
}

const struct fixture_ops fixture_fault = {
    .name = "fault",
    .open = fault_open,
    .power_on = fault_power_on,
    .transmit = fault_transmit,
    .power_off = fault_power_off,
    .close = fault_close,
};
