#include "station/ifpp/evidence.h"

#include "station/ifpp/tags.h"
#include "tests/unit/ifpp/pki.h"
#include "tests/unit/support.h"

#include <string.h>

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))
#define TXID "8010 c1a69c0dce9919cbdb2801108a010444"
#define META "BF2F1B 800105 81020780 0C06 61622E636465 5A0A98001032547698103214"
#define OID "06 03 88370A"
#define GOOD "A216 A014 4F10 A0000005591010FFFFFFFF8900001100 0400"
#define FAILED "A208 A106 800105 81010C"
#define EID_TEXT "89049032777298113660073133622109"

static EVP_PKEY *sk, *other; /* of this eUICC, of another */

/* outer { tag { members }, 5F37 over it, tail }, signed by sk. */
static struct buf signed_by(uint32_t outer, uint32_t tag, const char *members,
                            const char *tail)
{
    AUTO(buf_clear) struct buf in = hex(members), data = BUF_INIT,
                               more = hex(tail);
    struct buf out = BUF_INIT;
    uint8_t raw[64];
    size_t m = der_open(&out);

    der_put(&data, tag, buf_span(&in));
    buf_put_span(&out, buf_span(&data));
    pki_sign(sk, buf_span(&data), SPAN("", 0), raw);
    der_put(&out, TAG_SIGNATURE, SPAN_ARRAY(raw));
    buf_put_span(&out, buf_span(&more));
    der_close(&out, outer, m);
    return out;
}

static struct buf result_of(const char *members)
{
    return signed_by(TAG_INSTALL_RESULT, TAG_INSTALL_RESULT_DATA, members, "");
}

/* --- installation results ---------------------------------------------------- */

static const struct {
    const char *name, *members;
    const char *says; /* NULL: good */
    bool installed;
} result_rows[] = {
    { "installed", TXID META OID GOOD, NULL, true },
    { "failed", TXID META OID FAILED, NULL, false },
    { "failed, with a response", TXID META OID "A20D A10B 800105 81010C 8203010203", NULL, false },
    { "no ICCID", TXID "BF2F0F 800105 81020780 0C06 61622E636465" OID FAILED, NULL, false },
    { "AID of 5", TXID META OID "A20B A009 4F05 A000000559 0400", NULL, true },
    { "transactionId of 15", "800F c1a69c0dce9919cbdb2801108a0104" META OID GOOD, "transactionId", 0 },
    { "no transactionId", META OID GOOD, "transactionId", 0 },
    { "transactionId twice", TXID TXID META OID GOOD, "BF2F", 0 },
    { "no metadata", TXID OID GOOD, "BF2F", 0 },
    { "no sequence number", TXID "BF2F18 81020780 0C06 61622E636465 5A0A98001032547698103214" OID GOOD, "sequence", 0 },
    { "negative sequence number", TXID "BF2F0F 800185 81020780 0C06 61622E636465" OID GOOD, "sequence", 0 },
    { "no operation", TXID "BF2F0B 800105 0C06 61622E636465" OID GOOD, "operation", 0 },
    { "empty operation", TXID "BF2F0D 800105 8100 0C06 61622E636465" OID GOOD, "operation", 0 },
    { "8 unused bits", TXID "BF2F0F 800105 81020880 0C06 61622E636465" OID GOOD, "operation", 0 },
    { "unused bits set", TXID "BF2F0F 800105 810207FF 0C06 61622E636465" OID GOOD, "operation", 0 },
    { "no address", TXID "BF2F07 800105 81020780" OID GOOD, "address", 0 },
    { "escape in the address", TXID "BF2F0F 800105 81020780 0C06 61621B636465" OID GOOD, "address", 0 },
    { "ICCID of 9", TXID "BF2F1A 800105 81020780 0C06 61622E636465 5A09980010325476981032" OID GOOD, "ICCID", 0 },
    { "something after the ICCID", TXID "BF2F1D 800105 81020780 0C06 61622E636465 5A0A98001032547698103214 8300" OID GOOD, "ICCID", 0 },
    { "no OID", TXID META GOOD, "OID", 0 },
    { "malformed OID", TXID META "0602 8880" GOOD, "OID", 0 },
    { "no finalResult", TXID META OID, "does not end", 0 },
    { "something after it", TXID META OID GOOD "8300", "does not end", 0 },
    { "empty choice", TXID META OID "A200", "not one choice", 0 },
    { "both choices", TXID META OID "A21E A014 4F10 A0000005591010FFFFFFFF8900001100 0400 A106 800105 81010C", "not one choice", 0 },
    { "a third choice", TXID META OID "A202 A200", "malformed finalResult", 0 },
    { "AID of 4", TXID META OID "A20A A008 4F04 A0000005 0400", "malformed finalResult", 0 },
    { "AID of 17", TXID META OID "A217 A015 4F11 A0000005591010FFFFFFFF890000110000 0400", "malformed finalResult", 0 },
    { "no response", TXID META OID "A214 A012 4F10 A0000005591010FFFFFFFF8900001100", "malformed finalResult", 0 },
    { "something after the response", TXID META OID "A218 A016 4F10 A0000005591010FFFFFFFF8900001100 0400 0400", "malformed finalResult", 0 },
    { "no reason", TXID META OID "A205 A103 800105", "malformed finalResult", 0 },
    { "reason twice", TXID META OID "A20B A109 800105 81010C 81010C", "malformed finalResult", 0 },
    { "reason beyond any", TXID META OID "A20B A109 800105 810401000000", "malformed finalResult", 0 },
};

START_TEST(results)
{
    AUTO(buf_clear) struct buf b = result_of(result_rows[_i].members);
    struct install_result r = { .command = 77 };
    struct err e = ERR_INIT;
    int got = install_result_parse(buf_span(&b), &r, &e);

    ck_assert_msg((got == 0) == (result_rows[_i].says == NULL), "%s: %s",
                  result_rows[_i].name, e.msg);
    if (got != 0) {
        ck_assert_msg(e.code == ERR_FORMAT &&
                          strstr(e.msg, result_rows[_i].says),
                      "%s: %s", result_rows[_i].name, e.msg);
        ck_assert_msg(r.command == 77, "%s: touched", result_rows[_i].name);
        return;
    }
    ck_assert_msg(r.installed == result_rows[_i].installed, "%s",
                  result_rows[_i].name);
    ck_assert_msg(install_result_verify(&r, sk, &r.txid, &e) == 0, "%s: %s",
                  result_rows[_i].name, e.msg);
    for (size_t n = 0; n < b.n; n++)
        ck_assert_int_eq(install_result_parse(span_sub(buf_span(&b), 0, n), &r,
                                              &e), -1);
}
END_TEST

START_TEST(result_says)
{
    AUTO(buf_clear) struct buf good = result_of(TXID META OID GOOD);
    AUTO(buf_clear) struct buf bad = result_of(TXID META OID FAILED);
    struct install_result r;
    struct err e = ERR_INIT;
    char text[ICCID_DIGITS + 1];

    ck_assert_int_eq(install_result_parse(buf_span(&good), &r, &e), 0);
    ck_assert_uint_eq(r.txid.o[0], 0xc1);
    ck_assert_uint_eq(r.meta.seq, 5);
    ck_assert_uint_eq(r.meta.op, NOTIFICATION_EVENT_INSTALL);
    ck_assert_str_eq(r.meta.address, "ab.cde");
    ck_assert(r.meta.has_iccid);
    ck_assert_str_eq(iccid_format(&r.meta.iccid, text),
                     "89000123456789012341");
    ck_assert_str_eq(r.smdp_oid, "2.999.10");
    ck_assert_uint_eq(r.aid.n, 16);
    ck_assert_int_eq(install_result_parse(buf_span(&bad), &r, &e), 0);
    ck_assert_uint_eq(r.command, 5);
    ck_assert_uint_eq(r.reason, 12);
    ck_assert_str_eq(bpp_command_name(5), "load profile elements");
    ck_assert_str_eq(install_error_name(12),
                     "profile element processing error");
    ck_assert_str_eq(install_error_name(127), "unknown error");
    ck_assert_str_eq(install_error_name(0), install_error_name(60000));
    ck_assert_str_eq(bpp_command_name(6), install_error_name(126));
}
END_TEST

START_TEST(result_proves)
{
    AUTO(buf_clear) struct buf b = result_of(TXID META OID GOOD);
    struct install_result r;
    struct err e = ERR_INIT;
    struct txid want;

    ck_assert_int_eq(install_result_parse(buf_span(&b), &r, &e), 0);
    want = r.txid;
    ck_assert_int_eq(install_result_verify(&r, sk, NULL, &e), 0);
    ck_assert_int_eq(install_result_verify(&r, other, &want, &e), -1);
    ck_assert_int_eq(e.code, ERR_SIGNATURE);
    want.o[15] ^= 1;
    ck_assert_int_eq(install_result_verify(&r, sk, &want, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    want = r.txid;
    /* No octet can change and still be believed. */
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] ^= 1;
        ck_assert_msg(install_result_parse(buf_span(&b), &r, &e) != 0 ||
                          install_result_verify(&r, sk, &want, &e) != 0,
                      "octet %zu", i);
        b.p[i] ^= 1;
    }
}
END_TEST

START_TEST(result_wrapping)
{
    static const struct {
        const char *name;
        uint32_t outer, inner;
        const char *tail;
    } rows[] = {
        { "another tag", 0xBF36, 0xBF27, "" },
        { "another tag inside", 0xBF37, 0xBF2F, "" },
        { "something after the signature", 0xBF37, 0xBF27, "3000" },
    };
    struct install_result r;
    struct err e = ERR_INIT;

    for (int i = 0; i < ROWS(rows); i++) {
        AUTO(buf_clear) struct buf b = signed_by(
            rows[i].outer, rows[i].inner, TXID META OID GOOD, rows[i].tail);
        ck_assert_msg(install_result_parse(buf_span(&b), &r, &e) == -1, "%s",
                      rows[i].name);
        ck_assert_msg(e.code == ERR_FORMAT, "%s", rows[i].name);
    }
    AUTO(buf_clear) struct buf b = result_of(TXID META OID GOOD);
    buf_put_u8(&b, 0);
    ck_assert_int_eq(install_result_parse(buf_span(&b), &r, &e), -1);
    uint8_t *more = buf_reserve(&b, EVIDENCE_MAX);
    ck_assert_ptr_nonnull(more);
    memset(more, 0, EVIDENCE_MAX);
    b.n += EVIDENCE_MAX;
    ck_assert_int_eq(install_result_parse(buf_span(&b), &r, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

/* --- receipts ---------------------------------------------------------------- */

#define EID "5A10" EID_TEXT
#define NONCE "8410 000102030405060708090a0b0c0d0e0f"
#define COUNTS "810107 820103 830100"

static const struct {
    const char *name;
    uint32_t outer;
    const char *members, *tail;
    enum err_code want;
} receipt_rows[] = {
    { "keys deleted", TAG_DELETE_OTK, EID "800172" COUNTS NONCE, "", ERR_NONE },
    { "closed", TAG_CLOSE_FPA, EID "800173" COUNTS NONCE, "", ERR_NONE },
    { "wrapped in something else", TAG_SEQUENCE, EID "800172" COUNTS NONCE, "", ERR_FORMAT },
    { "tag and function differ", TAG_CLOSE_FPA, EID "800172" COUNTS NONCE, "", ERR_CONFLICT },
    { "function of two octets", TAG_DELETE_OTK, EID "80020172" COUNTS NONCE, "", ERR_FORMAT },
    { "no EID", TAG_DELETE_OTK, "800172" COUNTS NONCE, "", ERR_FORMAT },
    { "EID with a wrong check", TAG_DELETE_OTK, "5A1089049032777298113660073133622108 800172" COUNTS NONCE, "", ERR_FORMAT },
    { "no counts", TAG_DELETE_OTK, EID "800172" NONCE, "", ERR_FORMAT },
    { "negative count", TAG_DELETE_OTK, EID "800172 810107 820183 830100" NONCE, "", ERR_FORMAT },
    { "no nonce", TAG_DELETE_OTK, EID "800172" COUNTS, "", ERR_FORMAT },
    { "nonce of 15", TAG_DELETE_OTK, EID "800172" COUNTS "840F 000102030405060708090a0b0c0d0e", "", ERR_FORMAT },
    { "something after the nonce", TAG_DELETE_OTK, EID "800172" COUNTS NONCE "8500", "", ERR_FORMAT },
    { "something after the signature", TAG_DELETE_OTK, EID "800172" COUNTS NONCE, "3000", ERR_FORMAT },
};

START_TEST(receipts)
{
    AUTO(buf_clear) struct buf b =
        signed_by(receipt_rows[_i].outer, TAG_SEQUENCE,
                  receipt_rows[_i].members, receipt_rows[_i].tail);
    struct receipt r;
    struct err e = ERR_INIT;
    int got = receipt_parse(buf_span(&b), &r, &e);

    ck_assert_msg((got == 0) == (receipt_rows[_i].want == ERR_NONE), "%s: %s",
                  receipt_rows[_i].name, e.msg);
    if (got != 0) {
        ck_assert_msg(e.code == receipt_rows[_i].want, "%s: %s",
                      receipt_rows[_i].name, e.msg);
        return;
    }
    ck_assert_uint_eq(r.seq, 7);
    ck_assert_uint_eq(r.deleted, 3);
    ck_assert_uint_eq(r.left, 0);
    ck_assert(span_eq(r.whole, buf_span(&b)));
    for (size_t n = 0; n < b.n; n++)
        ck_assert_int_eq(receipt_parse(span_sub(buf_span(&b), 0, n), &r, &e),
                         -1);
}
END_TEST

START_TEST(receipt_proves)
{
    AUTO(buf_clear) struct buf b = signed_by(
        TAG_DELETE_OTK, TAG_SEQUENCE, EID "800172" COUNTS NONCE, "");
    struct receipt r;
    struct err e = ERR_INIT;
    struct eid eid;
    uint8_t nonce[16];

    for (unsigned i = 0; i < 16; i++)
        nonce[i] = (uint8_t)i;
    eid_parse(EID_TEXT, &eid);
    ck_assert_int_eq(receipt_parse(buf_span(&b), &r, &e), 0);
    ck_assert_int_eq(receipt_verify(&r, sk, &eid, 0x72, nonce, &e), 0);
    ck_assert_int_eq(receipt_verify(&r, sk, &eid, 0x72, NULL, &e), 0);
    ck_assert_int_eq(receipt_verify(&r, other, &eid, 0x72, nonce, &e), -1);
    ck_assert_int_eq(e.code, ERR_SIGNATURE);
    ck_assert_int_eq(receipt_verify(&r, sk, &eid, 0x73, nonce, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    nonce[0] ^= 1;
    ck_assert_int_eq(receipt_verify(&r, sk, &eid, 0x72, nonce, &e), -1);
    ck_assert_int_eq(e.code, ERR_REPLAY);
    nonce[0] ^= 1;
    eid.o[0] ^= 1;
    ck_assert_int_eq(receipt_verify(&r, sk, &eid, 0x72, nonce, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    eid.o[0] ^= 1;
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] ^= 1;
        ck_assert_msg(receipt_parse(buf_span(&b), &r, &e) != 0 ||
                          receipt_verify(&r, sk, &eid, 0x72, nonce, &e) != 0,
                      "octet %zu", i);
        b.p[i] ^= 1;
    }
    ck_assert(receipt_tag(TAG_DELETE_OTK) && receipt_tag(TAG_CLOSE_FPA) &&
              !receipt_tag(TAG_SEQUENCE));
}
END_TEST

/* --- notifications ----------------------------------------------------------- */

#define DELETED "800109 81020410 0C06 61622E636465 5A0A98001032547698103214"

static const struct {
    const char *name;
    uint32_t outer, inner;
    const char *members, *tail;
    bool good;
} note_rows[] = {
    { "deletion", TAG_SEQUENCE, TAG_NOTIFICATION_METADATA, DELETED, "3000 3000", true },
    { "one certificate", TAG_SEQUENCE, TAG_NOTIFICATION_METADATA, DELETED, "3000", false },
    { "three certificates", TAG_SEQUENCE, TAG_NOTIFICATION_METADATA, DELETED, "3000 3000 3000", false },
    { "no certificates", TAG_SEQUENCE, TAG_NOTIFICATION_METADATA, DELETED, "", false },
    { "no metadata", TAG_SEQUENCE, TAG_SEQUENCE, DELETED, "3000 3000", false },
    { "malformed metadata", TAG_SEQUENCE, TAG_NOTIFICATION_METADATA, "8000", "3000 3000", false },
    { "another tag", TAG_SET, TAG_NOTIFICATION_METADATA, DELETED, "3000 3000", false },
};

START_TEST(notifications)
{
    AUTO(buf_clear) struct buf b =
        signed_by(note_rows[_i].outer, note_rows[_i].inner,
                  note_rows[_i].members, note_rows[_i].tail);
    struct notification n;
    struct err e = ERR_INIT;
    int got = notification_parse(buf_span(&b), &n, &e);

    ck_assert_msg((got == 0) == note_rows[_i].good, "%s: %s",
                  note_rows[_i].name, e.msg);
    if (got != 0) {
        ck_assert_msg(e.code == ERR_FORMAT, "%s", note_rows[_i].name);
        return;
    }
    ck_assert(!n.is_result);
    ck_assert_uint_eq(n.meta.seq, 9);
    ck_assert_uint_eq(n.meta.op, NOTIFICATION_EVENT_DELETE);
    ck_assert_int_eq(notification_verify(&n, sk, &e), 0);
    ck_assert_int_eq(notification_verify(&n, other, &e), -1);
    ck_assert_int_eq(e.code, ERR_SIGNATURE);
    buf_put_u8(&b, 0);
    ck_assert_int_eq(notification_parse(buf_span(&b), &n, &e), -1);
}
END_TEST

START_TEST(notification_that_is_a_result)
{
    AUTO(buf_clear) struct buf b = result_of(TXID META OID FAILED);
    struct notification n;
    struct err e = ERR_INIT;

    ck_assert_int_eq(notification_parse(buf_span(&b), &n, &e), 0);
    ck_assert(n.is_result && !n.result.installed);
    ck_assert_uint_eq(n.meta.seq, 5);
    ck_assert_int_eq(notification_verify(&n, sk, &e), 0);
    ck_assert_int_eq(notification_verify(&n, other, &e), -1);
    buf_put_u8(&b, 0);
    ck_assert_int_eq(notification_parse(buf_span(&b), &n, &e), -1);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "results", results, ROWS(result_rows) },
        { "what a result says", result_says, 1 },
        { "what it proves", result_proves, 1 },
        { "wrapping", result_wrapping, 1 },
        { "receipts", receipts, ROWS(receipt_rows) },
        { "what a receipt proves", receipt_proves, 1 },
        { "notifications", notifications, ROWS(note_rows) },
        { "result as notification", notification_that_is_a_result, 1 },
    };
    sk = EVP_EC_gen("prime256v1");
    other = EVP_EC_gen("prime256v1");
    int r = sk && other ? run_tests("ifpp/evidence", tests,
                                    sizeof tests / sizeof *tests) : 1;
    EVP_PKEY_free(sk);
    EVP_PKEY_free(other);
    return r;
}
