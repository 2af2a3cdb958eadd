#include "ui/widgets/parts.h"

#include "ui/scan/actions.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int one_row(const struct view *v, int cols, int rows)
{
    (void)v, (void)cols, (void)rows;
    return 1;
}

void wall_text(const struct snapshot *s, int64_t at, bool day, char *out, size_t cap)
{
    time_t t = (time_t)(at + s->zone);
    struct tm tm = { .tm_mday = 1 };

    gmtime_r(&t, &tm);
    strftime(out, cap, day ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &tm);
}

void ago_text(const struct view *v, int64_t at, char *out, size_t cap)
{
    long long min = v->s->now > at ? (v->s->now - at) / 60 : 0;

    if (min < 60)
        snprintf(out, cap, say(v, N_("%lld min ago")), min);
    else if (min < 48 * 60)
        snprintf(out, cap, say(v, N_("%lld h ago")), min / 60);
    else
        snprintf(out, cap, say(v, N_("%lld days ago")), min / (24 * 60));
}

void head_draw(struct grid *g, struct area a, const struct view *v)
{
    char now[32], right[2 * NAME_CAP + 64], left[96];

    grid_fill(g, a, ' ', TONE_HEAD);
    wall_text(v->s, v->s->now, true, now, sizeof now);
    snprintf(left, sizeof left, " Lineside  %s", say(v, v->title));
    snprintf(right, sizeof right, "%s%s%s%s%s  %s ",
             v->d->mute ? say(v, N_("Sound off")) : "", v->d->mute ? "  " : "",
             v->d->locked ? say(v, N_("Locked")) : "", v->d->locked ? "  " : "",
             *v->s->person ? v->s->person : say(v, N_("Nobody is logged in")), now);
    int used = grid_text(g, a.x, a.y, a.w, TONE_HEAD, left) + 2;
    int room = a.w - used, need = text_width(right);
    if (need <= room) {
        grid_text_right(g, a, TONE_HEAD, right);
    } else if (room > 24) { /* a long name is cut, the clock is not */
        snprintf(right, sizeof right, " %s ", now);
        int clock = text_width(right);
        grid_text(g, a.x + used, a.y, room - clock, TONE_HEAD,
                  *v->s->person ? v->s->person : say(v, N_("Nobody is logged in")));
        grid_text_right(g, a, TONE_HEAD, right);
    }
}

/* --- keys --------------------------------------------------------------------------- */

/* One after the other; arrows at the end. */
void keyline_draw(struct grid *g, struct area a, const struct view *v)
{
    int n = 0, need = 0, x = a.x, end = a.x + a.w - 5;

    grid_fill(g, a, ' ', TONE_HELP);
    for (size_t i = 0; i < action_count; i++)
        if (actions[i].key <= K_F10) {
            n++;
            need += text_width(actions[i].key_name) + text_width(say(v, actions[i].label));
        }
    int gap = need + 3 * n <= a.w - 5 ? 2 : 1, inner = gap == 2;
    for (size_t i = 0; i < action_count; i++) {
        if (actions[i].key > K_F10)
            continue;
        x += grid_text(g, x, a.y, end - x, TONE_HEAD, actions[i].key_name) + inner;
        x += grid_text(g, x, a.y, end - x, TONE_HELP, say(v, actions[i].label)) + gap;
    }
    grid_text(g, end + 1, a.y, 4, TONE_HEAD, "↑↓←→");
}

/* --- events ---------------------------------------------------------------------------- */

enum tone note_tone(const struct note *n)
{
    if (n->kind == NOTE_VERDICT)
        return strcmp(n->word, "FAIL") == 0 || strcmp(n->word, "REFUSED") == 0
             ? TONE_WARN : TONE_PLAIN;
    return n->kind == NOTE_UNRESOLVED || strcmp(n->word, "stopped") == 0 ||
           strcmp(n->word, "ended") == 0 ? TONE_WARN : TONE_DIM;
}

static const char *session_words(const struct view *v, const struct note *n)
{
    return strcmp(n->word, "opened") == 0 ? say(v, N_("is logged in"))
                                           : say(v, N_("is logged out"));
}

void note_text(const struct view *v, const struct note *n, char *out, size_t cap)
{
    char at[16];

    wall_text(v->s, n->at, false, at, sizeof at);
    switch (n->kind) {
    case NOTE_VERDICT:
        snprintf(out, cap, "%s %s %s %s (%s)", at, n->fixture, n->what,
                 verdict_word(v->d->lang, n->word), n->code);
        break;
    case NOTE_FIXTURE:
        snprintf(out, cap, "%s %s %s", at, n->fixture, state_word(v->d->lang, n->word));
        break;
    case NOTE_SCANNER:
        snprintf(out, cap, "%s %s %s %s", at, say(v, N_("Scanner")), n->fixture,
                 state_word(v->d->lang, n->word));
        break;
    case NOTE_SESSION:
        snprintf(out, cap, "%s %s%s%s %s", at, n->fixture, *n->fixture ? " " : "", n->what,
                 session_words(v, n));
        break;
    case NOTE_UNRESOLVED:
        snprintf(out, cap, "%s %s %s", at, n->what, say(v, N_("was cut off while it was loaded: scan it again")));
        break;
    case NOTE_LINE:
        snprintf(out, cap, "%s %s", at, strcmp(n->word, "up") == 0
                 ? say(v, N_("The line runs")) : say(v, N_("The line has ended")));
        break;
    }
}

int ticker_height(const struct view *v, int cols, int rows)
{
    (void)v, (void)cols;
    return rows < 30 ? 1 : rows < 50 ? 4 : 8;
}

void notes_draw(struct grid *g, struct area a, const struct view *v, size_t first)
{
    const struct note *n;

    for (int i = 0; i < a.h && (n = snapshot_note(v->s, first + (size_t)i)); i++) {
        char text[512];
        note_text(v, n, text, sizeof text);
        grid_text(g, a.x, a.y + i, a.w, note_tone(n), text);
    }
}

void ticker_draw(struct grid *g, struct area a, const struct view *v)
{
    notes_draw(g, a, v, 0);
}
