/* storage/writer.h: one thread that writes, with grouped commits.
 *
 * Fixture threads submit operations; the writer runs all that are queued in
 * one transaction, each inside its own savepoint, and commits once (one
 * fsync) for all that wait. While a commit runs, new operations queue and
 * form the next group. An operation nobody waits for does not force a commit;
 * it is committed with the next group, at latest after WRITER_LAZY_MS.
 *
 * Two promises per operation: executed (fn has run in the open transaction,
 * what it wrote into ctx may be used) and durable (its transaction is
 * committed and fsynced). Only the second may be followed by an act that
 * cannot be undone. */
#ifndef LINESIDE_STORAGE_WRITER_H
#define LINESIDE_STORAGE_WRITER_H

#include "storage/db.h"

#define WRITER_LAZY_MS 50

struct writer;
struct ticket;

/* Opens a connection of its own. o may be NULL. */
int writer_open(const char *data_dir, const struct db_options *o,
                struct writer **out, struct err *e);
/* Runs and commits what is queued, then ends the thread. No other thread may
 * be in a call on this writer or still submit; tickets may be freed after. */
void writer_close(struct writer *w); /* NULL is fine */

/* Queue fn. Never blocks on the disk. fn runs on the writer's thread and must
 * not call the writer. ctx must live until ticket_executed or ticket_durable
 * has returned or ticket_free has. NULL only when there is no memory (every
 * ticket function takes NULL and says ERR_NOMEM). */
struct ticket *writer_submit(struct writer *w, tx_fn *fn, void *ctx);

/* Wait until fn has run. 0, or fn's error (its savepoint is rolled back, the
 * rest of the group is not touched). */
int ticket_executed(struct ticket *t, struct err *e);
/* Wait until its transaction is on the disk. 0, or fn's error, or the
 * commit's, which every operation of that group gets: none of it happened. */
int ticket_durable(struct ticket *t, struct err *e);
/* Waits for fn to have run if it has not. NULL is fine. */
void ticket_free(struct ticket *t);

/* submit, durable, free. */
int writer_do(struct writer *w, tx_fn *fn, void *ctx, struct err *e);
/* submit, executed, free: for what may be lost with the power. */
int writer_do_lazy(struct writer *w, tx_fn *fn, void *ctx, struct err *e);

/* Everything submitted before this call is durable or has failed. 0 when the
 * last group of it was committed. Counts neither as an operation nor as a
 * durable point. */
int writer_flush(struct writer *w, struct err *e);

struct writer_stats {
    uint64_t ops;            /* fn run                                  */
    uint64_t failed_ops;     /* of those: fn returned an error          */
    uint64_t groups;         /* transactions committed                  */
    uint64_t failed_groups;  /* BEGIN or COMMIT failed                  */
    uint64_t durable_points; /* operations that someone waited durably for */
};
void writer_stats(struct writer *w, struct writer_stats *out);

#endif
