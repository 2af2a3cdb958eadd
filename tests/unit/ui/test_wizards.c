/* Import and export at the screen: the medium, what is chosen, how far it is, how it
 * ended; and where media are looked for. */
#include "tests/unit/support.h"
#include "tests/unit/ui/golden.h"
#include "tests/unit/ui/stand.h"
#include "ui/app/places.h"
#include "ui/scan/form.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct place two[] = { { "stick", "/media/stick", true }, { "old", "/media/old", false } };
#define BUNDLE "/media/stick/bpp-bundle-ca13520c-2c8d-4d94-89d7-1bf7f3e6510a"

static void places(struct stand *t, size_t n)
{
    model_places(t->m, "/media", two, n);
    hands_look(&t->h, model_now(t->m));
}

static void question(struct stand *t, const char *verb, const char *about)
{
    const char *is, *what;

    ck_assert(hands_question(&t->h, model_now(t->m), &is, &what));
    ck_assert_str_eq(is, verb);
    ck_assert_str_eq(what, about);
    scene_answer(t->m, t->h.screen->name, SCENE_NORMAL);
}

static bool no_question(struct stand *t)
{
    const char *verb, *what;

    return !hands_question(&t->h, model_now(t->m), &verb, &what);
}

static void begin(struct stand *t, const char *about)
{
    ck_assert_int_eq(t->r.wish, WISH_DEED);
    ck_assert_ptr_nonnull(t->r.job);
    ck_assert_str_eq(t->r.text, about);
    model_job_begin(t->m, t->h.screen->name, t->r.job, t->r.text, 7);
    form_forget(&t->h.d); /* as the app does */
}

static void progress(struct stand *t, const char *step, int done, int of)
{
    json_t *j = json_pack("{s:s,s:i,s:s,s:s,s:i,s:i}", "event", "progress", "id", 7, "do", "import", "step",
                          step, "done", done, "of", of);

    model_apply(t->m, j);
    json_decref(j);
}

static void reply(struct stand *t, const char *text)
{
    json_t *j = json_loads(text, 0, NULL);

    ck_assert(j);
    model_job_end(t->m, j);
    json_decref(j);
    hands_look(&t->h, model_now(t->m));
}
#define IMPORTED "{\"id\":7,\"ok\":true,\"answer\":{\"container\":\"" BUNDLE "\",\"kind\":\"bpp-bundle\",\"id\":\"ca13520c-2c8d-4d94-" \
                 "89d7-1bf7f3e6510a\",\"issuer\":\"2.999.10\",\"sequence\":3,\"records\":20000,\"keys\":0,\"withoutDelete\":2,\"missing\":1,\"event\":7}}"
#define REFUSED "{\"id\":7,\"ok\":false,\"error\":\"signature\",\"message\":\"nothing was imported from it: the manifest's signature is not its issuer's\"," \
                "\"answer\":{\"container\":\"" BUNDLE "\",\"next\":\"copy the container again; if it is refused again, ask its issuer for a new one\"}}"

/* --- import -------------------------------------------------------------------------------- */

START_TEST(takes_the_one_medium)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-IMPORT");

    ck_assert(hands_want_places(&t.h));
    ck_assert(no_question(&t)); /* there is none */
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    places(&t, 1);
    question(&t, "media", "/media/stick");
    places(&t, 0); /* pulled out */
    ck_assert_str_eq(t.h.d.what, "");
    ck_assert(no_question(&t));
    places(&t, 1);
    question(&t, "media", "/media/stick");
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.sure, "import");
    places(&t, 2); /* another one does not take its place while somebody is asked */
    ck_assert_str_eq(t.h.d.what, "/media/stick");
    press(&t, K_UP);
    ck_assert_str_eq(t.h.d.what, ""); /* somebody is to choose */
    ck_assert(no_question(&t));
    press(&t, K_ENTER);
    places(&t, 2);
    question(&t, "media", "/media/stick"); /* and has */
    press(&t, K_F2);
    ck_assert(!hands_want_places(&t.h));
    model_free(t.m);
}
END_TEST

static struct stand with_two(const char *command, const char *verb, const char *about)
{
    struct stand t = stand_on(SCENE_NORMAL, command);

    places(&t, 2);
    ck_assert_str_eq(t.h.d.what, "");
    press(&t, K_DOWN);
    press(&t, K_DOWN);
    press(&t, K_UP);
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.what, "/media/stick");
    question(&t, verb, about);
    return t;
}

START_TEST(imports_what_was_chosen)
{
    struct stand t = with_two("LINESIDE-IMPORT", "media", "/media/stick");

    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.sure, "import");
    press(&t, K_ENTER);
    ck_assert_str_eq(t.r.verb, "import");
    ck_assert_str_eq(t.r.member, "container");
    begin(&t, BUNDLE);
    ck_assert(job_shown(t.h.screen, &t.h.d, model_now(t.m)));
    later(&t, 60);
    ck_assert(no_question(&t)); /* the line would answer it when this is done */
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    press(&t, K_ESCAPE);
    ck_assert_int_eq(t.r.wish, WISH_CANCEL);
    progress(&t, "checking", 5, 10);
    ck_assert_int_eq(model_now(t.m)->job.done, 5);
    press(&t, K_F2); /* it goes on without anybody there */
    scan(&t, "LINESIDE-IMPORT");
    ck_assert(job_shown(t.h.screen, &t.h.d, model_now(t.m)));
    reply(&t, IMPORTED);
    ck_assert_int_eq(model_now(t.m)->job.state, JOB_DONE);
    progress(&t, "keeping", 5, 10); /* late */
    ck_assert_str_eq(model_now(t.m)->job.step, "checking");
    press(&t, K_ENTER);
    ck_assert(!job_shown(t.h.screen, &t.h.d, model_now(t.m)));
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    model_free(t.m);
}
END_TEST

START_TEST(imports_by_kind)
{
    struct stand t = with_two("LINESIDE-IMPORT", "media", "/media/stick");

    press(&t, K_DOWN);
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.sure, "order-import");
    press(&t, K_DOWN); /* not for a station */
    press(&t, K_ENTER);
    ck_assert_ptr_null(t.h.d.sure);
    press(&t, K_ESCAPE);
    ck_assert_str_eq(t.h.d.what, "");
    model_free(t.m);
}
END_TEST

START_TEST(does_one_thing_at_a_time)
{
    struct stand t = with_two("LINESIDE-IMPORT", "media", "/media/stick");

    press(&t, K_ENTER);
    press(&t, K_ENTER);
    begin(&t, BUNDLE);
    scan(&t, "LINESIDE-EXPORT");
    ck_assert(!job_shown(t.h.screen, &t.h.d, model_now(t.m)));
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    ck_assert(t.h.d.notice_bad);
    reply(&t, REFUSED);
    ck_assert_int_eq(model_now(t.m)->job.state, JOB_REFUSED);
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_DEED);
    model_free(t.m);
}
END_TEST

START_TEST(does_not_know_what_was_cut_off)
{
    struct stand t = with_two("LINESIDE-IMPORT", "media", "/media/stick");

    press(&t, K_ENTER);
    press(&t, K_ENTER);
    begin(&t, BUNDLE);
    model_lose(t.m, "gone");
    ck_assert_int_eq(model_now(t.m)->job.state, JOB_LOST);
    reply(&t, IMPORTED);
    ck_assert_int_eq(model_now(t.m)->job.state, JOB_LOST);
    press(&t, K_ESCAPE);
    ck_assert(!job_shown(t.h.screen, &t.h.d, model_now(t.m)));
    model_free(t.m);
}
END_TEST

/* --- export ------------------------------------------------------------------------------------ */

static void sends(const struct stand *t, const char *member, const char *value)
{
    json_t *j = json_object();

    ck_assert(form_members(&t->h.d.form, j));
    ck_assert_uint_eq(json_object_size(j), 1);
    ck_assert_str_eq(json_string_value(json_object_get(j, member)), value);
    json_decref(j);
}

START_TEST(exports)
{
    struct stand t = with_two("LINESIDE-EXPORT", "reports", "");

    press(&t, K_ENTER);
    press(&t, K_ENTER);
    ck_assert_str_eq(t.r.verb, "export");
    ck_assert_str_eq(t.r.member, "to");
    begin(&t, "/media/stick");
    reply(&t, "{\"id\":7,\"ok\":true,\"answer\":{\"made\":[]}}");
    press(&t, K_ENTER);

    press(&t, K_DOWN); /* the second report, again */
    press(&t, K_RIGHT);
    press(&t, K_ENTER);
    ck_assert_ptr_null(form_field(&t.h.d.form)); /* all is known */
    press(&t, K_ENTER);
    ck_assert_str_eq(t.r.member, "again");
    sends(&t, "to", "/media/stick");
    begin(&t, "4a13520c-2c8d-4d94-89d7-1bf7f3e65109");
    reply(&t, REFUSED);
    press(&t, K_ESCAPE);

    press(&t, K_RIGHT); /* any other */
    press(&t, K_ENTER);
    scan(&t, "4a13520c");
    ck_assert(t.h.d.notice_bad);
    scan(&t, "4a13520c-2c8d-4d94-89d7-1bf7f3e65100");
    press(&t, K_ENTER);
    sends(&t, "again", "4a13520c-2c8d-4d94-89d7-1bf7f3e65100");
    begin(&t, "/media/stick");
    reply(&t, REFUSED);
    press(&t, K_ENTER);

    press(&t, K_RIGHT);
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.sure, "shift-close");
    press(&t, K_ENTER);
    ck_assert_str_eq(t.r.member, "to");
    begin(&t, "/media/stick");
    model_free(t.m);
}
END_TEST

/* --- as it looks --------------------------------------------------------------------------------- */

static void draw(struct buf *all, struct stand *t, enum lang l, const char *name)
{
    char heading[64];
    struct grid *g = grid_new(80, 24);

    t->h.d.lang = l;
    t->h.d.notice[0] = '\0';
    screen_draw(hands_screen(&t->h, model_now(t->m)), g, model_now(t->m), &t->h.d);
    snprintf(heading, sizeof heading, "80x24-%s-%s", lang_code(l), name);
    golden_add(all, g, heading);
    grid_free(g);
}

static void job(struct buf *all, struct stand *t, enum lang l, const char *label,
                const char *about, const char *text, const char *name)
{
    model_job_begin(t->m, t->h.screen->name, label, about, 7);
    reply(t, text);
    draw(all, t, l, name);
}

START_TEST(looks_as_it_did)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;

    for (enum lang l = LANG_EN; l < LANGS; l++) {
        struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-IMPORT");
        places(&t, 0);
        draw(&all, &t, l, "no-medium");
        places(&t, 2);
        draw(&all, &t, l, "media");
        press(&t, K_ENTER);
        scene_answer(t.m, "import", SCENE_NORMAL);
        press(&t, K_ENTER);
        draw(&all, &t, l, "import-sure");
        model_job_begin(t.m, "import", "Import this", BUNDLE, 7);
        draw(&all, &t, l, "import-begun");
        progress(&t, "checking", 12400, 20000);
        draw(&all, &t, l, "import-runs");
        reply(&t, IMPORTED);
        draw(&all, &t, l, "import-done");
        job(&all, &t, l, "Import this", BUNDLE, REFUSED, "import-refused");
        job(&all, &t, l, "Import this", "/media/stick/report-receipt-ca13520c-2c8d-4d94-89d7-1bf7f3e6510a",
            "{\"id\":7,\"ok\":true,\"answer\":{\"kind\":\"report-receipt\",\"issuer\":\"2.999.10\",\"sequence\":4,\"records\":0,"
            "\"report\":{\"id\":\"x\",\"sequence\":2,\"records\":10,\"accepted\":9,\"waiting\":0}}}", "import-receipt");
        job(&all, &t, l, "Import this work order", "/media/stick/work-order-0b1d3f58-2c8d-4d94-89d7-1bf7f3e6510b",
            "{\"id\":7,\"ok\":true,\"answer\":{\"order\":\"WO-7\",\"product\":\"Meter\",\"quantity\":300}}", "import-order");
        model_job_begin(t.m, "import", "Import this", BUNDLE, 7);
        model_lose(t.m, "gone");
        draw(&all, &t, l, "import-lost");
        model_free(t.m);

        t = with_two("LINESIDE-EXPORT", "reports", "");
        press(&t, K_ENTER);
        draw(&all, &t, l, "export-sure");
        model_job_begin(t.m, "export", "Export what is new", "/media/stick", 7);
        progress(&t, "loading-report", 0, 0);
        draw(&all, &t, l, "export-runs");
        reply(&t, "{\"id\":7,\"ok\":true,\"answer\":{\"made\":[{\"kind\":\"audit-log\",\"id\":\"5a13520c-2c8d-4d94-89d7-1bf7f3e6510a\",\"sequence\":3,"
                  "\"records\":813},{\"kind\":\"loading-report\",\"id\":\"5b13520c-2c8d-4d94-89d7-1bf7f3e6510a\",\"sequence\":3,\"records\":240}]}}");
        draw(&all, &t, l, "export-done");
        job(&all, &t, l, "Export what is new", "/media/stick", "{\"id\":7,\"ok\":false,\"error\":\"io\",\"message\":\"no room on the medium; "
            "take another one\",\"answer\":{\"made\":[{\"kind\":\"audit-log\",\"id\":\"5a13520c-2c8d-4d94-89d7-1bf7f3e6510a\",\"sequence\":3,"
            "\"records\":813}]}}", "export-refused");
        model_free(t.m);
    }
    golden_check(&all, "wizard");
}
END_TEST

/* Whatever the line answers, and whatever size it is, a page is drawn within it. */
START_TEST(draws_what_nobody_would_say)
{
    static const char *const replies[] = {
        "{}", "{\"ok\":true}", "{\"ok\":true,\"answer\":[]}", "{\"ok\":false,\"message\":7,\"answer\":{\"next\":[],\"made\":7}}",
        "{\"ok\":true,\"answer\":{\"kind\":\"bpp-bundle\",\"issuer\":\"\\u001b[2J夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\","
        "\"records\":-9223372036854775807,\"withoutDelete\":1,\"missing\":1,\"report\":7}}",
        "{\"ok\":true,\"answer\":{\"kind\":\"x\",\"report\":{\"records\":9223372036854775807}}}",
        "{\"ok\":true,\"answer\":{\"order\":\"\\u202e\",\"product\":{},\"quantity\":1e9}}",
        "{\"ok\":true,\"answer\":{\"made\":[1,{},[],{\"kind\":\"夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具\",\"id\":\"\\u0007\","
        "\"records\":9223372036854775807},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}}",
    };
    static const int sizes[][2] = { { 80, 24 }, { 1, 1 }, { 20, 9 }, { 80, 8 }, { 240, 67 } };

    for (size_t i = 0; i < screen_count; i++)
        for (size_t k = 0; screens[i]->does && k < screens[i]->does->deeds; k++) {
            const struct deed *deed = &screens[i]->does->deed[k];
            if (!deed->job)
                continue;
            ck_assert_uint_lt(strlen(deed->label), NAME_CAP); /* it is found by that */
            for (size_t r = 0; r < sizeof replies / sizeof *replies; r++) {
                struct stand t = stand_at(SCENE_NORMAL, 0);
                t.h.screen = screens[i];
                model_job_begin(t.m, screens[i]->name, deed->label, BUNDLE BUNDLE, 7);
                reply(&t, replies[r]);
                for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                    struct grid *g = grid_new(sizes[s][0], sizes[s][1]);
                    screen_draw(screens[i], g, model_now(t.m), &t.h.d);
                    int bad = 0; /* asked once: asking costs more than looking */
                    for (int c = 0; c < g->cols * g->rows; c++)
                        bad += g->v[c].ch < ' ';
                    ck_assert_int_eq(bad, 0);
                    grid_free(g);
                }
                model_free(t.m);
            }
        }
}
END_TEST

/* --- where media are ------------------------------------------------------------------------------- */

START_TEST(finds_media)
{
    char dir[] = "/tmp/lineside-places-XXXXXX", path[128];
    struct place v[SNAPSHOT_PLACES];

    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_uint_eq(places_look("/no/such/folder", v), 0);
    ck_assert_uint_eq(places_look(dir, v), 0);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "%s/stick%02d", dir, i);
        ck_assert(mkdir(path, 0700) == 0);
        ck_assert_uint_eq(places_look(dir, v), i < SNAPSHOT_PLACES ? i + 1 : SNAPSHOT_PLACES);
    }
    ck_assert(!v[0].mounted);
    ck_assert(places_look("/", v) > 0 && v[0].mounted); /* /dev, /proc */
    ck_assert_str_eq(v[0].path + 1, v[0].name);
    ck_assert_uint_eq(places_look("/proc", v), 1); /* it is one itself */
    ck_assert(v[0].mounted);
    ck_assert_str_eq(v[0].path, "/proc");
    snprintf(path, sizeof path, "%s/bpp-bundle-ca13520c-2c8d-4d94-89d7-1bf7f3e6510a", dir);
    ck_assert(mkdir(path, 0700) == 0);
    ck_assert_uint_eq(places_look(dir, v), 1);
    ck_assert_str_eq(v[0].path, dir);
    ck_assert(!v[0].mounted);
    rmdir(path);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "%s/stick%02d", dir, i);
        rmdir(path);
    }
    rmdir(dir);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "takes the one medium", takes_the_one_medium, 1 },
        { "imports what was chosen", imports_what_was_chosen, 1 },
        { "imports by kind", imports_by_kind, 1 },
        { "does one thing at a time", does_one_thing_at_a_time, 1 },
        { "does not know what was cut off", does_not_know_what_was_cut_off, 1 },
        { "exports", exports, 1 },
        { "looks as it did", looks_as_it_did, 1 },
        { "draws what nobody would say", draws_what_nobody_would_say, 1 },
        { "finds media", finds_media, 1 },
    };

    return run_tests("ui_wizards", tests, sizeof tests / sizeof *tests);
}
