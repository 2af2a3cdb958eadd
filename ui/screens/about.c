/* About: which station this is, of which version, and how long it is valid. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

#define DAYS_FEW 30

struct line {
    const char *label;
    char text[SENTENCE_CAP];
    enum tone tone;
};

static void fill_certificate(const struct view *v, const json_t *c, struct line *l)
{
    char until[32];

    if (!json_is_object(c)) {
        snprintf(l->text, sizeof l->text, "%s", say(v, N_("none yet: this station cannot export")));
        l->tone = TONE_WARN;
        return;
    }
    json_time(c, "notAfter", until, sizeof until);
    snprintf(l->text, sizeof l->text, say(v, N_("valid until %s, %lld days left")), until,
             json_count(c, "daysLeft"));
    l->tone = json_count(c, "daysLeft") < DAYS_FEW ? TONE_WARN : TONE_BOLD;
}

static const json_t *clock_of(const struct snapshot *s)
{
    return json_object_get(snapshot_answer(s, screen_about.name), "clock");
}

/* A clock that is behind what the ledger has seen cannot be confirmed, only set. */
static bool is_behind(const struct snapshot *s)
{
    return strcmp(json_word(clock_of(s), "machine"), json_word(clock_of(s), "floor")) < 0;
}

static bool is_doubted(const struct snapshot *s)
{
    return json_is_false(json_object_get(clock_of(s), "believed"));
}

static void fill_clock(const struct view *v, struct line *l)
{
    char at[32];

    json_time(clock_of(v->s), "machine", at, sizeof at);
    snprintf(l->text, sizeof l->text, "%s UTC  %s", at,
             !is_doubted(v->s) ? say(v, N_("believed"))
             : is_behind(v->s) ? say(v, N_("not believed, it is behind the ledger: set it"))
                               : say(v, N_("not believed: compare it, set or confirm it")));
    l->tone = is_doubted(v->s) ? TONE_WARN : TONE_BOLD;
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *j = snapshot_answer(v->s, v->screen), *one;
    struct line l[] = { { N_("Station"), "", TONE_BOLD },   { N_("Site"), "", TONE_BOLD },
                        { N_("Version"), "", TONE_BOLD },   { N_("Certificate"), "", TONE_BOLD },
                        { N_("Profiles from"), "", TONE_BOLD }, { N_("Ledger"), "", TONE_BOLD },
                        { N_("Clock"), "", TONE_BOLD } };
    size_t i, n = 0;

    if (no_answer(g, a, v))
        return;
    snprintf(l[0].text, sizeof l[0].text, "%s", json_word(j, "station"));
    snprintf(l[1].text, sizeof l[1].text, "%s", json_word(j, "site"));
    snprintf(l[2].text, sizeof l[2].text, "Lineside %s", json_word(j, "version"));
    fill_certificate(v, json_object_get(j, "certificate"), &l[3]);
    json_array_foreach(json_object_get(j, "smdps"), i, one)
        if (json_is_string(one) && n < sizeof l[4].text)
            n += (size_t)snprintf(l[4].text + n, sizeof l[4].text - n, "%s%s", n ? ", " : "",
                                  json_string_value(one));
    snprintf(l[5].text, sizeof l[5].text, say(v, N_("schema %lld, epoch %lld")),
             json_count(j, "schema"), json_count(j, "epoch"));
    if (json_is_object(clock_of(v->s)))
        fill_clock(v, &l[6]);
    for (i = 0; i < sizeof l / sizeof *l && (int)i + 1 < a.h; i++) {
        grid_text(g, a.x + 1, a.y + 1 + (int)i, 16, TONE_DIM, say(v, l[i].label));
        grid_text(g, a.x + 18, a.y + 1 + (int)i, a.w - 19, l[i].tone, l[i].text);
    }
}

/* --- the clock ----------------------------------------------------------------------------- */

static bool may_be_confirmed(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return is_doubted(s) && !is_behind(s);
}

static const struct deed deeds[] = {
    { .verb = "clock-confirm", .label = N_("This machine's clock is right"), .can = may_be_confirmed,
      .sure = N_("Compare it with a clock you trust. From then on the station goes by it, and it cannot go back.") },
};
static const struct part parts[] = {
    { head_draw, one_row },       { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = { .deed = deeds, .deeds = sizeof deeds / sizeof *deeds };
const struct screen screen_about = {
    "about", N_("About"), N_("This station, its version, its certificate."), parts,
    sizeof parts / sizeof *parts, "about", 60, false, true, NULL, &does
};
