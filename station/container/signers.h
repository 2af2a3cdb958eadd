/* container/signers.h: who may sign what: one table (binding, clause 1), and
 * the proof of one manifest.cms against it. */
#ifndef LINESIDE_CONTAINER_SIGNERS_H
#define LINESIDE_CONTAINER_SIGNERS_H

#include "station/container/manifest.h"
#include "station/ifpp/cert.h"

struct signer_rule {
    enum container_kind kind;
    enum cert_role role;
    bool ci_rooted;    /* chain ends at a CI root, else at the DM root */
    bool self_signed;  /* station-csr: proves possession only          */
    bool allow_list;   /* registeredID on the station's allow-list     */
    bool root_included; /* the chain in the CMS ends with the root, so
                           that its SHA-256 can be compared; elsewhere a
                           root in the CMS is refused                  */
};
const struct signer_rule *signer_rule(enum container_kind k);

/* What the checker trusts. allowed_smdp NULL: every registeredID is fine
 * (auditor, lab); dm_root_sha256 NULL: dm's roots decide. */
struct container_trust {
    const struct trust *ci;
    const struct trust *dm;
    const struct blobs *allowed_smdp; /* OID text */
    int64_t at;                       /* 0: times are not judged */
};

/* CMS SignedData, DER, exactly one SignerInfo, chain included; signature,
 * chain, role, issuer field = signer's registeredID or serialNumber,
 * allow-list. Does not look at recipients, replay or not-after: those are the
 * importer's (accept). *signer receives the signer's certificate when not
 * NULL (caller frees). */
int manifest_verify(struct span cms_der, const struct container_trust *t,
                    struct manifest *out, X509 **signer, struct err *e);

/* The manifest without any proof: to know what a file claims to be before or
 * without its roots (messages, first station-cert). Never to act upon. */
int manifest_peek(struct span cms_der, struct manifest *out, struct err *e);

/* First station-cert: the Device Manufacturer root is not known yet, only
 * its SHA-256. Finds that root among the CMS's certificates. */
int manifest_pinned_root(struct span cms_der, const uint8_t root_sha256[32],
                         struct buf *root_der, struct err *e);

#endif
