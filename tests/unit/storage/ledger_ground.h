/* A ledger in a directory of its own, a clock that stands where the test puts
 * it, and bundles made of nothing but numbers: storage looks into no octet. */
#ifndef LINESIDE_TESTS_LEDGER_GROUND_H
#define LINESIDE_TESTS_LEDGER_GROUND_H

#include "storage/bundles.h"
#include "storage/events.h"
#include "storage/exports.h"
#include "storage/queries.h"
#include "storage/station.h"
#include "storage/stock.h"
#include "storage/tally.h"
#include "storage/units.h"
#include "storage/writer.h"
#include "tests/unit/support.h"

#include <sqlite3.h>

#define GROUND_NOW 1795473660 /* 2026-11-23 22:41:00Z */
#define SMDP "1.3.6.1.4.1.99.1"

extern int64_t ground_now; /* what ground_clock says */
int64_t ground_clock(void);

struct ground {
    char dir[128];
    struct db_options options;
    struct db *db;
    struct lock *lock; /* LOCK_IMPORT, while an import runs */
};

void ground_open(struct ground *g);
void ground_open_with(struct ground *g, const struct db_options *o);
void ground_reopen(struct ground *g); /* close and open the same ledger */
void ground_close(struct ground *g);  /* and remove the directory       */

/* Everything adds up and the chain holds. */
void ground_balanced(struct db *db);

struct eid ground_eid(unsigned n);
struct txid ground_txid(unsigned n);
struct iccid ground_iccid(unsigned n);

/* A bundle's head: id and sequence from n. */
struct import_head ground_head(unsigned n, char id[37]);
/* Begin bundle n; take the lock first. */
struct import *ground_begin(struct ground *g, unsigned n);
/* Record of BPP `txid` for eUICC `eid`, `size` octets. */
int ground_record(struct import *i, unsigned txid, unsigned eid, size_t size,
                  struct err *e);
/* A whole live bundle n: BPPs first..first+count-1, per_euicc for each eUICC. */
void ground_bundle(struct ground *g, unsigned n, unsigned first,
                   unsigned count, unsigned per_euicc);
/* Row of BPP `txid`. */
struct bpp_info ground_bpp(struct db *db, unsigned txid);

/* SQL on a connection of its own: what an outsider could do. */
int ground_sql(const struct ground *g, const char *sql);
int64_t ground_sql_int(const struct ground *g, const char *sql);

/* The ledger, which is closed for it and not opened again, is made what a
 * program of that schema would have left. */
void ground_back_to(struct ground *g, int version);

extern const struct act ground_act; /* actor "test", fixture "F1" */
struct span ground_bf37(void);

/* Fail the test unless rc is 0 / is -1 with this code. */
#define good(rc) do { \
        e.code = ERR_NONE; \
        int rc_ = (rc); \
        ck_assert_msg(rc_ == 0, "%s: %s", #rc, e.msg); \
    } while (0)
#define bad(rc, want) do { \
        e.code = ERR_NONE; \
        int rc_ = (rc); \
        ck_assert_msg(rc_ == -1 && e.code == (want), "%s: %d, %s: %s", #rc, \
                      rc_, err_name(e.code), e.msg); \
    } while (0)

#endif
