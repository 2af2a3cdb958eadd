/* storage/sessions.h: who is logged in at the line, as far as the ledger keeps
 * it: the rules of logging in, the sessions that are open, and an event for
 * each that begins or ends. Who sits where on a running line is
 * station/people/session.h. */
#ifndef LINESIDE_STORAGE_SESSIONS_H
#define LINESIDE_STORAGE_SESSIONS_H

#include "storage/db.h"

#define BADGE_PREFIX_MAX 16
#define IDLE_DEFAULT_S (30 * 60)
#define IDLE_MIN_S 60
#define IDLE_MAX_S (24 * 60 * 60)

struct login_rules {
    bool required;    /* no unit is worked on but by somebody logged in   */
    bool badge_alone; /* a scanned badge needs no PIN, for the right work */
    int idle_s;       /* without a scan, and the session ends             */
    char badge_prefix[BADGE_PREFIX_MAX + 1]; /* a barcode that begins so is a
                                                badge; "": none is        */
    uint64_t ended;   /* latest event "sessions-ended": what was opened
                         before is over; 0: none                          */
    bool people;      /* out only: this ledger knows anyone               */
};
/* One statement: asked at every scan. */
int login_rules_get(struct db *db, struct login_rules *out, struct err *e);
/* Event "login-rules-changed"; what is so already is no change. `ended` and
 * `people` are not looked at. ERR_USAGE: an idle time or prefix that cannot
 * be. */
int login_rules_set(struct tx *tx, const struct login_rules *r,
                    const char *actor, struct err *e);

/* The numbers are in the ledger. */
enum session_where {
    SESSION_STATION = 0,
    SESSION_FIXTURE = 1,
    SESSION_CONNECTION = 2, /* one client of the control socket */
    SESSION_WHERES
};
extern const char *const session_where_names[SESSION_WHERES];

struct session_note {
    enum session_where where;
    const char *name;   /* the fixture's, the connection's number, or "" */
    const char *person;
    bool by_badge;      /* without a PIN */
};
/* Event "session-opened", actor: the person. At a place is one at a time: what
 * was open there has been closed before. */
int session_opened(struct tx *tx, const struct session_note *n, struct err *e);
/* Event "session-closed"; nothing when no session is open there. */
int session_closed(struct tx *tx, const struct session_note *n, const char *why,
                   const char *actor, struct err *e);
/* At the start of `run`, under LOCK_RUN: those of a line that died are closed,
 * why "line-died". */
int sessions_leftovers(struct tx *tx, const char *actor, struct err *e);

/* The shift is over: every session of a running line ends, at its next scan or
 * within SESSIONS_LOOK_MS. Event "sessions-ended". Any process may call it. */
int sessions_end_all(struct tx *tx, const char *actor, struct err *e);
#define SESSIONS_LOOK_MS 5000

#endif
