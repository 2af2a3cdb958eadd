/* acts/shifts.h: shifts are opened and closed, by somebody with the right
 * `shift`. */
#ifndef LINESIDE_ACTS_SHIFTS_H
#define LINESIDE_ACTS_SHIFTS_H

#include "station/acts/desk.h"
#include "station/acts/who.h"
#include "station/shift/shift.h"

/* name "": none. */
int act_shift_open(struct db *db, const struct who *w, const char *name,
                   struct shift *out, struct err *e);

/* d is opened here: by desk_open, with `to`, the folder its signed record goes
 * to; NULL: into the outbox, for the next export. *closed: it was, whether its
 * record was written or not. What arrived is in *made. */
int act_shift_close(struct desk *d, const char *data_dir, const char *to,
                    const struct who *w, struct shift *out, bool *closed,
                    struct report_list *made, struct err *e);

/* The record of shift number, once more. */
int act_shift_record(struct desk *d, const char *data_dir, const char *to,
                     uint64_t number, struct report_list *made, struct err *e);

#endif
