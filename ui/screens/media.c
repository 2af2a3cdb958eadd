/* Media: which one is worked on. */
#include "ui/screens/media.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static const struct column columns[] = {
    { N_("Medium"), 16, 1, false }, { "", 36, 1, false }, { N_("Folder"), 26, 2, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const struct place *p = &v->s->place[i];

    (void)ctx;
    snprintf(out[0].text, sizeof out[0].text, "%s", p->name);
    out[0].tone = p->mounted ? TONE_BOLD : TONE_PLAIN;
    snprintf(out[1].text, sizeof out[1].text, "%s",
             p->mounted ? say(v, N_("medium")) : say(v, N_("a folder of this station, no medium")));
    out[1].tone = TONE_DIM;
    snprintf(out[2].text, sizeof out[2].text, "%s", p->path);
}

bool media_draw(struct grid *g, struct area *a, const struct view *v)
{
    struct area top = area_take(a, MEDIA_ROWS);

    top = (struct area){ top.x + 1, top.y, top.w - 1, top.h };
    if (*v->d->what) {
        int used = grid_text(g, top.x, top.y, top.w, TONE_DIM, say(v, N_("Medium"))) + 1;
        grid_text(g, top.x + used, top.y, top.w - used, TONE_BOLD, v->d->what);
        return false;
    }
    if (v->s->places > 0) {
        grid_text(g, top.x, top.y, top.w, TONE_DIM, say(v, N_("Arrows choose the medium, Enter opens it.")));
        list_draw(g, *a, v, columns, COLUMNS, v->s->places, row, NULL, "");
        return true;
    }
    grid_text(g, top.x, top.y, top.w, TONE_BOLD, say(v, N_("Put the medium in. It is shown here as soon as it is mounted.")));
    int used = grid_text(g, top.x, top.y + 1, top.w, TONE_DIM, say(v, N_("Looked for in:"))) + 1;
    grid_text(g, top.x + used, top.y + 1, top.w - used, TONE_DIM, v->s->media);
    return true;
}

bool media_act(struct desk *d, const struct snapshot *s, enum act a)
{
    if (!*d->what)
        return list_act(d, s->places, SNAPSHOT_PLACES, a);
    if (a != ACT_CANCEL)
        return false;
    d->what[0] = '\0';
    d->at = d->pick = 0;
    return true;
}

bool media_chosen(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    if (*d->what || s->places == 0)
        return false;
    snprintf(what, WHAT_CAP, "%s", s->place[d->at < s->places ? d->at : s->places - 1].path);
    return true;
}

const char *container_word(const struct view *v, const char *kind)
{
    static const struct choice kinds[] = {
        { "bpp-bundle", N_("profiles") },          { "euicc-data", N_("eUICC data") },
        { "report-receipt", N_("receipt") },       { "work-order", N_("work order") },
        { "loading-report", N_("loading report") }, { "audit-log", N_("audit log") },
        { "shift-record", N_("shift record") },    { "bpp-request", N_("request for profiles") },
        { "station-cert", N_("station certificate") }, { "station-csr", N_("certificate request") },
        { "backup", N_("backup") },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].value, kind) == 0)
            return say(v, kinds[i].text);
    return kind;
}
