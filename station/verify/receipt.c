#include "station/verify/subject.h"

#include <string.h>

typedef unsigned long long ull;

/* Records about an SM-DPf's BPPs, at least: a failure names no bundle. */
static uint64_t about(const struct subject *report, const char *smdp)
{
    uint64_t n = 0;

    for (size_t i = 0; i < report->m.totals_count; i++) {
        const struct tally *t = &report->by_bundle[i];
        if (strcmp(report->m.totals[i].smdp_oid, smdp) == 0)
            n += t->results + t->deletions + t->voided + t->quarantined;
    }
    return n;
}

static void compare(const struct subject *receipt, const struct subject *report,
                    struct findings *f)
{
    const struct manifest_receipt *r = &receipt->m.receipt;
    const char *smdp = receipt->m.issuer;
    uint64_t least = about(report, smdp), most = least + report->tally.named;

    if (memcmp(r->report_sha256, report->cms_sha256, sizeof r->report_sha256) != 0 ||
        r->report_sequence != report->m.sequence) {
        findings_add(f, BROKEN, "SM-DPf %s received another file than this "
                     "loading-report %llu, under its id", smdp,
                     (ull)report->m.sequence);
        return;
    }
    findings_add(f, PROVEN, "SM-DPf %s received this loading-report %llu", smdp,
                 (ull)report->m.sequence);
    if (!report->whole)
        return; /* BROKEN already */
    if (r->records < least || r->records > most)
        findings_add(f, BROKEN, "SM-DPf %s counts %llu records about its BPPs, the "
                     "report has %llu to %llu", smdp, (ull)r->records, (ull)least,
                     (ull)most);
    findings_add(f, NOT_PROVEN, "%llu of %llu records accepted: the SM-DPf says so",
                 (ull)r->accepted, (ull)r->records);
}

void check_receipt(const struct subject *receipt, const struct subject *v,
                   size_t n, struct findings *f)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].m.kind == KIND_LOADING_REPORT &&
            strcmp(v[i].m.id, receipt->m.receipt.report_id) == 0) {
            compare(receipt, &v[i], f);
            return;
        }
    findings_add(f, NOT_PROVEN, "what it acknowledges, loading-report %llu (%s), was "
                 "not given", (ull)receipt->m.receipt.report_sequence,
                 receipt->m.receipt.report_id);
}
