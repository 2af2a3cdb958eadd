#include "ui/scan/hands.h"

#include "ui/cells/dump.h"
#include "ui/scan/form.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void request_forget(struct request *r)
{
    explicit_bzero(r, sizeof *r);
}

void hands_init(struct hands *h, enum lang l, int lock_after_s)
{
    *h = (struct hands){ .d = { .lang = l }, .screen = &screen_line,
                         .lock_after_s = lock_after_s, .glyphs = true };
}

const struct screen *hands_screen(const struct hands *h, const struct snapshot *s)
{
    return h->screen == &screen_line && !s->linked ? &screen_gone : h->screen;
}

void hands_notice(struct hands *h, const struct snapshot *s, bool bad, const char *text)
{
    snprintf(h->d.notice, sizeof h->d.notice, "%s", text);
    h->d.notice_bad = bad;
    h->notice_at = s->now;
}

static void forget_typed(struct hands *h)
{
    explicit_bzero(h->d.typed, sizeof h->d.typed);
}

static void end_prompt(struct hands *h)
{
    forget_typed(h);
    explicit_bzero(h->badge, sizeof h->badge);
    h->d.prompt = PROMPT_NONE;
    h->d.fixture[0] = '\0';
}

static void go_to(struct hands *h, const struct screen *s)
{
    form_forget(&h->d);
    h->took_medium = false;
    h->screen = s;
    h->d.what[0] = '\0';
    h->d.pick = 0;
    h->d.sure = NULL;
    h->d.at = 0;
    h->d.selected[0] = '\0';
}

static void ask_pin(struct hands *h, const char *fixture)
{
    forget_typed(h);
    h->d.prompt = PROMPT_PIN;
    snprintf(h->d.fixture, sizeof h->d.fixture, "%s", fixture);
}

/* --- time -------------------------------------------------------------------------- */

/* Nobody has touched it for a while: the line is shown, and what is not for
 * everybody is shut until somebody logs in. */
static void look_idle(struct hands *h, const struct snapshot *s)
{
    bool idle = h->lock_after_s > 0 && s->now - h->touched >= h->lock_after_s;

    if (!*s->person)
        h->d.locked = false;
    if (!idle || h->d.locked)
        return;
    if (h->d.prompt != PROMPT_NONE || *h->d.typed)
        end_prompt(h);
    form_forget(&h->d);
    if (h->screen != &screen_line)
        go_to(h, &screen_line);
    h->d.locked = *s->person;
}

/* A form is of who began it, and of a line that is there. */
static void look_at_form(struct hands *h, const struct snapshot *s)
{
    struct form *f = &h->d.form;

    if (!f->deed)
        return;
    if (!s->linked) {
        form_forget(&h->d);
    } else if (!f->sent && strcmp(f->person, s->person) != 0) {
        form_forget(&h->d);
        hands_notice(h, s, true, tr(h->d.lang, N_("Somebody else is logged in now. Nothing was done; begin anew.")));
    } else if (!f->sent && s->now - h->touched >= PINS_S) {
        form_wipe_pins(&h->d);
    }
}

void hands_answered(struct hands *h, bool done)
{
    if (!h->d.form.sent)
        return;
    if (done) {
        form_forget(&h->d);
    } else { /* what was refused may be mended */
        h->d.form.sent = false;
        form_wipe_pins(&h->d);
    }
}

static bool works_on_media(const struct screen *sc)
{
    return sc->does && sc->does->media;
}

/* The one medium that is there; or the one that was chosen, as long as it is. When a
 * second one comes, somebody is to choose. */
static void look_at_media(struct hands *h, const struct snapshot *s)
{
    bool there = false;

    if (!works_on_media(h->screen))
        return;
    for (size_t i = 0; i < s->places; i++)
        there = there || strcmp(s->place[i].path, h->d.what) == 0;
    bool open = h->took_medium && s->places > 1 && !h->d.sure && !h->d.form.deed;
    if (there && !open)
        return;
    if (*h->d.what)
        go_to(h, h->screen);
    h->asked = NULL; /* what comes in its place may hold something else */
    if ((h->took_medium = s->places == 1))
        snprintf(h->d.what, sizeof h->d.what, "%s", s->place[0].path);
}

bool hands_want_places(const struct hands *h)
{
    const struct field *f = form_field(&h->d.form);

    return works_on_media(h->screen) || (f && f->kind == FIELD_PLACE);
}

/* It was a badge that was scanned: who logs in at a screen goes on there. */
static void come_back(struct hands *h, const struct snapshot *s)
{
    if (h->left && h->screen == &screen_line && s->now - h->left_at <= BADGE_S) {
        go_to(h, h->left);
        memcpy(h->d.what, h->left_what, sizeof h->d.what);
    }
    h->left = NULL;
}

void hands_look(struct hands *h, const struct snapshot *s)
{
    if (h->touched == 0)
        h->touched = s->now;
    if (s->logins != h->logins) {
        h->logins = s->logins;
        h->d.locked = false;
        h->touched = s->now;
    }
    if (s->pin_wanted && h->d.prompt != PROMPT_PIN) {
        explicit_bzero(h->badge, sizeof h->badge);
        come_back(h, s);
        ask_pin(h, s->pin_fixture);
    }
    if (h->d.prompt == PROMPT_NONE && *h->d.fixture && s->now - h->fixture_at >= FIXTURE_WAIT_S)
        h->d.fixture[0] = '\0';
    if (s->now - h->touched >= NOTICE_S) /* whoever was asked has gone */
        h->d.sure = NULL;
    if (*h->d.notice && s->now - h->notice_at >= NOTICE_S)
        h->d.notice[0] = '\0';
    look_at_form(h, s);
    look_at_media(h, s);
    look_idle(h, s);
}

/* --- questions ------------------------------------------------------------------------ */

/* What its question is about; "": nothing, or nothing yet. */
static const char *asks_about(const struct hands *h, bool *needed)
{
    const struct screen *now = h->screen;

    *needed = now->searches || (works_on_media(now) && now->does->member);
    return *needed ? h->d.what : "";
}

bool hands_question(struct hands *h, const struct snapshot *s, const char **verb,
                    const char **what)
{
    const struct screen *now = h->screen;
    bool needed, old = now->every_s > 0 && s->now - h->asked_at >= now->every_s;

    *what = asks_about(h, &needed);
    bool other = h->asked != now || strcmp(h->asked_what, *what) != 0 ||
                 strcmp(h->asked_by, s->person) != 0;
    if (!now->verb || !s->linked)
        h->asked = NULL;
    if (!now->verb || !s->linked || (!other && !old) || (needed && !**what) ||
        (works_on_media(now) && job_shown(now, &h->d, s))) /* it waits for its turn at the line */
        return false;
    h->asked = now;
    h->asked_at = s->now;
    snprintf(h->asked_what, sizeof h->asked_what, "%s", *what);
    memcpy(h->asked_by, s->person, sizeof h->asked_by);
    *verb = now->verb;
    return true;
}

/* --- typing ------------------------------------------------------------------------- */

static void touch(struct hands *h, const struct snapshot *s)
{
    h->touched = s->now;
    h->d.notice[0] = '\0';
}

void hands_char(struct hands *h, const struct snapshot *s, uint32_t ch)
{
    char c[4];
    size_t n = strlen(h->d.typed), add = dump_char(ch, c);

    touch(h, s);
    h->d.leaving = false;
    h->d.sure = NULL;
    if ((ch < 0x20 && ch != '\t') || ch == 0x7F || ch > 0x10FFFF || n + add > TYPED_MAX)
        return;
    memcpy(h->d.typed + n, c, add);
    h->d.typed[n + add] = '\0';
}

static void erase(struct hands *h)
{
    size_t n = strlen(h->d.typed);

    while (n > 0 && ((uint8_t)h->d.typed[n - 1] & 0xC0) == 0x80)
        h->d.typed[--n] = '\0';
    if (n > 0)
        h->d.typed[n - 1] = '\0';
}

/* --- actions ------------------------------------------------------------------------- */

static void next_language(struct hands *h, const struct snapshot *s)
{
    h->d.lang = (enum lang)((h->d.lang + 1) % LANGS);
    if (h->d.lang == LANG_ZH && !h->glyphs) {
        h->d.lang = (enum lang)((h->d.lang + 1) % LANGS);
        hands_notice(h, s, true, tr(h->d.lang, N_("This console's font has no Chinese characters; they are passed over.")));
        return;
    }
    hands_notice(h, s, false, lang_name(h->d.lang));
}

static void leave(struct hands *h, const struct snapshot *s, struct request *out)
{
    if (h->d.leaving) {
        out->wish = WISH_LEAVE;
        return;
    }
    h->d.leaving = true;
    hands_notice(h, s, false, tr(h->d.lang, N_("Press F10 again to end this screen. The line goes on.")));
}

/* What everybody may, also at a locked screen. */
static bool is_open(enum act a)
{
    return a == ACT_HELP || a == ACT_LINE || a == ACT_LOGIN || a == ACT_LANGUAGE ||
           (a >= ACT_UP && a <= ACT_CANCEL);
}

static void cancel(struct hands *h)
{
    end_prompt(h);
    h->d.leaving = false;
}

/* --- deeds ------------------------------------------------------------------------------ */

static void send(struct hands *h, const struct snapshot *s, const struct deed *deed,
                 const char *about, struct request *out)
{
    if (deed->job && s->job.state == JOB_RUNS) {
        hands_notice(h, s, true, tr(h->d.lang, N_("The line is still at what it was asked for before; wait for its end, or stop it.")));
        return;
    }
    h->d.form.sent = h->d.form.deed != NULL;
    out->wish = WISH_DEED;
    out->verb = deed->verb;
    out->member = deed->member;
    out->job = deed->job ? deed->label : NULL;
    out->done = deed->done;
    for (size_t i = 0; h->d.form.deed && i < deed->fields; i++)
        if (deed->field[i].kind == FIELD_FIXTURE) /* whose end somebody waits for */
            snprintf(h->d.selected, sizeof h->d.selected, "%.*s", NAME_CAP - 1, h->d.form.value[i]);
    snprintf(out->text, sizeof out->text, "%s", about);
}

/* What is asked about is what is done: another answer of the line's in between
 * may offer something else. */
static void ask_or_do(struct hands *h, const struct snapshot *s, struct request *out)
{
    const struct deed *deed = screen_deed(h->screen, &h->d, s, h->d.pick);
    bool meant = deed && h->d.sure && strcmp(h->d.sure, deed->verb) == 0;
    char about[WHAT_CAP];

    h->d.sure = NULL;
    if (deed && h->d.locked) {
        hands_notice(h, s, true, tr(h->d.lang, N_("Locked. Scan your badge and type your PIN.")));
        return;
    }
    if (!deed || !deed_about(h->screen, deed, &h->d, s, about))
        return;
    if (deed->fields) {
        form_open(&h->d, s, deed, about);
    } else if (!meant) {
        h->d.sure = deed->verb;
    } else {
        send(h, s, deed, about, out);
    }
}

/* Escape and Enter where a job is shown. */
static bool job_act(struct hands *h, const struct snapshot *s, enum act a, struct request *out)
{
    if (!job_shown(h->screen, &h->d, s) || h->d.prompt != PROMPT_NONE ||
        (a != ACT_CHOOSE && a != ACT_CANCEL && (a < ACT_UP || a > ACT_FORTH)))
        return false;
    if (a == ACT_CANCEL && *h->d.typed)
        forget_typed(h);
    else if (a == ACT_CANCEL && s->job.state == JOB_RUNS)
        out->wish = WISH_CANCEL;
    else if ((a == ACT_CHOOSE || a == ACT_CANCEL) && s->job.state != JOB_RUNS)
        h->d.job_seen = s->job.number;
    return true;
}

/* Enter, with what was typed or scanned. */
static void form_enter(struct hands *h, const struct snapshot *s, struct request *out)
{
    struct form *f = &h->d.form;
    char why[SENTENCE_CAP];

    if (f->sent)
        return;
    if (form_field(f) || *h->d.typed) {
        if (!form_take(&h->d, s, why))
            hands_notice(h, s, true, why);
        return;
    }
    send(h, s, f->deed, f->about, out);
}

/* What an action does to an open form; false: what it does everywhere. */
static bool form_act(struct hands *h, const struct snapshot *s, enum act a, struct request *out)
{
    if (!h->d.form.deed || h->d.prompt != PROMPT_NONE || (a != ACT_CHOOSE && a != ACT_CANCEL &&
                                                          (a < ACT_UP || a > ACT_FORTH)))
        return false;
    if (a == ACT_CHOOSE)
        form_enter(h, s, out);
    else if (a != ACT_CANCEL)
        form_choose(&h->d, s, a);
    else if (*h->d.typed)
        forget_typed(h);
    else if (h->d.form.sent)
        form_forget(&h->d);
    else
        form_back(&h->d);
    return true;
}

static void choose(struct hands *h, const struct snapshot *s, struct request *out)
{
    const struct doings *does = h->screen->does;
    char what[WHAT_CAP];

    if (h->screen == &screen_menu && h->d.at < screen_count) {
        go_to(h, screens[h->d.at]);
    } else if (does && does->opens && does->chosen(&h->d, s, what)) {
        go_to(h, does->opens);
        memcpy(h->d.what, what, sizeof h->d.what);
    } else {
        ask_or_do(h, s, out);
    }
}

static void do_act(struct hands *h, const struct snapshot *s, int cols, int rows,
                   enum act a, struct request *out)
{
    if (a != ACT_LEAVE)
        h->d.leaving = false;
    if (a != ACT_CHOOSE)
        h->d.sure = NULL;
    if (h->d.locked && !is_open(a)) {
        hands_notice(h, s, true, tr(h->d.lang, N_("Locked. Scan your badge and type your PIN.")));
        return;
    }
    if (job_act(h, s, a, out) || form_act(h, s, a, out))
        return;
    switch (a) {
    case ACT_HELP:
        go_to(h, &screen_keys);
        return;
    case ACT_LINE:
        go_to(h, &screen_line);
        return;
    case ACT_MENU:
        go_to(h, &screen_menu);
        return;
    case ACT_LOGIN:
        end_prompt(h);
        h->d.prompt = PROMPT_BADGE;
        return;
    case ACT_LOGOUT:
        out->wish = WISH_LOGOUT;
        return;
    case ACT_LANGUAGE:
        next_language(h, s);
        return;
    case ACT_SOUND:
        h->d.mute = !h->d.mute;
        return;
    case ACT_LEAVE:
        leave(h, s, out);
        return;
    case ACT_CHOOSE:
        choose(h, s, out);
        return;
    case ACT_CANCEL:
        cancel(h);
        break;
    default:
        break;
    }
    if (h->screen->act)
        h->screen->act(&h->d, s, cols, rows, a);
    if (!screen_deed(h->screen, &h->d, s, h->d.pick)) /* another row has others */
        h->d.pick = 0;
}

static void command(struct hands *h, const struct snapshot *s, int cols, int rows,
                    const char *word, struct request *out)
{
    const struct action *a = action_of_command(word);
    const struct screen *to = a ? NULL : screen_of(word);

    end_prompt(h);
    if (a)
        do_act(h, s, cols, rows, a->act, out);
    else if (to && h->d.locked && !to->everybody)
        hands_notice(h, s, true, tr(h->d.lang, N_("Locked. Scan your badge and type your PIN.")));
    else if (to)
        go_to(h, to);
    else
        hands_notice(h, s, true, tr(h->d.lang, N_("There is no such command here. F1 lists them.")));
}

/* --- scans ----------------------------------------------------------------------------- */

static const struct slot *fixture_of(const struct snapshot *s, const char *text)
{
    for (size_t i = 0; i < s->slots; i++)
        if (strcmp(s->slot[i].name, text) == 0 ||
            (*s->slot[i].place && strcmp(s->slot[i].place, text) == 0))
            return &s->slot[i];
    return NULL;
}

static void scanned(struct hands *h, const struct snapshot *s, struct request *out)
{
    const struct slot *f = fixture_of(s, h->d.typed);

    if (h->screen->searches) {
        const char *prefix = h->screen->does ? h->screen->does->prefix : NULL;
        size_t skip = prefix && strncasecmp(h->d.typed, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
        snprintf(h->d.what, sizeof h->d.what, "%.*s", NAME_CAP - 1, h->d.typed + skip);
        h->d.sure = NULL;
        h->d.at = 0;
        return;
    }
    if (h->screen->does && h->screen->does->begins) {
        h->d.pick = 0;
        ask_or_do(h, s, out);
        if (h->d.form.deed)
            form_enter(h, s, out);
        return;
    }
    if (h->screen != &screen_line) { /* who scans units looks at the line */
        h->left = h->screen;
        h->left_at = s->now;
        memcpy(h->left_what, h->d.what, sizeof h->left_what);
        go_to(h, &screen_line);
    }
    if (f) {
        snprintf(h->d.fixture, sizeof h->d.fixture, "%s", f->name);
        h->fixture_at = s->now;
        return;
    }
    out->wish = WISH_SCAN;
    snprintf(out->text, sizeof out->text, "%s%s%s", h->d.fixture, *h->d.fixture ? "\t" : "",
             h->d.typed);
    h->d.fixture[0] = '\0';
}

static void take_pin(struct hands *h, struct request *out)
{
    out->wish = WISH_LOGIN;
    snprintf(out->badge, sizeof out->badge, "%s", h->badge);
    snprintf(out->pin, sizeof out->pin, "%s", h->d.typed);
    snprintf(out->fixture, sizeof out->fixture, "%s", h->d.fixture);
    end_prompt(h);
}

static void enter(struct hands *h, const struct snapshot *s, int cols, int rows,
                  struct request *out)
{
    const char *word;

    if (!*h->d.typed && h->d.prompt != PROMPT_NONE) {
        return;
    } else if (!*h->d.typed) {
        do_act(h, s, cols, rows, ACT_CHOOSE, out);
    } else if (command_is(h->d.typed, &word)) {
        char kept[TYPED_MAX + 1];
        snprintf(kept, sizeof kept, "%s", word);
        command(h, s, cols, rows, kept, out);
    } else if (h->d.prompt == PROMPT_PIN) {
        take_pin(h, out);
    } else if (h->d.prompt == PROMPT_BADGE) {
        snprintf(h->badge, sizeof h->badge, "%s", h->d.typed);
        ask_pin(h, "");
    } else if (h->d.form.deed) {
        form_enter(h, s, out);
    } else {
        scanned(h, s, out);
        forget_typed(h);
    }
}

void hands_command(struct hands *h, const struct snapshot *s, int cols, int rows,
                   const char *word, struct request *out)
{
    *out = (struct request){ .wish = WISH_NOTHING };
    touch(h, s);
    command(h, s, cols, rows, word, out);
}

void hands_key(struct hands *h, const struct snapshot *s, int cols, int rows,
               enum key k, struct request *out)
{
    const struct action *a = action_of_key(k);

    *out = (struct request){ .wish = WISH_NOTHING };
    touch(h, s);
    if (k == K_ERASE)
        erase(h);
    else if (k == K_ENTER)
        enter(h, s, cols, rows, out);
    else if (a)
        do_act(h, s, cols, rows, a->act, out);
}
