/* Fixtures: how well each does; Enter opens one. */
#include "ui/screens/screens.h"
#include "ui/screens/trends.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>

static const struct column columns[] = {
    { N_("Fixture"), 8, 2, false }, { N_("State"), 11, 1, false }, { N_("Yield"), 8, 0, true },
    { "", 10, 0, false },           { N_("Seconds"), 7, 0, true }, { "", 10, 0, false },
    { N_("Contact"), 7, 0, true },  { "", 10, 0, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)
#define STEPS 10 /* in a cell: the newest ones */

static void spark(struct cell_text *c, const struct trends *t, enum trend which)
{
    spark_text(&t->spark[which], STEPS, c->text, sizeof c->text);
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *f = json_array_get(ctx, i);
    struct trends t;

    trends_read(f, &t);
    snprintf(out[0].text, sizeof out[0].text, "%s", json_word(f, "fixture"));
    snprintf(out[1].text, sizeof out[1].text, "%s", trends_state(v, f, &out[1].tone));
    for (int k = 0; k < TRENDS; k++) {
        snprintf(out[2 + 2 * k].text, sizeof out->text, "%s", t.text[k]);
        out[2 + 2 * k].tone = TONE_BOLD;
        spark(&out[3 + 2 * k], &t, (enum trend)k);
    }
}

static const json_t *all_of(const struct snapshot *s)
{
    return json_object_get(snapshot_answer(s, screen_fixtures.name), "fixtures");
}

static const json_t *picked(const struct desk *d, const struct snapshot *s)
{
    size_t n = json_array_size(all_of(s));

    return n ? json_array_get(all_of(s), d->at < n ? d->at : n - 1) : NULL;
}

/* What its row has no room for. */
static void draw_picked(struct grid *g, struct area a, const struct view *v)
{
    const json_t *f = picked(v->d, v->s);
    char text[2 * SENTENCE_CAP], golden[64];

    if (!f)
        return;
    trends_golden(v, f, golden, sizeof golden);
    snprintf(text, sizeof text, say(v, N_("%s: %lld cycles, golden unit: %s")), json_word(f, "fixture"),
             json_count(f, "cycles"), golden);
    grid_text(g, a.x + 1, a.y, a.w - 1, TONE_PLAIN, text);
    grid_text(g, a.x + 1, a.y + 1, a.w - 1, TONE_WARN,
              *json_word(f, "reason") ? json_word(f, "reason")
              : json_is_true(json_object_get(f, "maintenanceDue")) ? say(v, N_("Due for maintenance")) : "");
}

#define HINT_ROWS 2
#define PICKED_ROWS 2
static void draw(struct grid *g, struct area a, const struct view *v)
{
    if (no_answer(g, a, v))
        return;
    struct area hint = area_take(&a, HINT_ROWS);
    grid_wrap(g, (struct area){ hint.x + 1, hint.y, hint.w - 1, hint.h }, TONE_DIM,
              say(v, N_("The last 100 units, ten a bar: good ones, seconds of a good one, contact problems. Arrows choose a fixture, Enter opens it.")));
    struct area list = area_take(&a, a.h - PICKED_ROWS);
    list_draw(g, list, v, columns, COLUMNS, json_array_size(all_of(v->s)), row, all_of(v->s),
              N_("No unit was worked on yet."));
    if (a.h == PICKED_ROWS)
        draw_picked(g, a, v);
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_fixtures.name, screen_fixtures.title };
    size_t shown = (size_t)screen_rest(&screen_fixtures, &v, cols, rows);
    size_t rest = HINT_ROWS + PICKED_ROWS + 1;

    return list_act(d, json_array_size(all_of(s)), shown > rest ? shown - rest : 1, a);
}

static bool chosen(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    snprintf(what, WHAT_CAP, "%s", json_word(picked(d, s), "fixture"));
    return *what;
}

static const struct part parts[] = {
    { head_draw, one_row }, { draw, NULL }, { message_draw, message_height },
    { keyline_draw, one_row },
};
static const struct doings does = { .opens = &screen_fixture, .chosen = chosen };
const struct screen screen_fixtures = {
    "fixtures", N_("Fixtures"), N_("How each fixture does; Enter opens one."), parts,
    sizeof parts / sizeof *parts, "trends", 5, false, false, act, &does
};
