/* What can be done at a screen, as rows to choose from; and whether it is meant. */
#include "ui/screens/screens.h"

#include <stdio.h>

const struct deed *screen_deed(const struct screen *sc, const struct desk *d,
                               const struct snapshot *s, size_t i)
{
    for (size_t k = 0; sc && sc->does && k < sc->does->deeds; k++)
        if (sc->does->deed[k].can(d, s) && snapshot_may(s, sc->does->deed[k].verb) && i-- == 0)
            return &sc->does->deed[k];
    return NULL;
}

bool deed_about(const struct screen *sc, const struct deed *deed, const struct desk *d,
                const struct snapshot *s, char what[WHAT_CAP])
{
    *what = '\0';
    if (!deed->member)
        return true;
    if (deed->about)
        return deed->about(d, s, what);
    if (sc->does->chosen)
        return sc->does->chosen(d, s, what);
    snprintf(what, WHAT_CAP, "%s", d->what);
    return *what;
}

bool deeds_act(const struct screen *sc, struct desk *d, const struct snapshot *s, enum act a)
{
    if (a == ACT_LEFT && d->pick > 0)
        d->pick--;
    else if (a == ACT_RIGHT && screen_deed(sc, d, s, d->pick + 1))
        d->pick++;
    return a == ACT_LEFT || a == ACT_RIGHT;
}

static size_t count(const struct view *v)
{
    size_t n = 0;

    while (screen_deed(screen_of(v->screen), v->d, v->s, n))
        n++;
    return n;
}

/* There would be something, for somebody else. */
static bool for_others(const struct view *v)
{
    const struct screen *sc = screen_of(v->screen);
    bool any = false;

    for (size_t k = 0; sc && sc->does && k < sc->does->deeds; k++)
        any |= sc->does->deed[k].can(v->d, v->s);
    return any && count(v) == 0;
}

#define SURE_ROWS 3
int deeds_height(const struct view *v, int cols, int rows)
{
    int n = (int)count(v);

    (void)cols, (void)rows;
    return for_others(v) ? 2 : n == 0 ? 0 : n < SURE_ROWS ? SURE_ROWS : n;
}

void deeds_draw(struct grid *g, struct area a, const struct view *v)
{
    const struct screen *sc = screen_of(v->screen);
    const struct deed *picked = screen_deed(sc, v->d, v->s, v->d->pick), *one;

    if (for_others(v)) {
        grid_wrap(g, (struct area){ a.x + 1, a.y, a.w - 1, a.h }, TONE_DIM, *v->s->person
                  ? say(v, N_("What is done here takes another role, or a login with the PIN."))
                  : say(v, N_("Log in with badge and PIN to do something here.")));
        return;
    }
    if (picked && v->d->sure == picked->verb) {
        grid_wrap(g, area_take(&a, 2), TONE_WARN, say(v, picked->sure));
        grid_text(g, a.x, a.y, a.w, TONE_BOLD, say(v, N_("Enter again does it. Esc leaves it as it is.")));
        return;
    }
    for (size_t i = 0; (one = screen_deed(sc, v->d, v->s, i)) && (int)i < a.h; i++) {
        struct area row = area_row(a, (int)i);
        enum tone tone = one == picked ? TONE_INPUT : TONE_PLAIN;
        grid_fill(g, row, ' ', tone);
        grid_text(g, row.x + 1, row.y, 1, tone, one == picked ? "►" : " ");
        grid_text(g, row.x + 3, row.y, row.w - 3, tone, say(v, one->label));
    }
}
