#include "tests/unit/ui/scenes.h"

#include "station/line/verdict.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

const char *const scene_names[SCENES] = {
    [SCENE_EMPTY] = "empty", [SCENE_NORMAL] = "normal",
    [SCENE_FULL] = "full",   [SCENE_WORST] = "worst",
};

static void tell(struct model *m, json_t *j)
{
    ck_assert(j);
    model_apply(m, j);
    json_decref(j);
}

void scene_tell(struct model *m, const char *text)
{
    json_error_t e;
    json_t *j = json_loads(text, 0, &e);

    ck_assert_msg(j != NULL, "%s in %s", e.text, text);
    tell(m, j);
}

static json_t *counts(json_int_t n)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "pass", 117 * n, "alreadyDone",
                     n, "fail", 3 * n, "refused", 2 * n, "stocked", (json_int_t)0,
                     "incomplete", (json_int_t)0, "golden", n, "returned", (json_int_t)0);
}

static json_t *stock(json_int_t left, double hours, bool low)
{
    return json_pack("{s:I,s:I,s:I,s:{s:I,s:f,s:f,s:f,s:i,s:b},s:{s:i,s:n}}", "received",
                     left * 2, "in-stock", left, "installed", left, "forecast", "left", left,
                     "unitsPerHour", 212.5, "bppsPerHour", 212.5, "hoursLeft", hours,
                     "warnHours", 8, "low", (int)low, "notAcknowledged", "reports", low ? 2 : 0,
                     "since");
}

static json_t *work(const char *order, const char *product, json_int_t n, size_t orders)
{
    json_t *all = json_array();

    for (size_t i = 0; i < orders; i++)
        json_array_append_new(all, json_pack("{s:s,s:s,s:I,s:I,s:i,s:I,s:I}", "order", order,
                                             "product", product, "quantity", 200 * n, "passed",
                                             117 * n, "stocked", 0, "failed", 3 * n, "left", 83 * n));
    return json_pack("{s:o,s:{s:I,s:i,s:I,s:i,s:I},s:I}", "orders", all, "shift", "shift",
                     (json_int_t)12, "since", SCENE_NOW - 3600 * 2, "passed", 405 * n, "stocked", 0,
                     "failed", 7 * n, "waiting", 412 * n);
}

static void state(struct model *m, const char *person, json_t *fixtures, json_t *k,
                  json_t *w, json_int_t n)
{
    tell(m, json_pack("{s:s,s:{s:s,s:o,s:[],s:o,s:o,s:o,s:i}}", "event", "snapshot", "state",
                      "person", person, "fixtures", fixtures, "scanners", "counts", counts(n),
                      "stock", k, "work", w, "notListed", 0));
}

static json_t *free_fixture(const char *name)
{
    return json_pack("{s:s,s:b}", "fixture", name, "busy", 0);
}

static json_t *with_state(const char *name, const char *what, const char *reason)
{
    return json_pack("{s:s,s:b,s:s,s:s,s:s}", "fixture", name, "busy", 0, "place", "1-2.4",
                     "state", what, "reason", reason);
}

static json_t *busy_fixture(const char *name, const char *step, const char *serial)
{
    return json_pack("{s:s,s:b,s:s,s:s,s:s,s:s}", "fixture", name, "busy", 1, "step", step,
                     "serial", serial, "eid", "89049032000000000000000000000012", "order", "WO-2026-0117");
}

static json_t *ended_fixture(const char *name, enum verdict v, const char *serial)
{
    const struct verdict_row *r = verdict_row(v);

    return json_pack("{s:s,s:b,s:{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:i}}", "fixture", name, "busy", 0,
                     "last", "verdict", verdict_kind_text(r->kind), "code", r->code, "serial",
                     serial, "eid", "", "cause", r->cause, "next", r->next, "installed", 1, "ms", 8412);
}

static void verdict(struct model *m, const char *fixture, enum verdict v, const char *serial,
                    bool taken)
{
    const struct verdict_row *r = verdict_row(v);
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:s,s:i,s:i}", "event", "verdict",
                          "fixture", fixture, "verdict", verdict_kind_text(r->kind), "code",
                          r->code, "serial", serial, "eid", "", "installed", 0, "cause", r->cause,
                          "next", r->next, "detail", "SW 6985", "apdus", 12, "ms", 5310);

    if (taken)
        json_object_set_new(j, "taken", json_true());
    tell(m, j);
}

static void scene_empty(struct model *m)
{
    state(m, "", json_array(), json_null(), json_null(), 0);
}

static void scene_normal(struct model *m)
{
    json_t *f = json_array();

    json_array_append_new(f, ended_fixture("F1", V_DONE, "SN-004711"));
    json_array_append_new(f, busy_fixture("F2", "load", "SN-004712"));
    json_array_append_new(f, free_fixture("F3"));
    json_array_append_new(f, free_fixture("F4"));
    json_array_append_new(f, with_state("F5", "stopped", "3 failures in a row, the last one: no-card"));
    json_array_append_new(f, with_state("F6", "gone", ""));
    state(m, "Ada Lovelace", f, stock(1240, 5.75, true), work("WO-2026-0117", "Gateway G2", 1, 2), 1);
    scene_tell(m, "{\"event\":\"session\",\"state\":\"opened\",\"fixture\":\"F3\",\"person\":\"Bo\",\"reason\":\"\"}");
    verdict(m, "F4", V_NO_CARD, "SN-004709", false);
    scene_tell(m, "{\"event\":\"chosen\",\"fixture\":\"F3\",\"scanner\":\"1-1\"}");
}

static void scene_full(struct model *m)
{
    static const enum verdict ends[] = { V_DONE, V_NO_CARD, V_DONE, V_LOAD_FAILED, V_ALREADY_DONE,
                                         V_STOCKED, V_POSITIONS_MISSING, V_GOLDEN_OK };
    static const char *const steps[] = { "read EID", "authorise", "load", "notifications" };
    static const char *const states[] = { "stopped", "gone", "parked", "card" };
    json_t *f = json_array();
    char name[16], serial[16];

    for (int i = 1; i <= 64; i++) {
        snprintf(name, sizeof name, "F%d", i);
        snprintf(serial, sizeof serial, "SN-%06d", 4000 + i);
        json_array_append_new(f, i % 3 == 0 ? busy_fixture(name, steps[i / 3 % 4], serial)
                               : i % 7 == 0 ? with_state(name, states[i / 7 % 4], "")
                                            : ended_fixture(name, ends[i % 8], serial));
    }
    state(m, "Ada Lovelace", f, stock(124000, 55.25, false), work("WO-2026-0117", "Gateway G2", 100, 1), 100);
    verdict(m, "F2", V_QUARANTINED, "SN-004002", true);
    verdict(m, "F9", V_SCAN_BUSY, "SN-004999", false);
}

/* Names of their full length, of wide characters, of what is no text; numbers
 * beyond all measure; the longest sentences. */
static void scene_worst(struct model *m)
{
    static const char *const names[] = {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789-abcdefghijklmnopqrstuvwxy",
        "夹具夹具夹具夹具夹具夹具夹具夹具夹具夹具", "a\tb\nc\x1b[31mred\x07", "e\xCC\x81\xE2\x80\xAEx",
    };
    json_t *f = json_array();
    char name[96];

    for (int i = 0; i < 64; i++) {
        snprintf(name, sizeof name, "%.50s%02d", names[i % 4], i);
        if (i % 4 == 1) /* cut between two characters */
            snprintf(name, sizeof name, "夹具夹具夹具夹具夹具夹具夹具夹具%02d", i);
        json_array_append_new(f, i % 5 == 0 ? busy_fixture(name, "notifications", names[i % 4])
                               : i % 5 == 1 ? with_state(name, "stopped", names[i % 4])
                               : i % 5 == 2 ? ended_fixture(name, V_KEYS_TOO_FEW, names[i % 4])
                               : i % 5 == 3 ? ended_fixture(name, V_DONE, names[i % 4])
                                            : free_fixture(name));
    }
    state(m, names[0], f, stock(999999999999, 999999.75, true),
          work("ORDER-0123456789-0123456789-0123", names[0], 99999999999, 32), 999999999999);
    verdict(m, names[0], V_QUARANTINED, names[0], false);
}

struct model *scene_model(enum scene s)
{
    static void (*const make[SCENES])(struct model *) = { scene_empty, scene_normal, scene_full,
                                                         scene_worst };
    struct model *m = model_new();

    ck_assert(m);
    model_clock(m, SCENE_NOW, 0);
    make[s](m);
    model_clock(m, SCENE_NOW + 4, 0);
    return m;
}
