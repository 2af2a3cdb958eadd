/* What the line tells, as screens have it; and what it would never tell. */
#include "tests/unit/support.h"
#include "tests/unit/ui/scenes.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERDICT(fixture, verdict, code, more)                                        \
    "{\"event\":\"verdict\",\"fixture\":\"" fixture "\",\"verdict\":\"" verdict      \
    "\",\"code\":\"" code "\",\"serial\":\"SN-1\",\"eid\":\"\",\"installed\":1,"     \
    "\"cause\":\"C.\",\"next\":\"N.\",\"detail\":\"\",\"apdus\":1,\"ms\":1500" more "}"
#define BUSY(fixture, step)                                                          \
    "{\"event\":\"busy\",\"fixture\":\"" fixture "\",\"step\":\"" step               \
    "\",\"serial\":\"SN-1\",\"eid\":\"\"}"
#define FIXTURE(fixture, state)                                                      \
    "{\"event\":\"fixture\",\"fixture\":\"" fixture "\",\"place\":\"1-2\",\"state\":\"" \
    state "\",\"reason\":\"why\"}"

static struct model *ready(void)
{
    struct model *m = model_new();

    model_clock(m, SCENE_NOW, 0);
    scene_tell(m, "{\"event\":\"ready\",\"fixtures\":[\"F10\",\"F2\",\"F1\"]}");
    return m;
}

static enum look look_of(const struct model *m, const char *name)
{
    const struct slot *s = snapshot_slot(model_now(m), name);

    ck_assert(s);
    return slot_look(s, model_now(m)->now);
}

/* Each is told after the ones before. */
static const struct {
    const char *told;
    enum look look; /* of F1, then */
    bool trouble;
    unsigned sounds;
} steps[] = {
    { BUSY("F1", "load"), LOOK_BUSY, false, 0 },
    { VERDICT("F1", "REFUSED", "scan-busy", ""), LOOK_BUSY, true, SOUND_REFUSED },
    { VERDICT("F1", "PASS", "done", ""), LOOK_PASS, false, SOUND_PASS },
    { VERDICT("F1", "FAIL", "no-card", ""), LOOK_FAIL, true, SOUND_FAIL },
    { VERDICT("F2", "PASS", "done", ""), LOOK_FAIL, true, SOUND_PASS },
    { VERDICT("", "REFUSED", "scan-empty", ""), LOOK_FAIL, true, SOUND_REFUSED },
    { VERDICT("F2", "PASS", "done", ""), LOOK_FAIL, false, SOUND_PASS },
    { "{\"event\":\"chosen\",\"fixture\":\"F1\",\"scanner\":\"1-1\"}", LOOK_SCAN, false, 0 },
    { "{\"event\":\"chosen\",\"fixture\":\"F2\",\"scanner\":\"1-1\"}", LOOK_FAIL, false, 0 },
    { BUSY("F1", "read EID"), LOOK_BUSY, false, 0 },
    { VERDICT("F1", "REFUSED", "quarantined", ",\"taken\":true"), LOOK_CHECK, true, SOUND_REFUSED },
    /* What is no other unit's end does not make it a good one. */
    { VERDICT("F1", "ORDER", "order-chosen", ""), LOOK_CHECK, true, 0 },
    { VERDICT("F1", "REFUSED", "fixture-stopped", ",\"taken\":true"), LOOK_CHECK, true, SOUND_REFUSED },
    { BUSY("F1", "read EID"), LOOK_BUSY, false, 0 },
    { VERDICT("F1", "ALREADY DONE", "already-done", ""), LOOK_DONE, false, SOUND_PASS },
    { VERDICT("F1", "INCOMPLETE", "positions-missing", ""), LOOK_SCAN, true, SOUND_PASS },
    { VERDICT("F1", "ORDER", "order-chosen", ""), LOOK_SCAN, true, 0 },
    { VERDICT("F3", "IMEI", "imei-taken", ""), LOOK_SCAN, true, 0 },
    { FIXTURE("F1", "stopped"), LOOK_STOPPED, true, 0 },
    { FIXTURE("F1", "card"), LOOK_STOPPED, true, 0 },
    { FIXTURE("F1", "released"), LOOK_SCAN, true, 0 },
    { FIXTURE("F1", "gone"), LOOK_GONE, true, 0 },
    { FIXTURE("F1", "slower"), LOOK_GONE, true, 0 },
    { FIXTURE("F1", "card"), LOOK_SCAN, true, 0 },
};

START_TEST(follows_a_fixture)
{
    struct model *m = ready();

    ck_assert_int_eq(look_of(m, "F1"), LOOK_READY);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        scene_tell(m, steps[i].told);
        ck_assert_msg(look_of(m, "F1") == steps[i].look, "look %d after %s", look_of(m, "F1"),
                      steps[i].told);
        ck_assert_msg(model_now(m)->has_trouble == steps[i].trouble, "%s", steps[i].told);
        ck_assert_uint_eq(model_sounds(m), steps[i].sounds);
        ck_assert_uint_eq(model_sounds(m), 0);
    }
    ck_assert_int_eq(look_of(m, "F3"), LOOK_SCAN); /* its IMEI was: its unit is awaited */
    model_free(m);
}
END_TEST

/* A screen that is started later, or was away, shows what everybody saw. */
START_TEST(shows_the_last_one_again)
{
    static const struct {
        const char *verdict, *code;
        enum look look;
    } rows[] = {
        { "REFUSED", "quarantined", LOOK_CHECK }, { "REFUSED", "scrapped", LOOK_CHECK },
        { "FAIL", "no-card", LOOK_FAIL },         { "PASS", "done", LOOK_PASS },
        { "ALREADY DONE", "already-done", LOOK_DONE },
    };
    struct model *m = ready();
    char text[512];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text, "{\"event\":\"snapshot\",\"state\":{\"fixtures\":[{\"fixture\":\"F1\","
                 "\"row\":2,\"column\":3,\"busy\":false,\"last\":{\"verdict\":\"%s\",\"code\":\"%s\",\"serial\":\"SN-1\"}}]}}",
                 rows[i].verdict, rows[i].code);
        scene_tell(m, text);
        ck_assert_msg(look_of(m, "F1") == rows[i].look, "look %d of %s", look_of(m, "F1"), text);
    }
    model_free(m);
}
END_TEST

START_TEST(knows_where_fixtures_stand)
{
    struct model *m = ready();
    const struct slot *f = snapshot_slot(model_now(m), "F2");

    ck_assert_uint_eq(f->row, 0);
    scene_tell(m, "{\"event\":\"stands\",\"fixture\":\"F2\",\"row\":2,\"column\":3}");
    ck_assert_uint_eq(f->row, 2);
    ck_assert_uint_eq(f->column, 3);
    scene_tell(m, "{\"event\":\"stands\",\"fixture\":\"F2\"}");
    ck_assert_uint_eq(f->row, 0);
    ck_assert_uint_eq(f->column, 0);
    model_free(m);
}
END_TEST

START_TEST(knows_its_scanners)
{
    struct model *m = ready();
    char text[128];

    scene_tell(m, "{\"event\":\"snapshot\",\"state\":{\"fixtures\":[],\"scanners\":[{\"place\":\"1-3\",\"state\":\"ready\","
                  "\"reason\":\"\"},7,{}]}}");
    ck_assert_uint_eq(model_now(m)->scanners, 1);
    scene_tell(m, "{\"event\":\"scanner\",\"place\":\"1-3\",\"state\":\"gone\",\"reason\":\"\"}");
    ck_assert_uint_eq(model_now(m)->scanners, 1);
    ck_assert_str_eq(model_now(m)->scanner[0].state, "gone");
    for (int i = 0; i < 2 * SNAPSHOT_SCANNERS; i++) {
        snprintf(text, sizeof text, "{\"event\":\"scanner\",\"place\":\"2-%d\",\"state\":\"candidate\"}", i);
        scene_tell(m, text);
    }
    ck_assert_uint_eq(model_now(m)->scanners, SNAPSHOT_SCANNERS);
    model_lose(m, "");
    ck_assert_uint_eq(model_now(m)->scanners, 0);
    model_free(m);
}
END_TEST

START_TEST(sorts_as_people_count)
{
    struct model *m = ready();

    ck_assert_str_eq(model_now(m)->slot[0].name, "F1");
    ck_assert_str_eq(model_now(m)->slot[1].name, "F2");
    ck_assert_str_eq(model_now(m)->slot[2].name, "F10");
    model_free(m);
}
END_TEST

START_TEST(awaits_a_unit_for_a_minute)
{
    struct model *m = ready();

    scene_tell(m, "{\"event\":\"chosen\",\"fixture\":\"F1\",\"scanner\":\"1-1\"}");
    model_clock(m, SCENE_NOW + CHOSEN_S - 1, 0);
    ck_assert_int_eq(look_of(m, "F1"), LOOK_SCAN);
    model_clock(m, SCENE_NOW + CHOSEN_S, 0);
    ck_assert_int_eq(look_of(m, "F1"), LOOK_READY);
    model_free(m);
}
END_TEST

START_TEST(knows_who_is_there)
{
    struct model *m = ready();

    scene_tell(m, "{\"event\":\"session\",\"state\":\"pin\",\"fixture\":\"F2\",\"person\":\"\",\"reason\":\"\"}");
    ck_assert(model_now(m)->pin_wanted);
    ck_assert_str_eq(model_now(m)->pin_fixture, "F2");
    model_pin_done(m);
    ck_assert(!model_now(m)->pin_wanted);
    scene_tell(m, "{\"event\":\"session\",\"state\":\"opened\",\"fixture\":\"\",\"person\":\"Ada\",\"reason\":\"\"}");
    ck_assert_str_eq(model_now(m)->person, "Ada");
    ck_assert_uint_eq(model_now(m)->logins, 1);
    scene_tell(m, "{\"event\":\"session\",\"state\":\"closed\",\"fixture\":\"\",\"person\":\"Ada\",\"reason\":\"idle\"}");
    ck_assert_str_eq(model_now(m)->person, "");
    model_free(m);
}
END_TEST

START_TEST(forgets_a_line_that_ended)
{
    struct model *m = scene_model(SCENE_NORMAL);

    ck_assert(model_now(m)->linked);
    ck_assert_uint_eq(model_now(m)->orders, 2);
    ck_assert_int_eq(model_now(m)->stock.left, 1240);
    model_lose(m, "no line");
    ck_assert(!model_now(m)->linked);
    ck_assert_uint_eq(model_now(m)->slots, 0);
    ck_assert_str_eq(model_now(m)->no_link, "no line");
    ck_assert_str_eq(snapshot_note(model_now(m), 0)->word, "ended");
    model_free(m);
}
END_TEST

/* Never from our own line; what they change can be drawn all the same. */
static const char *const nonsense[] = {
    "{}", "{\"event\":7}", "{\"event\":\"verdict\"}", "{\"event\":\"busy\",\"fixture\":[]}",
    "{\"event\":\"snapshot\"}", "{\"event\":\"snapshot\",\"state\":[]}",
    "{\"event\":\"snapshot\",\"state\":{\"fixtures\":{},\"counts\":[],\"stock\":[1],\"work\":true}}",
    "{\"event\":\"snapshot\",\"state\":{\"fixtures\":[1,{},{\"fixture\":\"\"},{\"fixture\":\"F\",\"last\":[]}]}}",
    "{\"event\":\"stock\",\"stock\":{\"received\":-5,\"forecast\":{\"hoursLeft\":1e300,\"unitsPerHour\":-1}}}",
    "{\"event\":\"stock\",\"stock\":{\"received\":9223372036854775807,\"forecast\":[]}}",
    "{\"event\":\"work\",\"work\":{\"orders\":[[],{}],\"shift\":{\"shift\":-1}}}",
    "{\"event\":\"ready\",\"fixtures\":[{},null,\"F\"]}",
    "{\"event\":\"session\",\"state\":{},\"fixture\":3}",
};

START_TEST(survives_nonsense)
{
    struct model *m = ready();

    scene_tell(m, nonsense[_i]);
    const struct snapshot *s = model_now(m);
    ck_assert_int_ge(s->stock.received, 0);
    ck_assert(s->stock.hours_left <= 1e9);
    ck_assert(s->stock.units_per_hour >= 0);
    model_free(m);
}
END_TEST

START_TEST(stays_within_bounds)
{
    struct model *m = ready();
    char text[4096], name[400];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memcpy(name + NAME_CAP - 2, "\xE5\xA4\xB9", 3); /* would be cut inside */
    for (int i = 0; i < SNAPSHOT_SLOTS + 50; i++) {
        snprintf(text, sizeof text, BUSY("%d%s", "%s"), i, name, name);
        scene_tell(m, text);
        snprintf(text, sizeof text, VERDICT("%d", "%s", "%s", ""), i, name, name);
        scene_tell(m, text);
    }
    ck_assert_uint_eq(model_now(m)->slots, SNAPSHOT_SLOTS);
    ck_assert_uint_eq(model_now(m)->notes, SNAPSHOT_NOTES);
    ck_assert_ptr_null(snapshot_note(model_now(m), SNAPSHOT_NOTES));
    for (size_t i = 0; i < SNAPSHOT_SLOTS; i++)
        ck_assert_uint_lt(strlen(model_now(m)->slot[i].name), NAME_CAP);
    model_free(m);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "follows a fixture", follows_a_fixture, 1 },
        { "shows the last one again", shows_the_last_one_again, 1 },
        { "knows its scanners", knows_its_scanners, 1 },
        { "knows where fixtures stand", knows_where_fixtures_stand, 1 },
        { "sorts as people count", sorts_as_people_count, 1 },
        { "awaits a unit for a minute", awaits_a_unit_for_a_minute, 1 },
        { "knows who is there", knows_who_is_there, 1 },
        { "forgets a line that ended", forgets_a_line_that_ended, 1 },
        { "survives nonsense", survives_nonsense, sizeof nonsense / sizeof *nonsense },
        { "stays within bounds", stays_within_bounds, 1 },
    };

    return run_tests("ui_model", tests, sizeof tests / sizeof *tests);
}
