#include "station/ifpp/certview.h"

#include "station/base/clock.h"
#include "station/ifpp/tags.h"

#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* --- OIDs ------------------------------------------------------------------
 * tags.h has them as text, certificates as octets: encoded once. */

#define OID_OCTETS_MAX 32

struct oid {
    uint8_t o[OID_OCTETS_MAX];
    size_t n;
};

static struct oid role_oids[ROLE_COUNT], permitted_eins;
static pthread_once_t oids_once = PTHREAD_ONCE_INIT;

enum place { PLACE_POLICY, PLACE_EKU };
enum identity { ID_NONE, ID_EID, ID_REGISTERED, ID_SERIAL };

/* Binding, clause 1, as far as one certificate can show it. */
static const struct {
    const char *name;
    const char *oid;
    enum place place;
    bool ca;
    enum identity identity;
} rules[ROLE_COUNT] = {
    [ROLE_CI] = { "eSIM CA", OID_ROLE_CI, PLACE_POLICY, true, ID_NONE },
    [ROLE_EUM] = { "EUM", OID_ROLE_EUM, PLACE_POLICY, true, ID_NONE },
    [ROLE_EUICC] = { "eUICC", OID_ROLE_EUICC, PLACE_POLICY, false, ID_EID },
    [ROLE_DPPB] = { "SM-DPf binding", OID_ROLE_DPPB, PLACE_POLICY, false,
                    ID_REGISTERED },
    [ROLE_DPAUTH] = { "SM-DPf authentication", OID_ROLE_DPAUTH, PLACE_POLICY,
                      false, ID_REGISTERED },
    [ROLE_EUICC_DATA] = { "eUICC data", OID_EKU_EUICC_DATA, PLACE_EKU, false,
                          ID_NONE },
    [ROLE_STATION] = { "station", OID_EKU_STATION, PLACE_EKU, false,
                       ID_SERIAL },
    [ROLE_ORDER] = { "order", OID_EKU_ORDER, PLACE_EKU, false, ID_NONE },
    [ROLE_AUTHORITY] = { "authority", OID_EKU_AUTHORITY, PLACE_EKU, false,
                         ID_NONE },
    [ROLE_RELEASE] = { "release", OID_EKU_RELEASE, PLACE_EKU, false,
                       ID_NONE },
    [ROLE_RECOVERY] = { "recovery", OID_EKU_RECOVERY, PLACE_EKU, false,
                        ID_SERIAL },
};

const char *cert_role_name(enum cert_role r)
{
    return (unsigned)r < ROLE_COUNT ? rules[r].name : "unknown";
}

static void oid_encode(const char *text, struct oid *out)
{
    ASN1_OBJECT *o = OBJ_txt2obj(text, 1);

    /* A failure leaves n 0, which equals no OID: everything is refused. */
    out->n = 0;
    if (o && OBJ_length(o) <= sizeof out->o) {
        out->n = OBJ_length(o);
        memcpy(out->o, OBJ_get0_data(o), out->n);
    }
    ASN1_OBJECT_free(o);
}

static void oids_encode(void)
{
    for (int r = 0; r < ROLE_COUNT; r++)
        oid_encode(rules[r].oid, &role_oids[r]);
    oid_encode(OID_PERMITTED_EINS, &permitted_eins);
}

static bool oid_is(struct span value, const struct oid *o)
{
    return o->n != 0 && span_eq(value, SPAN(o->o, o->n));
}

static unsigned oid_role(struct span value, enum place place)
{
    for (int r = 0; r < ROLE_COUNT; r++)
        if (rules[r].place == place && oid_is(value, &role_oids[r]))
            return ROLE_BIT(r);
    return 0;
}

int oid_format(struct span value, char out[REGISTERED_ID_MAX + 1])
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    char text[REGISTERED_ID_MAX + 1];

    if (value.n == 0 || value.n > REGISTERED_ID_MAX)
        return -1;
    der_put(&der, TAG_OID, value);
    if (!buf_ok(&der))
        return -1;
    const unsigned char *p = der.p;
    ASN1_OBJECT *o = d2i_ASN1_OBJECT(NULL, &p, (long)der.n);
    int n = o ? OBJ_obj2txt(text, sizeof text, o, 1) : -1;
    ASN1_OBJECT_free(o);
    if (n <= 0 || (size_t)n >= sizeof text)
        return -1;
    memcpy(out, text, (size_t)n + 1);
    return 0;
}

/* --- extensions ------------------------------------------------------------ */

/* The value of an extension must be exactly one SEQUENCE; its members. */
static int sequence_members(struct span value, struct span *members)
{
    struct tlv t;

    if (der_take(&value, TAG_SEQUENCE, &t) != 0 || value.n != 0)
        return -1;
    *members = t.value;
    return 0;
}

static int read_key_usage(struct cert_view *v, struct span value, bool critical)
{
    struct tlv t;

    (void)critical;
    if (der_take(&value, TAG_BITS, &t) != 0 || value.n != 0 ||
        t.value.n < 2 || t.value.n > 3 || t.value.p[0] > 7)
        return -1;
    v->has_key_usage = true;
    v->key_usage = t.value.p[1];
    return 0;
}

static int read_basic(struct cert_view *v, struct span value, bool critical)
{
    struct span in;
    struct tlv t;
    uint64_t n;
    int r;

    (void)critical;
    if (sequence_members(value, &in) != 0 ||
        (r = der_take_optional(&in, TAG_BOOLEAN, &t)) < 0)
        return -1;
    if (r == 1) {
        if (t.value.n != 1 || t.value.p[0] != 0xff)
            return -1;
        v->ca = true;
    }
    if ((r = der_take_optional(&in, TAG_INTEGER, &t)) < 0 || in.n != 0)
        return -1;
    if (r == 1) {
        if (der_uint(t.value, &n) != 0 || n > CHAIN_MAX)
            return -1;
        v->path_len = (int)n;
    }
    return 0;
}

static int read_policies(struct cert_view *v, struct span value, bool critical)
{
    struct span in, info;
    struct tlv t, oid;
    enum der r;

    if (sequence_members(value, &in) != 0)
        return -1;
    while ((r = der_next(&in, &t)) == DER_OK) {
        info = t.value;
        if (t.tag != TAG_SEQUENCE || der_take(&info, TAG_OID, &oid) != 0 ||
            !der_well_formed(info))
            return -1;
        v->roles |= oid_role(oid.value, PLACE_POLICY);
    }
    v->policy_critical = critical;
    return r == DER_END ? 0 : -1;
}

static int read_eku(struct cert_view *v, struct span value, bool critical)
{
    struct span in;
    struct tlv t;
    enum der r;

    (void)critical;
    if (sequence_members(value, &in) != 0)
        return -1;
    while ((r = der_next(&in, &t)) == DER_OK) {
        if (t.tag != TAG_OID)
            return -1;
        v->roles |= oid_role(t.value, PLACE_EKU);
    }
    return r == DER_END ? 0 : -1;
}

static int read_ski(struct cert_view *v, struct span value, bool critical)
{
    struct tlv t;

    (void)critical;
    if (der_take(&value, TAG_OCTETS, &t) != 0 || value.n != 0)
        return -1;
    v->ski = t.value;
    return 0;
}

static int read_aki(struct cert_view *v, struct span value, bool critical)
{
    struct span in;
    struct tlv t;

    (void)critical;
    if (sequence_members(value, &in) != 0 ||
        der_take_optional(&in, 0x80, &t) < 0 || !der_well_formed(in))
        return -1;
    v->aki = t.value;
    v->aki_more = in.n != 0;
    return 0;
}

static int read_san(struct cert_view *v, struct span value, bool critical)
{
    (void)critical;
    return sequence_members(value, &v->san) == 0 && der_well_formed(v->san)
               ? 0 : -1;
}

static int read_constraints(struct cert_view *v, struct span value,
                            bool critical)
{
    (void)critical;
    return sequence_members(value, &v->constraints) == 0 &&
                   v->constraints.n != 0 && der_well_formed(v->constraints)
               ? 0 : -1;
}

static int read_eins(struct cert_view *v, struct span value, bool critical)
{
    struct span in;
    struct tlv t;
    enum der r;

    if (sequence_members(value, &v->eins) != 0 || v->eins.n == 0)
        return -1;
    in = v->eins;
    while ((r = der_next(&in, &t)) == DER_OK) {
        /* An empty prefix would permit every EID there is. */
        if (t.tag != TAG_UTF8 || t.value.n == 0 || t.value.n > EID_DIGITS)
            return -1;
        for (size_t i = 0; i < t.value.n; i++)
            if (t.value.p[i] < '0' || t.value.p[i] > '9')
                return -1;
    }
    v->eins_critical = critical;
    return r == DER_END ? 0 : -1;
}

/* What may be critical here; all of it is judged, by OpenSSL or by us.
 * id-ce-x is 2.5.29.x, octets 55 1D x; x 0 stands for permittedEins. */
static const struct extension {
    uint8_t x;
    bool may_be_critical;
    const char *name;
    int (*read)(struct cert_view *, struct span, bool);
} extensions[] = {
    { 15, true, "keyUsage", read_key_usage },
    { 19, true, "basicConstraints", read_basic },
    { 32, true, "certificatePolicies", read_policies },
    { 37, true, "extendedKeyUsage", read_eku },
    { 17, true, "subjectAltName", read_san },
    { 30, true, "nameConstraints", read_constraints },
    { 0, true, "permittedEins", read_eins },
    { 14, false, "subjectKeyIdentifier", read_ski },
    { 35, false, "authorityKeyIdentifier", read_aki },
};
#define EXTENSIONS (sizeof extensions / sizeof *extensions)

static const struct extension *extension_of(struct span oid)
{
    uint8_t x = 0;

    if (oid.n == 3 && oid.p[0] == 0x55 && oid.p[1] == 0x1d && oid.p[2] != 0)
        x = oid.p[2];
    else if (!oid_is(oid, &permitted_eins))
        return NULL;
    for (size_t i = 0; i < EXTENSIONS; i++)
        if (extensions[i].x == x)
            return &extensions[i];
    return NULL;
}

static int read_extension(struct cert_view *v, struct span in, struct err *e)
{
    struct tlv oid, crit, value;
    int r;

    if (der_take(&in, TAG_OID, &oid) != 0 ||
        (r = der_take_optional(&in, TAG_BOOLEAN, &crit)) < 0 ||
        (r == 1 && (crit.value.n != 1 || crit.value.p[0] != 0xff)) ||
        der_take(&in, TAG_OCTETS, &value) != 0 || in.n != 0)
        return err_set(e, ERR_FORMAT, "malformed certificate extension");

    const struct extension *x = extension_of(oid.value);
    if (r == 1 && !(x && x->may_be_critical))
        v->unknown_critical = true;
    if (!x)
        return 0;
    unsigned bit = 1u << (x - extensions);
    if (v->seen & bit)
        return err_set(e, ERR_FORMAT, "certificate has %s twice", x->name);
    v->seen |= bit;
    if (x->read(v, value.value, r == 1) != 0)
        return err_set(e, ERR_FORMAT, "certificate has a malformed %s",
                       x->name);
    return 0;
}

static int read_extensions(struct cert_view *v, struct span in, struct err *e)
{
    struct span list;
    struct tlv t;
    enum der r;

    if (sequence_members(in, &list) != 0)
        return err_set(e, ERR_FORMAT, "malformed certificate extensions");
    while ((r = der_next(&list, &t)) == DER_OK) {
        if (t.tag != TAG_SEQUENCE)
            return err_set(e, ERR_FORMAT, "malformed certificate extension");
        if (read_extension(v, t.value, e) != 0)
            return -1;
    }
    return r == DER_END ? 0
                        : err_set(e, ERR_FORMAT,
                                  "malformed certificate extensions");
}

/* --- the certificate ------------------------------------------------------- */

static int read_time(struct span *in, int64_t *out)
{
    char text[GTIME_LEN + 1];
    struct tlv t;

    if (der_next(in, &t) != DER_OK)
        return -1;
    if (t.tag == TAG_GTIME && t.value.n == GTIME_LEN) {
        memcpy(text, t.value.p, GTIME_LEN);
    } else if (t.tag == TAG_UTCTIME && t.value.n == GTIME_LEN - 2) {
        /* RFC 5280 4.1.2.5.1: 50 and later is the last century. */
        memcpy(text, t.value.p[0] >= '5' ? "19" : "20", 2);
        memcpy(text + 2, t.value.p, GTIME_LEN - 2);
    } else {
        return -1;
    }
    text[GTIME_LEN] = '\0';
    return gtime_parse(text, out);
}

/* The octets before the point, for each curve of ours: id-ecPublicKey, named
 * curve, BIT STRING of 66 octets without unused bits, uncompressed. */
static const struct {
    int nid;
    size_t n;
    uint8_t head[30];
} spki_heads[] = {
    { NID_X9_62_prime256v1, 27,
      { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
        0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03,
        0x42, 0x00, 0x04 } },
    { NID_brainpoolP256r1, 28,
      { 0x30, 0x5a, 0x30, 0x14, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
        0x01, 0x06, 0x09, 0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07,
        0x03, 0x42, 0x00, 0x04 } },
};

static void read_spki(struct cert_view *v)
{
    for (size_t i = 0; i < sizeof spki_heads / sizeof *spki_heads; i++) {
        size_t n = spki_heads[i].n;
        if (v->spki.n == n + 64 &&
            memcmp(v->spki.p, spki_heads[i].head, n) == 0) {
            v->curve = spki_heads[i].nid;
            v->point = span_sub(v->spki, n - 1, 65);
        }
    }
}

static bool is_ecdsa_sha256(struct span alg)
{
    static const uint8_t want[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
    return span_eq(alg, SPAN_ARRAY(want));
}

/* TBSCertificate up to its extensions; *alg is the inner algorithm. */
static int read_tbs(struct cert_view *v, struct span *alg, struct err *e)
{
    static const uint8_t v3[] = { TAG_INTEGER, 1, 2 };
    struct span in = v->tbs.value, period;
    struct tlv t;

    if (der_take(&in, 0xa0, &t) != 0 || !span_eq(t.value, SPAN_ARRAY(v3)))
        return err_set(e, ERR_FORMAT, "not an X.509 version 3 certificate");
    if (der_take(&in, TAG_INTEGER, &t) != 0 || t.value.n == 0 ||
        der_take(&in, TAG_SEQUENCE, &t) != 0)
        return err_set(e, ERR_FORMAT, "malformed certificate: serial number");
    *alg = t.whole;
    if (der_take(&in, TAG_SEQUENCE, &t) != 0 || !der_well_formed(t.value))
        return err_set(e, ERR_FORMAT, "malformed certificate: issuer");
    v->issuer = t.whole;
    if (der_take(&in, TAG_SEQUENCE, &t) != 0 || (period = t.value).n == 0 ||
        read_time(&period, &v->not_before) != 0 ||
        read_time(&period, &v->not_after) != 0 || period.n != 0)
        return err_set(e, ERR_FORMAT, "malformed certificate: validity");
    if (der_take(&in, TAG_SEQUENCE, &t) != 0 || !der_well_formed(t.value))
        return err_set(e, ERR_FORMAT, "malformed certificate: subject");
    v->subject = t.whole;
    if (der_take(&in, TAG_SEQUENCE, &t) != 0)
        return err_set(e, ERR_FORMAT, "malformed certificate: public key");
    v->spki = t.whole;
    read_spki(v);
    if (der_take_optional(&in, 0x81, &t) < 0 ||
        der_take_optional(&in, 0x82, &t) < 0 ||
        der_take(&in, 0xa3, &t) != 0 || in.n != 0)
        return err_set(e, ERR_FORMAT, "malformed certificate: no extensions, "
                                      "or something after them");
    return read_extensions(v, t.value, e);
}

int certview_parse(struct span der, struct cert_view *out, struct err *e)
{
    struct cert_view v = { .path_len = -1 };
    struct span in = der, inner;
    struct tlv cert, alg, sig;

    pthread_once(&oids_once, oids_encode);
    if (der.n > CERT_MAX)
        return err_set(e, ERR_LIMIT, "certificate of %zu octets, at most %d",
                       der.n, CERT_MAX);
    if (der_take(&in, TAG_SEQUENCE, &cert) != 0)
        return err_set(e, ERR_FORMAT, "not a DER certificate");
    if (in.n != 0)
        return err_set(e, ERR_FORMAT, "%zu octets after the certificate",
                       in.n);
    in = cert.value;
    if (der_take(&in, TAG_SEQUENCE, &v.tbs) != 0 ||
        der_take(&in, TAG_SEQUENCE, &alg) != 0 ||
        der_take(&in, TAG_BITS, &sig) != 0 || in.n != 0 || sig.value.n < 2 ||
        sig.value.p[0] != 0)
        return err_set(e, ERR_FORMAT, "malformed certificate");
    v.signature = span_sub(sig.value, 1, sig.value.n - 1);
    if (read_tbs(&v, &inner, e) != 0)
        return -1;
    if (!span_eq(inner, alg.whole))
        return err_set(e, ERR_FORMAT, "certificate names two different "
                                      "signature algorithms");
    v.ecdsa_sha256 = is_ecdsa_sha256(inner);
    *out = v;
    return 0;
}

/* --- names ----------------------------------------------------------------- */

/* Walks a Name: each call gives one attribute's type and value. */
struct name_walk {
    struct span rdns, attrs;
};

static struct name_walk name_start(struct span name)
{
    struct name_walk w = { { NULL, 0 }, { NULL, 0 } };
    struct tlv t;

    if (der_take(&name, TAG_SEQUENCE, &t) == 0)
        w.rdns = t.value;
    return w;
}

static enum der name_next(struct name_walk *w, struct span *type,
                          struct tlv *value)
{
    struct tlv t, oid;

    while (w->attrs.n == 0) {
        enum der r = der_next(&w->rdns, &t);
        if (r != DER_OK)
            return r;
        if (t.tag != TAG_SET || t.value.n == 0)
            return DER_BAD;
        w->attrs = t.value;
    }
    if (der_take(&w->attrs, TAG_SEQUENCE, &t) != 0 ||
        der_take(&t.value, TAG_OID, &oid) != 0 ||
        der_next(&t.value, value) != DER_OK || t.value.n != 0)
        return DER_BAD;
    *type = oid.value;
    return DER_OK;
}

static bool is_attr(struct span type, uint8_t x)
{
    return type.n == 3 && type.p[0] == 0x55 && type.p[1] == 0x04 &&
           type.p[2] == x;
}

/* The value of attribute 2.5.4.x, which must be there once. */
static int name_attr(struct span name, uint8_t x, struct tlv *out)
{
    struct name_walk w = name_start(name);
    struct span type;
    struct tlv t;
    enum der r;
    int found = 0;

    while ((r = name_next(&w, &type, &t)) == DER_OK)
        if (is_attr(type, x)) {
            *out = t;
            found++;
        }
    return r == DER_END && found == 1 ? 0 : -1;
}

int certview_subject_text(const struct cert_view *v, uint8_t x,
                          char out[REGISTERED_ID_MAX + 1])
{
    struct tlv t;

    if (name_attr(v->subject, x, &t) != 0 ||
        (t.tag != TAG_UTF8 && t.tag != TAG_PRINTABLE) || t.value.n == 0 ||
        t.value.n > REGISTERED_ID_MAX)
        return -1;
    for (size_t i = 0; i < t.value.n; i++)
        if (t.value.p[i] < 0x20 || t.value.p[i] > 0x7e)
            return -1;
    memcpy(out, t.value.p, t.value.n);
    out[t.value.n] = '\0';
    return 0;
}

int certview_registered_id(const struct cert_view *v,
                           char out[REGISTERED_ID_MAX + 1])
{
    struct span in = v->san, more;
    struct tlv t, second;

    if (der_find(in, 0x88, &t) != 1)
        return -1;
    /* Two names would leave it open which one the issuer field must equal. */
    more = SPAN(t.whole.p + t.whole.n,
                (size_t)(in.p + in.n - (t.whole.p + t.whole.n)));
    if (der_find(more, 0x88, &second) != 0)
        return -1;
    return oid_format(t.value, out);
}

int certview_eid(const struct cert_view *v, struct eid *out, struct err *e)
{
    char text[REGISTERED_ID_MAX + 1];

    if (certview_subject_text(v, ATTR_SERIAL_NUMBER, text) != 0 ||
        eid_parse(text, out) != 0)
        return err_set(e, ERR_TRUST, "the subject's serialNumber is not an "
                                     "EID of 32 digits with a valid check");
    return 0;
}

/* --- roles ----------------------------------------------------------------- */

/* What its key must be for: a CA signs certificates, an end entity signs; only
 * recovery is a key that others encipher to, and signs nothing. */
static const struct usage {
    unsigned bit;
    const char *name;
} usages[] = { { KU_CERT_SIGN, "keyCertSign" },
               { KU_DIGITAL_SIGNATURE, "digitalSignature" },
               { KU_KEY_AGREEMENT, "keyAgreement" } };

static int check_common(const struct cert_view *v, bool ca,
                        const struct usage *usage, struct err *e)
{
    if (v->unknown_critical)
        return err_set(e, ERR_TRUST,
                       "has a critical extension that this program does not "
                       "know, so it must be refused: ask its issuer");
    if (v->curve == 0)
        return err_set(e, ERR_TRUST,
                       "its key is not an uncompressed point on P-256 or "
                       "brainpoolP256r1 (named curve)");
    if (!v->ecdsa_sha256)
        return err_set(e, ERR_TRUST, "is not signed by ECDSA with SHA-256");
    if (v->ca != ca)
        return err_set(e, ERR_TRUST,
                       ca ? "is not a CA (basicConstraints)"
                          : "is a CA where an end certificate is needed");
    if (!v->has_key_usage || !(v->key_usage & usage->bit))
        return err_set(e, ERR_TRUST, "lacks key usage %s", usage->name);
    return 0;
}

int certview_check_ca(const struct cert_view *v, unsigned roles,
                      struct err *e)
{
    if (v->roles & ~roles)
        return err_set(e, ERR_TRUST,
                       "has a role that may not issue certificates here");
    if (v->eins.n != 0)
        return err_set(e, ERR_TRUST, "carries permittedEins, which only an "
                                     "EUM may");
    return check_common(v, true, &usages[0], e);
}

static int check_eum(const struct cert_view *v, struct err *e)
{
    if (v->path_len != 0)
        return err_set(e, ERR_TRUST, "an EUM certificate must have path "
                                     "length 0");
    if (v->eins.n != 0 && !v->eins_critical)
        return err_set(e, ERR_TRUST, "its permittedEins is not critical");
    if (v->eins.n == 0 && !certview_ein_constraints(v))
        return err_set(e, ERR_TRUST,
                       "names no EIN it may certify: neither permittedEins "
                       "nor nameConstraints of O and serialNumber");
    return 0;
}

int certview_check_role(const struct cert_view *v, enum cert_role role,
                        struct err *e)
{
    char text[REGISTERED_ID_MAX + 1];
    struct eid eid;

    bool ca = rules[role].ca;

    if (check_common(v, ca, &usages[ca ? 0 : role == ROLE_RECOVERY ? 2 : 1],
                     e) != 0)
        return -1;
    if (v->roles != ROLE_BIT(role))
        return err_set(e, ERR_TRUST,
                       "does not have the role \"%s\" (%s %s) and no other",
                       rules[role].name,
                       rules[role].place == PLACE_EKU ? "extendedKeyUsage"
                                                      : "certificate policy",
                       rules[role].oid);
    if (role != ROLE_EUM && v->eins.n != 0)
        return err_set(e, ERR_TRUST, "carries permittedEins, which only an "
                                     "EUM may");
    if (role == ROLE_EUICC && !v->policy_critical)
        return err_set(e, ERR_TRUST, "its certificate policy is not critical");
    if (role == ROLE_EUM && check_eum(v, e) != 0)
        return -1;
    switch (rules[role].identity) {
    case ID_EID:
        return certview_eid(v, &eid, e);
    case ID_REGISTERED:
        if (certview_registered_id(v, text) != 0)
            return err_set(e, ERR_TRUST, "has not exactly one registeredID in "
                                         "its subjectAltName");
        return 0;
    case ID_SERIAL:
        if (certview_subject_text(v, ATTR_SERIAL_NUMBER, text) != 0)
            return err_set(e, ERR_TRUST,
                           "its subject has no serialNumber (station id)");
        return 0;
    case ID_NONE:
        break;
    }
    return 0;
}

/* --- EIN ------------------------------------------------------------------- */

/* One GeneralSubtree: directoryName of exactly one O and one serialNumber. */
static int subtree_take(struct span *in, struct tlv *org, struct tlv *ein)
{
    struct tlv t, dir, value;
    struct span type;
    int attrs = 0;

    if (der_take(in, TAG_SEQUENCE, &t) != 0 ||
        der_take(&t.value, 0xa4, &dir) != 0 || t.value.n != 0)
        return -1;
    struct name_walk w = name_start(dir.value);
    enum der r;
    while ((r = name_next(&w, &type, &value)) == DER_OK)
        attrs++;
    if (r != DER_END || attrs != 2 ||
        name_attr(dir.value, ATTR_ORGANIZATION, org) != 0 ||
        name_attr(dir.value, ATTR_SERIAL_NUMBER, ein) != 0 ||
        ein->value.n == 0 || ein->value.n > EID_DIGITS)
        return -1;
    return 0;
}

bool certview_ein_constraints(const struct cert_view *eum)
{
    struct span in = eum->constraints;
    struct tlv permitted, org, ein;

    if (der_take(&in, 0xa0, &permitted) != 0 || in.n != 0 ||
        permitted.value.n == 0)
        return false;
    in = permitted.value;
    while (in.n != 0)
        if (subtree_take(&in, &org, &ein) != 0)
            return false;
    return true;
}

static bool is_prefix(struct span prefix, const char *digits)
{
    return prefix.n <= strlen(digits) &&
           memcmp(prefix.p, digits, prefix.n) == 0;
}

static bool eins_permit(struct span eins, const char *digits)
{
    struct tlv t;

    while (der_next(&eins, &t) == DER_OK)
        if (is_prefix(t.value, digits))
            return true;
    return false;
}

static bool constraints_permit(struct span constraints, struct span org,
                               const char *digits)
{
    struct tlv permitted, want_org, ein;
    struct span in;

    if (der_take(&constraints, 0xa0, &permitted) != 0)
        return false;
    in = permitted.value;
    while (in.n != 0 && subtree_take(&in, &want_org, &ein) == 0)
        if (span_eq(want_org.value, org) &&
            (!digits || is_prefix(ein.value, digits)))
            return true;
    return false;
}

int certview_check_ein(const struct cert_view *eum,
                       const struct cert_view *leaf, const struct eid *eid,
                       struct err *e)
{
    char digits[EID_DIGITS + 1];
    struct tlv org = { 0 };

    if (eid)
        eid_format(eid, digits);
    if (eid && eum->eins.n != 0 && !eins_permit(eum->eins, digits))
        return err_set(e, ERR_TRUST,
                       "EID %s starts with none of the EINs its EUM may "
                       "certify: do not use this eUICC, tell the EUM",
                       digits);
    if (eum->constraints.n == 0)
        return 0;
    /* No O in the subject: org stays empty, which no subtree equals. */
    if (name_attr(leaf->subject, ATTR_ORGANIZATION, &org) != 0)
        org.value = SPAN("", 0);
    if (!constraints_permit(eum->constraints, org.value, eid ? digits : NULL))
        return err_set(e, ERR_TRUST,
                       "%s%s is outside the O and EIN its EUM may certify "
                       "(nameConstraints): do not use it, tell the EUM",
                       eid ? "EID " : "it", eid ? digits : "");
    return 0;
}

int certview_check_time(const struct cert_view *v, int64_t at, struct err *e)
{
    char when[24], now[24];

    if (at == 0)
        return 0;
    if (at < v->not_before)
        return err_set(e, ERR_EXPIRED,
                       "not valid before %s, and it is %s here: check the "
                       "station's clock",
                       clock_text(v->not_before, when), clock_text(at, now));
    if (at > v->not_after)
        return err_set(e, ERR_EXPIRED,
                       "expired %s, and it is %s here: ask its issuer for a "
                       "new one, or check the station's clock",
                       clock_text(v->not_after, when), clock_text(at, now));
    return 0;
}
