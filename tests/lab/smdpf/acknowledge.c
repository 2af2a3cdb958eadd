#include "tests/lab/smdpf/acknowledge.h"

#include "station/base/clock.h"
#include "station/container/writer.h"

#include <stdio.h>
#include <string.h>

uint64_t smdpf_concern(const struct report_check *c, const struct world_smdpf *s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < c->told_count; i++)
        n += strcmp(c->told[i].smdpf, s->oid) == 0;
    return n;
}

/* Counted together with the bundles to that station (smdpf/produce.c). */
static int next_sequence(struct sql *book, struct manifest *m,
                         const uint8_t station[32], struct err *e)
{
    char name[REGISTERED_ID_MAX + 1 + 65 + 1], hex[65];
    int64_t n;

    hex_encode(SPAN(station, 32), hex, sizeof hex);
    snprintf(name, sizeof name, "%s %s", m->issuer, hex);
    if (sequence_take(book, name, 1, &n, e) != 0)
        return -1;
    m->sequence = (uint64_t)n;
    return 0;
}

static int fill(const struct world_smdpf *s, const struct report_check *c,
                const uint8_t station[32], int64_t valid_s,
                struct manifest *m, struct err *e)
{
    m->kind = KIND_REPORT_RECEIPT;
    snprintf(m->issuer, sizeof m->issuer, "%s", s->oid);
    m->created_at = clock_system();
    m->not_after = m->created_at + valid_s;
    m->recipients.kind = RCPT_STATIONS;
    memcpy(m->receipt.report_id, c->id, sizeof c->id);
    m->receipt.report_sequence = c->sequence;
    memcpy(m->receipt.report_sha256, c->sha256, sizeof c->sha256);
    /* A report is found good as a whole: what concerns it is accepted. */
    m->receipt.records = m->receipt.accepted = smdpf_concern(c, s);
    return blobs_add(&m->recipients.list, SPAN(station, 32)) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

int smdpf_acknowledge(const struct world *w, struct sql *book,
                      const struct world_smdpf *s, const struct report_check *c,
                      const uint8_t station[32], int64_t valid_s, const char *out,
                      char **container, struct err *e)
{
    AUTO(holder_clear) struct holder auth = { NULL, NULL };
    AUTO(manifest_clear) struct manifest m;
    struct container_writer *cw;

    manifest_init(&m);
    if (smdpf_concern(c, s) == 0)
        return err_set(e, ERR_CONFLICT, "report %s has no record about a BPP of "
                       "SM-DPf %s (%s)", c->id, s->oid, s->name);
    if (world_smdpf_holder(w, s, "dpauth", &auth, e) != 0 ||
        fill(s, c, station, valid_s, &m, e) != 0 ||
        next_sequence(book, &m, station, e) != 0 ||
        container_writer_open(out, &m, &cw, e) != 0)
        return -1;
    struct signer by = { auth.key, auth.cert, NULL };
    return container_writer_seal(cw, &by, NULL, container, e);
}
