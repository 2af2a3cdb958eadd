#include "station/ifpp/evidence.h"

#include "station/ifpp/tags.h"

#include <string.h>

#define SIGN_LEN 64
#define NONCE_LEN 16
#define AID_MIN 5
#define AID_MAX 16
#define CODE_MAX 0xffff

/* SGP.22 5.7.6: BppCommandId. */
static const char *const commands[] = {
    "initialise secure channel", "configure ISD-P", "store metadata",
    "store metadata 2",          "replace session keys",
    "load profile elements",
};

/* SGP.22 5.7.6: ErrorReason. */
static const char *const reasons[] = {
    [1] = "incorrect input values",
    [2] = "invalid signature",
    [3] = "invalid transactionId",
    [4] = "unsupported CRT values",
    [5] = "unsupported remote operation type",
    [6] = "unsupported profile class",
    [7] = "SCP03t structure error",
    [8] = "SCP03t security error",
    [9] = "ICCID already exists on the eUICC",
    [10] = "insufficient memory for the profile",
    [11] = "interrupted",
    [12] = "profile element processing error",
    [13] = "data mismatch",
    [14] = "invalid network access key of a test profile",
    [15] = "profile policy rule not allowed",
    [127] = "unknown error",
};

static const char *name_of(const char *const *names, size_t n, unsigned i)
{
    return i < n && names[i] ? names[i] : "a value that SGP.22 does not name";
}

const char *bpp_command_name(unsigned command)
{
    return name_of(commands, sizeof commands / sizeof *commands, command);
}

const char *install_error_name(unsigned reason)
{
    return name_of(reasons, sizeof reasons / sizeof *reasons, reason);
}

/* --- pieces ----------------------------------------------------------------- */

/* 5F37 as the last or only thing left of *in that carries a signature. */
static int take_sign(struct span *in, struct span *out)
{
    struct tlv t;

    if (der_take(in, TAG_SIGNATURE, &t) != 0 || t.value.n != SIGN_LEN)
        return -1;
    *out = t.value;
    return 0;
}

static int take_uint(struct span *in, uint32_t tag, uint64_t *out)
{
    struct tlv t;

    return der_take(in, tag, &t) == 0 ? der_uint(t.value, out) : -1;
}

static int take_code(struct span *in, uint32_t tag, unsigned *out)
{
    uint64_t v;

    if (take_uint(in, tag, &v) != 0 || v > CODE_MAX)
        return -1;
    *out = (unsigned)v;
    return 0;
}

/* BIT STRING of events; only the first octet has any that are defined. */
static int read_events(struct span v, uint8_t *out)
{
    if (v.n == 0 || v.p[0] > 7 || (v.n == 1 && v.p[0] != 0) ||
        (v.n > 1 && v.p[v.n - 1] & ((1u << v.p[0]) - 1)))
        return -1;
    *out = v.n > 1 ? v.p[1] : 0;
    return 0;
}

/* An FQDN; what cannot be one must not reach a screen. */
static int read_address(struct span v, char *out, size_t cap)
{
    if (v.n >= cap)
        return -1;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= 0x20 || v.p[i] > 0x7e)
            return -1;
    if (v.n != 0)
        memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return 0;
}

/* BF2F { 80 seq, 81 operation, 0C address, [5A ICCID] }. The ICCID is what
 * the card says; that its Luhn digit holds is not the card's to prove. */
static int read_meta(struct span in, struct notification_meta *m,
                     struct err *e)
{
    struct tlv op, address, iccid;
    int r;

    if (take_uint(&in, 0x80, &m->seq) != 0)
        return err_set(e, ERR_FORMAT, "BF2F: no sequence number");
    if (der_take(&in, 0x81, &op) != 0 || read_events(op.value, &m->op) != 0)
        return err_set(e, ERR_FORMAT, "BF2F: no operation");
    if (der_take(&in, TAG_UTF8, &address) != 0 ||
        read_address(address.value, m->address, sizeof m->address) != 0)
        return err_set(e, ERR_FORMAT, "BF2F: no address, or not an FQDN");
    r = der_take_optional(&in, TAG_ICCID, &iccid);
    if (r < 0 || in.n != 0 ||
        (r == 1 && iccid.value.n != sizeof m->iccid.o))
        return err_set(e, ERR_FORMAT,
                       "BF2F: does not end with an ICCID of 10 octets");
    m->has_iccid = r == 1;
    if (r == 1)
        memcpy(m->iccid.o, iccid.value.p, sizeof m->iccid.o);
    return 0;
}

/* Exactly one TLV of this tag within the bound; *value its content. */
static int open_whole(struct span in, uint32_t tag, struct span *value,
                      struct err *e)
{
    struct tlv t;

    if (in.n > EVIDENCE_MAX)
        return err_set(e, ERR_LIMIT, "%zu octets, at most %d", in.n,
                       EVIDENCE_MAX);
    if (der_take(&in, tag, &t) != 0)
        return err_set(e, ERR_FORMAT, "not a whole %X", (unsigned)tag);
    if (in.n != 0)
        return err_set(e, ERR_FORMAT, "%zu octets after %X", in.n,
                       (unsigned)tag);
    *value = t.value;
    return 0;
}

/* --- BF37 ------------------------------------------------------------------- */

static int read_success(struct span in, struct install_result *r)
{
    struct tlv aid, response;

    if (der_take(&in, TAG_AID, &aid) != 0 || aid.value.n < AID_MIN ||
        aid.value.n > AID_MAX || der_take(&in, TAG_OCTETS, &response) != 0 ||
        in.n != 0)
        return -1;
    r->installed = true;
    r->aid = aid.value;
    return 0;
}

static int read_failure(struct span in, struct install_result *r)
{
    struct tlv response;

    if (take_code(&in, 0x80, &r->command) != 0 ||
        take_code(&in, 0x81, &r->reason) != 0 ||
        der_take_optional(&in, 0x82, &response) < 0 || in.n != 0)
        return -1;
    return 0;
}

static int read_final(struct span in, struct install_result *r, struct err *e)
{
    struct tlv t;

    if (der_next(&in, &t) != DER_OK || in.n != 0)
        return err_set(e, ERR_FORMAT, "BF27: finalResult is not one choice");
    if (t.tag == 0xa0 && read_success(t.value, r) == 0)
        return 0;
    if (t.tag == 0xa1 && read_failure(t.value, r) == 0)
        return 0;
    return err_set(e, ERR_FORMAT, "BF27: malformed finalResult");
}

static int read_result(struct span in, struct install_result *r,
                       struct err *e)
{
    struct tlv txid, meta, oid, final;

    if (der_take(&in, 0x80, &txid) != 0 ||
        !txid_from_span(txid.value, &r->txid))
        return err_set(e, ERR_FORMAT,
                       "BF27: the transactionId is not of 16 octets");
    if (der_take(&in, TAG_NOTIFICATION_METADATA, &meta) != 0)
        return err_set(e, ERR_FORMAT, "BF27: no BF2F");
    if (read_meta(meta.value, &r->meta, e) != 0)
        return -1;
    if (der_take(&in, TAG_OID, &oid) != 0 ||
        oid_format(oid.value, r->smdp_oid) != 0)
        return err_set(e, ERR_FORMAT, "BF27: no OID of the SM-DPf");
    if (der_take(&in, 0xa2, &final) != 0 || in.n != 0)
        return err_set(e, ERR_FORMAT, "BF27: does not end with a finalResult");
    return read_final(final.value, r, e);
}

int install_result_parse(struct span bf37, struct install_result *out,
                         struct err *e)
{
    struct install_result r = { .whole = bf37 };
    struct span in;

    if (open_whole(bf37, TAG_INSTALL_RESULT, &in, e) != 0)
        return err_wrap(e, "installation result");
    if (der_take(&in, TAG_INSTALL_RESULT_DATA, &r.data) != 0)
        return err_set(e, ERR_FORMAT, "installation result: no BF27");
    if (take_sign(&in, &r.sign) != 0 || in.n != 0)
        return err_set(e, ERR_FORMAT, "installation result: does not end with "
                                      "a signature of 64 octets");
    if (read_result(r.data.value, &r, e) != 0)
        return err_wrap(e, "installation result");
    *out = r;
    return 0;
}

int install_result_verify(const struct install_result *r, EVP_PKEY *euicc,
                          const struct txid *expect, struct err *e)
{
    char is[TXID_HEX + 1], want[TXID_HEX + 1];

    if (sig_verify(euicc, &r->data.whole, 1, r->sign, e) != 0)
        return err_wrap(e, "installation result: not signed by this eUICC");
    if (expect && !txid_eq(&r->txid, expect))
        return err_set(e, ERR_CONFLICT,
                       "installation result is for transactionId %s, not %s",
                       txid_format(&r->txid, is), txid_format(expect, want));
    return 0;
}

/* --- receipts --------------------------------------------------------------- */

bool receipt_tag(uint32_t tag)
{
    return tag == TAG_DELETE_OTK || tag == TAG_CLOSE_FPA;
}

static int read_receipt(struct span in, struct receipt *r)
{
    struct tlv eid, nonce;
    uint64_t function;

    if (der_take(&in, TAG_EID, &eid) != 0 ||
        !eid_from_span(eid.value, &r->eid) ||
        take_uint(&in, 0x80, &function) != 0 || function > 0xff ||
        take_uint(&in, 0x81, &r->seq) != 0 ||
        take_uint(&in, 0x82, &r->deleted) != 0 ||
        take_uint(&in, 0x83, &r->left) != 0 ||
        der_take(&in, 0x84, &nonce) != 0 || nonce.value.n != NONCE_LEN ||
        in.n != 0)
        return -1;
    r->function = (uint8_t)function;
    r->nonce = nonce.value;
    return 0;
}

int receipt_parse(struct span in, struct receipt *out, struct err *e)
{
    struct receipt r = { .whole = in };
    struct span rest = in, value;
    struct tlv t;

    if (der_next(&rest, &t) != DER_OK || !receipt_tag(t.tag))
        return err_set(e, ERR_FORMAT, "receipt: not a whole BF72 or BF73");
    if (open_whole(in, t.tag, &value, e) != 0)
        return err_wrap(e, "receipt");
    if (der_take(&value, TAG_SEQUENCE, &r.data) != 0 ||
        take_sign(&value, &r.sign) != 0 || value.n != 0)
        return err_set(e, ERR_FORMAT, "receipt: not data and a signature of "
                                      "64 octets");
    if (read_receipt(r.data.value, &r) != 0)
        return err_set(e, ERR_FORMAT, "receipt: malformed data");
    /* The tag is not signed, the function is: they must say the same. */
    if (r.function != (t.tag & 0xff))
        return err_set(e, ERR_CONFLICT, "receipt: %X holds a receipt for "
                                        "function %02X",
                       (unsigned)t.tag, r.function);
    *out = r;
    return 0;
}

int receipt_verify(const struct receipt *r, EVP_PKEY *euicc,
                   const struct eid *eid, uint8_t function,
                   const uint8_t *nonce16, struct err *e)
{
    char is[EID_DIGITS + 1], want[EID_DIGITS + 1];

    if (sig_verify(euicc, &r->data.whole, 1, r->sign, e) != 0)
        return err_wrap(e, "receipt: not signed by this eUICC");
    if (!eid_eq(&r->eid, eid))
        return err_set(e, ERR_CONFLICT, "receipt is of EID %s, not %s",
                       eid_format(&r->eid, is), eid_format(eid, want));
    if (r->function != function)
        return err_set(e, ERR_CONFLICT, "receipt is for function %02X, not "
                                        "%02X", r->function, function);
    if (nonce16 && !span_eq(r->nonce, SPAN(nonce16, NONCE_LEN)))
        return err_set(e, ERR_REPLAY, "receipt answers another request than "
                                      "the one just made");
    return 0;
}

/* --- notifications ---------------------------------------------------------- */

static int parse_other(struct span in, struct notification *n, struct err *e)
{
    struct span body;
    struct tlv euicc, eum;

    if (open_whole(in, TAG_SEQUENCE, &body, e) != 0)
        return -1;
    if (der_take(&body, TAG_NOTIFICATION_METADATA, &n->meta_tlv) != 0)
        return err_set(e, ERR_FORMAT, "no BF2F");
    if (take_sign(&body, &n->sign) != 0)
        return err_set(e, ERR_FORMAT, "no signature of 64 octets");
    if (der_take(&body, TAG_SEQUENCE, &euicc) != 0 ||
        der_take(&body, TAG_SEQUENCE, &eum) != 0 || body.n != 0)
        return err_set(e, ERR_FORMAT, "does not end with two certificates");
    return read_meta(n->meta_tlv.value, &n->meta, e);
}

int notification_parse(struct span in, struct notification *out,
                       struct err *e)
{
    struct notification n = { .whole = in };
    struct span rest = in;
    struct tlv t;

    if (der_take_optional(&rest, TAG_INSTALL_RESULT, &t) == 1) {
        if (install_result_parse(in, &n.result, e) != 0)
            return -1;
        n.is_result = true;
        n.meta = n.result.meta;
        n.sign = n.result.sign;
    } else if (parse_other(in, &n, e) != 0) {
        return err_wrap(e, "notification");
    }
    *out = n;
    return 0;
}

int notification_verify(const struct notification *n, EVP_PKEY *euicc,
                        struct err *e)
{
    if (n->is_result)
        return install_result_verify(&n->result, euicc, NULL, e);
    if (sig_verify(euicc, &n->meta_tlv.whole, 1, n->sign, e) != 0)
        return err_wrap(e, "notification: not signed by this eUICC");
    return 0;
}
