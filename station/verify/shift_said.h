/* verify/shift_said.h: what a shift-record says, as figures. */
#ifndef LINESIDE_VERIFY_SHIFT_SAID_H
#define LINESIDE_VERIFY_SHIFT_SAID_H

#include "station/container/report_record.h"
#include "station/verify/shift_figures.h"

struct subject;

struct said { /* zeroed is empty */
    struct figures figures;
    struct figures before; /* the balances at its beginning */
    uint64_t by_kind[REPORT_KINDS]; /* what a report's records must be */
};
/* All records of it. Clear it in any case. */
int said_read(const struct subject *shift, struct said *out, struct err *e);
void said_clear(struct said *a);

#endif
