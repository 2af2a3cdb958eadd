/* What was told since this screen began, the newest first. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

static void draw(struct grid *g, struct area a, const struct view *v)
{
    notes_draw(g, a, v, v->d->at);
}

static const struct part parts[] = {
    { head_draw, one_row },
    { draw, NULL },
    { message_draw, message_height },
    { keyline_draw, one_row },
};

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_events.name, screen_events.title };
    size_t page = (size_t)screen_rest(&screen_events, &v, cols, rows);

    return table_act(d, s->notes, page, a);
}

const struct screen screen_events = {
    "events", N_("Events"), N_("What happened since this screen began."), parts,
    sizeof parts / sizeof *parts, NULL, 0, false, false, act, NULL
};
