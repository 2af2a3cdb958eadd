#include "station/container/signers.h"

#include "station/container/cms.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <string.h>

/* Binding, clause 1. */
static const struct signer_rule rules[KIND_COUNT] = {
    [KIND_EUICC_DATA] = { KIND_EUICC_DATA, ROLE_EUICC_DATA, .ci_rooted = true },
    [KIND_BPP_BUNDLE] = { KIND_BPP_BUNDLE, ROLE_DPAUTH, .ci_rooted = true,
                          .allow_list = true },
    [KIND_STATION_CSR] = { KIND_STATION_CSR, ROLE_COUNT, .self_signed = true },
    [KIND_STATION_CERT] = { KIND_STATION_CERT, ROLE_AUTHORITY,
                            .root_included = true },
    [KIND_LOADING_REPORT] = { .kind = KIND_LOADING_REPORT, .role = ROLE_STATION },
    [KIND_AUDIT_LOG] = { .kind = KIND_AUDIT_LOG, .role = ROLE_STATION },
    [KIND_BPP_REQUEST] = { .kind = KIND_BPP_REQUEST, .role = ROLE_STATION },
    [KIND_WORK_ORDER] = { .kind = KIND_WORK_ORDER, .role = ROLE_ORDER },
    [KIND_REPORT_RECEIPT] = { KIND_REPORT_RECEIPT, ROLE_DPAUTH,
                              .ci_rooted = true, .allow_list = true },
    [KIND_SHIFT_RECORD] = { .kind = KIND_SHIFT_RECORD, .role = ROLE_STATION },
    [KIND_BACKUP] = { .kind = KIND_BACKUP, .role = ROLE_STATION },
};

const struct signer_rule *signer_rule(enum container_kind k)
{
    return (unsigned)k < KIND_COUNT ? &rules[k] : NULL;
}

static void x509_free_p(X509 **x)
{
    X509_free(*x);
}

static void x509_req_free_p(X509_REQ **r)
{
    X509_REQ_free(*r);
}

/* --- possession only --------------------------------------------------------- */

static int csr_check(const struct manifest *m, STACK_OF(X509) *chain,
                     struct err *e)
{
    X509 *own = sk_X509_value(chain, 0);
    const unsigned char *p = m->csr.p;
    AUTO(x509_req_free_p) X509_REQ *req =
        d2i_X509_REQ(NULL, &p, (long)m->csr.n);

    if (!req || p != m->csr.p + m->csr.n)
        return err_ossl(e, ERR_FORMAT, "the certification request is malformed");
    if (sk_X509_num(chain) != 1 || !cms_self_signed(own))
        return err_set(e, ERR_TRUST, "a station-csr is signed by the station's "
                       "own self-signed certificate and carries no other");
    EVP_PKEY *key = X509_REQ_get0_pubkey(req);
    if (!key || X509_REQ_verify(req, key) != 1)
        return err_ossl(e, ERR_SIGNATURE, "the certification request is not "
                        "signed by its own key");
    if (EVP_PKEY_eq(key, X509_get0_pubkey(own)) != 1) {
        ERR_clear_error();
        return err_set(e, ERR_TRUST, "the certification request is for another "
                       "key than the one that signed the container");
    }
    return 0;
}

/* --- chains ------------------------------------------------------------------ */

/* A root inside the CMS proves nothing; it is there so that a station that
 * only knows its SHA-256 can find it. It leaves the chain here, and since
 * cms_chain has checked the signature below it, and its own is checked now,
 * not one octet of it is free. */
static int root_drop(const struct signer_rule *rule, STACK_OF(X509) *chain,
                     struct err *e)
{
    X509 *last = sk_X509_value(chain, sk_X509_num(chain) - 1);
    bool is_root = X509_NAME_cmp(X509_get_subject_name(last),
                                 X509_get_issuer_name(last)) == 0;

    if (!rule->root_included)
        return is_root ? err_set(e, ERR_TRUST, "manifest.cms carries a root "
                                 "certificate; the chain in a %s ends below it",
                                 kind_name(rule->kind))
                       : 0;
    if (!is_root || sk_X509_num(chain) < 2)
        return err_set(e, ERR_TRUST, "the chain in a %s must end with the root",
                       kind_name(rule->kind));
    if (!cms_self_signed(last))
        return err_set(e, ERR_TRUST, "the root in manifest.cms is damaged. Copy "
                       "the container again");
    X509_free(sk_X509_pop(chain));
    return 0;
}

static int chain_check(const struct signer_rule *rule,
                       const struct container_trust *t, STACK_OF(X509) *chain,
                       struct err *e)
{
    const struct trust *roots = rule->ci_rooted ? t->ci : t->dm;

    if (root_drop(rule, chain, e) != 0)
        return -1;
    if (!roots || trust_count(roots) == 0)
        return err_set(e, ERR_TRUST, "no %s root is known yet, so nothing "
                       "signed under it can be proven. Import the station-cert "
                       "first", rule->ci_rooted ? "eSIM CA" :
                       "Device Manufacturer");
    if (cert_verify(roots, chain, rule->role, t->at, e) != 0)
        return err_wrap(e, "signer of a %s", kind_name(rule->kind));
    return 0;
}

/* --- who it says it is --------------------------------------------------------- */

static bool listed(const struct blobs *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (span_eq(buf_span(&list->v[i]), SPAN_STR(name)))
            return true;
    return false;
}

static int issuer_check(const struct signer_rule *rule,
                        const struct container_trust *t,
                        const struct manifest *m, X509 *leaf, struct err *e)
{
    char id[REGISTERED_ID_MAX + 1];

    if (cert_registered_id(leaf, id) != 0)
        return err_set(e, ERR_TRUST, "the signer's certificate carries neither "
                       "registeredID nor serialNumber");
    if (strcmp(id, m->issuer) != 0)
        return err_set(e, ERR_TRUST, "the manifest says it is from %s, but %s "
                       "signed it", m->issuer, id);
    if (rule->allow_list && t->allowed_smdp && !listed(t->allowed_smdp, id))
        return err_set(e, ERR_TRUST, "SM-DPf %s is not on this station's "
                       "allow-list. If it should be, import a station-cert "
                       "that names it", id);
    return 0;
}

int manifest_verify(struct span cms_der, const struct container_trust *t,
                    struct manifest *out, X509 **signer, struct err *e)
{
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;
    AUTO(x509_free_p) X509 *leaf = NULL;
    AUTO(manifest_clear) struct manifest m;
    struct cms c;

    manifest_init(&m);
    if (cms_parse(cms_der, &c, e) != 0 || cms_chain(&c, &chain, e) != 0)
        return -1;
    X509 *first = sk_X509_value(chain, 0);
    if (cms_check(&c, first, e) != 0 || manifest_decode(c.content, &m, e) != 0)
        return -1;
    if (X509_up_ref(first) != 1)
        return err_ossl(e, ERR_INTERNAL, "cannot keep the signer");
    leaf = first;

    const struct signer_rule *rule = &rules[m.kind];
    if (rule->self_signed ? csr_check(&m, chain, e) != 0
                          : chain_check(rule, t, chain, e) != 0)
        return -1;
    if (issuer_check(rule, t, &m, leaf, e) != 0)
        return -1;
    *out = m;
    manifest_init(&m);
    if (signer) {
        *signer = leaf;
        leaf = NULL;
    }
    return 0;
}

int manifest_peek(struct span cms_der, struct manifest *out, struct err *e)
{
    struct cms c;

    return cms_parse(cms_der, &c, e) == 0 ? manifest_decode(c.content, out, e)
                                          : -1;
}

int manifest_pinned_root(struct span cms_der, const uint8_t root_sha256[32],
                         struct buf *root_der, struct err *e)
{
    uint8_t hash[32];
    struct cms c;

    if (cms_parse(cms_der, &c, e) != 0)
        return -1;
    for (size_t i = 0; i < c.cert_count; i++) {
        SHA256(c.cert[i].p, c.cert[i].n, hash);
        if (memcmp(hash, root_sha256, sizeof hash) != 0)
            continue;
        buf_put_span(root_der, c.cert[i]);
        return buf_ok(root_der)
                   ? 0 : err_set(e, ERR_NOMEM, "no memory for the root");
    }
    return err_set(e, ERR_TRUST, "this container does not come with the root "
                   "whose SHA-256 was given at init. Compare that number with "
                   "the Device Manufacturer's; if it was mistyped, run "
                   "init again in an empty data directory");
}
