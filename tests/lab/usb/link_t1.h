/* lab/usb/link_t1: T=1 (ISO/IEC 7816-3, clause 11): blocks, the card's side,
 * and the reader's side for readers at APDU level. */
#ifndef LINESIDE_LAB_USB_LINK_T1_H
#define LINESIDE_LAB_USB_LINK_T1_H

#include "tests/lab/usb/link_chip.h"
#include "tests/lab/usb/link_t0.h"

#define T1_IFS_FIRST 32 /* IFSD before S(IFS) */
#define T1_IFS_TOP 254
#define T1_BLOCK_TOP (3 + T1_IFS_TOP + 2)

enum t1_pcb {
    T1_I_SEQUENCE = 0x40,
    T1_I_MORE = 0x20,
    T1_R = 0x80,
    T1_R_SEQUENCE = 0x10,
    T1_R_EDC = 0x01,
    T1_R_OTHER = 0x02,
    T1_S_RESYNCH = 0xC0,
    T1_S_IFS = 0xC1,
    T1_S_ABORT = 0xC2,
    T1_S_WTX = 0xC3,
    T1_S_RESPONSE = 0x20
};

struct t1_octets {
    uint8_t nad, pcb;
    struct span inf;
};
void link_t1_block_put(struct buf *out, bool crc, uint8_t nad, uint8_t pcb,
                       struct span inf);
/* 0, or the error code of the R-block that it earns. */
uint8_t link_t1_block_read(struct span in, bool crc, struct t1_octets *out);

/* --- the card ------------------------------------------------------------ */

struct t1_counts {
    uint64_t wtx, ifs, resynch;
};

struct t1_card {
    struct link_chip *chip;
    struct t1_counts *counts;
    uint8_t ns, nr;      /* our next I-block, and theirs               */
    size_t ifsc, ifsd;
    uint8_t nad;         /* of the block just heard                    */
    struct buf command;
    struct buf answer;
    size_t at;           /* of the answer: sent                        */
    struct buf last_i;   /* the I-block to be repeated; empty: none    */
    struct buf request;  /* S-request that waits for its response      */
    uint64_t left_ns;    /* thinking that has to be asked for          */
    unsigned stage;      /* of what happens before an answer           */
};

void link_t1_card_reset(struct t1_card *c, struct link_chip *chip,
                        struct t1_counts *counts);
void link_t1_card_clear(struct t1_card *c);
void link_t1_card_hear(struct t1_card *c, struct span block, struct buf *out);

/* --- the reader at APDU level -------------------------------------------- */

struct t1_wire {
    /* One block there and what comes back; waiting_times: how many BWT the
     * card has been granted. */
    enum link_result (*exchange)(void *ctx, struct span block,
                                 unsigned waiting_times, struct buf *in);
    void (*more_time)(void *ctx, unsigned waiting_times); /* tell the host */
    void *ctx;
};

struct t1_reader {
    uint8_t ns, nr;
    size_t ifsc;
    bool crc;
};
void link_t1_reader_reset(struct t1_reader *r, uint8_t ifsc, bool crc);
/* S(IFS request) with this reader's 254. */
enum link_result link_t1_reader_ifsd(struct t1_reader *r,
                                     const struct t1_wire *w);
enum link_result link_t1_reader_apdu(struct t1_reader *r,
                                     const struct t1_wire *w, struct span apdu,
                                     struct buf *rsp);

#endif
