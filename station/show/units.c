#include "station/show/units.h"

#include "station/base/clock.h"
#include "storage/events.h"

#include <stdio.h>
#include <string.h>

int show_units_state(const char *word, int *out, struct err *e)
{
    char all[256] = "";
    size_t n = 0;

    for (int s = 0; s < POSITION_STATES; s++) {
        const char *name = position_state_name((enum position_state)s);
        if (strcmp(name, word) == 0) {
            *out = s;
            return 0;
        }
        if (n < sizeof all)
            n += (size_t)snprintf(all + n, sizeof all - n, "%s%s",
                                  s ? ", " : "", name);
    }
    return err_set(e, ERR_USAGE, "'%.40s' is no state; it is one of %s", word,
                   all);
}

static int ask(struct db *db, void *ctx, struct err *e)
{
    struct show_units_page *p = ctx;

    if (p->has_since && event_since(db, p->since, &p->f.since, e) != 0)
        return -1;
    return units_registered(db, &p->serials, e) != 0 ||
           units_count(db, p->f.fixture, p->by_state, e) != 0 ||
           units_list(db, &p->f, &p->rows, e) != 0 ? -1 : 0;
}

int show_units_read(struct db *db, struct show_units_page *p, struct err *e)
{
    return db_snapshot(db, ask, p, e);
}

uint64_t show_units_sum(const struct show_units_page *p)
{
    uint64_t n = 0;

    for (int s = 0; s < POSITION_STATES; s++)
        n += p->by_state[s];
    return n;
}

static json_t *row_json(const struct unit_row *r)
{
    char eid[EID_DIGITS + 1], at[GTIME_LEN + 1];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "serial",
                     r->p.serial, "position", r->p.name, "eid",
                     eid_format(&r->p.eid, eid), "state",
                     position_state_name(r->p.state), "code", r->p.last_code,
                     "fixture", r->fixture, "at", gtime_format(r->moved_at, at),
                     "event", (json_int_t)r->moved);
}

json_t *show_units(const struct show_units_page *a)
{
    json_t *states = json_object(), *rows = json_array();

    for (int s = 0; s < POSITION_STATES; s++)
        json_object_set_new(states, position_state_name((enum position_state)s),
                            json_integer((json_int_t)a->by_state[s]));
    for (size_t i = 0; i < a->rows.n; i++)
        json_array_append_new(rows, row_json(&a->rows.v[i]));
    return json_pack("{s:I, s:I, s:o, s:o, s:b}", "serials", (json_int_t)a->serials,
                     "positions", (json_int_t)show_units_sum(a), "states", states,
                     "units", rows, "more", a->rows.more);
}
