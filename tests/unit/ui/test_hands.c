/* What keys and scans do; and keys, scans, sizes and states of every kind, by
 * chance, for UI_SECONDS (2). */
#include "station/base/clock.h"
#include "tests/unit/support.h"
#include "tests/unit/ui/stand.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void leave(struct stand *t)
{
    model_free(t->m);
}

START_TEST(scans_label_then_unit)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);

    scan(&t, "F4");
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    scan(&t, "SN-9");
    ck_assert_int_eq(t.r.wish, WISH_SCAN);
    ck_assert_str_eq(t.r.text, "F4\tSN-9");
    scan(&t, "SN-9"); /* the line says what is missing */
    ck_assert_str_eq(t.r.text, "SN-9");
    scan(&t, "F4\tSN-9");
    ck_assert_str_eq(t.r.text, "F4\tSN-9");
    scan(&t, "F4");
    model_clock(t.m, SCENE_NOW + 4 + FIXTURE_WAIT_S, 0);
    hands_look(&t.h, model_now(t.m));
    scan(&t, "SN-9");
    ck_assert_str_eq(t.r.text, "SN-9");
    scan(&t, "F4");
    press(&t, K_ESCAPE);
    scan(&t, "SN-9");
    ck_assert_str_eq(t.r.text, "SN-9");
    leave(&t);
}
END_TEST

START_TEST(goes_back_to_the_line_for_a_scan)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);

    press(&t, K_F1);
    ck_assert_ptr_eq(t.h.screen, &screen_keys);
    scan(&t, "F4");
    ck_assert_ptr_eq(t.h.screen, &screen_line);
    leave(&t);
}
END_TEST

/* Unless it was a badge. */
START_TEST(stays_for_a_badge)
{
    static const char pin[] = "{\"event\":\"session\",\"state\":\"pin\",\"fixture\":\"\",\"person\":\"\",\"reason\":\"\"}";
    struct stand t = stand_at(SCENE_NORMAL, 0);

    scan(&t, "LINESIDE-STOCK");
    scan(&t, "B-0001");
    ck_assert_ptr_eq(t.h.screen, &screen_line);
    scene_tell(t.m, pin);
    hands_look(&t.h, model_now(t.m));
    ck_assert_ptr_eq(t.h.screen, &screen_stock);
    ck_assert_int_eq(t.h.d.prompt, PROMPT_PIN);
    model_pin_done(t.m);
    press(&t, K_ESCAPE);
    scan(&t, "F4");
    scan(&t, "SN-9");
    later(&t, BADGE_S + 1); /* somebody else's, elsewhere */
    scene_tell(t.m, pin);
    hands_look(&t.h, model_now(t.m));
    ck_assert_ptr_eq(t.h.screen, &screen_line);
    leave(&t);
}
END_TEST

START_TEST(logs_in_by_key)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);

    press(&t, K_F3);
    scan(&t, "B-0001");
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    ck_assert_int_eq(t.h.d.prompt, PROMPT_PIN);
    scan(&t, "90817");
    ck_assert_int_eq(t.r.wish, WISH_LOGIN);
    ck_assert_str_eq(t.r.badge, "B-0001");
    ck_assert_str_eq(t.r.pin, "90817");
    ck_assert_str_eq(t.r.fixture, "");
    request_forget(&t.r);
    ck_assert_str_eq(t.r.pin, "");
    /* It is nowhere in what is kept. */
    for (size_t i = 0; i + 5 <= sizeof t.h; i++)
        ck_assert(memcmp((char *)&t.h + i, "90817", 5) != 0);
    press(&t, K_F4);
    ck_assert_int_eq(t.r.wish, WISH_LOGOUT);
    leave(&t);
}
END_TEST

START_TEST(asks_the_pin_of_a_scanned_badge)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);

    scene_tell(t.m, "{\"event\":\"session\",\"state\":\"pin\",\"fixture\":\"F2\",\"person\":\"\",\"reason\":\"\"}");
    hands_look(&t.h, model_now(t.m));
    ck_assert_int_eq(t.h.d.prompt, PROMPT_PIN);
    scan(&t, "90817");
    ck_assert_int_eq(t.r.wish, WISH_LOGIN);
    ck_assert_str_eq(t.r.badge, "");
    ck_assert_str_eq(t.r.fixture, "F2");
    leave(&t);
}
END_TEST

START_TEST(obeys_command_barcodes)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);

    scan(&t, "LINESIDE-HELP");
    ck_assert_ptr_eq(t.h.screen, &screen_keys);
    scan(&t, "lineside-log");
    ck_assert_ptr_eq(t.h.screen, &screen_log);
    scan(&t, "LINESIDE-NONSENSE");
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    ck_assert(t.h.d.notice_bad);
    scan(&t, "LINESIDE-LOGOUT");
    ck_assert_int_eq(t.r.wish, WISH_LOGOUT);
    press(&t, K_F3); /* also where a badge is asked for */
    scan(&t, "LINESIDE-CANCEL");
    ck_assert_int_eq(t.h.d.prompt, PROMPT_NONE);
    leave(&t);
}
END_TEST

/* Of the line's own scanners. */
START_TEST(obeys_commands_that_the_line_tells)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);
    char word[WORD_CAP];

    scene_tell(t.m, "{\"event\":\"command\",\"command\":\"help\"}");
    scene_tell(t.m, "{\"event\":\"command\",\"command\":\"LOGOUT\"}");
    scene_tell(t.m, "{\"event\":\"command\"}");
    for (int i = 0; i < 2; i++) {
        ck_assert(model_command(t.m, word));
        hands_command(&t.h, model_now(t.m), 80, 24, word, &t.r);
    }
    ck_assert_ptr_eq(t.h.screen, &screen_keys);
    ck_assert_int_eq(t.r.wish, WISH_LOGOUT);
    ck_assert(!model_command(t.m, word));
    for (int i = 0; i < 20; i++)
        scene_tell(t.m, "{\"event\":\"command\",\"command\":\"x\"}");
    for (int i = 0; i < MODEL_COMMANDS; i++)
        ck_assert(model_command(t.m, word));
    ck_assert(!model_command(t.m, word));
    leave(&t);
}
END_TEST

/* Every action and every screen has a barcode of its own. */
START_TEST(has_no_barcode_twice)
{
    for (size_t i = 0; i < action_count; i++) {
        ck_assert_ptr_eq(action_of_key(actions[i].key), &actions[i]);
        ck_assert_ptr_eq(action_of_command(actions[i].barcode), &actions[i]);
    }
    for (size_t i = 0; i < screen_count; i++) {
        const struct action *a = action_of_command(screens[i]->name);
        ck_assert_ptr_eq(screen_of(screens[i]->name), screens[i]);
        ck_assert(!a || a->act == ACT_LINE || a->act == ACT_HELP);
    }
}
END_TEST

START_TEST(chooses_a_fixture)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);

    press(&t, K_RIGHT);
    ck_assert_str_eq(t.h.d.selected, "F1");
    press(&t, K_RIGHT);
    ck_assert_str_eq(t.h.d.selected, "F2");
    press(&t, K_DOWN);
    ck_assert_str_eq(t.h.d.selected, "F5");
    press(&t, K_DOWN);
    ck_assert_str_eq(t.h.d.selected, "F5");
    press(&t, K_UP);
    press(&t, K_LEFT);
    ck_assert_str_eq(t.h.d.selected, "F1");
    press(&t, K_ESCAPE);
    ck_assert_str_eq(t.h.d.selected, "");
    leave(&t);
}
END_TEST

START_TEST(locks_when_nobody_is_there)
{
    struct stand t = stand_at(SCENE_NORMAL, 60);

    press(&t, K_F5);
    model_clock(t.m, SCENE_NOW + 4 + 60, 0);
    hands_look(&t.h, model_now(t.m));
    ck_assert(t.h.d.locked);
    ck_assert_ptr_eq(t.h.screen, &screen_line);
    press(&t, K_F5);
    ck_assert_ptr_eq(t.h.screen, &screen_line);
    press(&t, K_F4);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    scan(&t, "LINESIDE-LOG");
    ck_assert_ptr_eq(t.h.screen, &screen_line);
    scan(&t, "LINESIDE-ABOUT"); /* is for everybody, but what is done there is not */
    scene_answer(t.m, "about", SCENE_NORMAL);
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    ck_assert_ptr_null(t.h.d.sure);
    ck_assert(t.h.d.notice_bad);
    scan(&t, "F4"); /* units go on */
    scan(&t, "SN-9");
    ck_assert_int_eq(t.r.wish, WISH_SCAN);
    press(&t, K_F3);
    ck_assert_int_eq(t.h.d.prompt, PROMPT_BADGE);
    press(&t, K_ESCAPE);
    scene_tell(t.m, "{\"event\":\"session\",\"state\":\"opened\",\"fixture\":\"\",\"person\":\"Bo\",\"reason\":\"\"}");
    hands_look(&t.h, model_now(t.m));
    ck_assert(!t.h.d.locked);
    leave(&t);
}
END_TEST

/* A console whose font has no Chinese: it says so, and that language is passed over. */
START_TEST(passes_over_what_cannot_be_shown)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);

    t.h.glyphs = false;
    press(&t, K_F8);
    ck_assert_int_eq(t.h.d.lang, LANG_DE);
    ck_assert(t.h.d.notice_bad);
    ck_assert_str_eq(t.h.d.notice, tr(LANG_DE, "This console's font has no Chinese characters; they are passed over."));
    for (int i = 0; i < 8; i++) {
        press(&t, K_F8);
        ck_assert_int_ne(t.h.d.lang, LANG_ZH);
    }
    t.h.glyphs = true;
    while (t.h.d.lang != LANG_EN)
        press(&t, K_F8);
    press(&t, K_F8);
    ck_assert_int_eq(t.h.d.lang, LANG_ZH);
    leave(&t);
}
END_TEST

START_TEST(leaves_when_asked_twice)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);

    press(&t, K_F10);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    press(&t, K_UP);
    press(&t, K_F10);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    press(&t, K_F10);
    ck_assert_int_eq(t.r.wish, WISH_LEAVE);
    leave(&t);
}
END_TEST

/* --- questions ------------------------------------------------------------------------ */

START_TEST(asks_what_a_screen_shows)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);
    const char *verb, *what;

    ck_assert(!hands_question(&t.h, model_now(t.m), &verb, &what)); /* the line's needs none */
    scan(&t, "LINESIDE-STOCK");
    ck_assert(hands_question(&t.h, model_now(t.m), &verb, &what));
    ck_assert_str_eq(verb, "stock");
    ck_assert_str_eq(what, "");
    ck_assert(!hands_question(&t.h, model_now(t.m), &verb, &what));
    model_clock(t.m, SCENE_NOW + 60, 0);
    ck_assert(hands_question(&t.h, model_now(t.m), &verb, &what));
    model_lose(t.m, "gone");
    ck_assert(!hands_question(&t.h, model_now(t.m), &verb, &what));
    leave(&t);
}
END_TEST

/* There a scan starts no unit. */
START_TEST(searches_what_is_scanned)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);
    const char *verb, *what;

    scan(&t, "LINESIDE-UNIT");
    ck_assert(!hands_question(&t.h, model_now(t.m), &verb, &what));
    scan(&t, "F1");
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    ck_assert(hands_question(&t.h, model_now(t.m), &verb, &what));
    ck_assert_str_eq(verb, "unit");
    ck_assert_str_eq(what, "F1");
    ck_assert(!hands_question(&t.h, model_now(t.m), &verb, &what));
    scan(&t, "SN-9");
    ck_assert(hands_question(&t.h, model_now(t.m), &verb, &what));
    press(&t, K_ESCAPE);
    ck_assert(!hands_question(&t.h, model_now(t.m), &verb, &what));
    scan(&t, "LINESIDE-LINE");
    scan(&t, "F1");
    scan(&t, "SN-9");
    ck_assert_str_eq(t.r.text, "F1\tSN-9");
    leave(&t);
}
END_TEST

START_TEST(keeps_an_answer_for_its_screen)
{
    struct model *m = scene_model(SCENE_NORMAL);
    json_t *j = json_pack("{s:i,s:b,s:{s:i}}", "id", 1, "ok", 1, "answer", "n", 7);

    model_answer(m, "stock", j);
    json_decref(j);
    ck_assert_int_eq(json_integer_value(json_object_get(snapshot_answer(model_now(m), "stock"), "n")), 7);
    ck_assert_ptr_null(snapshot_answer(model_now(m), "unit"));
    j = json_pack("{s:i,s:b,s:s,s:s}", "id", 2, "ok", 0, "error", "busy", "message", "Later.");
    model_answer(m, "stock", j);
    json_decref(j);
    ck_assert_ptr_null(snapshot_answer(model_now(m), "stock"));
    ck_assert_str_eq(model_now(m)->answer_error, "Later.");
    model_free(m);
}
END_TEST

/* --- by chance ----------------------------------------------------------------------- */

static uint64_t chance; /* set by the test */

static uint32_t roll(uint32_t n)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(chance >> 33) % n;
}

static void tell_something(struct stand *t)
{
    static const char *const events[] = { "verdict", "busy", "fixture", "chosen", "session", "scanner" };
    static const char *const words[] = { "PASS", "FAIL", "REFUSED", "opened", "closed", "pin", "gone",
                                         "stopped", "released", "card", "load", "\xE5\xA4\xB9\x07" };
    char name[8];

    snprintf(name, sizeof name, "F%u", roll(70));
    const char *word = words[roll(12)];
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "event", events[roll(6)], "fixture",
                          roll(5) ? name : "", "state", word, "verdict", word, "step", word, "serial",
                          word, "person", word, "code", roll(2) ? "quarantined" : word, "cause", word);
    ck_assert(j);
    model_apply(t->m, j);
    json_decref(j);
}

static void type_something(struct stand *t)
{
    static const char *const texts[] = { "F1", "F2", "SN-1", "LINESIDE-LOG", "LINESIDE-MENU", "B-1",
                                         "1234", "\t", "LINESIDE-", "LINESIDE-UNIT", "LINESIDE-STOCK",
                                         "LINESIDE-FIXTURES", "LINESIDE-QUARANTINE" };

    for (const char *c = texts[roll(13)]; *c; c++)
        hands_char(&t->h, model_now(t->m), (uint8_t)*c);
    hands_char(&t->h, model_now(t->m), roll(0x110000));
}

static void something(struct stand *t, struct grid **g)
{
    switch (roll(5)) {
    case 0:
        tell_something(t);
        break;
    case 1:
        type_something(t);
        break;
    case 2:
        grid_free(*g);
        *g = grid_new((int)roll(260), (int)roll(80));
        break;
    case 3:
        model_clock(t->m, model_now(t->m)->now + roll(90), 0);
        break;
    default:
        hands_key(&t->h, model_now(t->m), (*g)->cols, (*g)->rows, (enum key)roll(KEYS), &t->r);
        break;
    }
    const char *verb, *what;
    if (hands_question(&t->h, model_now(t->m), &verb, &what) && roll(4))
        scene_answer(t->m, t->h.screen->name, (enum scene)roll(SCENES));
    if (roll(2000) == 0)
        model_lose(t->m, "gone");
}

START_TEST(survives_chance)
{
    const char *seconds = getenv("UI_SECONDS"), *seed = getenv("SEED");
    int64_t until = clock_monotonic_ms() + 1000 * (seconds ? atoll(seconds) : 2);
    struct stand t = stand_at(SCENE_FULL, 30);
    struct grid *g = grid_new(80, 24);

    chance = seed && *seed ? strtoull(seed, NULL, 10) : 41;
    for (uint64_t n = 0; clock_monotonic_ms() < until; n++) {
        something(&t, &g);
        hands_look(&t.h, model_now(t.m));
        if (n % 4 == 0)
            screen_draw(hands_screen(&t.h, model_now(t.m)), g, model_now(t.m), &t.h.d);
        ck_assert_uint_le(strlen(t.h.d.typed), TYPED_MAX);
    }
    grid_free(g);
    leave(&t);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "scans label, then unit", scans_label_then_unit, 1 },
        { "goes back to the line for a scan", goes_back_to_the_line_for_a_scan, 1 },
        { "stays for a badge", stays_for_a_badge, 1 },
        { "logs in by key", logs_in_by_key, 1 },
        { "asks the PIN of a scanned badge", asks_the_pin_of_a_scanned_badge, 1 },
        { "obeys command barcodes", obeys_command_barcodes, 1 },
        { "obeys commands that the line tells", obeys_commands_that_the_line_tells, 1 },
        { "has no barcode twice", has_no_barcode_twice, 1 },
        { "chooses a fixture", chooses_a_fixture, 1 },
        { "locks when nobody is there", locks_when_nobody_is_there, 1 },
        { "passes over what cannot be shown", passes_over_what_cannot_be_shown, 1 },
        { "leaves when asked twice", leaves_when_asked_twice, 1 },
        { "asks what a screen shows", asks_what_a_screen_shows, 1 },
        { "searches what is scanned", searches_what_is_scanned, 1 },
        { "keeps an answer for its screen", keeps_an_answer_for_its_screen, 1 },
        { "survives chance", survives_chance, 1 },
    };

    return run_tests("ui_hands", tests, sizeof tests / sizeof *tests);
}
