/* Nothing that a person at the line is told is in English alone, and nothing
 * is so long that the smallest screen cuts it. That each text of the screen
 * itself is translated, tests/e2e/docs.sh asks xgettext. */
#include "station/line/recipe.h"
#include "station/line/verdict.h"
#include "station/people/rights.h"
#include "tests/unit/support.h"
#include "tests/unit/ui/scenes.h"
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/words/told.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

START_TEST(knows_every_verdict)
{
    const struct verdict_row *v = verdict_row((enum verdict)_i);

    for (enum lang l = LANG_EN; l < LANGS; l++) {
        ck_assert_msg(words_find(l, v->cause) != NULL, "%s: %s", lang_code(l), v->cause);
        ck_assert_msg(words_find(l, v->next) != NULL, "%s: %s", lang_code(l), v->next);
        if (l != LANG_EN) {
            ck_assert_str_ne(verdict_word(l, verdict_kind_text(v->kind)),
                             verdict_kind_text(v->kind));
            ck_assert_str_ne(tr(l, v->cause), v->cause);
        }
    }
}
END_TEST

/* What to do with a container that was refused. Of station/acts/media.h, whose names are
 * others than the screen's. */
const char *inbox_next_step(enum err_code code);

START_TEST(knows_every_next_step)
{
    const char *next = inbox_next_step((enum err_code)_i);

    for (enum lang l = LANG_EN; next && l < LANGS; l++)
        ck_assert_msg(words_find(l, next) != NULL, "%s: %s", lang_code(l), next);
}
END_TEST

START_TEST(knows_every_step)
{
    int percent;

    ck_assert_str_ne(step_words(LANG_EN, recipe[_i].name, &percent), recipe[_i].name);
    ck_assert_int_gt(percent, 0);
    ck_assert_int_lt(percent, 100);
}
END_TEST

/* Whoever stands there may scan, seat, clean and set aside. What takes another's
 * right names who has it, in every language, and no command that is typed. */
START_TEST(says_who_can_do_it)
{
    static const char *const rights[] = { "top the line", "tarts the line", "xport", "profile's provider",
                                          "new profile for this", "show the detail", "looks at the detail", "sets the scanner",
                                          "makes an order", "releases this", "board", "other station" };
    static const char *const who[][LANGS] = {
        { "line engineer", "产线工程师", "Linientechniker", "técnico de línea" },
        { "supervisor", "主管", "Vorgesetzte", "supervisor" },
    };
    const struct verdict_row *v = verdict_row((enum verdict)_i);
    bool named = false;

    for (size_t w = 0; w < sizeof who / sizeof *who; w++)
        for (enum lang l = LANG_EN; l < LANGS; l++) {
            bool here = strstr(tr(l, v->next), who[w][l]) != NULL;
            named = named || here;
            ck_assert_msg(here == (strstr(v->next, who[w][LANG_EN]) != NULL),
                          "%s: %s: %s", v->code, lang_code(l), tr(l, v->next));
        }
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        ck_assert_msg(named || !strstr(v->next, rights[i]), "%s does not say who: %s", v->code, v->next);
    ck_assert_msg(!strstr(v->next, "lineside "), "%s: %s", v->code, v->next);
}
END_TEST

/* The sentences stand above the figures, in three rows of eighty. */
START_TEST(has_room_for_every_verdict)
{
    const struct verdict_row *v = verdict_row((enum verdict)_i);
    struct model *m = model_new();
    struct grid *g = grid_new(80, 24);

    model_clock(m, SCENE_NOW, 0);
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "event", "verdict", "fixture",
                          "F12", "verdict", "FAIL", "code", v->code, "serial", "SN-000012",
                          "cause", v->cause, "next", v->next, "eid", "");
    model_apply(m, j);
    json_decref(j);
    for (enum lang l = LANG_EN; l < LANGS; l++) {
        struct desk d = { .lang = l };
        const struct view view = { model_now(m), &d, "", "" };
        grid_clear(g);
        message_draw(g, (struct area){ 0, 0, 80, message_height(&view, 80, 24) }, &view);
        for (int y = 0; y < 24; y++)
            for (int x = 0; x < 80; x++)
                ck_assert_msg(grid_at(g, x, y)->ch != 0x2026, "%s: %s is cut", lang_code(l), v->code);
    }
    grid_free(g);
    model_free(m);
}
END_TEST

/* What the line passes over as a command is what the screen takes for one. */
START_TEST(knows_the_lines_commands)
{
    ck_assert_str_eq(COMMAND_PREFIX, COMMAND_SCAN_PREFIX);
    for (size_t i = 0; i < action_count; i++)
        ck_assert_uint_le(strlen(actions[i].barcode), COMMAND_SCAN_MAX);
}
END_TEST

START_TEST(finds_languages)
{
    enum lang l = LANG_EN;

    ck_assert(lang_of("zh_CN.UTF-8", &l) && l == LANG_ZH);
    ck_assert(lang_of("de", &l) && l == LANG_DE);
    ck_assert(lang_of("es-MX", &l) && l == LANG_ES);
    ck_assert(!lang_of("fr_FR", &l));
    ck_assert(!lang_of("", &l));
    ck_assert(!lang_of("C.UTF-8", &l));
    ck_assert(!lang_of("dexter", &l));
    ck_assert_str_eq(tr(LANG_DE, "no such text"), "no such text");
    ck_assert_ptr_null(words_find(LANG_DE, "")); /* the catalogue's header is no text */
}
END_TEST

/* A refusal that is not known as a sentence says what it means and what to do. */
START_TEST(knows_every_code)
{
    const char *code = err_name((enum err_code)_i), *means = told_code(code);
    char text[1024];

    if (_i == ERR_NONE)
        return;
    ck_assert_msg(means != NULL, "%s", code);
    ck_assert_str_eq(told(LANG_EN, code, "xyz", text, sizeof text), "xyz");
    for (enum lang l = LANG_EN + 1; l < LANGS; l++) {
        ck_assert_msg(words_find(l, means) != NULL, "%s: %s", lang_code(l), code);
        told(l, code, "xyz", text, sizeof text);
        ck_assert(strstr(text, tr(l, means)) == text && strstr(text, "(xyz)") != NULL);
    }
}
END_TEST

/* What the line says in sentences with something in them. */
START_TEST(tells_sentences)
{
    char text[1024], small[20];

    ck_assert_str_eq(told(LANG_DE, "state", "order WO-1 is closed; only a waiting order is activated", text, sizeof text),
                     "Auftrag WO-1 ist „closed“; nur ein wartender Auftrag wird aktiviert");
    ck_assert_str_eq(told(LANG_DE, NULL, "position left, profile 1 (class=test): nobody has delivered one: 0 in stock "
                          "for 10 units. Import the bundles first, or correct the recipe", text, sizeof text),
                     "Stelle left, Profil 1 (class=test): niemand hat eines geliefert: 0 im Bestand für 10 Geräte. "
                     "Importieren Sie zuerst die Pakete, oder berichtigen Sie das Rezept");
    ck_assert_str_eq(told(LANG_ES, "trust", "Bo is operator and may not open and close shifts; ask someone who is "
                          "engineer or supervisor", text, sizeof text),
                     "Bo (operario) no puede: abrir y cerrar turnos. Pregunte a: técnico de línea o supervisor");
    ck_assert_str_eq(told(LANG_ZH, NULL, "nobody knows this", text, sizeof text), "nobody knows this");
    ck_assert_str_eq(told(LANG_ZH, "no-code", "nobody knows this", text, sizeof text), "nobody knows this");
    told(LANG_DE, "io", "a text that has no room", small, sizeof small);
    ck_assert_uint_lt(strlen(small), sizeof small);
    for (int i = 0; i < 300; i++) /* nothing in a text leads astray */
        text[i] = i % 2 ? 's' : '%';
    text[300] = '\0';
    told(LANG_DE, "io", text, small, sizeof small);
}
END_TEST

static bool in_all(const char *text)
{
    bool there = true;

    for (enum lang l = LANG_EN; l < LANGS; l++)
        there = there && words_find(l, text);
    return there;
}

/* ... which stand in "%s may not %s; ask someone who is %s". */
START_TEST(knows_every_right)
{
    char roles[80];

    ck_assert_msg(in_all(right_info((enum right)_i)->act), "%s", right_info((enum right)_i)->act);
    ck_assert_msg(in_all(right_roles_text((enum right)_i, roles, sizeof roles)), "%s", roles);
    ck_assert_msg(in_all(right_seconds_text((enum right)_i, roles, sizeof roles)) || !*roles, "%s", roles);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "knows every verdict", knows_every_verdict, VERDICTS },
        { "knows every next step", knows_every_next_step, ERR_CODES },
        { "knows every step", knows_every_step, STEPS },
        { "says who can do it", says_who_can_do_it, VERDICTS },
        { "has room for every verdict", has_room_for_every_verdict, VERDICTS },
        { "knows the line's commands", knows_the_lines_commands, 1 },
        { "finds languages", finds_languages, 1 },
        { "knows every code", knows_every_code, ERR_CODES },
        { "tells sentences", tells_sentences, 1 },
        { "knows every right", knows_every_right, RIGHTS },
    };

    return run_tests("ui_words", tests, sizeof tests / sizeof *tests);
}
