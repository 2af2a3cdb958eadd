#include "storage/forecast.h"

#include "storage/inner.h"

#define WINDOW_S 3600
/* Less than this of work says little of an hour: three units in the first
 * minute of a shift are not 180 in an hour. */
#define SPAN_LEAST_S 600

/* Where the evidence that was looked at ends within the hour, the hour begins
 * there: `whole` is then 0, and `since` its time. */
#define PACE \
    "WITH recent AS MATERIALIZED (SELECT e.event, e.kind, p.unit, v.at FROM" \
    "  (SELECT event, kind, position FROM evidence ORDER BY event DESC" \
    "   LIMIT ?1) e JOIN event v ON v.number = e.event" \
    "  LEFT JOIN position p ON p.position = e.position)," \
    " newest AS (SELECT max(at) AS at FROM recent WHERE kind = 1)" \
    " SELECT count(*), count(DISTINCT r.unit), min(r.at), max(r.at)," \
    "  (SELECT min(at) FROM recent) AS since," \
    "  (SELECT count(*) FROM recent) < ?1 OR" \
    "  (SELECT min(at) FROM recent) <= n.at - ?2 AS whole" \
    " FROM recent r, newest n WHERE r.kind = 1 AND r.at > n.at - ?2"

int stock_pace(struct db *db, struct stock_pace *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, PACE, e) != 0)
        return -1;
    q_int(&q, FORECAST_ROWS);
    q_int(&q, WINDOW_S);
    if (q_step(&q, e) <= 0)
        return -1;
    *out = (struct stock_pace){ .bpps = (uint64_t)q_get_int(&q, 0),
                                .units = (uint64_t)q_get_int(&q, 1) };
    if (out->bpps == 0)
        return 0;
    bool whole = q_get_int(&q, 5) != 0;
    int64_t span = q_get_int(&q, 3) - q_get_int(&q, whole ? 2 : 4);
    int64_t least = whole ? SPAN_LEAST_S : 1;
    out->span_s = (uint64_t)(span < least ? least : span);
    return 0;
}

static uint64_t parts_per_hour(uint64_t n, const struct stock_pace *p)
{
    return p->span_s ? n * 3600 * FORECAST_PARTS / p->span_s : 0;
}

struct stock_forecast stock_forecast(const struct stock_balance *total,
                                     const struct stock_pace *pace,
                                     unsigned warn_hours)
{
    struct stock_forecast f = {
        .left = total->by_state[BPP_IN_STOCK],
        .units_per_hour = parts_per_hour(pace->units, pace),
        .bpps_per_hour = parts_per_hour(pace->bpps, pace),
        .hours_left = FORECAST_UNKNOWN,
        .warn_hours = warn_hours,
    };

    if (pace->bpps)
        f.hours_left = f.left * pace->span_s * FORECAST_PARTS / (pace->bpps * 3600);
    f.low = f.left == 0 ? total->received > 0
                        : f.hours_left != FORECAST_UNKNOWN &&
                          f.hours_left < FORECAST_PARTS * (uint64_t)warn_hours;
    return f;
}
