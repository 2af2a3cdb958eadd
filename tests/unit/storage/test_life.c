/* A unit's whole life, by whatever names it, and by indexes alone. */
#include "storage/life.h"

#include "storage/boards.h"
#include "storage/inner.h" /* which statements were asked, and their plans */
#include "storage/keys.h"
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <string.h>

/* --- one life ------------------------------------------------------------------- */

/* Serial SN1: eUICC 1 with BPPs 10 and 11 (per_euicc 10). */
#define BPP_INSTALLED_ONE 10
#define BPP_LOST_ONE 11

static int visit(struct tx *tx, void *ctx, struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    const struct eid eid = ground_eid(1);
    const struct failure_info early = { .code = "no-card", .serial = "SN1",
        .detail = "before it was known" };
    const struct failure_info last = { .code = "no-evidence",
        .detail = "what the card said" };
    const struct receipt_info r = { 0x73, 6, 1, 0, SPAN("receipt", 7) };
    const struct notification_info del = { .eid = eid, .seq = 5, .op = 0x10,
        .has_iccid = true, .iccid = ground_iccid(BPP_INSTALLED_ONE),
        .octets = SPAN("deleted", 7) };
    struct act a = { .actor = "Ada", .fixture = "F7" };
    struct position p;

    (void)ctx;
    if (failure_add(tx, &a, &early, e) != 0 ||
        unit_register(tx, "SN1", "main", &eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    return stock_reserve(tx, &eid, &a, &l, e) != 0 ||
           stock_load(tx, l.v[0].id, &a, e) != 0 ||
           stock_result(tx, l.v[0].id, true, CAUSE_RESULT, ground_bf37(), &a,
                        e) != 0 ||
           stock_load(tx, l.v[1].id, &a, e) != 0 ||
           stock_quarantine(tx, l.v[1].id, "key gone", &a, e) != 0 ||
           receipt_add(tx, &a, &r, e) != 0 ||
           notification_add(tx, &a, &del, NULL, e) != 0 ||
           position_move(tx, &a, POSITION_FAILED, POSITION_CAUSE_VERDICT,
                         "no-evidence", e) != 0 ||
           failure_add(tx, &a, &last, e) != 0 ? -1 : 0;
}

static void lived(struct ground *g)
{
    struct err e = ERR_INIT;

    ground_open(g);
    ground_bundle(g, 1, 10, 2, 10); /* eUICC 1: BPPs 10, 11  */
    ground_bundle(g, 2, 20, 3, 10); /* eUICC 2: 20 to 22     */
    good(db_write(g->db, visit, NULL, &e));
}

static int make(struct tx *tx, void *ctx, struct err *e)
{
    return export_add(tx, ctx, "test", e);
}

/* Loading report 1, of everything up to event `last`. */
static void report(struct ground *g, uint64_t last)
{
    struct export_info x = { .id = "report-1", .sequence = 1,
        .kind = EXPORT_LOADING_REPORT, .first_event = 1, .last_event = last,
        .created_at = GROUND_NOW, .directory = "report-1" };
    struct event_head after;
    struct err e = ERR_INIT;

    good(event_head_at(g->db, last, &after, &e));
    memcpy(x.head_after, after.hash, EVENT_HASH);
    buf_put(&x.manifest, "m", 1);
    good(db_write(g->db, make, &x, &e));
    export_clear(&x);
}

static struct life_key key(enum life_by by, unsigned n, const char *serial)
{
    return (struct life_key){ .by = by, .serial = serial, .eid = ground_eid(n),
                              .iccid = ground_iccid(n),
                              .txid = ground_txid(n) };
}

/* The life of whom this key names, who must be one. */
static void life_of(struct ground *g, struct life_key k, struct life *l)
{
    AUTO(life_subjects_clear) struct life_subjects who = { NULL, 0 };
    struct err e = ERR_INIT;

    good(life_find(g->db, &k, &who, &e));
    ck_assert_uint_eq(who.n, 1);
    good(life_read(g->db, &who.v[0], l, &e));
}

static void kind_of(const struct life *l, size_t i, char out[65])
{
    struct err e = ERR_INIT;
    struct event ev;

    good(event_decode(buf_span(&l->events[i].der), &ev, &e));
    ck_assert_uint_eq(ev.number, l->events[i].number);
    snprintf(out, 65, "%.*s", (int)ev.kind.n, (const char *)ev.kind.p);
}

static void check_euicc(const struct life *l)
{
    const struct eid eid = ground_eid(1);
    const struct life_euicc *u = &l->euiccs[0];

    ck_assert_uint_eq(l->euicc_count, 1);
    ck_assert(u->registered && eid_eq(&u->position.eid, &eid));
    ck_assert_str_eq(u->position.name, "main");
    ck_assert_int_eq(u->position.state, POSITION_FAILED);
    ck_assert(u->position.closed);
    ck_assert_int_eq(u->position.keys_left, 0);
    ck_assert_str_eq(u->position.last_code, "no-evidence");
    ck_assert_str_eq(life_failure_words(l, u), "what the card said");
    ck_assert_uint_eq(u->bpp_count, 2);
    ck_assert_int_eq(u->bpps[0].b.state, BPP_INSTALLED);
    ck_assert_uint_eq(u->bpps[0].b.attempts, 1);
    ck_assert_int_eq(u->bpps[0].installed_at, GROUND_NOW);
    ck_assert(u->bpps[0].b.deleted);
    ck_assert_int_eq(u->bpps[0].deleted_at, GROUND_NOW);
    ck_assert_int_eq(u->bpps[1].b.state, BPP_QUARANTINED);
    ck_assert_int_eq(u->bpps[1].installed_at, 0);
    ck_assert_int_eq(u->bpps[1].deleted_at, 0);
}

START_TEST(all_of_one_life)
{
    static const struct {
        enum evidence_kind kind;
        const char *what;
        size_t size;
        bool reported;
    } proof[] = {
        { EVIDENCE_FAILURE, "failure", 0, true }, /* before it was known */
        { EVIDENCE_RESULT, "result: installed", 6, true },
        { EVIDENCE_QUARANTINE, "quarantine", 0, true },
        { EVIDENCE_RECEIPT, "receipt: closed", 7, false },
        { EVIDENCE_NOTIFICATION, "notification: deleted", 7, false },
        { EVIDENCE_FAILURE, "failure", 0, false },
    };
    static const char *const told[] = {
        "bundle-imported", "failure", "unit-registered", "bpp-moved",
        "bpp-moved", "bpp-moved", "bpp-moved", "bpp-moved", "bpp-moved",
        "receipt", "notification", "bpp-deleted", "position-moved", "failure",
    };
    struct life l = { .euiccs = NULL };
    struct ground g;
    char kind[65];

    lived(&g);
    life_of(&g, key(LIFE_SERIAL, 0, "SN1"), &l);
    report(&g, l.evidence[2].event);
    life_of(&g, key(LIFE_SERIAL, 0, "SN1"), &l); /* replaced */

    ck_assert_str_eq(l.serial, "SN1");
    ck_assert(l.registered);
    check_euicc(&l);
    ck_assert_uint_eq(l.evidence_count, sizeof proof / sizeof *proof);
    for (size_t i = 0; i < l.evidence_count; i++) {
        const struct life_evidence *v = &l.evidence[i];
        ck_assert_msg(v->kind == proof[i].kind, "%zu", i);
        ck_assert_str_eq(life_evidence_what(v), proof[i].what);
        ck_assert_uint_eq(v->size, proof[i].size);
        ck_assert_int_eq(v->at, GROUND_NOW);
        ck_assert_str_eq(v->fixture, "F7");
        ck_assert_uint_eq(v->report_sequence, proof[i].reported);
        ck_assert_str_eq(v->report, proof[i].reported ? "report-1" : "");
    }
    ck_assert_uint_eq(l.event_count, sizeof told / sizeof *told);
    for (size_t i = 0; i < l.event_count; i++) {
        kind_of(&l, i, kind);
        ck_assert_msg(strcmp(kind, told[i]) == 0, "%zu: %s", i, kind);
        ck_assert(i == 0 || l.events[i].number > l.events[i - 1].number);
    }
    life_clear(&l);
    life_clear(&l); /* empty is fine */
    ground_close(&g);
}
END_TEST

/* --- who ------------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum life_by by;
    unsigned n;
    const char *serial, *want; /* "": an eUICC without unit; NULL: nobody */
} keys[] = {
    { "serial", LIFE_SERIAL, 0, "SN1", "SN1" },
    { "another case", LIFE_SERIAL, 0, "sn1", NULL },
    { "a part", LIFE_SERIAL, 0, "SN", NULL },
    { "a pattern", LIFE_SERIAL, 0, "SN%", NULL },
    { "SQL", LIFE_SERIAL, 0, "' OR 1=1 --", NULL },
    { "EID", LIFE_EID, 1, NULL, "SN1" },
    { "EID without unit", LIFE_EID, 2, NULL, "" },
    { "unknown EID", LIFE_EID, 3, NULL, NULL },
    { "EID being imported", LIFE_EID, 4, NULL, NULL },
    { "ICCID", LIFE_ICCID, BPP_LOST_ONE, NULL, "SN1" },
    { "ICCID without unit", LIFE_ICCID, 21, NULL, "" },
    { "unknown ICCID", LIFE_ICCID, 99, NULL, NULL },
    { "ICCID being imported", LIFE_ICCID, 40, NULL, NULL },
    { "txid", LIFE_TXID, BPP_INSTALLED_ONE, NULL, "SN1" },
    { "txid without unit", LIFE_TXID, 22, NULL, "" },
    { "unknown txid", LIFE_TXID, 99, NULL, NULL },
    { "txid being imported", LIFE_TXID, 40, NULL, NULL },
};

START_TEST(named_by)
{
    AUTO(life_subjects_clear) struct life_subjects who = { NULL, 0 };
    const struct life_key k = key(keys[_i].by, keys[_i].n, keys[_i].serial);
    struct err e = ERR_INIT;
    struct ground g;

    lived(&g);
    struct import *i = ground_begin(&g, 3);
    good(ground_record(i, 40, 4, 100, &e));
    good(life_find(g.db, &k, &who, &e));
    good(life_find(g.db, &k, &who, &e)); /* once */
    ck_assert_msg(who.n == (keys[_i].want != NULL), "%s: %zu", keys[_i].name,
                  who.n);
    if (who.n) {
        ck_assert_str_eq(who.v[0].serial, keys[_i].want);
        ck_assert(who.v[0].has_eid == (who.v[0].serial[0] == '\0'));
    }
    import_abort(i);
    ground_close(&g);
}
END_TEST

static int enrol(struct tx *tx, void *ctx, struct err *e)
{
    const struct eid eid = ground_eid(5);
    struct position p;

    return unit_register(tx, ctx, "main", &eid, &ground_act, &p, e);
}

/* A unit whose serial reads like another one's EID: both. */
START_TEST(two_readings)
{
    AUTO(life_subjects_clear) struct life_subjects who = { NULL, 0 };
    const struct eid eid = ground_eid(1);
    char digits[EID_DIGITS + 1];
    struct err e = ERR_INIT;
    struct ground g;

    lived(&g);
    eid_format(&eid, digits);
    good(db_write(g.db, enrol, digits, &e));
    const struct life_key serial = key(LIFE_SERIAL, 0, digits);
    const struct life_key number = key(LIFE_EID, 1, NULL);
    good(life_find(g.db, &serial, &who, &e));
    good(life_find(g.db, &number, &who, &e));
    ck_assert_uint_eq(who.n, 2);
    ck_assert_str_eq(who.v[0].serial, digits);
    ck_assert_str_eq(who.v[1].serial, "SN1");
    ground_close(&g);
}
END_TEST

static int second_position(struct tx *tx, void *ctx, struct err *e)
{
    const struct eid eid = ground_eid(2);
    struct position p;

    (void)ctx;
    return unit_register(tx, "SN1", "telematics", &eid, &ground_act, &p, e);
}

START_TEST(several_euiccs)
{
    struct life l = { .euiccs = NULL };
    struct err e = ERR_INIT;
    struct ground g;

    lived(&g);
    good(db_write(g.db, second_position, NULL, &e));
    life_of(&g, key(LIFE_TXID, 22, NULL), &l);
    ck_assert_str_eq(l.serial, "SN1");
    ck_assert_uint_eq(l.euicc_count, 2);
    ck_assert_str_eq(l.euiccs[1].position.name, "telematics");
    ck_assert_uint_eq(l.euiccs[1].bpp_count, 3);
    ck_assert_ptr_null(life_failure_words(&l, &l.euiccs[1]));
    life_clear(&l);
    ground_close(&g);
}
END_TEST

static int refuse(struct tx *tx, void *ctx, struct err *e)
{
    const struct event_field f[] = {
        { "code", "no-bpp" }, { "fixture", "F1" }, { "serial", ctx },
        { "eid", "" },
    };

    return event_append(tx, "unit-not-loaded", "line", f, 4, NULL, e);
}

static int change_board(struct tx *tx, void *ctx, struct err *e)
{
    const struct act a = { .actor = "Ada", .second = "Bob" };
    const struct stock_evidence why = { .reason = "its board is gone" };
    const struct board_change c = { "SN1", "main", ground_eid(9), "broken", false,
                                    NULL };
    struct position was;

    return board_replace(tx, &a, &c, &was, e) != 0 ||
           stock_move(tx, *(int64_t *)ctx, BPP_VOIDED, CAUSE_WRITTEN_OFF, &a, &why,
                      e) != 0 ? -1 : 0;
}

/* Its profiles and what became of them stay in the unit's life. */
START_TEST(a_board_that_was_taken_out)
{
    static const enum life_by names[] = { LIFE_SERIAL, LIFE_EID, LIFE_ICCID, LIFE_TXID };
    struct life_key k = key(names[_i], BPP_LOST_ONE, "SN1");
    const struct eid old = ground_eid(1), new = ground_eid(9);
    struct life l = { .euiccs = NULL };
    struct err e = ERR_INIT;
    struct ground g;
    char last[65];

    lived(&g);
    int64_t lost = ground_bpp(g.db, BPP_LOST_ONE).id;
    good(db_write(g.db, change_board, &lost, &e));
    k.eid = old;
    life_of(&g, k, &l);
    ck_assert_str_eq(l.serial, "SN1");
    ck_assert_uint_eq(l.euicc_count, 2);
    ck_assert(l.euiccs[0].registered && eid_eq(&l.euiccs[0].position.eid, &new));
    ck_assert(!l.euiccs[1].registered && eid_eq(&l.euiccs[1].position.eid, &old));
    ck_assert_uint_eq(l.euiccs[1].bpp_count, 2);
    ck_assert_int_eq(l.euiccs[1].bpps[0].installed_at, GROUND_NOW);
    kind_of(&l, l.event_count - 1, last); /* of the eUICC alone: no serial */
    ck_assert_str_eq(last, "bpp-moved");
    ck_assert_uint_eq(l.evidence_count, 7);
    life_clear(&l);
    ground_close(&g);
}
END_TEST

static int card_told(struct tx *tx, void *ctx, struct err *e)
{
    const struct card_key k = { .txid = ground_txid(60) };
    const struct card_keys c = { .eid = ground_eid(6), .v = &k, .n = 1 };

    (void)ctx;
    return keys_note(tx, &ground_act, &c, e);
}

START_TEST(a_key_that_a_card_told)
{
    static const enum life_by names[] = { LIFE_EID, LIFE_TXID };
    const struct life_key k = key(names[_i], _i == 0 ? 6 : 60, NULL);
    const struct eid eid = ground_eid(6);
    struct life l = { .euiccs = NULL };
    struct err e = ERR_INIT;
    struct ground g;

    lived(&g);
    good(db_write(g.db, card_told, NULL, &e));
    life_of(&g, k, &l);
    ck_assert_uint_eq(l.euicc_count, 1);
    ck_assert(eid_eq(&l.euiccs[0].position.eid, &eid));
    ck_assert_uint_eq(l.event_count, 1);
    life_clear(&l);
    ground_close(&g);
}
END_TEST

/* What was refused before it could be registered is told by events alone. */
START_TEST(never_registered)
{
    struct life_subject s = { .serial = "SN77" };
    struct life l = { .euiccs = NULL };
    struct err e = ERR_INIT;
    struct ground g;

    lived(&g);
    bad(life_read(g.db, &s, &l, &e), ERR_NOT_FOUND);
    good(db_write(g.db, refuse, "SN77", &e));
    good(db_write(g.db, refuse, "SN778", &e)); /* another one's */
    good(life_read(g.db, &s, &l, &e));
    ck_assert(!l.registered);
    ck_assert_str_eq(l.serial, "SN77");
    ck_assert_uint_eq(l.event_count, 1);
    life_clear(&l);

    /* The label was an EID, another eUICC answered. */
    s = (struct life_subject){ .has_eid = true, .eid = ground_eid(2) };
    char digits[EID_DIGITS + 1];
    good(db_write(g.db, refuse, eid_format(&s.eid, digits), &e));
    good(life_read(g.db, &s, &l, &e));
    ck_assert_uint_eq(l.event_count, 2); /* its bundle, and this */
    ck_assert(!l.euiccs[0].registered);
    ck_assert_uint_eq(l.euiccs[0].bpp_count, 3);
    life_clear(&l);
    ground_close(&g);
}
END_TEST

#define MANY 1000

/* --- a long ledger ------------------------------------------------------------------ */

static int others(struct tx *tx, void *ctx, struct err *e)
{
    for (size_t i = *(size_t *)ctx; i > 0; i--)
        if (refuse(tx, "somebody else", e) != 0)
            return -1;
    return 0;
}

static void pass_time(struct ground *g, size_t n)
{
    struct err e = ERR_INIT;

    good(db_write(g->db, others, &n, &e));
}

/* Nothing was in stock for SN5: neither BPP nor evidence, a row's word alone. */
static int fruitless(struct tx *tx, void *ctx, struct err *e)
{
    const struct eid eid = ground_eid(5);
    struct act a = ground_act;
    struct position p;

    (void)ctx;
    if (position_by_eid(tx_db(tx), &eid, &p, e) != 0)
        return -1;
    a.position = p.id;
    return position_move(tx, &a, POSITION_FAILED, POSITION_CAUSE_VERDICT, "no-bpp",
                         e) != 0 ||
           refuse(tx, "SN5", e) != 0 ? -1 : 0;
}

START_TEST(a_visit_without_evidence)
{
    struct life l = { .euiccs = NULL };
    struct err e = ERR_INIT;
    struct ground g;

    lived(&g);
    good(db_write(g.db, enrol, "SN5", &e));
    pass_time(&g, MANY);
    good(db_write(g.db, fruitless, NULL, &e));
    pass_time(&g, MANY);
    life_of(&g, key(LIFE_EID, 5, NULL), &l);
    ck_assert_uint_eq(l.event_count, 3); /* registered, moved, not loaded */
    ck_assert_uint_eq(l.evidence_count, 0);
    ck_assert_str_eq(l.euiccs[0].position.last_code, "no-bpp");
    ck_assert_ptr_null(life_failure_words(&l, &l.euiccs[0]));
    life_clear(&l);
    ground_close(&g);
}
END_TEST

/* However far apart its visits are. */
START_TEST(a_long_ledger)
{
    struct life l = { .euiccs = NULL };
    struct err e = ERR_INIT;
    struct ground g;

    lived(&g);
    pass_time(&g, MANY);
    good(db_write(g.db, refuse, "SN1", &e)); /* no row leads there */
    pass_time(&g, MANY);
    life_of(&g, key(LIFE_EID, 1, NULL), &l);
    check_euicc(&l);
    ck_assert_uint_eq(l.event_count, 15);
    ck_assert_uint_eq(l.evidence_count, 6);
    life_clear(&l);
    ground_close(&g);
}
END_TEST

/* A ledger of before there were words: they are made from its events. */
START_TEST(version_3_is_migrated)
{
    struct life l = { .euiccs = NULL };
    struct err e = ERR_INIT;
    struct ground g;

    lived(&g);
    good(db_write(g.db, refuse, "SN1", &e));
    int64_t words = ground_sql_int(&g, "SELECT count(*) FROM event_word");
    ground_back_to(&g, 3);
    ck_assert_int_ne(ground_sql(&g, "UPDATE position SET state = 6"), 0);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM event_word"), words);
    life_of(&g, key(LIFE_SERIAL, 0, "SN1"), &l);
    check_euicc(&l);
    ck_assert_uint_eq(l.event_count, 15);
    /* Wider now, and still a wall. */
    ck_assert_int_eq(ground_sql(&g, "UPDATE position SET state = 6"), 0);
    ck_assert_int_ne(ground_sql(&g, "UPDATE position SET state = 7"), 0);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM pragma_integrity_check"
                                    " WHERE integrity_check = 'ok'"), 1);
    life_clear(&l);
    ground_close(&g);
}
END_TEST

/* --- how it is found ------------------------------------------------------------------ */

/* How many of its steps walk a table or index from end to end. */
static int scans(sqlite3 *s, const char *sql)
{
    sqlite3_stmt *plan;
    char *ask = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    int n = 0;

    ck_assert_int_eq(sqlite3_prepare_v2(s, ask, -1, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(plan, 3);
        if (strncmp(step, "SCAN ", 5) == 0 &&
            strcmp(step, "SCAN CONSTANT ROW") != 0)
            n++;
    }
    sqlite3_finalize(plan);
    sqlite3_free(ask);
    return n;
}

/* All that this connection has asked is still prepared in it. */
START_TEST(by_indexes_alone)
{
    struct life l = { .euiccs = NULL };
    struct err e = ERR_INIT;
    struct ground g;
    struct db *db;
    size_t asked = 0;

    lived(&g);
    report(&g, 5);
    pass_time(&g, 10);
    db_close(g.db);
    good(db_open(g.dir, DB_READ, &g.options, &db, &e));
    g.db = db;
    life_of(&g, key(LIFE_SERIAL, 0, "SN1"), &l);
    life_of(&g, key(LIFE_EID, 2, NULL), &l);
    life_of(&g, key(LIFE_ICCID, BPP_LOST_ONE, NULL), &l);
    life_of(&g, key(LIFE_TXID, BPP_LOST_ONE, NULL), &l);
    life_clear(&l);
    for (sqlite3_stmt *s = NULL; (s = sqlite3_next_stmt(db->sql, s)) != NULL;) {
        const char *sql = sqlite3_sql(s);
        int n = scans(db->sql, sql);
        asked++;
        ck_assert_msg(n == 0, "walks a table: %s", sql);
    }
    ck_assert_uint_ge(asked, 12);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "one life", all_of_one_life, 1 },
        { "named by", named_by, sizeof keys / sizeof *keys },
        { "two readings", two_readings, 1 },
        { "several eUICCs", several_euiccs, 1 },
        { "a board taken out", a_board_that_was_taken_out, 4 },
        { "a card's key", a_key_that_a_card_told, 2 },
        { "never registered", never_registered, 1 },
        { "a long ledger", a_long_ledger, 1 },
        { "a visit without evidence", a_visit_without_evidence, 1 },
        { "version 3", version_3_is_migrated, 1 },
        { "by indexes alone", by_indexes_alone, 1 },
    };

    return run_tests("storage/life", tests, sizeof tests / sizeof *tests);
}
