/* Stock: how the profiles stand, bundle by bundle. */
#include "ui/screens/screens.h"
#include "ui/widgets/bar.h"
#include "ui/widgets/facts.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>

/* --- in all, as bars -------------------------------------------------------------- */

static const struct {
    const char *name, *label;
    enum tone tone;
} states[] = {
    { "in-stock", N_("in stock"), TONE_BOLD },     { "reserved", N_("reserved"), TONE_PLAIN },
    { "loading", N_("loading"), TONE_PLAIN },      { "installed", N_("installed"), TONE_BOLD },
    { "failed", N_("failed"), TONE_WARN },         { "quarantined", N_("quarantined"), TONE_WARN },
    { "voided", N_("voided"), TONE_DIM },
};
#define STATES (sizeof states / sizeof *states)

static int bars_height(const struct view *v, int cols, int rows)
{
    (void)v, (void)cols, (void)rows;
    return (int)STATES + 1;
}

static void draw_bars(struct grid *g, struct area a, const struct view *v)
{
    const json_t *total = json_object_get(snapshot_answer(v->s, v->screen), "total");
    long long all = json_count(total, "received");

    for (size_t i = 0; total && i < STATES; i++) {
        struct area row = area_row(a, (int)i);
        char number[32];
        long long n = json_count(total, states[i].name);
        snprintf(number, sizeof number, "%lld", n);
        grid_text(g, row.x + 1, row.y, 15, TONE_PLAIN, say(v, states[i].label));
        grid_text_right(g, (struct area){ row.x + 16, row.y, 10, row.h }, TONE_BOLD, number);
        bar_draw(g, (struct area){ row.x + 28, row.y, row.w - 29, row.h }, states[i].tone, n, all);
    }
}

/* --- one by one --------------------------------------------------------------------- */

static const struct column columns[] = {
    { N_("Bundle"), 18, 1, false },   { N_("SM-DPf"), 14, 1, false },
    { N_("received"), 10, 0, true },  { N_("in stock"), 10, 0, true },
    { N_("installed"), 11, 0, true }, { N_("failed"), 12, 0, true },
};
#define COLUMNS (sizeof columns / sizeof *columns)

static void number(struct cell_text *c, const json_t *j, const char *name, enum tone t)
{
    long long n = json_count(j, name);

    snprintf(c->text, sizeof c->text, "%lld", n);
    c->tone = n > 0 ? t : TONE_PLAIN;
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *b = json_array_get(ctx, i);

    (void)v;
    snprintf(out[0].text, sizeof out[0].text, "%s", json_word(b, "id"));
    snprintf(out[1].text, sizeof out[1].text, "%s", json_word(b, "smdp"));
    number(&out[2], b, "received", TONE_PLAIN);
    number(&out[3], b, "in-stock", TONE_BOLD);
    number(&out[4], b, "installed", TONE_PLAIN);
    number(&out[5], b, "failed", TONE_WARN);
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *all = json_object_get(snapshot_answer(v->s, v->screen), "bundles");

    if (!no_answer(g, a, v))
        table_draw(g, a, v, columns, COLUMNS, json_array_size(all), row, all,
                   N_("No bundle was imported yet."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_stock.name, screen_stock.title };
    size_t shown = (size_t)screen_rest(&screen_stock, &v, cols, rows);

    return table_act(d, json_array_size(json_object_get(snapshot_answer(s, v.screen), "bundles")),
                     shown > 1 ? shown - 1 : 1, a);
}

static const struct part parts[] = {
    { head_draw, one_row },     { draw_bars, bars_height }, { draw, NULL },
    { message_draw, message_height }, { keyline_draw, one_row },
};
const struct screen screen_stock = {
    "stock", N_("Stock"), N_("Profiles, bundles, what became of them."), parts,
    sizeof parts / sizeof *parts, "stock", 10, false, false, act, NULL
};
