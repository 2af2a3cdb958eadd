/* smdpf/acknowledge.h: the SM-DPf acknowledges a loading-report. */
#ifndef LINESIDE_LAB_SMDPF_ACKNOWLEDGE_H
#define LINESIDE_LAB_SMDPF_ACKNOWLEDGE_H

#include "tests/lab/smdpf/check.h"

/* Records of a report that name a BPP which this SM-DPf has bound. */
uint64_t smdpf_concern(const struct report_check *c, const struct world_smdpf *s);

/* A report-receipt for a report that was found good, signed by this SM-DPf's
 * DPauth, to the station of this key id. *container: its path, caller frees. ERR_CONFLICT: the report does not concern it. */
int smdpf_acknowledge(const struct world *w, struct sql *book,
                      const struct world_smdpf *s, const struct report_check *c,
                      const uint8_t station[32], int64_t valid_s, const char *out,
                      char **container, struct err *e);

#endif
