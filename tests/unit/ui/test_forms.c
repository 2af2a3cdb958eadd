/* Deeds that want to be told something first: what is asked for, what is taken, what goes
 * to the line, and what is kept of it. */
#include "station/line/verdict.h"
#include "tests/unit/support.h"
#include "tests/unit/ui/golden.h"
#include "tests/unit/ui/stand.h"
#include "ui/scan/form.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* One field of each kind. */
static bool always(const struct desk *d, const struct snapshot *s)
{
    (void)d, (void)s;
    return true;
}

static bool three(const struct desk *d, const struct snapshot *s, size_t i, struct option *out)
{
    (void)d, (void)s;
    snprintf(out->value, sizeof out->value, "v%zu", i);
    snprintf(out->text, sizeof out->text, "number %zu", i);
    return i < 3;
}
static const struct choice roles[] = { { "operator", N_("Operator") }, { "auditor", N_("Auditor") } };
static const struct field all_kinds[] = {
    { .member = "name", .label = "Name", .kind = FIELD_TEXT, .least = 2, .most = 4 },
    { .member = "limit", .label = "Limit", .kind = FIELD_NUMBER, .least = 1, .most = 20 },
    { .member = "exact", .label = "Exact", .kind = FIELD_SCAN, .least = 3, .most = 3, .optional = true },
    { .member = "order", .label = "Order", .kind = FIELD_SCAN, .prefix = "order:" },
    { .member = "role", .label = "Role", .kind = FIELD_CHOICE, .choices = roles, .count = 2 },
    { .member = "more[]", .label = "More", .kind = FIELD_CHOICE, .option = three, .optional = true },
    { .member = "fixture", .label = "Fixture", .kind = FIELD_FIXTURE },
    { .member = "allowed", .kind = FIELD_TRUE },
};
static const struct field in_pairs[] = {
    { .member = "removed", .kind = FIELD_FALSE },
    { .member = "to", .label = "To", .kind = FIELD_PLACE },
    { .member = "more[]", .label = "More", .kind = FIELD_TEXT },
    { .member = "more[]", .label = "More", .kind = FIELD_TEXT, .optional = true },
    { .member = "newPin", .label = "New PIN", .kind = FIELD_PIN },
    { .member = NULL, .label = "Once more", .kind = FIELD_PIN },
    SECOND_PERSON,
};
static const struct deed kinds = { .verb = "rule", .label = "All kinds", .sure = "All comes of it.",
                                   .can = always, .member = "what", FORM(all_kinds) };
static const struct deed pairs = { .verb = "rule", .label = "Pairs", .sure = "All comes of it.",
                                   .can = always, FORM(in_pairs) };

static struct stand form_of(const struct deed *deed)
{
    struct stand t = stand_at(SCENE_NORMAL, 0);

    form_open(&t.h.d, model_now(t.m), deed, "it");
    return t;
}

static void refused(struct stand *t, const char *text, const char *why)
{
    size_t at = t->h.d.form.at;

    scan(t, text);
    ck_assert_uint_eq(t->h.d.form.at, at);
    ck_assert(t->h.d.notice_bad);
    ck_assert_str_eq(t->h.d.notice, why);
    ck_assert_int_eq(t->r.wish, WISH_NOTHING);
}

static void sends(const struct stand *t, const char *json)
{
    AUTO(json_decrefp) json_t *is = json_object(), *want = json_loads(json, 0, NULL);
    char *text;

    ck_assert_int_eq(t->r.wish, WISH_DEED);
    ck_assert(t->h.d.form.sent);
    ck_assert(form_members(&t->h.d.form, is));
    text = json_dumps(is, JSON_SORT_KEYS);
    ck_assert_msg(want && json_equal(is, want), "%s", text);
    free(text);
}

START_TEST(takes_what_has_the_shape)
{
    struct stand t = form_of(&kinds);

    refused(&t, "", "This cannot be left out.");
    refused(&t, "x", "This has 2 to 4 characters.");
    refused(&t, "\xE5\xA4\xB9\xE5\xA4\xB9yyy", "This has 2 to 4 characters.");
    scan(&t, "\xE5\xA4\xB9\xE5\xA4\xB9yy"); /* characters, not octets */
    refused(&t, "0", "This is a whole number from 1 to 20.");
    refused(&t, "21", "This is a whole number from 1 to 20.");
    refused(&t, "-3", "This is a whole number from 1 to 20.");
    refused(&t, "99999999999999999999999", "This is a whole number from 1 to 20.");
    scan(&t, "20");
    refused(&t, "ABCD", "This has 3 characters, not 4.");
    scan(&t, "");
    scan(&t, "ORDER:WO-6");
    refused(&t, "supervisor", "This is none of those that can be chosen.");
    press(&t, K_DOWN);
    press(&t, K_DOWN); /* there are two */
    press(&t, K_ENTER);
    press(&t, K_ENTER); /* none */
    scan(&t, "F2");
    ck_assert_ptr_null(form_field(&t.h.d.form));
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    refused(&t, "F2", "All is told: Enter alone does it, Esc goes back.");
    press(&t, K_ENTER);
    sends(&t, "{\"name\":\"\xE5\xA4\xB9\xE5\xA4\xB9yy\",\"limit\":20,\"order\":\"WO-6\",\"role\":\"auditor\","
              "\"fixture\":\"F2\",\"allowed\":true}");
    ck_assert_str_eq(t.r.member, "what");
    ck_assert_str_eq(t.r.text, "it");
    press(&t, K_ENTER); /* it is at it */
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    model_free(t.m);
}
END_TEST

START_TEST(takes_what_is_chosen)
{
    static const struct place places[] = { { "stick", "/media/stick", true }, { "old", "/media/old", false } };
    struct stand t = form_of(&pairs);

    press(&t, K_ENTER); /* no medium is there */
    ck_assert_str_eq(t.h.d.notice, "This is none of those that can be chosen.");
    ck_assert(model_places(t.m, "/media", places, 2));
    ck_assert(!model_places(t.m, "/media", places, 2));
    press(&t, K_RIGHT);
    press(&t, K_ENTER);
    scan(&t, "one");
    scan(&t, "two");
    refused(&t, "123", "A PIN has 4 to 12 digits.");
    refused(&t, "12x4", "A PIN has 4 to 12 digits.");
    scan(&t, "90817");
    scan(&t, "90818"); /* which one was mistyped nobody knows */
    ck_assert_str_eq(t.h.d.notice, "The two are not the same. Type both again.");
    scan(&t, "90817");
    scan(&t, "90817");
    scan(&t, "B-2");
    scan(&t, "471147");
    press(&t, K_ENTER);
    sends(&t, "{\"removed\":false,\"to\":\"/media/old\",\"more\":[\"one\",\"two\"],\"newPin\":\"90817\","
              "\"second\":{\"badge\":\"B-2\",\"pin\":\"471147\"}}");
    model_free(t.m);
}
END_TEST

/* Escape: what is typed, then field by field, then out. */
START_TEST(goes_back_field_by_field)
{
    struct stand t = form_of(&kinds);

    scan(&t, "abc");
    scan(&t, "7");
    hands_char(&t.h, model_now(t.m), 'x');
    press(&t, K_ESCAPE);
    ck_assert_str_eq(t.h.d.typed, "");
    ck_assert_uint_eq(t.h.d.form.at, 2);
    press(&t, K_ESCAPE);
    ck_assert_uint_eq(t.h.d.form.at, 1);
    ck_assert_str_eq(t.h.d.form.value[1], "");
    ck_assert_str_eq(t.h.d.form.value[0], "abc");
    scan(&t, "LINESIDE-CANCEL"); /* as the key */
    press(&t, K_ESCAPE);
    ck_assert_ptr_null(t.h.d.form.deed);
    ck_assert(kept_nowhere(&t, "abc"));
    form_open(&t.h.d, model_now(t.m), &pairs, ""); /* its first field is not asked for */
    press(&t, K_ESCAPE);
    ck_assert_ptr_null(t.h.d.form.deed);
    model_free(t.m);
}
END_TEST

/* At its last PIN, twice. */
static struct stand at_pins(int lock_s)
{
    static const struct place one[] = { { "stick", "/media/stick", true } };
    static const char *const told[] = { "stick", "/media/stick", "one", "", "90817", "90817", "B-2" };
    struct stand t = stand_at(SCENE_NORMAL, lock_s);

    form_open(&t.h.d, model_now(t.m), &pairs, "");
    model_places(t.m, "/media", one, 1);
    scan(&t, told[1]);
    for (size_t i = 2; i < sizeof told / sizeof *told; i++)
        scan(&t, told[i]);
    hands_char(&t.h, model_now(t.m), '4');
    hands_char(&t.h, model_now(t.m), '7');
    hands_char(&t.h, model_now(t.m), '1');
    return t;
}

START_TEST(keeps_nothing_when_it_is_left)
{
    static const enum key away[] = { K_F1, K_F2, K_F5 };
    static const char *const commands[] = { "LINESIDE-LOG", "LINESIDE-LINE", "LINESIDE-MENU" };

    for (size_t i = 0; i < 3; i++) {
        struct stand t = at_pins(0);
        ck_assert(!kept_nowhere(&t, "90817"));
        press(&t, away[i]);
        ck_assert_ptr_null(t.h.d.form.deed);
        ck_assert(kept_nowhere(&t, "90817") && kept_nowhere(&t, "471") && kept_nowhere(&t, "B-2"));
        model_free(t.m);
        t = at_pins(0);
        for (int k = 0; k < 3; k++)
            press(&t, K_ERASE);
        scan(&t, commands[i]);
        ck_assert_ptr_null(t.h.d.form.deed);
        ck_assert(kept_nowhere(&t, "90817"));
        model_free(t.m);
    }
}
END_TEST

START_TEST(is_locked_when_nobody_is_there)
{
    struct stand t = at_pins(60);

    later(&t, 60);
    ck_assert(t.h.d.locked);
    ck_assert_ptr_null(t.h.d.form.deed);
    ck_assert_ptr_eq(t.h.screen, &screen_line);
    ck_assert(kept_nowhere(&t, "90817") && kept_nowhere(&t, "471"));
    model_free(t.m);
}
END_TEST

/* Of a form that nobody goes on with the PINs are asked anew. */
START_TEST(keeps_no_pin_for_long)
{
    struct stand t = at_pins(0);

    scan(&t, "147");
    ck_assert_ptr_null(form_field(&t.h.d.form));
    later(&t, PINS_S);
    ck_assert_str_eq(form_field(&t.h.d.form)->member, "newPin");
    ck_assert_str_eq(t.h.d.form.value[2], "one");
    ck_assert(kept_nowhere(&t, "90817") && kept_nowhere(&t, "471") && kept_nowhere(&t, "B-2"));
    model_free(t.m);
}
END_TEST

START_TEST(is_of_who_began_it)
{
    struct stand t = at_pins(0);

    scene_tell(t.m, "{\"event\":\"session\",\"state\":\"opened\",\"fixture\":\"F2\",\"person\":\"Cy\",\"reason\":\"\"}");
    hands_look(&t.h, model_now(t.m));
    ck_assert_ptr_eq(t.h.d.form.deed, &pairs);
    scene_tell(t.m, "{\"event\":\"session\",\"state\":\"opened\",\"fixture\":\"\",\"person\":\"Bo\",\"reason\":\"\"}");
    hands_look(&t.h, model_now(t.m));
    ck_assert_ptr_null(t.h.d.form.deed);
    ck_assert(t.h.d.notice_bad);
    ck_assert(kept_nowhere(&t, "90817"));
    model_free(t.m);

    t = at_pins(0);
    model_lose(t.m, "gone");
    hands_look(&t.h, model_now(t.m));
    ck_assert_ptr_null(t.h.d.form.deed);
    ck_assert(kept_nowhere(&t, "90817"));
    model_free(t.m);
}
END_TEST

/* A badge that is scanned elsewhere asks for its PIN in between. */
START_TEST(waits_for_a_login)
{
    struct stand t = form_of(&kinds);

    scan(&t, "abc");
    scene_tell(t.m, "{\"event\":\"session\",\"state\":\"pin\",\"fixture\":\"F2\",\"person\":\"\",\"reason\":\"\"}");
    hands_look(&t.h, model_now(t.m));
    press(&t, K_ENTER); /* nothing is taken for it yet */
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    ck_assert_uint_eq(t.h.d.form.at, 1);
    for (const char *c = "4711"; *c; c++)
        hands_char(&t.h, model_now(t.m), (uint8_t)*c);
    hands_key(&t.h, model_now(t.m), 80, 24, K_ENTER, &t.r);
    ck_assert_int_eq(t.r.wish, WISH_LOGIN);
    model_pin_done(t.m);
    hands_look(&t.h, model_now(t.m));
    scan(&t, "7");
    ck_assert_uint_eq(t.h.d.form.at, 2);
    ck_assert_str_eq(t.h.d.form.value[1], "7");
    model_free(t.m);
}
END_TEST

START_TEST(is_mended_when_it_was_refused)
{
    struct stand t = at_pins(0);

    scan(&t, "147");
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_DEED);
    hands_answered(&t.h, false);
    ck_assert_str_eq(form_field(&t.h.d.form)->member, "newPin");
    ck_assert(kept_nowhere(&t, "90817") && kept_nowhere(&t, "471"));
    ck_assert_str_eq(t.h.d.form.value[2], "one");
    scan(&t, "90817");
    scan(&t, "90817");
    scan(&t, "B-2");
    scan(&t, "471147");
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_DEED);
    hands_answered(&t.h, true);
    ck_assert_ptr_null(t.h.d.form.deed);
    ck_assert(kept_nowhere(&t, "90817") && kept_nowhere(&t, "one"));
    model_free(t.m);
}
END_TEST

/* --- quarantine -------------------------------------------------------------------------- */

static struct stand held(const char *lang_keys)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-QUARANTINE");

    for (; *lang_keys; lang_keys++)
        press(&t, K_F8);
    scene_answer(t.m, "quarantine", SCENE_NORMAL);
    return t;
}

START_TEST(releases_with_two_people)
{
    struct stand t = held("");

    press(&t, K_RIGHT);
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.form.deed->verb, "quarantine-release");
    ck_assert_str_eq(t.h.d.form.about, "SN-004002");
    scan(&t, "contacts cleaned");
    scan(&t, "B-2");
    scan(&t, "4711");
    press(&t, K_ENTER);
    ck_assert_str_eq(t.r.member, "serial");
    ck_assert_str_eq(t.r.text, "SN-004002");
    sends(&t, "{\"reason\":\"contacts cleaned\",\"second\":{\"badge\":\"B-2\",\"pin\":\"4711\"}}");
    model_free(t.m);
}
END_TEST

START_TEST(offers_what_goes_with_the_row)
{
    struct stand t = held("");

    press(&t, K_RIGHT);
    press(&t, K_RIGHT);
    press(&t, K_RIGHT); /* there are three */
    ck_assert_uint_eq(t.h.d.pick, 2);
    press(&t, K_DOWN); /* of a profile two, and the first one */
    ck_assert_uint_eq(t.h.d.pick, 0);
    press(&t, K_RIGHT);
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.form.deed->verb, "void");
    ck_assert_str_eq(t.h.d.form.about, "eb35ced2");
    refused(&t, "", "This cannot be left out.");
    model_free(t.m);
    t = stand_on(SCENE_NORMAL, "LINESIDE-QUARANTINE");
    press(&t, K_ENTER); /* no answer yet */
    ck_assert_ptr_null(t.h.d.form.deed);
    scene_answer(t.m, "quarantine", SCENE_EMPTY);
    press(&t, K_ENTER);
    ck_assert_ptr_null(t.h.d.form.deed);
    model_free(t.m);
}
END_TEST

/* --- returns ----------------------------------------------------------------------------------- */

START_TEST(gives_back_by_two_scans)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-RETURNS");

    scan(&t, "SN-004711"); /* not begun: no unit is started by it */
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    ck_assert_ptr_eq(t.h.screen, &screen_returns);
    ck_assert(t.h.d.notice_bad);
    press(&t, K_ESCAPE);
    ck_assert_ptr_null(t.h.d.form.deed);
    scan(&t, "F1");
    ck_assert_str_eq(form_field(&t.h.d.form)->member, "serial");
    scan(&t, "SN-004711");
    refused(&t, "", "This cannot be left out.");
    scan(&t, "customer return");
    press(&t, K_ENTER);
    ck_assert_str_eq(t.r.verb, "return");
    ck_assert_ptr_null(t.r.member);
    sends(&t, "{\"fixture\":\"F1\",\"serial\":\"SN-004711\",\"reason\":\"customer return\"}");
    ck_assert_str_ne(t.r.done, "It is done."); /* it is only begun */
    ck_assert_str_eq(t.h.d.selected, "F1");
    hands_answered(&t.h, true);
    press(&t, K_ESCAPE);
    ck_assert_str_eq(t.h.d.selected, "");
    model_lose(t.m, "gone");
    scan(&t, "F1");
    ck_assert_ptr_null(t.h.d.form.deed);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    model_free(t.m);
}
END_TEST

/* --- as it looks --------------------------------------------------------------------------- */

static void draw(struct buf *all, struct stand *t, const char *name)
{
    char heading[64];
    struct grid *g = grid_new(80, 24);

    screen_draw(hands_screen(&t->h, model_now(t->m)), g, model_now(t->m), &t->h.d);
    snprintf(heading, sizeof heading, "80x24-%s-%s", lang_code(t->h.d.lang), name);
    golden_add(all, g, heading);
    grid_free(g);
}

START_TEST(looks_as_it_did)
{
    static const char *const languages[] = { "", "1", "22", "333" };
    AUTO(buf_clear) struct buf all = BUF_INIT;

    for (int i = 0; i < 4; i++) {
        struct stand t = held(languages[i]);
        press(&t, K_RIGHT);
        press(&t, K_ENTER);
        draw(&all, &t, "reason");
        scan(&t, "contacts cleaned");
        scan(&t, "B-2");
        hands_char(&t.h, model_now(t.m), '9');
        hands_char(&t.h, model_now(t.m), '0');
        draw(&all, &t, "pin");
        press(&t, K_ENTER);
        draw(&all, &t, "refused");
        scan(&t, "90817");
        draw(&all, &t, "sure");
        press(&t, K_ENTER);
        draw(&all, &t, "sent");
        ck_assert(!memmem(all.p, all.n, "90817", 5) && !memmem(all.p, all.n, "B-2", 3));
        model_free(t.m);
    }
    struct stand t = form_of(&kinds);
    scan(&t, "abc");
    scan(&t, "7");
    scan(&t, "");
    scan(&t, "WO-6");
    draw(&all, &t, "choice");
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    draw(&all, &t, "fixture");
    model_free(t.m);
    t = form_of(&pairs);
    draw(&all, &t, "no-place");
    static const struct place places[] = { { "stick", "/media/stick", true }, { "old", "/media/old", false } };
    model_places(t.m, "/media", places, 2);
    draw(&all, &t, "place");
    model_free(t.m);
    for (int i = 0; i < 4; i++) { /* a unit that gave its profiles back */
        t = stand_on(SCENE_NORMAL, "LINESIDE-RETURNS");
        for (int k = 0; languages[i][k]; k++)
            press(&t, K_F8);
        scan(&t, "F1");
        draw(&all, &t, "return-unit");
        scan(&t, "SN-004711");
        scan(&t, "customer return");
        press(&t, K_ENTER);
        hands_answered(&t.h, true);
        scene_tell(t.m, "{\"event\":\"busy\",\"fixture\":\"F1\",\"step\":\"delete\",\"serial\":\"SN-004711\",\"eid\":\"\"}");
        draw(&all, &t, "return-runs");
        const struct verdict_row *r = verdict_row(V_RETURNED);
        json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i}", "event", "verdict", "fixture", "F1", "verdict",
                              verdict_kind_text(r->kind), "code", r->code, "serial", "SN-004711", "cause",
                              r->cause, "next", r->next, "ms", 8412);
        model_apply(t.m, j);
        json_decref(j);
        draw(&all, &t, "returned");
        model_free(t.m);
    }
    golden_check(&all, "form");
}
END_TEST

/* Every field of every deed has a member and a label, and room. */
START_TEST(is_laid_out_for_the_smallest_screen)
{
    for (size_t i = 0; i < screen_count; i++)
        for (size_t k = 0; screens[i]->does && k < screens[i]->does->deeds; k++) {
            const struct deed *d = &screens[i]->does->deed[k];
            ck_assert_uint_le(d->fields, FORM_FIELDS);
            for (enum lang l = LANG_EN; l < LANGS; l++) {
                ck_assert_int_le(text_rows(tr(l, d->sure), d->fields ? 78 : 80), 2);
                ck_assert_int_le(text_width(tr(l, d->label)), 76);
                for (size_t f = 0; f < d->fields; f++)
                    if (d->field[f].kind < FIELD_TRUE)
                        ck_assert_int_le(text_width(tr(l, d->field[f].label)), 40);
            }
            for (size_t f = 0; f < d->fields; f++)
                ck_assert_msg(d->field[f].member || f > 0, "%s", d->verb);
        }
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "takes what has the shape", takes_what_has_the_shape, 1 },
        { "takes what is chosen", takes_what_is_chosen, 1 },
        { "goes back field by field", goes_back_field_by_field, 1 },
        { "keeps nothing when it is left", keeps_nothing_when_it_is_left, 1 },
        { "is locked when nobody is there", is_locked_when_nobody_is_there, 1 },
        { "keeps no PIN for long", keeps_no_pin_for_long, 1 },
        { "is of who began it", is_of_who_began_it, 1 },
        { "waits for a login", waits_for_a_login, 1 },
        { "is mended when it was refused", is_mended_when_it_was_refused, 1 },
        { "releases with two people", releases_with_two_people, 1 },
        { "offers what goes with the row", offers_what_goes_with_the_row, 1 },
        { "gives back by two scans", gives_back_by_two_scans, 1 },
        { "looks as it did", looks_as_it_did, 1 },
        { "is laid out for the smallest screen", is_laid_out_for_the_smallest_screen, 1 },
    };

    return run_tests("ui_forms", tests, sizeof tests / sizeof *tests);
}
