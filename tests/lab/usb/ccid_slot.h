/* lab/usb/ccid_slot.h: the parts of the emulated reader, for its own files.
 *
 * A reader has one lock (mu). What the host sends comes in with it held; each
 * slot has a thread that takes one message at a time and works on its card
 * and line without it. Who has a slot's `working` false under the lock may
 * touch what is the thread's. */
#ifndef LINESIDE_LAB_USB_CCID_SLOT_H
#define LINESIDE_LAB_USB_CCID_SLOT_H

#include <pthread.h>

#include "tests/lab/usb/ccid_model.h"
#include "tests/lab/usb/ccid_words.h"
#include "tests/lab/usb/link_atr.h"
#include "tests/lab/usb/link_card.h"

#define CCID_SLOTS 8
#define CCID_OUT 0x01
#define CCID_IN 0x82
#define CCID_INTERRUPT 0x83
#define CCID_PACKET 64

struct ccid_reader;

struct ccid_message {
    struct buf octets; /* header and as many octets as it says */
    enum ccid_fault fault;
    uint64_t seed;
    uint32_t generation; /* of the reader: older than a reset, unanswered */
    int64_t came; /* line_now(): the line begins then, not when a thread woke */
};

struct ccid_answer {
    uint8_t type, command_status, error, byte_9;
    struct span data;
};

/* What a reader believes of the card's link (6.1.5, 6.1.7). */
struct ccid_params {
    uint8_t protocol, fidi, tcck, guard, waiting, clock_stop, ifsc, nad;
};

struct ccid_abort { /* two halves that must meet: request and message */
    bool asked, said;
    uint8_t asked_seq, said_seq;
};

struct ccid_slot {
    struct ccid_reader *reader;
    unsigned index;
    pthread_t thread;
    pthread_cond_t wake;

    /* Under the lock. */
    bool started, quit;
    bool cut;         /* no power: reset or unplugged                     */
    bool eject;       /* ccid_model_remove waits                          */
    bool working;     /* the thread has the slot                          */
    bool busy;        /* a message is not answered yet                    */
    bool aborted;     /* ... and never will be, but the abort itself      */
    bool has_next;
    struct ccid_message next;
    struct ccid_abort abort;
    bool occupied;    /* inserted and not removed                         */
    bool present;     /* ... and in contact                               */
    bool changed;     /* since the last NotifySlotChange                  */
    struct buf late;  /* an answer held back                              */
    struct ccid_model_counters seen; /* as of the last answer             */

    /* The thread's, while it works. */
    bool active;      /* the card has power and has said its ATR          */
    bool used;        /* ... and has had a command since                  */
    struct ccid_params params;
    struct link_card card;
    struct line line;
    struct t1_reader t1;
    struct link_atr atr; /* an automatic reader's reading                 */
    struct buf chain_in, chain_out; /* extended APDU level                */
    struct ccid_model_counters counts;
    const struct ccid_message *message; /* the one being worked on        */
    enum ccid_fault link_fault; /* ... of its blocks, still to come       */
    uint64_t noise;   /* blocks at a speed too fast                       */
};

struct ccid_reader {
    struct lab_usb_device base;
    struct ccid_model_options o; /* defaults filled in */
    pthread_mutex_t mu;
    pthread_cond_t idle; /* a thread has put a slot down */
    struct lab_in *in, *interrupt;
    struct buf message; /* from the host, so far */
    struct buf previous; /* the last answer, as it should have been */
    bool out_halted, silent, forever;
    uint32_t generation;
    uint64_t messages;
    struct {
        enum ccid_fault what;
        unsigned at;
        uint64_t seed;
        bool fired;
    } fault;
    struct ccid_slot slots[CCID_SLOTS];
};

static inline struct ccid_reader *ccid_reader(struct lab_usb_device *d)
{
    return (struct ccid_reader *)d;
}

/* ccid_descriptors.c */
void ccid_options_fill(struct ccid_model_options *o);
void ccid_descriptors_put(struct lab_usb_device *d,
                          const struct ccid_model_options *o);
/* GET_DATA_RATES: each once, ascending; at most `most` of them. */
size_t ccid_rates(const struct ccid_model_options *o, uint32_t *out,
                  size_t most);
bool ccid_is_apdu_level(const struct ccid_model_options *o);

/* ccid_model.c; all with the lock held */
void ccid_put(struct ccid_reader *r, const struct ccid_message *m,
              const struct ccid_answer *a, uint8_t icc_status);
void ccid_notify(struct ccid_reader *r);
/* For a message that no slot's thread ever sees. */
void ccid_refuse(struct ccid_reader *r, struct span header, uint8_t error);
uint8_t ccid_answer_type(uint8_t message_type);

/* ccid_slot.c */
int ccid_slot_start(struct ccid_slot *s, struct ccid_reader *r, unsigned index,
                    struct err *e);
void ccid_slot_stop(struct ccid_slot *s);
bool ccid_slot_stopped(struct ccid_slot *s); /* break off, nobody wants it */
/* Sleeps until the line's last character is heard; false: broken off. */
bool ccid_slot_catch_up(struct ccid_slot *s);
bool ccid_slot_sleep(struct ccid_slot *s, int64_t until);
/* From its thread: the answer, or a request for more time before it. */
void ccid_slot_say(struct ccid_slot *s, const struct ccid_answer *a);
void ccid_slot_more_time(struct ccid_slot *s, unsigned times);
void ccid_slot_pull(struct ccid_slot *s); /* the card leaves the contacts */

/* ccid_messages.c */
void ccid_message_work(struct ccid_slot *s);

/* ccid_wire.c: between the reader and its card */
void ccid_params_default(struct ccid_params *p, uint8_t protocol);
/* Reset, ATR into *atr; then, for readers that do it themselves, protocol,
 * speed and IFSD. 0 or the error. */
uint8_t ccid_wire_power_on(struct ccid_slot *s, struct buf *atr);
/* A reset and these again, if the card has had no command yet. */
uint8_t ccid_wire_renegotiate(struct ccid_slot *s, uint8_t protocol,
                              uint8_t fidi);
enum link_result ccid_wire_tpdu(struct ccid_slot *s, struct span tpdu,
                                unsigned waiting_times, struct buf *rsp);
enum link_result ccid_wire_apdu(struct ccid_slot *s, struct span apdu,
                                struct buf *rsp);

/* ccid_fault.c */
/* Changes a whole answer as the fault has it; LATE, STALE and what happens
 * on the line are not its business. */
void ccid_fault_mangle(enum ccid_fault f, uint64_t seed, size_t message_max,
                       struct buf *answer);
uint64_t ccid_mix(uint64_t seed); /* the same every time */

#endif
