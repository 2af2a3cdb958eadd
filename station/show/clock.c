#include "station/show/clock.h"

#include "station/base/clock.h"

json_t *show_clock(const struct ledger_clock *k, int64_t machine,
                   bool confirmed_now)
{
    char is[GTIME_LEN + 1], floor[GTIME_LEN + 1], now[GTIME_LEN + 1];

    return json_pack("{s:s, s:s, s:s, s:b, s:b}", "machine",
                     gtime_format(machine, is), "floor",
                     gtime_format(k->floor, floor), "now",
                     gtime_format(k->now, now), "believed", k->confirmed,
                     "confirmedNow", confirmed_now);
}
