/* What was told since this screen began, the newest first. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"

static void draw(struct grid *g, struct area a, const struct view *v)
{
    const struct note *n;

    for (int i = 0; i < a.h && (n = snapshot_note(v->s, v->d->at + (size_t)i)); i++) {
        char text[512];
        note_text(v, n, text, sizeof text);
        grid_text(g, a.x, a.y + i, a.w, note_tone(n), text);
    }
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
    size_t last = s->notes > page ? s->notes - page : 0;

    switch (a) {
    case ACT_UP:
        d->at -= d->at > 0;
        break;
    case ACT_DOWN:
        d->at++;
        break;
    case ACT_BACK:
        d->at = d->at > page ? d->at - page : 0;
        break;
    case ACT_FORTH:
        d->at += page;
        break;
    default:
        return false;
    }
    d->at = d->at < last ? d->at : last;
    return true;
}

const struct screen screen_events = {
    "events", N_("Events"), N_("What happened since this screen began."), parts,
    sizeof parts / sizeof *parts, NULL, 0, false, false, act, NULL
};
