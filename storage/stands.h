/* storage/stands.h: where fixtures stand on the bench, as the line engineer has said
 * once: so a screen shows them. Nothing else comes of it. */
#ifndef LINESIDE_STORAGE_STANDS_H
#define LINESIDE_STORAGE_STANDS_H

#include "storage/health.h"

#define STAND_MAX 99 /* rows and columns, from 1; row 1 is the farthest */

struct stand {
    char fixture[HEALTH_NAME_MAX + 1]; /* as of fixture_health */
    unsigned row, column;              /* 0: nothing was said of it */
};
struct stands {
    struct stand *v; /* by row and column */
    size_t n;
};
void stands_clear(struct stands *l);
int stands_get(struct db *db, struct stands *out, struct err *e);
int stand_get(struct db *db, const char *fixture, struct stand *out, struct err *e);
/* NULL: nothing was said of it. */
const struct stand *stands_find(const struct stands *l, const char *fixture);

/* Event "fixture-position-set". ERR_USAGE: no row or column; ERR_CONFLICT: another
 * stands there (which is named). Where it stands already: nothing happens. */
int stand_set(struct tx *tx, const struct stand *s, const char *actor, struct err *e);
/* Event "fixture-position-removed". ERR_NOT_FOUND: nothing was said of it. */
int stand_remove(struct tx *tx, const char *fixture, const char *actor, struct err *e);

#endif
