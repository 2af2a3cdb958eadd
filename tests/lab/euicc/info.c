/* What the chip says about itself (SGP.22 4.3, 5.7.8, 5.7.16; SGP.32 5.9). */
#include "tests/lab/euicc/isdr.h"

#include "station/ifpp/cert.h"
#include "station/ifpp/tags.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define CHALLENGE_LEN 16
#define DP_ADDRESS_MAX 255
#define ROOT_DS "lpa.ds.gsma.com"
#define NO_SESSION 4 /* DownloadErrorCode and AuthenticateErrorCode */

static const uint8_t svn[3] = { 2, 2, 2 };
static const uint8_t profile_version[3] = { 2, 3, 1 };
static const uint8_t firmware[3] = { 1, 0, 0 };
static const uint8_t ts102241[3] = { 9, 2, 0 };
static const uint8_t globalplatform[3] = { 2, 3, 0 };
/* Installed applications, free EEPROM, free RAM: tags of TS 102 226. */
static const uint8_t resources[] = { 0x81, 0x01, 0x00, 0x82, 0x04, 0x00,
                                     0x10, 0x00, 0x00, 0x83, 0x04, 0x00,
                                     0x00, 0x80, 0x00 };
/* usimSupport, isimSupport, akaMilenage, akaTuak128, akaTuak256;
 * berTlvFileSupport, dfLinkSupport. */
static const uint8_t uicc_capability[] = { 0x05, 0x6B, 0x00, 0x60 };
/* additionalProfile, testProfileSupport. */
static const uint8_t rsp_capability[] = { 0x04, 0x90 };
static const uint8_t pp_version[3] = { 1, 0, 0 };
static const uint8_t iot_version[3] = { 1, 2, 0 };

static int nomem(struct err *e)
{
    return err_set(e, ERR_NOMEM, "out of memory");
}

/* The list of one: the CI's subjectKeyIdentifier. */
static int put_ci_ids(struct buf *b, struct span ci_root, struct err *e)
{
    X509 *ci = NULL;

    if (cert_decode(ci_root, &ci, e) != 0)
        return err_wrap(e, "the chip's CI certificate");
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(ci);
    if (!id) {
        X509_free(ci);
        return err_set(e, ERR_FORMAT,
                       "the chip's CI certificate has no key identifier");
    }
    struct span ski = SPAN(ASN1_STRING_get0_data(id),
                           (size_t)ASN1_STRING_length(id));
    for (uint32_t list = 0xA9; list <= 0xAA; list++) {
        size_t m = der_open(b);
        der_put(b, TAG_OCTETS, ski);
        der_close(b, list, m);
    }
    X509_free(ci);
    return buf_ok(b) ? 0 : nomem(e);
}

int fn_info1(struct isdr *r, struct span value, struct buf *out,
             struct err *e)
{
    size_t m = der_open(out);

    (void)value;
    der_put(out, 0x82, SPAN_ARRAY(svn));
    if (put_ci_ids(out, store_chip(r->s)->ci_root, e) != 0)
        return -1;
    der_close(out, TAG_INFO1, m);
    return SW_OK;
}

/* SGP.32 EUICCInfo2: iotSpecificInfo [20], one version at least. */
static void put_iot(struct buf *b)
{
    size_t all = der_open(b), versions = der_open(b);

    der_put(b, TAG_OCTETS, SPAN_ARRAY(iot_version));
    der_close(b, 0xA0, versions);
    der_close(b, 0xB4, all);
}

int euicc_info2_put(struct buf *b, enum info2_kind kind, struct span ci_root,
                    struct err *e)
{
    size_t m = der_open(b);

    der_put(b, 0x81, SPAN_ARRAY(profile_version));
    der_put(b, 0x82, SPAN_ARRAY(svn));
    der_put(b, 0x83, SPAN_ARRAY(firmware));
    der_put(b, 0x84, SPAN_ARRAY(resources));
    der_put(b, 0x85, SPAN_ARRAY(uicc_capability));
    der_put(b, 0x86, SPAN_ARRAY(ts102241));
    der_put(b, 0x87, SPAN_ARRAY(globalplatform));
    der_put(b, 0x88, SPAN_ARRAY(rsp_capability));
    if (put_ci_ids(b, ci_root, e) != 0)
        return -1;
    der_put(b, TAG_OCTETS, SPAN_ARRAY(pp_version));
    der_put_str(b, TAG_UTF8, "LINESIDE-LAB-0001");
    if (kind == INFO2_IOT)
        put_iot(b);
    der_close(b, TAG_INFO2, m);
    return buf_ok(b) ? 0 : nomem(e);
}

int fn_info2(struct isdr *r, struct span value, struct buf *out,
             struct err *e)
{
    const struct chip *c = store_chip(r->s);

    (void)value;
    return euicc_info2_put(out, c->kind, c->ci_root, e) == 0 ? SW_OK : -1;
}

int fn_euicc_data(struct isdr *r, struct span value, struct buf *out,
                  struct err *e)
{
    struct tlv tags;

    (void)e;
    if (der_take(&value, 0x5C, &tags) != 0 || value.n != 0 ||
        tags.value.n != 1 || tags.value.p[0] != TAG_EID)
        return SW_WRONG_DATA;
    size_t m = der_open(out);
    der_put(out, TAG_EID, SPAN_ARRAY(store_chip(r->s)->eid.o));
    der_close(out, TAG_EUICC_DATA, m);
    return SW_OK;
}

int fn_challenge(struct isdr *r, struct span value, struct buf *out,
                 struct err *e)
{
    uint8_t c[CHALLENGE_LEN];

    (void)r;
    (void)value;
    if (RAND_bytes(c, sizeof c) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random octets");
    size_t m = der_open(out);
    der_put(out, 0x80, SPAN_ARRAY(c));
    der_close(out, TAG_CHALLENGE, m);
    return SW_OK;
}

int fn_configured(struct isdr *r, struct span value, struct buf *out,
                  struct err *e)
{
    AUTO(buf_clear) struct buf dp = BUF_INIT;

    (void)value;
    if (store_default_dp(r->s, &dp, e) != 0)
        return -1;
    size_t m = der_open(out);
    if (dp.n > 0)
        der_put(out, 0x80, buf_span(&dp));
    der_put_str(out, 0x81, ROOT_DS);
    der_close(out, TAG_CONFIGURED_DATA, m);
    return SW_OK;
}

int fn_set_default_dp(struct isdr *r, struct span value, struct buf *out,
                      struct err *e)
{
    struct tlv address;

    if (der_take(&value, 0x80, &address) != 0 || value.n != 0 ||
        address.value.n > DP_ADDRESS_MAX)
        return SW_WRONG_DATA;
    if (store_set_default_dp(r->s, address.value, e) != 0)
        return -1;
    return put_result(out, TAG_SET_DEFAULT_DP, 0);
}

/* Rules Authorisation Table: empty, no profile policy rule is forbidden to
 * anybody. */
int fn_rat(struct isdr *r, struct span value, struct buf *out, struct err *e)
{
    (void)r;
    (void)value;
    (void)e;
    size_t m = der_open(out);
    der_put(out, 0xA0, SPAN(NULL, 0));
    der_close(out, TAG_GET_RAT, m);
    return SW_OK;
}

/* SGP.32 5.9.10: BF56 { A0 { A5 CERT.EUM, A6 CERT.EUICC } }, implicit tags:
 * they stand for the certificates' 30. Or {81 invalidCiPKId(1)}. */
int fn_certs(struct isdr *r, struct span value, struct buf *out,
             struct err *e)
{
    const struct chip *c = store_chip(r->s);
    AUTO(buf_clear) struct buf ids = BUF_INIT;
    struct span eum = c->eum_chain, own = c->cert, known;
    struct tlv eum_cert, cert, wanted, list, id;

    int rc = der_take_optional(&value, 0x80, &wanted);
    if (rc < 0 || value.n != 0)
        return SW_WRONG_DATA;
    if (put_ci_ids(&ids, c->ci_root, e) != 0)
        return -1;
    known = buf_span(&ids);
    if (der_next(&known, &list) != DER_OK ||
        der_take(&list.value, TAG_OCTETS, &id) != 0 ||
        der_take(&eum, TAG_SEQUENCE, &eum_cert) != 0 ||
        der_take(&own, TAG_SEQUENCE, &cert) != 0)
        return err_set(e, ERR_FORMAT, "the chip's certificates");
    size_t m = der_open(out);
    if (rc > 0 && !span_eq(wanted.value, id.value)) {
        der_put_uint(out, 0x81, 1);
    } else {
        size_t certs = der_open(out);
        der_put(out, 0xA5, eum_cert.value);
        der_put(out, 0xA6, cert.value);
        der_close(out, 0xA0, certs);
    }
    der_close(out, TAG_GET_CERTS, m);
    return SW_OK;
}

/* A live download needs a session of challenge and server signature, and this
 * chip was made for a line without a network: there never is one. */
static int no_session(struct buf *out, uint32_t tag, struct span value)
{
    struct tlv txid;

    if (der_find(value, 0x80, &txid) < 0)
        return SW_WRONG_DATA;
    size_t m = der_open(out), failure = der_open(out);
    if (der_find(value, 0x80, &txid) == 1)
        der_put(out, 0x80, txid.value);
    der_put_uint(out, TAG_INTEGER, NO_SESSION);
    der_close(out, 0xA1, failure);
    der_close(out, tag, m);
    return SW_OK;
}

int fn_prepare_download(struct isdr *r, struct span value, struct buf *out,
                        struct err *e)
{
    struct tlv signed2;

    (void)r;
    (void)e;
    if (der_find(value, TAG_SEQUENCE, &signed2) != 1)
        return SW_WRONG_DATA;
    return no_session(out, TAG_PREPARE_DOWNLOAD, signed2.value);
}

int fn_authenticate_server(struct isdr *r, struct span value, struct buf *out,
                           struct err *e)
{
    struct tlv signed1;

    (void)r;
    (void)e;
    if (der_find(value, TAG_SEQUENCE, &signed1) != 1)
        return SW_WRONG_DATA;
    return no_session(out, TAG_AUTHENTICATE_SERVER, signed1.value);
}
