/* import/records.h: the proof of one record (binding, clause 5). What passes
 * here will load, unless the card itself differs. */
#ifndef LINESIDE_IMPORT_RECORDS_H
#define LINESIDE_IMPORT_RECORDS_H

#include "station/import/frames.h"

struct proof;

/* Prove the manifest's chains once and keep them ready. The manifest and the
 * trust must outlive the proof. */
int proof_new(const struct import_trust *t, const struct trust *ci,
              const struct manifest *m, struct proof **out, struct err *e);
void proof_free(struct proof *p);
void proof_free_p(struct proof **p);

/* Prove one record and append its frame. Safe from many threads at once. */
int proof_record(const struct proof *p, struct span record, struct buf *frames,
                 struct err *e);

#endif
