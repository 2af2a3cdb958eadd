/* storage/forecast.h: how long the stock lasts, at the pace of the last hour
 * of work: the hour that ends with the newest signed result, by the ledger's
 * time. A night's or a weekend's rest slows nothing down. */
#ifndef LINESIDE_STORAGE_FORECAST_H
#define LINESIDE_STORAGE_FORECAST_H

#include "storage/stock.h"

#define FORECAST_WARN_HOURS 8 /* the default threshold */
#define FORECAST_WARN_HOURS_MAX 8760

struct stock_pace {
    uint64_t bpps;   /* results: each used one up              */
    uint64_t units;  /* units that they belong to              */
    uint64_t span_s; /* time that they took; 0: there are none */
};
/* Reads the newest FORECAST_ROWS pieces of evidence at most, however many
 * there are. */
#define FORECAST_ROWS 2000
int stock_pace(struct db *db, struct stock_pace *out, struct err *e);

/* In quarters, cut off: as JSON they are short and exact. No padding: two of
 * the same octets are the same. */
#define FORECAST_PARTS 4
struct stock_forecast {
    uint64_t left; /* BPPs in stock */
    uint64_t units_per_hour, bpps_per_hour;
    uint64_t hours_left; /* FORECAST_UNKNOWN: nothing was used up yet */
    uint64_t warn_hours; /* whole ones */
    uint64_t low;        /* 1: fewer hours left than that, or all used up */
};
#define FORECAST_UNKNOWN UINT64_MAX
struct stock_forecast stock_forecast(const struct stock_balance *total,
                                     const struct stock_pace *pace,
                                     unsigned warn_hours);

#endif
