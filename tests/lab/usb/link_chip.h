/* lab/usb/link_chip: what stands behind a card's link protocol: a fixture
 * that answers command APDUs, and how long it thinks. */
#ifndef LINESIDE_LAB_USB_LINK_CHIP_H
#define LINESIDE_LAB_USB_LINK_CHIP_H

#include "tests/lab/usb/ccid_model.h"
#include "tests/lab/usb/link_line.h"

struct link_chip {
    struct fixture *fixture; /* NULL: none */
    struct ccid_card o;      /* with its defaults filled in */
    struct line *line;
    uint64_t apdus, nulls;   /* counters of the slot */
    unsigned answers;        /* since the last reset */
    bool on;
    /* A NULL is on the line: the reader may want to tell its host, now. */
    void (*null_heard)(void *ctx);
    void *ctx;
};

bool link_chip_on(struct link_chip *c); /* false: it does not come up */
void link_chip_off(struct link_chip *c);
/* False: no answer, now or ever again until the next reset. At least two
 * octets, else. Thinking is not part of it. */
bool link_chip_ask(struct link_chip *c, struct span apdu, struct buf *rsp);
uint64_t link_chip_think_ns(const struct link_chip *c);
/* This is to happen before the answer to come (every-th one). */
bool link_chip_every(const struct link_chip *c, unsigned every);

#endif
