/* What takes long: how far it is, and how it ended. */
#include "ui/screens/screens.h"
#include "ui/widgets/bar.h"
#include "ui/words/told.h"

#include <stdio.h>
#include <string.h>

bool job_shown(const struct screen *sc, const struct desk *d, const struct snapshot *s)
{
    return s->job.state != JOB_NONE && s->job.number != d->job_seen &&
           strcmp(s->job.screen, sc->name) == 0;
}

static const struct deed *deed_of(const struct view *v)
{
    const struct screen *sc = screen_of(v->screen);

    for (size_t i = 0; sc && sc->does && i < sc->does->deeds; i++)
        if (sc->does->deed[i].job && strcmp(sc->does->deed[i].label, v->s->job.label) == 0)
            return &sc->does->deed[i];
    return NULL;
}

/* --- while it runs ------------------------------------------------------------------------- */

/* Steps that are done, the one it is at, those to come. */
static void draw_steps(struct grid *g, struct area *a, const struct view *v,
                       const struct job_kind *k)
{
    const struct job *j = &v->s->job;
    size_t at = 0;
    char text[64];

    while (at < k->steps && strcmp(k->step[at].value, j->step) != 0)
        at++;
    if (at == k->steps) /* none was told yet, or the last thing that is told */
        at = *j->step ? k->steps : 0;
    for (size_t i = 0; i < k->steps; i++) {
        struct area row = area_take(a, 1);
        enum tone t = i < at ? TONE_PASS : i == at ? TONE_BOLD : TONE_DIM;
        grid_text(g, row.x + 1, row.y, row.w - 1, t, i < at ? " √ " : i == at ? " ► " : "   ");
        grid_text(g, row.x + 5, row.y, row.w - 5, i < at ? TONE_PLAIN : t, say(v, k->step[i].text));
        if (i != at || j->of <= 0)
            continue;
        snprintf(text, sizeof text, say(v, N_("%lld of %lld")), j->done, j->of);
        grid_text_right(g, row, TONE_BOLD, text);
        row = area_take(a, 1);
        bar_draw(g, (struct area){ row.x + 5, row.y, row.w - 6, row.h }, TONE_BUSY, j->done, j->of);
    }
}

static void draw_running(struct grid *g, struct area a, const struct view *v,
                         const struct job_kind *k)
{
    draw_steps(g, &a, v, k);
    area_take(&a, 1);
    a = (struct area){ a.x + 1, a.y, a.w - 2, a.h };
    area_take(&a, grid_wrap(g, a, TONE_WARN, say(v, N_("Leave the medium in until it is said here that it can be taken out."))));
    grid_wrap(g, a, TONE_DIM, k->stops ? say(v, N_("Esc stops it. F2 goes back to the line; it goes on."))
                                       : say(v, N_("F2 goes back to the line; it goes on.")));
}

/* --- when it has ended ------------------------------------------------------------------------ */

static void draw_sign(struct grid *g, struct area row, enum tone t, const char *sign,
                      const char *text)
{
    grid_fill(g, row, ' ', t);
    grid_text(g, row.x + 1, row.y, row.w - 1, t, sign);
    grid_text(g, row.x + 3, row.y, row.w - 3, t, text);
}

static void draw_why(struct grid *g, struct area *a, const struct view *v)
{
    const struct job *j = &v->s->job;
    char code[WORD_CAP + 4], text[2 * SENTENCE_CAP];

    area_take(a, grid_wrap(g, *a, TONE_BOLD, told(v->d->lang, j->error, j->message, text, sizeof text)));
    if (*j->next) {
        grid_text(g, a->x, a->y, a->w, TONE_BOLD, "→");
        area_take(a, grid_wrap(g, (struct area){ a->x + 2, a->y, a->w - 2, a->h }, TONE_BOLD,
                               tr(v->d->lang, j->next)));
    }
    snprintf(code, sizeof code, "(%s)", j->error);
    grid_text_right(g, area_take(a, 1), TONE_DIM, code);
}

static void draw_ended(struct grid *g, struct area a, const struct view *v,
                       const struct job_kind *k)
{
    const struct job *j = &v->s->job;
    bool good = j->state == JOB_DONE, lost = j->state == JOB_LOST;

    draw_sign(g, area_take(&a, 1), good ? TONE_PASS : TONE_FAIL, good ? "√" : "X",
              good ? say(v, N_("It is done.")) : lost ? say(v, N_("The line went away."))
                                                      : say(v, N_("It was refused.")));
    area_take(&a, 1);
    a = (struct area){ a.x + 1, a.y, a.w - 2, a.h };
    if (lost) {
        area_take(&a, grid_wrap(g, a, TONE_BOLD, say(v, N_("Nobody said how it ended. When the line is back, do it again: what is there already is not taken twice."))));
        area_take(&a, 1);
        grid_wrap(g, a, TONE_DIM, say(v, N_("Enter goes on.")));
        return;
    }
    if (!good)
        draw_why(g, &a, v);
    area_take(&a, k->result(g, a, v, j->answer));
    area_take(&a, 1);
    draw_sign(g, area_take(&a, 1), TONE_PASS, "√", say(v, N_("The medium can be taken out now.")));
    grid_wrap(g, a, TONE_DIM, say(v, N_("Enter goes on.")));
}

void job_draw(struct grid *g, struct area a, const struct view *v)
{
    const struct deed *deed = deed_of(v);
    struct area head = area_take(&a, 2);

    if (!deed)
        return;
    int used = grid_text(g, head.x + 1, head.y, head.w - 1, TONE_HEAD, say(v, deed->label)) + 3;
    /* Of a path the end tells them apart. */
    const char *about = v->s->job.about;
    while (*about && text_width(about) > head.w - used)
        text_next(&about);
    grid_text(g, head.x + used, head.y, head.w - used, TONE_BOLD, about);
    if (v->s->job.state == JOB_RUNS)
        draw_running(g, a, v, deed->job);
    else
        draw_ended(g, a, v, deed->job);
}
