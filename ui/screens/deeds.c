/* What can be done at a screen, as rows to choose from; and whether it is meant. */
#include "ui/screens/screens.h"

const struct deed *screen_deed(const struct screen *sc, const struct snapshot *s, size_t i)
{
    for (size_t k = 0; sc && sc->does && k < sc->does->deeds; k++)
        if (sc->does->deed[k].can(s) && i-- == 0)
            return &sc->does->deed[k];
    return NULL;
}

static size_t count(const struct view *v)
{
    size_t n = 0;

    while (screen_deed(screen_of(v->screen), v->s, n))
        n++;
    return n;
}

#define SURE_ROWS 3
int deeds_height(const struct view *v, int cols, int rows)
{
    int n = (int)count(v);

    (void)cols, (void)rows;
    return n == 0 ? 0 : n < SURE_ROWS ? SURE_ROWS : n;
}

void deeds_draw(struct grid *g, struct area a, const struct view *v)
{
    const struct screen *sc = screen_of(v->screen);
    const struct deed *picked = screen_deed(sc, v->s, v->d->pick), *one;

    if (picked && v->d->sure == picked->verb) {
        grid_wrap(g, area_take(&a, 2), TONE_WARN, say(v, picked->sure));
        grid_text(g, a.x, a.y, a.w, TONE_BOLD, say(v, N_("Enter again does it. Esc leaves it as it is.")));
        return;
    }
    for (size_t i = 0; (one = screen_deed(sc, v->s, i)) && (int)i < a.h; i++) {
        struct area row = area_row(a, (int)i);
        enum tone tone = one == picked ? TONE_INPUT : TONE_PLAIN;
        grid_fill(g, row, ' ', tone);
        grid_text(g, row.x + 1, row.y, 1, tone, one == picked ? "►" : " ");
        grid_text(g, row.x + 3, row.y, row.w - 3, tone, say(v, one->label));
    }
}
