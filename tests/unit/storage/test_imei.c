/* IMEIs: one at one position; another one takes two people; what was known when
 * evidence was kept stays with it. */
#include "storage/imei.h"

#include "storage/boards.h"
#include "storage/life.h"
#include "tests/unit/storage/states_ground.h"

#include <string.h>

#define SECOND "Bob"
#define A "490154203237518"
#define B "356938035643809"

struct call {
    struct act act;
    const char *imei, *reason;
    struct position was;
};

static int note_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return imei_note(tx, &c->act, c->imei, e);
}

static int note(struct bench *b, int64_t position, const char *imei, struct err *e)
{
    struct call c = { .act = b->act, .imei = imei };

    c.act.position = position;
    return db_write(b->g.db, note_tx, &c, e);
}

static int change_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;
    const struct act a = { .actor = ACTOR, .second = SECOND };

    return imei_change(tx, &a, &(struct imei_change){ "SN1", POSITION_MAIN, c->imei,
                                                      c->reason }, &c->was, e);
}

static int change(struct bench *b, const char *imei, struct err *e)
{
    struct call c = { .imei = imei, .reason = "wrong label" };

    return db_write(b->g.db, change_tx, &c, e);
}

static int other_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct position p;
    const struct eid eid = ground_eid(70);

    if (unit_register(tx, "SN7", POSITION_MAIN, &eid, &ground_act, &p, e) != 0)
        return -1;
    *(int64_t *)ctx = p.id;
    return 0;
}

/* Of the unit's own eUICC. */
static const char *eid_of(struct bench *b)
{
    static char digits[EID_DIGITS + 1];
    struct err e = ERR_INIT;
    struct position p;

    good(position_get(b->g.db, b->act.position, &p, &e));
    return eid_format(&p.eid, digits);
}

static const char *imei_of(struct bench *b)
{
    static struct position p;
    struct err e = ERR_INIT;

    good(position_get(b->g.db, b->act.position, &p, &e));
    return p.imei;
}

static void refused(int bad, const struct err *e, enum err_code code, const char *word,
                    const char *other)
{
    ck_assert_int_ne(bad, 0);
    ck_assert_int_eq(e->code, code);
    ck_assert_msg(strstr(e->msg, word) && strstr(e->msg, other), "%s", e->msg);
}

START_TEST(one_each)
{
    struct err e = ERR_INIT;
    struct position found;
    struct bench b;
    int64_t other;

    bench_open(&b);
    good(db_write(b.g.db, other_tx, &other, &e));
    ck_assert_str_eq(imei_of(&b), "");
    const struct want want[] = { { "serial", "SN1" }, { "position", POSITION_MAIN },
                                 { "eid", eid_of(&b) }, { "fixture", "F3" },
                                 { "imei", A } };
    uint64_t before = newest(&b);
    good(note(&b, b.act.position, A, &e));
    says(&b, before + 1, "imei-noted", ACTOR, want, sizeof want / sizeof *want);
    ck_assert_str_eq(imei_of(&b), A);
    good(position_by_imei(b.g.db, A, &found, &e));
    ck_assert_str_eq(found.serial, "SN1");
    /* Again: nothing happens. Another, and another's: both values, nothing changes. */
    good(note(&b, b.act.position, A, &e));
    refused(note(&b, b.act.position, B, &e), &e, ERR_CONFLICT, A, B);
    refused(note(&b, other, A, &e), &e, ERR_CONFLICT, "SN1", "SN7");
    refused(imei_judge(b.g.db, &(struct position){ .id = 0 }, A, &e), &e, ERR_CONFLICT, A,
            "SN1");
    ck_assert_uint_eq(newest(&b), before + 1);
    refused(position_by_imei(b.g.db, B, &found, &e), &e, ERR_NOT_FOUND, B, B);
    bench_close(&b);
}
END_TEST

START_TEST(two_people_change_it)
{
    struct err e = ERR_INIT;
    struct bench b;
    int64_t other;

    bench_open(&b);
    good(db_write(b.g.db, other_tx, &other, &e));
    refused(change(&b, A, &e), &e, ERR_WRONG_STATE, "SN1", "nothing to change");
    good(note(&b, b.act.position, A, &e));
    refused(change(&b, A, &e), &e, ERR_WRONG_STATE, A, "nothing to change");
    const struct want want[] = { { "serial", "SN1" }, { "position", POSITION_MAIN },
                                 { "eid", eid_of(&b) }, { "imei", A },
                                 { "new-imei", B }, { "second", SECOND },
                                 { "reason", "wrong label" } };
    uint64_t before = newest(&b);
    good(change(&b, B, &e));
    says(&b, before + 1, "imei-changed", ACTOR, want, sizeof want / sizeof *want);
    ck_assert_str_eq(imei_of(&b), B);
    /* The one that was wrong is free. */
    good(note(&b, other, A, &e));
    refused(change(&b, A, &e), &e, ERR_CONFLICT, "SN1", "SN7");
    bench_close(&b);
}
END_TEST

static int replace_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct board_change c = { .serial = "SN1", .position = POSITION_MAIN,
                                    .new_eid = ground_eid(50), .reason = "broken",
                                    .line_stands = true, .new_imei = ctx };
    const struct act a = { .actor = ACTOR, .second = SECOND };
    struct position was;

    return board_replace(tx, &a, &c, &was, e);
}

START_TEST(goes_with_its_board)
{
    struct err e = ERR_INIT;
    struct bench b;
    int64_t other;

    bench_open(&b);
    good(db_write(b.g.db, other_tx, &other, &e));
    good(note(&b, b.act.position, A, &e));
    good(note(&b, other, B, &e));
    refused(db_write(b.g.db, replace_tx, B, &e), &e, ERR_CONFLICT, B, "SN7");
    ck_assert_str_eq(imei_of(&b), A);
    char was[EID_DIGITS + 1], is[EID_DIGITS + 1];
    const struct eid new = ground_eid(50);
    memcpy(was, eid_of(&b), sizeof was);
    const struct want want[] = { { "serial", "SN1" }, { "position", POSITION_MAIN },
                                 { "eid", was }, { "new-eid", eid_format(&new, is) },
                                 { "imei", A }, { "second", SECOND },
                                 { "reason", "broken" } };
    uint64_t before = newest(&b);
    good(db_write(b.g.db, replace_tx, NULL, &e));
    says(&b, newest(&b), "board-replaced", ACTOR, want, sizeof want / sizeof *want);
    ck_assert_uint_gt(newest(&b), before);
    ck_assert_str_eq(imei_of(&b), "");
    bench_close(&b);
}
END_TEST

static int fail_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct bench *b = ctx;
    const struct failure_info f = { .code = "no-card" };

    return failure_add(tx, &b->act, &f, e);
}

static int see(void *ctx, const struct evidence_item *i, struct err *e)
{
    char *all = ctx;

    (void)e;
    strcat(strcat(all, i->imei), ",");
    return 0;
}

/* A report made again has what it had. */
START_TEST(stays_with_evidence)
{
    struct err e = ERR_INIT;
    char seen[80] = "";
    struct bench b;

    bench_open(&b);
    uint64_t from = newest(&b) + 1;
    good(db_write(b.g.db, fail_tx, &b, &e));
    good(note(&b, b.act.position, A, &e));
    good(db_write(b.g.db, fail_tx, &b, &e));
    good(change(&b, B, &e));
    good(db_write(b.g.db, fail_tx, &b, &e));
    good(evidence_walk(b.g.db, from, 0, see, seen, &e));
    ck_assert_str_eq(seen, "," A "," B ",");
    bench_close(&b);
}
END_TEST

START_TEST(reads_what_is_printed)
{
    char out[IMEI_DIGITS + 1];
    struct err e = ERR_INIT;

    good(imei_read("49-015420-323751-8", out, &e));
    ck_assert_str_eq(out, A);
    refused(imei_read("490154203237517", out, &e), &e, ERR_USAGE, "check digit", "again");
    refused(imei_read("49015420323751", out, &e), &e, ERR_USAGE, "15 digits", "again");
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "one each", one_each, 1 },
        { "two people", two_people_change_it, 1 },
        { "its board", goes_with_its_board, 1 },
        { "evidence", stays_with_evidence, 1 },
        { "as printed", reads_what_is_printed, 1 },
    };

    return run_tests("storage/imei", tests, sizeof tests / sizeof *tests);
}
