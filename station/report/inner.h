/* report/inner: the room's parts: records.c makes what reports and logs hold,
 * report.c seals them, delivery.c brings what was sealed to a medium. Inside this room
 * only. */
#ifndef LINESIDE_REPORT_INNER_H
#define LINESIDE_REPORT_INNER_H

#include "station/report/report.h"

/* --- records.c ---------------------------------------------------------------- */

/* Where records go, and the EUM chains they name, in order of first use. */
struct sink {
    struct container_writer *w;
    struct manifest *m;
    uint64_t records;
    struct buf der;
};
/* Everything of this kind in events first..last. The same range gives the
 * same octets whenever it is asked for. */
int records_write(struct db *db, enum export_kind kind, uint64_t first, uint64_t last,
                  struct sink *k, struct err *e);

/* --- delivery.c --------------------------------------------------------------- */

enum container_kind delivery_kind(enum export_kind k);

/* The way to a medium, and out of the outbox if it is there. What arrived is added to
 * *out. */
int delivery_send(struct db *db, const struct export_info *x, const char *outbox,
                  const char *to_dir, struct report_list *out, struct err *e);
/* What a cut export left: delivered now if the ledger knows it, and gone. */
int delivery_empty(struct db *db, const char *outbox, const char *to_dir,
                   struct report_list *out, struct err *e);

#endif
