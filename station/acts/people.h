/* acts/people.h: people are added, blocked, given another role, badge or PIN, and
 * the rules of logging in at the line are changed, by somebody with the right
 * `people`; one's own PIN by its owner. */
#ifndef LINESIDE_ACTS_PEOPLE_H
#define LINESIDE_ACTS_PEOPLE_H

#include "station/acts/who.h"
#include "station/people/pin.h"

/* Where a new PIN comes from: asked for when it is known who acts. badge: the
 * person's, as it was said, or NULL; own: it is their own. */
struct new_pin {
    int (*get)(void *ctx, const char *name, const char *badge, bool own,
               struct pin_hash *out, struct err *e);
    void *ctx;
};

/* The first of a ledger is a supervisor, and adds themselves. */
int act_person_add(struct db *db, const struct who *w, const char *name,
                   const char *role, const char *badge, const struct new_pin *pin,
                   struct err *e);
int act_person_role(struct db *db, const struct who *w, const char *name,
                    const char *role, struct err *e);
int act_person_block(struct db *db, const struct who *w, const char *name,
                     bool blocked, struct err *e);
int act_person_badge(struct db *db, const struct who *w, const char *name,
                     const char *badge, struct err *e);
int act_person_pin(struct db *db, const struct who *w, const char *name,
                   const struct new_pin *pin, struct err *e);

/* One of those of login_rules.h. */
int act_login_rule(struct db *db, const struct who *w, const char *rule,
                   const char *value, struct err *e);

#endif
