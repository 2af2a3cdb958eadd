/* show/shift.h: shifts with their figures, and the day book. */
#ifndef LINESIDE_SHOW_SHIFT_H
#define LINESIDE_SHOW_SHIFT_H

#include "station/shift/shift.h"
#include "station/show/figures.h"

/* --- one --------------------------------------------------------------------- */

struct show_shift {
    struct shift s;
    struct buf records;         /* its figures, be it open or closed */
    char record[UUID_LEN + 1];  /* of its signed record; "": none was made */
};
/* number 0: the open one. ERR_NOT_FOUND: there is none. Clear it in any case. */
int show_shift_read(struct db *db, uint64_t number, struct show_shift *out,
                    struct err *e);
void show_shift_clear(struct show_shift *l);

/* Its records, taken apart. Clear it in any case. */
struct show_sheet {
    struct figures counts;
    json_t *positions, *bundles;
    bool more; /* bundles is a page, and there are earlier ones; the caller's */
};
int show_sheet_read(const struct show_shift *l, struct show_sheet *out,
                    struct err *e);
void show_sheet_clear(struct show_sheet *s);

json_t *show_shift(const struct show_shift *l, const struct show_sheet *s);

/* As `shift open --json`. */
json_t *show_shift_opened(const struct shift *s);

/* --- several ----------------------------------------------------------------- */

json_t *show_shift_head(const struct shift *s); /* without figures */
json_t *show_shifts(const struct shifts *l);    /* as `shift list --json` */

struct show_day {
    int64_t day;   /* since 1970, UTC: given */
    char date[24]; /* "2026-11-28" */
    struct shifts shifts;
    struct figures counts;
};
/* Clear it in any case. */
int show_day_read(struct db *db, struct show_day *d, struct err *e);
void show_day_clear(struct show_day *d);
json_t *show_day(const struct show_day *d); /* as `shift book --json` */

#endif
