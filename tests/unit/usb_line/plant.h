/* A line with real USB on the desk: a shop (line/shop.h), the emulated bus in
 * this process, readers on it with software eUICCs in them, and the station's
 * floor that finds them by itself. Failures fail the test. */
#ifndef LINESIDE_UNIT_USB_LINE_PLANT_H
#define LINESIDE_UNIT_USB_LINE_PLANT_H

#include "station/line/floor.h"
#include "tests/lab/usb/bus.h"
#include "tests/lab/usb/ccid_model.h"
#include "tests/unit/line/shop.h"

#define PLANT_PLACE "1-2.4"

struct plant {
    struct shop s;
    struct places said; /* filled before plant_start, borrowed words */
    struct lab_bus *bus;
    struct lab_usb_device *reader;
    struct fixture *card;
    struct floor *floor;
    char barcode[160]; /* "1-2.4 TAB EID" */
};

/* In main, before all else: 0, or what main returns (77: not possible here). */
int plant_enter(void);

/* A chip with this many keys in a reader at PLANT_PLACE. */
void plant_open(struct plant *p, size_t keys, const struct ccid_model_options *o,
                const struct ccid_card *c);
/* Line and floor start; returns when the reader's card was seen. */
void plant_start(struct plant *p);
/* ... end. */
void plant_stop(struct plant *p);
void plant_close(struct plant *p);

void plant_unplug(struct plant *p);
void plant_plug(struct plant *p); /* returns when its card was seen */
/* Waits until a fixture at this place was told to be in this state. */
void plant_wait(struct plant *p, const char *place, const char *state);

/* Scans the unit again and again, as an operator would, until it is finished;
 * at most `most` times. Returns how often. */
unsigned plant_finish(struct plant *p, unsigned most);

#endif
