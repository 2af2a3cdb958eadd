/* A unit's whole life, by a scan of its serial, EID, ICCID or IMEI. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static const json_t *unit_of(const struct snapshot *s)
{
    return json_array_get(json_object_get(snapshot_answer(s, screen_unit.name), "units"), 0);
}

/* --- what it is: a few rows above its events ------------------------------------------ */

static void draw_position(struct grid *g, struct area row, const struct view *v, const json_t *p)
{
    const json_t *bpps = json_object_get(p, "bpps"), *one;
    size_t i, installed = 0;
    char text[512];

    json_array_foreach(bpps, i, one)
        installed += strcmp(json_word(one, "state"), "installed") == 0;
    snprintf(text, sizeof text, say(v, N_("%s: %s, EID %s, profiles installed: %zu of %zu")),
             json_word(p, "position"), json_word(p, "state"), json_word(p, "eid"), installed,
             json_array_size(bpps));
    grid_text(g, row.x + 1, row.y, row.w - 1, TONE_BOLD, text);
}

#define POSITIONS_SHOWN 3
static int top_height(const struct view *v, int cols, int rows)
{
    size_t n = json_array_size(json_object_get(unit_of(v->s), "positions"));

    (void)cols, (void)rows;
    return 2 + (int)(n > POSITIONS_SHOWN ? POSITIONS_SHOWN : n);
}

static void draw_top(struct grid *g, struct area a, const struct view *v)
{
    const json_t *u = unit_of(v->s), *p;
    char text[WHAT_CAP + NAME_CAP];
    size_t i;

    snprintf(text, sizeof text, "%s %s", say(v, N_("Unit")), u ? json_word(u, "serial") : v->d->what);
    grid_text(g, a.x + 1, a.y, a.w - 1, TONE_HEAD, text);
    json_array_foreach(json_object_get(u, "positions"), i, p)
        if (i < POSITIONS_SHOWN)
            draw_position(g, area_row(a, 1 + (int)i), v, p);
}

/* --- its events, the newest first ------------------------------------------------------ */

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    (void)v;
    event_cells(json_array_get(ctx, json_array_size(ctx) - 1 - i), out);
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *events = json_object_get(unit_of(v->s), "events");

    if (!*v->d->what)
        grid_wrap(g, (struct area){ a.x + 1, a.y, a.w - 1, a.h }, TONE_BOLD,
                  say(v, N_("Scan a unit's serial number, an EID, an ICCID or an IMEI.")));
    else if (!no_answer(g, a, v))
        table_draw(g, a, v, event_columns, EVENT_COLUMNS, json_array_size(events), row,
                   events, N_("Nothing is known of it."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_unit.name, screen_unit.title };
    size_t shown = (size_t)screen_rest(&screen_unit, &v, cols, rows);

    if (a == ACT_CANCEL) {
        d->what[0] = '\0';
        return true;
    }
    return table_act(d, json_array_size(json_object_get(unit_of(s), "events")),
                     shown > 1 ? shown - 1 : 1, a);
}

static const struct part parts[] = {
    { head_draw, one_row }, { draw_top, top_height }, { draw, NULL },
    { message_draw, message_height }, { keyline_draw, one_row },
};
const struct screen screen_unit = {
    "unit", N_("Unit"), N_("A unit's whole life, by a scan."), parts,
    sizeof parts / sizeof *parts, "unit", 0, true, false, act, NULL
};
