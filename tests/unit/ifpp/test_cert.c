#include "station/ifpp/cert.h"

#include "station/ifpp/tags.h"
#include "tests/unit/ifpp/pki.h"
#include "tests/unit/support.h"

#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <string.h>

#define EID "89049032777298113660073133622109"
#define SAN_AS(x) { "subjectAltName", x }
#define EINS { OID_PERMITTED_EINS, NULL } /* value given by a row */

enum forge { HONEST, FOREIGN_KEY, FOREIGN_ISSUER };
/* How the EUM is restricted; OLD_*: nameConstraints of O and serialNumber. */
enum restriction { NEW, NEW_OTHER, NEW_TWO, NEW_SOFT, NEW_EMPTY, NEW_LETTER,
                   NEW_WHOLE, OLD, OLD_OTHER, OLD_OTHER_O, BOTH, BOTH_NEW_BAD,
                   NEITHER };

/* One row, one chain CI - EUM - leaf. Rows whose leaf is an eUICC go through
 * cert_verify and through the issuer: both must say the same. */
static const struct row {
    const char *name;
    enum err_code want;
    const char *says; /* part of the sentence */
    enum cert_role role;
    struct pki_spec leaf, eum, ci;
    enum restriction restriction;
    int64_t at; /* 0: PKI_NOW, -1: times are not judged */
    enum forge forge;
} rows[] = {
    { "a good eUICC", ERR_NONE, "", ROLE_EUICC, .leaf = { .kind = PKI_EUICC } },
    { "brainpool eUICC", ERR_NONE, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .group = "brainpoolP256r1" } },
    { "brainpool EUM", ERR_NONE, "", ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .eum = { .kind = PKI_EUM, .group = "brainpoolP256r1" } },
    { "a good data signer", ERR_NONE, "", ROLE_EUICC_DATA,
      .leaf = { .kind = PKI_DATA } },
    { "no AKI in the leaf", ERR_NONE, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .change = { { "authorityKeyIdentifier", NULL } } } },
    { "AKI by issuer and serial", ERR_NONE, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .change = { { "authorityKeyIdentifier",
                                         "keyid,issuer:always" } } } },
    { "unknown extension, not critical", ERR_NONE, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .change = { { "1.2.3.4", "DER:0500" } } } },

    /* EIN */
    { "another EIN", ERR_TRUST, "EIN", ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .restriction = NEW_OTHER },
    { "the second of two EINs", ERR_NONE, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .restriction = NEW_TWO },
    { "a whole EID as EIN", ERR_NONE, "", ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .restriction = NEW_WHOLE },
    { "permittedEins not critical", ERR_TRUST, "not critical", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .restriction = NEW_SOFT },
    { "an empty EIN", ERR_FORMAT, "permittedEins", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .restriction = NEW_EMPTY },
    { "letters in an EIN", ERR_FORMAT, "permittedEins", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .restriction = NEW_LETTER },
    { "the older form", ERR_NONE, "", ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .restriction = OLD },
    { "the older form, data signer", ERR_NONE, "", ROLE_EUICC_DATA,
      .leaf = { .kind = PKI_DATA }, .restriction = OLD },
    { "the older form, another EIN", ERR_TRUST, "EIN", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .restriction = OLD_OTHER },
    { "the older form, another O", ERR_TRUST, "O and EIN", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .restriction = OLD_OTHER_O },
    { "the older form, leaf without O", ERR_TRUST, "O and EIN", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .o = "" }, .restriction = OLD },
    { "both forms", ERR_NONE, "", ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .restriction = BOTH },
    { "both forms, one forbids", ERR_TRUST, "EIN", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .restriction = BOTH_NEW_BAD },
    { "no EIN at all", ERR_TRUST, "names no EIN", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .restriction = NEITHER },
    { "name constraints of another kind on the EUM", ERR_TRUST, "names no EIN",
      ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .eum = { .kind = PKI_EUM, .change = { EINS, { "nameConstraints",
               "critical,permitted;DNS:example.com" } } },
      .restriction = NEITHER },
    { "EIN constraints on the CI are not the EUM's", ERR_TRUST,
      "permitted subtree", ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .ci = { .kind = PKI_CI, .change = { { "nameConstraints", "OLD" } } } },

    /* critical extensions */
    { "unknown critical in the leaf", ERR_TRUST, "critical extension",
      ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .change = { { "1.2.3.4", "critical,DER:0500" } } } },
    { "unknown critical in the EUM", ERR_TRUST, "critical extension",
      ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .eum = { .kind = PKI_EUM, .change = { { "1.2.3.4", "critical,DER:0500" } } } },
    { "permittedEins in a leaf", ERR_TRUST, "permittedEins", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .change = { { OID_PERMITTED_EINS,
                "critical,DER:300a0c083839303439303332" } } } },
    { "critical policyConstraints nobody judges", ERR_TRUST,
      "critical extension", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .change = { { "policyConstraints",
                "critical,requireExplicitPolicy:0" } } } },

    /* roles */
    { "eUICC policy not critical", ERR_TRUST, "not critical", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC,
                .change = { { "certificatePolicies", OID_ROLE_EUICC } } } },
    { "no policy", ERR_TRUST, "role", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .change = { { "certificatePolicies", NULL } } } },
    { "two roles", ERR_TRUST, "role", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .change = { { "certificatePolicies",
                "critical," OID_ROLE_EUICC "," OID_ROLE_DPPB } } } },
    { "a role and an EKU of ours", ERR_TRUST, "role", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC,
                .change = { { "extendedKeyUsage", OID_EKU_EUICC_DATA } } } },
    { "a DPpb under the EUM", ERR_TRUST, "", ROLE_DPPB, .leaf = { .kind = PKI_DPPB } },
    { "a station under the EUM", ERR_TRUST, "", ROLE_STATION,
      .leaf = { .kind = PKI_STATION } },
    { "no keyUsage", ERR_TRUST, "digitalSignature", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .change = { { "keyUsage", NULL } } } },
    { "keyAgreement only", ERR_TRUST, "digitalSignature", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC,
                .change = { { "keyUsage", "critical,keyAgreement" } } } },
    { "eUICC that is a CA", ERR_TRUST, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC,
                .change = { { "basicConstraints", "critical,CA:TRUE" } } } },
    { "EUM without path length", ERR_TRUST, "path length", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC },
      .eum = { .kind = PKI_EUM,
               .change = { { "basicConstraints", "critical,CA:TRUE" } } } },
    { "EUM with path length 1", ERR_TRUST, "path length", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC },
      .eum = { .kind = PKI_EUM, .change = { { "basicConstraints",
                                      "critical,CA:TRUE,pathlen:1" } } } },
    { "EUM that is no CA", ERR_TRUST, "", ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .eum = { .kind = PKI_EUM, .change = { { "basicConstraints", NULL } } } },
    { "EUM without keyCertSign", ERR_TRUST, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC },
      .eum = { .kind = PKI_EUM,
               .change = { { "keyUsage", "critical,digitalSignature" } } } },
    { "EUM with the wrong policy", ERR_TRUST, "role", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC },
      .eum = { .kind = PKI_EUM, .change = { { "certificatePolicies",
                                      "critical," OID_ROLE_DPAUTH } } } },
    { "root without the policy of a CI", ERR_TRUST, "role", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC },
      .ci = { .kind = PKI_CI, .change = { { "certificatePolicies", NULL } } } },

    /* keys and algorithms */
    { "leaf on P-384", ERR_TRUST, "P-256", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .group = "secp384r1" } },
    { "EUM on P-384", ERR_TRUST, "P-256", ROLE_EUICC, .leaf = { .kind = PKI_EUICC },
      .eum = { .kind = PKI_EUM, .group = "secp384r1" } },
    { "leaf on secp256k1", ERR_TRUST, "P-256", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .group = "secp256k1" } },
    { "leaf signed with SHA-512", ERR_TRUST, "SHA-256", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .digest = "SHA512" } },
    { "EUM signed with SHA-384", ERR_TRUST, "SHA-256", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .eum = { .kind = PKI_EUM, .digest = "SHA384" } },
    { "leaf of version 1", ERR_FORMAT, "version 3", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .version1 = 1 } },

    /* identity */
    { "subject is another EID", ERR_TRUST, "EID 89049032000000000000000000000066",
      ROLE_EUICC, .leaf = { .kind = PKI_EUICC,
                            .sn = "89049032000000000000000000000066" } },
    { "EID with a wrong check", ERR_TRUST, "EID", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .sn = "89049032777298113660073133622108" } },
    { "no EID", ERR_TRUST, "EID", ROLE_EUICC, .leaf = { .kind = PKI_EUICC, .sn = "" } },

    /* time */
    { "leaf expired", ERR_EXPIRED, "expired", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .to = PKI_NOW - 1 } },
    { "leaf in its last second", ERR_NONE, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .to = PKI_NOW + 1 } },
    { "leaf not valid yet", ERR_EXPIRED, "valid", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .from = PKI_NOW + 1 } },
    { "EUM expired", ERR_EXPIRED, "expired", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .eum = { .kind = PKI_EUM, .to = PKI_NOW - 1 } },
    { "root expired", ERR_EXPIRED, "expired", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .ci = { .kind = PKI_CI, .to = PKI_NOW - 1 } },
    { "expired, times not judged", ERR_NONE, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .to = PKI_NOW - 1 },
      .eum = { .kind = PKI_EUM, .to = PKI_NOW - 1 }, .at = -1 },
    { "not valid yet, times not judged", ERR_NONE, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .from = PKI_NOW + PKI_DAY }, .at = -1 },
    { "valid after 2049", ERR_NONE, "", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC, .to = 2966371200 },
      .eum = { .kind = PKI_EUM, .to = 2966371200 },
      .ci = { .kind = PKI_CI, .to = 2966371200 }, .at = 2800000000 },

    /* forgeries */
    { "signed by another key", ERR_SIGNATURE, "signature", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .forge = FOREIGN_KEY },
    { "issued by another EUM", ERR_TRUST, "issue", ROLE_EUICC,
      .leaf = { .kind = PKI_EUICC }, .forge = FOREIGN_ISSUER },
};

/* The EUM's changes that a row's restriction stands for. */
static void restrict_eum(enum restriction r, struct pki_spec *eum)
{
    static const char *const other[] = { "89049033" };
    static const char *const two[] = { "89049033", "890490327772" };
    static const char *const whole[] = { EID };
    static const char *const empty[] = { "" };
    static const char *const letter[] = { "8904903x" };
    const char *eins = NULL, *old = NULL;
    bool drop = false;

    switch (r) {
    case NEW:
        return;
    case NEW_OTHER:
        eins = pki_eins(other, 1);
        break;
    case NEW_TWO:
        eins = pki_eins(two, 2);
        break;
    case NEW_WHOLE:
        eins = pki_eins(whole, 1);
        break;
    case NEW_SOFT:
        eins = "DER:300a0c083839303439303332";
        break;
    case NEW_EMPTY:
        eins = pki_eins(empty, 1);
        break;
    case NEW_LETTER:
        eins = pki_eins(letter, 1);
        break;
    case BOTH_NEW_BAD:
        eins = pki_eins(other, 1);
        old = pki_ein_constraints("Test EUM", "89049032");
        break;
    case BOTH:
        old = pki_ein_constraints("Test EUM", "89049032");
        break;
    case OLD:
        drop = true;
        old = pki_ein_constraints("Test EUM", "89049032");
        break;
    case OLD_OTHER:
        drop = true;
        old = pki_ein_constraints("Test EUM", "89049033");
        break;
    case OLD_OTHER_O:
        drop = true;
        old = pki_ein_constraints("Other EUM", "89049032");
        break;
    case NEITHER:
        drop = true;
        break;
    }
    if (eins || drop)
        eum->change[0] = (struct pki_change){ OID_PERMITTED_EINS, eins };
    if (old)
        eum->change[1] = (struct pki_change){ "nameConstraints", old };
}

struct chain {
    struct pki_cert ci, eum, leaf, other;
    struct trust *trust;
    struct buf eum_der;
    STACK_OF(X509) *stack; /* borrows leaf and eum */
};

static void chain_clear(struct chain *c)
{
    pki_clear(&c->ci);
    pki_clear(&c->eum);
    pki_clear(&c->leaf);
    pki_clear(&c->other);
    trust_free(c->trust);
    sk_X509_free(c->stack);
}

static void chain_make(struct chain *c, const struct row *r)
{
    struct pki_spec ci = r->ci, eum = r->eum;
    struct err e = ERR_INIT;

    *c = (struct chain){ .trust = trust_new() };
    if (eum.kind != PKI_EUM)
        eum = (struct pki_spec){ .kind = PKI_EUM };
    restrict_eum(r->restriction, &eum);
    if (ci.change[0].value && strcmp(ci.change[0].value, "OLD") == 0)
        ci.change[0].value = pki_ein_constraints("Test EUM", "89049032");
    pki_make(&c->ci, &ci, NULL);
    pki_make(&c->eum, &eum, &c->ci);
    pki_make(&c->other, &eum, &c->ci);
    if (r->forge == FOREIGN_KEY)
        pki_make_forged(&c->leaf, &r->leaf, &c->eum, c->other.key);
    else
        pki_make(&c->leaf, &r->leaf,
                 r->forge == FOREIGN_ISSUER ? &c->other : &c->eum);
    ck_assert_msg(trust_add_root(c->trust, buf_span(&c->ci.der), &e) == 0,
                  "%s: %s", r->name, e.msg);
    c->stack = sk_X509_new_null();
    sk_X509_push(c->stack, c->leaf.cert);
    sk_X509_push(c->stack, c->eum.cert);
}

static void check_outcome(const char *name, const char *way, int got,
                          const struct err *e, enum err_code want,
                          const char *says)
{
    ck_assert_msg((got == 0) == (want == ERR_NONE), "%s, %s: %d \"%s\"", name,
                  way, got, e->msg);
    if (want == ERR_NONE)
        return;
    ck_assert_msg(e->code == want, "%s, %s: code %s, \"%s\"", name, way,
                  err_name(e->code), e->msg);
    ck_assert_msg(strstr(e->msg, says) != NULL, "%s, %s: \"%s\"", name, way,
                  e->msg);
}

START_TEST(chains)
{
    const struct row *r = &rows[_i];
    int64_t at = r->at == -1 ? 0 : r->at ? r->at : PKI_NOW;
    struct chain c;
    struct err e = ERR_INIT;
    bool other_eid = r->leaf.sn && strlen(r->leaf.sn) == 32;

    chain_make(&c, r);
    int got = cert_verify(c.trust, c.stack, r->role, at, &e);
    if (!other_eid || strstr(r->leaf.sn, "22108")) {
        check_outcome(r->name, "cert_verify", got, &e, r->want, r->says);
    } else {
        /* Whose EID it is cannot be known without being told. */
        check_outcome(r->name, "cert_verify", got, &e, ERR_NONE, "");
    }
    chain_clear(&c);
}
END_TEST

START_TEST(issuers)
{
    const struct row *r = &rows[_i];
    int64_t at = r->at == -1 ? 0 : r->at ? r->at : PKI_NOW;
    AUTO(issuer_free_p) struct issuer *i = NULL;
    struct err e = ERR_INIT;
    EVP_PKEY *key = NULL;
    struct chain c;
    struct eid eid;

    if (r->role != ROLE_EUICC)
        return;
    chain_make(&c, r);
    ck_assert_int_eq(eid_parse(EID, &eid), 0);
    int got = issuer_new_eum(c.trust, buf_span(&c.eum.der), at, &i, &e);
    if (got == 0)
        got = issuer_check_euicc(i, buf_span(&c.leaf.der), &eid, &key, &e);
    /* The issuer says "names another issuer", OpenSSL "no ... issued it". */
    check_outcome(r->name, "issuer", got, &e, r->want,
                  strstr(r->says, "permitted subtree") ? "" : r->says);
    if (got == 0)
        ck_assert_msg(EVP_PKEY_eq(key, c.leaf.key) == 1, "%s: key", r->name);
    EVP_PKEY_free(key);
    chain_clear(&c);
}
END_TEST

/* --- other shapes of chains -------------------------------------------------- */

static const struct shape {
    const char *name;
    enum err_code want;
    enum cert_role role;
    enum pki_kind kinds[4]; /* root first */
    int n;
    struct pki_change leaf;
} shapes[] = {
    { "CI alone", ERR_NONE, ROLE_CI, { PKI_CI }, 1, { NULL, NULL } },
    { "EUM", ERR_NONE, ROLE_EUM, { PKI_CI, PKI_EUM }, 2, { NULL, NULL } },
    { "DPpb", ERR_NONE, ROLE_DPPB, { PKI_CI, PKI_DPPB }, 2, { NULL, NULL } },
    { "DPauth", ERR_NONE, ROLE_DPAUTH, { PKI_CI, PKI_DPAUTH }, 2, { NULL, NULL } },
    { "DPpb under a sub-CA", ERR_NONE, ROLE_DPPB,
      { PKI_CI, PKI_SUBCA, PKI_DPPB }, 3, { NULL, NULL } },
    { "eUICC, EUM under a sub-CA", ERR_NONE, ROLE_EUICC,
      { PKI_CI, PKI_SUBCA, PKI_EUM, PKI_EUICC }, 4, { NULL, NULL } },
    { "eUICC right under the CI", ERR_TRUST, ROLE_EUICC,
      { PKI_CI, PKI_EUICC }, 2, { NULL, NULL } },
    { "eUICC under a sub-CA instead of an EUM", ERR_TRUST, ROLE_EUICC,
      { PKI_CI, PKI_SUBCA, PKI_EUICC }, 3, { NULL, NULL } },
    { "DPpb as DPauth", ERR_TRUST, ROLE_DPAUTH, { PKI_CI, PKI_DPPB }, 2,
      { NULL, NULL } },
    { "DPpb without registeredID", ERR_TRUST, ROLE_DPPB, { PKI_CI, PKI_DPPB },
      2, { "subjectAltName", NULL } },
    { "DPpb with two registeredIDs", ERR_TRUST, ROLE_DPPB,
      { PKI_CI, PKI_DPPB }, 2, SAN_AS("RID:2.999.10,RID:2.999.11") },
    { "DPpb with a DNS name as well", ERR_NONE, ROLE_DPPB,
      { PKI_CI, PKI_DPPB }, 2, SAN_AS("DNS:smdpf.example,RID:2.999.10") },
    { "station", ERR_NONE, ROLE_STATION, { PKI_DM, PKI_STATION }, 2, { NULL, NULL } },
    { "station under a sub-CA", ERR_NONE, ROLE_STATION,
      { PKI_DM, PKI_SUBCA, PKI_STATION }, 3, { NULL, NULL } },
    { "order", ERR_NONE, ROLE_ORDER, { PKI_DM, PKI_STATION }, 2,
      { "extendedKeyUsage", OID_EKU_ORDER } },
    { "authority", ERR_NONE, ROLE_AUTHORITY, { PKI_DM, PKI_STATION }, 2,
      { "extendedKeyUsage", OID_EKU_AUTHORITY } },
    { "release", ERR_NONE, ROLE_RELEASE, { PKI_DM, PKI_STATION }, 2,
      { "extendedKeyUsage", OID_EKU_RELEASE } },
    { "recovery", ERR_NONE, ROLE_RECOVERY, { PKI_DM, PKI_RECOVERY }, 2,
      { NULL, NULL } },
    { "recovery that may only sign", ERR_TRUST, ROLE_RECOVERY,
      { PKI_DM, PKI_RECOVERY }, 2, { "keyUsage", "critical,digitalSignature" } },
    { "recovery as station", ERR_TRUST, ROLE_STATION, { PKI_DM, PKI_RECOVERY },
      2, { NULL, NULL } },
    { "station as recovery", ERR_TRUST, ROLE_RECOVERY, { PKI_DM, PKI_STATION },
      2, { NULL, NULL } },
    { "station as authority", ERR_TRUST, ROLE_AUTHORITY,
      { PKI_DM, PKI_STATION }, 2, { NULL, NULL } },
    { "order and authority in one", ERR_TRUST, ROLE_ORDER,
      { PKI_DM, PKI_STATION }, 2,
      { "extendedKeyUsage", OID_EKU_ORDER "," OID_EKU_AUTHORITY } },
    { "station under a CI", ERR_TRUST, ROLE_STATION, { PKI_CI, PKI_STATION },
      2, { NULL, NULL } },
    { "DPpb under the Device Manufacturer", ERR_TRUST, ROLE_DPPB,
      { PKI_DM, PKI_DPPB }, 2, { NULL, NULL } },
    { "the root as station", ERR_TRUST, ROLE_STATION, { PKI_DM }, 1, { NULL, NULL } },
    { "an intermediate as CI", ERR_TRUST, ROLE_CI, { PKI_CI, PKI_SUBCA }, 2,
      { "certificatePolicies", "critical," OID_ROLE_CI } },
};

START_TEST(shaped)
{
    const struct shape *s = &shapes[_i];
    struct pki_cert c[4] = { { NULL, NULL, BUF_INIT } };
    struct trust *t = trust_new();
    STACK_OF(X509) *stack = sk_X509_new_null();
    struct err e = ERR_INIT;

    for (int i = 0; i < s->n; i++) {
        struct pki_spec spec = { .kind = s->kinds[i] };
        if (i == s->n - 1)
            spec.change[0] = s->leaf;
        pki_make(&c[i], &spec, i ? &c[i - 1] : NULL);
        sk_X509_unshift(stack, c[i].cert);
    }
    ck_assert_int_eq(trust_add_root(t, buf_span(&c[0].der), &e), 0);
    ck_assert_uint_eq(trust_count(t), 1);
    int got = cert_verify(t, stack, s->role, PKI_NOW, &e);
    check_outcome(s->name, "with root", got, &e, s->want, "");
    if (s->n > 1) { /* the root may be left out */
        sk_X509_pop(stack);
        got = cert_verify(t, stack, s->role, PKI_NOW, &e);
        check_outcome(s->name, "without root", got, &e, s->want, "");
    }
    sk_X509_free(stack);
    trust_free(t);
    for (int i = 0; i < s->n; i++)
        pki_clear(&c[i]);
}
END_TEST

START_TEST(roots)
{
    struct pki_cert ci, other, eum, leaf, dead = { NULL, NULL, BUF_INIT };
    struct trust *t = trust_new();
    STACK_OF(X509) *stack = sk_X509_new_null();
    struct err e = ERR_INIT;

    pki_make(&ci, &(struct pki_spec){ .kind = PKI_CI }, NULL);
    pki_make(&other, &(struct pki_spec){ .kind = PKI_CI, .cn = "Other" }, NULL);
    pki_make(&eum, &(struct pki_spec){ .kind = PKI_EUM }, &ci);
    pki_make(&leaf, &(struct pki_spec){ .kind = PKI_EUICC }, &eum);
    sk_X509_push(stack, leaf.cert);
    sk_X509_push(stack, eum.cert);
    sk_X509_push(stack, ci.cert);

    /* A delivered root is no trusted root. */
    ck_assert_int_eq(cert_verify(t, stack, ROLE_EUICC, PKI_NOW, &e), -1);
    ck_assert_msg(e.code == ERR_TRUST, "%s", e.msg);
    ck_assert_int_eq(trust_add_root(t, buf_span(&other.der), &e), 0);
    ck_assert_int_eq(cert_verify(t, stack, ROLE_EUICC, PKI_NOW, &e), -1);
    ck_assert_msg(e.code == ERR_TRUST, "%s", e.msg);
    /* Neither an intermediate nor a leaf becomes a root. */
    ck_assert_int_eq(trust_add_root(t, buf_span(&eum.der), &e), -1);
    ck_assert_msg(e.code == ERR_TRUST, "%s", e.msg);
    ck_assert_int_eq(trust_add_root(t, buf_span(&leaf.der), &e), -1);
    /* A root whose own signature is broken is none. */
    buf_put_span(&dead.der, buf_span(&ci.der));
    dead.der.p[dead.der.n - 1] ^= 1;
    ck_assert_int_eq(trust_add_root(t, buf_span(&dead.der), &e), -1);
    ck_assert_int_eq(trust_add_root(t, buf_span(&ci.der), &e), 0);
    ck_assert_uint_eq(trust_count(t), 2);
    ck_assert_msg(cert_verify(t, stack, ROLE_EUICC, PKI_NOW, &e) == 0, "%s",
                  e.msg);
    /* A leaf without its EUM. */
    sk_X509_delete(stack, 1);
    ck_assert_int_eq(cert_verify(t, stack, ROLE_EUICC, PKI_NOW, &e), -1);
    ck_assert_msg(strstr(e.msg, "whole chain") != NULL, "%s", e.msg);

    sk_X509_free(stack);
    trust_free(t);
    pki_clear(&ci);
    pki_clear(&other);
    pki_clear(&eum);
    pki_clear(&leaf);
    pki_clear(&dead);
}
END_TEST

/* --- one certificate --------------------------------------------------------- */

START_TEST(decoding)
{
    struct pki_cert ci, st;
    struct buf two = BUF_INIT;
    STACK_OF(X509) *stack = NULL;
    struct err e = ERR_INIT;
    X509 *c = NULL;

    pki_make(&ci, &(struct pki_spec){ .kind = PKI_DM }, NULL);
    pki_make(&st, &(struct pki_spec){ .kind = PKI_STATION }, &ci);
    ck_assert_int_eq(cert_decode(buf_span(&st.der), &c, &e), 0);
    X509_free(c);

    buf_put_span(&two, buf_span(&st.der));
    buf_put_u8(&two, 0);
    ck_assert_int_eq(cert_decode(buf_span(&two), &c, &e), -1);
    ck_assert_msg(e.code == ERR_FORMAT && strstr(e.msg, "1 octets after"),
                  "%s", e.msg);
    ck_assert_int_eq(cert_chain_decode(buf_span(&two), &stack, &e), -1);
    two.n--;
    for (size_t n = 0; n < two.n; n++)
        ck_assert_int_eq(cert_decode(span_sub(buf_span(&two), 0, n), &c, &e),
                         -1);
    buf_put_span(&two, buf_span(&ci.der));
    ck_assert_int_eq(cert_decode(buf_span(&two), &c, &e), -1);
    ck_assert_int_eq(cert_chain_decode(buf_span(&two), &stack, &e), 0);
    ck_assert_int_eq(sk_X509_num(stack), 2);
    ck_assert_int_eq(X509_cmp(sk_X509_value(stack, 0), st.cert), 0);
    cert_stack_free(&stack);
    for (int i = 0; i < 5; i++)
        buf_put_span(&two, buf_span(&ci.der));
    ck_assert_int_eq(cert_chain_decode(buf_span(&two), &stack, &e), -1);
    ck_assert_msg(e.code == ERR_LIMIT, "%s", e.msg);
    ck_assert_int_eq(cert_chain_decode(SPAN("", 0), &stack, &e), -1);
    buf_clear(&two);
    pki_clear(&ci);
    pki_clear(&st);
}
END_TEST

static const struct {
    const char *name;
    enum pki_kind kind;
    struct pki_change change;
    enum cert_role role;
    const char *id; /* NULL: none */
} id_rows[] = {
    { "CI", PKI_CI, { NULL, NULL }, ROLE_CI, NULL },
    { "EUM", PKI_EUM, { NULL, NULL }, ROLE_EUM, NULL },
    { "eUICC", PKI_EUICC, { NULL, NULL }, ROLE_EUICC, EID },
    { "DPpb", PKI_DPPB, { NULL, NULL }, ROLE_DPPB, "2.999.10" },
    { "DPauth", PKI_DPAUTH, { NULL, NULL }, ROLE_DPAUTH, "2.999.10" },
    { "data", PKI_DATA, { NULL, NULL }, ROLE_EUICC_DATA, NULL },
    { "station", PKI_STATION, { NULL, NULL }, ROLE_STATION, "line-7" },
    { "root of the Device Manufacturer", PKI_DM, { NULL, NULL }, ROLE_COUNT, NULL },
    { "registeredID goes before serialNumber", PKI_STATION,
      SAN_AS("RID:2.25.318467226109451937402659136052.9"), ROLE_STATION,
      "2.25.318467226109451937402659136052.9" },
    { "two registeredIDs fall back on nothing", PKI_STATION,
      SAN_AS("RID:2.999.1,RID:2.999.2"), ROLE_STATION, NULL },
    { "two roles are none", PKI_STATION,
      { "certificatePolicies", OID_ROLE_DPPB }, ROLE_COUNT, "line-7" },
};

START_TEST(identities)
{
    struct pki_spec spec = { .kind = id_rows[_i].kind };
    struct pki_cert c;
    char id[REGISTERED_ID_MAX + 1];

    spec.change[0] = id_rows[_i].change;
    pki_make(&c, &spec, NULL);
    ck_assert_msg(cert_role_of(c.cert) == id_rows[_i].role, "%s",
                  id_rows[_i].name);
    ck_assert_msg((cert_registered_id(c.cert, id) == 0) ==
                      (id_rows[_i].id != NULL), "%s", id_rows[_i].name);
    if (id_rows[_i].id)
        ck_assert_msg(strcmp(id, id_rows[_i].id) == 0, "%s: %s",
                      id_rows[_i].name, id);
    pki_clear(&c);
}
END_TEST

START_TEST(digests)
{
    struct pki_cert c;
    uint8_t out[32], want[32];
    unsigned n = 0;
    unsigned char *spki = NULL;
    struct eid eid;
    char text[EID_DIGITS + 1];

    pki_make(&c, &(struct pki_spec){ .kind = PKI_EUICC }, NULL);
    cert_sha256(c.cert, out);
    ck_assert(X509_digest(c.cert, EVP_sha256(), want, &n) == 1 && n == 32);
    ck_assert_mem_eq(out, want, 32);
    int len = i2d_PUBKEY(c.key, &spki);
    ck_assert_int_gt(len, 0);
    ck_assert(EVP_Digest(spki, (size_t)len, want, &n, EVP_sha256(), NULL) == 1);
    cert_key_id(c.cert, out);
    ck_assert_mem_eq(out, want, 32);
    OPENSSL_free(spki);
    ck_assert_int_eq(cert_eid(c.cert, &eid, NULL), 0);
    ck_assert_str_eq(eid_format(&eid, text), EID);
    pki_clear(&c);
}
END_TEST

static const struct {
    const char *group;
    bool good;
} key_rows[] = {
    { "prime256v1", true }, { "brainpoolP256r1", true },
    { "secp384r1", false }, { "secp256k1", false }, { "P-521", false },
};

START_TEST(keys)
{
    struct pki_cert c;
    struct err e = ERR_INIT;

    pki_make(&c, &(struct pki_spec){ .kind = PKI_EUICC, .group = key_rows[_i].group },
             NULL);
    EVP_PKEY *k = cert_key(c.cert, &e);
    ck_assert_msg((k != NULL) == key_rows[_i].good, "%s", key_rows[_i].group);
    if (k)
        ck_assert_int_eq(EVP_PKEY_eq(k, c.key), 1);
    else
        ck_assert_int_eq(e.code, ERR_TRUST);
    e = (struct err)ERR_INIT;
    EVP_PKEY *from_der = cert_key_of_der(buf_span(&c.der), &e);
    ck_assert_msg((from_der != NULL) == key_rows[_i].good, "%s", key_rows[_i].group);
    if (from_der)
        ck_assert_int_eq(EVP_PKEY_eq(from_der, c.key), 1);
    else
        ck_assert_int_eq(e.code, ERR_TRUST);
    EVP_PKEY_free(from_der);
    ck_assert_ptr_null(cert_key_of_der(span_sub(buf_span(&c.der), 0, c.der.n - 1), &e));
    ck_assert_int_eq(e.code, ERR_FORMAT);
    pki_clear(&c);
}
END_TEST

/* Every single-octet change of a good leaf is refused: the signature covers
 * all of it but the wrapping, and the wrapping has one form only. */
START_TEST(every_changed_octet)
{
    AUTO(issuer_free_p) struct issuer *i = NULL;
    struct chain c;
    struct err e = ERR_INIT;
    struct eid eid;
    EVP_PKEY *key;

    chain_make(&c, &rows[0]);
    eid_parse(EID, &eid);
    ck_assert_int_eq(issuer_new_eum(c.trust, buf_span(&c.eum.der), PKI_NOW, &i,
                                    &e), 0);
    for (size_t k = 0; k < c.leaf.der.n; k++) {
        c.leaf.der.p[k] ^= (uint8_t)(1u << k % 8);
        ck_assert_msg(issuer_check_euicc(i, buf_span(&c.leaf.der), &eid, &key,
                                         &e) == -1, "octet %zu", k);
        c.leaf.der.p[k] ^= (uint8_t)(1u << k % 8);
    }
    for (size_t n = 0; n < c.leaf.der.n; n++)
        ck_assert_int_eq(issuer_check_euicc(
                             i, span_sub(buf_span(&c.leaf.der), 0, n), &eid,
                             &key, &e), -1);
    ck_assert_int_eq(issuer_check_euicc(i, buf_span(&c.leaf.der), &eid, &key,
                                        &e), 0);
    EVP_PKEY_free(key);
    chain_clear(&c);
}
END_TEST

/* --- many threads ------------------------------------------------------------ */

struct work {
    const struct issuer *issuer;
    struct span good, bad;
    struct eid eid;
    int wrong;
};

static void *work(void *p)
{
    struct work *w = p;
    EVP_PKEY *key;

    for (int i = 0; i < 50; i++) {
        if (issuer_check_euicc(w->issuer, w->good, &w->eid, &key, NULL) != 0)
            w->wrong++;
        else
            EVP_PKEY_free(key);
        if (issuer_check_euicc(w->issuer, w->bad, &w->eid, &key, NULL) == 0)
            w->wrong++;
    }
    return NULL;
}

START_TEST(one_issuer_many_threads)
{
    AUTO(issuer_free_p) struct issuer *i = NULL;
    AUTO(buf_clear) struct buf bad = BUF_INIT;
    struct chain c;
    struct err e = ERR_INIT;
    pthread_t t[4];
    struct work w[4];

    chain_make(&c, &rows[0]);
    ck_assert_int_eq(issuer_new_eum(c.trust, buf_span(&c.eum.der), PKI_NOW, &i,
                                    &e), 0);
    buf_put_span(&bad, buf_span(&c.leaf.der));
    bad.p[bad.n - 1] ^= 1;
    for (int n = 0; n < 4; n++) {
        w[n] = (struct work){ i, buf_span(&c.leaf.der), buf_span(&bad),
                              { { 0 } }, 0 };
        eid_parse(EID, &w[n].eid);
        ck_assert_int_eq(pthread_create(&t[n], NULL, work, &w[n]), 0);
    }
    for (int n = 0; n < 4; n++) {
        pthread_join(t[n], NULL);
        ck_assert_int_eq(w[n].wrong, 0);
    }
    chain_clear(&c);
}
END_TEST

/* --- signatures and points --------------------------------------------------- */

START_TEST(raw_signatures)
{
    static const char *const groups[] = { "prime256v1", "brainpoolP256r1" };
    EVP_PKEY *key = EVP_EC_gen(groups[_i]), *other = EVP_EC_gen(groups[_i]);
    struct err e = ERR_INIT;
    struct span parts[] = { SPAN("one", 3), SPAN("", 0), SPAN("two", 3) };
    uint8_t raw[65] = { 0 }, zero[64] = { 0 };
    char text[2];

    /* Often enough that r and s with leading zeros and high bits occur. */
    for (int i = 0; i < 600; i++) {
        text[0] = (char)i;
        text[1] = (char)(i >> 8);
        parts[2] = SPAN_ARRAY(text);
        pki_sign(key, SPAN("one", 3), SPAN_ARRAY(text), raw);
        ck_assert_msg(sig_verify(key, parts, 3, SPAN(raw, 64), &e) == 0,
                      "%d: %s", i, e.msg);
    }
    ck_assert_int_eq(sig_verify(other, parts, 3, SPAN(raw, 64), &e), -1);
    ck_assert_int_eq(e.code, ERR_SIGNATURE);
    ck_assert_int_eq(sig_verify(key, parts, 2, SPAN(raw, 64), &e), -1);
    ck_assert_int_eq(e.code, ERR_SIGNATURE);
    ck_assert_int_eq(sig_verify(key, parts, 3, SPAN_ARRAY(zero), &e), -1);
    ck_assert_int_eq(e.code, ERR_SIGNATURE);
    ck_assert_int_eq(sig_verify(key, parts, 3, SPAN(raw, 63), &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    ck_assert_int_eq(sig_verify(key, parts, 3, SPAN(raw, 65), &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}
END_TEST

START_TEST(points)
{
    EVP_PKEY *key = EVP_EC_gen("prime256v1");
    uint8_t p[66] = { 0 };

    pki_point(key, p);
    ck_assert_int_eq(point_check(SPAN(p, 65), NID_X9_62_prime256v1), 0);
    ck_assert_int_eq(point_check(SPAN(p, 65), NID_brainpoolP256r1), -1);
    ck_assert_int_eq(point_check(SPAN(p, 65), NID_secp384r1), -1);
    ck_assert_int_eq(point_check(SPAN(p, 64), NID_X9_62_prime256v1), -1);
    ck_assert_int_eq(point_check(SPAN(p, 66), NID_X9_62_prime256v1), -1);
    ck_assert_int_eq(point_check(SPAN(p, 0), NID_X9_62_prime256v1), -1);
    p[64] ^= 1;
    ck_assert_int_eq(point_check(SPAN(p, 65), NID_X9_62_prime256v1), -1);
    p[64] ^= 1;
    p[0] = 6; /* hybrid form */
    ck_assert_int_eq(point_check(SPAN(p, 65), NID_X9_62_prime256v1), -1);
    EVP_PKEY_free(key);
}
END_TEST

static const struct {
    const char *name, *octets, *text; /* NULL: refused */
} oid_rows[] = {
    { "2.999.10", "88370A", "2.999.10" },
    { "policy", "678112010201 05", "2.23.146.1.2.1.5" },
    { "empty", "", NULL },
    { "last octet goes on", "8837 8A", NULL },
    { "leading zeros", "88 37 800A", NULL },
    { "only 80", "80", NULL },
};

START_TEST(oids)
{
    AUTO(buf_clear) struct buf b = hex(oid_rows[_i].octets);
    char text[REGISTERED_ID_MAX + 1] = "untouched";
    int r = oid_format(buf_span(&b), text);

    ck_assert_msg((r == 0) == (oid_rows[_i].text != NULL), "%s",
                  oid_rows[_i].name);
    ck_assert_msg(strcmp(text, r == 0 ? oid_rows[_i].text : "untouched") == 0,
                  "%s: %s", oid_rows[_i].name, text);
}
END_TEST

START_TEST(oid_too_long_to_write)
{
    uint8_t o[40];
    char text[REGISTERED_ID_MAX + 1];

    memset(o, 0x7f, sizeof o);
    ck_assert_int_eq(oid_format(SPAN_ARRAY(o), text), -1);
}
END_TEST

START_TEST(names_of_roles)
{
    for (int r = 0; r < ROLE_COUNT; r++)
        for (int s = 0; s < r; s++)
            ck_assert_str_ne(cert_role_name((enum cert_role)r),
                             cert_role_name((enum cert_role)s));
    ck_assert_str_eq(cert_role_name(ROLE_COUNT), "unknown");
}
END_TEST

/* The chain of the vectors, made by an implementation that is not ours. */
START_TEST(vectors_chain)
{
    AUTO(buf_clear) struct buf ci = BUF_INIT, dp = BUF_INIT;
    struct trust *t = trust_new();
    STACK_OF(X509) *stack = sk_X509_new_null();
    struct err e = ERR_INIT;
    char id[REGISTERED_ID_MAX + 1];
    unsigned char *der = NULL;

    if (shared_read("data/vectors/cert-ci.pem", &ci) &&
        shared_read("data/vectors/cert-dppb.pem", &dp)) {
        BIO *b = BIO_new_mem_buf(ci.p, (int)ci.n);
        X509 *root = PEM_read_bio_X509(b, NULL, NULL, NULL);
        BIO_free(b);
        b = BIO_new_mem_buf(dp.p, (int)dp.n);
        X509 *leaf = PEM_read_bio_X509(b, NULL, NULL, NULL);
        BIO_free(b);
        int n = i2d_X509(root, &der);
        ck_assert_int_eq(trust_add_root(t, SPAN(der, (size_t)n), &e), 0);
        sk_X509_push(stack, leaf);
        ck_assert_msg(cert_verify(t, stack, ROLE_DPPB, 0, &e) == 0, "%s",
                      e.msg);
        ck_assert_int_eq(cert_verify(t, stack, ROLE_DPAUTH, 0, &e), -1);
        ck_assert_int_eq(cert_registered_id(leaf, id), 0);
        ck_assert_str_eq(id, "2.999.10");
        ck_assert_int_eq(cert_role_of(root), ROLE_CI);
        X509_free(root);
        X509_free(leaf);
    }
    OPENSSL_free(der);
    sk_X509_free(stack);
    trust_free(t);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "chains", chains, ROWS(rows) },
        { "issuers", issuers, ROWS(rows) },
        { "shapes", shaped, ROWS(shapes) },
        { "roots", roots, 1 },
        { "decoding", decoding, 1 },
        { "identities", identities, ROWS(id_rows) },
        { "digests", digests, 1 },
        { "keys", keys, ROWS(key_rows) },
        { "every octet", every_changed_octet, 1 },
        { "threads", one_issuer_many_threads, 1 },
        { "signatures", raw_signatures, 2 },
        { "points", points, 1 },
        { "OIDs", oids, ROWS(oid_rows) },
        { "long OID", oid_too_long_to_write, 1 },
        { "role names", names_of_roles, 1 },
        { "vectors", vectors_chain, 1 },
    };
    return run_tests("ifpp/cert", tests, sizeof tests / sizeof *tests);
}
