/* show/station.h: which station this is. */
#ifndef LINESIDE_SHOW_STATION_H
#define LINESIDE_SHOW_STATION_H

#include "storage/db.h"

#include <jansson.h>

/* {"station","site","commissioned","certificate":{...}|null,"smdps":[...],
 * "schema","epoch","clock":{...}}; *out is the caller's. Days left are whole ones,
 * by the ledger's time. */
int show_station(struct db *db, json_t **out, struct err *e);

#endif
