/* Scanners that start units: bound to a fixture, of the station, a keyboard's
 * impersonator and one that says what it is; and what is refused, audibly. */
#include "tests/lab/usb/hid_model.h"
#include "tests/unit/support.h"
#include "tests/unit/usb_line/plant.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SCANNER "1-3"

static const struct ccid_model_options reader = { .level = CCID_SHORT_APDU };
static const struct ccid_card card = { .no_t1 = true };

struct counter {
    struct plant p;
    struct lab_usb_device *scanner;
    struct place_setting label;
    struct scanner_setting setting;
    const char *eid;
};

/* A plant with one unit's profile, its fixture called LEFT-4, and a scanner. */
static void open_counter(struct counter *c, const struct hid_model_options *o,
                         const struct scanner_setting *said)
{
    struct err e = ERR_INIT;

    plant_open(&c->p, 1, &reader, &card);
    shop_stock(&c->p.s, 0, 1);
    c->eid = c->p.barcode + strlen(PLANT_PLACE "\t");
    c->label = (struct place_setting){ PLANT_PLACE, "LEFT-4", false };
    c->p.said.v = &c->label;
    c->p.said.n = 1;
    if (said) {
        c->setting = *said;
        c->p.said.scanners = &c->setting;
        c->p.said.scanner_count = 1;
    }
    ck_assert_msg(hid_model_new(o, &c->scanner, &e) == 0, "%s", e.msg);
    ck_assert_msg(lab_bus_plug(c->p.bus, SCANNER, c->scanner, &e) == 0, "%s", e.msg);
    plant_start(&c->p);
}

static void close_counter(struct counter *c)
{
    lab_bus_unplug(c->p.bus, SCANNER);
    plant_close(&c->p);
    c->scanner->ops->free(c->scanner);
}

static void type(struct counter *c, const char *text)
{
    struct err e = ERR_INIT;

    ck_assert_msg(hid_model_scan(c->scanner, text, &e) == 0, "%s", e.msg);
}

/* The n-th verdict of this line, when it has come. */
static struct shop_verdict verdict(struct counter *c, unsigned n)
{
    struct shop_verdict v;

    pthread_mutex_lock(&c->p.s.lock);
    while (c->p.s.verdicts < n)
        pthread_cond_wait(&c->p.s.told, &c->p.s.lock);
    ck_assert_uint_eq(c->p.s.verdicts, n);
    v = c->p.s.last;
    pthread_mutex_unlock(&c->p.s.lock);
    return v;
}

static const struct {
    const char *name;
    struct hid_model_options scanner;
    struct scanner_setting said;
} bound[] = {
    { "keyboard, US", { .kind = HID_MODEL_KEYBOARD },
      { SCANNER, PLANT_PLACE, "us", "cr", "" } },
    { "keyboard, DE, TAB, prefix",
      { .kind = HID_MODEL_KEYBOARD, .layout = HID_MODEL_DE, .suffix = "\t", .prefix = "~}" },
      { SCANNER, PLANT_PLACE, "de", "tab", "~}" } },
    { "bitmap, FR, LF",
      { .kind = HID_MODEL_ODD, .layout = HID_MODEL_FR, .suffix = "\n" },
      { SCANNER, PLANT_PLACE, "fr", "lf", "" } },
    { "HID POS", { .kind = HID_MODEL_POS }, { SCANNER, PLANT_PLACE, "us", "cr", "" } },
};

START_TEST(bound_to_a_fixture)
{
    struct counter c;

    open_counter(&c, &bound[_i].scanner, &bound[_i].said);
    plant_wait(&c.p, SCANNER, "ready");
    type(&c, c.eid);
    struct shop_verdict v = verdict(&c, 1);
    ck_assert_msg(strcmp(v.code, "done") == 0, "%s: %s: %s", bound[_i].name, v.code,
                  v.detail);
    ck_assert_str_eq(v.fixture, "LEFT-4");
    ck_assert_str_eq(v.eid, c.eid);
    type(&c, c.eid);
    ck_assert_str_eq(verdict(&c, 2).code, "already-done");
    close_counter(&c);
}
END_TEST

/* One that says that it is a scanner belongs to the station by itself. */
START_TEST(of_the_station)
{
    const struct hid_model_options pos = { .kind = HID_MODEL_POS };
    struct counter c;

    open_counter(&c, &pos, NULL);
    plant_wait(&c.p, SCANNER, "ready");
    type(&c, c.eid);
    ck_assert_str_eq(verdict(&c, 1).code, "scan-which");
    type(&c, "LEFT-4");
    type(&c, "LINESIDE-HELP"); /* the screen's; the fixture stays chosen */
    type(&c, c.eid);
    struct shop_verdict v = verdict(&c, 2);
    ck_assert_str_eq(v.code, "done");
    ck_assert_str_eq(v.fixture, "LEFT-4");
    close_counter(&c);
}
END_TEST

/* A keyboard that nobody called a scanner stays a keyboard. */
START_TEST(a_keyboard_is_left_alone)
{
    const struct hid_model_options keys = { .kind = HID_MODEL_KEYBOARD };
    struct counter c;

    open_counter(&c, &keys, NULL);
    plant_wait(&c.p, SCANNER, "candidate");
    ck_assert(!hid_model_wait_listened(c.scanner, 100));
    close_counter(&c);
}
END_TEST

START_TEST(while_the_fixture_is_busy)
{
    const struct hid_model_options pos = { .kind = HID_MODEL_POS };
    const struct scanner_setting said = { SCANNER, PLANT_PLACE, "us", "cr", "" };
    const struct ccid_card slow = { .no_t1 = true, .think_ms = 5 };
    struct err e = ERR_INIT;
    struct counter c;

    open_counter(&c, &pos, &said);
    plant_wait(&c.p, SCANNER, "ready");
    ccid_model_remove(c.p.reader, 0);
    plant_wait(&c.p, PLANT_PLACE, "empty");
    ck_assert_int_eq(ccid_model_insert(c.p.reader, 0, c.p.card, &slow, &e), 0);
    plant_wait(&c.p, PLANT_PLACE, "card");
    type(&c, c.eid);
    while (line_busy(c.p.s.line) == 0)
        usleep(200);
    type(&c, c.eid);
    struct shop_verdict v = verdict(&c, 1);
    ck_assert_str_eq(v.code, "scan-busy");
    ck_assert_str_eq(v.fixture, "LEFT-4");
    ck_assert_str_eq(verdict(&c, 2).code, "done"); /* and it was not queued */
    ck_assert_uint_eq(line_busy(c.p.s.line), 0);
    close_counter(&c);
}
END_TEST

/* Pulled in the middle of a scan: refused, and what was chosen is forgotten. */
START_TEST(pulled_in_the_middle)
{
    const struct hid_model_options keys = { .kind = HID_MODEL_KEYBOARD };
    const struct scanner_setting said = { SCANNER, "", "us", "cr", "" };
    struct err e = ERR_INIT;
    struct counter c;

    open_counter(&c, &keys, &said);
    plant_wait(&c.p, SCANNER, "ready");
    type(&c, "LEFT-4");
    hid_model_fault(c.scanner, HID_MODEL_FAULT_CUT);
    type(&c, c.eid);
    /* What never reached the host is nothing to refuse. */
    ck_assert(hid_model_wait_taken(c.scanner, 20000));
    lab_bus_unplug(c.p.bus, SCANNER);
    ck_assert_str_eq(verdict(&c, 1).code, "scan-cut");
    plant_wait(&c.p, SCANNER, "gone"); /* or "ready" would be the old one's */
    ck_assert_int_eq(lab_bus_plug(c.p.bus, SCANNER, c.scanner, &e), 0);
    plant_wait(&c.p, SCANNER, "ready");
    ck_assert(hid_model_wait_listened(c.scanner, 20000));
    type(&c, c.eid);
    ck_assert_str_eq(verdict(&c, 2).code, "scan-which");
    type(&c, "LEFT-4");
    type(&c, c.eid);
    ck_assert_str_eq(verdict(&c, 3).code, "done");
    close_counter(&c);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "bound", bound_to_a_fixture, sizeof bound / sizeof *bound },
        { "station's", of_the_station, 1 },
        { "keyboard", a_keyboard_is_left_alone, 1 },
        { "busy", while_the_fixture_is_busy, 1 },
        { "pulled", pulled_in_the_middle, 1 },
    };
    int end = plant_enter();

    return end ? end : run_tests("usb_line/scans", tests, sizeof tests / sizeof *tests);
}
