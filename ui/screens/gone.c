/* The line is not there. The screen is, and looks for it every second. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"

static void draw(struct grid *g, struct area a, const struct view *v)
{
    struct area in = { a.x + 2, a.y + (a.h > 8 ? a.h / 2 - 4 : 0), a.w - 4, 0 };

    in.h = a.y + a.h - in.y;
    grid_text(g, in.x, in.y, in.w, TONE_FAIL, say(v, N_(" THE LINE IS NOT THERE ")));
    in.y += 2;
    in.h -= 2;
    area_take(&in, grid_wrap(g, in, TONE_BOLD, say(v, N_("Units in fixtures cannot be seen from here. What they have done is safe in the ledger."))));
    area_take(&in, grid_wrap(g, in, TONE_PLAIN, say(v, N_("This screen goes on by itself when the line runs again. If it does not, call a line engineer."))));
    area_take(&in, 1);
    grid_wrap(g, in, TONE_DIM, v->s->no_link);
}

static const struct part parts[] = {
    { head_draw, one_row },
    { draw, NULL },
    { ticker_draw, ticker_height },
    { keyline_draw, one_row },
};
const struct screen screen_gone = {
    "gone", N_("Line"), "", parts, sizeof parts / sizeof *parts, NULL, 0, false, true, NULL, NULL
};
