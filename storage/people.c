#include "storage/people.h"

#include "station/ifpp/event.h"
#include "storage/inner.h"

#include <openssl/sha.h>
#include <stdlib.h>

/* --- words ------------------------------------------------------------------ */

const char *const role_names[ROLES] = {
    [ROLE_OPERATOR] = "operator",
    [ROLE_ENGINEER] = "engineer",
    [ROLE_SUPERVISOR] = "supervisor",
    [ROLE_AUDITOR] = "auditor",
};

int role_parse(const char *word, enum role *out, struct err *e)
{
    for (int i = 0; i < ROLES; i++)
        if (strcmp(word, role_names[i]) == 0) {
            *out = (enum role)i;
            return 0;
        }
    return err_set(e, ERR_USAGE, "'%.80s' is no role; a role is operator, "
                   "engineer, supervisor or auditor", word);
}

/* Actors of events that are no person. Nobody may be taken for one. */
static const char *const reserved[] = {
    "engineer", "station", "line", "console", "operator", "supervisor",
    "auditor", "nobody",
};

int person_name_check(const char *name, struct err *e)
{
    size_t n = strlen(name);

    if (n == 0 || n > PERSON_NAME_MAX || !event_text_ok(SPAN(name, n)) ||
        name[0] == ' ' || name[n - 1] == ' ' || name[0] == '-')
        return err_set(e, ERR_USAGE, "that cannot be a person's name: a name is "
                       "1 to %d octets of plain text, without control "
                       "characters, without blanks at its ends or a leading '-'",
                       PERSON_NAME_MAX);
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcasecmp(name, reserved[i]) == 0)
            return err_set(e, ERR_USAGE, "'%s' is what the station's log calls "
                           "somebody without a name; choose the person's own",
                           name);
    return 0;
}

int badge_hash(const char *badge, uint8_t out[BADGE_HASH], struct err *e)
{
    size_t n = strlen(badge);
    bool plain = true;

    for (size_t i = 0; i < n; i++)
        plain &= badge[i] > ' ' && badge[i] <= '~';
    if (!plain || n < BADGE_MIN || n > BADGE_MAX)
        return err_set(e, ERR_USAGE, "that cannot be a badge: its barcode is %d "
                       "to %d printable ASCII characters without blanks",
                       BADGE_MIN, BADGE_MAX);
    SHA256((const uint8_t *)badge, n, out);
    return 0;
}

/* --- reading ------------------------------------------------------------------ */

#define PERSON_COLUMNS "person, name, role, blocked, coalesce(recovered, 0)"

static void read_person(struct q *q, struct person *out)
{
    *out = (struct person){
        .id = q_get_int(q, 0),
        .role = (enum role)q_get_int(q, 2),
        .blocked = q_get_int(q, 3) != 0,
        .recovered = (uint64_t)q_get_int(q, 4),
    };
    q_get_string(q, 1, out->name, sizeof out->name);
}

void people_clear(struct people *p)
{
    free(p->v);
    *p = (struct people){ NULL, 0 };
}

static int read_people(struct db *db, struct people *p, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT " PERSON_COLUMNS " FROM person"
               " ORDER BY name COLLATE NOCASE", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        struct person *v = list_grow(p->v, p->n, sizeof *v, e);
        if (!v)
            return -1;
        p->v = v;
        read_person(&q, &v[p->n++]);
    }
    return row;
}

int people_get(struct db *db, struct people *out, struct err *e)
{
    struct people p = { NULL, 0 };

    if (read_people(db, &p, e) != 0) {
        people_clear(&p);
        return -1;
    }
    people_clear(out);
    *out = p;
    return 0;
}

int people_any(struct db *db, bool *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT 1 FROM person LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    *out = row > 0;
    return row < 0 ? -1 : 0;
}

int person_by_name(struct db *db, const char *name, struct person *out,
                   struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT " PERSON_COLUMNS " FROM person WHERE name = ?",
               e) != 0)
        return -1;
    q_text(&q, name);
    int row = q_step(&q, e);
    if (row > 0)
        read_person(&q, out);
    return row;
}

int person_by_badge(struct db *db, const uint8_t badge[BADGE_HASH],
                    struct person *out, struct pin_hash *pin, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT " PERSON_COLUMNS ", pin_salt, pin_hash, pin_log_n,"
               " pin_r, pin_p FROM person WHERE badge = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN(badge, BADGE_HASH));
    int row = q_step(&q, e);
    if (row <= 0)
        return row;
    read_person(&q, out);
    if (pin) {
        q_get_fixed(&q, 5, pin->salt, sizeof pin->salt);
        q_get_fixed(&q, 6, pin->hash, sizeof pin->hash);
        pin->log_n = (int)q_get_int(&q, 7);
        pin->r = (int)q_get_int(&q, 8);
        pin->p = (int)q_get_int(&q, 9);
    }
    return 1;
}

/* --- changing ------------------------------------------------------------------- */

/* The badge may be nobody's but `name`'s (NULL: nobody's at all). */
static int badge_free(struct tx *tx, const uint8_t badge[BADGE_HASH],
                      const char *name, struct err *e)
{
    struct person other;

    int row = person_by_badge(tx->db, badge, &other, NULL, e);
    if (row > 0 && !(name && strcasecmp(other.name, name) == 0))
        return err_set(e, ERR_CONFLICT, "that badge is %s's already; give every "
                       "person a badge of their own", other.name);
    return row < 0 ? -1 : 0;
}

static int insert_person(struct tx *tx, const struct person_new *n,
                         uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO person(name, role, badge, pin_salt,"
               " pin_hash, pin_log_n, pin_r, pin_p, event)"
               " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", e) != 0)
        return -1;
    q_text(&q, n->name);
    q_int(&q, n->role);
    q_octets(&q, SPAN(n->badge, BADGE_HASH));
    q_octets(&q, SPAN_ARRAY(n->pin->salt));
    q_octets(&q, SPAN_ARRAY(n->pin->hash));
    q_int(&q, n->pin->log_n);
    q_int(&q, n->pin->r);
    q_int(&q, n->pin->p);
    q_int(&q, (int64_t)event);
    return q_run(&q, e);
}

/* Who adds the first person is that person. */
static int first_check(struct tx *tx, const struct person_new *n, struct err *e)
{
    bool any;

    if (people_any(tx->db, &any, e) != 0)
        return -1;
    if (any)
        return err_set(e, ERR_WRONG_STATE, "this station knows people already; "
                       "say who adds one: --as BADGE");
    if (n->role != ROLE_SUPERVISOR)
        return err_set(e, ERR_USAGE, "the first person of a station is a "
                       "supervisor: --role supervisor");
    return 0;
}

int person_add(struct tx *tx, const struct person_new *n, const char *actor,
               struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct person other;

    if (person_name_check(n->name, e) != 0 ||
        (!actor && first_check(tx, n, e) != 0))
        return -1;
    int row = person_by_name(tx->db, n->name, &other, e);
    if (row > 0)
        return err_set(e, ERR_CONFLICT, "somebody is called %s already; names "
                       "are never used twice", other.name);
    if (row < 0 || badge_free(tx, n->badge, NULL, e) != 0)
        return -1;
    fields_add(&f, "person", n->name);
    fields_add(&f, "role", role_names[n->role]);
    if (!actor)
        fields_add(&f, "first", "yes");
    if (event_write(tx, "person-added", actor ? actor : n->name, &f, &head, e) != 0 ||
        insert_person(tx, n, head.number, e) != 0)
        return -1;
    return login_clear(tx, n->badge, e);
}

static int find_person(struct tx *tx, const char *name, struct person *out,
                       struct err *e)
{
    int row = person_by_name(tx->db, name, out, e);

    if (row == 0)
        return err_set(e, ERR_NOT_FOUND, "nobody here is called '%.80s'; "
                       "`lineside people` lists them", name);
    return row < 0 ? -1 : 0;
}

/* sql: an UPDATE of one number, the event and WHERE person. */
static int set_number(struct tx *tx, const char *sql, int64_t id, int64_t value,
                      uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, sql, e) != 0)
        return -1;
    q_int(&q, value);
    q_int(&q, (int64_t)event);
    q_int(&q, id);
    return q_run(&q, e);
}

/* Somebody must be left who may add, unblock and give PINs. */
static int others_left(struct tx *tx, const struct person *p, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (p->role != ROLE_SUPERVISOR || p->blocked)
        return 0;
    if (q_open(&q, tx->db, "SELECT 1 FROM person WHERE role = ? AND blocked = 0"
               " AND person <> ? LIMIT 1", e) != 0)
        return -1;
    q_int(&q, ROLE_SUPERVISOR);
    q_int(&q, p->id);
    int row = q_step(&q, e);
    if (row == 0)
        return err_set(e, ERR_WRONG_STATE, "%s is the last active supervisor; "
                       "make another one first", p->name);
    return row < 0 ? -1 : 0;
}

int person_set_role(struct tx *tx, const char *name, enum role role,
                    const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct person p;

    if (find_person(tx, name, &p, e) != 0)
        return -1;
    if (p.role == role)
        return 0;
    if (others_left(tx, &p, e) != 0)
        return -1;
    fields_add(&f, "person", p.name);
    fields_add(&f, "from", role_names[p.role]);
    fields_add(&f, "to", role_names[role]);
    if (event_write(tx, "person-changed", actor, &f, &head, e) != 0)
        return -1;
    return set_number(tx, "UPDATE person SET role = ?, event = ?"
                      " WHERE person = ?", p.id, role, head.number, e);
}

static int write_blocked(struct tx *tx, bool blocked, const char *actor,
                         const struct fields *f, struct event_head *head,
                         struct err *e)
{
    return blocked ? event_write(tx, "person-blocked", actor, f, head, e)
                   : event_write(tx, "person-unblocked", actor, f, head, e);
}

int person_set_blocked(struct tx *tx, const char *name, bool blocked,
                       const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct person p;

    if (find_person(tx, name, &p, e) != 0)
        return -1;
    if (p.blocked == blocked)
        return 0;
    if (blocked && others_left(tx, &p, e) != 0)
        return -1;
    fields_add(&f, "person", p.name);
    if (write_blocked(tx, blocked, actor, &f, &head, e) != 0)
        return -1;
    return set_number(tx, "UPDATE person SET blocked = ?, event = ?"
                      " WHERE person = ?", p.id, blocked, head.number, e);
}

static int put_badge(struct tx *tx, int64_t id, const uint8_t badge[BADGE_HASH],
                     uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE person SET badge = ?, event = ?"
               " WHERE person = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN(badge, BADGE_HASH));
    q_int(&q, (int64_t)event);
    q_int(&q, id);
    return q_run(&q, e);
}

int person_set_badge(struct tx *tx, const char *name,
                     const uint8_t badge[BADGE_HASH], const char *actor,
                     struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct person p;

    if (find_person(tx, name, &p, e) != 0 ||
        badge_free(tx, badge, NULL, e) != 0)
        return -1;
    fields_add(&f, "person", p.name);
    if (event_write(tx, "badge-changed", actor, &f, &head, e) != 0 ||
        put_badge(tx, p.id, badge, head.number, e) != 0)
        return -1;
    return login_clear(tx, badge, e);
}

static int put_pin(struct tx *tx, int64_t id, const struct pin_hash *pin,
                   uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE person SET pin_salt = ?, pin_hash = ?,"
               " pin_log_n = ?, pin_r = ?, pin_p = ?, event = ?"
               " WHERE person = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(pin->salt));
    q_octets(&q, SPAN_ARRAY(pin->hash));
    q_int(&q, pin->log_n);
    q_int(&q, pin->r);
    q_int(&q, pin->p);
    q_int(&q, (int64_t)event);
    q_int(&q, id);
    return q_run(&q, e);
}

static int clear_tries_of(struct tx *tx, int64_t id, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "DELETE FROM login_try WHERE badge ="
               " (SELECT badge FROM person WHERE person = ?)", e) != 0)
        return -1;
    q_int(&q, id);
    return q_run(&q, e);
}

int person_set_pin(struct tx *tx, const char *name, const struct pin_hash *pin,
                   const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct person p;

    if (find_person(tx, name, &p, e) != 0)
        return -1;
    fields_add(&f, "person", p.name);
    if (event_write(tx, "pin-changed", actor, &f, &head, e) != 0 ||
        put_pin(tx, p.id, pin, head.number, e) != 0)
        return -1;
    return clear_tries_of(tx, p.id, e);
}

/* --- the way back ---------------------------------------------------------------- */

static int put_supervisor(struct tx *tx, const struct person_new *n,
                          const struct person *was, uint64_t event, struct err *e)
{
    struct person now;

    if (!was)
        return insert_person(tx, n, event, e) != 0 ||
                       person_by_name(tx->db, n->name, &now, e) != 1 ||
                       set_number(tx, "UPDATE person SET recovered = ?,"
                                  " event = ? WHERE person = ?", now.id,
                                  (int64_t)event, event, e) != 0
                   ? -1 : 0;
    if (put_badge(tx, was->id, n->badge, event, e) != 0 ||
        put_pin(tx, was->id, n->pin, event, e) != 0 ||
        set_number(tx, "UPDATE person SET role = ?, event = ? WHERE person = ?",
                   was->id, ROLE_SUPERVISOR, event, e) != 0 ||
        set_number(tx, "UPDATE person SET blocked = ?, event = ?"
                   " WHERE person = ?", was->id, 0, event, e) != 0)
        return -1;
    return set_number(tx, "UPDATE person SET recovered = ?, event = ?"
                      " WHERE person = ?", was->id, (int64_t)event, event, e);
}

int people_recover(struct tx *tx, const struct person_new *n,
                   const char *terminal, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct person was;
    bool any;

    if (person_name_check(n->name, e) != 0 || people_any(tx->db, &any, e) != 0)
        return -1;
    if (!any)
        return err_set(e, ERR_WRONG_STATE, "this station knows nobody, so there "
                       "is nothing to recover; make the first supervisor with "
                       "`lineside people add`");
    int known = person_by_name(tx->db, n->name, &was, e);
    if (known < 0 || badge_free(tx, n->badge, n->name, e) != 0)
        return -1;
    fields_add(&f, "person", known ? was.name : n->name);
    if (known) {
        fields_add(&f, "role-before", role_names[was.role]);
        fields_add(&f, "blocked-before", was.blocked ? "yes" : "no");
    }
    fields_add(&f, "terminal", terminal);
    if (event_write(tx, "people-recovered", "console", &f, &head, e) != 0 ||
        put_supervisor(tx, n, known ? &was : NULL, head.number, e) != 0)
        return -1;
    return login_clear(tx, n->badge, e);
}
