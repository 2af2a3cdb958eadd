/* smdpf/check.h: the SM-DPf checks a loading-report and learns what to tell
 * the MSP (SGP.41, steps 15 and 16; DPFF05 to 07). */
#ifndef LINESIDE_LAB_SMDPF_CHECK_H
#define LINESIDE_LAB_SMDPF_CHECK_H

#include "station/container/manifest.h"
#include "station/ifpp/order.h"
#include "tests/lab/sql.h"
#include "tests/lab/world.h"

enum told_kind {
    TOLD_INSTALLED,
    TOLD_FAILED,       /* the eUICC signed that it did not install       */
    TOLD_DELETED,      /* installed, later deleted                       */
    TOLD_QUARANTINED,  /* consumed without evidence: the station says so */
    TOLD_VOIDED,       /* can never load: the station says so            */
    TOLD_NOT_LOADED,   /* an FPA failure; the BPP may yet be loaded      */
    TOLD_KINDS
};
const char *told_name(enum told_kind k); /* "installed" */

/* One line to the MSP, of one record. iccid is all zero when the failure names no profile;
 * eid likewise. */
struct told {
    enum told_kind kind;
    struct iccid iccid;
    struct eid eid;
    char name[64], msp[ORDER_TEXT_MAX + 1];
    char smdpf[REGISTERED_ID_MAX + 1]; /* who bound it; "": it names no BPP */
    char detail[640];
};

struct report_check {
    char id[UUID_LEN + 1];
    char station[REGISTERED_ID_MAX + 1];
    uint8_t station_key[32];  /* key id of who signed it */
    uint8_t sha256[32];       /* of its manifest.cms     */
    uint64_t sequence, first_event, last_event;
    bool again;       /* this very report was found good before            */
    bool complete;    /* all reports of this station before it are known,
                         so that its totals were counted from records      */
    struct told *told;
    size_t told_count;
    size_t count[TOLD_KINDS]; /* lines by kind */
    size_t receipts;
};
void report_check_clear(struct report_check *c);

/* Everything or nothing: signature, role, chain, hashes; every eUICC
 * signature to the CI; every transactionId issued by these SM-DPfs, to that
 * eUICC, in that bundle, and with one signed result, whichever stations bring
 * it; totals that balance, name our bundles by hash and count and, when
 * complete, equal what the records of this and all earlier reports say. Then
 * it is in the book. The first thing that is wrong is the error, and nothing
 * of the report is kept. */
int smdpf_check_report(const struct world *w, struct sql *book,
                       const char *path, struct report_check *out,
                       struct err *e);

#endif
