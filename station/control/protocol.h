/* control/protocol: what both ends of the control socket know: its place, its
 * limits, its words. One JSON object a line, each way; all of them are in
 * docs/formats/control.schema.json, told in docs/formats/control.md.
 *
 *     > {"id":1,"do":"subscribe"}
 *     < {"id":1,"ok":true}
 *     < {"event":"snapshot",...}    everything, as it is now
 *     < {"event":"busy",...}        what changed since, in its order
 *
 * Every request is answered by exactly one reply that bears its id. */
#ifndef LINESIDE_CONTROL_PROTOCOL_H
#define LINESIDE_CONTROL_PROTOCOL_H

#include "station/base/err.h"
#include "station/base/span.h"

#include <jansson.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONTROL_SOCKET "control.sock" /* in the data directory */
#define CONTROL_PROTOCOL 1            /* goes up when a client would misread */
#define CONTROL_NAME_MAX 63 /* octets of a person's name */
#define CONTROL_REQUEST_MAX 65536     /* octets of a request, its end included */
#define CONTROL_MESSAGE_MAX (4 << 20) /* ... of a message to a client */
#define CONTROL_CLIENTS_MAX 256
#define CONTROL_ID_MAX 64             /* octets of an id that is a string */

enum control_verb {
    CONTROL_SNAPSHOT,
    CONTROL_SUBSCRIBE,
    CONTROL_UNSUBSCRIBE,
    CONTROL_SCAN,
    CONTROL_STOP,
    CONTROL_VERSION,
    CONTROL_LOGIN,
    CONTROL_LOGOUT,
    CONTROL_WHO,
    CONTROL_MAY,
    CONTROL_LOOK,
    CONTROL_RETURN,
    CONTROL_RELEASE,
    CONTROL_MAINTAINED,
    /* Questions to the ledger. */
    CONTROL_UNIT,
    CONTROL_UNITS,
    CONTROL_STOCK,
    CONTROL_ORDERS,
    CONTROL_ORDER,
    CONTROL_FIXTURES,
    CONTROL_TRENDS,
    CONTROL_QUARANTINE,
    CONTROL_SHIFT,
    CONTROL_SHIFTS,
    CONTROL_DAY,
    CONTROL_LOG,
    CONTROL_REPORTS,
    CONTROL_PEOPLE,
    CONTROL_RIGHTS,
    CONTROL_RULES,
    CONTROL_SETTINGS,
    CONTROL_ABOUT,
    CONTROL_DOCTOR,
    /* Acts. */
    CONTROL_ORDER_MAKE,
    CONTROL_ORDER_ACTIVATE,
    CONTROL_ORDER_CLOSE,
    CONTROL_ORDER_BIND,
    CONTROL_ORDER_UNBIND,
    CONTROL_SHIFT_OPEN,
    CONTROL_SHIFT_CLOSE,
    CONTROL_QUARANTINE_RELEASE,
    CONTROL_QUARANTINE_RESOLVE,
    CONTROL_QUARANTINE_SCRAP,
    CONTROL_QUARANTINE_LIMIT,
    CONTROL_VOID,
    CONTROL_REPLACE,
    CONTROL_IMEI,
    CONTROL_PERSON_ADD,
    CONTROL_PERSON_ROLE,
    CONTROL_PERSON_BLOCK,
    CONTROL_PERSON_UNBLOCK,
    CONTROL_PERSON_BADGE,
    CONTROL_PERSON_PIN,
    CONTROL_RULE,
    CONTROL_FIXTURE_LABEL,
    CONTROL_FIXTURE_ALLOW,
    CONTROL_FIXTURE_POSITION,
    CONTROL_FIXTURE_LIMITS,
    CONTROL_FIXTURE_CYCLES,
    CONTROL_SCANNER,
    CONTROL_GOLDEN,
    CONTROL_CLOCK_CONFIRM,
    CONTROL_MEDIA,
    CONTROL_IMPORT,
    CONTROL_ORDER_IMPORT,
    CONTROL_EXPORT,
    CONTROL_CANCEL,
    CONTROL_VERBS
};
const char *control_verb_name(enum control_verb v);
/* ERR_NOT_FOUND: there is none of that name. */
int control_verb_parse(const char *name, enum control_verb *out, struct err *e);

struct control_request {
    json_t *id; /* what the reply bears; owned; null when none was readable */
    enum control_verb verb;
    char by[CONTROL_NAME_MAX + 1]; /* the server's: who has the right that it
                                      takes; "": nobody is known */
    json_t *words; /* the request itself, for what the verb needs; owned */
};
/* One line without its end. Members that nobody knows are ignored. On failure
 * out->id is what could be read of it, all the same. ERR_FORMAT: no request;
 * ERR_NOT_FOUND: nothing that can be done; ERR_LIMIT: too long. */
int control_request_read(struct span line, struct control_request *out,
                         struct err *e);
void control_request_clear(struct control_request *r);

/* A member of the request that must be text; borrowed. */
int control_text(const struct control_request *r, const char *name,
                 struct span *out, struct err *e);

/* ... as a C string. */
int control_need(const struct control_request *r, const char *name,
                 const char **out, struct err *e);
/* ... and one that may be text: NULL when it is not there. Borrowed. */
int control_word(const struct control_request *r, const char *name,
                 const char **out, struct err *e);
/* ... or a whole number from least to most: *out stays when it is not there. */
int control_number(const struct control_request *r, const char *name,
                   uint64_t least, uint64_t most, uint64_t *out, struct err *e);
/* ... or true: false when it is not there. */
int control_flag(const struct control_request *r, const char *name, bool *out,
                 struct err *e);
/* A text among a request's words (NULL: there are none) is nowhere in memory
 * any more, as far as this can do. */
void control_forget(json_t *words, const char *name);
/* All that may be a secret, wherever in a request it stands. */
void control_forget_secrets(json_t *words);

/* Replies. id is borrowed; NULL without memory. */
json_t *control_reply_ok(json_t *id);
json_t *control_reply_refused(json_t *id, const struct err *e);

/* Text that came from elsewhere may have been cut inside a character. */
json_t *control_string(const char *s);

/* The code of this name, ERR_INTERNAL when there is none. */
enum err_code control_error_code(const char *name);

/* The address of a data directory's socket. A path too long for an address
 * goes by way of *dir, an open directory (else -1), which must stay open for
 * as long as the address is used, and is the caller's to close. */
int control_address(const char *data_dir, struct sockaddr_un *out, int *dir,
                    struct err *e);
/* ... of another socket there. */
int control_address_of(const char *data_dir, const char *name,
                       struct sockaddr_un *out, int *dir, struct err *e);

/* Who connects to it gets what the operator's screen shows, as one JSON object
 * (docs/formats/control.md); nothing is read from it. */
#define SCREEN_SOCKET "screen.sock"

#endif
