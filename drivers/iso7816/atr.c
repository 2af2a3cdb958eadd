#include "drivers/iso7816/atr.h"

#include <string.h>

#define TS_DIRECT 0x3b
#define TS_INVERSE 0x3f
#define T1 1
#define T15 15
#define BWI_MAX 9

#define TA2_CANNOT_CHANGE 0x80
#define TA2_IMPLICIT 0x10

/* Interface octets of one group: TAi TBi TCi TDi. Those that are absent are
 * not `has`. */
struct group {
    bool has[4];
    uint8_t octet[4];
};
enum { A, B, C, D };

/* What the walk over the octets has gathered, before it is judged. */
struct walk {
    struct span left;
    struct atr *a;
    unsigned seen;       /* bit T for each protocol type met       */
    uint8_t group_no;    /* i of the group in hand                 */
    uint8_t type;        /* T of TD(i-1)                           */
    uint8_t last_type;   /* highest so far, for the ascending order */
    bool has_td1;
    bool has_ta2;
    uint8_t ta2;
    bool t1_read, t15_read;
    bool bad_fidi;
    enum atr_verdict t0_fault, t1_fault;
};

/* ISO/IEC 7816-3:2006, tables 7 and 8; 0 is RFU. */
static const uint16_t f_table[16] = {
    372, 372, 558, 744, 1116, 1488, 1860, 0,
    0, 512, 768, 1024, 1536, 2048, 0, 0,
};
static const uint16_t fmax_table[16] = {
    4000, 5000, 6000, 8000, 12000, 16000, 20000, 0,
    0, 5000, 7500, 10000, 15000, 20000, 0, 0,
};
static const uint8_t d_table[16] = { 0, 1, 2, 4, 8, 16, 32, 64, 12, 20 };

uint16_t atr_f(uint8_t fidi)
{
    return f_table[fidi >> 4];
}

uint8_t atr_d(uint8_t fidi)
{
    return d_table[fidi & 0x0f];
}

uint16_t atr_fmax_khz(uint8_t fidi)
{
    return fmax_table[fidi >> 4];
}

const char *atr_verdict_text(enum atr_verdict v)
{
    static const char *const text[ATR_VERDICTS] = {
        [ATR_GOOD] = "good",
        [ATR_EMPTY] = "it has fewer than two octets",
        [ATR_TOO_LONG] = "it has more than 33 octets",
        [ATR_BAD_TS] = "it begins with neither 3B nor 3F",
        [ATR_CUT] = "it ends before what it announces",
        [ATR_NO_TCK] = "its check octet (TCK) is missing",
        [ATR_BAD_TCK] = "its check octet (TCK) is wrong, it was damaged",
        [ATR_TRAILING] = "octets follow its end",
        [ATR_T15_ALONE] = "its first protocol is T=15, which is none",
        [ATR_NO_PROTOCOL] = "it offers neither T=0 nor T=1",
        [ATR_BAD_TA2] = "it insists on parameters that it does not tell (TA2)",
        [ATR_BAD_WI] = "its waiting time for T=0 (TC2) is reserved",
        [ATR_BAD_IFSC] = "its block size for T=1 is reserved",
        [ATR_BAD_BWI] = "its block waiting time for T=1 is reserved",
    };

    return (unsigned)v < ATR_VERDICTS ? text[v] : "unknown";
}

static bool take(struct span *in, uint8_t *out)
{
    if (in->n == 0)
        return false;
    *out = in->p[0];
    in->p++;
    in->n--;
    return true;
}

static bool take_group(struct walk *w, uint8_t y, struct group *g)
{
    memset(g, 0, sizeof *g);
    for (int k = A; k <= D; k++) {
        g->has[k] = y >> k & 1;
        if (g->has[k] && !take(&w->left, &g->octet[k]))
            return false;
    }
    return true;
}

/* TA1, TC1: global. TB1 is deprecated and says nothing (8.3). */
static void read_first(struct walk *w, const struct group *g)
{
    if (g->has[A]) {
        w->bad_fidi = !atr_f(g->octet[A]) || !atr_d(g->octet[A]);
        if (!w->bad_fidi)
            w->a->fidi = g->octet[A];
    }
    if (g->has[C])
        w->a->guard = g->octet[C];
}

/* TA2: global; TC2: T=0. TB2 is deprecated. */
static void read_second(struct walk *w, const struct group *g)
{
    if (g->has[A]) {
        w->has_ta2 = true;
        w->ta2 = g->octet[A];
    }
    if (g->has[C]) {
        w->a->wi = g->octet[C];
        if (g->octet[C] == 0)
            w->t0_fault = ATR_BAD_WI;
    }
}

static void read_t1(struct walk *w, const struct group *g)
{
    struct atr *a = w->a;

    if (g->has[A]) {
        a->ifsc = g->octet[A];
        if (a->ifsc == 0)
            w->t1_fault = ATR_BAD_IFSC;
        if (a->ifsc == 0xff) {
            a->oddities |= ATR_ODD_IFSC;
            a->ifsc = ATR_IFSC_DEFAULT;
        }
    }
    if (g->has[B]) {
        a->bwi = g->octet[B] >> 4;
        a->cwi = g->octet[B] & 0x0f;
        if (a->bwi > BWI_MAX)
            w->t1_fault = ATR_BAD_BWI;
    }
    if (g->has[C]) {
        a->crc = g->octet[C] & 1;
        if (g->octet[C] & 0xfe)
            a->oddities |= ATR_ODD_EDC;
    }
}

/* TA: clock stop in two bits, classes in six. TB (use of SPU) is no matter
 * of ours. */
static void read_t15(struct walk *w, const struct group *g)
{
    if (g->has[A]) {
        w->a->clock_stop = g->octet[A] >> 6;
        w->a->classes = g->octet[A] & 0x3f;
    }
}

/* From TA3 on a group belongs to the type that the TD before it names; only
 * the first group of a type counts (8.2.3). */
static void read_group(struct walk *w, const struct group *g)
{
    if (w->group_no == 1) {
        read_first(w, g);
    } else if (w->group_no == 2) {
        read_second(w, g);
    } else if (w->type == T1 && !w->t1_read) {
        w->t1_read = true;
        read_t1(w, g);
    } else if (w->type == T15 && !w->t15_read) {
        w->t15_read = true;
        read_t15(w, g);
    }
}

static void note_type(struct walk *w, uint8_t type)
{
    if (w->group_no == 1) {
        w->has_td1 = true;
        w->a->first = type;
    }
    if (type < w->last_type)
        w->a->oddities |= ATR_ODD_ORDER;
    w->last_type = type;
    w->type = type;
    w->seen |= 1u << type;
}

/* T0, the groups and the historical octets. */
static enum atr_verdict walk_octets(struct walk *w)
{
    uint8_t t0, y;
    struct group g;

    if (!take(&w->left, &t0))
        return ATR_CUT;
    for (y = t0 >> 4, w->group_no = 1;; w->group_no++) {
        if (!take_group(w, y, &g))
            return ATR_CUT;
        read_group(w, &g);
        if (!g.has[D])
            break;
        note_type(w, g.octet[D] & 0x0f);
        y = g.octet[D] >> 4;
    }
    w->a->historical_at = (uint8_t)(w->left.p - w->a->octets);
    w->a->historical_n = t0 & 0x0f;
    if (w->left.n < w->a->historical_n)
        return ATR_CUT;
    w->left.p += w->a->historical_n;
    w->left.n -= w->a->historical_n;
    return ATR_GOOD;
}

/* TCK is there exactly when a type other than T=0 is (8.2.5). One that is
 * right although only T=0 is offered does no harm: real cards send it. */
static enum atr_verdict check_tck(struct walk *w)
{
    struct atr *a = w->a;
    bool due = (w->seen & ~1u) != 0;
    uint8_t sum = 0;

    for (size_t k = 1; k < a->n; k++)
        sum ^= a->octets[k];
    if (due && w->left.n == 0)
        return ATR_NO_TCK;
    if (w->left.n > 1 || (!due && w->left.n == 1 && sum != 0))
        return ATR_TRAILING;
    if (due && sum != 0)
        return ATR_BAD_TCK;
    if (!due && w->left.n == 1)
        a->oddities |= ATR_ODD_TCK;
    return ATR_GOOD;
}

/* Which of the offered protocols can be used. */
static enum atr_verdict choose_protocols(struct walk *w)
{
    struct atr *a = w->a;
    unsigned offered = w->has_td1 ? w->seen & (ATR_T0 | ATR_T1) : ATR_T0;

    if (w->has_td1 && a->first == T15)
        return ATR_T15_ALONE;
    if (offered == 0)
        return ATR_NO_PROTOCOL;
    if ((offered & ATR_T0) && w->t0_fault != ATR_GOOD) {
        a->oddities |= ATR_ODD_T0;
        offered &= ~ATR_T0;
    }
    if ((offered & ATR_T1) && w->t1_fault != ATR_GOOD) {
        a->oddities |= ATR_ODD_T1;
        offered &= ~ATR_T1;
    }
    if (offered == 0)
        return w->t1_fault != ATR_GOOD ? w->t1_fault : w->t0_fault;
    a->protocols = (uint8_t)offered;
    return ATR_GOOD;
}

/* Specific mode: what TA2 says is in force at once, so that it must be
 * something we know (8.3, TA2). */
static enum atr_verdict settle_mode(struct walk *w)
{
    struct atr *a = w->a;
    uint8_t type = w->ta2 & 0x0f;

    if (w->bad_fidi)
        a->oddities |= ATR_ODD_TA1;
    if (!w->has_ta2)
        return ATR_GOOD;
    if (type > T1 || !(a->protocols >> type & 1) || (w->ta2 & TA2_IMPLICIT) ||
        w->bad_fidi)
        return ATR_BAD_TA2;
    a->specific = true;
    a->can_change = !(w->ta2 & TA2_CANNOT_CHANGE);
    a->first = type;
    a->protocols = (uint8_t)(1u << type);
    return ATR_GOOD;
}

enum atr_verdict atr_judge(struct span in, struct atr *out)
{
    struct atr a = {
        .fidi = ATR_FIDI_DEFAULT, .wi = ATR_WI_DEFAULT,
        .ifsc = ATR_IFSC_DEFAULT, .bwi = ATR_BWI_DEFAULT,
        .cwi = ATR_CWI_DEFAULT, .classes = 1,
    };
    struct walk w = { .a = &a };
    enum atr_verdict v;

    if (in.n < 2)
        return ATR_EMPTY;
    if (in.p[0] != TS_DIRECT && in.p[0] != TS_INVERSE)
        return ATR_BAD_TS;
    if (in.n > ATR_MAX)
        return ATR_TOO_LONG;
    memcpy(a.octets, in.p, in.n);
    a.n = (uint8_t)in.n;
    a.inverse = in.p[0] == TS_INVERSE;
    w.left = SPAN(a.octets + 1, in.n - 1);
    if ((v = walk_octets(&w)) != ATR_GOOD || (v = check_tck(&w)) != ATR_GOOD ||
        (v = choose_protocols(&w)) != ATR_GOOD ||
        (v = settle_mode(&w)) != ATR_GOOD)
        return v;
    a.has_t15 = w.seen >> T15 & 1;
    *out = a;
    return ATR_GOOD;
}

int atr_parse(struct span in, struct atr *out, struct err *e)
{
    char hex[2 * (ATR_MAX + 1) + 1];
    enum atr_verdict v = atr_judge(in, out);

    if (v == ATR_GOOD)
        return 0;
    return err_set(e, ERR_FORMAT,
                   "the card's answer to reset cannot be used: %s (%s%s); "
                   "reseat the card, and if that does not help set it aside",
                   atr_verdict_text(v),
                   hex_encode(span_sub(in, 0, ATR_MAX), hex, sizeof hex),
                   in.n > ATR_MAX ? "..." : "");
}

struct span atr_historical(const struct atr *a)
{
    return SPAN(a->octets + a->historical_at, a->historical_n);
}
