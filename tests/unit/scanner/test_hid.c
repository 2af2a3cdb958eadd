#include "drivers/scanner/hid.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/scanner/descriptors.h"

#define X8(s) s s s s s s s s
#define X64(s) X8(s) X8(s) X8(s) X8(s) X8(s) X8(s) X8(s) X8(s)
#define X256(s) X64(s) X64(s) X64(s) X64(s)
#define X4096(s) X256(s) X256(s) X256(s) X256(s) X256(s) X256(s) X256(s) \
    X256(s) X256(s) X256(s) X256(s) X256(s) X256(s) X256(s) X256(s) X256(s)

#define KEYBOARD "05010906A101"                /* an application 01:06    */
#define SIX_KEYS "050719002965150025657508950681" /* and flags            */

/* Hex in which blanks stand for nothing. */
static void put_hex(struct buf *b, const char *hex)
{
    char pair[3] = "";
    size_t n = 0;

    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        pair[n++] = *hex;
        if (n == 2) {
            buf_put_hex(b, pair);
            n = 0;
        }
    }
    ck_assert(n == 0 && buf_ok(b));
}

static int parse(const char *hex, struct hid_scanner *h, struct err *e)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    put_hex(&b, hex);
    return hid_parse(buf_span(&b), h, e);
}

static void parse_good(const char *hex, struct hid_scanner *h)
{
    struct err e = ERR_INIT;

    ck_assert_msg(parse(hex, h, &e) == 0, "%s", e.msg);
}

/* --- what is what ------------------------------------------------------------------ */

static const struct {
    const char *name, *hex;
    enum hid_kind kind;
    size_t report_max;
    const char *verdict;
} verdicts[] = {
    { "boot keyboard", BOOT_KEYBOARD, HID_KEYBOARD, 8, "keyboard" },
    { "odd keyboard", ODD_KEYBOARD, HID_KEYBOARD, 16, "keyboard" },
    { "POS", POS_SCANNER, HID_POS, 64, "56 octets" },
    { "padded with zeros", BOOT_KEYBOARD "000000", HID_KEYBOARD, 8, "keyboard" },
    { "a long item", KEYBOARD "FE03AA010203" SIX_KEYS "00C0", HID_KEYBOARD, 6, "keyboard" },
    { "a keypad", "05010907A101" SIX_KEYS "00C0", HID_KEYBOARD, 6, "keyboard" },
    { "usages with their page", KEYBOARD "1B00000700 2B65000700" "150025657508 9506 8100C0",
      HID_KEYBOARD, 6, "keyboard" },
    { "the page after the usages", KEYBOARD "1900 2965 0507 150025657508 9506 8100C0",
      HID_KEYBOARD, 6, "keyboard" },
    { "a range whose minimum alone has its page",
      KEYBOARD "1B00000700 2965 150025657508 9506 8100C0", HID_KEYBOARD, 6, "keyboard" },
    { "delimited usages", KEYBOARD "0507 A901 0904 0905 A900 15002501 7501 9508 8102C0",
      HID_KEYBOARD, 1, "keyboard" },
    { "push and pop", KEYBOARD "0507 A4 0501 B4 19002965 150025657508 9506 8100C0",
      HID_KEYBOARD, 6, "keyboard" },
    { "two applications, the second a keyboard",
      "05010902A101 7508 9504 8503 8101 C0" KEYBOARD "8504" SIX_KEYS "00C0",
      HID_KEYBOARD, 7, "keyboard" },
    { "a logical maximum of 255 in one octet",
      KEYBOARD "0507190029FF150025FF7508 9506 8100C0", HID_KEYBOARD, 6, "keyboard" },
    { "POS without a length", "058C0902A101 15002508 7508 9540 09FE 8102 C0",
      HID_POS, 64, "64 octets" },
    { "a POS scanner that is a keyboard too", POS_SCANNER KEYBOARD "8503" SIX_KEYS "00C0",
      HID_POS, 64, "POS" },
    { "a mouse", "05010902A101 05091901290315002501 7501 9503 8102C0",
      HID_NEITHER, 1, "a mouse (application 01:02)" },
    { "a touch screen", "050D0904A101 7508 9504 8101C0", HID_NEITHER, 4, "touch" },
    { "a power supply", "05840904A101 7508 9504 8101C0", HID_NEITHER, 4, "power supply" },
    { "its maker's own", "0600FF0901A101 7508 9504 8102C0", HID_NEITHER, 4, "maker" },
    { "POS without data", "058C0902A101 7508 9504 09FB 8102C0", HID_NEITHER, 4, "8C:FE" },
    { "a keyboard without keys", KEYBOARD "050719E029E7 15002501 7501 9508 8102C0",
      HID_NEITHER, 1, "without keys" },
    { "keys that are not a keyboard's", "05010902A101" SIX_KEYS "00C0", HID_NEITHER, 6, "mouse" },
    { "constant keys", KEYBOARD SIX_KEYS "01C0", HID_NEITHER, 6, "without keys" },
    { "keys of no bits", KEYBOARD "050719002965 7500 95FF 8100C0", HID_NEITHER, 0, "" },
    { "many IDs", KEYBOARD "85FF" SIX_KEYS "00 8501" SIX_KEYS "00 C0",
      HID_KEYBOARD, 7, "keyboard" },
};

START_TEST(verdict)
{
    struct hid_scanner h;

    parse_good(verdicts[_i].hex, &h);
    ck_assert_msg(h.kind == verdicts[_i].kind, "%s: %s", verdicts[_i].name, h.verdict);
    ck_assert_msg(strstr(h.verdict, verdicts[_i].verdict) != NULL, "%s: %s",
                  verdicts[_i].name, h.verdict);
    ck_assert_msg(h.report_max == verdicts[_i].report_max, "%s: %zu",
                  verdicts[_i].name, h.report_max);
}
END_TEST

/* --- lies --------------------------------------------------------------------------- */

static const struct {
    const char *name, *hex;
    enum err_code code;
    const char *msg;
} lies[] = {
    { "nothing", "", ERR_FORMAT, "describes nothing" },
    { "zeros only", "00000000", ERR_FORMAT, "describes nothing" },
    { "cut in an item", KEYBOARD "0507190029", ERR_FORMAT, "+10: ends in the middle" },
    { "cut in a long item", KEYBOARD "FE", ERR_FORMAT, "long item" },
    { "a long item too long", KEYBOARD "FEFFAA00", ERR_FORMAT, "long item" },
    { "unclosed", KEYBOARD SIX_KEYS "00", ERR_FORMAT, "still open" },
    { "closed twice", KEYBOARD SIX_KEYS "00C0C0", ERR_FORMAT, "never opened" },
    { "closed first", "C0", ERR_FORMAT, "never opened" },
    { "nested too deep", X64("A100") X64("C0"), ERR_LIMIT, "nested too deep" },
    { "too many collections", X256("A100C0") "A100C0", ERR_LIMIT, "too many collections" },
    { "too many items", X4096("00"), ERR_LIMIT, "more items" },
    { "too long", X4096("00") "00", ERR_LIMIT, "longer" },
    { "pushed for ever", X64("A4"), ERR_LIMIT, "pushes" },
    { "popped first", "B4", ERR_FORMAT, "pops" },
    { "a field before any collection", "7508 9501 8102", ERR_FORMAT, "outside" },
    { "report ID 0", KEYBOARD "8500", ERR_FORMAT, "report ID" },
    { "report ID 256", KEYBOARD "860001", ERR_FORMAT, "report ID" },
    { "an ID too late", KEYBOARD SIX_KEYS "00 8501" SIX_KEYS "00C0", ERR_FORMAT, "after fields" },
    { "an ID popped away", KEYBOARD "A4 8501 B4" SIX_KEYS "00C0", ERR_FORMAT, "without a report ID" },
    { "usage page 0", "0500", ERR_FORMAT, "usage page" },
    { "a usage page of 32 bits", "0700000100", ERR_FORMAT, "usage page" },
    { "four billion fields", KEYBOARD "0507190029FF 7508 97FFFFFFFF 8100C0", ERR_LIMIT, "larger" },
    { "of four billion bits", KEYBOARD "0507190029FF 77FFFFFFFF 97FFFFFFFF 8100C0", ERR_LIMIT, "larger" },
    { "bits that add up", KEYBOARD "7508 96FF0F 8101 9503 8101C0", ERR_LIMIT, "larger" },
    { "an output for ever", KEYBOARD "7508 960110 9101C0", ERR_LIMIT, "larger" },
    { "keys of 33 bits", KEYBOARD "050719002965150025657521 9506 8100C0", ERR_FORMAT, "1 to 32" },
    { "a range backwards", KEYBOARD "0507 1965 2900", ERR_FORMAT, "before it begins" },
    { "a range over pages", KEYBOARD "1B00000700 2B65000800", ERR_FORMAT, "several pages" },
    { "a maximum alone", KEYBOARD "0507 2965", ERR_FORMAT, "without a minimum" },
    { "four billion usages", KEYBOARD "0507 1B00000700 2BFFFF0700 1500 27FFFFFF7F 7508 9506 8100C0",
      ERR_LIMIT, "more keys" },
    { "more usages than room", KEYBOARD "0507" X64("0904") "0904", ERR_LIMIT, "too many usages" },
    { "a minimum above the maximum", KEYBOARD "050719002965 1505 2501 7508 9506 8100C0",
      ERR_FORMAT, "logical maximum" },
    { "keys all over the place",
      KEYBOARD "0507 15002501 7501 9501" X64("09048102") "C0", ERR_LIMIT, "scattered" },
    { "keys in too many reports",
      KEYBOARD "0507 15002501 7501 9501 8501 09048102 8502 09048102 8503 09048102"
               "8504 09048102 8505 09048102 C0", ERR_LIMIT, "too many different" },
    { "a delimiter that nests", KEYBOARD "A901A901", ERR_FORMAT, "delimiter" },
    { "a delimiter never opened", KEYBOARD "A900", ERR_FORMAT, "delimiter" },
    { "a delimiter never closed", KEYBOARD "A901 C0", ERR_FORMAT, "delimiter" },
    { "POS data of 7 bits", "058C0902A101 7507 9540 09FE 8102 C0", ERR_FORMAT, "not octets" },
    { "POS data of 264 bits", "058C0902A101 760801 9504 09FE 8102 C0", ERR_FORMAT, "32 bits" },
};

START_TEST(lie)
{
    struct hid_scanner h = { .kind = HID_KINDS };
    struct err e = ERR_INIT;

    ck_assert_msg(parse(lies[_i].hex, &h, &e) == -1, "%s: taken as %s",
                  lies[_i].name, h.verdict);
    ck_assert_msg(e.code == lies[_i].code && strstr(e.msg, lies[_i].msg), "%s: %s: %s",
                  lies[_i].name, err_name(e.code), e.msg);
    ck_assert_msg(h.kind == HID_KINDS, "%s: touched", lies[_i].name);
}
END_TEST

/* No prefix of a good descriptor and no octet changed does harm (ASan). */
START_TEST(every_prefix_and_every_octet)
{
    static const char *const good[] = { BOOT_KEYBOARD, ODD_KEYBOARD, POS_SCANNER };
    struct hid_scanner h;

    for (size_t g = 0; g < 3; g++) {
        AUTO(buf_clear) struct buf b = BUF_INIT;

        put_hex(&b, good[g]);
        for (size_t n = 0; n < b.n; n++)
            ck_assert_int_eq(hid_parse(SPAN(b.p, n), &h, NULL), -1);
        for (size_t i = 0; i < b.n; i++)
            for (unsigned v = 0; v < 256; v++) {
                uint8_t was = b.p[i];

                b.p[i] = (uint8_t)v;
                if (hid_parse(buf_span(&b), &h, NULL) == 0 && h.report_max > HID_REPORT_MAX + 1)
                    ck_abort_msg("a report of %zu", h.report_max);
                b.p[i] = was;
            }
    }
}
END_TEST

/* --- reports ------------------------------------------------------------------------ */

static const struct {
    const char *name, *descriptor, *report;
    enum hid_read read;
    uint8_t modifiers;
    const char *keys; /* hex */
    size_t ordered;
} key_rows[] = {
    { "nothing pressed", BOOT_KEYBOARD, "0000000000000000", HID_READ_OK, 0, "", 0 },
    { "three, in order", BOOT_KEYBOARD, "2200 060504000000", HID_READ_OK, 0x22, "060504", 3 },
    { "one twice", BOOT_KEYBOARD, "0000040405000000", HID_READ_OK, 0, "0405", 2 },
    { "beyond its usages", BOOT_KEYBOARD, "0000046605000000", HID_READ_OK, 0, "0405", 2 },
    { "phantom", BOOT_KEYBOARD, "0200010101010101", HID_READ_PHANTOM, 2, "", 0 },
    { "POST failed", BOOT_KEYBOARD, "0000020000000000", HID_READ_FAULT, 0, "", 0 },
    { "short", BOOT_KEYBOARD, "00000400000000", HID_READ_SHORT, 0, "", 0 },
    { "none", BOOT_KEYBOARD, "", HID_READ_SHORT, 0, "", 0 },
    { "longer than it must be", BOOT_KEYBOARD, "0000040000000000FF", HID_READ_OK, 0, "04", 1 },
    { "bitmap", ODD_KEYBOARD, "05 0100000000000000000000000001 02", HID_READ_OK, 0x02, "046C", 0 },
    { "another ID", ODD_KEYBOARD, "04 0100000000000000000000000000 02", HID_READ_OTHER, 0, "", 0 },
    { "ID alone", ODD_KEYBOARD, "05", HID_READ_SHORT, 0, "", 0 },
    { "no ID", ODD_KEYBOARD, "", HID_READ_SHORT, 0, "", 0 },
    { "modifiers in the array", KEYBOARD "0507190029FF150026FF007508 9506 8100C0",
      "04E105000000", HID_READ_OK, 0x02, "0405", 2 },
    { "an array that starts at 1", KEYBOARD "05071904290A 15012507 7508 9502 8100C0",
      "0107", HID_READ_OK, 0, "040A", 2 },
    { "an array below 0", KEYBOARD "05071904290A 15FF2505 7508 9502 8100C0",
      "FF05", HID_READ_OK, 0, "040A", 2 },
    { "an array of nibbles", KEYBOARD "05071904290A 15012507 7504 9503 8100 9501 8101C0",
      "2103", HID_READ_OK, 0, "040506", 3 },
    { "an array of 16 bits over octets", KEYBOARD "7504 9501 8101"
      "0507190029FF150026FF00 7510 9501 8100 7504 8101C0",
      "400000", HID_READ_OK, 0, "04", 1 },
    { "an array of a list of keys", KEYBOARD "0507 0904 091E 0928 15012503 7508 9502 8100C0",
      "0301", HID_READ_OK, 0, "2804", 2 },
};

START_TEST(keys_of_a_report)
{
    AUTO(buf_clear) struct buf report = BUF_INIT, want = BUF_INIT;
    const char *name = key_rows[_i].name;
    struct hid_scanner h;
    struct hid_keys k;

    parse_good(key_rows[_i].descriptor, &h);
    ck_assert_int_eq(h.kind, HID_KEYBOARD);
    put_hex(&report, key_rows[_i].report);
    put_hex(&want, key_rows[_i].keys);
    enum hid_read r = hid_keys(&h, buf_span(&report), &k);
    ck_assert_msg(r == key_rows[_i].read, "%s: %d", name, r);
    if (r != HID_READ_OK)
        return;
    ck_assert_msg(k.modifiers == key_rows[_i].modifiers, "%s: %02X", name, k.modifiers);
    ck_assert_msg(span_eq(SPAN(k.key, k.n), buf_span(&want)), "%s: %zu keys", name, k.n);
    ck_assert_msg(k.ordered == key_rows[_i].ordered, "%s: %zu ordered", name, k.ordered);
}
END_TEST

#define POS_8 "058C0902A101 7508 9501 0501093B 8102 058C 09FE 9508 8102 09FF 9501 8102C0"

static const struct {
    const char *name, *descriptor, *report;
    enum hid_read read;
    const char *data;
    bool continued;
} pos_rows[] = {
    { "three octets", POS_8, "03 4142430000000000 00", HID_READ_OK, "ABC", false },
    { "all", POS_8, "08 4142434445464748 01", HID_READ_OK, "ABCDEFGH", true },
    { "none", POS_8, "00 4142434445464748 00", HID_READ_OK, "", false },
    { "more than fit", POS_8, "09 4142434445464748 01", HID_READ_FAULT, NULL, true },
    { "short", POS_8, "03 4142430000000000", HID_READ_SHORT, NULL, false },
    { "nothing at all", POS_8, "", HID_READ_SHORT, NULL, false },
    { "no length", "058C0902A101 7508 9508 09FE 8102C0", "4142430000000000", HID_READ_OK, "ABC", false },
    { "another report", "058C0902A101 7508 8503 9504 09FB 8102 8504 9508 09FE 8102C0",
      "0341424344", HID_READ_OTHER, NULL, false },
    { "the Scanned Data Report is the one",
      "058C0902A101 7508 8503 9508 09FE 8102 0912A102 8504 9508 09FE 8102C0C0",
      "044142430000000000", HID_READ_OK, "ABC", false },
    { "a length that comes first elsewhere",
      "058C0902A101 7508 8503 9501 0501093B 8102 058C0912A102 8504 9508 09FE 8102C0C0",
      "044142430000000000", HID_READ_OK, "ABC", false },
    { "symbology and data in one item",
      "058C0902A101 7508 950A 09FB09FC09FD09FE 8102C0", "5D513041424300000000", HID_READ_OK, "ABC", false },
};

START_TEST(data_of_a_report)
{
    AUTO(buf_clear) struct buf report = BUF_INIT;
    const char *name = pos_rows[_i].name;
    struct hid_scanner h;
    struct hid_data d;

    parse_good(pos_rows[_i].descriptor, &h);
    ck_assert_int_eq(h.kind, HID_POS);
    put_hex(&report, pos_rows[_i].report);
    enum hid_read r = hid_data(&h, buf_span(&report), &d);
    ck_assert_msg(r == pos_rows[_i].read, "%s: %d", name, r);
    ck_assert_msg(d.continued == pos_rows[_i].continued, "%s: continued", name);
    if (pos_rows[_i].data)
        ck_assert_msg(span_eq(SPAN(d.octets, d.n), SPAN_STR(pos_rows[_i].data)),
                      "%s: %zu octets", name, d.n);
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))

int main(void)
{
    Suite *s = suite_create("drivers/scanner/hid");
    TCase *t = tcase_create("hid");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, verdict, 0, ROWS(verdicts));
    tcase_add_loop_test(t, lie, 0, ROWS(lies));
    tcase_add_test(t, every_prefix_and_every_octet);
    tcase_add_loop_test(t, keys_of_a_report, 0, ROWS(key_rows));
    tcase_add_loop_test(t, data_of_a_report, 0, ROWS(pos_rows));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
