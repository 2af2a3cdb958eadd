/* import/import.h: the way of a container from a medium into the ledger. The
 * importer reads and proves; here is decided and stored. */
#ifndef LINESIDE_IMPORT_IMPORT_H
#define LINESIDE_IMPORT_IMPORT_H

#include "station/container/manifest.h"
#include "station/import/frames.h"
#include "storage/receipts.h"
#include "storage/station.h"

/* What a report-receipt says, and what is still waited for. */
struct import_receipt {
    char report[UUID_LEN + 1];
    uint64_t sequence; /* of the report */
    uint64_t records, accepted;
    uint64_t waiting;  /* other SM-DPfs that have not acknowledged it */
};

struct import_result {
    enum container_kind kind;
    char id[UUID_LEN + 1];
    char issuer[REGISTERED_ID_MAX + 1];
    uint64_t sequence;
    int64_t not_after;
    struct import_summary sum;
    struct import_receipt receipt; /* report-receipt */
    long importer_kib; /* resident peak of the import process */
};

/* bpp-bundle, euicc-data or report-receipt. db: a DB_WRITE connection used for nothing else
 * meanwhile; lock: LOCK_IMPORT. On any failure nothing of the container
 * stays. */
int import_container(struct db *db, const struct lock *lock,
                     const struct station *s, const char *path,
                     struct import_result *out, struct err *e);

struct import_watch; /* child.h */
/* As above, watched. */
int import_container_watched(struct db *db, const struct lock *lock,
                             const struct station *s, const char *path,
                             const struct import_watch *w,
                             struct import_result *out, struct err *e);

/* station-cert: the station's certificate, CI roots, allow-list, site. */
int import_station_cert(struct db *db, const struct station *s,
                        const char *path, struct import_result *out,
                        struct err *e);

/* work-order: becomes a waiting order (storage/orders.h). */
int import_work_order(struct db *db, const struct station *s, const char *path,
                      struct import_result *out,
                      char number[ORDER_NUMBER_MAX + 1], struct err *e);
int import_work_order_watched(struct db *db, const struct station *s,
                              const char *path, const struct import_watch *w,
                              struct import_result *out,
                              char number[ORDER_NUMBER_MAX + 1], struct err *e);

#endif
