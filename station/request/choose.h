/* request/choose.h: which keys a request takes, and why there are too few. */
#ifndef LINESIDE_REQUEST_CHOOSE_H
#define LINESIDE_REQUEST_CHOOSE_H

#include "station/request/request.h"

struct chosen_key {
    struct eid eid;
    struct key_row key;
};
struct chosen {
    struct chosen_key *v;
    size_t n, euiccs;
};
void chosen_clear(struct chosen *c);

/* o->count keys. ERR_NOT_FOUND tells how all of them stand. */
int request_choose(struct db *db, const struct request_order *o,
                   struct chosen *out, struct err *e);

#endif
