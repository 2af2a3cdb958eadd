/* Local profile management, and notifications that outlive the power: SGP.22
 * 5.7.9 to 5.7.19 as binding clause 4 reuses them. */
#include "tests/unit/lab_euicc/chip.h"

#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "tests/lab/euicc/meta.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct desk d;

static void setup(void)
{
    desk_make(&d, &(struct desk_options){ .keys = DESK_KEYS });
    desk_start(&d, NULL);
    desk_install(&d, 0, 1);
    desk_install(&d, 1, 2);
}

static void teardown(void)
{
    desk_clear(&d);
}

/* {80 result} of an act on profile n, named by its ICCID or (aid) AID. */
static unsigned act(uint32_t tag, unsigned n, bool by_aid)
{
    static uint8_t aid[16] = { 0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0xFF,
                               0xFF, 0xFF, 0xFF, 0x89, 0x00, 0x00, 0x10, 0 };
    AUTO(buf_clear) struct buf cmd = BUF_INIT, answer = BUF_INIT;
    struct iccid iccid = desk_iccid(n);
    struct tlv all, r;
    uint8_t no = 0;

    aid[14] = (uint8_t)(0x0F + n); /* in order of installation */
    size_t m = der_open(&cmd), id = der_open(&cmd);
    if (by_aid)
        der_put(&cmd, TAG_AID, SPAN_ARRAY(aid));
    else
        der_put(&cmd, TAG_ICCID, SPAN_ARRAY(iccid.o));
    if (tag != TAG_DELETE) {
        der_close(&cmd, 0xA0, id);
        der_put(&cmd, 0x81, SPAN(&no, 1));
    }
    der_close(&cmd, tag, m);
    ck_assert_uint_eq(desk_send(&d, buf_span(&cmd), &answer), 0x9000);
    struct span in = buf_span(&answer);
    ck_assert(der_take(&in, tag, &all) == 0 && in.n == 0);
    ck_assert(der_take(&all.value, 0x80, &r) == 0 && r.value.n == 1);
    return r.value.p[0];
}

static bool enabled(unsigned n)
{
    bool on = false;

    return desk_has_profile(&d, n, &on) && on;
}

/* A walk through all states; what each act answers. */
static const struct step {
    uint32_t tag;
    unsigned n;
    bool by_aid;
    unsigned want;
    bool on1, on2; /* afterwards */
} steps[] = {
    { TAG_ENABLE, 1, false, 0, true, false },
    { TAG_ENABLE, 1, false, 2, true, false },  /* not disabled            */
    { TAG_ENABLE, 3, false, 1, true, false },  /* not there               */
    { TAG_DELETE, 1, false, 2, true, false },  /* an enabled one          */
    { TAG_ENABLE, 2, true, 0, false, true },   /* disables the other      */
    { TAG_DISABLE, 1, false, 2, false, true }, /* not enabled             */
    { TAG_DISABLE, 2, true, 0, false, false },
    { TAG_DISABLE, 3, true, 1, false, false },
    { TAG_DELETE, 2, true, 0, false, false },
    { TAG_DELETE, 2, true, 1, false, false },
    { TAG_ENABLE, 2, false, 1, false, false },
    { TAG_ENABLE, 1, true, 0, true, false },
};

START_TEST(states)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const struct step *s = &steps[i];
        unsigned got = act(s->tag, s->n, s->by_aid);
        ck_assert_msg(got == s->want, "step %zu: %u", i, got);
        ck_assert_msg(enabled(1) == s->on1 && enabled(2) == s->on2,
                      "step %zu", i);
    }
    ck_assert(!desk_has_profile(&d, 2, NULL));
    desk_start(&d, NULL);
    ck_assert(enabled(1));
}
END_TEST

struct seen {
    uint64_t seq;
    uint8_t op;
};

/* BF2F: its numbers. */
static struct seen read_meta(struct span value)
{
    struct tlv seq, op, address, iccid;
    struct seen s;

    ck_assert(der_take(&value, 0x80, &seq) == 0);
    ck_assert(der_uint(seq.value, &s.seq) == 0);
    ck_assert(der_take(&value, 0x81, &op) == 0);
    ck_assert(event_read(op.value, &s.op) == 0);
    ck_assert(der_take(&value, TAG_UTF8, &address) == 0);
    ck_assert(span_eq(address.value, SPAN(DESK_FQDN, strlen(DESK_FQDN))));
    ck_assert(der_take(&value, TAG_ICCID, &iccid) == 0 && value.n == 0);
    return s;
}

/* BF28: at most max; how many. */
static size_t list(const char *request, struct seen *out, size_t max)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct tlv all, in, meta;
    size_t n = 0;

    ck_assert_uint_eq(desk_send_hex(&d, request, &answer), 0x9000);
    struct span s = buf_span(&answer);
    ck_assert(der_take(&s, TAG_LIST_NOTIFICATION, &all) == 0 && s.n == 0);
    ck_assert(der_take(&all.value, 0xA0, &in) == 0 && all.value.n == 0);
    while (der_take(&in.value, TAG_NOTIFICATION_METADATA, &meta) == 0) {
        ck_assert_uint_lt(n, max);
        out[n++] = read_meta(meta.value);
    }
    ck_assert(in.value.n == 0);
    return n;
}

/* Everything that BF2B gives is signed, and comes with the chip's chain. */
static void check_all_signed(size_t want)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT, eum = BUF_INIT;
    struct tlv all, in, one, meta, sign, cert;
    struct err e = ERR_INIT;
    size_t n = 0;

    ck_assert(cert_put(d.eum.cert, &eum, &e) == 0);
    ck_assert_uint_eq(desk_send_hex(&d, "BF2B00", &answer), 0x9000);
    struct span s = buf_span(&answer);
    ck_assert(der_take(&s, TAG_RETRIEVE_NOTIFICATIONS, &all) == 0);
    ck_assert(der_take(&all.value, 0xA0, &in) == 0);
    for (; der_next(&in.value, &one) == DER_OK; n++) {
        bool result = one.tag == TAG_INSTALL_RESULT;
        s = one.value;
        ck_assert(der_next(&s, &meta) == DER_OK);
        ck_assert(der_take(&s, TAG_SIGNATURE, &sign) == 0);
        ck_assert(desk_signed(&d, meta.whole, sign.value));
        if (!result) {
            ck_assert_uint_eq(one.tag, TAG_SEQUENCE);
            ck_assert(der_take(&s, TAG_SEQUENCE, &cert) == 0);
            ck_assert(span_eq(cert.whole, buf_span(&d.cert)));
            ck_assert(der_take(&s, TAG_SEQUENCE, &cert) == 0);
            ck_assert(span_eq(cert.whole, buf_span(&eum)));
        }
        ck_assert(s.n == 0);
    }
    ck_assert_uint_eq(n, want);
}

START_TEST(notifications)
{
    static const uint8_t ops[] = { 0x80, 0x80, 0x40, 0x20, 0x40, 0x20, 0x10 };
    const size_t n = sizeof ops;
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct seen got[16];

    ck_assert_uint_eq(act(TAG_ENABLE, 1, false), 0);
    ck_assert_uint_eq(act(TAG_ENABLE, 2, false), 0);
    ck_assert_uint_eq(act(TAG_DISABLE, 2, false), 0);
    ck_assert_uint_eq(act(TAG_DELETE, 2, false), 0);
    ck_assert_uint_eq(act(TAG_DELETE, 2, false), 1); /* tells nobody */
    desk_start(&d, NULL); /* they survive */
    ck_assert_uint_eq(list("BF2800", got, 16), n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(got[i].op, ops[i]);
        ck_assert_uint_eq(got[i].seq, i + 1);
    }
    check_all_signed(n);
    ck_assert_uint_eq(list("BF280481020640", got, 16), 2); /* enable only */
    ck_assert_uint_eq(list("BF280481020430", got, 16), 3); /* disable, delete */

    /* One at a time, gone for good; nothing else moves. */
    ck_assert_uint_eq(desk_send_hex(&d, "BF3003800103", &answer), 0x9000);
    ck_assert(span_eq(buf_span(&answer), SPAN("\xBF\x30\x03\x80\x01\x00", 6)));
    ck_assert_uint_eq(desk_send_hex(&d, "BF3003800103", &answer), 0x9000);
    ck_assert(span_eq(buf_span(&answer), SPAN("\xBF\x30\x03\x80\x01\x01", 6)));
    desk_start(&d, NULL);
    ck_assert_uint_eq(list("BF2800", got, 16), n - 1);
    ck_assert_uint_eq(got[2].seq, 4);
    check_all_signed(n - 1);
    ck_assert_uint_eq(desk_send_hex(&d, "BF2B05A003800103", &answer), 0x9000);
    ck_assert(span_eq(buf_span(&answer), SPAN("\xBF\x2B\x02\xA0\x00", 5)));
    /* The counter never goes back. */
    desk_open_fpa(&d);
    ck_assert_uint_eq(act(TAG_ENABLE, 1, false), 0);
    ck_assert_uint_eq(list("BF2800", got, 16), n);
    ck_assert_uint_eq(got[n - 1].seq, n + 1);
}
END_TEST

/* Policy rules of the profile: PPR1 not disabled, PPR2 not deleted. */
START_TEST(policy)
{
    AUTO(buf_clear) struct buf upp = BUF_INIT, bf25 = BUF_INIT, bpp = BUF_INIT,
                               answer = BUF_INIT;
    unsigned result, command, reason;

    desk_upp(3, 0, &upp);
    desk_metadata(3, 0x60, &bf25);
    desk_bind(&d, &d.key[2], buf_span(&bf25), buf_span(&upp), true, &bpp);
    ck_assert_uint_eq(desk_authorise(&d, &d.key[2].txid,
                                     buf_span(&d.dp_chain), &result),
                      0x9000);
    ck_assert_uint_eq(desk_load(&d, buf_span(&bpp), &answer), 0x9000);
    ck_assert_int_eq(desk_result(&d, buf_span(&answer), &d.key[2].txid,
                                 &command, &reason),
                     -1);
    ck_assert_uint_eq(act(TAG_DELETE, 3, false), 3);
    ck_assert_uint_eq(act(TAG_ENABLE, 3, false), 0);
    ck_assert_uint_eq(act(TAG_DISABLE, 3, false), 3);
    ck_assert_uint_eq(act(TAG_ENABLE, 1, false), 3);
    ck_assert(enabled(3) && !enabled(1));
    /* The owner's reset takes everything operational. */
    ck_assert_uint_eq(desk_send_hex(&d, "BF340482020780", &answer), 0x9000);
    ck_assert(span_eq(buf_span(&answer), SPAN("\xBF\x34\x03\x80\x01\x00", 6)));
    for (unsigned n = 1; n <= 3; n++)
        ck_assert(!desk_has_profile(&d, n, NULL));
    ck_assert_uint_eq(desk_send_hex(&d, "BF340482020780", &answer), 0x9000);
    ck_assert(span_eq(buf_span(&answer), SPAN("\xBF\x34\x03\x80\x01\x01", 6)));
}
END_TEST

/* The tags of each E3, as hex. */
static void info(const char *request, const char *want)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct tlv all, in, one, t;
    char got[400] = "", *at = got;

    ck_assert_uint_eq(desk_send_hex(&d, request, &answer), 0x9000);
    struct span s = buf_span(&answer);
    ck_assert(der_take(&s, TAG_PROFILES_INFO, &all) == 0 && s.n == 0);
    ck_assert(der_take(&all.value, 0xA0, &in) == 0 && all.value.n == 0);
    while (der_take(&in.value, TAG_PROFILE_INFO, &one) == 0) {
        at += sprintf(at, "[");
        while (der_next(&one.value, &t) == DER_OK)
            at += sprintf(at, " %X", (unsigned)t.tag);
        at += sprintf(at, " ]");
    }
    ck_assert(in.value.n == 0);
    ck_assert_str_eq(got, want);
}

START_TEST(profiles_info)
{
    AUTO(buf_clear) struct buf rename = BUF_INIT, answer = BUF_INIT;
    struct iccid two = desk_iccid(2);
    char by_iccid[64], iccid[21];

    hex_encode(SPAN_ARRAY(two.o), iccid, sizeof iccid);
    snprintf(by_iccid, sizeof by_iccid, "BF2D10A00C5A0A%s5C00", iccid);
    info("BF2D00", "[ 5A 4F 9F70 91 92 95 ][ 5A 4F 9F70 91 92 95 ]");
    info("BF2D075C055A9F7095B6", "[ 5A 9F70 95 B6 ][ 5A 9F70 95 B6 ]");
    info("BF2D055C039F704F", "[ 9F70 4F ][ 9F70 4F ]");
    info("BF2D05A003950102", "[ 5A 4F 9F70 91 92 95 ][ 5A 4F 9F70 91 92 95 ]");
    info("BF2D05A003950100", "");
    info(by_iccid, "[ ]");

    size_t m = der_open(&rename);
    der_put(&rename, TAG_ICCID, SPAN_ARRAY(two.o));
    der_put_str(&rename, 0x90, "mine");
    der_close(&rename, TAG_SET_NICKNAME, m);
    ck_assert_uint_eq(desk_send(&d, buf_span(&rename), &answer), 0x9000);
    ck_assert(span_eq(buf_span(&answer), SPAN("\xBF\x29\x03\x80\x01\x00", 6)));
    info("BF2D00", "[ 5A 4F 9F70 91 92 95 ][ 5A 4F 9F70 90 91 92 95 ]");
    ck_assert_uint_eq(desk_send_hex(&d, "BF2D045C029F80", &answer), 0x6A80);
}
END_TEST

/* SGP.32: what was just installed, and only that. */
START_TEST(immediate_enable)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    static const uint8_t ok[] = { 0xBF, 0x5A, 0x03, 0x80, 0x01, 0x00 };
    struct desk consumer = d;

    desk_make(&d, &(struct desk_options){ .keys = 2, .kind = INFO2_IOT });
    desk_start(&d, NULL);
    desk_install(&d, 0, 4);
    desk_install(&d, 1, 5);
    ck_assert_uint_eq(desk_send_hex(&d, "BF5A03800100", &answer), 0x9000);
    ck_assert(span_eq(buf_span(&answer), SPAN_ARRAY(ok)));
    ck_assert(enabled(5) && !enabled(4));
    desk_reset(&d);
    ck_assert_uint_eq(desk_send_hex(&d, "BF5A03800100", &answer), 0x9000);
    ck_assert_uint_eq(answer.p[5], 4); /* no session any more */
    desk_clear(&d);
    d = consumer;
}
END_TEST

/* Deleted from stock, and the same profile again for somebody else. */
START_TEST(iccid_comes_back)
{
    ck_assert_uint_eq(act(TAG_DELETE, 1, false), 0);
    ck_assert(!desk_has_profile(&d, 1, NULL));
    desk_install(&d, 2, 1); /* returned from stock, provisioned again */
    ck_assert(desk_has_profile(&d, 1, NULL));
    ck_assert_uint_eq(act(TAG_ENABLE, 1, true), 0); /* its AID is free again */
    ck_assert(enabled(1));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab/euicc/profiles");
    TCase *t = tcase_create("profiles");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, states);
    tcase_add_test(t, notifications);
    tcase_add_test(t, policy);
    tcase_add_test(t, profiles_info);
    tcase_add_test(t, immediate_enable);
    tcase_add_test(t, iccid_comes_back);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
