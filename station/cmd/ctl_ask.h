/* cmd/ctl_ask.h: whatever can be asked of a running line, by the names and
 * members of docs/formats/control.md. */
#ifndef LINESIDE_CMD_CTL_ASK_H
#define LINESIDE_CMD_CTL_ASK_H

#include "station/control/client.h"

/* words: MEMBER=TEXT or MEMBER:=JSON, ended by NULL. Prints the answer as JSON,
 * one line. */
int ctl_ask(struct client *c, const char *verb, char **words, struct err *e);

#endif
