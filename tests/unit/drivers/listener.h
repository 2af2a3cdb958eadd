/* A card behind a Unix socket, in a thread of the test: what the bench driver
 * talks to. It answers through any fixture, or misbehaves as told. */
#ifndef LINESIDE_TESTS_LISTENER_H
#define LINESIDE_TESTS_LISTENER_H

#include "drivers/fixture.h"

enum manners {
    MANNERS_GOOD,
    MANNERS_NO_ATR,       /* zero octets                      */
    MANNERS_LONG_ATR,     /* 34 octets                        */
    MANNERS_MUTE,         /* takes commands, answers none     */
    MANNERS_DRIBBLE,      /* good, but one octet at a time    */
    MANNERS_HUGE,         /* announces 65535 octets           */
    MANNERS_TINY,         /* one octet, no status word        */
    MANNERS_TALKATIVE,    /* an answer and another one        */
    MANNERS_HANG_UP,      /* half an answer, then closed      */
};

struct listener;
/* Listens when this returns. `card` is borrowed and used by the thread. */
struct listener *listener_start(const char *path, struct fixture *card,
                                enum manners manners);
void listener_stop(struct listener *l); /* the path is gone then */

#endif
