/* Fixture label, then unit label. */
#include "station/line/two_scans.h"

#include "tests/unit/support.h"

#include <check.h>
#include <string.h>

static bool known(void *ctx, const char *fixture)
{
    (void)ctx;
    return strcmp(fixture, "LEFT-1") == 0 || strcmp(fixture, "LEFT-2") == 0;
}

static struct two_scans t;
static struct span line;

static enum two_scans_answer say(const char *text, int64_t at)
{
    return two_scans_take(&t, SPAN_STR(text), at, known, NULL, &line);
}

START_TEST(fixture_then_unit)
{
    ck_assert_int_eq(say("LEFT-2", 10), TWO_SCANS_CHOSEN);
    ck_assert_str_eq(t.fixture, "LEFT-2");
    ck_assert_int_eq(say("SN-1", 20), TWO_SCANS_LINE);
    ck_assert(span_eq(line, SPAN_STR("LEFT-2\tSN-1")));
    /* the choice is used up: the next unit needs its own */
    ck_assert_int_eq(say("SN-2", 30), TWO_SCANS_WHICH);
}
END_TEST

START_TEST(unit_first)
{
    ck_assert_int_eq(say("SN-1", 10), TWO_SCANS_WHICH);
    ck_assert_int_eq(say("", 11), TWO_SCANS_WHICH);
}
END_TEST

START_TEST(another_fixture_replaces)
{
    ck_assert_int_eq(say("LEFT-1", 10), TWO_SCANS_CHOSEN);
    ck_assert_int_eq(say("LEFT-2", 11), TWO_SCANS_CHOSEN);
    ck_assert_int_eq(say("SN-1", 12), TWO_SCANS_LINE);
    ck_assert(span_eq(line, SPAN_STR("LEFT-2\tSN-1")));
}
END_TEST

START_TEST(a_choice_grows_old)
{
    ck_assert_int_eq(say("LEFT-1", 1000), TWO_SCANS_CHOSEN);
    ck_assert_int_eq(say("SN-1", 1000 + TWO_SCANS_MS), TWO_SCANS_LINE);
    ck_assert_int_eq(say("LEFT-1", 1000), TWO_SCANS_CHOSEN);
    ck_assert_int_eq(say("SN-1", 1001 + TWO_SCANS_MS), TWO_SCANS_WHICH);
    ck_assert_int_eq(say("SN-1", 1002 + TWO_SCANS_MS), TWO_SCANS_WHICH);
}
END_TEST

START_TEST(after_a_lost_scan)
{
    ck_assert_int_eq(say("LEFT-1", 10), TWO_SCANS_CHOSEN);
    two_scans_forget(&t);
    ck_assert_int_eq(say("SN-1", 11), TWO_SCANS_WHICH);
}
END_TEST

/* What is no text, or too long, is the line's to refuse, in its own words. */
START_TEST(odd_units_are_handed_on)
{
    char longest[SCAN_LINE_MAX + 40];
    struct scan scan;

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    ck_assert_int_eq(say("LEFT-1", 10), TWO_SCANS_CHOSEN);
    ck_assert_int_eq(say(longest, 11), TWO_SCANS_LINE);
    ck_assert_int_eq(scan_parse(line, known, NULL, &scan), SCAN_TOO_LONG);
    ck_assert_int_eq(say("LEFT-1", 10), TWO_SCANS_CHOSEN);
    ck_assert_int_eq(two_scans_take(&t, SPAN("A\0B", 3), 11, known, NULL, &line),
                     TWO_SCANS_LINE);
    ck_assert_int_eq(scan_parse(line, known, NULL, &scan), SCAN_BINARY);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "fixture then unit", fixture_then_unit, 1 },
        { "unit first", unit_first, 1 },
        { "another fixture", another_fixture_replaces, 1 },
        { "grows old", a_choice_grows_old, 1 },
        { "lost scan", after_a_lost_scan, 1 },
        { "odd units", odd_units_are_handed_on, 1 },
    };

    return run_tests("line/two_scans", tests, sizeof tests / sizeof *tests);
}
