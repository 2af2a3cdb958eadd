/* line/worker: one fixture, one thread, one unit at a time. */
#ifndef LINESIDE_LINE_WORKER_H
#define LINESIDE_LINE_WORKER_H

#include "station/line/claims.h"
#include "station/line/roster.h"
#include "station/line/line.h"

/* What the workers of a line have in common. Outlives them. */
struct worker_shared {
    char *data_dir;
    struct db_options db;
    struct writer *writer;
    struct claims *claims;
    struct roster *roster;
    struct apdu_limits limits;
    line_event_fn *event;
    void *event_ctx;
    int ended_fd; /* eventfd: +1 per unit that has ended */
};

/* Tells whoever listens; text that was left out becomes "". */
void worker_tell(const struct worker_shared *s, const struct line_event *ev);

struct worker;

/* Starts the thread. s and f are borrowed until worker_free. */
int worker_new(const struct worker_shared *s, const struct line_fixture *f,
               struct worker **out, struct err *e);
/* An IMEI was scanned (the text after the prefix): V_IMEI_TAKEN, for the unit that
 * is handed over next, or V_IMEI_MISREAD. Any thread; also while it is busy. */
enum verdict worker_imei(struct worker *w, const char *text, struct err *why);
/* This scan of a unit was refused before it came here: an IMEI that waits is that
 * unit's, and waits for it to be scanned again. Any thread. */
void worker_missed(struct worker *w, const struct scan *scan);
/* Hand it an accepted scan, and in whose name. reason NULL: it is to be loaded;
 * else it gives its profiles back, and that is why (return_begin). False: it is
 * busy, and the scan is not kept. */
bool worker_give(struct worker *w, const struct scan *scan, const char *actor,
                 const char *reason);
const char *worker_fixture(const struct worker *w); /* its name */
const char *worker_key(const struct worker *w);     /* fixture_health.fixture */
bool worker_busy(struct worker *w);
/* Tells what has changed of its fixture's health, and of where it stands, since it
 * was told last. Any thread; db is the caller's. */
void worker_look(struct worker *w, struct db *db);
/* The driver at this place went slower. Any thread. */
void worker_slower(struct worker *w);
/* Lets its unit end, then ends the thread and closes the fixture. Harmless
 * twice. */
void worker_end(struct worker *w);
void worker_free(struct worker *w); /* NULL is fine */

#endif
