/* report/report.h: what leaves the station: loading-report and audit-log
 * (binding, clause 5), and how requests (request/request.h) leave it. The two
 * cover the events after the last export of their kind up to one and the same
 * moment.
 *
 * The way out survives a pulled stick: a container is sealed in DATA/outbox/,
 * then entered in the ledger, then written to the medium, and leaves the
 * outbox last. What is in the ledger and still in the outbox has not arrived;
 * the next export delivers it first. Segments are made again from the ledger,
 * which never changes, under the manifest.cms kept there: the same octets. */
#ifndef LINESIDE_REPORT_REPORT_H
#define LINESIDE_REPORT_REPORT_H

#include "station/container/writer.h"
#include "station/identity/identity.h"
#include "station/request/request.h"
#include "storage/exports.h"
#include "storage/station.h"

#define REPORT_OUTBOX "outbox"
#define REPORT_VALID_S (10 * 365 * 86400ll)

/* One container written to the medium. */
struct report_made {
    enum export_kind kind;
    char id[UUID_LEN + 1];
    uint64_t sequence, first_event, last_event; /* as its manifest says */
    uint64_t records; /* 0 in report_waiting */
    char *path; /* owned; NULL in report_waiting */
};
struct report_list {
    struct report_made *v;
    size_t n;
};
void report_list_clear(struct report_list *l);

/* Deliver what is left in the outbox, then make and deliver an audit-log and
 * a loading-report. On failure *out holds what did arrive. lock: LOCK_EXPORT,
 * since the outbox has room for one at a time. */
int report_export(struct db *db, const struct lock *lock, const char *data_dir,
                  const struct station *s, const struct identity *self,
                  const char *to_dir, struct report_list *out, struct err *e);

/* As report_export, watched: at the beginning of each step, which is "outbox",
 * "making", "audit-log" or "loading-report", and at the end, "done". */
struct report_watch {
    void (*step)(void *ctx, const char *step, unsigned done, unsigned of);
    void *ctx;
    const char *actor; /* in whose name; NULL: the station's */
    tx_fn *still; /* first in the transaction that enters them, with ctx: what let it
                     be done must still hold; NULL: nothing */
};
int report_export_watched(struct db *db, const struct lock *lock,
                          const char *data_dir, const struct station *s,
                          const struct identity *self, const char *to_dir,
                          const struct report_watch *w, struct report_list *out,
                          struct err *e);

const char *report_kind(enum export_kind k); /* "audit-log" */

/* DATA/outbox, made if it is not there. out of at least 4096 octets. */
int report_outbox(const char *data_dir, char *out, size_t cap, struct err *e);

/* Write the export of this id, made by whomever, once more, byte for byte. If it
 * waits in the outbox it has arrived then; on failure the outbox keeps it.
 * ERR_NOT_FOUND: there is none. lock: LOCK_EXPORT. */
int report_send(struct db *db, const struct lock *lock, const char *data_dir,
                const char *id, const char *to_dir, struct report_list *out,
                struct err *e);

/* What was exported, but not seen to arrive on a medium. *out is empty or is
 * added to. */
int report_waiting(struct db *db, const char *data_dir,
                   struct report_list *out, struct err *e);

/* The records of a closed shift, which were made when it closed and are kept as
 * they are. *records is added to. */
int report_write_shift(struct db *db, uint64_t number,
                       struct container_writer *w, uint64_t *records,
                       struct err *e);

#endif
