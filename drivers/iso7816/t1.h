/* iso7816/t1: the host's side of T=1 (ISO/IEC 7816-3:2006, clause 11), as a
 * state machine that moves blocks and does nothing else.
 *
 *     next = t1_begin(&t, apdu);
 *     while (next == T1_SEND)
 *         send t.block (t.block_n octets), wait for t.wtx times BWT;
 *         next = t1_receive(&t, what came);
 *
 * A damaged or missing block is asked for again (11.6.3, rule 7), twice; an
 * I-block of ours goes out again when the card says that it did not get it.
 * Then RESYNCH is tried, three times, unless the card has never been heard. A command APDU is never sent again as a
 * whole: a card that has resynchronised has forgotten it, or has done it and
 * forgotten the answer, and a repeated command can burn a one-time key. So an
 * exchange that needed RESYNCH fails; what becomes of the unit is decided
 * above. After it the session can carry on (t1_alive); after any other
 * failure the card must be reset and t1_init called.
 *
 * Every exchange ends: tries, time extensions, blocks and octets are bounded. */
#ifndef LINESIDE_DRIVERS_ISO7816_T1_H
#define LINESIDE_DRIVERS_ISO7816_T1_H

#include "station/base/err.h"
#include "station/base/span.h"

#define T1_IFS_MAX 254
#define T1_BLOCK_MAX (3 + T1_IFS_MAX + 2)
#define T1_COMMAND_MAX 261  /* short APDU */
#define T1_RESPONSE_MAX 258

struct t1_params {
    uint8_t ifsc;       /* of the ATR: 1 to 254                           */
    uint8_t ifsd;       /* what the reader can take: 1 to 254             */
    bool crc;           /* else LRC. Which of two forms of CRC, the card's
                           first block decides */
    unsigned wtx_limit; /* time extensions granted in one exchange, summed,
                           in units of BWT                                */
};

enum t1_next { T1_SEND, T1_DONE, T1_FAILED };

enum t1_input {
    T1_BLOCK,   /* a block came                                       */
    T1_DAMAGED, /* one came, but the reader saw a parity or EDC error */
    T1_SILENCE  /* none came in time                                  */
};

enum t1_failure {
    T1_FAIL_NONE,
    T1_FAIL_MUTE,      /* no good block, not even to RESYNCH             */
    T1_FAIL_RESYNCHED, /* the link is in order again, the exchange lost  */
    T1_FAIL_WTX,       /* more time asked for than is granted            */
    T1_FAIL_ABORT,     /* the card gave the exchange up (answered)       */
    T1_FAIL_LONG,      /* the answer is longer than a short APDU's       */
    T1_FAIL_SHORT,     /* the answer has no status word                  */
    T1_FAIL_ENDLESS,   /* too many blocks                                */
    T1_FAIL_USE,       /* not a short APDU, or the session is dead       */
    T1_FAILURES
};

struct t1_counters { /* over the life of a session; for health and tests */
    unsigned long sent, received, damaged, repeated, wtx, ifs, resynchs;
};

struct t1 {
    /* To be read after T1_SEND. */
    uint8_t block[T1_BLOCK_MAX];
    size_t block_n;
    unsigned wtx;       /* wait this many times BWT; 1 as a rule */
    /* After T1_DONE: the response APDU. */
    uint8_t response[T1_RESPONSE_MAX];
    size_t response_n;
    /* After T1_FAILED. */
    enum t1_failure failure;
    struct t1_counters counters;

    /* May be set after t1_init: what the reader can carry to the card in one
     * block, even when the card says that it takes more. 0: everything. */
    uint8_t ifsc_max;

    /* t1.c's own. */
    struct t1_params params;
    int state;
    bool alive;
    bool heard;         /* a good block came since the reset              */
    bool plain_crc;     /* the card's CRC is of the other form, see t1.c  */
    bool ifsd_known;    /* the card has confirmed our IFSD                */
    uint8_t ifsc;       /* now: the card may change it                    */
    uint8_t ns, nr;     /* N(S) of our I-block in hand; of the card's next */
    uint8_t command[T1_COMMAND_MAX];
    size_t command_n;   /* 0: none, the IFSD alone is at stake            */
    size_t at, chunk;   /* the I-block in hand: command[at, at + chunk)   */
    unsigned tries, resent, extended, blocks;
};

/* After a reset (and PPS), before anything else. An ifsd or ifsc of 0 counts
 * as 1, of 255 as 254. */
void t1_init(struct t1 *t, const struct t1_params *p);

/* Tells the card our IFSD with S(IFS request) (T1_DONE then has no response).
 * Optional: t1_begin does it first when it has not been done. Worth a call
 * after a PPS, because it shows whether the new speed works before a command
 * is at stake. */
enum t1_next t1_open(struct t1 *t);

enum t1_next t1_begin(struct t1 *t, struct span apdu);

/* block: what came, for T1_BLOCK; else ignored. */
enum t1_next t1_receive(struct t1 *t, enum t1_input what, struct span block);

/* The session can carry another exchange. */
bool t1_alive(const struct t1 *t);

/* "the card asked for more time than it is granted" */
const char *t1_failure_text(enum t1_failure f);

#endif
