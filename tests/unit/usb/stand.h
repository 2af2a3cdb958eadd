/* A bus with drivers/usb on it, and somebody who writes down what comes and
 * goes. Failures fail the test. */
#ifndef LINESIDE_UNIT_USB_STAND_H
#define LINESIDE_UNIT_USB_STAND_H

#include <pthread.h>

#include "drivers/usb/usb.h"
#include "tests/lab/usb/inprocess/inprocess.h"
#include "tests/unit/usb/parrot.h"

#define STAND_WAIT_MS 10000 /* for what must come    */
#define STAND_SHORT_MS 50   /* for what must not     */
#define STAND_PLACES 64

struct stand_place {
    char path[USB_PATH_MAX + 1];
    bool here;
    unsigned came, went;
    uint16_t product;
    uint8_t device_class;
};

struct stand {
    struct lab_bus *bus;
    struct usb *usb;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stand_place places[STAND_PLACES];
    size_t n;
    bool out_of_turn; /* came twice, or went when it was not there */
};

void stand_open(struct stand *s);       /* the bus, in namespaces of its own */
void stand_start(struct stand *s);      /* drivers/usb on it */
void stand_stop(struct stand *s);
void stand_close(struct stand *s);      /* and stop, if it was started */

void stand_plug(struct stand *s, const char *path, struct lab_usb_device *d);
void stand_unplug(struct stand *s, const char *path);
/* Wait until it is here, or is not. A copy. */
struct stand_place stand_await(struct stand *s, const char *path, bool here);
struct stand_place stand_look(struct stand *s, const char *path);
/* Waits for it, opens and claims it. */
struct usb_handle *stand_take(struct stand *s, const char *path);

/* --- transfers ------------------------------------------------------------------- */

struct flight {
    struct usb_transfer t;
    pthread_mutex_t lock;
    pthread_cond_t landed;
    unsigned ends;
    enum usb_status status;
    size_t actual;
};
void flight_init(struct flight *f, uint8_t endpoint, void *data, size_t n);
void flight_clear(struct flight *f);
void flight_start(struct flight *f, struct usb_handle *h);
/* Its end number `ends` (counted from flight_init). */
enum usb_status flight_await(struct flight *f, unsigned ends);
unsigned flight_ends(struct flight *f);

/* Sends n octets and compares what comes back. */
void stand_echo(struct usb_handle *h, size_t n, unsigned seed);
/* A vendor request with data, which must succeed. */
void stand_request(struct usb_handle *h, enum parrot_request r, uint16_t value,
                   const void *data, size_t n);

#endif
