/* pki/authority.h: the Device Manufacturer's authority: takes a station-csr,
 * answers with a station-cert (binding, clauses 1 and 5). */
#ifndef LINESIDE_LAB_PKI_AUTHORITY_H
#define LINESIDE_LAB_PKI_AUTHORITY_H

#include "tests/lab/world.h"

struct station_grant {
    const char *csr;           /* directory of the station-csr container */
    const char *out;           /* directory for the station-cert         */
    const char *const *allow;  /* SM-DPf OIDs; none: all of the world    */
    size_t allow_count;
    const char *site;          /* NULL: as the station asked             */
    const char *recovery;      /* party that backups go to; NULL: none   */
};

/* Prove possession, certify, seal. Each station-cert for one key has a higher
 * sequence number than the one before. *container: path, caller frees;
 * key_id: of the station. */
int authority_grant(const struct world *w, const struct station_grant *g,
                    char **container, uint8_t key_id[32], struct err *e);

#endif
