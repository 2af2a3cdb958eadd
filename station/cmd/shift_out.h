/* cmd/shift_out.h: shifts and days on the screen. */
#ifndef LINESIDE_CMD_SHIFT_OUT_H
#define LINESIDE_CMD_SHIFT_OUT_H

#include "station/shift/shift.h"

/* One shift with its figures. record: the UUID of its signed record, or "". */
int shift_out(const struct shift *s, struct span records, const char *record,
              bool json, struct err *e);
void shift_list_out(const struct shifts *l, bool json);

/* A day's figures, and the shifts of it. */
struct day_book {
    int64_t day; /* since 1970, UTC */
    struct shifts shifts;
};
int day_book_out(struct db *db, const struct day_book *b, bool json,
                 struct err *e);

#endif
