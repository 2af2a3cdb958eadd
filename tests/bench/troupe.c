#include "tests/bench/troupe.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "station/ifpp/bpp.h"
#include "station/ifpp/es10f.h"
#include "station/ifpp/tags.h"
#include "tests/bench/bench.h"
#include "tests/lab/puppet.h"
#include "tests/lab/puppet_words.h"

#define FIXTURES_MAX 256
#define BF37_SEQ 1

struct card {
    const struct mill_euicc *euicc;
    struct txid txid;
    struct iccid iccid;
    struct buf bf37;
    size_t segments; /* 86 of its BPP that are still to come */
    bool enabled, removed;
    uint64_t seq;
};

struct troupe {
    struct card *cards;
    size_t n;
    struct card *in[FIXTURES_MAX];
    int64_t apdu_ns;
};

static struct troupe *playing; /* fixture_ops.open knows a text only */

/* --- the part ----------------------------------------------------------------------- */

static void put_result(struct buf *b, uint32_t tag, unsigned result)
{
    size_t m = der_open(b);

    der_put_uint(b, 0x80, result);
    der_close(b, tag, m);
}

static void put_info2(struct buf *b)
{
    static const uint8_t svn[] = { 2, 5, 0 };
    size_t m = der_open(b);

    der_put(b, 0x82, SPAN_ARRAY(svn));
    der_close(b, TAG_INFO2, m);
}

static void put_receipt(struct card *c, const struct tlv *request, struct buf *b)
{
    struct puppet_receipt r = { .eid = c->euicc->eid, .tag = request->tag,
                                .seq = ++c->seq };
    struct span in = request->value;
    struct tlv nonce;
    struct err e = ERR_INIT;

    if (der_take(&in, 0x80, &nonce) != 0 || nonce.value.n != sizeof r.nonce)
        bench_die("a receipt was asked for without a nonce");
    memcpy(r.nonce, nonce.value.p, sizeof r.nonce);
    if (puppet_put_receipt(b, c->euicc->key, &r, &e) != 0)
        bench_die("%s", e.msg);
}

static void segment_came(struct card *c, struct buf *b)
{
    if (c->segments == 0)
        bench_die("more segments than the BPP has");
    if (--c->segments == 0)
        buf_put_span(b, buf_span(&c->bf37));
}

static void answer_function(struct card *c, const struct tlv *t, struct buf *b)
{
    switch (t->tag) {
    case TAG_EUICC_DATA:
        puppet_put_eid(b, &c->euicc->eid);
        break;
    case TAG_INFO2:
        put_info2(b);
        break;
    case TAG_IFPP_STATUS:
        puppet_put_status(b, &c->txid, 1);
        break;
    case TAG_ENABLE:
        c->enabled = true;
        put_result(b, t->tag, 0);
        break;
    case TAG_PROFILES_INFO:
        puppet_put_profiles(b, &c->iccid, &c->enabled, 1);
        break;
    case TAG_RETRIEVE_NOTIFICATIONS:
        puppet_put_notifications(b, c->removed ? SPAN(NULL, 0)
                                               : buf_span(&c->bf37));
        break;
    case TAG_REMOVE_NOTIFICATION:
        c->removed = true;
        put_result(b, t->tag, 0);
        break;
    case TAG_DELETE_OTK:
    case TAG_CLOSE_FPA:
        put_receipt(c, t, b);
        break;
    default:
        put_result(b, t->tag, 0);
    }
}

/* Chains of a BPP are no whole TLVs where a tag and length go alone; only its
 * 86 segments matter here. */
static uint16_t answer(void *ctx, struct span chain, struct buf *data)
{
    struct card *c = ctx;
    struct tlv t;

    if (chain.p[0] == TAG_SEG_PROFILE)
        segment_came(c, data);
    else if (chain.p[0] == 0xBF && chain.p[1] != (TAG_BPP & 0xFF) &&
             der_next(&chain, &t) == DER_OK)
        answer_function(c, &t, data);
    return 0x9000;
}

/* --- the stage ------------------------------------------------------------------------ */

struct stage {
    struct fixture base;
    size_t number;
    struct fixture *puppet; /* the card that has power */
};

void troupe_wait_until(int64_t began_ns, int64_t ns)
{
    int64_t end = began_ns + ns;
    struct timespec ts = { end / 1000000000, end % 1000000000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
        ;
}

static int stage_open(void *env, const char *where, struct fixture **out,
               struct err *e)
{
    struct stage *s = calloc(1, sizeof *s);

    (void)env;
    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for a fixture");
    s->base.ops = &troupe_ops;
    s->number = strtoul(where, NULL, 10);
    *out = &s->base;
    return 0;
}

static void stage_power_off(struct fixture *f)
{
    struct stage *s = (struct stage *)f;

    if (s->puppet)
        s->puppet->ops->close(s->puppet);
    s->puppet = NULL;
}

static int stage_power_on(struct fixture *f, struct buf *atr, int ms,
                          struct err *e)
{
    struct stage *s = (struct stage *)f;
    const struct puppet_rules rules = { .answer = answer,
                                        .ctx = playing->in[s->number] };

    stage_power_off(f);
    if (puppet_new(&rules, &s->puppet, e) != 0)
        return -1;
    return s->puppet->ops->power_on(s->puppet, atr, ms, e);
}

static int stage_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                          int ms, struct err *e)
{
    struct stage *s = (struct stage *)f;
    int64_t began = bench_now_ns();
    int rc = s->puppet->ops->transmit(s->puppet, cmd, rsp, ms, e);

    troupe_wait_until(began, playing->apdu_ns);
    return rc;
}

static void stage_close(struct fixture *f)
{
    if (!f)
        return;
    stage_power_off(f);
    free(f);
}

const struct fixture_ops troupe_ops = {
    .name = "troupe", .open = stage_open, .power_on = stage_power_on,
    .transmit = stage_transmit, .power_off = stage_power_off,
    .close = stage_close,
};

/* --- the troupe ------------------------------------------------------------------------ */

static void learn(struct card *c, const struct mill_euicc *euicc, size_t n,
                  size_t profile)
{
    struct err e = ERR_INIT;

    c->euicc = euicc;
    mill_txid(n, &c->txid);
    mill_iccid(n, &c->iccid);
    c->segments = (profile + BPP_PLAIN_MAX - 1) / BPP_PLAIN_MAX;
    c->seq = BF37_SEQ;
    const struct puppet_result r = { .txid = c->txid, .iccid = c->iccid,
                                     .seq = BF37_SEQ, .installed = true };
    if (puppet_put_result(&c->bf37, euicc->key, &r, &e) != 0)
        bench_die("%s", e.msg);
}

struct troupe *troupe_new(const struct mill_euiccs *euiccs, size_t n,
                          size_t profile, int64_t apdu_ns)
{
    struct troupe *t = calloc(1, sizeof *t);

    if (!t || !(t->cards = calloc(n, sizeof *t->cards)) || n > euiccs->n)
        bench_die("no troupe of %zu cards", n);
    t->n = n;
    t->apdu_ns = apdu_ns;
    for (size_t i = 0; i < n; i++)
        learn(&t->cards[i], &euiccs->v[i], i, profile);
    playing = t;
    return t;
}

void troupe_free(struct troupe *t)
{
    for (size_t i = 0; i < t->n; i++)
        buf_clear(&t->cards[i].bf37);
    free(t->cards);
    free(t);
    playing = NULL;
}

void troupe_insert(struct troupe *t, size_t fixture, size_t card)
{
    if (fixture >= FIXTURES_MAX || card >= t->n)
        bench_die("no fixture %zu or no card %zu", fixture, card);
    t->in[fixture] = &t->cards[card];
}
