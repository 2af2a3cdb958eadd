/* cmd/login_rules: the rules of logging in at the line, as `lineside people`
 * shows and changes them. */
#ifndef LINESIDE_CMD_LOGIN_RULES_H
#define LINESIDE_CMD_LOGIN_RULES_H

#include "station/base/err.h"
#include "storage/sessions.h"

#include <stdbool.h>

/* One of "require-login", "badge-alone", "idle", "badge-prefix". */
bool login_rule_is(const char *word);
/* r with this rule as `value` says. ERR_USAGE. */
int login_rule_put(const char *word, const char *value, struct login_rules *r,
                   struct err *e);
int login_rules_show(const char *data_dir, bool json, struct err *e);

#endif
