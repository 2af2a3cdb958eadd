/* The keeper's part of a reader: what waits, and what puts things right. */
#include <stdio.h>

#include "drivers/ccid/internal.h"
#include "station/base/clock.h"

#define ABORT_REQUEST 0x01 /* CCID 1.10, 5.3.1 */
#define CLASS_OUT 0x21
#define LOST_MAX 2         /* then an abort that seems to help does not */
#define ASK_LATER_MS 100   /* a slot that wants to be asked, but is in use */
#define OUT_END_MS 1000    /* a cancelled transfer needs microseconds */

/* A command that needs no card. False: no answer that can be one. */
static bool ask(struct ccid_reader *r, unsigned slot, uint8_t type,
                struct ccid_answer *a, struct err *e)
{
    const struct ccid_request q = {
        .command = { .type = type, .slot = (uint8_t)slot },
        .wait_ms = CCID_REPLY_MS,
        .limit = clock_monotonic_ms() + 3 * CCID_REPLY_MS,
    };

    return reader_command(r, &q, true, a, e) == 0;
}

static bool ask_status(struct ccid_reader *r, unsigned slot, struct err *e)
{
    struct ccid_answer a;

    r->slots[slot].ask = false;
    return ask(r, slot, CCID_GET_SLOT_STATUS, &a, e);
}

/* --- halts ------------------------------------------------------------------------ */

static bool clear_halt(struct ccid_reader *r, bool *halted, uint8_t endpoint)
{
    struct err why = ERR_INIT;

    if (!*halted)
        return true;
    pthread_mutex_unlock(&r->lock);
    int bad = usb_clear_halt(r->usb, endpoint, &why);
    pthread_mutex_lock(&r->lock);
    *halted = false;
    pthread_cond_broadcast(&r->turn);
    return !bad;
}

static bool clear_halts(struct ccid_reader *r)
{
    bool fine = clear_halt(r, &r->halted_in, r->profile.bulk_in);

    fine &= clear_halt(r, &r->halted_out, r->profile.bulk_out);
    if (r->halted_irq) {
        if (!clear_halt(r, &r->halted_irq, r->profile.interrupt))
            r->polled = true;
        reader_listen(r);
    }
    return fine;
}

/* --- lost commands ------------------------------------------------------------------ */

/* Whatever was under way in this slot is under way no more (6.1.13). */
static bool abort_command(struct ccid_reader *r, unsigned slot)
{
    struct slot *s = &r->slots[slot];
    struct err why = ERR_INIT;
    struct ccid_answer a;

    if (atomic_load(&s->out_posted)) {
        usb_cancel(&s->out);
        if (!reader_wait_out(r, s, OUT_END_MS))
            return false;
    }
    r->counters.aborts++;
    uint16_t value = (uint16_t)(++s->seq << 8 | slot);
    pthread_mutex_unlock(&r->lock);
    int bad = usb_control(r->usb, CLASS_OUT, ABORT_REQUEST, value,
                          r->profile.interface, NULL, 0, NULL, CCID_REPLY_MS,
                          &why);
    pthread_mutex_lock(&r->lock);
    if (bad && why.code == ERR_TIMEOUT)
        return false;
    /* A reader that knows no abort can still be done with the command. */
    if (!ask(r, slot, bad ? CCID_GET_SLOT_STATUS : CCID_ABORT, &a, &why))
        return false;
    if (a.status == CCID_FAILED && a.error == CCID_ERROR_BUSY) {
        s->mending = true;
        r->busy++;
        return false;
    }
    return true;
}

static bool abort_lost(struct ccid_reader *r)
{
    for (unsigned i = 0; i < r->profile.slots && r->state == READER_UP; i++)
        if (r->slots[i].mending && !abort_command(r, i))
            return false;
    return r->lost < LOST_MAX;
}

/* --- who is there --------------------------------------------------------------------- */

/* All readers at the same moments: what is woken for one serves them all. */
static int64_t next_poll(int64_t now)
{
    return (now / CCID_POLL_MS + 1) * CCID_POLL_MS;
}

static bool ask_due(struct ccid_reader *r)
{
    int64_t now = clock_monotonic_ms();
    bool poll = r->polled && now >= r->next_poll;
    struct err why = ERR_INIT;

    if (poll)
        r->next_poll = next_poll(now);
    for (unsigned i = 0; i < r->profile.slots && r->state == READER_UP; i++) {
        struct slot *s = &r->slots[i];

        if (s->taken || r->busy >= r->profile.busy_slots)
            continue; /* its answer tells; or later */
        if (!(s->ask || (poll && !s->in_use)))
            continue;
        if (!ask_status(r, i, &why) && why.code == ERR_TIMEOUT &&
            r->slots[i].mending)
            return false;
    }
    return true;
}

static int until_next(const struct ccid_reader *r)
{
    if (r->state != READER_UP)
        return -1;
    for (unsigned i = 0; i < r->profile.slots; i++)
        if (r->slots[i].ask)
            return ASK_LATER_MS;
    for (unsigned i = 0; r->polled && i < r->profile.slots; i++)
        if (!r->slots[i].in_use) {
            int64_t left = r->next_poll - clock_monotonic_ms();
            return left > 0 ? (int)left : 0;
        }
    return -1;
}

/* What no abort mends, a reset may: once. */
static enum ccid_tend give_up(struct ccid_reader *r, struct err *e)
{
    if (r->state != READER_UP)
        return CCID_TEND_FINE;
    if (usb_gone(r->usb))
        return CCID_TEND_FINE; /* it will be told */
    if (!r->reset_spent) {
        r->reset_spent = true;
        r->counters.resets++;
        return CCID_TEND_RESET;
    }
    err_set(e, ERR_TIMEOUT,
            "it fell silent, or asked for more time without end, was reset, "
            "and did so again; unplug it, try another card, look at its cable "
            "and hub, and replace it if none of that helps");
    return CCID_TEND_PARK;
}

enum ccid_tend ccid_reader_tend(struct ccid_reader *r, int *next_ms,
                                struct err *e)
{
    enum ccid_tend result = CCID_TEND_FINE;

    pthread_mutex_lock(&r->lock);
    if (r->state == READER_UP &&
        !(clear_halts(r) && abort_lost(r) && ask_due(r)))
        result = give_up(r, e);
    *next_ms = until_next(r);
    pthread_mutex_unlock(&r->lock);
    return result;
}

/* --- open, reset ------------------------------------------------------------------------ */

static int ask_all(struct ccid_reader *r, struct err *e)
{
    for (unsigned i = 0; i < r->profile.slots; i++)
        if (!ask_status(r, i, e))
            return err_wrap(e, "slot %u", i + 1);
    r->next_poll = next_poll(clock_monotonic_ms());
    return 0;
}

int ccid_reader_open(struct ccid_reader *r, struct usb_handle *h, struct err *e)
{
    if (usb_claim(h, r->profile.interface, e) != 0)
        return -1;
    pthread_mutex_lock(&r->lock);
    int result = 0;
    if (r->state == READER_NEW) {
        r->usb = h;
        r->state = READER_UP;
        reader_listen(r);
        result = ask_all(r, e);
        if (result != 0 && r->state == READER_UP) {
            r->reset_spent = true; /* on what the caller does next */
            r->counters.resets++;
            e->code = ERR_TIMEOUT;
        }
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

void ccid_reader_suspend(struct ccid_reader *r)
{
    pthread_mutex_lock(&r->lock);
    if (r->state == READER_UP)
        r->state = READER_SUSPENDED;
    pthread_mutex_unlock(&r->lock);
}

static void forget(struct ccid_reader *r)
{
    reader_break_all(r, false, ERR_IO,
                     "the reader was reset; scan the unit again");
    r->busy = 0;
    r->lost = LOST_MAX - 1; /* the next one is one too many */
    r->halted_in = r->halted_out = r->halted_irq = false;
    for (unsigned i = 0; i < r->profile.slots; i++) {
        struct slot *s = &r->slots[i];

        s->mending = false;
        s->powered = false;
        s->epoch++;
        r->busy += s->taken; /* it is about to notice */
    }
}

int ccid_reader_restart(struct ccid_reader *r, struct err *e)
{
    int result = 0;

    pthread_mutex_lock(&r->lock);
    if (r->state == READER_SUSPENDED) {
        forget(r);
        r->state = READER_UP;
        reader_listen(r);
        pthread_cond_broadcast(&r->turn);
        result = ask_all(r, e);
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}
