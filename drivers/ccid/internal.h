/* ccid/internal: the inside of a reader, shared by reader.c (commands and
 * transfers) and tend.c (its keeper). */
#ifndef LINESIDE_DRIVERS_CCID_INTERNAL_H
#define LINESIDE_DRIVERS_CCID_INTERNAL_H

#include <stdatomic.h>

#include "drivers/ccid/reader.h"

enum reader_state {
    READER_NEW,       /* not open                                       */
    READER_UP,
    READER_SUSPENDED, /* the device is being reset: commands wait       */
    READER_DOWN       /* for good: gone, parked or closed (r->why)      */
};

enum await { AWAIT_NOTHING, AWAIT_ANSWER, AWAIT_OVER, AWAIT_BROKEN };

struct slot {
    enum await await;
    bool taken;   /* somebody's command is on its way          */
    bool mending; /* it got lost: nothing before the keeper's abort */
    bool in_use, powered;
    bool ask;     /* the keeper shall ask how it is            */
    int present;  /* as ccid_reader_presence                   */
    unsigned epoch;
    uint8_t seq, answer_type;
    int64_t deadline, latest; /* ms; latest: no extension goes beyond */
    bool extended;            /* it has asked for more time */
    int extension_ms;
    pthread_cond_t answered;
    struct usb_transfer out;
    atomic_bool out_posted; /* cleared without the lock when all is well */
    struct ccid_answer answer; /* OVER: data in in_data */
    struct err err;            /* BROKEN */
    uint8_t out_data[CCID_MESSAGE_MAX], in_data[CCID_MESSAGE_MAX];
};

struct ccid_reader {
    struct ccid_profile profile;
    void (*wake)(void *ctx);
    void *ctx;
    pthread_mutex_t lock;
    pthread_cond_t turn; /* state, busy, taken, mending, halts, out_posted */
    enum reader_state state;
    char why[256];
    struct usb_handle *usb;
    struct usb_transfer in, irq;
    bool in_posted, irq_posted;
    bool halted_in, halted_out, halted_irq; /* the keeper clears them */
    bool polled;       /* no interrupt endpoint, or one that has failed */
    unsigned irq_failures;
    int64_t next_poll;
    atomic_uint waiters; /* for turn, counted before they look: out_done
                            either sees them or is seen */
    struct slot *answered; /* whom in_done wakes when it is done */
    unsigned busy, awaited;
    bool reset_spent;
    unsigned lost; /* answers that did not come, since all was well */
    struct ccid_reader_counters counters;
    uint8_t *in_data, *irq_data; /* one allocation */
    struct slot slots[CCID_SLOTS_OF_READER];
};

/* All with r->lock held. */
int reader_command(struct ccid_reader *r, const struct ccid_request *q,
                   bool keeper, struct ccid_answer *a, struct err *e);
void reader_listen(struct ccid_reader *r); /* posts the interrupt transfer */
void reader_down(struct ccid_reader *r, const char *why);
void reader_break_all(struct ccid_reader *r, bool mend, enum err_code code,
                      const char *text);
/* Until its OUT transfer has ended or ms have passed; true: it has. */
bool reader_wait_out(struct ccid_reader *r, const struct slot *s, int ms);

#endif
