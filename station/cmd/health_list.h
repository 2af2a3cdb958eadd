/* cmd/health_list: how the fixtures do, for people. */
#ifndef LINESIDE_CMD_HEALTH_LIST_H
#define LINESIDE_CMD_HEALTH_LIST_H

#include "station/show/health.h"

/* below: something was printed before it. */
void health_print(const struct places *said, const struct show_health *f,
                  bool below);

#endif
