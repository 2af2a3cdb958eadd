/* verify/subject.h: one container under the auditor's eye. */
#ifndef LINESIDE_VERIFY_SUBJECT_H
#define LINESIDE_VERIFY_SUBJECT_H

#include "station/container/manifest.h"
#include "station/container/shift_record.h"
#include "station/container/signers.h"
#include "station/verify/facts.h"
#include "station/verify/findings.h"
#include "station/verify/imeis.h"
#include "station/verify/recount.h"
#include "station/verify/restores.h"
#include "station/verify/txset.h"

/* What a report's records add up to: of one bundle, or in all. */
struct tally {
    uint64_t results, installed, failed, failures, deletions, receipts,
        voided, quarantined,
        named,   /* of the failures: with a transactionId */
        went_on; /* of the quarantined ones: voided, or with a result, in this
                    same report */
};

struct subject {
    char path[4096];
    int dir;
    struct manifest m;
    uint8_t cms_sha256[32];
    bool again;               /* the same container was given before this one */
    bool whole;               /* every record was read and is what it must be;
                                 what follows is complete then */
    struct tally tally;       /* loading-report */
    struct tally *by_bundle;  /* loading-report: one for each of m.totals */
    const struct bundle_totals **by_id; /* m.totals in the order of their ids */
    struct txset results;     /* loading-report: mark 1 installed, 0 failed;
                                 bpp-bundle, bpp-request: every record */
    struct txset voided;      /* loading-report */
    struct txset held;        /* loading-report: quarantined */
    struct txset deleted;     /* loading-report */
    struct imeis imeis;       /* loading-report */
    struct facts facts;       /* loading-report, audit-log */
    struct restores restores; /* audit-log */
    struct recount *recount;  /* shift-record that was asked for; owned */
    uint8_t (*hashes)[EVENT_HASH]; /* audit-log: of event first_event + i */
    size_t hash_count, hash_cap;
};

/* Open and prove signature, role, issuer, file names. 0, or -1 and *e. */
int subject_open(struct subject *s, const char *path,
                 const struct container_trust *t, struct err *e);
void subject_close(struct subject *s);

/* A bundle in the report's totals; NULL when it is not there. */
const struct bundle_totals *subject_totals(const struct subject *report,
                                           const char *bundle_id);

/* Read every record and prove it; segments' sizes, counts and hashes with
 * it. What is proven and what is not goes to f. */
void check_records(struct subject *s, const struct container_trust *t,
                   struct findings *f);

/* `asked` in what follows: the user gave containers to prove this by, so that
 * one which is not among them is MISSING, not just not proven. */

/* The report's totals in themselves. */
void check_totals(const struct subject *report, struct findings *f);
/* Every result belongs to a bundle given, to the right eUICC, and the bundles
 * are the ones the totals speak of. */
void check_bundles(const struct subject *report, const struct subject *v,
                   size_t n, bool asked, struct findings *f);
/* The chain of exports of this one's kind among `others`: hashes, event
 * numbers, heads, counts from visit to visit. */
void check_continuity(const struct subject *s, const struct subject *others,
                      size_t n, bool asked, struct findings *f);
/* The records of a shift-record as they are read, and what they say. */
struct shift_reading {
    enum shift_record_kind last;
    uint64_t records, bundles;
};
int shift_record_take(struct shift_reading *r, struct span der, struct err *e);
void shift_conclude(const struct subject *s, const struct shift_reading *r,
                    struct findings *f);
/* A shift's figures are what its events in the audit-logs among `v` add up
 * to, its balances what the events before it do, and its counts what the
 * loading-reports of its events carry. After recount_shifts. */
void check_shift(const struct subject *shift, const struct subject *v,
                 size_t n, bool asked, struct findings *f);

/* What an SM-DPf's receipt says of the report it is for, if that is among `v`. */
void check_receipt(const struct subject *receipt, const struct subject *v,
                   size_t n, struct findings *f);

/* The hash of event `number`, if the whole audit-log knows it; event first - 1
 * is the head that it starts from. */
const uint8_t *log_hash(const struct subject *log, uint64_t number);
/* The report's heads are those of the audit-logs among `v`, and its records
 * are what these logs say was recorded, no more and no less. */
void check_logs(const struct subject *report, const struct subject *v,
                size_t n, bool asked, struct findings *f);

#endif
