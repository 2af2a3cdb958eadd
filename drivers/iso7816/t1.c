#include "drivers/iso7816/t1.h"

#include <string.h>

#define NAD 0
#define PROLOGUE 3
#define IFSD_DEFAULT 32 /* 11.4.2 */

#define I_SEQ 0x40
#define I_MORE 0x20
#define I_RFU 0x1f
#define R_BLOCK 0x80
#define R_SEQ 0x10
#define R_FIXED 0xec    /* bits that an R-block has fixed */
#define S_RESYNCH 0xc0
#define S_IFS 0xc1
#define S_ABORT 0xc2
#define S_WTX 0xc3
#define S_RESPONSE 0x20

#define TRIES_MAX 3     /* of one block, the first included: rule 7.4 */
#define RESYNCHS_MAX 3
/* More than any exchange needs: 519 octets one by one, each tried a few
 * times. */
#define BLOCKS_MAX 4096

enum state {
    IDLE,
    IFSD_ASKED,  /* S(IFS request) is out                                 */
    COMMAND,     /* an I-block is out, not yet acknowledged               */
    ANSWER,      /* the card is sending a chain                           */
    RESYNCH,     /* S(RESYNCH request) is out                             */
    ABORTED      /* S(ABORT response) is out                              */
};

/* What an R-block says was wrong (11.3.2.2). */
enum fault { NO_FAULT = 0, EDC_FAULT = 1, OTHER_FAULT = 2 };

struct block {
    uint8_t pcb;
    struct span inf;
};

const char *t1_failure_text(enum t1_failure f)
{
    static const char *const text[T1_FAILURES] = {
        [T1_FAIL_NONE] = "nothing is wrong",
        [T1_FAIL_MUTE] = "no undamaged block came from the card",
        [T1_FAIL_RESYNCHED] = "blocks were lost or damaged; the link is in "
                              "order again, the exchange is lost",
        [T1_FAIL_WTX] = "the card asked for more time than it is granted",
        [T1_FAIL_ABORT] = "the card gave the exchange up",
        [T1_FAIL_LONG] = "the card's answer is longer than 258 octets",
        [T1_FAIL_SHORT] = "the card's answer has no status word",
        [T1_FAIL_ENDLESS] = "the exchange takes too many blocks",
        [T1_FAIL_USE] = "no exchange can begin now, or not with this command",
    };

    return (unsigned)f < T1_FAILURES ? text[f] : "unknown";
}

bool t1_alive(const struct t1 *t)
{
    return t->alive;
}

static uint8_t bounded(uint8_t ifs)
{
    return ifs == 0 ? 1 : ifs > T1_IFS_MAX ? T1_IFS_MAX : ifs;
}

/* As after a reset, which is also where RESYNCH leads (11.6.2.3). */
static void start_over(struct t1 *t)
{
    t->ns = t->nr = 0;
    t->ifsc = t->params.ifsc;
    t->ifsd_known = t->params.ifsd == IFSD_DEFAULT;
    t->state = IDLE;
}

void t1_init(struct t1 *t, const struct t1_params *p)
{
    memset(t, 0, sizeof *t);
    t->params = *p;
    t->params.ifsc = bounded(p->ifsc);
    t->params.ifsd = bounded(p->ifsd);
    t->alive = true;
    start_over(t);
}

static enum t1_next fail(struct t1 *t, enum t1_failure why)
{
    t->failure = why;
    t->response_n = 0;
    t->state = IDLE;
    t->alive = why == T1_FAIL_RESYNCHED;
    return T1_FAILED;
}

static enum t1_next done(struct t1 *t)
{
    t->state = IDLE;
    return T1_DONE;
}

/* --- blocks ---------------------------------------------------------------- */

static size_t edc_len(const struct t1 *t)
{
    return t->params.crc ? 2 : 1;
}

/* The frame check sequence of ISO/IEC 13239, which 11.4.4 refers to: as in
 * ISO/IEC 14443-3, CRC_B, low octet first. Drivers and cards in the field have
 * another reading of it, without the complement and with the high octet first
 * (libccid is one). The first good block of a card tells which it means. */
static uint16_t crc(struct span in)
{
    uint16_t c = 0xffff;

    for (size_t k = 0; k < in.n; k++) {
        c ^= in.p[k];
        for (int bit = 0; bit < 8; bit++)
            c = (uint16_t)(c & 1 ? c >> 1 ^ 0x8408 : c >> 1);
    }
    return c;
}

static void edc(const struct t1 *t, struct span in, uint8_t out[2])
{
    if (t->params.crc) {
        uint16_t c = crc(in), inverted = (uint16_t)~c;
        out[0] = (uint8_t)(t->plain_crc ? c >> 8 : inverted);
        out[1] = (uint8_t)(t->plain_crc ? c : inverted >> 8);
    } else {
        out[0] = 0;
        for (size_t k = 0; k < in.n; k++)
            out[0] ^= in.p[k];
    }
}

static bool edc_holds(const struct t1 *t, struct span in)
{
    size_t e = edc_len(t);
    uint8_t want[2];

    edc(t, SPAN(in.p, in.n - e), want);
    return memcmp(want, in.p + in.n - e, e) == 0;
}

/* Until a block has held, the card may mean the other form of CRC. */
static bool edc_settles(struct t1 *t, struct span in)
{
    if (edc_holds(t, in))
        return true;
    if (!t->params.crc || t->heard)
        return false;
    t->plain_crc = !t->plain_crc;
    if (edc_holds(t, in))
        return true;
    t->plain_crc = !t->plain_crc;
    return false;
}

static enum fault read_block(struct t1 *t, struct span in, struct block *out)
{
    size_t e = edc_len(t);

    if (in.n < PROLOGUE + e)
        return OTHER_FAULT;
    if (!edc_settles(t, in))
        return EDC_FAULT;
    if (in.p[0] != NAD || in.n != PROLOGUE + in.p[2] + e)
        return OTHER_FAULT;
    out->pcb = in.p[1];
    out->inf = SPAN(in.p + PROLOGUE, in.p[2]);
    return NO_FAULT;
}

static enum t1_next send_block(struct t1 *t, uint8_t pcb, struct span inf,
                               unsigned wtx)
{
    if (t->blocks++ == BLOCKS_MAX)
        return fail(t, T1_FAIL_ENDLESS);
    t->block[0] = NAD;
    t->block[1] = pcb;
    t->block[2] = (uint8_t)inf.n;
    if (inf.n != 0)
        memmove(t->block + PROLOGUE, inf.p, inf.n);
    edc(t, SPAN(t->block, PROLOGUE + inf.n), t->block + PROLOGUE + inf.n);
    t->block_n = PROLOGUE + inf.n + edc_len(t);
    t->wtx = wtx;
    t->counters.sent++;
    return T1_SEND;
}

static enum t1_next send_s(struct t1 *t, uint8_t pcb, struct span inf)
{
    return send_block(t, pcb, inf, 1);
}

static enum t1_next send_r(struct t1 *t, enum fault why)
{
    return send_block(t, (uint8_t)(R_BLOCK | (t->nr ? R_SEQ : 0) | why),
                      SPAN(NULL, 0), 1);
}

/* The I-block in hand, whether for the first time or again. */
static enum t1_next send_i(struct t1 *t)
{
    bool more = t->at + t->chunk < t->command_n;

    return send_block(t, (uint8_t)((t->ns ? I_SEQ : 0) | (more ? I_MORE : 0)),
                      SPAN(t->command + t->at, t->chunk), 1);
}

static enum t1_next next_i(struct t1 *t)
{
    size_t left = t->command_n - t->at;

    t->chunk = left < t->ifsc ? left : t->ifsc;
    if (t->ifsc_max && t->chunk > t->ifsc_max)
        t->chunk = t->ifsc_max;
    t->state = COMMAND;
    return send_i(t);
}

static enum t1_next ask_ifsd(struct t1 *t)
{
    t->state = IFSD_ASKED;
    return send_s(t, S_IFS, SPAN(&t->params.ifsd, 1));
}

/* --- when something is wrong ------------------------------------------------ */

static enum t1_next resynchronise(struct t1 *t)
{
    if (!t->heard)
        return fail(t, T1_FAIL_MUTE); /* rule 7.4.1: nothing but a reset */
    if (t->state != RESYNCH)
        t->tries = 0;
    else if (t->tries >= RESYNCHS_MAX)
        return fail(t, T1_FAIL_MUTE);
    t->tries++;
    t->state = RESYNCH;
    t->counters.resynchs++;
    return send_s(t, S_RESYNCH, SPAN(NULL, 0));
}

/* One try more has failed: may there be another? Two things are counted, each
 * in a row: blocks that did not come or cannot be used, and times that the
 * card has asked for the same block of ours. */
static bool again(struct t1 *t, unsigned *count)
{
    if (++*count >= TRIES_MAX)
        return false;
    t->counters.repeated++;
    return true;
}

/* No block, or none that can be used here: rules 7.1 to 7.3. */
static enum t1_next ask_again(struct t1 *t, enum fault why)
{
    t->counters.damaged++;
    if (t->state == ABORTED)
        return fail(t, T1_FAIL_ABORT);
    if (t->state == RESYNCH || !again(t, &t->tries))
        return resynchronise(t);
    if (t->state == IFSD_ASKED)
        return ask_ifsd(t);
    return send_r(t, why);
}

/* --- what comes -------------------------------------------------------------- */

static enum t1_next take_i(struct t1 *t, const struct block *b)
{
    bool last_out = t->at + t->chunk == t->command_n;

    if ((b->pcb & I_RFU) || !!(b->pcb & I_SEQ) != t->nr ||
        b->inf.n > t->params.ifsd ||
        !(t->state == ANSWER || (t->state == COMMAND && last_out)))
        return ask_again(t, OTHER_FAULT);
    if (b->inf.n > T1_RESPONSE_MAX - t->response_n)
        return fail(t, T1_FAIL_LONG);
    if (t->state == COMMAND)
        t->ns ^= 1; /* an answer acknowledges the command: rule 2.1 */
    t->nr ^= 1;
    t->tries = t->resent = 0;
    if (b->inf.n != 0)
        memcpy(t->response + t->response_n, b->inf.p, b->inf.n);
    t->response_n += b->inf.n;
    t->state = ANSWER;
    if (b->pcb & I_MORE)
        return send_r(t, NO_FAULT);
    return t->response_n < 2 ? fail(t, T1_FAIL_SHORT) : done(t);
}

static enum t1_next take_r(struct t1 *t, const struct block *b)
{
    bool more = t->at + t->chunk < t->command_n;
    bool wants_ours = !!(b->pcb & R_SEQ) == t->ns;

    if ((b->pcb & R_FIXED) != R_BLOCK || b->inf.n != 0 ||
        (t->state != COMMAND && t->state != ANSWER))
        return ask_again(t, OTHER_FAULT);
    /* Within its chain the card has lost our R-block: it wants that again. */
    if (t->state == ANSWER || wants_ours) {
        t->tries = 0;
        if (!again(t, &t->resent))
            return resynchronise(t);
        return t->state == ANSWER ? send_r(t, NO_FAULT) : send_i(t);
    }
    /* It has our last I-block and lost what we said to its answer. */
    if (!more)
        return ask_again(t, OTHER_FAULT);
    t->tries = t->resent = 0;
    t->ns ^= 1;
    t->at += t->chunk;
    return next_i(t);
}

static enum t1_next take_wtx(struct t1 *t, const struct block *b)
{
    unsigned times = b->inf.p[0];

    if (times > t->params.wtx_limit - t->extended)
        return fail(t, T1_FAIL_WTX);
    t->extended += times;
    t->tries = 0;
    t->counters.wtx++;
    return send_block(t, S_WTX | S_RESPONSE, b->inf, times);
}

static enum t1_next take_ifs(struct t1 *t, const struct block *b)
{
    t->ifsc = b->inf.p[0];
    t->tries = 0;
    t->counters.ifs++;
    return send_s(t, S_IFS | S_RESPONSE, b->inf);
}

static enum t1_next take_abort(struct t1 *t)
{
    t->state = ABORTED;
    return send_s(t, S_ABORT | S_RESPONSE, SPAN(NULL, 0));
}

static enum t1_next take_ifsd_confirmed(struct t1 *t)
{
    t->ifsd_known = true;
    t->tries = 0;
    return t->command_n == 0 ? done(t) : next_i(t);
}

static enum t1_next take_s(struct t1 *t, const struct block *b)
{
    uint8_t arg = b->inf.n == 1 ? b->inf.p[0] : 0; /* 0: never a good one */

    switch (b->pcb) {
    case S_WTX:
        if (arg != 0 && t->state != RESYNCH)
            return take_wtx(t, b);
        break;
    case S_IFS:
        if (arg != 0 && arg <= T1_IFS_MAX && t->state != RESYNCH)
            return take_ifs(t, b);
        break;
    case S_IFS | S_RESPONSE:
        if (t->state == IFSD_ASKED && arg == t->params.ifsd)
            return take_ifsd_confirmed(t);
        break;
    case S_ABORT:
        if (b->inf.n == 0 && (t->state == COMMAND || t->state == ANSWER))
            return take_abort(t);
        break;
    case S_RESYNCH | S_RESPONSE:
        if (b->inf.n == 0 && t->state == RESYNCH) {
            start_over(t);
            return fail(t, T1_FAIL_RESYNCHED);
        }
        break;
    default:
        break;
    }
    return ask_again(t, OTHER_FAULT);
}

/* --- the caller's side -------------------------------------------------------- */

static enum t1_next refuse(struct t1 *t)
{
    t->failure = T1_FAIL_USE;
    return T1_FAILED;
}

static bool start_exchange(struct t1 *t)
{
    if (!t->alive || t->state != IDLE)
        return false;
    t->command_n = t->at = t->chunk = t->response_n = 0;
    t->tries = t->resent = t->extended = t->blocks = 0;
    t->failure = T1_FAIL_NONE;
    return true;
}

enum t1_next t1_open(struct t1 *t)
{
    if (!start_exchange(t))
        return refuse(t);
    return t->ifsd_known ? done(t) : ask_ifsd(t);
}

enum t1_next t1_begin(struct t1 *t, struct span apdu)
{
    if (apdu.n < 4 || apdu.n > T1_COMMAND_MAX || !start_exchange(t))
        return refuse(t);
    memcpy(t->command, apdu.p, apdu.n);
    t->command_n = apdu.n;
    return t->ifsd_known ? next_i(t) : ask_ifsd(t);
}

enum t1_next t1_receive(struct t1 *t, enum t1_input what, struct span block)
{
    struct block b;
    enum fault f;

    if (t->state == IDLE)
        return refuse(t);
    if (what != T1_BLOCK)
        return ask_again(t, what == T1_DAMAGED ? EDC_FAULT : OTHER_FAULT);
    if ((f = read_block(t, block, &b)) != NO_FAULT)
        return ask_again(t, f);
    t->heard = true;
    t->counters.received++;
    if (t->state == ABORTED)
        return fail(t, T1_FAIL_ABORT);
    if (!(b.pcb & 0x80))
        return take_i(t, &b);
    return b.pcb & 0x40 ? take_s(t, &b) : take_r(t, &b);
}
