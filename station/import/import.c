/* What may be imported at any time: bpp-bundle, euicc-data, report-receipt. */
#include "station/import/opening.h"

#include <stdlib.h>
#include <string.h>

static int begin(struct db *db, const struct lock *lock,
                 const struct opening *o, struct import **out, struct err *e)
{
    bool bundle = o->m.kind == KIND_BPP_BUNDLE;
    struct span *eum = blobs_spans(&o->m.eum_chains);
    struct span *dp = blobs_spans(&o->m.dp_chains);
    struct import_head h = {
        .seen = opening_seen(o, bundle ? SEEN_BPP_BUNDLE : SEEN_EUICC_DATA),
        .smdp_oid = bundle ? o->m.issuer : NULL,
        .eum_chains = eum, .eum_chain_count = o->m.eum_chains.n,
        .dp_chains = dp, .dp_chain_count = o->m.dp_chains.n,
    };
    int bad = eum && dp ? import_begin(db, lock, &h, out, e)
                        : err_set(e, ERR_NOMEM, "out of memory");

    free(eum);
    free(dp);
    return bad;
}

static int store_record(struct import *i, struct span payload, struct err *e)
{
    struct frame_record f;

    if (frame_record_parse(payload, &f, e) != 0)
        return -1;
    struct import_bpp r = {
        .txid = f.txid, .eid = f.eid, .iccid = f.iccid, .name = f.name,
        .provider = f.provider, .delete_notified = f.delete_notified,
        .profile_class = (int)f.profile_class,
        .eum_chain = f.eum_chain, .dp_chain = f.dp_chain, .record = f.record,
    };
    return import_bpp(i, &r, e);
}

static int store_keys(struct import *i, const struct manifest *m,
                      struct span payload, struct err *e)
{
    struct euicc_data_record r;

    if (euicc_data_record_parse(payload, &r, e) != 0 ||
        import_euicc(i, &r.eid, r.cert.whole, 0, e) != 0)
        return -1;
    size_t n = 0;
    for (struct span rest = r.keys; rest.n > 0; n++) {
        struct euicc_key k;
        struct import_key ik;
        char oid[REGISTERED_ID_MAX + 1];
        if (euicc_key_take(&rest, &k, e) != 0)
            return -1;
        if (n >= m->key_recipients.n ||
            m->key_recipients.v[n].n > REGISTERED_ID_MAX)
            return err_set(e, ERR_FORMAT, "key %zu is meant for nobody", n);
        memcpy(oid, m->key_recipients.v[n].p, m->key_recipients.v[n].n);
        oid[m->key_recipients.v[n].n] = '\0';
        ik.txid = k.txid;
        memcpy(ik.otpk, k.otpk.p, sizeof ik.otpk);
        memcpy(ik.sign, k.sign.p, sizeof ik.sign);
        ik.smdp_oid = oid;
        if (import_key(i, &ik, e) != 0)
            return -1;
    }
    return 0;
}

/* --- report-receipt ------------------------------------------------------- */

struct acknowledging {
    const struct import_child *child;
    const struct container_seen *seen;
    const struct manifest_receipt *receipt;
    struct report_acknowledged done;
};

static int acknowledge_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct acknowledging *a = ctx;
    const struct manifest_receipt *m = a->receipt;
    const struct report_receipt r = {
        .seen = *a->seen, .report = m->report_id,
        .sequence = m->report_sequence, .report_sha256 = m->report_sha256,
        .records = m->records, .accepted = m->accepted,
    };

    return opening_still(a->child, tx, e) != 0 ? -1
         : report_acknowledge(tx, &r, opening_actor(a->child), &a->done, e);
}

static int store_receipt(struct db *db, struct import_child *c,
                         const struct opening *o, struct import_result *out,
                         struct err *e)
{
    struct container_seen seen = opening_seen(o, SEEN_REPORT_RECEIPT);
    const struct manifest_receipt *m = &o->m.receipt;
    struct acknowledging a = { .child = c, .seen = &seen, .receipt = m };

    if (opening_is_all(c, e) != 0 || db_write(db, acknowledge_tx, &a, e) != 0)
        return -1;
    opening_result(o, out);
    out->sum.event = a.done.event;
    out->sum.missing = a.done.missing;
    out->receipt = (struct import_receipt){
        .sequence = m->report_sequence, .records = m->records,
        .accepted = m->accepted, .waiting = a.done.waiting,
    };
    memcpy(out->receipt.report, m->report_id, sizeof m->report_id);
    return 0;
}

/* --- all kinds with records ----------------------------------------------- */

static uint64_t records_of(const struct manifest *m)
{
    uint64_t n = 0;

    for (size_t i = 0; i < m->segment_count; i++)
        n += m->segments[i].records;
    return n;
}

static int store_all(struct db *db, const struct lock *lock,
                     const struct station *s, struct import_child *c,
                     struct opening *o, struct import_result *out,
                     struct err *e)
{
    struct import *i = NULL;

    if (opening_read(db, s, c, o, e) != 0)
        return -1;
    if (o->m.kind == KIND_REPORT_RECEIPT)
        return store_receipt(db, c, o, out, e);
    if (o->m.kind != KIND_BPP_BUNDLE && o->m.kind != KIND_EUICC_DATA)
        return err_set(e, ERR_USAGE, "this is a %s; only a bpp-bundle, "
                                     "euicc-data or report-receipt is imported "
                                     "here%s",
                       kind_name(o->m.kind),
                       o->m.kind == KIND_STATION_CERT
                           ? ": use `lineside station-cert`"
                       : o->m.kind == KIND_WORK_ORDER
                           ? ": use `lineside orders import`" : "");
    if (begin(db, lock, o, &i, e) != 0)
        return -1;
    c->step = "checking";
    c->of = records_of(&o->m);
    for (;; c->done++) {
        enum frame_type type;
        struct span payload;
        int bad = import_child_next(c, &type, &payload, e);
        if (bad == 0 && type == FRAME_END)
            break;
        if (bad == 0)
            bad = type == FRAME_RECORD ? store_record(i, payload, e)
                : type == FRAME_KEYS   ? store_keys(i, &o->m, payload, e)
                : err_set(e, ERR_INTERNAL, "import process: frame out of order");
        if (bad == 0 && c->done % IMPORT_WATCH_RECORDS == 0)
            bad = import_child_go_on(c, e);
        if (bad) {
            import_abort(i);
            return -1;
        }
    }
    c->step = "keeping";
    if (import_child_go_on(c, e) != 0) {
        import_abort(i);
        return -1;
    }
    opening_result(o, out);
    if (c->watch)
        import_guard(i, c->watch->still, c->watch->ctx);
    return import_finish(i, opening_actor(c), &out->sum, e);
}

int import_container(struct db *db, const struct lock *lock,
                     const struct station *s, const char *path,
                     struct import_result *out, struct err *e)
{
    return import_container_watched(db, lock, s, path, NULL, out, e);
}

int import_container_watched(struct db *db, const struct lock *lock,
                             const struct station *s, const char *path,
                             const struct import_watch *w,
                             struct import_result *out, struct err *e)
{
    struct import_child c;
    struct opening o;

    memset(out, 0, sizeof *out);
    if (opening_trusts(s, e) != 0)
        return -1;
    if (opening_child(db, s, path, &c, e) != 0)
        return -1;
    c.watch = w;
    memset(&o, 0, sizeof o);
    manifest_init(&o.m);
    int bad = store_all(db, lock, s, &c, &o, out, e);
    import_child_end(&c, &out->importer_kib);
    opening_clear(&o);
    return bad;
}
