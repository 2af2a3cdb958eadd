/* show/unit.h: a unit's whole life, by whatever names it. */
#ifndef LINESIDE_SHOW_UNIT_H
#define LINESIDE_SHOW_UNIT_H

#include "station/line/verdict.h"
#include "storage/life.h"

#include <jansson.h>

enum show_unit_by { SHOW_UNIT_ANY, SHOW_UNIT_SERIAL, SHOW_UNIT_EID, SHOW_UNIT_ICCID,
                    SHOW_UNIT_TXID, SHOW_UNIT_IMEI };

/* All that one barcode or one copied number may mean, one life each. */
struct show_units {
    struct life *v;
    size_t n;
};
void show_units_clear(struct show_units *u);

/* ERR_USAGE: this is no such name; ERR_NOT_FOUND: the ledger knows nothing of it. */
int show_unit_find(struct db *db, enum show_unit_by only, const char *what,
                   struct show_units *out, struct err *e);
/* As `unit --json`, with its newest `most` events (0: all); *out is the caller's. */
int show_unit(const struct life *l, size_t most, json_t **out, struct err *e);
/* The verdict whose code a position keeps; NULL: there is none. */
const struct verdict_row *show_unit_verdict(const char *code);

#endif
