#include "storage/health.h"

#include "storage/inner.h"
#include "storage/places.h"

#include <stdlib.h>

const char *const contact_names[CONTACT_PROBLEMS] = {
    [CONTACT_ATR_MISSING] = "atr-missing", [CONTACT_RESET] = "resets",
    [CONTACT_SLOWER] = "slower",           [CONTACT_TIMEOUT] = "timeouts",
    [CONTACT_TRANSPORT] = "transport",
};

/* --- reading ------------------------------------------------------------------ */

#define COLUMNS "fixture, name, cycles, atr_missing, resets, slower, timeouts," \
    " transport, serviced_at, cycle_limit, due, stopped, reason, in_row, judged," \
    " recent, proven_at, took"

/* Two octets each, the newest last; of the oldest there may be none. */
static void read_took(struct span took, struct fixture_health *h)
{
    size_t n = took.n / 2 < h->recent_n ? took.n / 2 : h->recent_n;
    const uint8_t *from = took.p + took.n - 2 * n;

    for (size_t i = 0; i < n; i++)
        h->took[h->recent_n - n + i] = (uint16_t)(from[2 * i] << 8 | from[2 * i + 1]);
}

static void read_row(struct q *q, struct fixture_health *h)
{
    *h = (struct fixture_health){ .stopped = !q_is_null(q, 11) };
    q_get_string(q, 0, h->fixture, sizeof h->fixture);
    q_get_string(q, 1, h->name, sizeof h->name);
    h->all.cycles = (uint64_t)q_get_int(q, 2);
    for (int i = 0; i < CONTACT_PROBLEMS; i++)
        h->all.v[i] = (uint64_t)q_get_int(q, 3 + i);
    h->serviced_at = (uint64_t)q_get_int(q, 8);
    h->cycle_limit = (uint64_t)q_get_int(q, 9);
    h->due = !q_is_null(q, 10);
    q_get_string(q, 12, h->reason, sizeof h->reason);
    h->in_row = (unsigned)q_get_int(q, 13);
    h->judged = (unsigned)q_get_int(q, 14);
    struct span recent = q_get_octets(q, 15);
    h->recent_n = recent.n < sizeof h->recent ? recent.n : sizeof h->recent;
    if (h->recent_n)
        memcpy(h->recent, recent.p, h->recent_n);
    h->proven_at = q_get_int(q, 16);
    read_took(q_get_octets(q, 17), h);
}

void health_name(const char *name, char out[HEALTH_NAME_MAX + 1])
{
    text_plain(name, out, HEALTH_NAME_MAX);
}

int health_get(struct db *db, const char *fixture, struct fixture_health *out,
               struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT " COLUMNS " FROM fixture_health"
               " WHERE fixture = ?", e) != 0)
        return -1;
    q_text(&q, fixture);
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (row) {
        read_row(&q, out);
        return 0;
    }
    *out = (struct fixture_health){ .stopped = false };
    health_name(fixture, out->fixture);
    memcpy(out->name, out->fixture, sizeof out->name);
    return 0;
}

void fixture_healths_clear(struct fixture_healths *l)
{
    free(l->v);
    *l = (struct fixture_healths){ NULL, 0 };
}

int health_all(struct db *db, struct fixture_healths *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    fixture_healths_clear(out);
    if (q_open(&q, db, "SELECT " COLUMNS " FROM fixture_health"
               " ORDER BY fixture", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        struct fixture_health *v = list_grow(out->v, out->n, sizeof *v, e);
        if (!v) {
            row = -1;
            break;
        }
        out->v = v;
        read_row(&q, &v[out->n++]);
    }
    if (row < 0)
        fixture_healths_clear(out);
    return row;
}

/* A label that moved to another place names the one that has it now; a place
 * is one even before anything was plugged in there. */
int health_find(struct db *db, const char *called,
                char fixture[HEALTH_NAME_MAX + 1], struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (place_ok(called)) {
        memcpy(fixture, called, strlen(called) + 1);
        return 0;
    }
    if (q_open(&q, db, "SELECT place, 0 AS turn FROM fixture_place"
               " WHERE label = ?1 UNION ALL"
               " SELECT fixture, 1 FROM fixture_health WHERE fixture = ?2"
               " ORDER BY turn LIMIT 1", e) != 0)
        return -1;
    q_text(&q, called);
    q_text(&q, called);
    int row = q_step(&q, e);
    if (row > 0)
        q_get_string(&q, 0, fixture, HEALTH_NAME_MAX + 1);
    if (row == 0)
        err_set(e, ERR_NOT_FOUND, "no fixture is called %.80s; `lineside fixtures "
                "health` lists those that were at work", called);
    return row > 0 ? 0 : -1;
}

/* --- writing ------------------------------------------------------------------ */

/* Fields that every event about a fixture begins with. */
static void name_fields(struct fields *f, const struct fixture_health *h)
{
    fields_add(f, "fixture", h->name);
    if (strcmp(h->name, h->fixture) != 0)
        fields_add(f, "place", h->fixture);
}

int health_keep(struct tx *tx, const struct fixture_health *h, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    uint8_t took[2 * HEALTH_RECENT_MAX];

    for (size_t i = 0; i < h->recent_n; i++) {
        took[2 * i] = (uint8_t)(h->took[i] >> 8);
        took[2 * i + 1] = (uint8_t)h->took[i];
    }
    if (q_open(&q, tx->db, "INSERT INTO fixture_health(fixture, name, cycles,"
               " atr_missing, resets, slower, timeouts, transport, in_row, judged,"
               " recent, took) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
               " ?12) ON CONFLICT(fixture) DO UPDATE SET name = ?2, cycles = ?3,"
               " atr_missing = ?4, resets = ?5, slower = ?6, timeouts = ?7,"
               " transport = ?8, in_row = ?9, judged = ?10, recent = ?11,"
               " took = ?12", e) != 0)
        return -1;
    q_text(&q, h->fixture);
    q_text(&q, h->name);
    q_int(&q, (int64_t)h->all.cycles);
    for (int i = 0; i < CONTACT_PROBLEMS; i++)
        q_int(&q, (int64_t)h->all.v[i]);
    q_int(&q, h->in_row);
    q_int(&q, h->judged);
    q_octets(&q, SPAN(h->recent, h->recent_n));
    q_octets(&q, SPAN(took, 2 * h->recent_n));
    return q_run(&q, e);
}

static int set_stopped(struct tx *tx, const char *fixture, uint64_t event,
                       const char *reason, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE fixture_health SET stopped = ?2, reason = ?3"
               " WHERE fixture = ?1", e) != 0)
        return -1;
    q_text(&q, fixture);
    q_int_or_null(&q, (int64_t)event);
    q_text(&q, reason);
    return q_run(&q, e);
}

int health_stop(struct tx *tx, const struct fixture_health *h, const char *cause,
                const char *reason, const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;

    if (h->stopped)
        return 0;
    name_fields(&f, h);
    fields_add(&f, "cause", cause);
    fields_add(&f, "reason", reason);
    if (event_write(tx, "fixture-stopped", actor, &f, &head, e) != 0 ||
        health_keep(tx, h, e) != 0)
        return -1;
    return set_stopped(tx, h->fixture, head.number, reason, e);
}

int health_release(struct tx *tx, const char *fixture, const char *cause,
                   const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct fixture_health h;
    struct event_head head;

    if (health_get(tx->db, fixture, &h, e) != 0)
        return -1;
    if (!h.stopped)
        return err_set(e, ERR_WRONG_STATE, "fixture %s is not stopped", h.name);
    name_fields(&f, &h);
    fields_add(&f, "cause", cause);
    h.in_row = h.judged = 0;
    if (event_write(tx, "fixture-released", actor, &f, &head, e) != 0 ||
        health_keep(tx, &h, e) != 0)
        return -1;
    return set_stopped(tx, fixture, 0, "", e);
}

/* --- maintenance ---------------------------------------------------------------- */

/* due: the event that told that the limit is reached; 0: none yet. */
static int set_service(struct tx *tx, const struct fixture_health *h,
                       uint64_t due, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (health_keep(tx, h, e) != 0 ||
        q_open(&q, tx->db, "UPDATE fixture_health SET serviced_at = ?2,"
               " cycle_limit = ?3, due = ?4 WHERE fixture = ?1", e) != 0)
        return -1;
    q_text(&q, h->fixture);
    q_int(&q, (int64_t)h->serviced_at);
    q_int(&q, (int64_t)h->cycle_limit);
    q_int_or_null(&q, (int64_t)due);
    return q_run(&q, e);
}

static void number_field(struct fields *f, const char *name, uint64_t v,
                         char text[NUMBER_TEXT])
{
    fields_add(f, name, number_text((int64_t)v, text));
}

int health_set_limit(struct tx *tx, const char *fixture, uint64_t limit,
                     const char *actor, struct err *e)
{
    char text[NUMBER_TEXT];
    struct fields f = { .n = 0 };
    struct fixture_health h;
    struct event_head head;

    if (health_get(tx->db, fixture, &h, e) != 0)
        return -1;
    if (limit > INT64_MAX)
        return err_set(e, ERR_USAGE, "no fixture lives that many cycles");
    if (h.cycle_limit == limit)
        return 0;
    h.cycle_limit = limit;
    name_fields(&f, &h);
    number_field(&f, "limit", limit, text);
    if (event_write(tx, "fixture-maintenance-limit", actor, &f, &head, e) != 0)
        return -1;
    return set_service(tx, &h, 0, e); /* it is told by the next unit there */
}

int health_due(struct tx *tx, const struct fixture_health *h, const char *actor,
               struct err *e)
{
    char cycles[NUMBER_TEXT], limit[NUMBER_TEXT];
    struct fields f = { .n = 0 };
    struct event_head head;

    if (h->due)
        return 0;
    name_fields(&f, h);
    number_field(&f, "cycles", h->all.cycles - h->serviced_at, cycles);
    number_field(&f, "limit", h->cycle_limit, limit);
    if (event_write(tx, "fixture-maintenance-due", actor, &f, &head, e) != 0)
        return -1;
    return set_service(tx, h, head.number, e);
}

int health_maintained(struct tx *tx, const char *fixture, const char *actor,
                      struct err *e)
{
    char text[NUMBER_TEXT];
    struct fields f = { .n = 0 };
    struct fixture_health h;
    struct event_head head;

    if (health_get(tx->db, fixture, &h, e) != 0)
        return -1;
    name_fields(&f, &h);
    number_field(&f, "cycles", h.all.cycles - h.serviced_at, text);
    h.serviced_at = h.all.cycles;
    if (event_write(tx, "fixture-maintained", actor, &f, &head, e) != 0)
        return -1;
    return set_service(tx, &h, 0, e);
}

/* --- limits --------------------------------------------------------------------- */

int health_limits(struct db *db, struct health_limits *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *out = HEALTH_LIMITS_DEFAULT;
    if (q_open(&q, db, "SELECT failures, yield, units, golden_hours"
               " FROM fixture_limits", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row > 0)
        *out = (struct health_limits){ (unsigned)q_get_int(&q, 0),
                                       (unsigned)q_get_int(&q, 1),
                                       (unsigned)q_get_int(&q, 2),
                                       (unsigned)q_get_int(&q, 3) };
    return row < 0 ? -1 : 0;
}

static int check_limits(const struct health_limits *l, struct err *e)
{
    if (l->failures > HEALTH_FAILURES_MAX)
        return err_set(e, ERR_USAGE, "failures in a row: 0 (none stop a fixture) "
                       "to %d", HEALTH_FAILURES_MAX);
    if (l->yield > 100)
        return err_set(e, ERR_USAGE, "a yield is 0 (never) to 100 per cent");
    if (l->units < 1 || l->units > HEALTH_UNITS_MAX)
        return err_set(e, ERR_USAGE, "a yield is that of the last 1 to %d units",
                       HEALTH_UNITS_MAX);
    if (l->golden_hours > HEALTH_HOURS_MAX)
        return err_set(e, ERR_USAGE, "golden within 0 (no need) to %d hours",
                       HEALTH_HOURS_MAX);
    return 0;
}

static int keep_limits(struct tx *tx, const struct health_limits *l,
                       uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT OR REPLACE INTO fixture_limits(one, failures,"
               " yield, units, golden_hours, event) VALUES(1, ?, ?, ?, ?, ?)",
               e) != 0)
        return -1;
    q_int(&q, l->failures);
    q_int(&q, l->yield);
    q_int(&q, l->units);
    q_int(&q, l->golden_hours);
    q_int(&q, (int64_t)event);
    return q_run(&q, e);
}

int health_limits_set(struct tx *tx, const struct health_limits *l,
                      const char *actor, struct err *e)
{
    char text[4][NUMBER_TEXT];
    struct fields f = { .n = 0 };
    struct health_limits now;
    struct event_head head;

    if (check_limits(l, e) != 0 || health_limits(tx->db, &now, e) != 0)
        return -1;
    if (memcmp(&now, l, sizeof now) == 0)
        return 0;
    number_field(&f, "failures", l->failures, text[0]);
    number_field(&f, "yield", l->yield, text[1]);
    number_field(&f, "units", l->units, text[2]);
    number_field(&f, "golden-hours", l->golden_hours, text[3]);
    if (event_write(tx, "fixture-limits-set", actor, &f, &head, e) != 0)
        return -1;
    return keep_limits(tx, l, head.number, e);
}
