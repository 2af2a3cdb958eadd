/* restore/ledger.h: is this file a ledger, whole, and the one that was backed
 * up? And its new owner. */
#ifndef LINESIDE_RESTORE_LEDGER_H
#define LINESIDE_RESTORE_LEDGER_H

#include "station/restore/restore.h"

/* dir/ledger.db against the manifest it came with, and signer_key_id, whose
 * certificate signed that. ERR_CONFLICT, ERR_FORMAT. */
int restore_prove_ledger(const char *dir, const struct manifest *m,
                         const struct restore_job *j,
                         const uint8_t signer_key_id[32], struct err *e);

/* Make a new key in dir and let the ledger there change hands. Fills what
 * *out says of the new station. */
int restore_take_over(const char *dir, const struct manifest *m,
                      const struct restore_job *j, struct restore_result *out,
                      struct err *e);

#endif
