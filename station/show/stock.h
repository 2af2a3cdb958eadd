/* show/stock.h: the balance per bundle, how long it lasts, what waits. */
#ifndef LINESIDE_SHOW_STOCK_H
#define LINESIDE_SHOW_STOCK_H

#include "station/report/report.h"
#include "storage/queries.h"

#include <jansson.h>

struct show_stock {
    struct stock_overview o;
    struct report_list waiting; /* exported, not seen to arrive */
    struct stock_forecast forecast;
    bool adds_up;
    bool more; /* o.bundles is a page, and there are earlier ones; the caller's */
};
/* Clear it in any case. */
int show_stock_read(struct db *db, const char *data_dir, unsigned warn_hours,
                    struct show_stock *out, struct err *e);
void show_stock_clear(struct show_stock *k);

json_t *show_stock(const struct show_stock *k); /* as `stock --json` */
/* {"left":...,"low":false} */
json_t *show_forecast(const struct stock_forecast *f);
/* {"reports":2,"since":1795870000}; no age, which changes all the time. */
json_t *show_unacknowledged(const struct reports_open *r);

#endif
