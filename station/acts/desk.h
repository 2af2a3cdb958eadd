/* acts/desk.h: what an act needs that signs something and writes it to a stick.
 * All of it is found out before a PIN is typed or anything changes. */
#ifndef LINESIDE_ACTS_DESK_H
#define LINESIDE_ACTS_DESK_H

#include "station/identity/identity.h"
#include "station/report/report.h"
#include "storage/db.h"
#include "storage/station.h"

struct desk {
    struct db *db;
    struct station s;
    struct identity id;
    struct lock *lock; /* the act's; NULL: not taken yet */
};
#define DESK_EMPTY { .db = NULL }

/* ERR_IO: no folder is there. ERR_USAGE: it is the station's own outbox. */
int desk_folder(const char *data_dir, const char *to, struct err *e);
/* to NULL: nothing is written to a folder. ERR_WRONG_STATE: the station has no
 * certificate yet. Close it in any case. */
int desk_open(struct desk *d, const char *data_dir, const char *to,
              struct err *e);
void desk_close(struct desk *d);

#endif
