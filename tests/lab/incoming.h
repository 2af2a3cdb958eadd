/* lab/incoming.h: a container that reached one of the lab's parties: read
 * once, signature, chain, role and names proven. */
#ifndef LINESIDE_LAB_INCOMING_H
#define LINESIDE_LAB_INCOMING_H

#include "station/container/reader.h"
#include "station/container/signers.h"
#include "tests/lab/world.h"

struct incoming {
    int fd;               /* the directory */
    struct buf cms;
    uint8_t sha256[32];   /* of manifest.cms */
    struct manifest m;
    X509 *signer;
};

/* Must be of this kind, and not over its not-after. The world's own roots are
 * what is trusted. The records are still to be read. */
int incoming_open(const struct world *w, const char *path,
                  enum container_kind kind, struct incoming *out,
                  struct err *e);
void incoming_close(struct incoming *in); /* a zeroed one is fine */

#endif
