/* ccid/places: what slot.c needs of the readers: the reader that is at a place
 * now, held so that it stays, and what the place remembers. */
#ifndef LINESIDE_DRIVERS_CCID_PLACES_H
#define LINESIDE_DRIVERS_CCID_PLACES_H

#include "drivers/ccid/reader.h"
#include "drivers/ccid/readers.h"

struct ccid_device;

struct ccid_hold {
    struct ccid_device *device; /* NULL: holds nothing */
    struct ccid_reader *reader;
    unsigned slot; /* of that reader, not of the device */
};

/* "1-2.4:1" -> path and slot. False: no name of a place. */
bool ccid_place_parse(const char *name, char path[USB_PATH_MAX + 1],
                      unsigned *slot);

/* Can a fixture be opened there? As slot.h's open. */
int ccid_place_check(struct ccid_readers *r, const char *path, unsigned slot,
                     struct err *e);
/* The reader there, once it is open; waits until limit for that. As
 * ccid_place_check, and ERR_NO_CARD: still not open by then. */
int ccid_place_hold(struct ccid_readers *r, const char *path, unsigned slot,
                    int64_t limit, struct ccid_hold *out, struct err *e);
void ccid_place_release(struct ccid_hold *h); /* harmless twice */

/* Bits per second that this place does not go above; 0: no such limit. It is
 * the place's own: whatever reader is plugged there next, the contacts and the
 * cable of the fixture are the same. */
uint32_t ccid_place_ceiling(struct ccid_readers *r, const char *path,
                            unsigned slot);
void ccid_place_step_down(struct ccid_readers *r, const char *path,
                          unsigned slot, uint8_t fidi, uint32_t bps);
void ccid_place_speed(struct ccid_readers *r, const char *path, unsigned slot,
                      uint8_t fidi);

#endif
