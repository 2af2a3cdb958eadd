#include "station/line/two_scans.h"

#include <string.h>

static bool is_fixture(struct span text, scan_known_fn *known, void *ctx,
                       char name[FIXTURE_NAME_MAX + 1])
{
    if (text.n == 0 || text.n > FIXTURE_NAME_MAX ||
        memchr(text.p, '\0', text.n))
        return false;
    memcpy(name, text.p, text.n);
    name[text.n] = '\0';
    return known(ctx, name);
}

enum two_scans_answer two_scans_take(struct two_scans *t, struct span text,
                                     int64_t now_ms, scan_known_fn *known,
                                     void *ctx, struct span *line)
{
    char name[FIXTURE_NAME_MAX + 1];

    /* Another fixture's label in place of a unit's: the operator has thought
     * better of it. */
    if (is_fixture(text, known, ctx, name)) {
        memcpy(t->fixture, name, sizeof name);
        t->at_ms = now_ms;
        return TWO_SCANS_CHOSEN;
    }
    bool late = now_ms - t->at_ms > TWO_SCANS_MS;
    if (!t->fixture[0] || late) {
        two_scans_forget(t);
        return TWO_SCANS_WHICH;
    }
    size_t n = strlen(t->fixture);
    memcpy(t->line, t->fixture, n);
    t->line[n++] = '\t';
    struct span unit = span_sub(text, 0, SCAN_LINE_MAX);
    if (unit.n)
        memcpy(t->line + n, unit.p, unit.n);
    *line = SPAN(t->line, n + unit.n);
    two_scans_forget(t);
    return TWO_SCANS_LINE;
}

void two_scans_forget(struct two_scans *t)
{
    t->fixture[0] = '\0';
}
