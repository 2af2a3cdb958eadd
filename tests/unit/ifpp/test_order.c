/* Work orders: serial patterns, recipes as text, and which profile goes to
 * which wish. */
#include "station/ifpp/order.h"
#include "tests/unit/support.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* --- serials ------------------------------------------------------------------ */

static const struct {
    const char *pattern, *serial;
    bool fits;
} serials[] = {
    { "SN-###", "SN-042", true },       { "SN-###", "SN-42", false },
    { "SN-###", "SN-0042", false },     { "SN-###", "SN-04x", false },
    { "SN-###", "sn-042", false },      { "@@#", "Ab1", true },
    { "@@#", "A11", false },            { "???", "a-1", true },
    { "???", "a\x01" "b", false },      { "*", "", true },
    { "*", "anything at all", true },   { "A*Z", "AZ", true },
    { "A*Z", "A-to-Z", true },          { "A*Z", "A", false },
    { "AB*BA", "ABA", false },          { "AB*BA", "ABBA", true },
    { "*#", "x1", true },               { "*#", "1x", false },
    { "C-{0500-0999}", "C-0500", true }, { "C-{0500-0999}", "C-0999", true },
    { "C-{0500-0999}", "C-0499", false }, { "C-{0500-0999}", "C-1000", false },
    { "C-{0500-0999}", "C-500", false }, { "C-{0500-0999}", "C-05a0", false },
    { "\\#\\*", "#*", true },           { "\\#\\*", "1x", false },
    { "*{1-3}", "99-2", true },         { "*{1-3}", "99-4", false },
    { "A*\xc3\xa4", "x", false },
};

START_TEST(serial_fits)
{
    struct err e = ERR_INIT;

    if (serials_check(serials[_i].pattern, &e) != 0)
        ck_assert(!serials[_i].fits && e.code == ERR_FORMAT);
    else
        ck_assert_msg(serials_match(serials[_i].pattern, serials[_i].serial) ==
                      serials[_i].fits, "%s %s", serials[_i].pattern, serials[_i].serial);
}
END_TEST

static const char *const bad_serials[] = {
    "", "**", "a*b*c", "{", "{1}", "{1-}", "{2-1}", "{1-10}", "{1-2", "}", "\\",
    "a\tb", "\xc3\xa4", "{-2}", "{a-b}", "{0000000000000000001-0000000000000000002}",
    "01234567890123456789012345678901234567890123456789012345678901234",
};

START_TEST(pattern_refused)
{
    struct err e = ERR_INIT;

    ck_assert_msg(serials_check(bad_serials[_i], &e) == -1, "%s", bad_serials[_i]);
    ck_assert_int_eq(e.code, ERR_FORMAT);
}
END_TEST

/* --- recipes as text ------------------------------------------------------------ */

static const struct {
    const char *text, *position, *again;
} recipes[] = {
    { "register", "main", "register" },
    { "telematics:register", "telematics", "register" },
    { "load any;close", "main", "load any; close" },
    { "load any ; close ;", "main", "load any; close" },
    { "load name=x provider=\"MSP A; B\" ; enable 1;keep 3", "main",
      "load provider=\"MSP A; B\" name=x; enable 1; keep 3" },
    { "p-1: load smdp=2.999.10 class=test; load provider=a:b; enable 2; "
      "connectivity-check; close", "p-1",
      "load smdp=2.999.10 class=test; load provider=a:b; enable 2; "
      "connectivity-check; close" },
};

static struct order_spec spec_of(const char *recipe)
{
    struct order_spec o = { .number = "1", .product = "p", .quantity = 1,
                            .serials = "*", .positions = 1 };
    struct err e = ERR_INIT;

    ck_assert_msg(order_recipe_parse(recipe, &o.recipe[0], &e) == 0, "%s: %s",
                  recipe, e.msg);
    return o;
}

START_TEST(recipe_there_and_back)
{
    static char text[ORDER_RECIPE_TEXT_MAX];
    struct order_spec o = spec_of(recipes[_i].text);
    struct order_recipe again;
    struct err e = ERR_INIT;

    ck_assert_str_eq(o.recipe[0].position, recipes[_i].position);
    ck_assert_str_eq(order_recipe_text(&o.recipe[0], text), recipes[_i].again);
    ck_assert_msg(order_check(&o, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(order_recipe_parse(text, &again, &e), 0);
    ck_assert(again.wants == o.recipe[0].wants && again.end == o.recipe[0].end &&
              again.keep == o.recipe[0].keep && again.enable == o.recipe[0].enable &&
              memcmp(again.want, o.recipe[0].want, sizeof again.want) == 0);
}
END_TEST

static const char *const bad_recipes[] = {
    "", ";", "load", "load; close", "load any", "load any; enable", "enable x; close",
    "load any; enable 0; close", "load any; enable 1; enable 1; close",
    "load name= ; close", "load name=\"x; close", "load name=a\"b\"; close",
    "load name=a name=b; close", "load class=gold; close", "load colour=red; close",
    "load any close", "load any; close; load any", "load any; keep; ", "keep",
    "load any; keep 0", "fetch any; close", ":register", "load name=\"a\"b; close",
    "0123456789012345678901234567890123:register",
    "load any; load any; load any; load any; load any; load any; load any; "
    "load any; load any; close",
};

START_TEST(recipe_refused)
{
    struct order_recipe r;
    struct err e = ERR_INIT;

    ck_assert_msg(order_recipe_parse(bad_recipes[_i], &r, &e) == -1, "%s",
                  bad_recipes[_i]);
    ck_assert(e.code == ERR_FORMAT || e.code == ERR_LIMIT);
}
END_TEST

/* Parsed, but no recipe that could be followed. */
static const char *const bad_specs[] = {
    "close", "keep 1", "load any; register", "load any; enable 2; close",
    "load any; connectivity-check; close", "load smdp=x; close", "a/b:register",
    "enable 1; register", "load any; keep 1025",
};

START_TEST(spec_refused)
{
    struct order_spec o = spec_of(bad_specs[_i]);
    struct err e = ERR_INIT;

    ck_assert_msg(order_check(&o, &e) == -1, "%s", bad_specs[_i]);
    ck_assert_int_eq(e.code, ERR_FORMAT);
}
END_TEST

/* --- matching ------------------------------------------------------------------- */

#define OFFER(p, n, r) { p, "2.999.10", n, ORDER_CLASS_OPERATIONAL, r }

static const struct {
    const char *recipe;
    struct order_offer v[4];
    size_t n, filled, slot[3];
} matches[] = {
    /* In the order of the recipe, not of the bundle. */
    { "load name=b; load name=a; close", { OFFER("P", "a", 2), OFFER("P", "b", 2) },
      2, 2, { 1, 0 } },
    /* The one who takes anything leaves the particular one to who needs it. */
    { "load any; load name=a; close", { OFFER("P", "a", 2), OFFER("P", "b", 2) },
      2, 2, { 1, 0 } },
    /* What is installed already has a place. */
    { "load any; close", { OFFER("P", "a", 2), OFFER("P", "b", 0) }, 2, 1, { 1 } },
    { "load any; load provider=Q; close",
      { OFFER("P", "a", 2), OFFER("Q", "b", 0) }, 2, 2, { 0, 1 } },
    /* One profile is one profile. */
    { "load any; load any; close", { OFFER("P", "a", 2) }, 1, 1, { 0, ORDER_NONE } },
    /* Used up. */
    { "load any; close", { OFFER("P", "a", -1) }, 1, 0, { ORDER_NONE } },
    { "load class=test; close", { OFFER("P", "a", 1) }, 1, 0, { ORDER_NONE } },
    { "load class=operational smdp=2.999.10; close", { OFFER("P", "a", 1) }, 1, 1,
      { 0 } },
    { "load smdp=2.999.1; close", { OFFER("P", "a", 1) }, 1, 0, { ORDER_NONE } },
    /* A chain of three. */
    { "load any; load provider=P; load name=a; close",
      { OFFER("P", "a", 0), OFFER("P", "b", 2), OFFER("Q", "c", 2) }, 3, 3,
      { 2, 1, 0 } },
    { "register", { OFFER("P", "a", 0) }, 1, 0, { ORDER_NONE } },
};

START_TEST(matched)
{
    struct order_spec o = spec_of(matches[_i].recipe);
    size_t slot[ORDER_PROFILES_MAX];

    ck_assert_uint_eq(order_match(&o.recipe[0], matches[_i].v, matches[_i].n, slot),
                      matches[_i].filled);
    for (size_t i = 0; i < o.recipe[0].wants; i++)
        ck_assert_uint_eq(slot[i], matches[_i].slot[i]);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void)
{
    const struct table_test tests[] = {
        { "serials", serial_fits, N(serials) },
        { "patterns refused", pattern_refused, N(bad_serials) },
        { "recipes", recipe_there_and_back, N(recipes) },
        { "recipes refused", recipe_refused, N(bad_recipes) },
        { "specs refused", spec_refused, N(bad_specs) },
        { "matches", matched, N(matches) },
    };

    return run_tests("ifpp/order", tests, sizeof tests / sizeof *tests);
}
