/* import/child.h: the station's side of the import process: start it on a
 * directory, take its frames, end it. */
#ifndef LINESIDE_IMPORT_CHILD_H
#define LINESIDE_IMPORT_CHILD_H

#include "station/import/frames.h"
#include "storage/db.h"

#include <sys/types.h>

/* Somebody watches an import, and may end it. */
struct import_watch {
    /* What is done (of: all there is, 0: not known). Called often, also while
     * nothing comes. False: enough, nothing of it is to be kept. */
    bool (*go_on)(void *ctx, const char *step, uint64_t done, uint64_t of);
    void *ctx;
    const char *actor; /* in whose name it is kept; NULL: the station's */
    tx_fn *still; /* first in the transaction that keeps it, with ctx: what let it in
                     must still hold; NULL: nothing */
};
#define IMPORT_WATCH_MS 200
#define IMPORT_WATCH_RECORDS 64

struct import_child {
    pid_t pid;
    int fd; /* frames come from here */
    const struct import_watch *watch; /* NULL: nobody */
    const char *step;
    uint64_t done, of;
    struct buf window;
    size_t at;
};

/* Open the container's directory and start the importer on it with this
 * trust. Only the three descriptors of importer.h are given to it. */
int import_child_start(struct import_child *c, const char *container,
                       const struct import_trust *t, struct err *e);

/* The next frame; *payload points into the child's window and is valid until
 * the next call. A FRAME_ERROR is returned as that error. 0 or -1. */
int import_child_next(struct import_child *c, enum frame_type *type,
                      struct span *payload, struct err *e);

/* ERR_WRONG_STATE: whoever watches wants no more of it. */
int import_child_go_on(struct import_child *c, struct err *e);

/* Always: kill it if it still runs, reap it, free. Resident peak of the
 * child in KiB when rss_kib is not NULL. */
void import_child_end(struct import_child *c, long *rss_kib);

#endif
