/* unit/lab_usb/bare.h: the host's side of a bare CCID conversation, through
 * the seam of device models alone: URBs made by hand, no bus, no libusb. */
#ifndef LINESIDE_TESTS_UNIT_LAB_USB_BARE_H
#define LINESIDE_TESTS_UNIT_LAB_USB_BARE_H

#include "tests/lab/usb/ccid_model.h"

#define BARE_MESSAGE_MAX 70000

struct bare {
    struct lab_usb_device *d;
    uint8_t seq;
};

/* A message from the reader, taken apart. */
struct heard {
    uint8_t type, slot, seq, status, error, byte_9;
    uint32_t length;    /* as announced */
    struct buf data;    /* as came      */
    size_t n;           /* all octets   */
};
void heard_clear(struct heard *h);

void bare_open(struct bare *k, const struct ccid_model_options *o);
void bare_close(struct bare *k);

/* One transfer on an endpoint; waits (a test's timeout ends it). */
enum lab_usb_status bare_out(struct bare *k, struct span octets);
enum lab_usb_status bare_in(struct bare *k, uint8_t endpoint, size_t room,
                            struct buf *out);
enum lab_usb_status bare_control(struct bare *k, const uint8_t setup[8],
                                 void *data, size_t n, size_t *actual);

/* A message with its parameter octets 7 to 9; seq counts by itself. */
void bare_send(struct bare *k, uint8_t type, unsigned slot, uint32_t p,
               struct span data);
void bare_hear(struct bare *k, struct heard *h);
/* Both, and past requests for more time; checks slot and seq. *more_time may
 * be NULL. */
void bare_ask(struct bare *k, uint8_t type, unsigned slot, uint32_t p,
              struct span data, struct heard *h, unsigned *more_time);

/* --- words --------------------------------------------------------------- */

/* ATR into *atr (NULL: unwanted). power_select as the message has it. */
void bare_power_on(struct bare *k, unsigned slot, unsigned power_select,
                   struct buf *atr);
/* One XfrBlock that must do well. */
void bare_xfr(struct bare *k, unsigned slot, struct span in, struct buf *out);
/* bError of one that must not. */
uint8_t bare_xfr_error(struct bare *k, unsigned slot, struct span in);
void bare_set_params(struct bare *k, unsigned slot, unsigned protocol,
                     const char *hex);
void bare_counters(struct bare *k, struct ccid_model_counters *c);

/* A card that answers any command with its data reversed and 9000 (case 3 and
 * 4), with Le octets (case 2), or 9000 alone. */
struct echo {
    struct fixture base;
    unsigned power_ons, power_offs, apdus;
    bool on;
    unsigned octets;      /* this many at a case 2, whatever Le; 0: Le  */
    bool dead;            /* answers no more */
    struct buf last;      /* command         */
};
void echo_init(struct echo *c);
void echo_clear(struct echo *c);

#endif
