#include "drivers/ccid/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ccid/internal.h"
#include "station/base/clock.h"

/* A card that asks for more time for ever ends here at the latest; the limit
 * of the caller comes first as a rule. */
#define EXTENSIONS_MS 120000
#define IRQ_FAILURES_MAX 3
#define IN_ROOM 512 /* more than any answer to what we ask */
#define IRQ_ROOM 8  /* 16 slots have five octets */

/* --- presence ----------------------------------------------------------------- */

static void lose_card(struct slot *s)
{
    s->epoch++;
    s->powered = false;
}

static void note_presence(struct ccid_reader *r, struct slot *s, bool present)
{
    if (s->present == present)
        return;
    if (!present)
        lose_card(s);
    s->present = present;
    r->wake(r->ctx);
}

static void note_icc(struct ccid_reader *r, struct slot *s, enum ccid_icc icc)
{
    if (icc == CCID_ICC_INACTIVE && s->powered)
        lose_card(s);
    note_presence(r, s, icc != CCID_ICC_ABSENT);
}

/* --- answers ------------------------------------------------------------------- */

static void over(struct ccid_reader *r, struct slot *s, enum await how)
{
    s->await = how;
    r->awaited--;
    if (how == AWAIT_OVER)
        r->answered = s; /* in_done wakes who waits, without the lock */
    else
        pthread_cond_signal(&s->answered);
}

static void broken(struct ccid_reader *r, struct slot *s, bool mend,
                   const struct err *why)
{
    s->err = *why;
    s->mending = mend;
    over(r, s, AWAIT_BROKEN);
}

void reader_break_all(struct ccid_reader *r, bool mend, enum err_code code,
                      const char *text)
{
    struct err why = ERR_INIT;

    err_set(&why, code, "%s", text);
    for (unsigned i = 0; i < r->profile.slots; i++)
        if (r->slots[i].await == AWAIT_ANSWER)
            broken(r, &r->slots[i], mend, &why);
    pthread_cond_broadcast(&r->turn);
}

void reader_down(struct ccid_reader *r, const char *why)
{
    if (r->state == READER_DOWN)
        return;
    r->state = READER_DOWN;
    snprintf(r->why, sizeof r->why, "%s", why);
    for (unsigned i = 0; i < r->profile.slots; i++)
        lose_card(&r->slots[i]);
    reader_break_all(r, false, ERR_NO_CARD, why);
    r->wake(r->ctx);
}

#define UNPLUGGED "the reader was unplugged; plug it in and scan the unit again"

static void extend(struct ccid_reader *r, struct slot *s, unsigned times)
{
    int64_t deadline = clock_monotonic_ms() + CCID_SLACK_MS +
                       (int64_t)(times ? times : 1) * s->extension_ms;

    r->counters.extensions++;
    if (s->extension_ms == 0)
        return;
    s->extended = true;
    s->deadline = deadline < s->latest ? deadline : s->latest;
    pthread_cond_signal(&s->answered);
}

/* Who waits for this? NULL: nobody. An answer that is none, with no head to
 * tell by, can only be that of the one command that is under way. */
static struct slot *addressee(struct ccid_reader *r, const struct ccid_answer *a,
                              bool headless)
{
    struct slot *found = NULL;

    for (unsigned i = 0; i < r->profile.slots; i++) {
        struct slot *s = &r->slots[i];
        if (s->await != AWAIT_ANSWER)
            continue;
        if (a->slot == i && a->seq == s->seq && !headless)
            return s;
        if (headless && r->awaited == 1)
            found = s;
    }
    return found;
}

static void take_message(struct ccid_reader *r, struct span m)
{
    struct err why = ERR_INIT;
    struct ccid_answer a;
    bool bad = ccid_message_decode(m, &a, &why) != 0;
    struct slot *s = addressee(r, &a, bad && m.n < 7);

    if (bad)
        r->counters.malformed++;
    if (!s) {
        r->counters.stale++;
        return;
    }
    if (!bad && a.type != s->answer_type)
        bad = err_set(&why, ERR_FORMAT,
                      "the reader answered with message %02X where %02X was "
                      "due; replace it if that happens again",
                      a.type, s->answer_type) != 0;
    if (bad) {
        broken(r, s, false, &why);
        return;
    }
    if (a.status == CCID_MORE_TIME) {
        extend(r, s, a.error);
        return;
    }
    memcpy(s->in_data, a.data.p, a.data.n);
    s->answer = a;
    s->answer.data.p = s->in_data;
    note_icc(r, s, a.icc);
    r->counters.answers++;
    over(r, s, AWAIT_OVER);
}

static const struct { enum err_code code; const char *text; } in_trouble[] = {
    [USB_STALL] = { ERR_IO, "the reader halted its answers; if that happens "
                            "again, replace it" },
    [USB_OVERFLOW] = { ERR_FORMAT, "the reader sent more than an answer has; "
                                   "if that happens again, replace it" },
    [USB_FAILED] = { ERR_IO, "the USB transfer failed; look at the cable and "
                             "the hub" },
};

/* True: it is the end of this reader. */
static bool trouble(struct ccid_reader *r, enum usb_status st, bool *halted)
{
    if (st == USB_GONE) {
        reader_down(r, UNPLUGGED);
        return true;
    }
    if (r->state != READER_UP || st == USB_CANCELLED)
        return false;
    r->counters.stalls += st == USB_STALL;
    *halted = true;
    r->wake(r->ctx);
    return false;
}

static void post_in(struct ccid_reader *r)
{
    struct err why = ERR_INIT;

    if (r->in_posted || r->halted_in || r->state != READER_UP)
        return;
    r->in_posted = true;
    if (usb_submit(r->usb, &r->in, &why) != 0) {
        r->in_posted = false;
        reader_break_all(r, true, why.code, why.msg);
        r->wake(r->ctx);
    }
}

static void in_done(struct usb_transfer *t, enum usb_status st, size_t actual)
{
    struct ccid_reader *r = t->ctx;

    pthread_mutex_lock(&r->lock);
    r->in_posted = false;
    r->answered = NULL;
    if (st == USB_DONE) {
        take_message(r, SPAN(r->in_data, actual));
    } else if (!trouble(r, st, &r->halted_in) && st != USB_CANCELLED) {
        reader_break_all(r, true, in_trouble[st].code, in_trouble[st].text);
    }
    /* Cancelled it was by a reset, which may be over by now: what is awaited
     * then was sent after it. */
    if (r->awaited > 0)
        post_in(r);
    struct slot *s = r->answered;
    pthread_mutex_unlock(&r->lock);
    /* Who is woken needs the lock first thing. Slots stay until usb_close is
     * through, and that waits for us. */
    if (s)
        pthread_cond_signal(&s->answered);
}

static void out_done(struct usb_transfer *t, enum usb_status st, size_t actual)
{
    struct ccid_reader *r = t->ctx;
    struct slot *s = (struct slot *)((char *)t - offsetof(struct slot, out));
    struct err why = ERR_INIT;

    /* Most end like this, while the one who sent it holds the lock still. */
    if (st == USB_DONE && actual == t->length) {
        atomic_store(&s->out_posted, false);
        if (atomic_load(&r->waiters) == 0)
            return;
    }
    pthread_mutex_lock(&r->lock);
    atomic_store(&s->out_posted, false);
    if (st == USB_DONE && actual < t->length)
        st = USB_FAILED;
    if (st != USB_DONE && !trouble(r, st, &r->halted_out) &&
        s->await == AWAIT_ANSWER) {
        err_set(&why, ERR_IO, "the reader did not take a command (%s); if that "
                              "happens again, replace it", usb_status_text(st));
        broken(r, s, true, &why);
        r->wake(r->ctx);
    }
    pthread_cond_broadcast(&r->turn);
    pthread_mutex_unlock(&r->lock);
}

/* --- changes -------------------------------------------------------------------- */

static void take_changes(struct ccid_reader *r, struct span m)
{
    struct span bits;

    if (!ccid_message_slots(m, r->profile.slots, &bits))
        return;
    for (unsigned i = 0; i < r->profile.slots; i++) {
        unsigned two = bits.p[i / 4] >> (i % 4 * 2) & 3;
        struct slot *s = &r->slots[i];

        if (!(two & 1)) {
            note_presence(r, s, false);
        } else if (two & 2) { /* came, or left and came: only it can tell */
            s->ask = true;
            r->wake(r->ctx);
        }
    }
}

void reader_listen(struct ccid_reader *r)
{
    if (r->polled || r->irq_posted || r->halted_irq || r->state != READER_UP)
        return;
    r->irq_posted = usb_submit(r->usb, &r->irq, NULL) == 0;
    if (!r->irq_posted) {
        r->polled = true;
        r->wake(r->ctx);
    }
}

static void irq_done(struct usb_transfer *t, enum usb_status st, size_t actual)
{
    struct ccid_reader *r = t->ctx;

    pthread_mutex_lock(&r->lock);
    r->irq_posted = false;
    if (st == USB_DONE) {
        r->irq_failures = 0;
        take_changes(r, SPAN(r->irq_data, actual));
    } else if (!trouble(r, st, &r->halted_irq) && st != USB_CANCELLED &&
               ++r->irq_failures >= IRQ_FAILURES_MAX) {
        r->polled = true;
    }
    reader_listen(r);
    pthread_mutex_unlock(&r->lock);
}

/* --- commands -------------------------------------------------------------------- */

static struct timespec at(int64_t ms)
{
    return (struct timespec){ .tv_sec = (time_t)(ms / 1000),
                              .tv_nsec = (long)(ms % 1000) * 1000000 };
}

bool reader_wait_out(struct ccid_reader *r, const struct slot *s, int ms)
{
    struct timespec until = at(clock_monotonic_ms() + ms);
    int late = 0;

    atomic_fetch_add(&r->waiters, 1);
    while (atomic_load(&s->out_posted) && r->state != READER_DOWN &&
           late != ETIMEDOUT)
        late = pthread_cond_timedwait(&r->turn, &r->lock, &until);
    atomic_fetch_sub(&r->waiters, 1);
    return !atomic_load(&s->out_posted);
}

static bool my_turn(const struct ccid_reader *r, const struct slot *s,
                    bool keeper)
{
    /* The keeper opens and mends: it goes first, and in its own turn. */
    if (s->taken || atomic_load(&s->out_posted) || r->halted_out || r->halted_in)
        return false;
    if (keeper && s->mending)
        return r->state == READER_UP; /* what it replaces was counted */
    return r->state == READER_UP && !s->mending &&
           r->busy < r->profile.busy_slots;
}

static int no_card(const struct ccid_reader *r, const struct slot *s,
                   const struct ccid_request *q, struct err *e)
{
    if (r->state == READER_DOWN)
        return err_set(e, ERR_NO_CARD, "%s", r->why);
    if (q->epoch && q->epoch != s->epoch)
        return err_set(e, ERR_NO_CARD,
                       "the card was pulled, or its reader reset; put it back "
                       "and scan the unit again");
    return 0;
}

static int await_turn(struct ccid_reader *r, struct slot *s,
                      const struct ccid_request *q, bool keeper, struct err *e)
{
    struct timespec until = at(q->limit);

    for (;;) {
        if (no_card(r, s, q, e) != 0)
            return -1;
        if (my_turn(r, s, keeper))
            return 0;
        atomic_fetch_add(&r->waiters, 1);
        int late = my_turn(r, s, keeper)
                       ? 0
                       : pthread_cond_timedwait(&r->turn, &r->lock, &until);
        atomic_fetch_sub(&r->waiters, 1);
        if (late == ETIMEDOUT && !my_turn(r, s, keeper))
            return err_set(e, ERR_TIMEOUT,
                           "the reader was busy for too long; if that happens "
                           "again, plug it in anew");
    }
}

static int send(struct ccid_reader *r, struct slot *s,
                const struct ccid_request *q, struct err *e)
{
    struct ccid_command c = q->command;
    int64_t now = clock_monotonic_ms();

    /* An abort bears the number that its control request had. */
    c.seq = c.type == CCID_ABORT ? s->seq : ++s->seq;
    s->out.length = ccid_message_encode(&c, s->out_data);
    if (s->out.length == 0 || s->out.length > r->profile.message_max)
        return err_set(e, ERR_LIMIT,
                       "%zu octets are more than this reader takes at once",
                       c.data.n);
    s->answer_type = ccid_message_answer_type(c.type);
    s->extension_ms = q->extension_ms;
    s->extended = false;
    s->latest = now + q->wait_ms + EXTENSIONS_MS;
    if (s->latest > q->limit)
        s->latest = q->limit;
    s->deadline = now + q->wait_ms < s->latest ? now + q->wait_ms : s->latest;
    if (c.type == CCID_POWER_OFF)
        s->powered = false;
    s->await = AWAIT_ANSWER;
    r->awaited++;
    post_in(r);
    if (s->await != AWAIT_ANSWER) { /* could not be posted */
        *e = s->err;
        return -1;
    }
    atomic_store(&s->out_posted, true);
    if (usb_submit(r->usb, &s->out, e) != 0) {
        atomic_store(&s->out_posted, false);
        s->await = AWAIT_NOTHING;
        r->awaited--;
        return -1;
    }
    r->counters.commands++;
    return 0;
}

static void await_answer(struct ccid_reader *r, struct slot *s)
{
    while (s->await == AWAIT_ANSWER) {
        struct timespec until = at(s->deadline);

        if (pthread_cond_timedwait(&s->answered, &r->lock, &until) == ETIMEDOUT &&
            clock_monotonic_ms() >= s->deadline)
            return;
    }
}

static int outcome(struct ccid_reader *r, struct slot *s,
                   const struct ccid_request *q, struct ccid_answer *a,
                   struct err *e)
{
    switch (s->await) {
    case AWAIT_OVER:
        if (no_card(r, s, q, e) != 0)
            return -1;
        if (q->command.type == CCID_POWER_ON && s->answer.status == CCID_OK)
            s->powered = true;
        *a = s->answer;
        return 0;
    case AWAIT_BROKEN:
        return err_set(e, s->err.code, "%s", s->err.msg);
    default:
        r->awaited--;
        s->mending = true;
        /* Cut off by an impatient caller it is nobody's fault. */
        r->lost += s->extended || s->deadline < q->limit;
        r->wake(r->ctx);
        return err_set(e, ERR_TIMEOUT,
                       "the reader did not answer in the time that the card "
                       "is given; reseat the card and scan the unit again");
    }
}

int reader_command(struct ccid_reader *r, const struct ccid_request *q,
                   bool keeper, struct ccid_answer *a, struct err *e)
{
    struct err why = ERR_INIT;
    struct slot *s = &r->slots[q->command.slot];

    if (await_turn(r, s, q, keeper, e) != 0)
        return -1;
    bool replaces = s->mending;
    s->taken = true;
    s->mending = false;
    if (!replaces)
        r->busy++;
    int result = send(r, s, q, &why);
    if (result == 0) {
        await_answer(r, s);
        result = outcome(r, s, q, a, &why);
    }
    s->await = AWAIT_NOTHING;
    s->taken = false;
    if (!s->mending && r->busy > 0)
        r->busy--;
    pthread_cond_broadcast(&r->turn);
    if (result != 0)
        err_set(e, why.code, "%s", why.msg);
    return result;
}

int ccid_reader_exchange(struct ccid_reader *r, const struct ccid_request *q,
                         struct ccid_answer *a, struct err *e)
{
    pthread_mutex_lock(&r->lock);
    int result = reader_command(r, q, false, a, e);
    pthread_mutex_unlock(&r->lock);
    return result;
}

/* --- life ------------------------------------------------------------------------ */

static void init_cond(pthread_cond_t *c)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(c, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void init_slot(struct ccid_reader *r, struct slot *s)
{
    init_cond(&s->answered);
    s->present = -1;
    s->epoch = 1;
    s->out = (struct usb_transfer){ .endpoint = r->profile.bulk_out,
                                    .data = s->out_data,
                                    .done = out_done,
                                    .ctx = r };
}

int ccid_reader_new(const struct ccid_profile *p, void (*wake)(void *ctx),
                    void *ctx, struct ccid_reader **out, struct err *e)
{
    struct ccid_reader *r = calloc(1, sizeof *r);
    size_t room = (IN_ROOM + p->in_packet - 1) / p->in_packet * p->in_packet;
    size_t irq_room = p->interrupt_packet > IRQ_ROOM ? p->interrupt_packet
                                                     : IRQ_ROOM;

    if (r)
        r->in_data = malloc(room + irq_room);
    if (!r || !r->in_data) {
        free(r);
        return err_set(e, ERR_NOMEM, "no memory for a reader");
    }
    r->profile = *p;
    r->wake = wake;
    r->ctx = ctx;
    r->irq_data = r->in_data + room;
    r->polled = p->interrupt == 0;
    pthread_mutex_init(&r->lock, NULL);
    init_cond(&r->turn);
    r->in = (struct usb_transfer){ .endpoint = p->bulk_in, .data = r->in_data,
                                   .length = room, .done = in_done, .ctx = r };
    r->irq = (struct usb_transfer){ .endpoint = p->interrupt, .interrupt = true,
                                    .data = r->irq_data,
                                    .length = irq_room,
                                    .done = irq_done, .ctx = r };
    for (unsigned i = 0; i < p->slots; i++)
        init_slot(r, &r->slots[i]);
    *out = r;
    return 0;
}

void ccid_reader_free(struct ccid_reader *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < r->profile.slots; i++)
        pthread_cond_destroy(&r->slots[i].answered);
    pthread_cond_destroy(&r->turn);
    pthread_mutex_destroy(&r->lock);
    free(r->in_data);
    free(r);
}

const struct ccid_profile *ccid_reader_profile(const struct ccid_reader *r)
{
    return &r->profile;
}

unsigned ccid_reader_epoch(struct ccid_reader *r, unsigned slot)
{
    pthread_mutex_lock(&r->lock);
    unsigned epoch = r->slots[slot].epoch;
    pthread_mutex_unlock(&r->lock);
    return epoch;
}

void ccid_reader_use(struct ccid_reader *r, unsigned slot, bool in_use)
{
    pthread_mutex_lock(&r->lock);
    r->slots[slot].in_use = in_use;
    if (!in_use && r->polled)
        r->wake(r->ctx);
    pthread_mutex_unlock(&r->lock);
}

void ccid_reader_praise(struct ccid_reader *r)
{
    pthread_mutex_lock(&r->lock);
    r->reset_spent = false;
    r->lost = 0;
    pthread_mutex_unlock(&r->lock);
}

int ccid_reader_presence(struct ccid_reader *r, unsigned slot)
{
    pthread_mutex_lock(&r->lock);
    int present = r->slots[slot].present;
    pthread_mutex_unlock(&r->lock);
    return present;
}

void ccid_reader_counters(struct ccid_reader *r,
                          struct ccid_reader_counters *out)
{
    pthread_mutex_lock(&r->lock);
    *out = r->counters;
    pthread_mutex_unlock(&r->lock);
}

void ccid_reader_down(struct ccid_reader *r, const char *why)
{
    pthread_mutex_lock(&r->lock);
    reader_down(r, why);
    pthread_mutex_unlock(&r->lock);
}
