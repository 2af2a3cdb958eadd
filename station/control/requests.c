/* What each command does: one table. */
#include "station/control/inner.h"
#include "station/control/needs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sends the one reply, or says why it is refused. */
typedef int verb_fn(struct control *c, struct peer *p,
                    const struct control_request *r, struct err *e);

static int no_memory(struct err *e)
{
    return err_set(e, ERR_NOMEM, "no memory for an answer; ask again");
}

static int snapshot(struct control *c, struct peer *p,
                    const struct control_request *r, struct err *e)
{
    struct chunk *state = control_state_now(c);

    if (!state)
        return no_memory(e);
    control_send(p, control_reply_ok(r->id), state);
    return 0;
}

static int subscribe(struct control *c, struct peer *p,
                     const struct control_request *r, struct err *e)
{
    /* From here on nothing is missed; what comes before the state is in it. */
    control_subscribe(c, p, true);
    p->behind = true;
    struct chunk *state = control_state_now(c);
    p->behind = false;
    if (!state) {
        control_subscribe(c, p, false);
        return no_memory(e);
    }
    control_send(p, control_reply_ok(r->id), NULL);
    control_send(p, json_pack("{s:s}", "event", "snapshot"), state);
    return 0;
}

static int unsubscribe(struct control *c, struct peer *p,
                       const struct control_request *r, struct err *e)
{
    (void)e;
    control_subscribe(c, p, false);
    control_send(p, control_reply_ok(r->id), NULL);
    return 0;
}

/* Answered before it is handed over: its verdict may come at once. */
static int scan(struct control *c, struct peer *p,
                const struct control_request *r, struct err *e)
{
    struct span text;

    if (control_text(r, "line", &text, e) != 0)
        return -1;
    control_send(p, control_reply_ok(r->id), NULL);
    line_scan_from(control_line(c), text, p->number);
    return 0;
}

static int stop(struct control *c, struct peer *p,
                const struct control_request *r, struct err *e)
{
    (void)e;
    control_send(p, control_reply_ok(r->id), NULL);
    control_settings(c)->stop(control_settings(c)->stop_ctx);
    return 0;
}

static int version(struct control *c, struct peer *p,
                   const struct control_request *r, struct err *e)
{
    json_t *j = control_reply_ok(r->id);

    (void)e;
    json_object_set_new(j, "version", json_string(control_settings(c)->version));
    json_object_set_new(j, "protocol", json_integer(CONTROL_PROTOCOL));
    json_object_set_new(j, "pid", json_integer(getpid()));
    control_send(p, j, NULL);
    return 0;
}

/* --- people ----------------------------------------------------------------------- */

/* Which session is meant: this connection's, a fixture's, or the station's. */
static int read_place(struct control *c, struct peer *p,
                      const struct control_request *r, struct session_place *out,
                      struct err *e)
{
    char number[SESSION_NAME_MAX + 1];
    const char *fixture;
    bool connection;

    if (control_flag(r, "connection", &connection, e) != 0 ||
        control_word(r, "fixture", &fixture, e) != 0)
        return -1;
    if (connection && fixture)
        return err_set(e, ERR_USAGE, "a session is a fixture's or a connection's, "
                       "not both; leave one of them out");
    if (fixture && !(fixture = line_fixture_name(control_line(c), fixture)))
        return err_set(e, ERR_NOT_FOUND, "this line has no fixture of that name; "
                       "`lineside ctl snapshot` lists them");
    snprintf(number, sizeof number, "%llu", (unsigned long long)p->number);
    *out = connection ? session_place(SESSION_CONNECTION, number)
         : session_place(fixture ? SESSION_FIXTURE : SESSION_STATION,
                         fixture ? fixture : "");
    return 0;
}

/* Its reply comes when the PIN has been looked at, which takes its time. */
static int login_here(struct control *c, struct peer *p,
                      const struct control_request *r, struct err *e)
{
    struct roster_login l = { .badge = NULL };

    if (control_need(r, "pin", &l.pin, e) != 0 ||
        control_word(r, "badge", &l.badge, e) != 0 ||
        read_place(c, p, r, &l.at, e) != 0)
        return -1;
    return logins_ask(control_logins(c), line_roster(control_line(c)), p, r->id, &l, e);
}

static int logout(struct control *c, struct peer *p,
                  const struct control_request *r, struct err *e)
{
    struct session_place at;

    if (read_place(c, p, r, &at, e) != 0 ||
        roster_logout(line_roster(control_line(c)), &at, e) != 0)
        return -1;
    control_send(p, control_reply_ok(r->id), NULL);
    return 0;
}

json_t *control_seat_json(const struct seat *s)
{
    json_t *j = json_pack("{s:o, s:s, s:s, s:s, s:I}", "person",
                          control_string(s->who.name), "role",
                          role_names[s->who.role], "place",
                          session_where_names[s->at.where], "by",
                          s->by_badge ? "badge" : "badge-and-pin", "since",
                          (json_int_t)s->since);

    if (j && s->at.where == SESSION_FIXTURE)
        json_object_set_new(j, "fixture", control_string(s->at.name));
    return j;
}

static int who(struct control *c, struct peer *p, const struct control_request *r,
               struct err *e)
{
    json_t *all = json_array(), *j = control_reply_ok(r->id);
    struct login_rules rules;
    struct seat *v;
    size_t n = 0;

    int bad = roster_who(line_roster(control_line(c)), &v, &n, &rules, e);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(all, control_seat_json(&v[i]));
    free(v);
    json_object_set_new(j, "sessions", all);
    json_object_set_new(j, "required", json_boolean(rules.people && rules.required));
    if (bad)
        json_decref(j);
    else
        control_send(p, j, NULL);
    return bad;
}

/* The session that stands for this client: its own, else the station's; NULL: none. */
static const struct seat *seat_of(const struct peer *p, const struct seat *v, size_t n)
{
    const struct seat *station = NULL;
    char number[SESSION_NAME_MAX + 1];

    snprintf(number, sizeof number, "%llu", (unsigned long long)p->number);
    for (size_t i = 0; i < n; i++) {
        if (v[i].at.where == SESSION_CONNECTION && strcmp(v[i].at.name, number) == 0)
            return &v[i];
        if (v[i].at.where == SESSION_STATION)
            station = &v[i];
    }
    return station;
}

/* What a screen offers; a session by the badge alone is for work at the fixtures. */
static json_t *acts_of(const struct seat *s, bool people)
{
    json_t *acts = json_array();
    enum right right;

    for (int v = 0; v < CONTROL_VERBS; v++)
        if (control_needs((enum control_verb)v, &right) &&
            (!people || (s && !s->by_badge && (role_may(s->who.role, right) ||
                                               role_may_second(s->who.role, right)))))
            json_array_append_new(acts, json_string(control_verb_name((enum control_verb)v)));
    return acts;
}

/* Nobody's session is prolonged by being asked about. */
static int may_what(struct control *c, struct peer *p, const struct control_request *r,
                    struct err *e)
{
    struct login_rules rules;
    struct seat *v;
    size_t n = 0;

    if (roster_who(line_roster(control_line(c)), &v, &n, &rules, e) != 0)
        return -1;
    const struct seat *s = seat_of(p, v, n);
    json_t *j = control_reply_ok(r->id);
    json_object_set_new(j, "person", control_string(s ? s->who.name : ""));
    if (s)
        json_object_set_new(j, "role", json_string(role_names[s->who.role]));
    json_object_set_new(j, "acts", acts_of(s, rules.people));
    free(v);
    control_send(p, j, NULL);
    return 0;
}

/* --- returns ---------------------------------------------------------------------- */

/* Answered when the fixture has taken it; its verdict is told, as every one. */
static int give_back(struct control *c, struct peer *p,
                     const struct control_request *r, struct err *e)
{
    const char *fixture, *serial, *reason;

    if (control_need(r, "fixture", &fixture, e) != 0 ||
        control_need(r, "serial", &serial, e) != 0 ||
        control_need(r, "reason", &reason, e) != 0 ||
        line_return(control_line(c), fixture, serial, reason,
                    r->by[0] ? r->by : LINE_ACTOR, e) != 0)
        return -1;
    control_send(p, control_reply_ok(r->id), NULL);
    return 0;
}

/* --- what takes long ---------------------------------------------------------------- */

static int cancel(struct control *c, struct peer *p, const struct control_request *r,
                  struct err *e)
{
    const json_t *job = json_object_get(r->words, "job");

    if (!json_is_integer(job) && !json_is_string(job))
        return err_set(e, ERR_FORMAT, "'cancel' needs a member \"job\": the id of what "
                       "is not wanted any more");
    if (office_cancel(control_office(c), p->number, job, e) != 0)
        return -1;
    control_send(p, control_reply_ok(r->id), NULL);
    return 0;
}

static verb_fn *const verbs[CONTROL_VERBS] = {
    [CONTROL_SNAPSHOT] = snapshot,       [CONTROL_SUBSCRIBE] = subscribe,
    [CONTROL_UNSUBSCRIBE] = unsubscribe, [CONTROL_SCAN] = scan,
    [CONTROL_STOP] = stop,               [CONTROL_VERSION] = version,
    [CONTROL_LOGIN] = login_here,        [CONTROL_LOGOUT] = logout,
    [CONTROL_WHO] = who,                 [CONTROL_MAY] = may_what,
    [CONTROL_RETURN] = give_back,
    [CONTROL_CANCEL] = cancel,
};

/* Here, and nowhere else, it is asked whether this client may do this: of who
 * is logged in on this connection, else at the station. Looking, and logging in
 * and out, takes no right; a scan's is asked where all scans are, since it may
 * be the fixture's own person who stands behind it (roster_take). */
static int may(struct control *c, const struct peer *p, struct control_request *r,
               struct err *e)
{
    const char *named = json_string_value(json_object_get(r->words, "fixture"));
    const char *fixture = named ? line_fixture_name(control_line(c), named) : NULL;
    struct session person;
    enum right right;

    /* What the office does asks by itself. */
    if (office_does(r->verb) || !control_needs(r->verb, &right))
        return 0;
    if (roster_may(line_roster(control_line(c)), p->number, fixture ? fixture : "",
                   right, &person, e) != 0)
        return -1;
    _Static_assert(sizeof person.name == sizeof r->by, "a person's name");
    memcpy(r->by, person.name, sizeof r->by);
    return 0;
}

/* Who stands for an act of the office: asked now, since by its turn this
 * connection, and with it its session, may be gone. Whether they may, the act asks
 * by itself (acts/who.h), and once more in its transaction. */
static int pass_on(struct control *c, struct peer *p, struct control_request *r,
                   struct err *e)
{
    const char *named = json_string_value(json_object_get(r->words, "fixture"));
    const char *fixture = named ? line_fixture_name(control_line(c), named) : NULL;
    struct session person = { .person = 0 };

    if (office_acts(r->verb) &&
        roster_stands(line_roster(control_line(c)), p->number, fixture ? fixture : "",
                      &person, e) != 0)
        return -1;
    return office_ask(control_office(c), p, r, &person, e);
}

void control_answer(struct control *c, struct peer *p, struct span line)
{
    struct control_request r;
    struct err e = ERR_INIT;

    bool good = control_request_read(line, &r, &e) == 0 && may(c, p, &r, &e) == 0;
    if (good && office_does(r.verb))
        good = pass_on(c, p, &r, &e) == 0;
    else if (good)
        good = verbs[r.verb](c, p, &r, &e) == 0;
    if (!good)
        control_send(p, control_reply_refused(r.id, &e), NULL);
    /* Whatever it was, and be it no request: a PIN may stand in it. */
    control_forget_secrets(r.words);
    peer_forget(p, line);
    control_request_clear(&r);
}
