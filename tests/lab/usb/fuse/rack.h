/* lab/usb/fuse/rack: what stands on the emulated desk: readers behind hubs of
 * eight ports, scanners, and the world's eUICCs that hands put into them.
 * Used by one thread at a time.
 *
 * Readers stand at 1-1.1 to 1-1.8, 1-2.1 and on to 1-8.8, then on buses 2 to
 * 8; scanners at 9-1.1 and on. */
#ifndef LINESIDE_LAB_USB_FUSE_RACK_H
#define LINESIDE_LAB_USB_FUSE_RACK_H

#include "tests/lab/usb/bus.h"

#define RACK_READERS_MAX 448
#define RACK_SCANNERS_MAX 64
#define RACK_SLOTS_MAX 8
#define RACK_MIX_MAX 16

/* A kind of reader, and which protocols the cards in it offer. */
struct rack_level;
const struct rack_level *rack_level_find(const char *name, size_t n);
#define RACK_LEVELS "short, extended, tpdu, tpdu-t0, tpdu-t1"

/* The path of a chip's file by EID. ERR_NOT_FOUND: no such chip. */
typedef int rack_chip_fn(void *ctx, const char *eid, char **path,
                         bool *damaged, struct err *e);

struct rack_options {
    unsigned readers, slots, scanners;
    const struct rack_level *mix[RACK_MIX_MAX]; /* reader by reader, and again */
    size_t mix_count;                           /* 0: short */
    unsigned speed_percent; /* of protocol time; 0: none passes  */
    unsigned delay_ms;      /* a chip thinks so long on each APDU */
    uint16_t vendor, product; /* of the readers; 0: the lab's own  */
    rack_chip_fn *chip;     /* NULL: no world, no cards */
    void *ctx;
};

struct rack;
/* Everything is plugged when it returns. */
int rack_new(struct lab_bus *b, const struct rack_options *o,
             struct rack **out, struct err *e);
/* Pulls everything. NULL is fine. */
void rack_free(struct rack *r);

/* One request, as words of a line:
 *
 *   insert PLACE[:SLOT] EID     slots count from 0, which is the default
 *   remove PLACE[:SLOT]
 *   plug PLACE, unplug PLACE    a hub's place: all that is behind it
 *   scan PLACE TEXT             when a host listens; waits for it for 5 s
 *   fault PLACE KIND N [SEED]   at the N-th transfer (bus.h) or message
 *                               (ccid_model.h) from now
 *   counters PLACE              NAME NUMBER, a line each
 *   list                        KIND PLACE LEVEL plugged|unplugged EID|-...
 *
 * The answer's lines are appended to *answer. */
int rack_do(struct rack *r, const char *line, struct buf *answer,
            struct err *e);

#endif
