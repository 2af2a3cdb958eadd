/* container/reader.h: read a container off a medium. Each octet is read once:
 * what is hashed is what is handed over. Constant memory: one record and one
 * window. Nothing handed over is proven until container_read_segments
 * returns 0. */
#ifndef LINESIDE_CONTAINER_READER_H
#define LINESIDE_CONTAINER_READER_H

#include "station/container/manifest.h"
#include "station/container/signers.h"

/* Append manifest.cms of the directory dirfd to *cms: at most MANIFEST_MAX,
 * opened with O_NOFOLLOW, must be a regular file. */
int container_read_manifest(int dirfd, struct buf *cms, struct err *e);

/* The directory holds manifest.cms and exactly the segments named, nothing
 * else (files of the medium's own making excepted: see reader.c). */
int container_check_names(int dirfd, const struct manifest *m, struct err *e);

/* Called for each record in order, numbered from 1 through all segments: one whole DER TLV of at most RECORD_MAX
 * octets, valid during the call. Non-zero ends the reading with that err. */
typedef int record_fn(void *ctx, uint64_t number, struct span record,
                      struct err *e);

/* Stream every segment: size, record count, SHA-256, no trailing octets. fn
 * NULL: only prove. ERR_FORMAT, ERR_LIMIT, ERR_SIGNATURE (hash), ERR_IO, or
 * what fn set; the text names segment and record.
 *
 * The system calls made on the medium, for who filters them: openat, fstat,
 * read, close; container_check_names also getdents64 and fcntl(F_GETFL). */
int container_read_segments(int dirfd, const struct manifest *m, record_fn *fn,
                            void *ctx, struct err *e);

#endif
