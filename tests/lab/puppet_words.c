#include "tests/lab/puppet_words.h"

#include <string.h>

#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"
#include "tests/lab/pki/keys.h"

#define MAC_LEN 8
#define BLOCK 16

/* The generator of P-256: a point on the curve, and nobody's key. */
static const uint8_t a_point[EC_POINT_LEN] = {
    0x04, 0x6B, 0x17, 0xD1, 0xF2, 0xE1, 0x2C, 0x42, 0x47, 0xF8, 0xBC, 0xE6, 0xE5,
    0x63, 0xA4, 0x40, 0xF2, 0x77, 0x03, 0x7D, 0x81, 0x2D, 0xEB, 0x33, 0xA0, 0xF4,
    0xA1, 0x39, 0x45, 0xD8, 0x98, 0xC2, 0x96, 0x4F, 0xE3, 0x42, 0xE2, 0xFE, 0x1A,
    0x7F, 0x9B, 0x8E, 0xE7, 0xEB, 0x4A, 0x7C, 0x0F, 0x9E, 0x16, 0x2B, 0xCE, 0x33,
    0x57, 0x6B, 0x31, 0x5E, 0xCE, 0xCB, 0xB6, 0x40, 0x68, 0x37, 0xBF, 0x51, 0xF5,
};

static const uint8_t filling[BPP_SEGMENT_MAX];

static void put_filling(struct buf *b, uint32_t tag, size_t n)
{
    der_put(b, tag, SPAN(filling, n));
}

/* --- a BPP --------------------------------------------------------------- */

static void put_isc(struct buf *b, const struct txid *t)
{
    static const uint8_t install[] = { 1 }, type[] = { BPP_KEY_TYPE },
                         length[] = { BPP_KEY_LEN }, host[] = "puppet01";
    size_t isc = der_open(b), crt;

    der_put(b, 0x82, SPAN_ARRAY(install));
    der_put(b, 0x80, SPAN_ARRAY(t->o));
    crt = der_open(b);
    der_put(b, 0x80, SPAN_ARRAY(type));
    der_put(b, 0x81, SPAN_ARRAY(length));
    der_put(b, 0x84, SPAN(host, 8));
    der_close(b, 0xA6, crt);
    der_put(b, TAG_OTPK, SPAN_ARRAY(a_point));
    put_filling(b, TAG_SIGNATURE, EC_RAW_SIG_LEN);
    der_close(b, TAG_INIT_SECURE_CHANNEL, isc);
}

static void put_metadata(struct buf *b, const struct iccid *iccid)
{
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    size_t m = der_open(&plain);

    der_put(&plain, TAG_ICCID, SPAN_ARRAY(iccid->o));
    der_put_str(&plain, 0x91, "Puppet Theatre");
    der_put_str(&plain, 0x92, "Cardboard");
    der_close(&plain, TAG_STORE_METADATA, m);
    buf_put(&plain, filling, MAC_LEN);
    m = der_open(b);
    der_put(b, TAG_SEG_MAC, buf_span(&plain));
    der_close(b, 0xA1, m);
}

/* Ciphertext length: padding 80 00.. to whole blocks, then the MAC. */
static size_t sealed(size_t plain)
{
    return (plain / BLOCK + 1) * BLOCK + MAC_LEN;
}

static void put_elements(struct buf *b, size_t octets)
{
    size_t m = der_open(b);

    while (octets > 0) {
        size_t n = octets < BPP_PLAIN_MAX ? octets : BPP_PLAIN_MAX;
        put_filling(b, TAG_SEG_PROFILE, sealed(n));
        octets -= n;
    }
    der_close(b, 0xA3, m);
}

void puppet_put_bpp(struct buf *b, const struct txid *t,
                    const struct iccid *iccid, size_t octets)
{
    size_t whole = der_open(b), m;

    put_isc(b, t);
    m = der_open(b);
    put_filling(b, TAG_SEG_ENC, sealed(3)); /* BF24 00 */
    der_close(b, 0xA0, m);
    put_metadata(b, iccid);
    put_elements(b, octets);
    der_close(b, TAG_BPP, whole);
}

/* --- evidence ------------------------------------------------------------ */

static int put_signature(struct buf *b, EVP_PKEY *key, size_t from,
                         struct err *e)
{
    AUTO(ec_signer_free_p) struct ec_signer *s = NULL;
    uint8_t raw[EC_RAW_SIG_LEN];

    if (!buf_ok(b))
        return err_set(e, ERR_NOMEM, "no memory for evidence");
    struct span data = SPAN(b->p + from, b->n - from);
    if (ec_signer_new(key, &s, e) != 0 || ec_sign(s, &data, 1, raw, e) != 0)
        return -1;
    der_put(b, TAG_SIGNATURE, SPAN_ARRAY(raw));
    return 0;
}

static void put_meta(struct buf *b, const struct puppet_result *r)
{
    static const uint8_t install[] = { 0x07, 0x80 };
    size_t m = der_open(b);

    der_put_uint(b, 0x80, r->seq);
    der_put(b, 0x81, SPAN_ARRAY(install));
    der_put_str(b, TAG_UTF8, "smdpf.example.com");
    der_put(b, TAG_ICCID, SPAN_ARRAY(r->iccid.o));
    der_close(b, TAG_NOTIFICATION_METADATA, m);
}

static void put_final(struct buf *b, const struct puppet_result *r)
{
    static const uint8_t aid[] = { 0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0xFF,
                                   0xFF, 0xFF, 0xFF, 0x89, 0x00, 0x00, 0x10, 0x00 };
    static const uint8_t response[] = { 0x30, 0x05, 0xA0, 0x03, 0x30, 0x01, 0x00 };
    size_t final = der_open(b), m = der_open(b);

    if (r->installed) {
        der_put(b, TAG_AID, SPAN_ARRAY(aid));
        der_put(b, TAG_OCTETS, SPAN_ARRAY(response));
        der_close(b, 0xA0, m);
    } else {
        der_put_uint(b, 0x80, r->command);
        der_put_uint(b, 0x81, r->reason);
        der_close(b, 0xA1, m);
    }
    der_close(b, 0xA2, final);
}

int puppet_put_result(struct buf *b, EVP_PKEY *euicc,
                      const struct puppet_result *r, struct err *e)
{
    static const uint8_t oid[] = { 0x88, 0x37, 0x0A }; /* 2.999.10 */
    size_t whole = der_open(b), data = der_open(b);

    der_put(b, 0x80, SPAN_ARRAY(r->txid.o));
    put_meta(b, r);
    der_put(b, TAG_OID, SPAN_ARRAY(oid));
    put_final(b, r);
    der_close(b, TAG_INSTALL_RESULT_DATA, data);
    if (put_signature(b, euicc, data, e) != 0)
        return -1;
    der_close(b, TAG_INSTALL_RESULT, whole);
    return buf_ok(b) ? 0 : err_set(e, ERR_NOMEM, "no memory for evidence");
}

int puppet_put_receipt(struct buf *b, EVP_PKEY *euicc,
                       const struct puppet_receipt *r, struct err *e)
{
    size_t whole = der_open(b), data = der_open(b);

    der_put(b, TAG_EID, SPAN_ARRAY(r->eid.o));
    der_put_uint(b, 0x80, r->tag & 0xFF);
    der_put_uint(b, 0x81, r->seq);
    der_put_uint(b, 0x82, r->deleted);
    der_put_uint(b, 0x83, r->left);
    der_put(b, 0x84, SPAN_ARRAY(r->nonce));
    der_close(b, TAG_SEQUENCE, data);
    if (put_signature(b, euicc, data, e) != 0)
        return -1;
    der_close(b, r->tag, whole);
    return buf_ok(b) ? 0 : err_set(e, ERR_NOMEM, "no memory for evidence");
}

/* --- plain answers ------------------------------------------------------- */

void puppet_put_eid(struct buf *b, const struct eid *eid)
{
    size_t m = der_open(b);

    der_put(b, TAG_EID, SPAN_ARRAY(eid->o));
    der_close(b, TAG_EUICC_DATA, m);
}

void puppet_put_status(struct buf *b, const struct txid *keys, size_t n)
{
    size_t whole = der_open(b), list;

    der_put_uint(b, 0x80, 1);
    der_put_uint(b, 0x81, 0);
    list = der_open(b);
    for (size_t i = 0; i < n; i++) {
        size_t key = der_open(b), signed2 = der_open(b);
        der_put(b, 0x80, SPAN_ARRAY(keys[i].o));
        der_put(b, TAG_OTPK, SPAN_ARRAY(a_point));
        der_close(b, TAG_SEQUENCE, signed2);
        put_filling(b, TAG_SIGNATURE, EC_RAW_SIG_LEN);
        der_close(b, TAG_SEQUENCE, key);
    }
    der_close(b, 0xA2, list);
    der_close(b, TAG_IFPP_STATUS, whole);
}

void puppet_put_profiles(struct buf *b, const struct iccid *iccids,
                         const bool *enabled, size_t n)
{
    size_t whole = der_open(b), list = der_open(b);

    for (size_t i = 0; i < n; i++) {
        const uint8_t state = enabled[i];
        size_t m = der_open(b);
        der_put(b, TAG_ICCID, SPAN_ARRAY(iccids[i].o));
        der_put(b, TAG_PROFILE_STATE, SPAN(&state, 1));
        der_close(b, TAG_PROFILE_INFO, m);
    }
    der_close(b, 0xA0, list);
    der_close(b, TAG_PROFILES_INFO, whole);
}

void puppet_put_notifications(struct buf *b, struct span items)
{
    size_t whole = der_open(b);

    der_put(b, 0xA0, items);
    der_close(b, TAG_RETRIEVE_NOTIFICATIONS, whole);
}
