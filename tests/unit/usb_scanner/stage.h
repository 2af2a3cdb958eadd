/* A bus, the driver's USB side, and its scanners; what came of the scans. */
#ifndef LINESIDE_TESTS_UNIT_USB_SCANNER_STAGE_H
#define LINESIDE_TESTS_UNIT_USB_SCANNER_STAGE_H

#include "drivers/scanner/scanners.h"
#include "tests/lab/usb/bus.h"
#include "tests/lab/usb/hid_model.h"

#define STAGE_WAIT_MS 20000
#define STAGE_SCANS 4096

struct stage_scan {
    char place[USB_PATH_MAX + 1];
    enum scanner_scan what;
    char text[512];
};

/* In main: 0 go on, else what main returns. */
int stage_enter(void);
void stage_setup(void); /* an empty bus, everything running */
void stage_teardown(void);
extern struct lab_bus *stage_bus;
extern struct scanners *stage_scanners;

/* A scanner, freed by stage_teardown. */
struct lab_usb_device *stage_make(struct hid_model_options o);
/* How it is at a place, from now on; before: UNTOLD. NULL: defaults. */
void stage_allow(const char *place, enum scanners_allow a,
                 const struct scanner_settings *s);
void stage_plug(const char *place, struct lab_usb_device *d);
void stage_unplug(const char *place);
/* Waits for it. */
struct scanners_place stage_wait_state(const char *place, enum scanners_state s);

/* The scans so far; waits until there are n, gives the last of them. */
size_t stage_scans(void);
const struct stage_scan *stage_wait_scan(size_t n);
/* The next scan is this, and OK. */
void stage_expect(const char *place, const char *text);
/* ... is a refusal with this in its sentence. */
void stage_expect_refusal(const char *place, enum scanner_scan what, const char *part);
/* Makes the station slow: it sits on the first scan while it is held. */
void stage_hold(bool hold);
/* Waits until so many have come into its hands. */
void stage_wait_taken(size_t n);

#endif
