/* cmd/health_list: how the fixtures do, for people and as JSON. */
#ifndef LINESIDE_CMD_HEALTH_LIST_H
#define LINESIDE_CMD_HEALTH_LIST_H

#include "storage/health.h"
#include "storage/places.h"

#include <jansson.h>

struct health_facts {
    struct fixture_healths fixtures;
    struct health_limits limits;
    struct golden_list golden;
};
int health_facts_read(struct db *db, struct health_facts *out, struct err *e);
void health_facts_clear(struct health_facts *f);

json_t *health_json(const struct places *said, const struct health_facts *f);
/* below: something was printed before it. */
void health_print(const struct places *said, const struct health_facts *f,
                  bool below);

#endif
