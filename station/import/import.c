#include "station/import/import.h"

#include "station/import/accept.h"
#include "station/import/child.h"
#include "storage/events.h"
#include "storage/orders.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACTOR "station"

static int trust_of(const struct station *s, int64_t at,
                    struct import_trust *t, struct err *e)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    memset(t, 0, sizeof *t);
    memcpy(t->root_sha256, s->root_sha256, sizeof t->root_sha256);
    buf_put_span(&t->dm_root, buf_span(&s->dm_root));
    for (size_t i = 0; i < s->ci_root_count; i++)
        if (blobs_add(&t->ci_roots, buf_span(&s->ci_roots[i])) != 0)
            goto nomem;
    for (size_t i = 0; i < s->allowed_smdp_count; i++)
        if (blobs_add(&t->allowed_smdp, SPAN_STR(s->allowed_smdp[i])) != 0)
            goto nomem;
    if (!buf_ok(&t->dm_root))
        goto nomem;
    t->at = at;
    t->threads = cpus < 1 ? 1 : cpus > 8 ? 8 : (unsigned)cpus;
    return 0;
nomem:
    import_trust_clear(t);
    return err_set(e, ERR_NOMEM, "out of memory");
}

/* What the first frame brings. */
struct opening {
    struct manifest m;
    uint8_t cms_sha256[32];
    struct buf dm_root;
};

static void opening_clear(struct opening *o)
{
    manifest_clear(&o->m);
    buf_clear(&o->dm_root);
}

static int opening_parse(struct span in, struct opening *o, struct err *e)
{
    if (in.n < 36)
        goto bad;
    memcpy(o->cms_sha256, in.p, 32);
    size_t n = (size_t)in.p[32] << 24 | (size_t)in.p[33] << 16 |
               (size_t)in.p[34] << 8 | in.p[35];
    if (n > in.n - 36)
        goto bad;
    buf_put_span(&o->dm_root, span_sub(in, 36, n));
    if (!buf_ok(&o->dm_root))
        return err_set(e, ERR_NOMEM, "out of memory");
    return manifest_decode(span_sub(in, 36 + n, in.n), &o->m, e);
bad:
    return err_set(e, ERR_INTERNAL, "import process: bad manifest frame");
}

static struct container_seen seen_of(const struct opening *o,
                                     enum seen_kind kind)
{
    struct container_seen c = {
        .kind = kind, .id = o->m.id, .issuer = o->m.issuer,
        .sequence = o->m.sequence, .created_at = o->m.created_at,
        .not_after = o->m.not_after,
    };
    memcpy(c.manifest_sha256, o->cms_sha256, sizeof c.manifest_sha256);
    accept_recipients_hash(&o->m.recipients, c.recipients);
    return c;
}

static struct span *spans_of(const struct blobs *b)
{
    struct span *v = calloc(b->n ? b->n : 1, sizeof *v);

    for (size_t i = 0; v && i < b->n; i++)
        v[i] = buf_span(&b->v[i]);
    return v;
}

static int begin(struct db *db, const struct lock *lock,
                 const struct opening *o, struct import **out, struct err *e)
{
    bool bundle = o->m.kind == KIND_BPP_BUNDLE;
    struct span *eum = spans_of(&o->m.eum_chains);
    struct span *dp = spans_of(&o->m.dp_chains);
    struct import_head h = {
        .seen = seen_of(o, bundle ? SEEN_BPP_BUNDLE : SEEN_EUICC_DATA),
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

/* The first frame: prove that it is one of the kinds wanted, and for us. */
static int open_container(struct db *db, const struct station *s,
                          struct import_child *c, struct opening *o,
                          struct err *e)
{
    enum frame_type type;
    struct span payload;
    struct ledger_clock clock;

    if (import_child_next(c, &type, &payload, e) != 0)
        return -1;
    if (type != FRAME_MANIFEST)
        return err_set(e, ERR_INTERNAL, "import process: frame out of order");
    if (opening_parse(payload, o, e) != 0 || ledger_clock(db, &clock, e) != 0)
        return -1;
    return accept_manifest(&o->m, s, &clock, e);
}

static void result_of(const struct opening *o, struct import_result *r)
{
    r->kind = o->m.kind;
    memcpy(r->id, o->m.id, sizeof r->id);
    memcpy(r->issuer, o->m.issuer, sizeof r->issuer);
    r->sequence = o->m.sequence;
    r->not_after = o->m.not_after;
}

static int store_all(struct db *db, const struct lock *lock,
                     const struct station *s, struct import_child *c,
                     struct opening *o, struct import_result *out,
                     struct err *e)
{
    struct import *i = NULL;

    if (open_container(db, s, c, o, e) != 0)
        return -1;
    if (o->m.kind != KIND_BPP_BUNDLE && o->m.kind != KIND_EUICC_DATA)
        return err_set(e, ERR_USAGE, "this is a %s; only a bpp-bundle or "
                                     "euicc-data is imported here%s",
                       kind_name(o->m.kind),
                       o->m.kind == KIND_STATION_CERT
                           ? ": use `lineside station-cert`"
                       : o->m.kind == KIND_WORK_ORDER
                           ? ": use `lineside orders import`" : "");
    if (begin(db, lock, o, &i, e) != 0)
        return -1;
    for (;;) {
        enum frame_type type;
        struct span payload;
        int bad = import_child_next(c, &type, &payload, e);
        if (bad == 0 && type == FRAME_END)
            break;
        if (bad == 0)
            bad = type == FRAME_RECORD ? store_record(i, payload, e)
                : type == FRAME_KEYS   ? store_keys(i, &o->m, payload, e)
                : err_set(e, ERR_INTERNAL, "import process: frame out of order");
        if (bad) {
            import_abort(i);
            return -1;
        }
    }
    result_of(o, out);
    return import_finish(i, ACTOR, &out->sum, e);
}

static int with_child(struct db *db, const struct station *s, const char *path,
                      struct import_child *c, struct err *e)
{
    struct ledger_clock clock;
    struct import_trust t;

    if (ledger_clock(db, &clock, e) != 0 || trust_of(s, clock.now, &t, e) != 0)
        return -1;
    int bad = import_child_start(c, path, &t, e);
    import_trust_clear(&t);
    return bad;
}

static int trusts_somebody(const struct station *s, struct err *e)
{
    return s->commissioned ? 0
         : err_set(e, ERR_WRONG_STATE,
                   "this station has no certificate yet and trusts nobody; "
                   "import its station-cert first (`lineside station-cert`)");
}

int import_container(struct db *db, const struct lock *lock,
                     const struct station *s, const char *path,
                     struct import_result *out, struct err *e)
{
    struct import_child c;
    struct opening o;

    memset(out, 0, sizeof *out);
    if (trusts_somebody(s, e) != 0)
        return -1;
    if (with_child(db, s, path, &c, e) != 0)
        return -1;
    memset(&o, 0, sizeof o);
    manifest_init(&o.m);
    int bad = store_all(db, lock, s, &c, &o, out, e);
    import_child_end(&c, &out->importer_kib);
    opening_clear(&o);
    return bad;
}

/* --- station-cert ---------------------------------------------------------- */

struct commission {
    const struct container_seen *seen;
    const struct station_trust *trust;
};

static int commission_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct commission *c = ctx;

    return station_commission(tx, c->seen, c->trust, ACTOR, e);
}

/* Backups hold all that this station knows: whom they go to is proven like
 * the station itself. */
static int check_recovery_chain(const struct trust *dm, const struct opening *o,
                                int64_t at, struct err *e)
{
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;

    if (o->m.recovery_chain.n == 0)
        return 0;
    if (cert_chain_decode(buf_span(&o->m.recovery_chain), &chain, e) != 0 ||
        cert_verify(dm, chain, ROLE_RECOVERY, at, e) != 0)
        return err_wrap(e, "the recovery certificate in it");
    return 0;
}

/* The certificate is for this station's key and id, under the root. */
static int check_station_chain(const struct station *s,
                               const struct opening *o, int64_t at,
                               struct err *e)
{
    STACK_OF(X509) *chain = NULL;
    AUTO(trust_free_p) struct trust *dm = trust_new();
    uint8_t kid[32];
    char id[REGISTERED_ID_MAX + 1];
    int bad = -1;

    if (!dm)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (trust_add_root(dm, buf_span(&o->dm_root), e) != 0 ||
        cert_chain_decode(buf_span(&o->m.station_chain), &chain, e) != 0)
        return -1;
    X509 *leaf = sk_X509_value(chain, 0);
    cert_key_id(leaf, kid);
    if (memcmp(kid, s->key_id, sizeof kid) != 0)
        err_set(e, ERR_TRUST, "the certificate in it is for another station's "
                              "key; send this station's `station-csr` to the "
                              "authority again");
    else if (cert_serial_number(leaf, id) != 0 || strcmp(id, s->id) != 0)
        err_set(e, ERR_TRUST, "the certificate in it is for another station "
                              "than %s", s->id);
    else
        bad = cert_verify(dm, chain, ROLE_STATION, at, e);
    cert_stack_free(&chain);
    return bad ? -1 : check_recovery_chain(dm, o, at, e);
}

static int text_list(const struct blobs *b, char ***out, struct err *e)
{
    char **v = calloc(b->n + 1, sizeof *v);

    for (size_t i = 0; v && i < b->n; i++) {
        v[i] = strndup((const char *)b->v[i].p, b->v[i].n);
        if (!v[i])
            break;
    }
    if (!v || (b->n && !v[b->n - 1]))
        return err_set(e, ERR_NOMEM, "out of memory");
    *out = v;
    return 0;
}

static int apply_station_cert(struct db *db, const struct station *s,
                              struct import_child *c, struct opening *o,
                              struct import_result *out, struct err *e)
{
    enum frame_type type;
    struct span payload;
    struct ledger_clock clock;
    char **allowed = NULL;

    if (open_container(db, s, c, o, e) != 0)
        return -1;
    if (o->m.kind != KIND_STATION_CERT)
        return err_set(e, ERR_USAGE, "this is a %s, not a station-cert: use "
                                     "`lineside import`", kind_name(o->m.kind));
    if (import_child_next(c, &type, &payload, e) != 0)
        return -1;
    if (type != FRAME_END)
        return err_set(e, ERR_INTERNAL, "import process: frame out of order");
    if (ledger_clock(db, &clock, e) != 0 ||
        check_station_chain(s, o, clock.now, e) != 0 ||
        text_list(&o->m.allowed_smdp, &allowed, e) != 0)
        return -1;

    struct span *ci = spans_of(&o->m.ci_roots);
    struct container_seen seen = seen_of(o, SEEN_STATION_CERT);
    struct station_trust t = {
        .site = o->m.site, .chain = buf_span(&o->m.station_chain),
        .dm_root = buf_span(&o->dm_root),
        .recovery = buf_span(&o->m.recovery_chain), .ci_roots = ci,
        .ci_root_count = o->m.ci_roots.n,
        .allowed_smdp = (const char *const *)allowed,
        .allowed_smdp_count = o->m.allowed_smdp.n,
    };
    struct commission cm = { &seen, &t };
    int bad = ci ? db_write(db, commission_tx, &cm, e)
                 : err_set(e, ERR_NOMEM, "out of memory");
    result_of(o, out);
    for (size_t i = 0; allowed[i]; i++)
        free(allowed[i]);
    free(allowed);
    free(ci);
    return bad;
}

int import_station_cert(struct db *db, const struct station *s,
                        const char *path, struct import_result *out,
                        struct err *e)
{
    struct import_child c;
    struct opening o;

    memset(out, 0, sizeof *out);
    if (with_child(db, s, path, &c, e) != 0)
        return -1;
    memset(&o, 0, sizeof o);
    manifest_init(&o.m);
    int bad = apply_station_cert(db, s, &c, &o, out, e);
    import_child_end(&c, &out->importer_kib);
    opening_clear(&o);
    return bad;
}

/* --- work-order ------------------------------------------------------------- */

struct ordering {
    const struct container_seen *seen;
    const struct order_spec *order;
    struct import_result *out;
};

static int order_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct ordering *o = ctx;

    return order_import(tx, o->seen, o->order, ACTOR, &o->out->sum.missing, e);
}

static int apply_work_order(struct db *db, const struct station *s,
                            struct import_child *c, struct opening *o,
                            struct import_result *out, struct err *e)
{
    enum frame_type type;
    struct span payload;

    if (open_container(db, s, c, o, e) != 0)
        return -1;
    if (o->m.kind != KIND_WORK_ORDER)
        return err_set(e, ERR_USAGE, "this is a %s, not a work-order: use "
                       "`lineside %s`", kind_name(o->m.kind),
                       o->m.kind == KIND_STATION_CERT ? "station-cert" : "import");
    if (import_child_next(c, &type, &payload, e) != 0)
        return -1;
    if (type != FRAME_END)
        return err_set(e, ERR_INTERNAL, "import process: frame out of order");
    struct container_seen seen = seen_of(o, SEEN_WORK_ORDER);
    struct ordering ordering = { &seen, o->m.order, out };
    result_of(o, out);
    return db_write(db, order_tx, &ordering, e);
}

int import_work_order(struct db *db, const struct station *s, const char *path,
                      struct import_result *out,
                      char number[ORDER_NUMBER_MAX + 1], struct err *e)
{
    struct import_child c;
    struct opening o;

    memset(out, 0, sizeof *out);
    if (trusts_somebody(s, e) != 0 || with_child(db, s, path, &c, e) != 0)
        return -1;
    memset(&o, 0, sizeof o);
    manifest_init(&o.m);
    int bad = apply_work_order(db, s, &c, &o, out, e);
    import_child_end(&c, &out->importer_kib);
    if (!bad)
        memcpy(number, o.m.order->number, sizeof o.m.order->number);
    opening_clear(&o);
    return bad;
}
