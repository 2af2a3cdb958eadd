#include "ui/app/app.h"

#include "station/base/clock.h"
#include "station/base/start.h"
#include "station/control/client.h"
#include "ui/app/places.h"
#include "ui/app/serve.h"
#include "ui/scan/form.h"
#include "ui/scan/hands.h"
#include "ui/term/term.h"
#include "ui/words/told.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MS 40    /* nobody sees more pictures in a second */
#define RETRY_MS 1000  /* between looks for a line that is not there */
#define BELL_MS 180    /* from one bell to the next */
#define STALE 8

struct app {
    const struct app_options *o;
    struct term *term;
    struct client *line; /* NULL: not there */
    struct serve *serve; /* NULL: nobody may look */
    struct model *model;
    struct grid *grid;
    struct hands hands;
    json_int_t login; /* the id of the login that is asked */
    json_int_t question; /* ... of the screen's question; 0: none is open */
    const struct screen *questioner;
    char questioned[WHAT_CAP]; /* ... what it was asked about */
    json_int_t may; /* ... of what is offered to who is logged in; 0: it is not asked */
    char may_of[NAME_CAP]; /* for whom it was asked last, */
    unsigned may_logins;
    int64_t may_at;        /* and when; 0: never */
    json_int_t deed; /* ... of what is to be done; 0: nothing */
    const char *deed_done; /* what is said then */
    json_int_t job;  /* ... of what takes long */
    json_int_t stale[STALE]; /* questions whose answers nobody waits for any more */
    size_t stales;
    bool places_wanted;
    int signals;
    bool changed, ended, done;
    int bells;
    int64_t drawn_at, retry_at, bell_at;
    time_t second;
};

/* --- the line ------------------------------------------------------------------------ */

static bool is_stale(const struct app *a, json_int_t id)
{
    for (size_t i = 0; i < STALE; i++)
        if (id && a->stale[i] == id)
            return true;
    return false;
}

/* Who has gone on to another screen hears of it; else its page says it. */
static void on_job(struct app *a, const json_t *j)
{
    const struct snapshot *s = model_now(a->model);
    const char *why = json_string_value(json_object_get(j, "message"));
    bool good = json_is_true(json_object_get(j, "ok"));
    enum lang l = a->hands.d.lang;
    char text[SENTENCE_CAP];

    a->job = 0;
    a->hands.asked = NULL;
    model_job_end(a->model, j);
    hands_answered(&a->hands, good);
    if (!job_shown(a->hands.screen, &a->hands.d, s))
        hands_notice(&a->hands, s, !good, good || !why ? tr(l, N_("It is done."))
                     : told(l, json_string_value(json_object_get(j, "error")), why, text, sizeof text));
}

static void on_reply(struct app *a, const json_t *j)
{
    const struct snapshot *s = model_now(a->model);
    const char *why = json_string_value(json_object_get(j, "message"));
    const char *code = json_string_value(json_object_get(j, "error"));
    const char *who = json_string_value(json_object_get(j, "person"));
    bool login = json_integer_value(json_object_get(j, "id")) == a->login;
    enum lang l = a->hands.d.lang;
    char text[SENTENCE_CAP];

    if (a->question && json_integer_value(json_object_get(j, "id")) == a->question) {
        a->question = 0;
        model_answer(a->model, a->questioner->name, j);
        return;
    }
    if (a->may && json_integer_value(json_object_get(j, "id")) == a->may) {
        a->may = 0;
        model_may(a->model, j);
        return;
    }
    if (is_stale(a, json_integer_value(json_object_get(j, "id"))))
        return;
    if (a->job && json_integer_value(json_object_get(j, "id")) == a->job) {
        on_job(a, j);
        return;
    }
    bool deed = a->deed && json_integer_value(json_object_get(j, "id")) == a->deed;
    if (deed) {
        a->deed = 0;
        a->hands.asked = NULL; /* what is shown may be another now */
        hands_answered(&a->hands, json_is_true(json_object_get(j, "ok")));
    }
    if (deed && json_is_true(json_object_get(j, "ok"))) {
        hands_notice(&a->hands, s, false, tr(l, a->deed_done));
        return;
    }
    if (json_is_true(json_object_get(j, "ok"))) {
        snprintf(text, sizeof text, tr(l, N_("%s is logged in.")), who ? who : "");
        if (login && who)
            hands_notice(&a->hands, s, false, text);
        return;
    }
    hands_notice(&a->hands, s, true, login && code && strcmp(code, "trust") == 0
                 ? tr(l, N_("Badge and PIN do not go together, or this person may not log in here. Scan the badge again."))
                 : why ? told(l, code, why, text, sizeof text) : "");
}

static void on_message(void *ctx, const json_t *j)
{
    struct app *a = ctx;
    const char *event = json_string_value(json_object_get(j, "event"));

    a->changed = true;
    if (!event)
        on_reply(a, j);
    else if (strcmp(event, "ended") == 0)
        a->ended = true;
    else
        model_apply(a->model, j);
}

static void lose(struct app *a, const char *why)
{
    client_close(a->line);
    a->line = NULL;
    a->question = a->deed = a->job = a->may = 0;
    a->may_at = 0;
    memset(a->stale, 0, sizeof a->stale);
    a->ended = false;
    a->retry_at = clock_monotonic_ms() + RETRY_MS;
    a->changed = true;
    model_lose(a->model, why);
}

static void find(struct app *a)
{
    struct err e = ERR_INIT;
    json_int_t id;

    if (client_open(a->o->data_dir, on_message, a, &a->line, &e) != 0 ||
        client_post(a->line, CONTROL_SUBSCRIBE, NULL, &id, &e) != 0)
        lose(a, e.msg);
}

static void listen_to_line(struct app *a)
{
    struct err e = ERR_INIT;

    if (client_next(a->line, 0, &e) != 0 && e.code != ERR_TIMEOUT)
        lose(a, e.msg);
    else if (a->ended)
        lose(a, tr(a->hands.d.lang, N_("The line has ended.")));
}

/* --- what is asked of it ------------------------------------------------------------------ */

static json_t *login_members(const struct request *r)
{
    return json_pack("{s:s, s:s*, s:s*}", "pin", r->pin, "badge", *r->badge ? r->badge : NULL,
                     "fixture", *r->fixture ? r->fixture : NULL);
}

/* NULL: it is no text that can be sent. */
static json_t *deed_members(const struct app *a, const struct request *r)
{
    const struct form *f = &a->hands.d.form;
    json_t *j = r->member ? json_pack("{s:s}", r->member, r->text) : json_object();

    if (!j || !f->sent || form_members(f, j))
        return j;
    control_forget_secrets(j);
    json_decref(j);
    return NULL;
}

static void await(struct app *a, const struct request *r, json_int_t id)
{
    if (!r->job) {
        a->deed = id;
        a->deed_done = r->done ? r->done : N_("It is done.");
        return;
    }
    a->job = id;
    model_job_begin(a->model, a->hands.screen->name, r->job, r->text, id);
    form_forget(&a->hands.d);
}

static void ask(struct app *a, const struct request *r)
{
    const struct snapshot *s = model_now(a->model);
    enum control_verb verb = CONTROL_SCAN;
    struct err e = ERR_INIT;
    json_t *members = NULL;
    json_int_t id = 0;

    if (r->wish == WISH_LEAVE)
        a->done = true;
    if (r->wish == WISH_NOTHING || r->wish == WISH_LEAVE)
        return;
    if (r->wish == WISH_DEED && control_verb_parse(r->verb, &verb, &e) != 0)
        return;
    if (r->wish == WISH_LOGIN || r->wish == WISH_LOGOUT)
        verb = r->wish == WISH_LOGIN ? CONTROL_LOGIN : CONTROL_LOGOUT;
    if (r->wish == WISH_CANCEL)
        verb = CONTROL_CANCEL;
    if (r->wish == WISH_LOGIN)
        model_pin_done(a->model);
    members = r->wish == WISH_SCAN ? json_pack("{s:s}", "line", r->text)
            : r->wish == WISH_LOGIN ? login_members(r)
            : r->wish == WISH_CANCEL ? json_pack("{s:I}", "job", a->job)
            : r->wish == WISH_DEED ? deed_members(a, r) : json_object();
    if (!a->line) {
        control_forget_secrets(members);
        json_decref(members);
        hands_notice(&a->hands, s, true, tr(a->hands.d.lang, N_("The line is not there. Nothing was done.")));
    } else if (!members || client_post(a->line, verb, members,
                                       verb == CONTROL_LOGIN ? &a->login : &id, &e) != 0) {
        hands_notice(&a->hands, s, true, members ? e.msg : tr(a->hands.d.lang, N_("This is no text that can be sent.")));
    } else {
        if (r->wish == WISH_DEED)
            await(a, r, id);
        return;
    }
    hands_answered(&a->hands, false);
}

/* The folders that may be media are looked for while somebody is to choose one. */
static void look_for_places(struct app *a, bool again)
{
    struct place v[SNAPSHOT_PLACES];
    const char *media = a->o->media ? a->o->media : "";
    bool wanted = hands_want_places(&a->hands);

    if (wanted && (again || !a->places_wanted) &&
        model_places(a->model, media, v, places_look(media, v))) {
        a->hands.asked = NULL;
        a->changed = true;
    }
    a->places_wanted = wanted;
}

/* One at a time: the next one is asked when this one was answered, or another screen
 * has one: some answers may take as long as an import. */
static void ask_question(struct app *a)
{
    struct err e = ERR_INIT;
    const struct snapshot *s = model_now(a->model);
    const char *name, *what;
    enum control_verb verb;

    if (!a->line || (a->question && a->questioner == a->hands.screen) || !hands_question(&a->hands, s, &name, &what) ||
        control_verb_parse(name, &verb, &e) != 0)
        return;
    if (a->question)
        a->stale[a->stales++ % STALE] = a->question;
    a->questioner = a->hands.screen;
    /* What was answered is shown until the next answer to the same: it does not flicker, and
     * what is chosen stays so. */
    if (strcmp(s->answer_to, a->questioner->name) != 0 || strcmp(a->questioned, what) != 0)
        model_answer(a->model, a->questioner->name, NULL);
    snprintf(a->questioned, sizeof a->questioned, "%s", what);
    const struct doings *does = a->questioner->does;
    json_t *members = *what ? json_pack("{s:s}", does && does->member ? does->member : "what", what)
                            : json_object();
    if (!members || client_post(a->line, verb, members, &a->question, &e) != 0) {
        a->question = 0;
        hands_notice(&a->hands, s, true, tr(a->hands.d.lang, N_("This is no text that can be sent.")));
    }
}

#define MAY_S 60 /* a role may be another one meanwhile */

/* What is offered to somebody, when that is somebody else, and now and then. */
static void ask_may(struct app *a)
{
    const struct snapshot *s = model_now(a->model);
    struct err e = ERR_INIT;

    if (!a->line || !s->linked || a->may ||
        (a->may_at && strcmp(a->may_of, s->person) == 0 && a->may_logins == s->logins && s->now - a->may_at < MAY_S))
        return;
    if (strcmp(a->may_of, s->person) != 0)
        model_may(a->model, NULL); /* until it is known */
    snprintf(a->may_of, sizeof a->may_of, "%s", s->person);
    a->may_logins = s->logins;
    a->may_at = s->now;
    if (client_post(a->line, CONTROL_MAY, NULL, &a->may, &e) != 0)
        a->may = 0; /* that the line is gone is seen elsewhere */
}

/* --- hands ----------------------------------------------------------------------------------- */

static void take_size(struct app *a)
{
    int cols, rows;

    term_size(a->term, &cols, &rows);
    struct grid *g = grid_new(cols, rows);
    if (!g)
        return;
    grid_free(a->grid);
    a->grid = g;
    term_forget(a->term);
}

static void take_keys(struct app *a)
{
    const struct snapshot *s = model_now(a->model);
    struct request r;
    enum key k;
    uint32_t ch;

    while (!a->done && term_key(a->term, &k, &ch)) {
        a->changed = true;
        if (k == K_RESIZE) {
            take_size(a);
        } else if (ch) {
            hands_char(&a->hands, s, ch);
        } else {
            bool pin = a->hands.d.prompt == PROMPT_PIN;
            hands_key(&a->hands, s, a->grid->cols, a->grid->rows, k, &r);
            ask(a, &r);
            request_forget(&r);
            if (pin && a->hands.d.prompt != PROMPT_PIN)
                model_pin_done(a->model);
        }
    }
}

static void take_commands(struct app *a)
{
    char word[WORD_CAP];
    struct request r;

    while (!a->done && model_command(a->model, word)) {
        hands_command(&a->hands, model_now(a->model), a->grid->cols, a->grid->rows, word, &r);
        ask(a, &r);
        a->changed = true;
    }
}

/* --- sounds ----------------------------------------------------------------------------------- */

static void take_sounds(struct app *a)
{
    unsigned s = model_sounds(a->model);
    int bells = s & SOUND_FAIL ? a->o->bells_fail : s & SOUND_REFUSED ? a->o->bells_refused
              : s & SOUND_PASS ? a->o->bells_pass : 0;

    if (!a->hands.d.mute && bells > a->bells)
        a->bells = bells;
}

static void ring(struct app *a, int64_t now)
{
    if (a->bells == 0 || now < a->bell_at)
        return;
    term_bell(a->term);
    a->bells--;
    a->bell_at = now + BELL_MS;
}

/* --- the loop ------------------------------------------------------------------------------------ */

static void tick(struct app *a)
{
    time_t now = time(NULL);
    struct tm tm;

    look_for_places(a, now != a->second);
    if (now == a->second)
        return;
    a->second = now;
    localtime_r(&now, &tm);
    model_clock(a->model, now, tm.tm_gmtoff);
    a->changed = true;
}

static void draw(struct app *a, int64_t now)
{
    const struct snapshot *s = model_now(a->model);

    hands_look(&a->hands, s);
    screen_draw(hands_screen(&a->hands, s), a->grid, s, &a->hands.d);
    if (term_show(a->term, a->grid) == 0)
        a->changed = false;
    a->drawn_at = now;
}

static int soonest(int64_t now, int64_t at, int so_far)
{
    int64_t left = at > now ? at - now : 0;

    return left < so_far ? (int)left : so_far;
}

static int patience(const struct app *a, int64_t now)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    int wait = 1000 - (int)(t.tv_nsec / 1000000);
    if (a->changed)
        wait = soonest(now, a->drawn_at + FRAME_MS, wait);
    if (!a->line)
        wait = soonest(now, a->retry_at, wait);
    if (a->bells > 0)
        wait = soonest(now, a->bell_at, wait);
    return wait;
}

enum { KEYS_FD, SIGNALS_FD, SERVE_FD, LINE_FD, FDS };

static void turn(struct app *a)
{
    int64_t now = clock_monotonic_ms();
    struct pollfd v[FDS] = {
        { .fd = STDIN_FILENO, .events = POLLIN },
        { .fd = a->signals, .events = POLLIN },
        { .fd = a->serve ? serve_fd(a->serve) : -1, .events = POLLIN },
        { .fd = a->line ? client_fd(a->line) : -1, .events = POLLIN },
    };
    int n = poll(v, FDS, patience(a, now));

    tick(a);
    now = clock_monotonic_ms();
    if (n > 0 && (v[SIGNALS_FD].revents || (v[KEYS_FD].revents & (POLLHUP | POLLERR | POLLNVAL))))
        a->done = true;
    if (n > 0 && v[LINE_FD].revents)
        listen_to_line(a);
    else if (!a->line && now >= a->retry_at)
        find(a);
    take_keys(a); /* also after a signal: its size may be another */
    take_commands(a);
    look_for_places(a, false);
    hands_look(&a->hands, model_now(a->model));
    ask_may(a);
    ask_question(a);
    take_sounds(a);
    ring(a, now);
    if (a->changed && now - a->drawn_at >= FRAME_MS)
        draw(a, now);
    if (n > 0 && v[SERVE_FD].revents)
        serve_one(a->serve, a->grid, hands_screen(&a->hands, model_now(a->model))->name,
                  lang_code(a->hands.d.lang));
}

static int begin(struct app *a, struct err *e)
{
    sigset_t set;

    program_keys();
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    a->signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (!(a->model = model_new()))
        return err_set(e, ERR_NOMEM, "no memory for the screen");
    if (term_open(&a->term, e) != 0)
        return -1;
    hands_init(&a->hands, a->o->lang, a->o->lock_after_s);
    a->hands.d.mute = a->o->mute;
    a->hands.glyphs = term_has_glyph(a->term, 0x4E2D);
    take_size(a);
    if (!a->grid)
        return err_set(e, ERR_NOMEM, "no memory for the screen");
    tick(a);
    find(a);
    if (a->o->lang == LANG_ZH && !a->hands.glyphs) {
        a->hands.d.lang = LANG_EN;
        hands_notice(&a->hands, model_now(a->model), true,
                     N_("This console's font has no Chinese characters; English is shown."));
    }
    return 0;
}

int app_run(const struct app_options *o, struct err *e)
{
    struct app a = { .o = o, .signals = -1, .drawn_at = -FRAME_MS };
    struct err unseen = ERR_INIT;

    int bad = begin(&a, e);
    /* Without it the screen is shown all the same, and only `ctl screen` fails. */
    if (!bad && serve_open(o->data_dir, &a.serve, &unseen) != 0)
        a.serve = NULL;
    while (!bad && !a.done)
        turn(&a);
    serve_close(a.serve);
    client_close(a.line);
    term_close(a.term);
    grid_free(a.grid);
    model_free(a.model);
    explicit_bzero(&a.hands, sizeof a.hands);
    if (a.signals >= 0)
        close(a.signals);
    return bad;
}
