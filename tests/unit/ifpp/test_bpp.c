#include "station/ifpp/bpp.h"

#include "station/ifpp/cert.h"
#include "station/ifpp/tags.h"
#include "tests/unit/ifpp/pki.h"
#include "tests/unit/support.h"

#include <jansson.h>
#include <openssl/pem.h>
#include <string.h>

#define TXID "c1a69c0dce9919cbdb2801108a010444"
#define ROWS(a) (int)(sizeof(a) / sizeof *(a))
/* A segment of n plain octets and a MAC of 8, all 5A. */
#define SEG(tag) tag "0A 5A5A 5A5A5A5A5A5A5A5A"

/* --- a small BPP, member by member ------------------------------------------- */

enum member { M_OP, M_TXID, M_KEYS, M_OTPK, M_SIGN, M_A0, M_A1, M_A2, M_A3,
              M_END, MEMBERS };

struct change {
    enum member member;
    const char *hex; /* in its place; "" leaves it out */
};

/* Hex with one shorthand: *NN*XX repeats octet XX NN (decimal) times. */
static void put_hex(struct buf *b, const char *s)
{
    char pair[3] = "";

    for (; *s; s++) {
        if (*s == ' ')
            continue;
        if (*s == '*') {
            char *end;
            unsigned long n = strtoul(s + 1, &end, 10);
            memcpy(pair, end + 1, 2);
            while (n-- > 0)
                buf_put_hex(b, pair);
            s = end + 2;
            continue;
        }
        memcpy(pair, s++, 2);
        buf_put_hex(b, pair);
    }
    ck_assert(buf_ok(b));
}

static struct buf make(const struct change *c, size_t n)
{
    const char *m[MEMBERS] = {
        [M_OP] = "820101",
        [M_TXID] = "8010" TXID,
        [M_KEYS] = "A60E 800188 810110 8406 0102030405 06",
        [M_OTPK] = "5F4941 04 *64*11",
        [M_SIGN] = "5F3740 *64*22",
        [M_A0] = "A00C" SEG("87"),
        [M_A1] = "A10C" SEG("88"),
        [M_A2] = "",
        [M_A3] = "A318" SEG("86") SEG("86"),
        [M_END] = "",
    };
    struct buf b = BUF_INIT;
    size_t all = der_open(&b), isc = all;

    for (size_t i = 0; i < n; i++)
        if (c[i].hex)
            m[c[i].member] = c[i].hex;
    for (int i = 0; i < MEMBERS; i++) {
        put_hex(&b, m[i]);
        if (i == M_SIGN)
            der_close(&b, TAG_INIT_SECURE_CHANNEL, isc);
    }
    der_close(&b, TAG_BPP, all);
    return b;
}

static const struct {
    const char *name;
    struct change change;
    enum err_code want;
    const char *says;
} parse_rows[] = {
    { "a good one", { 0, NULL }, ERR_NONE, "" },
    { "with session keys", { M_A2, "A20C" SEG("87") }, ERR_NONE, "" },
    { "operation 2", { M_OP, "820102" }, ERR_FORMAT, "operation" },
    { "no operation", { M_OP, "" }, ERR_FORMAT, "operation" },
    { "transactionId of 15", { M_TXID, "800F *15*01" }, ERR_FORMAT, "transactionId" },
    { "transactionId of 17", { M_TXID, "8011 *17*01" }, ERR_FORMAT, "transactionId" },
    { "key type 80", { M_KEYS, "A609 800180 810110 840101" }, ERR_FORMAT, "type 88" },
    { "key length 20", { M_KEYS, "A609 800188 810120 840101" }, ERR_FORMAT, "type 88" },
    { "no hostId", { M_KEYS, "A606 800188 810110" }, ERR_FORMAT, "hostId" },
    { "empty hostId", { M_KEYS, "A608 800188 810110 8400" }, ERR_FORMAT, "hostId" },
    { "hostId of 32", { M_KEYS, "A628 800188 810110 8420 *32*07" }, ERR_NONE, "" },
    { "hostId of 33", { M_KEYS, "A629 800188 810110 8421 *33*07" }, ERR_FORMAT, "hostId" },
    { "something after hostId", { M_KEYS, "A60B 800188 810110 840101 8500" }, ERR_FORMAT, "hostId" },
    { "compressed point", { M_OTPK, "5F4921 02 *32*11" }, ERR_FORMAT, "otPK.DP" },
    { "point of 64", { M_OTPK, "5F4940 04 *63*11" }, ERR_FORMAT, "otPK.DP" },
    { "hybrid point", { M_OTPK, "5F4941 06 *64*11" }, ERR_FORMAT, "otPK.DP" },
    { "signature of 63", { M_SIGN, "5F373F *63*22" }, ERR_FORMAT, "smdpSign" },
    { "signature twice", { M_SIGN, "5F3740 *64*22 5F3740 *64*22" }, ERR_FORMAT, "smdpSign" },
    { "no A0", { M_A0, "" }, ERR_FORMAT, "no A0" },
    { "empty A0", { M_A0, "A000" }, ERR_FORMAT, "no segment" },
    { "wrong segment in A0", { M_A0, "A00C" SEG("88") }, ERR_FORMAT, "segment 87" },
    { "no A1", { M_A1, "" }, ERR_FORMAT, "no A1" },
    { "empty A1", { M_A1, "A100" }, ERR_FORMAT, "no segment" },
    { "wrong segment in A1", { M_A1, "A10C" SEG("87") }, ERR_FORMAT, "segment 88" },
    { "empty A2", { M_A2, "A200" }, ERR_FORMAT, "no segment" },
    { "wrong segment in A2", { M_A2, "A20C" SEG("86") }, ERR_FORMAT, "segment 87" },
    { "no A3", { M_A3, "" }, ERR_FORMAT, "no A3" },
    { "empty A3", { M_A3, "A300" }, ERR_FORMAT, "no segment" },
    { "wrong segment in A3", { M_A3, "A318" SEG("86") SEG("88") }, ERR_FORMAT, "segment 86" },
    { "segment that is only a MAC", { M_A3, "A30A 8608 *8*5A" }, ERR_FORMAT, "with data" },
    { "empty segment", { M_A3, "A302 8600" }, ERR_FORMAT, "with data" },
    { "segment cut short", { M_A3, "A303 860A5A" }, ERR_FORMAT, "malformed" },
    { "the largest we write", { M_A3, "A38203FC 868203F8 *1016*5A" }, ERR_NONE, "" },
    { "the largest we read", { M_A3, "A382040C 86820408 *1032*5A" }, ERR_NONE, "" },
    { "one octet more", { M_A3, "A382040D 86820409 *1033*5A" }, ERR_LIMIT, "1036" },
    { "something after A3", { M_END, "A400" }, ERR_FORMAT, "after A3" },
    { "A3 twice", { M_END, "A30C" SEG("86") }, ERR_FORMAT, "after A3" },
    { "A2 after A3", { M_END, "A20C" SEG("87") }, ERR_FORMAT, "after A3" },
};

START_TEST(parse)
{
    AUTO(buf_clear) struct buf b = make(&parse_rows[_i].change, 1);
    struct bpp out = { .header_len = 77 };
    struct err e = ERR_INIT;
    int r = bpp_parse(buf_span(&b), &out, &e);

    ck_assert_msg((r == 0) == (parse_rows[_i].want == ERR_NONE), "%s: %s",
                  parse_rows[_i].name, e.msg);
    if (r == 0)
        return;
    ck_assert_msg(e.code == parse_rows[_i].want &&
                      strstr(e.msg, parse_rows[_i].says),
                  "%s: %s", parse_rows[_i].name, e.msg);
    ck_assert_msg(out.header_len == 77, "%s: touched", parse_rows[_i].name);
}
END_TEST

START_TEST(parse_outside)
{
    AUTO(buf_clear) struct buf b = make(NULL, 0);
    struct bpp out;
    struct err e = ERR_INIT;
    size_t n = b.n;

    for (size_t k = 0; k < n; k++)
        ck_assert_int_eq(bpp_parse(span_sub(buf_span(&b), 0, k), &out, &e),
                         -1);
    buf_put_u8(&b, 0);
    ck_assert_int_eq(bpp_parse(buf_span(&b), &out, &e), -1);
    ck_assert_msg(strstr(e.msg, "1 octets after"), "%s", e.msg);
    b.p[1] = 0x37;
    ck_assert_int_eq(bpp_parse(span_sub(buf_span(&b), 0, n), &out, &e), -1);
}
END_TEST

START_TEST(parse_points_into_the_input)
{
    AUTO(buf_clear) struct buf b = make(NULL, 0);
    struct bpp out;
    struct err e = ERR_INIT;
    char text[TXID_HEX + 1];

    ck_assert_int_eq(bpp_parse(buf_span(&b), &out, &e), 0);
    ck_assert_str_eq(txid_format(&out.txid, text), TXID);
    ck_assert(span_eq(out.whole, buf_span(&b)));
    ck_assert_uint_eq(out.header_len, 4);
    ck_assert(span_eq(out.host_id, SPAN("\1\2\3\4\5\6", 6)));
    ck_assert(out.otpk_dp.n == 65 && out.otpk_dp.p[0] == 4);
    ck_assert(out.smdp_sign.n == 64 && out.smdp_sign.p[63] == 0x22);
    ck_assert_uint_eq(out.replace_keys.tag, 0);
    ck_assert_uint_eq(out.elements.tag, 0xa3);
}
END_TEST

/* --- chains ------------------------------------------------------------------ */

static const struct {
    const char *name;
    struct change change;
    size_t lengths[12], n, apdus;
} chain_rows[] = {
    { "without session keys", { 0, NULL },
      { 4 + 176, 14, 2, 12, 2, 12, 12 }, 7, 7 },
    { "with session keys", { M_A2, "A20C" SEG("87") },
      { 4 + 176, 14, 2, 12, 14, 2, 12, 12 }, 8, 8 },
    { "two metadata segments", { M_A1, "A118" SEG("88") SEG("88") },
      { 4 + 176, 14, 2, 12, 12, 2, 12, 12 }, 8, 8 },
    { "a long segment", { M_A3, "A38203FC 868203F8 *1016*5A" },
      { 5 + 176, 14, 2, 12, 4, 1020 }, 6, 9 },
    { "a segment of 255", { M_A3, "A381FF 8681FC *252*5A" },
      { 5 + 176, 14, 2, 12, 3, 255 }, 6, 6 },
    { "a segment of 256", { M_A3, "A3820100 8681FD *253*5A" },
      { 5 + 176, 14, 2, 12, 4, 256 }, 6, 7 },
};

START_TEST(chains)
{
    AUTO(buf_clear) struct buf b = make(&chain_rows[_i].change, 1);
    const uint8_t *at = b.p;
    struct bpp_chains it;
    struct bpp bpp;
    struct span s;
    struct err e = ERR_INIT;
    size_t n = 0;

    ck_assert_msg(bpp_parse(buf_span(&b), &bpp, &e) == 0, "%s", e.msg);
    bpp_chains_start(&it, &bpp);
    while (bpp_chains_next(&it, &s)) {
        ck_assert_msg(n < chain_rows[_i].n, "%s: more chains than %zu",
                      chain_rows[_i].name, chain_rows[_i].n);
        ck_assert_msg(s.p == at && s.n == chain_rows[_i].lengths[n],
                      "%s: chain %zu has %zu octets", chain_rows[_i].name, n,
                      s.n);
        at += s.n;
        n++;
    }
    ck_assert_uint_eq(n, chain_rows[_i].n);
    ck_assert_ptr_eq(at, b.p + b.n); /* nothing lost, nothing twice */
    ck_assert(!bpp_chains_next(&it, &s));
    ck_assert_uint_eq(bpp_apdu_count(&bpp), chain_rows[_i].apdus);
}
END_TEST

/* --- metadata ---------------------------------------------------------------- */

#define ICCID "5A0A98001032547698103214"
#define NAMES "910341424392024445"

static const struct {
    const char *name, *value; /* of BF25 */
    const char *says;         /* NULL: good */
    int profile_class;
    bool delete_notified;
    size_t owner;
} meta_rows[] = {
    { "the least", ICCID NAMES, NULL, 2, false, 0 },
    { "all of it", ICCID NAMES "930101 9403010203 950100"
      "B60E 300C 8002 0410 8106 61622E636465 B705 8003123456 99020780",
      NULL, 0, true, 5 },
    { "no delete bit", ICCID NAMES "B60E 300C 8002 0560 8106 61622E636465",
      NULL, 2, false, 0 },
    { "delete in the second", ICCID NAMES
      "B61C 300C 8002 0560 8106 61622E636465 300C 8002 0410 8106 61622E636465",
      NULL, 2, true, 0 },
    { "delete without an address", ICCID NAMES "B608 3006 8002 0410 8100",
      NULL, 2, false, 0 },
    { "no event bits", ICCID NAMES "B60D 300B 800100 8106 61622E636465",
      NULL, 2, false, 0 },
    { "a tag of a later SGP.22", ICCID NAMES "9A0107 BF2200", NULL, 2, false, 0 },
    { "empty names", ICCID "91009200", NULL, 2, false, 0 },
    { "provisioning", ICCID NAMES "950101", NULL, 1, false, 0 },
    { "no ICCID", NAMES, "no ICCID", 0, false, 0 },
    { "nothing", "", "no ICCID", 0, false, 0 },
    { "ICCID of 9", "5A09980010325476981032" NAMES, "ICCID", 0, false, 0 },
    { "ICCID with a wrong check", "5A0A98001032547698103224" NAMES, "ICCID", 0, false, 0 },
    { "no name", ICCID "9103414243", "no profile name", 0, false, 0 },
    { "no provider", ICCID "92024445", "no service provider", 0, false, 0 },
    { "name twice", ICCID NAMES "920141", "twice", 0, false, 0 },
    { "out of order", ICCID "92024445 9103414243", "no service provider", 0, false, 0 },
    { "class 3", ICCID NAMES "950103", "class", 0, false, 0 },
    { "class of two octets", ICCID NAMES "95020001", "class", 0, false, 0 },
    { "malformed later tag", ICCID NAMES "9A0507", "malformed TLV", 0, false, 0 },
    { "newline in a name", ICCID "9103410A41 920141", "provider", 0, false, 0 },
    { "DEL in a name", ICCID "91017F 920141", "provider", 0, false, 0 },
    { "C1 control in a name", ICCID "9102C285 920141", "provider", 0, false, 0 },
    { "umlaut", ICCID "9102C3BC 920141", NULL, 2, false, 0 },
    { "four octets of UTF-8", ICCID "9104F09F9880 920141", NULL, 2, false, 0 },
    { "overlong UTF-8", ICCID "9102C0AF 920141", "provider", 0, false, 0 },
    { "surrogate", ICCID "9103EDA080 920141", "provider", 0, false, 0 },
    { "beyond Unicode", ICCID "9104F4908080 920141", "provider", 0, false, 0 },
    { "UTF-8 cut short", ICCID "9101C3 920141", "provider", 0, false, 0 },
    { "stray continuation", ICCID "910180 920141", "provider", 0, false, 0 },
    { "malformed addresses", ICCID NAMES "B603 300180", "addresses", 0, false, 0 },
    { "address entry with more in it", ICCID NAMES
      "B610 300E 8002 0410 8106 61622E636465 8200", "addresses", 0, false, 0 },
    { "malformed owner", ICCID NAMES "B7028005", "owner", 0, false, 0 },
};

/* value as BF25, cut into 88 segments of `step` plain octets. */
static struct buf with_metadata(struct span bf25, size_t step)
{
    struct buf a1 = BUF_INIT, digits = BUF_INIT, out;
    size_t m = der_open(&a1);
    uint8_t mac[8] = { 0 };

    for (size_t at = 0; at < bf25.n; at += step) {
        size_t s = der_open(&a1);
        buf_put_span(&a1, span_sub(bf25, at, step));
        buf_put(&a1, mac, sizeof mac);
        der_close(&a1, TAG_SEG_MAC, s);
    }
    der_close(&a1, 0xa1, m);
    uint8_t *to = buf_reserve(&digits, a1.n * 2 + 1);
    ck_assert_ptr_nonnull(to);
    hex_encode(buf_span(&a1), (char *)to, a1.n * 2 + 1);
    out = make(&(struct change){ M_A1, (char *)digits.p }, 1);
    buf_clear(&a1);
    buf_clear(&digits);
    return out;
}

START_TEST(metadata)
{
    AUTO(buf_clear) struct buf value = hex(meta_rows[_i].value);
    AUTO(buf_clear) struct buf bf25 = BUF_INIT, store = BUF_INIT;
    struct err e = ERR_INIT;
    struct bpp_metadata m;
    struct bpp bpp;

    der_put(&bf25, TAG_STORE_METADATA, buf_span(&value));
    /* In one piece and in many: the seams do not matter. */
    for (size_t step = bf25.n; step > 0; step = step > 3 ? 3 : 0) {
        AUTO(buf_clear) struct buf b = with_metadata(buf_span(&bf25), step);
        ck_assert_msg(bpp_parse(buf_span(&b), &bpp, &e) == 0, "%s", e.msg);
        int r = bpp_metadata(&bpp, &store, &m, &e);
        ck_assert_msg((r == 0) == (meta_rows[_i].says == NULL), "%s: %s",
                      meta_rows[_i].name, e.msg);
        if (r != 0) {
            ck_assert_msg(e.code == ERR_FORMAT &&
                              strstr(e.msg, meta_rows[_i].says),
                          "%s: %s", meta_rows[_i].name, e.msg);
            continue;
        }
        ck_assert_msg(m.profile_class == meta_rows[_i].profile_class &&
                          m.delete_notified == meta_rows[_i].delete_notified &&
                          m.owner.n == meta_rows[_i].owner,
                      "%s", meta_rows[_i].name);
        ck_assert(span_eq(buf_span(&store), buf_span(&bf25)));
        if (m.owner.n)
            ck_assert(m.owner.p > store.p && m.owner.p < store.p + store.n);
    }
}
END_TEST

START_TEST(metadata_is_one_bf25)
{
    static const char *const bad[] = {
        "BF2518" ICCID NAMES "9901 00 00", /* trailing octet */
        "BF2415" ICCID NAMES, "BF25", "00",
    };
    AUTO(buf_clear) struct buf one = hex(bad[_i]), store = BUF_INIT;
    AUTO(buf_clear) struct buf b = with_metadata(buf_span(&one), one.n);
    struct err e = ERR_INIT;
    struct bpp_metadata m;
    struct bpp bpp;

    ck_assert_msg(bpp_parse(buf_span(&b), &bpp, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(bpp_metadata(&bpp, &store, &m, &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);
}
END_TEST

/* --- records ----------------------------------------------------------------- */

static void put_key(struct buf *b, const char *txid, unsigned point)
{
    size_t m = der_open(b);

    put_hex(b, "8010");
    put_hex(b, txid);
    put_hex(b, "5F4941 04");
    for (int i = 0; i < 64; i++)
        buf_put_u8(b, (uint8_t)point);
    der_close(b, TAG_SEQUENCE, m);
}

START_TEST(record)
{
    AUTO(buf_clear) struct buf bpp = make(NULL, 0), key = BUF_INIT,
                               sign = BUF_INIT, rec = BUF_INIT, big = BUF_INIT;
    struct bpp_record r;
    struct err e = ERR_INIT;
    struct eid eid;

    eid_parse("89049032777298113660073133622109", &eid);
    put_key(&key, TXID, 0x33);
    put_hex(&sign, "5F3740 *64*44");
    bpp_record_put(&rec, &eid, SPAN("\x30\x00", 2), buf_span(&key),
                   buf_span(&sign), 3, 200, buf_span(&bpp));
    ck_assert_msg(bpp_record_parse(buf_span(&rec), &r, &e) == 0, "%s", e.msg);
    ck_assert(eid_eq(&r.eid, &eid));
    ck_assert_uint_eq(r.eum_chain, 3);
    ck_assert_uint_eq(r.dp_chain, 200);
    ck_assert(span_eq(r.key.signed2.whole, buf_span(&key)));
    ck_assert(r.key.otpk.n == 65 && r.key.sign.n == 64);
    ck_assert(span_eq(r.bpp.whole, buf_span(&bpp)));
    ck_assert(txid_eq(&r.key.txid, &r.bpp.txid));

    for (size_t n = 0; n < rec.n; n++)
        ck_assert_int_eq(bpp_record_parse(span_sub(buf_span(&rec), 0, n), &r,
                                          &e), -1);
    buf_put_u8(&rec, 0);
    ck_assert_int_eq(bpp_record_parse(buf_span(&rec), &r, &e), -1);
    rec.n--;
    eid.o[15] ^= 1; /* the check no longer holds */
    rec.n = 0;
    bpp_record_put(&rec, &eid, SPAN("\x30\x00", 2), buf_span(&key),
                   buf_span(&sign), 0, 0, buf_span(&bpp));
    ck_assert_int_eq(bpp_record_parse(buf_span(&rec), &r, &e), -1);
    ck_assert_msg(strstr(e.msg, "EID"), "%s", e.msg);
    eid.o[15] ^= 1;
    rec.n = 0;
    bpp_record_put(&rec, &eid, SPAN("\x30\x00", 2), buf_span(&key),
                   buf_span(&sign), 70000, 0, buf_span(&bpp));
    ck_assert_int_eq(bpp_record_parse(buf_span(&rec), &r, &e), -1);
    ck_assert_msg(strstr(e.msg, "80"), "%s", e.msg);

    /* A certificate beyond its bound, and a record beyond its own. */
    uint8_t *to = buf_reserve(&big, BPP_RECORD_MAX + 10);
    ck_assert_ptr_nonnull(to);
    memset(to, 0, BPP_RECORD_MAX + 10);
    to[0] = 0x30, to[1] = 0x82, to[2] = 0x20, to[3] = 0x00;
    rec.n = 0;
    bpp_record_put(&rec, &eid, SPAN(to, 8192 + 4), buf_span(&key),
                   buf_span(&sign), 0, 0, buf_span(&bpp));
    ck_assert_int_eq(bpp_record_parse(buf_span(&rec), &r, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    ck_assert_int_eq(bpp_record_parse(SPAN(to, BPP_RECORD_MAX + 1), &r, &e),
                     -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

START_TEST(euicc_data)
{
    AUTO(buf_clear) struct buf rec = BUF_INIT;
    struct euicc_data_record r;
    struct euicc_key k;
    struct err e = ERR_INIT;
    unsigned want = _i == 2 ? EUICC_DATA_KEYS_MAX + 1 : 3, n = 0;
    size_t all = der_open(&rec);

    put_hex(&rec, "5A10 89049032777298113660073133622109 3000");
    size_t keys = der_open(&rec);
    for (unsigned i = 0; i < want; i++) {
        put_key(&rec, TXID, i & 0xff);
        put_hex(&rec, _i == 1 && i == 2 ? "5F373F *63*44" : "5F3740 *64*44");
    }
    der_close(&rec, TAG_SEQUENCE, keys);
    der_close(&rec, TAG_SEQUENCE, all);
    int got = euicc_data_record_parse(buf_span(&rec), &r, &e);
    if (_i != 0) {
        ck_assert_int_eq(got, -1);
        ck_assert_msg(e.code == (_i == 1 ? ERR_FORMAT : ERR_LIMIT) &&
                          strstr(e.msg, _i == 1 ? "key 3" : "1024"),
                      "%s", e.msg);
        return;
    }
    ck_assert_msg(got == 0, "%s", e.msg);
    for (struct span s = r.keys; s.n != 0; n++)
        ck_assert_int_eq(euicc_key_take(&s, &k, &e), 0);
    ck_assert_uint_eq(n, 3);
    for (size_t cut = 0; cut < rec.n; cut++)
        ck_assert_int_eq(euicc_data_record_parse(
                             span_sub(buf_span(&rec), 0, cut), &r, &e), -1);
}
END_TEST

START_TEST(request_record)
{
    AUTO(buf_clear) struct buf key = BUF_INIT, rec = BUF_INIT;
    static const uint8_t point[65] = { 4, 1 }, sign[64] = { 2 };
    const struct txid t = { { 3 } };
    struct eid eid = { { 0x89, 0x04, 0x90, 0x32 } };
    struct key_record r;
    struct euicc_key k;
    struct err e = ERR_INIT;

    eid_complete(&eid);
    euicc_key_put(&key, &t, SPAN_ARRAY(point), SPAN_ARRAY(sign));
    struct span both = buf_span(&key);
    ck_assert_int_eq(euicc_key_take(&both, &k, &e), 0);
    ck_assert(both.n == 0 && txid_eq(&k.txid, &t));
    size_t n = k.signed2.whole.n;
    key_record_put(&rec, &eid, SPAN("\x30\x00", 2), SPAN(key.p, n),
                   SPAN(key.p + n, key.n - n), 7);
    ck_assert_msg(key_record_parse(buf_span(&rec), &r, &e) == 0, "%s", e.msg);
    ck_assert(eid_eq(&r.eid, &eid) && r.eum_chain == 7);
    ck_assert(span_eq(r.key.otpk, SPAN_ARRAY(point)));
    ck_assert(span_eq(r.key.sign, SPAN_ARRAY(sign)));
    for (size_t i = 0; i < rec.n; i++)
        ck_assert_int_eq(key_record_parse(span_sub(buf_span(&rec), 0, i), &r,
                                          &e), -1);
    /* A bundle's record is none: something comes after the index. */
    buf_reset(&rec);
    bpp_record_put(&rec, &eid, SPAN("\x30\x00", 2), SPAN(key.p, n),
                   SPAN(key.p + n, key.n - n), 7, 0, SPAN("\xbf\x36\x00", 3));
    ck_assert_int_eq(key_record_parse(buf_span(&rec), &r, &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);
}
END_TEST

START_TEST(one_time_key)
{
    static const char *const groups[] = { "prime256v1", "brainpoolP256r1" };
    AUTO(buf_clear) struct buf b = BUF_INIT;
    EVP_PKEY *sk = EVP_EC_gen(groups[_i]), *other = EVP_EC_gen(groups[_i]),
             *ot = EVP_EC_gen(groups[_i]),
             *wrong = EVP_EC_gen(groups[1 - _i]);
    struct euicc_key k;
    struct err e = ERR_INIT;
    struct span in;
    uint8_t p[65], raw[64];

    for (int good = 1; good >= 0; good--) {
        b.n = 0;
        size_t m = der_open(&b);
        put_hex(&b, "8010" TXID);
        pki_point(good ? ot : wrong, p);
        der_put(&b, TAG_OTPK, SPAN_ARRAY(p));
        der_close(&b, TAG_SEQUENCE, m);
        pki_sign(sk, buf_span(&b), SPAN("", 0), raw);
        der_put(&b, TAG_SIGNATURE, SPAN_ARRAY(raw));
        in = buf_span(&b);
        ck_assert_int_eq(euicc_key_take(&in, &k, &e), 0);
        ck_assert_uint_eq(in.n, 0);
        int r = euicc_key_check(&k, sk, &e);
        ck_assert_msg((r == 0) == good, "%s", e.msg);
        if (!good) {
            ck_assert_int_eq(e.code, ERR_FORMAT);
            break;
        }
        ck_assert_int_eq(euicc_key_check(&k, other, &e), -1);
        ck_assert_int_eq(e.code, ERR_SIGNATURE);
        b.p[6] ^= 1; /* another transactionId */
        in = buf_span(&b);
        ck_assert_int_eq(euicc_key_take(&in, &k, &e), 0);
        ck_assert_int_eq(euicc_key_check(&k, sk, &e), -1);
        ck_assert_int_eq(e.code, ERR_SIGNATURE);
    }
    EVP_PKEY_free(sk);
    EVP_PKEY_free(other);
    EVP_PKEY_free(ot);
    EVP_PKEY_free(wrong);
}
END_TEST

/* --- vectors of an implementation that is not ours --------------------------- */

static const char *const vectors[] = {
    "01-TS48v1_A-session",
    "02-TS48v1_A-ppk",
    "03-TS48v2_SAIP2.3_NoBERTLV-session",
    "04-TS48v2_SAIP2.3_NoBERTLV-ppk",
    "05-TS48v3_SAIP2.3_BERTLV-session",
    "06-TS48v3_SAIP2.3_BERTLV-ppk",
};

static bool vector_file(const char *name, const char *end, struct buf *out)
{
    char path[256];

    snprintf(path, sizeof path, "data/vectors/%s%s", name, end);
    return shared_read(path, out);
}

static void json_hex(json_t *j, const char *key, struct buf *out)
{
    const char *s = json_string_value(json_object_get(j, key));

    ck_assert_msg(s != NULL, "%s", key);
    buf_put_hex(out, s);
    ck_assert(buf_ok(out));
}

static void check_vector(const char *name, struct span der, json_t *j,
                         EVP_PKEY *dppb)
{
    AUTO(buf_clear) struct buf txid = BUF_INIT, host = BUF_INIT, dp = BUF_INIT,
                               otpk = BUF_INIT, store = BUF_INIT;
    struct bpp b;
    struct bpp_metadata m;
    struct bpp_chains it;
    struct err e = ERR_INIT;
    struct span s;
    size_t octets = 0;
    char text[ICCID_DIGITS + 1];

    json_hex(j, "transaction_id", &txid);
    json_hex(j, "host_id", &host);
    json_hex(j, "dp_otpk", &dp);
    json_hex(j, "euicc_otpk", &otpk);
    ck_assert_msg(bpp_parse(der, &b, &e) == 0, "%s: %s", name, e.msg);
    ck_assert(span_eq(SPAN_ARRAY(b.txid.o), buf_span(&txid)));
    ck_assert(span_eq(b.host_id, buf_span(&host)));
    ck_assert(span_eq(b.otpk_dp, buf_span(&dp)));
    ck_assert_msg((b.replace_keys.tag != 0) ==
                      (strstr(name, "-ppk") != NULL), "%s", name);
    ck_assert_msg(bpp_check_sign(&b, dppb, buf_span(&otpk), &e) == 0, "%s: %s",
                  name, e.msg);
    /* Bound to this key of the eUICC and to no other. */
    ck_assert_int_eq(bpp_check_sign(&b, dppb, buf_span(&dp), &e), -1);
    ck_assert_int_eq(e.code, ERR_SIGNATURE);
    otpk.p[64] ^= 1;
    ck_assert_int_eq(bpp_check_sign(&b, dppb, buf_span(&otpk), &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    ck_assert_msg(bpp_metadata(&b, &store, &m, &e) == 0, "%s: %s", name,
                  e.msg);
    ck_assert_msg(m.delete_notified && m.profile_class == 2, "%s", name);
    ck_assert_str_eq(m.provider, "Test MSP");
    ck_assert_uint_ge(strlen(iccid_format(&m.iccid, text)), 19);
    bpp_chains_start(&it, &b);
    while (bpp_chains_next(&it, &s))
        octets += s.n;
    ck_assert_uint_eq(octets, der.n);
    ck_assert_uint_ge(bpp_apdu_count(&b), (der.n + 254) / 255);
}

START_TEST(vector)
{
    AUTO(buf_clear) struct buf der = BUF_INIT, text = BUF_INIT, pem = BUF_INIT;

    if (!vector_file(vectors[_i], ".bpp.der", &der) ||
        !vector_file(vectors[_i], ".json", &text) ||
        !vector_file("cert-dppb.pem", "", &pem))
        return;
    json_t *j = json_loadb((const char *)text.p, text.n, 0, NULL);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *c = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ck_assert(j && c);
    check_vector(vectors[_i], buf_span(&der), j, cert_key(c, NULL));
    json_decref(j);
    BIO_free(bio);
    X509_free(c);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "parse", parse, ROWS(parse_rows) },
        { "outside", parse_outside, 1 },
        { "spans", parse_points_into_the_input, 1 },
        { "chains", chains, ROWS(chain_rows) },
        { "metadata", metadata, ROWS(meta_rows) },
        { "one BF25", metadata_is_one_bf25, 4 },
        { "record", record, 1 },
        { "eUICC data", euicc_data, 3 },
        { "request record", request_record, 1 },
        { "one-time key", one_time_key, 2 },
        { "vectors", vector, ROWS(vectors) },
    };
    return run_tests("ifpp/bpp", tests, sizeof tests / sizeof *tests);
}
