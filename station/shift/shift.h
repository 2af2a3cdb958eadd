/* shift/shift.h: what a shift came to, as the records of a shift-record
 * (container/shift_record.h), and the signed container of them. */
#ifndef LINESIDE_SHIFT_SHIFT_H
#define LINESIDE_SHIFT_SHIFT_H

#include "station/container/shift_record.h"
#include "station/report/report.h"
#include "storage/shifts.h"

/* Append the records of the open shift s as things stand: for the screen, and
 * as the shift_make_fn of shift_close. ctx is not used. */
int shift_figures(void *ctx, struct db *db, const struct shift *s,
                  struct buf *records, struct err *e);

/* The records of shift s, be it open or closed. Of one moment: call inside
 * db_snapshot together with what found s. */
int shift_figures_of(struct db *db, const struct shift *s, struct buf *records,
                     struct err *e);

/* Each record of what the two above made. */
typedef int shift_record_fn(void *ctx, const struct shift_record *r,
                            struct err *e);
int shift_records_walk(struct span records, shift_record_fn *fn, void *ctx,
                       struct err *e);

/* Write the signed record of a closed shift to a medium: made the first time,
 * byte for byte the same ever after. to_dir NULL: it is left in the outbox, and
 * the next export takes it along. ERR_WRONG_STATE: it is open;
 * ERR_NOT_FOUND: there is no such shift. lock: LOCK_EXPORT. */
int shift_record_export(struct db *db, const struct lock *lock,
                        const char *data_dir, const struct station *station,
                        const struct identity *self, uint64_t number,
                        const char *to_dir, struct report_list *out,
                        struct err *e);

#endif
