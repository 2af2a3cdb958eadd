#include "station/base/clock.h"
#include "tests/unit/support.h"

#include <string.h>

static const struct {
    const char *name, *text;
    int want;
    int64_t t;
} parse_rows[] = {
    { "epoch", "19700101000000Z", 0, 0 },
    { "before it", "19691231235959Z", 0, -1 },
    { "a day of 2026", "20261123224100Z", 0, 1795473660 },
    { "leap day", "20240229120000Z", 0, 1709208000 },
    { "last second", "99991231235959Z", 0, 253402300799 },
    { "no leap day", "20260229120000Z", -1, 0 },
    { "31 April", "20260431000000Z", -1, 0 },
    { "month 13", "20261323224100Z", -1, 0 },
    { "month 0", "20260023224100Z", -1, 0 },
    { "hour 24", "20261123240000Z", -1, 0 },
    { "second 60", "20261123235960Z", -1, 0 },
    { "no Z", "202611232241000", -1, 0 },
    { "offset", "20261123224100+0100", -1, 0 },
    { "fraction", "20261123224100.5Z", -1, 0 },
    { "too short", "2026112322410Z", -1, 0 },
    { "a sign", "+0261123224100Z", -1, 0 },
    { "a space", "2026 123224100Z", -1, 0 },
    { "empty", "", -1, 0 },
};

START_TEST(gtime_parses)
{
    int64_t t = 42;
    char again[GTIME_LEN + 1];

    ck_assert_msg(gtime_parse(parse_rows[_i].text, &t) == parse_rows[_i].want,
                  "%s", parse_rows[_i].name);
    if (parse_rows[_i].want != 0) {
        ck_assert_msg(t == 42, "%s: touched", parse_rows[_i].name);
        return;
    }
    ck_assert_msg(t == parse_rows[_i].t, "%s: %lld", parse_rows[_i].name,
                  (long long)t);
    ck_assert_str_eq(gtime_format(t, again), parse_rows[_i].text);
}
END_TEST

START_TEST(text)
{
    char out[24], g[GTIME_LEN + 1];

    ck_assert_str_eq(clock_text(1795473660, out), "2026-11-23 22:41:00Z");
    /* No text of that length for these years. */
    ck_assert_str_eq(clock_text(INT64_MAX, out), "");
    ck_assert_str_eq(gtime_format(INT64_MAX, g), "");
    ck_assert_str_eq(gtime_format(253402300800, g), "");
    ck_assert_str_eq(gtime_format(INT64_MIN, g), "");
}
END_TEST

#define FLOOR 1000000000
static const struct {
    const char *name;
    int64_t system, floor, want;
    bool confirmed;
} check_rows[] = {
    { "nothing accepted yet", 5, 0, 5, true },
    { "at the floor", FLOOR, FLOOR, FLOOR, true },
    { "a little later", FLOOR + 60, FLOOR, FLOOR + 60, true },
    { "the last second believed", FLOOR + CLOCK_TRUST_SPAN_S, FLOOR,
      FLOOR + CLOCK_TRUST_SPAN_S, true },
    { "one second too far", FLOOR + CLOCK_TRUST_SPAN_S + 1, FLOOR, FLOOR,
      false },
    { "one second behind", FLOOR - 1, FLOOR, FLOOR, false },
    { "a dead battery", 0, FLOOR, FLOOR, false },
    { "a floor near the end of time", INT64_MAX, INT64_MAX - 1, INT64_MAX,
      true },
};

START_TEST(floor_rule)
{
    bool ok = !check_rows[_i].confirmed;

    ck_assert_msg(clock_for_checks(check_rows[_i].system, check_rows[_i].floor,
                                   &ok) == check_rows[_i].want &&
                      ok == check_rows[_i].confirmed,
                  "%s", check_rows[_i].name);
    ck_assert_int_eq(clock_for_checks(check_rows[_i].system,
                                      check_rows[_i].floor, NULL),
                     check_rows[_i].want);
}
END_TEST

START_TEST(monotonic_does_not_go_back)
{
    int64_t a = clock_monotonic_ms();

    ck_assert_int_ge(clock_monotonic_ms(), a);
    ck_assert_int_gt(clock_system(), 0);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "GeneralizedTime", gtime_parses, ROWS(parse_rows) },
        { "text", text, 1 },
        { "floor", floor_rule, ROWS(check_rows) },
        { "clocks", monotonic_does_not_go_back, 1 },
    };
    return run_tests("base/clock", tests, sizeof tests / sizeof *tests);
}
