/* The table of who is logged in where. */
#include "station/people/session.h"
#include "tests/unit/support.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define MINUTE INT64_C(60000)

struct ended {
    char log[512];
};

static void on_end(void *ctx, const struct seat *s, enum session_end why)
{
    struct ended *e = ctx;
    size_t n = strlen(e->log);

    snprintf(e->log + n, sizeof e->log - n, "%s@%s:%s ", s->who.name, s->at.name,
             session_end_name(why));
}

static struct seat seat(int64_t person, const char *name, enum session_where where,
                        const char *place, int64_t used_ms)
{
    struct seat s = { .who = { .person = person, .role = ROLE_OPERATOR },
                      .at = session_place(where, place), .used_ms = used_ms };

    snprintf(s.who.name, sizeof s.who.name, "%s", name);
    return s;
}

static int open_seat(struct sessions *t, int64_t person, const char *name,
                     enum session_where where, const char *place, int64_t used_ms)
{
    struct seat s = seat(person, name, where, place, used_ms);
    uint64_t number;

    return sessions_open(t, &s, &number);
}

static const char *covers(struct sessions *t, const char *fixture)
{
    const struct seat *s = sessions_cover(t, fixture);

    return s ? s->who.name : "";
}

START_TEST(a_fixture_goes_before_the_station)
{
    struct ended e = { "" };
    struct sessions *t = sessions_new(on_end, &e);

    ck_assert_str_eq(covers(t, "F1"), "");
    ck_assert_int_eq(open_seat(t, 1, "Ada", SESSION_STATION, "", 0), 1);
    ck_assert_int_eq(open_seat(t, 2, "Bob", SESSION_FIXTURE, "F1", 0), 1);
    ck_assert_str_eq(covers(t, "F1"), "Bob");
    ck_assert_str_eq(covers(t, "F2"), "Ada");
    /* A fixture that is called "" is none, and a connection no fixture. */
    ck_assert_int_eq(open_seat(t, 3, "Cyd", SESSION_CONNECTION, "F2", 0), 1);
    ck_assert_str_eq(covers(t, "F2"), "Ada");
    ck_assert_str_eq(e.log, "");
    sessions_end_each(t, SESSION_LINE_ENDED);
    ck_assert_str_eq(e.log, "Cyd@F2:line-ended Bob@F1:line-ended Ada@:line-ended ");
    ck_assert_ptr_null(sessions_at(t, SESSION_STATION, ""));
    sessions_free(t);
}
END_TEST

START_TEST(one_at_a_place_one_place_each)
{
    struct ended e = { "" };
    struct sessions *t = sessions_new(on_end, &e);
    struct seat again = seat(1, "Ada", SESSION_STATION, "", 7);
    uint64_t number;

    open_seat(t, 1, "Ada", SESSION_STATION, "", 0);
    uint64_t first = sessions_at(t, SESSION_STATION, "")->number;
    sessions_at(t, SESSION_STATION, "")->by_badge = true;
    /* The same there: it goes on, and the PIN counts from now on. */
    ck_assert_int_eq(sessions_open(t, &again, &number), 0);
    ck_assert_uint_eq(number, first);
    ck_assert_int_eq(sessions_at(t, SESSION_STATION, "")->used_ms, 7);
    ck_assert(!sessions_at(t, SESSION_STATION, "")->by_badge);
    again.by_badge = true;
    sessions_open(t, &again, &number);
    ck_assert(!sessions_at(t, SESSION_STATION, "")->by_badge);

    ck_assert_int_eq(open_seat(t, 2, "Bob", SESSION_STATION, "", 0), 1);
    ck_assert_str_eq(e.log, "Ada@:taken ");
    ck_assert_int_eq(open_seat(t, 2, "Bob", SESSION_FIXTURE, "F2", 0), 1);
    ck_assert_str_eq(e.log, "Ada@:taken Bob@:moved ");
    /* Both at once. */
    open_seat(t, 3, "Cyd", SESSION_FIXTURE, "F3", 0);
    e.log[0] = '\0';
    ck_assert_int_eq(open_seat(t, 2, "Bob", SESSION_FIXTURE, "F3", 0), 1);
    ck_assert_str_eq(e.log, "Cyd@F3:taken Bob@F2:moved ");
    /* A connection is an act's, no place to work at. */
    open_seat(t, 2, "Bob", SESSION_CONNECTION, "4", 0);
    open_seat(t, 2, "Bob", SESSION_CONNECTION, "5", 0);
    ck_assert_str_eq(e.log, "Cyd@F3:taken Bob@F2:moved ");
    const struct seat *v;
    ck_assert_uint_eq(sessions_list(t, &v), 3);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_ne(v[i].number, v[k].number);
    ck_assert_ptr_eq(sessions_numbered(t, v[1].number), &v[1]);
    ck_assert_ptr_null(sessions_numbered(t, 999));
    sessions_free(t);
}
END_TEST

START_TEST(idle_ones_end)
{
    struct ended e = { "" };
    struct sessions *t = sessions_new(on_end, &e);

    ck_assert_int_eq(sessions_sweep(t, 0, MINUTE), -1);
    open_seat(t, 1, "Ada", SESSION_STATION, "", 0);
    open_seat(t, 2, "Bob", SESSION_FIXTURE, "F1", MINUTE / 2);
    open_seat(t, 3, "Cyd", SESSION_FIXTURE, "F2", 0);
    ck_assert_int_eq(sessions_sweep(t, MINUTE - 1, MINUTE), MINUTE);
    ck_assert_str_eq(e.log, "");
    sessions_at(t, SESSION_FIXTURE, "F2")->used_ms = MINUTE;
    ck_assert_int_eq(sessions_sweep(t, MINUTE, MINUTE), MINUTE / 2 + MINUTE);
    ck_assert_str_eq(e.log, "Ada@:idle ");
    /* A shorter time counts at once. */
    ck_assert_int_eq(sessions_sweep(t, MINUTE, 1), MINUTE + 1);
    ck_assert_str_eq(e.log, "Ada@:idle Bob@F1:idle ");
    sessions_free(t);
}
END_TEST

START_TEST(badges_wait)
{
    struct ended e = { "" };
    struct sessions *t = sessions_new(on_end, &e);
    struct session_place f1 = session_place(SESSION_FIXTURE, "F1"),
                         f2 = session_place(SESSION_FIXTURE, "F2");
    char badge[BADGE_MAX + 1];

    ck_assert(!sessions_knocked(t, &f1, 0, badge));
    ck_assert_int_eq(sessions_knock(t, &f1, "B-1", 0), 0);
    ck_assert_int_eq(sessions_knock(t, &f1, "B-2", 5), 0);
    ck_assert(!sessions_knocked(t, &f2, 5, badge));
    ck_assert(sessions_knocked(t, &f1, 5 + KNOCK_MS, badge));
    ck_assert_str_eq(badge, "B-2");
    ck_assert_msg(!sessions_knocked(t, &f1, 5, badge), "once");
    sessions_knock(t, &f1, "B-1", 0);
    ck_assert_msg(!sessions_knocked(t, &f1, KNOCK_MS + 1, badge), "not for ever");

    /* Refused ones: as PINs, at their place. */
    for (int i = 0; i < LOGIN_FREE_FAILURES; i++) {
        ck_assert_int_eq(sessions_refused(t, &f1, 0), 0);
        ck_assert_int_eq(sessions_wait(t, &f1, 0), 0);
    }
    sessions_refused(t, &f1, 0);
    ck_assert_int_eq(sessions_wait(t, &f1, 0), 1000);
    sessions_refused(t, &f1, 1000);
    ck_assert_int_eq(sessions_wait(t, &f1, 1500), 1500);
    ck_assert_int_eq(sessions_wait(t, &f2, 1500), 0);
    open_seat(t, 1, "Ada", SESSION_FIXTURE, "F1", 0);
    ck_assert_int_eq(sessions_wait(t, &f1, 1500), 0);
    sessions_free(t);
}
END_TEST

START_TEST(ends_have_words)
{
    for (int i = 0; i < SESSION_ENDS; i++) {
        ck_assert_str_ne(session_end_name(i), "unknown");
        ck_assert_ptr_nonnull(strstr(session_end_words(i), "logged out"));
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(session_end_name(i), session_end_name(k));
    }
    ck_assert_str_eq(session_end_name(SESSION_ENDS), "unknown");
    ck_assert_str_eq(session_end_words(SESSION_ENDS), "logged out");
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "a fixture goes before the station", a_fixture_goes_before_the_station, 1 },
        { "one at a place", one_at_a_place_one_place_each, 1 },
        { "idle ones end", idle_ones_end, 1 },
        { "badges wait", badges_wait, 1 },
        { "ends have words", ends_have_words, 1 },
    };

    return run_tests("people/session", tests, sizeof tests / sizeof *tests);
}
