/* Tries at a PIN (storage/people.h): charged, counted, told. */
#include "storage/people.h"

#include "station/base/clock.h"
#include "storage/inner.h"

int64_t login_wait_s(int64_t failures)
{
    int64_t wait = failures > LOGIN_FREE_FAILURES ? 1 : 0;

    for (int64_t n = failures - LOGIN_FREE_FAILURES; n > 1 && wait < LOGIN_WAIT_MAX_S; n--)
        wait *= 2;
    return wait < LOGIN_WAIT_MAX_S ? wait : LOGIN_WAIT_MAX_S;
}

static int try_time(struct db *db, int64_t *out, struct err *e)
{
    struct ledger_clock c;

    if (ledger_clock(db, &c, e) != 0)
        return -1;
    int64_t machine = db_now(db);
    *out = machine > c.floor ? machine : c.floor;
    return 0;
}

struct tries {
    int64_t failures, last_at;
};

static int tries_of(struct tx *tx, const uint8_t badge[BADGE_HASH],
                    struct tries *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *out = (struct tries){ 0, 0 };
    if (q_open(&q, tx->db, "SELECT failures, last_at FROM login_try"
               " WHERE badge = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN(badge, BADGE_HASH));
    int row = q_step(&q, e);
    if (row > 0)
        *out = (struct tries){ q_get_int(&q, 0), q_get_int(&q, 1) };
    return row < 0 ? -1 : 0;
}

static int put_tries(struct tx *tx, const uint8_t badge[BADGE_HASH],
                     const struct tries *t, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT OR REPLACE INTO login_try(badge, failures,"
               " last_at) VALUES(?, ?, ?)", e) != 0)
        return -1;
    q_octets(&q, SPAN(badge, BADGE_HASH));
    q_int(&q, t->failures);
    q_int(&q, t->last_at);
    return q_run(&q, e);
}

/* Room for one more badge that nobody has. */
static int forget_strangers(struct tx *tx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "DELETE FROM login_try WHERE badge IN"
               " (SELECT badge FROM login_try WHERE badge NOT IN"
               "  (SELECT badge FROM person)"
               "  ORDER BY last_at DESC LIMIT -1 OFFSET ?)", e) != 0)
        return -1;
    q_int(&q, LOGIN_STRANGERS_MAX);
    return q_run(&q, e);
}

int login_charge(struct tx *tx, const uint8_t badge[BADGE_HASH],
                 int64_t *wait_until, struct err *e)
{
    struct tries t;
    int64_t now;

    *wait_until = 0;
    if (try_time(tx->db, &now, e) != 0 || tries_of(tx, badge, &t, e) != 0)
        return -1;
    int64_t end = t.last_at + login_wait_s(t.failures);
    if (t.failures > 0 && now < t.last_at)
        /* The clock was set back since: the wait begins anew, from here. */
        end = now + login_wait_s(t.failures);
    if (now < end) {
        *wait_until = end;
        if (now >= t.last_at)
            return 0;
        t.last_at = now;
        return put_tries(tx, badge, &t, e);
    }
    t.failures++;
    t.last_at = now;
    if (put_tries(tx, badge, &t, e) != 0)
        return -1;
    return forget_strangers(tx, e);
}

int login_clear(struct tx *tx, const uint8_t badge[BADGE_HASH], struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "DELETE FROM login_try WHERE badge = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN(badge, BADGE_HASH));
    return q_run(&q, e);
}

/* --- telling ------------------------------------------------------------------- */

static int strangers(struct tx *tx, int64_t *untold, int64_t *told_at,
                     struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *untold = 0;
    *told_at = 0;
    if (q_open(&q, tx->db, "SELECT untold, told_at FROM login_stranger", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row > 0) {
        *untold = q_get_int(&q, 0);
        *told_at = q_get_int(&q, 1);
    }
    return row < 0 ? -1 : 0;
}

static int put_strangers(struct tx *tx, int64_t untold, int64_t told_at,
                         struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT OR REPLACE INTO login_stranger(one, untold,"
               " told_at) VALUES(1, ?, ?)", e) != 0)
        return -1;
    q_int(&q, untold);
    q_int(&q, told_at);
    return q_run(&q, e);
}

static int stranger_failed(struct tx *tx, const char *reason, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    char count[NUMBER_TEXT];
    int64_t untold, told_at, now;

    if (try_time(tx->db, &now, e) != 0 ||
        strangers(tx, &untold, &told_at, e) != 0)
        return -1;
    untold++;
    if (now >= told_at && now < told_at + LOGIN_STRANGER_EVENT_S)
        return put_strangers(tx, untold, told_at, e);
    fields_add(&f, "reason", reason);
    fields_add(&f, "tries", number_text(untold, count));
    if (event_write(tx, "login-failed", "station", &f, &head, e) != 0)
        return -1;
    return put_strangers(tx, 0, now, e);
}

int login_failed(struct tx *tx, const uint8_t badge[BADGE_HASH],
                 const struct person *person, const char *reason, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    char count[NUMBER_TEXT], wait[NUMBER_TEXT];
    struct tries t;

    if (!person)
        return stranger_failed(tx, reason, e);
    if (tries_of(tx, badge, &t, e) != 0)
        return -1;
    fields_add(&f, "reason", reason);
    fields_add(&f, "person", person->name);
    fields_add(&f, "tries", number_text(t.failures, count));
    fields_add(&f, "wait-s", number_text(login_wait_s(t.failures), wait));
    return event_write(tx, "login-failed", "station", &f, &head, e);
}
