#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"

#include <strings.h>

/* In the order of the menu, which is none of them. */
const struct screen *const screens[] = {
    &screen_line,
    &screen_events,
    &screen_unit,
    &screen_orders,
    &screen_order,
    &screen_shift,
    &screen_stock,
    &screen_import,
    &screen_export,
    &screen_fixtures,
    &screen_fixture,
    &screen_golden,
    &screen_scanners,
    &screen_quarantine,
    &screen_returns,
    &screen_people,
    &screen_settings,
    &screen_log,
    &screen_about,
    &screen_keys,
};
const size_t screen_count = sizeof screens / sizeof *screens;

const struct screen *screen_of(const char *name)
{
    for (size_t i = 0; i < screen_count; i++)
        if (strcasecmp(screens[i]->name, name) == 0)
            return screens[i];
    return NULL;
}

int screen_rest(const struct screen *s, const struct view *v, int cols, int rows)
{
    int rest = rows;

    for (size_t i = 0; i < s->count; i++)
        if (s->parts[i].height)
            rest -= s->parts[i].height(v, cols, rows);
    return rest > 0 ? rest : 0;
}

/* In place of what the screen has between its first line and what is said below. */
static void draw_over(struct grid *g, struct area a, const struct view *v,
                      void (*draw)(struct grid *, struct area, const struct view *))
{
    int said = message_height(v, g->cols, g->rows);

    head_draw(g, area_take(&a, 1), v);
    draw(g, area_take(&a, a.h - said - 1), v);
    message_draw(g, area_take(&a, said), v);
    keyline_draw(g, a, v);
}

void screen_draw(const struct screen *s, struct grid *g, const struct snapshot *now,
                 const struct desk *d)
{
    const struct view v = { now, d, s->name, s->title };
    struct area left = { 0, 0, g->cols, g->rows };
    int rest = screen_rest(s, &v, g->cols, g->rows);

    grid_clear(g);
    bool job = job_shown(s, d, now);
    if (job || d->form.deed) {
        draw_over(g, left, &v, job ? job_draw : form_draw);
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        int h = s->parts[i].height ? s->parts[i].height(&v, g->cols, g->rows) : rest;
        struct area a = area_take(&left, h);
        if (a.h > 0)
            s->parts[i].draw(g, a, &v);
    }
}
