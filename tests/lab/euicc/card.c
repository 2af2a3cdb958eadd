/* ISO/IEC 7816-4 as a T=0 card lives it: one command in, one status word out;
 * answers wait for GET RESPONSE. */
#include "tests/lab/euicc/card.h"

#include "tests/lab/euicc/isdr.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHANNELS 20
#define CHAIN_MAX_OCTETS 65536
#define ANSWER_MAX 65536
/* One GET RESPONSE carries at most this: 256 is legal, but hangs known LPAs
 * (peers). */
#define RESPONSE_DATA_MAX 255

#define INS_MANAGE_CHANNEL 0x70
#define INS_SELECT 0xA4
#define INS_TERMINAL_CAPABILITY 0xAA
#define INS_GET_RESPONSE 0xC0
#define INS_STORE_DATA 0xE2
#define P1_MORE 0x11
#define P1_LAST 0x91

#define SW_BYTES_LEFT 0x6100
#define SW_WRONG_LENGTH 0x6700
#define SW_NO_CHANNEL 0x6881
#define SW_NO_FUNCTION 0x6A81
#define SW_NO_FILE 0x6A82
#define SW_WRONG_P1P2 0x6A86
#define SW_WRONG_LE 0x6C00
#define SW_UNKNOWN_INS 0x6D00
#define SW_UNKNOWN_CLA 0x6E00
#define SW_UNKNOWN_ERROR 0x6F00

static const uint8_t isdr_aid[16] = { 0xA0, 0x00, 0x00, 0x05, 0x59, 0x10,
                                      0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x89,
                                      0x00, 0x00, 0x01, 0x00 };

/* Direct convention, 3V class A B C, T=0 only: historical bytes say "no
 * DF by path, logical channels, extended Lc no" (7816-4, 8.1.1). */
static const uint8_t atr_octets[] = { 0x3B, 0x9F, 0x96, 0x80, 0x1F, 0xC7,
                                      0x80, 0x31, 0xE0, 0x73, 0xFE, 0x21,
                                      0x13, 0x67, 'L',  'S',  '-',  'L',
                                      'A',  'B' };

struct channel {
    bool open;
    bool isdr;          /* the ISD-R is selected here   */
    struct buf chain;   /* STORE DATA so far            */
    unsigned next_p2;
    struct buf answer;  /* waits for GET RESPONSE       */
    size_t answered;
};

struct card {
    struct store *s;
    struct isdr isdr;
    struct card_options options;
    bool powered, mute, endless61;
    unsigned apdus;
    struct channel ch[CHANNELS];
};

struct apdu {
    uint8_t cla, ins, p1, p2;
    unsigned channel;
    bool proprietary;   /* GlobalPlatform class          */
    bool has_data;
    struct span data;
    bool has_le;
    unsigned le;        /* 0: as much as there is (256)  */
};

/* --- life ---------------------------------------------------------------- */

int card_open(const char *path, const struct card_options *options,
              struct card **out, struct err *e)
{
    struct card *c = calloc(1, sizeof *c);

    if (!c)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (options)
        c->options = *options;
    if (store_open(path, &c->s, e) != 0 ||
        isdr_init(&c->isdr, c->s, e) != 0) {
        store_close(c->s);
        free(c);
        return -1;
    }
    *out = c;
    return 0;
}

static void channel_reset(struct channel *ch)
{
    ch->isdr = false;
    buf_reset(&ch->chain);
    ch->next_p2 = 0;
    buf_reset(&ch->answer);
    ch->answered = 0;
}

void card_power_off(struct card *c)
{
    for (int i = 0; i < CHANNELS; i++) {
        channel_reset(&c->ch[i]);
        c->ch[i].open = false;
    }
    isdr_power_off(&c->isdr);
    c->powered = c->mute = c->endless61 = false;
}

void card_close(struct card *c)
{
    if (!c)
        return;
    card_power_off(c);
    for (int i = 0; i < CHANNELS; i++) {
        buf_clear(&c->ch[i].chain);
        buf_clear(&c->ch[i].answer);
    }
    isdr_clear(&c->isdr);
    store_close(c->s);
    free(c);
}

void card_close_p(struct card **c)
{
    card_close(*c);
}

unsigned card_apdu_count(const struct card *c)
{
    return c->apdus;
}

static int put_nonsense(struct buf *b, struct err *e)
{
    uint8_t o[24];

    if (RAND_bytes(o, sizeof o) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random octets");
    o[sizeof o - 2] = 0x42; /* no status word begins so */
    buf_put(b, o, sizeof o);
    return 0;
}

int card_atr(const struct card *c, struct buf *atr, struct err *e)
{
    uint8_t tck = 0;

    buf_reset(atr);
    if (c->options.damaged)
        return put_nonsense(atr, e);
    for (size_t i = 1; i < sizeof atr_octets; i++)
        tck ^= atr_octets[i];
    buf_put(atr, atr_octets, sizeof atr_octets);
    buf_put_u8(atr, tck);
    return buf_ok(atr) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

int card_power_on(struct card *c, struct buf *atr, struct err *e)
{
    card_power_off(c);
    c->powered = true;
    c->ch[0].open = true;
    return card_atr(c, atr, e);
}

/* --- reading a command --------------------------------------------------- */

/* ISO/IEC 7816-4 table 2 and 3; GlobalPlatform 11.1.4 for the proprietary
 * ones. -1: no class of ours (secure messaging, chaining, RFU). */
static int class_read(struct apdu *a)
{
    static const struct {
        uint8_t mask, value, first_channel, channels;
        bool proprietary;
    } forms[] = {
        { 0xFC, 0x00, 0, 4, false },
        { 0xF0, 0x40, 4, 16, false },
        { 0xFC, 0x80, 0, 4, true },
        { 0xF0, 0xC0, 4, 16, true },
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if ((a->cla & forms[i].mask) != forms[i].value)
            continue;
        a->channel = forms[i].first_channel +
                     (a->cla & (forms[i].channels - 1u));
        a->proprietary = forms[i].proprietary;
        return 0;
    }
    return -1;
}

/* Short APDUs only: cases 1 to 4. -1: the length is wrong. */
static int apdu_read(struct span in, struct apdu *out)
{
    struct apdu a = { 0 };

    if (in.n < 4)
        return -1;
    a.cla = in.p[0];
    a.ins = in.p[1];
    a.p1 = in.p[2];
    a.p2 = in.p[3];
    if (in.n == 5) {
        a.has_le = true;
        a.le = in.p[4];
    } else if (in.n > 5) {
        size_t lc = in.p[4];
        if (lc == 0 || (in.n != 5 + lc && in.n != 6 + lc))
            return -1;
        a.has_data = true;
        a.data = SPAN(in.p + 5, lc);
        a.has_le = in.n == 6 + lc;
        a.le = a.has_le ? in.p[5 + lc] : 0;
    }
    *out = a;
    return 0;
}

/* --- answers ------------------------------------------------------------- */

static int bytes_left(const struct channel *ch)
{
    size_t left = ch->answer.n - ch->answered;

    return SW_BYTES_LEFT +
           (int)(left < RESPONSE_DATA_MAX ? left : RESPONSE_DATA_MAX);
}

/* A function's end: its answer, if any, now waits. */
static int answer_ready(const struct channel *ch, int sw)
{
    return sw == SW_OK && ch->answer.n > 0 ? bytes_left(ch) : sw;
}

static int do_get_response(struct card *c, struct channel *ch,
                           const struct apdu *a, struct buf *rsp,
                           struct err *e)
{
    size_t left = ch->answer.n - ch->answered;
    size_t most = left < RESPONSE_DATA_MAX ? left : RESPONSE_DATA_MAX;
    size_t le = a->le ? a->le : 256;

    (void)c;
    (void)e;
    if (a->p1 != 0 || a->p2 != 0)
        return SW_WRONG_P1P2;
    if (a->has_data || !a->has_le)
        return SW_WRONG_LENGTH;
    if (left == 0)
        return SW_CONDITIONS;
    if (le > most)
        return SW_WRONG_LE + (int)most;
    buf_put(rsp, ch->answer.p + ch->answered, le);
    ch->answered += le;
    if (ch->answered < ch->answer.n)
        return bytes_left(ch);
    buf_reset(&ch->answer);
    ch->answered = 0;
    return SW_OK;
}

/* --- channels ------------------------------------------------------------ */

static void channel_open(struct channel *ch)
{
    channel_reset(ch);
    ch->open = true;
}

/* 00700000 01: the card chooses and says which. */
static int open_any(struct card *c, const struct apdu *a, struct buf *rsp)
{
    if (!a->has_le)
        return SW_WRONG_LENGTH;
    if (a->le != 1)
        return SW_WRONG_LE + 1;
    for (unsigned i = 1; i < CHANNELS; i++)
        if (!c->ch[i].open) {
            channel_open(&c->ch[i]);
            buf_put_u8(rsp, (uint8_t)i);
            return SW_OK;
        }
    return SW_NO_FUNCTION;
}

static int do_manage_channel(struct card *c, struct channel *ch,
                             const struct apdu *a, struct buf *rsp,
                             struct err *e)
{
    (void)ch;
    (void)e;
    if (a->has_data)
        return SW_WRONG_LENGTH;
    if (a->p1 == 0x00 && a->p2 == 0)
        return open_any(c, a, rsp);
    if ((a->p1 != 0x00 && a->p1 != 0x80) || a->p2 == 0 || a->p2 >= CHANNELS)
        return SW_WRONG_P1P2;
    if (a->has_le && a->le != 0)
        return SW_WRONG_LENGTH;
    struct channel *which = &c->ch[a->p2];
    if (which->open != (a->p1 == 0x80))
        return SW_CONDITIONS;
    if (a->p1 == 0x00) {
        channel_open(which);
        return SW_OK;
    }
    if (which->isdr)
        isdr_reset(&c->isdr);
    channel_reset(which);
    which->open = false;
    return SW_OK;
}

static int do_select(struct card *c, struct channel *ch, const struct apdu *a,
                     struct buf *rsp, struct err *e)
{
    bool fci = a->p2 == 0x00 || a->p2 == 0x04;

    (void)rsp;
    if (a->p1 != 0x04 || (!fci && a->p2 != 0x0C))
        return SW_WRONG_P1P2;
    if (!span_eq(a->data, SPAN_ARRAY(isdr_aid)))
        return SW_NO_FILE;
    /* Anywhere, SELECT begins the ISD-R's session anew. */
    for (int i = 0; i < CHANNELS; i++) {
        buf_reset(&c->ch[i].chain);
        c->ch[i].next_p2 = 0;
    }
    isdr_reset(&c->isdr);
    ch->isdr = true;
    if (fci)
        isdr_put_fci(&ch->answer);
    if (!buf_ok(&ch->answer))
        return err_set(e, ERR_NOMEM, "out of memory");
    return answer_ready(ch, SW_OK);
}

static int do_terminal_capability(struct card *c, struct channel *ch,
                                  const struct apdu *a, struct buf *rsp,
                                  struct err *e)
{
    struct tlv t;
    struct span in = a->data;

    (void)c;
    (void)ch;
    (void)rsp;
    (void)e;
    if (a->p1 != 0 || a->p2 != 0)
        return SW_WRONG_P1P2;
    return der_take(&in, 0xA9, &t) == 0 && in.n == 0 ? SW_OK : SW_WRONG_DATA;
}

/* --- STORE DATA ---------------------------------------------------------- */

static void chain_drop(struct channel *ch)
{
    buf_reset(&ch->chain);
    ch->next_p2 = 0;
}

static int do_store_data(struct card *c, struct channel *ch,
                         const struct apdu *a, struct buf *rsp, struct err *e)
{
    (void)rsp;
    if (!ch->isdr)
        return SW_UNKNOWN_INS;
    if ((a->p1 != P1_MORE && a->p1 != P1_LAST) || a->p2 != ch->next_p2) {
        chain_drop(ch);
        return SW_WRONG_P1P2;
    }
    if (!a->has_data || ch->chain.n + a->data.n > CHAIN_MAX_OCTETS) {
        chain_drop(ch);
        return a->has_data ? SW_NO_ROOM : SW_WRONG_LENGTH;
    }
    buf_put_span(&ch->chain, a->data);
    if (!buf_ok(&ch->chain))
        return err_set(e, ERR_NOMEM, "out of memory");
    if (a->p1 == P1_MORE) {
        ch->next_p2 = (ch->next_p2 + 1) & 0xff;
        return SW_OK;
    }
    int sw = isdr_function(&c->isdr, buf_span(&ch->chain), &ch->answer, e);
    chain_drop(ch);
    if (sw >= 0 && !buf_ok(&ch->answer))
        return err_set(e, ERR_NOMEM, "out of memory");
    if (ch->answer.n > ANSWER_MAX || (sw >= 0 && sw != SW_OK))
        buf_reset(&ch->answer);
    return answer_ready(ch, sw);
}

/* --- dispatch ------------------------------------------------------------ */

enum { INTERINDUSTRY = 1, PROPRIETARY = 2 };

static const struct instruction {
    uint8_t ins;
    unsigned classes;
    int (*run)(struct card *, struct channel *, const struct apdu *,
               struct buf *, struct err *);
} instructions[] = {
    { INS_MANAGE_CHANNEL, INTERINDUSTRY, do_manage_channel },
    { INS_SELECT, INTERINDUSTRY, do_select },
    { INS_TERMINAL_CAPABILITY, PROPRIETARY, do_terminal_capability },
    { INS_STORE_DATA, PROPRIETARY, do_store_data },
    /* in the class of the command that it continues */
    { INS_GET_RESPONSE, INTERINDUSTRY | PROPRIETARY, do_get_response },
};

static int dispatch(struct card *c, const struct apdu *a, struct buf *rsp,
                    struct err *e)
{
    struct channel *ch = &c->ch[a->channel];
    unsigned class = a->proprietary ? PROPRIETARY : INTERINDUSTRY;

    for (size_t i = 0; i < sizeof instructions / sizeof *instructions; i++) {
        const struct instruction *in = &instructions[i];
        if (in->ins != a->ins)
            continue;
        if (!(in->classes & class))
            return SW_UNKNOWN_CLA;
        if (a->ins != INS_GET_RESPONSE) { /* any other one drops the answer */
            buf_reset(&ch->answer);
            ch->answered = 0;
        }
        return in->run(c, ch, a, rsp, e);
    }
    return SW_UNKNOWN_INS;
}

static int process(struct card *c, struct span cmd, struct buf *rsp,
                   struct err *e)
{
    struct apdu a;
    int sw;

    if (apdu_read(cmd, &a) != 0)
        sw = SW_WRONG_LENGTH;
    else if (class_read(&a) != 0)
        sw = SW_UNKNOWN_CLA;
    else if (!c->ch[a.channel].open)
        sw = SW_NO_CHANNEL;
    else
        sw = dispatch(c, &a, rsp, e);
    if (sw < 0) {
        card_power_off(c);
        return -1;
    }
    buf_put_u16(rsp, (uint16_t)sw);
    return buf_ok(rsp) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* --- faults -------------------------------------------------------------- */

static int cut(struct card *c, struct err *e)
{
    card_power_off(c);
    return err_set(e, ERR_NO_CARD, "the card lost power");
}

static int mute(struct card *c, struct err *e)
{
    c->mute = true;
    return err_set(e, ERR_TIMEOUT, "the card does not answer");
}

static int faulty(struct card *c, struct span cmd, struct buf *rsp,
                  struct err *e)
{
    switch (c->options.fault) {
    case CARD_FAULT_SW:
        buf_put_u16(rsp, SW_UNKNOWN_ERROR);
        return 0;
    case CARD_FAULT_MUTE:
        return mute(c, e);
    case CARD_FAULT_GARBAGE:
        return put_nonsense(rsp, e);
    case CARD_FAULT_ENDLESS61:
        c->endless61 = true;
        buf_put_u16(rsp, SW_BYTES_LEFT + RESPONSE_DATA_MAX);
        return 0;
    case CARD_FAULT_CUT:
        if (process(c, cmd, rsp, e) != 0)
            return -1;
        buf_reset(rsp);
        return cut(c, e);
    case CARD_FAULT_CUT_BEFORE:
        return cut(c, e);
    case CARD_FAULT_NONE:
        break;
    }
    return process(c, cmd, rsp, e);
}

static void wait_ms(unsigned ms)
{
    struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

    while (nanosleep(&t, &t) != 0)
        ;
}

/* 255 octets of nothing, and more to come. */
static int endless61(struct buf *rsp)
{
    for (int i = 0; i < RESPONSE_DATA_MAX; i++)
        buf_put_u8(rsp, 0x5A);
    buf_put_u16(rsp, SW_BYTES_LEFT + RESPONSE_DATA_MAX);
    return 0;
}

int card_transmit(struct card *c, struct span cmd, struct buf *rsp,
                  struct err *e)
{
    buf_reset(rsp);
    if (!c->powered)
        return err_set(e, ERR_NO_CARD, "the card has no power");
    if (c->options.delay_ms)
        wait_ms(c->options.delay_ms);
    c->apdus++;
    if (c->mute)
        return mute(c, e);
    if (c->options.damaged)
        return put_nonsense(rsp, e);
    if (c->options.fault_at == c->apdus)
        return faulty(c, cmd, rsp, e);
    if (c->endless61 && cmd.n >= 2 && cmd.p[1] == INS_GET_RESPONSE)
        return endless61(rsp);
    return process(c, cmd, rsp, e);
}
