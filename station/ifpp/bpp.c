#include "station/ifpp/bpp.h"

#include "station/ifpp/cert.h"
#include "station/ifpp/sig.h"
#include "station/ifpp/tags.h"

#include <string.h>

#define SIGN_LEN 64
#define POINT_LEN 65
#define CHAIN_INDEX_MAX 0xffff

static bool is_point(const struct tlv *t)
{
    return t->value.n == POINT_LEN && t->value.p[0] == 4;
}

/* --- outline ---------------------------------------------------------------- */

/* BF23: 82 01 01, 80 transactionId, A6 { 80 01 88, 81 01 10, 84 hostId },
 * 5F49 otPK.DP, 5F37 smdpSign. */
static int read_isc(struct bpp *b, struct err *e)
{
    static const uint8_t fixed[] = { 0x80, 1, BPP_KEY_TYPE,
                                     0x81, 1, BPP_KEY_LEN };
    struct span in = b->isc.value, crt;
    struct tlv op, txid, keys, host, otpk, sign;

    if (der_take(&in, 0x82, &op) != 0 || op.value.n != 1 ||
        op.value.p[0] != 1)
        return err_set(e, ERR_FORMAT, "BF23: remote operation is not 1 "
                                      "(install bound profile package)");
    if (der_take(&in, 0x80, &txid) != 0 ||
        !txid_from_span(txid.value, &b->txid))
        return err_set(e, ERR_FORMAT,
                       "BF23: the transactionId is not of 16 octets");
    if (der_take(&in, 0xa6, &keys) != 0)
        return err_set(e, ERR_FORMAT, "BF23: no key description (A6)");
    crt = keys.value;
    if (!span_eq(span_sub(crt, 0, sizeof fixed), SPAN_ARRAY(fixed)))
        return err_set(e, ERR_FORMAT,
                       "BF23: keys are not of type 88 and length 10");
    crt = span_sub(crt, sizeof fixed, crt.n);
    if (der_take(&crt, 0x84, &host) != 0 || crt.n != 0 || host.value.n == 0 ||
        host.value.n > BPP_HOST_ID_MAX)
        return err_set(e, ERR_FORMAT, "BF23: hostId is not of 1 to %d octets",
                       BPP_HOST_ID_MAX);
    if (der_take(&in, TAG_OTPK, &otpk) != 0 || !is_point(&otpk))
        return err_set(e, ERR_FORMAT, "BF23: otPK.DP is not an uncompressed "
                                      "point of 65 octets");
    if (der_take(&in, TAG_SIGNATURE, &sign) != 0 ||
        sign.value.n != SIGN_LEN || in.n != 0)
        return err_set(e, ERR_FORMAT,
                       "BF23: does not end with a smdpSign of 64 octets");
    b->host_id = host.value;
    b->otpk_dp = otpk.value;
    b->smdp_sign = sign.value;
    return 0;
}

/* Every segment of the right tag, more than its MAC, within the read bound;
 * at least one, since an empty part would only fail on the card. */
static int check_segments(const struct bpp *b, const struct tlv *part,
                          uint32_t tag, struct err *e)
{
    struct span in = part->value;
    struct tlv seg;
    enum der r;

    if (in.n == 0)
        return err_set(e, ERR_FORMAT, "%02X holds no segment",
                       (unsigned)part->tag);
    while ((r = der_next(&in, &seg)) == DER_OK) {
        if (seg.tag != tag || seg.value.n <= BPP_MAC_LEN)
            return err_set(e, ERR_FORMAT,
                           "%02X: not a segment %02X with data at +%td",
                           (unsigned)part->tag, (unsigned)tag,
                           seg.whole.p - b->whole.p);
        if (seg.whole.n > BPP_SEGMENT_READ_MAX)
            return err_set(e, ERR_LIMIT,
                           "%02X: segment of %zu octets at +%td, at most %d "
                           "are accepted",
                           (unsigned)part->tag, seg.whole.n,
                           seg.whole.p - b->whole.p, BPP_SEGMENT_READ_MAX);
    }
    if (r == DER_BAD)
        return err_set(e, ERR_FORMAT, "%02X: malformed segment at +%td",
                       (unsigned)part->tag, in.p - b->whole.p);
    return 0;
}

static int take_parts(struct bpp *b, struct span in, struct err *e)
{
    const struct {
        uint32_t tag, segment;
        bool optional;
        struct tlv *to;
    } parts[] = {
        { 0xa0, TAG_SEG_ENC, false, &b->configure },
        { 0xa1, TAG_SEG_MAC, false, &b->metadata },
        { 0xa2, TAG_SEG_ENC, true, &b->replace_keys },
        { 0xa3, TAG_SEG_PROFILE, false, &b->elements },
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        int r = der_take_optional(&in, parts[i].tag, parts[i].to);
        if (r < 0 || (r == 0 && !parts[i].optional))
            return err_set(e, ERR_FORMAT, "no %02X at +%td",
                           (unsigned)parts[i].tag, in.p - b->whole.p);
        if (r == 1 &&
            check_segments(b, parts[i].to, parts[i].segment, e) != 0)
            return -1;
    }
    if (in.n != 0)
        return err_set(e, ERR_FORMAT, "something after A3 at +%td",
                       in.p - b->whole.p);
    return 0;
}

static int parse(struct span in, struct bpp *b, struct err *e)
{
    struct span rest = in;
    struct tlv all;

    if (in.n > BPP_MAX)
        return err_set(e, ERR_LIMIT, "%zu octets, at most %d", in.n, BPP_MAX);
    if (der_take(&rest, TAG_BPP, &all) != 0)
        return err_set(e, ERR_FORMAT, "not a whole BF36");
    if (rest.n != 0)
        return err_set(e, ERR_FORMAT, "%zu octets after BF36", rest.n);
    b->whole = all.whole;
    b->header_len = all.whole.n - all.value.n;
    rest = all.value;
    if (der_take(&rest, TAG_INIT_SECURE_CHANNEL, &b->isc) != 0)
        return err_set(e, ERR_FORMAT, "does not begin with BF23");
    return read_isc(b, e) == 0 ? take_parts(b, rest, e) : -1;
}

int bpp_parse(struct span in, struct bpp *out, struct err *e)
{
    struct bpp b;

    if (parse(in, &b, e) != 0)
        return err_wrap(e, "BPP");
    *out = b;
    return 0;
}

/* --- metadata --------------------------------------------------------------- */

/* One code point off the front; -1 when it is not UTF-8 (RFC 3629: shortest
 * form, no surrogates, at most 10FFFF). */
static long utf8_take(struct span *in)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = {
        { 0x80, 0x00, 0 },
        { 0xe0, 0xc0, 0x80 },
        { 0xf0, 0xe0, 0x800 },
        { 0xf8, 0xf0, 0x10000 },
    };

    for (size_t more = 0; more < 4; more++) {
        if ((in->p[0] & forms[more].mask) != forms[more].lead)
            continue;
        if (in->n <= more)
            return -1;
        uint32_t c = in->p[0] & (uint8_t)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((in->p[i] & 0xc0) != 0x80)
                return -1;
            c = c << 6 | (in->p[i] & 0x3f);
        }
        if (c < forms[more].least || c > 0x10ffff ||
            (c >= 0xd800 && c <= 0xdfff))
            return -1;
        *in = span_sub(*in, more + 1, in->n);
        return (long)c;
    }
    return -1;
}

/* Names reach screens and logs: no control characters (C0, DEL, C1). */
static int read_text(struct span v, char out[BPP_NAME_MAX + 1])
{
    struct span in = v;

    if (v.n > BPP_NAME_MAX)
        return -1;
    while (in.n != 0) {
        long c = utf8_take(&in);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
            return -1;
    }
    if (v.n != 0)
        memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return 0;
}

static int read_iccid(struct bpp_metadata *m, struct span v)
{
    if (v.n != sizeof m->iccid.o)
        return -1;
    memcpy(m->iccid.o, v.p, v.n);
    return iccid_valid(&m->iccid) ? 0 : -1;
}

static int read_provider(struct bpp_metadata *m, struct span v)
{
    return read_text(v, m->provider);
}

static int read_name(struct bpp_metadata *m, struct span v)
{
    return read_text(v, m->name);
}

static int read_class(struct bpp_metadata *m, struct span v)
{
    uint64_t n;

    if (der_uint(v, &n) != 0 || n > 2)
        return -1;
    m->profile_class = (int)n;
    return 0;
}

/* SEQUENCE OF 30 { 80 NotificationEvent (BIT STRING), 81 address }. */
static int read_addresses(struct bpp_metadata *m, struct span v)
{
    struct tlv one, event, address;
    enum der r;

    while ((r = der_next(&v, &one)) == DER_OK) {
        struct span in = one.value;
        if (one.tag != TAG_SEQUENCE || der_take(&in, 0x80, &event) != 0 ||
            der_take(&in, 0x81, &address) != 0 || in.n != 0 ||
            event.value.n < 1 || event.value.p[0] > 7)
            return -1;
        if (event.value.n >= 2 &&
            event.value.p[1] & NOTIFICATION_EVENT_DELETE &&
            address.value.n != 0)
            m->delete_notified = true;
    }
    return r == DER_END ? 0 : -1;
}

static int read_owner(struct bpp_metadata *m, struct span v)
{
    m->owner = v;
    return der_well_formed(v) ? 0 : -1;
}

static int read_nothing(struct bpp_metadata *m, struct span v)
{
    (void)m;
    (void)v;
    return 0;
}

/* BF25 in its order (SGP.22 5.5.3). */
static const struct member {
    uint32_t tag;
    bool required;
    const char *name;
    int (*read)(struct bpp_metadata *, struct span);
} members[] = {
    { TAG_ICCID, true, "ICCID", read_iccid },
    { 0x91, true, "service provider name", read_provider },
    { 0x92, true, "profile name", read_name },
    { 0x93, false, "icon type", read_nothing },
    { 0x94, false, "icon", read_nothing },
    { 0x95, false, "profile class", read_class },
    { 0xb6, false, "notification addresses", read_addresses },
    { 0xb7, false, "profile owner", read_owner },
    { 0x99, false, "policy rules", read_nothing },
};
#define MEMBERS (sizeof members / sizeof *members)

/* The table row of `tag`; MEMBERS: of a later SGP.22, and not ours to read. */
static size_t member_of(uint32_t tag)
{
    size_t i = 0;

    while (i < MEMBERS && members[i].tag != tag)
        i++;
    return i;
}

static int read_metadata(struct span in, struct bpp_metadata *m,
                         struct err *e)
{
    struct tlv t;
    size_t next = 0;
    enum der r;

    while ((r = der_next(&in, &t)) == DER_OK) {
        size_t i = member_of(t.tag);
        if (i == MEMBERS)
            continue;
        if (i < next)
            return err_set(e, ERR_FORMAT, "%s twice or out of order",
                           members[i].name);
        for (; next < i; next++)
            if (members[next].required)
                return err_set(e, ERR_FORMAT, "no %s", members[next].name);
        if (members[i].read(m, t.value) != 0)
            return err_set(e, ERR_FORMAT, "malformed %s", members[i].name);
        next = i + 1;
    }
    if (r == DER_BAD)
        return err_set(e, ERR_FORMAT, "malformed TLV");
    for (; next < MEMBERS; next++)
        if (members[next].required)
            return err_set(e, ERR_FORMAT, "no %s", members[next].name);
    return 0;
}

int bpp_metadata(const struct bpp *b, struct buf *store,
                 struct bpp_metadata *out, struct err *e)
{
    struct bpp_metadata m = { .profile_class = 2 };
    struct span in = b->metadata.value;
    struct tlv seg, all;

    buf_reset(store);
    while (der_next(&in, &seg) == DER_OK)
        buf_put(store, seg.value.p, seg.value.n - BPP_MAC_LEN);
    if (!buf_ok(store))
        return err_set(e, ERR_NOMEM, "out of memory");
    in = buf_span(store);
    if (der_take(&in, TAG_STORE_METADATA, &all) != 0 || in.n != 0)
        return err_set(e, ERR_FORMAT,
                       "profile metadata: A1 does not hold exactly one BF25");
    if (read_metadata(all.value, &m, e) != 0)
        return err_wrap(e, "profile metadata");
    *out = m;
    return 0;
}

/* --- signatures ------------------------------------------------------------- */

int bpp_check_sign(const struct bpp *b, EVP_PKEY *dppb, struct span otpk_euicc,
                   struct err *e)
{
    static const uint8_t otpk_head[] = { 0x5f, 0x49, POINT_LEN };
    int curve = key_curve(dppb);
    /* Everything in BF23 before the 5F37, whose TLV has 3 octets of head. */
    const struct span parts[] = {
        span_sub(b->isc.value, 0, b->isc.value.n - 3 - SIGN_LEN),
        SPAN_ARRAY(otpk_head),
        otpk_euicc,
    };

    if (point_check(b->otpk_dp, curve) != 0)
        return err_set(e, ERR_FORMAT,
                       "BPP: otPK.DP is not a point on the curve of the "
                       "SM-DPf's key");
    if (point_check(otpk_euicc, curve) != 0)
        return err_set(e, ERR_FORMAT,
                       "BPP: otPK.EUICC is not a point on the curve of the "
                       "SM-DPf's key");
    if (sig_verify(dppb, parts, 3, b->smdp_sign, e) != 0)
        return err_wrap(e, "BPP: smdpSign over this one-time key");
    return 0;
}

int euicc_key_take(struct span *in, struct euicc_key *out, struct err *e)
{
    struct span rest = *in, body;
    struct euicc_key k;
    struct tlv txid, otpk, sign;

    if (der_take(&rest, TAG_SEQUENCE, &k.signed2) != 0)
        return err_set(e, ERR_FORMAT, "one-time key: no EUICCSigned2");
    body = k.signed2.value;
    if (der_take(&body, 0x80, &txid) != 0 ||
        !txid_from_span(txid.value, &k.txid))
        return err_set(e, ERR_FORMAT, "one-time key: the transactionId is not "
                                      "of 16 octets");
    if (der_take(&body, TAG_OTPK, &otpk) != 0 || !is_point(&otpk) ||
        body.n != 0)
        return err_set(e, ERR_FORMAT,
                       "one-time key: does not end with an uncompressed point "
                       "of 65 octets");
    if (der_take(&rest, TAG_SIGNATURE, &sign) != 0 ||
        sign.value.n != SIGN_LEN)
        return err_set(e, ERR_FORMAT,
                       "one-time key: no signature of 64 octets");
    k.otpk = otpk.value;
    k.sign = sign.value;
    *out = k;
    *in = rest;
    return 0;
}

int euicc_key_check(const struct euicc_key *k, EVP_PKEY *euicc, struct err *e)
{
    if (point_check(k->otpk, key_curve(euicc)) != 0)
        return err_set(e, ERR_FORMAT, "one-time key: not a point on the curve "
                                      "of the eUICC's key");
    if (sig_verify(euicc, &k->signed2.whole, 1, k->sign, e) != 0)
        return err_wrap(e, "one-time key: the eUICC's signature");
    return 0;
}

/* --- chains ----------------------------------------------------------------- */

enum stage { ST_BF23, ST_A0, ST_A1, ST_88, ST_A2, ST_A3, ST_86, ST_END };

void bpp_chains_start(struct bpp_chains *it, const struct bpp *b)
{
    *it = (struct bpp_chains){ b, ST_BF23, { NULL, 0 } };
}

static struct span header_of(const struct tlv *t)
{
    return span_sub(t->whole, 0, t->whole.n - t->value.n);
}

/* Tag and length of a part now, its segments one by one in the next stage. */
static struct span open_part(struct bpp_chains *it, const struct tlv *part)
{
    it->rest = part->value;
    it->stage++;
    return header_of(part);
}

/* The next segment; none left (or a part that is absent): the next stage. */
static struct span next_segment(struct bpp_chains *it)
{
    struct tlv seg;

    if (der_next(&it->rest, &seg) == DER_OK)
        return seg.whole;
    it->stage++;
    return SPAN(NULL, 0);
}

bool bpp_chains_next(struct bpp_chains *it, struct span *chain)
{
    const struct bpp *b = it->b;
    struct span s = { NULL, 0 };

    while (s.n == 0) {
        switch ((enum stage)it->stage) {
        case ST_BF23:
            s = span_sub(b->whole, 0, b->header_len + b->isc.whole.n);
            it->stage++;
            break;
        case ST_A0:
            s = b->configure.whole;
            it->stage++;
            break;
        case ST_A1:
            s = open_part(it, &b->metadata);
            break;
        case ST_A2:
            s = b->replace_keys.whole; /* empty when absent */
            it->stage++;
            break;
        case ST_A3:
            s = open_part(it, &b->elements);
            break;
        case ST_88:
        case ST_86:
            s = next_segment(it);
            break;
        case ST_END:
            return false;
        }
    }
    *chain = s;
    return true;
}

size_t bpp_apdu_count(const struct bpp *b)
{
    struct bpp_chains it;
    struct span s;
    size_t n = 0;

    bpp_chains_start(&it, b);
    while (bpp_chains_next(&it, &s))
        n += (s.n + 254) / 255;
    return n;
}

/* --- records ---------------------------------------------------------------- */

static int take_eid(struct span *in, struct eid *out, struct err *e)
{
    struct tlv t;

    if (der_take(in, TAG_EID, &t) != 0 || !eid_from_span(t.value, out))
        return err_set(e, ERR_FORMAT,
                       "no EID of 32 digits with a valid check");
    return 0;
}

static int take_cert(struct span *in, struct tlv *out, struct err *e)
{
    if (der_take(in, TAG_SEQUENCE, out) != 0)
        return err_set(e, ERR_FORMAT, "no CERT.EUICC");
    if (out->whole.n > CERT_MAX)
        return err_set(e, ERR_LIMIT, "CERT.EUICC of %zu octets, at most %d",
                       out->whole.n, CERT_MAX);
    return 0;
}

static int take_index(struct span *in, uint32_t tag, unsigned *out,
                      struct err *e)
{
    struct tlv t;
    uint64_t v;

    if (der_take(in, tag, &t) != 0 || der_uint(t.value, &v) != 0 ||
        v > CHAIN_INDEX_MAX)
        return err_set(e, ERR_FORMAT, "no chain index %02X", (unsigned)tag);
    *out = (unsigned)v;
    return 0;
}

static int open_record(struct span in, size_t max, struct span *body,
                       struct err *e)
{
    struct tlv all;

    if (in.n > max)
        return err_set(e, ERR_LIMIT, "%zu octets, at most %zu", in.n, max);
    if (der_take(&in, TAG_SEQUENCE, &all) != 0)
        return err_set(e, ERR_FORMAT, "not a whole SEQUENCE");
    if (in.n != 0)
        return err_set(e, ERR_FORMAT, "%zu octets after it", in.n);
    *body = all.value;
    return 0;
}

/* Whose key it is: what a request and a bundle record begin with. */
static int take_key_owner(struct span *body, struct key_record *r, struct err *e)
{
    return take_eid(body, &r->eid, e) != 0 ||
           take_cert(body, &r->cert, e) != 0 ||
           euicc_key_take(body, &r->key, e) != 0 ||
           take_index(body, 0x80, &r->eum_chain, e) != 0 ? -1 : 0;
}

static void put_key_owner(struct buf *b, const struct eid *eid,
                          struct span cert, struct span signed2,
                          struct span sign_tlv, unsigned eum_chain)
{
    der_put(b, TAG_EID, SPAN_ARRAY(eid->o));
    buf_put_span(b, cert);
    buf_put_span(b, signed2);
    buf_put_span(b, sign_tlv);
    der_put_uint(b, 0x80, eum_chain);
}

int key_record_parse(struct span in, struct key_record *out, struct err *e)
{
    struct key_record r;
    struct span body;

    if (open_record(in, BPP_RECORD_MAX, &body, e) != 0 ||
        take_key_owner(&body, &r, e) != 0)
        return err_wrap(e, "request record");
    if (body.n != 0)
        return err_set(e, ERR_FORMAT, "request record: %zu octets after the "
                       "chain index", body.n);
    *out = r;
    return 0;
}

void key_record_put(struct buf *b, const struct eid *eid, struct span cert,
                    struct span signed2, struct span sign_tlv,
                    unsigned eum_chain)
{
    size_t m = der_open(b);

    put_key_owner(b, eid, cert, signed2, sign_tlv, eum_chain);
    der_close(b, TAG_SEQUENCE, m);
}

void euicc_key_put(struct buf *b, const struct txid *t, struct span otpk,
                   struct span sign)
{
    size_t m = der_open(b);

    der_put(b, 0x80, SPAN_ARRAY(t->o));
    der_put(b, TAG_OTPK, otpk);
    der_close(b, TAG_SEQUENCE, m);
    der_put(b, TAG_SIGNATURE, sign);
}

int bpp_record_parse(struct span in, struct bpp_record *out, struct err *e)
{
    struct bpp_record r;
    struct key_record k;
    struct span body;

    if (open_record(in, BPP_RECORD_MAX, &body, e) != 0 ||
        take_key_owner(&body, &k, e) != 0 ||
        take_index(&body, 0x81, &r.dp_chain, e) != 0 ||
        bpp_parse(body, &r.bpp, e) != 0)
        return err_wrap(e, "BPP record");
    r.eid = k.eid;
    r.cert = k.cert;
    r.key = k.key;
    r.eum_chain = k.eum_chain;
    *out = r;
    return 0;
}

void bpp_record_put(struct buf *b, const struct eid *eid, struct span cert,
                    struct span signed2, struct span sign_tlv,
                    unsigned eum_chain, unsigned dp_chain, struct span bpp)
{
    size_t m = der_open(b);

    put_key_owner(b, eid, cert, signed2, sign_tlv, eum_chain);
    der_put_uint(b, 0x81, dp_chain);
    buf_put_span(b, bpp);
    der_close(b, TAG_SEQUENCE, m);
}

/* The keys are walked here once, so that whoever walks them later cannot
 * meet a malformed one. */
static int check_keys(struct span keys, struct err *e)
{
    struct euicc_key k;
    unsigned n = 0;

    for (; keys.n != 0; n++) {
        if (n == EUICC_DATA_KEYS_MAX)
            return err_set(e, ERR_LIMIT, "more than %d one-time keys",
                           EUICC_DATA_KEYS_MAX);
        if (euicc_key_take(&keys, &k, e) != 0)
            return err_wrap(e, "key %u", n + 1);
    }
    return 0;
}

int euicc_data_record_parse(struct span in, struct euicc_data_record *out,
                            struct err *e)
{
    struct euicc_data_record r;
    struct span body;
    struct tlv keys;

    if (open_record(in, BPP_RECORD_MAX, &body, e) != 0 ||
        take_eid(&body, &r.eid, e) != 0 || take_cert(&body, &r.cert, e) != 0)
        return err_wrap(e, "eUICC data record");
    if (der_take(&body, TAG_SEQUENCE, &keys) != 0 || body.n != 0)
        return err_set(e, ERR_FORMAT,
                       "eUICC data record: does not end with its keys");
    if (check_keys(keys.value, e) != 0)
        return err_wrap(e, "eUICC data record");
    r.keys = keys.value;
    *out = r;
    return 0;
}
