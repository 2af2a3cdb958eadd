/* What the line engineer says of places on the bus. */
#include "storage/places.h"
#include "storage/stands.h"
#include "tests/unit/storage/ledger_ground.h"

#include <string.h>

#define ACTOR "engineer"

static const struct {
    const char *place;
    bool ok;
} paths[] = {
    { "1-2", true },
    { "1-2.4", true },
    { "255-1.2.3.4.5.6.7", true },
    { "1-0.255", true },
    { "1-2.4:0", true },
    { "1-2.4:15", true },
    { "", false },
    { "1", false },
    { "1-", false },
    { "1-2.", false },
    { "1-2:", false },
    { "-2", false },
    { "1-02", false },
    { "1-2..4", false },
    { "1-2.4:1:2", false },
    { "1-2.4 ", false },
    { "1-1.2.3.4.5.6.7.8", false },
    { "1234-1", false },
    { "usb1", false },
    { "F1", false },
};

START_TEST(what_a_place_is)
{
    ck_assert_msg(place_ok(paths[_i].place) == paths[_i].ok, "'%s'",
                  paths[_i].place);
}
END_TEST

START_TEST(behind_a_hub)
{
    ck_assert(place_within("1-2", "1-2"));
    ck_assert(place_within("1-2.4", "1-2"));
    ck_assert(place_within("1-2.4:1", "1-2"));
    ck_assert(place_within("1-2:1", "1-2"));
    ck_assert(!place_within("1-24", "1-2"));
    ck_assert(!place_within("1-2", "1-2.4"));
    ck_assert(!place_within("2-2", "1-2"));
}
END_TEST

/* --- the acts ----------------------------------------------------------------- */

struct words {
    const char *place, *label;
    bool allowed;
};

static int label(struct tx *tx, void *ctx, struct err *e)
{
    const struct words *w = ctx;

    return place_label(tx, w->place, w->label, ACTOR, e);
}

static int allow(struct tx *tx, void *ctx, struct err *e)
{
    const struct words *w = ctx;

    return place_allow(tx, w->place, w->allowed, ACTOR, e);
}

static int set_scanner(struct tx *tx, void *ctx, struct err *e)
{
    return scanner_set(tx, ctx, ACTOR, e);
}

static int drop_scanner(struct tx *tx, void *ctx, struct err *e)
{
    return scanner_remove(tx, ctx, ACTOR, e);
}

#define LABEL(p, l) db_write(g.db, label, &(struct words){ p, l, false }, &e)
#define ALLOW(p, a) db_write(g.db, allow, &(struct words){ p, "", a }, &e)

static uint64_t events(struct ground *g)
{
    struct event_head head;
    struct err e = ERR_INIT;

    good(event_head(g->db, &head, &e));
    return head.number;
}

START_TEST(labels)
{
    struct places p = { 0 };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(LABEL("1-2.4", "LEFT-2"));
    good(LABEL("1-2.3", "LEFT-1"));
    uint64_t n = events(&g);
    good(LABEL("1-2.4", "LEFT-2")); /* said again: nothing happens */
    ck_assert_uint_eq(events(&g), n);
    bad(LABEL("1-2.9", "LEFT-2"), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "1-2.4"));
    ck_assert_uint_eq(events(&g), n);

    ground_reopen(&g);
    good(places_get(g.db, &p, &e));
    ck_assert_uint_eq(p.n, 2);
    ck_assert_str_eq(places_find(&p, "1-2.4")->label, "LEFT-2");
    ck_assert_ptr_null(places_find(&p, "1-2.9"));

    good(LABEL("1-2.4", ""));         /* the name goes ... */
    good(LABEL("1-2.9", "LEFT-2"));   /* ... and may be given anew */
    good(places_get(g.db, &p, &e));
    ck_assert_str_eq(places_find(&p, "1-2.4")->label, "");
    ck_assert_str_eq(places_find(&p, "1-2.9")->label, "LEFT-2");
    places_clear(&p);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static const struct {
    const char *place, *label;
} refused[] = {
    { "F1", "A" },
    { "1-2.4.", "A" },
    { "1-2", "with blank" },
    { "1-2", "tab\there" },
    { "1-2", "\x01" },
    { "1-2", "\xFF" },
    { "1-2", "1-3" }, /* reads like another place */
    { "1-2", "0123456789012345678901234567890123456789012345678901234567890123" },
};

START_TEST(bad_words)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    bad(LABEL(refused[_i].place, refused[_i].label), ERR_USAGE);
    ck_assert_uint_eq(events(&g), 0);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM fixture_place"), 0);
    ground_close(&g);
}
END_TEST

START_TEST(the_allow_list)
{
    struct places p = { 0 };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(places_get(g.db, &p, &e));
    ck_assert(places_allow(&p, "3-1"));
    good(LABEL("3-1", "X")); /* a label is no permission */
    good(ALLOW("1-2", true));
    good(places_get(g.db, &p, &e));
    ck_assert(places_allow(&p, "1-2"));
    ck_assert(places_allow(&p, "1-2.4:1"));
    ck_assert(!places_allow(&p, "3-1"));
    ck_assert(!places_allow(&p, "1-20"));
    good(ALLOW("1-2", false));
    good(places_get(g.db, &p, &e));
    ck_assert(places_allow(&p, "3-1"));
    bad(ALLOW("hub", true), ERR_USAGE);
    places_clear(&p);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(scanners)
{
    struct scanner_setting s = { "1-3", "1-2.4", "de", "cr", "~" };
    struct places p = { 0 };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(db_write(g.db, set_scanner, &s, &e));
    strcpy(s.layout, "fr");
    s.fixture[0] = '\0';
    good(db_write(g.db, set_scanner, &s, &e)); /* replaces */
    good(places_get(g.db, &p, &e));
    ck_assert_uint_eq(p.scanner_count, 1);
    ck_assert_str_eq(places_scanner(&p, "1-3")->layout, "fr");
    ck_assert_str_eq(places_scanner(&p, "1-3")->fixture, "");
    ck_assert_str_eq(places_scanner(&p, "1-3")->prefix, "~");
    strcpy(s.layout, "it");
    bad(db_write(g.db, set_scanner, &s, &e), ERR_USAGE);
    strcpy(s.layout, "us");
    strcpy(s.suffix, "nul");
    bad(db_write(g.db, set_scanner, &s, &e), ERR_USAGE);
    strcpy(s.suffix, "lf");
    strcpy(s.prefix, "\t");
    bad(db_write(g.db, set_scanner, &s, &e), ERR_USAGE);
    strcpy(s.prefix, "");
    strcpy(s.fixture, "LEFT-2");
    bad(db_write(g.db, set_scanner, &s, &e), ERR_USAGE);
    good(db_write(g.db, drop_scanner, "1-3", &e));
    bad(db_write(g.db, drop_scanner, "1-3", &e), ERR_NOT_FOUND);
    good(places_get(g.db, &p, &e));
    ck_assert_ptr_null(places_scanner(&p, "1-3"));
    places_clear(&p);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- where they stand ----------------------------------------------------------- */

static int set_stand(struct tx *tx, void *ctx, struct err *e)
{
    return stand_set(tx, ctx, ACTOR, e);
}

static int no_stand(struct tx *tx, void *ctx, struct err *e)
{
    return stand_remove(tx, ctx, ACTOR, e);
}

#define STAND(f, r, c) db_write(g.db, set_stand, &(struct stand){ f, r, c }, &e)

START_TEST(where_they_stand)
{
    struct stands all = { NULL, 0 };
    struct err e = ERR_INIT;
    struct stand s;
    struct ground g;

    ground_open(&g);
    good(stand_get(g.db, "1-2", &s, &e));
    ck_assert_uint_eq(s.row, 0);
    uint64_t n = events(&g);
    bad(STAND("1-2", 0, 1), ERR_USAGE);
    bad(STAND("1-2", 1, 0), ERR_USAGE);
    bad(STAND("1-2", STAND_MAX + 1, 1), ERR_USAGE);
    bad(STAND("1-2", 1, STAND_MAX + 1), ERR_USAGE);
    bad(db_write(g.db, no_stand, "1-2", &e), ERR_NOT_FOUND);
    ck_assert_uint_eq(events(&g), n);
    good(STAND("1-2", STAND_MAX, 2));
    good(STAND("F1", 1, 2));
    ck_assert_uint_eq(events(&g), n + 2);
    good(STAND("F1", 1, 2)); /* where it stands already */
    ck_assert_uint_eq(events(&g), n + 2);
    /* Two at one place: the one that is there is named as people call it. */
    good(LABEL("1-2", "LEFT"));
    bad(STAND("F1", STAND_MAX, 2), ERR_CONFLICT);
    ck_assert_msg(strstr(e.msg, "LEFT stands in row 99, column 2") != NULL, "%s", e.msg);
    e = (struct err)ERR_INIT;
    good(STAND("1-2", 1, 1));
    good(stands_get(g.db, &all, &e));
    ck_assert_uint_eq(all.n, 2);
    ck_assert_str_eq(all.v[0].fixture, "1-2");
    ck_assert_uint_eq(stands_find(&all, "F1")->column, 2);
    ck_assert_ptr_null(stands_find(&all, "F2"));
    good(db_write(g.db, no_stand, "1-2", &e));
    good(STAND("F1", 1, 1));
    good(stand_get(g.db, "1-2", &s, &e));
    ck_assert_uint_eq(s.row, 0);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM event WHERE kind ="
                                        " 'fixture-position-removed'"), 1);
    stands_clear(&all);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A ledger that was at work before places had words. */
START_TEST(version_1_is_migrated)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 2, 1);
    uint64_t n = events(&g);
    ground_back_to(&g, 1);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    ck_assert_uint_eq(events(&g), n);
    good(LABEL("1-2", "A"));
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("storage/places");
    TCase *t = tcase_create("places");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, what_a_place_is, 0, sizeof paths / sizeof *paths);
    tcase_add_test(t, behind_a_hub);
    tcase_add_test(t, labels);
    tcase_add_loop_test(t, bad_words, 0, sizeof refused / sizeof *refused);
    tcase_add_test(t, the_allow_list);
    tcase_add_test(t, scanners);
    tcase_add_test(t, where_they_stand);
    tcase_add_test(t, version_1_is_migrated);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
