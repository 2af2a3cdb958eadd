/* drivers/scanner: what scanners.c (places, and the thread that opens) and
 * deliver.c (the thread that hands scans over) share. */
#ifndef LINESIDE_DRIVERS_SCANNER_SCANNERS_INNER_H
#define LINESIDE_DRIVERS_SCANNER_SCANNERS_INNER_H

#include <pthread.h>

#include "drivers/scanner/scanner.h"
#include "drivers/scanner/scanners.h"

#define SENTENCE_MAX 320 /* of a refusal; a scan is shorter */

/* A place where a HID device is or was. Never freed before the end, so that a
 * callback may point to it. */
struct place {
    struct scanners *all;
    struct place *next; /* by path */
    struct scanners_place pub;

    bool here;
    bool boot_keyboard; /* it has an interface that says so             */
    bool plain_hid;     /* it has another HID interface                 */
    unsigned news, judged; /* equal: what is there now has been judged  */
    bool attend;        /* scanner_tend is wanted                       */

    struct scanner *scanner;
    unsigned users;     /* threads that are in it with no lock held     */
    unsigned lost;      /* scans for which the queue had no room        */
};

struct queued {
    struct place *place;
    enum scanner_scan what;
    size_t n;
    uint8_t text[SENTENCE_MAX];
};

struct scanners {
    struct scanners_options o;
    struct usb *usb;

    pthread_mutex_t lock; /* over all that follows, and the places */
    pthread_cond_t keep;  /* for the keeper */
    pthread_cond_t take;  /* for the deliverer; monotonic clock */
    pthread_t keeper, deliverer;
    bool running, stopping, kept; /* kept: the keeper has ended */
    bool woken;                   /* a deadline may have come nearer */
    struct place *places;
    struct queued queue[SCANNERS_QUEUE];
    size_t first, queued;
};

/* A decode_scan_fn whose ctx is the place. */
void deliver_queue(void *ctx, enum scanner_scan what, struct span text);
void *deliver_main(void *arg);

#endif
