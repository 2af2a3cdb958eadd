/* verify/recount.h: the events of audit-logs, counted again for all shifts at hand.
 * However many shifts there are, each log is read once. */
#ifndef LINESIDE_VERIFY_RECOUNT_H
#define LINESIDE_VERIFY_RECOUNT_H

#include "station/container/report_record.h"
#include "station/verify/findings.h"

struct subject;

/* What the logs say of one shift, against what its record does. */
struct recount {
    uint64_t by_kind[REPORT_KINDS]; /* the record's: what reports must hold */
    uint64_t events, earlier; /* of the shift's and of those before it, in the logs */
    bool twice, twice_before; /* two logs carry the same of these */
    struct err why;           /* code: something could not be read, and nothing of the
                                 following is filled */
    /* If its events are all there, each once: */
    bool opened, closed;      /* ... as the record says */
    size_t figures;           /* of the record */
    bool agree;               /* ... and they are what the events add up to; else: */
    struct findings differ;
    /* ... and if those before it are: */
    bool begins_so;           /* the balances at its beginning, likewise */
    struct findings begins_not;
};
void recount_free(struct recount *r); /* NULL is fine */

/* Fills subject.recount of the whole shift-records among the first `asked` of v, by the
 * whole audit-logs among all n. -1: no memory. */
int recount_shifts(struct subject *v, size_t n, size_t asked);

#endif
