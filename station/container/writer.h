/* container/writer.h: make a container. Records are appended, segments roll
 * at SEGMENT_ROLL octets, sealing signs the manifest and makes the directory
 * appear whole: it is written under a hidden name and renamed last, every
 * file and the directory fsynced. */
#ifndef LINESIDE_CONTAINER_WRITER_H
#define LINESIDE_CONTAINER_WRITER_H

#include "station/container/manifest.h"

#define SEGMENT_ROLL (256ll * 1024 * 1024)

/* Who signs: key, its certificate, and the chain that goes with it. All
 * borrowed. */
struct signer {
    EVP_PKEY *key;
    X509 *cert;
    STACK_OF(X509) *chain; /* above cert, up to the root or below it; may be
                              NULL. A root goes into the CMS only for
                              station-cert, whose reader may know it by its
                              SHA-256 alone; there it must be given. */
};

struct container_writer;
/* parent_dir: where `<kind>-<id>` shall appear. m: everything but segments;
 * filled in by the writer, which borrows m until it is sealed or aborted. An
 * empty m->id gets a random UUID. ERR_CONFLICT when the name is taken. */
int container_writer_open(const char *parent_dir, struct manifest *m,
                          struct container_writer **out, struct err *e);
/* Roll segments at this size instead (small media; tests of many segments).
 * At most SEGMENT_MAX. Before the first record. */
void container_writer_roll(struct container_writer *w, uint64_t octets);
/* One whole DER value of at most RECORD_MAX octets. After a failure the only
 * thing left to do is container_writer_abort. */
int container_writer_add(struct container_writer *w, struct span record,
                         struct err *e);
/* Seal. *cms, when not NULL, receives manifest.cms. *path, when not NULL,
 * receives the finished directory (caller frees). The writer is consumed
 * whatever the outcome; on failure nothing is left behind. */
int container_writer_seal(struct container_writer *w, const struct signer *s,
                          struct buf *cms, char **path, struct err *e);
/* As seal, but with a manifest.cms made earlier, which must describe exactly
 * these segments: the same report again, byte for byte. */
int container_writer_reissue(struct container_writer *w, struct span cms,
                             char **path, struct err *e);
void container_writer_abort(struct container_writer *w); /* NULL is fine */

void uuid_make(char out[UUID_LEN + 1]); /* version 4 */

#endif
