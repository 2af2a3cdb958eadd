#include "tests/lab/usb/link_line.h"

#include <time.h>

#include "tests/lab/usb/link_atr.h"

#define CHARACTER_ETU 10 /* start, eight, parity: then it is known */

void line_init(struct line *l, uint32_t clock_khz, unsigned percent)
{
    *l = (struct line){ .clock_khz = clock_khz, .percent = percent };
    line_reset(l);
}

int64_t line_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

uint64_t line_etu_ns(const struct line *l, uint64_t etu)
{
    return l->d ? etu * l->f * 1000000 / ((uint64_t)l->d * l->clock_khz) : 0;
}

uint64_t line_ns(const struct line *l)
{
    return l->ns_old + line_etu_ns(l, l->etu - l->etu_old);
}

void line_speed(struct line *l, uint8_t ta1)
{
    l->ns_old = line_ns(l);
    l->etu_old = l->etu;
    l->ta1 = ta1;
    link_fidi_get(ta1, &l->f, &l->d);
}

void line_reset(struct line *l)
{
    line_speed(l, LINK_FIDI_DEFAULT);
    l->last = LINE_NOBODY;
}

static int64_t scaled(const struct line *l, uint64_t ns)
{
    return (int64_t)(ns / 100 * l->percent + ns % 100 * l->percent / 100);
}

void line_host(struct line *l, int64_t now)
{
    l->host = now;
    if (l->edge > now) /* what was to come then was broken off */
        l->edge = now;
    l->gap = l->gap_longest = 0;
}

void line_run(struct line *l, enum line_side who, size_t n, unsigned guard,
              unsigned turn)
{
    unsigned gap = l->last == who ? guard : turn;

    if (n == 0)
        return;
    l->etu += gap + (n - 1) * (uint64_t)guard;
    l->edge += scaled(l, line_etu_ns(l, gap));
    if (who == LINE_READER && l->edge < l->host)
        l->edge = l->host;
    l->edge += scaled(l, line_etu_ns(l, (n - 1) * (uint64_t)guard));
    l->last = who;
    l->gap = 0;
}

void line_think(struct line *l, uint64_t ns)
{
    l->edge += (int64_t)ns;
    l->gap += ns;
    if (l->gap > l->gap_longest)
        l->gap_longest = l->gap;
}

void line_wait(struct line *l, uint64_t ns)
{
    l->edge += scaled(l, ns);
    l->gap = 0;
}

int64_t line_heard(const struct line *l)
{
    return l->edge + scaled(l, line_etu_ns(l, CHARACTER_ETU));
}

uint64_t line_bwt_ns(const struct line *l, uint8_t bwi_cwi)
{
    unsigned bwi = bwi_cwi >> 4 < 10 ? bwi_cwi >> 4 : 9;

    return ((uint64_t)1 << bwi) * 960 * 372 * 1000000 / l->clock_khz +
           line_etu_ns(l, 11);
}

uint64_t line_wt_ns(const struct line *l, uint8_t wi, uint8_t ta1)
{
    unsigned f, d;

    if (!link_fidi_get(ta1, &f, &d))
        f = 372;
    return (uint64_t)wi * 960 * f * 1000000 / l->clock_khz;
}
