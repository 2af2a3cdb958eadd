#include "station/cmd/health_list.h"

#include "station/base/clock.h"
#include "station/line/health.h"
#include "station/show/stands.h"

#include <stdio.h>

/* --- text ------------------------------------------------------------------------- */

/* "3 in 20, before 1 in 20" */
static void print_trend(const struct fixture_health *h, unsigned n)
{
    struct health_trend t = health_trend(h, n);

    printf("%u in %u units", t.problems, t.units);
    if (t.units_before)
        printf(", before %u in %u", t.problems_before, t.units_before);
}

static void print_contacts(const struct fixture_health *h)
{
    printf("    contacts:");
    for (int i = 0; i < CONTACT_PROBLEMS; i++)
        printf("%s %s %llu", i ? "," : "", contact_names[i],
               (unsigned long long)h->all.v[i]);
    printf("; lately ");
    print_trend(h, show_trends[0]);
    if (h->recent_n > show_trends[0]) {
        printf("; ");
        print_trend(h, show_trends[1]);
    }
    putchar('\n');
}

static void print_fixture(const struct places *said, const struct health_limits *l,
                          const struct fixture_health *h)
{
    char limit[32] = "", at[24];
    unsigned of, good = health_yield(h, l->units, &of);

    if (h->cycle_limit)
        snprintf(limit, sizeof limit, " of %llu", (unsigned long long)h->cycle_limit);
    printf("%-16s %-12s good %u of %u, cycles %llu%s, golden %s\n", show_health_name(said, h),
           show_health_state(h), good, of, (unsigned long long)health_cycles(h), limit,
           h->proven_at ? clock_text(h->proven_at, at) : "never");
    print_contacts(h);
    if (h->stopped)
        printf("    stopped: %s. Find out why; then a golden unit that passes there "
               "releases it, or: lineside fixtures release %s\n", h->reason,
               show_health_name(said, h));
    if (health_worn(h))
        printf("    due for maintenance; afterwards: lineside fixtures maintenance "
               "%s --done\n", show_health_name(said, h));
}

static void print_limits(const struct show_health *f)
{
    const struct health_limits *l = &f->limits;
    char eid[EID_DIGITS + 1];

    printf("limits: ");
    if (l->failures)
        printf("stopped by %u failures in a row", l->failures);
    else
        printf("no number of failures in a row stops a fixture");
    if (l->yield)
        printf(", or by fewer than %u %% good of %u units", l->yield, l->units);
    if (l->golden_hours)
        printf("; a golden unit must have passed within %u hours", l->golden_hours);
    putchar('\n');
    for (size_t i = 0; i < f->golden.n; i++)
        printf("golden unit: EID %s\n", eid_format(&f->golden.v[i], eid));
}

void health_print(const struct places *said, const struct show_health *f,
                  bool below)
{
    if (below)
        putchar('\n');
    if (f->fixtures.n == 0)
        puts("no fixture was at work yet");
    else
        printf("%-16s %s\n", "FIXTURE", "HEALTH");
    for (size_t i = 0; i < f->fixtures.n; i++)
        print_fixture(said, &f->limits, &f->fixtures.v[i]);
    print_limits(f);
}

void stands_print(const struct places *said, const struct stands *all)
{
    if (all->n == 0)
        return;
    printf("\n%-16s STANDS\n", "FIXTURE");
    for (size_t i = 0; i < all->n; i++)
        printf("%-16s row %u, column %u\n", show_stand_name(said, &all->v[i]),
               all->v[i].row, all->v[i].column);
}

void trends_print(const struct places *said, const struct fixture_healths *all)
{
    struct health_step s;

    if (all->n == 0)
        puts("no fixture was at work yet");
    else
        printf("%-16s %6s %11s %8s  %s\n", "FIXTURE", "UNITS", "GOOD", "SECONDS",
               "CONTACT PROBLEMS");
    for (size_t i = 0; i < all->n; i++) {
        health_steps(&all->v[i], HEALTH_RECENT_MAX, &s, 1);
        printf("%-16s %6u %4u of %3u %8.1f  %u\n", show_health_name(said, &all->v[i]),
               s.units, s.good, s.judged, (double)s.ms / 1000, s.problems);
    }
}
