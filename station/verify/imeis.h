/* verify/imeis.h: which IMEI a loading-report gives to which eUICC. It is the station's
 * word: no eUICC signs it. */
#ifndef LINESIDE_VERIFY_IMEIS_H
#define LINESIDE_VERIFY_IMEIS_H

#include "station/base/ids.h"
#include "station/container/report_record.h"

struct imeis { /* zeroed is empty */
    char **v;  /* "IMEI TAB EID TAB serial TAB position": no text of a record has TABs */
    size_t n, cap;
};
/* What this record says, if it names an IMEI. eid: of its certificate, else as the
 * record names it; NULL: it does not. 0, -1: no memory. */
int imeis_add(struct imeis *l, const struct report_record *r, const struct eid *eid);
/* By IMEI, each line once. */
void imeis_sort(struct imeis *l);
void imeis_clear(struct imeis *l);

void imeis_print(const struct imeis *l);
void imeis_print_json(const struct imeis *l); /* an array */

#endif
