#include "drivers/ccid/link.h"

#include "drivers/fixture.h"
#include "drivers/iso7816/t0.h"

/* wLevelParameter and bChainParameter of extended APDU level (6.1.4, 6.2.1). */
enum part { WHOLE = 0, PART_FIRST = 1, PART_LAST = 2, PART_MIDDLE = 3, PART_GO_ON = 0x10 };

int ccid_link_ask(struct ccid_link *l, uint8_t type, uint8_t own,
                  struct span data, int wait_ms, int64_t limit,
                  struct ccid_answer *a, struct err *e)
{
    const struct ccid_request q = {
        .command = { .type = type, .slot = (uint8_t)l->slot, .own = { own },
                     .data = data },
        .wait_ms = wait_ms,
        .extension_ms = wait_ms,
        .limit = limit,
    };

    return ccid_reader_exchange(l->reader, &q, a, e);
}

int ccid_link_block(struct ccid_link *l, struct span out, uint8_t bwi,
                    uint16_t level, int wait_ms, int64_t limit,
                    struct ccid_answer *a, struct err *e)
{
    const struct ccid_request q = {
        .command = { .type = CCID_XFR_BLOCK, .slot = (uint8_t)l->slot,
                     .own = { bwi, (uint8_t)level, (uint8_t)(level >> 8) },
                     .data = out },
        .epoch = l->epoch,
        .wait_ms = wait_ms > INT32_MAX - CCID_SLACK_MS ? wait_ms
                                                       : wait_ms + CCID_SLACK_MS,
        .extension_ms = timing_extension_ms(&l->timing, 1),
        .limit = limit,
    };

    return ccid_reader_exchange(l->reader, &q, a, e);
}

static bool line_fault(const struct ccid_answer *a)
{
    return a->error == CCID_ERROR_PARITY || a->error == CCID_ERROR_OVERRUN;
}

int ccid_link_refused(struct ccid_link *l, const struct ccid_answer *a,
                      struct err *e)
{
    if (a->icc == CCID_ICC_ABSENT)
        return err_set(e, ERR_NO_CARD,
                       "the card was pulled; put it back and scan the unit "
                       "again");
    if (line_fault(a) || a->error == CCID_ERROR_MUTE)
        l->faults++;
    if (a->error == CCID_ERROR_MUTE)
        return err_set(e, ERR_TIMEOUT,
                       "the card does not answer; reseat it and scan the unit "
                       "again");
    if (a->icc == CCID_ICC_INACTIVE)
        return err_set(e, ERR_NO_CARD,
                       "the card lost its power (%s); reseat it and scan the "
                       "unit again",
                       ccid_error_text(a->error));
    return err_set(e, ERR_FORMAT,
                   "the reader says: %s (%02X); clean the contacts and scan "
                   "the unit again",
                   ccid_error_text(a->error), a->error);
}

/* --- T=1 at TPDU level ----------------------------------------------------------- */

static int t1_block(struct ccid_link *l, int64_t limit, enum t1_next *next,
                    struct err *e)
{
    size_t most = 3 + l->t1.params.ifsd + 2;
    int wait = timing_t1_ms(&l->timing, l->t1.block_n, most, l->t1.wtx);
    uint8_t bwi = l->t1.wtx > 1 ? (uint8_t)(l->t1.wtx < 255 ? l->t1.wtx : 255) : 0;
    struct ccid_answer a;

    if (ccid_link_block(l, SPAN(l->t1.block, l->t1.block_n), bwi, 0, wait,
                        limit, &a, e) != 0)
        return -1;
    if (a.status == CCID_OK && a.data.n > 0) {
        *next = t1_receive(&l->t1, T1_BLOCK, a.data);
        return 0;
    }
    if (a.status == CCID_FAILED && a.icc != CCID_ICC_ACTIVE)
        return ccid_link_refused(l, &a, e);
    if (a.status == CCID_OK || line_fault(&a))
        *next = t1_receive(&l->t1, T1_DAMAGED, a.data);
    else if (a.error == CCID_ERROR_MUTE)
        *next = t1_receive(&l->t1, T1_SILENCE, a.data);
    else
        return ccid_link_refused(l, &a, e);
    return 0;
}

static int t1_failed(const struct ccid_link *l, struct err *e)
{
    const char *text = t1_failure_text(l->t1.failure);

    switch (l->t1.failure) {
    case T1_FAIL_MUTE:
    case T1_FAIL_WTX:
        return err_set(e, ERR_TIMEOUT, "%s; reseat the card and scan the unit "
                                       "again", text);
    case T1_FAIL_USE:
        return err_set(e, ERR_INTERNAL, "%s", text);
    default:
        return err_set(e, ERR_FORMAT, "%s; clean the contacts and scan the "
                                      "unit again", text);
    }
}

static unsigned long line_faults(const struct t1 *t)
{
    return t->counters.damaged + t->counters.repeated + t->counters.resynchs;
}

static int t1_run(struct ccid_link *l, enum t1_next next, int64_t limit,
                  struct err *e)
{
    unsigned long before = line_faults(&l->t1);
    int result = 0;

    while (next == T1_SEND && result == 0)
        result = t1_block(l, limit, &next, e);
    l->faults += (unsigned)(line_faults(&l->t1) - before);
    if (result != 0)
        return -1;
    return next == T1_DONE ? 0 : t1_failed(l, e);
}

int ccid_link_open_t1(struct ccid_link *l, int64_t limit, struct err *e)
{
    return t1_run(l, t1_open(&l->t1), limit, e);
}

static int transmit_t1(struct ccid_link *l, struct span apdu, struct buf *rsp,
                       int64_t limit, struct err *e)
{
    if (t1_run(l, t1_begin(&l->t1, apdu), limit, e) != 0)
        return -1;
    buf_put(rsp, l->t1.response, l->t1.response_n);
    return 0;
}

/* --- T=0 at TPDU level ------------------------------------------------------------- */

static int transmit_t0(struct ccid_link *l, struct span apdu, struct buf *rsp,
                       int64_t limit, struct err *e)
{
    struct ccid_answer a;
    struct t0_tpdu t;

    if (t0_command(apdu, &t, e) != 0 ||
        ccid_link_block(l, SPAN(t.octets, t.n), 0, 0,
                        timing_t0_ms(&l->timing, t.out, t.in), limit, &a,
                        e) != 0)
        return -1;
    if (a.status != CCID_OK)
        return ccid_link_refused(l, &a, e);
    if (t0_response(&t, a.data, e) != 0)
        return -1;
    buf_put_span(rsp, a.data);
    return 0;
}

/* --- APDU levels -------------------------------------------------------------------- */

/* The reader speaks T=0 or T=1 by itself: as long as that may take. */
static int apdu_ms(const struct ccid_link *l, size_t n)
{
    if (l->protocol == 0)
        return timing_t0_ms(&l->timing, n, FIXTURE_RESPONSE_MAX);
    size_t there = n / l->atr.ifsc + 1, back = FIXTURE_RESPONSE_MAX / 32 + 1;
    int one = timing_t1_ms(&l->timing, T1_BLOCK_MAX, T1_BLOCK_MAX, 0);
    int64_t all = (int64_t)(there + back) * one;
    return all > INT32_MAX ? INT32_MAX : (int)all;
}

static int whole_or_refused(struct ccid_link *l, const struct ccid_answer *a,
                            struct err *e)
{
    return a->status == CCID_OK ? 0 : ccid_link_refused(l, a, e);
}

/* Command out, in parts when it must be; *a is the answer to its end. */
static int apdu_out(struct ccid_link *l, struct span apdu, int wait,
                    int64_t limit, struct ccid_answer *a, struct err *e)
{
    size_t room = l->profile->message_max - CCID_HEADER;
    enum part part = apdu.n <= room ? WHOLE : PART_FIRST;

    for (;;) {
        struct span now = span_sub(apdu, 0, room);

        apdu = span_sub(apdu, now.n, apdu.n - now.n);
        if (part != WHOLE && part != PART_FIRST)
            part = apdu.n ? PART_MIDDLE : PART_LAST;
        if (ccid_link_block(l, now, 0, (uint16_t)part, wait, limit, a, e) != 0 ||
            whole_or_refused(l, a, e) != 0)
            return -1;
        if (apdu.n == 0)
            return 0;
        if (a->data.n != 0 || a->own != PART_GO_ON)
            return err_set(e, ERR_FORMAT,
                           "the reader did not wait for the rest of a command; "
                           "replace it");
        part = PART_MIDDLE;
    }
}

static int transmit_apdu(struct ccid_link *l, struct span apdu,
                         struct buf *rsp, int64_t limit, struct err *e)
{
    int wait = apdu_ms(l, apdu.n);
    struct ccid_answer a;

    if (apdu_out(l, apdu, wait, limit, &a, e) != 0)
        return -1;
    buf_put_span(rsp, a.data);
    if (l->profile->level == CCID_EXCHANGE_SHORT)
        return 0; /* bChainParameter means nothing there */
    while (a.own == PART_FIRST || a.own == PART_MIDDLE) {
        if (a.data.n == 0 || rsp->n > FIXTURE_RESPONSE_MAX)
            return err_set(e, ERR_FORMAT,
                           "the reader's answer has no end; replace it");
        if (ccid_link_block(l, SPAN(NULL, 0), 0, PART_GO_ON, wait, limit, &a,
                            e) != 0 ||
            whole_or_refused(l, &a, e) != 0)
            return -1;
        buf_put_span(rsp, a.data);
    }
    return 0;
}

int ccid_link_transmit(struct ccid_link *l, struct span apdu, struct buf *rsp,
                       int64_t limit, struct err *e)
{
    int result;

    buf_reset(rsp);
    if (l->profile->level != CCID_EXCHANGE_TPDU)
        result = transmit_apdu(l, apdu, rsp, limit, e);
    else if (l->protocol == 1)
        result = transmit_t1(l, apdu, rsp, limit, e);
    else
        result = transmit_t0(l, apdu, rsp, limit, e);
    if (result != 0)
        return -1;
    if (!buf_ok(rsp))
        return err_set(e, ERR_NOMEM, "no memory for an answer");
    if (rsp->n < 2 || rsp->n > FIXTURE_RESPONSE_MAX)
        return err_set(e, ERR_FORMAT,
                       "an answer of %zu octets is none to a short APDU; "
                       "replace the reader if that happens again",
                       rsp->n);
    return 0;
}
