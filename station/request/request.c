#include "station/request/choose.h"

#include "station/ifpp/bpp.h"
#include "storage/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct making {
    const char *outbox;
    const struct station *s;
    const struct identity *self;
    const struct request_order *o;
    struct chosen chosen;
    struct manifest m;
    struct container_writer *w;
    struct buf records;   /* all of them, one after the other */
    size_t *ends;         /* where each ends */
    struct buf cert;      /* of the eUICC at hand */
    unsigned eum_chain;
    struct export_info x;
    struct request_head head;
    struct request_key *keys;
};

static void making_clear(struct making *g)
{
    chosen_clear(&g->chosen);
    container_writer_abort(g->w);
    manifest_clear(&g->m);
    buf_clear(&g->records);
    buf_clear(&g->cert);
    free(g->ends);
    free(g->keys);
    export_clear(&g->x);
}

/* --- records ------------------------------------------------------------------------ */

/* A bundle's record holds it, when no eUICC data does. */
static int cert_of_bundle(struct db *db, const struct eid *eid, struct buf *out,
                          struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct bpp_record r;

    if (stock_of_eid(db, eid, &l, e) != 0)
        return -1;
    if (l.n == 0)
        return err_set(e, ERR_INTERNAL, "a bundle's eUICC without a bundle");
    /* As euicc_certificate chooses its chain. */
    if (stock_record(db, l.v[l.n - 1].id, &raw, e) != 0 ||
        bpp_record_parse(buf_span(&raw), &r, e) != 0)
        return -1;
    buf_reset(out);
    buf_put_span(out, r.cert.whole);
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int chain_index(struct making *g, struct span chain, struct err *e)
{
    struct blobs *b = &g->m.eum_chains;

    for (size_t i = 0; i < b->n; i++)
        if (span_eq(buf_span(&b->v[i]), chain)) {
            g->eum_chain = (unsigned)i;
            return 0;
        }
    g->eum_chain = (unsigned)b->n;
    return blobs_add(b, chain) == 0 ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int euicc_read(struct db *db, struct making *g, const struct eid *eid,
                      struct err *e)
{
    AUTO(buf_clear) struct buf chain = BUF_INIT;

    return euicc_certificate(db, eid, &g->cert, &chain, e) != 0 ||
           (g->cert.n == 0 && cert_of_bundle(db, eid, &g->cert, e) != 0) ||
           chain_index(g, buf_span(&chain), e) != 0 ? -1 : 0;
}

static int record_add(struct making *g, const struct chosen_key *k,
                      struct err *e)
{
    AUTO(buf_clear) struct buf key = BUF_INIT;
    size_t before = g->records.n;
    struct span both, signed2;
    struct euicc_key parsed;

    euicc_key_put(&key, &k->key.txid, SPAN_ARRAY(k->key.otpk),
                  SPAN_ARRAY(k->key.sign));
    if (!buf_ok(&key))
        return err_set(e, ERR_NOMEM, "out of memory");
    both = buf_span(&key);
    if (euicc_key_take(&both, &parsed, e) != 0)
        return -1;
    signed2 = parsed.signed2.whole;
    key_record_put(&g->records, &k->eid, buf_span(&g->cert), signed2,
                   SPAN(key.p + signed2.n, key.n - signed2.n), g->eum_chain);
    if (!buf_ok(&g->records))
        return err_set(e, ERR_NOMEM, "out of memory");
    return container_writer_add(g->w, SPAN(g->records.p + before,
                                           g->records.n - before), e);
}

static int records_make(struct db *db, struct making *g, struct err *e)
{
    const struct chosen *c = &g->chosen;

    g->ends = calloc(c->n, sizeof *g->ends);
    if (!g->ends)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < c->n; i++) {
        if ((i == 0 || !eid_eq(&c->v[i].eid, &c->v[i - 1].eid)) &&
            euicc_read(db, g, &c->v[i].eid, e) != 0)
            return -1;
        if (record_add(g, &c->v[i], e) != 0)
            return -1;
        g->ends[i] = g->records.n;
    }
    return 0;
}

/* --- one moment --------------------------------------------------------------------- */

static int describe(struct db *db, struct making *g, struct err *e)
{
    struct ledger_clock clock;

    if (ledger_clock(db, &clock, e) != 0 ||
        request_next(db, g->o->smdp, &g->head.sequence, e) != 0)
        return -1;
    g->m.kind = KIND_BPP_REQUEST;
    uuid_make(g->m.id);
    snprintf(g->m.issuer, sizeof g->m.issuer, "%s", g->s->id);
    g->m.sequence = g->head.sequence;
    g->m.created_at = clock.now;
    g->m.not_after = clock.now + REQUEST_VALID_S;
    g->m.keys_offered = g->chosen.n;
    snprintf(g->m.msp, sizeof g->m.msp, "%s", g->o->msp);
    snprintf(g->m.profile, sizeof g->m.profile, "%s", g->o->profile);
    g->m.recipients.kind = RCPT_PARTIES;
    if (blobs_add(&g->m.recipients.list, SPAN_STR(g->o->smdp)) != 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    snprintf(g->head.smdp, sizeof g->head.smdp, "%s", g->o->smdp);
    snprintf(g->head.msp, sizeof g->head.msp, "%s", g->o->msp);
    snprintf(g->head.profile, sizeof g->head.profile, "%s", g->o->profile);
    return 0;
}

static int seal(struct making *g, struct err *e)
{
    struct container_writer *w = g->w;
    char *path = NULL;

    g->w = NULL; /* consumed, whatever comes of it */
    if (container_writer_seal(w, &g->self->signer, &g->x.manifest, &path, e) != 0)
        return -1;
    memcpy(g->x.id, g->m.id, sizeof g->x.id);
    g->x.created_at = g->m.created_at;
    snprintf(g->x.directory, sizeof g->x.directory, "%s", strrchr(path, '/') + 1);
    free(path);
    return 0;
}

static int make_in_outbox(struct db *db, void *ctx, struct err *e)
{
    struct making *g = ctx;

    return request_choose(db, g->o, &g->chosen, e) != 0 ||
           describe(db, g, e) != 0 ||
           container_writer_open(g->outbox, &g->m, &g->w, e) != 0 ||
           records_make(db, g, e) != 0 || seal(g, e) != 0 ? -1 : 0;
}

static int keys_list(struct making *g, struct err *e)
{
    size_t at = 0;

    g->keys = calloc(g->chosen.n, sizeof *g->keys);
    if (!g->keys)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < g->chosen.n; at = g->ends[i++])
        g->keys[i] = (struct request_key){
            g->chosen.v[i].key.txid,
            SPAN(g->records.p + at, g->ends[i] - at)
        };
    return 0;
}

static int enter(struct tx *tx, void *ctx, struct err *e)
{
    struct making *g = ctx;

    return g->o->guard(tx, g->o->guard_ctx, e) != 0
               ? -1 : request_add(tx, &g->x, &g->head, g->keys, g->chosen.n,
                                  g->o->actor, e);
}

static int wish_check(const struct station *s, const struct request_order *o,
                      struct err *e)
{
    size_t i = 0;

    while (i < s->allowed_smdp_count && strcmp(s->allowed_smdp[i], o->smdp) != 0)
        i++;
    if (i == s->allowed_smdp_count)
        return err_set(e, ERR_TRUST, "SM-DPf %.63s is not one that this station "
                       "takes bundles from; `lineside station-cert` brings those "
                       "that are", o->smdp);
    if (o->count < 1 || o->count > REQUEST_KEYS_MAX)
        return err_set(e, ERR_LIMIT, "%zu profiles; one request is for 1 to %d, "
                       "make several", o->count, REQUEST_KEYS_MAX);
    if (strlen(o->msp) > REQUEST_TEXT_MAX ||
        strlen(o->profile) > REQUEST_TEXT_MAX ||
        !event_text_ok(SPAN_STR(o->msp)) || !event_text_ok(SPAN_STR(o->profile)))
        return err_set(e, ERR_USAGE, "an MSP's or a profile's name is plain text "
                       "of at most %d octets", REQUEST_TEXT_MAX);
    return 0;
}

int request_make(struct db *db, const struct lock *lock, const char *outbox,
                 const struct station *s, const struct identity *self,
                 const struct request_order *o, struct request_made *out,
                 struct err *e)
{
    struct making g = { .outbox = outbox, .s = s, .self = self, .o = o };

    if (!lock)
        return err_set(e, ERR_INTERNAL, "a request needs the export lock");
    manifest_init(&g.m);
    int bad = wish_check(s, o, e) != 0 ||
              db_snapshot(db, make_in_outbox, &g, e) != 0 ||
              keys_list(&g, e) != 0 || db_write(db, enter, &g, e) != 0;
    if (!bad) {
        *out = (struct request_made){ .sequence = g.head.sequence,
                                      .keys = g.chosen.n,
                                      .euiccs = g.chosen.euiccs };
        memcpy(out->id, g.m.id, sizeof out->id);
    }
    making_clear(&g);
    return bad ? err_wrap(e, "nothing was asked for") : 0;
}

/* --- once more ------------------------------------------------------------------------ */

struct writing {
    struct container_writer *w;
    uint64_t *records;
};

static int write_one(void *ctx, struct span record, struct err *e)
{
    struct writing *k = ctx;

    ++*k->records;
    return container_writer_add(k->w, record, e);
}

int request_write(struct db *db, const char *export_id,
                  struct container_writer *w, uint64_t *records, struct err *e)
{
    struct writing k = { w, records };

    return request_walk(db, export_id, write_one, &k, e);
}
