/* The reader as a device on the bus: its endpoints, its control requests, and
 * which message goes to which slot. */
#include "tests/lab/usb/ccid_slot.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST_OUT 0x21
#define REQUEST_IN 0xA1
#define RATES_MAX 255

/* --- to the host --------------------------------------------------------- */

static void put_octets(struct ccid_reader *r, struct span octets)
{
    if (!r->silent)
        lab_in_put(r->in, octets);
}

static void build(struct buf *b, const struct ccid_message *m,
                  const struct ccid_answer *a, uint8_t icc_status)
{
    buf_put_u8(b, a->type);
    for (int i = 0; i < 4; i++)
        buf_put_u8(b, (uint8_t)(a->data.n >> 8 * i));
    buf_put(b, m->octets.p + 5, 2); /* bSlot, bSeq */
    buf_put_u8(b, a->command_status | icc_status);
    buf_put_u8(b, a->error);
    buf_put_u8(b, a->byte_9);
    buf_put_span(b, a->data);
}

static void release_late(struct ccid_reader *r)
{
    for (unsigned i = 0; i < r->o.slots; i++)
        if (r->slots[i].late.n) {
            put_octets(r, buf_span(&r->slots[i].late));
            buf_reset(&r->slots[i].late);
        }
}

void ccid_put(struct ccid_reader *r, const struct ccid_message *m,
              const struct ccid_answer *a, uint8_t icc_status)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    build(&b, m, a, icc_status);
    if (a->command_status == CCID_COMMAND_TIME) {
        put_octets(r, buf_span(&b));
        return;
    }
    if (m->fault == CCID_FAULT_STALE)
        put_octets(r, buf_span(&r->previous));
    buf_reset(&r->previous);
    buf_put_span(&r->previous, buf_span(&b));
    ccid_fault_mangle(m->fault, m->seed, r->o.message_max, &b);
    if (m->fault == CCID_FAULT_LATE)
        buf_put_span(&r->slots[m->octets.p[5]].late, buf_span(&b));
    else
        put_octets(r, buf_span(&b));
}

static uint8_t icc_status(const struct ccid_reader *r, unsigned slot)
{
    if (slot >= r->o.slots || !r->slots[slot].present)
        return CCID_ICC_ABSENT;
    /* Its thread may be at work on it: what the host last heard is right. */
    return r->slots[slot].working || r->slots[slot].active ? CCID_ICC_ACTIVE
                                                           : CCID_ICC_INACTIVE;
}

void ccid_refuse(struct ccid_reader *r, struct span h, uint8_t error)
{
    const struct ccid_message m = {
        .octets = { .p = (uint8_t *)h.p, .n = h.n },
    };
    const struct ccid_answer a = { .type = ccid_answer_type(h.p[0]),
                                   .command_status = CCID_COMMAND_FAILED,
                                   .error = error };

    ccid_put(r, &m, &a, icc_status(r, h.p[5]));
}

void ccid_notify(struct ccid_reader *r)
{
    uint8_t m[1 + (CCID_SLOTS * 2 + 7) / 8] = { CCID_NOTIFY_SLOT_CHANGE };
    bool any = false;

    for (unsigned i = 0; i < r->o.slots; i++) {
        struct ccid_slot *s = &r->slots[i];

        m[1 + i / 4] |= (uint8_t)((s->present | s->changed << 1)
                                  << i % 4 * 2);
        any |= s->changed;
        s->changed = false;
    }
    if (any && r->interrupt && !r->silent)
        lab_in_put(r->interrupt, SPAN(m, 1 + (r->o.slots * 2 + 7) / 8));
}

/* --- messages from the host ---------------------------------------------- */

/* Both halves of an abort have come, in any order, with the same bSeq. */
static void try_abort(struct ccid_reader *r, struct ccid_slot *s)
{
    struct ccid_abort *a = &s->abort;
    const uint8_t h[CCID_HEADER] = { [0] = CCID_ABORT,
                                     [5] = (uint8_t)s->index,
                                     [6] = a->said_seq };

    if (!a->asked || !a->said || a->asked_seq != a->said_seq)
        return;
    if (s->has_next) { /* not begun: as if it had never come */
        buf_clear(&s->next.octets);
        s->has_next = s->busy = false;
    }
    if (s->busy) {
        s->aborted = true; /* its thread answers, when it has come to rest */
        pthread_cond_signal(&s->wake);
        return;
    }
    const struct ccid_message m = {
        .octets = { .p = (uint8_t *)h, .n = sizeof h },
    };
    const struct ccid_answer done = { .type = CCID_SLOT_STATUS };
    *a = (struct ccid_abort){ 0 };
    ccid_put(r, &m, &done, icc_status(r, s->index));
}

static unsigned busy_slots(const struct ccid_reader *r)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r->o.slots; i++)
        n += r->slots[i].busy;
    return n;
}

static void fire(struct ccid_reader *r, struct ccid_message *m)
{
    bool had_none = r->fault.what == CCID_FAULT_STALE && r->previous.n == 0;

    if (r->fault.what == CCID_FAULT_NONE || r->fault.at == 0)
        return;
    if (r->fault.at > 1 || had_none) {
        r->fault.at -= r->fault.at > 1;
        return;
    }
    m->fault = r->fault.what;
    m->seed = r->fault.seed;
    r->fault.fired = true;
    r->fault.at = 0;
    r->silent |= m->fault == CCID_FAULT_SILENT;
    r->forever |= m->fault == CCID_FAULT_TIME_FOREVER;
}

static void hand_over(struct ccid_slot *s, struct ccid_message *m)
{
    m->generation = s->reader->generation;
    m->came = line_now();
    if (s->has_next) /* of before a reset */
        buf_clear(&s->next.octets);
    s->next = *m;
    m->octets = (struct buf)BUF_INIT;
    s->has_next = s->busy = true;
    pthread_cond_signal(&s->wake);
}

static void take_message(struct ccid_reader *r, struct ccid_message *m)
{
    const uint8_t *h = m->octets.p;
    struct span head = SPAN(h, CCID_HEADER);

    r->messages++;
    fire(r, m);
    release_late(r);
    if (h[5] >= r->o.slots) {
        ccid_refuse(r, head, CCID_ERROR_SLOT);
        return;
    }
    struct ccid_slot *s = &r->slots[h[5]];
    if (h[0] == CCID_ABORT) {
        s->abort.said = true;
        s->abort.said_seq = h[6];
        try_abort(r, s);
    } else if (s->abort.asked || s->abort.said) {
        ccid_refuse(r, head, CCID_ERROR_ABORTED);
    } else if (s->busy || busy_slots(r) >= r->o.busy_slots) {
        ccid_refuse(r, head, CCID_ERROR_BUSY);
    } else {
        hand_over(s, m);
    }
}

static size_t announced(const struct buf *b)
{
    return CCID_HEADER +
           (b->p[1] | (size_t)b->p[2] << 8 | (size_t)b->p[3] << 16 |
            (size_t)b->p[4] << 24);
}

/* A transfer ends with a short packet, or when as much has come as the header
 * says: a host splits long ones, and sends no empty packet behind full ones. */
static enum lab_usb_status take_transfer(struct ccid_reader *r,
                                         struct span octets)
{
    bool ends = octets.n % CCID_PACKET != 0 || octets.n == 0;
    struct ccid_message m = { .fault = CCID_FAULT_NONE };

    buf_put_span(&r->message, octets);
    if (r->message.n < CCID_HEADER) {
        if (!ends)
            return LAB_USB_OK;
        buf_reset(&r->message);
        return LAB_USB_STALL; /* nobody there to answer to */
    }
    size_t whole = announced(&r->message);
    if (!ends && r->message.n < whole && whole <= r->o.message_max)
        return LAB_USB_OK;
    m.octets = r->message;
    r->message = (struct buf)BUF_INIT;
    if (m.octets.n != whole || whole > r->o.message_max) {
        r->messages++;
        ccid_refuse(r, span_sub(buf_span(&m.octets), 0, CCID_HEADER),
                    m.octets.p[5] < r->o.slots ? CCID_ERROR_LENGTH
                                               : CCID_ERROR_SLOT);
    } else {
        take_message(r, &m);
    }
    buf_clear(&m.octets);
    return LAB_USB_OK;
}

static void bulk_out(struct ccid_reader *r, struct lab_urb *u)
{
    if (r->out_halted) {
        lab_urb_complete(u, LAB_USB_STALL, 0);
        return;
    }
    enum lab_usb_status s = take_transfer(r, SPAN(u->data, u->length));
    r->out_halted = s == LAB_USB_STALL;
    lab_urb_complete(u, s, s == LAB_USB_OK ? u->length : 0);
}

/* --- control requests ---------------------------------------------------- */

static size_t words(const uint32_t *w, size_t n, struct lab_urb *u)
{
    size_t room = u->length / 4 < n ? u->length / 4 : n;

    for (size_t i = 0; i < room * 4; i++)
        u->data[i] = (uint8_t)(w[i / 4] >> 8 * (i % 4));
    return room * 4;
}

static void abort_request(struct ccid_reader *r, struct lab_urb *u)
{
    uint8_t slot = u->setup[2], seq = u->setup[3];

    if (slot >= r->o.slots) {
        lab_urb_complete(u, LAB_USB_STALL, 0);
        return;
    }
    release_late(r);
    r->slots[slot].abort.asked = true;
    r->slots[slot].abort.asked_seq = seq;
    lab_urb_complete(u, LAB_USB_OK, 0);
    try_abort(r, &r->slots[slot]);
}

static void control(struct ccid_reader *r, struct lab_urb *u)
{
    uint32_t w[RATES_MAX] = { r->o.clock_khz };

    if (u->setup[4] != 0 || u->setup[5] != 0) { /* wIndex: our interface */
        lab_urb_complete(u, LAB_USB_STALL, 0);
    } else if (u->setup[0] == REQUEST_OUT &&
               u->setup[1] == CCID_REQUEST_ABORT) {
        abort_request(r, u);
    } else if (u->setup[0] == REQUEST_IN &&
               u->setup[1] == CCID_REQUEST_CLOCKS) {
        lab_urb_complete(u, LAB_USB_OK, words(w, 1, u));
    } else if (u->setup[0] == REQUEST_IN && u->setup[1] == CCID_REQUEST_RATES) {
        size_t n = ccid_rates(&r->o, w, RATES_MAX);
        lab_urb_complete(u, LAB_USB_OK, words(w, n, u));
    } else {
        lab_urb_complete(u, LAB_USB_STALL, 0);
    }
}

/* --- the bus's calls ----------------------------------------------------- */

static void ccid_submit(struct lab_usb_device *d, struct lab_urb *u)
{
    struct ccid_reader *r = ccid_reader(d);

    pthread_mutex_lock(&r->mu);
    if (u->endpoint == CCID_IN)
        lab_in_submit(r->in, u);
    else if (u->endpoint == CCID_INTERRUPT && r->interrupt)
        lab_in_submit(r->interrupt, u);
    else if (u->endpoint == CCID_OUT)
        bulk_out(r, u);
    else if ((u->endpoint & 0x7F) == 0)
        control(r, u);
    else
        lab_urb_complete(u, LAB_USB_STALL, 0);
    pthread_mutex_unlock(&r->mu);
}

static void ccid_cancel(struct lab_usb_device *d, struct lab_urb *u)
{
    struct ccid_reader *r = ccid_reader(d);

    /* Only IN transfers ever wait; everything else is complete. */
    if (!lab_in_cancel(r->in, u, LAB_USB_CANCELLED) && r->interrupt)
        lab_in_cancel(r->interrupt, u, LAB_USB_CANCELLED);
}

static void ccid_clear_halt(struct lab_usb_device *d, uint8_t endpoint)
{
    struct ccid_reader *r = ccid_reader(d);

    pthread_mutex_lock(&r->mu);
    if (endpoint == CCID_OUT) {
        r->out_halted = false;
        buf_reset(&r->message);
    } else if (endpoint == CCID_IN) {
        lab_in_clear_halt(r->in);
    } else if (endpoint == CCID_INTERRUPT && r->interrupt) {
        lab_in_clear_halt(r->interrupt);
    }
    pthread_mutex_unlock(&r->mu);
}

/* As after power on. Threads come to rest by themselves; what they still have
 * to say is of an older generation. */
static void ccid_reset(struct lab_usb_device *d)
{
    struct ccid_reader *r = ccid_reader(d);

    pthread_mutex_lock(&r->mu);
    r->generation++;
    r->silent = r->forever = r->out_halted = false;
    buf_reset(&r->message);
    buf_reset(&r->previous);
    lab_in_flush(r->in, LAB_USB_GONE);
    if (r->interrupt)
        lab_in_flush(r->interrupt, LAB_USB_GONE);
    for (unsigned i = 0; i < r->o.slots; i++) {
        struct ccid_slot *s = &r->slots[i];

        if (s->has_next)
            buf_clear(&s->next.octets);
        s->has_next = s->busy = s->aborted = false;
        s->abort = (struct ccid_abort){ 0 };
        buf_reset(&s->late);
        s->changed = s->present;
        s->cut = true;
        pthread_cond_signal(&s->wake);
    }
    ccid_notify(r); /* a card that is in is news to a new host */
    pthread_mutex_unlock(&r->mu);
}

static void ccid_free(struct lab_usb_device *d)
{
    struct ccid_reader *r = ccid_reader(d);

    if (!d)
        return;
    for (unsigned i = 0; i < r->o.slots; i++)
        ccid_slot_stop(&r->slots[i]);
    lab_in_free(r->in);
    lab_in_free(r->interrupt);
    buf_clear(&r->message);
    buf_clear(&r->previous);
    buf_clear(&d->device);
    buf_clear(&d->config);
    pthread_cond_destroy(&r->idle);
    pthread_mutex_destroy(&r->mu);
    free(r);
}

static const struct lab_usb_ops ccid_ops = {
    .name = "ccid",
    .submit = ccid_submit,
    .cancel = ccid_cancel,
    .clear_halt = ccid_clear_halt,
    .reset = ccid_reset,
    .unplugged = ccid_reset,
    .free = ccid_free,
};

/* --- for tests ----------------------------------------------------------- */

int ccid_model_new(const struct ccid_model_options *o,
                   struct lab_usb_device **out, struct err *e)
{
    struct ccid_reader *r;
    int rc = 0;

    if (o->slots > CCID_SLOTS)
        return err_set(e, ERR_USAGE, "a reader has 1 to %d slots", CCID_SLOTS);
    if (o->message_max && o->message_max < CCID_HEADER + 1)
        return err_set(e, ERR_USAGE, "no octet fits into that message");
    r = calloc(1, sizeof *r);
    if (!r)
        return err_set(e, ERR_NOMEM, "no memory for a reader");
    r->base.ops = &ccid_ops;
    r->o = *o;
    ccid_options_fill(&r->o);
    pthread_mutex_init(&r->mu, NULL);
    pthread_cond_init(&r->idle, NULL);
    ccid_descriptors_put(&r->base, &r->o);
    r->in = lab_in_new(CCID_IN, CCID_PACKET);
    if (!r->o.no_interrupt)
        r->interrupt = lab_in_new(CCID_INTERRUPT, 8);
    for (unsigned i = 0; i < r->o.slots && rc == 0; i++)
        rc = ccid_slot_start(&r->slots[i], r, i, e);
    if (rc == 0 && (!r->in || (!r->interrupt && !r->o.no_interrupt) ||
                    !buf_ok(&r->base.config) || !buf_ok(&r->base.device)))
        rc = err_set(e, ERR_NOMEM, "no memory for a reader");
    if (rc != 0) {
        ccid_free(&r->base);
        return -1;
    }
    *out = &r->base;
    return 0;
}

int ccid_model_insert(struct lab_usb_device *d, unsigned slot,
                      struct fixture *card, const struct ccid_card *o,
                      struct err *e)
{
    struct ccid_reader *r = ccid_reader(d);
    struct ccid_card c = link_card_defaults(o);
    struct buf atr = BUF_INIT;
    unsigned f, di;

    if (slot >= r->o.slots || (c.no_t0 && c.no_t1) ||
        !link_fidi_get(c.ta1, &f, &di))
        return err_set(e, ERR_USAGE, "no such slot, or no such card");
    buf_put_span(&atr, buf_span(&c.atr));
    c.atr = atr;
    struct ccid_slot *s = &r->slots[slot];
    pthread_mutex_lock(&r->mu);
    while (s->working)
        pthread_cond_wait(&r->idle, &r->mu);
    bool taken = s->occupied;
    if (!taken) {
        s->card.chip.fixture = card;
        s->card.chip.o = c;
        s->occupied = s->present = s->changed = true;
        ccid_notify(r);
    }
    pthread_mutex_unlock(&r->mu);
    if (taken)
        buf_clear(&atr);
    return taken ? err_set(e, ERR_CONFLICT, "a card is in slot %u", slot) : 0;
}

void ccid_model_remove(struct lab_usb_device *d, unsigned slot)
{
    struct ccid_reader *r = ccid_reader(d);
    struct ccid_slot *s = &r->slots[slot];

    pthread_mutex_lock(&r->mu);
    if (slot < r->o.slots && s->occupied) {
        s->eject = true;
        pthread_cond_signal(&s->wake);
        while (s->eject)
            pthread_cond_wait(&r->idle, &r->mu);
    }
    pthread_mutex_unlock(&r->mu);
}

void ccid_model_fault(struct lab_usb_device *d, enum ccid_fault f, unsigned at,
                      uint64_t seed)
{
    struct ccid_reader *r = ccid_reader(d);

    pthread_mutex_lock(&r->mu);
    r->fault.what = f;
    r->fault.at = at;
    r->fault.seed = seed;
    r->fault.fired = false;
    if (f == CCID_FAULT_NONE)
        r->silent = r->forever = false;
    pthread_mutex_unlock(&r->mu);
}

bool ccid_model_fault_fired(const struct lab_usb_device *d)
{
    struct ccid_reader *r = ccid_reader((struct lab_usb_device *)d);

    pthread_mutex_lock(&r->mu);
    bool fired = r->fault.fired;
    pthread_mutex_unlock(&r->mu);
    return fired;
}

void ccid_model_counters(struct lab_usb_device *d,
                         struct ccid_model_counters *out)
{
    struct ccid_reader *r = ccid_reader(d);

    pthread_mutex_lock(&r->mu);
    *out = r->slots[0].seen;
    out->messages = r->messages;
    for (unsigned i = 1; i < r->o.slots; i++) {
        const struct ccid_model_counters *c = &r->slots[i].seen;

        out->apdus += c->apdus;
        out->octets_out += c->octets_out;
        out->octets_in += c->octets_in;
        out->etu += c->etu;
        out->line_ns += c->line_ns;
        out->pps += c->pps;
        out->wtx += c->wtx;
        out->ifs += c->ifs;
        out->resynch += c->resynch;
        out->power_ons += c->power_ons;
        out->nulls += c->nulls;
    }
    pthread_mutex_unlock(&r->mu);
}
