/* lab/usb/link_line: the one wire between a reader and a card, and the time
 * that characters take on it. Two clocks are kept:
 *
 * - Line time, exact, for the counters: what a perfect host would need. Of
 *   each run of n characters in one direction:
 *
 *       turn + (n - 1) * guard   etu, from leading edge to leading edge
 *
 *   guard  to the card: 12 + N (N: TC1 as the reader knows it, 0 to 254);
 *          to the reader: 12; N = 255: T=1 11 and T=0 12, both ways
 *   turn   after the other side spoke: 22 in T=1 (the block guard time), 16
 *          in T=0 and for PPS; after the same side spoke (a NULL and then the
 *          ACK): guard. The first run after a reset has its turn as well.
 *   ATR    12 for each of its characters, at 372 clocks an etu. The time from
 *          reset to its first character is not counted.
 *
 *   One etu is F/D clocks. Etu are summed and turned into nanoseconds,
 *   rounded down, whenever F or D changes, and at the end. What a chip thinks
 *   and what a reader waits for in vain is not line time.
 *
 * - The wall: the moment (CLOCK_MONOTONIC) of the last leading edge. A run of
 *   the reader's begins when the host has said so, and not before its turn is
 *   over. Line time and vain waiting count `percent` there, thinking counts
 *   in full. A character can be read 10 etu after its leading edge. */
#ifndef LINESIDE_LAB_USB_LINK_LINE_H
#define LINESIDE_LAB_USB_LINK_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum line_side { LINE_NOBODY, LINE_READER, LINE_CARD };

struct line {
    uint32_t clock_khz;
    unsigned percent;
    uint8_t ta1;
    unsigned f, d;
    enum line_side last;
    int64_t edge;       /* the wall: last leading edge, ns           */
    int64_t host;       /* the wall: when the host last spoke        */
    uint64_t gap;       /* thinking since the last character, ns     */
    uint64_t gap_longest; /* ... the longest since line_host         */
    uint64_t etu;       /* all                                       */
    uint64_t etu_old;   /* ... of it before the last change of speed  */
    uint64_t ns_old;    /* ... and what that was in nanoseconds       */
};

void line_init(struct line *l, uint32_t clock_khz, unsigned percent);
int64_t line_now(void);
/* 372/1, nobody has spoken. */
void line_reset(struct line *l);
/* Not a reserved one. */
void line_speed(struct line *l, uint8_t ta1);
/* The host has spoken: the reader's next run begins now at the earliest. */
void line_host(struct line *l, int64_t now);
void line_run(struct line *l, enum line_side who, size_t n, unsigned guard,
              unsigned turn);
void line_think(struct line *l, uint64_t ns); /* a chip at work            */
void line_wait(struct line *l, uint64_t ns);  /* a reader that waits, vainly */
/* When the last character is in the reader's hands. */
int64_t line_heard(const struct line *l);

uint64_t line_ns(const struct line *l); /* line time */
uint64_t line_etu_ns(const struct line *l, uint64_t etu);
/* Waiting times as 7816-3 has them, at this clock and speed. */
uint64_t line_bwt_ns(const struct line *l, uint8_t bwi_cwi);
uint64_t line_wt_ns(const struct line *l, uint8_t wi, uint8_t ta1);

#endif
