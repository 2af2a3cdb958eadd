/* The menu: every screen there is, from the registry. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"

#include <ctype.h>
#include <stdio.h>

static void draw(struct grid *g, struct area a, const struct view *v)
{
    size_t page = a.h > 0 ? (size_t)a.h : 1, first = v->d->at - v->d->at % page;

    for (size_t i = first; i < screen_count && i - first < page; i++) {
        char text[64];
        int y = a.y + (int)(i - first);
        bool here = i == v->d->at;
        enum tone tone = here ? TONE_INPUT : TONE_PLAIN;
        grid_fill(g, (struct area){ a.x, y, a.w, 1 }, ' ', tone);
        grid_text(g, a.x + 1, y, 1, tone, here ? "►" : " ");
        grid_text(g, a.x + 3, y, 12, tone, say(v, screens[i]->title));
        snprintf(text, sizeof text, "%s%s", COMMAND_PREFIX, screens[i]->name);
        for (char *c = text; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        grid_text(g, a.x + 16, y, 19, tone, text);
        grid_text(g, a.x + 36, y, a.w - 36, tone, say(v, screens[i]->help));
    }
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    (void)s, (void)cols, (void)rows;
    if (a == ACT_UP || a == ACT_BACK)
        d->at -= d->at > 0;
    else if (a == ACT_DOWN || a == ACT_FORTH)
        d->at += d->at + 1 < screen_count;
    else
        return false;
    return true;
}

static const struct part parts[] = {
    { head_draw, one_row },
    { draw, NULL },
    { message_draw, message_height },
    { keyline_draw, one_row },
};
const struct screen screen_menu = {
    "menu", N_("Menu"), "", parts, sizeof parts / sizeof *parts, NULL, 0, false, false, act, NULL
};
