#include "drivers/scanner/decode.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/usb/hid_keys.h"
#include "tests/unit/scanner/descriptors.h"

/* What came out, one line a scan: "ok TEXT" or "cut"; the last sentence apart. */
static char said[8192], sentence[512];
static struct hid_scanner hid;
static struct decode d;
static int64_t now;

static void scanned(void *ctx, enum scanner_scan what, struct span text)
{
    size_t n = strlen(said);

    ck_assert_ptr_eq(ctx, &d);
    ck_assert_uint_lt(text.n, sizeof sentence);
    if (what == SCANNER_OK) {
        snprintf(said + n, sizeof said - n, "ok %.*s\n", (int)text.n, (const char *)text.p);
    } else {
        snprintf(said + n, sizeof said - n, "%s\n", scanner_scan_name(what));
        snprintf(sentence, sizeof sentence, "%.*s", (int)text.n, (const char *)text.p);
    }
}

static void begin(const char *descriptor, struct scanner_settings s)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    said[0] = sentence[0] = 0;
    now = 1000;
    buf_put_hex(&b, descriptor);
    ck_assert_msg(hid_parse(buf_span(&b), &hid, &e) == 0, "%s", e.msg);
    decode_init(&d, &hid, &s, scanned, &d);
}

static void report(const char *hex)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    buf_put_hex(&b, hex);
    ck_assert(buf_ok(&b));
    decode_report(&d, buf_span(&b), now);
}

static void boot(uint8_t modifiers, uint8_t first, uint8_t second)
{
    const uint8_t r[8] = { modifiers, 0, first, second };

    decode_report(&d, SPAN_ARRAY(r), now++);
}

/* As most scanners type: modifier and key down, all up. */
static void type_as(enum hid_model_layout l, struct hid_manner m, const char *text)
{
    struct hid_stroke s[HID_STROKES_MAX];

    for (; *text; text++) {
        size_t n = hid_keys_type(l, m, *text, s);

        ck_assert(n > 0);
        for (size_t i = 0; i < n; i++) {
            boot(s[i].modifiers, s[i].usage, 0);
            boot(0, 0, 0);
        }
    }
}

static void type(const char *text)
{
    type_as(HID_MODEL_US, (struct hid_manner){ 0 }, text);
}

static void wait_ms(int64_t ms)
{
    now += ms;
    decode_tick(&d, now);
}

#define US ((struct scanner_settings){ .layout = LAYOUT_US })
#define assert_said(text) ck_assert_str_eq(said, text)
#define assert_sentence(part) \
    ck_assert_msg(strstr(sentence, part) != NULL, "%s", sentence)

/* --- text ------------------------------------------------------------------------- */

START_TEST(all_of_ascii_in_one_scan)
{
    static const struct {
        enum layout ours;
        enum hid_model_layout lab;
    } layouts[] = { { LAYOUT_US, HID_MODEL_US }, { LAYOUT_DE, HID_MODEL_DE },
                    { LAYOUT_FR, HID_MODEL_FR } };
    char text[128], want[140];
    struct hid_manner m = { .caps = _i & 1, .keypad = _i & 2 };

    for (size_t l = 0; l < 3; l++) {
        for (int c = ' '; c <= '~'; c++)
            text[c - ' '] = (char)c;
        text[95] = '\r';
        text[96] = 0;
        begin(BOOT_KEYBOARD, (struct scanner_settings){ .layout = layouts[l].ours });
        type_as(layouts[l].lab, m, text);
        snprintf(want, sizeof want, "ok %.95s\n", text);
        assert_said(want);
    }
}
END_TEST

START_TEST(text_beyond_ascii_is_utf8)
{
    begin(BOOT_KEYBOARD, (struct scanner_settings){ .layout = LAYOUT_DE });
    boot(0, 0x33, 0);    /* o umlaut */
    boot(0x40, 0x08, 0); /* Euro */
    boot(0, 0x35, 0);    /* dead ^ ... */
    boot(0, 0x08, 0);    /* ... and e */
    boot(0, 0x28, 0);
    assert_said("ok \xC3\xB6\xE2\x82\xAC\xC3\xAA\n");
}
END_TEST

START_TEST(an_accent_before_what_takes_none)
{
    begin(BOOT_KEYBOARD, (struct scanner_settings){ .layout = LAYOUT_DE });
    boot(0, 0x35, 0);
    boot(0, 0x1E, 0);
    type("\r");
    boot(0, 0x35, 0); /* two accents */
    boot(0, 0, 0);
    boot(0, 0x35, 0);
    boot(0, 0x2C, 0);
    type("\r");
    boot(0, 0x35, 0); /* an accent and the end */
    type("\r");
    type("1\r");
    assert_said("undecodable\nundecodable\nundecodable\nok 1\n");
    assert_sentence("accent");
}
END_TEST

START_TEST(alt_codes_are_refused)
{
    struct hid_stroke s[HID_STROKES_MAX];
    size_t n = hid_keys_alt_code('A', s);

    begin(BOOT_KEYBOARD, US);
    type("X");
    for (size_t i = 0; i < n; i++)
        boot(s[i].modifiers, s[i].usage, 0);
    type("Y\r");
    assert_said("undecodable\n");
    assert_sentence("ALT mode");
    type("Z\r");
    assert_said("undecodable\nok Z\n");
}
END_TEST

/* --- keys ------------------------------------------------------------------------- */

START_TEST(equal_keys_need_a_release_others_do_not)
{
    begin(BOOT_KEYBOARD, US);
    boot(0, 0x04, 0); /* a, held through two reports */
    boot(0, 0x04, 0);
    boot(0, 0x05, 0); /* b, without a's release of its own */
    boot(0, 0, 0);
    boot(0, 0x05, 0); /* b again */
    boot(0, 0x28, 0);
    assert_said("ok abb\n");
}
END_TEST

START_TEST(rollover)
{
    begin(BOOT_KEYBOARD, US);
    boot(0, 0x04, 0);
    boot(0, 0x04, 0x05);
    boot(0, 0x05, 0);
    boot(0, 0x05, 0x04); /* a again: it was up */
    boot(2, 0x05, 0x06); /* shift for c alone */
    boot(0, 0x06, 0x28);
    assert_said("ok abaC\n");
    boot(0, 0x28, 0x1E); /* Enter still down */
    boot(0, 0x1E, 0);
    boot(0, 0x28, 0);
    assert_said("ok abaC\nok 1\n");
}
END_TEST

START_TEST(several_keys_in_a_report_in_order)
{
    begin(BOOT_KEYBOARD, US);
    report("0000090805040000");
    report("0000000000000000");
    report("0000280000000000");
    assert_said("ok feba\n");
}
END_TEST

START_TEST(a_modifier_change_types_nothing)
{
    begin(BOOT_KEYBOARD, US);
    boot(2, 0, 0);
    boot(2, 0x04, 0);
    boot(0, 0x04, 0);
    boot(0, 0, 0);
    type("\r");
    assert_said("ok A\n");
}
END_TEST

START_TEST(phantom_states_are_passed_over)
{
    begin(BOOT_KEYBOARD, US);
    boot(0, 0x04, 0);
    report("0000010101010101");
    boot(0, 0x04, 0);
    report("0000010101010101");
    boot(0, 0x05, 0);
    type("\r");
    assert_said("ok ab\n");
}
END_TEST

START_TEST(caps_lock_is_kept_from_scan_to_scan)
{
    begin(BOOT_KEYBOARD, US);
    boot(0, 0x39, 0);
    type("aB\r");
    type("aB1\r");
    boot(0, 0x39, 0);
    boot(0, 0, 0);
    type("aB\r");
    assert_said("ok Ab\nok Ab1\nok aB\n");
}
END_TEST

START_TEST(a_bitmap_has_no_order)
{
    begin(ODD_KEYBOARD, US);
    report("05010000000000000000000000000000"); /* a */
    report("05030000000000000000000000000000"); /* and b, one new */
    report("05000000000000000000000000000000");
    report("05000000001000000000000000000000"); /* Enter: bit 0x24 */
    report("05000000000000000000000000000000");
    assert_said("ok ab\n");
    report("05030000000000000000000000000000"); /* two at once */
    report("05000000001000000000000000000000");
    assert_said("ok ab\nundecodable\n");
    assert_sentence("no order");
}
END_TEST

START_TEST(bad_reports_spoil_their_scan_alone)
{
    begin(BOOT_KEYBOARD, US);
    type("ab");
    report("00000400");
    type("\rcd");
    report("0000020000000000");
    type("\ref\r");
    assert_said("undecodable\nundecodable\nok ef\n");
}
END_TEST

/* --- ends -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum scanner_suffix suffix;
    const char *typed, *said;
} suffix_rows[] = {
    { "CR", SCANNER_SUFFIX_CR, "ab\rcd\r", "ok ab\nok cd\n" },
    { "CR alone", SCANNER_SUFFIX_CR, "\rab\r", "ok \nok ab\n" },
    { "CRLF where CR is set", SCANNER_SUFFIX_CR, "ab\r\ncd\r\n", "ok ab\nok cd\n" },
    { "LF", SCANNER_SUFFIX_LF, "ab\ncd\n", "ok ab\nok cd\n" },
    { "CRLF where LF is set", SCANNER_SUFFIX_LF, "ab\r\ncd\r\n", "ok ab\nok cd\n" },
    { "TAB", SCANNER_SUFFIX_TAB, "ab\tcd\t", "ok ab\nok cd\n" },
    { "CRLF", SCANNER_SUFFIX_CRLF, "ab\r\ncd\r\n", "ok ab\nok cd\n" },
    { "CR where CRLF is set", SCANNER_SUFFIX_CRLF, "ab\rcd\ref\r\n",
      "undecodable\nundecodable\nok ef\n" },
    { "a TAB that is text", SCANNER_SUFFIX_CR, "F1\tab\r", "ok F1\tab\n" },
};

START_TEST(suffixes)
{
    begin(BOOT_KEYBOARD, (struct scanner_settings){ .suffix = suffix_rows[_i].suffix });
    type(suffix_rows[_i].typed);
    wait_ms(100000);
    ck_assert_msg(strcmp(said, suffix_rows[_i].said) == 0, "%s: %s",
                  suffix_rows[_i].name, said);
}
END_TEST

START_TEST(the_keypad_enter_is_lf_where_lf_is_wanted)
{
    begin(BOOT_KEYBOARD, (struct scanner_settings){ .suffix = SCANNER_SUFFIX_LF });
    type("a");
    boot(0, 0x58, 0);
    assert_said("ok a\n");
    begin(BOOT_KEYBOARD, (struct scanner_settings){ .suffix = SCANNER_SUFFIX_CRLF });
    type("a\r");
    boot(0, 0x58, 0);
    assert_said("ok a\n");
}
END_TEST

START_TEST(without_its_suffix_it_is_cut)
{
    begin(BOOT_KEYBOARD, US);
    ck_assert_int_eq(decode_deadline(&d), -1);
    type("abc");
    int64_t last = now - 2; /* its last key went down then */
    ck_assert_int_eq(decode_deadline(&d), last + SCANNER_GAP_MS);
    boot(0, 0, 0); /* says nothing new: no reason to wait longer */
    ck_assert_int_eq(decode_deadline(&d), last + SCANNER_GAP_MS);
    decode_tick(&d, last + SCANNER_GAP_MS - 1);
    assert_said("");
    decode_tick(&d, last + SCANNER_GAP_MS);
    assert_said("cut\n");
    assert_sentence("CR (Enter)");
    ck_assert_int_eq(decode_deadline(&d), -1);
}
END_TEST

START_TEST(a_cut_scan_is_not_joined_nor_its_rest_delivered)
{
    begin(BOOT_KEYBOARD, US);
    type("abc");
    now += SCANNER_GAP_MS; /* the tick comes late: the next report finds it */
    type("def\r");
    assert_said("cut\ncut\n");
    assert_sentence("rest");
    type("ghi\r");
    assert_said("cut\ncut\nok ghi\n");
    type("abc");
    wait_ms(SCANNER_GAP_MS * 4); /* nobody stops that long in the middle */
    type("def\r");
    assert_said("cut\ncut\nok ghi\ncut\nok def\n");
}
END_TEST

START_TEST(the_gap_is_a_setting)
{
    begin(BOOT_KEYBOARD, (struct scanner_settings){ .gap_ms = 2000 });
    type("abc");
    now += 1900;
    type("def\r");
    assert_said("ok abcdef\n");
}
END_TEST

START_TEST(a_scanner_that_goes_away)
{
    begin(BOOT_KEYBOARD, US);
    type("ab");
    boot(0, 0x06, 0);
    decode_end(&d);
    assert_said("cut\n");
    assert_sentence("went away");
    boot(0, 0x06, 0); /* a new start: nothing is held down */
    type("\r");
    assert_said("cut\nok c\n");
    decode_end(&d);
    assert_said("cut\nok c\n");
}
END_TEST

static void type_many(size_t n)
{
    for (size_t i = 0; i < n; i++)
        type(i % 2 ? "a" : "b");
}

START_TEST(length)
{
    begin(BOOT_KEYBOARD, US);
    type_many(SCANNER_TEXT_MAX);
    type("\r");
    ck_assert_uint_eq(strlen(said), strlen("ok \n") + SCANNER_TEXT_MAX);
    said[0] = 0;
    type_many(SCANNER_TEXT_MAX + 1);
    type("\r");
    type_many(SCANNER_TEXT_MAX * 3);
    type("\rab\r");
    assert_said("too-long\ntoo-long\nok ab\n");
    type_many(SCANNER_TEXT_MAX * 2);
    wait_ms(SCANNER_GAP_MS);
    assert_said("too-long\ntoo-long\nok ab\ntoo-long\n");
}
END_TEST

START_TEST(prefix)
{
    struct scanner_settings s = { .prefix = "~A" };

    begin(BOOT_KEYBOARD, s);
    type("~Aab\rab\r~a\r~\r~A\r\r");
    assert_said("ok ab\nno-prefix\nno-prefix\nno-prefix\nok \nno-prefix\n");
    assert_sentence("~A");
    said[0] = 0;
    type("~A");
    type_many(SCANNER_TEXT_MAX);
    type("\r");
    ck_assert_uint_eq(strlen(said), strlen("ok \n") + SCANNER_TEXT_MAX);
}
END_TEST

START_TEST(a_lost_report_spoils_the_scan_it_could_be_of)
{
    begin(BOOT_KEYBOARD, US);
    type("ab");
    decode_lost(&d, now);
    type("c\r");
    assert_said("undecodable\n");
    assert_sentence("lost");
    decode_lost(&d, now); /* perhaps the first key of the next */
    type("bc\r");
    assert_said("undecodable\nundecodable\n");
    decode_lost(&d, now); /* nothing came of it */
    wait_ms(SCANNER_GAP_MS + 1);
    type("abc\r");
    assert_said("undecodable\nundecodable\nok abc\n");
}
END_TEST

/* --- POS ---------------------------------------------------------------------------- */

static void pos(const char *text, bool continued)
{
    uint8_t r[64] = { 2, (uint8_t)strlen(text), ']', 'C', '0' };

    memcpy(r + 5, text, strlen(text));
    r[63] = continued;
    decode_report(&d, SPAN_ARRAY(r), now);
}

START_TEST(pos_scans)
{
    begin(POS_SCANNER, US);
    pos("ABC", false);
    pos("ABC\r\n", false);
    pos("ABC\r", false);
    pos("one, ", true);
    pos("two, ", true);
    pos("three", false);
    report("0102");
    assert_said("ok ABC\nok ABC\nok ABC\nok one, two, three\n");
}
END_TEST

START_TEST(pos_that_stops_in_the_middle)
{
    begin(POS_SCANNER, US);
    pos("one, ", true);
    wait_ms(SCANNER_GAP_MS);
    pos("two", false);
    pos("three", false);
    assert_said("cut\ncut\nok three\n");
}
END_TEST

START_TEST(pos_that_lies)
{
    char all[57];

    begin(POS_SCANNER, US);
    memset(all, 'x', 56);
    all[56] = 0;
    for (int i = 0; i < 5; i++)
        pos(all, true);
    pos(all, false);
    assert_said("too-long\n");
    uint8_t r[64] = { 2, 57 };
    decode_report(&d, SPAN_ARRAY(r), now);
    assert_said("too-long\nundecodable\n");
    pos("one", true);
    decode_report(&d, SPAN(r, 63), now); /* short: what follows is unknown */
    pos("two", true);
    pos("three", false);
    pos("four", false);
    assert_said("too-long\nundecodable\nundecodable\nok four\n");
}
END_TEST

START_TEST(names)
{
    enum scanner_suffix s;

    for (int i = 0; i < SCANNER_SUFFIXES; i++) {
        ck_assert(scanner_suffix_find(scanner_suffix_name((enum scanner_suffix)i), &s));
        ck_assert_int_eq(s, i);
    }
    ck_assert(!scanner_suffix_find("none", &s));
    for (int i = 0; i < SCANNER_SCANS; i++)
        ck_assert_ptr_nonnull(scanner_scan_name((enum scanner_scan)i));
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))

int main(void)
{
    Suite *s = suite_create("drivers/scanner/decode");
    TCase *t = tcase_create("decode");

    tcase_add_loop_test(t, all_of_ascii_in_one_scan, 0, 4);
    tcase_add_test(t, text_beyond_ascii_is_utf8);
    tcase_add_test(t, an_accent_before_what_takes_none);
    tcase_add_test(t, alt_codes_are_refused);
    tcase_add_test(t, equal_keys_need_a_release_others_do_not);
    tcase_add_test(t, rollover);
    tcase_add_test(t, several_keys_in_a_report_in_order);
    tcase_add_test(t, a_modifier_change_types_nothing);
    tcase_add_test(t, phantom_states_are_passed_over);
    tcase_add_test(t, caps_lock_is_kept_from_scan_to_scan);
    tcase_add_test(t, a_bitmap_has_no_order);
    tcase_add_test(t, bad_reports_spoil_their_scan_alone);
    tcase_add_loop_test(t, suffixes, 0, ROWS(suffix_rows));
    tcase_add_test(t, the_keypad_enter_is_lf_where_lf_is_wanted);
    tcase_add_test(t, without_its_suffix_it_is_cut);
    tcase_add_test(t, a_cut_scan_is_not_joined_nor_its_rest_delivered);
    tcase_add_test(t, the_gap_is_a_setting);
    tcase_add_test(t, a_scanner_that_goes_away);
    tcase_add_test(t, length);
    tcase_add_test(t, prefix);
    tcase_add_test(t, a_lost_report_spoils_the_scan_it_could_be_of);
    tcase_add_test(t, pos_scans);
    tcase_add_test(t, pos_that_stops_in_the_middle);
    tcase_add_test(t, pos_that_lies);
    tcase_add_test(t, names);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
