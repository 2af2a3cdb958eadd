/* line/roster_inner: what the halves of the roster share: roster.c answers scans and
 * people, clerk.c has the thread. Inside this room only. */
#ifndef LINESIDE_LINE_ROSTER_INNER_H
#define LINESIDE_LINE_ROSTER_INNER_H

#include "station/line/roster.h"
#include "station/line/line.h"

#include <pthread.h>

/* A session's beginning or end on its way into the ledger. */
struct note {
    struct note *next;
    struct ticket *ticket;
    uint64_t opens; /* the seat's number; 0: it closes */
    enum session_where where;
    char name[SESSION_NAME_MAX + 1];
    char person[PERSON_NAME_MAX + 1], actor[PERSON_NAME_MAX + 1];
    bool by_badge;
    const char *why;
};

/* A badge that was scanned and is nobody's, or of who may not: told like a
 * wrong PIN. */
struct stranger {
    struct note n; /* first: one list */
    uint8_t badge[BADGE_HASH];
    bool known;
    struct person person;
    const char *reason;
};

struct wish {
    struct wish *next;
    char badge[BADGE_MAX + 2], pin[64]; /* one octet too many is one too many */
    struct session_place at;
    roster_done_fn *done;
    void *ctx;
};

struct roster {
    struct roster_options o;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t clerk;
    bool running, ending; /* ending: under lock */
    struct db *read;      /* under lock */
    struct sessions *table;
    struct note *notes, **notes_end;
    struct wish *wishes, **wishes_end;
    size_t wish_count;
    struct db *write; /* the clerk's */
};

/* --- clerk.c ------------------------------------------------------------------- */

/* Under the lock, all of them. */

void roster_tell(struct roster *d, const struct session_place *at, const char *state,
                 const char *person, const char *why);
/* Submitted to the writer at once, so that what a unit writes later comes
 * later; the clerk frees it. */
void roster_note(struct roster *d, struct note *n, tx_fn *fn);
/* A session_ended_fn. */
void roster_on_end(void *ctx, const struct seat *s, enum session_end why);
/* *number: the seat's; *note: what is to write it (roster_write_note), or NULL
 * when the person was there already. */
int roster_seat(struct roster *d, const struct seat *s, uint64_t *number,
                struct note **note, struct err *e);
tx_fn roster_write_note;
void roster_wish_free(struct wish *w);
void *roster_clerk(void *roster); /* the thread */

/* --- roster.c -------------------------------------------------------------------- */

/* The rules; what is idle by them has ended. */
int roster_look(struct roster *d, struct login_rules *r, struct err *e);
/* Whether a session still holds, by the ledger as it is now: 1 it does, and
 * s->who.role is the person's; 0 it was ended, -1 error. */
int roster_still(struct roster *d, struct seat *s, const struct login_rules *r,
                 struct err *e);

#endif
