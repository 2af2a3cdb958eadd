/* cmd/ctl_ask.h: whatever can be asked of a running line, by the names and
 * members of docs/formats/control.md. */
#ifndef LINESIDE_CMD_CTL_ASK_H
#define LINESIDE_CMD_CTL_ASK_H

#include "station/control/client.h"

/* Whose PINs go with it: they are asked for, never said. */
struct ctl_people {
    const char *second; /* badge of the second person; NULL: there is none */
    bool new_pin;
};

/* words: MEMBER=TEXT or MEMBER:=JSON, ended by NULL. Prints the answer as JSON,
 * one line. */
int ctl_ask(struct client *c, const char *verb, char **words,
            const struct ctl_people *p, struct err *e);

#endif
