/* What a slot does with each message from the host (CCID 1.10, 6.1). */
#include "tests/lab/usb/ccid_slot.h"

#include <string.h>

#define SHORT_APDU_TOP 261
#define EXTENDED_APDU_TOP 65544
#define FOREVER_NS 10000000

/* wLevelParameter and bChainParameter at extended APDU level. */
enum { CHAIN_WHOLE = 0, CHAIN_FIRST = 1, CHAIN_LAST = 2, CHAIN_MIDDLE = 3,
       CHAIN_EMPTY = 0x10 };

static const uint8_t *header(const struct ccid_slot *s)
{
    return s->message->octets.p;
}

static struct span data_of(const struct ccid_slot *s)
{
    return span_sub(buf_span(&s->message->octets), CCID_HEADER, SIZE_MAX);
}

static void say(struct ccid_slot *s, uint8_t byte_9, struct span data)
{
    ccid_slot_say(s, &(struct ccid_answer){
                         .type = ccid_answer_type(header(s)[0]),
                         .byte_9 = byte_9, .data = data });
}

static void fail(struct ccid_slot *s, uint8_t error)
{
    ccid_slot_say(s, &(struct ccid_answer){
                         .type = ccid_answer_type(header(s)[0]),
                         .command_status = CCID_COMMAND_FAILED,
                         .error = error });
}

/* --- power --------------------------------------------------------------- */

static void power_on(struct ccid_slot *s)
{
    const struct ccid_model_options *o = &s->reader->o;
    AUTO(buf_clear) struct buf atr = BUF_INIT;
    uint8_t select = header(s)[7];

    if (select > 3 || (select == 0 && !o->automatic) ||
        (select && !(o->voltage & 1 << (select - 1)))) {
        fail(s, CCID_ERROR_BYTE_7);
        return;
    }
    buf_reset(&s->chain_in);
    buf_reset(&s->chain_out);
    uint8_t error = ccid_wire_power_on(s, &atr);
    s->active = error == 0;
    if (error)
        link_card_off(&s->card);
    if (error)
        fail(s, error);
    else
        say(s, CHAIN_WHOLE, buf_span(&atr));
}

static void power_off(struct ccid_slot *s)
{
    link_card_off(&s->card);
    s->active = false;
    buf_reset(&s->chain_in);
    buf_reset(&s->chain_out);
    line_reset(&s->line);
    ccid_params_default(&s->params, 0);
    say(s, 1, SPAN(NULL, 0)); /* clock stopped, low */
}

static void slot_status(struct ccid_slot *s)
{
    say(s, s->active ? 0 : 1, SPAN(NULL, 0));
}

/* --- parameters ---------------------------------------------------------- */

static void say_params(struct ccid_slot *s)
{
    const struct ccid_params *p = &s->params;
    const uint8_t out[] = { p->fidi, p->tcck, p->guard, p->waiting,
                            p->clock_stop, p->ifsc, p->nad };

    say(s, p->protocol, SPAN(out, p->protocol ? 7 : 5));
}

static void get_params(struct ccid_slot *s)
{
    say_params(s);
}

static void reset_params(struct ccid_slot *s)
{
    if (!s->reader->o.automatic) {
        ccid_params_default(&s->params, 0);
        line_speed(&s->line, LINK_FIDI_DEFAULT);
    }
    say_params(s);
}

/* The offset of the field that cannot be; 0: none. */
static uint8_t judge_params(const struct ccid_slot *s, uint8_t protocol,
                            struct span in)
{
    const struct ccid_model_options *o = &s->reader->o;

    if (protocol > 1)
        return CCID_ERROR_BYTE_7;
    if (in.n != (protocol ? 7 : 5))
        return CCID_ERROR_LENGTH;
    uint32_t rate = link_fidi_rate(in.p[0], o->clock_khz);
    if (rate == 0 || rate > o->data_rate_max)
        return CCID_ERROR_FIDI;
    if ((in.p[1] & (protocol ? 0xFC : 0xFD)) != (protocol ? 0x10 : 0) ||
        (in.p[1] & 2)) /* inverse convention: no such card here */
        return 11;
    if (protocol && in.p[3] >> 4 > 9)
        return 13;
    if (!protocol && in.p[3] == 0)
        return 13;
    if (in.p[4] > 3)
        return 14;
    if (protocol && (in.p[5] == 0 || in.p[5] == 255))
        return 15;
    return 0;
}

static void set_params(struct ccid_slot *s)
{
    uint8_t protocol = header(s)[7];
    struct span in = data_of(s);
    uint8_t error = judge_params(s, protocol, in);

    if (!error && s->reader->o.automatic)
        error = ccid_wire_renegotiate(s, protocol, in.p[0]);
    if (error) {
        fail(s, error);
        return;
    }
    struct ccid_params p = {
        .protocol = protocol, .fidi = in.p[0], .tcck = in.p[1],
        .guard = in.p[2], .waiting = in.p[3], .clock_stop = in.p[4],
        .ifsc = 32,
    };
    if (protocol) {
        p.ifsc = in.p[5];
        p.nad = in.p[6];
    }
    s->params = p;
    line_speed(&s->line, p.fidi);
    say_params(s);
}

/* The etu alone; one clock is all there is. */
static void set_rate(struct ccid_slot *s)
{
    struct span in = data_of(s);
    const struct ccid_model_options *o = &s->reader->o;
    uint8_t best = LINK_FIDI_DEFAULT;

    if (o->automatic) {
        fail(s, CCID_ERROR_UNSUPPORTED);
        return;
    }
    if (in.n != 8) {
        fail(s, CCID_ERROR_LENGTH);
        return;
    }
    uint32_t asked = in.p[4] | (uint32_t)in.p[5] << 8 |
                     (uint32_t)in.p[6] << 16 | (uint32_t)in.p[7] << 24;
    if (asked > o->data_rate_max)
        asked = o->data_rate_max;
    for (unsigned ta1 = 0; ta1 < 256; ta1++)
        if (link_fidi_rate((uint8_t)ta1, o->clock_khz) <= asked &&
            link_fidi_faster((uint8_t)ta1, best))
            best = (uint8_t)ta1;
    line_speed(&s->line, best);
    s->params.fidi = best;
    uint32_t is[] = { o->clock_khz, link_fidi_rate(best, o->clock_khz) };
    uint8_t out[8];
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(is[i / 4] >> 8 * (i % 4));
    say(s, 0, SPAN_ARRAY(out));
}

/* --- exchanges ----------------------------------------------------------- */

static uint8_t error_of(enum link_result r)
{
    static const uint8_t errors[] = {
        [LINK_MUTE] = CCID_ERROR_MUTE, [LINK_PARITY] = CCID_ERROR_PARITY,
        [LINK_PROCEDURE] = CCID_ERROR_PROCEDURE,
        [LINK_LENGTH] = CCID_ERROR_LENGTH, [LINK_STOPPED] = CCID_ERROR_MUTE,
    };

    return errors[r];
}

static void xfr_tpdu(struct ccid_slot *s)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;
    struct span in = data_of(s);

    if (in.n && in.p[0] == 0xFF && s->reader->o.automatic) {
        fail(s, CCID_HEADER); /* PPS is this reader's affair */
        return;
    }
    enum link_result r = ccid_wire_tpdu(s, in, header(s)[7], &rsp);
    if (r == LINK_OK)
        say(s, CHAIN_WHOLE, buf_span(&rsp));
    else
        fail(s, error_of(r));
}

/* As much of the answer as a message can carry. */
static void say_chunk(struct ccid_slot *s, bool first)
{
    size_t room = s->reader->o.message_max - CCID_HEADER;
    struct span part = span_sub(buf_span(&s->chain_out), 0, room);
    bool last = part.n == s->chain_out.n;
    uint8_t chain = first ? (last ? CHAIN_WHOLE : CHAIN_FIRST)
                          : (last ? CHAIN_LAST : CHAIN_MIDDLE);

    say(s, chain, part);
    buf_drop_front(&s->chain_out, part.n);
}

static void apdu(struct ccid_slot *s, struct span command)
{
    buf_reset(&s->chain_out);
    enum link_result r = ccid_wire_apdu(s, command, &s->chain_out);
    if (r == LINK_OK)
        say_chunk(s, true);
    else
        fail(s, error_of(r));
}

static void xfr_short(struct ccid_slot *s)
{
    struct span in = data_of(s);

    if (in.n > SHORT_APDU_TOP)
        fail(s, CCID_ERROR_LENGTH);
    else
        apdu(s, in);
}

static void xfr_extended(struct ccid_slot *s)
{
    unsigned level = header(s)[8] | (unsigned)header(s)[9] << 8;
    bool begins = level == CHAIN_WHOLE || level == CHAIN_FIRST;
    struct span in = data_of(s);

    if (level == CHAIN_EMPTY) {
        if (in.n || s->chain_out.n == 0)
            fail(s, in.n ? CCID_ERROR_LENGTH : CCID_ERROR_LEVEL);
        else
            say_chunk(s, false);
        return;
    }
    if (level > CHAIN_MIDDLE || (!begins && s->chain_in.n == 0)) {
        fail(s, CCID_ERROR_LEVEL);
        return;
    }
    if (begins)
        buf_reset(&s->chain_in);
    if (s->chain_in.n + in.n > EXTENDED_APDU_TOP) {
        buf_reset(&s->chain_in);
        fail(s, CCID_ERROR_LENGTH);
        return;
    }
    buf_put_span(&s->chain_in, in);
    if (level == CHAIN_FIRST || level == CHAIN_MIDDLE) {
        say(s, CHAIN_EMPTY, SPAN(NULL, 0));
        return;
    }
    apdu(s, buf_span(&s->chain_in));
    buf_reset(&s->chain_in);
}

static void time_forever(struct ccid_slot *s)
{
    int64_t at = line_now();

    do
        ccid_slot_more_time(s, 1);
    while (ccid_slot_sleep(s, at += FOREVER_NS));
}

static bool forever(struct ccid_slot *s)
{
    pthread_mutex_lock(&s->reader->mu);
    bool r = s->reader->forever;
    pthread_mutex_unlock(&s->reader->mu);
    return r;
}

static void xfr_block(struct ccid_slot *s)
{
    enum ccid_level level = s->reader->o.level;
    bool leveled = header(s)[8] || header(s)[9];

    if (!s->active) {
        fail(s, CCID_ERROR_MUTE);
        return;
    }
    if (level != CCID_EXTENDED_APDU && level != CCID_CHARACTER && leveled) {
        fail(s, CCID_ERROR_LEVEL);
        return;
    }
    if (forever(s)) {
        time_forever(s);
        return;
    }
    s->used = true;
    switch (level) {
    case CCID_TPDU:
        xfr_tpdu(s);
        break;
    case CCID_SHORT_APDU:
        xfr_short(s);
        break;
    case CCID_EXTENDED_APDU:
        xfr_extended(s);
        break;
    case CCID_CHARACTER: /* nobody drives that; nothing behind it */
        fail(s, CCID_ERROR_UNSUPPORTED);
        break;
    }
}

/* --- dispatch ------------------------------------------------------------ */

static const struct kind {
    uint8_t type, answer;
    bool needs_card, empty; /* dwLength has to be 0 */
    void (*work)(struct ccid_slot *s); /* NULL: not supported */
} kinds[] = {
    { CCID_POWER_ON, CCID_DATA_BLOCK, true, true, power_on },
    { CCID_POWER_OFF, CCID_SLOT_STATUS, false, true, power_off },
    { CCID_SLOT_STATUS_GET, CCID_SLOT_STATUS, false, true, slot_status },
    { CCID_XFR_BLOCK, CCID_DATA_BLOCK, true, false, xfr_block },
    { CCID_PARAMETERS_GET, CCID_PARAMETERS, true, true, get_params },
    { CCID_PARAMETERS_RESET, CCID_PARAMETERS, true, true, reset_params },
    { CCID_PARAMETERS_SET, CCID_PARAMETERS, true, false, set_params },
    { CCID_RATE_AND_CLOCK_SET, CCID_RATE_AND_CLOCK, true, false, set_rate },
    { CCID_ESCAPE, CCID_ESCAPE_ANSWER, false, false, NULL },
    { CCID_CLOCK, CCID_SLOT_STATUS, false, true, NULL }, /* dwFeatures: no */
    { CCID_T0_APDU, CCID_SLOT_STATUS, false, true, NULL },
    { CCID_SECURE, CCID_DATA_BLOCK, false, false, NULL },
    { CCID_MECHANICAL, CCID_SLOT_STATUS, false, true, NULL },
    { CCID_ABORT, CCID_SLOT_STATUS, false, true, NULL },
};

static const struct kind *kind_of(uint8_t type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

uint8_t ccid_answer_type(uint8_t message_type)
{
    const struct kind *k = kind_of(message_type);

    return k ? k->answer : CCID_SLOT_STATUS;
}

static bool present(struct ccid_slot *s)
{
    pthread_mutex_lock(&s->reader->mu);
    bool r = s->present;
    pthread_mutex_unlock(&s->reader->mu);
    return r;
}

void ccid_message_work(struct ccid_slot *s)
{
    const struct kind *k = kind_of(header(s)[0]);

    if (s->message->fault == CCID_FAULT_CARD_PULLED)
        ccid_slot_pull(s);
    if (s->message->fault == CCID_FAULT_MUTE)
        fail(s, CCID_ERROR_MUTE);
    else if (s->message->fault == CCID_FAULT_HW_ERROR)
        fail(s, CCID_ERROR_HARDWARE);
    else if (!k || !k->work)
        fail(s, CCID_ERROR_UNSUPPORTED);
    else if (k->empty && data_of(s).n)
        fail(s, CCID_ERROR_LENGTH);
    else if (k->needs_card && !present(s))
        fail(s, CCID_ERROR_MUTE);
    else
        k->work(s);
}
