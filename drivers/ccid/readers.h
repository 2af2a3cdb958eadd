/* drivers/ccid: every smart-card reader on the bus. Readers come and go; each
 * has a thread of its own that opens it, mends it and knows whether cards are
 * in its slots, so that one that is ill holds up nobody else.
 *
 * A place is a slot at a USB path and has a name for ever: "1-2.4" is the
 * first slot of whatever reader is plugged there, "1-2.4:1" its second one,
 * and so on (slots of several CCID interfaces of one device are counted
 * through, in the order of the interfaces).
 *
 * The order of a life:
 *     ccid_readers_new, usb_start(ccid_readers_changed, r), ccid_readers_start,
 *     fixtures opened and closed (slot.h), ccid_readers_stop, usb_stop,
 *     ccid_readers_free. */
#ifndef LINESIDE_DRIVERS_CCID_READERS_H
#define LINESIDE_DRIVERS_CCID_READERS_H

#include "drivers/usb/usb.h"

#define CCID_SLOTS_MAX 16                /* of one device, all interfaces */
#define CCID_PLACE_MAX (USB_PATH_MAX + 3) /* ":15" */
#define CCID_TEXT_MAX 127
#define CCID_REASON_MAX 255

enum ccid_place_state {
    CCID_PLACE_OPENING, /* it has come, and is being opened or mended */
    CCID_PLACE_EMPTY,   /* no card in the slot                        */
    CCID_PLACE_CARD,
    CCID_PLACE_PARKED,  /* left alone until it is plugged anew: reason */
    CCID_PLACE_GONE,    /* nothing is plugged there now               */
    CCID_PLACE_NOT_OURS /* not on the allow-list; never opened        */
};
const char *ccid_place_state_text(enum ccid_place_state s); /* "empty" */

struct ccid_place {
    char name[CCID_PLACE_MAX + 1];
    char path[USB_PATH_MAX + 1];
    unsigned slot, slots;      /* this one, and how many the device has */
    uint16_t vendor, product;
    char maker[CCID_TEXT_MAX + 1], model[CCID_TEXT_MAX + 1]; /* its strings;
                                  empty until it was opened */
    char verdict[CCID_REASON_MAX + 1]; /* "short APDUs, T=0 and T=1, ..."    */
    char reason[CCID_REASON_MAX + 1];  /* PARKED only: why, and what to do   */
    enum ccid_place_state state;
    uint8_t ceiling; /* TA1 that this place does not go above; 0: none yet  */
    uint8_t fidi;    /* in force with the last card (TA1 form); 0: unknown,
                        the reader's own affair */
};

enum ccid_event_kind {
    CCID_EVENT_APPEARED, /* the slot can be opened as a fixture       */
    CCID_EVENT_GONE,     /* the reader was unplugged                  */
    CCID_EVENT_CARD_IN,
    CCID_EVENT_CARD_OUT,
    CCID_EVENT_PARKED,      /* place->reason; slot 0 stands for a device
                               whose slots never appeared             */
    CCID_EVENT_STEPPED_DOWN /* link errors: place->ceiling is new     */
};
struct ccid_place_event {
    enum ccid_event_kind kind;
    const struct ccid_place *place; /* for the call */
};

struct ccid_readers_options {
    /* May the device at this path be used? Asked in the USB event thread each
     * time one comes: must not wait. NULL: every one. */
    bool (*allow)(void *ctx, const char *path);
    /* In some thread of the readers or in that of a fixture's user, never
     * two calls at once. It may open fixtures; it must not call
     * ccid_readers_stop, nor wait for a thread that uses a fixture. */
    void (*event)(void *ctx, const struct ccid_place_event *ev);
    void *ctx;
};

struct ccid_readers;
/* o is copied; NULL: no options. */
int ccid_readers_new(const struct ccid_readers_options *o,
                     struct ccid_readers **out, struct err *e);
/* A device came or left: usb_changed_fn with the readers as ctx. Only hands
 * on. */
void ccid_readers_changed(void *readers, const struct usb_device *d, bool here);
/* Is it a card reader at all, usable or not? From descriptors alone. */
bool ccid_readers_is_reader(const struct usb_device *d);
/* From here on readers are opened, those that have come already first. */
void ccid_readers_start(struct ccid_readers *r, struct usb *usb);
/* Closes every reader. Fixtures still open answer ERR_NO_CARD, and changes on
 * the bus are ignored. */
void ccid_readers_stop(struct ccid_readers *r);
/* Stopped, all fixtures closed. NULL is fine. */
void ccid_readers_free(struct ccid_readers *r);

/* Every place that was ever seen, by name; *out is freed with free(). */
int ccid_readers_list(struct ccid_readers *r, struct ccid_place **out,
                      size_t *n, struct err *e);

#endif
