/* lab/saip: what is read from a package, and what is refused. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/saip/saip.h"
#include "tests/unit/lab_saip/der_text.h"

/* --- refusals ------------------------------------------------------------ */

static const struct {
    const char *name, *text;
    enum err_code code; /* ERR_NONE: it is taken */
    const char *says;   /* part of the message   */
} rows[] = {
    { "whole", T_UPP, ERR_NONE, "" },
    { "nothing", "", ERR_FORMAT, "without an end" },
    { "no end", T_HEADER " " T_MF, ERR_FORMAT, "without an end" },
    { "no header", T_MF " " T_END, ERR_FORMAT, "does not begin with its head" },
    { "two headers", T_HEADER " " T_HEADER " " T_END, ERR_FORMAT,
      "PE 1 (header), octet 41: a second header" },
    { "after the end", T_UPP " " T_PUK, ERR_FORMAT, "after end" },
    { "no mf", T_HEADER " " T_END, ERR_FORMAT, "has no mf" },
    { "two mfs", T_HEADER " " T_MF " B0(A0(81:09)) " T_END, ERR_FORMAT,
      "second mf" },
    { "before mf", T_HEADER " " T_PUK " " T_MF " " T_END, ERR_FORMAT,
      "PE 1 (pukCodes), octet 41: it comes before mf" },
    { "unknown element", T_HEADER " " T_MF " BF20(A0(81:09)) " T_END,
      ERR_FORMAT, "tag BF20 is no profile element" },
    { "rfu element", T_HEADER " " T_MF " AB(A0(81:09)) " T_END, ERR_FORMAT,
      "tag AB is no profile element" },
    { "cut", T_HEADER " " T_MF " RAW:AA05A003", ERR_FORMAT,
      "not a whole DER TLV after PE 2" },
    { "length not minimal", T_HEADER " " T_MF " RAW:AA8105A00381011F",
      ERR_FORMAT, "not a whole DER TLV after PE 2" },
    { "length not minimal inside", T_HEADER " " T_MF " RAW:AA06A0810381011F",
      ERR_FORMAT, "PE 2 (end)" },
    { "no PE header", T_HEADER " " T_MF " AA()", ERR_FORMAT,
      "does not begin with a PE header" },
    { "no identification", T_HEADER " " T_MF " AA(A0(80:))", ERR_FORMAT,
      "identification is missing" },
    { "identification too large", T_HEADER " " T_MF " AA(A0(81:008000))",
      ERR_FORMAT, "identification is not a number" },
    { "identification twice", T_HEADER " " T_MF " AA(A0(81:01))", ERR_FORMAT,
      "identification 1 twice" },
    { "mandated with content", T_HEADER " " T_MF " AA(A0(80:00 81:1F))",
      ERR_FORMAT, "mandated is not NULL" },
    { "end with content", T_HEADER " " T_MF " AA(A0(81:1F) 81:00)",
      ERR_FORMAT, "tag 81 is unknown" },

    { "version 1", "A0(80:01 81:00 83:" T_ICCID " A5() A6())", ERR_FORMAT,
      "version 1.0" },
    { "no version", "A0(81:00 83:" T_ICCID " A5() A6())", ERR_FORMAT,
      "major-version is missing" },
    { "no iccid", "A0(80:02 81:03 A5() A6())", ERR_FORMAT,
      "iccid is missing" },
    { "short iccid", "A0(80:02 81:03 83:8900 A5() A6())", ERR_FORMAT,
      "iccid has 2 octets" },
    { "iccid no digits", T_HEADER_OF("8900012345678901234A"), ERR_FORMAT,
      "iccid is not 18 to 20 digits" },
    { "iccid padded inside", T_HEADER_OF("890001234567890123F1"), ERR_FORMAT,
      "iccid is not 18 to 20 digits" },
    { "iccid of 19 digits", T_HEADER_OF("8900012345678901234F") " " T_MF
      " " T_END, ERR_NONE, "" },
    { "no services", "A0(80:02 81:03 83:" T_ICCID " A6())", ERR_FORMAT,
      "eUICC-Mandatory-services is missing" },
    { "services out of order",
      "A0(80:02 81:03 83:" T_ICCID " A5(84: 81:) A6())", ERR_FORMAT,
      "out of order" },
    { "no OID", "A0(80:02 81:03 83:" T_ICCID " A5() A6(06:8001))",
      ERR_FORMAT, "template OID is not an OID" },
    { "open OID", "A0(80:02 81:03 83:" T_ICCID " A5() A6(06:67810F81))",
      ERR_FORMAT, "template OID is not an OID" },
    { "type no UTF-8", "A0(80:02 81:03 82:4CC0AF 83:" T_ICCID " A5() A6())",
      ERR_FORMAT, "profileType is not UTF-8" },
    { "type with NUL", "A0(80:02 81:03 82:4C00 83:" T_ICCID " A5() A6())",
      ERR_FORMAT, "profileType is not UTF-8" },

    { "wrong template", T_HEADER " B0(A0(81:01) 81:67810F010204)",
      ERR_FORMAT, "templateID is not 2.23.143.1.2.1" },
    { "no template", T_HEADER " B0(A0(81:01))", ERR_FORMAT,
      "templateID is missing" },
    { "no ef-iccid",
      T_HEADER " B0(A0(81:01) 81:67810F010201 A2(A1(C6:01)))", ERR_FORMAT,
      "ef-iccid is missing" },
    { "file tag unknown", T_UPP_OF(T_MF, T_USIM_OF(T_EF_IMSI, T_REST
      " BF1F()")), ERR_FORMAT, "file tag BF is unknown" },
    { "usim without dfName", T_HEADER " " T_MF
      " B3(A0(81:04) 81:67810F010204 A2(A1(83:7FD0)))", ERR_FORMAT,
      "no dfName" },
    { "usim without temporary fileID", T_HEADER " " T_MF
      " B3(A0(81:04) 81:67810F010204 A2(A1(84:A0000000871002)))", ERR_FORMAT,
      "adf-usim has no fileID" },
    { "dfName too short", T_HEADER " " T_MF
      " B3(A0(81:04) 81:67810F010204 A2(A1(83:7FD0 84:A0)))", ERR_FORMAT,
      "dfName has 1 octets" },
    { "opt-usim without usim", T_HEADER " " T_MF
      " B4(A0(81:05) 81:67810F010205) " T_END, ERR_FORMAT,
      "PE 2 (opt-usim), octet 127: it does not follow its application" },
    { "opt-isim after usim", T_HEADER " " T_MF " " T_USIM
      " B6(A0(81:09) 81:67810F010209) " T_END, ERR_FORMAT,
      "does not follow its application" },
    { "akaParameter without application", T_HEADER " " T_MF " " T_AKA,
      ERR_FORMAT, "does not follow its application" },
    { "two ADFs in one place", T_HEADER " " T_MF " " T_USIM
      " B5(A0(81:09) 81:67810F010208 A2(A1(83:7FD0 84:A0000000871004)))",
      ERR_FORMAT, "adf-isim is there already" },

    { "file past its end", T_UPP_OF(T_MF_OF("83:9800103254769810321400"),
      T_USIM), ERR_FORMAT, "reaches octet 11 of ef-iccid, which has 10" },
    { "offset past its end", T_UPP_OF(T_MF_OF("82:0A 83:98"), T_USIM),
      ERR_FORMAT, "reaches octet 11" },
    { "content into a DF", T_HEADER
      " B0(A0(81:01) 81:67810F010201 A2(A1(C6:01) 83:00))", ERR_FORMAT,
      "without a file to hold it" },
    { "unknown file command", T_UPP_OF(T_MF_OF("84:00"), T_USIM), ERR_FORMAT,
      "tag 84 does not belong into ef-iccid" },
    { "records do not fit", T_UPP_OF(T_MF,
      T_USIM_OF(T_EF_IMSI, "A9(A1(82:4221001C 80:1D)) " T_REST)), ERR_FORMAT,
      "not a number of records" },
    { "size not minimal", T_UPP_OF(T_MF,
      T_USIM_OF(T_EF_IMSI, "A9(A1(82:4221001C 80:001C)) " T_REST)),
      ERR_FORMAT, "not minimal" },
    { "size too large", T_UPP_OF(T_MF_OF("A1(80:010000)"), T_USIM),
      ERR_LIMIT, "larger than 65535" },
    { "no such type of file", T_UPP_OF(T_MF_OF("A1(82:4521)"), T_USIM),
      ERR_FORMAT, "fileDescriptor 45 is no file type" },
    { "DF instead of EF", T_UPP_OF(T_MF_OF("A1(82:7821)"), T_USIM),
      ERR_FORMAT, "does not suit ef-iccid" },
    { "both patterns", T_UPP_OF(T_MF_OF("A1(A5(C1:00 C2:00))"), T_USIM),
      ERR_FORMAT, "fillPattern and repeatPattern" },
    { "doNotCreate and more", T_UPP_OF(T_MF, T_USIM_OF(T_EF_IMSI,
      "A9(80: 83:00) " T_REST)), ERR_FORMAT, "doNotCreate with other" },
    { "file in a DF not made", T_HEADER " " T_MF
      " B2(A0(81:09) 81:67810F010203 A2(A1(C6:01)) B1()) " T_END, ERR_FORMAT,
      "ef-ext1: its directory is not there" },
    { "EF.IMSI without IMSI", T_UPP_OF(T_MF,
      T_USIM_OF("83:0809A0101032540636", T_REST)), ERR_FORMAT,
      "EF.IMSI does not hold an IMSI" },

    { "gfm without commands", T_HEADER " " T_MF " A1(A0(81:09) A1()) " T_END,
      ERR_FORMAT, "0 entries in fileManagementCMD" },
    { "gfm unknown path", T_HEADER " " T_MF
      " A1(A0(81:09) A1(30(80:7F10))) " T_END, ERR_FORMAT,
      "filePath 7f10 is no directory made before" },
    { "gfm half a path", T_HEADER " " T_MF
      " A1(A0(81:09) A1(30(80:7F))) " T_END, ERR_FORMAT, "filePath 7f" },
    { "gfm without descriptor", T_HEADER " " T_MF
      " A1(A0(81:09) A1(30(80: 62(83:4F01)))) " T_END, ERR_FORMAT,
      "without fileDescriptor" },
    { "gfm without fileID", T_HEADER " " T_MF
      " A1(A0(81:09) A1(30(80: 62(82:4121)))) " T_END, ERR_FORMAT,
      "file has no fileID" },
    { "gfm content before a file", T_HEADER " " T_MF
      " A1(A0(81:09) A1(30(80: 81:00))) " T_END, ERR_FORMAT,
      "without a file to hold it" },
    { "gfm content after another path", T_HEADER " " T_MF
      " A1(A0(81:09) A1(30(62(82:4121 83:4F01 80:04) 80: 81:00))) " T_END,
      ERR_FORMAT, "without a file to hold it" },

    { "pin reference", T_HEADER " " T_MF
      " A2(A0(81:03) A1(A0(30(80:09 81:30303030FFFFFFFF)))) " T_END,
      ERR_FORMAT, "PIN reference 9 does not exist" },
    { "pin twice", T_HEADER " " T_MF
      " A2(A0(81:03) A1(A0(30(80:01 81:30303030FFFFFFFF)"
      " 30(80:01 81:30303030FFFFFFFF)))) " T_END, ERR_FORMAT, "PIN 1 twice" },
    { "pin value", T_HEADER " " T_MF
      " A2(A0(81:03) A1(A0(30(80:01 81:30303030)))) " T_END, ERR_FORMAT,
      "pinValue has 4 octets" },
    { "pin without its puk", T_HEADER " " T_MF " " T_PIN " " T_END,
      ERR_FORMAT, "unblocked by PUK 1" },
    { "pin by path", T_HEADER " " T_MF " A2(A0(81:03) A1(81:7FD0)) " T_END,
      ERR_NONE, "" },
    { "no pins", T_HEADER " " T_MF " A2(A0(81:03) A1(A0())) " T_END,
      ERR_FORMAT, "0 entries in pinconfig" },
    { "pins and path", T_HEADER " " T_MF
      " A2(A0(81:03) A1(81:7FD0 81:7FD0)) " T_END, ERR_FORMAT,
      "2 entries in pinCodes" },
    { "puk reference", T_HEADER " " T_MF
      " A3(A0(81:02) A1(30(80:0A 81:3131313131313131))) " T_END, ERR_FORMAT,
      "PUK reference 10 does not exist" },
    { "puk twice", T_HEADER " " T_MF
      " A3(A0(81:02) A1(30(80:01 81:3131313131313131)"
      " 30(80:01 81:3131313131313131))) " T_END, ERR_FORMAT, "PUK 1 twice" },

    { "milenage key", T_HEADER " " T_MF " " T_USIM " "
      T_AKA_OF("01", T_K T_K, T_OPC), ERR_FORMAT,
      "key does not suit algorithm 1" },
    { "milenage opc", T_HEADER " " T_MF " " T_USIM " "
      T_AKA_OF("01", T_K, ""), ERR_FORMAT, "opc of 0 octets, 16 expected" },
    { "no algorithm", T_HEADER " " T_MF " " T_USIM " "
      T_AKA_OF("00", T_K, T_OPC), ERR_FORMAT, "algorithmID 0 is unknown" },
    { "other algorithm", T_HEADER " " T_MF " " T_USIM " "
      T_AKA_OF("04", T_K, T_OPC), ERR_FORMAT, "algorithmID is not a number" },
    { "tuak", T_HEADER " " T_MF " " T_USIM " "
      T_AKA_OF("02", T_K T_K, T_OPC T_OPC) " " T_END, ERR_NONE, "" },
    { "tuak opc", T_HEADER " " T_MF " " T_USIM " "
      T_AKA_OF("02", T_K T_K, T_OPC), ERR_FORMAT, "32 expected" },
    { "aka twice", T_HEADER " " T_MF " " T_USIM " " T_AKA
      " A4(A0(81:09) A1(A1(80:01 81:01 82:" T_K " 83:" T_OPC ")))",
      ERR_FORMAT, "has an akaParameter already" },

    { "security domain", T_HEADER " " T_MF
      " A6(A0(81:09) A1(4F:A000000151 4F:A000000152 4F:A000000153 82:80"
      " C9:) A2(30(95:18 82:01 83:01 30(30(80:88 86:" T_K "))))) " T_END,
      ERR_NONE, "" },
    { "key without data", T_HEADER " " T_MF
      " A6(A0(81:09) A1(4F:A000000151 4F:A000000152 4F:A000000153 82:80"
      " C9:) A2(30(95:18 82:01 83:01 30(30(80:88))))) " T_END, ERR_FORMAT,
      "keyData is missing" },
    { "security domain without privileges", T_HEADER " " T_MF
      " A6(A0(81:09) A1(4F:A000000151 4F:A000000152 4F:A000000153 C9:)) "
      T_END, ERR_FORMAT, "applicationPrivileges is missing" },
    { "rfm", T_HEADER " " T_MF " A7(A0(81:09) 4F:A000000151 A0(04:B00010)"
      " 81:16 04:00 04:00) " T_END, ERR_NONE, "" },
    { "rfm TAR", T_HEADER " " T_MF " A7(A0(81:09) 4F:A000000151 A0(04:B000)"
      " 81:16 04:00 04:00) " T_END, ERR_FORMAT, "TAR has 2 octets" },
    { "application", T_HEADER " " T_MF
      " A8(A0(81:09) A1(4F:A000000151 C4:00)) " T_END, ERR_NONE, "" },
    { "nonStandard", T_HEADER " " T_MF " A9(A0(81:09) 81:2A03 82:00) " T_END,
      ERR_NONE, "" },
    { "nonStandard without issuer", T_HEADER " " T_MF " A9(A0(81:09) 82:00) "
      T_END, ERR_FORMAT, "issuerID is missing" },
};

static int count_element(void *ctx, const struct saip_element *x,
                         struct err *e)
{
    (void)x;
    (void)e;
    ++*(int *)ctx;
    return 0;
}

START_TEST(judges)
{
    static const struct saip_sink sink = { count_element, NULL, NULL };
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct saip_profile p = { .elements = 77 };
    struct err e = ERR_INIT;
    int heard = 0;

    der_text(&b, rows[_i].text);
    int r = saip_walk(buf_span(&b), &sink, &heard, &p, &e);
    ck_assert_msg((r == 0) == (rows[_i].code == ERR_NONE), "%s: %d %s",
                  rows[_i].name, r, e.msg);
    ck_assert_msg(e.code == rows[_i].code, "%s: %s %s", rows[_i].name,
                  err_name(e.code), e.msg);
    ck_assert_msg(strstr(e.msg, rows[_i].says), "%s: %s", rows[_i].name,
                  e.msg);
    if (r == 0) {
        ck_assert_uint_eq(p.elements, (size_t)heard);
    } else { /* nothing was told, nothing written */
        ck_assert_int_eq(heard, 0);
        ck_assert_uint_eq(p.elements, 77);
    }
}
END_TEST

START_TEST(refuses_a_huge_package)
{
    uint8_t *big = calloc(1, SAIP_PACKAGE_MAX + 1);
    struct err e = ERR_INIT;

    ck_assert_ptr_nonnull(big);
    ck_assert_int_eq(saip_walk(SPAN(big, SAIP_PACKAGE_MAX + 1), NULL, NULL,
                               NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    free(big);
}
END_TEST

/* Files of 64 KB cost a package a few octets each: there is a bound. */
START_TEST(refuses_files_that_are_too_much_together)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    AUTO(buf_clear) struct buf text = BUF_INIT;
    struct err e = ERR_INIT;

    buf_put_span(&text, SPAN_STR(T_HEADER " " T_MF " A1(A0(81:09) A1(30("));
    for (int i = 0; i < 200; i++)
        buf_put_span(&text, SPAN_STR("62(82:4121 83:4F01 80:FFFF) "));
    buf_put(&text, "))) " T_END, sizeof "))) " T_END);
    der_text(&b, (const char *)text.p);
    ck_assert_int_eq(saip_walk(buf_span(&b), NULL, NULL, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

/* No beginning of a package is a package. */
START_TEST(refuses_every_cut)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    der_text(&b, T_UPP);
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, b.p, n);
        ck_assert_msg(saip_walk(SPAN(exact, n), NULL, NULL, NULL, &e) == -1,
                      "%zu octets", n);
        free(exact);
    }
}
END_TEST

/* --- content ------------------------------------------------------------- */

struct found {
    const char *name; /* looked for */
    int count;
    struct buf content;
    char path[2 * SAIP_PATH_MAX + 1];
    struct saip_file file;
};

static int find_file(void *ctx, const struct saip_file *f, struct err *e)
{
    struct found *w = ctx;

    (void)e;
    if (strcmp(f->name, w->name) != 0)
        return 0;
    w->count++;
    w->file = *f;
    hex_encode(SPAN(f->path, f->path_len), w->path, sizeof w->path);
    buf_put_span(&w->content, f->content);
    return 0;
}

static const struct saip_sink finder = { NULL, find_file, NULL };

/* Commands of one file of the USIM (or a whole PE), what it then holds. */
static const struct {
    const char *name, *file, *more, *pe;
    const char *path, *kind, *content;
} contents[] = {
    { "default", "ef-ad", "B5() B6()", "", "7fd06fad", "transparent",
      "00000002" },
    { "default, tail", "ef-kc", "B6()",
      "B8(A0(81:09) 81:67810F010207 A2(A1(C6:01)) A3())", "7fd05f3b4f20",
      "transparent", "ffffffffffffffff07" },
    { "default, repeated", "ef-plmnwact", "B6()",
      "B4(A0(81:09) 81:67810F010205 AF(A1(80:0C)))", "7fd06f60",
      "transparent", "ffffff0000ffffff0000ffff" },
    { "default per record", "ef-ext2", "B6()",
      "B4(A0(81:09) 81:67810F010205 AC(A1(82:42210004 80:08)))", "7fd06f4b",
      "linear", "00ffffff00ffffff" },
    { "own file ID", "ef-ad", "B5(A1(83:6F99)) B6()", "", "7fd06f99",
      "transparent", "00000002" },
    { "written over the default", "ef-ad", "B5(83:81) B6()", "", "7fd06fad",
      "transparent", "81000002" },
    { "offsets are relative", "ef-loci",
      "B4(83:01 82:02 83:0203 82:01 83:04) B6()", "", "7fd06f7e",
      "transparent", "01ffff0203ff040000ff01" },
    { "size", "ef-ad", "B5(A1(80:06) 83:0102) B6()", "", "7fd06fad",
      "transparent", "010200020202" },
    { "fillPattern", "ef-ad", "B5(A1(A5(C1:0102)) 82:03 83:07) B6()", "",
      "7fd06fad", "transparent", "01020207" },
    { "repeatPattern", "ef-ad", "B5(A1(80:05 A5(C2:0102))) B6()", "",
      "7fd06fad", "transparent", "0102010201" },
    { "link", "ef-ad", "B5(A1(C7:7F106F3A)) B6()", "", "7fd06fad", "link",
      "" },
    { "link turned into a file", "ef-ad", "B5(A1(C7:)) B6()", "",
      "7fd06fad", "transparent", "00000002" },
    { "two of one kind", "ef-adn", "B6()",
      "B7(A0(81:09) 81:67810F010206 A2(A1(C6:01))"
      " AB(A1(82:42210002 83:4F58 80:02) 83:01"
      " A1(82:42210002 83:4F59 80:02) 83:02))", "7fd05f3a4f59", "linear",
      "01ff02ff" },
    { "high tag", "ef-sdnuri", "B6()",
      "B4(A0(81:09) 81:67810F010205 BF48(A1(82:42210002 80:02) 83:01))",
      "7fd06fef", "linear", "01ff" },
    { "generic", "file", "B6()",
      "A1(A0(81:09) A1(30(80:7FD0 62(82:7821 83:5F70) 80:7FD05F70"
      " 62(82:4121 83:4F01 80:03) 02:01 81:0102)))", "7fd05f704f01",
      "transparent", "ff0102" },
    { "generic, from the MF", "file", "B6()",
      "A1(A0(81:09) A1(30(62(82:42210003 83:4F01 80:06 A5(C1:0001))"
      " 81:07)))", "4f01", "linear", "070101000101" },
    { "BER-TLV has room, not content", "file", "B6()",
      "A1(A0(81:09) A1(30(62(82:7921 83:4F02 80:0400))))", "4f02", "ber-tlv",
      "" },
};

START_TEST(carries_out_file_commands)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct found w = { .name = contents[_i].file, .content = BUF_INIT };
    struct err e = ERR_INIT;
    char hex[200], *text = NULL;

    ck_assert_int_gt(asprintf(&text, T_HEADER " " T_MF
                              " B3(A0(80: 81:04) 81:67810F010204"
                              " A2(A1(83:7FD0 84:A0000000871002))"
                              " A3(" T_EF_IMSI ") A4(A1(82:42210010 80:10))"
                              " A8(83:00) AD() AE() B2() %s) %s " T_END,
                              contents[_i].more, contents[_i].pe), 0);
    der_text(&b, text);
    free(text);
    ck_assert_msg(saip_walk(buf_span(&b), &finder, &w, NULL, &e) == 0,
                  "%s: %s", contents[_i].name, e.msg);
    ck_assert_msg(w.count > 0, "%s: no %s", contents[_i].name, w.name);
    hex_encode(buf_span(&w.content), hex, sizeof hex);
    ck_assert_msg(strcmp(hex, contents[_i].content) == 0, "%s: %s",
                  contents[_i].name, hex);
    ck_assert_msg(strcmp(w.path, contents[_i].path) == 0, "%s: %s",
                  contents[_i].name, w.path);
    ck_assert_str_eq(saip_kind_name(w.file.kind), contents[_i].kind);
    buf_clear(&w.content);
}
END_TEST

START_TEST(leaves_out_what_is_not_created)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct found w = { .name = "ef-ad", .content = BUF_INIT };
    struct saip_profile with, without;
    struct err e = ERR_INIT;

    der_text(&b, T_UPP_OF(T_MF, T_USIM_OF(T_EF_IMSI,
                                          "AD() AE() B2() B5() B6()")));
    ck_assert_int_eq(saip_walk(buf_span(&b), NULL, NULL, &with, &e), 0);
    buf_reset(&b);
    der_text(&b, T_UPP_OF(T_MF, T_USIM_OF(T_EF_IMSI,
                                          "AD() AE() B2() B5(80:) B6()")));
    ck_assert_msg(saip_walk(buf_span(&b), &finder, &w, &without, &e) == 0,
                  "%s", e.msg);
    ck_assert_int_eq(w.count, 0);
    ck_assert_uint_eq(with.files, without.files + 1);
}
END_TEST

/* --- what the card is told ----------------------------------------------- */

struct told {
    struct buf elements;
    size_t element_count, file_count, naa_count;
    size_t fail_at_file;
};

static int on_element(void *ctx, const struct saip_element *x, struct err *e)
{
    struct told *t = ctx;

    (void)e;
    ck_assert_uint_eq(x->index, t->element_count);
    ck_assert_uint_eq(x->at, t->elements.n);
    t->element_count++;
    buf_put_span(&t->elements, x->whole);
    return 0;
}

static int on_file(void *ctx, const struct saip_file *f, struct err *e)
{
    struct told *t = ctx;

    ck_assert_uint_eq(f->element + 1, t->element_count);
    if (++t->file_count == t->fail_at_file)
        return err_set(e, ERR_FULL, "no room");
    return 0;
}

static int on_naa(void *ctx, const struct saip_naa *n, struct err *e)
{
    (void)n;
    (void)e;
    ((struct told *)ctx)->naa_count++;
    return 0;
}

static const struct saip_sink teller = { on_element, on_file, on_naa };

START_TEST(tells_everything_in_order)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct told t = { .elements = BUF_INIT };
    struct saip_profile p;
    struct err e = ERR_INIT;
    char text[ICCID_DIGITS + 1], hex[80];

    der_text(&b, T_UPP);
    ck_assert_msg(saip_walk(buf_span(&b), &teller, &t, &p, &e) == 0, "%s",
                  e.msg);
    ck_assert(span_eq(buf_span(&b), buf_span(&t.elements)));
    ck_assert_uint_eq(t.element_count, 7);
    ck_assert_uint_eq(p.elements, 7);
    ck_assert_uint_eq(p.files, t.file_count);
    ck_assert_uint_eq(t.file_count, 4 + 8);
    ck_assert_uint_eq(t.naa_count, 1);

    ck_assert_int_eq(p.major, 2);
    ck_assert_int_eq(p.minor, 3);
    ck_assert_str_eq(p.type, "Lab");
    ck_assert_str_eq(iccid_format(&p.iccid, text), T_ICCID);
    const struct saip_naa *n = &p.naa[0];
    ck_assert_int_eq(n->kind, SAIP_USIM);
    ck_assert_str_eq(hex_encode(SPAN(n->aid, n->aid_len), hex, sizeof hex),
                     "a0000000871002");
    ck_assert_int_eq(n->algorithm, SAIP_ALG_MILENAGE);
    ck_assert_str_eq(hex_encode(SPAN(n->k, n->k_len), hex, sizeof hex),
                     "000102030405060708090a0b0c0d0e0f");
    ck_assert_str_eq(hex_encode(SPAN(n->opc, n->opc_len), hex, sizeof hex),
                     "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    ck_assert_str_eq(n->imsi, "001010123456063");
    ck_assert(!n->gsm_access);
    buf_clear(&t.elements);
}
END_TEST

START_TEST(tells_of_mapped_keys)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct saip_profile p;
    struct err e = ERR_INIT;
    char hex[40];

    der_text(&b, T_HEADER " " T_MF " " T_USIM " " T_AKA
             " B8(A0(81:0A) 81:67810F010207 A2(A1(C6:01)))"
             " B5(A0(81:09) 81:67810F010208 A2(A1(83:7FB0 84:A0000000871004))"
             " A3(A1(80:08)) A4(A1(82:42210008 80:08)) A5() A6() A8(A1("
             "82:42210008 80:08)))"
             " A4(A0(81:0B) A1(A0(80:00 81:A0000000871002))) " T_END);
    ck_assert_msg(saip_walk(buf_span(&b), NULL, NULL, &p, &e) == 0, "%s",
                  e.msg);
    ck_assert_uint_eq(p.naas, 2);
    ck_assert(p.naa[0].gsm_access);
    ck_assert_int_eq(p.naa[1].kind, SAIP_ISIM);
    ck_assert_int_eq(p.naa[1].algorithm, SAIP_ALG_MAPPED);
    ck_assert_str_eq(hex_encode(SPAN(p.naa[1].mapped_to,
                                     p.naa[1].mapped_to_len), hex,
                                sizeof hex), "a0000000871002");
}
END_TEST

/* The card's own failure (its store is full) comes back as it is. */
START_TEST(passes_on_the_sink_s_error)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct told t = { .elements = BUF_INIT, .fail_at_file = 3 };
    struct saip_profile p = { .elements = 77 };
    struct err e = ERR_INIT;

    der_text(&b, T_UPP);
    ck_assert_int_eq(saip_walk(buf_span(&b), &teller, &t, &p, &e), -1);
    ck_assert_int_eq(e.code, ERR_FULL);
    ck_assert_uint_eq(t.file_count, 3);
    ck_assert_uint_eq(t.naa_count, 0);
    ck_assert_uint_eq(p.elements, 77);
    buf_clear(&t.elements);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab/saip walk");
    TCase *t = tcase_create("walk");

    tcase_add_loop_test(t, judges, 0, sizeof rows / sizeof *rows);
    tcase_add_test(t, refuses_a_huge_package);
    tcase_add_test(t, refuses_files_that_are_too_much_together);
    tcase_add_test(t, refuses_every_cut);
    tcase_add_loop_test(t, carries_out_file_commands, 0,
                        sizeof contents / sizeof *contents);
    tcase_add_test(t, leaves_out_what_is_not_created);
    tcase_add_test(t, tells_everything_in_order);
    tcase_add_test(t, tells_of_mapped_keys);
    tcase_add_test(t, passes_on_the_sink_s_error);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
