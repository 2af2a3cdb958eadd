/* The secure channel against packages that somebody else made, and against
 * every way a segment can be wrong. */
#include "station/ifpp/tags.h"
#include "tests/lab/smdpf/bsp.h"
#include "tests/unit/lab_smdpf/vector.h"

#include <check.h>
#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

static struct bsp *channel(const struct bsp_keys *k)
{
    struct bsp *b;
    struct err e = ERR_INIT;

    ck_assert_msg(bsp_new(&b, &e) == 0, "%s", e.msg);
    ck_assert_msg(bsp_start(b, k, &e) == 0, "%s", e.msg);
    return b;
}

static const struct bsp_keys some_keys = { { 1 }, { 2 }, { 3 } };

START_TEST(derives_what_the_vector_says)
{
    struct vector v;
    struct bsp_keys k;
    struct bsp *b;
    struct err e = ERR_INIT;

    if (!vector_load(_i, &v))
        return;
    ck_assert(bsp_new(&b, &e) == 0);
    struct span host = SPAN(v.host_id, v.host_id_len);
    ck_assert_msg(bsp_derive(b, v.euicc_otsk, SPAN_ARRAY(v.dp_otpk), host,
                             &v.eid, &k, &e) == 0, "%s", e.msg);
    ck_assert_mem_eq(&k, &v.session, sizeof k);
    ck_assert_msg(bsp_derive(b, v.dp_otsk, SPAN_ARRAY(v.euicc_otpk), host,
                             &v.eid, &k, &e) == 0, "%s", e.msg);
    ck_assert_mem_eq(&k, &v.session, sizeof k);
    /* The EID enters only through the KDF: another one, other keys. */
    struct eid other = v.eid;
    other.o[15] ^= 1;
    ck_assert(bsp_derive(b, v.dp_otsk, SPAN_ARRAY(v.euicc_otpk), host, &other,
                         &k, &e) == 0);
    ck_assert(memcmp(&k, &v.session, sizeof k) != 0);
    bsp_free(b);
    vector_clear(&v);
}
END_TEST

static void open_all(struct bsp *b, struct span segments, uint32_t tag,
                     struct buf *out)
{
    struct tlv s;
    struct err e = ERR_INIT;

    while (segments.n) {
        ck_assert(der_take(&segments, tag, &s) == 0);
        int got = tag == TAG_SEG_MAC ? bsp_open_mac(b, &s, out, &e)
                                     : bsp_open_enc(b, &s, out, &e);
        ck_assert_msg(got == 0, "%s", e.msg);
    }
}

START_TEST(opens_the_vector)
{
    struct vector v;
    struct tlv bpp, isc, a0, a1, a2, a3;
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    struct err e = ERR_INIT;

    if (!vector_load(_i, &v))
        return;
    struct span in = buf_span(&v.bpp);
    ck_assert(der_take(&in, TAG_BPP, &bpp) == 0);
    ck_assert(der_take(&bpp.value, TAG_INIT_SECURE_CHANNEL, &isc) == 0);
    ck_assert(der_take(&bpp.value, 0xA0, &a0) == 0);
    ck_assert(der_take(&bpp.value, 0xA1, &a1) == 0);
    ck_assert(der_take_optional(&bpp.value, 0xA2, &a2) == v.has_ppk);
    ck_assert(der_take(&bpp.value, 0xA3, &a3) == 0);

    struct bsp *b = channel(&v.session);
    open_all(b, a0.value, TAG_SEG_ENC, &plain);
    ck_assert_msg(plain.n >= 3 && plain.p[0] == 0xBF && plain.p[1] == 0x24,
                  "ConfigureISDP");
    buf_reset(&plain);
    open_all(b, a1.value, TAG_SEG_MAC, &plain);
    ck_assert_msg(plain.n >= 3 && plain.p[0] == 0xBF && plain.p[1] == 0x25,
                  "StoreMetadata");
    if (v.has_ppk) {
        struct bsp_keys ppk;
        buf_reset(&plain);
        open_all(b, a2.value, TAG_SEG_ENC, &plain);
        ck_assert_msg(bsp_keys_take(buf_span(&plain), &ppk, &e) == 0, "%s", e.msg);
        ck_assert_mem_eq(&ppk, &v.ppk, sizeof ppk);
        ck_assert(bsp_start(b, &ppk, &e) == 0);
    }
    buf_reset(&plain);
    open_all(b, a3.value, TAG_SEG_PROFILE, &plain);
    ck_assert(span_eq(buf_span(&plain), buf_span(&v.upp)));
    bsp_free(b);
    vector_clear(&v);
}
END_TEST

/* Every length up to the bound comes back, in segments within the bound. */
START_TEST(seals_and_opens)
{
    bool enc = _i;
    size_t max = enc ? BPP_PLAIN_MAX : BPP_PLAIN_MAC_ONLY_MAX;
    struct bsp *tx = channel(&some_keys), *rx = channel(&some_keys);
    AUTO(buf_clear) struct buf seg = BUF_INIT;
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    uint8_t text[BPP_PLAIN_MAC_ONLY_MAX + 1];
    struct err e = ERR_INIT;

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i % 7 ? i : 0x80); /* looks like padding at times */
    for (size_t n = 0; n <= max; n++) {
        struct tlv s;
        buf_reset(&seg);
        buf_reset(&plain);
        ck_assert((enc ? bsp_seal_enc(tx, 0x86, SPAN(text, n), &seg, &e)
                       : bsp_seal_mac(tx, 0x88, SPAN(text, n), &seg, &e)) == 0);
        ck_assert_uint_le(seg.n, BPP_SEGMENT_MAX);
        struct span in = buf_span(&seg);
        ck_assert(der_next(&in, &s) == DER_OK && in.n == 0);
        ck_assert_msg((enc ? bsp_open_enc(rx, &s, &plain, &e)
                           : bsp_open_mac(rx, &s, &plain, &e)) == 0,
                      "%zu octets: %s", n, e.msg);
        ck_assert(span_eq(buf_span(&plain), SPAN(text, n)));
    }
    ck_assert_uint_eq(seg.n, BPP_SEGMENT_MAX);
    ck_assert((enc ? bsp_seal_enc(tx, 0x86, SPAN(text, max + 1), &seg, &e)
                   : bsp_seal_mac(tx, 0x88, SPAN(text, max + 1), &seg, &e)) != 0);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    bsp_free(tx);
    bsp_free(rx);
}
END_TEST

/* A segment that bsp_seal_enc refuses to make: n octets of blocks, made with
 * OpenSSL alone, under some_keys as the first segment. */
static void foreign_segment(const uint8_t *blocks, size_t n, struct buf *out)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    AUTO(buf_clear) struct buf maced = BUF_INIT;
    uint8_t icv[16], counter[16] = { [15] = 1 }, ct[1040], mac[16];
    size_t mac_len;
    int got;

    ck_assert(EVP_EncryptInit_ex2(c, EVP_aes_128_ecb(), some_keys.enc, NULL,
                                  NULL) == 1 &&
              EVP_EncryptUpdate(c, icv, &got, counter, 16) == 1 && got == 16);
    ck_assert(EVP_EncryptInit_ex2(c, EVP_aes_128_cbc(), some_keys.enc, icv,
                                  NULL) == 1 &&
              EVP_EncryptUpdate(c, ct, &got, blocks, (int)n) == 1 &&
              (size_t)got == n);
    EVP_CIPHER_CTX_free(c);
    der_put_header(out, 0x86, n + BSP_MAC_LEN);
    buf_put_span(&maced, SPAN_ARRAY(some_keys.chain));
    buf_put_span(&maced, buf_span(out));
    buf_put(&maced, ct, n);
    ck_assert(EVP_Q_mac(NULL, "CMAC", NULL, "AES-128-CBC", NULL, some_keys.mac,
                        16, maced.p, maced.n, mac, sizeof mac,
                        &mac_len) != NULL);
    buf_put(out, ct, n);
    buf_put(out, mac, BSP_MAC_LEN);
}

static int open_first(struct buf *segment, struct buf *plain, struct err *e)
{
    struct bsp *rx = channel(&some_keys);
    struct span in = buf_span(segment);
    struct tlv s;

    ck_assert(der_next(&in, &s) == DER_OK && in.n == 0);
    int got = bsp_open_enc(rx, &s, plain, e);
    bsp_free(rx);
    return got;
}

/* Cut at 1008 instead of 1007, as one known implementation does: 1036 octets
 * are read. One block more is refused. */
START_TEST(reads_1036)
{
    AUTO(buf_clear) struct buf seg = BUF_INIT;
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    uint8_t blocks[1040] = { [0] = 9, [1008] = 0x80 };
    struct err e = ERR_INIT;

    foreign_segment(blocks, 1024, &seg);
    ck_assert_uint_eq(seg.n, BPP_SEGMENT_READ_MAX);
    ck_assert_msg(open_first(&seg, &plain, &e) == 0, "%s", e.msg);
    ck_assert(span_eq(buf_span(&plain), SPAN(blocks, 1008)));

    buf_reset(&seg);
    foreign_segment(blocks, 1040, &seg);
    ck_assert(open_first(&seg, &plain, &e) != 0);
    ck_assert_int_eq(e.code, ERR_FORMAT);
}
END_TEST

/* Any changed octet of a segment, its tag and length too, breaks the MAC. */
START_TEST(every_change_is_seen)
{
    bool enc = _i;
    AUTO(buf_clear) struct buf seg = BUF_INIT;
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    struct bsp *b = channel(&some_keys);
    struct err e = ERR_INIT;
    uint8_t text[40] = { 7 };

    ck_assert((enc ? bsp_seal_enc(b, 0x87, SPAN_ARRAY(text), &seg, &e)
                   : bsp_seal_mac(b, 0x88, SPAN_ARRAY(text), &seg, &e)) == 0);
    for (size_t i = 0; i < seg.n; i++) {
        struct tlv s = { .whole = buf_span(&seg),
                         .value = span_sub(buf_span(&seg), 2, seg.n) };
        seg.p[i] ^= 1;
        ck_assert(bsp_start(b, &some_keys, &e) == 0);
        ck_assert((enc ? bsp_open_enc(b, &s, &plain, &e)
                       : bsp_open_mac(b, &s, &plain, &e)) != 0);
        ck_assert_msg(e.code == ERR_SIGNATURE, "octet %zu: %s", i, e.msg);
        ck_assert_uint_eq(plain.n, 0);
        seg.p[i] ^= 1;
    }
    bsp_free(b);
}
END_TEST

/* The same plaintext twice: the counter makes other ciphertext, and segments
 * in another order do not open. */
START_TEST(order_is_bound)
{
    struct bsp *tx = channel(&some_keys), *rx = channel(&some_keys);
    AUTO(buf_clear) struct buf one = BUF_INIT;
    AUTO(buf_clear) struct buf two = BUF_INIT;
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    struct tlv s;
    struct err e = ERR_INIT;

    ck_assert(bsp_seal_enc(tx, 0x86, SPAN_STR("same"), &one, &e) == 0);
    ck_assert(bsp_seal_enc(tx, 0x86, SPAN_STR("same"), &two, &e) == 0);
    ck_assert(memcmp(one.p + 2, two.p + 2, 16) != 0);
    struct span in = buf_span(&two);
    ck_assert(der_next(&in, &s) == DER_OK);
    ck_assert(bsp_open_enc(rx, &s, &plain, &e) != 0);
    ck_assert_int_eq(e.code, ERR_SIGNATURE);
    bsp_free(tx);
    bsp_free(rx);
}
END_TEST

/* No padding at all, or more than a block of it: MACed, yet refused. */
START_TEST(padding_is_checked)
{
    static const uint8_t blocks[][32] = {
        { 0 },          /* never an 80 */
        { [15] = 0x80 },/* a whole block of zeros after the last */
        { [31] = 0x81 },
    };
    struct err e = ERR_INIT;

    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        AUTO(buf_clear) struct buf seg = BUF_INIT;
        AUTO(buf_clear) struct buf plain = BUF_INIT;
        foreign_segment(blocks[i], sizeof blocks[i], &seg);
        ck_assert(open_first(&seg, &plain, &e) != 0);
        ck_assert_msg(e.code == ERR_FORMAT, "%zu: %s", i, e.msg);
        ck_assert_uint_eq(plain.n, 0);
    }
}
END_TEST

/* A point off the curve, compressed, or of the other curve is no peer. */
START_TEST(peer_must_be_on_the_curve)
{
    static const char *const curves[] = { "P-256", "brainpoolP256r1" };
    EVP_PKEY *k[2];
    uint8_t point[2][65];
    struct bsp *b;
    struct bsp_keys out, back;
    struct eid eid = { { 0x89 } };
    struct err e = ERR_INIT;
    size_t n;

    ck_assert(bsp_new(&b, &e) == 0);
    for (int i = 0; i < 2; i++) {
        k[i] = EVP_EC_gen(curves[i]);
        ck_assert(k[i] != NULL);
        ck_assert(EVP_PKEY_get_octet_string_param(k[i], "pub", point[i], 65,
                                                  &n) == 1 && n == 65);
    }
    for (int i = 0; i < 2; i++) {
        EVP_PKEY *mine = EVP_EC_gen(curves[i]);
        uint8_t mine_pub[65];
        ck_assert(EVP_PKEY_get_octet_string_param(mine, "pub", mine_pub, 65,
                                                  &n) == 1 && n == 65);
        ck_assert_msg(bsp_derive(b, mine, SPAN_ARRAY(point[i]), SPAN_STR("h"),
                                 &eid, &out, &e) == 0, "%s", e.msg);
        ck_assert(bsp_derive(b, k[i], SPAN_ARRAY(mine_pub), SPAN_STR("h"),
                             &eid, &back, &e) == 0);
        ck_assert_mem_eq(&out, &back, sizeof out);
        ck_assert(bsp_derive(b, mine, SPAN_ARRAY(point[!i]), SPAN_STR("h"),
                             &eid, &out, &e) != 0);
        ck_assert_int_eq(e.code, ERR_FORMAT);
        point[i][64] ^= 1;
        ck_assert(bsp_derive(b, mine, SPAN_ARRAY(point[i]), SPAN_STR("h"),
                             &eid, &out, &e) != 0);
        point[i][64] ^= 1;
        ck_assert(bsp_derive(b, mine, SPAN(point[i], 33), SPAN_STR("h"), &eid,
                             &out, &e) != 0);
        EVP_PKEY_free(mine);
    }
    EVP_PKEY_free(k[0]);
    EVP_PKEY_free(k[1]);
    bsp_free(b);
}
END_TEST

START_TEST(bf26_is_strict)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct bsp_keys k;
    struct err e = ERR_INIT;

    bsp_keys_put(&b, &some_keys);
    ck_assert(bsp_keys_take(buf_span(&b), &k, &e) == 0);
    ck_assert_mem_eq(&k, &some_keys, sizeof k);
    for (size_t n = 0; n < b.n; n++)
        ck_assert(bsp_keys_take(SPAN(b.p, n), &k, &e) != 0);
    buf_put_u8(&b, 0);
    ck_assert(bsp_keys_take(buf_span(&b), &k, &e) != 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab_smdpf/bsp");
    TCase *t = tcase_create("bsp");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, derives_what_the_vector_says, 0, VECTORS);
    tcase_add_loop_test(t, opens_the_vector, 0, VECTORS);
    tcase_add_loop_test(t, seals_and_opens, 0, 2);
    tcase_add_test(t, reads_1036);
    tcase_add_loop_test(t, every_change_is_seen, 0, 2);
    tcase_add_test(t, order_is_bound);
    tcase_add_test(t, padding_is_checked);
    tcase_add_test(t, peer_must_be_on_the_curve);
    tcase_add_test(t, bf26_is_strict);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
