/* container/cms.h: the one shape of CMS SignedData that a manifest.cms may
 * have (docs/formats/container.md, "manifest.cms"). Private to this room.
 *
 * General CMS libraries accept many encodings of one message; here every octet
 * is either fixed, or covered by the signature, or part of a certificate that
 * the chain's own signatures cover. So no octet can change unseen, and what
 * is verified is the octets on the medium, never a re-encoding of them. */
#ifndef LINESIDE_CONTAINER_CMS_H
#define LINESIDE_CONTAINER_CMS_H

#include "station/base/err.h"
#include "station/base/span.h"
#include "station/ifpp/cert.h"

#include <openssl/x509.h>

#define CMS_CERTS_MAX CHAIN_MAX
#define CMS_ATTRIBUTES_MAX 16

/* All spans point into the octets given to cms_parse. */
struct cms {
    struct span content;            /* the Manifest */
    struct span cert[CMS_CERTS_MAX]; /* whole, in the set's (DER) order */
    size_t cert_count;
    struct span sid_issuer;         /* Name, whole; empty: by key id   */
    struct span sid_serial;         /* INTEGER, whole                  */
    struct span sid_key_id;         /* subjectKeyIdentifier's octets   */
    struct span attributes;         /* signedAttrs, whole, tag A0      */
    struct span digest;             /* messageDigest, 32 octets        */
    struct span signature;          /* Ecdsa-Sig-Value                 */
};

/* Shape only; nothing is proven. ERR_FORMAT, ERR_LIMIT. */
int cms_parse(struct span der, struct cms *out, struct err *e);

/* The certificates as one chain, leaf (whom the SignerInfo names) first, each
 * signed by the next. ERR_TRUST when one of them is not part of it. Caller
 * frees with cert_stack_free. */
int cms_chain(const struct cms *c, STACK_OF(X509) **out, struct err *e);

/* The content's digest and the signature over the attributes hold. */
int cms_check(const struct cms *c, X509 *leaf, struct err *e);

/* The certificate signed itself, and its signature holds. */
bool cms_self_signed(X509 *c);

#endif
