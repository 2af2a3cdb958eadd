#include "station/container/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[KIND_COUNT] = {
    [KIND_EUICC_DATA] = "euicc-data",
    [KIND_BPP_BUNDLE] = "bpp-bundle",
    [KIND_STATION_CSR] = "station-csr",
    [KIND_STATION_CERT] = "station-cert",
    [KIND_LOADING_REPORT] = "loading-report",
    [KIND_AUDIT_LOG] = "audit-log",
    [KIND_BPP_REQUEST] = "bpp-request",
    [KIND_WORK_ORDER] = "work-order",
    [KIND_REPORT_RECEIPT] = "report-receipt",
    [KIND_SHIFT_RECORD] = "shift-record",
    [KIND_BACKUP] = "backup",
};

const char *kind_name(enum container_kind k)
{
    return (unsigned)k < KIND_COUNT ? kind_names[k] : "unknown";
}

int kind_parse(const char *name, enum container_kind *out)
{
    for (unsigned k = 0; k < KIND_COUNT; k++)
        if (strcmp(kind_names[k], name) == 0) {
            *out = (enum container_kind)k;
            return 0;
        }
    return -1;
}

int blobs_add(struct blobs *b, struct span s)
{
    /* Grown when the count reaches a power of two: no capacity to keep. */
    if ((b->n & (b->n - 1)) == 0) {
        size_t cap = b->n ? b->n * 2 : 1;
        struct buf *v = realloc(b->v, cap * sizeof *v);
        if (!v)
            return -1;
        b->v = v;
    }
    struct buf one = BUF_INIT;
    buf_put_span(&one, s);
    if (!buf_ok(&one))
        return -1;
    b->v[b->n++] = one;
    return 0;
}

void blobs_clear(struct blobs *b)
{
    for (size_t i = 0; i < b->n; i++)
        buf_clear(&b->v[i]);
    free(b->v);
    *b = (struct blobs){ NULL, 0 };
}

void manifest_init(struct manifest *m)
{
    memset(m, 0, sizeof *m);
    m->version = 1;
}

void manifest_clear(struct manifest *m)
{
    blobs_clear(&m->recipients.list);
    free(m->segments);
    blobs_clear(&m->eum_chains);
    blobs_clear(&m->dp_chains);
    buf_clear(&m->info2);
    blobs_clear(&m->key_recipients);
    buf_clear(&m->csr);
    buf_clear(&m->station_chain);
    blobs_clear(&m->ci_roots);
    blobs_clear(&m->allowed_smdp);
    buf_clear(&m->recovery_chain);
    free(m->totals);
    free(m->order);
    manifest_init(m);
}

char *segment_name(size_t index, char out[24])
{
    /* The list's bound keeps the number at five digits. */
    snprintf(out, 24, "segment-%05u.der", (unsigned)(index % 99999) + 1);
    return out;
}
