/* line/roster: where people log in at a running line, and where a scan is asked
 * who stands behind it. The table of sessions (people/session.h) under one
 * lock, which is held for a read of the ledger and no longer; a thread of its
 * own, the clerk, hashes PINs, sees to it that events are written, and ends
 * what is idle. Nobody at a fixture waits for it.
 *
 * Told as LINE_SESSION: sessions of fixtures and of the station that begin and
 * end, and badges that wait for their PIN. Told under the lock: who listens
 * must not call back. */
#ifndef LINESIDE_LINE_ROSTER_H
#define LINESIDE_LINE_ROSTER_H

#include "station/line/scan.h"
#include "station/line/verdict.h"
#include "station/people/session.h"
#include "storage/db.h"
#include "storage/writer.h"

struct line_event;
struct roster;

struct roster_options {
    const char *data_dir;
    const struct db_options *db;
    struct writer *writer;
    void (*tell)(void *ctx, const struct line_event *ev);
    void *ctx;
};

/* All borrowed until roster_free. */
int roster_new(const struct roster_options *o, struct roster **out, struct err *e);
/* Ends every session and the clerk; logins that wait are refused. Harmless
 * twice. */
void roster_end(struct roster *d);
void roster_free(struct roster *d); /* NULL is fine */

/* --- scans: any thread, waits for no disk ------------------------------------ */

/* An accepted scan on its way to a worker. */
struct roster_scan {
    const char *fixture;  /* the fixture's own name; "": a lone badge, for the
                             whole station */
    const char *barcode;
    uint64_t connection;  /* of the control socket it came by; 0: none */
};
enum roster_answer {
    ROSTER_WORK,   /* actor[] is in whose name */
    ROSTER_TAKEN,  /* a badge: told, or will be; there is nothing to work on */
    ROSTER_REFUSED /* *v, and the detail in *e */
};
enum roster_answer roster_take(struct roster *d, const struct roster_scan *s,
                               char actor[PERSON_NAME_MAX + 1], enum verdict *v,
                               struct err *e);
/* A lone word that by the ledger's rules is a badge. */
bool roster_is_badge(struct roster *d, struct span word);
/* A unit has ended here: whoever works is not idle. */
void roster_used(struct roster *d, const char *fixture);

/* --- people ------------------------------------------------------------------ */

/* Called once, from the clerk's thread: seat, or NULL and *e. */
typedef void roster_done_fn(void *ctx, const struct seat *seat, const struct err *e);
struct roster_login {
    const char *badge;        /* NULL: the one that was scanned there lately */
    const char *pin;
    struct session_place at;  /* a fixture must be known: the caller's to see */
    roster_done_fn *done;
    void *ctx;
};
#define ROSTER_LOGINS_MAX 32
/* Queued: copied. ERR_BUSY: too many wait; ERR_NOT_FOUND: no badge waits there
 * (or what is said nowhere: ERR_USAGE); then `done` is not called. */
int roster_login(struct roster *d, const struct roster_login *l, struct err *e);
/* ERR_NOT_FOUND: nobody is logged in there. */
int roster_logout(struct roster *d, const struct session_place *at, struct err *e);
/* The connection has ended, and what was logged in on it with it. */
void roster_gone(struct roster *d, uint64_t connection);

/* Whoever is logged in on this connection, else at this fixture ("": it is about
 * none), else at the station, may: 0 and *who. While the ledger knows nobody everybody may: who->name is "". ERR_TRUST:
 * nobody is logged in, or they may not, or no PIN was asked of them. */
int roster_may(struct roster *d, uint64_t connection, const char *fixture, enum right r,
               struct session *who, struct err *e);

/* As roster_may, for acts that ask by themselves whether their person may: who
 * stands for it, with a PIN. */
int roster_stands(struct roster *d, uint64_t connection, const char *fixture,
                  struct session *who, struct err *e);

/* A copy of all sessions, the rules in force. *v is the caller's to free. */
int roster_who(struct roster *d, struct seat **v, size_t *n, struct login_rules *r,
               struct err *e);

#endif
