/* cmd/rig.h: the robot's hands: what it does to fixtures and scanners. Its
 * eyes are the same everywhere (rig.c). */
#ifndef LINESIDE_LAB_CMD_RIG_H
#define LINESIDE_LAB_CMD_RIG_H

#include "station/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_CARD "-"

struct hands {
    bool has_lamps; /* the station says when it sees a card */
    /* As verdicts call the f-th fixture, from 0. Borrowed. */
    const char *(*name)(const struct hands *h, size_t f);
    /* The station has said what it calls the fixture at this place; NULL:
     * these hands know. */
    void (*called)(struct hands *h, const char *place, const char *name);
    int (*put)(struct hands *h, size_t f, const char *eid, struct err *e);
    int (*take)(struct hands *h, size_t f, struct err *e); /* fine if empty */
    int (*scan)(struct hands *h, size_t f, const char *barcode,
                struct err *e);
    /* Until the station listens to scans, or is gone (ERR_CLOSED). */
    int (*wait)(struct hands *h, bool (*gone)(void *ctx), void *ctx,
                int64_t timeout_ms, struct err *e);
    void (*free)(struct hands *h);
};

/* Links in a folder, and a FIFO. Every fixture is empty afterwards. */
int rig_bench_new(const char *bench, const char *cards, const char *scan,
                  size_t fixtures, struct hands **out, struct err *e);
/* The control socket of lineside-lab usb: its first readers in place order;
 * scanners: their places with commas, NULL: all. */
int rig_usb_new(const char *control, const char *scanners, size_t fixtures,
                struct hands **out, struct err *e);

#endif
