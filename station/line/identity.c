#include "station/line/identity.h"

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
                      strcmp(f->by_eid->name, POSITION_MAIN) != 0)) {
        *v = V_EID_HAS_OTHER_SERIAL;
        err_set(e, ERR_CONFLICT, "EID %s is known in unit %s (%s), the label says %s",
                card, f->by_eid->serial, f->by_eid->name, serial);
        return false;
    }
    return true;
}

/* 1: *out is position "main" of this serial; 0: not known. */
static int main_position(struct db *db, const char *serial,
                         struct position *out, struct err *e)
{
    struct position_list all = { NULL, 0 };
    int found = 0;

    if (unit_by_serial(db, serial, &all, e) != 0)
        return -1;
    for (size_t i = 0; i < all.n && !found; i++)
        if (strcmp(all.v[i].name, POSITION_MAIN) == 0) {
            *out = all.v[i];
            found = 1;
        }
    position_list_clear(&all);
    return found;
}

static int known_eid(struct db *db, const struct eid *eid,
                     struct position *out, struct err *e)
{
    if (position_by_eid(db, eid, out, e) == 0)
        return 1;
    return e->code == ERR_NOT_FOUND ? 0 : -1;
}

int identity_find(struct db *db, const struct scan *scan,
                  const struct eid *card, struct position *position,
                  char serial[UNIT_SERIAL_MAX + 1], enum verdict *v,
                  struct err *e)
{
    struct position by_serial;
    struct err not_found = ERR_INIT;
    int has_eid = known_eid(db, card, position, &not_found);
    int has_serial = has_eid < 0 ? -1
                   : main_position(db, scan->barcode, &by_serial, &not_found);

    if (has_eid < 0 || has_serial < 0) {
        *e = not_found;
        *v = verdict_of_station(e);
        return -1;
    }
    struct identity_facts f = { scan, card, has_eid ? position : NULL,
                                has_serial ? &by_serial : NULL };
    if (!has_eid)
        *position = (struct position){ .id = 0 };
    return identity_judge(&f, serial, v, e) ? 0 : -1;
}
