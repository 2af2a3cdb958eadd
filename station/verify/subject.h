/* verify/subject.h: one container under the auditor's eye. */
#ifndef LINESIDE_VERIFY_SUBJECT_H
#define LINESIDE_VERIFY_SUBJECT_H

#include "station/container/manifest.h"
#include "station/container/signers.h"
#include "station/verify/findings.h"
#include "station/verify/txset.h"

struct subject {
    char path[4096];
    int dir;
    struct manifest m;
    uint8_t cms_sha256[32];
    struct tally tally;       /* loading-report */
    struct txset results;     /* loading-report: mark 1 installed, 0 failed;
                                 bpp-bundle: every record */
    struct txset gone;        /* loading-report: voided, quarantined */
};

/* Open and prove signature, role, issuer, file names. 0, or -1 and *e. */
int subject_open(struct subject *s, const char *path,
                 const struct container_trust *t, struct err *e);
void subject_close(struct subject *s);

/* Read every record and prove it; segments' sizes, counts and hashes with
 * it. What is proven and what is not goes to f. */
void check_records(struct subject *s, const struct container_trust *t,
                   struct findings *f);

/* The report's totals in themselves. */
void check_totals(const struct subject *report, struct findings *f);
/* Every result belongs to a bundle given, to the right eUICC, and the bundles
 * are the ones the totals speak of. */
void check_bundles(const struct subject *report, const struct subject *bundles,
                   size_t n, struct findings *f);
/* The chain of exports of this one's kind among `others`: hashes, event
 * numbers, heads, counts from visit to visit. */
void check_continuity(const struct subject *s, const struct subject *others,
                      size_t n, struct findings *f);
/* A report and an audit-log of the same moment. */
void check_pair(const struct subject *report, const struct subject *log,
                struct findings *f);

#endif
