/* Scanners over unmodified libusb on the emulated bus. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/usb_scanner/stage.h"

#define PLACE "1-2.4"

static struct lab_usb_device *dev;

/* Bound there with these settings, plugged, ready. */
static void begin(struct hid_model_options o, struct scanner_settings s)
{
    dev = stage_make(o);
    stage_allow(PLACE, SCANNERS_BOUND, &s);
    stage_plug(PLACE, dev);
    stage_wait_state(PLACE, SCANNERS_READY);
}

static void scan(const char *text)
{
    struct err e = ERR_INIT;

    ck_assert_msg(hid_model_scan(dev, text, &e) == 0, "%s", e.msg);
}

/* --- text ------------------------------------------------------------------------------ */

static const struct {
    enum hid_model_layout lab;
    enum layout ours;
} layouts[] = {
    { HID_MODEL_US, LAYOUT_US },
    { HID_MODEL_DE, LAYOUT_DE },
    { HID_MODEL_FR, LAYOUT_FR },
};

static const struct hid_model_options keyboards[] = {
    { .kind = HID_MODEL_KEYBOARD },
    { .kind = HID_MODEL_KEYBOARD, .rollover = true },
    { .kind = HID_MODEL_KEYBOARD, .keypad = true, .refuse_idle = true },
    { .kind = HID_MODEL_KEYBOARD, .caps = true },
    { .kind = HID_MODEL_ODD },
};

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))

/* Each character alone, and all of them in one scan. */
START_TEST(all_of_ascii)
{
    struct hid_model_options o = keyboards[_i % ROWS(keyboards)];
    char all[96], one[2] = "";

    o.layout = layouts[_i / ROWS(keyboards)].lab;
    begin(o, (struct scanner_settings){ .layout = layouts[_i / ROWS(keyboards)].ours });
    for (int c = ' '; c <= '~'; c++) {
        one[0] = all[c - ' '] = (char)c;
        scan(one);
        stage_expect(PLACE, one);
    }
    all[95] = 0;
    scan(all);
    stage_expect(PLACE, all);
}
END_TEST

START_TEST(suffix_and_prefix_of_each_scanner)
{
    static const struct {
        const char *sent;
        enum scanner_suffix set;
    } rows[] = { { "\r", SCANNER_SUFFIX_CR }, { "\n", SCANNER_SUFFIX_LF },
                 { "\t", SCANNER_SUFFIX_TAB }, { "\r\n", SCANNER_SUFFIX_CRLF } };

    begin((struct hid_model_options){ .kind = HID_MODEL_KEYBOARD, .suffix = rows[_i].sent,
                                      .prefix = "#7:" },
          (struct scanner_settings){ .suffix = rows[_i].set, .prefix = "#7:" });
    scan("ABC");
    scan("DEF");
    stage_expect(PLACE, "ABC");
    stage_expect(PLACE, "DEF");
    stage_allow(PLACE, SCANNERS_BOUND,
                &(struct scanner_settings){ .suffix = rows[_i].set, .prefix = "#8:" });
    stage_unplug(PLACE);
    stage_wait_state(PLACE, SCANNERS_GONE);
    stage_plug(PLACE, dev);
    stage_wait_state(PLACE, SCANNERS_READY);
    scan("GHI");
    stage_expect_refusal(PLACE, SCANNER_NO_PREFIX, "#8:");
}
END_TEST

START_TEST(pos)
{
    static const size_t lengths[] = { 0, 1, 55, 56, 57, 112, 113, SCANNER_TEXT_MAX };
    char text[SCANNER_TEXT_MAX + 2];

    dev = stage_make((struct hid_model_options){ .kind = HID_MODEL_POS, .name = "Gun 3000" });
    stage_plug(PLACE, dev);
    struct scanners_place p = stage_wait_state(PLACE, SCANNERS_READY);
    ck_assert_int_eq(p.kind, HID_POS);
    ck_assert(!p.bound);
    ck_assert_str_eq(p.name, "Gun 3000");
    ck_assert_str_eq(p.why, "");
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        text[lengths[i]] = 0;
        scan(text);
        stage_expect(PLACE, text);
        text[lengths[i]] = 'x';
    }
    text[SCANNER_TEXT_MAX + 1] = 0;
    scan(text);
    stage_expect_refusal(PLACE, SCANNER_TOO_LONG, "256");
    hid_model_fault(dev, HID_MODEL_FAULT_LENGTH);
    scan("ABC");
    stage_expect_refusal(PLACE, SCANNER_UNDECODABLE, "fault");
    scan("DEF");
    stage_expect(PLACE, "DEF");
}
END_TEST

/* --- none lost, doubled or cut ---------------------------------------------------------- */

#define MANY 1000

static void numbered(char text[64], int i)
{
    snprintf(text, 64, "UNIT-%05d/%x", i * 7919 % 100000, i);
}

START_TEST(a_thousand_scans_in_a_row)
{
    static const struct hid_model_options kinds[] = {
        { .kind = HID_MODEL_KEYBOARD },
        { .kind = HID_MODEL_KEYBOARD, .rollover = true },
        { .kind = HID_MODEL_ODD },
        { .kind = HID_MODEL_POS },
    };
    char text[64];

    begin(kinds[_i], (struct scanner_settings){ 0 });
    for (int i = 0; i < MANY; i++) {
        numbered(text, i);
        scan(text);
        if (i % 50 == 49) /* the queue's bound is not what is tried here */
            stage_wait_scan((size_t)i + 1);
    }
    for (int i = 0; i < MANY; i++) {
        numbered(text, i);
        stage_expect(PLACE, text);
    }
    usleep(5000);
    ck_assert_uint_eq(stage_scans(), MANY);
}
END_TEST

START_TEST(what_the_queue_cannot_hold_is_said)
{
    begin((struct hid_model_options){ .kind = HID_MODEL_POS },
          (struct scanner_settings){ 0 });
    stage_hold(true);
    scan("ABC");
    stage_wait_taken(1);
    for (int i = 0; i < SCANNERS_QUEUE + 10; i++)
        scan("ABC");
    usleep(300000);
    stage_hold(false);
    /* One is in the station's hands, the queue is full, the rest is lost. */
    for (int i = 0; i < SCANNERS_QUEUE + 1; i++)
        stage_expect(PLACE, "ABC");
    stage_expect_refusal(PLACE, SCANNER_OVERFLOW, "faster");
    scan("DEF");
    stage_expect(PLACE, "DEF");
}
END_TEST

/* --- what is taken, and what is not ------------------------------------------------------ */

START_TEST(a_keyboard_stays_a_keyboard)
{
    dev = stage_make((struct hid_model_options){
        .kind = _i ? HID_MODEL_ODD : HID_MODEL_KEYBOARD });
    stage_plug(PLACE, dev);
    struct scanners_place p = stage_wait_state(PLACE, SCANNERS_CANDIDATE);
    ck_assert_msg(strstr(p.why, "lineside fixtures scanner " PLACE) != NULL, "%s", p.why);
    ck_assert_int_eq(p.kind, HID_KEYBOARD);
    ck_assert(!hid_model_wait_listened(dev, 20));
    if (_i == 0) /* it says that it is a keyboard: it was not even asked */
        ck_assert_uint_eq(lab_bus_transfers(stage_bus, PLACE), 0);
    /* Bound while it is there. */
    stage_allow(PLACE, SCANNERS_BOUND, NULL);
    scanners_again(stage_scanners, PLACE);
    stage_wait_state(PLACE, SCANNERS_READY);
    scan("ABC");
    stage_expect(PLACE, "ABC");
    /* And given back. */
    stage_allow(PLACE, SCANNERS_NEVER, NULL);
    scanners_again(stage_scanners, PLACE);
    p = stage_wait_state(PLACE, SCANNERS_NOT_OURS);
    ck_assert_msg(strstr(p.why, "not ours") != NULL, "%s", p.why);
}
END_TEST

START_TEST(not_ours_is_never_opened)
{
    dev = stage_make((struct hid_model_options){ .kind = HID_MODEL_POS });
    stage_allow(PLACE, SCANNERS_NEVER, NULL);
    stage_plug(PLACE, dev);
    stage_wait_state(PLACE, SCANNERS_NOT_OURS);
    ck_assert_uint_eq(lab_bus_transfers(stage_bus, PLACE), 0);
}
END_TEST

/* --- several ------------------------------------------------------------------------------ */

#define TOGETHER 4
#define EACH 100

struct operator {
    struct lab_usb_device *d;
    char place[16];
    pthread_t thread;
    int failed;
};

static void *operate(void *arg)
{
    struct operator *o = arg;
    char text[64];

    for (int i = 0; i < EACH; i++) {
        snprintf(text, sizeof text, "%s-%d", o->place, i);
        o->failed |= hid_model_scan(o->d, text, NULL);
        usleep(2000);
    }
    return NULL;
}

/* Each place's scans are its own, and in order. */
START_TEST(four_at_once)
{
    struct operator o[TOGETHER];
    int next[TOGETHER] = { 0 };
    char text[64];

    for (int i = 0; i < TOGETHER; i++) {
        o[i] = (struct operator){ 0 };
        snprintf(o[i].place, sizeof o[i].place, "1-1.%d", i + 1);
        o[i].d = stage_make((struct hid_model_options){
            .kind = (enum hid_model_kind)(i % HID_MODELS) });
        stage_allow(o[i].place, SCANNERS_BOUND, NULL);
        stage_plug(o[i].place, o[i].d);
    }
    for (int i = 0; i < TOGETHER; i++)
        stage_wait_state(o[i].place, SCANNERS_READY);
    for (int i = 0; i < TOGETHER; i++)
        ck_assert_int_eq(pthread_create(&o[i].thread, NULL, operate, &o[i]), 0);
    for (int i = 0; i < TOGETHER; i++) {
        pthread_join(o[i].thread, NULL);
        ck_assert_int_eq(o[i].failed, 0);
    }
    for (size_t n = 1; n <= TOGETHER * EACH; n++) {
        const struct stage_scan *s = stage_wait_scan(n);
        int i = s->place[4] - '1';

        ck_assert(i >= 0 && i < TOGETHER);
        snprintf(text, sizeof text, "%s-%d", s->place, next[i]++);
        ck_assert_msg(s->what == SCANNER_OK && strcmp(s->text, text) == 0, "%s: %s",
                      scanner_scan_name(s->what), s->text);
    }
}
END_TEST

int main(void)
{
    int entered = stage_enter();

    if (entered != 0)
        return entered;
    Suite *s = suite_create("usb_scanner");
    TCase *t = tcase_create("scanners");
    tcase_add_checked_fixture(t, stage_setup, stage_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, all_of_ascii, 0, ROWS(keyboards) * ROWS(layouts));
    tcase_add_loop_test(t, suffix_and_prefix_of_each_scanner, 0, SCANNER_SUFFIXES);
    tcase_add_test(t, pos);
    tcase_add_loop_test(t, a_thousand_scans_in_a_row, 0, 4);
    tcase_add_test(t, what_the_queue_cannot_hold_is_said);
    tcase_add_loop_test(t, a_keyboard_stays_a_keyboard, 0, 2);
    tcase_add_test(t, not_ours_is_never_opened);
    tcase_add_test(t, four_at_once);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
