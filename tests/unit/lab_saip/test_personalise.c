/* lab/saip: ICCID and IMSI put into a given package, nothing else touched. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lab/saip/saip.h"
#include "tests/unit/lab_saip/der_text.h"

#define NEW_ICCID "8988300000000000013"
#define NEW_IMSI "901991234567890"

static struct iccid new_iccid(void)
{
    struct iccid i;

    ck_assert_int_eq(iccid_parse(NEW_ICCID, &i), 0);
    return i;
}

/* --- EF.IMSI ------------------------------------------------------------- */

static const struct {
    const char *ef, *imsi; /* NULL: it is not one */
} imsis[] = {
    { "080910101032540636", "001010123456063" },
    { "082943658709214365", "234567890123456" },
    { "0809101010325406f6", NULL }, /* odd, and yet padded */
    { "0811325476981032f4", "12345678901234" },
    { "081132547698103254", NULL }, /* even, and not padded */
    { "03493254ffffffffff", "42345" },
    { "0109ffffffffffffff", "0" },
    { "09091010103254063600", NULL },
    { "0009101010325406", NULL },
    { "08091010103254a636", NULL },
    { "0808101010325406", NULL }, /* no identity of this kind */
    { "08091010103254", NULL },   /* shorter than it says */
    { "08", NULL },
    { "", NULL },
};

START_TEST(decodes_imsi)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    char got[SAIP_IMSI_DIGITS + 1] = "untouched";

    buf_put_hex(&b, imsis[_i].ef);
    int r = saip_imsi_decode(buf_span(&b), got);
    ck_assert_msg((r == 0) == (imsis[_i].imsi != NULL), "%s", imsis[_i].ef);
    ck_assert_str_eq(got, imsis[_i].imsi ? imsis[_i].imsi : "untouched");
}
END_TEST

START_TEST(encodes_imsi)
{
    uint8_t ef[SAIP_IMSI_LEN];
    char hex[2 * SAIP_IMSI_LEN + 1];

    ck_assert_int_eq(saip_imsi_encode("001010123456063", ef), 0);
    ck_assert_str_eq(hex_encode(SPAN_ARRAY(ef), hex, sizeof hex),
                     "080910101032540636");
    ck_assert_int_eq(saip_imsi_encode("00101012345606", ef), -1);
    ck_assert_int_eq(saip_imsi_encode("0010101234560633", ef), -1);
    ck_assert_int_eq(saip_imsi_encode("00101012345606x", ef), -1);
    ck_assert_int_eq(saip_imsi_encode("", ef), -1);
}
END_TEST

/* --- however it is spelt ------------------------------------------------- */

/* What EF.ICCID and EF.IMSI are made of, and in how many pieces. */
static const struct {
    const char *name, *iccid, *imsi;
    size_t ranges;
} spellings[] = {
    { "whole", T_EF_ICCID, T_EF_IMSI, 3 },
    { "in two", "83:9800103254 83:7698103214", "83:0809 83:10101032540636",
      5 },
    { "octet by octet", T_EF_ICCID,
      "83:08 83:09 83:10 83:10 83:10 83:32 83:54 83:06 83:36", 11 },
    { "fillPattern", "A1(A5(C1:98001032547698103214))",
      "A1(80:09 A5(C1:080910101032540636))", 3 },
    { "repeatPattern", "A1(80:0A A5(C2:98001032547698103214))", T_EF_IMSI,
      3 },
    { "longer pattern", T_EF_ICCID,
      "A1(A5(C1:080910101032540636FFFFFF))", 3 },
    { "pattern and correction",
      "A1(A5(C1:98001032547698103299)) 82:09 83:14",
      "A1(A5(C1:089910101032540636)) 82:01 83:09", 6 },
    { "an empty place", "83:FFFFFFFFFFFFFFFFFFFF", "83:FFFFFFFFFFFFFFFFFF",
      3 },
    { "a longer file", "A1(80:0C) 83:98001032547698103214FFFF",
      "A1(80:10) 83:080910101032540636FFFF", 3 },
};

static void package(struct buf *b, const char *iccid, const char *imsi,
                    const char *more)
{
    char *text = NULL;

    ck_assert_int_gt(asprintf(&text, T_HEADER " " T_MF_OF("%s") " "
                              T_USIM_OF("%s", T_REST) " " T_AKA " %s " T_END,
                              iccid, imsi, more), 0);
    der_text(b, text);
    free(text);
}

struct kept {
    char iccid[2 * 10 + 1], imsi[2 * SAIP_IMSI_LEN + 1];
};

static int keep(void *ctx, const struct saip_file *f, struct err *e)
{
    struct kept *k = ctx;

    (void)e;
    if (strcmp(f->name, "ef-iccid") == 0)
        hex_encode(span_sub(f->content, 0, 10), k->iccid, sizeof k->iccid);
    if (strcmp(f->name, "ef-imsi") == 0)
        hex_encode(span_sub(f->content, 0, SAIP_IMSI_LEN), k->imsi,
                   sizeof k->imsi);
    return 0;
}

/* `out` is `in`, with the new values in all three places. */
static void check_personalised(struct span in, struct span out,
                               const char *name)
{
    static const struct saip_sink keeper = { NULL, keep, NULL };
    const struct iccid want = new_iccid();
    struct saip_ranges where;
    struct saip_profile a, b;
    struct kept k = { "", "" };
    struct err e = ERR_INIT;
    char hex[21];

    ck_assert_msg(saip_walk(in, NULL, NULL, &a, &e) == 0, "%s: %s", name,
                  e.msg);
    ck_assert_msg(saip_walk(out, &keeper, &k, &b, &e) == 0, "%s: %s", name,
                  e.msg);
    ck_assert_mem_eq(b.iccid.o, want.o, sizeof want.o);
    ck_assert_str_eq(k.iccid, hex_encode(SPAN_ARRAY(want.o), hex,
                                         sizeof hex));
    ck_assert_str_eq(k.imsi, "089910992143658709");
    ck_assert_str_eq(b.naa[0].imsi, NEW_IMSI);
    ck_assert_uint_eq(a.files, b.files);
    ck_assert_uint_eq(a.elements, b.elements);

    ck_assert_msg(saip_compare(in, out, &where, &e) == 0, "%s: %s", name,
                  e.msg);
    size_t personal = 0;
    for (size_t i = 0; i < where.n; i++) {
        ck_assert(i == 0 || where.r[i - 1].at + where.r[i - 1].n <=
                                where.r[i].at);
        personal += where.r[i].n;
    }
    ck_assert_uint_eq(personal, 10 + 10 + SAIP_IMSI_LEN);
}

START_TEST(personalises_every_spelling)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;
    AUTO(buf_clear) struct buf out = BUF_INIT;
    const struct iccid iccid = new_iccid();
    struct saip_ranges where;
    struct err e = ERR_INIT;

    package(&in, spellings[_i].iccid, spellings[_i].imsi, "");
    ck_assert_msg(saip_personalise(buf_span(&in), &iccid, NEW_IMSI, &out,
                                   &e) == 0, "%s: %s", spellings[_i].name,
                  e.msg);
    check_personalised(buf_span(&in), buf_span(&out), spellings[_i].name);
    ck_assert_int_eq(saip_personal_ranges(buf_span(&in), &where, &e), 0);
    ck_assert_msg(where.n == spellings[_i].ranges, "%s: %zu",
                  spellings[_i].name, where.n);
}
END_TEST

/* The result is appended; what was there stays. */
START_TEST(appends)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;
    AUTO(buf_clear) struct buf out = BUF_INIT;
    const struct iccid iccid = new_iccid();
    struct err e = ERR_INIT;

    buf_put(&out, "before", 6);
    package(&in, T_EF_ICCID, T_EF_IMSI, "");
    ck_assert_int_eq(saip_personalise(buf_span(&in), &iccid, NEW_IMSI, &out,
                                      &e), 0);
    ck_assert_mem_eq(out.p, "before", 6);
    check_personalised(buf_span(&in), span_sub(buf_span(&out), 6, in.n),
                       "appended");
}
END_TEST

/* DF.GSM of old may have an EF.IMSI of its own, or a link to the USIM's. */
START_TEST(personalises_the_sim_s_imsi)
{
    static const char *const more[] = {
        "A1(A0(81:0A) A1(30(62(82:7821 83:7F20) 80:7F20"
        " 62(82:4121 83:6F07 80:09) 81:080910101032540636)))",
        "A1(A0(81:0A) A1(30(62(82:7821 83:7F20) 80:7F20"
        " 62(82:4121 83:6F07 C7:7FD06F07))))",
    };
    static const size_t ranges[] = { 4, 3 };
    AUTO(buf_clear) struct buf in = BUF_INIT;
    struct saip_ranges where;
    struct err e = ERR_INIT;

    package(&in, T_EF_ICCID, T_EF_IMSI, more[_i]);
    ck_assert_msg(saip_personal_ranges(buf_span(&in), &where, &e) == 0, "%s",
                  e.msg);
    ck_assert_uint_eq(where.n, ranges[_i]);
    ck_assert_str_eq(where.r[where.n - 1].what, "EF.IMSI");
}
END_TEST

/* --- what cannot be ------------------------------------------------------ */

static const struct {
    const char *name, *iccid, *imsi;
    const char *new_iccid, *new_imsi;
    enum err_code code;
    const char *says;
} refusals[] = {
    { "EF.ICCID left open", "A1(82:4121)", T_EF_IMSI, NEW_ICCID, NEW_IMSI,
      ERR_NOT_FOUND, "writes only 0 of the 10 octets of EF.ICCID" },
    { "EF.ICCID in part", "82:01 83:001032547698103214", T_EF_IMSI,
      NEW_ICCID, NEW_IMSI, ERR_NOT_FOUND, "only 9 of the 10" },
    { "EF.ICCID elsewhere", "A1(83:2FE3) 83:98001032547698103214", T_EF_IMSI,
      NEW_ICCID, NEW_IMSI, ERR_NOT_FOUND, "it has no EF.ICCID" },
    { "EF.IMSI left open", T_EF_ICCID, "", NEW_ICCID, NEW_IMSI,
      ERR_NOT_FOUND, "only 0 of the 9 octets of EF.IMSI" },
    { "EF.IMSI by a repeated octet", T_EF_ICCID, "A1(A5(C1:FFFF))",
      NEW_ICCID, NEW_IMSI, ERR_NOT_FOUND, "only 1 of the 9" },
    { "EF.IMSI a link", T_EF_ICCID, "A1(C7:7F206F07)", NEW_ICCID, NEW_IMSI,
      ERR_NOT_FOUND, "it has no EF.IMSI" },
    { "no such IMSI", T_EF_ICCID, T_EF_IMSI, NEW_ICCID, "123", ERR_USAGE,
      "IMSI \"123\"" },
    { "no such ICCID", T_EF_ICCID, T_EF_IMSI, NULL, NEW_IMSI, ERR_USAGE,
      "not an ICCID" },
    { "no package", "84:00", T_EF_IMSI, NEW_ICCID, NEW_IMSI, ERR_FORMAT,
      "ef-iccid" },
};

START_TEST(says_why_not)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;
    AUTO(buf_clear) struct buf out = BUF_INIT;
    struct iccid iccid = { { 0x98 } };
    struct err e = ERR_INIT;

    if (refusals[_i].new_iccid)
        ck_assert_int_eq(iccid_parse(refusals[_i].new_iccid, &iccid), 0);
    package(&in, refusals[_i].iccid, refusals[_i].imsi, "");
    ck_assert_int_eq(saip_personalise(buf_span(&in), &iccid,
                                      refusals[_i].new_imsi, &out, &e), -1);
    ck_assert_msg(e.code == refusals[_i].code, "%s: %s", refusals[_i].name,
                  e.msg);
    ck_assert_msg(strstr(e.msg, refusals[_i].says), "%s: %s",
                  refusals[_i].name, e.msg);
    ck_assert_uint_eq(out.n, 0);
}
END_TEST

START_TEST(says_no_usim)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;
    struct saip_ranges where;
    struct err e = ERR_INIT;

    der_text(&in, T_HEADER " " T_MF " " T_END);
    ck_assert_int_eq(saip_personal_ranges(buf_span(&in), &where, &e), -1);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    ck_assert(strstr(e.msg, "no EF.IMSI"));
}
END_TEST

/* Every octet of a package is either personal or compared. */
START_TEST(compares_every_octet)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;
    AUTO(buf_clear) struct buf other = BUF_INIT;
    struct saip_ranges where;
    struct err e = ERR_INIT;
    size_t personal = 0;

    package(&in, T_EF_ICCID, T_EF_IMSI, "");
    buf_put_span(&other, buf_span(&in));
    for (size_t i = 0; i < in.n; i++) {
        other.p[i] ^= 1;
        if (saip_compare(buf_span(&in), buf_span(&other), &where, &e) == 0) {
            personal++;
        } else {
            ck_assert_int_eq(e.code, ERR_CONFLICT);
        }
        other.p[i] ^= 1;
    }
    ck_assert_uint_eq(personal, 10 + 10 + SAIP_IMSI_LEN);
    buf_put_u8(&other, 0);
    ck_assert_int_eq(saip_compare(buf_span(&in), buf_span(&other), NULL, &e),
                     -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
}
END_TEST

/* --- TS.48 --------------------------------------------------------------- */

static const struct {
    const char *file;
    uint8_t minor;
    size_t elements;
} packages[] = {
    { "TS48v1_A.der", 1, 28 },
    { "TS48v1_B.der", 1, 29 },
    { "TS48v2_SAIP2.1_BERTLV.der", 1, 28 },
    { "TS48v2_SAIP2.3_NoBERTLV.der", 3, 30 },
    { "TS48v3_SAIP2.1_NoBERTLV.der", 1, 28 },
    { "TS48v3_SAIP2.3_BERTLV.der", 3, 30 },
};

static bool shared_read(const char *name, struct buf *out)
{
    const char *root = getenv("LINESIDE_SHARED");
    uint8_t part[4096];
    char path[600];
    size_t n;

    snprintf(path, sizeof path, "%s/data/ts48/%s", root ? root : "../shared",
             name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        printf("SKIP: %s is not there\n", path);
        return false;
    }
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_put(out, part, n);
    fclose(f);
    ck_assert(buf_ok(out));
    return true;
}

struct ts48_seen {
    struct buf elements;
    char spn[40], acc[10];
};

static int ts48_element(void *ctx, const struct saip_element *x,
                        struct err *e)
{
    (void)e;
    buf_put_span(&((struct ts48_seen *)ctx)->elements, x->whole);
    return 0;
}

static int ts48_file(void *ctx, const struct saip_file *f, struct err *e)
{
    struct ts48_seen *s = ctx;
    static const uint8_t spn[] = { 0x7f, 0xd0, 0x6f, 0x46 };

    (void)e;
    if (span_eq(SPAN(f->path, f->path_len), SPAN_ARRAY(spn)))
        hex_encode(f->content, s->spn, sizeof s->spn);
    if (strcmp(f->name, "ef-acc") == 0)
        hex_encode(f->content, s->acc, sizeof s->acc);
    return 0;
}

START_TEST(reads_ts48)
{
    static const struct saip_sink sink = { ts48_element, ts48_file, NULL };
    AUTO(buf_clear) struct buf in = BUF_INIT;
    struct ts48_seen seen = { .elements = BUF_INIT };
    struct saip_profile p;
    struct err e = ERR_INIT;
    char text[80];

    if (!shared_read(packages[_i].file, &in))
        return;
    ck_assert_msg(saip_walk(buf_span(&in), &sink, &seen, &p, &e) == 0,
                  "%s: %s", packages[_i].file, e.msg);
    ck_assert(span_eq(buf_span(&in), buf_span(&seen.elements)));
    ck_assert_int_eq(p.minor, packages[_i].minor);
    ck_assert_uint_eq(p.elements, packages[_i].elements);
    ck_assert_str_eq(p.type, "GSMA Generic eUICC Test Profile");
    ck_assert_str_eq(iccid_format(&p.iccid, text), "89000123456789012341");
    /* spelt as a fill pattern */
    ck_assert_str_eq(seen.spn, "0147534d411154455354ffffffffffffff");
    ck_assert_str_eq(seen.acc, "0001");

    ck_assert_uint_eq(p.naas, 3);
    static const enum saip_naa_kind kinds[] = { SAIP_USIM, SAIP_CSIM,
                                                SAIP_ISIM };
    for (size_t i = 0; i < p.naas; i++)
        ck_assert_int_eq(p.naa[i].kind, kinds[i]);
    ck_assert_str_eq(p.naa[0].imsi, "001010123456063");
    ck_assert_int_eq(p.naa[0].algorithm, SAIP_ALG_TEST);
    ck_assert_str_eq(hex_encode(SPAN(p.naa[0].k, p.naa[0].k_len), text,
                                sizeof text),
                     "000102030405060708090a0b0c0d0e0f");
    ck_assert(p.naa[0].gsm_access);
    ck_assert_int_eq(p.naa[1].algorithm, SAIP_ALG_NONE);
    buf_clear(&seen.elements);
}
END_TEST

START_TEST(personalises_ts48)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;
    AUTO(buf_clear) struct buf out = BUF_INIT;
    AUTO(buf_clear) struct buf again = BUF_INIT;
    const struct iccid iccid = new_iccid();
    struct saip_profile old;
    struct err e = ERR_INIT;

    if (!shared_read(packages[_i].file, &in))
        return;
    ck_assert_msg(saip_personalise(buf_span(&in), &iccid, NEW_IMSI, &out,
                                   &e) == 0, "%s: %s", packages[_i].file,
                  e.msg);
    check_personalised(buf_span(&in), buf_span(&out), packages[_i].file);

    /* and back: nothing was lost on the way */
    ck_assert_int_eq(saip_walk(buf_span(&in), NULL, NULL, &old, &e), 0);
    ck_assert_msg(saip_personalise(buf_span(&out), &old.iccid,
                                   old.naa[0].imsi, &again, &e) == 0, "%s",
                  e.msg);
    ck_assert(span_eq(buf_span(&in), buf_span(&again)));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab/saip personalise");
    TCase *t = tcase_create("personalise");

    tcase_add_loop_test(t, decodes_imsi, 0, sizeof imsis / sizeof *imsis);
    tcase_add_test(t, encodes_imsi);
    tcase_add_loop_test(t, personalises_every_spelling, 0,
                        sizeof spellings / sizeof *spellings);
    tcase_add_test(t, appends);
    tcase_add_loop_test(t, personalises_the_sim_s_imsi, 0, 2);
    tcase_add_loop_test(t, says_why_not, 0,
                        sizeof refusals / sizeof *refusals);
    tcase_add_test(t, says_no_usim);
    tcase_add_test(t, compares_every_octet);
    tcase_add_loop_test(t, reads_ts48, 0, sizeof packages / sizeof *packages);
    tcase_add_loop_test(t, personalises_ts48, 0,
                        sizeof packages / sizeof *packages);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
