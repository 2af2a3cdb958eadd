#include "station/line/identity.h"

#include "storage/boards.h"

#include <stdio.h>
#include <string.h>

static bool label_agrees(const struct identity_facts *f, enum verdict *v,
                         struct err *e)
{
    char on_card[EID_DIGITS + 1];

    if (!f->scan->is_eid || eid_eq(&f->scan->eid, f->card))
        return true;
    *v = V_WRONG_EID;
    err_set(e, ERR_CONFLICT, "label says EID %s, the eUICC says %s",
            f->scan->barcode, eid_format(f->card, on_card));
    return false;
}

bool identity_judge(const struct identity_facts *f,
                    char serial[UNIT_SERIAL_MAX + 1], enum verdict *v,
                    struct err *e)
{
    char card[EID_DIGITS + 1], known[EID_DIGITS + 1];
    const char *name = f->scan->barcode;

    eid_format(f->card, card);
    if (!label_agrees(f, v, e))
        return false;
    if (f->scan->is_eid && f->by_eid)
        name = f->by_eid->serial;
    snprintf(serial, UNIT_SERIAL_MAX + 1, "%s", name);
    if (f->by_serial && !f->scan->is_eid && !eid_eq(&f->by_serial->eid, f->card)) {
        *v = V_SERIAL_HAS_OTHER_EID;
        err_set(e, ERR_CONFLICT, "unit %s is known with EID %s, the eUICC says %s",
                serial, eid_format(&f->by_serial->eid, known), card);
        return false;
    }
    if (f->by_eid && (strcmp(f->by_eid->serial, serial) != 0 ||
                      strcmp(f->by_eid->name, f->name) != 0)) {
        *v = V_EID_HAS_OTHER_SERIAL;
        err_set(e, ERR_CONFLICT, "EID %s is known in unit %s (%s), the label says %s "
                "(%s)", card, f->by_eid->serial, f->by_eid->name, serial, f->name);
        return false;
    }
    return true;
}

static const struct position *find(const struct position_list *all,
                                   const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].name, name) == 0)
            return &all->v[i];
    return NULL;
}

/* The unit has them all: the first, so that both eUICCs are told. */
static const char *next_of(const struct order_spec *o,
                           const struct position_list *all)
{
    for (size_t i = 0; i < o->positions; i++)
        if (!find(all, o->recipe[i].position))
            return o->recipe[i].position;
    return o->recipe[0].position;
}

/* by_eid: where this eUICC is known in the unit, or NULL. */
static const char *position_name(const struct identity_place *at,
                                 const struct position *by_eid,
                                 const struct position_list *all)
{
    if (at->bound && *at->bound)
        return at->bound;
    if (by_eid)
        return by_eid->name;
    return at->order ? next_of(at->order, all) : POSITION_MAIN;
}

static int known_eid(struct db *db, const struct eid *eid,
                     struct position *out, struct err *e)
{
    if (position_by_eid(db, eid, out, e) == 0)
        return 1;
    return e->code == ERR_NOT_FOUND ? 0 : -1;
}

/* --- held back ------------------------------------------------------------------- */

bool identity_free(const struct position *p, enum verdict *v, struct err *e)
{
    if (p->state != POSITION_QUARANTINED && p->state != POSITION_SCRAPPED)
        return true;
    *v = p->state == POSITION_SCRAPPED ? V_SCRAPPED : V_QUARANTINED;
    err_set(e, ERR_WRONG_STATE, "unit %s, position %s, is %s since event %llu",
            p->serial, p->name, position_state_name(p->state),
            (unsigned long long)p->event);
    return false;
}

static bool serial_free(struct db *db, const char *serial, enum verdict *v,
                        struct err *e)
{
    AUTO(position_list_clear) struct position_list all = { NULL, 0 };

    if (unit_by_serial(db, serial, &all, e) != 0) {
        *v = verdict_of_station(e);
        return false;
    }
    for (size_t i = 0; i < all.n; i++)
        if (!identity_free(&all.v[i], v, e))
            return false;
    return true;
}

bool identity_label(struct db *db, const struct scan *scan, enum verdict *v,
                    struct err *e)
{
    struct position p;
    struct err bad = ERR_INIT;

    if (!scan->is_eid)
        return serial_free(db, scan->barcode, v, e);
    int known = known_eid(db, &scan->eid, &p, &bad);
    if (known < 0) {
        *e = bad;
        *v = verdict_of_station(e);
        return false;
    }
    return !known || identity_free(&p, v, e);
}

/* --- asking, and judging --------------------------------------------------------- */

/* 1: never mind whose label it bears, this board is in no unit any more. */
static int retired(struct db *db, const struct scan *scan, const struct eid *card,
                   enum verdict *v, struct err *e)
{
    struct retired_board r;
    char digits[EID_DIGITS + 1];
    int row = board_retired(db, card, &r, e);

    if (row < 0)
        *v = verdict_of_station(e);
    if (row <= 0)
        return row;
    *v = V_EID_RETIRED;
    err_set(e, ERR_CONFLICT, "EID %s was taken out of unit %s (%s) at event "
            "%llu, the label says %s", eid_format(card, digits), r.serial,
            r.position, (unsigned long long)r.event, scan->barcode);
    return 1;
}

int identity_find(struct db *db, const struct scan *scan,
                  const struct eid *card, const struct identity_place *at,
                  struct position *position, char name[POSITION_NAME_MAX + 1],
                  char serial[UNIT_SERIAL_MAX + 1], enum verdict *v,
                  struct err *e)
{
    AUTO(position_list_clear) struct position_list all = { NULL, 0 };
    struct err not_found = ERR_INIT;
    int has_eid = known_eid(db, card, position, &not_found);
    bool same = has_eid > 0 && (scan->is_eid ||
                                strcmp(position->serial, scan->barcode) == 0);

    if (has_eid < 0 || unit_by_serial(db, same ? position->serial : scan->barcode,
                                      &all, &not_found) != 0) {
        *e = not_found;
        *v = verdict_of_station(e);
        return -1;
    }
    snprintf(name, POSITION_NAME_MAX + 1, "%s",
             position_name(at, same ? position : NULL, &all));
    struct identity_facts f = { scan, card, has_eid ? position : NULL,
                                find(&all, name), name };
    if (!has_eid) {
        *position = (struct position){ .id = 0 };
        if (label_agrees(&f, v, e) && retired(db, scan, card, v, e) != 0)
            return -1;
    }
    return identity_judge(&f, serial, v, e) ? 0 : -1;
}
