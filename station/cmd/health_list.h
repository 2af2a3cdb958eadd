/* cmd/health_list: how the fixtures do, for people. */
#ifndef LINESIDE_CMD_HEALTH_LIST_H
#define LINESIDE_CMD_HEALTH_LIST_H

#include "station/show/health.h"
#include "storage/stands.h"

/* below: something was printed before it. */
void health_print(const struct places *said, const struct show_health *f,
                  bool below);

/* Nothing where none has a place on the bench. */
void stands_print(const struct places *said, const struct stands *all);
void trends_print(const struct places *said, const struct fixture_healths *all);

#endif
