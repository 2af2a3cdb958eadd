#include "station/fpa/apdu.h"

#include <stdlib.h>
#include <string.h>

#include "station/base/clock.h"

/* Command octets (binding, clause 4; ETSI TS 102 221). */
#define INS_MANAGE_CHANNEL 0x70
#define INS_SELECT 0xA4
#define INS_GET_RESPONSE 0xC0
#define INS_STORE_DATA 0xE2
#define P1_MORE 0x11
#define P1_LAST 0x91
#define CHANNEL_MAX 19
#define CHANNELS_BASIC 4 /* 0-3 fit the low bits of the class */

#define COMMAND_MAX (5 + APDU_DATA_MAX + 1)

static const uint8_t terminal_capability[] = {
    0x80, 0xAA, 0x00, 0x00, 0x0A, 0xA9, 0x08, 0x81,
    0x00, 0x82, 0x01, 0x01, 0x83, 0x01, 0x07,
};
static const uint8_t manage_channel[] = { 0x00, INS_MANAGE_CHANNEL, 0x00, 0x00, 0x01 };
static const uint8_t isd_r[] = {
    0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0xFF,
    0xFF, 0xFF, 0xFF, 0x89, 0x00, 0x00, 0x01, 0x00,
};

struct apdu {
    struct fixture *f; /* NULL: the session is over */
    struct apdu_limits limits;
    struct apdu_counters counters;
    int64_t deadline;
    unsigned channel;
    struct buf atr;
    struct buf rsp; /* of the last command, with its status word */
};

/* --- status words -------------------------------------------------------- */

static bool sw_more_data(uint16_t sw)
{
    return sw >> 8 == 0x61;
}

/* 91XX: done, and a proactive command waits, which nobody here will fetch. */
static bool sw_done(uint16_t sw)
{
    return sw == 0x9000 || sw >> 8 == 0x91;
}

static const struct {
    uint16_t sw, mask;
    const char *text;
} sw_texts[] = {
    { 0x6200, 0xFF00, "warning; reseat the unit and scan it again" },
    { 0x6300, 0xFF00, "warning; reseat the unit and scan it again" },
    { 0x6581, 0xFFFF, "the card's memory fails; replace the card" },
    { 0x6700, 0xFFFF, "wrong length; the card does not speak this protocol, ask engineering" },
    { 0x6881, 0xFFFF, "no logical channels; this is not an eUICC the station can load" },
    { 0x6882, 0xFFFF, "no secure messaging; ask engineering" },
    { 0x6982, 0xFFFF, "security status not satisfied; scan the unit again" },
    { 0x6985, 0xFFFF, "conditions not met: the card's factory services are closed, or its status "
                      "was not read first; scan the unit again, and quarantine it if this stays" },
    { 0x6A80, 0xFFFF, "the card finds the command's data wrong; ask engineering" },
    { 0x6A81, 0xFFFF, "function not supported, or no channel free; reseat the unit" },
    { 0x6A82, 0xFFFF, "no ISD-R on this card; it is not an eUICC, check the part" },
    { 0x6A84, 0xFFFF, "no memory left on the card; delete a profile or replace the card" },
    { 0x6A86, 0xFFFF, "wrong parameters; ask engineering" },
    { 0x6A88, 0xFFFF, "data not found; ask engineering" },
    { 0x6C00, 0xFF00, "the card asks for another length again and again; replace it" },
    { 0x6D00, 0xFFFF, "command unknown; this is not an eUICC for factory loading, check the part" },
    { 0x6E00, 0xFFFF, "class unknown; this is not an eUICC for factory loading, check the part" },
    { 0x6F00, 0xFF00, "the card failed inside; scan the unit again, and replace it if this stays" },
    { 0x9000, 0xFFFF, "success" },
    { 0x0000, 0x0000, "a status word the station does not know; scan the unit again" },
};

const char *apdu_sw_text(uint16_t sw)
{
    size_t i = 0;

    while ((sw & sw_texts[i].mask) != sw_texts[i].sw)
        i++; /* the last row matches everything */
    return sw_texts[i].text;
}

static int refused(uint16_t sw, struct err *e)
{
    return err_set_sw(e, sw, "the card answers %04X: %s", sw, apdu_sw_text(sw));
}

/* --- one command --------------------------------------------------------- */

static int over(struct apdu *s)
{
    if (s->f)
        s->f->ops->power_off(s->f);
    s->f = NULL;
    return -1;
}

bool apdu_alive(const struct apdu *s)
{
    return s->f != NULL;
}

/* How long the next call to the driver may take; 0: the unit's time is up. */
static int time_left(const struct apdu *s, int wanted_ms)
{
    int64_t left = s->deadline - clock_monotonic_ms();

    if (left <= 0)
        return 0;
    return left < wanted_ms ? (int)left : wanted_ms;
}

static int out_of_time(const struct apdu *s, struct err *e)
{
    return err_set(e, ERR_TIMEOUT,
                   "this unit has taken more than the %lld s allowed; reseat "
                   "it and scan it again",
                   (long long)(s->limits.unit_ms / 1000));
}

static int transmit(struct apdu *s, struct span cmd, uint16_t *sw,
                    struct err *e)
{
    if (!s->f)
        return err_set(e, ERR_NO_CARD, "the session with this card is over; "
                                       "scan the unit again");
    int ms = time_left(s, s->limits.apdu_ms);
    if (ms == 0) {
        out_of_time(s, e);
        return over(s);
    }
    s->counters.apdus++;
    s->counters.octets_out += cmd.n;
    if (s->f->ops->transmit(s->f, cmd, &s->rsp, ms, e) != 0) {
        if (e && e->code == ERR_FORMAT) /* it answered, but not as it must */
            e->code = ERR_CARD;
        return over(s);
    }
    s->counters.octets_in += s->rsp.n;
    if (s->rsp.n < 2 || s->rsp.n > FIXTURE_RESPONSE_MAX) {
        err_set(e, ERR_CARD, "the card answered %zu octets, which is no "
                             "response; reseat it, then replace it",
                s->rsp.n);
        return over(s);
    }
    s->rsp.n -= 2;
    *sw = (uint16_t)(s->rsp.p[s->rsp.n] << 8 | s->rsp.p[s->rsp.n + 1]);
    return 0;
}

/* ISO 7816-4: 6Cxx tells the Le that would have been right; the command was
 * not carried out. Believed once per command. */
static int transmit_le(struct apdu *s, uint8_t *cmd, size_t n, uint16_t *sw,
                       struct err *e)
{
    if (transmit(s, SPAN(cmd, n), sw, e) != 0)
        return -1;
    if (*sw >> 8 != 0x6C)
        return 0;
    cmd[n - 1] = (uint8_t)*sw;
    return transmit(s, SPAN(cmd, n), sw, e);
}

/* --- an answer ----------------------------------------------------------- */

/* Class of a proprietary command on this channel: 8X, or CX from 4 up. */
static uint8_t class_of(const struct apdu *s)
{
    return (uint8_t)(s->channel < CHANNELS_BASIC
                         ? 0x80 + s->channel
                         : 0xC0 + (s->channel - CHANNELS_BASIC));
}

/* The same for an interindustry command (SELECT): 0X, or 4X from 4 up. */
static uint8_t class_iso(const struct apdu *s)
{
    return (uint8_t)(class_of(s) - 0x80);
}

static int keep(struct apdu *s, struct buf *answer, struct err *e)
{
    if (answer->n + s->rsp.n > s->limits.answer_max) {
        err_set(e, ERR_LIMIT, "the card's answer is longer than %zu octets; "
                              "replace the card",
                s->limits.answer_max);
        return over(s);
    }
    buf_put(answer, s->rsp.p, s->rsp.n);
    if (buf_ok(answer))
        return 0;
    err_set(e, ERR_NOMEM, "no memory for the card's answer");
    return over(s);
}

/* Fetch what 61xx announced. The class is that of the command it continues. */
static int get_response(struct apdu *s, struct buf *answer, uint16_t *sw,
                        struct err *e)
{
    for (unsigned i = 0; sw_more_data(*sw); i++) {
        uint8_t cmd[] = { class_of(s), INS_GET_RESPONSE, 0, 0, (uint8_t)*sw };

        if (i == s->limits.get_response_max) {
            err_set(e, ERR_LIMIT, "the card promises more data without end; "
                                  "replace the card");
            return over(s);
        }
        if (transmit_le(s, cmd, sizeof cmd, sw, e) != 0 ||
            keep(s, answer, e) != 0)
            return -1;
    }
    return 0;
}

static size_t store_data(const struct apdu *s, struct span block, size_t index,
                         bool last, uint8_t cmd[COMMAND_MAX])
{
    size_t n = 0;

    cmd[n++] = class_of(s);
    cmd[n++] = INS_STORE_DATA;
    cmd[n++] = last ? P1_LAST : P1_MORE;
    cmd[n++] = (uint8_t)index; /* wraps at 255 */
    cmd[n++] = (uint8_t)block.n;
    memcpy(cmd + n, block.p, block.n);
    n += block.n;
    if (last)
        cmd[n++] = 0x00; /* Le: only the last one asks for an answer */
    return n;
}

static int send_block(struct apdu *s, uint8_t *cmd, size_t n, bool last,
                      uint16_t *sw, struct err *e)
{
    return last ? transmit_le(s, cmd, n, sw, e)
                : transmit(s, SPAN(cmd, n), sw, e);
}

int apdu_chain(struct apdu *s, struct span data, struct buf *answer,
               uint16_t *sw_out, struct err *e)
{
    uint16_t ignored, *sw = sw_out ? sw_out : &ignored;
    uint8_t cmd[COMMAND_MAX];

    *sw = 0;
    buf_reset(answer);
    if (data.n == 0)
        return err_set(e, ERR_INTERNAL, "an empty chain");
    for (size_t index = 0, at = 0; at < data.n; index++) {
        struct span block = span_sub(data, at, APDU_DATA_MAX);
        at += block.n;
        bool last = at == data.n;
        size_t n = store_data(s, block, index, last, cmd);

        if (send_block(s, cmd, n, last, sw, e) != 0 ||
            keep(s, answer, e) != 0 || get_response(s, answer, sw, e) != 0)
            return -1;
        if (!sw_done(*sw))
            return refused(*sw, e);
        if (answer->n > 0)
            return 0;
    }
    return 0;
}

/* --- opening ------------------------------------------------------------- */

static int power_on(struct apdu *s, struct err *e)
{
    int ms = time_left(s, s->limits.power_on_ms);

    if (ms == 0)
        return out_of_time(s, e);
    if (s->f->ops->power_on(s->f, &s->atr, ms, e) != 0)
        return -1;
    /* ISO 7816-3: TS is 3B or 3F, and T0 follows. */
    if (s->atr.n < 2 || (s->atr.p[0] != 0x3B && s->atr.p[0] != 0x3F))
        return err_set(e, ERR_CARD, "the card's ATR is nonsense; reseat the "
                                    "unit, and replace the card if this stays");
    return 0;
}

/* 1: open, 0: the card would not, -1: no exchange. *sw is what it said. */
static int open_channel(struct apdu *s, uint16_t *sw, struct err *e)
{
    uint8_t cmd[sizeof manage_channel];

    /* What this terminal can do; old cards refuse it, and that is fine. */
    if (transmit(s, SPAN_ARRAY(terminal_capability), sw, e) != 0)
        return -1;
    memcpy(cmd, manage_channel, sizeof cmd);
    if (transmit_le(s, cmd, sizeof cmd, sw, e) != 0)
        return -1;
    if (*sw != 0x9000 || s->rsp.n != 1 || s->rsp.p[0] < 1 ||
        s->rsp.p[0] > CHANNEL_MAX)
        return 0;
    s->channel = s->rsp.p[0];
    return 1;
}

static int open_channel_or_reset(struct apdu *s, struct err *e)
{
    uint16_t sw = 0;
    int r = open_channel(s, &sw, e);

    if (r == 0) {
        s->f->ops->power_off(s->f);
        if (power_on(s, e) != 0)
            return -1;
        r = open_channel(s, &sw, e);
    }
    if (r != 0)
        return r < 0 ? -1 : 0;
    if (sw != 0x9000)
        return refused(sw, e);
    return err_set(e, ERR_CARD, "the card opens a channel that does not exist; "
                                "replace it");
}

static int select_isd_r(struct apdu *s, struct err *e)
{
    uint8_t cmd[5 + sizeof isd_r] = { class_iso(s), INS_SELECT, 0x04, 0x00,
                                      sizeof isd_r };
    uint16_t sw;

    memcpy(cmd + 5, isd_r, sizeof isd_r);
    if (transmit(s, SPAN_ARRAY(cmd), &sw, e) != 0)
        return -1;
    /* The FCI behind 61xx is of no use and stays where it is. */
    return sw_done(sw) || sw_more_data(sw) ? 0 : refused(sw, e);
}

static int start(struct apdu *s, struct err *e)
{
    if (power_on(s, e) != 0)
        return err_wrap(e, "power on");
    if (open_channel_or_reset(s, e) != 0)
        return err_wrap(e, "opening a logical channel");
    if (select_isd_r(s, e) != 0)
        return err_wrap(e, "selecting the ISD-R");
    return 0;
}

int apdu_open(struct fixture *f, const struct apdu_limits *limits,
              struct apdu **out, struct err *e)
{
    struct apdu *s = calloc(1, sizeof *s);

    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for a session");
    s->f = f;
    s->limits = limits ? *limits : APDU_LIMITS_DEFAULT;
    s->deadline = clock_monotonic_ms() + s->limits.unit_ms;
    if (start(s, e) != 0) {
        apdu_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

struct span apdu_atr(const struct apdu *s)
{
    return buf_span(&s->atr);
}

const struct apdu_counters *apdu_counters(const struct apdu *s)
{
    return &s->counters;
}

void apdu_close(struct apdu *s)
{
    if (!s)
        return;
    over(s);
    buf_clear(&s->atr);
    buf_clear(&s->rsp);
    free(s);
}

void apdu_close_p(struct apdu **s)
{
    apdu_close(*s);
}
