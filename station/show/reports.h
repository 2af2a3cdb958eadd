/* show/reports.h: which loading-reports the SM-DPfs have acknowledged. */
#ifndef LINESIDE_SHOW_REPORTS_H
#define LINESIDE_SHOW_REPORTS_H

#include "storage/events.h"
#include "storage/receipts.h"

#include <jansson.h>

/* All of one moment. */
struct show_reports {
    bool only_open; /* that somebody has not acknowledged */
    uint64_t before; /* with a lower number; 0: any        */
    unsigned limit;
    struct report_rows rows;
    struct reports_open open;
    struct ledger_clock clock;
};
/* What is asked for is given. Clear rows afterwards in any case. */
int show_reports_read(struct db *db, struct show_reports *a, struct err *e);

/* One report: its rows. */
struct show_report {
    const struct report_row *v;
    size_t n, waiting; /* 1 row without SM-DPf: it concerns nobody */
    size_t never; /* not acknowledged, and nothing is expected any more */
    int64_t age_s;     /* while somebody is waited for */
};
/* From *at 0 on; false: there is none any more. */
bool show_reports_next(const struct show_reports *a, size_t *at,
                       struct show_report *out);
json_t *show_reports(const struct show_reports *a); /* as `reports --json` */

#endif
