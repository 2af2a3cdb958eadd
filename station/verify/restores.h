/* verify/restores.h: where a ledger changed hands. A backup restored on another
 * machine goes on with the old station's events under a new station's name;
 * event "restored" is the joint (docs/backup.md). */
#ifndef LINESIDE_VERIFY_RESTORES_H
#define LINESIDE_VERIFY_RESTORES_H

#include "station/container/manifest.h"
#include "station/ifpp/event.h"

struct restored {
    uint64_t event; /* its number: the old station's last one is before it */
    uint64_t epoch; /* that begins */
    char before[REGISTERED_ID_MAX + 1], station[REGISTERED_ID_MAX + 1];
    char backup[UUID_LEN + 1];
};
/* In the order of events. Zeroed: empty. */
struct restores {
    struct restored *v;
    size_t n;
};
void restores_clear(struct restores *r);
/* Keep it if it is one. ERR_FORMAT: one that does not say what it must. */
int restores_add(struct restores *r, const struct event *ev, struct err *e);

struct subject;
struct findings;

/* The last of the restores, in audit-logs of `m`'s station among v, by which
 * its station took over from `p`'s between the two. NULL: none joins them;
 * *seen then tells whether an audit-log reaches from one to the other. */
const struct restored *restores_join(const struct subject *v, size_t n,
                                     const struct manifest *p,
                                     const struct manifest *m, bool *seen);

/* By the restores that audit-logs among v tell of, stations a and b have the
 * event of this number in common: one took over the other's ledger, or both
 * that of a third, after it. */
bool restores_share(const struct subject *v, size_t n, const char *a,
                    const char *b, uint64_t event);

/* What an auditor should know though nothing is wrong in itself: one ledger
 * that two stations took over, and a station that went on after the backup
 * from which its ledger was restored. */
void check_restores(const struct subject *v, size_t n, struct findings *f);

#endif
