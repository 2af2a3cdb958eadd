/* cmd/actor.h: who acts. While a ledger knows nobody, acts of a line engineer
 * need no badge and are the "engineer"'s; once it knows people, they are done
 * by a person with the right, by badge (--as) and PIN, and bear their name. */
#ifndef LINESIDE_CMD_ACTOR_H
#define LINESIDE_CMD_ACTOR_H

#include "station/acts/who.h"


/* as NULL: no badge was given. ERR_TRUST: a badge is needed, or the person may
 * not; and as login(). ERR_NOT_FOUND: a badge, and nobody is known here. */
int cmd_actor(struct db *db, const char *as, enum right r,
              char out[PERSON_NAME_MAX + 1], struct err *e);
/* The same where the act takes time of its own between the PIN and its
 * transaction, which then asks actor_still() first. */
int cmd_actor_for(struct db *db, const char *as, enum right r,
                  struct actor *out, struct err *e);
/* As cmd_actor where who it is decides what they may; needs people. */
int cmd_session(struct db *db, const char *as, struct session *out, struct err *e);
/* Two people for one act that takes two: --as and --second, the first one's PIN
 * and then the other's. ERR_TRUST: a badge is missing, both are one person's,
 * or they may not; and as login(). ERR_NOT_FOUND: nobody is known here. A
 * command that took its people's time since asks pair_still() in the act's
 * transaction. */
int cmd_pair(struct db *db, const char *as, const char *second, enum right r,
             struct pair *out, struct err *e);

/* Badges as they were said (NULL: not), for acts that ask by themselves: the
 * PINs are asked for then. w's ctx is b, borrowed. */
struct badges {
    const char *as, *second;
};
struct who cmd_who(struct badges *b);

#define CMD_PIN_CAP 64
/* A line typed without echo, after `prompt`; where standard input is no
 * terminal, its next line, without a prompt. Never from the command line or the
 * environment, which others can see. Cleanse it after use. */
int cmd_read_pin(const char *prompt, char out[CMD_PIN_CAP], struct err *e);
/* A PIN that will be: typed twice on a terminal. badge: as pin_check(). */
int cmd_new_pin(const char *name, const char *badge, struct pin_hash *out,
                struct err *e);

#define CMD_AS_HELP \
    "  --as BADGE   who does it, once this station knows people (`lineside\n" \
    "               people`); the PIN is asked for, or is the first line of\n" \
    "               standard input\n"
#define CMD_SECOND_HELP \
    "  --as BADGE   who does it; the PIN is asked for, or is the first line of\n" \
    "               standard input\n" \
    "  --second BADGE\n" \
    "               the second person, with a PIN of their own: the second line\n"

#endif
