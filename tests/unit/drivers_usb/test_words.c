/* What drivers/usb can do without a bus: words, strings, and a machine that
 * has no USB. */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "drivers/usb/internal.h"

/* --- strings --------------------------------------------------------------------- */

static const struct {
    const char *name, *hex; /* the descriptor */
    size_t cap;
    const char *text;
} string_rows[] = {
    { "ascii", "0a0341006200430064", 32, "AbC" }, /* says 10, has 9: odd octet */
    { "nothing came", "", 32, "" },
    { "one octet", "04", 32, "" },
    { "another descriptor", "0602410042", 32, "" },
    { "length 0", "00034100", 32, "" },
    { "length 1", "01034100", 32, "" },
    { "length 2", "02034100", 32, "" },
    { "length 3", "03034100", 32, "" },
    { "says more than came", "ff0341004200", 32, "AB" },
    { "says less than came", "0403410042004300", 32, "A" },
    { "controls", "0a030a001b007f008500", 32, "????" },
    { "NUL ends it", "0803410000004200", 32, "A" },
    { "two octets", "0603e400f600", 32, "\xc3\xa4\xc3\xb6" },
    { "three octets", "0403ac20", 32, "\xe2\x82\xac" },
    { "pair", "06033dd83cde", 32, "\xf0\x9f\x98\xbc" },
    { "high half alone", "06033dd84100", 32, "?A" },
    { "high half last", "04033dd8", 32, "?" },
    { "low half alone", "060300dc4100", 32, "?A" },
    { "turned around", "060341002e20", 32, "A?" },
    { "byte order mark", "0603fffe4100", 32, "?A" },
    { "cut at the room", "0a034100420043004400", 3, "AB" },
    { "never within a character", "080341004100ac20", 4, "AA" },
    { "no room", "04034100", 1, "" },
};

START_TEST(string_is_text)
{
    uint8_t octets[64];
    char out[64] = "not touched";
    size_t n = strlen(string_rows[_i].hex) / 2;

    ck_assert_int_eq(hex_decode(string_rows[_i].hex, octets, n), 0);
    string_text(string_body(SPAN(octets, n)), out, string_rows[_i].cap);
    ck_assert_msg(strcmp(out, string_rows[_i].text) == 0, "%s: \"%s\"",
                  string_rows[_i].name, out);
}
END_TEST

/* --- words ------------------------------------------------------------------------- */

static const struct {
    int libusb_code;
    enum err_code code;
    const char *says;
} fail_rows[] = {
    { LIBUSB_ERROR_ACCESS, ERR_IO, "udev rule" },
    { LIBUSB_ERROR_BUSY, ERR_BUSY, "pcscd" },
    { LIBUSB_ERROR_NO_DEVICE, ERR_NO_CARD, "left" },
    { LIBUSB_ERROR_NO_MEM, ERR_NOMEM, "memory" },
    { LIBUSB_ERROR_IO, ERR_IO, "open it" },
    { LIBUSB_ERROR_OTHER, ERR_IO, "open it" },
};

START_TEST(failures_have_code_place_and_advice)
{
    struct err e = ERR_INIT;

    ck_assert_int_eq(usb_fail(&e, fail_rows[_i].libusb_code, "1-2.4", "open it"), -1);
    ck_assert_int_eq(e.code, fail_rows[_i].code);
    ck_assert_msg(strstr(e.msg, "1-2.4") && strstr(e.msg, fail_rows[_i].says), "%s",
                  e.msg);
    ck_assert_int_eq(usb_fail(NULL, fail_rows[_i].libusb_code, "1-2.4", "x"), -1);
}
END_TEST

START_TEST(every_status_has_words)
{
    for (int s = USB_DONE; s <= USB_FAILED; s++)
        ck_assert_str_ne(usb_status_text((enum usb_status)s), "unknown");
    ck_assert_str_eq(usb_status_text((enum usb_status)99), "unknown");
}
END_TEST

/* --- a machine without USB ------------------------------------------------------------- */

static void count(void *ctx, const struct usb_device *d, bool here)
{
    int *n = ctx;

    (void)d;
    *n += here ? 1 : -1;
}

/* Either it works, and nothing unknown can be opened, or it says what to do. */
START_TEST(start_without_a_bus)
{
    struct usb *u = NULL;
    struct usb_handle *h = NULL;
    struct err e = ERR_INIT;
    sigset_t before, after;
    int n = 0;

    pthread_sigmask(SIG_SETMASK, NULL, &before);
    ck_assert_int_eq(sigismember(&before, SIGTERM), 0);
    if (usb_start(count, &n, &u, &e) == 0) {
        ck_assert_int_ge(n, 0);
        ck_assert_int_eq(usb_open(u, "250-7.7", &h, &e), -1);
        ck_assert_int_eq(e.code, ERR_NOT_FOUND);
        ck_assert_ptr_null(h);
    } else {
        ck_assert_ptr_null(u);
        ck_assert_msg(strstr(e.msg, "docs/usb.md"), "%s", e.msg);
    }
    usb_stop(u);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(sigismember(&after, SIGTERM), 0);
    usb_stop(NULL);
    usb_close(NULL);
}
END_TEST

START_TEST(start_again_and_again)
{
    for (int i = 0; i < 20; i++) {
        struct usb *u = NULL;
        usb_start(NULL, NULL, &u, NULL);
        usb_stop(u);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drivers/usb");
    TCase *t = tcase_create("words");

    tcase_add_loop_test(t, string_is_text, 0,
                        (int)(sizeof string_rows / sizeof *string_rows));
    tcase_add_loop_test(t, failures_have_code_place_and_advice, 0,
                        (int)(sizeof fail_rows / sizeof *fail_rows));
    tcase_add_test(t, every_status_has_words);
    tcase_add_test(t, start_without_a_bus);
    tcase_add_test(t, start_again_and_again);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
