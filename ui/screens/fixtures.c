/* Fixtures: how well each does. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>

static const struct column columns[] = {
    { N_("Fixture"), 12, 1, false },  { N_("State"), 11, 0, false },
    { N_("Yield"), 7, 0, true },      { "", 12, 1, false },
    { N_("Cycles"), 9, 0, true },     { N_("Contact"), 9, 0, true },
    { N_("Why"), 12, 2, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)
#define BAR 12

/* In a cell, of characters: its column has one width on every screen. */
static void bar_text(char *out, size_t cap, long long part, long long whole)
{
    long long full = whole > 0 ? (part * BAR + whole / 2) / whole : 0;
    size_t n = 0;

    for (int i = 0; i < BAR && n + 4 < cap; i++)
        n += (size_t)snprintf(out + n, cap - n, "%s", i < full ? "█" : "░");
}

static long long problems(const json_t *f)
{
    const json_t *p = json_object_get(f, "problems"), *one;
    const char *name;
    long long n = 0;

    json_object_foreach((json_t *)p, name, one)
        n += json_integer_value(one);
    return n;
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *f = json_array_get(ctx, i), *y = json_object_get(f, "yield");
    long long good = json_count(y, "good"), units = json_count(y, "units");
    bool ok = !*json_word(f, "reason"), due = json_is_true(json_object_get(f, "maintenanceDue"));
    const char *state = json_word(f, "state");

    good = good < 0 ? 0 : good > units ? units : good;
    snprintf(out[0].text, sizeof out[0].text, "%s", json_word(f, "fixture"));
    snprintf(out[1].text, sizeof out[1].text, "%s",
             ok && state[0] == 'o' ? say(v, N_("works")) : state_word(v->d->lang, state));
    out[1].tone = ok ? TONE_PLAIN : TONE_STOPPED;
    if (units > 0 && units < 1000000) {
        snprintf(out[2].text, sizeof out[2].text, "%lld %%", good * 100 / units);
        bar_text(out[3].text, sizeof out[3].text, good, units);
    }
    out[2].tone = TONE_BOLD;
    snprintf(out[4].text, sizeof out[4].text, "%lld", json_count(f, "cycles"));
    out[4].tone = due ? TONE_WARN : TONE_PLAIN;
    snprintf(out[5].text, sizeof out[5].text, "%lld", problems(f));
    snprintf(out[6].text, sizeof out[6].text, "%s",
             !ok ? json_word(f, "reason") : due ? say(v, N_("Due for maintenance")) : "");
    out[6].tone = ok ? TONE_WARN : TONE_PLAIN;
}

static const json_t *all_of(const struct snapshot *s)
{
    return json_object_get(json_object_get(snapshot_answer(s, screen_fixtures.name), "health"),
                           "fixtures");
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    if (!no_answer(g, a, v))
        table_draw(g, a, v, columns, COLUMNS, json_array_size(all_of(v->s)), row, all_of(v->s),
                   N_("No unit was worked on yet."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_fixtures.name, screen_fixtures.title };
    size_t shown = (size_t)screen_rest(&screen_fixtures, &v, cols, rows);

    return table_act(d, json_array_size(all_of(s)), shown > 1 ? shown - 1 : 1, a);
}

static const struct part parts[] = {
    { head_draw, one_row }, { draw, NULL }, { message_draw, message_height },
    { keyline_draw, one_row },
};
const struct screen screen_fixtures = {
    "fixtures", N_("Fixtures"), N_("Yield, cycles and contacts of each fixture."), parts,
    sizeof parts / sizeof *parts, "fixtures", 5, false, false, act, NULL
};
