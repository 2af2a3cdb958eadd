/* station-cert: who this station is from now on, and whom it trusts. */
#include "station/import/opening.h"
#include "storage/events.h"

#include <stdlib.h>
#include <string.h>

struct commission {
    const struct container_seen *seen;
    const struct station_trust *trust;
};

static int commission_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct commission *c = ctx;

    return station_commission(tx, c->seen, c->trust, IMPORT_ACTOR, e);
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
    struct ledger_clock clock;
    char **allowed = NULL;

    if (opening_read(db, s, c, o, e) != 0)
        return -1;
    if (o->m.kind != KIND_STATION_CERT)
        return err_set(e, ERR_USAGE, "this is a %s, not a station-cert: use "
                                     "`lineside import`", kind_name(o->m.kind));
    if (opening_is_all(c, e) != 0)
        return -1;
    if (ledger_clock(db, &clock, e) != 0 ||
        check_station_chain(s, o, clock.now, e) != 0 ||
        text_list(&o->m.allowed_smdp, &allowed, e) != 0)
        return -1;

    struct span *ci = blobs_spans(&o->m.ci_roots);
    struct container_seen seen = opening_seen(o, SEEN_STATION_CERT);
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
    opening_result(o, out);
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
    if (opening_child(db, s, path, &c, e) != 0)
        return -1;
    memset(&o, 0, sizeof o);
    manifest_init(&o.m);
    int bad = apply_station_cert(db, s, &c, &o, out, e);
    import_child_end(&c, &out->importer_kib);
    opening_clear(&o);
    return bad;
}
