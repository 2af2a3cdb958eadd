/* What is asked of the ledger. Each takes the words of the command of that name,
 * and answers what it prints with --json. */
#include "station/control/verbs.h"

#include "station/base/when.h"
#include "station/line/line.h"
#include "station/show/doctor.h"
#include "station/show/health.h"
#include "station/show/log.h"
#include "station/show/orders.h"
#include "station/show/people.h"
#include "station/show/quarantine.h"
#include "station/show/reports.h"
#include "station/show/shift.h"
#include "station/show/stands.h"
#include "station/show/station.h"
#include "station/show/stock.h"
#include "station/show/trends.h"
#include "station/show/unit.h"
#include "station/show/units.h"

#include <string.h>
#include <unistd.h>

#define PAGE 50
#define PAGE_MAX 1000

/* "limit", else `most`, and "before". */
static int page_of(const struct office_call *c, unsigned most, uint64_t *before,
                   unsigned *limit, struct err *e)
{
    uint64_t n = most;

    if (control_number(&c->r, "limit", 1, PAGE_MAX, &n, e) != 0 ||
        control_number(&c->r, "before", 1, INT64_MAX, before, e) != 0)
        return -1;
    *limit = (unsigned)n;
    return 0;
}

static int page(const struct office_call *c, uint64_t *before, unsigned *limit,
                struct err *e)
{
    return page_of(c, PAGE, before, limit, e);
}

/* A list that was read whole, and whose items have names. */
struct listed {
    const void *list;
    size_t n;
    unsigned most; /* without "limit" */
    bool (*is)(const void *list, size_t i, const char *name);
    const char *what;
};
struct window {
    size_t first, end;
};

/* The newest "limit" of those that came before the one that "before" names. */
static int window(const struct office_call *c, const struct listed *l, struct window *out,
                  struct err *e)
{
    const char *before;
    uint64_t limit = l->most;

    if (control_number(&c->r, "limit", 1, PAGE_MAX, &limit, e) != 0 ||
        control_word(&c->r, "before", &before, e) != 0)
        return -1;
    size_t end = before ? 0 : l->n;
    while (before && end < l->n && !l->is(l->list, end, before))
        end++;
    if (before && end == l->n)
        return err_set(e, ERR_NOT_FOUND, "there is no %s %.40s; ask without \"before\"",
                       l->what, before);
    *out = (struct window){ end > limit ? end - (size_t)limit : 0, end };
    return 0;
}

/* A time as people write it. */
static int when(const struct office_call *c, const char *name, bool *has,
                int64_t *out, struct err *e)
{
    const char *word;

    if (control_word(&c->r, name, &word, e) != 0)
        return -1;
    *has = word != NULL;
    return word ? when_parse(word, out, e) : 0;
}

/* --- units ------------------------------------------------------------------------ */

static int reading(const struct office_call *c, enum show_unit_by *out, struct err *e)
{
    static const char *const words[] = { "", "serial", "eid", "iccid", "txid", "imei" };
    const char *by;

    if (control_word(&c->r, "by", &by, e) != 0)
        return -1;
    *out = SHOW_UNIT_ANY;
    for (size_t i = 1; by && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], by) == 0)
            *out = (enum show_unit_by)i;
    return by && !*out ? err_set(e, ERR_USAGE, "\"by\" is serial, eid, iccid, "
                                "txid or imei")
                       : 0;
}

int ask_unit(struct office_call *c, struct err *e)
{
    AUTO(show_units_clear) struct show_units u = { NULL, 0 };
    json_t *all, *one;
    const char *what;
    enum show_unit_by by;

    if (control_need(&c->r, "what", &what, e) != 0 || reading(c, &by, e) != 0 ||
        office_db(c, e) != 0 || show_unit_find(c->db, by, what, &u, e) != 0)
        return -1;
    all = json_array();
    for (size_t i = 0; i < u.n; i++) {
        if (show_unit(&u.v[i], PAGE_MAX, &one, e) != 0) {
            json_decref(all);
            return -1;
        }
        json_array_append_new(all, one);
    }
    return office_say(c, json_pack("{s:o}", "units", all), e);
}

int ask_units(struct office_call *c, struct err *e)
{
    struct show_units_page p = { .f = { .state = -1 } };
    const char *state;

    if (control_word(&c->r, "state", &state, e) != 0 ||
        (state && show_units_state(state, &p.f.state, e) != 0) ||
        control_word(&c->r, "fixture", &p.f.fixture, e) != 0 ||
        when(c, "since", &p.has_since, &p.since, e) != 0 ||
        page(c, &p.f.before, &p.f.limit, e) != 0 || office_db(c, e) != 0)
        return -1;
    int bad = show_units_read(c->db, &p, e) != 0 || office_say(c, show_units(&p), e) != 0;
    unit_rows_clear(&p.rows);
    return bad ? -1 : 0;
}

/* What is held is of interest until it is not held any more, however old. */
int ask_quarantine(struct office_call *c, struct err *e)
{
    struct quarantine q = { .limit = 0 };
    uint64_t before = 0;
    unsigned limit;

    if (page_of(c, PAGE_MAX, &before, &limit, e) != 0 || office_db(c, e) != 0)
        return -1;
    int bad = quarantine_page(c->db, before, limit, &q, e) != 0 ||
              office_say(c, show_quarantine(&q), e) != 0;
    quarantine_clear(&q);
    return bad ? -1 : 0;
}

/* --- stock, reports ----------------------------------------------------------------- */

static bool is_bundle(const void *list, size_t i, const char *id)
{
    const struct bundle_balances *l = list;

    return strcmp(l->v[i].id, id) == 0;
}

/* What all of them add up to stays. */
static int cut_bundles(const struct office_call *c, struct bundle_balances *l, bool *more,
                       struct err *e)
{
    struct window w;

    if (window(c, &(struct listed){ l, l->n, PAGE_MAX, is_bundle, "bundle" }, &w, e) != 0)
        return -1;
    *more = w.first > 0;
    if (w.first)
        memmove(l->v, l->v + w.first, (w.end - w.first) * sizeof *l->v);
    l->n = w.end - w.first;
    return 0;
}

int ask_stock(struct office_call *c, struct err *e)
{
    AUTO(show_stock_clear) struct show_stock k = { .adds_up = false };

    return office_db(c, e) != 0 ||
           show_stock_read(c->db, c->data_dir, c->warn_hours, &k, e) != 0 ||
           cut_bundles(c, &k.o.bundles, &k.more, e) != 0
               ? -1 : office_say(c, show_stock(&k), e);
}

int ask_reports(struct office_call *c, struct err *e)
{
    struct show_reports a = { .limit = 0 };

    if (control_flag(&c->r, "open", &a.only_open, e) != 0 ||
        page(c, &a.before, &a.limit, e) != 0 || office_db(c, e) != 0)
        return -1;
    int bad = show_reports_read(c->db, &a, e) != 0 || office_say(c, show_reports(&a), e) != 0;
    report_rows_clear(&a.rows);
    return bad ? -1 : 0;
}

/* --- orders ---------------------------------------------------------------------------- */

static bool is_order(const void *list, size_t i, const char *number)
{
    const struct order_list *l = list;

    return strcasecmp(l->v[i].number, number) == 0;
}

int ask_orders(struct office_call *c, struct err *e)
{
    AUTO(order_list_clear) struct order_list all = { NULL, 0 };
    AUTO(order_bindings_clear) struct order_bindings b = { NULL, 0 };
    struct window w;

    if (office_db(c, e) != 0 || orders_get(c->db, &all, e) != 0 ||
        order_bindings_get(c->db, &b, e) != 0 ||
        window(c, &(struct listed){ &all, all.n, PAGE, is_order, "order" }, &w, e) != 0)
        return -1;
    const struct order_list some = { all.v ? all.v + w.first : NULL, w.end - w.first };
    json_t *j = show_orders(&some, &b);
    if (j)
        json_object_set_new(j, "more", json_boolean(w.first > 0));
    return office_say(c, j, e);
}

/* Activation holds it against the stock; who plans wants to know before. */
static void on_finding(void *ctx, bool refuses, const char *text)
{
    json_array_append_new(ctx, json_pack("{s:b, s:s}", "refuses", refuses, "text",
                                         text));
}

static int with_stock(struct office_call *c, const struct order_info *o,
                      const struct order_spec *s, json_t *j, struct err *e)
{
    json_t *findings = json_array();
    struct order_assessment a;
    struct ledger_clock clock;

    if (!findings || !j)
        return json_decref(findings), office_say(c, NULL, e);
    int bad = ledger_clock(c->db, &clock, e) != 0 ||
              order_assess(c->db, o, s, clock.now, on_finding, findings, &a, e) != 0;
    if (!bad)
        json_object_set_new(j, "stock", show_order_stock(s, &a));
    if (!bad)
        json_object_set(j, "findings", findings);
    json_decref(findings);
    return bad ? -1 : 0;
}

int ask_order(struct office_call *c, struct err *e)
{
    AUTO(order_bindings_clear) struct order_bindings b = { NULL, 0 };
    struct order_info o;
    struct order_spec s;
    const char *number;

    if (control_need(&c->r, "order", &number, e) != 0 || office_db(c, e) != 0 ||
        order_by_number(c->db, number, &o, e) != 0 ||
        order_spec_get(c->db, o.id, &s, e) != 0 ||
        order_bindings_get(c->db, &b, e) != 0)
        return -1;
    json_t *j = show_order(&o, &s, &b);
    if (o.state != ORDER_CLOSED && with_stock(c, &o, &s, j, e) != 0) {
        json_decref(j);
        return -1;
    }
    return office_say(c, j, e);
}

/* --- shifts ------------------------------------------------------------------------------ */

static bool is_sheet_bundle(const void *list, size_t i, const char *id)
{
    const json_t *b = json_array_get(list, i);

    return strcmp(json_string_value(json_object_get(b, "id")), id) == 0;
}

/* A shift has all bundles that there were. */
static int cut_sheet(const struct office_call *c, struct show_sheet *s, struct err *e)
{
    const size_t n = json_array_size(s->bundles);
    json_t *some = json_array();
    struct window w;

    if (!some)
        return err_set(e, ERR_NOMEM, "no memory for an answer; ask again");
    if (window(c, &(struct listed){ s->bundles, n, PAGE_MAX, is_sheet_bundle, "bundle" },
               &w, e) != 0) {
        json_decref(some);
        return -1;
    }
    for (size_t i = w.first; i < w.end; i++)
        json_array_append(some, json_array_get(s->bundles, i));
    json_decref(s->bundles);
    s->bundles = some;
    s->more = w.first > 0;
    return 0;
}

int ask_shift(struct office_call *c, struct err *e)
{
    AUTO(show_shift_clear) struct show_shift l = { .records = BUF_INIT };
    AUTO(show_sheet_clear) struct show_sheet sheet = { .positions = NULL };
    uint64_t number = 0;

    return control_number(&c->r, "shift", 1, INT32_MAX, &number, e) != 0 ||
           office_db(c, e) != 0 || show_shift_read(c->db, number, &l, e) != 0 ||
           show_sheet_read(&l, &sheet, e) != 0 || cut_sheet(c, &sheet, e) != 0
               ? -1 : office_say(c, show_shift(&l, &sheet), e);
}

int ask_shifts(struct office_call *c, struct err *e)
{
    AUTO(shifts_clear) struct shifts l = { NULL, 0 };
    uint64_t before = 0;
    unsigned limit;

    return page(c, &before, &limit, e) != 0 || office_db(c, e) != 0 ||
           shifts_list(c->db, before, limit, &l, e) != 0
               ? -1 : office_say(c, show_shifts(&l), e);
}

int ask_day(struct office_call *c, struct err *e)
{
    AUTO(show_day_clear) struct show_day d = { .day = 0 };
    struct ledger_clock k;
    int64_t at = 0;
    bool has;

    if (when(c, "day", &has, &at, e) != 0 || office_db(c, e) != 0 ||
        ledger_clock(c->db, &k, e) != 0)
        return -1;
    d.day = (has ? at : k.now) / TALLY_DAY_S;
    return show_day_read(c->db, &d, e) != 0 ? -1 : office_say(c, show_day(&d), e);
}

/* --- fixtures, people, log ----------------------------------------------------------------- */

int ask_fixtures(struct office_call *c, struct err *e)
{
    AUTO(show_health_clear) struct show_health h = { .golden = { NULL, 0 } };
    AUTO(places_clear) struct places said = { NULL, 0, NULL, 0 };
    AUTO(stands_clear) struct stands stands = { NULL, 0 };

    if (office_db(c, e) != 0 || places_get(c->db, &said, e) != 0 ||
        stands_get(c->db, &stands, e) != 0 || show_health_read(c->db, &h, e) != 0)
        return -1;
    json_t *j = show_places(&said);
    if (j) {
        json_object_set_new(j, "positions", show_stands(&said, &stands));
        json_object_set_new(j, "health", show_health(&said, &h));
    }
    return office_say(c, j, e);
}

int ask_trends(struct office_call *c, struct err *e)
{
    AUTO(show_trends_clear) struct show_trends all = { .stands = { NULL, 0 } };
    AUTO(places_clear) struct places said = { NULL, 0, NULL, 0 };
    const char *fixture;

    return control_word(&c->r, "fixture", &fixture, e) != 0 || office_db(c, e) != 0 ||
           places_get(c->db, &said, e) != 0 ||
           show_trends_read(c->db, fixture, fixture ? line_fixture_key(c->line, fixture) : NULL,
                            &all, e) != 0
               ? -1 : office_say(c, show_trends_json(&said, &all), e);
}

/* What is set, and by which acts: rule, quarantine-limit, fixture-limits. */
int ask_settings(struct office_call *c, struct err *e)
{
    struct health_limits fixtures;
    struct login_rules rules;
    unsigned held;

    if (office_db(c, e) != 0 || login_rules_get(c->db, &rules, e) != 0 ||
        quarantine_limit(c->db, &held, e) != 0 || health_limits(c->db, &fixtures, e) != 0)
        return -1;
    return office_say(c, json_pack("{s:o, s:i, s:o}", "rules", show_login_rules(&rules),
                                   "quarantineLimit", (int)held, "fixtureLimits",
                                   show_health_limits(&fixtures)), e);
}

int ask_people(struct office_call *c, struct err *e)
{
    AUTO(people_clear) struct people p = { NULL, 0 };

    return office_db(c, e) != 0 || people_get(c->db, &p, e) != 0
               ? -1 : office_say(c, show_people(&p), e);
}

int ask_rights(struct office_call *c, struct err *e)
{
    return office_say(c, show_rights(), e);
}

int ask_log(struct office_call *c, struct err *e)
{
    struct show_log o = { .has_since = false };
    json_t *j = NULL;

    if (control_word(&c->r, "kind", &o.f.kind, e) != 0 ||
        control_word(&c->r, "actor", &o.f.actor, e) != 0 ||
        control_word(&c->r, "fixture", &o.f.fixture, e) != 0 ||
        control_word(&c->r, "serial", &o.f.serial, e) != 0 ||
        when(c, "since", &o.has_since, &o.since, e) != 0 ||
        when(c, "until", &o.has_until, &o.until, e) != 0 ||
        page(c, &o.f.before, &o.f.limit, e) != 0 || office_db(c, e) != 0 ||
        show_log(c->db, &o, &j, e) != 0)
        return -1;
    return office_say(c, j, e);
}

/* --- the station ---------------------------------------------------------------------------- */

int ask_about(struct office_call *c, struct err *e)
{
    json_t *j = NULL;

    if (office_db(c, e) != 0 || show_station(c->db, &j, e) != 0)
        return -1;
    json_object_set_new(j, "version", json_string(c->version));
    json_object_set_new(j, "protocol", json_integer(CONTROL_PROTOCOL));
    json_object_set_new(j, "pid", json_integer(getpid()));
    return office_say(c, j, e);
}

/* The bus is the line's now; what it makes of it is in the line's state. */
int ask_doctor(struct office_call *c, struct err *e)
{
    AUTO(doctor_clear) struct doctor_seen seen = { .certs = NULL };
    const struct db_options db = { .stop = &c->stop };
    const struct doctor_ask ask = { .data_dir = c->data_dir, .db = &db,
                                    .limits = doctor_limits_default };
    json_t *all = json_array();
    struct doctor_finding f;

    doctor_look(&ask, &seen);
    if (atomic_load(&c->stop)) {
        json_decref(all);
        return err_set(e, ERR_WRONG_STATE, "it was stopped before it was done");
    }
    for (size_t i = 0; i < doctor_check_count; i++)
        if (doctor_judge(&doctor_checks[i], &seen, &f))
            json_array_append_new(all, show_finding(doctor_checks[i].name, &f));
    return office_say(c, json_pack("{s:o}", "findings", all), e);
}
