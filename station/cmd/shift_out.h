/* cmd/shift_out.h: shifts and days on the screen. */
#ifndef LINESIDE_CMD_SHIFT_OUT_H
#define LINESIDE_CMD_SHIFT_OUT_H

#include "station/show/shift.h"

/* One shift with its figures. */
int shift_out(const struct show_shift *l, bool json, struct err *e);
void shift_list_out(const struct shifts *l, bool json);
/* A day's figures, and the shifts of it. */
void day_book_out(const struct show_day *d, bool json);

#endif
