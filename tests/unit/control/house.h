/* A line at work with its control socket, and people: Ada (supervisor, B-1111,
 * 86420), Bob (operator, B-2222, 4711), Cyd (engineer, B-3333, 90210), Dan
 * (auditor, B-4444, 27182). One fixture, F1; one profile in stock. Failures fail
 * the test. */
#ifndef LINESIDE_UNIT_CONTROL_HOUSE_H
#define LINESIDE_UNIT_CONTROL_HOUSE_H

#include "station/control/client.h"
#include "station/control/server.h"
#include "tests/unit/control/schema.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

struct house {
    struct shop s;
    struct control *c;
    struct line *line;
    int stops;
};

void house_open(struct house *h);
/* ... where nobody is known. */
void house_open_empty(struct house *h);
void house_close(struct house *h);
void house_good(int bad, const struct err *e);

int house_dial(struct house *h);
void house_say(int fd, const char *text);
/* One message, which the schema allows. The caller's. */
json_t *house_hear(int fd);
/* One request, {"id":ID,"do":...MEMBERS}, and its reply, which is its only answer.
 * error "": not refused. The caller's. */
json_t *house_ask(int fd, const char *verb, const char *members, const char *error);
/* On this connection. */
void house_login(int fd, const char *badge, const char *pin);

#endif
