/* The ledger's own events, and the head of their chain. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    (void)v;
    event_cells(json_array_get(ctx, i), out);
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *j = snapshot_answer(v->s, v->screen), *chain = json_object_get(j, "chain");
    char text[256];

    if (no_answer(g, a, v))
        return;
    struct area top = area_take(&a, 1);
    snprintf(text, sizeof text, say(v, N_("Event %lld is the newest; its hash stands for all before it: %s")),
             json_count(chain, "event"), json_word(chain, "hash"));
    grid_text(g, top.x + 1, top.y, top.w - 1, TONE_DIM, text);
    table_draw(g, a, v, event_columns, EVENT_COLUMNS,
               json_array_size(json_object_get(j, "events")), row,
               json_object_get(j, "events"), N_("There is no event yet."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_log.name, screen_log.title };
    size_t shown = (size_t)screen_rest(&screen_log, &v, cols, rows);

    return table_act(d, json_array_size(json_object_get(snapshot_answer(s, v.screen), "events")),
                     shown > 2 ? shown - 2 : 1, a);
}

static const struct part parts[] = {
    { head_draw, one_row }, { draw, NULL }, { message_draw, message_height },
    { keyline_draw, one_row },
};
const struct screen screen_log = {
    "log", N_("Log"), N_("The ledger's newest events; their chain."), parts,
    sizeof parts / sizeof *parts, "log", 5, false, false, act, NULL
};
