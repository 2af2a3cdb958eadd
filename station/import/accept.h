/* import/accept.h: whether a proven container is for this station, now
 * (binding, clause 5). What the ledger alone can tell (seen before, sequence
 * of a station-cert) storage checks in the transaction that applies it. */
#ifndef LINESIDE_IMPORT_ACCEPT_H
#define LINESIDE_IMPORT_ACCEPT_H

#include "station/container/manifest.h"
#include "storage/events.h"
#include "storage/station.h"

#define ACCEPT_AHEAD_S 86400 /* a created-at further ahead is refused */

/* Recipients, not-after, created-at. ERR_TRUST (not for us) or ERR_EXPIRED. */
int accept_manifest(const struct manifest *m, const struct station *s,
                    const struct ledger_clock *clock, struct err *e);

/* SHA-256 that names a recipient list in the ledger. */
void accept_recipients_hash(const struct recipients *r, uint8_t out[32]);

#endif
