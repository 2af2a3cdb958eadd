#include "storage/sessions.h"

#include "storage/inner.h"
#include "storage/people.h"

#include <stdlib.h>

const char *const session_where_names[SESSION_WHERES] = {
    [SESSION_STATION] = "station",
    [SESSION_FIXTURE] = "fixture",
    [SESSION_CONNECTION] = "connection",
};

/* --- rules ------------------------------------------------------------------- */

int login_rules_get(struct db *db, struct login_rules *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *out = (struct login_rules){ .idle_s = IDLE_DEFAULT_S };
    if (q_open(&q, db, "SELECT EXISTS(SELECT 1 FROM person), required,"
               " badge_alone, idle_s, badge_prefix, ended"
               " FROM (SELECT 1 AS one) LEFT JOIN login_rules USING(one)", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row <= 0)
        return row < 0 ? -1 : err_set(e, ERR_FORMAT, "no rules of logging in");
    out->people = q_get_int(&q, 0) != 0;
    if (q_is_null(&q, 1))
        return 0;
    out->required = q_get_int(&q, 1) != 0;
    out->badge_alone = q_get_int(&q, 2) != 0;
    out->idle_s = (int)q_get_int(&q, 3);
    q_get_string(&q, 4, out->badge_prefix, sizeof out->badge_prefix);
    out->ended = (uint64_t)q_get_int(&q, 5);
    return 0;
}

static int rules_check(const struct login_rules *r, struct err *e)
{
    size_t n = strlen(r->badge_prefix);

    if (r->idle_s < IDLE_MIN_S || r->idle_s > IDLE_MAX_S)
        return err_set(e, ERR_USAGE, "a session may be idle for %d to %d minutes",
                       IDLE_MIN_S / 60, IDLE_MAX_S / 60);
    for (size_t i = 0; i < n; i++)
        if (r->badge_prefix[i] <= ' ' || r->badge_prefix[i] > '~')
            return err_set(e, ERR_USAGE, "badges begin with printable ASCII "
                           "characters without blanks, at most %d",
                           BADGE_PREFIX_MAX);
    return 0;
}

static int put_rules(struct tx *tx, const struct login_rules *r, uint64_t ended,
                     uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT OR REPLACE INTO login_rules(one, required,"
               " badge_alone, idle_s, badge_prefix, ended, event)"
               " VALUES(1, ?, ?, ?, ?, ?, ?)", e) != 0)
        return -1;
    q_int(&q, r->required);
    q_int(&q, r->badge_alone);
    q_int(&q, r->idle_s);
    q_text(&q, r->badge_prefix);
    q_int(&q, (int64_t)ended);
    q_int(&q, (int64_t)event);
    return q_run(&q, e);
}

int login_rules_set(struct tx *tx, const struct login_rules *r,
                    const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct login_rules was;
    char idle[NUMBER_TEXT];

    if (rules_check(r, e) != 0 || login_rules_get(tx->db, &was, e) != 0)
        return -1;
    if (was.required == r->required && was.badge_alone == r->badge_alone &&
        was.idle_s == r->idle_s && strcmp(was.badge_prefix, r->badge_prefix) == 0)
        return 0;
    fields_add(&f, "required", r->required ? "yes" : "no");
    fields_add(&f, "badge-alone", r->badge_alone ? "yes" : "no");
    fields_add(&f, "idle-s", number_text(r->idle_s, idle));
    if (r->badge_prefix[0])
        fields_add(&f, "badge-prefix", r->badge_prefix);
    if (event_write(tx, "login-rules-changed", actor, &f, &head, e) != 0)
        return -1;
    return put_rules(tx, r, was.ended, head.number, e);
}

int sessions_end_all(struct tx *tx, const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct login_rules rules;

    if (login_rules_get(tx->db, &rules, e) != 0 ||
        event_write(tx, "sessions-ended", actor, &f, &head, e) != 0)
        return -1;
    return put_rules(tx, &rules, head.number, head.number, e);
}

/* --- sessions ------------------------------------------------------------------- */

static void place_of_note(struct fields *f, const struct session_note *n)
{
    fields_add(f, "person", n->person);
    fields_add(f, "place", session_where_names[n->where]);
    if (n->where == SESSION_FIXTURE)
        fields_add(f, "fixture", n->name);
}

int session_opened(struct tx *tx, const struct session_note *n, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fields f = { .n = 0 };
    struct event_head head;
    struct person p;

    int row = person_by_name(tx->db, n->person, &p, e);
    if (row <= 0)
        return row < 0 ? -1 : err_set(e, ERR_NOT_FOUND, "nobody here is called "
                                      "'%.80s'", n->person);
    place_of_note(&f, n);
    fields_add(&f, "by", n->by_badge ? "badge" : "badge-and-pin");
    if (event_write(tx, "session-opened", n->person, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "INSERT OR REPLACE INTO session(place, name, person, event)"
               " VALUES(?, ?, ?, ?)", e) != 0)
        return -1;
    q_int(&q, n->where);
    q_text(&q, n->name);
    q_int(&q, p.id);
    q_int(&q, (int64_t)head.number);
    return q_run(&q, e);
}

/* 1 there was one, 0 none, -1 error. */
static int forget(struct tx *tx, const struct session_note *n, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "DELETE FROM session WHERE place = ? AND name = ?"
               " RETURNING 1", e) != 0)
        return -1;
    q_int(&q, n->where);
    q_text(&q, n->name);
    int row = q_step(&q, e);
    if (row > 0 && q_step(&q, e) < 0)
        return -1;
    return row;
}

int session_closed(struct tx *tx, const struct session_note *n, const char *why,
                   const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;

    int had = forget(tx, n, e);
    if (had <= 0)
        return had;
    place_of_note(&f, n);
    fields_add(&f, "why", why);
    return event_write(tx, "session-closed", actor, &f, &head, e);
}

struct leftover {
    enum session_where where;
    char name[64], person[PERSON_NAME_MAX + 1];
};

static int first_session(struct db *db, struct leftover *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT s.place, s.name, p.name FROM session s"
               " JOIN person p USING(person) LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row > 0) {
        out->where = (enum session_where)q_get_int(&q, 0);
        q_get_string(&q, 1, out->name, sizeof out->name);
        q_get_string(&q, 2, out->person, sizeof out->person);
    }
    return row;
}

int sessions_leftovers(struct tx *tx, const char *actor, struct err *e)
{
    struct leftover l;
    int row;

    while ((row = first_session(tx->db, &l, e)) > 0) {
        const struct session_note n = { .where = l.where, .name = l.name,
                                        .person = l.person };
        if (session_closed(tx, &n, "line-died", actor, e) != 0)
            return -1;
    }
    return row;
}
