/* acts/login_rules: the rules of logging in at the line, by name. */
#ifndef LINESIDE_ACTS_LOGIN_RULES_H
#define LINESIDE_ACTS_LOGIN_RULES_H

#include "station/base/err.h"
#include "storage/sessions.h"

/* r with this rule ("require-login", "badge-alone", "idle", "badge-prefix") as
 * `value` says. ERR_USAGE. */
int login_rule_put(const char *word, const char *value, struct login_rules *r,
                   struct err *e);

#endif
