#include "station/ifpp/es10f.h"

#include "station/ifpp/evidence.h"
#include "station/ifpp/tags.h"

#include <string.h>

#define RESULT_MAX 0xffff

/* SGP.32: EUICCInfo2 of an IoT eUICC carries iotSpecificInfo [20]; that of a
 * consumer eUICC (SGP.22) has no such member. The one mark we rely on. */
#define TAG_IOT_SPECIFIC_INFO 0xB4

/* --- shared ----------------------------------------------------------------- */

static void put_empty(struct buf *b, uint32_t tag)
{
    der_put(b, tag, SPAN(NULL, 0));
}

/* The answer is exactly one TLV with this tag. */
static int open_answer(struct span in, uint32_t tag, struct span *value,
                       struct err *e)
{
    struct tlv t;

    if (in.n > EVIDENCE_MAX)
        return err_set(e, ERR_LIMIT, "answer of %zu octets, at most %d", in.n,
                       EVIDENCE_MAX);
    if (der_take(&in, tag, &t) != 0 || in.n != 0)
        return err_set(e, ERR_FORMAT, "the answer is not one %X",
                       (unsigned)tag);
    *value = t.value;
    return 0;
}

static int bad(struct err *e, uint32_t tag, const char *what)
{
    return err_set(e, ERR_FORMAT, "%X: %s", (unsigned)tag, what);
}

/* Only {8x error}: 1 and *code, else 0. */
static int is_error(struct span value, uint32_t tag, unsigned *code)
{
    struct tlv t;
    uint64_t v;

    if (der_take(&value, tag, &t) != 0 || value.n != 0 ||
        der_uint(t.value, &v) != 0 || v > RESULT_MAX)
        return 0;
    *code = (unsigned)v;
    return 1;
}

/* {A0 {...}} is a list, {81 error} a refusal. */
static int open_list(struct span in, uint32_t tag, struct span *list,
                     struct err *e)
{
    struct span value;
    struct tlv t;
    unsigned code;

    if (open_answer(in, tag, &value, e) != 0)
        return -1;
    if (is_error(value, 0x81, &code))
        return err_set(e, ERR_CARD, "%X: the card answers error %u",
                       (unsigned)tag, code);
    if (der_take(&value, 0xa0, &t) != 0 || value.n != 0 ||
        !der_well_formed(t.value))
        return bad(e, tag, "not a list");
    *list = t.value;
    return 0;
}

/* --- reading the card ------------------------------------------------------- */

void es10f_put_get_eid(struct buf *b)
{
    static const uint8_t tags[] = { 0x5c, 1, TAG_EID };

    der_put(b, TAG_EUICC_DATA, SPAN_ARRAY(tags));
}

int es10f_read_eid(struct span in, struct eid *out, struct err *e)
{
    struct span value;
    struct tlv t;

    if (open_answer(in, TAG_EUICC_DATA, &value, e) != 0)
        return -1;
    if (der_take(&value, TAG_EID, &t) != 0 || value.n != 0 ||
        !eid_from_span(t.value, out))
        return bad(e, TAG_EUICC_DATA,
                   "no EID of 32 digits with a valid check");
    return 0;
}

void es10f_put_info2(struct buf *b)
{
    put_empty(b, TAG_INFO2);
}

int es10f_read_info2(struct span in, struct euicc_info2 *out, struct err *e)
{
    struct euicc_info2 info = { .whole = in };
    struct span value;
    struct tlv svn, iot;

    if (open_answer(in, TAG_INFO2, &value, e) != 0)
        return -1;
    if (!der_well_formed(value) || der_find(value, 0x82, &svn) != 1 ||
        svn.value.n != sizeof info.svn)
        return bad(e, TAG_INFO2, "no SGP.22 version of 3 octets");
    memcpy(info.svn, svn.value.p, sizeof info.svn);
    info.kind = der_find(value, TAG_IOT_SPECIFIC_INFO, &iot) == 1
                    ? INFO2_IOT : INFO2_CONSUMER;
    *out = info;
    return 0;
}

void es10f_put_get_certs(struct buf *b)
{
    put_empty(b, TAG_GET_CERTS);
}

/* BF56 { A0 { A5 CERT.EUM, A6 CERT.EUICC } }, or {81 error}. The implicit tags
 * stand in the place of the certificates' own 30. */
int es10f_read_certs(struct span in, struct buf *euicc, struct buf *eum,
                     struct err *e)
{
    struct tlv both, a5, a6;
    struct span value;

    if (open_answer(in, TAG_GET_CERTS, &value, e) != 0)
        return -1;
    if (der_take(&value, 0xA0, &both) != 0 || value.n != 0 ||
        der_take(&both.value, 0xA5, &a5) != 0 ||
        der_take(&both.value, 0xA6, &a6) != 0 || both.value.n != 0)
        return bad(e, TAG_GET_CERTS, "no certificates");
    if (a5.whole.n > CERT_MAX || a6.whole.n > CERT_MAX)
        return bad(e, TAG_GET_CERTS, "a certificate that is too large");
    der_put(eum, TAG_SEQUENCE, a5.value);
    der_put(euicc, TAG_SEQUENCE, a6.value);
    return buf_ok(eum) && buf_ok(euicc)
               ? 0 : err_set(e, ERR_NOMEM, "no memory for certificates");
}

void es10f_put_profiles_info(struct buf *b)
{
    put_empty(b, TAG_PROFILES_INFO);
}

/* E3 {5A, 4F, 9F70, ...}: whatever else is there is of no interest. */
static int read_profile(struct span in, struct profile_info *out)
{
    struct profile_info p = { .aid_len = 0 };
    struct tlv iccid, aid, state;

    if (!der_well_formed(in) || der_find(in, TAG_ICCID, &iccid) != 1 ||
        iccid.value.n != sizeof p.iccid.o)
        return -1;
    memcpy(p.iccid.o, iccid.value.p, sizeof p.iccid.o);
    if (der_find(in, TAG_AID, &aid) == 1) {
        if (aid.value.n > sizeof p.aid)
            return -1;
        if (aid.value.n != 0)
            memcpy(p.aid, aid.value.p, aid.value.n);
        p.aid_len = aid.value.n;
    }
    if (der_find(in, TAG_PROFILE_STATE, &state) == 1) {
        if (state.value.n != 1 || state.value.p[0] > 1)
            return -1;
        p.enabled = state.value.p[0] == 1;
    }
    *out = p;
    return 0;
}

int es10f_read_profiles_info(struct span in, struct profile_info *out,
                             size_t max, size_t *n, struct err *e)
{
    struct profile_info p;
    struct span list;
    struct tlv t;
    size_t count = 0;

    if (open_list(in, TAG_PROFILES_INFO, &list, e) != 0)
        return -1;
    while (der_next(&list, &t) == DER_OK) {
        if (t.tag != TAG_PROFILE_INFO || read_profile(t.value, &p) != 0)
            return bad(e, TAG_PROFILES_INFO, "malformed profile");
        if (count < max)
            out[count] = p;
        count++;
    }
    *n = count;
    if (count > max)
        return err_set(e, ERR_LIMIT, "%zu profiles on the card, at most %zu "
                                     "are read", count, max);
    return 0;
}

/* --- profiles --------------------------------------------------------------- */

void es10f_put_profile_act(struct buf *b, uint32_t tag,
                           const struct iccid *iccid, bool refresh)
{
    const uint8_t flag = refresh ? 0xff : 0x00;
    size_t act = der_open(b);

    if (tag == TAG_DELETE) {
        der_put(b, TAG_ICCID, SPAN_ARRAY(iccid->o));
    } else {
        size_t m = der_open(b);
        der_put(b, TAG_ICCID, SPAN_ARRAY(iccid->o));
        der_close(b, 0xa0, m);
        der_put(b, 0x81, SPAN(&flag, 1));
    }
    der_close(b, tag, act);
}

void es10f_put_enable_iot(struct buf *b, bool refresh)
{
    const uint8_t flag = refresh ? 0xff : 0x00;
    size_t act = der_open(b);

    der_put(b, 0x80, SPAN(&flag, 1));
    der_close(b, TAG_ENABLE_IOT, act);
}

int es10f_read_result(struct span in, uint32_t tag, unsigned *result,
                      struct err *e)
{
    struct span value;

    if (open_answer(in, tag, &value, e) != 0)
        return -1;
    if (!is_error(value, 0x80, result))
        return bad(e, tag, "not one result");
    return 0;
}

/* --- notifications ---------------------------------------------------------- */

void es10f_put_list_notifications(struct buf *b)
{
    put_empty(b, TAG_LIST_NOTIFICATION);
}

void es10f_put_retrieve_notification(struct buf *b, const uint64_t *seq)
{
    size_t all = der_open(b);

    if (seq) {
        size_t m = der_open(b);
        der_put_uint(b, 0x80, *seq);
        der_close(b, 0xa0, m);
    }
    der_close(b, TAG_RETRIEVE_NOTIFICATIONS, all);
}

int es10f_read_notifications(struct span in, struct span *list, struct err *e)
{
    return open_list(in, TAG_RETRIEVE_NOTIFICATIONS, list, e);
}

void es10f_put_remove_notification(struct buf *b, uint64_t seq)
{
    size_t m = der_open(b);

    der_put_uint(b, 0x80, seq);
    der_close(b, TAG_REMOVE_NOTIFICATION, m);
}

/* --- ours ------------------------------------------------------------------- */

void es10f_put_status(struct buf *b, const uint8_t nonce[ES10F_NONCE])
{
    es10f_put_receipt_act(b, TAG_IFPP_STATUS, nonce);
}

int ifpp_status_key_take(struct span *keys, struct euicc_key *out,
                         struct err *e)
{
    struct span rest = *keys;
    struct euicc_key k;
    struct tlv t;

    if (der_take(&rest, TAG_SEQUENCE, &t) != 0 ||
        euicc_key_take(&t.value, &k, e) != 0 || t.value.n != 0)
        return bad(e, TAG_IFPP_STATUS, "malformed one-time key");
    *out = k;
    *keys = rest;
    return 0;
}

int es10f_read_status(struct span in, struct ifpp_status *out, struct err *e)
{
    struct ifpp_status s = { .key_count = 0 };
    struct span value, keys;
    struct tlv version, state, list;
    struct euicc_key k;

    if (open_answer(in, TAG_IFPP_STATUS, &value, e) != 0)
        return -1;
    if (der_take(&value, 0x80, &version) != 0 ||
        der_uint(version.value, &s.version) != 0)
        return bad(e, TAG_IFPP_STATUS, "no version");
    if (der_take(&value, 0x81, &state) != 0 || state.value.n != 1 ||
        state.value.p[0] > 1)
        return bad(e, TAG_IFPP_STATUS, "neither open nor closed");
    if (der_take(&value, 0xa2, &list) != 0 || value.n != 0)
        return bad(e, TAG_IFPP_STATUS, "does not end with the unused keys");
    for (keys = list.value; keys.n != 0; s.key_count++)
        if (ifpp_status_key_take(&keys, &k, e) != 0)
            return -1;
    s.closed = state.value.p[0] == 1;
    s.keys = list.value;
    *out = s;
    return 0;
}

bool ifpp_status_has_key(const struct ifpp_status *s, const struct txid *t)
{
    struct span keys = s->keys;
    struct euicc_key k;

    while (keys.n != 0 && ifpp_status_key_take(&keys, &k, NULL) == 0)
        if (txid_eq(&k.txid, t))
            return true;
    return false;
}

void es10f_put_authorise(struct buf *b, const struct txid *t,
                         struct span chain_der)
{
    size_t m = der_open(b);

    der_put(b, 0x80, SPAN_ARRAY(t->o));
    der_put(b, 0xa1, chain_der);
    der_close(b, TAG_AUTHORISE_SMDPF, m);
}

const char *es10f_download_error(unsigned code)
{
    switch (code) {
    case 0:
        return "no error";
    case 1:
        return "invalid certificate";
    case 2:
        return "invalid signature";
    case 3:
        return "unsupported curve";
    case 4:
        return "no session";
    case 5:
        return "invalid transactionId";
    case 127:
        return "undefined error";
    default:
        return "an error that SGP.22 does not name";
    }
}

void es10f_put_receipt_act(struct buf *b, uint32_t tag,
                           const uint8_t nonce[ES10F_NONCE])
{
    size_t m = der_open(b);

    der_put(b, 0x80, SPAN(nonce, ES10F_NONCE));
    der_close(b, tag, m);
}

int es10f_read_receipt_act(struct span in, uint32_t tag, struct span *receipt,
                           unsigned *error, struct err *e)
{
    struct span value;
    unsigned code = 0;

    if (open_answer(in, tag, &value, e) != 0)
        return -1;
    if (is_error(value, 0x80, &code)) {
        if (code == 0)
            return bad(e, tag, "an error without a code");
        *error = code;
        *receipt = SPAN(NULL, 0);
        return 0;
    }
    *error = 0;
    *receipt = in;
    return 0;
}
