#include "station/ifpp/es10f.h"

#include "station/ifpp/evidence.h"
#include "station/ifpp/tags.h"
#include "tests/unit/support.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))
#define EID_TEXT "89049032777298113660073133622109"
#define ICCID "5A0A98001032547698103214"
#define TXID "c1a69c0dce9919cbdb2801108a010444"
#define NONCE "000102030405060708090a0b0c0d0e0f"

static const struct iccid iccid = {
    { 0x98, 0x00, 0x10, 0x32, 0x54, 0x76, 0x98, 0x10, 0x32, 0x14 }
};
static const uint8_t nonce[ES10F_NONCE] = { 0, 1, 2,  3,  4,  5,  6,  7,
                                            8, 9, 10, 11, 12, 13, 14, 15 };
static const struct txid txid = {
    { 0xc1, 0xa6, 0x9c, 0x0d, 0xce, 0x99, 0x19, 0xcb,
      0xdb, 0x28, 0x01, 0x10, 0x8a, 0x01, 0x04, 0x44 }
};

/* --- requests: the octets of the binding's tables ---------------------------- */

static void put_enable(struct buf *b)
{
    es10f_put_profile_act(b, TAG_ENABLE, &iccid, false);
}

static void put_disable(struct buf *b)
{
    es10f_put_profile_act(b, TAG_DISABLE, &iccid, true);
}

static void put_enable_iot(struct buf *b)
{
    es10f_put_enable_iot(b, false);
}

static void put_delete(struct buf *b)
{
    es10f_put_profile_act(b, TAG_DELETE, &iccid, true);
}

static void put_all(struct buf *b)
{
    es10f_put_retrieve_notification(b, NULL);
}

static void put_one(struct buf *b)
{
    const uint64_t seq = 200;

    es10f_put_retrieve_notification(b, &seq);
}

static void put_remove(struct buf *b)
{
    es10f_put_remove_notification(b, 7);
}

static void put_status(struct buf *b)
{
    es10f_put_status(b, nonce);
}

static void put_authorise(struct buf *b)
{
    es10f_put_authorise(b, &txid, SPAN("\x30\x01\x00\x30\x00", 5));
}

static void put_delete_keys(struct buf *b)
{
    es10f_put_receipt_act(b, TAG_DELETE_OTK, nonce);
}

static void put_close(struct buf *b)
{
    es10f_put_receipt_act(b, TAG_CLOSE_FPA, nonce);
}

static const struct {
    const char *name;
    void (*put)(struct buf *);
    const char *want;
} put_rows[] = {
    { "EID", es10f_put_get_eid, "BF3E 03 5C015A" },
    { "info", es10f_put_info2, "BF22 00" },
    { "certificates", es10f_put_get_certs, "BF56 00" },
    { "profiles", es10f_put_profiles_info, "BF2D 00" },
    { "enable", put_enable, "BF31 11 A00C" ICCID "810100" },
    { "disable", put_disable, "BF32 11 A00C" ICCID "8101FF" },
    { "delete", put_delete, "BF33 0C" ICCID },
    { "enable, IoT", put_enable_iot, "BF5A 03 800100" },
    { "list", es10f_put_list_notifications, "BF28 00" },
    { "retrieve all", put_all, "BF2B 00" },
    { "retrieve one", put_one, "BF2B 06 A004 800200C8" },
    { "remove", put_remove, "BF30 03 800107" },
    { "status", put_status, "BF70 12 8010" NONCE },
    { "authorise", put_authorise, "BF71 19 8010" TXID "A105 300100 3000" },
    { "delete keys", put_delete_keys, "BF72 12 8010" NONCE },
    { "close", put_close, "BF73 12 8010" NONCE },
};

START_TEST(requests)
{
    AUTO(buf_clear) struct buf want = hex(put_rows[_i].want), got = BUF_INIT;
    char text[200];

    buf_put_u8(&got, 0xee); /* appended, not replaced */
    put_rows[_i].put(&got);
    ck_assert(buf_ok(&got));
    ck_assert_msg(span_eq(span_sub(buf_span(&got), 1, got.n),
                          buf_span(&want)),
                  "%s: %s", put_rows[_i].name,
                  hex_encode(buf_span(&got), text, sizeof text));
}
END_TEST

/* --- answers ----------------------------------------------------------------- */

enum reader { R_EID, R_INFO, R_PROFILES, R_RESULT, R_LIST, R_STATUS, R_ACT, R_CERTS };

static const struct {
    const char *name;
    enum reader reader;
    const char *in;
    enum err_code want;
} read_rows[] = {
    { "EID", R_EID, "BF3E 12 5A10" EID_TEXT, ERR_NONE },
    { "EID, wrong check", R_EID, "BF3E 12 5A10 89049032777298113660073133622108", ERR_FORMAT },
    { "EID of 15", R_EID, "BF3E 11 5A0F 890490327772981136600731336221", ERR_FORMAT },
    { "EID twice", R_EID, "BF3E 24 5A10" EID_TEXT "5A10" EID_TEXT, ERR_FORMAT },
    { "no EID", R_EID, "BF3E 00", ERR_FORMAT },
    { "another tag", R_EID, "BF3D 12 5A10" EID_TEXT, ERR_FORMAT },
    { "nothing", R_EID, "", ERR_FORMAT },

    { "info", R_INFO, "BF22 0A 8103020202 8203020301", ERR_NONE },
    { "info without a version", R_INFO, "BF22 05 8103020202", ERR_FORMAT },
    { "version of 2", R_INFO, "BF22 04 82020203", ERR_FORMAT },
    { "info with a malformed end", R_INFO, "BF22 07 8203020301 8305", ERR_FORMAT },

    { "no profiles", R_PROFILES, "BF2D 02 A000", ERR_NONE },
    { "one enabled", R_PROFILES, "BF2D 24 A022 E320" ICCID "4F0EA0000005591010FFFFFFFF890000 9F700101", ERR_NONE },
    { "one, ICCID only", R_PROFILES, "BF2D 10 A00E E30C" ICCID, ERR_NONE },
    { "state 2", R_PROFILES, "BF2D 14 A012 E310" ICCID "9F700102", ERR_FORMAT },
    { "AID of 17", R_PROFILES, "BF2D 23 A021 E31F" ICCID "4F11 A0000005591010FFFFFFFF890000110000", ERR_FORMAT },
    { "no ICCID", R_PROFILES, "BF2D 08 A006 E304 9F700101", ERR_FORMAT },
    { "not a profile", R_PROFILES, "BF2D 04 A002 3000", ERR_FORMAT },
    { "malformed list", R_PROFILES, "BF2D 04 A002 E305", ERR_FORMAT },
    { "malformed profile", R_PROFILES, "BF2D 12 A010 E30E" ICCID "9F70", ERR_FORMAT },
    { "error instead of profiles", R_PROFILES, "BF2D 03 810101", ERR_CARD },
    { "three of at most two", R_PROFILES, "BF2D 2C A02A E30C" ICCID "E30C" ICCID "E30C" ICCID, ERR_LIMIT },
    { "something after the list", R_PROFILES, "BF2D 04 A000 A100", ERR_FORMAT },

    { "result 0", R_RESULT, "BF31 03 800100", ERR_NONE },
    { "no result", R_RESULT, "BF31 00", ERR_FORMAT },
    { "two results", R_RESULT, "BF31 06 800100 800101", ERR_FORMAT },
    { "negative result", R_RESULT, "BF31 03 800180", ERR_FORMAT },
    { "result of another act", R_RESULT, "BF32 03 800100", ERR_FORMAT },

    { "empty list", R_LIST, "BF2B 02 A000", ERR_NONE },
    { "two notifications", R_LIST, "BF2B 07 A005 3000 BF3700", ERR_NONE },
    { "malformed notification", R_LIST, "BF2B 05 A003 BF3705", ERR_FORMAT },
    { "error instead of a list", R_LIST, "BF2B 03 81017F", ERR_CARD },

    { "no keys", R_STATUS, "BF70 08 800101 810100 A200", ERR_NONE },
    { "closed", R_STATUS, "BF70 08 800101 810101 A200", ERR_NONE },
    { "state 2", R_STATUS, "BF70 08 800101 810102 A200", ERR_FORMAT },
    { "no state", R_STATUS, "BF70 05 800101 A200", ERR_FORMAT },
    { "no version", R_STATUS, "BF70 05 810100 A200", ERR_FORMAT },
    { "no key list", R_STATUS, "BF70 06 800101 810100", ERR_FORMAT },
    { "malformed key", R_STATUS, "BF70 0A 800101 810100 A202 3000", ERR_FORMAT },
    { "something after the keys", R_STATUS, "BF70 0A 800101 810100 A200 8300", ERR_FORMAT },

    { "error 1", R_ACT, "BF72 03 800101", ERR_NONE },
    { "error 0 is no error", R_ACT, "BF72 03 800100", ERR_FORMAT },
    { "receipt", R_ACT, "BF72 02 3000", ERR_NONE },
    { "receipt of another act", R_ACT, "BF73 02 3000", ERR_FORMAT },
    { "certificates", R_CERTS, "BF56 08 A006 A50131 A60132", ERR_NONE },
    { "certificates: none of that CI", R_CERTS, "BF56 03 810101", ERR_FORMAT },
    { "certificates: one", R_CERTS, "BF56 05 A003 A50131", ERR_FORMAT },
    { "certificates: turned round", R_CERTS, "BF56 08 A006 A60132 A50131", ERR_FORMAT },
    { "certificates and more", R_CERTS, "BF56 0A A008 A50131 A60132 8000", ERR_FORMAT },
};

static int read_one(enum reader r, struct span in, struct err *e)
{
    struct profile_info profiles[2];
    struct euicc_info2 info;
    struct ifpp_status status;
    struct span s;
    struct eid eid;
    unsigned u;
    size_t n;

    switch (r) {
    case R_EID:
        return es10f_read_eid(in, &eid, e);
    case R_INFO:
        return es10f_read_info2(in, &info, e);
    case R_PROFILES:
        return es10f_read_profiles_info(in, profiles, 2, &n, e);
    case R_RESULT:
        return es10f_read_result(in, TAG_ENABLE, &u, e);
    case R_LIST:
        return es10f_read_notifications(in, &s, e);
    case R_STATUS:
        return es10f_read_status(in, &status, e);
    case R_ACT:
        return es10f_read_receipt_act(in, TAG_DELETE_OTK, &s, &u, e);
    case R_CERTS: {
        AUTO(buf_clear) struct buf own = BUF_INIT, eum = BUF_INIT;
        if (es10f_read_certs(in, &own, &eum, e) != 0)
            return -1;
        ck_assert(span_eq(buf_span(&own), SPAN("\x30\x01\x32", 3)));
        ck_assert(span_eq(buf_span(&eum), SPAN("\x30\x01\x31", 3)));
        return 0;
    }
    }
    return -2;
}

START_TEST(answers)
{
    AUTO(buf_clear) struct buf b = hex(read_rows[_i].in);
    struct err e = ERR_INIT;
    int got = read_one(read_rows[_i].reader, buf_span(&b), &e);

    ck_assert_msg((got == 0) == (read_rows[_i].want == ERR_NONE), "%s: %s",
                  read_rows[_i].name, e.msg);
    ck_assert_msg(e.code == read_rows[_i].want, "%s: %s", read_rows[_i].name,
                  e.msg);
    for (size_t n = 0; n < b.n; n++)
        ck_assert_msg(read_one(read_rows[_i].reader,
                               span_sub(buf_span(&b), 0, n), &e) == -1,
                      "%s: cut to %zu", read_rows[_i].name, n);
    buf_put_u8(&b, 0);
    ck_assert_msg(read_one(read_rows[_i].reader, buf_span(&b), &e) == -1,
                  "%s: with a trailing octet", read_rows[_i].name);
}
END_TEST

START_TEST(beyond_an_answer)
{
    size_t n = EVIDENCE_MAX + 1;
    uint8_t *big = calloc(1, n);
    struct err e = ERR_INIT;

    ck_assert_ptr_nonnull(big);
    /* A well-formed BF2B all the same: only its size is wrong. */
    memcpy(big, "\xbf\x2b\x82\xff\xfc", 5);
    ck_assert_int_eq(read_one(R_LIST, SPAN(big, n), &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    free(big);
}
END_TEST

static const struct {
    const char *name, *in;
    enum info2_kind kind;
} kind_rows[] = {
    { "consumer", "BF22 0A 8103020202 8203020301", INFO2_CONSUMER },
    { "IoT", "BF22 0C 8103020202 8203020301 B400", INFO2_IOT },
};

START_TEST(info_kind)
{
    AUTO(buf_clear) struct buf b = hex(kind_rows[_i].in);
    struct euicc_info2 info;
    struct err e = ERR_INIT;

    ck_assert_int_eq(es10f_read_info2(buf_span(&b), &info, &e), 0);
    ck_assert_msg(info.kind == kind_rows[_i].kind, "%s", kind_rows[_i].name);
    ck_assert(memcmp(info.svn, "\x02\x03\x01", 3) == 0);
    ck_assert(span_eq(info.whole, buf_span(&b)));
}
END_TEST

START_TEST(profiles_are_read)
{
    AUTO(buf_clear) struct buf b = hex(
        "BF2D 32 A030 E320" ICCID "4F0EA0000005591010FFFFFFFF890000 9F700101"
        "E30C" ICCID);
    struct profile_info p[2];
    struct err e = ERR_INIT;
    size_t n;

    ck_assert_msg(es10f_read_profiles_info(buf_span(&b), p, 2, &n, &e) == 0,
                  "%s", e.msg);
    ck_assert_uint_eq(n, 2);
    ck_assert(p[0].enabled && p[0].aid_len == 14 && p[0].aid[0] == 0xa0);
    ck_assert(!p[1].enabled && p[1].aid_len == 0);
    ck_assert_mem_eq(p[1].iccid.o, iccid.o, sizeof iccid.o);
}
END_TEST

static void put_key(struct buf *b, const struct txid *t)
{
    uint8_t octets[65] = { 4 };
    size_t all = der_open(b), data = all;

    der_put(b, 0x80, SPAN_ARRAY(t->o));
    der_put(b, TAG_OTPK, SPAN_ARRAY(octets));
    der_close(b, TAG_SEQUENCE, data);
    der_put(b, TAG_SIGNATURE, SPAN(octets, 64));
    der_close(b, TAG_SEQUENCE, all);
}

START_TEST(status_keys)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct ifpp_status s;
    struct euicc_key k;
    struct err e = ERR_INIT;
    struct txid second = txid, absent = txid;
    size_t all = der_open(&b);

    second.o[0] = 1;
    absent.o[0] = 2;
    der_put_uint(&b, 0x80, 300);
    der_put_uint(&b, 0x81, 0);
    size_t keys = der_open(&b);
    put_key(&b, &txid);
    put_key(&b, &second);
    der_close(&b, 0xa2, keys);
    der_close(&b, TAG_IFPP_STATUS, all);
    ck_assert_msg(es10f_read_status(buf_span(&b), &s, &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(s.version, 300);
    ck_assert(!s.closed);
    ck_assert_uint_eq(s.key_count, 2);
    ck_assert(ifpp_status_has_key(&s, &txid));
    ck_assert(ifpp_status_has_key(&s, &second));
    ck_assert(!ifpp_status_has_key(&s, &absent));
    ck_assert_int_eq(ifpp_status_key_take(&s.keys, &k, &e), 0);
    ck_assert(txid_eq(&k.txid, &txid));
    ck_assert_int_eq(ifpp_status_key_take(&s.keys, &k, &e), 0);
    ck_assert(txid_eq(&k.txid, &second));
    ck_assert_uint_eq(s.keys.n, 0);
    ck_assert_int_eq(ifpp_status_key_take(&s.keys, &k, &e), -1);
}
END_TEST

START_TEST(receipt_or_error)
{
    AUTO(buf_clear) struct buf err = hex("BF73 03 800101");
    AUTO(buf_clear) struct buf good = hex("BF73 02 3000");
    struct err e = ERR_INIT;
    struct span s = SPAN("x", 1);
    unsigned code = 0;

    ck_assert_int_eq(es10f_read_receipt_act(buf_span(&err), TAG_CLOSE_FPA, &s,
                                            &code, &e), 0);
    ck_assert_uint_eq(code, IFPP_ERROR_KEYS_REMAIN);
    ck_assert_uint_eq(s.n, 0);
    ck_assert_int_eq(es10f_read_receipt_act(buf_span(&good), TAG_CLOSE_FPA, &s,
                                            &code, &e), 0);
    ck_assert_uint_eq(code, 0);
    ck_assert(span_eq(s, buf_span(&good)));
}
END_TEST

START_TEST(download_errors)
{
    static const unsigned known[] = { 0, 1, 2, 3, 4, 5, 127 };

    for (int i = 0; i < ROWS(known); i++) {
        ck_assert_str_ne(es10f_download_error(known[i]),
                         es10f_download_error(99));
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(es10f_download_error(known[i]),
                             es10f_download_error(known[k]));
    }
    ck_assert_str_eq(es10f_download_error(3), "unsupported curve");
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "requests", requests, ROWS(put_rows) },
        { "answers", answers, ROWS(read_rows) },
        { "beyond an answer", beyond_an_answer, 1 },
        { "kind", info_kind, ROWS(kind_rows) },
        { "profiles", profiles_are_read, 1 },
        { "keys", status_keys, 1 },
        { "receipt or error", receipt_or_error, 1 },
        { "download errors", download_errors, 1 },
    };
    return run_tests("ifpp/es10f", tests, sizeof tests / sizeof *tests);
}
