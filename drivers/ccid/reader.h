/* ccid/reader: one CCID interface of an open device: commands out, answers in,
 * for up to bMaxCCIDBusySlots slots at once.
 *
 * Whose answer it is, is told by slot and bSeq; one that nobody waits for is
 * dropped and counted. Who waits sleeps. An IN transfer is under way only
 * while an answer is due.
 *
 * What has gone wrong is put right by the reader's keeper, the thread that
 * opened it: others only ever send commands. */
#ifndef LINESIDE_DRIVERS_CCID_READER_H
#define LINESIDE_DRIVERS_CCID_READER_H

#include <pthread.h>

#include "drivers/ccid/message.h"
#include "drivers/usb/usb.h"

#define CCID_SLACK_MS 1000 /* USB, reader and scheduler, on top of the card's */
#define CCID_REPLY_MS 2000 /* a command that needs no card: seconds is silence */
#define CCID_POLL_MS 500   /* idle slots of a reader that does not tell       */

struct ccid_reader;

/* wake: something for the keeper to do (ccid_reader_tend). Called with the
 * reader's lock held: must only hand on. */
int ccid_reader_new(const struct ccid_profile *p, void (*wake)(void *ctx),
                    void *ctx, struct ccid_reader **out, struct err *e);
void ccid_reader_free(struct ccid_reader *r); /* its handle closed; NULL is fine */
const struct ccid_profile *ccid_reader_profile(const struct ccid_reader *r);

/* --- anybody -------------------------------------------------------------------- */

struct ccid_request {
    struct ccid_command command; /* seq is filled in */
    unsigned epoch;    /* of the card that is meant; 0: any */
    int wait_ms;       /* for the answer, from when it is this one's turn  */
    int extension_ms;  /* one unit of a request for more time; 0: refused  */
    int64_t limit;     /* clock_monotonic_ms that nothing goes beyond      */
};
/* One command and its answer (whatever its status). a->data is valid until
 * this slot's next command. One thread at a time for each slot.
 * ERR_TIMEOUT: none in time; the keeper aborts it.
 * ERR_NO_CARD: the reader or the card with that epoch is gone, or it is parked.
 * ERR_FORMAT, ERR_IO: what came is no answer, or nothing could come. */
int ccid_reader_exchange(struct ccid_reader *r, const struct ccid_request *q,
                         struct ccid_answer *a, struct err *e);

/* Counts up each time a card must have lost power: pulled, or reader reset. */
unsigned ccid_reader_epoch(struct ccid_reader *r, unsigned slot);
/* A slot in use is not polled. */
void ccid_reader_use(struct ccid_reader *r, unsigned slot, bool in_use);
/* A whole session with a card went well: it deserves a reset again. */
void ccid_reader_praise(struct ccid_reader *r);

struct ccid_reader_counters {
    unsigned long commands, answers, stale, malformed, extensions, stalls,
        aborts, resets;
};
void ccid_reader_counters(struct ccid_reader *r,
                          struct ccid_reader_counters *out);

/* --- the keeper ------------------------------------------------------------------- */

/* Claims the interface, listens for changes, asks every slot. ERR_TIMEOUT: it
 * is ours, but does not answer, or not as it must: a reset may help. All else:
 * it is of no use. e is not NULL. */
int ccid_reader_open(struct ccid_reader *r, struct usb_handle *h,
                     struct err *e);

enum ccid_tend {
    CCID_TEND_FINE,
    CCID_TEND_RESET, /* silent: the device must be reset, then
                        ccid_reader_restart */
    CCID_TEND_PARK   /* silent again after its reset: e says so */
};
/* Does what is due: aborts, clears halts, polls. *next_ms: when to come again
 * if nothing wakes it before; -1: then only. */
enum ccid_tend ccid_reader_tend(struct ccid_reader *r, int *next_ms,
                                struct err *e);
/* Before and after a reset of the device. */
void ccid_reader_suspend(struct ccid_reader *r);
int ccid_reader_restart(struct ccid_reader *r, struct err *e);
/* No command any more; who waits gets ERR_NO_CARD with this text. */
void ccid_reader_down(struct ccid_reader *r, const char *why);
/* -1: not known, 0: empty, 1: a card. */
int ccid_reader_presence(struct ccid_reader *r, unsigned slot);

#endif
