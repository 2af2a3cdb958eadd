/* A device for the tests of drivers/usb: what is sent to its bulk OUT
 * endpoint comes back from its bulk IN endpoint, one transfer one message;
 * vendor requests do the rest. */
#ifndef LINESIDE_UNIT_USB_PARROT_H
#define LINESIDE_UNIT_USB_PARROT_H

#include "tests/lab/usb/model.h"

#define PARROT_VENDOR 0x1209
#define PARROT_OUT 0x01
#define PARROT_IN 0x82
#define PARROT_INTERRUPT 0x83
#define PARROT_PACKET 64

enum parrot_request {
    PARROT_STORE = 1,  /* OUT: keeps the data                          */
    PARROT_FETCH,      /* IN: what was stored                          */
    PARROT_REFUSE,     /* STALL                                        */
    PARROT_SILENCE,    /* never answered                               */
    PARROT_NOTIFY,     /* OUT: the data comes from the interrupt endpoint */
    PARROT_FAULT,      /* OUT: the next bulk IN ends with lab status wValue,
                        with the data                                */
    PARROT_MUTE,       /* wValue 1: nothing is echoed until wValue 0   */
};

/* NULL: out of memory. */
struct lab_usb_device *parrot_new(uint16_t product);

#endif
