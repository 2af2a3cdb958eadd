/* What is said of places, scanners, golden units and limits. */
#include "station/control/verbs.h"

#include "station/acts/fixtures.h"
#include "station/line/line.h"

#include <stdio.h>

/* As things are said now. Names of places hold from the next start of the line;
 * what is said of health, at once: the line looks. */
static int done(struct office_call *c, struct err *e)
{
    line_look(c->line);
    return ask_fixtures(c, e);
}

int do_fixture_label(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *place, *label;

    return control_need(&c->r, "place", &place, e) != 0 ||
           control_need(&c->r, "label", &label, e) != 0 || office_db(c, e) != 0 ||
           act_fixture_label(c->db, &w, place, label, e) != 0 ? -1 : ask_fixtures(c, e);
}

int do_fixture_allow(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const json_t *allowed = json_object_get(c->r.words, "allowed");
    const char *place;

    if (!json_is_boolean(allowed))
        return err_set(e, ERR_FORMAT, "'fixture-allow' needs a member \"allowed\" that is "
                       "true or false");
    return control_need(&c->r, "place", &place, e) != 0 || office_db(c, e) != 0 ||
           act_fixture_allow(c->db, &w, place, json_is_true(allowed), e) != 0
               ? -1 : ask_fixtures(c, e);
}

/* "row" and "column", or "remove". */
static int read_stand(const struct office_call *c, uint64_t *row, uint64_t *column,
                      struct err *e)
{
    bool remove;

    *row = *column = 0;
    if (control_flag(&c->r, "remove", &remove, e) != 0 || remove)
        return remove ? 0 : -1;
    if (control_number(&c->r, "row", 1, STAND_MAX, row, e) != 0 ||
        control_number(&c->r, "column", 1, STAND_MAX, column, e) != 0)
        return -1;
    return *row && *column ? 0
         : err_set(e, ERR_FORMAT, "'fixture-position' needs the members \"row\" and "
                   "\"column\", or \"remove\"");
}

int do_fixture_position(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *fixture;
    uint64_t row, column;

    return control_need(&c->r, "fixture", &fixture, e) != 0 ||
           read_stand(c, &row, &column, e) != 0 || office_db(c, e) != 0 ||
           act_fixture_position(c->db, &w, fixture, line_fixture_key(c->line, fixture),
                                (unsigned)row, (unsigned)column, e) != 0
               ? -1 : done(c, e);
}

static int word(const struct office_call *c, const char *name, char *out, size_t cap,
                struct err *e)
{
    const char *said;

    if (control_word(&c->r, name, &said, e) != 0)
        return -1;
    if (said && snprintf(out, cap, "%s", said) >= (int)cap)
        return err_set(e, ERR_USAGE, "\"%s\" has at most %zu octets", name, cap - 1);
    return 0;
}

/* Without scanner settings but `remove`: there is none any more. */
int do_scanner(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    struct scanner_setting s = { .layout = "us", .suffix = "cr" };
    const char *place, *fixture;
    bool remove;

    if (control_need(&c->r, "place", &place, e) != 0 ||
        control_word(&c->r, "fixture", &fixture, e) != 0 ||
        control_flag(&c->r, "remove", &remove, e) != 0 ||
        word(c, "layout", s.layout, sizeof s.layout, e) != 0 ||
        word(c, "suffix", s.suffix, sizeof s.suffix, e) != 0 ||
        word(c, "prefix", s.prefix, sizeof s.prefix, e) != 0 || office_db(c, e) != 0)
        return -1;
    int bad = remove ? act_no_scanner(c->db, &w, place, e)
                     : act_scanner(c->db, &w, place, fixture, &s, e);
    return bad ? -1 : ask_fixtures(c, e);
}

int do_golden(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *eid;
    bool remove;

    return control_need(&c->r, "eid", &eid, e) != 0 ||
           control_flag(&c->r, "remove", &remove, e) != 0 || office_db(c, e) != 0 ||
           act_golden(c->db, &w, eid, !remove, e) != 0 ? -1 : done(c, e);
}

/* -1: it is not said. */
static int limit(const struct office_call *c, const char *name, uint64_t most,
                 int64_t *out, struct err *e)
{
    uint64_t n = UINT64_MAX;

    if (control_number(&c->r, name, 0, most, &n, e) != 0)
        return -1;
    *out = n == UINT64_MAX ? -1 : (int64_t)n;
    return 0;
}

int do_fixture_limits(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    struct act_limits l;

    return limit(c, "failures", HEALTH_FAILURES_MAX, &l.failures, e) != 0 ||
           limit(c, "yield", 100, &l.yield, e) != 0 ||
           limit(c, "units", HEALTH_UNITS_MAX, &l.units, e) != 0 ||
           limit(c, "goldenHours", HEALTH_HOURS_MAX, &l.golden_hours, e) != 0 ||
           office_db(c, e) != 0 || act_fixture_limits(c->db, &w, &l, e) != 0
               ? -1 : done(c, e);
}

#define CYCLES_MAX 1000000000

int do_fixture_cycles(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *fixture;
    int64_t cycles;

    if (control_need(&c->r, "fixture", &fixture, e) != 0 ||
        limit(c, "cycles", CYCLES_MAX, &cycles, e) != 0)
        return -1;
    if (cycles < 0)
        return err_set(e, ERR_FORMAT, "'fixture-cycles' needs a member \"cycles\" that is "
                       "a whole number");
    return office_db(c, e) != 0 ||
           act_fixture_maintenance(c->db, &w, fixture, false, cycles, e) != 0
               ? -1 : done(c, e);
}

/* --- stopped, worn ------------------------------------------------------------------ */

/* Somebody has changed what the ledger says of fixtures. */
int ask_look(struct office_call *c, struct err *e)
{
    (void)e;
    line_look(c->line);
    return 0;
}

/* One of this line's, as the ledger knows it. */
static int key_of(const struct office_call *c, const char **key, struct err *e)
{
    const char *fixture;

    if (control_need(&c->r, "fixture", &fixture, e) != 0)
        return -1;
    *key = line_fixture_key(c->line, fixture);
    return *key ? 0 : err_set(e, ERR_NOT_FOUND, "this line has no fixture %.80s; "
                              "`lineside ctl snapshot` lists them", fixture);
}

int do_release(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *key;

    return key_of(c, &key, e) != 0 || office_db(c, e) != 0 ||
           act_fixture_release(c->db, &w, key, e) != 0 ? -1 : ask_look(c, e);
}

int do_maintained(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *key;

    return key_of(c, &key, e) != 0 || office_db(c, e) != 0 ||
           act_fixture_maintenance(c->db, &w, key, true, -1, e) != 0
               ? -1 : ask_look(c, e);
}
