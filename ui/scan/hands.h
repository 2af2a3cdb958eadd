/* ui/scan/hands: what keys, typed text and scans do. Knows no terminal and no
 * socket: what is to be asked of the line comes back as a request. */
#ifndef LINESIDE_UI_HANDS_H
#define LINESIDE_UI_HANDS_H

#include "ui/screens/screens.h"

#define FIXTURE_WAIT_S 60 /* a fixture's label waits so long for its unit's */
#define NOTICE_S 20       /* an answer is shown so long */
#define BADGE_S 5         /* a scanned badge asks for its PIN within that */
#define PINS_S 120        /* PINs of a form that nobody goes on with are kept so long */

enum wish {
    WISH_NOTHING,
    WISH_SCAN,   /* text */
    WISH_LOGIN,  /* badge ("": that was scanned), pin, fixture ("": the station) */
    WISH_LOGOUT,
    WISH_DEED,   /* verb, with text as its member (NULL: with nothing), and what the form
                  * has, if one is open */
    WISH_CANCEL, /* of what takes long */
    WISH_LEAVE
};
struct request {
    enum wish wish;
    const char *done; /* what is said when it is; NULL: that it is done */
    const char *job; /* the label of a deed that takes long; NULL: it does not */
    const char *verb, *member;
    char text[WHAT_CAP + TYPED_MAX + 2];
    char badge[TYPED_MAX + 1], pin[TYPED_MAX + 1], fixture[NAME_CAP];
};
void request_forget(struct request *r); /* a PIN may stand in it */

struct hands {
    struct desk d;
    const struct screen *screen;
    char badge[TYPED_MAX + 1];
    int64_t touched, fixture_at, notice_at;
    unsigned logins;
    const struct screen *asked; /* whose question was asked last, */
    int64_t asked_at;           /* when, and what was searched    */
    char asked_what[WHAT_CAP], asked_by[NAME_CAP];
    const struct screen *left; /* for a scan, which may have been a badge: */
    int64_t left_at;           /* when, and what it was about */
    char left_what[WHAT_CAP];
    bool took_medium; /* nobody chose it: it was the only one */
    int lock_after_s; /* without a key; 0: never */
    bool glyphs;      /* the terminal shows Chinese */
};
void hands_init(struct hands *h, enum lang l, int lock_after_s);

/* The screen that is to be drawn. */
const struct screen *hands_screen(const struct hands *h, const struct snapshot *s);

void hands_key(struct hands *h, const struct snapshot *s, int cols, int rows,
               enum key k, struct request *out);
/* A command barcode, scanned wherever. */
void hands_command(struct hands *h, const struct snapshot *s, int cols, int rows,
                   const char *word, struct request *out);
void hands_char(struct hands *h, const struct snapshot *s, uint32_t ch);
/* After every change of the snapshot, and every second. */
void hands_look(struct hands *h, const struct snapshot *s);
/* The screen's question is to be asked now; it is taken as asked. The verb, and
 * what is searched for ("": nothing). */
bool hands_question(struct hands *h, const struct snapshot *s, const char **verb,
                    const char **what);
/* Somebody looks at media, or is to choose one. */
bool hands_want_places(const struct hands *h);
/* What was to be done is done, or was refused. */
void hands_answered(struct hands *h, bool done);
/* A sentence to whoever stands there. */
void hands_notice(struct hands *h, const struct snapshot *s, bool bad, const char *text);

#endif
