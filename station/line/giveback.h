/* line/giveback: a unit in a fixture gives its profiles back (SGP.41 Annex A.4):
 * disabled and deleted on the card, the eUICC's signed notifications fetched,
 * verified and committed, and only then removed from it. The unit is in stock
 * again; it can be loaded again while the eUICC is open and has unused one-time
 * keys. Whatever cuts it off, the next return reads from the card how far it
 * came. */
#ifndef LINESIDE_LINE_GIVEBACK_H
#define LINESIDE_LINE_GIVEBACK_H

#include "station/line/unit.h"
#include "storage/returns.h"

/* As unit_run. scan: which unit it is to be; reason: as return_begin. */
void giveback_run(const struct unit_env *env, const struct scan *scan,
                  const char *reason, struct unit_result *out);

#endif
