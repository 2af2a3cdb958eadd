#include "station/verify/shift_said.h"

#include "station/container/reader.h"
#include "station/verify/subject.h"

/* Which records of a report a count stands for. */
static void expect(struct said *a, const struct shift_record *r)
{
    static const struct {
        const char *outcome;
        enum report_kind kind;
    } of[] = {
        { "installed", REPORT_RESULT },     { "failed", REPORT_RESULT },
        { "deleted", REPORT_DELETION },     { "voided", REPORT_VOIDED },
        { "quarantined", REPORT_QUARANTINED },
    };

    if (r->what == SHIFT_FAILURE)
        a->by_kind[REPORT_FAILURE] += r->n;
    for (size_t i = 0; r->what == SHIFT_BPP && i < sizeof of / sizeof *of; i++)
        if (span_eq(r->outcome, SPAN_STR(of[i].outcome)))
            a->by_kind[of[i].kind] += r->n;
}

static int say_balance(struct said *a, const struct shift_record *r,
                       struct err *e)
{
    for (size_t i = 0; i < r->state_count; i++)
        if (figures_state(&a->before, r->bundle_id, r->states[i].name,
                      r->states[i].before, e) != 0)
            return -1;
    for (int i = FIGURE_IN_STOCK; r->kind == SHIFT_BUNDLE && i < FIGURES; i++)
        if (figures_state(&a->before, r->bundle_id, SPAN_STR(shift_figure_names[i]),
                      r->before[i], e) != 0)
            return -1;
    return 0;
}

static int say(void *ctx, uint64_t number, struct span der, struct err *e)
{
    struct said *a = ctx;
    struct shift_record r;

    (void)number;
    if (shift_record_decode(der, &r, e) != 0)
        return -1;
    expect(a, &r);
    if (r.kind == SHIFT_COUNT)
        return figures_count(&a->figures, r.what, r.outcome, r.code, r.fixture,
                         r.person, r.n, e);
    for (size_t i = 0; i < r.step_count; i++) {
        const struct move m = { r.bundle_id, r.steps[i].from, r.steps[i].to,
                                r.steps[i].n };
        if (figures_move(&a->figures, &m, e) != 0)
            return -1;
    }
    return say_balance(a, &r, e);
}

int said_read(const struct subject *shift, struct said *out, struct err *e)
{
    *out = (struct said){ .figures = { NULL, 0, 0 } };
    return container_read_segments(shift->dir, &shift->m, say, out, e);
}

void said_clear(struct said *a)
{
    figures_clear(&a->figures);
    figures_clear(&a->before);
}
