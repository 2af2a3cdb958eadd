#include "station/line/health.h"

#include <stdio.h>
#include <string.h>

static uint8_t octet_of(const struct contacts *c, enum verdict_fixture says)
{
    static const uint8_t of[] = {
        [SAYS_NOTHING] = 0, [SAYS_GOOD] = RECENT_GOOD, [SAYS_BAD] = RECENT_BAD,
    };
    uint64_t n = 0;

    for (int i = 0; i < CONTACT_PROBLEMS; i++)
        n += c->v[i];
    return (uint8_t)(of[says] | (n < RECENT_PROBLEMS ? n : RECENT_PROBLEMS));
}

void health_note(struct fixture_health *h, const struct contacts *c,
                 enum verdict_fixture says)
{
    h->all.cycles += c->cycles;
    for (int i = 0; i < CONTACT_PROBLEMS; i++)
        h->all.v[i] += c->v[i];
    if (h->recent_n == HEALTH_RECENT_MAX)
        memmove(h->recent, h->recent + 1, --h->recent_n);
    h->recent[h->recent_n++] = octet_of(c, says);
    if (says == SAYS_NOTHING)
        return;
    h->in_row = says == SAYS_BAD ? h->in_row + 1 : 0;
    if (h->judged < HEALTH_RECENT_MAX)
        h->judged++;
}

unsigned health_yield(const struct fixture_health *h, unsigned n, unsigned *of)
{
    unsigned most = n < h->judged ? n : h->judged, good = 0;

    *of = 0;
    for (size_t i = h->recent_n; i > 0 && *of < most; i--) {
        good += h->recent[i - 1] & RECENT_GOOD ? 1 : 0;
        *of += h->recent[i - 1] & (RECENT_GOOD | RECENT_BAD) ? 1 : 0;
    }
    return good;
}

const char *health_judge(const struct fixture_health *h,
                         const struct health_limits *l, const char *last,
                         char reason[HEALTH_REASON_MAX + 1])
{
    unsigned of, good = health_yield(h, l->units, &of);

    if (l->failures && h->in_row >= l->failures) {
        snprintf(reason, HEALTH_REASON_MAX + 1, "%u failure%s in a row, "
                 "the last one: %s", h->in_row, h->in_row == 1 ? "" : "s", last);
        return "failures";
    }
    if (l->yield && of == l->units && good * 100 < l->yield * of) {
        snprintf(reason, HEALTH_REASON_MAX + 1, "%u of the last %u units were "
                 "good, fewer than %u %%; the last failure: %s", good, of,
                 l->yield, last);
        return "yield";
    }
    return NULL;
}

uint64_t health_cycles(const struct fixture_health *h)
{
    return h->all.cycles - h->serviced_at;
}

bool health_worn(const struct fixture_health *h)
{
    return h->cycle_limit && health_cycles(h) >= h->cycle_limit;
}

static unsigned sum(const struct fixture_health *h, size_t from, size_t to)
{
    unsigned n = 0;

    for (size_t i = from; i < to; i++)
        n += h->recent[i] & RECENT_PROBLEMS;
    return n;
}

struct health_trend health_trend(const struct fixture_health *h, unsigned n)
{
    size_t middle = h->recent_n < n ? 0 : h->recent_n - n;
    size_t first = middle < n ? 0 : middle - n;

    return (struct health_trend){
        (unsigned)(h->recent_n - middle), sum(h, middle, h->recent_n),
        (unsigned)(middle - first), sum(h, first, middle),
    };
}
