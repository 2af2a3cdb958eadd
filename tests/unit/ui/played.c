#include "tests/unit/ui/played.h"

#include "station/control/protocol.h"
#include "station/line/recipe.h"
#include "station/line/verdict.h"
#include "tests/unit/ui/scenes.h"
#include "ui/screens/screens.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint32_t played_roll(uint64_t *chance, uint32_t n)
{
    *chance = *chance * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*chance >> 33) % n;
}

static uint32_t roll(struct played *p, uint32_t n)
{
    return played_roll(&p->chance, n);
}

/* --- its door ------------------------------------------------------------------------ */

void played_init(struct played *p, const char *data_dir, uint64_t seed)
{
    *p = (struct played){ .dir = data_dir, .chance = seed, .door = -1, .line = -1 };
}

bool played_is_up(const struct played *p)
{
    return p->door >= 0;
}

void played_up(struct played *p)
{
    struct sockaddr_un a;
    struct err e = ERR_INIT;
    int dir;

    ck_assert_msg(control_address(p->dir, &a, &dir, &e) == 0, "%s", e.msg);
    p->door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert(bind(p->door, (struct sockaddr *)&a, sizeof a) == 0 && listen(p->door, 4) == 0);
    if (dir >= 0)
        close(dir);
}

static void hang_up(struct played *p)
{
    if (p->line >= 0)
        close(p->line);
    p->line = -1;
    p->n = 0;
}

void played_down(struct played *p)
{
    char path[512];

    hang_up(p);
    if (p->door < 0)
        return;
    close(p->door);
    p->door = -1;
    snprintf(path, sizeof path, "%s/%s", p->dir, CONTROL_SOCKET);
    unlink(path);
}

void played_clear(struct played *p)
{
    played_down(p);
}

/* What finds no room was said by a line that died in the midst of it. */
static void say_text(struct played *p, const char *text, size_t n)
{
    if (p->line >= 0 && send(p->line, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
        hang_up(p);
}

static void send_json(struct played *p, json_t *j)
{
    ck_assert(j);
    char *text = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    ck_assert(text);
    size_t n = strlen(text);
    text[n] = '\n'; /* over its NUL: it is sent by length */
    say_text(p, text, n + 1);
    free(text);
    p->told++;
}

/* --- words --------------------------------------------------------------------------- */

static const char *word(struct played *p)
{
    static const char *const v[] = {
        "SN-004711", "89049032000000000000000000000012", "Ada Lovelace", "", "夹具夹具夹具夹具夹具夹具夹具夹具夹具",
        "a\tb\nc\x1b[31mred\x07", "e\xCC\x81\xE2\x80\xAEx", "\xC2\x9B" "2J", "WO-2026-0117",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
        "3 failures in a row, the last one: no-card", "\xF0\x9F\x98\x80",
    };

    return v[roll(p, sizeof v / sizeof *v)];
}

static const char *fixture(struct played *p, char name[16])
{
    uint32_t i = roll(p, 80);

    if (i == 0)
        return word(p);
    snprintf(name, 16, "F%u", i > 64 ? i % 6 + 1 : i);
    return name;
}

static const char *fixture_state(struct played *p)
{
    static const char *const v[] = {
        "opening", "empty", "card", "parked", "gone", "not-ours", "slower", "stopped",
        "released", "maintenance", "maintained", "ready", "gone", "card", "xyz",
    };

    return v[roll(p, sizeof v / sizeof *v)];
}

static const char *step(struct played *p)
{
    return roll(p, 12) ? recipe[roll(p, STEPS)].name : word(p);
}

static json_int_t number(struct played *p)
{
    static const json_int_t v[] = { -1, 0, 1, 7, 199, 12000, 9223372036854775807, 999999999999 };

    return v[roll(p, sizeof v / sizeof *v)];
}

static void add_ending(struct played *p, json_t *to)
{
    const struct verdict_row *r = verdict_row((enum verdict)roll(p, VERDICTS));
    bool known = roll(p, 12) != 0;
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:b}", "verdict",
                          verdict_kind_text(r->kind), "code", known ? r->code : word(p), "serial",
                          word(p), "eid", word(p), "cause", known ? r->cause : word(p), "next",
                          known ? r->next : word(p), "detail", word(p), "installed", number(p), "ms",
                          number(p), "taken", (int)roll(p, 2));

    ck_assert(j);
    json_object_update(to, j);
    json_decref(j);
}

/* --- states -------------------------------------------------------------------------- */

static json_t *one_fixture(struct played *p, unsigned i)
{
    char name[16];

    snprintf(name, sizeof name, "F%u", i);
    json_t *j = json_pack("{s:s,s:b}", "fixture", roll(p, 50) ? name : word(p), "busy", 0);
    if (roll(p, 3) == 0) {
        json_object_set_new(j, "busy", json_true());
        json_object_set_new(j, "step", json_string(step(p)));
        json_object_set_new(j, "serial", json_string(word(p)));
    }
    if (roll(p, 3) == 0) {
        json_object_set_new(j, "state", json_string(fixture_state(p)));
        json_object_set_new(j, "reason", json_string(word(p)));
        json_object_set_new(j, "place", json_string("1-2.4"));
    }
    if (roll(p, 3) == 0) {
        json_t *last = json_object();
        add_ending(p, last);
        json_object_set_new(j, "last", last);
    }
    return j;
}

static json_t *stock_json(struct played *p)
{
    if (roll(p, 6) == 0)
        return json_null();
    return json_pack("{s:I,s:I,s:I,s:{s:I,s:f,s:f,s:b},s:{s:I,s:n}}", "received", number(p),
                     "in-stock", number(p), "installed", number(p), "forecast", "left", number(p),
                     "unitsPerHour", 212.5, "hoursLeft", roll(p, 2) ? 5.75 : 1e300, "low",
                     (int)roll(p, 2), "notAcknowledged", "reports", number(p), "since");
}

static json_t *work_json(struct played *p)
{
    json_t *orders = json_array();

    for (uint32_t n = roll(p, 40); n > 0; n--)
        json_array_append_new(orders, json_pack("{s:s,s:s,s:I,s:I,s:I}", "order", word(p), "product",
                                                word(p), "quantity", number(p), "passed", number(p),
                                                "left", number(p)));
    return json_pack("{s:o,s:{s:I,s:I,s:I,s:I},s:I}", "orders", orders, "shift", "shift", number(p),
                     "since", number(p), "passed", number(p), "failed", number(p), "waiting",
                     number(p));
}

static void tell_state(struct played *p)
{
    static const unsigned sizes[] = { 0, 1, 2, 6, 24, 64, 200 };
    json_t *fixtures = json_array();

    for (unsigned n = sizes[roll(p, 7)], i = 1; i <= n; i++)
        json_array_append_new(fixtures, one_fixture(p, i));
    send_json(p, json_pack("{s:s,s:{s:s,s:o,s:[],s:{s:I,s:I},s:o,s:o,s:i}}", "event", "snapshot",
                           "state", "person", roll(p, 4) ? "Ada" : word(p), "fixtures", fixtures,
                           "scanners", "counts", "pass", number(p), "fail", number(p), "stock",
                           stock_json(p), "work", work_json(p), "notListed", 0));
}

/* --- what happens -------------------------------------------------------------------- */

static void tell_session(struct played *p, const char *state, const char *at, const char *who)
{
    send_json(p, json_pack("{s:s,s:s,s:s,s:s,s:s}", "event", "session", "state", state, "fixture",
                           at, "person", who, "reason", "taken"));
}

void played_login(struct played *p)
{
    tell_session(p, "opened", "", "Ada");
}

static void tell_busy(struct played *p)
{
    char name[16];

    send_json(p, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "event", "busy", "fixture", fixture(p, name),
                           "step", step(p), "serial", word(p), "eid", word(p), "order", word(p)));
}

static void tell_verdict(struct played *p)
{
    char name[16];
    json_t *j = json_pack("{s:s,s:s,s:s}", "event", "verdict", "fixture", fixture(p, name), "order",
                          word(p));

    add_ending(p, j);
    send_json(p, j);
}

static void tell_fixture(struct played *p)
{
    char name[16];

    send_json(p, json_pack("{s:s,s:s,s:s,s:s,s:s}", "event", roll(p, 5) ? "fixture" : "scanner",
                           "fixture", fixture(p, name), "place", roll(p, 4) ? "1-2.4" : word(p),
                           "state", fixture_state(p), "reason", word(p)));
}

static void tell_person(struct played *p)
{
    static const char *const states[] = { "opened", "closed", "pin", "xyz" };
    char name[16];

    tell_session(p, states[roll(p, 4)], roll(p, 2) ? fixture(p, name) : "", word(p));
}

static void tell_little(struct played *p)
{
    char name[16];
    json_t *chosen[] = {
        json_pack("{s:s,s:s,s:s}", "event", "chosen", "fixture", fixture(p, name), "scanner", "1-1"),
        json_pack("{s:s,s:s}", "event", "command", "command",
                  roll(p, 3) ? screens[roll(p, (uint32_t)screen_count)]->name : word(p)),
        json_pack("{s:s,s:o}", "event", "stock", "stock", stock_json(p)),
        json_pack("{s:s,s:o}", "event", "work", "work", work_json(p)),
        json_pack("{s:s,s:s,s:s}", "event", "unresolved", "fixture", fixture(p, name), "serial", word(p)),
        json_pack("{s:s,s:I,s:s,s:s,s:I,s:I}", "event", "progress", "id", p->job, "do",
                  roll(p, 2) ? "import" : "export", "step", roll(p, 3) ? "checking" : word(p), "done",
                  number(p), "of", number(p)),
        json_pack("{s:s,s:[s,i]}", "event", "ready", "fixtures", word(p), 7),
        json_pack("{s:s}", "event", "lost"),
    };
    size_t n = sizeof chosen / sizeof *chosen, which = roll(p, (uint32_t)n);

    for (size_t i = 0; i < n; i++)
        if (i != which)
            json_decref(chosen[i]);
    send_json(p, chosen[which]);
    if (which == n - 1)
        tell_state(p);
}

/* As a line never does. */
static void tell_nonsense(struct played *p)
{
    static const char *const v[] = {
        "[]\n", "{\n", "\n", "{\"event\":7}\n", "{\"id\":{}}\n", "{\"event\":\"ended\"}\n",
        "{\"event\":\"refused\",\"error\":\"trust\",\"message\":\"Not you.\"}\n", "\xFF\xFE\n",
        "{\"event\":\"snapshot\",\"state\":[]}\n", "{\"event\":\"verdict\"",
    };
    const char *text = v[roll(p, sizeof v / sizeof *v)];

    say_text(p, text, strlen(text));
}

void played_tell(struct played *p)
{
    static void (*const v[])(struct played *p) = {
        tell_busy, tell_busy, tell_busy, tell_verdict, tell_verdict, tell_verdict, tell_fixture,
        tell_fixture, tell_person, tell_little, tell_little,
    };
    uint32_t i = roll(p, 200);

    if (i == 0)
        tell_nonsense(p);
    else if (i < 4)
        tell_state(p);
    else
        v[i % (sizeof v / sizeof *v)](p);
}

/* --- what is asked -------------------------------------------------------------------- */

static json_t *answer_to(struct played *p, const char *verb)
{
    for (size_t i = 0; i < screen_count; i++) {
        json_t *j = screens[i]->verb && strcmp(screens[i]->verb, verb) == 0
                  ? scene_reply(screens[i]->name, (enum scene)roll(p, SCENES)) : NULL;
        if (j)
            return j;
    }
    return roll(p, 2) ? json_object() : json_null();
}

static void answer(struct played *p, const json_t *ask)
{
    const char *verb = json_string_value(json_object_get(ask, "do"));
    json_t *id = json_object_get(ask, "id");
    char name[16];

    ck_assert(verb && id);
    p->asked++;
    if (strcmp(verb, "import") == 0 || strcmp(verb, "export") == 0)
        p->job = json_integer_value(id);
    if (strcmp(verb, "subscribe") == 0) {
        send_json(p, json_pack("{s:O,s:b}", "id", id, "ok", 1));
        tell_state(p);
        return;
    }
    if (roll(p, 8) == 0) {
        if (roll(p, 2)) /* or it is never answered */
            send_json(p, json_pack("{s:O,s:b,s:s,s:s}", "id", id, "ok", 0, "error",
                                   roll(p, 2) ? "trust" : word(p), "message", word(p)));
        return;
    }
    send_json(p, json_pack("{s:O,s:b,s:s,s:o}", "id", id, "ok", 1, "person", "Ada", "answer",
                           answer_to(p, verb)));
    if (strcmp(verb, "login") == 0)
        played_login(p);
    else if (strcmp(verb, "logout") == 0)
        tell_session(p, "closed", "", "Ada");
    else if (strcmp(verb, "scan") == 0)
        send_json(p, json_pack("{s:s,s:s,s:s,s:s}", "event", "busy", "fixture", fixture(p, name),
                               "step", "read EID", "serial", word(p)));
}

static void answer_lines(struct played *p)
{
    char *end;

    while (p->line >= 0 && (end = memchr(p->in, '\n', p->n))) {
        json_error_t e;
        size_t n = (size_t)(end + 1 - p->in);
        json_t *j = json_loadb(p->in, n, 0, &e);
        ck_assert_msg(j != NULL, "the screen asks what is no JSON: %s", e.text);
        memmove(p->in, p->in + n, p->n -= n);
        answer(p, j);
        json_decref(j);
    }
    ck_assert_uint_lt(p->n, sizeof p->in);
}

void played_serve(struct played *p)
{
    int room = 1 << 20;

    if (p->line < 0 && p->door >= 0 &&
        (p->line = accept4(p->door, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        setsockopt(p->line, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        p->visits++;
    }
    for (ssize_t n; p->line >= 0 &&
         (n = recv(p->line, p->in + p->n, sizeof p->in - p->n, MSG_DONTWAIT)) >= 0;) {
        if (n == 0) {
            hang_up(p);
            return;
        }
        p->n += (size_t)n;
        answer_lines(p);
    }
}
