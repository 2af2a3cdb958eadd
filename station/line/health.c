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

static uint16_t hundredths(int64_t ms)
{
    return ms < 0 ? 0 : ms / 10 < UINT16_MAX ? (uint16_t)(ms / 10) : UINT16_MAX;
}

void health_note(struct fixture_health *h, const struct contacts *c,
                 enum verdict_fixture says, int64_t ms)
{
    h->all.cycles += c->cycles;
    for (int i = 0; i < CONTACT_PROBLEMS; i++)
        h->all.v[i] += c->v[i];
    if (h->recent_n == HEALTH_RECENT_MAX) {
        memmove(h->recent, h->recent + 1, --h->recent_n);
        memmove(h->took, h->took + 1, h->recent_n * sizeof *h->took);
    }
    h->took[h->recent_n] = hundredths(ms);
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

static struct health_step step_of(const struct fixture_health *h, size_t from, size_t to)
{
    struct health_step s = { .units = (unsigned)(to - from) };
    int64_t total = 0, timed = 0;

    for (size_t i = from; i < to; i++) {
        bool good = h->recent[i] & RECENT_GOOD;
        s.good += good;
        s.judged += (h->recent[i] & (RECENT_GOOD | RECENT_BAD)) != 0;
        s.problems += h->recent[i] & RECENT_PROBLEMS;
        total += good ? h->took[i] : 0;
        timed += good && h->took[i] > 0;
    }
    s.ms = timed ? total * 10 / timed : 0;
    return s;
}

size_t health_steps(const struct fixture_health *h, unsigned each,
                    struct health_step *out, size_t cap)
{
    size_t n = (h->recent_n + each - 1) / each, end = h->recent_n;

    n = n < cap ? n : cap;
    for (size_t i = n; i-- > 0; end = end > each ? end - each : 0)
        out[i] = step_of(h, end > each ? end - each : 0, end);
    if (n == 0 && cap > 0)
        out[0] = (struct health_step){ .units = 0 };
    return n;
}
