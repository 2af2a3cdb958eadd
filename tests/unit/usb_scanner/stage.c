#include "tests/unit/usb_scanner/stage.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "station/base/clock.h"
#include "tests/lab/usb/inprocess/inprocess.h"

#define TOLD_MAX 8

struct lab_bus *stage_bus;
struct scanners *stage_scanners;

static struct usb *usb;
static struct lab_usb_device *made[TOLD_MAX];
static size_t made_count;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over what follows */
static struct {
    char place[USB_PATH_MAX + 1];
    enum scanners_allow allow;
    struct scanner_settings settings;
} told[TOLD_MAX];
static size_t told_count;
static struct stage_scan scans[STAGE_SCANS];
static size_t scan_count, taken; /* taken: also those that are held */
static bool held;

static size_t expected;

static enum scanners_allow allow(void *ctx, const char *place,
                                 struct scanner_settings *s)
{
    enum scanners_allow a = SCANNERS_UNTOLD;

    (void)ctx;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < told_count; i++)
        if (strcmp(told[i].place, place) == 0) {
            a = told[i].allow;
            *s = told[i].settings;
        }
    pthread_mutex_unlock(&lock);
    return a;
}

static void scanned(void *ctx, const char *place, enum scanner_scan what,
                    struct span text)
{
    (void)ctx;
    pthread_mutex_lock(&lock);
    taken++;
    while (held) {
        pthread_mutex_unlock(&lock);
        usleep(1000);
        pthread_mutex_lock(&lock);
    }
    if (scan_count < STAGE_SCANS) {
        struct stage_scan *s = &scans[scan_count++];

        snprintf(s->place, sizeof s->place, "%s", place);
        s->what = what;
        snprintf(s->text, sizeof s->text, "%.*s", (int)text.n, (const char *)text.p);
    }
    pthread_mutex_unlock(&lock);
}

static void changed(void *ctx, const struct usb_device *d, bool here)
{
    (void)ctx;
    scanners_changed(stage_scanners, d, here);
}

int stage_enter(void)
{
    const char *why = lab_bus_cannot();
    struct err e = ERR_INIT;

    if (why) {
        printf("SKIP: %s\n", why);
        return 77;
    }
    if (lab_bus_enter(&e) == 0)
        return 0;
    fprintf(stderr, "%s\n", e.msg);
    return 1;
}

void stage_setup(void)
{
    const struct scanners_options o = { .allow = allow, .scan = scanned };
    struct err e = ERR_INIT;

    told_count = scan_count = taken = expected = made_count = 0;
    held = false;
    ck_assert_msg(lab_bus_new(&stage_bus, &e) == 0, "%s", e.msg);
    ck_assert_msg(inprocess_start(stage_bus, &e) == 0, "%s", e.msg);
    ck_assert_msg(scanners_new(&o, &stage_scanners, &e) == 0, "%s", e.msg);
    ck_assert_msg(usb_start(changed, NULL, &usb, &e) == 0, "%s", e.msg);
    ck_assert_msg(scanners_run(stage_scanners, usb, &e) == 0, "%s", e.msg);
}

void stage_teardown(void)
{
    /* In the order of the headers: handles closed before usb_stop; and while
     * libusb runs it may still tell of changes, but here none come. */
    scanners_free(stage_scanners);
    usb_stop(usb);
    inprocess_stop();
    lab_bus_free(stage_bus);
    for (size_t i = 0; i < made_count; i++)
        made[i]->ops->free(made[i]);
}

struct lab_usb_device *stage_make(struct hid_model_options o)
{
    struct err e = ERR_INIT;

    ck_assert_uint_lt(made_count, TOLD_MAX);
    ck_assert_msg(hid_model_new(&o, &made[made_count], &e) == 0, "%s", e.msg);
    return made[made_count++];
}

void stage_allow(const char *place, enum scanners_allow a,
                 const struct scanner_settings *s)
{
    size_t i = 0;

    pthread_mutex_lock(&lock);
    while (i < told_count && strcmp(told[i].place, place) != 0)
        i++;
    ck_assert_uint_lt(i, TOLD_MAX);
    snprintf(told[i].place, sizeof told[i].place, "%s", place);
    told[i].allow = a;
    told[i].settings = s ? *s : (struct scanner_settings){ 0 };
    if (i == told_count)
        told_count++;
    pthread_mutex_unlock(&lock);
}

void stage_plug(const char *place, struct lab_usb_device *d)
{
    struct err e = ERR_INIT;

    ck_assert_msg(lab_bus_plug(stage_bus, place, d, &e) == 0, "%s", e.msg);
}

void stage_unplug(const char *place)
{
    ck_assert_uint_eq(lab_bus_unplug(stage_bus, place), 1);
}

struct scanners_place stage_wait_state(const char *place, enum scanners_state s)
{
    int64_t until = clock_monotonic_ms() + STAGE_WAIT_MS;
    struct scanners_place p[16];

    for (;;) {
        const struct scanners_place *is = NULL;
        size_t n = scanners_list(stage_scanners, p, 16);

        for (size_t i = 0; i < n && i < 16; i++)
            if (strcmp(p[i].path, place) == 0)
                is = &p[i];
        if (is && is->state == s)
            return *is;
        ck_assert_msg(clock_monotonic_ms() < until, "%s never got %s; it is %s: %s",
                      place, scanners_state_name(s),
                      is ? scanners_state_name(is->state) : "not listed",
                      is ? is->why : "");
        usleep(1000);
    }
}

size_t stage_scans(void)
{
    pthread_mutex_lock(&lock);
    size_t n = scan_count;
    pthread_mutex_unlock(&lock);
    return n;
}

const struct stage_scan *stage_wait_scan(size_t n)
{
    int64_t until = clock_monotonic_ms() + STAGE_WAIT_MS;

    while (stage_scans() < n) {
        ck_assert_msg(clock_monotonic_ms() < until, "scan %zu never came, %zu did",
                      n, stage_scans());
        usleep(200);
    }
    return &scans[n - 1];
}

void stage_wait_taken(size_t n)
{
    size_t now = 0;

    for (int i = 0; i < STAGE_WAIT_MS && now < n; i++) {
        pthread_mutex_lock(&lock);
        now = taken;
        pthread_mutex_unlock(&lock);
        usleep(1000);
    }
    ck_assert_uint_eq(now, n);
}

void stage_expect(const char *place, const char *text)
{
    const struct stage_scan *s = stage_wait_scan(++expected);

    ck_assert_msg(s->what == SCANNER_OK, "%s: %s: %s", text,
                  scanner_scan_name(s->what), s->text);
    ck_assert_str_eq(s->text, text);
    ck_assert_str_eq(s->place, place);
}

void stage_expect_refusal(const char *place, enum scanner_scan what, const char *part)
{
    const struct stage_scan *s = stage_wait_scan(++expected);

    ck_assert_msg(s->what == what, "%s: %s", scanner_scan_name(s->what), s->text);
    ck_assert_msg(strstr(s->text, part) != NULL, "%s", s->text);
    ck_assert_str_eq(s->place, place);
}

void stage_hold(bool hold)
{
    pthread_mutex_lock(&lock);
    held = hold;
    pthread_mutex_unlock(&lock);
}
