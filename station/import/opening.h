/* import/opening.h: how every import begins, for station/import only: the
 * import process is started with the trust it judges by, and its first frame is
 * a manifest that it has proven. */
#ifndef LINESIDE_IMPORT_OPENING_H
#define LINESIDE_IMPORT_OPENING_H

#include "station/import/child.h"
#include "station/import/import.h"

#define IMPORT_ACTOR "station"

struct opening {
    struct manifest m;
    uint8_t cms_sha256[32];
    struct buf dm_root;
};
void opening_clear(struct opening *o);

/* ERR_WRONG_STATE: not before the station has a certificate. */
int opening_trusts(const struct station *s, struct err *e);
int opening_child(struct db *db, const struct station *s, const char *path,
                  struct import_child *c, struct err *e);
/* The first frame. The container is for us, and in time (accept.h). */
int opening_read(struct db *db, const struct station *s, struct import_child *c,
                 struct opening *o, struct err *e);
/* A container without records ends right after its manifest. */
int opening_is_all(struct import_child *c, struct err *e);

/* In whose name the container is kept, and whether it may still be (child.h). */
const char *opening_actor(const struct import_child *c);
int opening_still(const struct import_child *c, struct tx *tx, struct err *e);

/* As the ledger remembers it; borrows o. */
struct container_seen opening_seen(const struct opening *o, enum seen_kind kind);
void opening_result(const struct opening *o, struct import_result *r);

/* Borrowed spans of b, in an array that the caller frees; NULL: no memory. */
struct span *blobs_spans(const struct blobs *b);

#endif
