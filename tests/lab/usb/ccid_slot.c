/* A slot's thread: one message at a time, and the sleep that makes the line's
 * time real. */
#include "tests/lab/usb/ccid_slot.h"

#include <stdlib.h>
#include <sys/prctl.h>

/* Deep enough for any chip in the lab, little enough for hundreds. */
#define STACK (1024 * 1024)

static bool broken_off(const struct ccid_slot *s)
{
    return s->quit || s->cut || s->eject || s->aborted;
}

bool ccid_slot_stopped(struct ccid_slot *s)
{
    pthread_mutex_lock(&s->reader->mu);
    bool r = broken_off(s);
    pthread_mutex_unlock(&s->reader->mu);
    return r;
}

bool ccid_slot_sleep(struct ccid_slot *s, int64_t until)
{
    const struct timespec t = { until / 1000000000, until % 1000000000 };
    bool stop;

    pthread_mutex_lock(&s->reader->mu);
    while (!(stop = broken_off(s)) && line_now() < until)
        pthread_cond_timedwait(&s->wake, &s->reader->mu, &t);
    pthread_mutex_unlock(&s->reader->mu);
    return !stop;
}

bool ccid_slot_catch_up(struct ccid_slot *s)
{
    return ccid_slot_sleep(s, line_heard(&s->line));
}

/* --- saying -------------------------------------------------------------- */

static uint8_t icc_status(const struct ccid_slot *s)
{
    if (!s->present)
        return CCID_ICC_ABSENT;
    return s->active ? CCID_ICC_ACTIVE : CCID_ICC_INACTIVE;
}

static void publish(struct ccid_slot *s)
{
    struct ccid_model_counters *c = &s->counts;

    c->apdus = s->card.chip.apdus;
    c->nulls = s->card.chip.nulls;
    c->pps = s->card.pps;
    c->wtx = s->card.counts.wtx;
    c->ifs = s->card.counts.ifs;
    c->resynch = s->card.counts.resynch;
    c->etu = s->line.etu;
    c->line_ns = line_ns(&s->line);
    c->fidi = s->line.ta1;
    s->seen = *c;
}

static bool wanted(const struct ccid_slot *s)
{
    return s->message->generation == s->reader->generation && !s->aborted;
}

static bool leaving(struct ccid_slot *s)
{
    pthread_mutex_lock(&s->reader->mu);
    bool r = s->eject && s->present;
    pthread_mutex_unlock(&s->reader->mu);
    return r;
}

void ccid_slot_say(struct ccid_slot *s, const struct ccid_answer *a)
{
    const struct ccid_answer gone = { .type = a->type, .error = CCID_ERROR_MUTE,
                                      .command_status = CCID_COMMAND_FAILED };
    struct ccid_reader *r = s->reader;

    if (!ccid_slot_catch_up(s) && leaving(s)) {
        ccid_slot_pull(s); /* before it was all heard */
        a = &gone;
    }
    pthread_mutex_lock(&r->mu);
    publish(s);
    if (wanted(s)) {
        s->busy = false;
        ccid_put(r, s->message, a, icc_status(s));
    }
    pthread_mutex_unlock(&r->mu);
}

void ccid_slot_more_time(struct ccid_slot *s, unsigned times)
{
    const struct ccid_answer a = {
        .type = ccid_answer_type(s->message->octets.p[0]),
        .command_status = CCID_COMMAND_TIME,
        .error = (uint8_t)(times < 255 ? times : 255),
    };

    ccid_slot_catch_up(s);
    pthread_mutex_lock(&s->reader->mu);
    if (wanted(s))
        ccid_put(s->reader, s->message, &a, icc_status(s));
    pthread_mutex_unlock(&s->reader->mu);
}

static void null_heard(void *ctx)
{
    struct ccid_slot *s = ctx;

    if (s->message)
        ccid_slot_more_time(s, 1);
}

/* --- the thread ---------------------------------------------------------- */

void ccid_slot_pull(struct ccid_slot *s)
{
    link_card_off(&s->card);
    pthread_mutex_lock(&s->reader->mu);
    s->active = false;
    if (s->present) {
        s->present = false;
        s->changed = true;
        ccid_notify(s->reader);
    }
    pthread_mutex_unlock(&s->reader->mu);
}

static void power_down(struct ccid_slot *s)
{
    link_card_off(&s->card);
    s->active = false;
    buf_reset(&s->chain_in);
    buf_reset(&s->chain_out);
    ccid_params_default(&s->params, 0);
    line_reset(&s->line);
}

static void eject(struct ccid_slot *s)
{
    ccid_slot_pull(s);
    pthread_mutex_lock(&s->reader->mu);
    s->card.chip.fixture = NULL;
    s->occupied = false;
    buf_clear(&s->card.chip.o.atr);
    pthread_mutex_unlock(&s->reader->mu);
}

static void work(struct ccid_slot *s, struct ccid_message *m)
{
    s->message = m;
    s->link_fault = m->fault;
    line_host(&s->line, m->came);
    ccid_message_work(s);
    s->message = NULL;
    buf_clear(&m->octets);
}

/* The abort's own answer, when what it aborts has come to its end. */
static void answer_abort(struct ccid_slot *s)
{
    const uint8_t header[CCID_HEADER] = {
        [0] = CCID_ABORT, [5] = (uint8_t)s->index, [6] = s->abort.said_seq,
    };
    struct ccid_message m = {
        .octets = { .p = (uint8_t *)header, .n = sizeof header },
        .generation = s->reader->generation,
    };
    const struct ccid_answer a = { .type = CCID_SLOT_STATUS };

    s->aborted = s->busy = false;
    s->abort = (struct ccid_abort){ 0 };
    ccid_put(s->reader, &m, &a, icc_status(s));
}

/* One round, with the lock held before and after. */
static void round_of(struct ccid_slot *s)
{
    pthread_mutex_t *mu = &s->reader->mu;
    bool cut = s->cut, out = s->eject, next = s->has_next && !cut && !out;
    struct ccid_message m = { 0 };

    if (next) {
        m = s->next;
        s->has_next = false;
    }
    s->working = true;
    pthread_mutex_unlock(mu);
    if (cut)
        power_down(s);
    if (out)
        eject(s);
    if (next)
        work(s, &m);
    pthread_mutex_lock(mu);
    s->working = false;
    if (cut)
        s->cut = false;
    if (out)
        s->eject = false;
    if (next && s->aborted)
        answer_abort(s);
    pthread_cond_broadcast(&s->reader->idle);
}

static void *run(void *arg)
{
    struct ccid_slot *s = arg;

    prctl(PR_SET_TIMERSLACK, 1000UL);
    pthread_mutex_lock(&s->reader->mu);
    for (;;) {
        if (s->cut || s->eject || s->has_next)
            round_of(s);
        else if (s->quit)
            break;
        else
            pthread_cond_wait(&s->wake, &s->reader->mu);
    }
    pthread_mutex_unlock(&s->reader->mu);
    return NULL;
}

int ccid_slot_start(struct ccid_slot *s, struct ccid_reader *r, unsigned index,
                    struct err *e)
{
    pthread_condattr_t monotonic;
    pthread_attr_t attr;

    s->reader = r;
    s->index = index;
    line_init(&s->line, r->o.clock_khz, r->o.speed_percent);
    ccid_params_default(&s->params, 0);
    s->card.chip.line = &s->line;
    s->card.chip.null_heard = null_heard;
    s->card.chip.ctx = s;
    s->seen.fidi = s->line.ta1;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    pthread_mutex_lock(&r->mu);
    s->started = pthread_create(&s->thread, &attr, run, s) == 0;
    pthread_mutex_unlock(&r->mu);
    pthread_attr_destroy(&attr);
    return s->started ? 0 : err_set(e, ERR_NOMEM, "no thread for a slot");
}

void ccid_slot_stop(struct ccid_slot *s)
{
    if (!s->reader)
        return;
    pthread_mutex_lock(&s->reader->mu);
    s->quit = s->eject = true;
    if (s->has_next)
        buf_clear(&s->next.octets);
    s->has_next = false;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->reader->mu);
    if (s->started)
        pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->wake);
    link_card_clear(&s->card);
    buf_clear(&s->chain_in);
    buf_clear(&s->chain_out);
    buf_clear(&s->late);
}
