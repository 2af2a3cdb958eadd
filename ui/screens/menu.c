/* The menu: every screen there is, from the registry. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"

#include <ctype.h>
#include <stdio.h>

/* Rows of a page: where there are several, one is left for its number. */
static size_t page_of(int h)
{
    return h < 2 ? 1 : screen_count > (size_t)h ? (size_t)h - 1 : (size_t)h;
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    size_t page = page_of(a.h), first = v->d->at - v->d->at % page;

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
    if (page < screen_count && a.h > 1) {
        char text[96];
        snprintf(text, sizeof text, say(v, N_("Page %zu of %zu: PgUp, PgDn")), first / page + 1,
                 (screen_count + page - 1) / page);
        grid_text_right(g, area_row(a, a.h - 1), TONE_HELP, text);
    }
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, "", "" };
    size_t page = page_of(screen_rest(&screen_menu, &v, cols, rows));

    if (a == ACT_UP)
        d->at -= d->at > 0;
    else if (a == ACT_DOWN)
        d->at += d->at + 1 < screen_count;
    else if (a == ACT_BACK)
        d->at = d->at > page ? d->at - page : 0;
    else if (a == ACT_FORTH)
        d->at = d->at + page < screen_count ? d->at + page : screen_count - 1;
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
