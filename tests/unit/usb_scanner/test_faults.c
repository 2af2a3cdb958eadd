/* Scanners that fail, lie and leave, on the emulated bus. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/usb_scanner/stage.h"

#define PLACE "1-2.4"
#define GAP_MS 60
#define REST_MS (4 * GAP_MS) /* longer than what may be the rest of a cut scan */
#define FAST ((struct scanner_settings){ .gap_ms = GAP_MS })

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

static void rest(void)
{
    usleep(REST_MS * 1000);
}

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))

/* --- faults ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum hid_model_kind kind;
    enum hid_model_fault fault;
    enum scanner_scan what;
    const char *part;
} fault_rows[] = {
    { "doubled reports", HID_MODEL_KEYBOARD, HID_MODEL_FAULT_DOUBLE, SCANNER_OK, "" },
    { "doubled bitmaps", HID_MODEL_ODD, HID_MODEL_FAULT_DOUBLE, SCANNER_OK, "" },
    { "no releases", HID_MODEL_KEYBOARD, HID_MODEL_FAULT_NO_RELEASE, SCANNER_OK, "" },
    { "no releases, bitmap", HID_MODEL_ODD, HID_MODEL_FAULT_NO_RELEASE, SCANNER_OK, "" },
    { "phantom states", HID_MODEL_KEYBOARD, HID_MODEL_FAULT_PHANTOM, SCANNER_OK, "" },
    { "a longer report", HID_MODEL_ODD, HID_MODEL_FAULT_LONG, SCANNER_OK, "" },
    { "cut", HID_MODEL_KEYBOARD, HID_MODEL_FAULT_CUT, SCANNER_CUT, "CR (Enter)" },
    { "cut bitmap", HID_MODEL_ODD, HID_MODEL_FAULT_CUT, SCANNER_CUT, "CR (Enter)" },
    { "cut POS", HID_MODEL_POS, HID_MODEL_FAULT_CUT, SCANNER_CUT, "middle" },
    { "a shorter report", HID_MODEL_KEYBOARD, HID_MODEL_FAULT_SHORT, SCANNER_UNDECODABLE, "shorter" },
    { "a shorter bitmap", HID_MODEL_ODD, HID_MODEL_FAULT_SHORT, SCANNER_UNDECODABLE, "shorter" },
    { "a shorter POS", HID_MODEL_POS, HID_MODEL_FAULT_SHORT, SCANNER_UNDECODABLE, "shorter" },
    { "Alt codes", HID_MODEL_KEYBOARD, HID_MODEL_FAULT_ALT_CODES, SCANNER_UNDECODABLE, "ALT mode" },
};

START_TEST(faults_of_a_scanner)
{
    begin((struct hid_model_options){ .kind = fault_rows[_i].kind }, FAST);
    scan("first");
    stage_expect(PLACE, "first");
    hid_model_fault(dev, fault_rows[_i].fault);
    scan("Unit 12.");
    if (fault_rows[_i].what == SCANNER_OK)
        stage_expect(PLACE, "Unit 12.");
    else
        stage_expect_refusal(PLACE, fault_rows[_i].what, fault_rows[_i].part);
    if (fault_rows[_i].what != SCANNER_OK)
        rest();
    scan("last");
    stage_expect(PLACE, "last");
}
END_TEST

/* At any transfer of a scan: the scan is right or refused, and the next one
 * is right. */
START_TEST(faults_of_the_bus)
{
    static const enum lab_usb_fault faults[] = { LAB_FAULT_STALL, LAB_FAULT_BABBLE,
                                                 LAB_FAULT_SHORT, LAB_FAULT_BROKEN };
    const char *name = lab_usb_fault_name(faults[_i]);

    begin((struct hid_model_options){ .kind = HID_MODEL_KEYBOARD }, FAST);
    /* Ten reports, and two transfers are under way already. */
    for (unsigned at = 1; at <= 8; at++) {
        size_t before = stage_scans();

        lab_bus_fault(stage_bus, PLACE, faults[_i], at, at);
        scan("abAB");
        const struct stage_scan *s = stage_wait_scan(before + 1);
        ck_assert_msg(s->what != SCANNER_OK || strcmp(s->text, "abAB") == 0,
                      "%s at %u: %s", name, at, s->text);
        rest();
        ck_assert_msg(lab_bus_fault_fired(stage_bus, PLACE), "%s at %u: not fired", name, at);
        before = stage_scans();
        scan("cd");
        s = stage_wait_scan(before + 1);
        ck_assert_msg(s->what == SCANNER_OK && strcmp(s->text, "cd") == 0,
                      "%s at %u, the next: %s", name, at, s->text);
    }
    stage_wait_state(PLACE, SCANNERS_READY);
}
END_TEST

START_TEST(unplugged_in_the_middle)
{
    begin((struct hid_model_options){ .kind = _i ? HID_MODEL_POS : HID_MODEL_KEYBOARD },
          (struct scanner_settings){ 0 });
    hid_model_fault(dev, HID_MODEL_FAULT_CUT);
    scan("abcdef");
    ck_assert(hid_model_wait_taken(dev, STAGE_WAIT_MS));
    stage_unplug(PLACE);
    stage_expect_refusal(PLACE, SCANNER_CUT, "went away");
    stage_wait_state(PLACE, SCANNERS_GONE);
    stage_plug(PLACE, dev);
    stage_wait_state(PLACE, SCANNERS_READY);
    scan("ghi");
    stage_expect(PLACE, "ghi");
}
END_TEST

/* Pulled at the at-th transfer of opening and of scanning. */
static void pull_at(unsigned at)
{
    stage_plug(PLACE, dev);
    lab_bus_fault(stage_bus, PLACE, LAB_FAULT_UNPLUG, at, 0);
    for (int i = 0; i < STAGE_WAIT_MS && !lab_bus_fault_fired(stage_bus, PLACE); i++) {
        if (hid_model_wait_listened(dev, 1))
            hid_model_scan(dev, "x", NULL);
        usleep(1000); /* the host must get to it */
    }
    ck_assert_msg(lab_bus_fault_fired(stage_bus, PLACE), "transfer %u never came", at);
    stage_wait_state(PLACE, SCANNERS_GONE);
}

START_TEST(unplugged_at_every_transfer)
{
    dev = stage_make((struct hid_model_options){ .kind = HID_MODEL_KEYBOARD });
    stage_allow(PLACE, SCANNERS_BOUND, &FAST);
    for (unsigned at = 1; at < 14; at++) {
        pull_at(at);
        stage_plug(PLACE, dev);
        stage_wait_state(PLACE, SCANNERS_READY);
        usleep(10000);
        size_t before = stage_scans();
        scan("whole");
        const struct stage_scan *s = stage_wait_scan(before + 1);
        ck_assert_msg(s->what == SCANNER_OK && strcmp(s->text, "whole") == 0,
                      "at %u: %s", at, s->text);
        stage_unplug(PLACE);
        stage_wait_state(PLACE, SCANNERS_GONE);
    }
}
END_TEST

#define DEEP "a100a100a100a100a100a100a100a100a100a100a100a100a100a100a100a100a100a100"
#define MOUSE "05010902a10105091901290315002501750195038102c0"
#define KEYS "05010906a1010507190029651500256575089506" "8100"

static const struct {
    const char *name, *descriptor;
    uint16_t length;
    bool bound;
    enum scanners_state state;
    const char *why;
} hell[] = {
    { "recursion", DEEP, 0, true, SCANNERS_PARKED, "nested too deep" },
    { "unclosed", KEYS, 0, true, SCANNERS_PARKED, "still open" },
    { "four billion fields", "05010906a1010507190029ff750897ffffffff8100c0", 0, true,
      SCANNERS_PARKED, "larger than any" },
    { "shorter than announced", KEYS "c0", 4000, true, SCANNERS_READY, "" },
    { "longer than announced", KEYS "c0", 9, true, SCANNERS_PARKED, "ends in the middle" },
    { "absurdly announced", KEYS "c0", 0xFFFF, true, SCANNERS_PARKED, "65535" },
    { "POS that lies", "058c0902a10175079540" "09fe8102c0", 0, true, SCANNERS_PARKED, "not octets" },
    { "a mouse where a scanner was said to be", MOUSE, 0, true, SCANNERS_PARKED, "a mouse" },
    { "a mouse", MOUSE, 0, false, SCANNERS_NOT_OURS, "a mouse" },
    { "a stranger's recursion", DEEP, 0, false, SCANNERS_NOT_OURS, "nested too deep" },
};

START_TEST(descriptors_from_hell)
{
    AUTO(buf_clear) struct buf d = BUF_INIT;

    buf_put_hex(&d, hell[_i].descriptor);
    ck_assert(buf_ok(&d));
    dev = stage_make((struct hid_model_options){ .kind = HID_MODEL_ODD,
                                                 .descriptor = buf_span(&d),
                                                 .descriptor_length = hell[_i].length });
    if (hell[_i].bound)
        stage_allow(PLACE, SCANNERS_BOUND, NULL);
    stage_plug(PLACE, dev);
    struct scanners_place p = stage_wait_state(PLACE, hell[_i].state);
    ck_assert_msg(strstr(p.why, hell[_i].why) != NULL, "%s: %s", hell[_i].name, p.why);
}
END_TEST

int main(void)
{
    int entered = stage_enter();

    if (entered != 0)
        return entered;
    Suite *s = suite_create("usb_scanner/faults");
    TCase *t = tcase_create("faults");
    tcase_add_checked_fixture(t, stage_setup, stage_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, faults_of_a_scanner, 0, ROWS(fault_rows));
    tcase_add_loop_test(t, faults_of_the_bus, 0, 4);
    tcase_add_loop_test(t, unplugged_in_the_middle, 0, 2);
    tcase_add_test(t, unplugged_at_every_transfer);
    tcase_add_loop_test(t, descriptors_from_hell, 0, ROWS(hell));
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
