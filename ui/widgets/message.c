/* The three rows and more that speak to whoever stands there. */
#include "ui/widgets/parts.h"

#include <stdio.h>
#include <string.h>

int message_height(const struct view *v, int cols, int rows)
{
    (void)v, (void)cols;
    return rows < 40 ? 3 : 4;
}

static void draw_prompt(struct grid *g, struct area a, const struct view *v)
{
    const struct desk *d = v->d;
    const char *label = d->prompt == PROMPT_PIN ? say(v, N_("PIN:"))
                      : d->prompt == PROMPT_BADGE ? say(v, N_("Badge:"))
                                                  : say(v, N_("Scan:"));
    char stars[32] = "";
    size_t n = strlen(d->typed);

    memset(stars, '*', n < 12 ? n : 12);
    int used = grid_text(g, a.x, a.y, a.w, TONE_BOLD, label) + 1;
    struct area field = { a.x + used, a.y, a.w - used, 1 };
    grid_fill(g, field, ' ', TONE_INPUT);
    /* Of a long text the end is what is being typed. */
    const char *shown = d->prompt == PROMPT_PIN ? stars : d->typed;
    while (*shown && text_width(shown) > field.w - 1)
        text_next(&shown);
    used = grid_text(g, field.x, field.y, field.w, TONE_INPUT, shown);
    grid_text(g, field.x + used, field.y, 1, TONE_INPUT, "_");
    a.y++;
    a.h--;
    grid_wrap(g, a, TONE_PLAIN,
              d->prompt == PROMPT_PIN ? say(v, N_("Type your PIN, then Enter. Esc goes back."))
            : d->prompt == PROMPT_BADGE ? say(v, N_("Scan your badge. Esc goes back."))
                                        : say(v, N_("Enter hands it over. Esc forgets it.")));
}

/* Fixture, serial, what it is; what happened and what to do now; the code. */
static void draw_ending(struct grid *g, struct area a, const struct view *v,
                        const struct ending *e)
{
    char text[4 * SENTENCE_CAP] = "", label[2 * NAME_CAP], code[WORD_CAP + 4];
    enum lang l = v->d->lang;
    bool bad = strcmp(e->verdict, "FAIL") == 0 || strcmp(e->verdict, "REFUSED") == 0;
    enum tone tone = strcmp(e->verdict, "FAIL") == 0 ? TONE_FAIL : bad ? TONE_CHECK : TONE_BOLD;

    snprintf(label, sizeof label, " %s%s%s ", e->fixture, *e->fixture ? " " : "",
             verdict_word(l, e->verdict));
    int used = grid_text(g, a.x, a.y, a.w / 4, tone, label);
    /* Blanks that do not break keep its place free. */
    for (int i = 0; i < used; i++)
        strcat(text, "\u00A0");
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, " %s → %s", tr(l, e->cause), tr(l, e->next));
    int rows = grid_wrap(g, a, TONE_BOLD, text);
    grid_text(g, a.x, a.y, a.w / 4, tone, label);
    snprintf(code, sizeof code, "(%s)", e->code);
    if (rows < a.h) /* small, for who is asked */
        grid_text_right(g, area_row(a, rows), TONE_DIM, code);
}

static const struct ending *story(const struct view *v)
{
    const struct slot *f = *v->d->selected ? snapshot_slot(v->s, v->d->selected) : NULL;

    if (f && f->ended && !f->busy)
        return &f->last;
    return v->s->has_trouble ? &v->s->trouble : NULL;
}

static void draw_hint(struct grid *g, struct area a, const struct view *v)
{
    if (*v->d->fixture) {
        char text[2 * SENTENCE_CAP];
        snprintf(text, sizeof text, say(v, N_("Fixture %s: now scan its unit.")), v->d->fixture);
        grid_wrap(g, a, TONE_SCAN, text);
        return;
    }
    grid_wrap(g, a, TONE_DIM, say(v, N_("Scan a fixture's label, then the unit's.")));
}

void message_draw(struct grid *g, struct area a, const struct view *v)
{
    const struct ending *e = story(v);
    const struct desk *d = v->d;

    if (d->prompt != PROMPT_NONE || (*d->typed && !d->form.deed))
        draw_prompt(g, a, v);
    else if (*d->notice)
        grid_wrap(g, a, d->notice_bad ? TONE_WARN : TONE_BOLD, d->notice);
    else if (e && !*d->fixture)
        draw_ending(g, a, v, e);
    else if (!d->form.deed)
        draw_hint(g, a, v);
}
