#include "tests/unit/storage/states_ground.h"

#include <stdio.h>
#include <string.h>

/* --- the whole ledger as text ------------------------------------------------ */

static const char *const dumps[] = {
    "SELECT * FROM event", "SELECT * FROM evidence", "SELECT * FROM bpp",
    "SELECT * FROM container", "SELECT * FROM unit", "SELECT * FROM position",
};

static void dump_rows(sqlite3_stmt *s, struct buf *out)
{
    while (sqlite3_step(s) == SQLITE_ROW) {
        for (int c = 0; c < sqlite3_column_count(s); c++) {
            const char type = (char)('0' + sqlite3_column_type(s, c));
            const void *p = sqlite3_column_blob(s, c);
            buf_put(out, &type, 1);
            buf_put(out, p, p ? (size_t)sqlite3_column_bytes(s, c) : 0);
            buf_put(out, "|", 1);
        }
        buf_put(out, "\n", 1);
    }
}

/* What is committed, by somebody else's eyes. */
static void dump(sqlite3 *outside, struct buf *out)
{
    buf_reset(out);
    for (size_t i = 0; i < sizeof dumps / sizeof *dumps; i++) {
        sqlite3_stmt *s = NULL;
        ck_assert_int_eq(sqlite3_prepare_v2(outside, dumps[i], -1, &s, NULL),
                         SQLITE_OK);
        dump_rows(s, out);
        sqlite3_finalize(s);
    }
    ck_assert(buf_ok(out));
}

static sqlite3 *outside_open(const struct ground *g)
{
    char path[512];
    sqlite3 *s;

    snprintf(path, sizeof path, "%s/" LEDGER_FILE, g->dir);
    ck_assert_int_eq(sqlite3_open_v2(path, &s, SQLITE_OPEN_READWRITE, NULL),
                     SQLITE_OK);
    sqlite3_busy_timeout(s, 5000);
    /* Its changes need not outlive the machine. */
    ck_assert_int_eq(sqlite3_exec(s, "PRAGMA synchronous = OFF", NULL, NULL,
                                  NULL), SQLITE_OK);
    return s;
}

int outside_run(sqlite3 *s, const char *sql)
{
    return sqlite3_exec(s, sql, NULL, NULL, NULL);
}

/* --- a ledger, and one unit in it ---------------------------------------------- */

struct enrolment {
    char serial[16];
    unsigned eid;
    struct position out;
};

static int enrol(struct tx *tx, void *ctx, struct err *e)
{
    struct enrolment *u = ctx;
    const struct eid eid = ground_eid(u->eid);
    const struct act a = { .actor = ACTOR, .fixture = "F3" };

    return unit_register(tx, u->serial, POSITION_MAIN, &eid, &a, &u->out, e);
}

int64_t position_new(struct bench *b)
{
    struct enrolment u = { .eid = ++b->units };
    struct err e = ERR_INIT;

    snprintf(u.serial, sizeof u.serial, "SN%u", b->units);
    good(db_write(b->g.db, enrol, &u, &e));
    return u.out.id;
}

void bench_open(struct bench *b)
{
    *b = (struct bench){ .before = BUF_INIT, .after = BUF_INIT };
    ground_open(&b->g);
    ground_bundle(&b->g, 1, 1, BENCH_BPPS, 1);
    b->outside = outside_open(&b->g);
    b->act = (struct act){ .actor = ACTOR, .fixture = "F3",
                             .position = position_new(b) };
    ground_now = GROUND_NOW + 60; /* the moves come after the import */
}

void bench_close(struct bench *b)
{
    ground_balanced(b->g.db);
    buf_clear(&b->before);
    buf_clear(&b->after);
    sqlite3_close(b->outside);
    ground_close(&b->g);
}

void bench_mark(struct bench *b)
{
    dump(b->outside, &b->before);
}

void bench_unchanged(struct bench *b, const char *what)
{
    dump(b->outside, &b->after);
    ck_assert_msg(span_eq(buf_span(&b->before), buf_span(&b->after)),
                  "%s changed the ledger", what);
}

/* --- what an event says ----------------------------------------------------------- */

struct said {
    const char *kind, *actor;
    const struct want *want;
    size_t n;
    unsigned seen;
};

static int say(void *ctx, uint64_t number, struct span der,
               const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct said *s = ctx;
    struct event ev;
    struct span v;

    (void)number;
    (void)hash;
    ck_assert_int_eq(event_decode(der, &ev, e), 0);
    ck_assert(span_eq(ev.kind, SPAN_STR(s->kind)));
    ck_assert(span_eq(ev.actor, SPAN_STR(s->actor)));
    ck_assert_int_eq(ev.at, ground_now);
    for (size_t i = 0; i < s->n; i++) {
        const struct want *w = &s->want[i];
        bool there = event_field_get(&ev, w->name, &v) == 0;
        ck_assert_msg(there == (w->value != NULL), "%s: field %s", s->kind,
                      w->name);
        if (there)
            ck_assert_msg(span_eq(v, SPAN_STR(w->value)), "%s is %.*s, not %s",
                          w->name, (int)v.n, (const char *)v.p, w->value);
    }
    s->seen++;
    return 0;
}

uint64_t newest(struct bench *b)
{
    struct event_head head;
    struct err e = ERR_INIT;

    good(event_head(b->g.db, &head, &e));
    return head.number;
}

void says(struct bench *b, uint64_t number, const char *kind,
          const char *actor, const struct want *want, size_t n)
{
    struct said s = { kind, actor, want, n, 0 };
    struct err e = ERR_INIT;

    ck_assert_uint_eq(newest(b), number);
    good(event_walk(b->g.db, number, 0, say, &s, &e));
    ck_assert_uint_eq(s.seen, 1);
}
