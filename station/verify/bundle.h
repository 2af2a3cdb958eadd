/* verify/bundle.h: the proof of records of bpp-bundles and bpp-requests: as the station's
 * import does it, written once more so that the auditor need not believe the
 * station's code. */
#ifndef LINESIDE_VERIFY_BUNDLE_H
#define LINESIDE_VERIFY_BUNDLE_H

#include "station/verify/subject.h"

/* The SM-DPf chains of a bundle. Zeroed: none. */
struct dp_chains {
    STACK_OF(X509) **v;
    size_t n;
};
/* Each is a DPpb's, under the eSIM CA, and its OID is the bundle's issuer. */
int dp_chains_open(struct dp_chains *d, const struct manifest *m,
                   const struct trust *ci, int64_t at, struct err *e);
void dp_chains_close(struct dp_chains *d);

/* One record of a bpp-request: CERT.EUICC under its EUM, the one-time key
 * signed by that eUICC. */
int request_prove(struct span der, struct issuer *const *eum,
                  size_t eum_count, struct txmark *out, struct err *e);

/* One record: CERT.EUICC under its EUM, the one-time key signed by that
 * eUICC, the BPP bound to that key and signed by the DPpb. */
int bundle_prove(struct span der, struct issuer *const *eum, size_t eum_count,
                 const struct dp_chains *d, struct txmark *out, struct err *e);

#endif
