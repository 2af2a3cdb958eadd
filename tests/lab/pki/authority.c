#include "tests/lab/pki/authority.h"

#include "station/base/clock.h"
#include "station/container/writer.h"
#include "tests/lab/incoming.h"
#include "tests/lab/pki/issue.h"
#include "tests/lab/sql.h"

#include <stdio.h>
#include <string.h>

#define CERT_VALID_S (365ll * 86400) /* to import it; the certificate: longer */

static void req_free_p(X509_REQ **r)
{
    X509_REQ_free(*r);
}

/* The subject's serialNumber is the station id; manifest_verify has checked
 * that the request, the container and their issuer are one and the same. */
static int certify(const struct world *w, const struct incoming *csr,
                   const char *site, X509 **out, struct err *e)
{
    AUTO(holder_clear) struct holder root = { NULL, NULL };
    const uint8_t *p = csr->m.csr.p;
    AUTO(req_free_p) X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)csr->m.csr.n);
    struct issue what = { .role = ROLE_STATION,
                          .common_name = csr->m.issuer,
                          .organisation = "Lab Device Manufacturer",
                          .unit = site[0] ? site : NULL,
                          .serial_number = csr->m.issuer };

    if (!req)
        return err_ossl(e, ERR_FORMAT, "the certification request is malformed");
    if (world_holder(w, "dm/root", &root, e) != 0)
        return -1;
    return issue_cert(&what, X509_REQ_get0_pubkey(req), &root, out, e);
}

static int fill_lists(const struct world *w, const struct station_grant *g,
                      struct manifest *m, struct err *e)
{
    AUTO(buf_clear) struct buf ci = BUF_INIT;
    bool full = false;

    if (world_cert_der(w, "ci/root", &ci, e) != 0)
        return -1;
    full |= blobs_add(&m->ci_roots, buf_span(&ci)) != 0;
    for (size_t i = 0; i < g->allow_count; i++)
        full |= blobs_add(&m->allowed_smdp, SPAN_STR(g->allow[i])) != 0;
    for (size_t i = 0; g->allow_count == 0 && i < w->smdpf_count; i++)
        full |= blobs_add(&m->allowed_smdp, SPAN_STR(w->smdpf[i].oid)) != 0;
    return full ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

static int next_sequence(const struct world *w, const uint8_t key_id[32],
                         uint64_t *out, struct err *e)
{
    AUTO(str_free_p) char *path = world_path(w, e, "authority.db");
    AUTO(sql_close_p) struct sql *book = NULL;
    char name[65];
    int64_t n;

    if (!path || sql_open(path, SEQUENCE_SCHEMA, &book, e) != 0 ||
        sequence_take(book, hex_encode(SPAN(key_id, 32), name, sizeof name), 1,
                      &n, e) != 0)
        return -1;
    *out = (uint64_t)n;
    return 0;
}

static int fill(const struct world *w, const struct station_grant *g,
                X509 *station, const uint8_t key_id[32], const char *site,
                struct manifest *m, struct err *e)
{
    m->kind = KIND_STATION_CERT;
    m->created_at = clock_system();
    m->not_after = m->created_at + CERT_VALID_S;
    m->recipients.kind = RCPT_STATIONS;
    if (blobs_add(&m->recipients.list, SPAN(key_id, 32)) != 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    if ((size_t)snprintf(m->site, sizeof m->site, "%s", site) >= sizeof m->site)
        return err_set(e, ERR_USAGE, "site id of more than %zu octets",
                       sizeof m->site - 1);
    if (cert_put(station, &m->station_chain, e) != 0 ||
        world_cert_der(w, "dm/root", &m->station_chain, e) != 0 ||
        (g->recovery &&
         world_cert_der(w, g->recovery, &m->recovery_chain, e) != 0))
        return -1;
    return fill_lists(w, g, m, e);
}

static int seal(const struct world *w, const char *out, struct manifest *m,
                char **container, struct err *e)
{
    AUTO(holder_clear) struct holder me = { NULL, NULL };
    AUTO(x509_free_p) X509 *root = NULL;
    AUTO(cert_stack_free) STACK_OF(X509) *chain = sk_X509_new_null();
    struct container_writer *cw;

    if (world_holder(w, "dm/authority", &me, e) != 0 ||
        world_cert(w, "dm/root", &root, e) != 0)
        return -1;
    if (!chain || sk_X509_push(chain, root) <= 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    root = NULL; /* the stack's now */
    if (cert_registered_id(me.cert, m->issuer) != 0)
        return err_set(e, ERR_FORMAT, "dm/authority.pem names no id");
    if (container_writer_open(out, m, &cw, e) != 0)
        return -1;
    struct signer s = { me.key, me.cert, chain };
    return container_writer_seal(cw, &s, NULL, container, e);
}

int authority_grant(const struct world *w, const struct station_grant *g,
                    char **container, uint8_t key_id[32], struct err *e)
{
    AUTO(incoming_close) struct incoming csr = { .fd = 0 };
    AUTO(manifest_clear) struct manifest m;
    AUTO(x509_free_p) X509 *station = NULL;

    manifest_init(&m);
    if (incoming_open(w, g->csr, KIND_STATION_CSR, &csr, e) != 0)
        return -1;
    const char *site = g->site ? g->site : csr.m.site;
    if (certify(w, &csr, site, &station, e) != 0)
        return -1;
    cert_key_id(station, key_id);
    if (fill(w, g, station, key_id, site, &m, e) != 0 ||
        next_sequence(w, key_id, &m.sequence, e) != 0)
        return -1;
    return seal(w, g->out, &m, container, e);
}
