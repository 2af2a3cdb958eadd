/* What an eUICC says of its unused one-time keys, kept so that an SM-DPf can
 * be asked to bind profiles to them (binding, clause 2). By-work: it changes
 * no verdict, and is not waited for. A visit that has deleted the keys leaves
 * nothing to keep. */
#include "station/line/run.h"

#include "storage/events.h"
#include "storage/keys.h"
#include "storage/station.h"

#include <stdlib.h>
#include <string.h>

struct told {
    struct card_keys c;
    struct card_key *v;
    struct buf cert, eum; /* of the card itself, proven */
    EVP_PKEY *key;        /* CERT.EUICC's */
    struct act act;
};

static void told_clear(struct told *t)
{
    free(t->v);
    buf_clear(&t->cert);
    buf_clear(&t->eum);
    EVP_PKEY_free(t->key);
}

/* --- whose keys they are -------------------------------------------------------- */

static int trusted(struct db *db, struct trust *t, int64_t *at, struct err *e)
{
    struct ledger_clock clock;
    struct station s;

    station_init_empty(&s);
    int bad = station_get(db, &s, e) != 0 || ledger_clock(db, &clock, e) != 0;
    for (size_t i = 0; i < s.ci_root_count && !bad; i++)
        bad = trust_add_root(t, buf_span(&s.ci_roots[i]), e) != 0;
    *at = bad ? 0 : clock.now;
    station_clear(&s);
    return bad ? -1 : 0;
}

/* GetCerts, for an eUICC that no container told of. */
static int from_card(struct run *r, struct told *t, struct err *e)
{
    AUTO(trust_free_p) struct trust *ci = trust_new();
    AUTO(issuer_free_p) struct issuer *eum = NULL;
    int64_t at;

    if (!ci)
        return err_set(e, ERR_NOMEM, "no memory for a certificate");
    if (!r->card)
        return err_set(e, ERR_NO_CARD, "the card has no power any more");
    if (fpa_card_certs(r->card, &t->cert, &t->eum, e) != 0 ||
        trusted(r->env->db, ci, &at, e) != 0 ||
        issuer_new_eum(ci, buf_span(&t->eum), at, &eum, e) != 0 ||
        issuer_check_euicc(eum, buf_span(&t->cert), &r->eid, &t->key, e) != 0)
        return -1;
    t->c.cert = buf_span(&t->cert);
    t->c.eum_chain = buf_span(&t->eum);
    return 0;
}

static int find_key(struct run *r, struct told *t, struct err *e)
{
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    AUTO(buf_clear) struct buf chain = BUF_INIT;

    if (r->key) {
        t->key = r->key;
        return EVP_PKEY_up_ref(r->key) == 1 ? 0
             : err_set(e, ERR_INTERNAL, "the eUICC's key");
    }
    if (euicc_certificate(r->env->db, &r->eid, &cert, &chain, e) == 0 && cert.n) {
        t->key = cert_key_of_der(buf_span(&cert), e);
        return t->key ? 0 : -1;
    }
    return from_card(r, t, e);
}

/* --- the keys --------------------------------------------------------------------- */

/* Proven when it came the first time: no need to do it again. */
static bool known(struct db *db, const struct euicc_key *k)
{
    struct key_info info;
    struct err ignored = ERR_INIT;

    return key_by_txid(db, &k->txid, &info, &ignored) == 0 && info.has_sign &&
           span_eq(SPAN_ARRAY(info.otpk), k->otpk);
}

/* All or nothing: one that does not hold makes the list no list. */
static int take_keys(struct run *r, struct told *t, struct err *e)
{
    struct span rest = r->status.keys;

    t->v = calloc(r->status.key_count + 1, sizeof *t->v);
    if (!t->v)
        return err_set(e, ERR_NOMEM, "no memory for keys");
    while (rest.n > 0 && t->c.n < r->status.key_count) {
        struct card_key *to = &t->v[t->c.n++];
        struct euicc_key k;
        if (ifpp_status_key_take(&rest, &k, e) != 0)
            return -1;
        if (!known(r->env->db, &k)) {
            if (!t->key && find_key(r, t, e) != 0)
                return -1;
            if (euicc_key_check(&k, t->key, e) != 0)
                return -1;
        }
        to->txid = k.txid;
        memcpy(to->otpk, k.otpk.p, sizeof to->otpk);
        memcpy(to->sign, k.sign.p, sizeof to->sign);
    }
    t->c.v = t->v;
    return 0;
}

static int note(struct tx *tx, void *ctx, struct err *e)
{
    struct told *t = ctx;

    return keys_note(tx, &t->act, &t->c, e);
}

/* A unit that nobody sent a profile for is the one whose keys are wanted. */
static bool read_status(struct run *r, struct err *e)
{
    return r->status_raw.n > 0 ||
           (r->card && (r->out->verdict == V_NO_BPP ||
                        r->out->verdict == V_PROFILE_MISSING) &&
            fpa_card_status(r->card, &r->status_raw, &r->status, e) == 0);
}

void run_note_keys(struct run *r)
{
    AUTO(told_clear) struct told t = { .c.eid = r->eid, .act = r->books.act };
    struct err ignored = ERR_INIT;

    if (!r->eid_read || r->keys_deleted || !read_status(r, &ignored) ||
        take_keys(r, &t, &ignored) != 0)
        return;
    writer_do_lazy(r->env->writer, note, &t, &ignored);
}
