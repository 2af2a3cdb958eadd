/* A device for the tests of drivers/usb: what is sent to its bulk OUT
 * endpoint comes back from its bulk IN endpoint, one transfer one message;
 * vendor requests do the rest. */
#ifndef LINESIDE_UNIT_USB_ECHO_H
#define LINESIDE_UNIT_USB_ECHO_H

#include "tests/lab/usb/model.h"

#define ECHO_VENDOR 0x1209
#define ECHO_OUT 0x01
#define ECHO_IN 0x82
#define ECHO_INTERRUPT 0x83
#define ECHO_PACKET 64

enum echo_request {
    ECHO_STORE = 1,  /* OUT: keeps the data                          */
    ECHO_FETCH,      /* IN: what was stored                          */
    ECHO_REFUSE,     /* STALL                                        */
    ECHO_SILENCE,    /* never answered                               */
    ECHO_NOTIFY,     /* OUT: the data comes from the interrupt endpoint */
    ECHO_FAULT,      /* OUT: the next bulk IN ends with lab status wValue,
                        with the data                                */
    ECHO_MUTE,       /* wValue 1: nothing is echoed until wValue 0   */
};

/* NULL: out of memory. */
struct lab_usb_device *echo_new(uint16_t product);

#endif
