/* lab/usb/bus_inner.h: between bus.c (what is plugged), transfer.c (URBs and
 * faults) and standard.c (requests that any device answers alike).
 *
 * Locks, in this order:
 *   change   one plug or unplug at a time, with all its callbacks
 *   call     of a place: calls into its model, one at a time but for cancel
 *   (a model's own locks; completions may come with them held)
 *   lock     the tables and all counters; nothing is called with it held
 * A transport's done is called with none of ours, but perhaps a model's. */
#ifndef LINESIDE_LAB_USB_BUS_INNER_H
#define LINESIDE_LAB_USB_BUS_INNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/lab/usb/bus.h"
#include "tests/lab/usb/tree.h"

#define LAB_BUSES 9
#define LAB_ADDRESSES 128
#define LAB_INTERFACES 32

struct lab_bus_place {
    struct lab_bus *b;
    struct lab_place is;
    struct lab_usb_device *hub; /* owned; NULL: a caller's device */
    struct lab_bus_place *next; /* newest first */
    pthread_mutex_t call;
    atomic_bool leaving; /* set under lock; nothing reaches the model after */
    /* All below under lock. */
    bool past;   /* gone altogether; kept for its counters */
    bool pulled; /* by a fault: the puller does the rest */
    bool silent;
    unsigned busy; /* threads that are in a model's or transport's hands */
    struct lab_urb *under_way;
    uint32_t halted; /* bit: number, + 16 for IN */
    uint8_t configuration;
    uint8_t alternate[LAB_INTERFACES];
    unsigned transfers;
    enum lab_usb_fault fault;
    unsigned fault_at; /* in terms of transfers */
    uint64_t fault_seed;
    bool fault_fired;
};

struct lab_bus {
    pthread_mutex_t change, lock;
    pthread_cond_t quiet; /* a place's busy or under_way went down */
    pthread_cond_t pull;  /* a place was pulled by a fault, or the end */
    pthread_t puller;
    bool ending;
    struct tree *tree;
    struct lab_bus_place *places; /* past ones too */
    struct lab_bus_place *at[LAB_BUSES + 1][LAB_ADDRESSES];
    unsigned last_address[LAB_BUSES + 1];
    struct lab_transport transport;
};

/* The present place, not leaving, and counted as busy; NULL: none. */
struct lab_bus_place *place_get(struct lab_bus *b, unsigned bus, unsigned device);
void place_put(struct lab_bus_place *p);
/* With lock held: the fault that pulls the plug. */
void place_pull(struct lab_bus_place *p);
/* Complete what the bus itself holds; the model completes the rest. */
void place_end_held(struct lab_bus_place *p, enum lab_usb_status s);

/* Answers a standard request to the device (not: to an interface of which the
 * bus knows nothing). False: it is the model's. Call lock held. */
bool standard_request(struct lab_bus_place *p, struct lab_urb *u);
uint32_t endpoint_bit(uint8_t endpoint);

struct lab_usb_device *hub_new(bool root);
void hub_free(struct lab_usb_device *d);

#endif
