#include "tests/lab/pki/issue.h"

#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define DAY 86400

static const struct profile {
    const char *constraints; /* basicConstraints; NULL: an end entity */
    const char *policy;      /* GSMA role   */
    const char *eku;         /* our own     */
    int days;
    const char *usage;       /* NULL: signs, or signs certificates */
} profiles[ISSUE_PROFILES] = {
    [ROLE_CI] = { "critical,CA:TRUE", OID_ROLE_CI, NULL, 35 * 365 },
    [ROLE_EUM] = { "critical,CA:TRUE,pathlen:0", OID_ROLE_EUM, NULL, 30 * 365 },
    [ROLE_EUICC] = { NULL, OID_ROLE_EUICC, NULL, 30 * 365 - 30 },
    [ROLE_DPPB] = { NULL, OID_ROLE_DPPB, NULL, 5 * 365 },
    [ROLE_DPAUTH] = { NULL, OID_ROLE_DPAUTH, NULL, 5 * 365 },
    [ROLE_EUICC_DATA] = { NULL, NULL, OID_EKU_EUICC_DATA, 5 * 365 },
    [ROLE_STATION] = { NULL, NULL, OID_EKU_STATION, 5 * 365 },
    [ROLE_ORDER] = { NULL, NULL, OID_EKU_ORDER, 5 * 365 },
    [ROLE_AUTHORITY] = { NULL, NULL, OID_EKU_AUTHORITY, 5 * 365 },
    [ROLE_RELEASE] = { NULL, NULL, OID_EKU_RELEASE, 5 * 365 },
    [ROLE_RECOVERY] = { NULL, NULL, OID_EKU_RECOVERY, 10 * 365,
                        "critical,keyAgreement" },
    [ISSUE_DM_ROOT] = { "critical,CA:TRUE", NULL, NULL, 20 * 365 },
};

static bool add_name(X509_NAME *n, const char *field, const char *text)
{
    return !text || X509_NAME_add_entry_by_txt(n, field, MBSTRING_UTF8,
                                               (const unsigned char *)text, -1,
                                               -1, 0) == 1;
}

static bool set_subject(X509 *c, const struct issue *i)
{
    X509_NAME *n = X509_get_subject_name(c);

    return add_name(n, "O", i->organisation) && add_name(n, "OU", i->unit) &&
           add_name(n, "serialNumber", i->serial_number) &&
           add_name(n, "CN", i->common_name);
}

/* 20 octets, positive (RFC 5280, 4.1.2.2). */
static bool set_serial(X509 *c)
{
    uint8_t r[20];

    if (RAND_bytes(r, sizeof r) != 1)
        return false;
    r[0] = (uint8_t)((r[0] & 0x3f) | 0x40);
    BIGNUM *n = BN_bin2bn(r, sizeof r, NULL);
    bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(c));
    BN_free(n);
    return ok;
}

static bool add_ext(X509 *c, X509V3_CTX *v3, int nid, const char *value)
{
    if (!value)
        return true;
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, v3, nid, value);
    bool ok = x && X509_add_ext(c, x, -1) == 1;
    X509_EXTENSION_free(x);
    return ok;
}

static bool add_prefixed(X509 *c, X509V3_CTX *v3, int nid, const char *prefix,
                         const char *value)
{
    char text[160];

    if (!value)
        return true;
    snprintf(text, sizeof text, "%s%s", prefix, value);
    return add_ext(c, v3, nid, text);
}

/* Critical, one policy: the GSMA role. Not through the text form, which is
 * only read beside a config database. */
static bool add_policy(X509 *c, const char *oid)
{
    if (!oid)
        return true;
    CERTIFICATEPOLICIES *all = CERTIFICATEPOLICIES_new();
    POLICYINFO *one = POLICYINFO_new();
    bool pushed = all && one && (one->policyid = OBJ_txt2obj(oid, 1)) &&
                  sk_POLICYINFO_push(all, one) > 0;
    bool ok = pushed && X509_add1_ext_i2d(c, NID_certificate_policies, all, 1,
                                          X509V3_ADD_DEFAULT) == 1;
    if (!pushed)
        POLICYINFO_free(one);
    CERTIFICATEPOLICIES_free(all);
    return ok;
}

/* Critical permittedEins: SEQUENCE OF UTF8String (clause 1). */
static bool add_eins(X509 *c, const char *const *eins)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;

    if (!eins)
        return true;
    size_t m = der_open(&der);
    for (; *eins; eins++)
        der_put_str(&der, TAG_UTF8, *eins);
    der_close(&der, TAG_SEQUENCE, m);
    ASN1_OBJECT *oid = OBJ_txt2obj(OID_PERMITTED_EINS, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *x = NULL;
    bool ok = buf_ok(&der) && oid && value &&
              ASN1_OCTET_STRING_set(value, der.p, (int)der.n) == 1 &&
              (x = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value)) &&
              X509_add_ext(c, x, -1) == 1;
    X509_EXTENSION_free(x);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
    return ok;
}

static bool add_extensions(X509 *c, X509 *issuer, const struct issue *i,
                           const struct profile *p)
{
    X509V3_CTX v3;
    bool ca = p->constraints != NULL;

    X509V3_set_ctx(&v3, issuer, c, NULL, NULL, 0);
    return add_ext(c, &v3, NID_basic_constraints, p->constraints) &&
           add_ext(c, &v3, NID_key_usage,
                   p->usage ? p->usage
                   : ca     ? "critical,keyCertSign,cRLSign"
                            : "critical,digitalSignature") &&
           add_ext(c, &v3, NID_subject_key_identifier, "hash") &&
           add_ext(c, &v3, NID_authority_key_identifier,
                   issuer == c ? NULL : "keyid:always") &&
           add_policy(c, p->policy) &&
           add_prefixed(c, &v3, NID_ext_key_usage, "critical,", p->eku) &&
           add_prefixed(c, &v3, NID_subject_alt_name, "RID:",
                        i->registered_id) &&
           add_eins(c, i->eins);
}

int issue_cert(const struct issue *i, EVP_PKEY *subject,
               const struct holder *issuer, X509 **out, struct err *e)
{
    const struct profile *p = &profiles[i->role];
    X509 *c = X509_new();
    X509 *by = issuer ? issuer->cert : c;
    bool ok = c && X509_set_version(c, X509_VERSION_3) == 1 && set_serial(c) &&
              set_subject(c, i) &&
              X509_set_issuer_name(c, X509_get_subject_name(by)) == 1 &&
              X509_gmtime_adj(X509_getm_notBefore(c), -DAY) &&
              X509_time_adj_ex(X509_getm_notAfter(c), p->days, 0, NULL) &&
              X509_set_pubkey(c, subject) == 1 &&
              add_extensions(c, by, i, p) &&
              X509_sign(c, issuer ? issuer->key : subject, EVP_sha256()) > 0;

    if (!ok) {
        X509_free(c);
        return err_ossl(e, ERR_INTERNAL, "cannot issue a certificate for %s",
                        i->common_name);
    }
    *out = c;
    return 0;
}
