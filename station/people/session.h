/* people/session.h: who is logged in where on a running line. A plain table,
 * one thread's at a time: whoever holds it (station/line/roster.h) locks it,
 * reads the ledger and writes the events.
 *
 * A place (a fixture, the whole station, one client's connection) has one
 * session at most. A person has one at most, connections apart: their newer
 * login ends the older one, so that a badge which is used at two places of one
 * station is noticed by its owner. */
#ifndef LINESIDE_PEOPLE_SESSION_H
#define LINESIDE_PEOPLE_SESSION_H

#include "station/people/login.h"
#include "storage/sessions.h"

#define SESSION_NAME_MAX 63
/* How long a scanned badge waits for its PIN. */
#define KNOCK_MS 60000

struct session_place {
    enum session_where where;
    char name[SESSION_NAME_MAX + 1]; /* fixture; connection's number; "" */
};
struct session_place session_place(enum session_where where, const char *name);

struct seat {
    struct session who;
    struct session_place at;
    bool by_badge;     /* no PIN was asked: for the right `work` alone */
    uint64_t ended;    /* login_rules.ended when it began              */
    int64_t since;     /* seconds, the ledger's clock's sort           */
    int64_t used_ms;   /* monotonic: last scan                         */
    uint64_t number;   /* set by sessions_open: no two are alike       */
};

enum session_end {
    SESSION_LOGOUT,
    SESSION_IDLE,
    SESSION_SHIFT,      /* sessions_end_all                      */
    SESSION_BLOCKED,    /* the person was, or may not work now   */
    SESSION_TAKEN,      /* somebody else logged in there         */
    SESSION_MOVED,      /* the same person logged in elsewhere   */
    SESSION_GONE,       /* its connection                        */
    SESSION_LINE_ENDED,
    SESSION_UNWRITTEN,  /* its event could not be written        */
    SESSION_ENDS
};
const char *session_end_name(enum session_end w);  /* "idle", for events     */
const char *session_end_words(enum session_end w); /* a sentence, for people */

/* Told after the seat has left the table; s is valid during the call, which
 * must not touch the table. */
typedef void session_ended_fn(void *ctx, const struct seat *s,
                              enum session_end why);

struct sessions; /* opaque */
struct sessions *sessions_new(session_ended_fn *ended, void *ctx); /* NULL: no memory */
void sessions_free(struct sessions *s); /* NULL is fine; tells nothing */

/* Ends what is there and the person's other place first. What the same person
 * has there already goes on, and is only used (0, *number is the old one).
 * 1 opened; -1 no memory, and nothing has changed. */
int sessions_open(struct sessions *s, const struct seat *seat, uint64_t *number);
/* Exactly this place; NULL: nobody. Valid until the table changes. */
struct seat *sessions_at(struct sessions *s, enum session_where where,
                         const char *name);
/* Who answers for a fixture: who is logged in there, else at the station. */
struct seat *sessions_cover(struct sessions *s, const char *fixture);
struct seat *sessions_numbered(struct sessions *s, uint64_t number);
void sessions_end(struct sessions *s, struct seat *seat, enum session_end why);
void sessions_end_each(struct sessions *s, enum session_end why);
/* Ends those unused for idle_ms. When the next one would end; -1: there is
 * none. */
int64_t sessions_sweep(struct sessions *s, int64_t now_ms, int64_t idle_ms);
size_t sessions_list(const struct sessions *s, const struct seat **v);

/* --- badges that were scanned -------------------------------------------------
 * A badge without its PIN waits at its place; a badge that was refused makes
 * the next one at that place wait, as login.h does with PINs. */

/* Milliseconds until a badge is looked at here; 0: now. */
int64_t sessions_wait(struct sessions *s, const struct session_place *at,
                      int64_t now_ms);
int sessions_refused(struct sessions *s, const struct session_place *at,
                     int64_t now_ms); /* -1: no memory */
/* badge awaits its PIN here: -1, no memory. */
int sessions_knock(struct sessions *s, const struct session_place *at,
                   const char *badge, int64_t now_ms);
/* The badge that waits here, taken away. False: none does, or for too long. */
bool sessions_knocked(struct sessions *s, const struct session_place *at,
                      int64_t now_ms, char out[BADGE_MAX + 1]);

#endif
